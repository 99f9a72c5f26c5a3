//! The coordinator's command line.

mod audit;
mod failure;
mod role;
mod web;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::authority::Authority;
use crate::config::Config;
use crate::enrol;
use crate::hub::{Report, RunReport};
use crate::serve;
use crate::store::Store;
use crate::{pages, results, study};
use failure::Failure;
use role::RoleCommand;
use web::WebCommand;

/// Adds the masked answers of the sites and fits the pooled models.
#[derive(Debug, Parser)]
#[command(name = "coordinator", version, about, after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage.")]
struct Arguments {
    /// Configuration file.
    #[arg(long, global = true, default_value = crate::config::DEFAULT_PATH)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the coordinator's keys and its certificate authority.
    Init,
    /// Make a new certificate for the listener; a running server takes it up by itself.
    #[command(
        after_help = "The certificate lasts 825 days. Sites keep their packages: authority and fingerprint stay."
    )]
    RenewCertificate,
    /// Accept connections of sites and drive all runs until stopped.
    Serve {
        /// Print progress as one JSON object a line on standard output.
        #[arg(long)]
        progress: bool,
    },
    /// Sites: show, approve, list, revoke.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Studies: create, list, status, results.
    #[command(subcommand)]
    Study(StudyCommand),
    /// People who may open the pages: request, issue, list, revoke.
    #[command(subcommand)]
    Role(RoleCommand),
    /// The pages for people: one-time logins.
    #[command(subcommand)]
    Web(WebCommand),
    /// Ledgers of runs as files for a reviewer.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Check a protocol file and print its digest.
    CheckProtocol {
        /// Protocol file.
        protocol: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum SiteCommand {
    /// Who an enrolment request is from, with the fingerprint to compare; nothing is approved.
    Show {
        /// The request file.
        request: PathBuf,
    },
    /// Approve an enrolment request; prints the package for the site.
    #[command(
        after_help = "First compare the fingerprint of `coordinator site show` with the one that the site tells you by another channel."
    )]
    Approve {
        /// The request file.
        request: PathBuf,
        /// Site id as you know it.
        #[arg(long)]
        site: String,
        /// Legal name as you know it.
        #[arg(long)]
        legal_name: String,
        /// Validity of the certificate in days.
        #[arg(long, default_value_t = 365)]
        valid_days: u32,
    },
    /// Enrolled sites with their fingerprints.
    List,
    /// Revoke a site's certificates; open connections end at once.
    Revoke {
        /// Site id.
        site: String,
    },
    /// The fingerprint that sites compare before they accept a package.
    Fingerprint,
}

#[derive(Debug, Subcommand)]
enum StudyCommand {
    /// Make a run of a protocol with all enrolled sites, or those named, and offer it to them.
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
    List,
    /// Where a run stands and whom it waits for.
    Status {
        /// Name of the run, or its beginning.
        run: String,
    },
    /// Print the results of a finished run and write them to a folder.
    Results {
        /// Name of the run, or its beginning.
        run: String,
        /// Folder for the result files.
        #[arg(long)]
        out: Option<PathBuf>,
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
    if let Command::CheckProtocol { protocol } = &arguments.command {
        return check_protocol(protocol);
    }
    if let Command::Role(command) = &arguments.command
        && let Some(done) = command.alone()
    {
        return done;
    }
    if let Command::Audit(audit::AuditCommand::Verify { bundles, results }) = &arguments.command {
        return audit::verify_files(bundles, results.as_deref());
    }
    let config = Config::read(&arguments.config)?;
    match &arguments.command {
        Command::Init => init(&config),
        Command::RenewCertificate => renew_certificate(&config),
        Command::Serve { progress } => serve(&config, *progress),
        Command::Site(command) => site(&config, command),
        Command::Study(command) => study_command(&config, command),
        Command::Role(command) => command.run(&config),
        Command::Web(command) => command.run(&config),
        Command::Audit(audit::AuditCommand::Export { run, out }) => audit::export(&config, run, out),
        Command::Audit(audit::AuditCommand::Verify { bundles, results }) => {
            audit::verify_files(bundles, results.as_deref())
        }
        Command::CheckProtocol { protocol } => check_protocol(protocol),
    }
}

fn check_protocol(path: &Path) -> Result<(), Failure> {
    let protocol = ::study::protocol::Protocol::parse(&failure::read_file(path)?)?;
    println!("{}: {}", protocol.id, protocol.title);
    println!("digest {}", protocol.digest);
    Ok(())
}

fn init(config: &Config) -> Result<(), Failure> {
    let authority = Authority::create(&config.state_dir, &config.name, &config.hosts, Timestamp::now())?;
    println!("Tell every site this fingerprint by another channel than the package:");
    println!("{}", authority.fingerprint());
    Ok(())
}

fn renew_certificate(config: &Config) -> Result<(), Failure> {
    Authority::load(&config.state_dir)?.renew_server_certificate(Timestamp::now())?;
    println!("The listener has a new certificate.");
    Ok(())
}

fn site(config: &Config, command: &SiteCommand) -> Result<(), Failure> {
    let now = Timestamp::now();
    match command {
        SiteCommand::Show { request } => {
            let request = enrol::Request::parse(&failure::read_file(request)?)?;
            println!("{} ({})", request.site(), request.legal_name());
            println!("fingerprint {}", request.identity().fingerprint());
        }
        SiteCommand::Approve { request, site, legal_name, valid_days } => {
            let authority = Authority::load(&config.state_dir)?;
            let text = failure::read_file(request)?;
            let approval = enrol::Approval { site, legal_name, url: &config.url, valid_days: *valid_days };
            let package = enrol::approve(&authority, &text, &approval, now)?;
            print!("{}", package.text());
            eprintln!("Send the package above to the site; it asks for the fingerprint {}", authority.fingerprint());
        }
        SiteCommand::List => {
            for site in enrol::list(&config.state_dir)? {
                let state = if site.revoked_at.is_some() { "revoked" } else { "enrolled" };
                println!("{:<12} {state:<9} {}  {}", site.site, site.identity.fingerprint(), site.legal_name);
            }
        }
        SiteCommand::Revoke { site } => {
            enrol::revoke(&config.state_dir, site, now)?;
            println!("Revoked {site}.");
        }
        SiteCommand::Fingerprint => println!("{}", Authority::load(&config.state_dir)?.fingerprint()),
    }
    Ok(())
}

fn study_command(config: &Config, command: &StudyCommand) -> Result<(), Failure> {
    match command {
        StudyCommand::Create { protocol, sites, valid_days } => {
            let text = failure::read_file(protocol)?;
            let stored = study::create(&config.state_dir, &text, sites, *valid_days, Timestamp::now())?;
            println!("{}", stored.manifest.name());
            eprintln!("Offered to {} sites once the server runs.", stored.manifest.roster.len());
        }
        StudyCommand::List => {
            for run in Store::open(&config.state_dir)?.runs()? {
                println!("{}  {} sites", run.manifest.name(), run.manifest.roster.len());
            }
        }
        StudyCommand::Status { run } => status(config, run)?,
        StudyCommand::Results { run, out } => {
            let finished = study::read(&config.state_dir, run)?;
            if let Some(out) = out {
                let written = results::write(out, &finished.results, &finished.provenance);
                written.map_err(|e| Failure::operating_system("write the results", &e))?;
            }
            let printed = results::print(&mut io::stdout(), &finished.results, &finished.protocol, terminal_width());
            printed.map_err(|e| Failure::operating_system("print the results", &e))?;
        }
    }
    Ok(())
}

/// Columns of the terminal; wide enough for the tables when it cannot be told.
fn terminal_width() -> u16 {
    std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(140)
}

fn status(config: &Config, name: &str) -> Result<(), Failure> {
    let RunReport { run, round, models, fitted, failed, waiting, sites, problem, .. } =
        study::status(&config.state_dir, name)?;
    let stands = if waiting == "nothing" { "finished".into() } else { format!("next round {round}") };
    println!("{run}: {stands}; {fitted} of {models} models fitted, {failed} failed");
    if waiting == "approval" {
        println!("waits for the approval of {}", sites.join(", "));
    }
    if let Some((code, message)) = problem {
        println!("stopped: {message} [{code}]");
    }
    Ok(())
}

fn serve(config: &Config, progress: bool) -> Result<(), Failure> {
    crate::log::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::operating_system("start", &e))?;
    let pages = config.pages();
    let served = serve_until_stopped(&config.state_dir, config.listen, pages.as_ref(), progress);
    runtime.block_on(served).map_err(Failure::from)
}

/// Serves until Ctrl-C or SIGTERM.
pub async fn serve_until_stopped(
    state_dir: &Path,
    listen: SocketAddr,
    pages: Option<&pages::Address>,
    progress: bool,
) -> Result<(), serve::ServeError> {
    let (reports, receiver) = mpsc::unbounded_channel();
    tokio::spawn(print_reports(receiver, progress));
    tokio::select! {
        ended = serve::serve(state_dir, listen, pages, reports) => ended,
        () = stopped() => Ok(()),
    }
}

/// Prints what changed: a round, a fit, or whom a run waits for when nothing else moves.
async fn print_reports(mut reports: mpsc::UnboundedReceiver<Report>, progress: bool) {
    let mut last: Option<RunReport> = None;
    while let Some(report) = reports.recv().await {
        let moved = match &report {
            Report::Listening { .. } | Report::Pages { .. } => true,
            Report::Run(now) => last.as_ref().is_none_or(|l| {
                l.run != now.run
                    || l.round != now.round
                    || l.fitted != now.fitted
                    || l.failed != now.failed
                    || l.problem != now.problem
                    || l.waiting != now.waiting
                    || now.sites.len() <= 3
            }),
        };
        if let Report::Run(now) = &report {
            last = Some(now.clone());
        }
        if progress
            && moved
            && let Ok(line) = serde_json::to_string(&report)
        {
            let mut out = io::stdout().lock();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }
}

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
