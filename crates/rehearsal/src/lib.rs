//! A whole federation on one machine: real processes, real mutual TLS on loopback.
//!
//! [`Federation`] makes a coordinator and one agent per site file, each with its own keys, certificate and state
//! directory, and runs a study. Set-up calls the functions behind the two command lines; the run itself is processes
//! that only share the loopback interface. The `rehearse` program, the end-to-end tests and the benchmarks stand on it.

pub mod child;
mod federation;
mod study_dir;

pub use federation::{Beside, Federation, Measured, RehearsalError};
pub use study_dir::{StudyDir, StudyDirError};
