//! `[propensity]`: the model of treatment and the weights made of it.

use stats::descriptive::quantile::QuantileType;
use stats::weights::Estimand;
use stats::weights::positivity::SCORE_BOUNDS;
use stats::weights::quantiles::WeightGrid;

use super::{Declared, analyses, eligibility, unknown};
use crate::document::Table;
use crate::protocol::{Propensity, Truncation, WeightDetail};

const ESTIMANDS: [(&str, Estimand); 5] = [
    ("ATE", Estimand::Ate),
    ("ATT", Estimand::Att),
    ("ATC", Estimand::Atc),
    ("ATO", Estimand::Ato),
    ("ATM", Estimand::Atm),
];

/// Step of the grid of weights where none is declared.
const RESOLUTION: f64 = 0.01;
/// End of the grid of weights where none is declared: a score of 0.02 in the treated arm, without stabilisation.
const LARGEST: f64 = 50.0;

pub(super) fn propensity(t: &Table<'_, '_>, declared: &Declared<'_>) -> Option<Propensity> {
    let names = t.texts("covariates");
    let estimand = t.optional_text("estimand").and_then(|name| estimand(t, "estimand", &name)).unwrap_or(Estimand::Ate);
    let stabilized = t.flag("stabilized", estimand == Estimand::Ate);
    if stabilized && estimand != Estimand::Ate {
        t.mistake("stabilized", "only weights of the average treatment effect (`ATE`) are stabilised; leave it out");
    }
    let bins = t.optional_whole("bins").unwrap_or(20) as usize;
    if !(2..=1000).contains(&bins) {
        t.mistake("bins", "expected 2 to 1000 bins; such as 20");
    }
    let summaries = summaries(t);
    let detail = detail(t);
    let score_bounds =
        if t.has("score_bounds") { bounds(t, "score_bounds").unwrap_or(SCORE_BOUNDS) } else { SCORE_BOUNDS };
    let covariates = names.map(|names| analyses::covariates(t, &names, declared));
    eligibility::known_at_time_zero(t, &[("covariates", covariates.clone().unwrap_or_default())], declared);
    t.close();
    let covariates = covariates?;
    Some(Propensity { covariates, estimand, stabilized, bins, summaries, detail, score_bounds })
}

fn estimand(t: &Table<'_, '_>, key: &'static str, name: &str) -> Option<Estimand> {
    let found = ESTIMANDS.iter().find(|(known, _)| *known == name).map(|(_, estimand)| *estimand);
    if found.is_none() {
        unknown(t, key, name, &ESTIMANDS.map(|(known, _)| known));
    }
    found
}

fn summaries(t: &Table<'_, '_>) -> Vec<Estimand> {
    let mut summaries = Vec::new();
    for name in t.optional_texts("summaries").unwrap_or_default() {
        let Some(estimand) = estimand(t, "summaries", &name) else { continue };
        if summaries.contains(&estimand) {
            t.mistake("summaries", format!("`{name}` stands twice; name it once"));
        }
        summaries.push(estimand);
    }
    summaries
}

/// Counts of weights are opened only where a key asks for what follows from them.
fn detail(t: &Table<'_, '_>) -> Option<WeightDetail> {
    let resolution = t.optional_number("weight_resolution");
    let largest = t.optional_number("weight_max");
    let kind = t.optional_whole("truncate_type");
    let truncate = t.has("truncate").then(|| bounds(t, "truncate"));
    if truncate.is_none() && kind.is_some() {
        t.mistake(
            "truncate_type",
            "stands without `truncate`; add it, such as `truncate = [0.01, 0.99]`, or leave this out",
        );
    }
    if truncate.is_none() && resolution.is_none() {
        if largest.is_some() {
            t.mistake(
                "weight_max",
                "stands without `weight_resolution` or `truncate`; add one of them, or leave this out",
            );
        }
        return None;
    }
    let kind = match kind {
        None | Some(7) => QuantileType::Linear,
        Some(3) => QuantileType::Nearest,
        Some(_) => {
            t.mistake("truncate_type", "expected 3 or 7, as R counts the types of quantiles; 7 is the default");
            return None;
        }
    };
    let truncation = truncate.flatten().map(|(low, high)| Truncation { low, high, kind });
    match WeightGrid::new(largest.unwrap_or(LARGEST), resolution.unwrap_or(RESOLUTION)) {
        Ok(grid) => Some(WeightDetail { grid, truncation }),
        Err(why) => {
            t.mistake("weight_resolution", format!("the grid from 0 to `weight_max`: {why}; the default is 0.01"));
            None
        }
    }
}

/// Two numbers inside [0, 1], the first below the second.
pub(super) fn bounds(t: &Table<'_, '_>, key: &'static str) -> Option<(f64, f64)> {
    match t.numbers(key)?[..] {
        [low, high] if (0.0..1.0).contains(&low) && low < high && high <= 1.0 => Some((low, high)),
        _ => {
            t.mistake(key, "expected two numbers from 0 to 1, the first below the second; such as [0.05, 0.95]");
            None
        }
    }
}
