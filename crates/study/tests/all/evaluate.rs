//! Answers by hand over the sample's six patients.

use std::sync::Arc;

use stats::weights::Scheme;
use study::evaluate::{EvaluateError, Evaluator};
use study::plan::Plan;
use study::protocol::Protocol;
use study::question::FittedPropensity;
use study::question::{LogisticModel, Question, Response, Weights};
use study::term::{Columns, Term};
use study::word;

use crate::sample::{cohort, protocol};

fn answer(question: &Question) -> Vec<f64> {
    let (protocol, cohort) = (protocol(), cohort());
    word::read(&Evaluator::new(&protocol, &cohort, 3, true).answer(&question.clone().into()).unwrap(), 3)
}

fn variable(protocol: &Protocol, name: &str) -> study::dictionary::VariableId {
    protocol.dictionary.find(name).unwrap()
}

#[test]
fn flow_levels_missingness() {
    let protocol = protocol();
    assert_eq!(answer(&Question::Flow), [4.0, 3.0, 2.0, 3.0, 3.0, 1.0, 3.0, 3.0, 0.0]);
    // control: I, III, II; treated: II, missing, II
    let stage = variable(&protocol, "stage");
    assert_eq!(answer(&Question::Levels { variable: stage }), [1.0, 1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 1.0]);
    let missing = |name| answer(&Question::Missingness { variable: variable(&protocol, name) });
    assert_eq!(missing("age"), [1.0, 0.0]);
    assert_eq!(missing("stage"), [0.0, 1.0]);
    assert_eq!(missing("days"), [0.0, 1.0]);
}

#[test]
fn moments_leave_out_what_is_missing() {
    let protocol = protocol();
    let stage = variable(&protocol, "stage");
    let product = Term::Product(Box::new(Term::Treatment), Box::new(Term::Level(stage, 1)));
    let terms = vec![Term::Number(variable(&protocol, "age")), Term::Treatment, Term::Level(stage, 1), product];
    // from the middle of the declared 18 to 110, in units of the power of two below half its width, 46
    let ages = [50.0, 60.5, 40.0, 70.0, 80.0].map(|age| (age - 64.0) / 32.0);
    let (sum, squares): (f64, f64) = (ages.iter().sum(), ages.iter().map(|age| age * age).sum());
    assert_eq!(answer(&Question::Moments { terms }), [sum, squares, 3.0, 3.0, 3.0, 3.0, 2.0, 2.0]);
}

#[test]
fn events_by_arm_status_and_cell() {
    let sums = answer(&Question::Events { outcome: 1 });
    // control: day 0 event, day 11 censored, day 900 event; treated: day 10 event, day 950 censored at the horizon, missing
    assert_eq!(sums[..6], [1.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
    let cells: Vec<usize> = (0..91).filter(|cell| sums[6 + cell] > 0.0).collect();
    assert_eq!(cells, [0, 1, 90], "day 0, days 1 to 10, days 891 to 900");
}

/// Everybody's propensity is 1/4.
fn weights(stabilized: Option<f64>) -> Weights {
    let columns = Columns::centred(vec![Term::Intercept], vec![0.0]);
    let propensity = Arc::new(FittedPropensity { columns, alpha: vec![-libm_log3()] });
    Weights { propensity, scheme: Scheme::ate(stabilized) }
}

fn libm_log3() -> f64 {
    1.098_612_288_668_109_8
}

#[test]
fn weights_are_the_inverse_of_the_probability_of_the_own_arm() {
    let close = |got: &[f64], expected: &[f64]| {
        assert_eq!(got.len(), expected.len());
        assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-13), "{got:?}");
    };
    // control 1 / (3/4), treated 1 / (1/4); stabilised by 1/2
    let (control, treated) = (4.0 / 3.0, 4.0);
    let sums = answer(&Question::WeightSums { weights: weights(None) });
    close(&sums, &[3.0, 3.0 * control, 3.0 * control * control, 3.0, 3.0 * treated, 3.0 * treated * treated]);
    let sums = answer(&Question::WeightSums { weights: weights(Some(0.5)) });
    close(&sums, &[3.0, 2.0, 4.0 / 3.0, 3.0, 6.0, 12.0]);
    let bins = answer(&Question::PropensityHistogram { weights: weights(None), bins: 2 });
    close(&bins, &[3.0, 3.0 * control, 3.0, 3.0 * treated, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn who_leaves_in_each_cell_by_arm_and_status() {
    // As in the events above; the row without a time is left out.
    let sums = answer(&Question::ArmTable { outcome: 1, weighted: None });
    let filled: Vec<(usize, f64)> = sums.iter().copied().enumerate().filter(|(_, n)| *n > 0.0).collect();
    let (control_event, treated_censored) = (1, 2);
    let expected =
        [(control_event, 1.0), (4 + 3, 1.0), (8, 1.0), (360 + control_event, 1.0), (360 + treated_censored, 1.0)];
    assert_eq!((filled.as_slice(), sums.len()), (&expected[..], 4 * 91));
    // the weighted table in the four cells in which somebody leaves
    let cells: Arc<[u32]> = [0, 1, 2, 90].into();
    let weighted = answer(&Question::ArmTable { outcome: 1, weighted: Some((weights(None), cells)) });
    assert_eq!(weighted.len(), 3 * 4 * 4);
    let treated = &weighted[3 * (4 * 3 + treated_censored)..][..3];
    assert!(treated.iter().zip([1.0, 4.0, 16.0]).all(|(got, expected)| (got - expected).abs() < 1e-12), "{treated:?}");
}

#[test]
fn a_curve_without_times_fails_and_one_without_events_does_not() {
    let text = format!(
        "{}\n[[analysis]]\nkind = \"kaplan_meier\"\noutcome = \"os\"\ntimes_days = [100]\n",
        crate::sample::PROTOCOL
    );
    let protocol = Arc::new(Protocol::parse(&text).unwrap());
    let told = |cohort: &study::cohort::Cohort| {
        let mut plan = Plan::new(Arc::clone(&protocol));
        for _ in 0..2 {
            let evaluator = Evaluator::new(&protocol, cohort, 1, true);
            let words: Vec<i128> = plan.ask().iter().flat_map(|q| evaluator.answer(q).unwrap()).collect();
            plan.tell(&word::read(&words, 1));
        }
        study::results::Results::of(&plan)
    };
    let mut cohort = cohort();
    cohort.columns[1] = study::cohort::Column::Numbers(vec![50.0, 60.5, 45.0, 40.0, 70.0, 80.0]);
    cohort.columns[5] = study::cohort::Column::Levels(vec![study::cohort::MISSING_LEVEL; 6]);
    let failed = told(&cohort);
    let fit = failed.fits.iter().find(|fit| fit.analysis == study::results::KAPLAN_MEIER).unwrap();
    assert_eq!(fit.outcome_of_fit.as_ref().unwrap_err().code, "fit.empty_arm");
    assert!(failed.survival.is_empty() && failed.medians.is_empty());
    cohort.columns[4] = study::cohort::Column::Days(vec![0, 10, 11, 950, 900, 40]);
    cohort.columns[5] = study::cohort::Column::Levels(vec![0; 6]);
    let flat = told(&cohort);
    // Three patients in an arm are too few for a curve: the declared time is hidden, by arm and for both.
    let survival: Vec<Option<f64>> = flat.survival.iter().map(|row| row.survival).collect();
    assert_eq!(survival, [None; 3]);
    assert!(!flat.tests.iter().any(|test| test.name == "log_rank"));
}

#[test]
fn a_sum_of_a_fit_that_does_not_fit_is_marked_and_any_other_refused() {
    let (protocol, cohort) = (protocol(), cohort());
    let evaluator = Evaluator::new(&protocol, &cohort, 3, true);
    // A propensity of e^-60: the treated weigh 1e26.
    let columns = Columns::centred(vec![Term::Intercept], vec![0.0]);
    let propensity = Arc::new(FittedPropensity { columns: columns.clone(), alpha: vec![-60.0] });
    let weights = Weights { propensity, scheme: Scheme::ate(None) };
    let refused = evaluator.answer(&Question::WeightSums { weights: weights.clone() }.into());
    assert_eq!(refused, Err(EvaluateError::OutOfBound));
    let response = Response::Binary(variable(&protocol, "cured"));
    let model = Arc::new(LogisticModel { response, columns, weights: Some(weights) });
    let marked = evaluator.answer(&Question::LogisticStep { model, beta: vec![0.0] }.into()).unwrap();
    assert!(word::read(&marked, 3).iter().all(|sum| sum.is_nan()));
    // Two honest sites beside it do not hide the mark.
    let total: Vec<i128> = marked.iter().map(|word| word - (1 << 70)).collect();
    assert!(word::read(&total, 3).iter().all(|sum| sum.is_nan()));
}

#[test]
fn a_plan_that_is_told_marks_fails_its_models_and_goes_on() {
    let protocol = protocol();
    let mut plan = Plan::new(Arc::clone(&protocol));
    let cohort = cohort();
    let mut complete = cohort.clone();
    complete.columns[1] = study::cohort::Column::Numbers(vec![50.0, 60.5, 45.0, 40.0, 70.0, 80.0]);
    complete.columns[2] = study::cohort::Column::Levels(vec![0, 1, 2, 2, 1, 0]);
    complete.columns[4] = study::cohort::Column::Days(vec![0, 10, 11, 950, 900, 40]);
    let evaluator = Evaluator::new(&protocol, &complete, 1, true);
    let first: Vec<i128> = plan.ask().iter().flat_map(|q| evaluator.answer(q).unwrap()).collect();
    plan.tell(&word::read(&first, 1));
    assert!(!plan.done());
    plan.tell(&vec![f64::NAN; plan.words()]);
    let codes: Vec<&str> = plan
        .main()
        .fits()
        .filter_map(|(_, outcome)| match outcome {
            Some(study::plan::FitOutcome::Failed(failure)) => Some(failure.code()),
            _ => None,
        })
        .collect();
    assert!(!codes.is_empty() && codes.iter().all(|c| ["fit.not_finite", "fit.propensity"].contains(c)), "{codes:?}");
    assert!(plan.done(), "nothing is left to ask");
}
