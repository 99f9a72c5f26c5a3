//! Integration tests of the site agent, one binary.

mod approval;
mod bad_values;
mod cases;
mod commands;
mod criteria_cases;
mod examples;
mod inspecting;
mod pages;
mod snapshot;
mod source;
mod study_files;
