//! The rows of `balance.csv`: patients' characteristics by arm, before and after weighting.

use serde::{Deserialize, Serialize};
use stats::descriptive::balance::{self, Spread};
use stats::descriptive::categorical::{self, Counts};
use stats::descriptive::fisher;
use stats::descriptive::grid::ValueGrid;
use stats::descriptive::moments::{Arms, MOMENTS_LEN, Moments};
use stats::descriptive::quantile::{QuantileType, quantile};
use stats::descriptive::rank;
use stats::weights::Estimand;

use super::rows::Name;
use crate::dictionary::{Kind, Variable};
use crate::plan::{BaselineSums, Branch, Facts};
use crate::protocol::{BaselineAnalysis, CategoryTest};

/// One variable, or one level of it, before or after weighting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalanceRow {
    /// Name of the table.
    pub table: String,
    /// Name of the variable.
    pub variable: String,
    /// The level; none for the variable as a whole.
    pub level: Option<String>,
    /// continuous, categorical or binary.
    pub kind: Name,
    /// With the study's weights?
    pub weighted: bool,
    /// Control arm.
    pub control: BalanceCells,
    /// Treated arm.
    pub treated: BalanceCells,
    /// Both arms.
    pub all: BalanceCells,
    /// `mann_whitney`, `chi_square`, `chi_square_yates`, `fisher`; none for levels and with weights.
    pub test: Option<Name>,
    /// W with the treated arm first, or chi-square.
    pub statistic: Option<f64>,
    /// Two-sided.
    pub p_value: Option<f64>,
    /// Standardised difference as tableone defines it; none for a level.
    pub smd: Option<f64>,
    /// Difference as cobalt reports it: of means over a spread by the estimand of the weights, of a level's shares.
    pub smd_cobalt: Option<f64>,
    /// Do its values tell the arms apart, so that no difference is finite?
    pub separated: bool,
    /// The step to which values are rounded before quartiles and test are made of them; none where they are exact.
    pub rounded_to: Option<f64>,
    /// Rows without a value, control and treated; none when hidden.
    pub missing: [Option<u64>; 2],
    /// Does a floor hide something of the variable? Its hidden cells are none, and so are tests and differences that
    /// would tell them.
    pub floored: bool,
}

/// What stands under one arm.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BalanceCells {
    /// Mean of a number; rows, or sum of their weights, of a category or level.
    pub value: Option<f64>,
    /// Standard deviation of a number, percentage of a level.
    pub spread: Option<f64>,
    /// First quartile, type 7.
    pub q25: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// Third quartile.
    pub q75: Option<f64>,
}

/// All rows: of each table the unweighted part, then the weighted one.
pub(super) fn rows(branch: &Branch, facts: &Facts) -> Vec<BalanceRow> {
    branch.protocol().baselines.iter().flat_map(|declared| table(declared, branch, facts)).collect()
}

fn table(declared: &BaselineAnalysis, branch: &Branch, facts: &Facts) -> Vec<BalanceRow> {
    let protocol = branch.protocol();
    let (mut plain, mut weighted) = (Vec::new(), Vec::new());
    for id in &declared.variables {
        let Some(sums) = branch.baseline().find(|sums| sums.variable == *id) else { continue };
        let variable = protocol.dictionary.variable(sums.variable);
        if let Some(Ok(grid)) = variable.grid() {
            let missing = facts.missing.get(&sums.variable).copied().unwrap_or_default();
            let estimand = protocol.propensity.as_ref().map(|propensity| propensity.weighting().estimand);
            numbers(variable, &grid, sums, (declared, estimand), missing, [&mut plain, &mut weighted]);
        } else if let Some(counts) = facts.levels.get(&sums.variable) {
            category(variable, counts, sums, declared, [&mut plain, &mut weighted]);
        }
    }
    if declared.weighted {
        plain.extend(weighted);
    }
    for row in &mut plain {
        row.table.clone_from(&declared.name);
    }
    plain
}

fn empty(variable: &Variable, weighted: bool, missing: [u64; 2]) -> BalanceRow {
    let kind = match &variable.kind {
        Kind::Continuous { .. } | Kind::Days { .. } => "continuous",
        Kind::Categorical { binary: true, .. } => "binary",
        Kind::Categorical { .. } => "categorical",
    };
    BalanceRow {
        table: String::new(),
        variable: variable.name.clone(),
        level: None,
        kind: kind.into(),
        weighted,
        control: BalanceCells::default(),
        treated: BalanceCells::default(),
        all: BalanceCells::default(),
        test: None,
        statistic: None,
        p_value: None,
        smd: None,
        smd_cobalt: None,
        separated: false,
        rounded_to: None,
        missing: missing.map(Some),
        floored: false,
    }
}

fn numbers(
    variable: &Variable,
    grid: &ValueGrid,
    sums: &BaselineSums,
    (declared, estimand): (&BaselineAnalysis, Option<Estimand>),
    missing: [u64; 2],
    [plain, weighted]: [&mut Vec<BalanceRow>; 2],
) {
    if sums.moments.len() != MOMENTS_LEN || sums.histogram.len() != 2 * grid.bins() {
        return;
    }
    let unweighted = Arms::new(&sums.moments, sums.centre / sums.unit);
    let (control, treated) = sums.histogram.split_at(grid.bins());
    let all: Vec<f64> = control.iter().zip(treated).map(|(c, t)| c + t).collect();
    let quartiles = |cells: BalanceCells, counts: &[f64]| {
        let at = |p| quantile(grid, counts, p, QuantileType::Linear);
        BalanceCells { q25: at(0.25), median: at(0.5), q75: at(0.75), ..cells }
    };
    let test = rank::mann_whitney(control, treated, declared.continuity);
    let with_weights = (sums.weighted.len() == MOMENTS_LEN).then(|| Arms::new(&sums.weighted, sums.centre / sums.unit));
    // without weights, cobalt knows of no estimand
    let spread = match (estimand.filter(|_| declared.weighted), &with_weights) {
        (Some(estimand), Some(arms)) => Spread::of(estimand).deviation(&unweighted, arms),
        _ => Spread::Pooled.deviation(&unweighted, &unweighted),
    };
    let cobalt = |arms: &Arms| balance::cobalt_continuous(arms, spread?);
    plain.push(BalanceRow {
        control: quartiles(mean_and_sd(&unweighted.control, sums.unit), control),
        treated: quartiles(mean_and_sd(&unweighted.treated, sums.unit), treated),
        all: quartiles(mean_and_sd(&unweighted.all(), sums.unit), &all),
        test: Some("mann_whitney".into()),
        statistic: test.map(|t| t.w),
        p_value: test.map(|t| t.p_value),
        smd: balance::smd_continuous(&unweighted),
        separated: balance::separated_continuous(&unweighted),
        smd_cobalt: cobalt(&unweighted),
        rounded_to: variable.rounded_to(),
        ..empty(variable, false, missing)
    });
    if let Some(arms) = with_weights {
        weighted.push(BalanceRow {
            control: mean_and_sd(&arms.control, sums.unit),
            treated: mean_and_sd(&arms.treated, sums.unit),
            all: mean_and_sd(&arms.all(), sums.unit),
            smd: balance::smd_continuous(&arms),
            separated: balance::separated_continuous(&arms),
            smd_cobalt: cobalt(&arms),
            ..empty(variable, true, missing)
        });
    }
}

/// Of moments that are measured in `unit`.
fn mean_and_sd(moments: &Moments, unit: f64) -> BalanceCells {
    let (value, spread) = (moments.mean().map(|x| x * unit), moments.sd().map(|x| x * unit));
    BalanceCells { value, spread, ..BalanceCells::default() }
}

fn category(
    variable: &Variable,
    arms: &[Vec<u64>; 2],
    sums: &BaselineSums,
    declared: &BaselineAnalysis,
    [plain, weighted]: [&mut Vec<BalanceRow>; 2],
) {
    let levels = variable.levels().len();
    let missing = [&arms[0], &arms[1]].map(|counts| counts[levels]);
    let [control, treated] = [&arms[0], &arms[1]].map(|counts| counts[..levels].iter().map(|n| *n as f64).collect());
    let counts = Counts { control, treated };
    let (test, statistic, p_value) = category_test(&counts, declared.category_test);
    let from = plain.len();
    category_rows(variable, &counts, false, missing, plain);
    plain[from] = BalanceRow { test: Some(test.into()), statistic, p_value, ..plain[from].clone() };
    if sums.weighted.len() == categorical::counts_len(levels, true) {
        category_rows(variable, &Counts::weights(&sums.weighted, levels), true, missing, weighted);
    }
}

fn category_test(counts: &Counts, kind: CategoryTest) -> (&'static str, Option<f64>, Option<f64>) {
    let (control, treated) = (&counts.control, &counts.treated);
    match kind {
        CategoryTest::Pearson => {
            let test = categorical::chi_square(control, treated, false);
            ("chi_square", test.map(|t| t.statistic), test.map(|t| t.p_value))
        }
        CategoryTest::Yates => {
            let test = categorical::chi_square(control, treated, true);
            // as in R, a table of two arms and more than two levels has no correction
            let name = if test.is_none_or(|test| test.df == 1) { "chi_square_yates" } else { "chi_square" };
            (name, test.map(|t| t.statistic), test.map(|t| t.p_value))
        }
        CategoryTest::Fisher => ("fisher", None, fisher::fisher(control, treated).ok()),
    }
}

/// One row of the variable as a whole, then one per level.
fn category_rows(variable: &Variable, counts: &Counts, weighted: bool, missing: [u64; 2], rows: &mut Vec<BalanceRow>) {
    let (control, treated, all) = (&counts.control, &counts.treated, &counts.all());
    let total = |counts: &[f64]| BalanceCells { value: Some(counts.iter().sum()), ..BalanceCells::default() };
    let whole = BalanceRow {
        control: total(control),
        treated: total(treated),
        all: total(all),
        smd: balance::smd_categorical(control, treated),
        separated: balance::separated_categorical(control, treated),
        ..empty(variable, weighted, missing)
    };
    rows.push(whole);
    let differences = balance::raw_differences(control, treated);
    for (i, level) in variable.levels().iter().enumerate() {
        let share = |counts: &[f64]| {
            let n: f64 = counts.iter().sum();
            let percent = (n > 0.0).then(|| 100.0 * counts[i] / n);
            BalanceCells { value: Some(counts[i]), spread: percent, ..BalanceCells::default() }
        };
        rows.push(BalanceRow {
            level: Some(level.clone()),
            control: share(control),
            treated: share(treated),
            all: share(all),
            smd_cobalt: differences.as_ref().map(|d| d[i]),
            ..empty(variable, weighted, missing)
        });
    }
}
