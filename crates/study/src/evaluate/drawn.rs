//! Rows about which a site draws: case weights of bootstrap replicates.
//!
//! Draws come from a key that never leaves the site. If others knew them, the weighted sums of many replicates would be
//! equations for the rows.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use secagg::{Canonical, DrawKey, Draws};
use stats::resample;

use crate::protocol::Bootstrap;
use crate::view::{Asked, Draw, View};

const LABEL: &str = "entente/v1/row draws";

/// Exponential case weights of a replicate, one per row in the order of the cohort: the same for the same key, seed and
/// rows, in every run.
pub(super) fn case_weights(key: &DrawKey, bootstrap: &Bootstrap, number: u32, rows: usize) -> Vec<f64> {
    let label = Canonical::new(LABEL).str("replicate").u32(bootstrap.seed).u32(number);
    let mut draws = Draws::secret(key, label);
    resample::weights(rows, || draws.word())
}

/// What is drawn for the views of a round. Each is drawn by the first question about it, on whichever thread that is.
#[derive(Debug, Clone, Default)]
pub(super) struct DrawnViews(Vec<(Arc<View>, OnceLock<Vec<f64>>)>);

impl DrawnViews {
    pub(super) fn of(questions: &[Asked]) -> DrawnViews {
        let mut views: Vec<(Arc<View>, OnceLock<Vec<f64>>)> = Vec::new();
        for asked in questions.iter().filter(|asked| asked.view.draw != Draw::Nothing) {
            // questions about the same rows stand together
            if views.last().is_none_or(|(view, _)| !Arc::ptr_eq(view, &asked.view)) {
                views.push((Arc::clone(&asked.view), OnceLock::new()));
            }
        }
        DrawnViews(views)
    }

    /// The case weights of a view; `make` draws them the first time.
    pub(super) fn case_weights(&self, view: &Arc<View>, make: impl FnOnce() -> Vec<f64>) -> Cow<'_, [f64]> {
        match self.0.iter().find(|(known, _)| Arc::ptr_eq(known, view)) {
            Some((_, drawn)) => Cow::Borrowed(drawn.get_or_init(make)),
            None => Cow::Owned(make()),
        }
    }
}
