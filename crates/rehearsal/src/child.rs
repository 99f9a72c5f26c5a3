//! The processes of a rehearsal: the program starts itself again with a hidden first argument.
//!
//! A child ends when its standard input closes, so none outlives the rehearsal, whatever ends it. Tests that need a whole
//! command line start the two programs in the same way.

use std::ffi::OsString;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use site_agent::run::{Attending, attend};

/// First argument of a coordinator child; then its state directory and the address to listen on.
pub const COORDINATOR: &str = "__coordinator";
/// First argument of an agent child; then its state directory.
pub const AGENT: &str = "__agent";

/// First argument of a child that is the coordinator's program; then that program's arguments.
pub const COORDINATOR_PROGRAM: &str = "__coordinator-program";
/// First argument of a child that is the site agent's program; then that program's arguments.
pub const AGENT_PROGRAM: &str = "__site-agent-program";
/// A program with this variable in its environment ends when its standard input closes.
pub const END_WITH_INPUT: &str = "ENTENTE_END_WITH_INPUT";

/// Runs as a child when the arguments (without the program's name) say so.
pub fn dispatch(arguments: &[OsString]) -> Option<ExitCode> {
    let role = arguments.first()?.to_str()?;
    match role {
        COORDINATOR_PROGRAM => return Some(program(coordinator::cli::main, "coordinator", &arguments[1..])),
        AGENT_PROGRAM => return Some(program(site_agent::cli::main, "site-agent", &arguments[1..])),
        _ => {}
    }
    let state_dir = PathBuf::from(arguments.get(1)?);
    match role {
        COORDINATOR => {
            let address = arguments.get(2)?.to_str()?.parse().ok()?;
            Some(run(coordinator_child(state_dir, address)))
        }
        AGENT => Some(run(agent_child(state_dir))),
        _ => None,
    }
}

/// A program's whole command line.
fn program(main: impl Fn(Vec<OsString>) -> ExitCode, name: &str, arguments: &[OsString]) -> ExitCode {
    if std::env::var_os(END_WITH_INPUT).is_some() {
        end_with_input();
    }
    main([&[OsString::from(name)], arguments].concat())
}

fn end_with_input() {
    std::thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        let mut bytes = [0; 64];
        while input.read(&mut bytes).is_ok_and(|n| n > 0) {}
        // nothing to tidy: whatever was said is in a journal
        std::process::exit(0);
    });
}

fn run(child: impl Future<Output = Result<(), String>>) -> ExitCode {
    end_with_input();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = runtime.map_err(|e| e.kind().to_string()).and_then(|r| r.block_on(child));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

async fn coordinator_child(state_dir: PathBuf, address: SocketAddr) -> Result<(), String> {
    coordinator::log::start();
    let served = coordinator::cli::serve_until_stopped(&state_dir, address, None).await;
    served.map_err(|e| format!("error[{}]: {e}; {}", e.code(), e.hint()))
}

async fn agent_child(state_dir: PathBuf) -> Result<(), String> {
    site_agent::log::start();
    let attending = Attending { state_dir, options: site_agent::connect::Options::default() };
    attend(&attending).await.map_err(|e| format!("error[{}]: {e}; {}", e.code(), e.hint()))
}
