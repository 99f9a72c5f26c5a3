//! Which sites fed the estimates, what was opened by whom, and what was hidden or merged.

use study::protocol::{ReleaseOpening, ReleaseRules, ReleasedCurves};
use study::results::{At, Results};

use super::{Block, suppression};
use crate::labels;
use crate::number::grouped;
use crate::page::Page;
use crate::table::{Cell, Piece, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let sites = page.provenance.sites.len();
    let ReleaseRules { minimum_leavers, .. } = page.protocol.release;
    let items = vec![
        Cell::text(format!(
            "Every number is a function of sums over all {sites} sites: each site answered each of the {} rounds, and no \
             estimate leaves one out. A site without eligible patients answers zeros. Sums of one site are masked; \
             nobody but the site has seen them.",
            page.provenance.rounds
        )),
        opening(page),
        opened(page),
        floors(page),
        Cell::text(format!(
            "Curves are released on cells that are merged until each arm has at least {minimum_leavers} leavers in a cell \
             or none; weighted ones also until it has as many events, or none; {} points were released. {} {}",
            points(page.results),
            without_curve(page),
            made_of(page.protocol.release.curves)
        )),
        release(page),
        "Exact published results carry information about the patients they were computed from; only noise would bound it, \
         and none was added."
            .into(),
    ];
    let mut blocks = vec![Block::List(items), Block::Table(suppression::table(page))];
    blocks.push(Block::Folded(roster(page)));
    blocks
}

/// Which cells curves are made of.
fn made_of(curves: ReleasedCurves) -> &'static str {
    match curves {
        ReleasedCurves::Grid => "They are exact on the declared grid of time.",
        ReleasedCurves::Merged => {
            "They are made of these cells: whoever leaves in one counts as leaving at its end, so that curves, medians, \
             restricted means and person-time tell nothing that the counts of the cells do not."
        }
    }
}

/// Who opened what.
fn opening(page: &Page<'_>) -> Cell {
    let opening = page.protocol.release.opening;
    let coordinator = match opening {
        ReleaseOpening::Totals => {
            "the coordinator opened log likelihoods, scores, information and sandwich sums of the models, fitted them from \
             these, and would have published no release that differs from its own fits; everything else was opened by the \
             sites alone"
        }
        ReleaseOpening::Results => {
            "the coordinator opened nothing; all sums were opened by the sites alone, and that the release follows from \
             them is what all sites signed"
        }
    };
    Cell::text("Opening ").and(Cell::text(format!("\"{}\": ", opening.name()))).and_text(format!(
        "{coordinator}. Of what the sites opened the coordinator has the release, from which this report is made.{}",
        page.provenance.compared.map_or_else(String::new, |compared| format!(" {compared}."))
    ))
}

/// How many numbers were opened against what could be told from them.
fn opened(page: &Page<'_>) -> Cell {
    let provenance = page.provenance;
    let variables = provenance.variables as u64;
    let lead = format!(
        "Over all rounds the coordinator opened {} numbers and the sites alone {}",
        grouped(provenance.opened_scalars),
        grouped(provenance.sealed_scalars)
    );
    let against = page.analysed().and_then(crate::number::Count::known).map_or_else(String::new, |n| {
        format!(
            ", against {n} analysed patients with {variables} declared variables each: {} values",
            grouped(n * variables)
        )
    });
    Cell::text(format!(
        "{lead}{against}. Counts on fine grids are most of them. No site sent more than {} kB.",
        grouped(provenance.bytes_sent_per_site.div_ceil(1000))
    ))
}

/// What is not shown because it is below a floor.
fn floors(page: &Page<'_>) -> Cell {
    let ReleaseRules { minimum_cell, minimum_leavers, .. } = page.protocol.release;
    Cell::text(format!(
        "Floors: counts from 1 to {} are hidden, and others from which they would follow; between two times of a curve at \
         least {minimum_leavers} patients of an arm leave, or none. Nothing is computed from a hidden number: it is not in \
         the release. A site whose policy the counts do not satisfy keeps all models from starting.",
        minimum_cell.saturating_sub(1)
    ))
    .and_text(if minimum_cell <= 1 { " This study has no floor of counts." } else { "" })
}

/// What every site signed, and how a reader holds this report against it.
pub(super) fn release(page: &Page<'_>) -> Cell {
    Cell::text("Every site computed the release for itself and signed its SHA-256, ")
        .and(Cell::foreign(&page.provenance.release_digest))
        .and_text(". With the ledger of a site or of the coordinator, ")
        .and(Cell(vec![Piece::Code("coordinator audit verify BUNDLE --results DIR")]))
        .and_text(" verifies the signatures and holds the tables beside this page against the release, byte for byte.")
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
