//! The processes of the end-to-end tests: coordinator or agent, as the hidden first argument says.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    rehearsal::child::dispatch(&arguments).unwrap_or(ExitCode::from(2))
}
