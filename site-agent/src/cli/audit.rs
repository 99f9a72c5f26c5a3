//! `site-agent audit ...`: a run's ledger as a file, and the verification of such files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use jiff::Timestamp;
use study::audit::{Bundle, verify};

use super::failure::Failure;
use super::study::approved;
use crate::config::Config;
use crate::identity;
use crate::run::export;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Write a run's ledger to a file that a reviewer can verify offline: signatures, requests, digests, and the sums
    /// over all sites that this site opened. No rows.
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
    },
}

pub(super) fn export_run(config: &Config, name: &str, out: &Path) -> Result<(), Failure> {
    let run = approved(config, name)?;
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let bundle = export(&run, identity.signing())?;
    write_new(out, &bundle.to_bytes()).map_err(|e| Failure::operating_system("write the bundle", &e))?;
    println!("{}: {} entries.", run.manifest.name(), bundle.entries.len());
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()
}

pub(super) fn verify_files(paths: &[PathBuf]) -> Result<(), Failure> {
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
    if report.holds() {
        return Ok(());
    }
    let hint = "the page above says where; compare with bundles of other parties, and stop publishing the results";
    Err(Failure::new("audit.findings", "the ledgers do not hold".to_owned(), hint))
}
