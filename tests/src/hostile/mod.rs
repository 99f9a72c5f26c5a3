//! A hostile coordinator: it has the real authority of a federation, speaks the real protocol to real agents and drives
//! the real machine, but one attack per run decides what one site, or all of them, get instead.
//!
//! It takes the attack of each new run by name from `STATE/attack`. It also holds the identity key of the last site: a
//! coordinator may collude with one.

mod attack;
mod bytes;
mod closing;
mod hub;
mod keys;
mod offers;
mod requests;
mod results;
mod server;

pub use attack::{After, Attack, Lie, Past, Scene, TARGET, Whom, attacks};
pub use hub::ATTACK;
pub use server::serve;
