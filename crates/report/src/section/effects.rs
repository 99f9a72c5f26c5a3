//! Table 2: one row per term, one column per model and variance; and the forest plot of all contrasts.

use study::protocol::{Outcome, OutcomeKind};
use study::results::EstimateRow;

use super::checklists::link;
use super::findings::counts;
use super::{Block, competing};
use crate::figure::Figure;
use crate::figure::forest::{Forest, Line, draw};
use crate::figure::svg::Ink;
use crate::labels;
use crate::models::preferred;
use crate::models::{Column, Models};
use crate::page::{ESTIMATES, Page};
use crate::table::{Cell, Row, Table};

/// The models of an outcome, for the page.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    page: &'a Page<'a>,
    models: Models<'a>,
}

impl<'a> Group<'a> {
    /// The first declared analysis of an outcome; none when there is no model for it.
    pub(super) fn first(page: &'a Page<'a>, outcome: &'a str) -> Option<Self> {
        Some(Group { page, models: Models::first(page.results, outcome)? })
    }

    /// Handling of ties of a Cox model.
    pub(super) fn ties(&self) -> Option<&'a str> {
        self.models.ties()
    }

    pub(super) fn holds(&self, row: &EstimateRow) -> bool {
        self.models.holds(row)
    }

    /// The treatment's rows of a model, one per variance.
    pub(super) fn effects(&self, model: &str) -> Vec<&'a EstimateRow> {
        let treatment = self.page.labels.treatment();
        self.models.rows().filter(|row| row.model == model && row.term == treatment).collect()
    }

    /// What stands where a model has no row: that it failed, or that it was not declared.
    pub(super) fn missing(&self, model: &str) -> Cell {
        if self.models.failed(model) { Cell::text("failed: ").and(link("failures")) } else { Cell::none() }
    }

    /// The columns that some model of the group fills.
    pub(super) fn columns(self) -> Vec<Column> {
        self.models.columns()
    }

    /// Ratio with interval and p value; empty where the model does not have the term.
    pub(super) fn cell(self, term: &str, column: Column) -> Cell {
        match self.models.row(term, column) {
            Some(row) => self.page.effect(row),
            None if term == self.page.labels.treatment() && self.models.failed(column.0) => self.missing(column.0),
            None => Cell::empty(),
        }
    }

    fn terms(self) -> Vec<&'a str> {
        self.models.terms(self.page.labels.treatment())
    }
}

/// Spans over the columns of a table of effects: the model, with its variances below.
pub(super) fn spans(columns: &[Column], labels_before: usize) -> Vec<(String, usize)> {
    let mut spans = vec![(String::new(), labels_before)];
    for (model, _) in columns {
        let label = heading(model);
        match spans.last_mut().filter(|(last, _)| *last == label) {
            Some((_, columns)) => *columns += 1,
            None => spans.push((label, 1)),
        }
    }
    spans
}

fn heading(model: &str) -> String {
    let label = labels::model(model);
    let mut letters = label.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let time = page.protocol.outcomes.iter().filter(|o| matches!(o.kind, OutcomeKind::TimeToEvent(_)));
    let mut blocks: Vec<Block> = time.filter_map(|outcome| hazard_ratios(page, outcome)).map(Block::Table).collect();
    if blocks.is_empty() {
        blocks.push(Block::words("The protocol declares no regression of a time to event."));
    }
    blocks
}

fn hazard_ratios(page: &Page<'_>, outcome: &Outcome) -> Option<Table> {
    let group = Group::first(page, &outcome.name)?;
    let columns = group.columns();
    let row = |term: &str| {
        let cells = columns.iter().map(|column| group.cell(term, *column));
        Row::new(page.labels.term(term).0, cells.collect())
    };
    let ties = group.ties().map_or_else(String::new, |t| format!(" Ties: {}.", labels::ties(t)));
    let mut events = Cell::empty();
    for (i, count) in counts(page, &outcome.name, "").into_iter().enumerate() {
        events = events.and_text(if i == 0 { "Events: " } else { ", " }).and(count);
    }
    Some(Table {
        caption: format!("{}: hazard ratios (95% CI)", labels::plain(&outcome.label)),
        spans: spans(&columns, 1),
        header: ["Variance".to_owned()]
            .into_iter()
            .chain(columns.iter().map(|(_, variance)| labels::variance(*variance).to_owned()))
            .collect(),
        rows: group.terms().into_iter().map(row).collect(),
        texts: 1,
        notes: vec![events.and_text(format!(".{ties}"))],
    })
}

/// The forest plot of every outcome and model, and its table on demand.
pub(super) fn contrasts(page: &Page<'_>) -> Vec<Block> {
    let mut lines = Vec::new();
    let mut data = Vec::new();
    for outcome in &page.protocol.outcomes {
        if let OutcomeKind::Competing(causes) = &outcome.kind {
            let mut last = String::new();
            for (cause, words, row) in competing::ratios(page, outcome, causes) {
                let heading = format!("{}: {cause}, {words} (HR)", labels::plain(&outcome.label));
                if heading != last {
                    lines.push(Line::Heading(heading.clone()));
                    data.push(Row::Heading(heading.clone()));
                    last = heading;
                }
                let label = format!("{}, {}", labels::model(&row.model), labels::variance(row.variance));
                lines.push(line(page, row, &label, ink(&row.model)));
                data.push(numbers(page, row, &label));
            }
            continue;
        }
        let Some(group) = Group::first(page, &outcome.name) else { continue };
        let measure = if matches!(outcome.kind, OutcomeKind::TimeToEvent(_)) { "HR" } else { "OR" };
        let heading = format!("{} ({measure})", labels::plain(&outcome.label));
        lines.push(Line::Heading(heading.clone()));
        data.push(Row::Heading(heading));
        for model in ["unadjusted", "iptw", "adjusted"] {
            let rows = group.effects(model);
            let Some(row) = preferred(&rows) else { continue };
            let label = format!("{}, {}", labels::model(model), labels::variance(row.variance));
            lines.push(line(page, row, &label, ink(model)));
            data.push(numbers(page, row, &label));
        }
    }
    let text = "Effect of the treatment on every outcome: unadjusted, weighted and adjusted.";
    let Some(figure) = forest(page, "contrasts", "Effect of the treatment on every outcome", text, lines, data) else {
        return vec![Block::words("No model has an effect of the treatment.")];
    };
    vec![Block::Figures(vec![figure])]
}

/// Models differ in colour and mark.
fn ink(model: &str) -> Ink {
    match model {
        "unadjusted" => Ink::Control,
        model if model.starts_with("iptw") => Ink::Treated,
        _ => Ink::Third,
    }
}

/// A line of a forest plot.
pub(super) fn line(page: &Page<'_>, row: &EstimateRow, label: &str, ink: Ink) -> Line {
    Line::Ratio {
        label: label.into(),
        ink,
        log: Some([row.estimate, row.conf_low, row.conf_high]).filter(|log| log.iter().all(|x| x.is_finite())),
        text: page.ratio(row).words(" "),
        counts: None,
    }
}

/// The same line in the table of the plot.
pub(super) fn numbers(page: &Page<'_>, row: &EstimateRow, label: &str) -> Row {
    let p = page.p(row.p_value, &ESTIMATES, row, "p_value");
    Row::new(label, page.ratio_parts(row).into_iter().chain([p]).collect())
}

/// A forest plot; none without a ratio.
pub(super) fn forest(
    page: &Page<'_>,
    name: &str,
    title: &str,
    description: &str,
    lines: Vec<Line>,
    rows: Vec<Row>,
) -> Option<Figure> {
    if !lines.iter().any(|line| matches!(line, Line::Ratio { .. })) {
        return None;
    }
    let [control, treated] = page.arms();
    let plot = Forest {
        name: name.into(),
        title: title.into(),
        description: description.into(),
        sides: ["fewer events", "more events"].map(|side| side_of(side, treated)),
        axis: format!("Ratio, {treated} vs {control} (95% CI)"),
        arms: [control.clone(), treated.clone()],
        lines,
    };
    let counted = plot.lines.iter().any(|line| matches!(line, Line::Ratio { counts: Some(_), .. }));
    let of_arms = [control, treated].into_iter().filter(|_| counted).map(|arm| format!("{arm}, events/n"));
    let columns = ["Ratio", "Lower limit", "Upper limit", "P"].map(str::to_owned);
    Some(Figure {
        name: name.into(),
        caption: format!("{title}. Ratios with 95% intervals on a log scale; each names its variance."),
        svg: draw(&plot),
        data: Table {
            caption: title.into(),
            header: ["Contrast".to_owned()].into_iter().chain(of_arms).chain(columns).collect(),
            rows,
            texts: 1,
            ..Table::default()
        },
    })
}

/// Of whom there are fewer events; a name that is too long for the side of an axis stands under it.
fn side_of(side: &str, treated: &str) -> String {
    const ROOM: usize = 26;
    let whole = format!("{side}, {treated}");
    if whole.chars().count() <= ROOM { whole } else { side.into() }
}
