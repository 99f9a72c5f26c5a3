//! `site-agent study ...`: look at what is asked, approve, reject or withdraw it.

use std::path::{Path, PathBuf};

use ::study::manifest::Manifest;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Failure};

use super::{coded, warned};
use crate::config::Config;
use crate::identity;
use crate::run::{
    Approver, Inspection, Offered, Person, RunFolder, approve, consented, offers, read_policy, refusals, reject, runs,
    withdraw, withdrawal,
};
use crate::source;

#[derive(Debug, Subcommand)]
pub(super) enum StudyCommand {
    /// Offered and approved studies.
    #[command(after_help = "Example: site-agent study list --format json")]
    List,
    /// What a study would compute here, in plain words; nothing is sent.
    #[command(after_help = "Example: site-agent study inspect relapsed --data export.csv")]
    Inspect {
        /// Name of the run, or its beginning.
        run: String,
        /// Also show this site's own counts from a file, small ones marked, and hold it against earlier runs.
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
    },
    /// Consent. With the last person that the policy asks for, the cohort is frozen and a running agent takes part.
    #[command(after_help = "Example: site-agent study approve relapsed --as 'First Reviewer'")]
    Approve {
        /// Name of the run, or its beginning.
        run: String,
        /// Who consents; kept at this site with the account of the operating system.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Decline; the coordinator learns only that the site declined.
    #[command(after_help = "A rejection is final for a run.\n\n\
                            Example: site-agent study reject relapsed --reason 'the grid is too fine'")]
    Reject {
        /// Name of the run, or its beginning.
        run: String,
        /// Kept at this site.
        #[arg(long)]
        reason: String,
    },
    /// Take an approval back for good; a running agent stops answering at once.
    #[command(after_help = "Example: site-agent study withdraw relapsed --reason 'the board decided otherwise'")]
    Withdraw {
        /// Name of the run, or its beginning.
        run: String,
        /// Kept at this site.
        #[arg(long)]
        reason: String,
    },
}

impl StudyCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            StudyCommand::List => "study-list",
            StudyCommand::Inspect { .. } => "study-inspect",
            StudyCommand::Approve { .. } => "study-approve",
            StudyCommand::Reject { .. } => "study-reject",
            StudyCommand::Withdraw { .. } => "study-withdraw",
        }
    }
}

pub(super) fn dispatch(config: &Config, command: &StudyCommand) -> Result<Answer, Failure> {
    match command {
        StudyCommand::List => list(config),
        StudyCommand::Inspect { run, data } => inspect(config, &find(config, run)?, data.as_deref()),
        StudyCommand::Approve { run, name } => approve_run(config, &find(config, run)?, name),
        StudyCommand::Withdraw { run, reason } => withdraw_run(config, run, reason),
        StudyCommand::Reject { run, reason } => {
            let offered = find(config, run)?;
            let person = Person::here("", Timestamp::now().as_second().max(0).cast_unsigned());
            reject(&config.state_dir, &offered, &person, reason)?;
            let run = offered.offer.manifest.name();
            Ok(Answer::of(json!({ "run": run, "state": "rejected" })).line(format_args!("Rejected {run}.")))
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

fn list(config: &Config) -> Result<Answer, Failure> {
    let mut found = Vec::new();
    for offered in offers(&config.state_dir)? {
        let state = if offered.rejected { "rejected" } else { "waits for a decision" };
        found.push((offered.offer.manifest, state, offered.protocol.title.clone()));
    }
    let mut reasons = Vec::new();
    for run in runs(&config.state_dir)? {
        let found_wrong = faults(config, &run);
        let state = if withdrawal(&run.path)?.is_some() {
            "withdrawn"
        } else if found_wrong.is_empty() {
            "approved"
        } else {
            "takes no part"
        };
        let of_run = found_wrong.into_iter().map(|reason| format!("{}: {reason}", run.manifest.name()));
        reasons.extend(of_run);
        found.push((run.manifest, state, run.protocol.title.clone()));
    }
    let named = |(manifest, state, title): &(Manifest, &str, String)| json!({ "run": manifest.name(), "state": state, "sites": manifest.roster.len(), "title": title });
    let data: Vec<_> = found.iter().map(named).collect();
    let lines = found.iter().map(|(manifest, state, title)| {
        format!("{}  {state}  {} sites  {title}", manifest.name(), manifest.roster.len())
    });
    let answer = lines.fold(Answer::of(json!({ "studies": data, "reasons": reasons })), Answer::line);
    Ok(reasons.iter().fold(answer, Answer::line))
}

/// Why an approved run takes no part: a file that is not as approved, or what this site's policy refused.
fn faults(config: &Config, run: &RunFolder) -> Vec<String> {
    let checked = identity::load(&config.state_dir, Timestamp::now()).and_then(|identity| {
        let draws = identity::draw_key(&config.state_dir)?;
        Ok(run.check(identity.signing(), &draws).and_then(|()| run.cohort().map(drop)))
    });
    match checked {
        Err(e) => vec![format!("{e} ({}); {}", e.code(), e.hint())],
        Ok(Err(e)) => vec![format!("{e} ({}); {}", e.code(), e.hint())],
        Ok(Ok(())) => match refusals(run) {
            Ok(refusals) => refusals.iter().map(|refusal| format!("{refusal} ({})", refusal.rule())).collect(),
            Err(e) => vec![format!("{e} ({}); {}", e.code(), e.hint())],
        },
    }
}

fn inspect(config: &Config, offered: &Offered, data: Option<&Path>) -> Result<Answer, Failure> {
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let policy = read_policy(&config.policy_text()?)?;
    let loaded = data.map(|data| source::csv::load(data, &offered.protocol, policy.bad_values)).transpose()?;
    let inspection = Inspection {
        approver: approver(config, &identity),
        offer: &offered.offer,
        protocol: &offered.protocol,
        policy: &policy,
        people: consented(&config.state_dir, &offered.offer.manifest.digest())?,
        preview: loaded.as_ref(),
    };
    let manifest = &offered.offer.manifest;
    let page = inspection.page()?;
    let (run, digest) = (manifest.name(), manifest.digest().to_string());
    Ok(Answer::of(json!({ "run": run, "manifest_digest": digest, "page": page })).text(&page))
}

fn approver<'a>(config: &'a Config, identity: &'a identity::Identity) -> Approver<'a> {
    Approver {
        state_dir: &config.state_dir,
        identity: identity.signing(),
        coordinator: identity.coordinator().identity,
    }
}

fn approve_run(config: &Config, offered: &Offered, name: &str) -> Result<Answer, Failure> {
    if offered.rejected {
        let message = format!("this site has rejected {}", offered.offer.manifest.name());
        return Err(Failure::new("study.rejected", message, "a rejection is final for a run; ask for a new one"));
    }
    let person = person(name)?;
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let approver = approver(config, &identity);
    let approved = approve(&approver, &offered.offer, &config.data, &config.policy_text()?, &person)?;
    let run = offered.offer.manifest.name();
    let state = if approved.run.is_some() { "approved" } else { "waits for a second person" };
    let answer = Answer::of(json!({ "run": run, "state": state, "warnings": coded(&approved.warnings) }));
    let answer = warned(answer, &approved.warnings);
    Ok(answer.line(match approved.run {
        Some(_) => format!("Approved {run}; the cohort is frozen. A running agent takes part from now on."),
        None => format!("{} approves {run}. The policy asks for a second person before anything runs.", person.name),
    }))
}

fn person(name: &str) -> Result<Person, Failure> {
    let person = Person::here(name, Timestamp::now().as_second().max(0).cast_unsigned());
    if person.name.is_empty() {
        return Err(Failure::new("study.name", "the name is empty", "say who approves: --as NAME"));
    }
    Ok(person)
}

fn withdraw_run(config: &Config, name: &str, reason: &str) -> Result<Answer, Failure> {
    let run = approved(config, name)?;
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let person = Person::here("", Timestamp::now().as_second().max(0).cast_unsigned());
    withdraw(&run, identity.signing(), &person, reason)?;
    let run = run.manifest.name();
    Ok(Answer::of(json!({ "run": run, "state": "withdrawn" }))
        .line(format_args!("Withdrew {run}. Nothing of it is answered any more; what was summed before stays.")))
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
