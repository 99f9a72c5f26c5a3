//! Keys of an `[[analysis]]` for standardised outcomes.

use super::curves::{restricted_to, time_to_event, times};
use super::{Declared, months, unknown};
use crate::document::Table;
use crate::protocol::{AnalysisKind, Marginal, Model, Standardised, TimeGrid};

const MARGINAL: &str = "marginal";
const DAYS: &str = "standardise_days";
const MONTHS: &str = "standardise_months";
const RMST: &str = "standardise_rmst_days";
const RMST_MONTHS: &str = "standardise_rmst_months";

/// `outcomes` and `models` are those of the analysis, that of the effect modifier included.
pub(super) fn standardised(
    t: &Table<'_, '_>,
    kind: Option<AnalysisKind>,
    outcomes: &[String],
    models: &[Model],
    declared: &Declared<'_>,
) -> Standardised {
    let marginal = marginal(t, declared);
    let cox = matches!(kind, Some(AnalysisKind::Cox(_)));
    let grids: Vec<TimeGrid> =
        outcomes.iter().filter(|_| cox).filter_map(|name| time_to_event(declared, name)).collect();
    let day = |months| months::last_day(months, declared.month_days);
    let (days, times_days) =
        months::either(t, (DAYS, t.numbers("standardise_days")), (MONTHS, t.numbers("standardise_months")), |months| {
            months.into_iter().map(day).collect()
        });
    let (rmst, rmst_days) = months::either(
        t,
        (RMST, t.optional_whole("standardise_rmst_days").map(f64::from)),
        (RMST_MONTHS, t.optional_number("standardise_rmst_months")),
        day,
    );
    let times_days = times(t, days, times_days, &grids);
    let rmst_days = restricted_to(t, rmst, rmst_days.map(|day| day as u32), &grids);
    for key in [MARGINAL, DAYS, MONTHS, RMST, RMST_MONTHS].into_iter().filter(|key| t.has(key)) {
        match kind {
            Some(AnalysisKind::Logistic) if key != MARGINAL => {
                t.mistake(key, "is of Cox models; logistic ones take `marginal`");
            }
            Some(AnalysisKind::Cox(_)) if key == MARGINAL => {
                t.mistake(key, "is of logistic models; Cox models take `standardise_days`");
            }
            Some(AnalysisKind::Cox(_)) if grids.len() < outcomes.len() => {
                t.mistake(key, "is of times to event; a cause alone gives no survival");
            }
            Some(_) if !models.iter().any(|model| model.standardises()) => {
                t.mistake(key, "needs the model `adjusted`, or an effect modifier; add one of them");
            }
            _ => {}
        }
    }
    Standardised { marginal, times_days, rmst_days }
}

fn marginal(t: &Table<'_, '_>, declared: &Declared<'_>) -> Vec<Marginal> {
    const KNOWN: [Marginal; 2] = [Marginal::GFormula, Marginal::Aipw];
    let mut methods = Vec::new();
    let names = if t.has(MARGINAL) { t.texts("marginal") } else { None };
    for name in names.unwrap_or_default() {
        match KNOWN.into_iter().find(|known| known.name() == name) {
            None => unknown(t, MARGINAL, &name, &KNOWN.map(Marginal::name)),
            Some(method) if methods.contains(&method) => {
                t.mistake(MARGINAL, format!("`{name}` stands twice; name it once"));
            }
            Some(method) => methods.push(method),
        }
    }
    if methods.contains(&Marginal::Aipw) && !declared.weighting {
        t.mistake(MARGINAL, "`aipw` needs a [propensity] model; add one, or use `g_formula`");
    }
    methods
}
