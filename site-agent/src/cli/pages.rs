//! `site-agent pages ...`: let somebody in to the pages of the running agent.

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Failure};

use crate::config::{Config, Loopback};
use crate::pages;
use crate::run::account;

#[derive(Debug, Subcommand)]
pub(super) enum PagesCommand {
    /// Print a link that lets one person in to the pages of the running agent, once and within ten minutes, under the
    /// account that runs this command.
    #[command(
        after_help = "`site-agent reviewer login` makes one for somebody without an account of this machine.\n\nExample: sudo -u entente-agent site-agent pages login"
    )]
    Login,
}

pub(super) fn dispatch(config: &Config, command: &PagesCommand) -> Result<Answer, Failure> {
    let PagesCommand::Login = command;
    link(config, address(config)?, &account(), "It lets one person in")
}

/// Where the pages are.
pub(super) fn address(config: &Config) -> Result<Loopback, Failure> {
    config.pages.ok_or_else(|| {
        let hint = "add `pages = \"127.0.0.1:8480\"` to agent.toml and start the agent again";
        Failure::new("pages.none", "the agent's configuration has no pages", hint)
    })
}

/// A link for somebody, once.
pub(super) fn link(config: &Config, address: Loopback, subject: &str, whom: &str) -> Result<Answer, Failure> {
    let secret = pages::logins(&config.state_dir).issue(subject, Timestamp::now());
    let secret = secret.map_err(|e| Failure::new(e.code(), e.to_string(), e.hint()))?;
    let link = pages::login_link(address, &secret);
    let until = format!("{whom}, once, within ten minutes, while the agent runs on this machine.");
    Ok(Answer::of(json!({ "link": link })).line(link).beside(until))
}
