//! The coordinator's command line: one file for each group of commands.

mod audit;
mod failure;
mod foresight;
mod protocol;
mod role;
mod serve;
mod site;
mod study;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Exit, Failure, Format, completions, conclude};

use crate::authority::Authority;
use crate::config::Config;

pub use serve::serve_until_stopped;

/// Adds the masked answers of the sites and fits the pooled models.
#[derive(Debug, Parser)]
#[command(
    name = "coordinator",
    version,
    after_help = "Examples:\n  coordinator protocol check protocol.toml\n  coordinator study create protocol.toml\n  \
                  coordinator serve\n\nExit codes: 0 done, 1 refused or failed, 2 wrong usage."
)]
struct Arguments {
    /// Configuration file.
    #[arg(long, global = true, default_value = crate::config::DEFAULT_PATH)]
    config: PathBuf,
    /// How the answer is written.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the coordinator's keys and its certificate authority.
    #[command(after_help = "Example: coordinator init --config /etc/entente/coordinator.toml")]
    Init,
    /// Make a new certificate for the listener; a running server takes it up by itself.
    #[command(
        after_help = "The certificate lasts 825 days. Sites keep their packages: authority and fingerprint stay.\n\n\
                      Example: coordinator renew-certificate"
    )]
    RenewCertificate,
    /// Accept connections of sites and drive all runs until stopped.
    #[command(after_help = "On a terminal a bar for each run shows its round and whom it waits for.\n\n\
                            Examples:\n  coordinator serve\n  coordinator serve --progress | tee progress.jsonl")]
    Serve {
        /// Print progress as one JSON object a line on standard output.
        #[arg(long)]
        progress: bool,
    },
    /// Sites: show, approve, list, revoke.
    #[command(subcommand)]
    Site(site::SiteCommand),
    /// Studies: create, list, status, results.
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// Protocol files: check, new, schema.
    #[command(subcommand)]
    Protocol(protocol::ProtocolCommand),
    /// People who may open the pages: request, issue, list, revoke.
    #[command(subcommand)]
    Role(role::RoleCommand),
    /// The pages for people: one-time logins.
    #[command(subcommand)]
    Web(web::WebCommand),
    /// Ledgers of runs as files for a reviewer: export, verify.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Print a script that completes this command line in a shell.
    #[command(after_help = "Example: coordinator completions bash > /etc/bash_completion.d/coordinator")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

impl Command {
    /// The words of the command joined by hyphens.
    fn name(&self) -> &'static str {
        match self {
            Command::Init => "init",
            Command::RenewCertificate => "renew-certificate",
            Command::Serve { .. } => "serve",
            Command::Site(command) => command.name(),
            Command::Study(command) => command.name(),
            Command::Protocol(command) => command.name(),
            Command::Role(command) => command.name(),
            Command::Web(command) => command.name(),
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
        Command::Init => init(&config()?),
        Command::RenewCertificate => renew_certificate(&config()?),
        Command::Serve { progress } => serve::command(&config()?, *progress),
        Command::Site(command) => site::dispatch(&config()?, command),
        Command::Study(command) => study::dispatch(&config()?, command),
        Command::Protocol(command) => protocol::dispatch(command),
        Command::Role(command) => role::dispatch(config, command),
        Command::Web(command) => web::dispatch(&config()?, command),
        Command::Audit(command) => audit::dispatch(config, command),
        Command::Completions { shell } => Ok(completions(grammar(), *shell)),
    }
}

fn init(config: &Config) -> Result<Answer, Failure> {
    let authority = Authority::create(&config.state_dir, &config.name, &config.hosts, Timestamp::now())?;
    let fingerprint = authority.fingerprint().to_string();
    Ok(Answer::of(json!({ "fingerprint": fingerprint }))
        .line("Tell every site this fingerprint by another channel than the package:")
        .line(fingerprint))
}

fn renew_certificate(config: &Config) -> Result<Answer, Failure> {
    Authority::load(&config.state_dir)?.renew_server_certificate(Timestamp::now())?;
    Ok(Answer::of(json!({ "renewed": true })).line("The listener has a new certificate."))
}
