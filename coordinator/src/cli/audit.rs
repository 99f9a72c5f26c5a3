//! `coordinator audit ...`: a run's ledger as a file, and the verification of such files.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use study::audit::Outcome;
use terminal::{Answer, Failure, verify_bundles, write_bundle};

use crate::config::{Config, ConfigError};
use crate::published::Published;
use crate::results::{self, Provenance, SOFTWARE_VERSION};
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
        /// Also hold every file of a results folder against what the release makes, byte for byte: tables, results.json,
        /// report, figures. A file that is missing, changed or more than these is named, and so are links and empty folders.
        /// It takes the version of this program that wrote the folder.
        #[arg(long, value_name = "DIR")]
        results: Option<PathBuf>,
        /// The published.toml whose figures the report of the folder stands beside.
        #[arg(long, value_name = "FILE", requires = "results")]
        published: Option<PathBuf>,
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
        AuditCommand::Verify { bundles, results, published } => {
            let (report, mut answer) = verify_bundles(bundles)?;
            let Some(folder) = results else { return Ok(answer) };
            let (files, line) = held(report.outcome.as_ref(), folder, published.as_deref())?;
            answer.data["files"] = json!(files);
            Ok(answer.line(line))
        }
    }
}

/// Every file of a results folder against what the release makes; says so in a line.
fn held(outcome: Option<&Outcome>, folder: &Path, published: Option<&Path>) -> Result<(usize, String), Failure> {
    let Some(outcome) = outcome else {
        let hint = "give a bundle of a run that has come to its end";
        return Err(Failure::new("audit.no_release", "the bundles hold no release", hint));
    };
    let (results, provenance) = (outcome.release.results(), results::provenance(outcome));
    let page = published.map(|file| beside(file, outcome, &provenance)).transpose()?;
    let files = results::files(results, &outcome.protocol, &provenance, page.as_ref());
    let files = files.map_err(|e| Failure::operating_system("make the files of the release", &e))?;
    let found = results::differences(folder, &files);
    let found = found.map_err(|e| Failure::operating_system("read the results", &e))?;
    if found.is_empty() {
        let of = if published.is_some() { ", with published figures of a file that nobody signed" } else { "" };
        return Ok((files.len(), format!("All {} files of the folder are those of the release{of}.", files.len())));
    }
    let lines = found.iter().map(ToString::to_string);
    let version = results::written_by(folder).filter(|version| version != SOFTWARE_VERSION);
    if let Some(version) = version {
        let message = format!("the folder says that version {version} wrote it; this is version {SOFTWARE_VERSION}");
        let hint = "verify with the version that wrote it: another one may print another page of the same release";
        return Err(Failure::new("audit.other_version", message, hint).with_details(lines));
    }
    let count = if found.len() == 1 { "one entry is".into() } else { format!("{} entries are", found.len()) };
    let message = format!("{count} not as the release makes {}", if found.len() == 1 { "it" } else { "them" });
    let of_report = |file: &str| file == report::PAGE || file == report::TABLES;
    let hint = if published.is_none() && found.iter().all(|difference| of_report(difference.file())) {
        "if the report stands beside published figures, give their file with --published; otherwise write the results anew"
    } else {
        "write the results anew from the coordinator's ledger, into an empty folder"
    };
    Err(Failure::new("audit.results", message, hint).with_details(lines))
}

/// The figures of a publication, as `rehearse` puts them beside those of the run.
fn beside(file: &Path, outcome: &Outcome, provenance: &Provenance) -> Result<report::Published, Failure> {
    let published = Published::read_file(file).map_err(|e| {
        let details = e.mistakes().iter().map(ToString::to_string).collect::<Vec<_>>();
        Failure::new("published", e.to_string(), "name the published.toml of the study folder").with_details(details)
    })?;
    let protocol = &outcome.protocol;
    if !published.is_about(&protocol.id) {
        let message =
            format!("the published figures are about {}, not about {}", published.studies().join(", "), protocol.id);
        return Err(Failure::new("published", message, "name the published.toml of the study folder"));
    }
    let value = results::value(outcome.release.results(), provenance);
    let value = value.map_err(|e| Failure::operating_system("make the files of the release", &e))?;
    Ok(published.page(&value, protocol.month_days))
}
