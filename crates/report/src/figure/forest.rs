//! Ratios with their intervals on a log scale.

use super::svg::{Anchor, Drawing, Ink, Scale, Set, short, short_all};

/// A line of a forest plot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    /// A heading.
    Heading(String),
    /// A ratio: estimate and limits on the log scale; none where there is no result.
    Ratio { label: String, ink: Ink, log: Option<[f64; 3]>, text: String },
}

impl Line {
    fn label(&self) -> &str {
        match self {
            Line::Heading(text) => text,
            Line::Ratio { label, .. } => label,
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
    pub(crate) lines: Vec<Line>,
}

const LEFT: f64 = 300.0;
const RIGHT: f64 = 570.0;
const WIDTH: f64 = 720.0;
const TOP: f64 = 16.0;
const STEP: f64 = 24.0;

/// Ratios that an axis can be marked with.
const TICKS: [f64; 15] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 50.0];

/// The drawing.
pub(crate) fn draw(forest: &Forest) -> String {
    let bottom = TOP + STEP * forest.lines.len() as f64 + 6.0;
    let mut drawing = Drawing::new(WIDTH, bottom + 62.0);
    let [low, high] = range(&forest.lines);
    let x = Scale { from: [low, high], to: [LEFT, RIGHT] };
    let mut free = f64::NEG_INFINITY;
    for ratio in TICKS.into_iter().filter(|t| (low..=high).contains(&t.ln())) {
        let at = x.at(ratio.ln());
        drawing.line([at, TOP], [at, bottom], Ink::Faint, 0.6, "");
        if at >= free || ratio == 1.0 {
            drawing.text([at, bottom + 18.0], Anchor::Middle, Set::Small, Ink::Plain, &format!("{ratio}"));
            free = at + 30.0;
        }
    }
    drawing.line([x.at(0.0), TOP - 4.0], [x.at(0.0), bottom], Ink::Plain, 1.2, "");
    drawing.line([LEFT, bottom], [RIGHT, bottom], Ink::Plain, 1.0, "");
    let texts: Vec<&str> = forest.lines.iter().map(Line::label).collect();
    let labels = short_all(&texts, 42);
    for (i, (line, cut)) in forest.lines.iter().zip(&labels).enumerate() {
        let y = TOP + STEP * (i as f64 + 0.5) + 3.0;
        match line {
            Line::Heading(text) => {
                drawing.text([8.0, y + 4.5], Anchor::Start, Set::Bold, Ink::Plain, &short(text, 96));
            }
            Line::Ratio { ink, log, text, .. } => {
                drawing.text([22.0, y + 4.5], Anchor::Start, Set::Normal, Ink::Plain, cut);
                drawing.text([WIDTH - 8.0, y + 4.5], Anchor::End, Set::Normal, Ink::Plain, text);
                if let Some(log) = log {
                    ratio(&mut drawing, x, y, *log, *ink);
                }
            }
        }
    }
    let [left, right] = forest.sides.each_ref().map(|side| short(side, 26));
    drawing.text([x.at(0.0) - 8.0, bottom + 38.0], Anchor::End, Set::Small, Ink::Plain, &format!("← {left}"));
    drawing.text([x.at(0.0) + 8.0, bottom + 38.0], Anchor::Start, Set::Small, Ink::Plain, &format!("{right} →"));
    drawing.text([f64::midpoint(LEFT, RIGHT), bottom + 56.0], Anchor::Middle, Set::Normal, Ink::Plain, &forest.axis);
    drawing.finish(&forest.name, &forest.title, &forest.description)
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
