//! Interactions of several modifiers, weighted ones and penalised models: the same numbers however the rows are spread,
//! and what must be equal to what within one run.

use entente_tests::federation::plain;
use study::results::{EstimateRow, Results};

use crate::agreement::assert_agree;
use crate::reference::cohorts;
use crate::small::{protocol_with, rows};

const FORMS: &str = r#"
[propensity]
covariates = ["age", "sex"]

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["iptw_interaction"]
covariates = ["age", "crcl"]
variance = ["robust", "survey", "m_estimation"]
effect_modifiers = ["iss_stage", "age", "infection"]
after_time_zero = true
effect_at = [60, 70.5]

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["adjusted", "iptw_interaction"]
variance = ["robust", "cluster_site", "m_estimation"]
effect_modifiers = ["sex", "crcl"]
effect_at = [0, 80]

[[analysis]]
kind = "logistic"
outcome = "infection"
models = ["firth"]
ridge = 1.5

[[analysis]]
kind = "cox"
outcome = "pfs"
ridge = 1.5
ridge_scale = "raw"

[[analysis]]
kind = "kaplan_meier"
outcome = "pfs"
weighted = [false, true]
hazard_ratio = true
ties = "breslow"
"#;

fn results(sites: usize) -> Results {
    let protocol = protocol_with(FORMS);
    let sites = rows(300).split(sites, |_, i| (i * 7 + i / 11) % sites);
    let results = Results::of(&plain(&protocol, &cohorts(&protocol, &sites)).unwrap());
    assert!(!results.any_failed(), "{:?}", results.fits);
    results
}

/// Without what is clustered by site: another split is another variance.
fn independent(results: Results) -> Results {
    let estimates = results.estimates.into_iter().filter(|row| row.variance.name() != "cluster_site");
    Results { estimates: estimates.collect(), ..results }
}

#[test]
fn any_split_gives_the_same_numbers() {
    let pooled = independent(results(1));
    for sites in [3, 23] {
        assert_agree(&pooled, &independent(results(sites)));
    }
}

#[test]
fn effects_within_levels_follow_from_their_model() {
    let results = results(3);
    let find = |model: &str, modifier: &str, term: &str, variance: &str| -> &EstimateRow {
        let of = |r: &&EstimateRow| {
            (&*r.model, r.modifier.as_str(), r.term.as_str(), r.variance.name()) == (model, modifier, term, variance)
        };
        results.estimates.iter().find(of).unwrap_or_else(|| panic!("{model} {modifier} {term} {variance}"))
    };
    let treatment = "regimen:IsaPd";
    for variance in ["naive", "robust", "survey", "m_estimation"] {
        let model = "iptw_interaction";
        // The effect at the reference is the treatment's coefficient, with its error.
        let (effect, own) = (
            find(model, "iss_stage", "regimen:IsaPd at iss_stage:I", variance),
            find(model, "iss_stage", treatment, variance),
        );
        assert_eq!((effect.estimate, effect.e_value.is_some()), (own.estimate, true));
        assert!((effect.std_error / own.std_error - 1.0).abs() < 1e-14);
        let product = find(model, "iss_stage", "regimen:IsaPd x iss_stage:III", variance);
        let third = find(model, "iss_stage", "regimen:IsaPd at iss_stage:III", variance);
        assert!((third.estimate - own.estimate - product.estimate).abs() < 1e-14);
        assert!(product.e_value.is_none(), "a ratio of effects is none");
        // A binary variable has both of its values; a continuous one those that are declared.
        for term in ["regimen:IsaPd at infection:0", "regimen:IsaPd at infection:1"] {
            find(model, "infection", term, variance);
        }
        find(model, "age", "regimen:IsaPd at age:70.5", variance);
    }
    let at_zero = find("interaction", "crcl", "regimen:IsaPd at crcl:0", "cluster_site");
    assert_eq!(at_zero.estimate, find("interaction", "crcl", treatment, "cluster_site").estimate);
    // One fit and one Wald test per modifier; a likelihood ratio only against a model with the same columns.
    let fits = |model: &str| results.fits.iter().filter(|f| f.model == model).count();
    assert_eq!([fits("interaction"), fits("iptw_interaction")], [5, 5]);
    let tests = |name: &str| results.tests.iter().filter(|t| t.name == name).count();
    assert_eq!([tests("interaction_wald"), tests("interaction_lr")], [10, 1]);
}

#[test]
fn every_treatment_effect_has_e_values_and_nothing_else_has() {
    let results = results(3);
    for row in &results.estimates {
        let effect = row.analysis != "propensity" && (row.term == "regimen:IsaPd" || row.term.contains(" at "));
        // three sites are too few clusters for an error, and without one there is no limit
        let effect = effect && row.std_error.is_finite();
        assert_eq!(row.e_value.is_some(), effect, "{} {} {}", row.analysis, row.model, row.term);
        let Some(value) = row.e_value else { continue };
        assert!(value.estimate >= value.limit && value.limit >= 1.0);
        assert_eq!(value.limit > 1.0, row.conf_low > 0.0 || row.conf_high < 0.0, "{}", row.term);
    }
}

#[test]
fn a_failed_hazard_ratio_leaves_its_curve() {
    let rows = rows(200).with("pfs_event", |rows, i| {
        let event = rows.get(i, "pfs_event");
        if rows.get(i, "regimen") == "IsaPd" { "0".into() } else { event.into() }
    });
    let protocol = protocol_with(
        "[[analysis]]\nkind = \"kaplan_meier\"\noutcome = \"pfs\"\nhazard_ratio = true\ntimes_days = [300]\n",
    );
    let results = Results::of(&plain(&protocol, &cohorts(&protocol, &rows.split(3, |_, i| i % 3))).unwrap());
    let [fit] = results.fits.as_slice() else { panic!("one row: {:?}", results.fits) };
    assert_eq!((&*fit.analysis, &*fit.outcome_of_fit.as_ref().unwrap_err().code), ("kaplan_meier", "fit.no_events"));
    assert!(results.estimates.is_empty() && !results.survival.is_empty());
}
