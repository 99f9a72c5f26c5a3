//! `coordinator audit ...`: a run's ledger as a file, and the verification of such files.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use study::audit::Report;
use terminal::{Answer, Failure, verify_bundles, write_bundle};

use crate::config::{Config, ConfigError};
use crate::results;
use crate::study as runs;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Write a run's ledger to a file that a reviewer can verify offline.
    #[command(after_help = "Example: coordinator audit export relapsed --out coordinator.bundle")]
    Export {
        /// Name of the run, or its beginning.
        run: String,
        /// The file; must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Verify exported ledgers of one run, of any parties, offline. Exit code 0: everything holds; 1: not.
    #[command(after_help = "From a site's bundle every request and every released number is computed again.\n\n\
                      Examples:\n  coordinator audit verify north.bundle\n  \
                      coordinator audit verify north.bundle coordinator.bundle --results results")]
    Verify {
        /// Files of `audit export`.
        #[arg(required = true, value_name = "FILE")]
        bundles: Vec<PathBuf>,
        /// Also hold the tables of a results folder against the release, byte for byte.
        #[arg(long, value_name = "DIR")]
        results: Option<PathBuf>,
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
            let (name, bundle) = runs::export(&config()?.state_dir, run)?;
            write_bundle(&bundle, &name, out)
        }
        AuditCommand::Verify { bundles, results } => {
            let (report, answer) = verify_bundles(bundles)?;
            match results {
                None => Ok(answer),
                Some(folder) => Ok(answer.line(tables(&report, folder)?)),
            }
        }
    }
}

/// Tables that were published, against those of the release.
fn tables(report: &Report, folder: &Path) -> Result<String, Failure> {
    let Some(release) = &report.release else {
        let hint = "give a bundle of a run that has come to its end";
        return Err(Failure::new("audit.no_release", "the bundles hold no release", hint));
    };
    let tables = results::tables(release.results(), report.sites);
    let tables = tables.map_err(|e| Failure::operating_system("write the tables", &e))?;
    for (name, content) in &tables {
        let found = fs::read(folder.join(name)).map_err(|e| Failure::operating_system("read the results", &e))?;
        if found != *content {
            let lines = |bytes: &[u8]| bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
            let (found, content) = (lines(&found), lines(content));
            let same = found.iter().zip(&content).take_while(|(a, b)| a == b).count();
            let message = format!("{name} is not the table of the release; it differs first in line {}", same + 1);
            return Err(Failure::new("audit.results", message, "write the results anew from the coordinator's ledger"));
        }
    }
    Ok(format!("All {} tables are those of the release.", tables.len()))
}
