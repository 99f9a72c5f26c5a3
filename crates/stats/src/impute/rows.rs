//! Draws of missing values at the site that holds the row, given a drawn model.
//!
//! A category with levels 0, 1, ..., L - 1 is a chain of L - 1 binary models (continuation ratios): stage l gives
//! P(level = l | level >= l), fitted over the rows whose level is observed and at least l. The joint posterior of the
//! stages is the product of theirs, since the likelihood is. This is ours where mice's `polyreg` fits a multinomial
//! model: it needs nothing but sums of binary logistic regression.

use crate::descriptive::grid::ValueGrid;

use super::posterior::LinearDraw;

/// One stage of a chain.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// No observed row has this level, so no missing one gets it.
    Never,
    /// Every observed row that comes this far has this level: the chain ends here.
    Always,
    /// Drawn coefficients of the logistic model of this level against all later ones.
    Model(Vec<f64>),
}

/// The rows (indices into `levels`) and the outcome (1 at this level, 0 later) that stage `l` is fitted on; `levels`
/// holds the observed levels of a site's rows, None where missing.
pub fn stage_rows(levels: &[Option<u32>], l: u32) -> (Vec<usize>, Vec<f64>) {
    levels
        .iter()
        .enumerate()
        .filter_map(|(i, level)| level.filter(|&level| level >= l).map(|level| (i, f64::from(u8::from(level == l)))))
        .unzip()
}

/// A binary value: whether u < 1 / (1 + exp(-x'b)) for the drawn coefficients `beta` and a uniform `u`.
///
/// # Panics
/// When the lengths of `x` and `beta` differ.
pub fn binary(x: &[f64], beta: &[f64], u: f64) -> bool {
    u < probabilities(x, beta).0
}

/// A level of the chain, by its distribution function and one uniform `u`: the first l with u < P(level <= l). `stages`
/// holds all levels but the last.
///
/// # Panics
/// When `x` does not have one value per coefficient of a model.
pub fn level(x: &[f64], stages: &[Stage], u: f64) -> usize {
    // P(level > l), a product of the complements: each is computed, not subtracted.
    let mut later = 1.0;
    for (l, stage) in stages.iter().enumerate() {
        match stage {
            Stage::Never => continue,
            Stage::Always => return l,
            Stage::Model(beta) => later *= probabilities(x, beta).1,
        }
        if u < 1.0 - later {
            return l;
        }
    }
    stages.len()
}

/// The bin of a number: x'b + sigma z for a normal `z`, clamped to the declared range and rounded to the declared
/// resolution; None when the prediction is not a number.
///
/// # Panics
/// When `x` does not have one value per coefficient.
pub fn number(x: &[f64], model: &LinearDraw, grid: &ValueGrid, z: f64) -> Option<u32> {
    let value = predictor(x, &model.beta) + model.sigma * z;
    grid.bin(value.clamp(grid.value(0), grid.value(grid.bins() - 1)))
}

/// P(1) and P(0), both with all their digits.
fn probabilities(x: &[f64], beta: &[f64]) -> (f64, f64) {
    let eta = predictor(x, beta);
    let small = libm::exp(-eta.abs());
    let (minor, major) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if eta >= 0.0 { (major, minor) } else { (minor, major) }
}

fn predictor(x: &[f64], beta: &[f64]) -> f64 {
    assert_eq!(x.len(), beta.len(), "one value per coefficient");
    let mut sum = 0.0;
    for (x, b) in x.iter().zip(beta) {
        sum += x * b;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_by_hand() {
        // eta = log 3: P = 3/4.
        let beta = [libm::log(3.0)];
        assert!(binary(&[1.0], &beta, 0.7499) && !binary(&[1.0], &beta, 0.7501));
        assert!(binary(&[1.0], &[800.0], 1.0 - 1e-16) && !binary(&[1.0], &[-800.0], 1e-300));
    }

    #[test]
    fn chain_by_hand() {
        // Stages 1/2 and 1/4: levels have 1/2, 1/8 and 3/8.
        let stages = [Stage::Model(vec![0.0]), Stage::Model(vec![-libm::log(3.0)])];
        let drawn = [0.1, 0.499, 0.501, 0.624, 0.626, 0.99].map(|u| level(&[1.0], &stages, u));
        assert_eq!(drawn, [0, 0, 1, 1, 2, 2]);
        assert_eq!(level(&[1.0], &[Stage::Never, Stage::Always, Stage::Never], 0.9), 1);
        assert_eq!(level(&[1.0], &[Stage::Never, Stage::Never], 0.1), 2);
    }

    #[test]
    fn rows_of_a_stage() {
        let levels = [Some(0), None, Some(2), Some(1)];
        assert_eq!(stage_rows(&levels, 0), (vec![0, 2, 3], vec![1.0, 0.0, 0.0]));
        assert_eq!(stage_rows(&levels, 1), (vec![2, 3], vec![0.0, 1.0]));
        assert_eq!(stage_rows(&levels, 3), (vec![], vec![]));
    }

    #[test]
    fn numbers_stay_on_their_grid() {
        let grid = ValueGrid::new(0.0, 10.0, 0.5).expect("a grid");
        let model = LinearDraw { beta: vec![2.0], sigma: 1.0 };
        let drawn = [(1.0, 0.3), (1.0, 0.2), (1.0, -9.0), (1.0, 9.0), (f64::INFINITY, 0.0)]
            .map(|(x, z)| number(&[x], &model, &grid, z).map(|bin| grid.value(bin as usize)));
        assert_eq!(drawn, [Some(2.5), Some(2.0), Some(0.0), Some(10.0), Some(10.0)]);
        assert_eq!(number(&[f64::NAN], &model, &grid, 0.0), None);
    }
}
