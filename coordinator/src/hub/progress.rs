//! What the hub tells about its runs while they go on.

use serde::{Deserialize, Serialize};
use study::machine::coordinator::Waiting;

use super::run::Run;

/// One line of progress; the rehearsal and the terminal read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Report {
    /// The server accepts connections.
    Listening {
        /// Address and port.
        address: String,
    },
    /// The pages are served.
    Pages {
        /// Address and port.
        address: String,
    },
    /// A second agent with the identity of a connected site was refused.
    SecondAgent {
        /// Site id.
        site: String,
    },
    /// A run moved.
    Run(RunReport),
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// Name of the run.
    pub run: String,
    /// Number of the next round.
    pub round: u32,
    /// Declared models.
    pub models: u32,
    /// Fitted models.
    pub fitted: u32,
    /// Failed models.
    pub failed: u32,
    /// approval, connection, message, or nothing when it is finished.
    pub waiting: String,
    /// Ids of the sites it waits for.
    pub sites: Vec<String>,
    /// Code and message of what stopped it.
    pub problem: Option<(String, String)>,
    /// Numbers that the coordinator has opened.
    pub opened: u64,
    /// Numbers that it has added and that the sites alone opened.
    pub sealed: u64,
    /// Bytes of masked words that each site sent since the server started.
    pub bytes_per_site: u64,
}

impl RunReport {
    pub(super) fn of(run: &Run) -> RunReport {
        let counts = run.machine.counts();
        let (waiting, sites) = match run.machine.waiting() {
            Waiting::Approval(sites) => ("approval", sites),
            Waiting::Connection(sites) => ("connection", sites),
            Waiting::Message(sites) => ("message", sites),
            Waiting::Nothing => ("nothing", Vec::new()),
        };
        let numbers = run.opened.numbers();
        let members = run.machine.manifest().roster.members();
        RunReport {
            run: run.machine.manifest().name(),
            round: run.machine.round(),
            models: counts.models,
            fitted: counts.fitted,
            failed: counts.failed,
            waiting: waiting.into(),
            sites: sites
                .into_iter()
                .map(|i| members.get(usize::from(i)).map_or_else(String::new, |m| m.id.clone()))
                .collect(),
            problem: run.problem.clone(),
            opened: numbers.opened,
            sealed: numbers.sealed,
            bytes_per_site: run.machine.bytes_per_site(),
        }
    }
}
