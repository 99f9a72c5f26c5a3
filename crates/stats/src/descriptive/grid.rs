//! The declared value grid of a number: histograms on it give exact quantiles and ranks.

/// Most bins of a grid. A histogram of two arms then takes 32 MB in 128-bit words; a variable that needs more has a
/// resolution that no one measures.
const MOST_BINS: f64 = 1_048_576.0;

/// Whole numbers below 2^52 are exact in f64, with their halves.
const EXACT: f64 = 4_503_599_627_370_496.0;

/// Most decimal places of a bound or resolution.
const MOST_PLACES: u32 = 12;

/// Why bounds and resolution do not make a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// Low is not below high, the resolution is not positive, or one of them is not finite.
    #[error("a value grid needs low below high and a resolution above zero")]
    Empty,
    /// Low or resolution is not a decimal number of at most 12 places.
    #[error("low and resolution need to be decimal numbers of at most 12 places")]
    NotDecimal,
    /// More than 1,048,576 bins.
    #[error("a value grid has at most 1048576 bins")]
    TooFine,
}

/// Values low, low + resolution, ... up to the first that reaches high.
///
/// Value k is (low + k step) / denominator with whole numbers (exact in f64) and one rounding, so that it is the very f64 that the
/// decimal number is read as: 3 tenths is 3 / 10, which is 0.3, and not 3 x 0.1, which is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueGrid {
    low: i64,
    step: i64,
    denominator: i64,
    bins: usize,
}

impl ValueGrid {
    /// The grid of a variable inside `low..=high` with step `resolution`.
    pub fn new(low: f64, high: f64, resolution: f64) -> Result<Self, GridError> {
        if !(low < high && resolution > 0.0 && (high - low).is_finite()) {
            return Err(GridError::Empty);
        }
        if (high - low) / resolution > MOST_BINS - 2.0 {
            return Err(GridError::TooFine);
        }
        let mut denominator = 1_i64;
        for _ in 0..=MOST_PLACES {
            if let (Some(low), Some(step)) = (whole(low, denominator), whole(resolution, denominator)) {
                let last = (high * denominator as f64 - low as f64) / step as f64;
                // High itself carries the rounding of a decimal: a millionth of a bin above a value is that value.
                let bins = (last - 1e-6).ceil() as usize + 1;
                return Ok(Self { low, step, denominator, bins });
            }
            denominator *= 10;
        }
        Err(GridError::NotDecimal)
    }

    /// Number of bins.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Value of bin `k`.
    pub fn value(&self, k: usize) -> f64 {
        (self.low as f64 + k as f64 * self.step as f64) / self.denominator as f64
    }

    /// Is `x` a value of the grid? It may differ from one by what a decimal number loses as a binary one: a unit in the last
    /// place of single precision, a millionth of a step after a sum such as 0.1 + 0.2, and never a thousandth of a step.
    pub fn holds(&self, x: f64) -> bool {
        let Some(bin) = self.bin(x) else { return false };
        let step = self.step as f64 / self.denominator as f64;
        let lost = (1e-6 * step).max(x.abs() * f64::from(f32::EPSILON)).min(1e-3 * step);
        (x - self.value(bin as usize)).abs() <= lost
    }

    /// Bin of the grid value nearest to `x`; None for values off the grid by more than half a bin, and for NaN.
    pub fn bin(&self, x: f64) -> Option<u32> {
        let k = ((x * self.denominator as f64 - self.low as f64) / self.step as f64).round();
        (k >= 0.0 && k < self.bins as f64).then_some(k as u32)
    }
}

/// `x` x `denominator` when that is a whole number that reads back as `x`.
fn whole(x: f64, denominator: i64) -> Option<i64> {
    let scaled = (x * denominator as f64).round();
    (scaled.abs() < EXACT && scaled / denominator as f64 == x).then_some(scaled as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decimal_reads_back() {
        let grid = ValueGrid::new(18.0, 110.0, 0.1).expect("a grid");
        assert_eq!(grid.bins(), 921);
        for k in 0..grid.bins() {
            let text = format!("{}.{}", 18 + k / 10, k % 10);
            let x: f64 = text.parse().expect("a decimal");
            assert_eq!(grid.value(k), x);
            assert_eq!(grid.bin(x), Some(k as u32));
        }
        assert_eq!(grid.bin(17.9), None);
        assert_eq!(grid.bin(110.1), None);
        assert_eq!(grid.bin(f64::NAN), None);
        assert_eq!(grid.bin(68.94), grid.bin(68.9));
    }

    #[test]
    fn what_a_grid_holds() {
        let held = |low, high, step, x| ValueGrid::new(low, high, step).expect("a grid").holds(x);
        // 0.1 + 0.2 and 1.1 * 1.1 end one place off; a database that stores single precision gives 63.29999923706055.
        for x in [0.3, 0.1 + 0.2, 1.21, 1.1 * 1.1, 63.3, f64::from(63.3_f32), -0.0, 1.005_f64.mul_add(0.0, 2.0)] {
            assert!(held(0.0, 100.0, 0.01, x), "{x}");
        }
        for x in [1.005, 0.333, 63.301, 100.001, -0.01, f64::NAN, 2.000_011] {
            assert!(!held(0.0, 100.0, 0.01, x), "{x}");
        }
        assert!(held(0.0, 10.0, 0.25, 7.75) && !held(0.0, 10.0, 0.25, 7.8));
        assert!(held(0.2, 15.0, 1.0, 1.2) && !held(0.2, 15.0, 1.0, 1.0), "the grid begins at the lower bound");
        assert!(held(0.0, 1e6, 250.0, 750.0) && !held(0.0, 1e6, 250.0, 751.0));
        // Beyond what single precision tells apart, nothing passes that is a thousandth of a step away.
        assert!(held(0.0, 1e4, 0.01, 8000.12) && !held(0.0, 1e4, 0.01, 8000.1201));
    }

    #[test]
    fn negative_and_uneven_grids() {
        let grid = ValueGrid::new(-1.25, 2.0, 0.5).expect("a grid");
        // -1.25, -0.75, ..., 1.75, 2.25: the last one reaches 2.
        assert_eq!((grid.bins(), grid.value(0), grid.value(7)), (8, -1.25, 2.25));
        assert_eq!(grid.bin(2.0), Some(7));
        assert_eq!(grid.bin(-0.8), Some(1));
        let thousands = ValueGrid::new(0.0, 1e6, 250.0).expect("a grid");
        assert_eq!((thousands.bins(), thousands.value(3)), (4001, 750.0));
    }

    #[test]
    fn what_is_no_grid() {
        assert_eq!(ValueGrid::new(1.0, 1.0, 0.1), Err(GridError::Empty));
        assert_eq!(ValueGrid::new(0.0, f64::INFINITY, 0.1), Err(GridError::Empty));
        assert_eq!(ValueGrid::new(0.0, 1.0, f64::NAN), Err(GridError::Empty));
        assert_eq!(ValueGrid::new(0.0, 1.0, 1.0 / 3.0), Err(GridError::NotDecimal));
        assert_eq!(ValueGrid::new(0.0, 1e9, 0.01), Err(GridError::TooFine));
    }
}
