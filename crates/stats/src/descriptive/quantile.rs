//! Quantiles of all rows from their histogram.

use super::grid::ValueGrid;

/// How a quantile that falls between two patients is formed: the types of R's `quantile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantileType {
    /// Type 3: the order statistic nearest to n p, the even one of two (SAS).
    Nearest,
    /// Type 7: linear between order statistics, with h = 1 + (n - 1) p (R's default, and Excel's).
    Linear,
}

/// Number of rows of a histogram.
pub fn rows(counts: &[f64]) -> f64 {
    counts.iter().sum()
}

/// Quantile of probability `p` (taken to be inside 0..=1) of the rows counted in `counts`, one count per bin of `grid`;
/// None without rows. The same bits as R 4.2's `quantile` on the rows.
///
/// # Panics
/// When there is not one count per bin, or `p` is not inside 0..=1.
pub fn quantile(grid: &ValueGrid, counts: &[f64], p: f64, kind: QuantileType) -> Option<f64> {
    assert_eq!(counts.len(), grid.bins(), "one count per bin");
    assert!((0.0..=1.0).contains(&p), "a probability");
    let n = rows(counts);
    if n < 1.0 {
        return None;
    }
    let at = |order: f64| grid.value(bin_of(counts, order));
    match kind {
        QuantileType::Nearest => {
            let place = n * p - 0.5;
            let below = place.floor();
            let odd = below.rem_euclid(2.0) == 1.0;
            let order = if place > below || odd { below + 1.0 } else { below };
            Some(at(order.clamp(1.0, n)))
        }
        QuantileType::Linear => {
            let place = 1.0 + (n - 1.0) * p;
            let (below, above) = (place.floor(), place.ceil());
            let (low, high) = (at(below), at(above));
            if low == high {
                return Some(low);
            }
            let share = place - below;
            Some((1.0 - share) * low + share * high)
        }
    }
}

/// Bin of the `order`-th smallest row, from 1.
fn bin_of(counts: &[f64], order: f64) -> usize {
    let mut seen = 0.0;
    for (k, count) in counts.iter().enumerate() {
        seen += count;
        if seen >= order {
            return k;
        }
    }
    counts.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_by_hand() {
        // 1, 2, 2, 5: type 7 places 1.75, 2.5, 3.25; type 3 places .5, 1.5, 2.5 give orders 1, 2 (1.5 rounds up), 3.
        let grid = ValueGrid::new(1.0, 5.0, 1.0).expect("a grid");
        let counts = [1.0, 2.0, 0.0, 0.0, 1.0];
        let linear = |p| quantile(&grid, &counts, p, QuantileType::Linear);
        assert_eq!([linear(0.25), linear(0.5), linear(0.75)], [Some(1.75), Some(2.0), Some(2.75)]);
        assert_eq!([linear(0.0), linear(1.0)], [Some(1.0), Some(5.0)]);
        let nearest = |p| quantile(&grid, &counts, p, QuantileType::Nearest);
        // n p - .5 whole and even stays, whole and odd moves up: .125 x 4 - .5 = 0, .375 x 4 - .5 = 1.
        assert_eq!([nearest(0.125), nearest(0.375), nearest(0.9)], [Some(1.0), Some(2.0), Some(5.0)]);
        assert_eq!([nearest(0.0), nearest(1.0)], [Some(1.0), Some(5.0)]);
    }

    #[test]
    fn one_row_and_none() {
        let grid = ValueGrid::new(0.0, 1.0, 0.5).expect("a grid");
        for kind in [QuantileType::Nearest, QuantileType::Linear] {
            assert_eq!(quantile(&grid, &[0.0; 3], 0.5, kind), None);
            assert_eq!(quantile(&grid, &[0.0, 1.0, 0.0], 0.9, kind), Some(0.5));
        }
    }
}
