//! A drawing: lines, shapes and words on a canvas.

use maud::html;

use crate::labels::plain;
use crate::number;

/// Fonts of every system, with figures of equal width.
const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif";

/// What a shape stands for; its colour follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// The control arm, or what was before weighting.
    Control,
    /// The treated arm, or what is after weighting.
    Treated,
    /// Both arms, or a third series.
    Third,
    /// Axes and words.
    Plain,
    /// Grid lines and rules.
    Faint,
}

impl Ink {
    /// Blue, vermillion, bluish green: told apart by all readers.
    fn colour(self) -> &'static str {
        match self {
            Ink::Control => "#0072b2",
            Ink::Treated => "#d55e00",
            Ink::Third => "#009e73",
            Ink::Plain => "#1a1a1a",
            Ink::Faint => "#b5b5b5",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Ink::Control => "control",
            Ink::Treated => "treated",
            Ink::Third => "third",
            Ink::Plain => "plain",
            Ink::Faint => "faint",
        }
    }

    /// Series differ in their dashes, too.
    pub(crate) fn dashes(self) -> &'static str {
        match self {
            Ink::Treated => "7 3",
            Ink::Third => "2 3",
            _ => "",
        }
    }
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Normal,
    Bold,
    Small,
}

/// A canvas with what is drawn so far.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    pub(crate) width: f64,
    pub(crate) height: f64,
    body: String,
}

impl Drawing {
    pub(crate) fn new(width: f64, height: f64) -> Drawing {
        Drawing { width, height, body: String::new() }
    }

    pub(crate) fn line(&mut self, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2], ink: Ink, width: f64, dashes: &str) {
        let dashes = (!dashes.is_empty()).then_some(dashes);
        let line = html! {
            line class={ "s-" (ink.class()) } x1=(at(x1)) y1=(at(y1)) x2=(at(x2)) y2=(at(y2)) stroke=(ink.colour())
                stroke-width=(width) stroke-dasharray=[dashes] {}
        };
        self.body.push_str(&line.into_string());
    }

    /// A line through points; nothing without points.
    pub(crate) fn path(&mut self, points: &[[f64; 2]], ink: Ink, width: f64, dashes: &str) {
        if points.is_empty() {
            return;
        }
        let dashes = (!dashes.is_empty()).then_some(dashes);
        let path = html! {
            polyline class={ "s-" (ink.class()) } points=(list(points)) fill="none" stroke=(ink.colour())
                stroke-width=(width) stroke-linejoin="round" stroke-dasharray=[dashes] {}
        };
        self.body.push_str(&path.into_string());
    }

    /// A filled shape, `opacity` from 0 to 1.
    pub(crate) fn area(&mut self, points: &[[f64; 2]], ink: Ink, opacity: f64) {
        let area = html! {
            polygon class={ "f-" (ink.class()) } points=(list(points)) fill=(ink.colour()) fill-opacity=(opacity) {}
        };
        self.body.push_str(&area.into_string());
    }

    pub(crate) fn bar(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], ink: Ink, opacity: f64) {
        self.area(&[[x, y], [x + width, y], [x + width, y + height], [x, y + height]], ink, opacity);
    }

    /// A box of oblique lines, for what is hidden.
    pub(crate) fn hatch(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], ink: Ink) {
        const STEP: f64 = 5.0;
        let mut at = STEP - height;
        while at < width {
            // From the lower end on the left upwards, cut at the sides of the box.
            let (from, to) = (at.max(0.0), (at + height).min(width));
            self.line([x + from, y + height - (from - at)], [x + to, y + height - (to - at)], ink, 0.9, "");
            at += STEP;
        }
    }

    /// A box with a frame.
    pub(crate) fn frame(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2]) {
        let points = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]];
        self.path(&points, Ink::Plain, 1.2, "");
    }

    /// The mark of a series: circles for the control arm, squares for the treated, diamonds for a third.
    pub(crate) fn mark(&mut self, [x, y]: [f64; 2], size: f64, ink: Ink) {
        match ink {
            Ink::Treated => self.bar([x - size, y - size], [2.0 * size, 2.0 * size], ink, 1.0),
            Ink::Third => {
                let s = 1.3 * size;
                self.area(&[[x - s, y], [x, y - s], [x + s, y], [x, y + s]], ink, 1.0);
            }
            _ => {
                let mark = html! {
                    circle class={ "f-" (ink.class()) } cx=(at(x)) cy=(at(y)) r=(at(1.1 * size)) fill=(ink.colour()) {}
                };
                self.body.push_str(&mark.into_string());
            }
        }
    }

    /// The point of an arrow that goes down.
    pub(crate) fn arrow_head(&mut self, [x, y]: [f64; 2]) {
        self.area(&[[x - 4.0, y - 7.0], [x + 4.0, y - 7.0], [x, y]], Ink::Plain, 1.0);
    }

    /// An arrow's point to the right.
    pub(crate) fn arrow_right(&mut self, [x, y]: [f64; 2]) {
        self.area(&[[x - 7.0, y - 4.0], [x - 7.0, y + 4.0], [x, y]], Ink::Plain, 1.0);
    }

    pub(crate) fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, set: Set, ink: Ink, text: &str) {
        let anchor = match anchor {
            Anchor::Start => None,
            Anchor::Middle => Some("middle"),
            Anchor::End => Some("end"),
        };
        let (size, weight) = match set {
            Set::Normal => (None, None),
            Set::Bold => (None, Some("600")),
            Set::Small => (Some("11"), None),
        };
        let text = html! {
            text class={ "f-" (ink.class()) } x=(at(x)) y=(at(y)) fill=(ink.colour()) text-anchor=[anchor]
                font-size=[size] font-weight=[weight] { (isolated(text)) }
        };
        self.body.push_str(&text.into_string());
    }

    /// Words upwards along an axis.
    pub(crate) fn upwards(&mut self, [x, y]: [f64; 2], text: &str) {
        let text = html! {
            text class="f-plain" x=(at(x)) y=(at(y)) fill=(Ink::Plain.colour()) text-anchor="middle"
                transform={ "rotate(-90 " (at(x)) " " (at(y)) ")" } { (isolated(text)) }
        };
        self.body.push_str(&text.into_string());
    }

    /// Lines of a text of so many characters; returns how many there are.
    pub(crate) fn paragraph(&mut self, [x, y]: [f64; 2], anchor: Anchor, set: Set, text: &str, room: usize) -> usize {
        let lines = wrapped(text, room);
        for (i, line) in lines.iter().enumerate() {
            self.text([x, y + LINE * i as f64], anchor, set, Ink::Plain, line);
        }
        lines.len()
    }

    /// The whole drawing. `name` keeps the ids of several drawings on one page apart.
    pub(crate) fn finish(self, name: &str, title: &str, description: &str) -> String {
        let (width, height) = (at(self.width), at(self.height));
        let svg = html! {
            svg xmlns="http://www.w3.org/2000/svg" class="figure" viewBox={ "0 0 " (width) " " (height) } width=(width)
                height=(height) role="img" aria-labelledby={ (name) "-title " (name) "-desc" } font-family=(FONTS)
                font-size="13" style="font-variant-numeric:tabular-nums" {
                title id={ (name) "-title" } { (isolated(title)) }
                desc id={ (name) "-desc" } { (isolated(description)) }
                rect class="paper" width=(width) height=(height) fill="#ffffff" {}
                (maud::PreEscaped(self.body))
            }
        };
        svg.into_string()
    }
}

/// Distance of two lines of text.
pub(crate) const LINE: f64 = 16.0;

/// A coordinate, to a hundredth of a pixel.
fn at(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn list(points: &[[f64; 2]]) -> String {
    points.iter().map(|[x, y]| format!("{},{}", at(*x), at(*y))).collect::<Vec<_>>().join(" ")
}

/// Text that keeps its direction to itself.
fn isolated(text: &str) -> String {
    let text = plain(text);
    if text.is_ascii() { text } else { format!("\u{2068}{text}\u{2069}") }
}

/// Lines of at most `room` characters, at most four; words that are longer are cut, what is left out becomes an ellipsis.
pub(crate) fn wrapped(text: &str, room: usize) -> Vec<String> {
    const MOST: usize = 4;
    let mut lines: Vec<String> = Vec::new();
    for word in plain(text).split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for piece in letters.chunks(room.max(1)) {
            let fits = lines.last().is_some_and(|line| line.chars().count() + 1 + piece.len() <= room);
            let piece: String = piece.iter().collect();
            match lines.last_mut().filter(|_| fits) {
                Some(line) => line.extend([" ", &piece]),
                None => lines.push(piece),
            }
        }
    }
    if lines.len() > MOST {
        lines.truncate(MOST);
        lines[MOST - 1].push('…');
    }
    lines
}

/// One line of at most `room` characters.
pub(crate) fn short(text: &str, room: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= room {
        return text;
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// One line of at most `room` characters for each text; texts that differ are cut to lines that differ.
pub(crate) fn short_all<T: AsRef<str>>(texts: &[T], room: usize) -> Vec<String> {
    let texts: Vec<String> = texts.iter().map(|text| plain(text.as_ref())).collect();
    let cut: Vec<String> = texts.iter().map(|text| short(text, room)).collect();
    let clash = |at: usize| {
        let others = texts.iter().zip(&cut).filter(|(text, short)| **text != texts[at] && **short == cut[at]);
        // from where on the last of them differs
        others.map(|(text, _)| text.chars().zip(texts[at].chars()).take_while(|(a, b)| a == b).count()).max()
    };
    let line = |at: usize| match clash(at) {
        Some(same) => around(&texts[at], same, room),
        None => cut[at].clone(),
    };
    (0..texts.len()).map(line).collect()
}

/// The beginning of a text and what stands at a place of it.
fn around(text: &str, place: usize, room: usize) -> String {
    let head = room / 3;
    let tail = room.saturating_sub(head + 1);
    // a few characters before the place say what it is about
    let from = place.saturating_sub(tail / 4).min(text.chars().count().saturating_sub(tail));
    let tail: String = text.chars().skip(from).collect();
    text.chars().take(head).chain(['…']).chain(short(&tail, room.saturating_sub(head + 1)).chars()).collect()
}

/// A scale from numbers to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) from: [f64; 2],
    pub(crate) to: [f64; 2],
}

impl Scale {
    pub(crate) fn at(&self, x: f64) -> f64 {
        let share = (x - self.from[0]) / (self.from[1] - self.from[0]);
        self.to[0] + share * (self.to[1] - self.to[0])
    }

    /// The nearest point of the scale.
    pub(crate) fn inside(&self, x: f64) -> f64 {
        self.at(x.clamp(self.from[0], self.from[1]))
    }
}

/// Round numbers from 0 to `high`, about `wanted` of them.
pub(crate) fn ticks(high: f64, wanted: usize) -> Vec<f64> {
    if !(high.is_finite() && high > 0.0) {
        return vec![0.0];
    }
    let rough = high / wanted.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * power).find(|step| *step >= rough).unwrap_or(power);
    let count = (high / step + 1e-9).floor() as usize;
    (0..=count).map(|i| i as f64 * step).collect()
}

/// A tick's number, short.
pub(crate) fn tick(x: f64) -> String {
    number::typeset(&format!("{}", (x * 1e6).round() / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_and_long_texts_end_in_an_ellipsis() {
        assert_eq!(wrapped("aa bb", 5), ["aa bb"]);
        assert_eq!(wrapped("aaaaaaa b", 3), ["aaa", "aaa", "a b"]);
        let lines = wrapped(&"x".repeat(99), 10);
        assert_eq!((lines.len(), lines[3].chars().count()), (4, 11));
        assert_eq!(short("abcdef", 4), "abc…");
        let arms = [
            "Isatuximab, pomalidomide and low-dose dexamethasone",
            "Isatuximab, pomalidomide and high-dose dexamethasone",
            "Isatuximab",
        ];
        let cut = short_all(&arms, 30);
        assert!(cut[0].starts_with("Isatuximab…") && cut[0].contains("low-dose"), "{cut:?}");
        assert!(cut[1].starts_with("Isatuximab…") && cut[1].contains("high-dose"), "{cut:?}");
        assert_eq!(cut[2], arms[2]);
        assert!(cut.iter().all(|line| line.chars().count() <= 30), "{cut:?}");
        assert_eq!(short_all(&[arms[0], arms[0]], 12), [short(arms[0], 12), short(arms[0], 12)]);
        let long = format!("{}{}", "a".repeat(90), "b");
        let cut = short_all(&[long.clone(), long.replace('b', "c")], 12);
        assert_ne!(cut[0], cut[1]);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(1.0, 5).into_iter().map(tick).collect::<Vec<_>>(), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(ticks(47.0, 5), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(ticks(f64::NAN, 5), [0.0]);
    }

    #[test]
    fn a_drawing_escapes_its_words() {
        let mut drawing = Drawing::new(10.0, 10.0);
        drawing.text([0.0, 0.0], Anchor::Start, Set::Normal, Ink::Plain, "<script>&\u{202e}");
        let svg = drawing.finish("x", "a < b", "\u{7}");
        assert!(svg.contains("&lt;script&gt;&amp;<") && svg.contains("a &lt; b"), "{svg}");
        assert!(!svg.contains('\u{202e}') && !svg.contains('\u{7}'));
    }
}
