//! The reference data: CSV tables and golden numbers.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn reference(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference").join(file)
}

/// A CSV file, every column as text.
pub struct Table {
    names: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    pub fn read(file: &str) -> Self {
        let mut reader = csv::Reader::from_path(reference(file)).expect("reference file");
        let names = reader.headers().expect("header").clone();
        Self { names, rows: reader.records().map(|row| row.expect("row")).collect() }
    }

    /// Only the rows where `column` is not empty.
    pub fn complete(mut self, column: &str) -> Self {
        let at = self.at(column);
        self.rows.retain(|row| !row[at].is_empty());
        self
    }

    fn at(&self, column: &str) -> usize {
        self.names.iter().position(|name| name == column).expect("column")
    }

    pub fn text(&self, column: &str) -> Vec<&str> {
        let at = self.at(column);
        self.rows.iter().map(|row| &row[at]).collect()
    }

    pub fn numbers(&self, column: &str) -> Vec<f64> {
        self.text(column).iter().map(|text| text.parse().expect("number")).collect()
    }

    /// 1 where the text equals `level`, else 0.
    pub fn is(&self, column: &str, level: &str) -> Vec<f64> {
        self.text(column).iter().map(|text| f64::from(u8::from(*text == level))).collect()
    }
}

/// Golden numbers, or one branch of them.
#[derive(Clone)]
pub struct Golden(Value);

impl Golden {
    pub fn read(file: &str) -> Self {
        let text = std::fs::read_to_string(reference(file)).expect("golden file");
        Self(serde_json::from_str(&text).expect("golden JSON"))
    }

    pub fn at(&self, key: &str) -> Self {
        Self(self.0.get(key).unwrap_or_else(|| panic!("no golden {key}")).clone())
    }

    pub fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null() && value.as_object().is_none_or(|o| !o.is_empty()))
    }

    pub fn number(&self, key: &str) -> f64 {
        self.at(key).0.as_f64().expect("golden number")
    }

    /// A list; one number where R wrote a list of one.
    pub fn list(&self, key: &str) -> Vec<f64> {
        match self.at(key).0 {
            Value::Array(values) => values.iter().map(|v| v.as_f64().expect("golden number")).collect(),
            value => vec![value.as_f64().expect("golden number")],
        }
    }

    /// A list in which R's missing values are None.
    pub fn options(&self, key: &str) -> Vec<Option<f64>> {
        match self.at(key).0 {
            Value::Array(values) => values.iter().map(Value::as_f64).collect(),
            value => vec![value.as_f64()],
        }
    }

    /// The names of its branches.
    pub fn keys(&self) -> Vec<String> {
        self.0.as_object().expect("golden object").keys().cloned().collect()
    }
}
