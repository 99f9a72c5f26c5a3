//! `coordinator protocol ...`: protocol files, before they are studies.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use study::protocol::PLACEHOLDER;
use terminal::{Answer, Failure, read_file};

use super::foresight;
use crate::draft::{self, Answers, DeclaredOutcome, DeclaredVariable, DraftError};

#[derive(Debug, Subcommand)]
pub(super) enum ProtocolCommand {
    /// Check a protocol file; prints its digest, or every mistake with line, key and what to do.
    #[command(after_help = AFTER_CHECK)]
    Check {
        /// Protocol file.
        protocol: PathBuf,
        /// Expected counts over all sites: n, treated, sites, events, and events.NAME of one outcome (events.NAME:CAUSE of
        /// one cause). Says which models and rules would fail at them.
        #[arg(long, value_name = "KEY=COUNT", value_delimiter = ',')]
        expect: Vec<String>,
        /// Hold the protocol against this site policy; against the strict default without.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// Write a commented protocol from a few answers, or from a file of patients that is read here and nowhere else.
    #[command(after_help = AFTER_NEW)]
    New(Box<NewProtocol>),
    /// Print the JSON Schema of protocol files, for editors.
    #[command(
        after_help = "An editor with a TOML language server (taplo) completes and checks a file that begins with\n\
                            `#:schema ./protocol.schema.json`.\n\n\
                            Example: coordinator protocol schema > protocol.schema.json"
    )]
    Schema,
}

const AFTER_CHECK: &str = "\
A site's policy decides what it takes part in; without --policy the default is looked at, which holds where a site has no file.

Examples:
  coordinator protocol check protocol.toml
  coordinator protocol check protocol.toml --expect n=280,treated=130,sites=12,events=60,events.os=25
  coordinator protocol check protocol.toml --policy policy.toml --expect n=280,events=60";

const AFTER_NEW: &str = "\
What is not given by a flag is asked on a terminal. A person must read the result: kinds and ranges of --csv are guesses.

Examples:
  coordinator protocol new
  coordinator protocol new --csv patients.csv --treatment drug --out protocol.toml
  coordinator protocol new --id a-vs-b --title 'A versus B' --treatment drug --control B --treated A \\
    --covariate age:continuous:18:110 --covariate stage:categorical:I,II,III --covariate diabetes:binary \\
    --outcome os:time:days:died:1826 --outcome response:binary --grid-days 30.4375";

/// Answers of `protocol new`.
#[derive(Debug, Args)]
pub(super) struct NewProtocol {
    /// Name in files and runs: lower-case letters, digits, hyphens.
    #[arg(long)]
    id: Option<String>,
    /// Title for people.
    #[arg(long)]
    title: Option<String>,
    /// Column that identifies a patient.
    #[arg(long, value_name = "COLUMN")]
    patient: Option<String>,
    /// Column of the treatment.
    #[arg(long, value_name = "COLUMN")]
    treatment: Option<String>,
    /// Its level in the control arm.
    #[arg(long, value_name = "LEVEL")]
    control: Option<String>,
    /// Its level in the treated arm.
    #[arg(long, value_name = "LEVEL")]
    treated: Option<String>,
    /// A covariate: NAME:binary, NAME:continuous:LOW:HIGH:STEP or NAME:categorical:A,B,C; with --csv its NAME alone.
    #[arg(long = "covariate", value_name = "COVARIATE")]
    covariates: Vec<DeclaredVariable>,
    /// An outcome: NAME:binary (its own column) or NAME:time:DAYS:EVENT:HORIZON with the columns of time and event.
    #[arg(long = "outcome", value_name = "OUTCOME")]
    outcomes: Vec<DeclaredOutcome>,
    /// Days of a cell of time [default: 30.4375].
    #[arg(long, value_name = "DAYS")]
    grid_days: Option<f64>,
    /// Guess the data dictionary from this file. Levels are listed only when they are few and frequent.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// File to write; it must not be there yet. Standard output otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ProtocolCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            ProtocolCommand::Check { .. } => "protocol-check",
            ProtocolCommand::New(_) => "protocol-new",
            ProtocolCommand::Schema => "protocol-schema",
        }
    }
}

pub(super) fn dispatch(command: &ProtocolCommand) -> Result<Answer, Failure> {
    match command {
        ProtocolCommand::Check { protocol, expect, policy } => foresight::check(protocol, expect, policy.as_deref()),
        ProtocolCommand::New(new) => create(new),
        ProtocolCommand::Schema => schema(),
    }
}

fn schema() -> Result<Answer, Failure> {
    let broken = |_| Failure::new("system", "the schema is not JSON", "report this");
    let data: serde_json::Value = serde_json::from_str(draft::SCHEMA).map_err(broken)?;
    Ok(Answer::of(data).text(draft::SCHEMA))
}

fn create(new: &NewProtocol) -> Result<Answer, Failure> {
    let columns = match &new.csv {
        None => None,
        Some(path) => Some(draft::columns(&read_file(path)?, new.patient.as_deref())?),
    };
    let mut answers = Answers {
        id: new.id.clone(),
        title: new.title.clone(),
        patient: new.patient.clone(),
        treatment: new.treatment.clone(),
        control: new.control.clone(),
        treated: new.treated.clone(),
        covariates: new.covariates.clone(),
        outcomes: new.outcomes.clone(),
        grid_days: new.grid_days,
    };
    if io::stdin().is_terminal() {
        draft::ask(&mut answers, columns.as_ref(), &mut io::stdin().lock(), &mut io::stderr())?;
    }
    let text = draft::write(&draft::complete(answers, columns)?)?;
    let Some(out) = &new.out else {
        return Ok(Answer::of(json!({ "protocol": text })).text(&text));
    };
    write_new(out, &text)?;
    let out = out.display();
    Ok(Answer::of(json!({ "file": out.to_string(), "protocol": text }))
        .line(format_args!(
            "Wrote {out}. Read every line of it; the check refuses what still begins with `{PLACEHOLDER}`, then:"
        ))
        .line(format_args!("  coordinator protocol check {out}"))
        .line("For an editor that completes it: coordinator protocol schema > protocol.schema.json"))
}

/// Never over a file that is there.
fn write_new(path: &Path, text: &str) -> Result<(), DraftError> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::AlreadyExists => DraftError::Exists { path: path.to_owned() },
        kind => DraftError::Unwritable { path: path.to_owned(), kind },
    };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
