//! The frozen cohort of one site: columnar, in patient-key order, without the keys.

use crate::dictionary::VariableId;

/// Missing level in [`Column::Levels`].
pub const MISSING_LEVEL: u8 = u8::MAX;
/// Missing day count in [`Column::Days`].
pub const MISSING_DAYS: u32 = u32::MAX;

/// Values of one dictionary variable for all analysed rows.
#[derive(Clone, PartialEq)]
pub enum Column {
    /// Continuous; NaN is missing.
    Numbers(Vec<f64>),
    /// Index into the variable's levels; [`MISSING_LEVEL`] is missing.
    Levels(Vec<u8>),
    /// Days; [`MISSING_DAYS`] is missing.
    Days(Vec<u32>),
}

/// Rows that remain after one step of the flow chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlowCount {
    /// In the control arm.
    pub control: u64,
    /// In the treated arm.
    pub treated: u64,
    /// In neither arm (treatment missing or another one).
    pub neither: u64,
}

/// What a site computes on. Rows never leave; `Debug` shows counts alone.
#[derive(Clone, PartialEq)]
pub struct Cohort {
    /// Per analysed row: is it in the treated arm?
    pub treated: Vec<bool>,
    /// One column per dictionary variable, in dictionary order.
    pub columns: Vec<Column>,
    /// Rows of the file, then rows left after each eligibility criterion, in protocol order; the last entry leaves out
    /// rows in neither arm. Length: criteria + 2, and one more after trimming.
    pub flow: Vec<FlowCount>,
    /// The rows of each scenario of the protocol, in its order; a scenario has none of its own.
    pub scenarios: Vec<Cohort>,
}

impl Cohort {
    /// Number of analysed rows.
    pub fn rows(&self) -> usize {
        self.treated.len()
    }

    /// The rows that `keep` says (one entry per row), with one more step in the flow chart.
    #[must_use]
    pub fn filtered(&self, keep: &[bool]) -> Cohort {
        fn kept<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
            values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| *value).collect()
        }
        let column = |column: &Column| match column {
            Column::Numbers(values) => Column::Numbers(kept(values, keep)),
            Column::Levels(values) => Column::Levels(kept(values, keep)),
            Column::Days(values) => Column::Days(kept(values, keep)),
        };
        let treated = kept(&self.treated, keep);
        let of_treated = treated.iter().filter(|t| **t).count() as u64;
        let count = FlowCount { control: treated.len() as u64 - of_treated, treated: of_treated, neither: 0 };
        let flow = self.flow.iter().copied().chain([count]).collect();
        Cohort { treated, columns: self.columns.iter().map(column).collect(), flow, scenarios: Vec::new() }
    }

    /// The column of a variable.
    pub fn column(&self, id: VariableId) -> &Column {
        &self.columns[id.0]
    }
}

impl std::fmt::Debug for Cohort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cohort({} rows, {} columns)", self.rows(), self.columns.len())
    }
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Column::Numbers(_) => "Column::Numbers(redacted)",
            Column::Levels(_) => "Column::Levels(redacted)",
            Column::Days(_) => "Column::Days(redacted)",
        })
    }
}
