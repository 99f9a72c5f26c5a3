//! Where kernels put their sums.

/// Rows of one block. A kernel adds rows in f64 within a block and hands over the block's sum: the order of additions,
/// and with it every bit, depends on the rows alone. 512 rows keep the rounding error of a block below 512 ulp of its
/// largest word while the block's buffers stay in cache.
pub const BLOCK: usize = 512;

/// A vector of sums that grows block by block.
///
/// A kernel adds one `block` of words at the offset `at`; words that it never adds to are zero. The sum over blocks is
/// the implementation's affair: exact fixed point in a study, plain f64 in [`Plain`]. A word may be infinite or NaN when
/// a linear predictor overflows; an implementation that cannot hold such a value has to report it, so that the estimator
/// shortens its step.
pub trait Total {
    /// Adds `block[i]` to the word `at + i` for every `i`.
    fn add(&mut self, at: usize, block: &[f64]);
}

/// Sums in plain f64, in the order in which blocks arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain(pub Vec<f64>);

impl Plain {
    /// `words` sums, all zero.
    pub fn zero(words: usize) -> Self {
        Self(vec![0.0; words])
    }
}

impl Total for Plain {
    fn add(&mut self, at: usize, block: &[f64]) {
        for (sum, word) in self.0[at..at + block.len()].iter_mut().zip(block) {
            *sum += word;
        }
    }
}
