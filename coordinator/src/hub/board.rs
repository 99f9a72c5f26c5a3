//! What the hub shows of itself to pages: they read a copy and never wait for it, nor it for them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::RunReport;

/// Who is connected and where the runs stand, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    /// Ids of the connected sites.
    pub connected: BTreeSet<String>,
    /// When a second agent with the identity of a connected site was refused last.
    pub second_agents: BTreeMap<String, Timestamp>,
    /// The newest report of each run, by its name.
    pub runs: BTreeMap<String, RunReport>,
}
