//! Table 1, before and after weighting, and the love plot.

use study::results::{BalanceCells, BalanceRow};

use super::Block;
use crate::figure;
use crate::labels;
use crate::number::Count;
use crate::page::{BALANCE, Page};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let tables = page.protocol.baselines.iter().map(|declared| table(page, &declared.name));
    let mut blocks: Vec<Block> = tables.filter_map(Block::table).collect();
    if blocks.is_empty() {
        return vec![Block::words("The protocol declares no baseline table.")];
    }
    blocks.extend(Block::figures(figure::love::figure(page)));
    blocks
}

/// Which arm's cells, with the prefix of their columns.
type Arm = (&'static str, fn(&BalanceRow) -> &BalanceCells);

const ARMS: [Arm; 2] = [("control", |row| &row.control), ("treated", |row| &row.treated)];

fn table(page: &Page<'_>, name: &str) -> Table {
    let of_table = || page.results.balance.iter().filter(|row| row.table == name);
    let before = of_table().filter(|row| !row.weighted);
    let mut rows = Vec::new();
    for row in before {
        let after =
            of_table().find(|other| other.weighted && other.variable == row.variable && other.level == row.level);
        rows.extend(lines(page, row, after));
    }
    let weighted = of_table().any(|row| row.weighted);
    let [control, treated] = page.arms().clone();
    let mut header = vec!["Characteristic".to_owned(), control.clone(), treated.clone(), "SMD".into(), "P".into()];
    let mut spans = vec![(String::new(), 1), ("Before weighting".to_owned(), 4)];
    if weighted {
        header.extend([control, treated, "SMD".into()]);
        spans.push(("After weighting".into(), 3));
    } else {
        for row in &mut rows {
            if let Row::Cells { cells, .. } = row {
                cells.truncate(4);
            }
        }
    }
    Table {
        caption: match page.protocol.baselines.len() {
            1 => "Characteristics of the patients before and after weighting".into(),
            _ => format!("Characteristics of the patients before and after weighting: {}", labels::plain(name)),
        },
        spans,
        header,
        rows,
        texts: 1,
        notes: vec![notes(&of_table().collect::<Vec<_>>()).into()],
    }
}

fn notes(rows: &[&BalanceRow]) -> String {
    let mut tests: Vec<&str> = Vec::new();
    for name in rows.iter().filter_map(|row| row.test.as_deref()) {
        let words = match name {
            "mann_whitney" => "Mann-Whitney",
            "chi_square" => "chi-square without continuity correction",
            "chi_square_yates" => "chi-square with Yates' correction",
            "fisher" => "Fisher's exact test",
            other => other,
        };
        if !tests.contains(&words) {
            tests.push(words);
        }
    }
    let rounded = rows.iter().any(|row| row.rounded_to.is_some());
    let rounded = if rounded {
        " Where a step is named, median, quartiles and P are those of the values rounded to it."
    } else {
        ""
    };
    format!(
        "Categories: patients (%), after weighting sums of weights (%). Numbers: mean (SD), and median (first to third \
         quartile). SMD: standardised mean difference as tableone defines it; ∞: the arms have no value in common. P: {}.{rounded}",
        tests.join(", ")
    )
}

/// The lines of one row of the results: two of a number, one of a level; a binary variable has one line in all.
fn lines(page: &Page<'_>, row: &BalanceRow, after: Option<&BalanceRow>) -> Vec<Row> {
    let label = page.labels.variables(&row.variable);
    let smd = |row: &BalanceRow| difference(page, row);
    let tail = |cells: [Cell; 2]| {
        let p = row.p_value.map_or_else(|| absent(row), |p| page.p(p, &BALANCE, row, "p_value"));
        let [control, treated] = cells;
        let [after_control, after_treated] =
            after.map_or_else(|| [Cell::none(), Cell::none()], |row| ARMS.map(|arm| value(page, row, arm)));
        let after_smd = after.map_or_else(Cell::none, smd);
        vec![control, treated, smd(row), p, after_control, after_treated, after_smd]
    };
    match (&*row.kind, &row.level) {
        ("continuous", _) => {
            let quartiles = ARMS.map(|arm| quartiles(page, row, arm));
            let line = [quartiles.into(), vec![Cell::empty(); 5]].concat();
            let mut lines = vec![
                Row::new(format!("{label}, mean (SD)"), tail(ARMS.map(|arm| value(page, row, arm)))),
                Row::indented(labels::quartiles(row), line),
            ];
            lines.extend(missing(page, row));
            lines
        }
        ("binary", None) => {
            let event = page.protocol.dictionary.find(&row.variable);
            let event = event.and_then(|id| page.protocol.dictionary.variable(id).levels().get(1));
            let find = |weighted| {
                page.results.balance.iter().find(move |other| {
                    other.weighted == weighted
                        && other.table == row.table
                        && other.variable == row.variable
                        && other.level.is_some()
                        && other.level.as_ref() == event
                })
            };
            let cells = |level: Option<&BalanceRow>| {
                level.map_or_else(|| [Cell::none(), Cell::none()], |level| ARMS.map(|arm| value(page, level, arm)))
            };
            let mut line = tail(cells(find(false)));
            let [control, treated] = cells(find(true).filter(|_| after.is_some()));
            line.splice(4..6, [control, treated]);
            let mut lines = vec![Row::new(label, line)];
            lines.extend(missing(page, row));
            lines
        }
        ("binary", Some(_)) => Vec::new(),
        (_, None) => {
            let mut line = tail([Cell::empty(), Cell::empty()]);
            line.splice(4..6, [Cell::empty(), Cell::empty()]);
            let mut lines = vec![Row::new(label, line)];
            lines.extend(missing(page, row));
            lines
        }
        (_, Some(level)) => {
            let mut line = tail(ARMS.map(|arm| value(page, row, arm)));
            for at in [2, 3, 6] {
                line[at] = Cell::empty();
            }
            vec![Row::indented(page.level(&row.variable, level), line)]
        }
    }
}

/// Does a floor hide levels of the variable, and what they would follow from? Numbers have only missing values hidden.
fn floored(row: &BalanceRow) -> bool {
    row.floored && row.kind != "continuous"
}

/// What stands where a row has no number.
fn absent(row: &BalanceRow) -> Cell {
    if floored(row) { Cell::hidden() } else { Cell::none() }
}

/// The standardised difference without its sign.
pub(crate) fn difference(page: &Page<'_>, row: &BalanceRow) -> Cell {
    match row.smd {
        None if row.separated => Cell::text("∞"),
        None => absent(row),
        smd => page.absolute(smd, &BALANCE, row, "smd"),
    }
}

/// "62.1 (9.8)" of a number, "72 (55.4%)" of a level; sums of weights have a decimal.
fn value(page: &Page<'_>, row: &BalanceRow, (prefix, cells): Arm) -> Cell {
    let cells = cells(row);
    let Some(value) = cells.value.filter(|x| x.is_finite()) else { return absent(row) };
    let counted = row.kind != "continuous" && !row.weighted;
    let first = page.decimals(value, usize::from(!counted), &BALANCE, row, prefix);
    let column = format!("{prefix}_percent_or_sd");
    match cells.spread.filter(|x| x.is_finite()) {
        None if floored(row) => first.and_text(" (").and(Cell::hidden()).and_text(")"),
        None => first,
        Some(spread) => {
            let percent = if row.kind == "continuous" { "" } else { "%" };
            let spread = page.decimals(spread, 1, &BALANCE, row, &column);
            first.and_text(" (").and(spread).and_text(format!("{percent})"))
        }
    }
}

/// "63.0 (55.0–71.0)".
fn quartiles(page: &Page<'_>, row: &BalanceRow, (prefix, cells): Arm) -> Cell {
    let cells = cells(row);
    let part = |x: Option<f64>, name: &str| page.maybe(x, 1, &BALANCE, row, &format!("{prefix}_{name}"));
    part(cells.median, "median")
        .and_text(" (")
        .and(part(cells.q25, "q25"))
        .and_text("–")
        .and(part(cells.q75, "q75"))
        .and_text(")")
}

/// Patients without a value, where there are any.
fn missing(page: &Page<'_>, row: &BalanceRow) -> Option<Row> {
    let counts = row.missing.map(Count::from);
    if counts.iter().all(|n| n.known() == Some(0)) {
        return None;
    }
    let [control, treated] = counts;
    let cells =
        [page.count(control, &BALANCE, row, "missing_control"), page.count(treated, &BALANCE, row, "missing_treated")];
    Some(Row::indented("missing", [cells.into(), vec![Cell::empty(); 5]].concat()))
}
