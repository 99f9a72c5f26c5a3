//! Firth's logistic regression: the likelihood times Jeffreys' prior, finite under separation.
//!
//! Maximises l + log |I| / 2 with score sum (w (y - mu) + h (1/2 - mu)) x, h the leverages (Firth 1993; R's logistf and
//! brglm2). Two exchanges per iteration: the step of a logistic regression, whose inverse information everybody then
//! holds, and the leverage score at the same coefficients.

use crate::logistic::step_len;
use crate::matrix::Matrix;
use crate::packed::{Factor, packed_at, packed_len, unpack};

use super::logistic::null_model;
use super::newton::Newton;
use super::{Fit, Penalised, State, Tolerances, Why};

/// Firth logistic regression with an intercept in column 0.
///
/// Of its [`Fit`], `naive` is the inverse information at the maximum (logistf's and brglm2's covariance for Wald
/// intervals), `loglik` the log likelihood there without the penalty, `loglik_null` that of the intercept alone by
/// maximum likelihood (0, its limit, where nobody or everybody has the event), and `max_score` belongs to the penalised score. A likelihood ratio of the two logs is not a
/// test.
#[derive(Debug, Clone, PartialEq)]
pub struct FirthFit {
    loglik_null: f64,
    curvature: Curvature,
    phase: Phase,
}

/// What a Firth logistic regression asks of every site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FirthAsk<'a> {
    /// [`crate::logistic::step`] at these coefficients.
    Step {
        /// Coefficients (q).
        beta: &'a [f64],
    },
    /// [`crate::logistic::leverage_score`] at the same coefficients.
    Leverage {
        /// Coefficients (q).
        beta: &'a [f64],
        /// Inverse information over all sites (q x q).
        inverse: &'a Matrix,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Step(Box<Newton>),
    Leverage(Box<(Newton, Opened)>),
    Done(Box<Fit>),
    Failed(Why),
}

/// What the step at the coefficients in question has opened.
#[derive(Debug, Clone, PartialEq)]
struct Opened {
    sums: Vec<f64>,
    inverse: Matrix,
    /// log |I| / 2.
    penalty: f64,
}

impl FirthFit {
    /// `q` columns with the intercept first; `scale` holds the SD of each column, 1 for the intercept.
    ///
    /// # Panics
    /// When `scale` does not have `q` elements.
    pub fn new(q: usize, scale: Vec<f64>) -> Self {
        assert_eq!(scale.len(), q, "one scale per column");
        let phase = Newton::new(scale, Some(0), Tolerances::default())
            .map_or_else(Phase::Failed, |newton| Phase::Step(Box::new(newton)));
        Self { loglik_null: f64::NAN, curvature: Curvature::new(q), phase }
    }

    /// The same fit followed from its sums by somebody who does not know the SDs.
    pub fn of_sums(q: usize) -> Self {
        let newton = Newton::of_sums(q, Some(0), Tolerances::default());
        Self { loglik_null: f64::NAN, curvature: Curvature::new(q), phase: Phase::Step(Box::new(newton)) }
    }

    /// Factor by which the step to the coefficients that are asked about was shortened for its length.
    pub fn shortened(&self) -> Option<f64> {
        let Phase::Step(newton) = &self.phase else { return None };
        newton.shortened()
    }

    /// Shortens that step of a fit that is followed from its sums.
    pub fn shorten(&mut self, factor: f64) {
        if let Phase::Step(newton) = &mut self.phase {
            newton.shorten(factor);
        }
    }

    /// What is needed next, or how it ended.
    pub fn state(&self) -> State<'_, FirthAsk<'_>> {
        match &self.phase {
            Phase::Step(newton) => State::Ask(FirthAsk::Step { beta: newton.beta() }),
            Phase::Leverage(both) => State::Ask(FirthAsk::Leverage { beta: both.0.beta(), inverse: &both.1.inverse }),
            Phase::Done(fit) => State::Done(fit),
            Phase::Failed(why) => State::Failed(why),
        }
    }

    /// Takes the sums over all sites of what [`FirthFit::state`] asked. Nothing changes after the end.
    ///
    /// # Panics
    /// When `sums` does not have the length of the answer.
    pub fn tell(&mut self, sums: &[f64]) {
        // The placeholder is overwritten on every path.
        let phase = std::mem::replace(&mut self.phase, Phase::Failed(Why::NotFinite));
        self.phase = match phase {
            Phase::Step(newton) => self.step(*newton, sums).unwrap_or_else(Phase::Failed),
            Phase::Leverage(both) => self.leverage(both.0, both.1, sums).unwrap_or_else(Phase::Failed),
            ended @ (Phase::Done(_) | Phase::Failed(_)) => ended,
        };
    }

    fn step(&mut self, mut newton: Newton, sums: &[f64]) -> Result<Phase, Why> {
        let q = newton.beta().len();
        assert_eq!(sums.len(), step_len(q), "length of log likelihood, score and information");
        if newton.is_first() {
            self.loglik_null = match null_model(sums, q) {
                // The intercept runs to infinity and its likelihood to 1; the penalised one has a maximum all the same.
                Err(Why::NoEvents | Why::OnlyEvents) => 0.0,
                null => null?,
            };
        }
        let factor =
            if sums.iter().all(|word| word.is_finite()) { newton.factor(&sums[1 + q..]) } else { Err(Why::NotFinite) };
        match factor {
            Ok(factor) => {
                let penalty = factor.log_determinant() / 2.0;
                // The penalised log likelihood is known already: a step too long costs no leverage exchange.
                if newton.falls(sums[0] + penalty) {
                    newton.refuse(&Why::NotFinite)?;
                    return Ok(Phase::Step(Box::new(newton)));
                }
                let opened = Opened { sums: sums.to_vec(), inverse: factor.inverse(), penalty };
                Ok(Phase::Leverage(Box::new((newton, opened))))
            }
            Err(why) if newton.is_first() => Err(why),
            // Where the information vanishes the penalised likelihood does: the maximum lies nearer.
            Err(why) => newton.refuse(&why).map(|()| Phase::Step(Box::new(newton))),
        }
    }

    fn leverage(&mut self, mut newton: Newton, opened: Opened, sums: &[f64]) -> Result<Phase, Why> {
        let q = newton.beta().len();
        assert_eq!(sums.len(), q, "one leverage score per column");
        let Opened { sums: plain, inverse, penalty } = opened;
        let (loglik, information) = (plain[0], &plain[1 + q..]);
        if sums.iter().all(|word| word.is_finite()) {
            self.curvature.learn(newton.beta(), sums, information, &inverse);
        }
        let mut words = vec![loglik + penalty];
        words.extend(plain[1..=q].iter().zip(sums).map(|(score, leverage)| score + leverage));
        words.extend(self.curvature.added_to(information));
        let Some(maximum) = newton.tell(&words)? else { return Ok(Phase::Step(Box::new(newton))) };
        let fit = maximum.into_firth(self.loglik_null, loglik, information.to_vec(), inverse)?;
        let penalised = Penalised { loglik: loglik + penalty, df: None };
        Ok(Phase::Done(Box::new(Fit { penalised: Some(penalised), ..fit })))
    }
}

/// What is known of -(second derivative of log |I| / 2), from how its gradient has changed from point to point.
///
/// With I alone for the curvature the iteration would converge by a constant factor, 0.5 and worse when events are few.
/// The symmetric rank-one update (Broyden 1967) learns the rest, and the last steps become as short as Newton's.
#[derive(Debug, Clone, PartialEq)]
struct Curvature {
    a: Matrix,
    last: Option<(Vec<f64>, Vec<f64>)>,
}

impl Curvature {
    fn new(q: usize) -> Self {
        Self { a: Matrix::zero(q, q), last: None }
    }

    /// Takes the gradient of log |I| / 2 at `beta`, and information and its inverse there, which measure lengths.
    fn learn(&mut self, beta: &[f64], gradient: &[f64], information: &[f64], inverse: &Matrix) {
        /// An update needs its denominator at least this share of the product of lengths: below, rounding decides.
        const SHARE: f64 = 1e-6;
        let last = self.last.replace((beta.to_vec(), gradient.to_vec()));
        let Some((old_beta, old_gradient)) = last else { return };
        let q = beta.len();
        let s: Vec<f64> = beta.iter().zip(old_beta).map(|(new, old)| new - old).collect();
        let r: Vec<f64> = (0..q)
            .map(|i| {
                let known: f64 = (0..q).map(|j| self.a[(i, j)] * s[j]).sum();
                old_gradient[i] - gradient[i] - known
            })
            .collect();
        let denominator: f64 = r.iter().zip(&s).map(|(r, s)| r * s).sum();
        let lengths = quadratic(&unpack(information, q), &s) * quadratic(inverse, &r);
        if lengths.is_finite() && denominator * denominator > SHARE * SHARE * lengths {
            for i in 0..q {
                for j in 0..q {
                    self.a[(i, j)] += r[i] * r[j] / denominator;
                }
            }
        }
    }

    /// Information plus what is known, packed; the information alone where the sum would not be positive definite.
    fn added_to(&self, information: &[f64]) -> Vec<f64> {
        let q = self.a.rows();
        let mut sum = information.to_vec();
        for i in 0..q {
            for j in i..q {
                sum[packed_at(i, j, q)] += self.a[(i, j)];
            }
        }
        debug_assert_eq!(sum.len(), packed_len(q));
        if Factor::new(&sum, q).is_ok() { sum } else { information.to_vec() }
    }
}

/// v' A v.
fn quadratic(a: &Matrix, v: &[f64]) -> f64 {
    let mut sum = 0.0;
    for i in 0..v.len() {
        for j in 0..v.len() {
            sum += v[i] * a[(i, j)] * v[j];
        }
    }
    sum
}
