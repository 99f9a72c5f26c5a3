//! How the connection to the coordinator is, for whoever asks while the agent attends.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::connect::ConnectError;

/// Shared between the agent that attends and the pages that show it.
#[derive(Debug, Clone, Default)]
pub struct Link(Arc<Mutex<LinkState>>);

/// State of the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LinkState {
    /// No attempt has ended yet.
    #[default]
    Starting,
    /// The coordinator has accepted this site.
    Connected {
        /// When.
        since: Timestamp,
    },
    /// There is no connection; the agent tries again by itself.
    Away {
        /// Since when there has been none.
        since: Timestamp,
        /// Why the last attempt failed: code, fact, what to do next. None when a connection broke.
        problem: Option<(&'static str, String, &'static str)>,
    },
}

impl Link {
    /// The state now.
    pub fn state(&self) -> LinkState {
        self.0.lock().map(|state| state.clone()).unwrap_or_default()
    }

    pub(super) fn connected(&self, now: Timestamp) {
        self.set(LinkState::Connected { since: now });
    }

    /// A connection ended, or an attempt failed; of several in a row the first says since when.
    pub(super) fn lost(&self, error: Option<&ConnectError>, now: Timestamp) {
        let since = if let LinkState::Away { since, .. } = self.state() { since } else { now };
        self.set(LinkState::Away { since, problem: error.map(|e| (e.code(), e.to_string(), e.hint())) });
    }

    fn set(&self, state: LinkState) {
        if let Ok(mut current) = self.0.lock() {
            *current = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_says_since_when() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let link = Link::default();
        assert_eq!(link.state(), LinkState::Starting);
        let error = ConnectError::Closed { target: "host:1".into() };
        link.lost(Some(&error), at(1));
        link.lost(Some(&error), at(2));
        let problem = Some((error.code(), error.to_string(), error.hint()));
        assert_eq!(link.state(), LinkState::Away { since: at(1), problem });
        link.connected(at(3));
        link.lost(None, at(4));
        assert_eq!(link.state(), LinkState::Away { since: at(4), problem: None });
    }
}
