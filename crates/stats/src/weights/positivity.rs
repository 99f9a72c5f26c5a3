//! Are the arms comparable? Counts of preference and propensity scores, and what to say about them.

use std::fmt;

use crate::descriptive::moments::effective_sample_size;
use crate::total::{BLOCK, Total};

/// Preference scores of patients who could well have had either treatment (Walker et al. 2013).
pub const EQUIPOISE: (f64, f64) = (0.3, 0.7);

/// Propensity scores outside these are near 0 or 1, unless a study declares other bounds.
pub const SCORE_BOUNDS: (f64, f64) = (0.05, 0.95);

/// Two treatments are in empirical equipoise when this share of each arm is (Walker et al. 2013).
const COMPARABLE: f64 = 0.5;

/// Scores near 0 or 1 are expected in the tails of a good model: one row in twenty of an arm is no tail any more.
const EXTREME: f64 = 0.05;

/// Below this share of its rows an arm's effective sample size costs more than half of the arm's information.
const EFFECTIVE: f64 = 0.5;

/// A row that counts as much as this many average rows can carry a result by itself.
const LARGE: f64 = 10.0;

/// Preference score F of a row with propensity score `e` when the `share` of all rows is treated: logit F = logit e - logit
/// share (Walker et al. 2013). A half means that the row is as likely treated as the average row.
pub fn preference_score(e: f64, share: f64) -> f64 {
    let (treated, control) = (e * (1.0 - share), (1.0 - e) * share);
    treated / (treated + control)
}

/// Words of one arm: rows, in equipoise, propensity score below and above the bounds.
const ARM: usize = 4;

/// Words of [`overlap`]: four of the control arm, four of the treated.
pub const OVERLAP_LEN: usize = 2 * ARM;

/// Adds per arm, control first: rows, rows with a preference score inside [`EQUIPOISE`], rows with a propensity score below
/// the first of `bounds` and above the second. `share` is that of the treated among all rows, inside (0, 1).
///
/// # Panics
/// When the lengths of `e` and `treated` do not agree.
pub fn overlap(e: &[f64], treated: &[bool], share: f64, bounds: (f64, f64), total: &mut dyn Total) {
    assert_eq!(e.len(), treated.len(), "length of the arms");
    for (e, treated) in e.chunks(BLOCK).zip(treated.chunks(BLOCK)) {
        let mut block = [0.0; OVERLAP_LEN];
        for (&e, treated) in e.iter().zip(treated) {
            let preference = preference_score(e, share);
            let equipoise = (EQUIPOISE.0..=EQUIPOISE.1).contains(&preference);
            let arm = &mut block[usize::from(*treated) * ARM..][..ARM];
            for (count, is) in arm.iter_mut().zip([true, equipoise, e < bounds.0, e > bounds.1]) {
                *count += f64::from(u8::from(is));
            }
        }
        total.add(0, &block);
    }
}

/// Counts of one arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmOverlap {
    /// Rows.
    pub rows: f64,
    /// Rows in equipoise.
    pub equipoise: f64,
    /// Rows with a propensity score below the lower bound.
    pub below: f64,
    /// Rows with a propensity score above the upper bound.
    pub above: f64,
}

impl ArmOverlap {
    fn new(words: &[f64]) -> Self {
        Self { rows: words[0], equipoise: words[1], below: words[2], above: words[3] }
    }

    /// Share of the arm in equipoise; None without rows.
    pub fn equipoise_share(&self) -> Option<f64> {
        (self.rows > 0.0).then(|| self.equipoise / self.rows)
    }
}

/// Counts of both arms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// Control arm.
    pub control: ArmOverlap,
    /// Treated arm.
    pub treated: ArmOverlap,
}

impl Overlap {
    /// From the sums of [`overlap`] over all sites.
    ///
    /// # Panics
    /// When `sums` does not have [`OVERLAP_LEN`] words.
    pub fn new(sums: &[f64]) -> Self {
        assert_eq!(sums.len(), OVERLAP_LEN, "length of the overlap");
        Self { control: ArmOverlap::new(&sums[..ARM]), treated: ArmOverlap::new(&sums[ARM..]) }
    }
}

/// The weights of one arm, over all sites.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmWeights {
    /// Rows.
    pub rows: f64,
    /// Sum of the weights.
    pub sum: f64,
    /// Sum of the squared weights.
    pub sum_squares: f64,
}

/// Which arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    /// Not treated.
    Control,
    /// Treated.
    Treated,
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arm::Control => "control",
            Arm::Treated => "treated",
        })
    }
}

/// A reason to doubt that the arms can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positivity {
    /// Less than half of the arm is in equipoise.
    FewComparable(Arm),
    /// More than one in twenty rows of the arm have a propensity score outside the bounds.
    ExtremeScores(Arm),
    /// The effective sample size of the arm is below half of its rows.
    FewEffective(Arm),
    /// The largest weight is above ten times the mean weight of all rows.
    LargeWeight,
}

impl fmt::Display for Positivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Positivity::FewComparable(arm) => {
                write!(f, "less than half of the {arm} arm has a preference score from 0.3 to 0.7")
            }
            Positivity::ExtremeScores(arm) => {
                write!(
                    f,
                    "more than one in twenty of the {arm} arm have a propensity score outside the declared bounds"
                )
            }
            Positivity::FewEffective(arm) => {
                write!(f, "weighting leaves the {arm} arm an effective sample size below half of its patients")
            }
            Positivity::LargeWeight => f.write_str("the largest weight is more than ten times the mean weight"),
        }
    }
}

/// What to warn about, by kind and then by arm; an arm without rows gives no warning. `largest` is the largest weight on its
/// declared grid, or the end of the grid when weights lie beyond it; None when it is not known.
pub fn positivity(
    overlap: &Overlap,
    control: &ArmWeights,
    treated: &ArmWeights,
    largest: Option<f64>,
) -> Vec<Positivity> {
    let arms = [(Arm::Control, &overlap.control, control), (Arm::Treated, &overlap.treated, treated)];
    let warned = |warning: fn(Arm) -> Positivity, applies: &dyn Fn(&ArmOverlap, &ArmWeights) -> bool| {
        arms.iter().filter(|(_, counts, w)| applies(counts, w)).map(|(arm, ..)| warning(*arm)).collect::<Vec<_>>()
    };
    let mut all = warned(Positivity::FewComparable, &|counts, _| counts.equipoise < COMPARABLE * counts.rows);
    all.extend(warned(Positivity::ExtremeScores, &|counts, _| counts.below + counts.above > EXTREME * counts.rows));
    all.extend(warned(Positivity::FewEffective, &|_, w| {
        effective_sample_size(w.sum, w.sum_squares).is_some_and(|effective| effective < EFFECTIVE * w.rows)
    }));
    let (rows, sum) = (control.rows + treated.rows, control.sum + treated.sum);
    if largest.is_some_and(|largest| largest * rows > LARGE * sum) {
        all.push(Positivity::LargeWeight);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total::Plain;

    #[test]
    fn preference_by_hand() {
        // logit F = logit e - logit p: log 3 - log 3 = 0; log 3 + log 3 = log 9; e itself when half are treated.
        assert_eq!(preference_score(0.75, 0.75), 0.5);
        assert!((preference_score(0.75, 0.25) - 0.9).abs() < 1e-15);
        assert_eq!(preference_score(0.2, 0.5), 0.2);
        assert_eq!((preference_score(0.0, 0.3), preference_score(1.0, 0.3)), (0.0, 1.0));
    }

    #[test]
    fn counts_by_hand() {
        let mut total = Plain::zero(OVERLAP_LEN);
        let e = [0.04, 0.05, 0.4, 0.7, 0.5, 0.96];
        overlap(&e, &[false, false, false, true, true, true], 0.5, SCORE_BOUNDS, &mut total);
        let counts = Overlap::new(&total.0);
        assert_eq!(counts.control, ArmOverlap { rows: 3.0, equipoise: 1.0, below: 1.0, above: 0.0 });
        assert_eq!(counts.treated, ArmOverlap { rows: 3.0, equipoise: 2.0, below: 0.0, above: 1.0 });
        assert_eq!(counts.treated.equipoise_share(), Some(2.0 / 3.0));
        assert_eq!(Overlap::new(&[0.0; OVERLAP_LEN]).control.equipoise_share(), None);
    }

    #[test]
    fn warnings() {
        let counts = |equipoise, below, above| ArmOverlap { rows: 100.0, equipoise, below, above };
        let even = ArmWeights { rows: 100.0, sum: 100.0, sum_squares: 120.0 };
        let good = Overlap { control: counts(50.0, 3.0, 2.0), treated: counts(90.0, 0.0, 0.0) };
        assert_eq!(positivity(&good, &even, &even, Some(10.0)), []);
        assert_eq!(positivity(&good, &even, &even, None), []);
        let bad = Overlap { control: counts(49.0, 0.0, 0.0), treated: counts(49.0, 3.0, 3.0) };
        let uneven = ArmWeights { sum_squares: 201.0, ..even };
        let all = positivity(&bad, &uneven, &even, Some(10.01));
        let expected = [
            Positivity::FewComparable(Arm::Control),
            Positivity::FewComparable(Arm::Treated),
            Positivity::ExtremeScores(Arm::Treated),
            Positivity::FewEffective(Arm::Control),
            Positivity::LargeWeight,
        ];
        assert_eq!(all, expected);
        let text: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(text[0], "less than half of the control arm has a preference score from 0.3 to 0.7");
        assert_eq!(
            text[2],
            "more than one in twenty of the treated arm have a propensity score outside the declared bounds"
        );
        assert_eq!(text[3], "weighting leaves the control arm an effective sample size below half of its patients");
        assert_eq!(text[4], "the largest weight is more than ten times the mean weight");
        let none = ArmWeights { rows: 0.0, sum: 0.0, sum_squares: 0.0 };
        assert_eq!(positivity(&Overlap::new(&[0.0; OVERLAP_LEN]), &none, &none, None), []);
    }
}
