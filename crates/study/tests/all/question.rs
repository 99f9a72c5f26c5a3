//! Questions of the sample's plan: lengths, names, terms.

use std::sync::Arc;

use secagg::Canonical;
use stats::matrix::Matrix;
use study::dictionary::VariableId;
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::question::{LogisticModel, Question, Response};
use study::term::{Columns, Term};

use crate::sample::{cohort, protocol};

#[test]
fn the_first_round_asks_for_what_the_models_use() {
    let plan = Plan::new(protocol());
    let kinds: Vec<&str> = plan.ask().iter().map(|asked| asked.question.kind()).collect();
    // age; stage and cured; the two outcomes' cells are of one time to event
    assert_eq!(kinds, ["Attrition", "Missingness", "Levels", "Levels", "Moments", "CoxSetup"]);
    let words: Vec<usize> = plan.ask().iter().map(|q| q.words(&protocol())).collect();
    // 3 steps x 3; 2 arms; 2 x (3 levels + missing); 2 x (2 + missing); columns x 2; 6 counts + cells 0..=90
    let columns = ["treatment", "age", "stage II", "stage III", "interaction II", "interaction III"].len();
    assert_eq!(words, [9, 2, 8, 6, 2 * columns, 6 + 91]);
    assert_eq!(plan.words(), words.iter().sum::<usize>());
}

#[test]
fn every_answer_has_its_length_also_of_an_empty_cohort() {
    let protocol = protocol();
    let mut empty = cohort();
    empty.treated.clear();
    for column in &mut empty.columns {
        use study::cohort::Column;
        match column {
            Column::Numbers(v) => v.clear(),
            Column::Levels(v) => v.clear(),
            Column::Days(v) => v.clear(),
        }
    }
    let plan = Plan::new(Arc::clone(&protocol));
    for cohort in [cohort(), empty] {
        let evaluator = Evaluator::new(&protocol, &cohort, 3, false);
        for question in plan.ask().iter() {
            assert_eq!(
                evaluator.answer(question).unwrap().len(),
                question.words(&protocol),
                "{}",
                question.question.kind()
            );
        }
    }
}

#[test]
fn a_leverage_score_has_a_word_per_column_and_depends_on_every_parameter() {
    let protocol = protocol();
    let [age, cured] = [1, 3].map(VariableId);
    let columns = Columns::centred(vec![Term::Intercept, Term::Number(age)], vec![0.0, 60.0]);
    let model = Arc::new(LogisticModel { response: Response::Binary(cured), columns, weights: None });
    let question = |beta: f64, corner: f64| Question::LeverageScore {
        model: Arc::clone(&model),
        beta: vec![0.0, beta],
        inverse: Arc::new(Matrix::new(2, 2, vec![1.0, 0.0, 0.0, corner])),
    };
    let digest = |question: &Question| question.write(Canonical::new("test")).digest();
    assert_eq!(question(0.0, 1.0).words(&protocol), 2);
    assert_ne!(digest(&question(0.0, 1.0)), digest(&question(0.1, 1.0)));
    assert_ne!(digest(&question(0.0, 1.0)), digest(&question(0.0, 1.1)));
}

#[test]
fn terms_are_named_as_in_the_results() {
    let protocol = protocol();
    let [age, stage, cured] = [1, 2, 3].map(VariableId);
    let name = |term: &Term| term.name(&protocol);
    assert_eq!(name(&Term::Intercept), "(intercept)");
    assert_eq!(name(&Term::Treatment), "drug:new");
    assert_eq!(name(&Term::Number(age)), "age");
    assert_eq!(name(&Term::Level(stage, 2)), "stage:III");
    assert_eq!(name(&Term::Level(cured, 1)), "cured");
    let product = Term::Product(Box::new(Term::Treatment), Box::new(Term::Level(stage, 1)));
    assert_eq!(name(&product), "drug:new x stage:II");
    assert_eq!(Term::of_variable(&protocol, stage), [Term::Level(stage, 1), Term::Level(stage, 2)]);
    assert_eq!(product.variables(), [stage]);
}
