//! Propensity scores of the arms back to back, and the spread of the weights.

use study::results::{HistogramRow, WeightRow};

use super::Figure;
use super::svg::{Anchor, Drawing, Ink, Scale, Set, short_all, tick, ticks};
use crate::labels::scheme;
use crate::page::{HISTOGRAM, Page, WEIGHTS};
use crate::table::{Cell, Row, Table};

const LEFT: f64 = 60.0;
const RIGHT: f64 = 540.0;

/// The treated arm upwards, the control arm downwards; bars are patients, outlines sums of weights.
pub(crate) fn overlap(page: &Page<'_>) -> Option<Figure> {
    let [control, treated] = page.arm_levels();
    let of = |arm: &str| page.results.histogram.iter().filter(|row| row.arm == arm).collect::<Vec<_>>();
    let arms = [of(control), of(treated)];
    if arms[0].is_empty() {
        return None;
    }
    let all = arms.iter().flatten();
    let ends = all.flat_map(|row| [row.n.map(|n| n as f64), row.weighted]).flatten();
    let highest = ends.filter(|x| x.is_finite()).fold(1.0, f64::max);
    let (middle, half) = (220.0, 180.0);
    let mut drawing = Drawing::new(RIGHT + 20.0, 446.0);
    let x = Scale { from: [0.0, 1.0], to: [LEFT, RIGHT] };
    let up = Scale { from: [0.0, highest], to: [middle, middle - half] };
    let down = Scale { from: [0.0, highest], to: [middle, middle + half] };
    for n in ticks(highest, 4).into_iter().skip(1) {
        for scale in [up, down] {
            drawing.line([LEFT, scale.at(n)], [RIGHT, scale.at(n)], Ink::Faint, 0.6, "");
            drawing.text([LEFT - 8.0, scale.at(n) + 4.0], Anchor::End, Set::Small, Ink::Plain, &tick(n));
        }
    }
    for ((bins, scale), ink) in arms.iter().zip([down, up]).zip([Ink::Control, Ink::Treated]) {
        self::bins(&mut drawing, bins, [x, scale], ink);
    }
    drawing.line([LEFT, middle], [RIGHT, middle], Ink::Plain, 1.2, "");
    for i in 0..=10 {
        let score = f64::from(i) / 10.0;
        drawing.text([x.at(score), 420.0], Anchor::Middle, Set::Small, Ink::Plain, &tick(score));
    }
    let cut = short_all(page.arms(), 40);
    let [control, treated] = [&cut[0], &cut[1]];
    drawing.text([LEFT + 8.0, 26.0], Anchor::Start, Set::Bold, Ink::Treated, treated);
    drawing.text([LEFT + 8.0, 398.0], Anchor::Start, Set::Bold, Ink::Control, control);
    let axis = format!("Propensity score: probability of {treated}");
    drawing.text([f64::midpoint(LEFT, RIGHT), 440.0], Anchor::Middle, Set::Normal, Ink::Plain, &axis);
    drawing.upwards([16.0, middle], "Patients (bars), sum of weights (lines)");
    let hidden = arms.iter().flatten().any(|row| row.n.is_none());
    if hidden {
        drawing.hatch([RIGHT - 132.0, 17.0], [16.0, HATCHED], Ink::Plain);
        drawing.text([RIGHT - 110.0, 26.0], Anchor::Start, Set::Small, Ink::Plain, "count is hidden");
    }
    let name = "overlap";
    let text = format!("Histogram of the propensity score: {treated} upwards, {control} downwards.");
    Some(Figure {
        name: name.into(),
        caption: format!(
            "Overlap of the arms. Bars count patients by their propensity score; lines are the sums of their weights.{}",
            if hidden { " Of hatched bins the numbers are hidden; their height says nothing." } else { "" }
        ),
        svg: drawing.finish(name, "Propensity scores of both arms", &text),
        data: overlap_data(page, &arms),
    })
}

/// Height of what stands for a bin that is hidden.
const HATCHED: f64 = 11.0;

/// The bins of one arm. The outline of the weights has a gap where a bin is hidden.
fn bins(drawing: &mut Drawing, bins: &[&HistogramRow], [x, y]: [Scale; 2], ink: Ink) {
    let base = y.at(0.0);
    let mut outline: Vec<[f64; 2]> = Vec::new();
    for bin in bins {
        let (from, to) = (x.at(bin.low), x.at(bin.high));
        let (left, width) = (from + 1.0, to - from - 2.0);
        match bin.n {
            Some(n) => {
                let end = y.at(n as f64);
                drawing.bar([left, end.min(base)], [width, (end - base).abs()], ink, 0.45);
            }
            None if y.to[1] < base => drawing.hatch([left, base - HATCHED], [width, HATCHED], ink),
            None => drawing.hatch([left, base], [width, HATCHED], ink),
        }
        match bin.weighted {
            Some(sum) => outline.extend([[from, y.at(sum)], [to, y.at(sum)]]),
            None => drawing.path(&std::mem::take(&mut outline), ink, 1.8, ink.dashes()),
        }
    }
    drawing.path(&outline, ink, 1.8, ink.dashes());
}

fn overlap_data(page: &Page<'_>, [control, treated]: &[Vec<&HistogramRow>; 2]) -> Table {
    let cells = |row: &HistogramRow| {
        [page.count(row.n, &HISTOGRAM, row, "n"), page.known(row.weighted, 1, &HISTOGRAM, row, "weighted")]
    };
    let rows = control.iter().zip(treated).map(|(control, treated)| {
        let label = format!("{:.2}–{:.2}", control.low, control.high);
        Row::new(label, [cells(control), cells(treated)].concat())
    });
    let arm = |label: &String| [format!("{label}\npatients"), format!("{label}\nsum of weights")];
    Table {
        caption: "Propensity scores of both arms".into(),
        header: ["Score".to_owned()].into_iter().chain(page.arms().iter().flat_map(arm)).collect(),
        rows: rows.collect(),
        texts: 1,
        ..Table::default()
    }
}

/// Mean and largest weight of every scheme, and the range that holds 98% of all weights.
pub(crate) fn weights(page: &Page<'_>) -> Option<Figure> {
    let counted = |row: &&WeightRow| row.counted.is_some_and(|counted| counted.max.is_some());
    let rows: Vec<&WeightRow> = page.results.weights.iter().filter(counted).collect();
    let max = |row: &WeightRow| row.counted.and_then(|counted| counted.max).unwrap_or(0.0);
    let highest = rows.iter().map(|row| max(row)).filter(|x| x.is_finite()).fold(1.0, f64::max);
    if rows.is_empty() {
        return None;
    }
    let (left, right, step, top) = (200.0, 540.0, 24.0, 40.0);
    let bottom = top + step * rows.len() as f64 + 6.0;
    let mut drawing = Drawing::new(right + 20.0, bottom + 44.0);
    let x = Scale { from: [0.0, highest * 1.05], to: [left, right] };
    for tick_at in ticks(highest * 1.05, 6) {
        drawing.line([x.at(tick_at), top], [x.at(tick_at), bottom], Ink::Faint, 0.6, "");
        drawing.text([x.at(tick_at), bottom + 18.0], Anchor::Middle, Set::Small, Ink::Plain, &tick(tick_at));
    }
    drawing.line([x.at(1.0), top], [x.at(1.0), bottom], Ink::Plain, 1.0, "4 3");
    drawing.line([left, bottom], [right, bottom], Ink::Plain, 1.0, "");
    let [control, _] = page.arm_levels();
    let arms = short_all(page.arms(), 14);
    let label = |row: &&WeightRow| format!("{}, {}", scheme(&row.scheme), arms[usize::from(row.arm != control)]);
    let labels = short_all(&rows.iter().map(label).collect::<Vec<_>>(), 30);
    for (i, (row, label)) in rows.iter().zip(labels).enumerate() {
        let y = top + step * (i as f64 + 0.5) + 3.0;
        let ink = if row.arm == control { Ink::Control } else { Ink::Treated };
        drawing.text([left - 12.0, y + 4.5], Anchor::End, Set::Normal, Ink::Plain, &label);
        if let Some([Some(low), Some(high), ..]) = row.counted.map(|counted| counted.quantiles) {
            drawing.bar([x.at(low), y - 6.0], [x.at(high) - x.at(low), 12.0], Ink::Faint, 0.45);
        }
        drawing.mark([x.at(row.sum / row.n as f64), y], 4.0, ink);
        let end = x.at(max(row));
        drawing.line([end, y - 7.0], [end, y + 7.0], ink, 2.5, "");
    }
    drawing.text([left, 16.0], Anchor::Start, Set::Small, Ink::Plain, "mark: mean · bar: largest · shaded: 1% to 99%");
    drawing.text([f64::midpoint(left, right), bottom + 38.0], Anchor::Middle, Set::Normal, Ink::Plain, "Weight");
    let name = "weights";
    Some(Figure {
        name: name.into(),
        caption:
            "Weights by scheme and arm: mean, largest, and the range from the 1% to the 99% quantile of both arms \
                  together."
                .into(),
        svg: drawing.finish(name, "Spread of the weights", &format!("{} rows of weights.", rows.len())),
        data: weights_data(page, &rows),
    })
}

fn weights_data(page: &Page<'_>, rows: &[&WeightRow]) -> Table {
    let row = |row: &&WeightRow| {
        let arm = if row.arm == page.arm_levels()[0] { &page.arms()[0] } else { &page.arms()[1] };
        let quantile = |at: usize| row.counted.and_then(|counted| counted.quantiles[at]);
        let cells = vec![
            Cell::foreign(arm),
            page.maybe(quantile(0), 2, &WEIGHTS, row, "q01_type3"),
            page.maybe(quantile(1), 2, &WEIGHTS, row, "q99_type3"),
            page.maybe(row.counted.and_then(|counted| counted.max), 2, &WEIGHTS, row, "max"),
        ];
        Row::new(scheme(&row.scheme), cells)
    };
    Table {
        caption: "Spread of the weights".into(),
        header: ["Weights", "Arm", "1% quantile", "99% quantile", "Largest"].map(str::to_owned).into(),
        rows: rows.iter().map(row).collect(),
        texts: 2,
        ..Table::default()
    }
}
