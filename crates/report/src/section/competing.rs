//! Cumulative incidences of competing causes, Gray's tests and hazard ratios by cause.

use study::protocol::{Competing, Outcome, OutcomeKind};
use study::results::{At, EstimateRow, IncidenceRow};

use super::{Block, arm_label};
use crate::figure::curves::{Curve, Plot, Point, draw};
use crate::figure::svg::Ink;
use crate::figure::{Figure, file_name};
use crate::labels;
use crate::models::preferred;
use crate::number::{HIDDEN, NONE};
use crate::page::{ESTIMATES, INCIDENCE, Page, TESTS};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for outcome in &page.protocol.outcomes {
        let OutcomeKind::Competing(competing) = &outcome.kind else { continue };
        blocks.push(Block::Heading(labels::plain(&outcome.label)));
        let figures = [false, true].into_iter().flat_map(|weighted| {
            competing.causes.iter().filter_map(move |cause| figure(page, outcome, &cause.name, weighted))
        });
        blocks.extend(Block::figures(figures));
        for weighted in [false, true] {
            blocks.extend(Block::table(incidences(page, outcome, competing, weighted)));
        }
        blocks.extend(Block::table(hazard_ratios(page, outcome, competing)));
    }
    if blocks.is_empty() {
        blocks.push(Block::words("The protocol declares no competing causes."));
    }
    blocks
}

fn rows<'r>(page: &Page<'r>, outcome: &str, cause: &str, weighted: bool) -> Vec<&'r IncidenceRow> {
    let of = |row: &&IncidenceRow| row.outcome == outcome && row.cause == cause && row.weighted == weighted;
    let first = page.results.incidences.iter().find(of).map_or("", |row| &row.conf_type);
    page.results.incidences.iter().filter(of).filter(|row| row.conf_type == first).collect()
}

fn figure(page: &Page<'_>, outcome: &Outcome, cause: &str, weighted: bool) -> Option<Figure> {
    let rows = rows(page, &outcome.name, cause, weighted);
    let last = last_drawn(page, outcome, &rows)?;
    let mut times: Vec<f64> = rows.iter().filter(|row| row.at == At::Declared).map(|row| row.time_days).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let curve = |(level, ink): (&str, Ink)| {
        let at_risk = times.iter().map(|time| {
            let mut declared = rows.iter().filter(|row| row.arm == level && row.at == At::Declared);
            let n = declared.find(|row| row.time_days == *time).map(|row| row.n_after);
            n.map_or_else(|| NONE.to_owned(), |n| n.map_or_else(|| HIDDEN.to_owned(), |n| format!("{n:.0}")))
        });
        let point = |row: &IncidenceRow| {
            let (months, interval) = (page.in_months(row.time_days), row.interval);
            Some(Point { months, value: row.incidence?, interval })
        };
        let points = points(&rows, level, last).into_iter().filter_map(point).collect();
        Curve { label: arm_label(page, level), ink, points, median: None, at_risk: at_risk.collect() }
    };
    let [control, treated] = page.arm_levels();
    let curves: Vec<Curve> = [(treated, Ink::Treated), (control, Ink::Control)].map(curve).into();
    let top = curves.iter().flat_map(|curve| &curve.points).map(|p| p.interval.map_or(p.value, |ends| ends.1));
    let highest = (top.filter(|x| x.is_finite()).fold(0.1_f64, f64::max) * 10.0).ceil().min(10.0) / 10.0;
    let kind = if weighted { "weighted" } else { "unweighted" };
    let label = page.outcome(&outcome.name, cause);
    let name = file_name(&["incidence", &outcome.name, cause, kind]);
    let mut lines = Vec::new();
    for level in [control, treated] {
        lines.push(Row::Heading(arm_label(page, level)));
        for row in points(&rows, level, last) {
            let incidence = match row.incidence {
                Some(x) => page.percent(x, &INCIDENCE, row, "incidence"),
                None if row.after_end => Cell::none(),
                None => Cell::hidden(),
            };
            let at_risk = match row.at {
                At::Declared => page.known(row.n_risk, 0, &INCIDENCE, row, "n_risk"),
                At::MergedCell => Cell::none(),
            };
            let remaining = page.known(row.n_after, 0, &INCIDENCE, row, "n_after");
            lines.push(Row::new(format!("{:.2}", page.in_months(row.time_days)), vec![incidence, at_risk, remaining]));
        }
    }
    let svg = draw(&Plot {
        name: name.clone(),
        title: format!("{label}, {kind}"),
        description: "Cumulative incidence of both arms over months since time zero.".into(),
        axis: "Cumulative incidence (%)".into(),
        start: 0.0,
        highest,
        at_risk: times.iter().map(|days| page.in_months(*days)).collect(),
        risk_heading: "Remaining (patients)".into(),
        curves,
    });
    let mut left_out = String::new();
    if rows.iter().any(|row| row.incidence.is_none() && !row.after_end) {
        left_out += " Hidden times are left out.";
    }
    if rows.iter().any(|row| row.after_end) {
        left_out += " A curve ends with the cell in which the last patient of its arm leaves.";
    }
    let caption =
        format!("{label}: cumulative incidence, {kind}. Marked points are exact; straight lines join them.{left_out}");
    let data = Table {
        caption: format!("{label}: what is drawn (%)"),
        header: ["Months", "Incidence", "At risk", "Remaining"].map(str::to_owned).into(),
        rows: lines,
        texts: 1,
        ..Table::default()
    };
    Some(Figure { name, caption, svg, data })
}

/// Right end of the last cell that is drawn: the very last one reaches to the horizon, and is drawn where that is a declared
/// time.
fn last_drawn(page: &Page<'_>, outcome: &Outcome, rows: &[&IncidenceRow]) -> Option<f64> {
    let horizon = outcome.kind.grid().map_or(f64::INFINITY, |grid| grid.end(grid.cell(grid.horizon_days)));
    let [control, treated] = page.arm_levels();
    let of_arms = rows.iter().filter(|row| row.arm == control || row.arm == treated);
    let drawn = of_arms.filter(|row| row.time_days < horizon || row.at == At::Declared && row.incidence.is_some());
    drawn.map(|row| row.time_days).max_by(f64::total_cmp)
}

/// The points of an arm by time, each time once, with those that are hidden.
fn points<'r>(rows: &[&'r IncidenceRow], level: &str, last: f64) -> Vec<&'r IncidenceRow> {
    let known = |row: &&&IncidenceRow| row.incidence.is_none_or(f64::is_finite);
    let of_arm = rows.iter().filter(|row| row.arm == level && row.time_days <= last).filter(known);
    let mut of_arm: Vec<&IncidenceRow> = of_arm.copied().collect();
    of_arm.sort_by_key(|row| row.at != At::Declared);
    of_arm.sort_by(|a, b| a.time_days.total_cmp(&b.time_days));
    of_arm.dedup_by(|a, b| a.time_days == b.time_days);
    of_arm
}

/// Incidences at the declared times by arm, their difference, and Gray's test.
fn incidences(page: &Page<'_>, outcome: &Outcome, competing: &Competing, weighted: bool) -> Table {
    let mut lines = Vec::new();
    let mut conf_type = "";
    for cause in &competing.causes {
        let rows = rows(page, &outcome.name, &cause.name, weighted);
        let declared: Vec<&IncidenceRow> = rows.into_iter().filter(|row| row.at == At::Declared).collect();
        let Some(first) = declared.first() else { continue };
        conf_type = &first.conf_type;
        let model = if weighted { "iptw" } else { "unadjusted" };
        let mut tests = page.results.tests.iter().filter(|t| t.name == "gray" && t.outcome == outcome.name);
        let gray = tests.find(|t| t.cause == cause.name && t.model == model);
        let p = gray.map_or_else(Cell::empty, |test| page.p(test.test.p_value, &TESTS, test, "p_value"));
        lines.push(Row::new(labels::plain(&cause.label), [vec![Cell::empty(); 3], vec![p]].concat()));
        let mut times: Vec<f64> = declared.iter().map(|row| row.time_days).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        for time in times {
            let all = |row: &&&IncidenceRow| row.time_days == time && row.weighted == weighted;
            let arm = |level: &str| {
                let row = declared.iter().filter(all).find(|row| row.arm == level);
                row.map_or_else(Cell::none, |row| value(page, row))
            };
            let [control, treated] = page.arm_levels();
            let difference = page.results.incidences.iter().find(|row| {
                row.outcome == outcome.name
                    && row.cause == cause.name
                    && row.weighted == weighted
                    && row.time_days == time
                    && row.arm == page.labels.treatment()
            });
            let difference = difference.map_or_else(Cell::none, |row| value(page, row));
            let label = format!("% at month {:.1}", page.in_months(time));
            lines.push(Row::indented(label, vec![arm(control), arm(treated), difference, Cell::empty()]));
        }
    }
    let kind = if weighted { "weighted" } else { "unweighted" };
    let [control, treated] = page.arms().clone();
    Table {
        caption: format!("{}: cumulative incidences, {kind} (95% CI: {conf_type})", labels::plain(&outcome.label)),
        header: vec!["Cause".into(), control, treated, "Difference".into(), "P (Gray)".into()],
        rows: lines,
        texts: 1,
        ..Table::default()
    }
}

fn value(page: &Page<'_>, row: &IncidenceRow) -> Cell {
    let part = |x: f64, column| {
        if x.is_finite() { page.percent(x, &INCIDENCE, row, column) } else { Cell::none() }
    };
    let Some(incidence) = row.incidence else {
        return if row.after_end { Cell::none() } else { Cell::hidden() };
    };
    let cell = part(incidence, "incidence");
    let Some((low, high)) = row.interval else { return cell };
    let to = if low < 0.0 { " to " } else { "–" };
    let ends = part(low, "conf_low").and_text(to).and(part(high, "conf_high"));
    cell.and_text(" (").and(ends).and_text(")")
}

/// The treatment's ratio by cause and kind of model.
fn hazard_ratios(page: &Page<'_>, outcome: &Outcome, competing: &Competing) -> Table {
    let lines = ratios(page, outcome, competing).into_iter().map(|(cause, words, row)| {
        let cells = vec![
            Cell::text(words),
            Cell::text(labels::model(&row.model)),
            Cell::text(labels::variance(row.variance)),
            page.ratio(row),
            page.p(row.p_value, &ESTIMATES, row, "p_value"),
        ];
        Row::new(cause, cells)
    });
    Table {
        caption: format!("{}: ratios by cause, {} (95% CI)", labels::plain(&outcome.label), page.contrast()),
        header: ["Cause", "Ratio of", "Model", "Variance", "Ratio (95% CI)", "P"].map(str::to_owned).into(),
        rows: lines.collect(),
        texts: 4,
        ..Table::default()
    }
}

/// Label of the cause, what the ratio is of, and the treatment's row of each model.
pub(super) fn ratios<'r>(
    page: &Page<'r>,
    outcome: &Outcome,
    competing: &Competing,
) -> Vec<(String, &'static str, &'r EstimateRow)> {
    let mut found = Vec::new();
    for cause in &competing.causes {
        for (analysis, words) in [("cox", "cause-specific hazard"), ("fine_gray", "subdistribution hazard")] {
            let of = |row: &&EstimateRow| {
                row.analysis == analysis
                    && row.outcome == outcome.name
                    && row.cause == cause.name
                    && row.term == page.labels.treatment()
            };
            let rows: Vec<&EstimateRow> = page.results.estimates.iter().filter(of).collect();
            let mut models: Vec<&str> = rows.iter().map(|row| &*row.model).collect();
            models.dedup();
            for model in models {
                let of_model: Vec<&EstimateRow> = rows.iter().filter(|row| row.model == model).copied().collect();
                found.extend(preferred(&of_model).map(|row| (labels::plain(&cause.label), words, row)));
            }
        }
    }
    found
}
