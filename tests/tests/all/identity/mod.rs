//! Identity and transport: who gets in, who does not, and what both ends are told.

mod federation;
mod log;
mod packages;
mod people;
mod persons;
mod raw;
mod refusals;
mod reload;
mod routes;
mod service;
