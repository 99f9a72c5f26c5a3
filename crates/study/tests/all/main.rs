//! The pure domain from outside: documents, digests, rules, layouts.

mod bad_protocols;
mod baseline;
mod checks;
mod evaluate;
mod expression;
mod manifest;
mod messages;
mod policy;
mod protocol;
mod question;
mod release;
mod resampling;
mod roster;
mod sample;
mod scenarios;
mod time_zero;
