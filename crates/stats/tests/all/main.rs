//! Estimators against hand derivations, against pooled R, against themselves, and against data that has no answer.
#![allow(clippy::disallowed_methods, reason = "tests read the reference data")]

mod closed_form;
mod compare;
mod entry;
mod myeloma;
mod pathology;
mod rotterdam;
mod sites;
mod splits;
mod table;
