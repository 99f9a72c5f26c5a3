//! At which times the curves of each outcome are given out: one choice for all its curves, weighted or not.

use std::collections::BTreeMap;

use stats::survival::{Released, released};

use crate::plan::Branch;
use crate::protocol::Protocol;

/// By index of the outcome.
pub(super) type Boundaries = BTreeMap<usize, Released>;

/// Of the outcomes with survival curves.
pub(super) fn of_curves(branch: &Branch) -> Boundaries {
    let tables = branch.curves().filter_map(|(key, outcome)| Some((key.outcome, outcome?.ok()?)));
    let leavers = tables.map(|(outcome, table)| {
        let cells = table.cells().iter();
        (outcome, cells.map(|arms| arms.map(|leavers| leavers.all().n)).collect())
    });
    let protocol = branch.protocol();
    let declared = protocol.curves.iter().map(|curve| (&curve.outcomes[..], &curve.times_days[..]));
    of_tables(protocol, leavers, &declared.collect::<Vec<_>>())
}

/// Of those with cumulative incidences; leavers are counted whatever they leave by.
pub(super) fn of_incidences(branch: &Branch) -> Boundaries {
    let tables = branch.incidences().filter_map(|(key, outcome)| Some((key.outcome, outcome?.ok()?)));
    let leavers = tables.map(|(outcome, table)| {
        let cells = table.cells().iter();
        (outcome, cells.map(|arms| arms.each_ref().map(|leavers| leavers.all().n)).collect())
    });
    let protocol = branch.protocol();
    let declared = protocol.incidences.iter().map(|incidence| (&incidence.outcomes[..], &incidence.times_days[..]));
    of_tables(protocol, leavers, &declared.collect::<Vec<_>>())
}

/// `declared`: names of outcomes, and the days at which their curves are wanted.
fn of_tables(
    protocol: &Protocol,
    tables: impl Iterator<Item = (usize, Vec<[f64; 2]>)>,
    declared: &[(&[String], &[u32])],
) -> Boundaries {
    let mut leavers: BTreeMap<usize, Vec<Vec<f64>>> = BTreeMap::new();
    for (outcome, cells) in tables {
        let all = leavers.entry(outcome).or_insert_with(|| vec![Vec::new(); cells.len()]);
        all.iter_mut().zip(cells).for_each(|(arms, more)| arms.extend(more));
    }
    let minimum = f64::from(protocol.release.minimum_leavers);
    let of_outcome = |(index, leavers): (usize, Vec<Vec<f64>>)| {
        let outcome = &protocol.outcomes[index];
        let days = declared.iter().filter(|(names, _)| names.contains(&outcome.name)).flat_map(|(_, days)| *days);
        let mut cells: Vec<u32> =
            outcome.kind.grid().into_iter().flat_map(|grid| days.clone().map(move |day| grid.cell(*day))).collect();
        cells.sort_unstable();
        cells.dedup();
        (index, released(&leavers, &cells, minimum))
    };
    leavers.into_iter().map(of_outcome).collect()
}
