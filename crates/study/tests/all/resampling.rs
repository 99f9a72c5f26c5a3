//! Bootstrap and imputation: their declaration, and the secrecy and reproducibility of what a site draws.

use std::sync::Arc;

use secagg::{Canonical, DrawKey};
use study::cohort::{Cohort, Column};
use study::evaluate::{EvaluateError, Evaluator};
use study::protocol::{Model, Protocol};
use study::question::{LogisticModel, Question, Response};
use study::term::{Columns, Term};
use study::view::{Asked, Draw, Imputed, View};

use crate::sample::{PROTOCOL, cohort};

const BOOTSTRAP: &str = "\n[bootstrap]\nreplicates = 30\nseed = 5\n";
const IMPUTE: &str = "\n[[scenario]]\nname = \"imputed\"\nimpute = [\"stage\"]\ndraws = 3\nmodels = [\"iptw\"]\n";

fn with(lines: &str) -> Protocol {
    Protocol::parse(&(PROTOCOL.to_owned() + lines)).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0))
}

fn mistakes(lines: &str) -> Vec<(String, String)> {
    let mistakes = Protocol::parse(&(PROTOCOL.to_owned() + lines)).expect_err("a mistake");
    mistakes.0.into_iter().map(|mistake| (mistake.key, mistake.message)).collect()
}

#[test]
fn a_replicate_is_the_main_protocol_with_its_models_alone() {
    let protocol = with(BOOTSTRAP);
    let bootstrap = protocol.bootstrap.as_ref().unwrap();
    assert_eq!((bootstrap.replicates, bootstrap.seed), (30, 5));
    let models: Vec<&[Model]> = bootstrap.protocol.analyses.iter().map(|a| &*a.models).collect();
    let logistic = [Model::Unadjusted, Model::Iptw, Model::IptwStabilized, Model::IptwAdjusted];
    assert_eq!(models, [&logistic[..], &[Model::Unadjusted, Model::Iptw, Model::Adjusted]]);
    assert!(bootstrap.protocol.analyses.iter().all(|a| !a.variances.robust && a.effect_modifiers.is_empty()));
    assert!(bootstrap.protocol.bootstrap.is_none());
    let unweighted = with("\n[bootstrap]\nmodels = [\"unadjusted\", \"stratified\"]\noutcomes = [\"os\"]\n");
    let bootstrap = unweighted.bootstrap.unwrap();
    assert_eq!((bootstrap.replicates, bootstrap.seed), (200, 1));
    assert_eq!(bootstrap.protocol.analyses.len(), 1);
    assert!(bootstrap.protocol.propensity.is_none(), "no weights, no propensity model");
}

#[test]
fn mistakes_of_a_bootstrap() {
    let found = mistakes("\n[bootstrap]\nreplicates = 3\nmodels = [\"iptw_truncated\"]\nsed = 1\n");
    assert!(
        found.contains(&("bootstrap.replicates".into(), "expected 20 to 5000 replicates; such as 200".into())),
        "{found:?}"
    );
    assert!(found.iter().any(|(key, message)| key == "bootstrap.models" && message.contains("case weights")));
    assert!(found.iter().any(|(key, message)| key == "bootstrap.sed" && message.contains("`seed`")));
    let found = mistakes("\n[bootstrap]\nmodels = [\"adjusted\"]\noutcomes = [\"cure\"]\n");
    assert!(found[0].1.contains("name two that stand together"), "{found:?}");
}

#[test]
fn mistakes_of_an_imputation() {
    let scenario = |lines: &str| mistakes(&format!("\n[[scenario]]\nname = \"imputed\"\n{lines}\n"));
    for (lines, key, message) in [
        ("draws = 5", "scenario[1].draws", "belongs to `impute`, which is not there; add `impute`, or leave this out"),
        ("impute = [\"stage\"]\ndraws = 1", "scenario[1].draws", "expected 2 to 200 draws; such as 10"),
        ("impute = [\"stage\", \"stage\"]", "scenario[1].impute", "`stage` stands twice; name it once"),
        ("impute = [\"days\"]", "scenario[1].impute", "`days` is a time; only a covariate is imputed"),
        (
            "impute = [\"cured\"]",
            "scenario[1].impute",
            "`cured` is not a covariate of this scenario's models; name covariates alone",
        ),
        (
            "impute = [\"stage\"]\nmissing_as_level = [\"stage\"]",
            "scenario[1].impute",
            "missing values of `stage` are a level of their own in this scenario; name it in one of the two",
        ),
        (
            "impute = [\"stage\"]\ntrim = [0.1, 0.9]",
            "scenario[1].impute",
            "goes with models alone; leave out `baseline`, `curves`, `checks` and `trim`",
        ),
    ] {
        let found = scenario(lines);
        assert!(found.contains(&(key.into(), message.into())), "{lines}: {found:?}");
    }
}

/// Sums of a logistic model of the outcome over drawn rows.
fn asked(draw: Draw, scenario: Option<usize>) -> Asked {
    let terms = vec![Term::Intercept, Term::Treatment];
    let columns = Columns::centred(terms, vec![0.0; 2]);
    let model = LogisticModel { response: Response::Treatment, columns, weights: None };
    let question = Question::LogisticStep { model: Arc::new(model), beta: vec![0.0; 2] };
    Asked { view: Arc::new(View { scenario, draw, ..View::default() }), question, of: None }
}

fn key(byte: u8) -> DrawKey {
    DrawKey::from_bytes(&[byte; 32])
}

#[test]
fn case_weights_follow_from_key_seed_and_number_alone() {
    let (protocol, cohort) = (with(BOOTSTRAP), cohort());
    let answer = |protocol: &Protocol, byte: u8, number: u32| {
        let asked = asked(Draw::Replicate(number), None);
        let key = key(byte);
        let questions = [asked.clone(), asked];
        let evaluator = Evaluator::new(protocol, &cohort, 3, false).drawing(&key, &questions);
        let [one, other] = [&questions[0], &questions[1]].map(|asked| evaluator.answer(asked).unwrap());
        assert_eq!(one, other);
        // the same without the views of the round
        let alone = Evaluator::new(protocol, &cohort, 3, false).drawing(&key, &[]);
        assert_eq!(alone.answer(&questions[0]).unwrap(), one);
        one
    };
    let first = answer(&protocol, 1, 0);
    let renamed = Protocol::parse(&(PROTOCOL.replace("id = \"", "id = \"other-") + BOOTSTRAP)).unwrap();
    assert_eq!(answer(&renamed, 1, 0), first);
    assert_ne!(answer(&protocol, 2, 0), first);
    assert_ne!(answer(&protocol, 1, 1), first);
    assert_ne!(answer(&with(&BOOTSTRAP.replace('5', "6")), 1, 0), first);
}

#[test]
fn nothing_is_drawn_without_a_key_and_nothing_else_is_asked_of_a_replicate() {
    let (protocol, cohort) = (with(BOOTSTRAP), cohort());
    let replicate = asked(Draw::Replicate(0), None);
    let evaluator = Evaluator::new(&protocol, &cohort, 3, false);
    assert_eq!(evaluator.answer(&replicate), Err(EvaluateError::NoKey));
    let key = key(1);
    let evaluator = evaluator.drawing(&key, &[]);
    let flow = Asked { question: Question::Flow, ..replicate };
    assert_eq!(evaluator.answer(&flow), Err(EvaluateError::OutOfBound));
    assert_eq!(format!("{evaluator:?}").matches("DrawKey(..)").count(), 1);
}

#[test]
fn the_draw_stands_in_the_request() {
    let imputed = |number| Draw::Imputed(Imputed { number, variables: Vec::new() });
    let digests: Vec<_> = [Draw::Nothing, Draw::Replicate(0), Draw::Replicate(1), imputed(0), imputed(1)]
        .into_iter()
        .map(|draw| asked(draw, Some(0)).write(Canonical::new("test/request")).digest())
        .collect();
    for (i, one) in digests.iter().enumerate() {
        assert!(digests[..i].iter().all(|other| other != one), "{i}");
    }
}

/// A variable that nobody lacks is imputed to itself.
#[test]
fn complete_rows_stay_as_they_are() {
    let protocol = with(IMPUTE);
    let mut rows = cohort();
    rows.columns[2] = Column::Levels(vec![0, 1, 2, 0, 1, 1]);
    let whole = Cohort { scenarios: vec![rows.clone()], ..rows };
    let key = key(3);
    let evaluator = Evaluator::new(&protocol, &whole, 3, false).drawing(&key, &[]);
    let drawn = asked(Draw::Imputed(Imputed { number: 1, variables: Vec::new() }), Some(0));
    assert_eq!(evaluator.answer(&drawn), evaluator.answer(&asked(Draw::Nothing, Some(0))));
}
