//! `site-agent reviewer ...`: people who decide at the agent's pages by a login of their own.

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Failure};

use super::pages;
use crate::config::Config;
use crate::run::Person;
use crate::run::reviewers::{self, Reviewer};

#[derive(Debug, Subcommand)]
pub(super) enum ReviewerCommand {
    /// Name somebody who decides at the pages, and needs no account of this machine.
    #[command(
        after_help = "What the reviewer decides carries this name and the account `reviewer:NAME`; neither can be typed \
                            differently at the pages.\n\nExample: site-agent reviewer add 'First Reviewer'"
    )]
    Add {
        /// As it shall stand in the ledger.
        name: String,
    },
    /// All reviewers, and who named them.
    #[command(after_help = "Example: site-agent reviewer list")]
    List,
    /// Print a link that lets this reviewer in to the pages of the running agent, once and within ten minutes.
    #[command(
        after_help = "The ledger keeps who made the link. Hand it to the reviewer alone: whoever opens it decides under \
                            that name.\n\nExample: sudo -u entente-agent site-agent reviewer login 'First Reviewer'"
    )]
    Login {
        /// Of the reviewer.
        name: String,
    },
    /// Take a reviewer's login; what they decided stays.
    #[command(after_help = "Example: site-agent reviewer remove 'First Reviewer'")]
    Remove {
        /// Of the reviewer.
        name: String,
    },
}

impl ReviewerCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            ReviewerCommand::Add { .. } => "reviewer-add",
            ReviewerCommand::List => "reviewer-list",
            ReviewerCommand::Login { .. } => "reviewer-login",
            ReviewerCommand::Remove { .. } => "reviewer-remove",
        }
    }
}

pub(super) fn dispatch(config: &Config, command: &ReviewerCommand) -> Result<Answer, Failure> {
    let state = &config.state_dir;
    let by = Person::here("", reviewers::now());
    match command {
        ReviewerCommand::Add { name } => {
            let Reviewer { name, .. } = reviewers::add(state, name, &by)?;
            Ok(Answer::of(json!({ "reviewer": name }))
                .line(format_args!("{name} is a reviewer."))
                .beside("`site-agent reviewer login` with this name prints a link for them."))
        }
        ReviewerCommand::List => Ok(list(&reviewers::list(state)?)),
        ReviewerCommand::Login { name } => {
            let address = pages::address(config)?;
            let reviewer = reviewers::let_in(state, name, &by)?;
            let subject = reviewers::login_subject(&reviewer);
            pages::link(config, address, &subject, &format!("It lets {} in", reviewer.name))
        }
        ReviewerCommand::Remove { name } => {
            let Reviewer { name, .. } = reviewers::remove(state, name, &by)?;
            Ok(Answer::of(json!({ "reviewer": name })).line(format_args!("{name} is a reviewer no longer.")))
        }
    }
}

fn list(all: &[Reviewer]) -> Answer {
    let since =
        |reviewer: &Reviewer| Timestamp::from_second(reviewer.since.cast_signed()).unwrap_or_default().to_string();
    let data: Vec<_> = all.iter().map(|r| json!({ "reviewer": r.name, "since": since(r), "named_by": r.by })).collect();
    let lines = all.iter().map(|r| format!("{}  since {}, named by {}", r.name, since(r), r.by));
    lines.fold(Answer::of(json!({ "reviewers": data })), Answer::line)
}
