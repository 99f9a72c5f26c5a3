//! What the counts of the first round decide, before any model starts.
//!
//! The counts are totals over all sites, opened to every party of the run; those of competing causes follow one round
//! later. A site that refuses keeps the models from
//! starting; it cannot take the counts of the first round back.

use std::collections::BTreeSet;

use super::{Policy, PolicyRefusal};
use crate::dictionary::VariableId;
use crate::nearness::{Analysed, Minimum, Place, near};
use crate::plan::{Branch, Facts, FitKey, FitOutcome, Plan};
use crate::protocol::{OutcomeKind, Protocol};
use crate::term::Term;

/// One analysis of the run with what its first round opened.
struct Opened<'p> {
    /// For messages: empty, or the scenario.
    scope: String,
    protocol: &'p Protocol,
    facts: &'p Facts,
    /// Models that have not failed on these counts alone: those ask nothing.
    models: Vec<&'p FitKey>,
}

impl<'p> Opened<'p> {
    /// Every analysis of a run that has begun, rows before trimming as well.
    fn all(plan: &'p Plan) -> Vec<Opened<'p>> {
        let mut all = Vec::new();
        let scenarios = plan.scenarios().map(|(s, branch)| (format!("scenario `{}`", s.name), branch));
        for (name, branch) in std::iter::once((String::new(), plan.main())).chain(scenarios) {
            let scope = if name.is_empty() { String::new() } else { format!("{name}: ") };
            if let Some(trimming) = branch.trimming()
                && let Some(facts) = trimming.facts()
            {
                let scope = format!("{name} before trimming: ");
                all.push(Opened { scope, protocol: trimming.protocol(), facts, models: vec![trimming.key()] });
            }
            if let Some(facts) = branch.facts() {
                // every draw of missing values has the same models
                let drawn = branch.imputation().and_then(|imputation| imputation.draws().first());
                let fits = branch.fits().chain(drawn.into_iter().flat_map(Branch::fits));
                let alive = fits.filter(|(_, outcome)| !matches!(outcome, Some(FitOutcome::Failed(_))));
                let models = alive.map(|(key, _)| key).collect();
                all.push(Opened { scope, protocol: branch.protocol(), facts, models });
            }
        }
        all
    }
}

impl Policy {
    /// Every analysis whose first round is opened: patients, cells, pairs, parameters; and the differences between them.
    pub fn check_opened(&self, plan: &Plan) -> Result<(), PolicyRefusal> {
        self.refusals_of_opened(plan).into_iter().next().map_or(Ok(()), Err)
    }

    /// The same, and all that refuses at once.
    pub fn refusals_of_opened(&self, plan: &Plan) -> Vec<PolicyRefusal> {
        let mut refusals = Vec::new();
        for opened in &Opened::all(plan) {
            if opened.facts.analysed() < u64::from(self.minimum_patients) {
                let scope = opened.scope.clone();
                refusals.push(PolicyRefusal::Patients { scope, minimum: self.minimum_patients });
            }
            refusals.extend(self.small_cells(opened));
            refusals.extend(self.small_pairs(opened));
            refusals.extend(opened.models.iter().filter_map(|key| self.check_parameters(opened, key).err()));
        }
        refusals.extend(self.check_differences(plan).err());
        refusals
    }

    fn small(&self, count: u64) -> bool {
        (1..u64::from(self.minimum_cell)).contains(&count)
    }

    fn small_cells(&self, opened: &Opened<'_>) -> Vec<PolicyRefusal> {
        let small = cells(opened).filter(|(count, _)| self.small(*count));
        let refusal = |place: String| PolicyRefusal::Cell { place, minimum: self.minimum_cell };
        small.map(|(_, place)| refusal(format!("{}{}", opened.scope, place()))).collect()
    }

    /// All cells of the table of two covariates, those of the reference levels as well: they follow by subtraction.
    fn small_pairs(&self, opened: &Opened<'_>) -> Vec<PolicyRefusal> {
        let small = |n: u64| (1..u64::from(self.minimum_pair)).contains(&n);
        let (protocol, facts) = (opened.protocol, opened.facts);
        let mut variables: Vec<(VariableId, VariableId)> =
            facts.pairs.keys().filter_map(|(a, b)| Some((level(a)?.0, level(b)?.0))).collect();
        variables.dedup();
        let mut refusals = Vec::new();
        for (a, b) in variables {
            let table = Crossed::new(facts, protocol, a, b);
            for (i, row) in table.0.iter().enumerate() {
                for (j, _) in row.iter().enumerate().filter(|(_, n)| small(**n)) {
                    let one = format!("{}{}", opened.scope, level_name(protocol, a, i));
                    let other = level_name(protocol, b, j);
                    refusals.push(PolicyRefusal::Pair { one, other, minimum: self.minimum_pair });
                }
            }
        }
        refusals
    }

    fn check_parameters(&self, opened: &Opened<'_>, key: &FitKey) -> Result<(), PolicyRefusal> {
        let parameters = key.terms.len();
        let model = || format!("{}{}", opened.scope, key.in_words(opened.protocol));
        let needs = |minimum: u32| u64::from(minimum) * parameters as u64;
        if opened.facts.analysed() < needs(self.rows_per_parameter) {
            let minimum = self.rows_per_parameter;
            return Err(PolicyRefusal::RowsPerParameter { model: model(), parameters, minimum });
        }
        if events(opened, key) < needs(self.events_per_parameter) {
            let minimum = self.events_per_parameter;
            return Err(PolicyRefusal::EventsPerParameter { model: model(), parameters, minimum });
        }
        Ok(())
    }

    /// The analyses of one run against each other: sums over two sets of patients that differ by one patient give that
    /// patient's values.
    pub fn check_differences(&self, plan: &Plan) -> Result<(), PolicyRefusal> {
        if self.allow_differencing {
            return Ok(());
        }
        let all = Opened::all(plan);
        let sets: Vec<(String, [u64; 2])> = all.iter().flat_map(row_sets).collect();
        for (i, (one, a)) in sets.iter().enumerate() {
            for (other, b) in &sets[i + 1..] {
                if self.small(a[0].abs_diff(b[0])) || self.small(a[1].abs_diff(b[1])) {
                    let (one, other) = (one.clone(), other.clone());
                    return Err(PolicyRefusal::NearScenario { one, other, minimum: self.minimum_cell });
                }
            }
        }
        self.check_events(&all)
    }

    /// Events of the models of one analysis against each other, where several outcomes are made of one column. A model tells
    /// how many there are, whatever the release hides. Those of two analyses are hidden in the release.
    fn check_events(&self, all: &[Opened<'_>]) -> Result<(), PolicyRefusal> {
        let minimum = Minimum::new(self.minimum_cell, self.minimum_leavers);
        for opened in all {
            let modelled = |name: &String| opened.models.iter().any(|key| key.outcome == *name);
            let outcomes = opened.protocol.outcomes.iter().enumerate().filter(|(_, o)| modelled(&o.name));
            let outcomes = outcomes.map(|(index, _)| index).collect();
            let analysed = Analysed { protocol: opened.protocol, facts: opened.facts, outcomes };
            let name = |(_, outcome): Place| format!("{}`{}`", opened.scope, opened.protocol.outcomes[outcome].name);
            if let Some((one, other)) = near(&[analysed], minimum).first() {
                let (one, other, minimum) = (name(*one), name(*other), self.minimum_cell);
                return Err(PolicyRefusal::NearEvents { one, other, minimum });
            }
        }
        Ok(())
    }
}

/// The sets of patients that sums of an analysis are about, with their size by arm: all of them, and those with a value of
/// the outcome of a model.
fn row_sets(opened: &Opened<'_>) -> Vec<(String, [u64; 2])> {
    let scope = match opened.scope.trim_end_matches(": ") {
        "" => "the main analysis".to_owned(),
        scenario => scenario.to_owned(),
    };
    let last = opened.facts.flow.last().copied().unwrap_or_default();
    let whole = [last.control, last.treated];
    let outcomes: BTreeSet<&str> = opened.models.iter().map(|key| key.outcome.as_str()).collect();
    let of_outcome = |name: &str| {
        let index = opened.protocol.outcomes.iter().position(|outcome| outcome.name == name)?;
        let arms = opened.facts.arms_with(opened.protocol, index).filter(|arms| *arms != whole)?;
        Some((format!("`{name}` in {scope}"), arms))
    };
    let mut sets: Vec<_> = outcomes.into_iter().filter_map(of_outcome).collect();
    sets.insert(0, (scope, whole));
    sets
}

/// Every count that a model tells of, so that no floor of the release hides it, with its name: the arms, levels of
/// covariates, effect modifiers and binary outcomes of models, who has a value of an outcome, and events.
fn cells<'o>(opened: &'o Opened<'_>) -> impl Iterator<Item = (u64, Box<dyn Fn() -> String + 'o>)> {
    type Cell<'o> = (u64, Box<dyn Fn() -> String + 'o>);
    let (protocol, facts) = (opened.protocol, opened.facts);
    let arms = ["control arm", "treated arm"];
    let mut cells: Vec<Cell<'o>> = Vec::new();
    let last = facts.flow.last().copied().unwrap_or_default();
    for (count, arm) in [last.control, last.treated].into_iter().zip(arms) {
        cells.push((count, Box::new(move || format!("analysed patients, {arm}"))));
    }
    for id in variables_of_models(opened) {
        let Some(by_arm) = facts.levels.get(&id) else { continue };
        for (arm, counts) in arms.into_iter().zip(by_arm) {
            // the last of them counts those without a value
            for (level, count) in counts.iter().enumerate().take(counts.len() - 1) {
                cells.push((*count, Box::new(move || format!("{}, {arm}", level_name(protocol, id, level)))));
            }
        }
    }
    let modelled: BTreeSet<&str> = opened.models.iter().map(|key| key.outcome.as_str()).collect();
    for (index, outcome) in protocol.outcomes.iter().enumerate().filter(|(_, o)| modelled.contains(o.name.as_str())) {
        for (count, arm) in facts.arms_with(protocol, index).into_iter().flatten().zip(arms) {
            cells.push((count, Box::new(move || format!("`{}` known, {arm}", outcome.name))));
        }
    }
    for (index, events) in &facts.events {
        let name = &protocol.outcomes[*index].name;
        for (count, arm) in events.events.into_iter().zip(arms) {
            cells.push((count, Box::new(move || format!("`{name}` with event, {arm}"))));
        }
    }
    for (index, causes) in &facts.causes {
        let OutcomeKind::Competing(competing) = &protocol.outcomes[*index].kind else { continue };
        let name = &protocol.outcomes[*index].name;
        for (cause, number) in competing.causes.iter().zip(1..) {
            for (count, arm) in causes.events(number).into_iter().zip(arms) {
                cells.push((count, Box::new(move || format!("`{name}` = {}, {arm}", cause.name))));
            }
        }
    }
    cells.into_iter()
}

/// Variables of the columns and of the binary outcomes of all models that start.
fn variables_of_models(opened: &Opened<'_>) -> BTreeSet<VariableId> {
    let columns = opened.models.iter().flat_map(|key| key.terms.iter().flat_map(Term::variables));
    let outcomes = opened.models.iter().filter_map(|key| match opened.protocol.outcome(&key.outcome)?.kind {
        OutcomeKind::Binary { variable } => Some(variable),
        OutcomeKind::TimeToEvent(_) | OutcomeKind::Competing(_) => None,
    });
    columns.chain(outcomes).collect()
}

fn level_name(protocol: &Protocol, id: VariableId, level: usize) -> String {
    let variable = protocol.dictionary.variable(id);
    match variable.levels().get(level) {
        Some(name) => format!("`{}` = {name}", variable.name),
        None => format!("`{}` missing", variable.name),
    }
}

fn level(term: &Term) -> Option<(VariableId, usize)> {
    match term {
        Term::Level(id, level) => Some((*id, *level)),
        Term::Intercept | Term::Treatment | Term::Number(_) | Term::Product(..) => None,
    }
}

/// Patients by the levels of two covariates, rows those of the first. Where missing values are imputed, the cells of the
/// reference levels hold them as well; otherwise no model starts where one is missing.
struct Crossed(Vec<Vec<u64>>);

impl Crossed {
    fn new(facts: &Facts, protocol: &Protocol, a: VariableId, b: VariableId) -> Crossed {
        let margin = |id: VariableId| -> Vec<u64> {
            let levels = protocol.dictionary.variable(id).levels().len();
            let by_arm = facts.levels.get(&id);
            (0..levels).map(|l| by_arm.map_or(0, |[control, treated]| control[l] + treated[l])).collect()
        };
        let (rows, columns) = (margin(a), margin(b));
        let mut table = vec![vec![0; columns.len()]; rows.len()];
        for ((one, other), count) in &facts.pairs {
            if let (Some((x, i)), Some((y, j))) = (level(one), level(other))
                && (x, y) == (a, b)
            {
                table[i][j] = *count;
            }
        }
        for (i, row) in table.iter_mut().enumerate().skip(1) {
            row[0] = rows[i].saturating_sub(row[1..].iter().sum());
        }
        for j in 0..columns.len() {
            table[0][j] = columns[j].saturating_sub(table[1..].iter().map(|row| row[j]).sum());
        }
        Crossed(table)
    }
}

/// Events behind a model: of a Cox model those of its outcome or cause; of a logistic one the rarer value of the response.
/// Events of a cause are opened one round later, and until then no model of one starts.
fn events(opened: &Opened<'_>, key: &FitKey) -> u64 {
    let (protocol, facts) = (opened.protocol, opened.facts);
    let index = protocol.outcomes.iter().position(|outcome| outcome.name == key.outcome);
    match (key.analysis, index.map(|i| (i, &protocol.outcomes[i].kind))) {
        (Some(_), Some((i, OutcomeKind::Competing(competing)))) => {
            let number = competing.causes.iter().zip(1..).find(|(cause, _)| Some(&cause.name) == key.cause.as_ref());
            match (facts.causes.get(&i), number) {
                (Some(causes), Some((_, number))) => causes.events(number).iter().sum(),
                _ => u64::MAX,
            }
        }
        (Some(_), Some((i, OutcomeKind::TimeToEvent(_)))) => {
            facts.events.get(&i).map_or(0, |events| events.events.iter().sum())
        }
        (Some(_), Some((_, OutcomeKind::Binary { variable }))) => {
            let of = |value: usize| facts.levels.get(variable).map_or(0, |arms| arms.iter().map(|a| a[value]).sum());
            u64::min(of(0), of(1))
        }
        _ => facts.treated().min(facts.analysed() - facts.treated()),
    }
}
