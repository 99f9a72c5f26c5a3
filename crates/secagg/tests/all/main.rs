//! Integration tests of the crate, in one binary.

#![expect(clippy::single_range_in_vec_init, reason = "sealed positions are a list of ranges, often of one")]

mod agreement;
mod encodings;
mod federation;
mod fixed_point;
mod independent;
mod rounds;
#[path = "../../src/test_rng.rs"]
mod test_rng;
