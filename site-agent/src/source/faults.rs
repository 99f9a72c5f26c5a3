//! Values that do not fit the dictionary, and what becomes of each: a row that nobody analyses needs none of them.

use study::dictionary::VariableId;

use super::value::Fault;

/// Values that do not fit, in the order of the rows.
#[derive(Default)]
pub(super) struct Faults(Vec<Faulty>);

/// One value that does not fit.
pub(super) struct Faulty {
    pub(super) row: usize,
    pub(super) line: u64,
    pub(super) variable: VariableId,
    pub(super) fault: Fault,
    pub(super) fate: Fate,
}

/// What becomes of a value that does not fit. A later one takes the place of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Eligibility leaves its row out everywhere.
    LeftOut,
    /// Follow-up beyond the range that every horizon censors before.
    Censored,
    /// Its row is analysed, or a criterion reads it.
    Needed,
}

impl Faults {
    /// Adds a value of the last row.
    pub(super) fn push(&mut self, row: usize, line: u64, variable: VariableId, fault: Fault) {
        self.0.push(Faulty { row, line, variable, fault, fate: Fate::LeftOut });
    }

    /// Those of a row.
    pub(super) fn of(&self, row: usize) -> &[Faulty] {
        let (first, after) = self.places(row);
        &self.0[first..after]
    }

    /// Gives those of a row for which `fate` has one that fate, unless they have a later one.
    pub(super) fn mark(&mut self, row: usize, fate: impl Fn(&Faulty) -> Option<Fate>) {
        let (first, after) = self.places(row);
        for faulty in &mut self.0[first..after] {
            faulty.fate = fate(faulty).map_or(faulty.fate, |fate| fate.max(faulty.fate));
        }
    }

    /// The rows of which a value has this fate.
    pub(super) fn rows_with(&self, fate: Fate) -> Vec<usize> {
        self.0.iter().filter(|faulty| faulty.fate == fate).map(|faulty| faulty.row).collect()
    }

    /// All.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Faulty> {
        self.0.iter()
    }

    fn places(&self, row: usize) -> (usize, usize) {
        (self.0.partition_point(|f| f.row < row), self.0.partition_point(|f| f.row <= row))
    }
}
