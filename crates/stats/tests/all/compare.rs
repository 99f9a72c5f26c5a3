//! Comparison with golden numbers at one relative tolerance.

use stats::fit::Fit;
use stats::inference::{NORMAL_975, wald};
use stats::matrix::Matrix;

use crate::table::Golden;

/// Remembers the largest relative error.
pub struct Comparison {
    tolerance: f64,
    worst: f64,
    of: String,
    count: usize,
}

impl Comparison {
    pub fn new() -> Self {
        Self { tolerance: 1e-8, worst: 0.0, of: String::new(), count: 0 }
    }

    /// Against numbers of more than double precision.
    pub fn exact() -> Self {
        Self { tolerance: 1e-12, ..Self::new() }
    }

    pub fn number(&mut self, name: &str, got: f64, expected: f64) {
        self.within(self.tolerance, name, got, expected, expected.abs());
    }

    /// Holds the error to `tolerance` times `size`.
    fn within(&mut self, tolerance: f64, name: &str, got: f64, expected: f64, size: f64) {
        let error = if got == expected { 0.0 } else { (got - expected).abs() / size };
        assert!(error <= tolerance, "{name}: {got:e} instead of {expected:e}, relative error {error:e}");
        if error > self.worst {
            (self.worst, self.of) = (error, name.to_owned());
        }
        self.count += 1;
    }

    pub fn list(&mut self, name: &str, got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len(), "{name}");
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            self.number(&format!("{name}[{i}]"), *got, *expected);
        }
    }

    /// Estimates, standard errors, z, p values and intervals of R's coefficient table, by `covariance`.
    pub fn coefficients(&mut self, name: &str, beta: &[f64], covariance: &Matrix, golden: &Golden) {
        let se = errors(covariance);
        let tests: Vec<_> = beta.iter().zip(&se).map(|(b, s)| wald(*b, *s)).collect();
        let mut column = |key: &str, values: Vec<f64>| {
            self.list(&format!("{name} {key}"), &values, &golden.list(key));
        };
        column("estimate", beta.to_vec());
        column("std_error", se);
        column("statistic", tests.iter().map(|t| t.statistic).collect());
        // The ends of an interval cancel: their error is measured against the terms that they are made of.
        for (key, sign) in [("conf_low", -1.0), ("conf_high", 1.0)] {
            for ((b, s), expected) in beta.iter().zip(errors(covariance)).zip(golden.list(key)) {
                let half = NORMAL_975 * s;
                let size = b.abs() + half;
                self.within(self.tolerance, &format!("{name} {key}"), b + sign * half, expected, size);
            }
        }
        for (test, expected) in tests.iter().zip(golden.list("p_value")) {
            self.within(self.tolerance, &format!("{name} p_value"), test.p_value, expected, expected);
        }
    }

    /// Coefficients and the tests of a Cox model without weights.
    pub fn cox(&mut self, name: &str, fit: &Fit, golden: &Golden) {
        self.coefficients(name, &fit.beta, &fit.naive, golden);
        self.list(&format!("{name} loglik"), &[fit.loglik_null, fit.loglik], &golden.list("loglik"));
        let score = fit.score_test.expect("Cox has a score test");
        self.number(&format!("{name} score_test"), score, golden.number("score_test"));
        if !golden.has("se_robust") {
            self.number(&format!("{name} wald_test"), fit.wald_test, golden.number("wald_test"));
        }
    }

    pub fn report(&self, what: &str) {
        println!("{what}: {} numbers, worst relative error {:.1e} ({})", self.count, self.worst, self.of);
    }
}

/// Standard errors of a covariance.
pub fn errors(covariance: &Matrix) -> Vec<f64> {
    covariance.diagonal().into_iter().map(f64::sqrt).collect()
}
