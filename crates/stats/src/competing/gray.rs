//! Gray's test of equal cumulative incidences in two arms.

use crate::inference::ChiSquare;

use super::table::CauseTable;

/// A test of Gray (1988).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gray {
    /// Events of the cause in the treated arm minus those expected under equal subdistribution hazards.
    pub score: f64,
    /// Variance of the score.
    pub variance: f64,
    /// score^2 / variance with one degree of freedom.
    pub test: ChiSquare,
}

/// One cell with events, before and after which the curves are as given. Arrays hold control and treated.
struct Cell {
    risk: [f64; 2],
    events: [f64; 2],
    others: [f64; 2],
    /// Event-free probability of each arm just before and just after the cell.
    before: [f64; 2],
    after: [f64; 2],
    /// Sum over the arms of n / S(t-).
    pooled: f64,
    /// 1 - F just after the cell, F the incidence of the cause under equal subdistribution hazards.
    free: f64,
    /// Derivative of the score in the cause's events of each arm, and its running integral over F.
    slope: [f64; 2],
    reached: [f64; 2],
}

/// Compares the cumulative incidence of `cause` (1 or more) between the arms, cmprsk's `cuminc` with rho = 0 (Gray 1988).
/// Rows count once, whatever their weights. None when the cause never occurs while both arms are at risk, or when the
/// variance is 0.
///
/// Per arm n at risk, S the event-free probability, F_k the incidence of the cause; R = n (1 - F_k(t-)) / S(t-), the rows
/// that the cause can still take. Score: sum over cells of d_1 - d R_1 / (R_0 + R_1). Its variance follows the derivative of
/// the score in the events of each arm, by the cause and by others, with the pooled incidence F for both: with
/// h = n / S(t-), H the sum of both, F = sum d / H, a_1 = h_1 (1 - h_1 / H), a_0 = -h_0 h_1 / H, c = sum a d / (H (1 - F(t-)))
/// and q = (1 - F(t)) / S(t) (0 where S(t) = 0), it sums over arms f S(t-) d / (H n) \[a + (1 - q)(c(inf) - c(t))\]^2 for the
/// events of the cause in both arms and f' S(t-)^2 d' / n^2 \[q (c(inf) - c(t))\]^2 for the arm's events d' of other causes.
/// f and f' correct for ties: 1 - (d - 1) / (H S(t-) - 1) and 1 - (d' - 1) / (n - 1) where more than one event is tied.
///
/// # Panics
/// When the table does not know the cause.
pub fn gray(table: &CauseTable, cause: u8) -> Option<Gray> {
    assert!((1..=table.causes()).contains(&cause), "a cause of the table");
    let (cells, score) = cells(table, usize::from(cause) - 1);
    let end = cells.last()?.reached;
    let mut variance = 0.0;
    for cell in &cells {
        let events = cell.events[0] + cell.events[1];
        for arm in (0..2).filter(|&arm| cell.risk[arm] > 0.0) {
            let share = if cell.after[arm] > 0.0 { cell.free / cell.after[arm] } else { 0.0 };
            let ahead = end[arm] - cell.reached[arm];
            if events > 0.0 {
                let ties = spread(events, cell.pooled * cell.before[arm]);
                let derivative = cell.slope[arm] + (1.0 - share) * ahead;
                variance += ties * cell.before[arm] * events / (cell.pooled * cell.risk[arm]) * derivative * derivative;
            }
            if cell.others[arm] > 0.0 {
                let ties = spread(cell.others[arm], cell.risk[arm]);
                let derivative = cell.before[arm] / cell.risk[arm] * share * ahead;
                variance += ties * cell.others[arm] * derivative * derivative;
            }
        }
    }
    (variance > 0.0 && variance.is_finite()).then(|| {
        let test = ChiSquare::new(score * score / variance, 1);
        Gray { score, variance, test }
    })
}

/// f of [`gray`] for `tied` events among `among` rows.
fn spread(tied: f64, among: f64) -> f64 {
    if tied > 1.0 { 1.0 - (tied - 1.0) / (among - 1.0) } else { 1.0 }
}

/// The cells with events of any cause, ascending, and the score.
fn cells(table: &CauseTable, k: usize) -> (Vec<Cell>, f64) {
    let mut risk = [0.0; 2];
    for arms in table.cells() {
        for (risk, leavers) in risk.iter_mut().zip(arms) {
            *risk += leavers.all().n;
        }
    }
    let (mut survival, mut incidence) = ([1.0; 2], [0.0; 2]);
    let (mut free, mut reached, mut score) = (1.0, [0.0; 2], 0.0);
    let mut cells = Vec::new();
    for arms in table.cells() {
        let events = [0, 1].map(|arm| arms[arm].causes[k].n);
        let others = [0, 1].map(|arm| arms[arm].events().n - events[arm]);
        if events != [0.0; 2] || others != [0.0; 2] {
            let all = events[0] + events[1];
            let before = survival;
            let adjusted = [0, 1].map(|arm| if risk[arm] > 0.0 { risk[arm] / before[arm] } else { 0.0 });
            let able = [0, 1].map(|arm| adjusted[arm] * (1.0 - incidence[arm]));
            let pooled = adjusted[0] + adjusted[1];
            if risk[1] > 0.0 {
                score += events[1] - all * able[1] / (able[0] + able[1]);
            }
            let slope = [-adjusted[0] * adjusted[1] / pooled, adjusted[1] * (1.0 - adjusted[1] / pooled)];
            for arm in 0..2 {
                reached[arm] += slope[arm] * all / (pooled * free);
                if risk[arm] > 0.0 {
                    incidence[arm] += before[arm] * events[arm] / risk[arm];
                    survival[arm] *= (risk[arm] - events[arm] - others[arm]) / risk[arm];
                }
            }
            free -= all / pooled;
            let after = survival;
            cells.push(Cell { risk, events, others, before, after, pooled, free, slope, reached });
        }
        for (risk, leavers) in risk.iter_mut().zip(arms) {
            *risk -= leavers.all().n;
        }
    }
    (cells, score)
}
