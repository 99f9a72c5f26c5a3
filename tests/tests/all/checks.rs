//! Checks of Cox models: any split of the rows gives the same, what they need is asked once, and what has no number says
//! why.

use std::collections::BTreeMap;
use std::sync::Arc;

use entente_tests::federation::{Rows, plain};
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::protocol::Protocol;
use study::results::{CheckProblem, FitNumbers, Results};
use study::word;

use crate::agreement::assert_agree;
use crate::reference::cohorts;
use crate::small::{protocol_with, rows};

const MODELS: &str = r#"
[propensity]
covariates = ["age", "sex"]

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["unadjusted", "iptw", "adjusted", "iptw_adjusted", "stratified"]
covariates = ["age", "iss_stage"]
effect_modifier = "sex"
"#;

const CHECKS: &str = "zph = [\"km\", \"rank\", \"identity\", \"log\"]\nconcordance = 0.01\n";

const CURVE: &str = "\n[[analysis]]\nkind = \"kaplan_meier\"\noutcome = \"pfs\"\n";

fn checked(more: &str) -> Arc<Protocol> {
    protocol_with(&format!("{MODELS}{CHECKS}{more}"))
}

fn results(protocol: &Arc<Protocol>, sites: &[Rows]) -> Results {
    Results::of(&plain(protocol, &cohorts(protocol, sites)).expect("every sum fits its word"))
}

fn numbers<'r>(results: &'r Results, model: &str) -> &'r FitNumbers {
    let fit = results.fits.iter().find(|f| f.analysis == "cox" && f.model == model).expect("a declared model");
    fit.outcome_of_fit.as_ref().expect("a fitted model")
}

#[test]
fn any_split_gives_the_same_checks() {
    let (protocol, rows) = (checked(""), rows(240));
    let pooled = results(&protocol, std::slice::from_ref(&rows));
    for sites in [3, 7] {
        assert_agree(&pooled, &results(&protocol, &rows.split(sites, |_, i| i % sites)));
    }
    // An empty first site adds the terms of the whole study all the same.
    assert_agree(&pooled, &results(&protocol, &rows.split(4, |_, i| 1 + i % 3)));
    // One site is one stratum: the stratified model is the adjusted one, and its pairs are counted exactly.
    let [adjusted, stratified] = ["adjusted", "stratified"].map(|model| numbers(&pooled, model).concordance.unwrap());
    assert!(stratified.bound == 0.0 && adjusted.bound > 0.0 && adjusted.bound < 0.01, "{adjusted:?}");
    assert!((adjusted.value - stratified.value).abs() <= adjusted.bound + 1e-12);
    for model in ["unadjusted", "iptw"] {
        assert!(numbers(&pooled, model).concordance.unwrap().bound == 0.0, "the treatment alone has two values");
    }
    let tests = |model: &str| {
        let of_model = pooled.tests.iter().filter(|t| t.model == model && t.name.starts_with("zph_"));
        of_model.map(|t| (t.name.clone(), t.term.clone(), t.test)).collect::<Vec<_>>()
    };
    for (a, b) in tests("adjusted").iter().zip(tests("stratified")) {
        assert_eq!((&a.0, &a.1, a.2.df), (&b.0, &b.1, b.2.df));
        assert!((a.2.statistic / b.2.statistic - 1.0).abs() < 1e-9, "{a:?} {b:?}");
    }
    let terms: Vec<String> = tests("interaction").into_iter().take(6).map(|(_, term, _)| term).collect();
    assert_eq!(terms, ["regimen", "age", "iss_stage", "sex", "regimen x sex", "global"]);
    assert_eq!(tests("adjusted").iter().map(|t| t.2.df).take(4).collect::<Vec<_>>(), [1, 1, 2, 4]);
}

/// Questions asked by kind, rounds, and the results.
fn asked(protocol: &Arc<Protocol>) -> (BTreeMap<&'static str, usize>, u32, Results) {
    let cohorts = cohorts(protocol, &rows(240).split(3, |_, i| i % 3));
    let (mut plan, mut asked) = (Plan::new(Arc::clone(protocol)), BTreeMap::new());
    while !plan.done() {
        let mut sums = vec![0_i128; plan.words()];
        for (site, cohort) in cohorts.iter().enumerate() {
            let evaluator = Evaluator::new(protocol, cohort, cohorts.len(), site == 0);
            let answers = plan.ask().iter().flat_map(|question| evaluator.answer(question).unwrap());
            sums.iter_mut().zip(answers).for_each(|(sum, word)| *sum += word);
        }
        for question in plan.ask().iter() {
            *asked.entry(question.question.kind()).or_default() += 1;
        }
        plan.tell(&word::read(&sums, cohorts.len()));
    }
    (asked, plan.progress().round - 1, Results::of(&plan))
}

#[test]
fn what_checks_need_is_asked_once() {
    let (alone, rounds, results) = asked(&checked(""));
    let kinds = ["Leavers", "CoxTrend", "StratifiedCoxTrend", "PredictorHistogram", "ConcordanceTable"];
    assert_eq!(kinds.map(|kind| alone[kind]), [1, 5 * 4, 4, 3, 5]);
    assert_eq!(alone["StratifiedConcordance"], 1);
    // A curve counts the same leavers.
    let (beside, _, with_curve) = asked(&checked(CURVE));
    assert!(!beside.contains_key("Leavers"));
    let zph =
        |results: &Results| results.tests.iter().filter(|t| t.name.starts_with("zph_")).cloned().collect::<Vec<_>>();
    assert_eq!(zph(&results).len(), 4 * (2 + 2 + 4 + 4 + 4 + 6));
    assert_eq!(zph(&results), zph(&with_curve));
    // The weighted and adjusted model ends last: without robust variances, its checks are two exchanges of their own.
    let (none, bare, _) = asked(&protocol_with(MODELS));
    assert!(!none.contains_key("CoxTrend") && rounds == bare + 2, "{bare} and {rounds} rounds");
    let robust = "variance = [\"robust\"]\n";
    let (_, bare, _) = asked(&protocol_with(&format!("{MODELS}{robust}")));
    let (_, rounds, _) = asked(&checked(robust));
    assert_eq!(rounds, bare + 1, "tests go with the sums of the variances");
}

#[test]
fn a_scenario_repeats_the_checks_when_it_says_so() {
    let scenario = |more: &str| {
        let text =
            format!("\n[[scenario]]\nname = \"men\"\nrequire = \"sex = 'M'\"\nmodels = [\"unadjusted\"]\n{more}");
        let (asked, _, _) = asked(&checked(&text));
        asked["ConcordanceTable"]
    };
    assert_eq!((scenario(""), scenario("checks = true\n")), (5, 6));
}

#[test]
fn events_on_day_0_have_no_logarithm_and_the_model_stands() {
    let rows = rows(240)
        .with("pfs_days", |rows, i| if i % 37 == 5 { "0".into() } else { rows.get(i, "pfs_days").into() })
        .with("pfs_event", |rows, i| if i % 37 == 5 { "1".into() } else { rows.get(i, "pfs_event").into() });
    let results = results(&checked(""), &rows.split(3, |_, i| i % 3));
    assert!(!results.any_failed(), "{:?}", results.fits);
    for model in ["unadjusted", "iptw_adjusted", "stratified"] {
        let codes: Vec<&str> = numbers(&results, model).unchecked.iter().map(CheckProblem::code).collect();
        assert_eq!(codes, ["check.log_of_zero"], "{model}");
    }
    assert!(results.tests.iter().all(|t| t.name != "zph_log") && results.tests.iter().any(|t| t.name == "zph_km"));
}

#[test]
fn events_in_one_cell_have_no_course() {
    let rows = rows(240).with("pfs_days", |rows, i| {
        if rows.get(i, "pfs_event") == "1" { "15".into() } else { rows.get(i, "pfs_days").into() }
    });
    let results = results(&checked(""), &rows.split(3, |_, i| i % 3));
    let numbers = numbers(&results, "adjusted");
    assert_eq!(numbers.unchecked.iter().map(CheckProblem::code).collect::<Vec<_>>(), ["check.no_spread"; 4]);
    assert_eq!(numbers.unchecked[0].to_string(), "zph_km: the events do not spread over time");
    assert!(numbers.concordance.is_some() && results.tests.iter().all(|t| !t.name.starts_with("zph_")));
}
