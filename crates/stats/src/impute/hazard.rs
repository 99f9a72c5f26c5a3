//! The Nelson-Aalen estimate over the declared time grid.

/// H at every cell of the grid, the sum of events / at risk over the cells up to and including it: R's `cumhaz` of
/// `survfit(Surv(time, event) ~ 1)`. `events` and `at_risk` hold one count per cell over all sites, at risk at the
/// start of the cell. A row's own value is H at its exit cell. Cells without events add nothing.
///
/// # Panics
/// When the lengths differ, or a cell has more events than rows at risk.
pub fn cumulative_hazard(events: &[f64], at_risk: &[f64]) -> Vec<f64> {
    assert_eq!(events.len(), at_risk.len(), "events and rows at risk in every cell");
    let mut hazard = 0.0;
    events
        .iter()
        .zip(at_risk)
        .map(|(d, n)| {
            assert!(d <= n, "events are among the rows at risk");
            if *d > 0.0 {
                hazard += d / n;
            }
            hazard
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // 8 at risk, one dies at once; nobody in cell 1; 2 of 4 in cell 2; then nobody is left.
        assert_eq!(cumulative_hazard(&[1.0, 0.0, 2.0, 0.0], &[8.0, 7.0, 4.0, 0.0]), [0.125, 0.125, 0.625, 0.625]);
        assert!(cumulative_hazard(&[], &[]).is_empty());
    }
}
