//! Integration tests of the site agent, one binary.

mod approval;
mod commands;
mod examples;
mod inspecting;
mod pages;
mod snapshot;
mod source;
mod study_files;
