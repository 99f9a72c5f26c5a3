//! Ratios with their intervals on a log scale.

use super::svg::{Anchor, Drawing, Ink, Scale, Set, short, short_all, wrapped};

/// A line of a forest plot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    /// A heading.
    Heading(String),
    /// A ratio: estimate and limits on the log scale; none where there is no result.
    Ratio {
        label: String,
        ink: Ink,
        log: Option<[f64; 3]>,
        text: String,
        /// Events and patients of each arm.
        counts: Option<[String; 2]>,
    },
}

impl Line {
    fn label(&self) -> &str {
        match self {
            Line::Heading(text) => text,
            Line::Ratio { label, .. } => label,
        }
    }

    fn counts(&self) -> Option<&[String; 2]> {
        match self {
            Line::Heading(_) => None,
            Line::Ratio { counts, .. } => counts.as_ref(),
        }
    }
}

/// What stands around the lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forest {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// What lies left of 1 and right of 1.
    pub(crate) sides: [String; 2],
    pub(crate) axis: String,
    /// Names over the counts of the arms.
    pub(crate) arms: [String; 2],
    pub(crate) lines: Vec<Line>,
}

const LEFT: f64 = 300.0;
const RIGHT: f64 = 570.0;
const WIDTH: f64 = 720.0;
const TOP: f64 = 16.0;
const STEP: f64 = 24.0;
/// Width of a column of counts, and height of the names over it.
const COUNTS: f64 = 80.0;
const NAMES: f64 = 42.0;
/// Characters of a line of the text under the axis, and of a name over counts.
const AXIS_ROOM: usize = 64;
const NAME_ROOM: usize = 12;

/// Ratios that an axis can be marked with.
const TICKS: [f64; 15] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 50.0];

/// The drawing.
pub(crate) fn draw(forest: &Forest) -> String {
    let counted = forest.lines.iter().any(|line| line.counts().is_some());
    let (beside, top) = if counted { (2.0 * COUNTS, TOP + NAMES) } else { (0.0, TOP) };
    let (left, right, width) = (LEFT + beside, RIGHT + beside, WIDTH + beside);
    let bottom = top + STEP * forest.lines.len() as f64 + 6.0;
    let axis = wrapped(&forest.axis, AXIS_ROOM);
    let mut drawing = Drawing::new(width, bottom + 46.0 + 16.0 * axis.len() as f64);
    let [low, high] = range(&forest.lines);
    let x = Scale { from: [low, high], to: [left, right] };
    if counted {
        names(&mut drawing, &forest.arms);
    }
    let mut free = f64::NEG_INFINITY;
    for ratio in TICKS.into_iter().filter(|t| (low..=high).contains(&t.ln())) {
        let at = x.at(ratio.ln());
        drawing.line([at, top], [at, bottom], Ink::Faint, 0.6, "");
        if at >= free || ratio == 1.0 {
            drawing.text([at, bottom + 18.0], Anchor::Middle, Set::Small, Ink::Plain, &format!("{ratio}"));
            free = at + 30.0;
        }
    }
    drawing.line([x.at(0.0), top - 4.0], [x.at(0.0), bottom], Ink::Plain, 1.2, "");
    drawing.line([left, bottom], [right, bottom], Ink::Plain, 1.0, "");
    let ratios = forest.lines.iter().filter(|line| matches!(line, Line::Ratio { .. }));
    let mut labels = short_all(&ratios.map(Line::label).collect::<Vec<_>>(), 42).into_iter();
    for (i, line) in forest.lines.iter().enumerate() {
        let y = top + STEP * (i as f64 + 0.5) + 3.0;
        match line {
            Line::Heading(text) => {
                drawing.text([8.0, y + 4.5], Anchor::Start, Set::Bold, Ink::Plain, &short(text, 96));
            }
            Line::Ratio { ink, log, text, counts, .. } => {
                let label = labels.next().unwrap_or_default();
                drawing.text([22.0, y + 4.5], Anchor::Start, Set::Normal, Ink::Plain, &label);
                drawing.text([width - 8.0, y + 4.5], Anchor::End, Set::Normal, Ink::Plain, text);
                for (count, at) in counts.iter().flatten().zip([1.0, 2.0]) {
                    drawing.text([LEFT + at * COUNTS - 16.0, y + 4.5], Anchor::End, Set::Normal, Ink::Plain, count);
                }
                if let Some(log) = log {
                    ratio(&mut drawing, x, y, *log, *ink);
                }
            }
        }
    }
    let [fewer, more] = &forest.sides;
    drawing.text([x.at(0.0) - 8.0, bottom + 38.0], Anchor::End, Set::Small, Ink::Plain, &format!("← {fewer}"));
    drawing.text([x.at(0.0) + 8.0, bottom + 38.0], Anchor::Start, Set::Small, Ink::Plain, &format!("{more} →"));
    for (line, at) in axis.iter().zip(0..) {
        let y = bottom + 56.0 + 16.0 * f64::from(at);
        drawing.text([f64::midpoint(left, right), y], Anchor::Middle, Set::Normal, Ink::Plain, line);
    }
    drawing.finish(&forest.name, &forest.title, &forest.description)
}

/// What the columns of counts are, and whose.
fn names(drawing: &mut Drawing, arms: &[String; 2]) {
    for (name, at) in short_all(arms, NAME_ROOM).iter().zip([1.0, 2.0]) {
        let x = LEFT + at * COUNTS - 16.0;
        drawing.text([x, TOP], Anchor::End, Set::Bold, Ink::Plain, name);
        drawing.text([x, TOP + 15.0], Anchor::End, Set::Small, Ink::Plain, "events/n");
    }
}

/// One interval; an end beyond the axis is an arrow.
fn ratio(drawing: &mut Drawing, x: Scale, y: f64, [estimate, low, high]: [f64; 3], ink: Ink) {
    if !estimate.is_finite() {
        return;
    }
    let (from, to) = (x.inside(low), x.inside(high));
    drawing.line([from, y], [to, y], ink, 1.8, "");
    for (end, beyond, turn) in [(from, low < x.from[0], -1.0), (to, high > x.from[1], 1.0)] {
        if beyond {
            drawing.area(&[[end, y - 4.0], [end, y + 4.0], [end + turn * 7.0, y]], ink, 1.0);
        } else {
            drawing.line([end, y - 4.0], [end, y + 4.0], ink, 1.8, "");
        }
    }
    drawing.mark([x.inside(estimate), y], 4.4, ink);
}

/// Both ends of the axis on the log scale: all intervals, 1, and no more than a hundredth to a hundred.
fn range(lines: &[Line]) -> [f64; 2] {
    let mut range = [-0.7_f64, 0.7_f64];
    for line in lines {
        let Line::Ratio { log: Some([estimate, low, high]), .. } = line else { continue };
        for end in [estimate, low, high].into_iter().filter(|end| end.is_finite()) {
            range = [range[0].min(*end), range[1].max(*end)];
        }
    }
    [range[0].max(-4.7) - 0.08, range[1].min(4.7) + 0.08]
}
