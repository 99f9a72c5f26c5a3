//! The declared bootstrap of the main analysis.

use std::sync::Arc;

use super::{Analysis, Checks, Model, OutcomeKind, Protocol, Standardised, Variances};

/// `[bootstrap]`: replicates by random case weights, in each of which everything from the propensity model on is fitted
/// again.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// Number of replicates.
    pub replicates: u32,
    /// Beside each site's own key: the same seed gives the same case weights.
    pub seed: u32,
    /// What a replicate fits: the main protocol with the models of the bootstrap and nothing else.
    pub protocol: Arc<Protocol>,
}

impl Model {
    /// Can it be fitted with case weights? A quantile at which weights are truncated would have to be counted in every
    /// replicate.
    pub fn takes_case_weights(self) -> bool {
        match self {
            Model::Unadjusted
            | Model::Iptw
            | Model::IptwStabilized
            | Model::IptwUnstabilized
            | Model::IptwAtt
            | Model::IptwAtc
            | Model::IptwOverlap
            | Model::IptwMatching
            | Model::Adjusted
            | Model::IptwAdjusted
            | Model::Stratified => true,
            Model::IptwTruncated | Model::Interaction | Model::IptwInteraction | Model::Firth | Model::Ridge => false,
        }
    }
}

/// The main protocol with the models of the bootstrap alone: those named, or all but the stratified ones.
pub(super) fn replicate(main: &Protocol, outcomes: Option<&[String]>, models: Option<&[Model]>) -> Protocol {
    let wanted = |model: Model| {
        model.takes_case_weights() && models.map_or(model != Model::Stratified, |models| models.contains(&model))
    };
    // The leavers by cause are opened one round after the facts that a replicate begins with.
    let competes =
        |name: &String| main.outcome(name).is_some_and(|outcome| matches!(outcome.kind, OutcomeKind::Competing(_)));
    let mut analyses: Vec<Analysis> = main.analyses.clone();
    for analysis in &mut analyses {
        analysis.outcomes.retain(|name| outcomes.is_none_or(|outcomes| outcomes.contains(name)) && !competes(name));
        analysis.models.retain(|model| wanted(*model));
        analysis.variances = Variances::default();
        analysis.effect_modifiers = Vec::new();
        analysis.checks = Checks::default();
        analysis.standardised = Standardised::default();
    }
    analyses.retain(|analysis| !analysis.outcomes.is_empty() && !analysis.models.is_empty());
    let weighted = analyses.iter().flat_map(|analysis| &analysis.models).any(|model| model.weighted());
    let propensity = main.propensity.clone().filter(|_| weighted);
    Protocol {
        analyses,
        propensity,
        baselines: Vec::new(),
        curves: Vec::new(),
        incidences: Vec::new(),
        scenarios: Vec::new(),
        ..main.clone()
    }
}
