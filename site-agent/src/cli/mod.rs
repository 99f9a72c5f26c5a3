//! The agent's command line.

mod audit;
mod failure;
mod pages;
mod reviewer;
mod study;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Exit, Failure, Format, completions, conclude, read_file};

use crate::config::{Config, DEFAULT_PATH};
use crate::identity;
use crate::pages::PagesError;
use crate::run::{Attending, Link, attend_on, own_counts, read_policy};
use crate::source::{self, Warning};
use pages::PagesCommand;
use reviewer::ReviewerCommand;

/// Runs beside a hospital's data and answers what the site has approved.
#[derive(Debug, Parser)]
#[command(
    name = "site-agent",
    version,
    after_help = "Examples:\n  site-agent check-data protocol.toml\n  site-agent study inspect relapsed\n  site-agent run\n\n\
                  Exit codes: 0 done, 1 refused or failed, 2 wrong usage."
)]
struct Arguments {
    /// Configuration file.
    #[arg(long, global = true, default_value = DEFAULT_PATH)]
    config: PathBuf,
    /// How the answer is written.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this site's keys and the enrolment request for the coordinator's operator.
    #[command(after_help = "Example: site-agent request --site S07 --legal-name 'Example Hospital' > S07.request")]
    Request {
        /// Site id, as agreed with the coordinator.
        #[arg(long)]
        site: String,
        /// The organisation that answers for the site.
        #[arg(long)]
        legal_name: String,
    },
    /// Accept the coordinator's enrolment package.
    #[command(after_help = "The fingerprint must come by another channel than the package, such as the telephone.\n\n\
                            Example: site-agent accept S07.package --fingerprint c810-890d-…-7bea")]
    Accept {
        /// The package.
        package: PathBuf,
        /// Fingerprint of the coordinator, as told by its operator.
        #[arg(long)]
        fingerprint: String,
    },
    /// Connect to the coordinator and answer approved studies until stopped.
    #[command(after_help = "The log is on standard error; ENTENTE_LOG=debug says more.\n\nExample: site-agent run")]
    Run,
    /// Studies: look, approve, reject, withdraw.
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// The agent's own pages, on this machine.
    #[command(subcommand)]
    Pages(PagesCommand),
    /// People who decide at the pages by a login of their own: name, list, let in, remove.
    #[command(subcommand)]
    Reviewer(ReviewerCommand),
    /// Check this site's file against a protocol; nothing is sent.
    #[command(after_help = "Example: site-agent check-data protocol.toml")]
    CheckData {
        /// Protocol file.
        protocol: PathBuf,
    },
    /// Ledgers of runs as files for a reviewer: export, verify.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Print a script that completes this command line in a shell.
    #[command(after_help = "Example: site-agent completions bash > /etc/bash_completion.d/site-agent")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

impl Command {
    /// The words of the command joined by hyphens.
    fn name(&self) -> &'static str {
        match self {
            Command::Request { .. } => "request",
            Command::Accept { .. } => "accept",
            Command::Run => "run",
            Command::Study(command) => command.name(),
            Command::Pages(PagesCommand::Login) => "pages-login",
            Command::Reviewer(command) => command.name(),
            Command::CheckData { .. } => "check-data",
            Command::Audit(command) => command.name(),
            Command::Completions { .. } => "completions",
        }
    }
}

/// The grammar of the command line, for its help and its completions.
pub fn grammar() -> clap::Command {
    Arguments::command()
}

/// Runs a command line; the first argument is the program's name.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(e) => {
            let _ = e.print();
            return if e.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    conclude(arguments.format, arguments.command.name(), &dispatch(&arguments)).into()
}

fn dispatch(arguments: &Arguments) -> Result<Answer, Failure> {
    let config = || Config::read(&arguments.config);
    match &arguments.command {
        Command::Request { site, legal_name } => request(&config()?, site, legal_name),
        Command::Accept { package, fingerprint } => accept(&config()?, package, fingerprint),
        Command::Run => run(&config()?),
        Command::Study(command) => study::dispatch(&config()?, command),
        Command::Pages(command) => pages::dispatch(&config()?, command),
        Command::Reviewer(command) => reviewer::dispatch(&config()?, command),
        Command::CheckData { protocol } => check_data(&config()?, protocol),
        Command::Audit(command) => audit::dispatch(config, command),
        Command::Completions { shell } => Ok(completions(grammar(), *shell)),
    }
}

fn request(config: &Config, site: &str, legal_name: &str) -> Result<Answer, Failure> {
    let request = identity::create(&config.state_dir, site, legal_name)?;
    let fingerprint = request.fingerprint();
    Ok(Answer::of(json!({ "site": site, "request": request.text, "fingerprint": fingerprint }))
        .text(&request.text)
        .beside("Send the request above to the coordinator's operator.")
        .beside(format_args!("Tell the operator this fingerprint by another channel: {fingerprint}")))
}

fn accept(config: &Config, package: &Path, fingerprint: &str) -> Result<Answer, Failure> {
    let text = read_file(package)?;
    let identity = identity::accept(&config.state_dir, &text, fingerprint, Timestamp::now())?;
    let (site, url, not_after) = (identity.site(), &identity.coordinator().url, identity.not_after());
    let data = json!({ "site": site, "coordinator": url, "valid_until": not_after.to_string() });
    Ok(Answer::of(data)
        .line(format_args!("Enrolled as {site} at {url}."))
        .line(format_args!("The certificate is valid until {not_after}.")))
}

fn run(config: &Config) -> Result<Answer, Failure> {
    crate::log::start();
    let attending = Attending { state_dir: config.state_dir.clone(), options: config.options() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::operating_system("start", &e))?;
    let link = Link::default();
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = stopped() => Ok(()),
            ended = attend_on(&attending, &link) => ended.map_err(Failure::from),
            ended = served(config, &link) => ended.map_err(Failure::from),
        }
    })?;
    Ok(Answer::of(json!({ "stopped_by": "signal" })))
}

/// The pages, if the configuration has them.
async fn served(config: &Config, link: &Link) -> Result<(), PagesError> {
    match config.pages {
        Some(address) => crate::pages::serve(address, config, link).await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C or SIGTERM.
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

fn check_data(config: &Config, protocol: &Path) -> Result<Answer, Failure> {
    let text = read_file(protocol)?;
    let protocol = ::study::protocol::Protocol::parse(&text).map_err(failure::protocol)?;
    let policy = read_policy(&config.policy_text()?)?;
    let loaded = source::csv::load(&config.data, &protocol, policy.bad_values)?;
    let flow = &loaded.cohort.flow;
    let steps: Vec<_> = flow
        .iter()
        .map(|count| json!({ "control": count.control, "treated": count.treated, "neither": count.neither }))
        .collect();
    let protocol = Arc::new(protocol);
    let own = own_counts(&protocol, &loaded.cohort)?;
    let counts: Vec<_> =
        own.iter().map(|count| json!({ "of": count.of, "patients": count.counted.values() })).collect();
    let answer = Answer::of(json!({ "warnings": coded(&loaded.warnings), "flow": steps, "counts": counts }));
    let answer = warned(answer, &loaded.warnings);
    let answer = flow.iter().enumerate().fold(answer, |answer, (i, count)| {
        let (control, treated, neither) = (count.control, count.treated, count.neither);
        answer.line(format_args!("step {i}: {control} control, {treated} treated, {neither} neither"))
    });
    let answer = answer.line("analysed patients of this site, who leave only in sums over all sites:");
    Ok(own.iter().fold(answer, |answer, count| answer.line(format_args!("  {count}"))))
}

/// What was noticed in a file, for programs.
fn coded(warnings: &[Warning]) -> serde_json::Value {
    warnings.iter().map(|warning| json!({ "code": warning.code(), "text": warning.to_string() })).collect()
}

/// The answer with what was noticed in a file.
fn warned(answer: Answer, warnings: &[Warning]) -> Answer {
    let line = |answer: Answer, warning: &Warning| answer.line(format_args!("warning[{}]: {warning}", warning.code()));
    warnings.iter().fold(answer, line)
}
