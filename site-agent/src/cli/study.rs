//! `site-agent study ...`: look at what is asked, approve, reject or withdraw it.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use jiff::Timestamp;

use super::failure::Failure;
use crate::config::Config;
use crate::identity;
use crate::run::{
    Approver, Inspection, Offered, Person, RunFolder, approve, consented, offers, read_policy, reject, runs, withdraw,
    withdrawal,
};
use crate::source;

#[derive(Debug, Subcommand)]
pub(super) enum StudyCommand {
    /// Offered and approved studies.
    List,
    /// What a study would compute here, in plain words; nothing is sent.
    Inspect {
        /// Name of the run, or its beginning.
        run: String,
        /// Also show this site's own counts from a file, small ones marked, and hold it against earlier runs.
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
    },
    /// Consent. With the last person that the policy asks for, the cohort is frozen and a running agent takes part.
    Approve {
        /// Name of the run, or its beginning.
        run: String,
        /// Who consents; kept at this site with the account of the operating system.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Decline; the coordinator learns only that the site declined.
    Reject {
        /// Name of the run, or its beginning.
        run: String,
        /// Kept at this site.
        #[arg(long)]
        reason: String,
    },
    /// Take an approval back for good; a running agent stops answering at once.
    Withdraw {
        /// Name of the run, or its beginning.
        run: String,
        /// Kept at this site.
        #[arg(long)]
        reason: String,
    },
}

pub(super) fn dispatch(config: &Config, command: &StudyCommand) -> Result<(), Failure> {
    match command {
        StudyCommand::List => list(config),
        StudyCommand::Inspect { run, data } => inspect(config, &find(config, run)?, data.as_deref()),
        StudyCommand::Approve { run, name } => approve_run(config, &find(config, run)?, name),
        StudyCommand::Withdraw { run, reason } => withdraw_run(config, run, reason),
        StudyCommand::Reject { run, reason } => {
            let offered = find(config, run)?;
            reject(&config.state_dir, &offered, reason)?;
            println!("Rejected {}.", offered.offer.manifest.name());
            Ok(())
        }
    }
}

fn find(config: &Config, name: &str) -> Result<Offered, Failure> {
    let mut fitting: Vec<Offered> =
        offers(&config.state_dir)?.into_iter().filter(|o| o.offer.manifest.name().starts_with(name)).collect();
    match fitting.len() {
        1 => Ok(fitting.swap_remove(0)),
        0 => Err(Failure::new(
            "study.none",
            format!("no offered study is called `{name}`"),
            "`site-agent study list` names all; the agent must run to receive offers",
        )),
        _ => Err(ambiguous(name)),
    }
}

fn list(config: &Config) -> Result<(), Failure> {
    for offered in offers(&config.state_dir)? {
        let sites = offered.offer.manifest.roster.len();
        let state = if offered.rejected { "rejected" } else { "waits for a decision" };
        println!("{}  {state}  {sites} sites  {}", offered.offer.manifest.name(), offered.protocol.title);
    }
    for run in runs(&config.state_dir)? {
        let state = if withdrawal(&run.path)?.is_some() { "withdrawn" } else { "approved" };
        println!("{}  {state}  {} sites  {}", run.manifest.name(), run.manifest.roster.len(), run.protocol.title);
    }
    Ok(())
}

fn inspect(config: &Config, offered: &Offered, data: Option<&Path>) -> Result<(), Failure> {
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let policy = read_policy(&config.policy_text()?)?;
    let loaded = data.map(|data| source::csv::load(data, &offered.protocol)).transpose()?;
    let inspection = Inspection {
        approver: approver(config, &identity),
        offer: &offered.offer,
        protocol: &offered.protocol,
        policy: &policy,
        people: consented(&config.state_dir, &offered.offer.manifest.digest())?,
        preview: loaded.as_ref(),
    };
    print!("{}", inspection.page()?);
    Ok(())
}

fn approver<'a>(config: &'a Config, identity: &'a identity::Identity) -> Approver<'a> {
    Approver {
        state_dir: &config.state_dir,
        identity: identity.signing(),
        coordinator: identity.coordinator().identity,
    }
}

fn approve_run(config: &Config, offered: &Offered, name: &str) -> Result<(), Failure> {
    if offered.rejected {
        let message = format!("this site has rejected {}", offered.offer.manifest.name());
        return Err(Failure::new("study.rejected", message, "a rejection is final for a run; ask for a new one"));
    }
    let person = person(name)?;
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let approver = approver(config, &identity);
    let approved = approve(&approver, &offered.offer, &config.data, &config.policy_text()?, &person)?;
    for warning in &approved.warnings {
        println!("warning: {warning}");
    }
    let run = offered.offer.manifest.name();
    match approved.run {
        Some(_) => println!("Approved {run}; the cohort is frozen. A running agent takes part from now on."),
        None => println!("{} approves {run}. The policy asks for a second person before anything runs.", person.name),
    }
    Ok(())
}

fn person(name: &str) -> Result<Person, Failure> {
    let person = Person::here(name, Timestamp::now().as_second().max(0).cast_unsigned());
    if person.name.is_empty() {
        return Err(Failure::new("study.name", "the name is empty", "say who approves: --as NAME"));
    }
    Ok(person)
}

fn withdraw_run(config: &Config, name: &str, reason: &str) -> Result<(), Failure> {
    let run = approved(config, name)?;
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let person = Person::here("", Timestamp::now().as_second().max(0).cast_unsigned());
    withdraw(&run, identity.signing(), &person, reason)?;
    println!("Withdrew {}. Nothing of it is answered any more; what was summed before stays.", run.manifest.name());
    Ok(())
}

/// The approved run of a name, or of the beginning of one.
pub(super) fn approved(config: &Config, name: &str) -> Result<RunFolder, Failure> {
    let mut fitting = runs(&config.state_dir)?;
    fitting.retain(|run| run.manifest.name().starts_with(name));
    match fitting.len() {
        1 => Ok(fitting.swap_remove(0)),
        0 => {
            let message = format!("no approved study is called `{name}`");
            Err(Failure::new("study.not_approved", message, "`site-agent study list` names all"))
        }
        _ => Err(ambiguous(name)),
    }
}

fn ambiguous(name: &str) -> Failure {
    Failure::new("study.ambiguous", format!("`{name}` fits more than one study"), "give more of its name")
}
