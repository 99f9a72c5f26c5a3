//! Table 1: patients' characteristics by arm, before (A) and after weighting (B).

use std::io::{self, Write};

use study::dictionary::Kind;
use study::results::{BalanceCells, BalanceRow};

use super::{Page, Texts, labels, number, table};

/// Both parts of every declared table.
pub(super) fn tables(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    page.protocol.baselines.iter().try_for_each(|declared| tables_of(out, page, &declared.name))
}

fn tables_of(out: &mut impl Write, page: &Page<'_>, name: &str) -> io::Result<()> {
    let several = page.protocol.baselines.len() > 1;
    let called = if several { format!(", {}", labels::plain(name)) } else { String::new() };
    let title = |part: &str| format!("Table 1{part} weighting{called}");
    let [control, treated] = page.labels.arms();
    let mut arms = vec![String::new(), control.clone(), treated.clone()];
    if with_all(page) {
        arms.push("all".into());
    }
    let header = [&arms[..], &["SMD".into(), "test".into()]].concat();
    table(out, page, &title("A: before"), Texts { wrap: 1, left: 1 }, &header, lines(page, name, false))?;
    let header = [&arms[..], &["SMD".into()]].concat();
    table(out, page, &title("B: after"), Texts { wrap: 1, left: 1 }, &header, lines(page, name, true))
}

/// Both arms together have a column where the terminal is wide enough for it.
fn with_all(page: &Page<'_>) -> bool {
    page.width >= 110
}

fn lines(page: &Page<'_>, name: &str, weighted: bool) -> Vec<Vec<String>> {
    let rows = page.results.balance.iter().filter(|row| row.weighted == weighted && row.table == name);
    rows.flat_map(|row| match (&row.level, &*row.kind) {
        (Some(_), _) => vec![level(page, row)],
        (None, "continuous") => number_lines(page, row),
        (None, _) => vec![line(page, row, label(page, row), |_| String::new(), true)],
    })
    .collect()
}

fn number_lines(page: &Page<'_>, row: &BalanceRow) -> Vec<Vec<String>> {
    let mean = |cells: &BalanceCells| format!("{} ({})", short(cells.value), short(cells.spread));
    let mut lines = vec![line(page, row, format!("{}, mean (SD)", label(page, row)), mean, true)];
    if !row.weighted {
        let median =
            |cells: &BalanceCells| format!("{} ({}–{})", short(cells.median), short(cells.q25), short(cells.q75));
        lines.push(line(page, row, format!("  {}", labels::quartiles(row)), median, false));
    }
    lines
}

fn level(page: &Page<'_>, row: &BalanceRow) -> Vec<String> {
    let count = |cells: &BalanceCells| {
        let Some(n) = cells.value else { return number::HIDDEN.into() };
        let n = if row.weighted { format!("{n:.1}") } else { format!("{n:.0}") };
        format!("{n} ({}%)", short(cells.spread))
    };
    let text = row.level.as_deref().unwrap_or_default();
    let name = find(page, row).and_then(|variable| match &variable.kind {
        Kind::Categorical { levels, labels, .. } => {
            levels.iter().zip(labels).find(|(level, _)| *level == text).map(|(_, label)| label.clone())
        }
        Kind::Continuous { .. } | Kind::Days { .. } => None,
    });
    line(page, row, format!("  {}", labels::plain(&name.unwrap_or_else(|| text.to_owned()))), count, false)
}

/// One line; `first` is the variable's own, which has difference and test.
fn line(
    page: &Page<'_>,
    row: &BalanceRow,
    label: String,
    cell: impl Fn(&BalanceCells) -> String,
    first: bool,
) -> Vec<String> {
    let mut line = vec![label, cell(&row.control), cell(&row.treated)];
    if with_all(page) {
        line.push(cell(&row.all));
    }
    let none = || if row.floored { number::HIDDEN.into() } else { "–".to_owned() };
    let difference = if row.separated { "∞".into() } else { row.smd.map_or_else(none, |d| format!("{d:.3}")) };
    line.push(if first { difference } else { String::new() });
    if !row.weighted {
        line.push(if first { row.p_value.map_or_else(none, number::p_value) } else { String::new() });
    }
    line
}

fn find<'a>(page: &Page<'a>, row: &BalanceRow) -> Option<&'a study::dictionary::Variable> {
    let dictionary = &page.protocol.dictionary;
    dictionary.find(&row.variable).map(|id| dictionary.variable(id))
}

/// The variable's label with its unit and missing values.
fn label(page: &Page<'_>, row: &BalanceRow) -> String {
    let label = find(page, row).map_or_else(
        || row.variable.clone(),
        |variable| match &variable.kind {
            Kind::Continuous { unit, .. } if !unit.is_empty() => format!("{} ({unit})", variable.label),
            _ => variable.label.clone(),
        },
    );
    let missing = match row.missing {
        [Some(0), Some(0)] => String::new(),
        [control, treated] => format!("; missing {} and {}", number::count(control), number::count(treated)),
    };
    labels::plain(&(label + &missing))
}

fn short(x: Option<f64>) -> String {
    x.map_or_else(|| "–".into(), |x| format!("{x:.1}"))
}
