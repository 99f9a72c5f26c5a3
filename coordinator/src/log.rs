//! Logs: structured lines on standard error, level by `ENTENTE_LOG` (default `info`); never data.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;

/// Starts logging; a second call has no effect.
pub fn start() {
    start_above(None);
}

/// Starts logging on lines above these bars.
pub fn start_above(bars: Option<MultiProgress>) {
    let filter = EnvFilter::try_from_env("ENTENTE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal();
    let writer = move || Above { bars: bars.clone() };
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(writer).try_init();
}

/// Standard error, from which the bars are taken while a line is written.
struct Above {
    bars: Option<MultiProgress>,
}

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.bars {
            Some(bars) => bars.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
