//! Cox regression on treatment alone, from a table.

use crate::cox::{EventCells, Ties, risk_len};
use crate::fit::{CoxAsk, CoxFit, Fit, MeatRequest, State, Why};
use crate::influence::MeatKind;
use crate::logistic::step_len;

use super::table::{ArmTable, Tally};

/// The log hazard ratio of treated to control with its naive and its robust (Lin-Wei) variance, R's
/// `coxph(Surv(time, event) ~ treated, weights = w, robust = TRUE)`. Column 0 is the treatment.
///
/// All iterations of [`CoxFit`] at once: with one binary column, every sum that it asks for follows from the table.
pub fn treatment_cox(table: &ArmTable, ties: Ties) -> Result<Fit, Why> {
    let sets = RiskSets::new(table);
    let arm = |arm: usize| table.cells().iter().map(|cell| cell[arm].all().n).sum::<f64>();
    let (control, treated) = (arm(0), arm(1));
    let scale = (control * treated).sqrt() / (control + treated);
    let kind = MeatKind { robust: true, cluster: false, m_estimation: None };
    let meat = MeatRequest { kind, ..MeatRequest::none() };
    sets.fit(scale, ties, meat, |beta| sets.meat(table, ties, beta))
}

/// One event cell. Pairs are sums of weights in control and treated.
struct RiskSet {
    cell: u32,
    /// d, unweighted, both arms.
    deaths: f64,
    at_risk: [f64; 2],
    dead: [f64; 2],
    /// Rows for which this is the last event cell at risk.
    last: [f64; 2],
}

/// What one event cell adds at one coefficient. With theta = exp b, phi = N_0 + N_1 theta - c (D_0 + D_1 theta) and
/// pi = (N_1 - c D_1) theta / phi, the treated share of the hazard, over c = l / d (Efron) or c = 0 (Breslow).
#[derive(Default)]
struct Terms {
    /// wbar sum log phi.
    log: f64,
    /// wbar sum pi and wbar sum pi (1 - pi).
    mean: f64,
    spread: f64,
    /// A, B, M and N of [`crate::cox`]: wbar sum of 1, c, pi and c pi over phi.
    a: f64,
    b: f64,
    m: f64,
    n: f64,
}

impl RiskSet {
    /// W.
    fn weight(&self) -> f64 {
        self.dead[0] + self.dead[1]
    }

    fn terms(&self, ties: Ties, theta: f64) -> Terms {
        let (count, each) = match ties {
            Ties::Efron => (self.deaths as usize, self.weight() / self.deaths),
            Ties::Breslow => (1, self.weight()),
        };
        let mut terms = Terms::default();
        for l in 0..count {
            let c = l as f64 / count as f64;
            let (control, treated) = (self.at_risk[0] - c * self.dead[0], (self.at_risk[1] - c * self.dead[1]) * theta);
            let phi = control + treated;
            let share = treated / phi;
            terms.log += each * libm::log(phi);
            terms.mean += each * share;
            terms.spread += each * share * (control / phi);
            terms.a += each / phi;
            terms.b += c * each / phi;
            terms.m += each * share / phi;
            terms.n += c * each * share / phi;
        }
        terms
    }
}

/// The event cells, ascending.
pub(super) struct RiskSets(Vec<RiskSet>);

impl RiskSets {
    /// From the words of [`super::treatment_sums`] at the event cells `cells` with `deaths` rows that die in each.
    pub(super) fn of_sums(cells: &[u32], deaths: &[f64], sums: &[f64]) -> Self {
        let mut at_risk = [0.0; 2];
        let mut sets: Vec<RiskSet> = Vec::with_capacity(cells.len());
        for ((cell, deaths), words) in cells.iter().zip(deaths).zip(sums.chunks(4)).rev() {
            let (last, dead) = ([words[0], words[1]], [words[2], words[3]]);
            at_risk = [at_risk[0] + last[0], at_risk[1] + last[1]];
            sets.push(RiskSet { cell: *cell, deaths: *deaths, at_risk, dead, last });
        }
        sets.reverse();
        Self(sets)
    }

    /// All iterations of [`CoxFit`]; `meat` is the sandwich sum at a coefficient.
    pub(super) fn fit(
        &self,
        scale: f64,
        ties: Ties,
        request: MeatRequest,
        meat: impl Fn(f64) -> f64,
    ) -> Result<Fit, Why> {
        let (cells, deaths) = self.0.iter().map(|set| (set.cell, set.deaths)).unzip();
        let mut fit = CoxFit::new(1, vec![scale], cells, deaths, ties, true, request);
        loop {
            let sums = match fit.state() {
                State::Ask(CoxAsk::DeathWeights { .. }) => self.0.iter().map(RiskSet::weight).collect(),
                State::Ask(CoxAsk::Risk { events, beta }) => self.risk(events, beta[0]),
                State::Ask(CoxAsk::Step { beta, .. }) => self.step(ties, beta[0]),
                State::Ask(CoxAsk::Meat { beta, .. }) => vec![meat(beta[0])],
                State::Done(fit) => return Ok(fit.clone()),
                State::Failed(why) => return Err(why.clone()),
            };
            fit.tell(&sums);
        }
    }

    fn new(table: &ArmTable) -> Self {
        let (mut at_risk, mut last) = ([0.0; 2], [0.0; 2]);
        let mut sets = Vec::new();
        for (cell, arms) in table.cells().iter().enumerate().rev() {
            for (arm, leavers) in arms.iter().enumerate() {
                at_risk[arm] += leavers.all().w;
                last[arm] += leavers.all().w;
            }
            let deaths = arms[0].events.n + arms[1].events.n;
            if deaths > 0.0 {
                let dead = arms.map(|leavers| leavers.events.w);
                sets.push(RiskSet { cell: cell as u32, deaths, at_risk, dead, last });
                last = [0.0; 2];
            }
        }
        sets.reverse();
        Self(sets)
    }

    /// The words of [`crate::cox::risk`].
    fn risk(&self, events: &EventCells, beta: f64) -> Vec<f64> {
        let theta = libm::exp(beta);
        let words = |[control, treated]: [f64; 2]| [control + treated * theta, treated * theta];
        let mut sums = Vec::with_capacity(risk_len(1, events));
        sums.extend(self.0.iter().flat_map(|set| words(set.last)));
        sums.extend(events.tied().into_iter().flat_map(|j| words(self.0[j].dead)));
        sums
    }

    /// The words of [`crate::cox::step`], correction included: log likelihood, score, information.
    fn step(&self, ties: Ties, beta: f64) -> Vec<f64> {
        let theta = libm::exp(beta);
        let mut sums = vec![0.0; step_len(1)];
        for set in &self.0 {
            let terms = set.terms(ties, theta);
            sums[0] += beta * set.dead[1] - terms.log;
            sums[1] += set.dead[1] - terms.mean;
            sums[2] += terms.spread;
        }
        sums
    }

    /// sum w^2 L^2 with L of [`crate::cox::score_residuals`]: rows of one cell, arm and status share it.
    fn meat(&self, table: &ArmTable, ties: Ties, beta: f64) -> f64 {
        let theta = libm::exp(beta);
        let mut sets = self.0.iter().peekable();
        let (mut hazard, mut moment, mut sum) = (0.0, 0.0, 0.0);
        for (cell, arms) in table.cells().iter().enumerate() {
            // What a death in this cell adds to the residual, for control and treated.
            let mut death = [0.0; 2];
            if let Some(set) = sets.next_if(|set| set.cell as usize == cell) {
                let terms = set.terms(ties, theta);
                hazard += terms.a;
                moment += terms.m;
                let mean = terms.mean / set.weight();
                death = [-mean - terms.n, 1.0 - mean + theta * (terms.b - terms.n)];
            }
            let stay = [moment, -theta * (hazard - moment)];
            for (arm, leavers) in arms.iter().enumerate() {
                sum += squared(leavers.censored, stay[arm]) + squared(leavers.events, stay[arm] + death[arm]);
            }
        }
        sum
    }
}

fn squared(rows: Tally, residual: f64) -> f64 {
    rows.w2 * residual * residual
}
