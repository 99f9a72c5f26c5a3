//! The flow charts of the main analysis and of the scenarios, which share steps: whole steps are hidden.

use crate::results::{FlowRow, Results};

/// Control, treated and neither arm of a step.
type Step = [u64; 3];

/// The last step of every chart is shown. Of the others, the later ones come first: a step is shown when its counts, and
/// its differences to every step that is shown already, are not small in any arm.
pub(super) fn apply(results: &mut Results, minimum: u64) {
    let small = |n: u64| (1..minimum).contains(&n);
    let Results { flow, scenarios, .. } = results;
    let mut charts: Vec<&mut Vec<FlowRow>> =
        std::iter::once(flow).chain(scenarios.iter_mut().map(|s| &mut s.results.flow)).collect();
    let mut shown: Vec<Step> = charts.iter().filter_map(|chart| chart.last()).filter_map(step).collect();
    for chart in &mut charts {
        let earlier = chart.len().saturating_sub(1);
        for row in chart[..earlier].iter_mut().rev() {
            let Some(counts) = step(row) else { continue };
            let near = |other: &Step| counts.iter().zip(other).any(|(n, other)| small(n.abs_diff(*other)));
            if counts.into_iter().any(small) || shown.iter().any(near) {
                *row = FlowRow { control: None, treated: None, n: None, excluded: None, ..row.clone() };
            } else {
                shown.push(counts);
            }
        }
        excluded_since_shown(chart);
    }
}

fn step(row: &FlowRow) -> Option<Step> {
    let (control, treated) = (row.control?, row.treated?);
    Some([control, treated, row.n?.saturating_sub(control + treated)])
}

fn excluded_since_shown(chart: &mut [FlowRow]) {
    let mut before = None;
    for (at, row) in chart.iter_mut().enumerate() {
        let Some(n) = row.n else { continue };
        row.excluded = if at == 0 { Some(0) } else { before.map(|before: u64| before.saturating_sub(n)) };
        before = Some(n);
    }
}
