//! The sums of two means whose terms depend on estimated parameters, and the variance they give in one round.
//!
//! With phi_a the term of a row in mean a, Gamma_a the sum of its derivatives in the parameters (k), and v the row's
//! scores (k), whose sum over all rows is zero and of which the parameters move by J v with J the inverse of the
//! information: the influence of the row on n mu_a is phi_a - mu_a + u_a'v, u_a = J Gamma_a. The sum of products of two
//! influences is sum phi_a phi_b - n mu_a mu_b + u_a' sum phi_b v + u_b' sum phi_a v + u_a' \[sum v v'\] u_b.

use crate::fit::Why;
use crate::matrix::Matrix;

use super::Means;

/// Words of [`add`] with `k` parameters: sum phi_1, phi_0, phi_1^2, phi_1 phi_0, phi_0^2, then Gamma_1, Gamma_0,
/// sum phi_1 v, sum phi_0 v (k each).
pub(super) const fn moments_len(k: usize) -> usize {
    5 + 4 * k
}

/// Adds the terms of one row: `phi` treated and control, their derivatives, and the scores `v`.
pub(super) fn add(words: &mut [f64], phi: [f64; 2], gradients: [&[f64]; 2], v: &[f64]) {
    let k = v.len();
    let (means, vectors) = words.split_at_mut(5);
    let [phi_1, phi_0] = phi;
    for (word, term) in means.iter_mut().zip([phi_1, phi_0, phi_1 * phi_1, phi_1 * phi_0, phi_0 * phi_0]) {
        *word += term;
    }
    for (a, gradient) in gradients.into_iter().enumerate() {
        for j in 0..k {
            vectors[a * k + j] += gradient[j];
            vectors[(2 + a) * k + j] += phi[a] * v[j];
        }
    }
}

/// `packed` += v v'.
pub(super) fn add_outer(packed: &mut [f64], v: &[f64]) {
    let mut at = 0;
    for i in 0..v.len() {
        for j in i..v.len() {
            packed[at] += v[i] * v[j];
            at += 1;
        }
    }
}

/// The means over `n` rows from their moments, with `solve` giving u_a from Gamma_a and `scores` = sum v v' (k x k).
pub(super) fn means(n: f64, words: &[f64], scores: &Matrix, solve: impl Fn(&[f64]) -> Vec<f64>) -> Result<Means, Why> {
    let k = scores.rows();
    assert_eq!(words.len(), moments_len(k), "length of the moments");
    if n == 0.0 {
        return Err(Why::NoRows);
    }
    let vector = |at: usize| &words[5 + at * k..5 + (at + 1) * k];
    let mu = [words[0] / n, words[1] / n];
    let u = [solve(vector(0)), solve(vector(1))];
    let product = |a: usize, b: usize| {
        let own = words[2 + a + b] - n * mu[a] * mu[b];
        let cross = dot(&u[a], vector(2 + b)) + dot(&u[b], vector(2 + a));
        (own + cross + dot(&u[a], &apply(scores, &u[b]))) / (n * n)
    };
    Means::new(mu[0], mu[1], [product(0, 0), product(0, 1), product(1, 1)])
}

/// The product of a matrix and a vector.
pub(super) fn apply(matrix: &Matrix, v: &[f64]) -> Vec<f64> {
    (0..matrix.rows()).map(|i| dot(&matrix.values()[i * v.len()..(i + 1) * v.len()], v)).collect()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (a, b) in a.iter().zip(b) {
        sum += a * b;
    }
    sum
}
