//! From the table to the cohort: flow chart, criteria in order, rows of the two arms in key order.
//!
//! A criterion reads numbers as they stand, also outside of the declared range, so that a patient of 17 can be left out and
//! counted. What no row of an analysis needs may hold anything. Where the policy takes bad values as missing, a row stays
//! only when the criterion holds with the number as it stands and without it.

use study::cohort::{Cohort, FlowCount};
use study::dictionary::VariableId;
use study::expression::Expression;
use study::policy::BadValues;
use study::protocol::{OutcomeKind, Protocol};

use super::faults::{Fate, Faults, Faulty};
use super::patients::Patients;
use super::table::Table;
use super::value::Fault;

/// Arm of a row of the file.
#[derive(Clone, Copy, PartialEq)]
enum Arm {
    Control,
    Treated,
    Neither,
}

/// The rows of the main analysis, and those of every scenario; and who they are. Says of each fault what becomes of it.
pub(super) fn cohort(
    table: &Table<'_>,
    faults: &mut Faults,
    protocol: &Protocol,
    bad: BadValues,
) -> (Cohort, Patients) {
    let order = table.by_key();
    let main = Selection { table, order: &order, protocol, bad };
    let (mut cohort, keys) = main.rows(faults);
    let mut patients = vec![keys];
    for scenario in &protocol.scenarios {
        let (mut other, keys) = Selection { protocol: &scenario.protocol, ..main }.rows(faults);
        scenario.recode(&mut other);
        cohort.scenarios.push(other);
        patients.push(keys);
    }
    (cohort, Patients(patients))
}

/// The rows of one analysis under selection.
#[derive(Clone, Copy)]
struct Selection<'a> {
    table: &'a Table<'a>,
    order: &'a [usize],
    protocol: &'a Protocol,
    bad: BadValues,
}

impl Selection<'_> {
    /// Applies the criteria in order and gathers what remains.
    fn rows(&self, faults: &mut Faults) -> (Cohort, Vec<String>) {
        let arms: Vec<Arm> = (0..self.table.rows()).map(|row| self.arm(row)).collect();
        let mut kept = vec![true; arms.len()];
        let mut flow = vec![count(&arms, &kept)];
        for criterion in &self.protocol.eligibility {
            let read = criterion.condition.variables();
            for (row, kept) in kept.iter_mut().enumerate().filter(|(_, kept)| **kept) {
                *kept = self.meets(row, &criterion.condition, &read, faults);
            }
            flow.push(count(&arms, &kept));
        }
        let treatment = self.protocol.treatment.variable;
        for (row, kept) in kept.iter_mut().enumerate().filter(|(_, kept)| **kept) {
            faults.mark(row, |faulty| (faulty.variable == treatment).then_some(Fate::Needed));
            *kept = arms[row] != Arm::Neither;
        }
        flow.push(count(&arms, &kept));
        let rows: Vec<usize> = self.order.iter().copied().filter(|row| kept[*row]).collect();
        for row in &rows {
            faults.mark(*row, |faulty| Some(self.fate(faulty)));
        }
        if self.bad == BadValues::Refuse {
            // who mends a row's arm, or what a criterion reads, hears at once of all that is wrong with the row
            for row in faults.rows_with(Fate::Needed) {
                faults.mark(row, |faulty| Some(self.fate(faulty)));
            }
        }
        let variables = (0..self.protocol.dictionary.variables().len()).map(VariableId);
        let good = |row: usize, id: VariableId| {
            let of = faults.of(row).iter().find(|faulty| faulty.variable == id);
            of.is_none_or(|faulty| self.fate(faulty) == Fate::Censored)
        };
        let columns = variables.map(|id| self.table.gather(id, &rows, |row| good(row, id))).collect();
        let treated = rows.iter().map(|row| arms[*row] == Arm::Treated).collect();
        let keys = rows.iter().map(|row| self.table.key(*row).to_owned()).collect();
        (Cohort { treated, columns, flow, scenarios: Vec::new() }, keys)
    }

    fn arm(&self, row: usize) -> Arm {
        let treatment = &self.protocol.treatment;
        let level = self.table.value(row, treatment.variable);
        match level as usize {
            _ if level.is_nan() => Arm::Neither,
            level if level == treatment.treated => Arm::Treated,
            level if level == treatment.control => Arm::Control,
            _ => Arm::Neither,
        }
    }

    fn meets(&self, row: usize, condition: &Expression, read: &[VariableId], faults: &mut Faults) -> bool {
        let holds = condition.holds(&|id| self.table.value(row, id));
        if faults.of(row).is_empty() {
            return holds;
        }
        // What does not even parse can be read in no way.
        let unreadable = |faulty: &Faulty| faulty.fault != Fault::OutOfRange && read.contains(&faulty.variable);
        faults.mark(row, |faulty| unreadable(faulty).then_some(Fate::Needed));
        let missing = |id: VariableId| faults.of(row).iter().any(|faulty| faulty.variable == id);
        let without = |id| if missing(id) { f64::NAN } else { self.table.value(row, id) };
        holds && (self.bad == BadValues::Refuse || condition.holds(&without))
    }

    /// What becomes of a value of an analysed row.
    fn fate(&self, faulty: &Faulty) -> Fate {
        if faulty.fault == Fault::OutOfRange && self.is_censored(faulty) { Fate::Censored } else { Fate::Needed }
    }

    /// Is it follow-up beyond the horizon of every outcome that it is the time of?
    fn is_censored(&self, faulty: &Faulty) -> bool {
        let mut horizons = self.protocol.used_outcomes().filter_map(|outcome| match &outcome.kind {
            OutcomeKind::TimeToEvent(time) if time.time == faulty.variable => Some(time.horizon_days),
            OutcomeKind::Competing(time) if time.time == faulty.variable => Some(time.grid.horizon_days),
            OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) | OutcomeKind::Competing(_) => None,
        });
        let days = self.table.value(faulty.row, faulty.variable).floor();
        let first = horizons.next();
        first.is_some_and(|first| horizons.chain([first]).all(|horizon| days > f64::from(horizon)))
    }
}

fn count(arms: &[Arm], kept: &[bool]) -> FlowCount {
    let mut count = FlowCount::default();
    for (arm, _) in arms.iter().zip(kept).filter(|(_, kept)| **kept) {
        match arm {
            Arm::Control => count.control += 1,
            Arm::Treated => count.treated += 1,
            Arm::Neither => count.neither += 1,
        }
    }
    count
}
