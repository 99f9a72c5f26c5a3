//! Attacks on what a run opened: patients are to come back out of sums, and it is counted how many do.
//!
//! An attack reads words and the public protocol. The rows are read to count how many of its patients are true, and for
//! what an attack is explicitly told.

mod asked;
mod differences;
mod evidence;
mod released;
mod rows;
mod splits;
mod squares;
mod together;
mod transcript;
mod weighted;

pub use asked::{opened, questions};
pub use differences::alone;
pub use evidence::{Evidence, FollowUp};
pub use released::{Alone, released};
pub use rows::Rows;
pub use splits::{Split, splits};
pub use squares::{Solution, solve};
pub use together::{Group, together};
pub use transcript::{Answer, Numbers, Transcript};
pub use weighted::{Fall, falls};
