//! Kaplan-Meier curves, medians, survival at the declared times, restricted means, log-rank tests.

use study::protocol::{Outcome, OutcomeKind, ReleasedCurves};
use study::results::{At, MedianRow, Quantity, SurvivalRow};

use super::{Block, arm_label};
use crate::figure::curves::{Curve, Plot, Point, draw};
use crate::figure::svg::Ink;
use crate::figure::{Figure, file_name};
use crate::labels;
use crate::number;
use crate::page::{MEDIANS, OUTCOMES, Page, SURVIVAL, TESTS, WEIGHTS};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for outcome in page.protocol.outcomes.iter().filter(|o| matches!(o.kind, OutcomeKind::TimeToEvent(_))) {
        let figures = [false, true].into_iter().filter_map(|weighted| figure(page, outcome, weighted));
        let figures = Block::figures(figures);
        let tables = [false, true].into_iter().filter_map(|weighted| Block::table(table(page, outcome, weighted)));
        let parts: Vec<Block> = figures.into_iter().chain(tables).collect();
        if !parts.is_empty() {
            blocks.push(Block::Heading(labels::plain(&outcome.label)));
            blocks.extend(parts);
        }
    }
    if blocks.is_empty() {
        blocks.push(Block::words("The protocol declares no survival curve."));
    }
    blocks
}

fn figure(page: &Page<'_>, outcome: &Outcome, weighted: bool) -> Option<Figure> {
    let of = |row: &&SurvivalRow| row.outcome == outcome.name && row.weighted == weighted;
    let first = page.results.survival.iter().find(of)?;
    let rows: Vec<&SurvivalRow> =
        page.results.survival.iter().filter(of).filter(|row| row.conf_type == first.conf_type).collect();
    let merged = rows.iter().any(|row| row.at == At::MergedCell);
    let last = last_drawn(page, outcome, &rows);
    let counted = counted(page, outcome, &rows);
    let times = numbered(outcome, &counted, last);
    let curve = |(level, ink): (&str, Ink)| {
        let of_arm: Vec<&&SurvivalRow> = rows.iter().filter(|row| row.arm == level).collect();
        let point = |row: &&&SurvivalRow| {
            let value = row.survival.filter(|x| x.is_finite() && row.time_days <= last)?;
            Some(Point { months: page.in_months(row.time_days), value, interval: row.interval })
        };
        let at_risk = times.iter().map(|time| {
            let mut of_time = counted.iter().filter(|row| row.arm == level && row.time_days == *time);
            of_time.next().map_or_else(|| number::NONE.to_owned(), |row| risk(row))
        });
        let weighs = counted.first().is_some_and(|row| row.weighted);
        let start = at_start(page, outcome, level, weighs).words("");
        Curve {
            label: arm_label(page, level),
            ink,
            points: in_order(of_arm.iter().filter_map(point).collect()),
            median: median(page, outcome, level, weighted).map(|days| page.in_months(days)),
            at_risk: if counted.is_empty() { Vec::new() } else { [start].into_iter().chain(at_risk).collect() },
        }
    };
    let [control, treated] = page.arm_levels();
    let kind = if weighted { "weighted" } else { "unweighted" };
    let label = labels::plain(&outcome.label);
    let name = file_name(&["km", &outcome.name, kind]);
    let plot = Plot {
        name: name.clone(),
        title: format!("{label}, {kind}"),
        description: description(page, outcome, weighted),
        axis: format!("{} (%)", labels::free_of(outcome)),
        start: 1.0,
        highest: 1.0,
        at_risk: [0.0].into_iter().chain(times.iter().map(|days| page.in_months(*days))).collect(),
        risk_heading: match (weighted, counted.first().is_some_and(|row| row.weighted)) {
            (true, true) => "At risk (sum of weights)".into(),
            (true, false) => "Remaining (patients, not weighted)".into(),
            (false, _) => "Remaining".into(),
        },
        curves: [(treated, Ink::Treated), (control, Ink::Control)].map(curve).into(),
    };
    let where_known = if merged {
        let whole = rows.iter().all(|row| row.time_days <= last);
        format!(
            "Marked points are {}: declared times, and ends of cells with at least {} {} in each arm that has \
             any. Straight lines join them{}.{}",
            match page.protocol.release.curves {
                ReleasedCurves::Grid => "exact",
                ReleasedCurves::Merged => "exact for times rounded up to them",
            },
            page.protocol.release.minimum_leavers,
            if weighted { "leavers and as many events" } else { "leavers" },
            if whole { "" } else { "; the last cell, which reaches to the horizon, is not drawn" },
            left_out(&rows)
        )
    } else {
        "An arm has too few patients for a curve; the declared times are drawn.".into()
    };
    Some(Figure {
        caption: format!(
            "{}, {kind} Kaplan-Meier. {where_known} Shaded: 95% CI ({}; {}); dashed: medians.",
            labels::free_of(outcome),
            first.conf_type,
            variance(weighted)
        ),
        svg: draw(&plot),
        data: data(page, &label, &rows, outcome, last),
        name,
    })
}

/// The rows whose numbers stand under a curve: its own, or those of the unweighted curve where the sums of weights at risk are
/// hidden.
fn counted<'r>(page: &Page<'r>, outcome: &Outcome, rows: &[&'r SurvivalRow]) -> Vec<&'r SurvivalRow> {
    if rows.iter().any(|row| risk_of(row).is_some()) {
        return rows.to_vec();
    }
    let of = |row: &&SurvivalRow| row.outcome == outcome.name && !row.weighted;
    let first = page.results.survival.iter().find(of).map(|row| &row.conf_type);
    page.results.survival.iter().filter(of).filter(|row| Some(&row.conf_type) == first).collect()
}

/// Times at which numbers stand under a curve: the declared ones, or else a few ends of cells. At the end of the grid nobody
/// remains because longer follow-up is cut there: it says nothing.
fn numbered(outcome: &Outcome, rows: &[&SurvivalRow], last: f64) -> Vec<f64> {
    const MOST: usize = 6;
    let horizon = horizon(outcome);
    let times = |at: At| -> Vec<f64> {
        let known = rows.iter().filter(|row| row.at == at && row.time_days < horizon);
        let mut times: Vec<f64> = known.map(|row| row.time_days).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    };
    let declared = times(At::Declared);
    if !declared.is_empty() {
        return declared;
    }
    let ends: Vec<f64> = times(At::MergedCell).into_iter().filter(|time| *time <= last).collect();
    let step = last / MOST as f64;
    let mut kept: Vec<f64> = Vec::new();
    for time in ends {
        if kept.last().map_or(time, |before| time - before) >= step {
            kept.push(time);
        }
    }
    kept
}

/// Right end of the last cell of the grid, in days.
fn horizon(outcome: &Outcome) -> f64 {
    outcome.kind.grid().map_or(f64::INFINITY, |grid| grid.end(grid.cell(grid.horizon_days)))
}

/// What the drawing does not have.
fn left_out(rows: &[&SurvivalRow]) -> String {
    let mut words = String::new();
    if rows.iter().any(|row| row.survival.is_none() && !row.after_end) {
        words += " Hidden times are left out.";
    }
    if rows.iter().any(|row| row.after_end) {
        words += " A curve ends with the cell in which the last patient of its arm leaves.";
    }
    words
}

/// Patients who have not left by a time, which stands wherever survival does; of a weighted curve the sum of weights at
/// risk just before it, which a floor may hide.
fn risk(row: &SurvivalRow) -> String {
    let decimals = usize::from(row.weighted);
    risk_of(row).map_or_else(|| number::HIDDEN.into(), |n| format!("{n:.decimals$}"))
}

fn risk_of(row: &SurvivalRow) -> Option<f64> {
    if row.weighted { row.n_risk } else { row.n_after }
}

/// At time zero: all patients of an arm, or the sum of their weights.
fn at_start(page: &Page<'_>, outcome: &Outcome, level: &str, weighted: bool) -> Cell {
    if weighted {
        let row = page.results.weights.iter().find(|row| row.arm == level);
        return row.map_or_else(Cell::none, |row| page.decimals(row.sum, 1, &WEIGHTS, row, "sum"));
    }
    let row = page.results.outcomes.iter().find(|row| row.outcome == outcome.name && row.arm == level);
    row.map_or_else(Cell::none, |row| page.count(row.n, &OUTCOMES, row, "n"))
}

fn median(page: &Page<'_>, outcome: &Outcome, level: &str, weighted: bool) -> Option<f64> {
    let mut rows = page.results.medians.iter();
    rows.find(|row| {
        row.quantity == Quantity::Median && row.outcome == outcome.name && row.arm == level && row.weighted == weighted
    })?
    .value
}

fn description(page: &Page<'_>, outcome: &Outcome, weighted: bool) -> String {
    let [control, treated] = page.arm_levels();
    let part = |level: &str| {
        let median = median(page, outcome, level, weighted);
        let words = median.map_or("not reached".into(), |days| format!("{:.1} months", page.in_months(days)));
        format!("median {words} with {}", arm_label(page, level))
    };
    format!("Two curves over months since time zero: {}, {}.", part(treated), part(control))
}

/// The variance of a curve's intervals.
fn variance(weighted: bool) -> &'static str {
    if weighted { "variance: infinitesimal jackknife, weights taken as given" } else { "variance: Greenwood" }
}

/// Right end of the last cell that is drawn, in days. The very last cell is merged up to the horizon, often long after
/// the last patient has left: a line to its end would show a course that nobody has seen, unless the horizon itself is a
/// declared time and survival there is known.
fn last_drawn(page: &Page<'_>, outcome: &Outcome, rows: &[&SurvivalRow]) -> f64 {
    let horizon = horizon(outcome);
    let [control, treated] = page.arm_levels();
    let of_arms = rows.iter().filter(|row| row.arm == control || row.arm == treated);
    let drawn = of_arms.filter(|row| row.time_days < horizon || row.at == At::Declared && row.survival.is_some());
    drawn.map(|row| row.time_days).fold(0.0, f64::max)
}

/// By time, each time once.
fn in_order(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.months.total_cmp(&b.months));
    points.dedup_by(|a, b| a.months == b.months);
    points
}

/// What is drawn of both arms: points and, at time zero and the declared times, patients at risk.
fn data(page: &Page<'_>, label: &str, rows: &[&SurvivalRow], outcome: &Outcome, last: f64) -> Table {
    let weighted = rows.first().is_some_and(|row| row.weighted);
    let mut lines = Vec::new();
    for level in page.arm_levels() {
        lines.push(Row::Heading(arm_label(page, level)));
        let start = at_start(page, outcome, level, weighted);
        let mut first = vec![Cell::none(), Cell::none(), Cell::none(), start.clone()];
        first.extend((!weighted).then_some(start));
        lines.push(Row::new("0.00", first));
        let shown = |row: &&&SurvivalRow| row.arm == level && (row.time_days <= last || row.at == At::Declared);
        let mut of_arm: Vec<&SurvivalRow> = rows.iter().filter(shown).copied().collect();
        of_arm.sort_by_key(|row| row.at != At::Declared);
        of_arm.sort_by(|a, b| a.time_days.total_cmp(&b.time_days));
        of_arm.dedup_by(|a, b| a.time_days == b.time_days);
        for row in of_arm {
            let mut cells = if row.time_days <= last { point(page, row) } else { vec![Cell::none(); 3] };
            cells.push(match row.at {
                At::Declared => page.known(row.n_risk, usize::from(row.weighted), &SURVIVAL, row, "n_risk"),
                At::MergedCell => Cell::none(),
            });
            if !weighted {
                let is_end = row.time_days >= horizon(outcome);
                let remain = || page.known(row.n_after, 0, &SURVIVAL, row, "n_after");
                cells.push(if is_end { Cell::none() } else { remain() });
            }
            lines.push(Row::new(format!("{:.2}", page.in_months(row.time_days)), cells));
        }
    }
    let at_risk = if weighted { "At risk (sum of weights)" } else { "At risk" };
    let survival = labels::survival(outcome);
    let header = ["Months", &survival, "Lower limit", "Upper limit", at_risk, "Remaining"];
    Table {
        caption: format!("{label}: what is drawn (%)"),
        header: header[..if weighted { 5 } else { 6 }].iter().map(ToString::to_string).collect(),
        rows: lines,
        texts: 1,
        ..Table::default()
    }
}

/// Survival and its limits; hidden with all of them.
fn point(page: &Page<'_>, row: &SurvivalRow) -> Vec<Cell> {
    let Some(survival) = row.survival else {
        return vec![if row.after_end { Cell::none() } else { Cell::hidden() }; 3];
    };
    let part = |x: Option<f64>, column| {
        x.filter(|x| x.is_finite()).map_or_else(Cell::none, |x| page.percent(x, &SURVIVAL, row, column))
    };
    let [low, high] = [row.interval.map(|ends| ends.0), row.interval.map(|ends| ends.1)];
    vec![part(Some(survival), "survival"), part(low, "conf_low"), part(high, "conf_high")]
}

/// One row per quantity and time; the arms side by side.
fn table(page: &Page<'_>, outcome: &Outcome, weighted: bool) -> Table {
    let all = page.results.medians.iter().filter(|r| r.outcome == outcome.name && r.weighted == weighted);
    let all: Vec<&MedianRow> = all.collect();
    let symmetric = [Quantity::SurvivalDifferenceAt, Quantity::RestrictedMean, Quantity::RestrictedMeanDifference];
    let conf_type = all.first().map_or("", |row| &row.conf_type);
    // beside survival stands its difference; that of the risks is the same with the other sign
    let shown = all.iter().filter(|r| r.quantity != Quantity::RiskDifferenceAt);
    let shown = shown.filter(|r| symmetric.contains(&r.quantity) || r.conf_type == conf_type);
    let mut rows: Vec<((Quantity, Option<u64>), Row)> = Vec::new();
    for row in shown {
        let column = match row.arm.as_str() {
            "all" => 0,
            arm if arm == page.arm_levels()[0] => 1,
            arm if arm == page.arm_levels()[1] => 2,
            _ => 3,
        };
        // A difference stands on the line of what it is a difference of.
        let of = match row.quantity {
            Quantity::SurvivalDifferenceAt => Quantity::SurvivalAt,
            Quantity::RestrictedMeanDifference => Quantity::RestrictedMean,
            other => other,
        };
        let key = (of, row.at_days.map(f64::to_bits));
        let at = rows.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
            rows.push((key, Row::new(quantity(page, outcome, row), vec![Cell::empty(); 4])));
            rows.len() - 1
        });
        if let Row::Cells { cells, .. } = &mut rows[at].1 {
            cells[column] = value(page, row);
        }
    }
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let model = if weighted { "iptw" } else { "unadjusted" };
    let mut tests = page.results.tests.iter();
    if let Some(test) = tests.find(|t| t.name == "log_rank" && t.outcome == outcome.name && t.model == model) {
        let p = page.p_words(test.test.p_value, &TESTS, test, "p_value");
        rows.push(Row::new("Log-rank test", vec![Cell::empty(), Cell::empty(), Cell::empty(), p]));
    }
    let kind = if weighted { "weighted" } else { "unweighted" };
    let [control, treated] = page.arms().clone();
    Table {
        caption: format!(
            "{}, {kind} Kaplan-Meier (95% CI: {conf_type}; {})",
            labels::free_of(outcome),
            variance(weighted)
        ),
        header: vec!["Months or %".into(), "Both arms".into(), control, treated, "Difference or test".into()],
        rows,
        texts: 1,
        notes: vec![
            "n.r.: not reached; –: nobody of the arm was followed so long. Follow-up: median of the reverse Kaplan-Meier curve. Differences are treated minus \
             control: of survival in percentage points, of means in months; their intervals are plain."
                .into(),
        ],
        ..Table::default()
    }
}

fn quantity(page: &Page<'_>, outcome: &Outcome, row: &MedianRow) -> String {
    let months = row.at_days.map_or_else(String::new, |days| format!("{:.1}", page.in_months(days)));
    match row.quantity {
        Quantity::Median => "Median, months".into(),
        Quantity::FollowUp => "Follow-up, months".into(),
        Quantity::RestrictedMean | Quantity::RestrictedMeanDifference => format!("Mean to month {months}"),
        Quantity::SurvivalAt | Quantity::SurvivalDifferenceAt => {
            format!("{} at month {months}, %", labels::survival(outcome))
        }
        Quantity::RiskDifferenceAt => format!("Risk difference at month {months}, %"),
    }
}

/// "17.5 (13.9–20.8)"; n.r. where a median or its limit is not reached.
fn value(page: &Page<'_>, row: &MedianRow) -> Cell {
    if row.after_end {
        return Cell::none();
    }
    if row.value.is_none() && !matches!(row.quantity, Quantity::Median | Quantity::FollowUp) {
        return Cell::hidden();
    }
    let percent = matches!(row.quantity, Quantity::SurvivalAt | Quantity::SurvivalDifferenceAt);
    let part = |x: Option<f64>, column| match x.filter(|x| x.is_finite()) {
        None => Cell::text("n.r."),
        Some(x) if percent => page.percent(x, &MEDIANS, row, column),
        Some(x) => page.months(x, &MEDIANS, row, column),
    };
    let to = if row.conf_low.is_some_and(|x| x < 0.0) { " to " } else { "–" };
    part(row.value, "value_days")
        .and_text(" (")
        .and(part(row.conf_low, "conf_low"))
        .and_text(to)
        .and(part(row.conf_high, "conf_high"))
        .and_text(")")
}
