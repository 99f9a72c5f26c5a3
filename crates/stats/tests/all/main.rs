//! Estimators against hand derivations, against pooled R, against themselves, and against data that has no answer.
#![allow(clippy::disallowed_methods, reason = "tests read the reference data")]

mod checking;
mod closed_form;
mod compare;
mod competing;
mod descriptive;
mod entry;
mod impute;
mod myeloma;
mod pathology;
mod penalised;
mod resample;
mod rotterdam;
mod sites;
mod splits;
mod standardise;
mod survival;
mod table;
mod weights;
