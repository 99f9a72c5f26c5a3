//! `coordinator web`: one-time logins to the pages.

use clap::Subcommand;
use jiff::Timestamp;

use super::failure::Failure;
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
    pub(super) fn run(&self, config: &Config) -> Result<(), Failure> {
        let WebCommand::Login { role, name } = self;
        let person = Person::new(name, role.parse::<Role>()?)?;
        let secret = logins(&config.state_dir).issue(&LoginFor(person).text(), Timestamp::now())?;
        match config.pages().and_then(|pages| pages.origins(pages.listen.port()).into_iter().next()) {
            Some(origin) => println!("https://{origin}/login?secret={}", secret.text()),
            None => println!("{}", secret.text()),
        }
        Ok(())
    }
}
