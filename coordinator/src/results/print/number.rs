//! Numbers as tables print them.

/// Digits of a ratio: a covariate that is measured on a scale has ratios near 1 per unit and gets one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// Two decimals.
    Contrast,
    /// Three decimals.
    PerUnit,
}

/// "0.55 (0.41–0.75)" of limits on the log scale.
pub(super) fn ratio_with_interval(estimate: f64, low: f64, high: f64, digits: Digits) -> String {
    format!("{} ({}–{})", ratio(estimate, digits), ratio(low, digits), ratio(high, digits))
}

/// exp(x), short: scientific where the decimals would show nothing or too much.
pub(super) fn ratio(log: f64, digits: Digits) -> String {
    let x = log.exp();
    if x.is_nan() {
        return "–".into();
    }
    if !(0.01..1000.0).contains(&x) {
        return format!("{x:.1e}");
    }
    match digits {
        Digits::Contrast => format!("{x:.2}"),
        Digits::PerUnit => format!("{x:.3}"),
    }
}

/// "p = 0.047", "p < 0.001".
pub(super) fn p_value(p: f64) -> String {
    if p.is_nan() {
        "–".into()
    } else if p < 0.001 {
        "p < 0.001".into()
    } else {
        format!("p = {p:.3}")
    }
}

/// "1.44"; scientific where it is very large.
pub(super) fn e_value(x: f64) -> String {
    if x < 1000.0 { format!("{x:.2}") } else { format!("{x:.1e}") }
}

/// "113/147 (76.9%)"; without a percentage when there is no row, or when one of the two is hidden.
pub(super) fn share(events: Option<u64>, n: Option<u64>) -> String {
    match (events, n) {
        (Some(events), Some(n)) if n > 0 => format!("{events}/{n} ({:.1}%)", 100.0 * events as f64 / n as f64),
        _ => format!("{}/{}", count(events), count(n)),
    }
}

/// What stands where a floor of the study hides a number.
pub(super) const HIDDEN: &str = "hidden";

/// A count, or that it is hidden.
pub(super) fn count(n: Option<u64>) -> String {
    n.map_or_else(|| HIDDEN.into(), |n| n.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_hide_their_size() {
        assert_eq!(ratio_with_interval(0.0, -0.5, 0.5, Digits::Contrast), "1.00 (0.61–1.65)");
        assert_eq!(ratio(0.0105, Digits::PerUnit), "1.011");
        assert_eq!([1.0, 1.444, 12345.6].map(e_value), ["1.00", "1.44", "1.2e4"]);
        assert_eq!(ratio(12.0, Digits::Contrast), "1.6e5");
        assert_eq!(ratio(-12.0, Digits::Contrast), "6.1e-6");
        assert_eq!(ratio(f64::NAN, Digits::Contrast), "–");
        assert_eq!(p_value(1e-30), "p < 0.001");
        assert_eq!(p_value(0.7336), "p = 0.734");
        assert_eq!(share(Some(113), Some(147)), "113/147 (76.9%)");
        assert_eq!(share(Some(0), Some(0)), "0/0");
        assert_eq!([share(None, Some(147)), share(Some(113), None)], ["hidden/147", "113/hidden"]);
    }
}
