//! Times that may be written in days or in months.

use crate::document::Table;

/// A key of times with its values in days; of values in months, the key and the last whole day of each.
pub(super) type Named<T> = (&'static str, Option<T>);

/// The values of one of two keys: `days`, or `months` of so many days.
pub(super) fn either<T>(
    t: &Table<'_, '_>,
    (in_days, days): Named<T>,
    (in_months, months): Named<T>,
    of_months: impl Fn(T) -> Option<T>,
) -> Named<T> {
    if !t.has(in_months) {
        return (in_days, days);
    }
    if t.has(in_days) {
        t.mistake(in_months, format!("`{in_days}` says the same in days; keep one of them"));
        return (in_days, days);
    }
    let Some(months) = months else { return (in_months, None) };
    let days = of_months(months);
    if days.is_none() {
        t.mistake(in_months, "expected positive months; such as 12");
    }
    (in_months, days)
}

/// The last whole day that is not after so many months; none where there is none.
pub(super) fn last_day(months: f64, month_days: f64) -> Option<f64> {
    let day = (months * month_days).floor();
    (day >= 1.0 && day <= f64::from(u32::MAX)).then_some(day)
}
