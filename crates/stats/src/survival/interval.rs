//! Pointwise 95% intervals of a survival curve.

use crate::inference::NORMAL_975;

/// On which scale an interval is symmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalKind {
    /// log S, R's default: exp(log S -+ z se / S), the upper end cut at 1.
    Log,
    /// log -log S: S^exp(-+ z se / (S log S)), inside (0, 1) by itself.
    LogLog,
    /// S -+ z se, cut at 0 and 1.
    Plain,
}

/// Lower and upper end of the 95% interval of a curve at S = `survival` with standard error `std_error`, as R's `survfit`
/// has them. None where R's are missing: without a standard error, at S = 0 but for [`IntervalKind::Plain`], and at S = 1
/// for [`IntervalKind::LogLog`].
pub fn interval(survival: f64, std_error: Option<f64>, kind: IntervalKind) -> Option<(f64, f64)> {
    let half = NORMAL_975 * std_error?;
    match kind {
        IntervalKind::Plain => Some(((survival - half).max(0.0), (survival + half).min(1.0))),
        _ if survival <= 0.0 => None,
        IntervalKind::Log => {
            let (log, relative) = (libm::log(survival), half / survival);
            Some((libm::exp(log - relative), libm::exp(log + relative).min(1.0)))
        }
        IntervalKind::LogLog if survival >= 1.0 => None,
        IntervalKind::LogLog => {
            let log = libm::log(survival);
            let (centre, relative) = (libm::log(-log), half / (survival * log));
            let end = |on_scale: f64| libm::exp(-libm::exp(on_scale));
            Some((end(centre - relative), end(centre + relative)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_at_the_edges() {
        use IntervalKind::{Log, LogLog, Plain};
        for kind in [Log, LogLog, Plain] {
            assert_eq!(interval(0.0, None, kind), None);
        }
        assert_eq!([Log, LogLog, Plain].map(|kind| interval(0.0, Some(0.0), kind)), [None, None, Some((0.0, 0.0))]);
        let one = Some((1.0, 1.0));
        assert_eq!([Log, LogLog, Plain].map(|kind| interval(1.0, Some(0.0), kind)), [one, None, one]);
    }

    #[test]
    fn ends_are_cut() {
        assert_eq!(interval(0.9, Some(0.1), IntervalKind::Log).map(|ends| ends.1), Some(1.0));
        assert_eq!(interval(0.05, Some(0.1), IntervalKind::Plain), Some((0.0, 0.05 + NORMAL_975 * 0.1)));
    }
}
