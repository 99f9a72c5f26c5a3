//! `[[eligibility]]`, and what lies after time zero: who is analysed, and with what, is decided by what is known before.

use super::{Declared, prose};
use crate::dictionary::{Kind, VariableId};
use crate::document::Table;
use crate::expression::Expression;
use crate::protocol::Criterion;

/// The key that allows what lies after time zero in its table.
const ALLOWED: &str = "after_time_zero";

/// One line of the flow chart.
pub(super) fn criterion(t: &Table<'_, '_>, declared: &Declared<'_>) -> Option<Criterion> {
    let (label, require) = (prose::written(t, "label"), t.text("require"));
    let condition = require.as_ref().and_then(|text| condition(t, text, declared));
    let read = condition.iter().flat_map(Expression::variables).collect();
    known_at_time_zero(t, &[("require", read)], declared);
    t.close();
    Some(Criterion { label: label?, require: require?, condition: condition? })
}

/// The expression under `require`.
pub(super) fn condition(t: &Table<'_, '_>, text: &str, declared: &Declared<'_>) -> Option<Expression> {
    match Expression::parse(text, declared.dictionary, &|name| t.reader.is_spoiled(name)) {
        Ok(condition) => Some(condition),
        Err(mistakes) => {
            for mistake in &mistakes {
                t.mistake("require", mistake.placed(text));
            }
            None
        }
    }
}

/// Refuses variables that lie after time zero under these keys, unless the table says that they are meant.
pub(super) fn known_at_time_zero(t: &Table<'_, '_>, keys: &[(&'static str, Vec<VariableId>)], declared: &Declared<'_>) {
    let allowed = t.flag(ALLOWED, false);
    let mut later = false;
    for (key, variables) in keys {
        for id in variables {
            let Some(why) = later_than_time_zero(*id, declared) else { continue };
            later = true;
            if !allowed {
                let name = &declared.dictionary.variable(*id).name;
                let consequence = match *key {
                    "require" => {
                        "it would choose patients by what happens to them later (immortal time); ask for what is known at time zero"
                    }
                    "covariates" => "it would adjust for what the treatment may have changed; take it out",
                    _ => "it would divide patients by what the treatment may have changed; take it out",
                };
                t.mistake(
                    key,
                    format!("`{name}` {why}; {consequence}, or write `{ALLOWED} = true` here if that is meant"),
                );
            }
        }
    }
    if allowed && !later && keys.iter().all(|(key, _)| !t.is_mistaken(key)) {
        t.mistake(ALLOWED, "nothing here lies after time zero; leave it out");
    }
}

/// Why a variable is not known at time zero.
fn later_than_time_zero(id: VariableId, declared: &Declared<'_>) -> Option<String> {
    if let Some(outcome) = declared.outcomes.iter().find(|outcome| outcome.kind.variables().contains(&id)) {
        return Some(format!("is part of the outcome `{}`, after time zero", outcome.name));
    }
    matches!(declared.dictionary.variable(id).kind, Kind::Days { .. })
        .then(|| "has days since time zero (kind = \"continuous\" has other times, such as those before it)".into())
}
