//! The `site-agent` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    site_agent::cli::main(std::env::args_os())
}
