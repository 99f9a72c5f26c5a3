//! The tables in the hands of those who read them: base R, pandas and polars, as one types it and as `docs/results.md` says.
//!
//! Where a program is missing the test says so and holds nothing; with `ENTENTE_READERS=required`, as in `.ci/run`, it fails.
//! `ENTENTE_PYTHON` names the Python that has pandas and polars.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use coordinator::results::{self, Provenance};
use entente_tests::federation::plain;
use study::release::Release;

use crate::small;

const MODELS: &str = r#"
[propensity]
covariates = ["age", "sex"]
bins = 4

[[analysis]]
kind = "baseline"
variables = ["age", "sex"]

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["unadjusted", "iptw"]

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["unadjusted", "iptw"]

[[analysis]]
kind = "kaplan_meier"
outcomes = ["pfs"]
weighted = [false, true]
times_days = [360]
"#;

/// What one kind of software makes of the tables: for each table, column and value how many rows there are.
type Counts = BTreeMap<(String, String, String), usize>;

/// Prints every table as `file, column, value, rows` after `read_table`, a function of a file's path.
const R: &str = r#"
for (file in commandArgs(TRUE)) {
  t <- read_table(file)
  say <- function(column, value, n) cat(basename(file), column, value, n, sep = "\t", fill = FALSE); end <- function() cat("\n")
  say("", "rows", nrow(t)); end()
  for (column in names(t)) {
    x <- t[[column]]
    if (is.logical(x) && !all(is.na(x))) {
      say(column, "TRUE", nrow(t[x == TRUE, ])); end(); say(column, "FALSE", nrow(t[x == FALSE, ])); end()
    } else if (is.numeric(x)) {
      say(column, "numbers", sum(!is.na(x))); end()
    } else if (is.character(x)) {
      for (value in unique(x)) { say(column, paste0("=", value), nrow(t[x == value, ])); end() }
    }
  }
}
"#;

const PANDAS: &str = r#"
import os, sys
from pandas.api.types import is_bool_dtype, is_numeric_dtype
for file in sys.argv[1:]:
    t = read_table(file)
    say = lambda column, value, n: print(os.path.basename(file), column, value, n, sep="\t")
    say("", "rows", len(t))
    for column in t.columns:
        x = t[column]
        if is_bool_dtype(x):
            say(column, "TRUE", len(t[x == True])); say(column, "FALSE", len(t[x == False]))
        elif is_numeric_dtype(x):
            say(column, "numbers", int(x.notna().sum()))
        else:
            for value in x.dropna().unique():
                say(column, "=" + str(value), len(t[x == value]))
"#;

const POLARS: &str = r#"
import os, sys
for file in sys.argv[1:]:
    t = read_table(file)
    say = lambda column, value, n: print(os.path.basename(file), column, value, n, sep="\t")
    say("", "rows", t.height)
    for column in t.columns:
        kind = t.schema[column]
        if kind == pl.Boolean:
            say(column, "TRUE", t.filter(pl.col(column) == True).height)
            say(column, "FALSE", t.filter(pl.col(column) == False).height)
        elif kind.is_numeric():
            say(column, "numbers", t.height - t[column].null_count())
        else:
            for value in t[column].drop_nulls().unique().to_list():
                say(column, "=" + value, t.filter(pl.col(column) == value).height)
"#;

/// A program with the packages that a script needs; otherwise what is missing.
struct Reader {
    name: &'static str,
    program: String,
    arguments: &'static [&'static str],
    /// As one types it without thinking.
    typed: &'static str,
    /// Language of the block in `docs/results.md`.
    block: &'static str,
    script: &'static str,
    /// Succeeds where everything is there.
    probe: &'static str,
}

fn readers() -> [Reader; 3] {
    let python = || std::env::var("ENTENTE_PYTHON").unwrap_or_else(|_| "python3".into());
    [
        Reader {
            name: "base R",
            program: "Rscript".into(),
            arguments: &["--vanilla"],
            typed: "read_table <- function(file) read.csv(file)",
            block: "r",
            script: R,
            probe: "cat(1)",
        },
        Reader {
            name: "pandas",
            program: python(),
            arguments: &[],
            typed: "import pandas as pd\nread_table = pd.read_csv\n",
            block: "python\nimport pandas",
            script: PANDAS,
            probe: "import pandas",
        },
        Reader {
            name: "polars",
            program: python(),
            arguments: &[],
            typed: "import polars as pl\nread_table = pl.read_csv\n",
            block: "python\nimport polars",
            script: POLARS,
            probe: "import polars",
        },
    ]
}

impl Reader {
    fn run(&self, folder: &Path, script: &str, files: &[String]) -> Result<String, String> {
        let path = folder.join("script");
        fs::write(&path, script).unwrap();
        let mut command = Command::new(&self.program);
        command.current_dir(folder).env("LC_ALL", "C.UTF-8").args(self.arguments).arg(path).args(files);
        let output = command.output().map_err(|e| e.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(said) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    /// The function of the page.
    fn documented(&self) -> String {
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/results.md")).unwrap();
        let begin = page.find(&format!("```{}", self.block)).expect("a block of the page");
        let block = &page[begin..];
        let (_, block) = block.split_once('\n').unwrap();
        block.split_once("```").unwrap().0.to_owned()
    }

    fn counts(&self, folder: &Path, read_table: &str, files: &[String]) -> Counts {
        let said = self.run(folder, &format!("{read_table}\n{}", self.script), files);
        let said = said.unwrap_or_else(|e| panic!("{}: {e}", self.name));
        let count = |line: &str| {
            let [file, column, value, n] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let (file, column, value): (&str, &str, &str) = (file, column, value);
            ((file.to_owned(), column.to_owned(), value.to_owned()), n.trim().parse().unwrap())
        };
        said.lines().filter(|line| !line.is_empty()).map(count).collect()
    }
}

/// The tables of a run of the small study.
fn write(folder: &Path) -> Vec<String> {
    let protocol = small::protocol_with(MODELS);
    let cohorts = small::three_sites(&protocol, &small::rows(90));
    let results = Release::of(&plain(&protocol, &cohorts).unwrap()).into_results();
    results::write(folder, &results, &Provenance::default()).unwrap();
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> =
        names.filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "csv")).collect();
    files.sort();
    assert_eq!(files.len(), 15);
    files
}

/// The same tables with names that software takes for something else.
fn rename(folder: &Path, files: &[String], names: &[(&str, &str)]) {
    for file in files {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        // `all` is also a column of balance.csv
        let (header, rows) = text.split_once('\n').unwrap();
        let renamed = |text: String, (from, to): &(&str, &str)| text.replace(&format!(",{from},"), &format!(",{to},"));
        fs::write(folder.join(file), format!("{header}\n{}", names.iter().fold(rows.to_owned(), renamed))).unwrap();
    }
}

/// What the tables hold, read cell by cell. `text` says which columns are text, whatever stands in them.
fn expected(folder: &Path, files: &[String], text: &BTreeSet<&str>) -> Counts {
    let mut counts = Counts::new();
    for file in files {
        let mut reader = csv::Reader::from_path(folder.join(file)).unwrap();
        let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let key = |column: &str, value: &str| (file.clone(), column.to_owned(), value.to_owned());
        counts.insert(key("", "rows"), rows.len());
        for (i, column) in columns.iter().enumerate() {
            let cells: Vec<&str> = rows.iter().map(|row| &row[i]).collect();
            if text.contains(column.as_str()) {
                for cell in cells {
                    *counts.entry(key(column, &format!("={cell}"))).or_default() += 1;
                }
            } else if !cells.is_empty() && cells.iter().all(|cell| matches!(*cell, "TRUE" | "FALSE")) {
                for value in ["TRUE", "FALSE"] {
                    counts.insert(key(column, value), cells.iter().filter(|cell| **cell == value).count());
                }
            } else {
                let numbers = cells.iter().filter(|cell| cell.parse::<f64>().is_ok()).count();
                assert_eq!(numbers, cells.iter().filter(|cell| !cell.is_empty()).count(), "{file}, {column}");
                counts.insert(key(column, "numbers"), numbers);
            }
        }
    }
    counts
}

/// The text columns, as the schema has them.
fn text_columns(schema: &serde_json::Value) -> BTreeSet<&str> {
    let tables = schema["properties"].as_object().unwrap().values().filter(|table| table["type"] == "array");
    let mut text = BTreeSet::new();
    for table in tables {
        let of = table["items"]["$ref"].as_str().and_then(|at| at.strip_prefix('#')).and_then(|at| schema.pointer(at));
        for (name, column) in of.unwrap_or(&table["items"])["properties"].as_object().unwrap() {
            let kind = column["type"].to_string();
            if kind.contains("string") || column.get("enum").is_some() || column.get("const").is_some() {
                text.insert(name.as_str());
            }
        }
    }
    text
}

#[test]
fn every_reader_counts_the_rows_that_are_there() {
    let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/results.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let text = text_columns(&schema);
    assert!(text.len() > 20 && text.contains("scenario") && !text.contains("weighted"), "{text:?}");
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path());
    let tables = expected(folder.path(), &files, &text);
    let logical: Vec<_> =
        tables.keys().filter(|(_, _, value)| value == "TRUE").map(|(file, ..)| file.as_str()).collect();
    assert_eq!(logical, ["balance.csv", "fits.csv", "medians.csv", "survival.csv"]);
    let mut missing = Vec::new();
    for reader in readers() {
        if reader.run(folder.path(), reader.probe, &[]).is_err() {
            missing.push(reader.name);
            continue;
        }
        // as one types it: no row is lost by a logical column
        let typed = reader.counts(folder.path(), reader.typed, &files);
        let logical = |counts: &Counts| {
            let kept = counts.iter().filter(|((_, _, value), _)| matches!(value.as_str(), "rows" | "TRUE" | "FALSE"));
            kept.map(|(key, n)| (key.clone(), *n)).collect::<Counts>()
        };
        assert_eq!(logical(&typed), logical(&tables), "{}, as typed", reader.name);
        // as the page says: nor by any other, whatever the arms are called
        let documented = reader.documented();
        for name in &text {
            assert!(documented.contains(&format!("\"{name}\"")), "{}: `{name}` is not on the page", reader.name);
        }
        for names in [
            &[][..],
            &[("EloPd", "F"), ("IsaPd", "T"), ("all", "TRUE")],
            &[("EloPd", "NA"), ("IsaPd", "None"), ("all", "null")],
            &[("EloPd", "01"), ("IsaPd", "1"), ("all", "1.0")],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let files = write(folder.path());
            rename(folder.path(), &files, names);
            let tables = expected(folder.path(), &files, &text);
            let read = reader.counts(folder.path(), &documented, &files);
            let differ: Vec<_> = tables.iter().filter(|(key, n)| **n > 0 && read.get(*key) != Some(n)).collect();
            assert!(differ.is_empty(), "{}, {names:?}: {differ:?}", reader.name);
        }
    }
    if !missing.is_empty() {
        assert!(std::env::var_os("ENTENTE_READERS").is_none_or(|v| v != "required"), "missing: {missing:?}");
        // not by a macro: the harness would keep it to itself
        let _ = writeln!(std::io::stderr(), "tables are not read by {}: missing here", missing.join(", "));
    }
}
