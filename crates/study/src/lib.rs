//! Pure domain: protocol document, plan, questions, roster, policy, state machines of both ends.
//!
//! A study is one TOML file ([`protocol::Protocol`]). It compiles to a [`plan::Plan`], which every party runs on the
//! same sums. A site answers a [`question::Question`] over its frozen [`cohort::Cohort`]; nothing here performs I/O.

pub mod account;
pub mod audit;
pub mod coding;
pub mod cohort;
pub mod dictionary;
pub mod document;
pub mod evaluate;
pub mod expression;
pub mod forecast;
pub mod imputation;
pub mod layout;
pub mod ledger;
pub mod machine;
pub mod manifest;
pub mod message;
mod nearness;
pub mod plan;
pub mod policy;
pub mod protocol;
pub mod question;
pub mod refit;
pub mod release;
mod request;
pub mod results;
pub mod roster;
pub mod size;
pub mod term;
pub mod view;
pub mod word;
