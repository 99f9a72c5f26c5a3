//! The patients of one file in memory: a key for each row, a column for each variable of the dictionary.

use study::cohort::{Column, MISSING_DAYS, MISSING_LEVEL};
use study::dictionary::{Dictionary, Kind, VariableId};

use super::value::Value;

/// The rows of a file, in its order. They live in memory alone: nothing of them is ever written to disk.
pub(super) struct Table<'d> {
    dictionary: &'d Dictionary,
    keys: Vec<Box<str>>,
    columns: Vec<Cells>,
}

/// Values of one variable as they stand in the file, also those outside of its range.
enum Cells {
    /// Numbers and days; not-a-number is missing.
    Numbers(Vec<f64>),
    /// Places of levels; [`MISSING_LEVEL`] is missing.
    Levels(Vec<u8>),
}

impl<'d> Table<'d> {
    /// A table without rows.
    pub(super) fn new(dictionary: &'d Dictionary) -> Table<'d> {
        let cells = |kind: &Kind| match kind {
            Kind::Continuous { .. } | Kind::Days { .. } => Cells::Numbers(Vec::new()),
            Kind::Categorical { .. } => Cells::Levels(Vec::new()),
        };
        let columns = dictionary.variables().iter().map(|variable| cells(&variable.kind)).collect();
        Table { dictionary, keys: Vec::new(), columns }
    }

    /// Appends one row: the patient's key, and the values in the order of the dictionary.
    pub(super) fn push(&mut self, key: &str, values: &[Value<'_>]) {
        self.keys.push(key.into());
        for ((cells, value), variable) in self.columns.iter_mut().zip(values).zip(self.dictionary.variables()) {
            match cells {
                Cells::Numbers(numbers) => numbers.push(match *value {
                    Value::Number(x) => x,
                    Value::Whole(n) => f64::from(n),
                    Value::Level(_) | Value::Missing => f64::NAN,
                }),
                Cells::Levels(levels) => levels.push(match *value {
                    Value::Whole(level) => level as u8,
                    Value::Level(text) => {
                        variable.levels().iter().position(|l| l == text).map_or(MISSING_LEVEL, |at| at as u8)
                    }
                    Value::Number(_) | Value::Missing => MISSING_LEVEL,
                }),
            }
        }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.keys.len()
    }

    /// The patient's key of a row.
    pub(super) fn key(&self, row: usize) -> &str {
        &self.keys[row]
    }

    /// A value as criteria read it: a number, days, the place of a level; not-a-number is missing.
    pub(super) fn value(&self, row: usize, id: VariableId) -> f64 {
        match &self.columns[id.0] {
            Cells::Numbers(numbers) => numbers[row],
            Cells::Levels(levels) if levels[row] == MISSING_LEVEL => f64::NAN,
            Cells::Levels(levels) => f64::from(levels[row]),
        }
    }

    /// The rows in the order of the patients' keys, byte by byte.
    pub(super) fn by_key(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows()).collect();
        order.sort_by(|a, b| self.keys[*a].cmp(&self.keys[*b]));
        order
    }

    /// The column of a cohort over these rows; `good` says which values are as the dictionary wants them.
    pub(super) fn gather(&self, id: VariableId, rows: &[usize], good: impl Fn(usize) -> bool) -> Column {
        let values = rows.iter().map(|row| if good(*row) { self.value(*row, id) } else { f64::NAN });
        match self.dictionary.variable(id).kind {
            Kind::Continuous { .. } => Column::Numbers(values.collect()),
            Kind::Categorical { .. } => {
                Column::Levels(values.map(|x| if x.is_nan() { MISSING_LEVEL } else { x as u8 }).collect())
            }
            Kind::Days { .. } => {
                let days = |x: f64| if x.is_nan() { MISSING_DAYS } else { (x as u32).min(MISSING_DAYS - 1) };
                Column::Days(values.map(days).collect())
            }
        }
    }
}
