//! What each question is for, in words for the people who approve, and who may open its sum.

use super::Question;

/// Classes of sums by who may open them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// The fit of a model itself: log likelihood, score, information, sandwich. The coordinator too, where the protocol says so.
    Fit,
    /// Counts, moments, risk sets, tables, histograms, sums of weights, and fits that are not released: the sites alone,
    /// which release results.
    Sites,
}

impl Question {
    /// What its sum tells whoever opens it, in one sentence for the people who approve.
    pub fn sentence(&self) -> &'static str {
        match self {
            Question::Flow => "how many patients remain after each eligibility criterion, by arm",
            Question::Levels { .. } => "how many patients of each arm have each level of a variable, or none",
            Question::Missingness { .. } => "how many patients of each arm lack a value of a variable",
            Question::Moments { .. } => "the sum and the sum of squares of each column, hence its mean and spread",
            Question::Pairs { .. } => "how many patients have two levels of two covariates at once",
            Question::Events { .. } => {
                "how many patients of each arm had an event, and how many events fell into each cell of time"
            }
            Question::ArmTable { .. } => {
                "who left follow-up in each cell of time, by arm and status; with weights also their sums"
            }
            Question::Causes { .. } | Question::CauseTable { .. } => {
                "who left follow-up in each cell of time, by arm and cause; with weights also their sums"
            }
            Question::FineGrayRisk { .. } => {
                "size and covariate sums of those at risk of one cause in each cell with an event of it"
            }
            Question::FineGrayStep { .. } => {
                "log likelihood, slope and curvature of a Fine-Gray regression at one set of coefficients"
            }
            Question::FineGrayMeat { .. } => {
                "sums of squared influence of a Fine-Gray regression, for its standard errors"
            }
            Question::GFormula { .. } | Question::Aipw { .. } => {
                "the sum over all patients of a model's predictions with everybody treated, and with nobody"
            }
            Question::StandardisedSurvival { .. } => {
                "the sum over all patients of predicted survival with everybody treated, and with nobody"
            }
            Question::RestrictedMean { .. } | Question::RestrictedMeanSpread { .. } => {
                "mean and spread of the predicted time without event with everybody treated, and with nobody"
            }
            Question::TreatmentSums { .. } => "sums of weights of those at risk in each cell with an event, by arm",
            Question::ImputationStep { .. } | Question::ImputationEquations { .. } => {
                "slope and curvature of the model that missing values are drawn from"
            }
            Question::LogisticStep { .. } => {
                "log likelihood, slope and curvature of a logistic regression at one set of coefficients"
            }
            Question::LogisticMeat { .. } => {
                "sums of squared influence of a logistic regression, for its standard errors"
            }
            Question::LeverageScore { .. } => "the correction of the slope of a penalised logistic regression",
            Question::DeathWeights { .. } => "the sum of weights of the events in each cell of time",
            Question::CoxRisk { .. } => {
                "size and covariate sums of those at risk in each cell with an event: where cells are fine, one leaver shows"
            }
            Question::CoxStep { .. } => {
                "log likelihood, slope and curvature of a Cox regression at one set of coefficients"
            }
            Question::CoxMeat { .. } => "sums of squared influence of a Cox regression, for its standard errors",
            Question::StratifiedCoxStep { .. } => {
                "log likelihood, slope and curvature of a Cox regression with a baseline hazard of each site"
            }
            Question::Leavers { .. } => {
                "how many patients leave follow-up in each cell of time, with and without the event"
            }
            Question::CoxTrend { .. } => "slope and curvature of coefficients that change with time",
            Question::StratifiedCoxTrend { .. } => {
                "slope and curvature of coefficients that change with time, with a baseline hazard of each site"
            }
            Question::PredictorHistogram { .. } => "how much weight falls into each bin of a model's prediction",
            Question::ConcordanceTable { .. } => {
                "who leaves or has the event in each cell of time, by bins of a model's prediction"
            }
            Question::StratifiedConcordance { .. } => "how many pairs of patients within a site a model puts in order",
            Question::WeightSums { .. } => "number of patients, sum of weights and of squared weights, by arm",
            Question::PropensityHistogram { .. } => {
                "how many patients of each arm, and how much weight, fall into each bin of the propensity score"
            }
            Question::Overlap { .. } => {
                "how many patients of each arm have a propensity score in the middle, and how many an extreme one"
            }
            Question::WeightHistogram { .. } => "how many patients of each arm have each weight, in fine steps",
            Question::Truncated { .. } => "how many patients of each arm have a weight that is cut off",
            Question::ValueHistogram { .. } => {
                "how many patients of each arm have each value of a variable, one by one at its resolution"
            }
            Question::Subgroups { .. } => {
                "how many patients of each arm, and how many of them with the event, have each level of an effect modifier"
            }
            Question::ArmMoments { .. } => "mean and spread of a variable by arm",
            Question::WeightedLevels { .. } => {
                "number and weight of the patients of each arm at each level of a variable"
            }
        }
    }

    /// Who opens its sum under `opening = "totals"`; [`crate::layout::Layout`] seals more.
    pub fn opening(&self) -> Opening {
        match self {
            Question::LogisticStep { .. }
            | Question::LogisticMeat { .. }
            | Question::LeverageScore { .. }
            | Question::CoxStep { .. }
            | Question::CoxMeat { .. }
            | Question::FineGrayStep { .. }
            | Question::FineGrayMeat { .. }
            | Question::StratifiedCoxStep { .. }
            | Question::CoxTrend { .. }
            | Question::StratifiedCoxTrend { .. } => Opening::Fit,
            Question::Flow
            | Question::Levels { .. }
            | Question::Missingness { .. }
            | Question::Moments { .. }
            | Question::Pairs { .. }
            | Question::Events { .. }
            | Question::ArmTable { .. }
            | Question::Causes { .. }
            | Question::CauseTable { .. }
            | Question::FineGrayRisk { .. }
            | Question::TreatmentSums { .. }
            | Question::ImputationStep { .. }
            | Question::ImputationEquations { .. }
            | Question::GFormula { .. }
            | Question::Aipw { .. }
            | Question::StandardisedSurvival { .. }
            | Question::RestrictedMean { .. }
            | Question::RestrictedMeanSpread { .. }
            | Question::DeathWeights { .. }
            | Question::CoxRisk { .. }
            | Question::Leavers { .. }
            | Question::PredictorHistogram { .. }
            | Question::ConcordanceTable { .. }
            | Question::StratifiedConcordance { .. }
            | Question::PropensityHistogram { .. }
            | Question::Overlap { .. }
            | Question::WeightHistogram { .. }
            | Question::Truncated { .. }
            | Question::ValueHistogram { .. }
            | Question::ArmMoments { .. }
            | Question::WeightSums { .. }
            | Question::WeightedLevels { .. }
            | Question::Subgroups { .. } => Opening::Sites,
        }
    }
}
