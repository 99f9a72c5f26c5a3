//! Standardised differences before and after weighting.

use study::results::BalanceRow;

use super::Figure;
use super::svg::{Anchor, Drawing, Ink, Scale, Set, short_all, tick, ticks};
use crate::page::Page;
use crate::section::baseline::difference;
use crate::table::{Row, Table};

/// Differences below this are taken for balance (Austin 2009).
pub(crate) const LIMIT: f64 = 0.1;

const STEP: f64 = 26.0;
const LEFT: f64 = 230.0;
const RIGHT: f64 = 640.0;
const TOP: f64 = 44.0;

/// A variable with its two rows: before weighting and, where there is one, after. Differences are the same in all tables
/// that have the variable, so it stands once.
pub(crate) fn pairs<'r>(page: &Page<'r>) -> Vec<(&'r BalanceRow, Option<&'r BalanceRow>)> {
    let whole = |weighted| page.results.balance.iter().filter(move |r| r.level.is_none() && r.weighted == weighted);
    let mut pairs: Vec<(&BalanceRow, Option<&BalanceRow>)> = Vec::new();
    for row in whole(false) {
        if !pairs.iter().any(|(other, _)| other.variable == row.variable) {
            pairs.push((row, whole(true).find(|other| other.variable == row.variable)));
        }
    }
    pairs
}

/// The figure; none without differences.
pub(crate) fn figure(page: &Page<'_>) -> Option<Figure> {
    let mut pairs = pairs(page);
    let size = |row: Option<&BalanceRow>| row.and_then(|row| row.smd).map(f64::abs).filter(|x| x.is_finite());
    let infinite = |row: Option<&BalanceRow>| row.is_some_and(|row| row.separated);
    pairs.retain(|(before, after)| {
        size(Some(before)).or(size(*after)).is_some() || infinite(Some(before)) || infinite(*after)
    });
    let order = |row: &BalanceRow| if row.separated { f64::INFINITY } else { size(Some(row)).unwrap_or(0.0) };
    pairs.sort_by(|(a, _), (b, _)| order(b).total_cmp(&order(a)));
    let largest = pairs.iter().flat_map(|(a, b)| [size(Some(a)), size(*b)]).flatten().fold(0.3, f64::max);
    if pairs.is_empty() {
        return None;
    }
    let bottom = TOP + STEP * pairs.len() as f64;
    let mut drawing = Drawing::new(RIGHT + 20.0, bottom + 46.0);
    let scale = Scale { from: [0.0, largest * 1.04], to: [LEFT, RIGHT] };
    for x in ticks(largest * 1.04, 6) {
        drawing.line([scale.at(x), TOP], [scale.at(x), bottom], Ink::Faint, 0.6, "");
        drawing.text([scale.at(x), bottom + 18.0], Anchor::Middle, Set::Small, Ink::Plain, &tick(x));
    }
    drawing.line([LEFT, bottom], [RIGHT, bottom], Ink::Plain, 1.0, "");
    drawing.line([scale.at(LIMIT), TOP - 6.0], [scale.at(LIMIT), bottom], Ink::Plain, 1.2, "4 3");
    drawing.text([scale.at(LIMIT), TOP - 10.0], Anchor::Middle, Set::Small, Ink::Plain, "0.1");
    let axis = "Absolute standardised mean difference";
    drawing.text([f64::midpoint(LEFT, RIGHT), bottom + 38.0], Anchor::Middle, Set::Normal, Ink::Plain, axis);
    let labels: Vec<String> = pairs.iter().map(|(before, _)| page.labels.variables(&before.variable)).collect();
    for (i, ((before, after), label)) in pairs.iter().zip(short_all(&labels, 32)).enumerate() {
        let y = TOP + STEP * (i as f64 + 0.5);
        drawing.text([LEFT - 12.0, y + 4.5], Anchor::End, Set::Normal, Ink::Plain, &label);
        let (from, to) = (size(Some(before)), size(*after));
        if let (Some(from), Some(to)) = (from, to) {
            drawing.line([scale.at(from), y], [scale.at(to), y], Ink::Faint, 1.5, "");
        }
        for (x, ink) in [(from, Ink::Control), (to, Ink::Treated)] {
            if let Some(x) = x {
                drawing.mark([scale.at(x), y], 4.5, ink);
            }
        }
        if infinite(Some(before)) || infinite(*after) {
            drawing.text([RIGHT, y + 4.5], Anchor::End, Set::Normal, Ink::Plain, "∞");
        }
    }
    legend(&mut drawing, pairs.iter().any(|(_, after)| after.is_some()));
    let name = "love";
    let smd = |row: &BalanceRow| if row.separated { Some(f64::INFINITY) } else { row.smd };
    let above =
        |known: Vec<f64>| format!("{} of {}", known.iter().filter(|smd| smd.abs() > LIMIT).count(), known.len());
    let (before, after) = (
        above(pairs.iter().filter_map(|(row, _)| smd(row)).collect()),
        above(pairs.iter().filter_map(|(_, row)| row.and_then(smd)).collect()),
    );
    let text = format!("Characteristics that differ by more than 0.1: {before} before weighting, {after} after.");
    Some(Figure {
        name: name.into(),
        caption: "Balance of the arms: absolute standardised mean differences before and after weighting. The dashed \
                  line is at 0.1. ∞: the arms have no value in common."
            .into(),
        svg: drawing.finish(name, "Standardised mean differences before and after weighting", &text),
        data: data(page, &pairs),
    })
}

fn legend(drawing: &mut Drawing, weighted: bool) {
    drawing.mark([LEFT + 6.0, 14.0], 4.5, Ink::Control);
    drawing.text([LEFT + 18.0, 18.5], Anchor::Start, Set::Normal, Ink::Plain, "before weighting");
    if weighted {
        drawing.mark([LEFT + 166.0, 14.0], 4.5, Ink::Treated);
        drawing.text([LEFT + 178.0, 18.5], Anchor::Start, Set::Normal, Ink::Plain, "after weighting");
    }
}

fn data(page: &Page<'_>, pairs: &[(&BalanceRow, Option<&BalanceRow>)]) -> Table {
    let smd = |row: &BalanceRow| difference(page, row);
    let row = |(before, after): &(&BalanceRow, Option<&BalanceRow>)| {
        let after = after.map_or_else(crate::table::Cell::none, smd);
        Row::new(page.labels.variables(&before.variable), vec![smd(before), after])
    };
    Table {
        caption: "Absolute standardised mean differences".into(),
        header: ["Characteristic", "Before weighting", "After weighting"].map(str::to_owned).into(),
        rows: pairs.iter().map(row).collect(),
        texts: 1,
        ..Table::default()
    }
}
