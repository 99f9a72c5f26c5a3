//! Newton's method on log likelihood, score and information that arrive as sums.

use crate::inference::wald_test;
use crate::logistic::step_len;
use crate::matrix::Matrix;
use crate::packed::{Factor, Singular, packed_at};

use super::{Fit, Why};

/// All tolerances of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerances {
    /// Stop when the Newton decrement U' I^-1 U is below this, and take one more step. The square of the distance to
    /// the maximum in standard errors: after the last step nothing is left above rounding.
    pub decrement: f64,
    /// Stop as well when the decrement is below this and no longer falls: the score is rounding noise.
    pub stagnation: f64,
    /// Evaluations before giving up. Regular fits need 5 to 10, a separated one is recognised after about 20.
    pub max_iterations: usize,
    /// Halvings of one step before giving up.
    pub max_halvings: usize,
    /// Largest change of a coefficient in one step, in units of 1 / SD of its column.
    pub step: f64,
    /// Relative fall of the log likelihood that is still rounding.
    pub fall: f64,
    /// A column whose information per variance is below this share of the largest one is constant.
    pub constant: f64,
    /// A coefficient whose variance has grown by this factor since 0 diverges: with every step of a separated fit, the
    /// information along the direction of separation shrinks by e. Rare events alone do not reach it: an event rate of
    /// 1e-6 makes 2.5e5.
    pub divergence: f64,
    /// A diverging direction is made of the columns whose scaled step is at least this share of the largest.
    pub direction: f64,
}

impl Default for Tolerances {
    fn default() -> Self {
        Self {
            decrement: 1e-20,
            stagnation: 1e-16,
            max_iterations: 60,
            max_halvings: 20,
            step: 8.0,
            fall: 1e-11,
            constant: 1e-12,
            divergence: 1e8,
            direction: 1e-2,
        }
    }
}

/// The iteration. `at` is the best point so far, `beta` the point whose sums are awaited.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Newton {
    /// SD of each column; none where only the sums are known.
    scale: Option<Vec<f64>>,
    intercept: Option<usize>,
    tolerances: Tolerances,
    beta: Vec<f64>,
    iterations: usize,
    halvings: usize,
    at: Option<Point>,
    start: Option<Start>,
}

/// An accepted evaluation and the step that leaves it.
#[derive(Debug, Clone, PartialEq)]
struct Point {
    beta: Vec<f64>,
    loglik: f64,
    step: Vec<f64>,
    decrement: f64,
    /// Factor of the step, where it was too long.
    shortened: Option<f64>,
}

/// What is remembered of the evaluation at 0.
#[derive(Debug, Clone, PartialEq)]
struct Start {
    loglik: f64,
    score_test: f64,
    variance: Vec<f64>,
}

/// The end of a successful iteration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Maximum {
    beta: Vec<f64>,
    information: Vec<f64>,
    naive: Matrix,
    loglik_start: f64,
    loglik: f64,
    score_test: f64,
    iterations: usize,
    max_score: f64,
}

impl Maximum {
    /// The result of a Cox model.
    pub(super) fn into_cox(self) -> Result<Fit, Why> {
        let (loglik_null, score_test) = (self.loglik_start, self.score_test);
        self.into_fit(0, loglik_null, Some(score_test))
    }

    /// The result of a logistic model with the intercept in column 0.
    pub(super) fn into_logistic(self, loglik_null: f64) -> Result<Fit, Why> {
        self.into_fit(1, loglik_null, None)
    }

    /// The result of a Firth logistic model: the maximum is that of the penalised likelihood, log likelihood, information
    /// and its inverse are those without the penalty.
    pub(super) fn into_firth(
        self,
        loglik_null: f64,
        loglik: f64,
        information: Vec<f64>,
        naive: Matrix,
    ) -> Result<Fit, Why> {
        Self { information, naive, loglik, ..self }.into_fit(1, loglik_null, None)
    }

    fn into_fit(self, first_term: usize, loglik_null: f64, score_test: Option<f64>) -> Result<Fit, Why> {
        let terms: Vec<usize> = (first_term..self.beta.len()).collect();
        let wald = wald_test(&self.beta, &self.naive, &terms).map_err(|_| Why::NotFinite)?;
        Ok(Fit {
            beta: self.beta,
            information: self.information,
            naive: self.naive,
            robust: None,
            cluster: None,
            clusters: None,
            m_estimation: None,
            loglik_null,
            loglik: self.loglik,
            score_test,
            wald_test: wald.statistic,
            iterations: self.iterations,
            max_score: self.max_score,
            penalised: None,
        })
    }
}

impl Newton {
    /// Starts at 0 with the SD of each column; a column with SD 0 is refused.
    pub(super) fn new(scale: Vec<f64>, intercept: Option<usize>, tolerances: Tolerances) -> Result<Self, Why> {
        if let Some(column) = scale.iter().position(|sd| sd.is_nan() || *sd <= 0.0) {
            return Err(Why::Constant { column });
        }
        let of_sums = Self::of_sums(scale.len(), intercept, tolerances);
        Ok(Self { scale: Some(scale), ..of_sums })
    }

    /// Starts at 0 without the SD of any column: follows an iteration that knows them from its sums alone. A step that
    /// the other shortened is shortened by [`Newton::shorten`].
    pub(super) fn of_sums(p: usize, intercept: Option<usize>, tolerances: Tolerances) -> Self {
        let beta = vec![0.0; p];
        Self { scale: None, intercept, tolerances, beta, iterations: 0, halvings: 0, at: None, start: None }
    }

    /// Factor by which the step to [`Newton::beta`] was shortened for its length; none for a full one.
    pub(super) fn shortened(&self) -> Option<f64> {
        self.at.as_ref()?.shortened
    }

    /// Shortens the step that has just been taken, where this iteration does not know how long is too long. The same
    /// factor again changes nothing.
    pub(super) fn shorten(&mut self, factor: f64) {
        if let Some(at) = &mut self.at
            && self.scale.is_none()
            && at.shortened.is_none()
        {
            at.step.iter_mut().for_each(|d| *d *= factor);
            at.shortened = Some(factor);
            self.beta = sum(&at.beta, &at.step);
        }
    }

    /// The point whose sums are awaited.
    pub(super) fn beta(&self) -> &[f64] {
        &self.beta
    }

    /// Whether the sums at 0 are awaited.
    pub(super) fn is_first(&self) -> bool {
        self.start.is_none()
    }

    /// Takes log likelihood, score and information at [`Newton::beta`]. None asks for another evaluation.
    ///
    /// # Panics
    /// When `sums` does not have `step_len(p)` words.
    pub(super) fn tell(&mut self, sums: &[f64]) -> Result<Option<Maximum>, Why> {
        let p = self.beta.len();
        assert_eq!(sums.len(), step_len(p), "length of log likelihood, score and information");
        self.iterations += 1;
        if !sums.iter().all(|word| word.is_finite()) {
            return self.halve(&Why::NotFinite).map(|()| None);
        }
        let (loglik, score, information) = (sums[0], &sums[1..=p], &sums[1 + p..]);
        if self.falls(loglik) {
            return self.halve(&Why::NotConverged { iterations: self.iterations }).map(|()| None);
        }
        let factor = self.factor(information)?;
        let step = factor.solve(score);
        let decrement = dot(score, &step);
        let naive = factor.inverse();
        if !(decrement.is_finite() && step.iter().all(|d| d.is_finite())) {
            return Err(Why::NotFinite);
        }
        let start =
            self.start.get_or_insert_with(|| Start { loglik, score_test: decrement, variance: naive.diagonal() });
        let growth = growth(&start.variance, &naive);
        if growth > self.tolerances.divergence {
            return Err(Why::Separation { columns: self.direction(&step) });
        }
        let before = self.at.as_ref().map_or(f64::INFINITY, |at| at.decrement);
        let converged = decrement < self.tolerances.decrement
            || (decrement < self.tolerances.stagnation && decrement > before / 4.0);
        if converged {
            return Ok(Some(Maximum {
                beta: sum(&self.beta, &step),
                information: information.to_vec(),
                naive,
                loglik_start: start.loglik,
                loglik,
                score_test: start.score_test,
                iterations: self.iterations,
                max_score: largest_score(score, information),
            }));
        }
        if self.iterations >= self.tolerances.max_iterations {
            return Err(self.give_up(growth, &step));
        }
        self.leave(loglik, step, decrement);
        Ok(None)
    }

    /// Whether this log likelihood at [`Newton::beta`] is below that of the best point by more than rounding.
    pub(super) fn falls(&self, loglik: f64) -> bool {
        let Some(at) = &self.at else { return false };
        loglik < at.loglik - self.tolerances.fall * at.loglik.abs().max(1.0)
    }

    /// The sums at [`Newton::beta`] could not be formed: comes nearer to the last good point.
    pub(super) fn refuse(&mut self, why: &Why) -> Result<(), Why> {
        self.iterations += 1;
        self.halve(why)
    }

    /// Takes the full step unless it is unreasonably long.
    fn leave(&mut self, loglik: f64, mut step: Vec<f64>, decrement: f64) {
        let longest = if self.scale.is_some() { self.scaled(&step).into_iter().fold(0.0, f64::max) } else { 0.0 };
        let shortened = (longest > self.tolerances.step).then(|| self.tolerances.step / longest);
        if let Some(factor) = shortened {
            for d in &mut step {
                *d *= factor;
            }
        }
        let beta = std::mem::take(&mut self.beta);
        self.beta = sum(&beta, &step);
        self.halvings = 0;
        self.at = Some(Point { beta, loglik, step, decrement, shortened });
    }

    fn halve(&mut self, why: &Why) -> Result<(), Why> {
        self.halvings += 1;
        let exhausted =
            self.halvings > self.tolerances.max_halvings || self.iterations >= self.tolerances.max_iterations;
        match &mut self.at {
            Some(at) if !exhausted => {
                for d in &mut at.step {
                    *d *= 0.5;
                }
                self.beta = sum(&at.beta, &at.step);
                Ok(())
            }
            _ => Err(why.clone()),
        }
    }

    /// At 0 a singular information is a matter of the columns; later it has collapsed on the way to infinity.
    pub(super) fn factor(&self, information: &[f64]) -> Result<Factor, Why> {
        let p = self.beta.len();
        if let Some(at) = &self.at {
            return Factor::new(information, p).map_err(|_| Why::Separation { columns: self.direction(&at.step) });
        }
        if let Some(scale) = &self.scale {
            let per_variance: Vec<f64> =
                (0..p).map(|j| information[packed_at(j, j, p)] / (scale[j] * scale[j])).collect();
            let floor = self.tolerances.constant * per_variance.iter().copied().fold(0.0, f64::max);
            if let Some(column) = per_variance.iter().position(|share| *share <= floor) {
                return Err(Why::Constant { column });
            }
        }
        Factor::new(information, p).map_err(|singular| match singular {
            Singular::Zero { column } => Why::Constant { column },
            // Rounding of its mean leaves a constant column proportional to the intercept.
            Singular::Dependent { column } => match self.intercept {
                Some(intercept) if parallel(information, p, intercept, column) => Why::Constant { column },
                _ => Why::Collinear { column },
            },
        })
    }

    /// A variance that has grown well on the way to the limit still names a separation.
    fn give_up(&self, growth: f64, step: &[f64]) -> Why {
        if growth > self.tolerances.divergence.sqrt() {
            Why::Separation { columns: self.direction(step) }
        } else {
            Why::NotConverged { iterations: self.iterations }
        }
    }

    /// The columns that a step moves along. While some coefficients diverge by a constant step, the others have settled.
    fn direction(&self, step: &[f64]) -> Vec<usize> {
        let scaled = self.scaled(step);
        let largest = scaled.iter().copied().fold(0.0, f64::max);
        (0..scaled.len()).filter(|&j| scaled[j] >= self.tolerances.direction * largest).collect()
    }

    fn scaled(&self, step: &[f64]) -> Vec<f64> {
        let sd = |j: usize| self.scale.as_ref().map_or(1.0, |scale| scale[j]);
        step.iter().enumerate().map(|(j, d)| d.abs() * sd(j)).collect()
    }
}

/// Largest ratio of a variance to what it was at 0.
fn growth(start: &[f64], naive: &Matrix) -> f64 {
    start.iter().zip(naive.diagonal()).map(|(start, now)| now / start).fold(0.0, f64::max)
}

/// Whether two columns alone are collinear.
fn parallel(information: &[f64], p: usize, i: usize, j: usize) -> bool {
    let at = |i, j| information[packed_at(i, j, p)];
    let two = [at(i, i), at(i.min(j), i.max(j)), at(j, j)];
    Factor::new(&two, 2).is_err()
}

fn largest_score(score: &[f64], information: &[f64]) -> f64 {
    let p = score.len();
    (0..p).map(|j| score[j].abs() / information[packed_at(j, j, p)].sqrt()).fold(0.0, f64::max)
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (a, b) in a.iter().zip(b) {
        sum += a * b;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maximises a function of one variable given as log likelihood, score and information.
    fn maximise(scale: f64, sums: impl Fn(f64) -> [f64; 3]) -> Result<Maximum, Why> {
        let mut newton = Newton::new(vec![scale], None, Tolerances::default())?;
        loop {
            if let Some(maximum) = newton.tell(&sums(newton.beta()[0]))? {
                return Ok(maximum);
            }
        }
    }

    /// -log cosh(b - 3): so flat at 0 that the first Newton step overshoots by 97.
    fn flat(b: f64) -> [f64; 3] {
        let slope = libm::tanh(b - 3.0);
        [-libm::log(libm::cosh(b - 3.0)), -slope, 1.0 - slope * slope]
    }

    #[test]
    fn steps_that_overshoot_are_halved() {
        let maximum = maximise(1e-3, flat).expect("concave");
        assert!((maximum.beta[0] - 3.0).abs() < 1e-14);
        assert_eq!(maximum.loglik_start, flat(0.0)[0]);
    }

    #[test]
    fn long_steps_are_cut() {
        // In units of 1 / SD the first step would be 100: it ends at 8, where the log likelihood is lower.
        let maximum = maximise(1.0, flat).expect("concave");
        assert!((maximum.beta[0] - 3.0).abs() < 1e-14);
    }

    /// An iteration that is told sums alone goes through the same points to the same bits, steps that were cut among them.
    #[test]
    fn sums_alone_give_the_same_maximum() {
        for scale in [1e-3, 1.0] {
            let mut newton = Newton::new(vec![scale], None, Tolerances::default()).unwrap();
            let mut follower = Newton::of_sums(1, None, Tolerances::default());
            let (mut shortened, mut ends) = (0, None);
            while ends.is_none() {
                if let Some(factor) = newton.shortened() {
                    follower.shorten(factor);
                    shortened += 1;
                }
                assert_eq!(newton.beta(), follower.beta());
                let sums = flat(newton.beta()[0]);
                let (ours, theirs) = (newton.tell(&sums).unwrap(), follower.tell(&sums).unwrap());
                assert_eq!(ours, theirs);
                ends = ours;
            }
            assert_eq!(shortened > 0, scale == 1.0);
        }
    }

    #[test]
    fn sums_that_are_not_finite_shorten_the_step() {
        let guarded = |b: f64| if b > 3.5 { [f64::NAN, f64::INFINITY, f64::NAN] } else { flat(b) };
        let maximum = maximise(1.0, guarded).expect("concave");
        assert!((maximum.beta[0] - 3.0).abs() < 1e-14);
        assert_eq!(maximise(1.0, |_| [f64::NAN; 3]).err(), Some(Why::NotFinite));
        assert_eq!(maximise(1.0, |b| if b == 0.0 { flat(b) } else { [f64::NAN; 3] }).err(), Some(Why::NotFinite));
    }

    #[test]
    fn slow_ascent_without_a_cause_is_not_converged() {
        // log(1 + b) rises for ever; an information of 1 says nothing of it.
        let slow = |b: f64| [libm::log(1.0 + b), 1.0 / (1.0 + b), 1.0];
        assert_eq!(maximise(1.0, slow).err(), Some(Why::NotConverged { iterations: 60 }));
    }

    #[test]
    fn a_diverging_coefficient_is_separation() {
        // -log(1 + exp(-b)): the likelihood of one separated row.
        let separated = |b: f64| {
            let rest = 1.0 / (1.0 + libm::exp(b));
            [-libm::log1p(libm::exp(-b)), rest, rest * (1.0 - rest)]
        };
        assert_eq!(maximise(1.0, separated).err(), Some(Why::Separation { columns: vec![0] }));
    }
}
