//! Logs: structured lines on standard error, level by `ENTENTE_LOG` (default `info`); never data.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts logging; a second call has no effect.
pub fn start() {
    let filter = EnvFilter::try_from_env("ENTENTE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr).try_init();
}
