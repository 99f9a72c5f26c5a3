//! The baseline table: its declaration, the answers of the sample's six patients by hand, and its rows.

use std::sync::Arc;

use stats::weights::Scheme;
use study::dictionary::VariableId;
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::protocol::{CategoryTest, Protocol};
use study::question::{FittedPropensity, Question, Weights};
use study::results::{BalanceRow, Results};
use study::term::{Columns, Term};
use study::word;

use crate::sample::{PROTOCOL, cohort, protocol};

const TABLE: &str = "\n[[analysis]]\nkind = \"baseline\"\nvariables = [\"age\", \"stage\", \"cured\"]\n";

fn with(more: &str) -> String {
    format!("{PROTOCOL}{TABLE}{more}")
}

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = Protocol::parse(text).expect_err("mistakes").0;
    mistakes.iter().map(|m| m.to_string().split_once(": ").expect("a line").1.to_owned()).collect()
}

#[test]
fn the_declaration_and_its_defaults() {
    assert_eq!(protocol().baselines, []);
    let declared = Protocol::parse(&with("")).unwrap();
    assert_eq!(declared.analyses, protocol().analyses, "a table is no model");
    let [table] = &declared.baselines[..] else { panic!("{:?}", declared.baselines) };
    assert_eq!(table.name, "baseline");
    assert_eq!(table.variables, [1, 2, 3].map(VariableId));
    assert!(table.weighted && !table.continuity && table.category_test == CategoryTest::Pearson);
    let one = |more: &str| Protocol::parse(&with(more)).unwrap().baselines.remove(0);
    let table = one("weighted = false\ncontinuity = true\nfisher = true\n");
    assert!(!table.weighted && table.continuity && table.category_test == CategoryTest::Fisher);
    let table = one("yates = true\n");
    assert_eq!(table.category_test, CategoryTest::Yates);
}

#[test]
fn mistakes_of_the_declaration() {
    let list = |names: &str| PROTOCOL.to_owned() + &TABLE.replace("\"age\", \"stage\", \"cured\"", names);
    assert_eq!(
        mistakes(&list("\"agee\", \"days\", \"drug\", \"stage\", \"stage\"")),
        [
            "analysis[3].variables: `agee` is not a declared [[variable]]; did you mean `age`?",
            "analysis[3].variables: `days` is a time; the table has continuous, categorical and binary ones",
            "analysis[3].variables: `drug` is the treatment that the arms are made of; leave it out",
            "analysis[3].variables: `stage` stands twice; name it once",
        ]
    );
    assert_eq!(
        mistakes(&with("yates = true\nfisher = true\nmodels = [\"iptw\"]\n")),
        [
            "analysis[3].fisher: an exact test has no Yates correction; use one of them",
            "analysis[3].models: is not a known key; known: continuity, fisher, kind, name, variables, weighted, yates",
        ]
    );
    assert_eq!(
        mistakes(&(with("") + TABLE)),
        ["analysis[4].kind: a baseline table is called `baseline` already; give this one another `name`"]
    );
    let second = format!("{TABLE}name = \"tests\"\nyates = true\nweighted = false\n");
    let both = Protocol::parse(&(with("") + &second)).unwrap().baselines;
    let names: Vec<(&str, bool)> = both.iter().map(|table| (table.name.as_str(), table.weighted)).collect();
    assert_eq!(names, [("baseline", true), ("tests", false)]);
    assert_eq!(
        mistakes(&with("").replace("resolution = 0.1", "resolution = 0.00001")),
        ["analysis[3].variables: `age`: a value grid has at most 1048576 bins; see its `range` and `resolution`"]
    );
    let plain = with("weighted = true\n")
        .replace("\"iptw\", ", "")
        .replace("\"iptw_stabilized\", \"iptw_adjusted\"", "\"adjusted\"");
    let (head, rest) = plain.split_once("[propensity]").unwrap();
    let without = head.to_owned() + rest.split_once("bins = 10\n").unwrap().1;
    let found = mistakes(&without);
    assert!(
        found.contains(
            &"analysis[3].weighted: weights need a [propensity] model; add one, or write `weighted = false`".to_owned()
        ),
        "{found:?}"
    );
}

/// Everybody's propensity is 1/2.
fn weights() -> Weights {
    let columns = Columns::centred(vec![Term::Intercept], vec![0.0]);
    Weights { propensity: Arc::new(FittedPropensity { columns, alpha: vec![0.0] }), scheme: Scheme::ate(None) }
}

#[test]
fn answers_leave_out_what_is_missing() {
    let (protocol, cohort) = (protocol(), cohort());
    let answer = |question: &Question| {
        let sums =
            word::read(&Evaluator::new(&protocol, &cohort, 3, true).answer(&question.clone().into()).unwrap(), 3);
        assert_eq!(sums.len(), question.words(&protocol));
        sums
    };
    let (age, stage) = (VariableId(1), VariableId(2));
    // 18.0 to 110.0 in tenths; control 50 and 70, treated 60.5, 40, 80.
    let bins = answer(&Question::ValueHistogram { variable: age });
    assert_eq!(bins.len(), 2 * 921);
    let filled: Vec<usize> = (0..bins.len()).filter(|i| bins[*i] == 1.0).collect();
    assert_eq!(filled, [320, 520, 921 + 220, 921 + 425, 921 + 620]);
    assert_eq!(bins.iter().sum::<f64>(), 5.0);
    let moments = answer(&Question::ArmMoments { variable: age, centre: 60.0, unit: 1.0, weights: None });
    assert_eq!(moments, [2.0, 2.0, 2.0, 0.0, 200.0, 3.0, 3.0, 3.0, 0.5, 800.25]);
    let moments = answer(&Question::ArmMoments { variable: age, centre: 60.0, unit: 1.0, weights: Some(weights()) });
    assert_eq!(moments, [2.0, 4.0, 8.0, 0.0, 400.0, 3.0, 6.0, 12.0, 1.0, 1600.5]);
    // control I, III, II; treated II, missing, II
    let levels = answer(&Question::WeightedLevels { variable: stage, weights: weights() });
    assert_eq!(levels, [1.0, 1.0, 1.0, 0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 4.0, 0.0]);
}

fn rows(text: &str) -> (Vec<BalanceRow>, usize) {
    let protocol = Arc::new(Protocol::parse(text).unwrap());
    let cohort = cohort();
    let site = Evaluator::new(&protocol, &cohort, 1, true);
    let mut plan = Plan::new(Arc::clone(&protocol));
    let mut rounds = 0;
    while !plan.done() {
        let words: Vec<i128> = plan.ask().iter().flat_map(|q| site.answer(q).unwrap()).collect();
        plan.tell(&word::read(&words, 1));
        rounds += 1;
    }
    (Results::of(&plan).balance, rounds)
}

#[test]
fn rows_of_the_sample() {
    // The propensity model lacks values and fails: the table has no weighted rows, and the rest stands.
    let (rows, _) = rows(&with(""));
    let names: Vec<(&str, Option<&str>)> = rows.iter().map(|r| (r.variable.as_str(), r.level.as_deref())).collect();
    let stage = [None, Some("I"), Some("II"), Some("III")].map(|level| ("stage", level));
    let cured = [None, Some("0"), Some("1")].map(|level| ("cured", level));
    assert_eq!(names, [&[("age", None)], &stage[..], &cured[..]].concat());
    assert!(rows.iter().all(|r| !r.weighted));
    let age = &rows[0];
    assert_eq!(
        (&*age.kind, age.missing, age.test.as_deref()),
        ("continuous", [Some(1), Some(0)], Some("mann_whitney"))
    );
    assert_eq!((age.control.value, age.control.spread), (Some(60.0), Some(200.0_f64.sqrt())));
    assert_eq!((age.control.q25, age.control.median, age.control.q75), (Some(55.0), Some(60.0), Some(65.0)));
    assert_eq!((age.treated.median, age.all.median), (Some(60.5), Some(60.5)));
    // Of six pairs the treated are larger in three: 60.5 over 50, 80 over both.
    assert_eq!(age.statistic, Some(3.0));
    assert_eq!(
        (&*rows[1].kind, rows[1].missing, rows[1].control.value),
        ("categorical", [Some(0), Some(1)], Some(3.0))
    );
    assert_eq!((rows[3].treated.value, rows[3].treated.spread, rows[3].all.value), (Some(2.0), Some(100.0), Some(3.0)));
    assert!((rows[3].smd_cobalt.unwrap() - 2.0 / 3.0).abs() < 1e-15);
    assert_eq!(
        (&*rows[5].kind, rows[5].test.as_deref(), rows[5].level.as_deref()),
        ("binary", Some("chi_square"), None)
    );
}
