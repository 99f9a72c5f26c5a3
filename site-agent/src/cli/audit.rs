//! `site-agent audit ...`: a run's ledger as a file, the verification of such files, the site's own ledger.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use study::account;
use study::ledger::{DecisionRecord, Entry};
use terminal::{Answer, Failure, verify_bundles, write_bundle};

use super::study::approved;
use crate::config::{Config, ConfigError};
use crate::identity;
use crate::run::{decisions, export};

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Write a run's ledger to a file that a reviewer can verify offline: signatures, requests, digests, and the sums
    /// over all sites that this site opened. No rows.
    #[command(after_help = "Example: site-agent audit export relapsed --out north.bundle")]
    Export {
        /// Name of the run, or its beginning.
        run: String,
        /// The file; must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show the site's own ledger: what was offered, what its people decided, what was refused beside all runs. Reading
    /// it follows its chain.
    #[command(after_help = "Example: site-agent audit decisions")]
    Decisions,
    /// Verify exported ledgers of one run, of any parties, offline. Exit code 0: everything holds; 1: not.
    #[command(after_help = "From a site's bundle every request and every released number is computed again.\n\n\
                            Example: site-agent audit verify north.bundle south.bundle")]
    Verify {
        /// Files of `audit export`.
        #[arg(required = true, value_name = "FILE")]
        bundles: Vec<PathBuf>,
    },
}

impl AuditCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            AuditCommand::Export { .. } => "audit-export",
            AuditCommand::Decisions => "audit-decisions",
            AuditCommand::Verify { .. } => "audit-verify",
        }
    }
}

pub(super) fn dispatch(
    config: impl FnOnce() -> Result<Config, ConfigError>,
    command: &AuditCommand,
) -> Result<Answer, Failure> {
    match command {
        AuditCommand::Export { run, out } => {
            let config = config()?;
            let run = approved(&config, run)?;
            let identity = identity::load(&config.state_dir, Timestamp::now())?;
            write_bundle(&export(&run, identity.signing())?, &run.manifest.name(), out)
        }
        AuditCommand::Decisions => show(&config()?),
        AuditCommand::Verify { bundles } => Ok(verify_bundles(bundles)?.1),
    }
}

/// One line per entry, oldest first.
fn show(config: &Config) -> Result<Answer, Failure> {
    let entries = decisions(&config.state_dir)?;
    let lines: Vec<String> = entries.iter().enumerate().map(|(i, entry)| line(entry, &entries[..i])).collect();
    Ok(lines.iter().fold(Answer::of(json!({ "entries": lines })), Answer::line))
}

fn line(entry: &Entry<DecisionRecord>, before: &[Entry<DecisionRecord>]) -> String {
    let time = Timestamp::from_second(entry.time.cast_signed()).unwrap_or_default();
    let behind = if by_one_account(entry, before) { ", by the account of an earlier consent" } else { "" };
    format!("{time}  {}  {}{behind}", entry.actor.escape_debug(), words(&entry.record))
}

/// Does the last approval of a run come by the account of a consent to it?
fn by_one_account(entry: &Entry<DecisionRecord>, before: &[Entry<DecisionRecord>]) -> bool {
    let DecisionRecord::Approved { manifest } = &entry.record else { return false };
    let consents = before.iter().filter(|earlier| earlier.record == DecisionRecord::Consented { manifest: *manifest });
    let mut consents = consents.map(|earlier| earlier.actor.as_str());
    consents.any(|consent| account::shared(&[consent, &entry.actor]).is_some())
}

fn words(record: &DecisionRecord) -> String {
    match record {
        DecisionRecord::Offered { manifest } => format!("is offered {manifest}"),
        DecisionRecord::PolicyChanged { policy } => format!("decides under another policy than before: {policy}"),
        DecisionRecord::Consented { manifest } => format!("consents to {manifest}; one more person is needed"),
        DecisionRecord::Approved { manifest } => format!("approves {manifest}"),
        DecisionRecord::Rejected { manifest, reason } => format!("rejects {manifest}: {}", reason.escape_debug()),
        DecisionRecord::Withdrawn { manifest, reason } => format!("withdraws {manifest}: {}", reason.escape_debug()),
        DecisionRecord::ReviewerNamed { name } => format!("names the reviewer {}", name.escape_debug()),
        DecisionRecord::ReviewerRemoved { name } => format!("removes the reviewer {}", name.escape_debug()),
        DecisionRecord::ReviewerLink { name } => format!("makes a link for the reviewer {}", name.escape_debug()),
        DecisionRecord::Refused { manifest: Some(manifest), rule } => format!("refuses {manifest} ({rule})"),
        DecisionRecord::Refused { manifest: None, rule } => format!("refuses a message ({rule})"),
    }
}
