//! Scenarios: their declaration, what they leave of the main protocol, and their rows at a site.

use study::cohort::{Column, MISSING_LEVEL};
use study::dictionary::VariableId;
use study::protocol::{Model, Protocol};

use crate::sample::{PROTOCOL, cohort};

const SCENARIO: &str = r#"
[[scenario]]
name = "stage-missing"
without = ["Adults"]
require = "age < 75"
missing_as_level = ["stage"]
covariates = ["stage"]
models = ["iptw"]
"#;

fn with(scenario: &str) -> String {
    PROTOCOL.to_owned() + scenario
}

#[test]
fn a_scenario_is_the_main_protocol_with_what_it_changes() {
    let protocol = Protocol::parse(&with(SCENARIO)).unwrap();
    let [scenario] = protocol.scenarios.as_slice() else { panic!("one scenario") };
    assert_eq!((scenario.name.as_str(), scenario.label.as_str()), ("stage-missing", "stage-missing"));
    let other = &scenario.protocol;
    assert_eq!(other.eligibility.len(), 1);
    assert_eq!(
        (other.eligibility[0].label.as_str(), other.eligibility[0].require.as_str()),
        ("stage-missing", "age < 75")
    );
    let stage = other.dictionary.find("stage").unwrap();
    assert_eq!(other.dictionary.variable(stage).levels(), ["I", "II", "III", "missing"]);
    assert_eq!(protocol.dictionary.variable(stage).levels().len(), 3);
    assert_eq!(other.propensity.as_ref().unwrap().covariates, [stage]);
    assert_eq!(other.analyses.len(), 2);
    assert!(other.analyses.iter().all(|a| a.models == [Model::Iptw] && a.covariates == [stage]));
    assert!(other.analyses.iter().all(|a| a.effect_modifiers.is_empty()), "a model by name has no modifier");
    assert!(other.scenarios.is_empty());
    let whole = Protocol::parse(&with("\n[[scenario]]\nname = \"same\"\n")).unwrap();
    assert_eq!(whole.scenarios[0].protocol.analyses, protocol.analyses);
}

#[test]
fn a_trimmed_scenario_begins_with_its_propensity_model_alone() {
    let lines = "\n[[scenario]]\nname = \"trimmed\"\ntrim = [0.1, 0.9]\nmodels = [\"iptw\"]\n";
    let protocol = Protocol::parse(&with(lines)).unwrap();
    let scenario = &protocol.scenarios[0];
    let untrimmed = scenario.untrimmed.as_ref().unwrap();
    assert_eq!((scenario.protocol.trimming, untrimmed.trimming), (Some((0.1, 0.9)), None));
    assert!(untrimmed.analyses.is_empty() && untrimmed.propensity == scenario.protocol.propensity);
    assert!(protocol.trimming.is_none());
    let other = with(&lines.replace("0.9", "0.8"));
    assert_ne!(Protocol::parse(&other).unwrap().digest, protocol.digest);
}

#[test]
fn missing_values_get_the_last_level() {
    let protocol = Protocol::parse(&with(SCENARIO)).unwrap();
    let mut rows = cohort();
    protocol.scenarios[0].recode(&mut rows);
    let VariableId(stage) = protocol.dictionary.find("stage").unwrap();
    assert_eq!(rows.columns[stage], Column::Levels(vec![0, 1, 2, 3, 1, 1]));
    assert!(cohort().columns[stage] == Column::Levels(vec![0, 1, 2, MISSING_LEVEL, 1, 1]));
}

#[test]
fn mistakes_of_a_scenario() {
    let mistakes = |lines: &str| -> Vec<String> {
        let text = with(&format!("\n[[scenario]]\n{lines}\n"));
        let mistakes = Protocol::parse(&text).expect_err("mistakes").0;
        mistakes.iter().map(|m| m.to_string().split_once(": ").expect("a line").1.to_owned()).collect()
    };
    let cases = [
        ("label = \"Nameless\"", "scenario[1].name: is missing"),
        (
            "name = \"Over 65\"",
            "scenario[1].name: is no short name; use 1 to 64 lower-case letters, digits and hyphens, such as `over-65`",
        ),
        ("name = \"a\"\n[[scenario]]\nname = \"a\"", "scenario[2].name: an earlier [[scenario]] is called `a` already"),
        (
            "name = \"a\"\nwithout = [\"Adult\"]",
            "scenario[1].without: `Adult` is not the label of an [[eligibility]] line; did you mean `Adults`?",
        ),
        (
            "name = \"a\"\nmissing_as_level = [\"age\"]",
            "scenario[1].missing_as_level: `age` must be categorical or binary",
        ),
        (
            "name = \"a\"\nmissing_as_level = [\"stage\", \"stage\"]",
            "scenario[1].missing_as_level: `stage` stands twice",
        ),
        (
            "name = \"a\"\nmissing_as_level = [\"drug\"]",
            "scenario[1].missing_as_level: `drug` is the treatment or part of an outcome; only a covariate has such a level",
        ),
        (
            "name = \"a\"\noutcomes = [\"cure\"]\nmodels = [\"stratified\"]",
            "scenario[1].models: no [[analysis]] fits one of these models to one of these outcomes; name two that stand together",
        ),
        ("name = \"a\"\ntrimm = 1", "scenario[1].trimm: is not a known key"),
        (
            "name = \"a\"\ntrim = [0.9, 0.1]",
            "scenario[1].trim: expected two numbers from 0 to 1, the first below the second",
        ),
        ("name = \"a\"\nmodels = [\"iptv\"]", "scenario[1].models: `iptv` is not known"),
    ];
    for (lines, expected) in cases {
        let found = mistakes(lines);
        assert!(found.iter().any(|m| m.starts_with(expected)), "{lines}: {found:?}");
    }
}
