//! `site-agent audit ...`: a run's ledger as a file, and the verification of such files.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use terminal::{Answer, Failure, verify_bundles, write_bundle};

use super::study::approved;
use crate::config::{Config, ConfigError};
use crate::identity;
use crate::run::export;

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
        AuditCommand::Verify { bundles } => Ok(verify_bundles(bundles)?.1),
    }
}
