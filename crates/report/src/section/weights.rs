//! The propensity model, the overlap of the arms and their weights.

use study::results::{OverlapRow, WeightRow};

use super::{Block, arm_label};
use crate::figure;
use crate::labels::scheme;
use crate::page::{ESTIMATES, OVERLAP, Page, WEIGHTS};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    if page.protocol.propensity.is_none() {
        return vec![Block::words("The protocol declares no propensity score.")];
    }
    let mut blocks = Vec::new();
    blocks.extend(Block::figures(figure::scores::overlap(page).into_iter().chain(figure::scores::weights(page))));
    blocks.extend(Block::table(overlap(page)));
    blocks.extend(Block::table(weights(page)));
    blocks.extend(Block::table(propensity(page)));
    blocks
}

fn overlap(page: &Page<'_>) -> Table {
    let bounds = page.results.overlap.first().map_or((0.0, 1.0), |row| row.bounds);
    let row = |row: &OverlapRow| {
        let of = |n, column| page.count(n, &OVERLAP, row, column);
        let share = page.share([row.equipoise.into(), row.n.into()], &OVERLAP, row, ["equipoise", "n"]);
        Row::new(arm_label(page, &row.arm), vec![share, of(row.below, "below"), of(row.above, "above")])
    };
    let header =
        ["Arm".into(), "In equipoise".into(), format!("Score below {}", bounds.0), format!("Above {}", bounds.1)];
    Table {
        caption: "Overlap of the arms".into(),
        header: header.into(),
        rows: page.results.overlap.iter().map(row).collect(),
        texts: 1,
        notes: vec!["In equipoise: preference score from 0.3 to 0.7 (Walker 2013).".into()],
        ..Table::default()
    }
}

fn weights(page: &Page<'_>) -> Table {
    let row = |row: &WeightRow| {
        let n = page.count(row.n, &WEIGHTS, row, "n");
        let counted = |x: Option<f64>, column| page.maybe(x, 2, &WEIGHTS, row, column);
        let quantile = |at: usize| row.counted.and_then(|counted| counted.quantiles[at]);
        let bounds = match (row.bounds, row.truncated) {
            (Some(_), Some([low, high])) => page
                .decimals(row.bounds.map_or(f64::NAN, |b| b.0), 2, &WEIGHTS, row, "truncated_at_low")
                .and_text(" and ")
                .and(page.decimals(row.bounds.map_or(f64::NAN, |b| b.1), 2, &WEIGHTS, row, "truncated_at_high"))
                .and_text("; replaced ")
                .and(page.count(low, &WEIGHTS, row, "n_truncated_low"))
                .and_text(" and ")
                .and(page.count(high, &WEIGHTS, row, "n_truncated_high")),
            _ => Cell::none(),
        };
        let cells = vec![
            Cell::foreign(arm_label(page, &row.arm)),
            n,
            page.decimals(row.sum, 1, &WEIGHTS, row, "sum"),
            page.decimals(row.ess, 1, &WEIGHTS, row, "ess"),
            counted(quantile(0), "q01_type3"),
            counted(quantile(1), "q99_type3"),
            counted(row.counted.and_then(|counted| counted.max), "max"),
            bounds,
        ];
        Row::new(scheme(&row.scheme), cells)
    };
    let header =
        ["Weights", "Arm", "Patients", "Sum", "ESS", "1%", "99%", "Largest", "Bounds"].map(str::to_owned).into();
    Table {
        caption: "Weights".into(),
        header,
        rows: page.results.weights.iter().map(row).collect(),
        texts: 2,
        notes: vec![
            "ESS: effective sample size. The first scheme is that of the study. Quantiles are of both arms together, on \
             the grid on which weights are counted."
                .into(),
        ],
        ..Table::default()
    }
    .without_empty_columns()
}

/// The propensity model itself.
fn propensity(page: &Page<'_>) -> Table {
    let of = |row: &&study::results::EstimateRow| {
        row.analysis == "propensity" && row.term != "(intercept)" && row.variance == study::results::Variance::Naive
    };
    let row = |row: &study::results::EstimateRow| {
        let p = page.p(row.p_value, &ESTIMATES, row, "p_value");
        Row::new(page.labels.term(&row.term).0, vec![page.ratio(row), p])
    };
    Table {
        caption: format!("Propensity model: odds of {}", page.arms()[1]),
        header: ["Covariate", "Odds ratio (95% CI)", "P"].map(str::to_owned).into(),
        rows: page.results.estimates.iter().filter(of).map(row).collect(),
        texts: 1,
        notes: vec!["Variance: naive.".into()],
        ..Table::default()
    }
}
