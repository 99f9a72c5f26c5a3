//! Where a standardised quantity stands in a table, on a page and in the terminal: one line per method or time, with a
//! column per arm, the difference and the ratio.

use study::results::{EffectQuantity, EffectRow};

/// Column of a quantity that is shown; the control arm stands first.
pub fn place(row: &EffectRow) -> Option<usize> {
    match row.quantity {
        EffectQuantity::Risk | EffectQuantity::RestrictedMean => Some(usize::from(row.treated)),
        EffectQuantity::RiskDifference | EffectQuantity::RestrictedMeanDifference => Some(2),
        EffectQuantity::RiskRatio | EffectQuantity::RestrictedMeanRatio => Some(3),
        EffectQuantity::OddsRatio | EffectQuantity::SurvivalAt => None,
    }
}

/// Is it a probability, or a ratio of two?
pub fn risk(row: &EffectRow) -> bool {
    matches!(row.quantity, EffectQuantity::Risk | EffectQuantity::RiskDifference | EffectQuantity::RiskRatio)
}

/// Do two rows stand on the same line?
pub fn same(a: &EffectRow, b: &EffectRow) -> bool {
    let key = |row: &EffectRow| (row.method.clone(), row.at_days.map(f64::to_bits), risk(row));
    key(a) == key(b)
}
