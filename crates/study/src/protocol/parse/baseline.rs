//! `[[analysis]]` of kind `baseline`: the table of patients' characteristics.

use super::{Declared, resolve};
use crate::dictionary::{Kind, VariableId};
use crate::document::Table;
use crate::protocol::{BaselineAnalysis, CategoryTest};

/// Is this `[[analysis]]` a baseline table? Then [`baselines`] reads it.
pub(super) fn is_baseline(t: &Table<'_, '_>) -> bool {
    t.raw_text("kind") == Some("baseline")
}

/// Name of a table that the protocol does not name.
const NAME: &str = "baseline";

/// The declared baseline tables; their names differ.
pub(super) fn baselines(root: &Table<'_, '_>, declared: &Declared<'_>) -> Vec<BaselineAnalysis> {
    let mut found: Vec<BaselineAnalysis> = Vec::new();
    for t in root.tables("analysis").iter().filter(|t| is_baseline(t)) {
        let table = read(t, declared);
        t.close();
        let Some(table) = table else { continue };
        if found.iter().any(|other| other.name == table.name) {
            let key = if t.has("name") { "name" } else { "kind" };
            t.mistake(
                key,
                format!("a baseline table is called `{}` already; give this one another `name`", table.name),
            );
        }
        found.push(table);
    }
    found
}

fn read(t: &Table<'_, '_>, declared: &Declared<'_>) -> Option<BaselineAnalysis> {
    t.text("kind");
    let name = t.optional_text("name").unwrap_or_else(|| NAME.into());
    let names = t.texts("variables");
    let weighted = t.flag("weighted", declared.weighting);
    if weighted && !declared.weighting {
        t.mistake("weighted", "weights need a [propensity] model; add one, or write `weighted = false`");
    }
    let continuity = t.flag("continuity", false);
    let category_test = match (t.flag("yates", false), t.flag("fisher", false)) {
        (false, false) => CategoryTest::Pearson,
        (true, false) => CategoryTest::Yates,
        (false, true) => CategoryTest::Fisher,
        (true, true) => {
            t.mistake("fisher", "an exact test has no Yates correction; use one of them");
            CategoryTest::Fisher
        }
    };
    let variables = names.map(|names| variables(t, &names, declared));
    let variables = variables?;
    Some(BaselineAnalysis { name, variables, weighted, continuity, category_test })
}

fn variables(t: &Table<'_, '_>, names: &[String], declared: &Declared<'_>) -> Vec<VariableId> {
    let mut ids = Vec::new();
    for name in names {
        let Some(id) = resolve(t, "variables", name, declared.dictionary) else { continue };
        let variable = declared.dictionary.variable(id);
        if let Some(Err(why)) = variable.grid() {
            t.mistake("variables", format!("`{name}`: {why}"));
        }
        if matches!(variable.kind, Kind::Days { .. }) {
            t.mistake(
                "variables",
                format!("`{name}` is a time; the table has continuous, categorical and binary ones"),
            );
        } else if declared.is_treatment(id) {
            t.mistake("variables", format!("`{name}` is the treatment that the arms are made of; leave it out"));
        } else if ids.contains(&id) {
            t.mistake("variables", format!("`{name}` stands twice; name it once"));
        } else {
            ids.push(id);
        }
    }
    ids
}
