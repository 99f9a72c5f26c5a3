//! Which sites fed the estimates, what was opened, and what was hidden or merged.

use study::results::{At, MINIMUM_LEAVERS, Results};

use super::Block;
use crate::labels;
use crate::number::{Count, HIDDEN, grouped};
use crate::page::Page;
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let sites = page.provenance.sites.len();
    let mut items = vec![
        Cell::text(format!(
            "Every number is a function of sums over all {sites} sites: each site answered each of the {} rounds, and no \
             estimate leaves one out. A site without eligible patients answers zeros. Sums of one site are masked; \
             nobody but the site has seen them.",
            page.provenance.rounds
        )),
        opened(page),
        Cell::text(format!(
            "Curves are released on cells that are merged until each arm has at least {MINIMUM_LEAVERS} leavers in a cell \
             or none; {} points were released. {}",
            points(page.results),
            without_curve(page)
        )),
        suppressed(page),
    ];
    items.push(Cell::text(
        "Exact published results carry information about the patients they were computed from; only noise would bound it, \
         and none was added.",
    ));
    vec![Block::List(items), Block::Folded(roster(page))]
}

/// What is not shown because it is below a floor.
fn suppressed(page: &Page<'_>) -> Cell {
    let results = page.results;
    let flow = results.flow.iter().flat_map(|row| [row.n, row.control, row.treated, row.excluded].map(Count::from));
    let outcomes = results.outcomes.iter().flat_map(|row| [row.n, row.events].map(Count::from));
    let histogram = results.histogram.iter().map(|row| Count::from(row.n));
    let missing = results.balance.iter().flat_map(|row| row.missing.map(Count::from));
    let hidden = flow.chain(outcomes).chain(histogram).chain(missing).filter(|n| n.known().is_none()).count();
    let counts = if hidden == 0 { "No count of this report is.".into() } else { format!("{hidden} counts are.") };
    Cell::text(format!(
        "A count that the sites do not release is shown as \"{HIDDEN}\", and nothing is computed from it. {counts} A site \
         whose policy the counts do not satisfy keeps all models from starting."
    ))
}

/// How many numbers were opened against what could be told from them.
fn opened(page: &Page<'_>) -> Cell {
    let opened = page.provenance.opened_scalars;
    let variables = page.protocol.dictionary.variables().len() as u64;
    let sent = page.provenance.bytes_sent_per_site.div_ceil(1000);
    let text = match page.analysed().map(Count::known) {
        Some(Some(n)) => format!(
            "{} sums were opened over all rounds, against {n} analysed patients with {variables} declared variables each: \
             {} values. Counts on fine grids are most of them. No site sent more than {} kB.",
            grouped(opened),
            grouped(n * variables),
            grouped(sent)
        ),
        _ => format!("{} sums were opened over all rounds.", grouped(opened)),
    };
    Cell::text(text)
}

fn points(results: &Results) -> usize {
    let survival = results.survival.iter().filter(|row| row.at == At::MergedCell).count();
    survival + results.incidences.iter().filter(|row| row.at == At::MergedCell).count()
}

/// Outcomes whose curve has no cells, for too few patients in an arm.
fn without_curve(page: &Page<'_>) -> String {
    let curves = &page.results.survival;
    let merged = |name: &str| curves.iter().any(|row| row.outcome == name && row.at == At::MergedCell);
    let there = |name: &str| curves.iter().any(|row| row.outcome == name);
    let none: Vec<String> = page
        .protocol
        .outcomes
        .iter()
        .filter(|outcome| there(&outcome.name) && !merged(&outcome.name))
        .map(|outcome| labels::plain(&outcome.label))
        .collect();
    if none.is_empty() {
        "No curve was left out.".into()
    } else {
        format!("Left out for too few patients in an arm: {}.", none.join(", "))
    }
}

fn roster(page: &Page<'_>) -> Table {
    let row = |(id, name): &(String, String)| Row::new(labels::plain(id), vec![Cell::foreign(name)]);
    Table {
        caption: format!("The {} participating sites", page.provenance.sites.len()),
        header: ["Site", "Legal name"].map(str::to_owned).into(),
        rows: page.provenance.sites.iter().map(row).collect(),
        texts: 2,
        ..Table::default()
    }
}
