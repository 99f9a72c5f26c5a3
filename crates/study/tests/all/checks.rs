//! `zph` and `concordance`: the declaration, its mistakes, and the answers of the sample's patients by hand.

use std::sync::Arc;

use stats::concordance::PredictorGrid;
use stats::cox::{EventCells, Ties};
use stats::zph::Transform;
use study::evaluate::Evaluator;
use study::protocol::{Checks, Protocol};
use study::question::{CoxModel, Question};
use study::term::{Columns, Term};
use study::word;

use crate::sample::{PROTOCOL, cohort, edited, protocol};

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = Protocol::parse(text).expect_err("mistakes").0;
    mistakes.iter().map(|m| m.to_string().split_once(": ").expect("a line").1.to_owned()).collect()
}

#[test]
fn the_declaration_and_its_mistakes() {
    assert!(protocol().analyses.iter().all(|analysis| analysis.checks.is_empty()));
    let with = |more: &str| Protocol::parse(&format!("{PROTOCOL}{more}")).unwrap().analyses[1].checks.clone();
    let both = Checks { zph: vec![Transform::Log, Transform::KaplanMeier], concordance: Some(0.01) };
    assert_eq!(with("zph = [\"log\", \"km\"]\nconcordance = 0.01\n"), both);
    assert_eq!(with("zph = [\"rank\"]\n"), Checks { zph: vec![Transform::Rank], concordance: None });
    assert_eq!(
        mistakes(&format!("{PROTOCOL}zph = [\"ranks\", \"km\", \"km\"]\nconcordance = 2\n")),
        [
            "analysis[2].zph: `km` stands twice; name it once",
            "analysis[2].zph: `ranks` is not known (known: km, rank, identity, log); did you mean `rank`?",
            "analysis[2].concordance: expected the width of the predictor's bins, 0.0001 to 1; such as 0.1",
        ]
    );
    let logistic = edited("kind = \"logistic\"\n", "kind = \"logistic\"\nzph = [\"km\"]\nconcordance = 0.1\n");
    assert_eq!(
        mistakes(&logistic),
        [
            "analysis[1].zph: `zph` checks Cox models; leave it out here",
            "analysis[1].concordance: `concordance` checks Cox models; leave it out here"
        ]
    );
}

/// Control patients leave on day 0 (event), 11 and 900 (event); treated ones on day 10 (event) and beyond the horizon, and
/// one has no time, which a study with checks does not come to ask about.
#[test]
fn answers_by_hand() {
    let (protocol, cohort) = (protocol(), cohort());
    let answer = |question: Question| {
        let sums =
            word::read(&Evaluator::new(&protocol, &cohort, 3, true).answer(&question.clone().into()).unwrap(), 3);
        assert_eq!(sums.len(), question.words(&protocol));
        sums
    };
    let leavers = answer(Question::Leavers { outcome: 1 });
    assert_eq!(leavers.len(), 91);
    assert_eq!((leavers[..3].to_vec(), leavers[90], leavers.iter().sum()), (vec![1.0, 1.0, 1.0], 2.0, 5.0));

    let columns = Columns::centred(vec![Term::Treatment], vec![0.5]);
    let model = Arc::new(CoxModel { outcome: 1, cause: None, columns, weights: None, ties: Ties::Efron });
    let grid = Arc::new(PredictorGrid::of_two_values(-0.5, 0.5));
    let counts = Question::PredictorHistogram { model: Arc::clone(&model), grid: Arc::clone(&grid), beta: vec![1.0] };
    // the treated patient without a time is none of the model's
    assert_eq!(answer(counts), [3.0, 2.0]);
    let events = Arc::new(EventCells::new(vec![0, 1], vec![1.0; 2], Ties::Efron));
    let table =
        Question::ConcordanceTable { model: Arc::clone(&model), events, grid: Arc::clone(&grid), beta: vec![1.0] };
    // Cell 0: one control patient, with the event. Cell 1: the others, of whom one treated has it.
    assert_eq!(answer(table), [1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 2.0, 1.0]);
}
