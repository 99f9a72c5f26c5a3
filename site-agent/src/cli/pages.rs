//! `site-agent pages ...`: let somebody in to the pages of the running agent.

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Failure};

use crate::config::Config;
use crate::pages;
use crate::run::account;

#[derive(Debug, Subcommand)]
pub(super) enum PagesCommand {
    /// Print a link that lets one person in to the pages of the running agent, once and within ten minutes.
    #[command(after_help = "Example: sudo -u entente-agent site-agent pages login")]
    Login,
}

pub(super) fn dispatch(config: &Config, command: &PagesCommand) -> Result<Answer, Failure> {
    let PagesCommand::Login = command;
    let Some(address) = config.pages else {
        let hint = "add `pages = \"127.0.0.1:8480\"` to agent.toml and start the agent again";
        return Err(Failure::new("pages.none", "the agent's configuration has no pages", hint));
    };
    let secret = pages::logins(&config.state_dir).issue(&account(), Timestamp::now());
    let secret = secret.map_err(|e| Failure::new(e.code(), e.to_string(), e.hint()))?;
    let link = pages::login_link(address, &secret);
    let until = "It lets one person in, once, within ten minutes, while the agent runs on this machine.";
    Ok(Answer::of(json!({ "link": link })).line(link).beside(until))
}
