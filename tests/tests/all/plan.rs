//! The plan of the reference study: how many rounds, and that every answer has the length that the question says.

use std::collections::BTreeMap;
use std::sync::Arc;

use entente_tests::federation::plain;
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::protocol::Protocol;
use study::word;

use crate::reference::{centre, cohorts, protocol, protocol_text, rows};

#[test]
fn the_reference_study_takes_few_rounds_and_every_answer_fits_its_question() {
    let protocol = protocol();
    let cohorts = cohorts(&protocol, &rows().split(45, centre));
    let mut plan = Plan::new(Arc::clone(&protocol));
    let mut asked: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut rounds, mut opened) = (0, 0);
    while !plan.done() {
        rounds += 1;
        opened += plan.words();
        assert_eq!(plan.progress().round, rounds);
        let questions = Arc::clone(plan.ask());
        assert!(!questions.is_empty());
        assert_eq!(plan.words(), questions.iter().map(|q| q.words(&protocol)).sum::<usize>());
        let mut sums = vec![0_i128; plan.words()];
        for (site, cohort) in cohorts.iter().enumerate() {
            let evaluator = Evaluator::new(&protocol, cohort, cohorts.len(), site == 0);
            let answers: Vec<Vec<i128>> = questions.iter().map(|q| evaluator.answer(q).unwrap()).collect();
            for (question, answer) in questions.iter().zip(&answers) {
                assert_eq!(answer.len(), question.words(&protocol), "{}", question.question.kind());
            }
            for (sum, word) in sums.iter_mut().zip(answers.concat()) {
                *sum += word;
            }
        }
        for question in questions.iter().filter(|asked| asked.view.scenario.is_none()) {
            *asked.entry(question.question.kind()).or_default() += 1;
        }
        plan.tell(&word::read(&sums, cohorts.len()));
    }
    println!("{rounds} rounds, {opened} numbers opened");
    // the trimmed scenario fits its propensity model twice
    assert_eq!(rounds, 24);
    assert!(opened > 0 && plan.ask().is_empty() && plan.words() == 0);
    let progress = plan.progress();
    assert_eq!((progress.models, progress.fitted, progress.failed), (asked_models(), asked_models(), 0));
    assert_eq!((asked["Attrition"], asked["Moments"], asked["CoxSetup"]), (1, 1, 2));
    // Six schemes and a truncated one.
    assert_eq!((asked["WeightSums"], asked["WeightHistogram"], asked["Truncated"]), (7, 6, 1));
    assert_eq!((asked["Histogram"], asked["Overlap"]), (1, 1));
    assert_eq!(asked["ArmTable"], 4, "two outcomes, with weights and without, each once");
    assert_eq!(asked["CoxRisk"], asked["CoxStep"], "every step follows its risk sets");
    // Weighted Cox models ask for the weights of the deaths once: two outcomes, four schemes.
    assert_eq!(asked["DeathWeights"], 8);
    // Three outcomes, two models each; two outcomes, two models each.
    assert_eq!((asked["GFormula"], asked["Aipw"]), (6, 6));
    assert_eq!((asked["StandardisedSurvival"], asked["RestrictedMean"], asked["RestrictedMeanSpread"]), (4, 4, 4));
    assert!(asked["LogisticMeat"] > 0 && asked["CoxMeat"] > 0 && asked["StratifiedCoxStep"] > 0);
}

/// The cells of a weighted table come from the counts of the unweighted curve, or from counts asked for it alone.
#[test]
fn a_weighted_curve_alone_is_the_one_beside_an_unweighted_curve() {
    let text = protocol_text();
    let alone = text.replace("weighted = [false, true]", "weighted = [true]");
    assert_ne!(text, alone);
    let weighted = |text: &str| {
        let protocol = Arc::new(Protocol::parse(text).unwrap());
        let plan = plain(&protocol, &cohorts(&protocol, &rows().split(7, centre))).unwrap();
        let tables = plan.main().curves().filter(|(key, _)| key.weighted);
        tables.map(|(_, table)| table.unwrap().unwrap().clone()).collect::<Vec<_>>()
    };
    let beside = weighted(&text);
    assert_eq!(beside.len(), 2);
    assert!(beside == weighted(&alone));
}

/// Propensity; three outcomes with five logistic models and one with three; two with six Cox models and two by Breslow;
/// five further weights of one logistic and two of two Cox models; in each of three scenarios propensity and three
/// weighted models.
fn asked_models() -> usize {
    1 + 3 * 5 + 3 + 2 * 6 + 2 * 2 + 5 + 2 * 2 + 3 * (1 + 3)
}
