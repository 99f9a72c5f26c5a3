//! Which outcome a question is about: rows without a value of it have no part in the answer.

use super::{LogisticModel, Question, Response};
use crate::dictionary::VariableId;

/// An outcome, by what a question holds of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutcomeOf {
    /// A binary variable.
    Variable(VariableId),
    /// The outcome of this index in the protocol.
    Index(usize),
}

impl Question {
    /// The outcome whose rows it is about; none for questions about all rows, and for those that count who has no value.
    pub(crate) fn outcome(&self) -> Option<OutcomeOf> {
        let of_logistic = |model: &LogisticModel| match model.response {
            Response::Treatment => None,
            Response::Binary(variable) => Some(OutcomeOf::Variable(variable)),
        };
        match self {
            Question::LogisticStep { model, .. }
            | Question::LogisticMeat { model, .. }
            | Question::LeverageScore { model, .. }
            | Question::GFormula { model, .. }
            | Question::Aipw { model, .. } => of_logistic(model),
            Question::DeathWeights { model, .. }
            | Question::CoxRisk { model, .. }
            | Question::CoxStep { model, .. }
            | Question::CoxMeat { model, .. }
            | Question::FineGrayRisk { model, .. }
            | Question::FineGrayStep { model, .. }
            | Question::FineGrayMeat { model, .. }
            | Question::StratifiedCoxStep { model, .. }
            | Question::CoxTrend { model, .. }
            | Question::StratifiedCoxTrend { model, .. }
            | Question::PredictorHistogram { model, .. }
            | Question::ConcordanceTable { model, .. }
            | Question::StratifiedConcordance { model, .. } => Some(OutcomeOf::Index(model.outcome)),
            Question::StandardisedSurvival { cox, .. }
            | Question::RestrictedMean { cox, .. }
            | Question::RestrictedMeanSpread { cox, .. } => Some(OutcomeOf::Index(cox.model.outcome)),
            Question::ArmTable { outcome, .. }
            | Question::CauseTable { outcome, .. }
            | Question::TreatmentSums { outcome, .. }
            | Question::Subgroups { outcome, .. }
            | Question::Leavers { outcome } => Some(OutcomeOf::Index(*outcome)),
            Question::Flow
            | Question::Levels { .. }
            | Question::Missingness { .. }
            | Question::Moments { .. }
            | Question::Pairs { .. }
            | Question::Events { .. }
            | Question::Causes { .. }
            | Question::ImputationStep { .. }
            | Question::ImputationEquations { .. }
            | Question::WeightSums { .. }
            | Question::PropensityHistogram { .. }
            | Question::Overlap { .. }
            | Question::WeightHistogram { .. }
            | Question::Truncated { .. }
            | Question::ValueHistogram { .. }
            | Question::ArmMoments { .. }
            | Question::WeightedLevels { .. } => None,
        }
    }
}
