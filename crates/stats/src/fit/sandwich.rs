//! Robust covariances from the opened meat.

use crate::influence::{Layout, MEstimation, MeatKind};
use crate::matrix::Matrix;
use crate::packed::{Factor, pack, packed_len, unpack};

use super::{MeatRequest, Why};

/// The covariances that a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sandwich {
    pub(super) robust: Option<Matrix>,
    pub(super) cluster: Option<Matrix>,
    /// Clusters behind it.
    pub(super) clusters: Option<f64>,
    pub(super) m_estimation: Option<Matrix>,
}

impl Sandwich {
    /// `bread` is the inverse information (p x p), `words` the meat over all sites.
    ///
    /// # Panics
    /// When `words` does not have `meat_len` words, or M-estimation was asked for without the propensity information.
    pub(super) fn new(bread: &Matrix, request: &MeatRequest, words: &[f64]) -> Result<Self, Why> {
        let p = bread.rows();
        let MeatKind { robust, cluster, m_estimation } = request.kind;
        let layout = Layout::new(p, &request.kind);
        assert_eq!(words.len(), layout.len, "length of the meat");
        if !words.iter().all(|word| word.is_finite()) {
            return Err(Why::NotFinite);
        }
        let packed = |at: usize| unpack(&words[at..at + packed_len(p)], p);
        let between = |meat: Matrix| of_full_rank(bread.around(&meat), bread);
        let clusters = cluster.then(|| words[layout.clusters]);
        // The sums of the clusters add up to the score, which is 0: their squares have one rank less than there are clusters.
        let enough = clusters.is_none_or(|clusters| clusters > p as f64);
        let m_estimation =
            m_estimation.map(|shape| m_estimation_meat(shape, request, &layout, words, p)).transpose()?;
        Ok(Self {
            robust: robust.then(|| between(packed(layout.outer))),
            cluster: cluster.then(|| if enough { between(packed(layout.cluster)) } else { none(p) }),
            clusters,
            m_estimation: m_estimation.map(between),
        })
    }
}

/// A covariance that is none: every element is not a number.
fn none(p: usize) -> Matrix {
    Matrix::new(p, p, vec![f64::NAN; p * p])
}

/// The covariance, or none where it has less than full rank: then some combination of the coefficients would be known
/// exactly, and each standard error comes from too few rows.
fn of_full_rank(covariance: Matrix, bread: &Matrix) -> Matrix {
    /// The score at the maximum is some 1e-10 standard errors, not 0: the square of that is no variance.
    const ROUNDING: f64 = 1e-17;
    let p = covariance.rows();
    let some = covariance.diagonal().iter().zip(bread.diagonal()).all(|(v, naive)| *v > ROUNDING * naive);
    if some && Factor::new(&pack(&covariance), p).is_ok() { covariance } else { none(p) }
}

/// sum of psi psi' with psi = w L + K s + `G_p` t / n, K = G A^-1, multiplied out into the opened sums.
fn m_estimation_meat(
    shape: MEstimation,
    request: &MeatRequest,
    layout: &Layout,
    words: &[f64],
    p: usize,
) -> Result<Matrix, Why> {
    let q = shape.q;
    let information = request.propensity_information.as_ref().expect("M-estimation needs the propensity information");
    // The propensity model has converged, so its information has a factor unless a peer sent something else.
    let inverse = Factor::new(information, q).map_err(|_| Why::NotFinite)?.inverse();
    let matrix = |at: usize, columns: usize| Matrix::new(p, columns, words[at..at + p * columns].to_vec());
    let k = matrix(layout.gradient, q).times(&inverse);
    let cross = matrix(layout.cross, q).times(&k.transpose());
    let mut meat = unpack(&words[layout.outer..layout.outer + packed_len(p)], p)
        .plus(&cross)
        .plus(&cross.transpose())
        .plus(&k.around(&unpack(&words[layout.scores..layout.scores + packed_len(q)], q)));
    if shape.stabilised {
        let share: Vec<f64> = words[layout.share..layout.share + p].iter().map(|g| g / request.n).collect();
        let share = Matrix::new(p, 1, share);
        let residuals = matrix(layout.share + p, 1);
        let scores = Matrix::new(q, 1, words[layout.share + 2 * p..layout.share + 2 * p + q].to_vec());
        let square = Matrix::new(1, 1, vec![words[layout.share + 2 * p + q]]);
        let mixed = residuals.plus(&k.times(&scores)).times(&share.transpose());
        meat = meat.plus(&mixed).plus(&mixed.transpose()).plus(&share.around(&square));
    }
    Ok(meat)
}
