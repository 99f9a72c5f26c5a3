//! How many words a question's answer has.

use stats::competing::{cause_table_len, fine_gray_risk_len};
use stats::concordance;
use stats::cox;
use stats::descriptive::categorical::counts_len;
use stats::descriptive::moments::MOMENTS_LEN;
use stats::influence::meat_len;
use stats::linear::normal_equations_len;
use stats::logistic;
use stats::standardise::{self, aipw, rmst};
use stats::survival::{arm_table_len, treatment_sums_len};
use stats::weights::positivity::OVERLAP_LEN;
use stats::weights::quantiles::TRUNCATED_LEN;
use stats::zph::leavers_len;

use super::Question;
use crate::protocol::{Competing, OutcomeKind, Protocol, TimeToEvent};

impl Question {
    /// Number of words of its answer.
    pub fn words(&self, protocol: &Protocol) -> usize {
        match self {
            Question::Flow => 3 * (protocol.eligibility.len() + 2 + usize::from(protocol.trimming.is_some())),
            Question::Levels { variable } => 2 * (protocol.dictionary.variable(*variable).levels().len() + 1),
            Question::Missingness { .. } => 2,
            Question::Moments { terms } => 2 * terms.len(),
            Question::Pairs { pairs } => pairs.len(),
            Question::Events { outcome } => EVENT_COUNTS + time_to_event(protocol, *outcome).cells(),
            Question::ArmTable { weighted: Some((_, cells)), .. } => arm_table_len(cells.len(), true),
            Question::ArmTable { outcome, weighted: None } => {
                arm_table_len(time_to_event(protocol, *outcome).cells(), false)
            }
            Question::Causes { outcome } => {
                let outcome = competing(protocol, *outcome);
                CAUSE_COUNTS + cause_table_len(outcome.grid.cells(), outcome.count(), false)
            }
            Question::CauseTable { outcome, cells, .. } => {
                cause_table_len(cells.len(), competing(protocol, *outcome).count(), true)
            }
            Question::LogisticStep { beta, .. } | Question::ImputationStep { beta, .. } => {
                logistic::step_len(beta.len())
            }
            Question::ImputationEquations { model, .. } => normal_equations_len(model.predictors.len()),
            Question::LogisticMeat { beta, kind, .. }
            | Question::CoxMeat { beta, kind, .. }
            | Question::FineGrayMeat { beta, kind, .. } => meat_len(beta.len(), kind),
            Question::LeverageScore { beta, .. } => beta.len(),
            Question::DeathWeights { cells, .. } => cells.len(),
            Question::CoxRisk { beta, events, .. } => cox::risk_len(beta.len(), events),
            Question::FineGrayRisk { beta, cells, .. } => fine_gray_risk_len(beta.len(), cells),
            Question::CoxStep { beta, .. }
            | Question::FineGrayStep { beta, .. }
            | Question::StratifiedCoxStep { beta, .. } => cox::step_len(beta.len()),
            Question::TreatmentSums { cells, .. } => treatment_sums_len(cells.len()),
            Question::Leavers { outcome } => leavers_len(time_to_event(protocol, *outcome).cells(), false),
            Question::CoxTrend { beta, .. } | Question::StratifiedCoxTrend { beta, .. } => cox::trend_len(beta.len()),
            Question::PredictorHistogram { grid, .. } => grid.bins(),
            Question::ConcordanceTable { events, grid, .. } => concordance::table_len(events.cells.len(), grid),
            Question::StratifiedConcordance { .. } => 3,
            Question::GFormula { beta, .. } => standardise::logistic::answer_len(beta.len()),
            Question::Aipw { beta, propensity, .. } => aipw::answer_len(beta.len(), propensity.alpha.len()),
            Question::StandardisedSurvival { cox, cells } => standardise::cox::answer_len(cox.beta.len(), cells.len()),
            Question::RestrictedMean { cox, horizon } => rmst::profile_len(&cox.fitted(), *horizon),
            Question::RestrictedMeanSpread { .. } => rmst::SPREAD_LEN,
            Question::WeightSums { .. } => 6,
            Question::PropensityHistogram { bins, .. } => 4 * bins,
            Question::Overlap { .. } => OVERLAP_LEN,
            Question::WeightHistogram { grid, .. } => 2 * grid.words(),
            Question::Truncated { .. } => TRUNCATED_LEN,
            Question::ValueHistogram { variable } => {
                2 * protocol.dictionary.variable(*variable).grid().and_then(Result::ok).map_or(0, |grid| grid.bins())
            }
            Question::ArmMoments { .. } => MOMENTS_LEN,
            Question::Subgroups { outcome, variable } => {
                2 * protocol.dictionary.variable(*variable).levels().len() * (1 + events(protocol, *outcome))
            }
            Question::WeightedLevels { variable, .. } => {
                counts_len(protocol.dictionary.variable(*variable).levels().len(), true)
            }
        }
    }
}

/// Kinds of events of an outcome: its causes, or one.
pub(crate) fn events(protocol: &Protocol, outcome: usize) -> usize {
    match &protocol.outcomes[outcome].kind {
        OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => 1,
        OutcomeKind::Competing(competing) => competing.causes.len(),
    }
}

/// Words before the grid in [`Question::Events`].
pub(crate) const EVENT_COUNTS: usize = 6;

/// The time-to-event outcome of an index that the plan made.
pub(crate) fn time_to_event(protocol: &Protocol, outcome: usize) -> &TimeToEvent {
    match &protocol.outcomes[outcome].kind {
        OutcomeKind::TimeToEvent(t) => t,
        OutcomeKind::Binary { .. } | OutcomeKind::Competing(_) => {
            unreachable!("the plan asks questions of a single event of time-to-event outcomes only")
        }
    }
}

/// Words before the table in [`Question::Causes`].
pub(crate) const CAUSE_COUNTS: usize = 2;

/// The competing outcome of an index that the plan made.
pub(crate) fn competing(protocol: &Protocol, outcome: usize) -> &Competing {
    match &protocol.outcomes[outcome].kind {
        OutcomeKind::Competing(competing) => competing,
        OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => {
            unreachable!("the plan asks questions of causes of competing outcomes only")
        }
    }
}
