//! What a study would do here, for the people who decide: one page of plain words. Nothing is sent.

use std::fmt::Write;
use std::sync::Arc;

use proto::Offer;
use study::cohort::Cohort;
use study::dictionary::VariableId;
use study::evaluate::{EvaluateError, Evaluator};
use study::forecast::{Forecast, Foreseen};
use study::plan::Plan;
use study::policy::{Policy, PolicyRefusal, Rule, When};
use study::protocol::Protocol;
use study::question::Question;
use study::word;

use super::approve::{self, ApproveError, Approver};
use super::folder::FolderError;
use super::person::Person;
use crate::source::Loaded;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The plan cannot be run on invented patients.
    #[error("the protocol cannot be run on invented patients")]
    Forecast(#[source] EvaluateError),
    /// The questions of the first round cannot be answered from this site's data.
    #[error("the first round cannot be answered from this file")]
    Preview(#[source] EvaluateError),
    /// The site's memory.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl InspectError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            InspectError::Forecast(_) => "inspect.forecast",
            InspectError::Preview(_) => "inspect.preview",
            InspectError::Folder(e) => e.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            InspectError::Forecast(_) => "ask the study's statistician to look at ranges and units in the dictionary",
            InspectError::Preview(_) => "check ranges and units of the file",
            InspectError::Folder(e) => e.hint(),
        }
    }
}

/// An offered study with what the page needs.
#[derive(Debug)]
pub struct Inspection<'a> {
    /// The site.
    pub approver: Approver<'a>,
    /// The offer.
    pub offer: &'a Offer,
    /// Its protocol.
    pub protocol: &'a Protocol,
    /// The site's policy.
    pub policy: &'a Policy,
    /// Who has approved already, where the policy asks for two.
    pub people: Vec<Person>,
    /// This site's own rows, for a preview.
    pub preview: Option<&'a Loaded>,
}

impl Inspection<'_> {
    /// The whole page.
    pub fn page(&self) -> Result<String, InspectError> {
        let mut page = String::new();
        let protocol = Arc::new(self.protocol.clone());
        self.head(&mut page);
        self.data(&mut page);
        first_round(&mut page, &protocol);
        later_rounds(&mut page, &protocol)?;
        if let Some(loaded) = self.preview {
            self.preview(&mut page, &protocol, &loaded.cohort)?;
        }
        self.verdicts(&mut page)?;
        Ok(page)
    }

    fn head(&self, page: &mut String) {
        let manifest = &self.offer.manifest;
        line(page, format_args!("{} ({})", self.protocol.title, manifest.name()));
        line(page, format_args!("Question: {}", self.protocol.trial.question));
        line(page, format_args!("Protocol digest: {}", manifest.protocol));
        line(page, format_args!("Manifest digest: {}", manifest.digest()));
        line(page, format_args!("Sites ({}); confirm each fingerprint by another channel:", manifest.roster.len()));
        for member in manifest.roster.members() {
            let vouched = match (&self.policy.trusted_sites, self.policy.vouches_for(member)) {
                (None, _) => "",
                (Some(_), true) => "  vouched for",
                (Some(_), false) => "  NOT vouched for",
            };
            let fingerprint = member.identity.fingerprint();
            line(page, format_args!("  {:<12} {:<40} {fingerprint}{vouched}", member.id, member.legal_name));
        }
        for person in &self.people {
            line(page, format_args!("Approved by {} ({}), as the first of two people.", person.name, person.account));
        }
    }

    fn data(&self, page: &mut String) {
        line(page, format_args!("\nColumns read:"));
        for variable in self.protocol.dictionary.variables() {
            line(page, format_args!("  {:<20} {}", variable.name, variable.label));
        }
        line(page, format_args!("Who counts:"));
        for criterion in &self.protocol.eligibility {
            line(page, format_args!("  {:<40} {}", criterion.label, criterion.require));
        }
        for scenario in &self.protocol.scenarios {
            line(page, format_args!("  and once more for scenario `{}`: {}", scenario.name, scenario.label));
        }
    }

    /// This site's own answers to the questions of the first round that count patients. They leave only under masks.
    fn preview(&self, page: &mut String, protocol: &Arc<Protocol>, cohort: &Cohort) -> Result<(), InspectError> {
        let minimum = f64::from(self.policy.minimum_cell);
        line(page, format_args!("\nThis site's own counts in round 1 (the study opens sums over all sites alone;"));
        line(page, format_args!("* marks a count from 1 to {} here):", self.policy.minimum_cell.saturating_sub(1)));
        let evaluator = Evaluator::new(protocol, cohort, self.offer.manifest.roster.len(), false);
        for asked in Plan::new(Arc::clone(protocol)).ask().iter().filter(|asked| asked.view.scenario.is_none()) {
            let words = evaluator.answer(asked).map_err(InspectError::Preview)?;
            let counts = word::read(&words, self.offer.manifest.roster.len());
            let shown = |n: &f64| if *n > 0.0 && *n < minimum { format!("{n}*") } else { format!("{n}") };
            for (label, values) in rows(&asked.question, protocol, &counts) {
                let values: Vec<String> = values.iter().map(shown).collect();
                line(page, format_args!("  {label:<48} {}", values.join("  ")));
            }
        }
        Ok(())
    }

    fn verdicts(&self, page: &mut String) -> Result<(), InspectError> {
        line(page, format_args!("\nThis site's policy, rule by rule:"));
        for rule in Rule::ALL {
            let verdict = match self.verdict(rule)? {
                Some(Ok(())) => "holds".to_owned(),
                Some(Err(refusal)) => format!("REFUSES: {refusal}"),
                None => format!("is checked {}", rule.when().words()),
            };
            line(page, format_args!("  {:<28} {verdict}", rule.id()));
            line(page, format_args!("  {:<28} {}", "", rule.sentence()));
        }
        match approve::check(&self.approver, self.offer, self.policy) {
            Ok(_) => line(page, format_args!("Nothing that can be said now stands against an approval.")),
            Err(ApproveError::Policy(_)) => line(page, format_args!("It cannot be approved here.")),
            Err(other) => line(page, format_args!("It cannot be approved here: {other}.")),
        }
        Ok(())
    }

    /// What can be said of a rule now; none when it needs the file or the first round.
    fn verdict(&self, rule: Rule) -> Result<Option<Result<(), PolicyRefusal>>, InspectError> {
        if rule.when() == When::BeforeApproval {
            return Ok(Some(self.policy.check_rule(rule, &self.offer.manifest, self.protocol)));
        }
        let Some(loaded) = self.preview else { return Ok(None) };
        if !matches!(rule, Rule::MaximumRuns | Rule::Differencing) {
            return Ok(None);
        }
        let (run, earlier) = approve::remembered(self.approver.state_dir, self.offer, self.protocol, loaded)?;
        Ok(Some(match rule {
            Rule::MaximumRuns => self.policy.check_runs(&run, &earlier),
            _ => self.policy.check_nearness(&run, &earlier),
        }))
    }
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(page, "{text}").expect("a text grows");
}

/// Every question of the first round by name; those of scenarios are the same again.
fn first_round(page: &mut String, protocol: &Arc<Protocol>) {
    let plan = Plan::new(Arc::clone(protocol));
    line(page, format_args!("\nRound 1 asks; every number leaves under masks and is opened as a sum over all sites:"));
    for asked in plan.ask().iter().filter(|asked| asked.view.scenario.is_none()) {
        let (kind, words) = (asked.question.kind(), asked.words(protocol));
        let subject = subject(&asked.question, protocol);
        line(page, format_args!("  {kind:<16} {words:>6} numbers  {}{subject}", asked.question.sentence()));
    }
    let more = plan.ask().iter().filter(|asked| asked.view.scenario.is_some()).count();
    if more > 0 {
        line(page, format_args!("  and {more} such questions about the patients of the scenarios"));
    }
}

fn later_rounds(page: &mut String, protocol: &Arc<Protocol>) -> Result<(), InspectError> {
    let forecast = Forecast::of(protocol).map_err(InspectError::Forecast)?;
    line(
        page,
        format_args!("\nLater rounds ask, as a run on invented patients shows (it took {} rounds;", forecast.rounds),
    );
    line(page, format_args!("real ones differ where a model needs more or fewer steps):"));
    for foreseen in forecast.kinds.iter().filter(|foreseen| foreseen.round > 1) {
        let Foreseen { kind, sentence, repeated, questions, words: (least, most), .. } = foreseen;
        let shape = if least == most { format!("{most}") } else { format!("{least} to {most}") };
        let often = if *repeated { "about " } else { "" };
        line(
            page,
            format_args!("  {kind:<22} {often}{questions} times {shape} numbers, from round {}", foreseen.round),
        );
        line(page, format_args!("  {:<22} {sentence}", ""));
    }
    if let Some(bootstrap) = &protocol.bootstrap {
        let n = bootstrap.replicates;
        line(
            page,
            format_args!("  of these for {n} bootstrap replicates, whose case weights are drawn here and stay here"),
        );
    }
    for scenario in &protocol.scenarios {
        let Some(imputation) = &scenario.imputation else { continue };
        let name = |id: &VariableId| protocol.dictionary.variable(*id).name.as_str();
        let names = imputation.variables.iter().map(name).collect::<Vec<_>>().join(", ");
        let n = imputation.draws;
        line(page, format_args!("  of these for {n} imputations of {names}, which are drawn here and stay here"));
    }
    openers(page, protocol, &forecast);
    Ok(())
}

/// Who would read how many numbers of which kind under the study's opening.
fn openers(page: &mut String, protocol: &Protocol, forecast: &Forecast) {
    let opening = protocol.release.opening;
    let kinds = &forecast.kinds;
    let by_coordinator: usize = kinds.iter().map(|foreseen| foreseen.opened.0).sum();
    let by_sites: usize = kinds.iter().map(|foreseen| foreseen.opened.1).sum();
    line(page, format_args!("Who can open the sums, under opening = \"{}\":", opening.name()));
    if by_coordinator == 0 {
        line(page, format_args!("  the coordinator: no number, only the results that all sites sign"));
    } else {
        line(page, format_args!("  the coordinator: about {by_coordinator} numbers over all sites"));
        for Foreseen { kind, opened: (numbers, _), .. } in kinds.iter().filter(|foreseen| foreseen.opened.0 > 0) {
            line(page, format_args!("    {numbers:>8} of {kind}"));
        }
    }
    let sealed = kinds.iter().filter(|foreseen| foreseen.opened.1 > 0).map(|foreseen| foreseen.kind);
    let sealed = sealed.collect::<Vec<_>>().join(", ");
    line(page, format_args!("  the sites alone: about {by_sites} numbers of {sealed}"));
    let variables = protocol.dictionary.variables().len();
    line(
        page,
        format_args!(
            "  Each patient has {variables} values in the data dictionary: the more numbers beside patients x"
        ),
    );
    line(
        page,
        format_args!(
            "  {variables}, the more can be worked out. The results say both; docs/threat-model.md says what was tried."
        ),
    );
}

/// What a question is about, where its kind does not say.
fn subject(question: &Question, protocol: &Protocol) -> String {
    match question {
        Question::Levels { variable } | Question::Missingness { variable } => {
            format!(": {}", protocol.dictionary.variable(*variable).name)
        }
        Question::Events { outcome } => format!(": {}", protocol.outcomes[*outcome].name),
        _ => String::new(),
    }
}

/// Counts of patients with their names; none for sums of other kinds.
fn rows(question: &Question, protocol: &Protocol, counts: &[f64]) -> Vec<(String, Vec<f64>)> {
    match question {
        Question::Flow => {
            let steps = counts.chunks(3).enumerate().map(|(step, counts)| {
                let label = match step.checked_sub(1).map(|i| protocol.eligibility.get(i)) {
                    None => "rows of the file (control, treated, neither)",
                    Some(Some(criterion)) => &criterion.label,
                    // a scenario may trim, the main analysis shown here does not
                    Some(None) => "in one of the two arms",
                };
                (label.to_owned(), counts.to_vec())
            });
            steps.collect()
        }
        Question::Levels { variable } => {
            let variable = protocol.dictionary.variable(*variable);
            let (control, treated) = counts.split_at(counts.len() / 2);
            let labels = variable.levels().iter().map(String::as_str).chain(["missing"]);
            let arms = control.iter().zip(treated).map(|(control, treated)| vec![*control, *treated]);
            labels
                .zip(arms)
                .map(|(level, arms)| (format!("{} {level} (control, treated)", variable.name), arms))
                .collect()
        }
        Question::Missingness { variable } => {
            let name = &protocol.dictionary.variable(*variable).name;
            vec![(format!("{name} missing (control, treated)"), counts.to_vec())]
        }
        Question::Events { outcome } => {
            let name = &protocol.outcomes[*outcome].name;
            vec![
                (format!("{name} censored (control, treated)"), vec![counts[0], counts[2]]),
                (format!("{name} with event (control, treated)"), vec![counts[1], counts[3]]),
                (format!("{name} missing, beyond the horizon"), vec![counts[4], counts[5]]),
            ]
        }
        _ => Vec::new(),
    }
}
