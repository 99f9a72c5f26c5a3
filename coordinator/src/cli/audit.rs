//! `coordinator audit ...`: a run's ledger as a file, and the verification of such files.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use jiff::Timestamp;
use study::audit::{Bundle, Report, verify};

use super::failure::Failure;
use crate::config::Config;
use crate::results;
use crate::study as runs;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Write a run's ledger to a file that a reviewer can verify offline.
    Export {
        /// Name of the run, or its beginning.
        run: String,
        /// The file; must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Verify exported ledgers of one run, of any parties, offline. Exit code 0: everything holds; 1: not.
    Verify {
        /// Files of `audit export`.
        #[arg(required = true, value_name = "FILE")]
        bundles: Vec<PathBuf>,
        /// Also hold the tables of a results folder against the release, byte for byte.
        #[arg(long, value_name = "DIR")]
        results: Option<PathBuf>,
    },
}

pub(super) fn export(config: &Config, name: &str, out: &Path) -> Result<(), Failure> {
    let bundle = runs::export(&config.state_dir, name)?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(out);
    let written = file.as_mut().map_err(|e| io::Error::from(e.kind())).and_then(|file| {
        file.write_all(&bundle.to_bytes())?;
        file.sync_all()
    });
    written.map_err(|e| Failure::operating_system("write the bundle", &e))?;
    println!("{} entries.", bundle.entries.len());
    Ok(())
}

pub(super) fn verify_files(paths: &[PathBuf], folder: Option<&Path>) -> Result<(), Failure> {
    let mut bundles = Vec::new();
    for path in paths {
        let bytes = fs::read(path).map_err(|e| Failure::operating_system("read the bundle", &e))?;
        bundles.push(Bundle::from_bytes(&bytes).map_err(|place| {
            let message = format!("{} does not read: it is damaged at: {place}", path.display());
            Failure::new("audit.damaged", message, "ask the party for a new export")
        })?);
    }
    let report = verify(&bundles);
    print!("{}", report.page(|seconds| Timestamp::from_second(seconds.cast_signed()).unwrap_or_default().to_string()));
    if !report.holds() {
        let hint = "the page above says where; compare with bundles of other parties, and stop publishing the results";
        return Err(Failure::new("audit.findings", "the ledgers do not hold", hint));
    }
    folder.map_or(Ok(()), |folder| tables(&report, folder))
}

/// Tables that were published, against those of the release.
fn tables(report: &Report, folder: &Path) -> Result<(), Failure> {
    let Some(release) = &report.release else {
        let hint = "give a bundle of a run that has come to its end";
        return Err(Failure::new("audit.no_release", "the bundles hold no release", hint));
    };
    let tables = results::tables(release.results(), report.sites);
    let tables = tables.map_err(|e| Failure::operating_system("write the tables", &e))?;
    for (name, content) in &tables {
        let found = fs::read(folder.join(name)).map_err(|e| Failure::operating_system("read the results", &e))?;
        if found != *content {
            let line = found.split(|b| *b == b'\n').zip(content.split(|b| *b == b'\n')).position(|(a, b)| a != b);
            let line = line.map_or(found.split(|b| *b == b'\n').count(), |line| line + 1);
            let message = format!("{name} is not the table of the release; it differs first in line {line}");
            return Err(Failure::new("audit.results", message, "write the results anew from the coordinator's ledger"));
        }
    }
    println!("All {} tables are those of the release.", tables.len());
    Ok(())
}
