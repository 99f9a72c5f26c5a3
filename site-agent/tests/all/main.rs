//! Integration tests of the site agent, one binary.

mod approval;
mod bad_values;
mod cases;
mod commands;
mod examples;
mod pages;
mod snapshot;
mod source;
mod study_files;
