//! The flow chart: who is left after each step, and who was left out.

use study::results::FlowRow;

use super::Figure;
use super::svg::{Anchor, Drawing, Ink, LINE, Set, wrapped};
use crate::number::{self, Count};
use crate::page::{FLOW, Page};
use crate::table::{Row, Table};

const BOX: f64 = 300.0;
const LEFT: f64 = 20.0;
const GAP: f64 = 40.0;

/// The figure; none without steps.
pub(crate) fn figure(page: &Page<'_>) -> Option<Figure> {
    let rows = &page.results.flow;
    let last = rows.last()?;
    let mut drawing = Drawing::new(660.0, 0.0);
    let centre = LEFT + BOX / 2.0;
    let mut y = 10.0;
    // Criteria of hidden steps since the last that is shown: what is left out next is left out by all of them.
    let mut criteria: Vec<&str> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let is_last = i + 1 == rows.len();
        if i > 0 {
            if row.excluded == Some(0) && !is_last {
                continue;
            }
            drawing.line([centre, y], [centre, y + GAP - 1.0], Ink::Plain, 1.2, "");
            drawing.arrow_head([centre, y + GAP]);
            criteria.push(&row.label);
            if row.n.is_some() && row.excluded != Some(0) {
                left_out(&mut drawing, y + GAP / 2.0, row.excluded.into(), &criteria);
            }
            y += GAP;
        }
        if row.n.is_some() {
            criteria.clear();
        }
        let label = if is_last { "Analysed" } else { row.label.as_str() };
        let lines = wrapped(label, 40).len();
        let height = LINE * (lines + 1) as f64 + 14.0;
        drawing.frame([LEFT, y], [BOX, height]);
        drawing.paragraph([centre, y + 20.0], Anchor::Middle, Set::Normal, label, 40);
        let text = format!("n = {}", number::count(row.n));
        drawing.text([centre, y + 20.0 + LINE * lines as f64], Anchor::Middle, Set::Bold, Ink::Plain, &text);
        y += height;
    }
    arms(page, &mut drawing, &mut y, [last.control.into(), last.treated.into()]);
    drawing.height = y + 10.0;
    let name = "flow";
    let [files, analysed] = [rows[0].n, last.n].map(number::count);
    let text = format!("Patients in the files: {files}; analysed: {analysed}.");
    Some(Figure {
        name: name.into(),
        caption: "Flow of patients over all sites. Each box counts those who are left.".into(),
        svg: drawing.finish(name, "Flow of patients", &text),
        data: data(page),
    })
}

/// Beside the arrow at `y`: how many do not meet the criteria of the steps that end here.
fn left_out(drawing: &mut Drawing, y: f64, excluded: Count, criteria: &[&str]) {
    let side = LEFT + BOX + 40.0;
    drawing.line([LEFT + BOX / 2.0, y], [side - 1.0, y], Ink::Plain, 1.2, "");
    drawing.arrow_right([side, y]);
    let why = format!("not: {}", criteria.join("; "));
    let height = LINE * (wrapped(&why, 36).len() + 1) as f64 + 12.0;
    drawing.frame([side, y - 18.0], [260.0, height]);
    let text = format!("Left out: {excluded}");
    drawing.text([side + 12.0, y], Anchor::Start, Set::Bold, Ink::Plain, &text);
    drawing.paragraph([side + 12.0, y + LINE], Anchor::Start, Set::Normal, &why, 36);
}

/// The two arms below the last box.
fn arms(page: &Page<'_>, drawing: &mut Drawing, y: &mut f64, counts: [Count; 2]) {
    let width = (BOX - 16.0) / 2.0;
    let top = *y;
    let tallest = page.arms().iter().map(|arm| wrapped(arm, 18).len()).max().unwrap_or(1);
    let height = LINE * (tallest + 1) as f64 + 14.0;
    for (i, (arm, n)) in page.arms().iter().zip(counts).enumerate() {
        let left = LEFT + i as f64 * (width + 16.0);
        let centre = left + width / 2.0;
        drawing.line([centre, top], [centre, top + GAP - 1.0], Ink::Plain, 1.2, "");
        drawing.arrow_head([centre, top + GAP]);
        drawing.frame([left, top + GAP], [width, height]);
        drawing.paragraph([centre, top + GAP + 20.0], Anchor::Middle, Set::Normal, arm, 18);
        let at = top + GAP + 20.0 + LINE * tallest as f64;
        drawing.text([centre, at], Anchor::Middle, Set::Bold, Ink::Plain, &format!("n = {n}"));
    }
    *y = top + GAP + height;
}

fn data(page: &Page<'_>) -> Table {
    let row = |row: &FlowRow| {
        let FlowRow { label, n, control, treated, excluded, .. } = row;
        Row::new(
            label.clone(),
            vec![
                page.count(*n, &FLOW, row, "n"),
                page.count(*control, &FLOW, row, "control"),
                page.count(*treated, &FLOW, row, "treated"),
                page.count(*excluded, &FLOW, row, "excluded"),
            ],
        )
    };
    let [control, treated] = page.arms().clone();
    Table {
        caption: "Flow of patients".into(),
        header: vec!["Step".into(), "Left".into(), control, treated, "Left out".into()],
        rows: page.results.flow.iter().map(row).collect(),
        texts: 1,
        notes: vec!["Left out: since the last step whose number is shown.".into()],
        ..Table::default()
    }
}
