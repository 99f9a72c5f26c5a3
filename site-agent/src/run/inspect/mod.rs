//! What a study would do here, for the people who decide. Nothing is sent.
//!
//! [`Inspection::findings`] finds everything that there is to say; the command line prints it as one page of plain words,
//! the site's pages show the same.

mod own;
mod text;

use std::sync::Arc;

use proto::Offer;
use secagg::Digest;
use study::dictionary::VariableId;
use study::evaluate::EvaluateError;
use study::forecast::Forecast;
use study::plan::Plan;
use study::policy::{BadValues, Policy, PolicyRefusal, Rule, When};
use study::protocol::{Criterion, Protocol, ReleaseRules};
use study::question::Question;

use super::approve::{self, ApproveError, Approver};
use super::folder::FolderError;
use super::person::Person;
use crate::source::{Loaded, Warning};

pub use own::{Counted, OwnCount, own_counts};
pub(crate) use text::WORD_BYTES;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
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
            InspectError::Preview(_) => "inspect.preview",
            InspectError::Folder(e) => e.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            InspectError::Preview(_) => "check ranges and units of the file",
            InspectError::Folder(e) => e.hint(),
        }
    }
}

/// An offered study with what has to be known to look at it.
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

/// All that there is to say about an offered study before a decision.
#[derive(Debug)]
pub struct Findings {
    /// Title of the study.
    pub title: String,
    /// Name of the run.
    pub name: String,
    /// The trial's question.
    pub question: String,
    /// Digest of the protocol.
    pub protocol: Digest,
    /// Digest of the manifest.
    pub manifest: Digest,
    /// Seconds since 1970 when the manifest ends.
    pub expires: u64,
    /// The sites of the roster.
    pub members: Vec<MemberFound>,
    /// Who has approved already.
    pub people: Vec<Person>,
    /// Columns that are read: name and meaning.
    pub columns: Vec<(String, String)>,
    /// Who counts: meaning and expression of each criterion.
    pub criteria: Vec<(String, String)>,
    /// Scenarios, which ask the same about other patients: name and meaning.
    pub scenarios: Vec<(String, String)>,
    /// Questions of the first round about the main analysis.
    pub first: Vec<AskedFirst>,
    /// How many more the first round asks about the patients of scenarios.
    pub first_of_scenarios: usize,
    /// What later rounds ask.
    pub forecast: Arc<Forecast>,
    /// What is drawn at random at this site, as sentences without their end.
    pub draws: Vec<String>,
    /// Who opens the sums, and the floors of what is released.
    pub release: ReleaseRules,
    /// Counts from 1 to below this are small.
    pub minimum_cell: u32,
    /// This site's own counts in the first round, with a preview.
    pub own: Option<Vec<OwnCount>>,
    /// What was noticed in the site's file, with a preview.
    pub warnings: Vec<Warning>,
    /// What becomes of values that do not fit the dictionary.
    pub bad_values: BadValues,
    /// The site's policy, rule by rule.
    pub verdicts: Vec<(Rule, Verdict)>,
    /// What stands against an approval, as far as can be said now.
    pub against: Option<Against>,
}

/// A criterion as it stands in the protocol, and whether it chooses patients by what happens to them later.
fn expression(criterion: &Criterion, protocol: &Protocol) -> String {
    let later = criterion.condition.variables().into_iter().any(|id| protocol.lies_after_time_zero(id));
    format!("{}{}", criterion.require, if later { "  (READS WHAT HAPPENS AFTER TIME ZERO)" } else { "" })
}

/// A site of the roster.
#[derive(Debug)]
pub struct MemberFound {
    /// Its id.
    pub id: String,
    /// Its legal name.
    pub legal_name: String,
    /// Fingerprint of its identity key.
    pub fingerprint: String,
    /// Does this site's policy vouch for it? None where the policy names nobody.
    pub vouched: Option<bool>,
}

/// A question of the first round.
#[derive(Debug)]
pub struct AskedFirst {
    /// Its kind.
    pub kind: &'static str,
    /// How many numbers answer it.
    pub words: usize,
    /// In plain words.
    pub sentence: String,
}

/// What can be said of a rule now.
#[derive(Debug)]
pub enum Verdict {
    /// The study keeps it.
    Holds,
    /// The study breaks it.
    Refuses(PolicyRefusal),
    /// It needs the file or the first round.
    Later,
}

/// Why a study cannot be approved.
#[derive(Debug)]
pub enum Against {
    /// A rule that is among the verdicts.
    Policy,
    /// Something else.
    Other(ApproveError),
}

impl Inspection<'_> {
    /// What later rounds ask, as a run on invented patients shows. It takes the longest of all here and depends on the
    /// protocol alone.
    pub fn forecast(&self) -> Forecast {
        Forecast::of(self.protocol)
    }

    /// Everything that there is to say.
    pub fn findings(&self, forecast: Arc<Forecast>) -> Result<Findings, InspectError> {
        let (manifest, protocol) = (&self.offer.manifest, Arc::new(self.protocol.clone()));
        let (first, first_of_scenarios) = first_round(&protocol);
        let own = self.preview.map(|loaded| own::counts(&protocol, &loaded.cohort, manifest.roster.len())).transpose();
        let warnings = self.preview.map(|loaded| loaded.warnings.clone());
        Ok(Findings {
            title: self.protocol.title.clone(),
            name: manifest.name(),
            question: self.protocol.trial.question.clone(),
            protocol: manifest.protocol,
            manifest: manifest.digest(),
            expires: manifest.expires,
            members: self.members(),
            people: self.people.clone(),
            columns: protocol.dictionary.variables().iter().map(|v| (v.name.clone(), v.label.clone())).collect(),
            criteria: protocol.eligibility.iter().map(|c| (c.label.clone(), expression(c, &protocol))).collect(),
            scenarios: protocol.scenarios.iter().map(|s| (s.name.clone(), s.label.clone())).collect(),
            first,
            first_of_scenarios,
            forecast,
            draws: draws(&protocol),
            release: protocol.release,
            minimum_cell: self.policy.minimum_cell,
            own: own.map_err(InspectError::Preview)?,
            warnings: warnings.unwrap_or_default(),
            bad_values: self.policy.bad_values,
            verdicts: Rule::ALL
                .into_iter()
                .map(|rule| Ok((rule, self.verdict(rule)?)))
                .collect::<Result<_, InspectError>>()?,
            against: self.against(),
        })
    }

    /// The findings as one page of plain words.
    pub fn page(&self) -> Result<String, InspectError> {
        Ok(text::page(&self.findings(Arc::new(self.forecast()))?))
    }

    fn members(&self) -> Vec<MemberFound> {
        let members = self.offer.manifest.roster.members().iter();
        let found = members.map(|member| MemberFound {
            id: member.id.clone(),
            legal_name: member.legal_name.clone(),
            fingerprint: member.identity.fingerprint(),
            vouched: self.policy.trusted_sites.as_ref().map(|_| self.policy.vouches_for(member)),
        });
        found.collect()
    }

    fn verdict(&self, rule: Rule) -> Result<Verdict, InspectError> {
        let checked = match (rule, self.preview) {
            _ if rule.when() == When::BeforeApproval => {
                self.policy.check_rule(rule, &self.offer.manifest, self.protocol)
            }
            (Rule::MaximumRuns | Rule::Differencing, Some(loaded)) => {
                let (run, earlier) = approve::remembered(&self.approver, self.offer, self.protocol, loaded)?;
                if rule == Rule::MaximumRuns {
                    self.policy.check_runs(&run, &earlier)
                } else {
                    self.policy.check_nearness(&run, &earlier)
                }
            }
            _ => return Ok(Verdict::Later),
        };
        Ok(checked.map_or_else(Verdict::Refuses, |()| Verdict::Holds))
    }

    fn against(&self) -> Option<Against> {
        match approve::check(&self.approver, self.offer, self.policy) {
            Ok(_) => None,
            Err(ApproveError::Policy(_)) => Some(Against::Policy),
            Err(other) => Some(Against::Other(other)),
        }
    }
}

impl Findings {
    /// Is a count small, by the site's own policy? Then it may say something about single patients.
    pub fn is_small(&self, count: f64) -> bool {
        count > 0.0 && count < f64::from(self.minimum_cell)
    }
}

/// Every question of the first round; of those of scenarios, which are the same again, their number.
fn first_round(protocol: &Arc<Protocol>) -> (Vec<AskedFirst>, usize) {
    let plan = Plan::new(Arc::clone(protocol));
    let (scenarios, main): (Vec<_>, Vec<_>) = plan.ask().iter().partition(|asked| asked.view.scenario.is_some());
    let main = main.into_iter().map(|asked| AskedFirst {
        kind: asked.question.kind(),
        words: asked.words(protocol),
        sentence: format!("{}{}", asked.question.sentence(), subject(&asked.question, protocol)),
    });
    (main.collect(), scenarios.len())
}

/// What is drawn at this site and stays here.
fn draws(protocol: &Protocol) -> Vec<String> {
    let bootstrap = protocol.bootstrap.iter().map(|bootstrap| {
        format!("{} bootstrap replicates, whose case weights are drawn here and stay here", bootstrap.replicates)
    });
    let imputations = protocol.scenarios.iter().filter_map(|scenario| scenario.imputation.as_ref()).map(|imputation| {
        let name = |id: &VariableId| protocol.dictionary.variable(*id).name.as_str();
        let names = imputation.variables.iter().map(name).collect::<Vec<_>>().join(", ");
        format!("{} imputations of {names}, which are drawn here and stay here", imputation.draws)
    });
    bootstrap.chain(imputations).collect()
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
