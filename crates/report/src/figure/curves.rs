//! Curves over time: survival of both arms, and incidences of causes.
//!
//! A curve is released at the ends of cells that hold a minimum of leavers. Its values there are exact; between them it
//! is not known, so straight lines join them.

use super::svg::{Anchor, Drawing, Ink, Scale, Set, short_all, tick, ticks};

/// One point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) months: f64,
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    pub(crate) label: String,
    pub(crate) ink: Ink,
    pub(crate) points: Vec<Point>,
    /// Where it comes down to one half.
    pub(crate) median: Option<f64>,
    /// Numbers at risk at [`Plot::at_risk`].
    pub(crate) at_risk: Vec<String>,
}

/// What stands around the curves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plot {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) axis: String,
    /// Value before the first point: 1 of survival, 0 of an incidence.
    pub(crate) start: f64,
    /// End of the value axis.
    pub(crate) highest: f64,
    /// Months at which patients at risk are counted.
    pub(crate) at_risk: Vec<f64>,
    pub(crate) risk_heading: String,
    pub(crate) curves: Vec<Curve>,
}

const LEFT: f64 = 64.0;
const RIGHT: f64 = 530.0;
const TOP: f64 = 34.0;
/// Height of a line of the legend.
const LINE: f64 = 18.0;
const BOTTOM: f64 = 320.0;

/// The drawing.
pub(crate) fn draw(plot: &Plot) -> String {
    let last = plot.curves.iter().filter_map(|curve| curve.points.last()).map(|point| point.months);
    let last = last.chain(plot.at_risk.last().copied()).fold(1.0, f64::max);
    let rows = plot.curves.iter().filter(|curve| !curve.at_risk.is_empty()).count();
    let height = if rows == 0 { BOTTOM + 50.0 } else { BOTTOM + 72.0 + 34.0 * rows as f64 };
    let mut drawing = Drawing::new(RIGHT + 20.0, height);
    let x = Scale { from: [0.0, last * 1.02], to: [LEFT, RIGHT] };
    let beside = beside(&plot.curves);
    let lines = if beside { 0 } else { plot.curves.len().saturating_sub(1) };
    let top = TOP + LINE * lines as f64;
    let y = Scale { from: [0.0, plot.highest], to: [BOTTOM, top] };
    axes(&mut drawing, plot, x, y);
    for curve in &plot.curves {
        band(&mut drawing, curve, x, y);
    }
    for curve in &plot.curves {
        let start = Point { months: 0.0, value: plot.start, interval: None };
        let points: Vec<[f64; 2]> =
            [start].iter().chain(&curve.points).map(|p| [x.at(p.months), y.inside(p.value)]).collect();
        drawing.path(&points, curve.ink, 2.2, curve.ink.dashes());
        points[1..].iter().for_each(|point| drawing.mark(*point, 2.0, curve.ink));
        if let Some(median) = curve.median.filter(|median| *median <= last) {
            drawing.line([LEFT, y.at(0.5)], [x.at(median), y.at(0.5)], Ink::Plain, 0.9, "3 3");
            drawing.line([x.at(median), y.at(0.5)], [x.at(median), BOTTOM], curve.ink, 1.1, "3 3");
        }
    }
    legend(&mut drawing, &plot.curves, beside);
    at_risk(&mut drawing, plot, x);
    drawing.finish(&plot.name, &plot.title, &plot.description)
}

fn axes(drawing: &mut Drawing, plot: &Plot, x: Scale, y: Scale) {
    for value in ticks(plot.highest, 5) {
        drawing.line([LEFT, y.at(value)], [RIGHT, y.at(value)], Ink::Faint, 0.6, "");
        let percent = tick(100.0 * value);
        drawing.text([LEFT - 8.0, y.at(value) + 4.0], Anchor::End, Set::Small, Ink::Plain, &percent);
    }
    drawing.line([LEFT, BOTTOM], [RIGHT, BOTTOM], Ink::Plain, 1.2, "");
    drawing.line([LEFT, y.to[1]], [LEFT, BOTTOM], Ink::Plain, 1.2, "");
    let months = [3.0, 6.0, 12.0, 24.0, 60.0, 120.0].into_iter().find(|step| x.from[1] / step <= 9.0).unwrap_or(240.0);
    let mut at = 0.0;
    while at <= x.from[1] {
        drawing.line([x.at(at), BOTTOM], [x.at(at), BOTTOM + 4.0], Ink::Plain, 1.0, "");
        drawing.text([x.at(at), BOTTOM + 18.0], Anchor::Middle, Set::Small, Ink::Plain, &tick(at));
        at += months;
    }
    let middle = [f64::midpoint(LEFT, RIGHT), BOTTOM + 38.0];
    drawing.text(middle, Anchor::Middle, Set::Normal, Ink::Plain, "Months since time zero");
    drawing.upwards([18.0, f64::midpoint(y.to[1], BOTTOM)], &plot.axis);
}

/// The interval between the points that have one.
fn band(drawing: &mut Drawing, curve: &Curve, x: Scale, y: Scale) {
    let ends = |end: fn((f64, f64)) -> f64| {
        let known = curve.points.iter().filter_map(move |p| Some((p.months, end(p.interval?))));
        known.filter(|(_, value)| value.is_finite()).map(|(months, value)| [x.at(months), y.inside(value)])
    };
    let upper: Vec<[f64; 2]> = ends(|(_, high)| high).collect();
    let mut lower: Vec<[f64; 2]> = ends(|(low, _)| low).collect();
    lower.reverse();
    if upper.len() > 1 {
        drawing.area(&[upper, lower].concat(), curve.ink, 0.14);
    }
}

/// Is there room for the labels of all curves on one line?
fn beside(curves: &[Curve]) -> bool {
    let room = characters((RIGHT - LEFT) / curves.len().max(1) as f64);
    curves.iter().all(|curve| curve.label.chars().count() <= room)
}

/// Characters of a label that stands behind the line and the mark of its curve.
fn characters(width: f64) -> usize {
    ((width - 40.0) / 7.2) as usize
}

/// The curves' labels beside each other, or one below the other where they are long.
fn legend(drawing: &mut Drawing, curves: &[Curve], beside: bool) {
    let labels: Vec<&str> = curves.iter().map(|curve| curve.label.as_str()).collect();
    let labels = short_all(&labels, characters(RIGHT - LEFT));
    let (mut x, mut y) = (LEFT + 4.0, 15.0);
    for (curve, label) in curves.iter().zip(labels) {
        drawing.line([x, y], [x + 26.0, y], curve.ink, 2.2, curve.ink.dashes());
        drawing.mark([x + 13.0, y], 2.6, curve.ink);
        drawing.text([x + 32.0, y + 4.5], Anchor::Start, Set::Normal, Ink::Plain, &label);
        if beside {
            x += (RIGHT - LEFT) / curves.len() as f64;
        } else {
            y += LINE;
        }
    }
}

fn at_risk(drawing: &mut Drawing, plot: &Plot, x: Scale) {
    let mut y = BOTTOM + 66.0;
    let curves: Vec<&Curve> = plot.curves.iter().filter(|curve| !curve.at_risk.is_empty()).collect();
    if curves.is_empty() {
        return;
    }
    drawing.text([LEFT - 54.0, y], Anchor::Start, Set::Bold, Ink::Plain, &plot.risk_heading);
    let labels: Vec<&str> = curves.iter().map(|curve| curve.label.as_str()).collect();
    for (curve, label) in curves.iter().zip(short_all(&labels, 76)) {
        y += 18.0;
        drawing.text([LEFT - 54.0, y], Anchor::Start, Set::Small, curve.ink, &label);
        y += 15.0;
        let mut free = f64::NEG_INFINITY;
        for (months, n) in plot.at_risk.iter().zip(&curve.at_risk) {
            let half = 3.4 * n.chars().count() as f64;
            if x.at(*months) - half > free {
                drawing.text([x.at(*months), y], Anchor::Middle, Set::Small, Ink::Plain, n);
                free = x.at(*months) + half + 4.0;
            }
        }
    }
}
