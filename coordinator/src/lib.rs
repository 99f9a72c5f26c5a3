//! The coordinator: certificate authority, gRPC, driver, store, results, pages, command line.

pub mod authority;
pub mod cli;
pub mod config;
pub mod draft;
pub mod enrol;
pub mod hub;
pub mod log;
pub mod opened;
pub mod pages;
pub mod progress;
pub mod published;
pub mod results;
pub mod role;
pub mod serve;
pub mod store;
pub mod study;
pub mod tls;
