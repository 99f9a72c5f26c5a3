//! `coordinator serve`: the server, and what its terminal shows of it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;
use terminal::{Answer, Failure};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::hub::{Report, RunReport};
use crate::pages;
use crate::progress::{Elsewhere, Progress};
use crate::serve;

/// `lines`: progress as one JSON object a line on standard output.
pub(super) fn command(config: &Config, lines: bool) -> Result<Answer, Failure> {
    let progress = (!lines).then(|| Progress::new(Elsewhere::Nothing));
    crate::log::start_above(progress.as_ref().and_then(Progress::bars));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::operating_system("start", &e))?;
    let pages = config.pages();
    runtime.block_on(until_stopped(&config.state_dir, config.listen, pages.as_ref(), progress))?;
    Ok(Answer::of(json!({ "stopped_by": "signal" })))
}

/// Serves until Ctrl-C or SIGTERM, with one JSON object a line on standard output for everything that moves.
pub async fn serve_until_stopped(
    state_dir: &Path,
    listen: SocketAddr,
    pages: Option<&pages::Address>,
) -> Result<(), serve::ServeError> {
    until_stopped(state_dir, listen, pages, None).await
}

/// `progress`: bars in place of lines.
async fn until_stopped(
    state_dir: &Path,
    listen: SocketAddr,
    pages: Option<&pages::Address>,
    progress: Option<Progress>,
) -> Result<(), serve::ServeError> {
    let (reports, receiver) = mpsc::unbounded_channel();
    tokio::spawn(show_reports(receiver, progress));
    // Signals first: whoever reads that it listens may stop it at once.
    tokio::select! {
        biased;
        () = stopped() => Ok(()),
        ended = serve::serve(state_dir, listen, pages, reports) => ended,
    }
}

/// Shows what changed: a round, a fit, or whom a run waits for when nothing else moves.
async fn show_reports(mut reports: mpsc::UnboundedReceiver<Report>, progress: Option<Progress>) {
    let mut last: Option<RunReport> = None;
    while let Some(report) = reports.recv().await {
        let moved = match &report {
            Report::Listening { .. } | Report::Pages { .. } | Report::SecondAgent { .. } => true,
            Report::Run(now) => last.as_ref().is_none_or(|l| {
                l.run != now.run
                    || l.round != now.round
                    || l.fitted != now.fitted
                    || l.failed != now.failed
                    || l.problem != now.problem
                    || l.waiting != now.waiting
                    || now.sites.len() <= 3
            }),
        };
        match (&progress, &report) {
            (Some(progress), Report::Run(now)) => progress.run(now),
            (Some(progress), Report::Listening { address }) => progress.say(&format!("listening on {address}")),
            (Some(progress), Report::SecondAgent { site }) => {
                progress.say(&format!("a second agent with the identity of {site} is refused; the first is kept"));
            }
            (Some(progress), Report::Pages { address }) => progress.say(&format!("pages on {address}")),
            (None, _) => {
                if moved && let Ok(line) = serde_json::to_string(&report) {
                    let mut out = io::stdout().lock();
                    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
                }
            }
        }
        if let Report::Run(now) = report {
            last = Some(now);
        }
    }
}

async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
