//! The coordinator's own fits under `opening = "totals"`: every model again, from the sums of its steps that the coordinator
//! opened, and the release held against them.
//!
//! What it opens of a model is log likelihood, score and information at coefficients that nobody tells it. The first are
//! those at 0; each step follows from the sums before, so the coefficients are its own all along, and so are the
//! covariances at the end. Centres and spreads of the columns are sealed. The centres move the intercept alone, which is
//! therefore not compared. The spreads decide when a step is too long: by how much it was shortened stands in the layout.
//! So does what became of the declared columns: what they are measured in, and which of them nobody has. A column that the
//! others determine shows in the sums.
//! Everything is replicated arithmetic, so what the sites released must be the same to the last bit.

mod columns;
mod compare;
mod follow;

use std::sync::Arc;

use crate::layout::Layout;
use crate::plan::{FitKey, Plan};
use crate::protocol::{Protocol, ReleaseOpening};
use crate::results::Results;
use crate::term::Term;
use crate::view::{Column, OfModel};
use crate::word;
pub use compare::Compared;
use follow::Followed;

/// Where a release says other than the sums.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{model}: {quantity}")]
pub struct Differs {
    /// The model, as the tables name it.
    pub model: String,
    /// Which of its numbers, or what else is not as the sums say.
    pub quantity: String,
}

/// One declared model.
#[derive(Debug, Clone)]
struct Model {
    /// Place among [`Refits::analyses`].
    analysis: usize,
    /// With the columns that it has.
    key: FitKey,
    /// Columns of the protocol.
    declared: Vec<Term>,
    /// What became of them, once a sum has come.
    columns: Option<Arc<[Column]>>,
    followed: Followed,
}

/// What a model begins with.
struct Start {
    /// Analysed rows, as the propensity model shows them.
    n: f64,
    /// Of a weighted one: columns of the propensity model, whether its weights are stabilised, information at its maximum.
    weights: Option<(usize, bool, Vec<f64>)>,
}

/// Every model of a protocol, as far as the sums of its rounds go.
#[derive(Debug, Clone)]
pub struct Refits {
    sites: usize,
    /// The main analysis, then the scenarios: name and protocol.
    analyses: Vec<(String, Arc<Protocol>)>,
    models: Vec<Model>,
    /// The first sum that belongs to no fit.
    stray: Option<Differs>,
}

impl Refits {
    /// Before the first round of a run over so many sites; none where the coordinator opens nothing.
    pub fn new(protocol: &Arc<Protocol>, sites: usize) -> Option<Refits> {
        if protocol.release.opening != ReleaseOpening::Totals {
            return None;
        }
        // asked for its models alone
        let plan = Plan::new(Arc::clone(protocol));
        let scenarios = plan.scenarios().map(|(scenario, branch)| (scenario.name.clone(), branch));
        let (mut analyses, mut models) = (Vec::new(), Vec::new());
        for (analysis, (name, branch)) in std::iter::once((String::new(), plan.main())).chain(scenarios).enumerate() {
            analyses.push((name, Arc::clone(branch.protocol())));
            let keys = branch.fits().map(|(key, _)| key.clone());
            models.extend(keys.map(|key| Model::new(analysis, key)));
        }
        Some(Refits { sites, analyses, models, stray: None })
    }

    /// Takes the sum of the next round, of which it reads the words that are open.
    pub fn round(&mut self, layout: &Layout, words: &[u128]) {
        for (segment, range) in layout.ranges() {
            let words = words.get(range).unwrap_or_default();
            let sums = || {
                let words: Vec<i128> = words.iter().map(|word| word.cast_signed()).collect();
                word::read(&words, self.sites)
            };
            let taken = match (&segment.of, segment.sealed) {
                (None, true) => continue,
                (None, false) => Err((String::from("no model"), "sums that no fit needs are open")),
                (Some(of), true) => self.told(of, &segment.kind, None),
                (Some(of), false) => {
                    let sums = sums();
                    self.told(of, &segment.kind, Some(&sums))
                }
            };
            if let Err((model, what)) = taken {
                self.stray.get_or_insert_with(|| Differs { model, quantity: what.into() });
            }
        }
    }

    /// Takes sums of a model, or word that its risk sets were summed.
    fn told(&mut self, of: &OfModel, kind: &str, sums: Option<&[f64]>) -> Result<(), (String, &'static str)> {
        let unknown = || (format!("model {}", of.model), "the protocol does not declare it");
        let at = usize::try_from(of.model).ok().filter(|at| *at < self.models.len()).ok_or_else(unknown)?;
        let start = self.start_of(at);
        let model = &mut self.models[at];
        let columns = model.take_columns(&of.columns);
        let name = || compare::name(&self.analyses[model.analysis], &model.key);
        let Start { n, weights } =
            start.ok_or_else(|| (name(), "its sums come before those of the propensity model"))?;
        if !columns {
            return Err((name(), "its columns are not those that its sums are of"));
        }
        let weights = weights.as_ref().map(|(q, stabilised, information)| (*q, *stabilised, &information[..]));
        if model.followed.told(&model.key, of, kind, sums, |key| key.meat(weights, n)) {
            Ok(())
        } else {
            Err((name(), "its sums are not those that its fit asks for"))
        }
    }

    /// None for a weighted model whose propensity model has not converged.
    fn start_of(&self, at: usize) -> Option<Start> {
        let Model { analysis, key, .. } = &self.models[at];
        let propensity = self.models.iter().find(|model| model.analysis == *analysis && model.key.analysis.is_none());
        let n = propensity.and_then(|model| model.followed.rows()).unwrap_or(f64::NAN);
        let declared = self.analyses[*analysis].1.propensity.as_ref();
        let Some(weighting) = key.model.zip(declared).and_then(|(model, declared)| model.weighting(declared)) else {
            return Some(Start { n, weights: None });
        };
        let (fit, _) = propensity?.followed.fit()?;
        let weights = Some((fit.beta.len(), weighting.stabilized, fit.information.clone()));
        Some(Start { n, weights })
    }

    /// Holds the tables of a release against the fits, when no round follows any more.
    pub fn compare(&self, results: &Results) -> Result<Compared, Differs> {
        match &self.stray {
            Some(stray) => Err(stray.clone()),
            None => compare::compare(self, results),
        }
    }
}
