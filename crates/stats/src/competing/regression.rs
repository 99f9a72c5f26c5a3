//! Fine-Gray regression at a site: Cox regression in which rows that left by another cause stay, with falling weight.

use crate::cox::{Buckets, CoxRows, Curves, EventCells, RiskSets, residuals_exposed, risk, risk_len, step_exposed};
use crate::design::Design;
use crate::fit::Why;
use crate::total::Total;

use super::censoring::Subdistribution;

/// The rows of a Fine-Gray model at a site, in any fixed order: the rows behind the table of causes.
#[derive(Clone, Copy)]
pub struct FineGrayRows<'a> {
    /// Terms, n x p, without an intercept, centred at one value per column for the whole study.
    pub x: &'a Design,
    /// Cell in which a row leaves, n.
    pub exit: &'a [u32],
    /// Why it leaves, n: 0 censored, otherwise the cause.
    pub cause: &'a [u8],
    /// Weights, n, at least 0; all 1 when absent. A row of weight 0 is left out.
    pub w: Option<&'a [f64]>,
}

impl FineGrayRows<'_> {
    /// Calls `body` with the rows as those of a Cox model of `cause`.
    fn as_cox<T>(&self, cause: u8, body: impl FnOnce(&CoxRows<'_>) -> T) -> T {
        assert_eq!(self.cause.len(), self.x.rows(), "length of the causes");
        let event: Vec<bool> = self.cause.iter().map(|&own| own == cause).collect();
        body(&CoxRows { x: self.x, exit: self.exit, event: &event, w: self.w, entry: None })
    }
}

/// Words of [`fine_gray_risk`] with `p` columns: (1 + p) for each event cell, each tied cell and each joined cell.
pub fn fine_gray_risk_len(p: usize, cells: &Subdistribution) -> usize {
    risk_len(p, cells.events()) + (1 + p) * cells.joined().len()
}

/// Adds the increments of the risk-set sums at `beta` (p).
///
/// Words: those of [`risk`] with the other causes censored; then for each joined cell \[sum r / G(T-), sum r x / G(T-) (p)\]
/// over the rows that left by another cause since the event cell before, r = w exp(x'b). With R_j the sum of the latter over
/// cells up to j, S0 of cell j is that of the Cox model plus G(j-) R_j, and so is S1: no row is visited cell by cell.
///
/// # Panics
/// When lengths do not agree or a row leaves beyond the grid.
#[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
pub fn fine_gray_risk(rows: &FineGrayRows<'_>, cells: &Subdistribution, beta: &[f64], total: &mut dyn Total) {
    rows.as_cox(cells.cause(), |cox| {
        let events = cells.events();
        risk(cox, events, beta, total);
        let p = rows.x.columns();
        let (positions, place) = (events.positions(), places(events, cells.joined()));
        let at = risk_len(p, events);
        let mut joined = Buckets::new(cells.joined().len(), 1 + p);
        for i in 0..cox.len() {
            let next = positions.reached(rows.exit[i]);
            if !competes(rows, cells, i) || next == events.cells.len() {
                continue;
            }
            let x = rows.x.row(i);
            let eta: f64 = x.iter().zip(beta).map(|(x, b)| x * b).sum();
            let lasting = cox.weight(i) * eta.exp() / cells.uncensored()[rows.exit[i] as usize];
            let words = joined.sum(place[next].expect("the table holds every row"), at, total);
            words[0] += lasting;
            for (word, value) in words[1..].iter_mut().zip(x) {
                *word += lasting * value;
            }
        }
        joined.finish(at, total);
    });
}

/// Risk-set curves from the sums over all sites of [`fine_gray_risk`] with `p` columns.
///
/// [`Why::NotFinite`] when a risk set is empty or a sum overflowed.
///
/// # Panics
/// When `sums` does not have [`fine_gray_risk_len`] words.
pub fn fine_gray_curves(cells: &Subdistribution, p: usize, sums: &[f64]) -> Result<Curves, Why> {
    assert_eq!(sums.len(), fine_gray_risk_len(p, cells), "length of the risk-set sums");
    let events = cells.events();
    let (own, joined) = sums.split_at(risk_len(p, events));
    let mut sets = RiskSets::new(events, p, own);
    let place = places(events, cells.joined());
    let mut running = vec![0.0; 1 + p];
    for j in 0..events.cells.len() {
        if let Some(t) = place[j] {
            for (sum, word) in running.iter_mut().zip(&joined[t * (1 + p)..(t + 1) * (1 + p)]) {
                *sum += word;
            }
        }
        let weight = cells.at_event(j);
        sets.s0[j] += weight * running[0];
        for (s1, sum) in sets.s1[j * p..(j + 1) * p].iter_mut().zip(&running[1..]) {
            *s1 += weight * sum;
        }
    }
    Curves::of_sets(events, p, sets)
}

/// Adds a site's part of log likelihood, score and information at `beta` (p), [`crate::cox::step_len`] words as in
/// [`crate::cox::step`]; whole with [`Curves::correction`].
///
/// A row that left by another cause at T is exposed to cumA(T) + \[cumAG - cumAG(T)\] / G(T-), cumA and cumAG the running
/// sums of A and of A G(j-) over event cells.
///
/// # Panics
/// When lengths do not agree or a row leaves beyond the grid.
pub fn fine_gray_step(
    rows: &FineGrayRows<'_>,
    cells: &Subdistribution,
    curves: &Curves,
    beta: &[f64],
    total: &mut dyn Total,
) {
    rows.as_cox(cells.cause(), |cox| {
        let positions = cells.events().positions();
        let own = curves.cumulative_a_times(|_| 1.0);
        let lasting = curves.cumulative_a_times(|j| cells.at_event(j));
        let exposure = |i: usize| {
            let last = positions.reached(rows.exit[i]);
            own[last] + beyond(rows, cells, i, || lasting[lasting.len() - 1] - lasting[last])
        };
        step_exposed(cox, cells.events(), curves, beta, 0.0, exposure, total);
    });
}

/// Score residuals at `beta` (p), n x p: the sum over a patient's rows of R's `finegray` of fgwt times
/// `residuals(fit, type = "score")`, without the weight of the patient. Their outer products give the variance of
/// `coxph(..., weights = fgwt, cluster = id)`, which takes G as known.
///
/// # Panics
/// When lengths do not agree or a row leaves beyond the grid.
pub fn fine_gray_residuals(rows: &FineGrayRows<'_>, cells: &Subdistribution, curves: &Curves, beta: &[f64]) -> Design {
    rows.as_cox(cells.cause(), |cox| {
        let p = rows.x.columns();
        let positions = cells.events().positions();
        let own = curves.cumulative_a_times(|_| 1.0);
        let lasting = curves.cumulative_a_times(|j| cells.at_event(j));
        let own_moments = curves.cumulative_m_times(|_| 1.0);
        let lasting_moments = curves.cumulative_m_times(|j| cells.at_event(j));
        let all = cells.events().cells.len();
        let exposure = |i: usize| {
            let last = positions.reached(rows.exit[i]);
            own[last] + beyond(rows, cells, i, || lasting[all] - lasting[last])
        };
        let moment = |i: usize, k: usize| {
            let last = positions.reached(rows.exit[i]);
            let sum = || lasting_moments[all * p + k] - lasting_moments[last * p + k];
            own_moments[last * p + k] + beyond(rows, cells, i, sum)
        };
        residuals_exposed(cox, cells.events(), curves, beta, exposure, moment)
    })
}

/// Whether row i left by another cause and counts.
fn competes(rows: &FineGrayRows<'_>, cells: &Subdistribution, i: usize) -> bool {
    let cause = rows.cause[i];
    cause != 0 && cause != cells.cause() && rows.w.is_none_or(|w| w[i] > 0.0)
}

/// What row i gathers after its exit: `sum` / G(T-) when it left by another cause, nothing otherwise.
fn beyond(rows: &FineGrayRows<'_>, cells: &Subdistribution, i: usize, sum: impl FnOnce() -> f64) -> f64 {
    if competes(rows, cells, i) { sum() / cells.uncensored()[rows.exit[i] as usize] } else { 0.0 }
}

/// For every event cell its place among the joined ones.
fn places(events: &EventCells, joined: &[usize]) -> Vec<Option<usize>> {
    let mut place = vec![None; events.cells.len()];
    for (t, &j) in joined.iter().enumerate() {
        place[j] = Some(t);
    }
    place
}
