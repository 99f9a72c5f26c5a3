//! Means and standard deviations per arm, from sums of powers about a centre.

use crate::total::{BLOCK, Total};

/// Words of one arm: n, sum w, sum w^2, sum w (x - c), sum w (x - c)^2.
const ARM: usize = 5;

/// Words of [`moments`]: five of the control arm, five of the treated.
pub const MOMENTS_LEN: usize = 2 * ARM;

/// A spread below this share of |centre| is the rounding of a constant.
const CONSTANT: f64 = 1e-12;

/// One number of a site's rows.
#[derive(Clone, Copy)]
pub struct MomentRows<'a> {
    /// Values, n, none missing.
    pub x: &'a [f64],
    /// Arm, n.
    pub treated: &'a [bool],
    /// Weights, n, at least 0; all 1 when absent. A row of weight 0 is left out.
    pub w: Option<&'a [f64]>,
}

/// Adds n, sum w, sum w^2, sum w (x - c), sum w (x - c)^2 with c = `centre`, first of the control arm, then of the
/// treated, in blocks of [`BLOCK`] rows.
///
/// A centre near the mean of all rows keeps the digits of the variance: a first pass about any value of the declared range
/// gives that mean.
///
/// # Panics
/// When the lengths of the rows do not agree.
pub fn moments(rows: &MomentRows<'_>, centre: f64, total: &mut dyn Total) {
    let n = rows.x.len();
    assert_eq!(rows.treated.len(), n, "length of the arms");
    assert!(rows.w.is_none_or(|w| w.len() == n), "length of the weights");
    for first in (0..n).step_by(BLOCK) {
        let mut block = [0.0; MOMENTS_LEN];
        for i in first..n.min(first + BLOCK) {
            let w = rows.w.map_or(1.0, |w| w[i]);
            if w > 0.0 {
                let x = rows.x[i] - centre;
                let arm = &mut block[usize::from(rows.treated[i]) * ARM..][..ARM];
                for (sum, word) in arm.iter_mut().zip([1.0, w, w * w, w * x, w * x * x]) {
                    *sum += word;
                }
            }
        }
        total.add(0, &block);
    }
}

/// The moments of one arm, or of both together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Rows.
    pub n: f64,
    /// Sum of the weights; n without weights.
    pub sum_w: f64,
    /// Sum of the squared weights; n without weights.
    pub sum_w2: f64,
    centre: f64,
    first: f64,
    second: f64,
}

impl Moments {
    /// From the five words of an arm, summed about `centre`.
    fn new(words: &[f64], centre: f64) -> Self {
        Self { n: words[0], sum_w: words[1], sum_w2: words[2], centre, first: words[3], second: words[4] }
    }

    /// Weighted mean; None without rows.
    pub fn mean(&self) -> Option<f64> {
        (self.sum_w > 0.0).then(|| self.centre + self.first / self.sum_w)
    }

    /// Variance sum w (x - mean)^2 / sum w x n / (n - 1), the usual one when all weights are 1; None for n < 2. With
    /// weights it is the variance of `survey::svyvar` and so of tableone.
    pub fn variance(&self) -> Option<f64> {
        (self.n >= 2.0 && self.sum_w > 0.0).then(|| self.squares() / self.sum_w * self.n / (self.n - 1.0))
    }

    /// Variance sum w (x - mean)^2 / (sum w - sum w^2 / sum w), with weights as cobalt computes it; None when one row
    /// carries all the weight.
    pub fn reliability_variance(&self) -> Option<f64> {
        let scale = self.sum_w - self.sum_w2 / self.sum_w;
        (self.n >= 2.0 && scale > 0.0).then(|| self.squares() / scale)
    }

    /// Square root of the [`Moments::variance`].
    pub fn sd(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Effective sample size of Kish, (sum w)^2 / sum w^2; None without rows.
    pub fn effective_sample_size(&self) -> Option<f64> {
        effective_sample_size(self.sum_w, self.sum_w2)
    }

    /// sum w (x - mean)^2, exactly 0 for a constant.
    fn squares(&self) -> f64 {
        let squares = self.second - self.first * self.first / self.sum_w;
        let rounding = CONSTANT * self.centre.abs();
        if squares > self.sum_w * rounding * rounding { squares } else { 0.0 }
    }
}

/// Effective sample size of Kish, (sum w)^2 / sum w^2; None when there is no weight.
pub fn effective_sample_size(sum_w: f64, sum_w2: f64) -> Option<f64> {
    (sum_w2 > 0.0).then(|| sum_w * sum_w / sum_w2)
}

/// The moments of both arms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arms {
    /// Control arm.
    pub control: Moments,
    /// Treated arm.
    pub treated: Moments,
}

impl Arms {
    /// From the sums of [`moments`] about `centre` over all sites.
    ///
    /// # Panics
    /// When `sums` does not have [`MOMENTS_LEN`] words.
    pub fn new(sums: &[f64], centre: f64) -> Self {
        assert_eq!(sums.len(), MOMENTS_LEN, "length of the moments");
        Self { control: Moments::new(&sums[..ARM], centre), treated: Moments::new(&sums[ARM..], centre) }
    }

    /// Both arms together.
    pub fn all(&self) -> Moments {
        let (a, b) = (&self.control, &self.treated);
        Moments {
            n: a.n + b.n,
            sum_w: a.sum_w + b.sum_w,
            sum_w2: a.sum_w2 + b.sum_w2,
            centre: a.centre,
            first: a.first + b.first,
            second: a.second + b.second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total::Plain;

    fn arms(rows: &MomentRows<'_>, centre: f64) -> Arms {
        let mut total = Plain::zero(MOMENTS_LEN);
        moments(rows, centre, &mut total);
        Arms::new(&total.0, centre)
    }

    #[test]
    fn by_hand() {
        // Control 1, 3; treated 2 (weight 1), 8 (weight 3), and one of weight 0.
        let rows = MomentRows {
            x: &[1.0, 3.0, 2.0, 8.0, f64::MAX],
            treated: &[false, false, true, true, true],
            w: Some(&[1.0, 1.0, 1.0, 3.0, 0.0]),
        };
        let arms = arms(&rows, 5.0);
        assert_eq!((arms.control.mean(), arms.control.variance()), (Some(2.0), Some(2.0)));
        // Mean 6.5; squares 4.5^2 + 3 x 1.5^2 = 27.
        assert_eq!((arms.treated.n, arms.treated.mean()), (2.0, Some(6.5)));
        assert_eq!(arms.treated.variance(), Some(27.0 / 4.0 * 2.0));
        assert_eq!(arms.treated.reliability_variance(), Some(27.0 / (4.0 - 10.0 / 4.0)));
        assert_eq!(arms.treated.effective_sample_size(), Some(1.6));
        // 1, 3, 2, 8 with weights 1, 1, 1, 3: mean 30 / 6.
        assert_eq!((arms.all().n, arms.all().mean()), (4.0, Some(5.0)));
    }

    #[test]
    fn few_rows_and_constants() {
        let none = arms(&MomentRows { x: &[], treated: &[], w: None }, 0.0);
        assert_eq!((none.control.mean(), none.treated.sd(), none.all().effective_sample_size()), (None, None, None));
        assert_eq!(none.all().reliability_variance(), None);
        let one = arms(&MomentRows { x: &[4.0], treated: &[true], w: None }, 0.0);
        assert_eq!((one.treated.mean(), one.treated.variance()), (Some(4.0), None));
        assert_eq!(one.treated.reliability_variance(), None);
        let constant = arms(&MomentRows { x: &[0.1; 7], treated: &[true; 7], w: None }, 0.1 + 1e-16);
        assert_eq!(constant.treated.variance(), Some(0.0));
    }
}
