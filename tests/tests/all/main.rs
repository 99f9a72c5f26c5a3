//! One binary for all tests that need more than one crate.

mod architecture;
mod deploy;
mod errors;
mod identity;
