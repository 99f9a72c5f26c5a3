//! Data without an answer: a failure that names the cause and the column, and every other model still comes out.

use std::sync::Arc;

use entente_tests::federation::{Federation, Rows, loosest, plain};
use study::policy::Policy;
use study::protocol::Protocol;
use study::results::{FitProblem, Results};
use study::roster::{Member, Roster, RosterError};

use crate::agreement::assert_agree;
use crate::reference::cohorts;
use crate::small::{protocol_with, rows};

/// Adjusted models of both regressions beside unadjusted ones, propensity weighting on top.
const MODELS: &str = r#"
[propensity]
covariates = ["sex"]

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["unadjusted", "adjusted"]
covariates = ["age", "crcl", "iss_stage"]

[[analysis]]
kind = "logistic"
outcome = "infection"
models = ["unadjusted", "iptw"]

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["unadjusted", "iptw", "adjusted", "stratified"]
covariates = ["age", "crcl", "iss_stage"]
"#;

/// Runs the study on five sites.
fn results(rows: &Rows) -> Results {
    results_of(&protocol_with(MODELS), rows)
}

fn results_of(protocol: &Arc<Protocol>, rows: &Rows) -> Results {
    let cohorts = cohorts(protocol, &rows.split(5, |_, i| i % 5));
    Results::of(&plain(protocol, &cohorts).expect("every sum fits its word"))
}

fn patients() -> Rows {
    rows(240)
}

/// The failed models as "analysis outcome model", with code and message.
fn failures(results: &Results) -> Vec<(String, &str, String)> {
    let name = |analysis: &str, outcome: &str, model: &str| format!("{analysis} {outcome} {model}");
    let failed = results.fits.iter().filter_map(|f| {
        let FitProblem { code, message, .. } = f.outcome_of_fit.as_ref().err()?;
        Some((name(&f.analysis, &f.outcome, &f.model), &**code, message.clone()))
    });
    failed.collect()
}

/// Exactly these models fail, all in the same way; the others have numbers.
fn assert_failures(results: &Results, models: &[&str], code: &str, message: &str) {
    let expected: Vec<_> = models.iter().map(|m| ((*m).to_owned(), code, message.to_owned())).collect();
    assert_eq!(failures(results), expected);
    for fit in &results.fits {
        let estimates = results
            .estimates
            .iter()
            .filter(|e| (&e.analysis, &e.outcome, &e.model) == (&fit.analysis, &fit.outcome, &fit.model));
        match &fit.outcome_of_fit {
            Ok(_) => assert!(estimates.clone().count() > 0 && estimates.clone().all(|e| e.std_error.is_finite())),
            Err(problem) => {
                assert_eq!(estimates.count(), 0, "a failed model has no numbers");
                assert!(!problem.hint.is_empty());
            }
        }
    }
}

const ADJUSTED: [&str; 3] = ["logistic response adjusted", "cox pfs adjusted", "cox pfs stratified"];

#[test]
fn the_study_itself_has_an_answer() {
    assert_failures(&results(&patients()), &[], "", "");
}

#[test]
fn logistic_separation_names_the_level() {
    // Nobody at stage III responds.
    let rows = patients().with("response", |rows, i| {
        let response = rows.get(i, "response");
        if rows.get(i, "iss_stage") == "III" { "0".into() } else { response.into() }
    });
    let message = "separation: `response` is predicted perfectly by (intercept), iss_stage:III";
    assert_failures(&results(&rows), &["logistic response adjusted"], "fit.separation", message);
}

#[test]
fn cox_separation_names_the_level() {
    // Nobody at stage III progresses.
    let rows = patients().with("pfs_event", |rows, i| {
        let event = rows.get(i, "pfs_event");
        if rows.get(i, "iss_stage") == "III" { "0".into() } else { event.into() }
    });
    let message = "separation: `pfs` is predicted perfectly by iss_stage:III";
    assert_failures(&results(&rows), &["cox pfs adjusted", "cox pfs stratified"], "fit.separation", message);
}

#[test]
fn a_separated_propensity_model_takes_the_weighted_models_with_it() {
    let rows = patients().with("sex", |rows, i| if rows.get(i, "regimen") == "IsaPd" { "F" } else { "M" }.into());
    let results = results(&rows);
    let why = "separation: the treatment is predicted perfectly by (intercept), sex:F";
    let weighted = format!("the propensity model failed: {why}");
    let expected = [
        ("propensity  propensity".to_owned(), "fit.separation", why.to_owned()),
        ("logistic infection iptw".to_owned(), "fit.propensity", weighted.clone()),
        ("cox pfs iptw".to_owned(), "fit.propensity", weighted),
    ];
    assert_eq!(failures(&results), expected);
    assert!(results.weights.is_empty() && results.histogram.is_empty());
}

/// Every model has numbers; the adjusted ones say this, and have no row of this term.
fn assert_left_out(results: &Results, note: &str, term: &str) {
    assert_failures(results, &[], "", "");
    for model in ADJUSTED {
        let fit = results.fits.iter().find(|f| format!("{} {} {}", f.analysis, f.outcome, f.model) == model).unwrap();
        assert_eq!(fit.outcome_of_fit.as_ref().unwrap().notes, [note], "{model}");
    }
    assert!(results.estimates.iter().any(|row| row.model == "adjusted" && row.term == "age"));
    assert!(results.estimates.iter().all(|row| row.term != term));
    assert!(results.warnings.iter().any(|row| row.code == "model.left_out" && row.text == note));
}

#[test]
fn the_later_of_collinear_columns_is_left_out() {
    let rows = patients().with("crcl", |rows, i| {
        let age: f64 = rows.get(i, "age").parse().unwrap();
        format!("{:.1}", 250.0 - 2.0 * age)
    });
    assert_left_out(&results(&rows), "`crcl`: a linear combination of age; left out", "crcl");
}

#[test]
fn a_constant_column_is_left_out() {
    let rows = patients().with("crcl", |_, _| "88.8".into());
    assert_left_out(&results(&rows), "`crcl`: the same value for every analysed patient; left out", "crcl");
}

#[test]
fn a_level_that_nobody_has_is_left_out() {
    let rows = patients().with("iss_stage", |rows, i| {
        if rows.get(i, "iss_stage") == "II" { "III" } else { rows.get(i, "iss_stage") }.into()
    });
    assert_left_out(&results(&rows), "level II of `iss_stage`: no analysed patient; left out", "iss_stage:II");
}

#[test]
fn the_first_level_that_somebody_has_is_the_reference() {
    let rows = patients().with("iss_stage", |rows, i| {
        if rows.get(i, "iss_stage") == "I" { "II" } else { rows.get(i, "iss_stage") }.into()
    });
    let note = "level I of `iss_stage`: no analysed patient; II is the reference";
    assert_left_out(&results(&rows), note, "iss_stage:II");
}

#[test]
fn a_propensity_model_without_a_covariate_that_varies_fails() {
    let rows = patients().with("sex", |_, _| "F".into());
    let results = results(&rows);
    let failed = failures(&results);
    assert_eq!(failed[0], ("propensity  propensity".to_owned(), "fit.constant", failed[0].2.clone()));
    assert_eq!(failed[0].2, "`sex:F` has the same value for every analysed patient");
}

#[test]
fn no_events_in_one_arm_are_named() {
    let treated = |rows: &Rows, i: usize| rows.get(i, "regimen") == "IsaPd";
    let none =
        |rows: &Rows, i: usize, column: &str| if treated(rows, i) { "0" } else { rows.get(i, column) }.to_owned();
    let rows = patients()
        .with("response", |rows, i| none(rows, i, "response"))
        .with("pfs_event", |rows, i| none(rows, i, "pfs_event"));
    let results = results(&rows);
    let failed = failures(&results);
    let count = failed.iter().filter(|(model, code, message)| {
        let outcome = if model.contains("pfs") { "pfs" } else { "response" };
        *code == "fit.no_events" && *message == format!("no event of `{outcome}` in the IsaPd arm")
    });
    assert_eq!((count.count(), failed.len()), (6, 6), "{failed:?}");
}

#[test]
fn an_event_for_everybody_in_one_arm_is_named() {
    let rows = patients().with("response", |rows, i| {
        if rows.get(i, "regimen") == "IsaPd" { "1" } else { rows.get(i, "response") }.into()
    });
    let models = ["logistic response unadjusted", "logistic response adjusted"];
    assert_failures(
        &results(&rows),
        &models,
        "fit.all_events",
        "every patient in the IsaPd arm has the event `response`",
    );
}

#[test]
fn no_events_at_all_are_named() {
    let rows = patients().with("pfs_event", |_, _| "0".into());
    let models = ["cox pfs unadjusted", "cox pfs iptw", "cox pfs adjusted", "cox pfs stratified"];
    assert_failures(&results(&rows), &models, "fit.no_events", "no event of `pfs` in either arm");
}

#[test]
fn an_empty_arm_is_named() {
    let rows = patients().with("regimen", |_, _| "EloPd".into());
    let results = results(&rows);
    let failed = failures(&results);
    assert_eq!(failed.len(), results.fits.len(), "no model has two arms");
    let (weighted, own): (Vec<_>, Vec<_>) = failed.into_iter().partition(|(model, ..)| model.ends_with("iptw"));
    assert!(
        own.iter().all(|(_, code, message)| {
            *code == "fit.empty_arm" && message == "no analysed patient in the IsaPd arm"
        })
    );
    assert!(weighted.iter().all(|(_, code, message)| {
        *code == "fit.propensity" && message == "the propensity model failed: no analysed patient in the IsaPd arm"
    }));
}

#[test]
fn no_patient_at_all_is_named() {
    let results = results(&patients().filter(|_, _| false));
    assert_eq!(failures(&results).len(), results.fits.len());
    assert_eq!(failures(&results)[0].2, "no analysed patient in the EloPd arm");
}

#[test]
fn missing_values_are_counted_by_variable() {
    let rows = patients().with("crcl", |rows, i| if i % 40 == 3 { "" } else { rows.get(i, "crcl") }.into());
    assert_failures(&results(&rows), &ADJUSTED, "fit.missing", "`crcl` is missing for 6 analysed patients");

    let rows = patients().with("iss_stage", |rows, i| if i == 9 { "" } else { rows.get(i, "iss_stage") }.into());
    assert_failures(&results(&rows), &ADJUSTED, "fit.missing", "`iss_stage` is missing for 1 analysed patients");
}

#[test]
fn an_arm_without_a_value_of_the_outcome_is_named() {
    let none = |rows: &Rows, i: usize, column: &str| {
        if rows.get(i, "regimen") == "IsaPd" { String::new() } else { rows.get(i, column).to_owned() }
    };
    let rows = patients().with("response", |rows, i| none(rows, i, "response"));
    let models = ["logistic response unadjusted", "logistic response adjusted"];
    assert_failures(&results(&rows), &models, "fit.empty_arm", "no patient in the IsaPd arm has a value of `response`");

    let rows = patients().with("pfs_days", |rows, i| none(rows, i, "pfs_days"));
    let models = ["cox pfs unadjusted", "cox pfs iptw", "cox pfs adjusted", "cox pfs stratified"];
    assert_failures(&results(&rows), &models, "fit.empty_arm", "no patient in the IsaPd arm has a value of `pfs`");
}

#[test]
fn follow_up_beyond_the_horizon_is_censored_there_and_counted() {
    let rows = patients().with("pfs_days", |rows, i| if i < 3 { "3000" } else { rows.get(i, "pfs_days") }.into());
    let cut = rows
        .clone()
        .with("pfs_event", |rows, i| if beyond(rows, i) { "0" } else { rows.get(i, "pfs_event") }.into())
        .with("pfs_days", |rows, i| if beyond(rows, i) { "1500" } else { rows.get(i, "pfs_days") }.into());
    let (ours, theirs) = (results(&rows), results(&cut));
    assert_eq!((&ours.estimates, &ours.fits), (&theirs.estimates, &theirs.fits));
}

fn beyond(rows: &Rows, i: usize) -> bool {
    rows.get(i, "pfs_days").parse::<u32>().unwrap() > 1500
}

/// A proxy of the outcome among the covariates, such as the cycles received. Everybody has the event, at times of their
/// own, and the covariate falls as the time grows, up to `noise`.
fn proxy(noise: usize) -> Results {
    let models = r#"
[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["unadjusted", "adjusted", "stratified"]
covariates = ["crcl"]
"#;
    let days = |i: usize| (i * 89) % 240 + 1;
    let rows = patients()
        .with("pfs_days", |_, i| (days(i) * 6).to_string())
        .with("pfs_event", |_, _| "1".into())
        .with("crcl", |_, i| (245 - days(i) + noise * ((i * 37) % 41) / 40).min(250).to_string());
    results_of(&protocol_with(models), &rows)
}

#[test]
fn a_covariate_that_is_the_outcome_in_disguise_fails_alone() {
    // Hazards grow beyond the fixed-point word before a variance tells of divergence: a step that does not fit is
    // halved, and the model fails while the run goes on.
    let results = proxy(0);
    let codes: Vec<_> = failures(&results).into_iter().map(|(model, code, _)| (model, code)).collect();
    let expected = [("cox pfs adjusted", "fit.not_converged"), ("cox pfs stratified", "fit.separation")];
    assert_eq!(codes, expected.map(|(model, code)| (model.to_owned(), code)));
    assert_eq!(results.estimates.iter().filter(|e| e.model == "unadjusted").count(), 1);
}

#[test]
fn a_covariate_that_is_close_to_the_outcome_is_fitted() {
    // A hazard ratio of e^49 over the range of the covariate.
    assert_failures(&proxy(16), &[], "", "");
}

#[test]
fn two_sites_are_no_roster() {
    let member = |i: u8| Member {
        id: format!("S{i}"),
        legal_name: "Hospital".into(),
        identity: secagg::SigningIdentity::from_bytes(&[i; 32]).public(),
    };
    assert_eq!(Roster::new(vec![member(1), member(2)]), Err(RosterError::TooFew { got: 2 }));
    assert_eq!(Roster::new(vec![]), Err(RosterError::TooFew { got: 0 }));
    assert_eq!(RosterError::TooFew { got: 2 }.to_string(), "a roster has at least 3 sites, got 2");
}

/// What site 0 refuses with this policy, as rule and message.
fn refused(policy: &str) -> (&'static str, String) {
    let protocol = protocol_with(MODELS);
    let cohorts = cohorts(&protocol, &patients().split(4, |_, i| i % 4));
    let mut policies = vec![loosest(); 4];
    policies[0] = Policy::parse(policy).unwrap();
    let mut run = Federation::with_policies(protocol, cohorts, policies, 1);
    run.run();
    let [(0, refusal)] = run.refusals.as_slice() else { panic!("one refusal: {:?}", run.refusals) };
    let source = std::error::Error::source(refusal).expect("the policy says why");
    (refusal.rule(), source.to_string())
}

#[test]
fn a_policy_names_the_rule_and_the_column() {
    let five = refused("finest_grid_days = 1");
    assert_eq!(five.0, "policy.minimum_sites");
    assert_eq!(five.1, "the study has 4 sites, this site's policy asks for at least 5");
    let many = refused("minimum_sites = 3\nminimum_patients = 241\nfinest_grid_days = 1");
    assert_eq!(many.0, "policy.minimum_patients");
    assert_eq!(many.1, "fewer analysed patients over all sites than this site's policy asks for (241)");
    let coarse = refused("minimum_sites = 3\nfinest_grid_days = 30.4375");
    assert_eq!(coarse.0, "policy.finest_grid_days");
    assert_eq!(coarse.1, "the time grid of `pfs` is finer than this site's policy allows");
    let listed = r#"
        minimum_sites = 3
        finest_grid_days = 1
        variables = ["regimen", "sex", "age", "iss_stage", "response", "infection", "pfs_days", "pfs_event"]"#;
    let unlisted = refused(listed);
    assert_eq!(unlisted.0, "policy.variables");
    assert_eq!(unlisted.1, "the study uses `crcl`, which this site's policy does not allow");
}

/// Models of a logistic outcome, with and without a penalty.
const PENALISED: &str = r#"
[[analysis]]
kind = "logistic"
outcome = "response"
models = ["adjusted", "firth"]
covariates = ["age", "crcl", "iss_stage"]
ridge = 1.0
"#;

#[test]
fn firth_and_ridge_are_the_ways_out_of_separation() {
    // Nobody at stage III responds.
    let rows = patients().with("response", |rows, i| {
        let response = rows.get(i, "response");
        if rows.get(i, "iss_stage") == "III" { "0".into() } else { response.into() }
    });
    let protocol = protocol_with(PENALISED);
    let results = results_of(&protocol, &rows);
    let message = "separation: `response` is predicted perfectly by (intercept), iss_stage:III";
    assert_failures(&results, &["logistic response adjusted"], "fit.separation", message);
    let failed = results.fits.iter().find_map(|fit| fit.outcome_of_fit.as_ref().err()).unwrap();
    assert!(failed.hint.contains("`firth`"), "{}", failed.hint);
    let stage = |model: &str| {
        let row = results.estimates.iter().find(|e| e.model == model && e.term == "iss_stage:III").unwrap();
        (row.estimate, row.std_error)
    };
    for (estimate, std_error) in [stage("firth"), stage("ridge")] {
        assert!((-8.0..-0.5).contains(&estimate) && (0.1..5.0).contains(&std_error), "{estimate} {std_error}");
    }
    // Any split of the rows gives the same numbers.
    for sites in [3, 17] {
        let cohorts = cohorts(&protocol, &rows.split(sites, |_, i| i * i % sites));
        assert_agree(&results, &Results::of(&plain(&protocol, &cohorts).unwrap()));
    }
}

#[test]
fn an_arm_without_events_has_a_finite_effect_under_a_penalty() {
    // No response in the control arm: the odds ratio has no finite maximum.
    let rows = patients().with("response", |rows, i| {
        let response = rows.get(i, "response");
        if rows.get(i, "regimen") == "EloPd" { "0".into() } else { response.into() }
    });
    let results = results_of(&protocol_with(PENALISED), &rows);
    let message = "no event of `response` in the EloPd arm";
    assert_failures(&results, &["logistic response adjusted"], "fit.no_events", message);
}
