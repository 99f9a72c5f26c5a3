//! `coordinator web`: one-time logins to the pages.

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Failure};

use crate::config::Config;
use crate::pages::{LoginFor, logins};
use crate::role::{Person, Role};

/// What can be done about the pages.
#[derive(Debug, Subcommand)]
pub(super) enum WebCommand {
    /// Print a link that signs a person in once, within ten minutes.
    #[command(
        after_help = "Who can run this command can have every role: it reads and writes the state directory.\n\nExample: coordinator web login --role operator --name \"First Operator\""
    )]
    Login {
        /// operator, analyst or auditor.
        #[arg(long, value_parser = ["operator", "analyst", "auditor"])]
        role: String,
        /// What the person is called on the pages and in the log.
        #[arg(long)]
        name: String,
    },
}

impl WebCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            WebCommand::Login { .. } => "web-login",
        }
    }
}

pub(super) fn dispatch(config: &Config, command: &WebCommand) -> Result<Answer, Failure> {
    let WebCommand::Login { role, name } = command;
    let person = Person::new(name, role.parse::<Role>()?)?;
    let secret = logins(&config.state_dir).issue(&LoginFor(person).text(), Timestamp::now());
    let secret = secret.map_err(|e| Failure::new(e.code(), e.to_string(), e.hint()))?;
    let origin = config.pages().and_then(|pages| pages.origins(pages.listen.port()).into_iter().next());
    let link = match origin {
        Some(origin) => format!("https://{origin}/login?secret={}", secret.text()),
        None => secret.text(),
    };
    Ok(Answer::of(json!({ "login": link })).line(link))
}
