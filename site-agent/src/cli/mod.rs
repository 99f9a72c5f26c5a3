//! The agent's command line.

mod audit;
mod failure;
mod study;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jiff::Timestamp;

use crate::config::{Config, DEFAULT_PATH};
use crate::identity;
use crate::run::{Attending, attend};
use crate::source;
use failure::Failure;

/// Runs beside a hospital's data and answers what the site has approved.
#[derive(Debug, Parser)]
#[command(name = "site-agent", version, about, after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage.")]
struct Arguments {
    /// Configuration file.
    #[arg(long, global = true, default_value = DEFAULT_PATH)]
    config: PathBuf,
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
    #[command(after_help = "The fingerprint must come by another channel than the package, such as the telephone.")]
    Accept {
        /// The package.
        package: PathBuf,
        /// Fingerprint of the coordinator, as told by its operator.
        #[arg(long)]
        fingerprint: String,
    },
    /// Connect to the coordinator and answer approved studies until stopped.
    Run,
    /// Studies: look, approve, reject, withdraw.
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// Ledgers of runs as files for a reviewer.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Check this site's file against a protocol; nothing is sent.
    CheckData {
        /// Protocol file.
        protocol: PathBuf,
    },
}

/// Runs a command line; the first argument is the program's name.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = write!(io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &Arguments) -> Result<(), Failure> {
    if let Command::Audit(audit::AuditCommand::Verify { bundles }) = &arguments.command {
        return audit::verify_files(bundles);
    }
    let config = Config::read(&arguments.config)?;
    match &arguments.command {
        Command::Request { site, legal_name } => request(&config, site, legal_name),
        Command::Accept { package, fingerprint } => accept(&config, package, fingerprint),
        Command::Run => run(&config),
        Command::Study(command) => study::dispatch(&config, command),
        Command::Audit(audit::AuditCommand::Export { run, out }) => audit::export_run(&config, run, out),
        Command::Audit(audit::AuditCommand::Verify { bundles }) => audit::verify_files(bundles),
        Command::CheckData { protocol } => check_data(&config, protocol),
    }
}

fn request(config: &Config, site: &str, legal_name: &str) -> Result<(), Failure> {
    let request = identity::create(&config.state_dir, site, legal_name)?;
    print!("{}", request.text);
    eprintln!("Send the request above to the coordinator's operator.");
    eprintln!("Tell the operator this fingerprint by another channel: {}", request.fingerprint());
    Ok(())
}

fn accept(config: &Config, package: &Path, fingerprint: &str) -> Result<(), Failure> {
    let text = failure::read_file(package)?;
    let identity = identity::accept(&config.state_dir, &text, fingerprint, Timestamp::now())?;
    println!("Enrolled as {} at {}.", identity.site(), identity.coordinator().url);
    println!("The certificate is valid until {}.", identity.not_after());
    Ok(())
}

fn run(config: &Config) -> Result<(), Failure> {
    crate::log::start();
    let attending = Attending { state_dir: config.state_dir.clone(), options: config.options() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::operating_system("start", &e))?;
    runtime.block_on(async {
        tokio::select! {
            ended = attend(&attending) => ended.map_err(Failure::from),
            () = stopped() => Ok(()),
        }
    })
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

fn check_data(config: &Config, protocol: &Path) -> Result<(), Failure> {
    let text = failure::read_file(protocol)?;
    let protocol = ::study::protocol::Protocol::parse(&text)?;
    let loaded = source::csv::load(&config.data, &protocol)?;
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    for (i, count) in loaded.cohort.flow.iter().enumerate() {
        println!("step {i}: {} control, {} treated, {} neither", count.control, count.treated, count.neither);
    }
    Ok(())
}
