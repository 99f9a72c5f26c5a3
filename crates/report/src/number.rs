//! Numbers as tables print them, in the terminal and in the report.

use std::fmt;

/// Stands where there is no number.
pub const NONE: &str = "–";

/// Stands where a floor of the study hides a number.
pub const HIDDEN: &str = "hidden";

/// A count of patients, or one that a floor of the study hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(Option<u64>);

impl Count {
    /// The number; none when it is hidden.
    pub fn known(self) -> Option<u64> {
        self.0
    }
}

impl From<u64> for Count {
    fn from(n: u64) -> Count {
        Count(Some(n))
    }
}

impl From<Option<u64>> for Count {
    fn from(n: Option<u64>) -> Count {
        Count(n)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(n) => write!(f, "{n}"),
            None => f.write_str(HIDDEN),
        }
    }
}

/// A count, or that it is hidden.
pub fn count(n: impl Into<Count>) -> String {
    n.into().to_string()
}

/// Digits of a ratio: a covariate that is measured on a scale has ratios near 1 per unit and gets one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// Two decimals.
    Contrast,
    /// Three decimals.
    PerUnit,
}

/// "0.55 (0.41–0.75)" of limits on the log scale.
pub fn ratio_with_interval(estimate: f64, low: f64, high: f64, digits: Digits) -> String {
    if low.is_nan() && high.is_nan() {
        return format!("{} (no interval)", ratio(estimate, digits));
    }
    format!("{} ({}–{})", ratio(estimate, digits), ratio(low, digits), ratio(high, digits))
}

/// exp(x), short: scientific where the decimals would show nothing or too much.
pub fn ratio(log: f64, digits: Digits) -> String {
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
pub fn p_value(p: f64) -> String {
    if p.is_nan() {
        "–".into()
    } else if p < 0.001 {
        "p < 0.001".into()
    } else {
        format!("p = {p:.3}")
    }
}

/// "1.44"; scientific where it is very large.
pub fn e_value(x: f64) -> String {
    if x < 1000.0 { format!("{x:.2}") } else { format!("{x:.1e}") }
}

/// "113/147 (76.9%)"; without a percentage when there is no row.
pub fn share(events: impl Into<Count>, n: impl Into<Count>) -> String {
    let (events, n) = (events.into(), n.into());
    match percent(events, n) {
        None => format!("{events}/{n}"),
        Some(percent) => format!("{events}/{n} ({percent:.1}%)"),
    }
}

/// Events in 100; none without rows, and where one of both is hidden.
pub fn percent(events: Count, n: Count) -> Option<f64> {
    let (events, n) = (events.known()?, n.known()?);
    (n > 0).then(|| 100.0 * events as f64 / n as f64)
}

/// "219,936".
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let parts = (!head.is_empty()).then(|| head.to_owned()).into_iter();
    let thousands = (0..tail.len() / 3).map(|i| tail[3 * i..3 * i + 3].to_owned());
    parts.chain(thousands).collect::<Vec<_>>().join(",")
}

/// Text of a number with a true minus sign.
pub fn typeset(text: &str) -> String {
    text.replace('-', "−")
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
        assert_eq!(share(113, 147), "113/147 (76.9%)");
        assert_eq!(share(0, 0), "0/0");
        assert_eq!(typeset("-0.3"), "−0.3");
        assert_eq!([0, 999, 1000, 219_936].map(grouped), ["0", "999", "1,000", "219,936"]);
    }

    #[test]
    fn a_hidden_count_says_so_and_has_no_percentage() {
        assert_eq!([share(None, Some(147)), share(Some(113), None)], ["hidden/147", "113/hidden"]);
        assert_eq!([count(None), count(3)], ["hidden", "3"]);
        assert_eq!(percent(3.into(), 0.into()), None);
    }
}
