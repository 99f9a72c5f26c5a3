//! Cumulative incidences of competing causes, Gray's tests and hazard ratios by cause.

use study::protocol::{Competing, Outcome, OutcomeKind};
use study::results::{At, EstimateRow, IncidenceRow};

use super::{Block, arm_label};
use crate::figure::curves::{Curve, Plot, Point, draw};
use crate::figure::svg::Ink;
use crate::figure::{Figure, file_name};
use crate::labels;
use crate::page::{ESTIMATES, INCIDENCE, Page, TESTS, preferred};
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
    let first = page.results.incidences.iter().find(of).map_or("", |row| row.conf_type);
    page.results.incidences.iter().filter(of).filter(|row| row.conf_type == first).collect()
}

fn figure(page: &Page<'_>, outcome: &Outcome, cause: &str, weighted: bool) -> Option<Figure> {
    let rows = rows(page, &outcome.name, cause, weighted);
    let drawn = rows.iter().find(|row| row.at == At::MergedCell).or(rows.first())?.at;
    let curve = |(level, ink): (&str, Ink)| {
        let of_arm = rows.iter().filter(|row| row.arm == level && row.at == drawn && row.incidence.is_finite());
        let point = |row: &&IncidenceRow| Point {
            months: page.in_months(row.time_days),
            value: row.incidence,
            interval: row.interval,
        };
        let points = of_arm.map(point).collect();
        Curve { label: arm_label(page, level), ink, second: false, points, median: None, at_risk: Vec::new() }
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
        for row in rows.iter().filter(|row| row.arm == level && row.at == drawn) {
            let incidence = page.percent(row.incidence, &INCIDENCE, row, "incidence");
            lines.push(Row::new(format!("{:.2}", page.in_months(row.time_days)), vec![incidence]));
        }
    }
    let svg = draw(Plot {
        name: name.clone(),
        title: format!("{label}, {kind}"),
        description: "Cumulative incidence of both arms over months since time zero.".into(),
        axis: "Cumulative incidence (%)".into(),
        start: 0.0,
        highest,
        at_risk: Vec::new(),
        risk_heading: String::new(),
        curves,
    });
    let caption = format!("{label}: cumulative incidence, {kind}. Marked points are exact; straight lines join them.");
    let data = Table {
        caption: format!("{label}: the points that are drawn (%)"),
        header: ["Months", "Incidence"].map(str::to_owned).into(),
        rows: lines,
        texts: 1,
        ..Table::default()
    };
    Some(Figure { name, caption, svg, data })
}

/// Incidences at the declared times by arm, their difference, and Gray's test.
fn incidences(page: &Page<'_>, outcome: &Outcome, competing: &Competing, weighted: bool) -> Table {
    let mut lines = Vec::new();
    let mut conf_type = "";
    for cause in &competing.causes {
        let rows = rows(page, &outcome.name, &cause.name, weighted);
        let declared: Vec<&IncidenceRow> = rows.into_iter().filter(|row| row.at == At::Declared).collect();
        let Some(first) = declared.first() else { continue };
        conf_type = first.conf_type;
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
    let cell = part(row.incidence, "incidence");
    let Some((low, high)) = row.interval else { return cell };
    let to = if low < 0.0 { " to " } else { "–" };
    let ends = part(low, "conf_low").and_text(to).and(part(high, "conf_high"));
    cell.and_text(" (").and(ends).and_text(")")
}

/// The treatment's ratio by cause and kind of model.
fn hazard_ratios(page: &Page<'_>, outcome: &Outcome, competing: &Competing) -> Table {
    let mut lines = Vec::new();
    for cause in &competing.causes {
        for (analysis, words) in [("cox", "cause-specific hazard"), ("fine_gray", "subdistribution hazard")] {
            let of = |row: &&EstimateRow| {
                row.analysis == analysis
                    && row.outcome == outcome.name
                    && row.cause == cause.name
                    && row.term == page.labels.treatment()
            };
            let rows: Vec<&EstimateRow> = page.results.estimates.iter().filter(of).collect();
            let mut models: Vec<&str> = rows.iter().map(|row| row.model).collect();
            models.dedup();
            for model in models {
                let of_model: Vec<&EstimateRow> = rows.iter().filter(|row| row.model == model).copied().collect();
                let Some(row) = preferred(&of_model) else { continue };
                let cells = vec![
                    Cell::text(words),
                    Cell::text(labels::model(model)),
                    Cell::text(labels::variance(row.variance)),
                    page.ratio(row),
                    page.p(row.p_value, &ESTIMATES, row, "p_value"),
                ];
                lines.push(Row::new(labels::plain(&cause.label), cells));
            }
        }
    }
    Table {
        caption: format!("{}: ratios by cause, {} (95% CI)", labels::plain(&outcome.label), page.contrast()),
        header: ["Cause", "Ratio of", "Model", "Variance", "Ratio (95% CI)", "P"].map(str::to_owned).into(),
        rows: lines,
        texts: 4,
        ..Table::default()
    }
}
