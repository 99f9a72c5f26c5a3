//! `rehearse STUDY_DIR`: a whole federation on this machine, from site files to results.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use coordinator::progress::{Elsewhere, Progress};
use coordinator::published::{self, Published, PublishedError};
use coordinator::study::FinishedRun;
use rehearsal::{Federation, RehearsalError, StudyDir, StudyDirError, child};
use site_agent::source::Blame;
use terminal::Exit;

/// Starts one coordinator and one agent per site file on loopback, runs the study and prints its results.
#[derive(Debug, Parser)]
#[command(
    name = "rehearse",
    version,
    after_help = "Example: rehearse examples/relapsed-myeloma --out out\n\nExit codes: 0 done, 1 failed, 2 wrong usage, \
                  3 done but a declared model could not be fitted, 4 done but published.toml has a mistake,\n130 \
                  interrupted."
)]
struct Arguments {
    /// Folder with protocol.toml, policy.toml, sites/*.csv, and published.toml if there are figures to compare with.
    study: PathBuf,
    /// Protocol inside the folder.
    #[arg(long, default_value = "protocol.toml")]
    protocol: String,
    /// Folder for the result files.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Keep all state directories and logs here instead of in a temporary folder.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Seconds without any progress after which the rehearsal gives up.
    #[arg(long, default_value_t = 120)]
    patience: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = child::dispatch(&arguments[1..]) {
        return code;
    }
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(e) => {
            let _ = e.print();
            return if e.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    watch_for_interrupt(Arc::clone(&stop));
    match rehearse(&arguments, &stop) {
        Ok(exit) => exit.into(),
        Err(Failure::Rehearsal(RehearsalError::Interrupted)) => {
            eprintln!("interrupted; all processes are stopped");
            Exit::Interrupted.into()
        }
        Err(failure) => {
            eprint!("{failure}");
            Exit::Failed.into()
        }
    }
}

/// Ctrl-C or SIGTERM sets the flag; the rehearsal then ends its processes itself.
fn watch_for_interrupt(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

fn rehearse(arguments: &Arguments, stop: &AtomicBool) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let study = StudyDir::read(&arguments.study, &arguments.protocol)?;
    let executable = std::env::current_exe().map_err(|e| Failure::system("finding this program", &e))?;
    let temporary = tempfile::tempdir().map_err(|e| Failure::system("making a temporary folder", &e))?;
    let dir = arguments.keep.as_deref().unwrap_or(temporary.path());
    let progress = Progress::new(Elsewhere::Lines);
    progress.say(&format!("checking the study, enrolling {} sites", study.sites.len()));
    let mut federation = Federation::set_up(&study, dir, &executable, stop)?;
    progress.say("starting the agents and running the study");
    federation.start_agents()?;
    let followed = federation.follow(stop, Duration::from_secs(arguments.patience), |report| {
        progress.run(report);
        false
    });
    progress.end();
    followed?;
    let finished = federation.results()?;
    if let Some(out) = &arguments.out {
        coordinator::results::write(out, &finished.results, &finished.provenance)
            .map_err(|e| Failure::system("writing the results", &e))?;
    }
    coordinator::results::print(&mut io::stdout(), &finished.results, &finished.protocol, width())
        .map_err(|e| Failure::system("printing the results", &e))?;
    let (figures_stand, published) = beside_published(arguments, &finished)?;
    if let Some(out) = &arguments.out {
        let FinishedRun { results, protocol, provenance } = &finished;
        coordinator::results::write_report(out, results, protocol, provenance, published.as_ref())
            .map_err(|e| Failure::system("writing the report", &e))?;
    }
    let measured = federation.measured();
    drop(federation);
    let provenance = &finished.provenance;
    println!(
        "{} sites, {} rounds, {:.1} kB of masked words sent by each site",
        provenance.sites.len(),
        provenance.rounds,
        provenance.bytes_sent_per_site as f64 / 1000.0,
    );
    println!("{}", finished.opened_beside_values());
    println!(
        "{:.2} s: {:.2} s keys, enrolment and approval, {:.2} s starting and connecting, {:.2} s rounds",
        begun.elapsed().as_secs_f64(),
        measured.set_up.as_secs_f64(),
        measured.connecting.as_secs_f64(),
        measured.running.as_secs_f64(),
    );
    if let Some(out) = &arguments.out {
        println!("results in {}", out.display());
    }
    Ok(if finished.results.any_failed() {
        Exit::NotFitted
    } else if figures_stand {
        Exit::Done
    } else {
        Exit::Published
    })
}

/// Prints the figures of `published.toml`, when the folder has one, beside the run's. A mistake in it is reported and
/// ends nothing, since the results are written and printed by then; it gives false. The figures come back for the report.
fn beside_published(
    arguments: &Arguments,
    finished: &FinishedRun,
) -> Result<(bool, Option<report::Published>), Failure> {
    let mut page = None;
    let shown = match Published::read(&arguments.study) {
        Ok(None) => Ok(()),
        Ok(Some(published)) if published.is_about(&finished.protocol.id) => {
            let results = coordinator::results::value(&finished.results, &finished.provenance);
            let results = results.map_err(|e| Failure::system("reading the results", &e))?;
            let month_days = finished.protocol.month_days;
            page = Some(published.page(&results, month_days));
            published
                .print(&mut io::stdout(), &results, month_days, width())
                .map_err(|e| Failure::system("printing the published figures", &e))?
        }
        Ok(Some(published)) => {
            let (file, studies) = (published::FILE, published.studies().join(", "));
            println!("\n{file} is about {studies}; this study is {}, so it is not shown", finished.protocol.id);
            Ok(())
        }
        Err(e) => Err(e),
    };
    if let Err(e) = &shown {
        eprint!("{}", mistaken(e));
    }
    Ok((shown.is_ok(), page))
}

/// What a person needs to mend the file.
fn mistaken(e: &PublishedError) -> String {
    let lines: Vec<_> = e.mistakes().iter().map(|m| format!("  {m}\n")).collect();
    format!(
        "error[published]: {e}\n{}next: mend {} in the study folder; the results of this run are complete without it\n",
        lines.concat(),
        published::FILE
    )
}

/// Columns of the terminal; wide enough for the tables when it cannot be told.
fn width() -> u16 {
    std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(140)
}

/// Why the program fails.
enum Failure {
    StudyDir(StudyDirError),
    Rehearsal(RehearsalError),
    System { doing: &'static str, kind: io::ErrorKind },
}

impl Failure {
    fn system(doing: &'static str, e: &io::Error) -> Failure {
        Failure::System { doing, kind: e.kind() }
    }
}

impl From<StudyDirError> for Failure {
    fn from(e: StudyDirError) -> Failure {
        Failure::StudyDir(e)
    }
}

impl From<RehearsalError> for Failure {
    fn from(e: RehearsalError) -> Failure {
        Failure::Rehearsal(e)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::StudyDir(e) => writeln!(f, "error[study_dir]: {e}"),
            Failure::System { doing, kind } => writeln!(f, "error[system]: {doing} failed ({kind})"),
            Failure::Rehearsal(e) => {
                writeln!(f, "error[rehearsal]: {e}")?;
                details(f, e)
            }
        }
    }
}

/// What to mend where files and protocol do not fit: who rehearses has both.
fn to_mend(blame: Blame) -> &'static str {
    match blame {
        Blame::File => "mend the files as the lines above say",
        Blame::Protocol => "the files may be right: mend the protocol as the lines above say",
        Blame::Either => "mend the files or the protocol, whichever of the two the lines above find wrong",
        Blame::Both => "mend the files and the protocol as the lines above say",
    }
}

/// What a person needs beyond the first line: the mistakes of a document, the problems of a file.
fn details(f: &mut fmt::Formatter<'_>, e: &RehearsalError) -> fmt::Result {
    use coordinator::study::StudyError;
    use site_agent::run::ApproveError;
    e.refusals().iter().try_for_each(|refusal| writeln!(f, "  {}: {refusal}", refusal.rule()))?;
    match e {
        RehearsalError::Protocol(mistakes)
        | RehearsalError::Policy(mistakes)
        | RehearsalError::Study(StudyError::Protocol(mistakes)) => {
            mistakes.0.iter().try_for_each(|m| writeln!(f, "  {m}"))?;
            writeln!(f, "next: mend the lines above; nothing was started")
        }
        RehearsalError::Data(files) => {
            for (site, source) in files {
                source.to_string().lines().try_for_each(|line| writeln!(f, "  {site}: {line}"))?;
            }
            let blame = files.iter().map(|(_, source)| source.blame()).fold(Blame::Either, Blame::and);
            writeln!(f, "next: {}; nothing was started", to_mend(blame))
        }
        RehearsalError::Approve { error, .. } => {
            match &**error {
                ApproveError::Source(source) => source.to_string().lines().try_for_each(|l| writeln!(f, "  {l}")),
                ApproveError::PolicyFile(mistakes) => mistakes.0.iter().try_for_each(|m| writeln!(f, "  {m}")),
                _ => Ok(()),
            }?;
            writeln!(f, "next: {}", error.hint())
        }
        _ => Ok(()),
    }
}
