//! Finding one row of the result files by what stands in its columns.

use serde_json::{Map, Value};

use super::show::names;

/// A row of the results: the file's name without `.csv`, and what the row has in some columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) file: String,
    pub(super) columns: Vec<(String, String)>,
}

/// Column with the name of a scenario, empty for the main analysis; whoever does not name one means the main analysis.
const SCENARIO: &str = "scenario";

impl Selector {
    /// The same row but for some columns.
    pub(super) fn with(&self, others: &[(String, String)]) -> Selector {
        let kept = self.columns.iter().filter(|(name, _)| !others.iter().any(|(other, _)| other == name));
        Selector { file: self.file.clone(), columns: kept.chain(others).cloned().collect() }
    }

    /// The only row of `results` (as in `results.json`) that fits; the error says why there is none and what to do.
    pub(super) fn find<'a>(&self, results: &'a Value) -> Result<&'a Map<String, Value>, String> {
        let file = &self.file;
        let Some(rows) = results.get(file).and_then(Value::as_array) else {
            let tables = results.as_object().into_iter().flatten().filter(|(_, table)| table.is_array());
            let tables: Vec<_> = tables.map(|(name, _)| name.as_str()).collect();
            return Err(format!("there is no result file `{file}`; there are {}", tables.join(", ")));
        };
        let mut rows: Vec<_> = rows.iter().filter_map(Value::as_object).collect();
        if !self.columns.iter().any(|(name, _)| name == SCENARIO) {
            rows.retain(|row| row.get(SCENARIO).is_none_or(|scenario| is(scenario, "")));
        }
        for (column, wanted) in &self.columns {
            if let Some(row) = rows.first()
                && !row.contains_key(column)
            {
                return Err(format!("`{file}` has no column `{column}`; it has {}", names(row)));
            }
            let fitting: Vec<_> = rows.iter().copied().filter(|row| is(&row[column], wanted)).collect();
            if fitting.is_empty() {
                let before = self.columns.iter().take_while(|(name, _)| name != column);
                let before: Vec<_> = before.map(|(name, text)| format!("{name} = \"{text}\"")).collect();
                let with = if before.is_empty() { String::new() } else { format!(" with {}", before.join(", ")) };
                let there = values(&rows, column);
                return Err(format!("no row of `{file}`{with} has {column} = \"{wanted}\"; there is {there}"));
            }
            rows = fitting;
        }
        match rows[..] {
            [] => Err(format!("`{file}` has no row")),
            [row] => Ok(row),
            _ => Err(format!("{} rows of `{file}` fit; say also {}", rows.len(), differing(&rows))),
        }
    }
}

/// Does a cell hold this text? An empty cell holds "".
fn is(cell: &Value, wanted: &str) -> bool {
    match cell {
        Value::Number(x) => x.as_f64() == wanted.parse().ok(),
        // `weighted = true` in a study's file, TRUE in the table
        Value::Bool(_) => words(cell).eq_ignore_ascii_case(wanted),
        cell => words(cell) == wanted,
    }
}

fn words(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(holds) => if *holds { "TRUE" } else { "FALSE" }.into(),
        other => other.to_string(),
    }
}

/// What a column holds, as far as a person wants to read it.
fn values(rows: &[&Map<String, Value>], column: &str) -> String {
    const SHOWN: usize = 8;
    let mut found: Vec<String> = Vec::new();
    for row in rows {
        let text = format!("\"{}\"", words(&row[column]));
        if !found.contains(&text) {
            found.push(text);
        }
    }
    let more = if found.len() > SHOWN { format!(" or {} others", found.len() - SHOWN) } else { String::new() };
    found.truncate(SHOWN);
    found.join(", ") + &more
}

/// Columns of words or flags that tell these rows apart, with what they hold.
fn differing(rows: &[&Map<String, Value>]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let of_words = |cell: &Value| !cell.is_number();
    let columns = first.iter().filter(|(name, cell)| {
        *name != "notes" && of_words(cell) && rows.iter().any(|row| row[*name] != **cell && of_words(&row[*name]))
    });
    let columns: Vec<_> = columns.map(|(name, _)| format!("{name} ({})", values(rows, name))).collect();
    if columns.is_empty() { "a column that tells them apart".into() } else { columns.join(" or ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn results() -> Value {
        json!({
            "schema_version": 2,
            "tests": [],
            "estimates": [
                {"scenario": "", "outcome": "pfs", "model": "iptw", "ties": "efron", "variance": "naive", "ratio": 0.9, "n": 277},
                {"scenario": "trimmed", "outcome": "pfs", "model": "iptw", "variance": "robust", "ratio": 0.8, "n": 250},
                {"scenario": "", "outcome": "pfs", "model": "iptw", "ties": "efron", "variance": "robust", "ratio": 0.9, "n": 277},
                {"scenario": "", "outcome": "response", "model": "iptw", "ties": null, "variance": "naive", "ratio": 1.5, "n": 277},
            ],
        })
    }

    fn find(file: &str, columns: &[(&str, &str)]) -> Result<f64, String> {
        let columns = columns.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let found = Selector { file: file.into(), columns }.find(&results())?.clone();
        Ok(found["ratio"].as_f64().unwrap())
    }

    #[test]
    fn words_empty_cells_and_numbers_select() {
        assert_eq!(find("estimates", &[("outcome", "response")]), Ok(1.5));
        assert_eq!(find("estimates", &[("ties", ""), ("n", "277")]), Ok(1.5));
        assert_eq!(find("estimates", &[("outcome", "pfs"), ("variance", "robust")]), Ok(0.9));
    }

    #[test]
    fn a_scenario_is_found_only_by_its_name() {
        assert_eq!(find("estimates", &[("model", "iptw"), ("variance", "robust")]), Ok(0.9));
        assert_eq!(find("estimates", &[("scenario", "trimmed"), ("n", "250")]), Ok(0.8));
    }

    #[test]
    fn a_dangling_reference_says_what_there_is() {
        let why = find("estimate", &[]).unwrap_err();
        assert_eq!(why, "there is no result file `estimate`; there are estimates, tests");
        let why = find("estimates", &[("modle", "iptw")]).unwrap_err();
        assert!(why.starts_with("`estimates` has no column `modle`; it has model, n,"), "{why}");
        let why = find("estimates", &[("outcome", "response"), ("variance", "robust")]).unwrap_err();
        let expected =
            "no row of `estimates` with outcome = \"response\" has variance = \"robust\"; there is \"naive\"";
        assert_eq!(why, expected);
        let why = find("estimates", &[("outcome", "pfs")]).unwrap_err();
        assert_eq!(why, "2 rows of `estimates` fit; say also variance (\"naive\", \"robust\")");
        assert_eq!(find("tests", &[]).unwrap_err(), "`tests` has no row");
    }
}
