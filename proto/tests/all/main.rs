//! Integration tests of the crate, in one binary.

mod bytes;
mod generated;
mod malformed;
mod round_trip;
mod sample;
mod stream;
