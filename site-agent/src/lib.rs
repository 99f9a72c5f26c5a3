//! The site agent: sources, cohort, disclosure checks, journal, pages, command line.

pub mod cli;
pub mod config;
pub mod connect;
pub mod enrol;
pub mod identity;
pub mod log;
pub mod pages;
pub mod run;
pub mod snapshot;
pub mod source;
