//! A site's own rules.

use study::policy::{Policy, PolicyRefusal};
use study::protocol::Protocol;

use crate::sample::{edited, manifest, protocol};

fn refusal(text: &str) -> Option<PolicyRefusal> {
    let policy = Policy::parse(text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0));
    policy.check_study(&manifest(), &protocol()).err()
}

fn mistakes(text: &str) -> Vec<String> {
    Policy::parse(text).err().map_or(Vec::new(), |mistakes| mistakes.0.iter().map(ToString::to_string).collect())
}

#[test]
fn no_file_and_an_empty_file_are_the_strict_default() {
    let default = Policy::default();
    assert_eq!(Policy::parse(""), Ok(default.clone()));
    assert_eq!((default.minimum_sites, default.minimum_patients, default.maximum_rounds), (5, 100, 200));
    assert_eq!((default.finest_grid_days, default.variables), (7.0, None));
    assert_eq!(refusal(""), Some(PolicyRefusal::Sites { got: 3, vouched: false, minimum: 5 }));
}

#[test]
fn the_digest_is_of_the_rules() {
    let digest = |text: &str| Policy::parse(text).unwrap().digest();
    assert_eq!(digest("minimum_sites = 5 # the default"), Policy::default().digest());
    let rules = [
        "",
        "minimum_sites = 6",
        "minimum_patients = 6",
        "finest_grid_days = 6",
        "maximum_rounds = 6",
        "variables = [\"age\"]",
        "variables = [\"ag\", \"e\"]",
    ];
    for (i, one) in rules.iter().enumerate() {
        for other in &rules[..i] {
            assert_ne!(digest(one), digest(other), "{one} and {other}");
        }
    }
}

#[test]
fn all_mistakes_come_out_together() {
    let text = "minimum_sites = 2\nminimum_patients = -1\nfinest_grid_day = 1\nvariables = [1]\nmaximum_rounds = 1.5\n";
    assert_eq!(
        mistakes(text),
        [
            "line 1: minimum_sites: must be at least 3: a site hides behind two others",
            "line 2: minimum_patients: expected a whole number that is not negative",
            "line 3: finest_grid_day: is not a known key; did you mean `finest_grid_days`?",
            "line 4: variables: expected nothing but strings in the list",
            "line 5: maximum_rounds: expected a whole number that is not negative",
        ]
    );
    assert_eq!(mistakes("finest_grid_days = nan"), ["line 1: finest_grid_days: expected a finite number, got float"]);
}

#[test]
fn a_study_is_refused_by_the_first_rule_that_it_breaks() {
    assert_eq!(refusal("minimum_sites = 3\nfinest_grid_days = 10"), None, "the grid of the study is allowed");
    let grid = PolicyRefusal::Grid { outcome: "os".into() };
    assert_eq!(refusal("minimum_sites = 3\nfinest_grid_days = 10.5"), Some(grid));
    let all = "minimum_sites = 3\nvariables = [\"drug\", \"age\", \"stage\", \"cured\", \"days\", \"dead\"]";
    assert_eq!(refusal(all), None);
    for variable in ["drug", "age", "stage", "cured", "days", "dead"] {
        let without = all.replace(&format!("\"{variable}\""), "\"sex\"");
        assert_eq!(refusal(&without), Some(PolicyRefusal::Variable { variable: variable.into() }));
    }
}

#[test]
fn a_variable_in_a_criterion_is_used_as_well() {
    let policy =
        Policy::parse("minimum_sites = 3\nvariables = [\"drug\", \"stage\", \"cured\", \"days\", \"dead\"]").unwrap();
    let without = edited("covariates = [\"age\"]\n", "covariates = [\"stage\"]\n")
        .replace("covariates = [\"age\", \"stage\"]", "covariates = [\"stage\"]");
    let age = Err(PolicyRefusal::Variable { variable: "age".into() });
    for (require, expected) in [
        ("age >= 18", age.clone()),
        ("abs(AGE)>18", age.clone()),
        ("\\\"age\\\" > 18", age),
        ("stage = 'I'", Ok(())),
        ("page_age IS NULL", Ok(())),
    ] {
        let protocol = Protocol::parse(&without.replace("age >= 18", require)).unwrap();
        assert_eq!(policy.check_study(&manifest(), &protocol), expected, "{require}");
    }
}

#[test]
fn rounds_are_counted_from_1() {
    let policy = Policy::parse("maximum_rounds = 2").unwrap();
    assert_eq!(policy.check_round(2), Ok(()));
    assert_eq!(policy.check_round(3), Err(PolicyRefusal::Rounds { maximum: 2 }));
}
