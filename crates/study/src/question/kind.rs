//! What a question is called, and what may happen to its answer.

use stats::zph::Transform;

use super::Question;

impl Question {
    /// Name of its kind, for progress, journals and documents.
    pub fn kind(&self) -> &'static str {
        match self {
            Question::Flow => "Attrition",
            Question::Levels { .. } => "Levels",
            Question::Missingness { .. } => "Missingness",
            Question::Moments { .. } => "Moments",
            Question::Pairs { .. } => "Pairs",
            Question::Events { .. } => "CoxSetup",
            Question::ArmTable { .. } => "ArmTable",
            Question::Causes { .. } => "CauseSetup",
            Question::CauseTable { .. } => "CauseTable",
            Question::LogisticStep { .. } => "LogisticStep",
            Question::LogisticMeat { .. } => "LogisticMeat",
            Question::LeverageScore { .. } => "LeverageScore",
            Question::DeathWeights { .. } => "DeathWeights",
            Question::CoxRisk { .. } => "CoxRisk",
            Question::CoxStep { .. } => "CoxStep",
            Question::CoxMeat { .. } => "CoxMeat",
            Question::FineGrayRisk { .. } => "FineGrayRisk",
            Question::FineGrayStep { .. } => "FineGrayStep",
            Question::FineGrayMeat { .. } => "FineGrayMeat",
            Question::StratifiedCoxStep { .. } => "StratifiedCoxStep",
            Question::TreatmentSums { .. } => "TreatmentSums",
            Question::ImputationStep { .. } => "ImputationStep",
            Question::ImputationEquations { .. } => "ImputationEquations",
            Question::Leavers { .. } => "Leavers",
            Question::CoxTrend { .. } => "CoxTrend",
            Question::StratifiedCoxTrend { .. } => "StratifiedCoxTrend",
            Question::PredictorHistogram { .. } => "PredictorHistogram",
            Question::ConcordanceTable { .. } => "ConcordanceTable",
            Question::StratifiedConcordance { .. } => "StratifiedConcordance",
            Question::GFormula { .. } => "GFormula",
            Question::Aipw { .. } => "Aipw",
            Question::StandardisedSurvival { .. } => "StandardisedSurvival",
            Question::RestrictedMean { .. } => "RestrictedMean",
            Question::RestrictedMeanSpread { .. } => "RestrictedMeanSpread",
            Question::WeightSums { .. } => "WeightSums",
            Question::PropensityHistogram { .. } => "Histogram",
            Question::Overlap { .. } => "Overlap",
            Question::WeightHistogram { .. } => "WeightHistogram",
            Question::Truncated { .. } => "Truncated",
            Question::ValueHistogram { .. } => "ValueHistogram",
            Question::ArmMoments { .. } => "ArmMoments",
            Question::WeightedLevels { .. } => "WeightedLevels",
            Question::Subgroups { .. } => "Subgroups",
        }
    }

    /// Transform of time of a test of proportional hazards.
    pub(crate) fn transform(&self) -> Option<Transform> {
        match self {
            Question::CoxTrend { transform, .. } | Question::StratifiedCoxTrend { transform, .. } => Some(*transform),
            _ => None,
        }
    }

    /// Are they the risk sets at the coefficients of a step? That they are asked for again shows that the step could not be
    /// taken.
    pub(crate) fn is_of_risk_sets(&self) -> bool {
        matches!(self, Question::CoxRisk { .. } | Question::FineGrayRisk { .. })
    }

    /// Does an estimator ask it, which can shorten its step when there is no sum, or a check or standardisation, which ends
    /// without one?
    pub(crate) fn is_of_a_fit(&self) -> bool {
        match self {
            Question::Flow
            | Question::Levels { .. }
            | Question::Missingness { .. }
            | Question::Moments { .. }
            | Question::Pairs { .. }
            | Question::Events { .. }
            | Question::ArmTable { .. }
            | Question::Causes { .. }
            | Question::CauseTable { .. }
            | Question::Leavers { .. }
            | Question::WeightSums { .. }
            | Question::PropensityHistogram { .. }
            | Question::Overlap { .. }
            | Question::WeightHistogram { .. }
            | Question::Truncated { .. }
            | Question::ValueHistogram { .. }
            | Question::ArmMoments { .. }
            | Question::WeightedLevels { .. }
            | Question::Subgroups { .. } => false,
            Question::LogisticStep { .. }
            | Question::LogisticMeat { .. }
            | Question::LeverageScore { .. }
            | Question::DeathWeights { .. }
            | Question::CoxRisk { .. }
            | Question::CoxStep { .. }
            | Question::CoxMeat { .. }
            | Question::FineGrayRisk { .. }
            | Question::FineGrayStep { .. }
            | Question::FineGrayMeat { .. }
            | Question::TreatmentSums { .. }
            | Question::ImputationStep { .. }
            | Question::ImputationEquations { .. }
            | Question::StratifiedCoxStep { .. }
            | Question::CoxTrend { .. }
            | Question::StratifiedCoxTrend { .. }
            | Question::PredictorHistogram { .. }
            | Question::ConcordanceTable { .. }
            | Question::StratifiedConcordance { .. }
            | Question::GFormula { .. }
            | Question::Aipw { .. }
            | Question::StandardisedSurvival { .. }
            | Question::RestrictedMean { .. }
            | Question::RestrictedMeanSpread { .. } => true,
        }
    }

    /// Is its answer multiplied by the case weights of a bootstrap replicate? The others are not asked of one.
    pub(crate) fn takes_case_weights(&self) -> bool {
        matches!(
            self,
            Question::LogisticStep { .. }
                | Question::DeathWeights { .. }
                | Question::CoxRisk { .. }
                | Question::CoxStep { .. }
                | Question::TreatmentSums { .. }
                | Question::StratifiedCoxStep { .. }
        )
    }
}
