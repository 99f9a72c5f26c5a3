//! State machines of both ends of a run, without I/O.
//!
//! A machine answers each message synchronously through a context: records to persist and messages to send. The driver
//! makes every record durable before it sends any message of the same call.

pub mod coordinator;
pub mod site;
