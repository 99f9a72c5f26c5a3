//! `site-agent study ...`: look at what is asked, approve or reject it.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Subcommand;
use jiff::Timestamp;
use study::dictionary::VariableId;
use study::plan::Plan;
use study::protocol::Protocol;

use super::failure::Failure;
use crate::config::Config;
use crate::identity;
use crate::run::{Approver, Offered, approve, check, offers, read_policy, reject, runs};

#[derive(Debug, Subcommand)]
pub(super) enum StudyCommand {
    /// Offered and approved studies.
    List,
    /// What a study would compute here, in plain words; nothing is sent.
    Inspect {
        /// Name of the run, or its beginning.
        run: String,
    },
    /// Freeze the cohort and sign consent; a running agent then takes part.
    Approve {
        /// Name of the run, or its beginning.
        run: String,
    },
    /// Decline; the coordinator learns only that the site declined.
    Reject {
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
        StudyCommand::Inspect { run } => inspect(config, &find(config, run)?),
        StudyCommand::Approve { run } => approve_run(config, &find(config, run)?),
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
        _ => {
            Err(Failure::new("study.ambiguous", format!("`{name}` fits more than one study"), "give more of its name"))
        }
    }
}

fn list(config: &Config) -> Result<(), Failure> {
    for offered in offers(&config.state_dir)? {
        let sites = offered.offer.manifest.roster.len();
        let state = if offered.rejected { "rejected" } else { "waits for a decision" };
        println!("{}  {state}  {sites} sites  {}", offered.offer.manifest.name(), offered.protocol.title);
    }
    for run in runs(&config.state_dir)? {
        println!("{}  approved  {} sites  {}", run.manifest.name(), run.manifest.roster.len(), run.protocol.title);
    }
    Ok(())
}

fn inspect(config: &Config, offered: &Offered) -> Result<(), Failure> {
    let manifest = &offered.offer.manifest;
    let protocol = &offered.protocol;
    println!("{} ({})", protocol.title, manifest.name());
    println!("Question: {}", protocol.trial.question);
    println!("Protocol digest: {}", manifest.protocol);
    println!("Manifest digest: {}", manifest.digest());
    println!("Sites ({}); confirm each fingerprint by another channel:", manifest.roster.len());
    for member in manifest.roster.members() {
        println!("  {:<12} {:<40} {}", member.id, member.legal_name, member.identity.fingerprint());
    }
    println!("Columns read:");
    for variable in protocol.dictionary.variables() {
        println!("  {:<20} {}", variable.name, variable.label);
    }
    println!("Who counts:");
    for criterion in &protocol.eligibility {
        println!("  {:<40} {}", criterion.label, criterion.require);
    }
    println!("What leaves, always masked and added over all sites; first round:");
    for (kind, (times, words)) in first_round(protocol) {
        println!("  {kind:<16} {times} question(s), {words} number(s)");
    }
    println!("Then, per model, log likelihood, score and information at each step (and, for Cox, risk-set sums):");
    for analysis in &protocol.analyses {
        let models: Vec<&str> = analysis.models.iter().map(|m| m.name()).collect();
        println!("  {}: {}", analysis.outcomes.join(", "), models.join(", "));
        if !analysis.checks.zph.is_empty() {
            println!("    score and information of coefficients that change with time");
        }
        if let Some(width) = analysis.checks.concordance {
            println!("    patients by bins of the linear predictor ({width} wide), and by event time and bin");
        }
    }
    if let Some(table) = &protocol.baseline {
        let names: Vec<&str> =
            table.variables.iter().map(|id| protocol.dictionary.variable(*id).name.as_str()).collect();
        let weighted = if table.weighted { ", and the same weighted" } else { "" };
        println!("Once, by arm, counts of levels, and of each value of a number{weighted}: {}", names.join(", "));
    }
    for curve in &protocol.curves {
        let names: Vec<&str> = curve.weighted.iter().map(|w| if *w { "weighted" } else { "unweighted" }).collect();
        let outcomes = curve.outcomes.join(", ");
        println!("Once, who leaves in each cell of the time grid by arm and status: {outcomes}, {}", names.join(", "));
    }
    if let Some(bootstrap) = &protocol.bootstrap {
        let replicates = bootstrap.replicates;
        println!(
            "The same sums for {replicates} bootstrap replicates, whose case weights are drawn here and stay here"
        );
    }
    for scenario in &protocol.scenarios {
        let Some(imputation) = &scenario.imputation else { continue };
        let name = |id: &VariableId| protocol.dictionary.variable(*id).name.as_str();
        let names: Vec<&str> = imputation.variables.iter().map(name).collect();
        let (names, draws) = (names.join(", "), imputation.draws);
        println!("The same sums for {draws} imputations of {names}, which are drawn here and stay here");
    }
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let approver = approver(config, &identity);
    match check(&approver, &offered.offer, &read_policy(&config.policy_text()?)?) {
        Ok(_) => println!("This site's policy allows it."),
        Err(refusal) => println!("It cannot be approved here: {refusal}."),
    }
    Ok(())
}

/// Questions and words of the first round, by kind.
fn first_round(protocol: &Protocol) -> BTreeMap<&'static str, (usize, usize)> {
    let protocol = Arc::new(protocol.clone());
    let mut kinds = BTreeMap::new();
    for question in Plan::new(Arc::clone(&protocol)).ask().iter() {
        let entry: &mut (usize, usize) = kinds.entry(question.question.kind()).or_default();
        entry.0 += 1;
        entry.1 += question.words(&protocol);
    }
    kinds
}

fn approver<'a>(config: &'a Config, identity: &'a identity::Identity) -> Approver<'a> {
    Approver {
        state_dir: &config.state_dir,
        identity: identity.signing(),
        coordinator: identity.coordinator().identity,
    }
}

fn approve_run(config: &Config, offered: &Offered) -> Result<(), Failure> {
    if offered.rejected {
        let message = format!("this site has rejected {}", offered.offer.manifest.name());
        return Err(Failure::new("study.rejected", message, "a rejection is final for a run; ask for a new one"));
    }
    let identity = identity::load(&config.state_dir, Timestamp::now())?;
    let approved = approve(&approver(config, &identity), &offered.offer, &config.data, &config.policy_text()?)?;
    for warning in &approved.warnings {
        println!("warning: {warning}");
    }
    println!(
        "Approved {}; the cohort is frozen. A running agent takes part from now on.",
        approved.run.manifest.name()
    );
    Ok(())
}
