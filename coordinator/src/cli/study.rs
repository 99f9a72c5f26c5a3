//! `coordinator study ...`: runs, from their making to their results.

use std::path::{Path, PathBuf};

use ::study::protocol::Protocol;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Failure, read_file};

use super::{failure, foresight};
use crate::config::Config;
use crate::hub::RunReport;
use crate::store::Store;
use crate::study::FinishedRun;
use crate::{results, study};

#[derive(Debug, Subcommand)]
pub(super) enum StudyCommand {
    /// Make a run of a protocol with all enrolled sites, or those named, and offer it to them.
    #[command(after_help = "Examples:\n  coordinator study create protocol.toml\n  \
                            coordinator study create protocol.toml --site north --site south --site west --valid-days 30")]
    Create {
        /// Protocol file.
        protocol: PathBuf,
        /// Sites that take part; all enrolled ones when none is named.
        #[arg(long = "site")]
        sites: Vec<String>,
        /// Days after which no site answers any more.
        #[arg(long, default_value_t = 90)]
        valid_days: u32,
    },
    /// All runs.
    #[command(after_help = "Example: coordinator study list")]
    List,
    /// Where a run stands and whom it waits for.
    #[command(after_help = "Example: coordinator study status relapsed")]
    Status {
        /// Name of the run, or its beginning.
        run: String,
    },
    /// Print the results of a finished run and write them to a folder.
    #[command(after_help = "Examples:\n  coordinator study results relapsed --out results\n  \
                            coordinator study results relapsed --format json > results.json")]
    Results {
        /// Name of the run, or its beginning.
        run: String,
        /// Folder for the result files.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

impl StudyCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            StudyCommand::Create { .. } => "study-create",
            StudyCommand::List => "study-list",
            StudyCommand::Status { .. } => "study-status",
            StudyCommand::Results { .. } => "study-results",
        }
    }
}

pub(super) fn dispatch(config: &Config, command: &StudyCommand) -> Result<Answer, Failure> {
    match command {
        StudyCommand::Create { protocol, sites, valid_days } => create(config, protocol, sites, *valid_days),
        StudyCommand::List => list(config),
        StudyCommand::Status { run } => status(config, run),
        StudyCommand::Results { run, out } => finished(config, run, out.as_deref()),
    }
}

fn create(config: &Config, protocol: &Path, sites: &[String], valid_days: u32) -> Result<Answer, Failure> {
    let text = read_file(protocol)?;
    let stored = study::create(&config.state_dir, &text, sites, valid_days, Timestamp::now())?;
    let members = stored.manifest.roster.members();
    let data = json!({
        "run": stored.manifest.name(),
        "manifest_digest": stored.manifest.digest().to_string(),
        "sites": members.iter().map(|m| m.id.as_str()).collect::<Vec<_>>(),
    });
    let answer = Answer::of(data).line(stored.manifest.name());
    let answer = answer.beside(format_args!("Offered to {} sites once the server runs.", members.len()));
    let protocol = Protocol::parse(&text).map_err(failure::protocol)?;
    Ok(foresight::refused_by_default(answer, &stored.manifest, &protocol))
}

fn list(config: &Config) -> Result<Answer, Failure> {
    let runs = Store::open(&config.state_dir)?.runs()?;
    let named = |sites: usize, run: String| json!({ "run": run, "sites": sites });
    let data: Vec<_> = runs.iter().map(|run| named(run.manifest.roster.len(), run.manifest.name())).collect();
    let lines = runs.iter().map(|run| format!("{}  {} sites", run.manifest.name(), run.manifest.roster.len()));
    Ok(lines.fold(Answer::of(json!({ "runs": data })), Answer::line))
}

fn status(config: &Config, name: &str) -> Result<Answer, Failure> {
    let RunReport { run, round, models, fitted, failed, waiting, sites, problem, .. } =
        study::status(&config.state_dir, name)?;
    let finished = waiting == "nothing";
    let missing = if waiting == "approval" { sites } else { Vec::new() };
    let stands = if finished { "finished".into() } else { format!("next round {round}") };
    let described = problem.as_ref().map(|(code, message)| json!({ "code": code, "message": message }));
    let data = json!({
        "run": run, "finished": finished, "round": round, "models": models, "fitted": fitted, "failed": failed,
        "missing_approvals": missing, "problem": described,
    });
    let mut answer =
        Answer::of(data).line(format_args!("{run}: {stands}; {fitted} of {models} models fitted, {failed} failed"));
    if !missing.is_empty() {
        answer = answer.line(format_args!("waits for the approval of {}", missing.join(", ")));
    }
    if let Some((code, message)) = problem {
        answer = answer.line(format_args!("stopped: {message} [{code}]"));
    }
    Ok(answer)
}

/// The data are what `results.json` holds.
fn finished(config: &Config, run: &str, out: Option<&Path>) -> Result<Answer, Failure> {
    let finished = study::read(&config.state_dir, run)?;
    if let Some(out) = out {
        let FinishedRun { results, protocol, provenance } = &finished;
        let written = results::write(out, results, provenance)
            .and_then(|()| results::write_report(out, results, protocol, provenance, None));
        written.map_err(|e| Failure::operating_system("write the results", &e))?;
    }
    let printing = |e| Failure::operating_system("print the results", &e);
    let data = results::value(&finished.results, &finished.provenance).map_err(printing)?;
    let mut text = Vec::new();
    results::print(&mut text, &finished.results, &finished.protocol, terminal_width()).map_err(printing)?;
    Ok(Answer::of(data).text(&String::from_utf8_lossy(&text)))
}

/// Columns of the terminal; wide enough for the tables when it cannot be told.
fn terminal_width() -> u16 {
    std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(140)
}
