//! A study with every kind of variable, outcome and analysis.

use std::sync::Arc;

use secagg::SigningIdentity;
use study::cohort::{Cohort, Column, FlowCount};
use study::manifest::Manifest;
use study::plan::PLAN_VERSION;
use study::protocol::Protocol;
use study::roster::{Member, Roster};

/// The document. Tests of mistakes count its lines: new lines go to the end.
pub const PROTOCOL: &str = r#"[study]
id = "sample"
title = "A sample"
patient = "patient"
months = 30.4375

[trial]
question = "Does it help?"

[[trial.element]]
name = "Eligibility"
target = "Everybody."
emulation = "Those in the file."

[[variable]]
name = "drug"
kind = "categorical"
levels = ["none", "new", "other"]

[[variable]]
name = "age"
kind = "continuous"
unit = "years"
range = [18, 110]
resolution = 0.1

[[variable]]
name = "stage"
label = "Stage"
kind = "categorical"
levels = ["I", "II", "III"]
labels = ["one", "two", "three"]

[[variable]]
name = "cured"
kind = "binary"

[[variable]]
name = "days"
kind = "days"
max = 1000

[[variable]]
name = "dead"
kind = "binary"
labels = ["alive", "dead"]

[[eligibility]]
label = "Adults"
require = "age >= 18"

[treatment]
variable = "drug"
treated = "new"
control = "none"

[[outcome]]
name = "cure"
kind = "binary"
variable = "cured"

[[outcome]]
name = "os"
label = "Overall survival"
kind = "time_to_event"
time = "days"
event = "dead"
grid_days = 10
horizon_days = 900

[propensity]
covariates = ["age", "stage"]
estimand = "ATE"
stabilized = false
bins = 10

[[analysis]]
kind = "logistic"
outcomes = ["cure"]
models = ["unadjusted", "iptw", "iptw_stabilized", "iptw_adjusted"]
variance = ["naive", "robust", "survey", "cluster_site", "m_estimation"]
effect_modifier = "stage"

[[analysis]]
kind = "cox"
outcome = "os"
models = ["unadjusted", "iptw", "adjusted", "stratified"]
ties = "breslow"
variance = ["robust"]
covariates = ["age"]
"#;

/// The study.
pub fn protocol() -> Arc<Protocol> {
    Arc::new(Protocol::parse(PROTOCOL).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0)))
}

/// The document with one piece of text in the place of another.
pub fn edited(from: &str, to: &str) -> String {
    assert_eq!(PROTOCOL.matches(from).count(), 1, "`{from}` stands once in the sample");
    PROTOCOL.replace(from, to)
}

/// The identity of a number.
pub fn identity(number: u8) -> SigningIdentity {
    SigningIdentity::from_bytes(&[number; 32])
}

/// A member of the roster.
pub fn member(id: &str, number: u8) -> Member {
    Member { id: id.into(), legal_name: format!("Hospital {id}"), identity: identity(number).public() }
}

/// A manifest of the sample with three sites.
pub fn manifest() -> Manifest {
    let protocol = protocol();
    Manifest {
        study: protocol.id.clone(),
        run: [0xab; 16],
        protocol: protocol.digest,
        plan_version: PLAN_VERSION,
        roster: Roster::new(vec![member("A", 1), member("B", 2), member("C", 3)]).unwrap(),
        coordinator: identity(9).public(),
        created: 1_000,
        expires: 2_000,
    }
}

/// Six patients: three in each arm, one value of each covariate missing.
pub fn cohort() -> Cohort {
    Cohort {
        treated: vec![false, true, false, true, false, true],
        columns: vec![
            Column::Levels(vec![0, 1, 0, 1, 0, 1]),
            Column::Numbers(vec![50.0, 60.5, f64::NAN, 40.0, 70.0, 80.0]),
            Column::Levels(vec![0, 1, 2, u8::MAX, 1, 1]),
            Column::Levels(vec![0, 1, 1, 1, 0, 0]),
            Column::Days(vec![0, 10, 11, 950, 900, u32::MAX]),
            Column::Levels(vec![1, 1, 0, 1, 1, 1]),
        ],
        flow: vec![
            FlowCount { control: 4, treated: 3, neither: 2 },
            FlowCount { control: 3, treated: 3, neither: 1 },
            FlowCount { control: 3, treated: 3, neither: 0 },
        ],
        scenarios: Vec::new(),
    }
}
