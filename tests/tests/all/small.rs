//! A study of a few models on a few rows, for tests that run it many times or bend it.

use std::sync::Arc;

use entente_tests::federation::Rows;
use study::cohort::Cohort;
use study::protocol::Protocol;

use crate::reference;

/// Dictionary, arms and outcomes; the models are each test's own.
const HEAD: &str = r#"
[study]
id = "small"
title = "Two triplets, few patients"
patient = "patient"

[[variable]]
name = "regimen"
kind = "categorical"
levels = ["EloPd", "IsaPd"]

[[variable]]
name = "age"
kind = "continuous"
range = [18, 110]
resolution = 0.1

[[variable]]
name = "crcl"
kind = "continuous"
range = [0, 250]
resolution = 0.1

[[variable]]
name = "sex"
kind = "categorical"
levels = ["M", "F"]

[[variable]]
name = "iss_stage"
kind = "categorical"
levels = ["I", "II", "III"]

[[variable]]
name = "response"
kind = "binary"

[[variable]]
name = "infection"
kind = "binary"

[[variable]]
name = "pfs_days"
kind = "days"
max = 3653

[[variable]]
name = "pfs_event"
kind = "binary"

[[eligibility]]
label = "FISH or not, everybody with an age"
require = "age IS NOT NULL"

[treatment]
variable = "regimen"
treated = "IsaPd"
control = "EloPd"

[[outcome]]
name = "response"
kind = "binary"
variable = "response"

[[outcome]]
name = "infection"
kind = "binary"
variable = "infection"

[[outcome]]
name = "pfs"
kind = "time_to_event"
time = "pfs_days"
event = "pfs_event"
grid_days = 30
horizon_days = 1500
"#;

/// The coordinator opens the sums of the fits.
pub const TOTALS: &str = "\n[release]\nopening = \"totals\"\n";

/// A propensity model, a weighted model and both regressions.
/// Models of the small study.
pub const MODELS: &str = r#"
[propensity]
covariates = ["age", "sex"]
bins = 4

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["iptw"]
variance = ["m_estimation"]

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["unadjusted", "stratified"]
"#;

/// The small study with models of the test's own.
pub fn protocol_with(models: &str) -> Arc<Protocol> {
    Arc::new(Protocol::parse(&text_with(models)).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)))
}

/// Text of the small study. The coordinator fits its models, too.
pub fn text() -> String {
    format!("{HEAD}{TOTALS}{MODELS}")
}

/// Text of the small study with models of the test's own.
pub fn text_with(models: &str) -> String {
    format!("{HEAD}{models}")
}

/// The small study.
pub fn protocol() -> Arc<Protocol> {
    protocol_with(&format!("{TOTALS}{MODELS}"))
}

/// A part of the reference rows.
pub fn rows(patients: usize) -> Rows {
    reference::rows().filter(|_, i| i < patients)
}

/// Three sites with a third each.
pub fn three_sites(protocol: &Protocol, rows: &Rows) -> Vec<Cohort> {
    reference::cohorts(protocol, &rows.split(3, |_, i| i % 3))
}
