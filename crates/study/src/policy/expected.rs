//! What a statistician expects of a study's counts, and which models and rules would fail at such counts: before anybody is
//! asked to approve.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Policy, PolicyRefusal, Rule};
use crate::plan::{FitKey, Plan};
use crate::protocol::{Model, OutcomeKind, Protocol};

/// Expected counts of the main analysis, over all sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Analysed patients.
    pub patients: u64,
    /// Treated ones of them; half of them where nothing is said.
    pub treated: u64,
    /// Events of every outcome that is not named.
    pub events: Option<u64>,
    /// Events by name of the outcome, or `outcome:cause` where causes compete.
    pub events_of: BTreeMap<String, u64>,
    /// Hospitals of the roster.
    pub sites: Option<u32>,
}

/// Why expected counts cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectedError {
    /// Not `key=count`.
    #[error("`{0}` is no expected count")]
    Form(String),
    /// No such key, or no such outcome.
    #[error("`{0}` is no key of expected counts and no outcome of the protocol")]
    Unknown(String),
    /// No patients.
    #[error("the number of patients is missing")]
    Patients,
    /// More treated patients or events than patients.
    #[error("`{0}` is more than the patients")]
    Most(String),
}

impl ExpectedError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        "write counts over all sites, such as `--expect n=280,treated=130,sites=12,events=60`; `events.NAME=20` is of one outcome, \
         `events.NAME:CAUSE=8` of one cause"
    }
}

impl Expected {
    /// From pairs `key=count`.
    pub fn parse<'t>(pairs: impl IntoIterator<Item = &'t str>, protocol: &Protocol) -> Result<Expected, ExpectedError> {
        let (mut patients, mut treated, mut events, mut sites) = (None, None, None, None);
        let mut events_of = BTreeMap::new();
        for pair in pairs {
            let form = || ExpectedError::Form(pair.to_owned());
            let (key, count) = pair.split_once('=').ok_or_else(form)?;
            let count: u64 = count.trim().parse().map_err(|_| form())?;
            match key.trim() {
                "n" => patients = Some(count),
                "treated" => treated = Some(count),
                "events" => events = Some(count),
                "sites" => sites = Some(u32::try_from(count).map_err(|_| form())?),
                other => match other.strip_prefix("events.").filter(|name| is_outcome(name, protocol)) {
                    Some(name) => {
                        events_of.insert(name.to_owned(), count);
                    }
                    None => return Err(ExpectedError::Unknown(other.to_owned())),
                },
            }
        }
        let patients = patients.ok_or(ExpectedError::Patients)?;
        let expected = Expected { patients, treated: treated.unwrap_or(patients / 2), events, events_of, sites };
        let named = expected.events_of.iter().map(|(name, count)| (format!("events.{name}"), *count));
        let counts = [("treated".to_owned(), expected.treated), ("events".to_owned(), events.unwrap_or(0))];
        match counts.into_iter().chain(named).find(|(_, count)| *count > patients) {
            Some((key, _)) => Err(ExpectedError::Most(key)),
            None => Ok(expected),
        }
    }

    /// Events of an outcome, or of one of its causes; none where nothing is said of it.
    pub fn events(&self, outcome: &str, cause: Option<&str>) -> Option<u64> {
        let of_cause = cause.and_then(|cause| self.events_of.get(&format!("{outcome}:{cause}")));
        of_cause.or_else(|| self.events_of.get(outcome)).copied().or(self.events)
    }
}

fn is_outcome(name: &str, protocol: &Protocol) -> bool {
    let (outcome, cause) = name.split_once(':').map_or((name, None), |(outcome, cause)| (outcome, Some(cause)));
    match (protocol.outcome(outcome).map(|outcome| &outcome.kind), cause) {
        (Some(_), None) => true,
        (Some(OutcomeKind::Competing(competing)), Some(cause)) => competing.cause(cause).is_some(),
        _ => false,
    }
}

/// A model that has no estimate at the expected counts, or that a policy refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Foreseen {
    /// A rule of the policy.
    #[error("{0}")]
    Refused(PolicyRefusal),
    /// More coefficients than the data can tell apart.
    #[error("{model} has {} for {rows} {what}: no estimate, or one that means nothing", coefficients(*parameters))]
    TooMany {
        /// The model in words.
        model: String,
        /// Its coefficients.
        parameters: usize,
        /// Patients or events.
        rows: u64,
        /// Which of them.
        what: &'static str,
    },
    /// Nobody in an arm, or no event.
    #[error("{model} has nothing to compare: no {what}")]
    Nothing {
        /// The model in words.
        model: String,
        /// What there is none of.
        what: &'static str,
    },
}

fn coefficients(n: usize) -> String {
    if n == 1 { "1 coefficient".into() } else { format!("{n} coefficients") }
}

impl Foreseen {
    /// The rule, or the code of the failure that a model would end with.
    pub fn code(&self) -> &'static str {
        match self {
            Foreseen::Refused(refusal) => refusal.rule(),
            Foreseen::TooMany { .. } => "expect.too_many_columns",
            Foreseen::Nothing { .. } => "expect.nothing_to_compare",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Foreseen::Refused(refusal) => refusal.of_rule().advice(),
            Foreseen::TooMany { .. } => "declare fewer covariates or merge levels",
            Foreseen::Nothing { .. } => "leave the model out; report counts",
        }
    }
}

impl Policy {
    /// What would fail or be refused at the expected counts of the main analysis: every rule and every model at once.
    pub fn foresee(&self, protocol: &Arc<Protocol>, expected: &Expected) -> Vec<Foreseen> {
        let mut found: Vec<Foreseen> = self.refusals_of_protocol(protocol).into_iter().map(Foreseen::Refused).collect();
        if let Some(sites) = expected.sites.filter(|sites| *sites < self.minimum_sites) {
            let (got, vouched, minimum) = (sites as usize, false, self.minimum_sites);
            found.push(Foreseen::Refused(PolicyRefusal::Sites { got, vouched, minimum }));
        }
        if expected.patients < u64::from(self.minimum_patients) {
            let (scope, minimum) = (String::new(), self.minimum_patients);
            found.push(Foreseen::Refused(PolicyRefusal::Patients { scope, minimum }));
        }
        let plan = Plan::new(Arc::clone(protocol));
        for (key, _) in plan.main().fits() {
            found.extend(self.model(protocol, key, expected));
        }
        found
    }

    fn model(&self, protocol: &Protocol, key: &FitKey, expected: &Expected) -> Vec<Foreseen> {
        let parameters = key.terms.len();
        let model = key.in_words(protocol);
        let smaller_arm = expected.treated.min(expected.patients - expected.treated);
        if smaller_arm == 0 {
            return vec![Foreseen::Nothing { model, what: "patients in one of the arms" }];
        }
        let events = match (key.analysis, protocol.outcome(&key.outcome).map(|outcome| &outcome.kind)) {
            (None, _) | (_, None) => Some(smaller_arm),
            (Some(_), Some(OutcomeKind::Binary { .. })) => {
                expected.events(&key.outcome, None).map(|events| events.min(expected.patients - events))
            }
            (Some(_), Some(_)) => expected.events(&key.outcome, key.cause.as_deref()),
        };
        let penalised = key.model.is_some_and(Model::penalised);
        let mut found = Vec::new();
        match events {
            Some(0) if !penalised => {
                return vec![Foreseen::Nothing { model, what: "events, or nobody without" }];
            }
            Some(events) if events <= parameters as u64 && !penalised => {
                let what = if key.analysis.is_none() { "patients in the smaller arm" } else { "events" };
                found.push(Foreseen::TooMany { model: model.clone(), parameters, rows: events, what });
            }
            _ => {}
        }
        let needs = |minimum: u32| u64::from(minimum) * parameters as u64;
        if expected.patients < needs(self.rows_per_parameter) {
            let (model, minimum) = (model.clone(), self.rows_per_parameter);
            found.push(Foreseen::Refused(PolicyRefusal::RowsPerParameter { model, parameters, minimum }));
        }
        if events.is_some_and(|events| events < needs(self.events_per_parameter)) {
            let minimum = self.events_per_parameter;
            found.push(Foreseen::Refused(PolicyRefusal::EventsPerParameter { model, parameters, minimum }));
        }
        found
    }
}

impl Rule {
    /// What an author can do about a refusal before the study is offered.
    pub fn advice(self) -> &'static str {
        match self {
            Rule::MinimumSites => {
                "more hospitals, or a lower `minimum_sites` in every site's policy, which its people decide"
            }
            Rule::MinimumPatients => "wider criteria, or more hospitals",
            Rule::MinimumCell => "raise `minimum_cell` of [release], or merge rare levels",
            Rule::MinimumPair => "merge rare levels, or leave one of the two covariates out",
            Rule::RowsPerParameter | Rule::EventsPerParameter => "fewer covariates, or fewer levels",
            Rule::FinestGridDays => "widen `grid_days` of the outcome, such as 30.4375",
            Rule::MinimumLeavers => "raise `minimum_leavers` of [release]",
            Rule::Opening => "write `opening = \"results\"` in [release]",
            Rule::Curves => "write `curves = \"merged\"` in [release]",
            Rule::Variables => "leave the variable out, or ask the sites to allow it",
            Rule::MaximumRounds => "fewer replicates or models",
            Rule::MaximumRuns => "a new run needs the sites' people: tell them why",
            Rule::Differencing => "scenarios whose patients differ by none or by many",
            Rule::Approvals | Rule::ApprovalDays => "nothing: the sites' people decide",
        }
    }
}
