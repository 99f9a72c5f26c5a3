//! How a program ends.

use std::process::ExitCode;

/// Every status that a program of ours ends with. `docs/exit-codes.md` explains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command did what it says; also a server that was stopped by a signal.
    Done,
    /// Refused or failed; code, cause and next step are on standard error, or in the JSON envelope.
    Failed,
    /// The command line is wrong; nothing was done.
    Usage,
    /// `rehearse`: done, but a declared model could not be fitted.
    NotFitted,
    /// `rehearse`: done, but `published.toml` has a mistake.
    Published,
    /// `rehearse`: interrupted; all its processes are stopped.
    Interrupted,
}

impl Exit {
    /// All of them.
    pub const ALL: [Exit; 6] =
        [Exit::Done, Exit::Failed, Exit::Usage, Exit::NotFitted, Exit::Published, Exit::Interrupted];

    /// The number that the shell sees.
    pub fn status(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotFitted => 3,
            Exit::Published => 4,
            // as shells count an end by SIGINT
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_row_for_each_status_and_no_other() {
        let page = include_str!("../../../docs/exit-codes.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()?.parse::<u8>().ok());
        assert_eq!(rows.collect::<Vec<_>>(), Exit::ALL.map(Exit::status));
    }
}
