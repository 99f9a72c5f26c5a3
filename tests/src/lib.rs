//! End to end: R goldens, splits, faults, architecture.

pub mod attack;
pub mod federation;
pub mod golden;
