//! Canonical encoding of a question: every parameter, bit for bit.

use secagg::Canonical;
use stats::cox::Ties;
use stats::influence::MeatKind;
use stats::weights::Estimand;
use stats::zph::Transform;

use super::{CoxModel, FittedCox, FittedPropensity, LogisticModel, Question, Response, Weights};
use crate::protocol::TRANSFORMS;

impl Question {
    /// Canonical encoding into a request digest.
    pub fn write(&self, out: Canonical) -> Canonical {
        let out = out.str(self.kind());
        match self {
            Question::Flow => out,
            Question::Levels { variable }
            | Question::Missingness { variable }
            | Question::ValueHistogram { variable } => out.u32(variable.0 as u32),
            Question::Moments { terms } => out.list(terms, |out, t| t.write(out)),
            Question::Pairs { pairs } => out.list(pairs, |out, (a, b)| b.write(a.write(out))),
            Question::Events { outcome } | Question::Leavers { outcome } | Question::Causes { outcome } => {
                out.u32(*outcome as u32)
            }
            Question::CauseTable { outcome, weights, cells } => {
                weights.write(out.u32(*outcome as u32)).list(&**cells, |out, c| out.u32(*c))
            }
            Question::ArmTable { outcome, weighted } => out
                .u32(*outcome as u32)
                .option(weighted.as_ref(), |out, (w, cells)| w.write(out).list(&**cells, |out, c| out.u32(*c))),
            Question::LogisticStep { model, beta } | Question::GFormula { model, beta } => {
                write_numbers(model.write(out), beta)
            }
            Question::LeverageScore { model, beta, inverse } => {
                write_numbers(write_numbers(model.write(out), beta), inverse.values())
            }
            Question::LogisticMeat { model, beta, kind } => write_meat(write_numbers(model.write(out), beta), kind),
            Question::DeathWeights { model, cells } => model.write(out).list(cells, |out, c| out.u32(*c)),
            Question::CoxRisk { model, beta, .. }
            | Question::CoxStep { model, beta, .. }
            | Question::FineGrayRisk { model, beta, .. }
            | Question::FineGrayStep { model, beta, .. }
            | Question::StratifiedCoxStep { model, beta }
            | Question::StratifiedConcordance { model, beta } => write_numbers(model.write(out), beta),
            Question::CoxTrend { model, transform, beta, .. }
            | Question::StratifiedCoxTrend { model, transform, beta, .. } => {
                write_numbers(model.write(out), beta).u8(transform_code(*transform))
            }
            Question::PredictorHistogram { model, grid, beta }
            | Question::ConcordanceTable { model, grid, beta, .. } => {
                write_numbers(write_numbers(model.write(out), beta), &grid.edges())
            }
            Question::CoxMeat { model, beta, kind, .. } | Question::FineGrayMeat { model, beta, kind, .. } => {
                write_meat(write_numbers(model.write(out), beta), kind)
            }
            Question::TreatmentSums { outcome, weights, cells } => out
                .u32(*outcome as u32)
                .option(weights.as_ref(), |out, w| w.write(out))
                .list(&**cells, |out, c| out.u32(*c)),
            Question::ImputationStep { model, level, beta } => write_numbers(model.write(out).u32(*level), beta),
            Question::ImputationEquations { model, centre, unit } => model.write(out).f64(*centre).f64(*unit),
            Question::Aipw { model, beta, propensity } => propensity.write(write_numbers(model.write(out), beta)),
            Question::StandardisedSurvival { cox, cells } => cox.write(out).list(&**cells, |out, c| out.u32(*c)),
            Question::RestrictedMean { cox, horizon } | Question::RestrictedMeanSpread { cox, horizon, .. } => {
                cox.write(out).u32(*horizon)
            }
            Question::WeightSums { weights } | Question::Truncated { weights } => weights.write(out),
            Question::Overlap { propensity, share, bounds } => {
                propensity.write(out).f64(*share).f64(bounds.0).f64(bounds.1)
            }
            Question::WeightHistogram { weights, grid } => weights.write(out).f64(grid.high()).u32(grid.words() as u32),
            Question::PropensityHistogram { weights, bins } => weights.write(out).u32(*bins as u32),
            Question::ArmMoments { variable, centre, unit, weights } => {
                out.u32(variable.0 as u32).f64(*centre).f64(*unit).option(weights.as_ref(), |out, w| w.write(out))
            }
            Question::Subgroups { outcome, variable } => out.u32(*outcome as u32).u32(variable.0 as u32),
            Question::WeightedLevels { variable, weights } => weights.write(out.u32(variable.0 as u32)),
        }
    }
}

fn write_numbers(out: Canonical, values: &[f64]) -> Canonical {
    out.list(values, |out, x| out.f64(*x))
}

/// Number of a transform of time on the wire and in digests.
pub fn transform_code(transform: Transform) -> u8 {
    match transform {
        Transform::KaplanMeier => 0,
        Transform::Identity => 1,
        Transform::Rank => 2,
        Transform::Log => 3,
    }
}

/// The transform of a number.
pub fn transform_of(code: u8) -> Option<Transform> {
    TRANSFORMS.into_iter().map(|(_, transform)| transform).find(|transform| transform_code(*transform) == code)
}

fn write_meat(out: Canonical, kind: &MeatKind) -> Canonical {
    out.bool(kind.robust)
        .bool(kind.cluster)
        .option(kind.m_estimation.as_ref(), |out, m| out.u32(m.q as u32).bool(m.stabilised))
}

impl FittedPropensity {
    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        write_numbers(self.columns.write(out), &self.alpha)
    }
}

impl FittedCox {
    fn write(&self, out: Canonical) -> Canonical {
        write_numbers(self.model.write(out), &self.beta)
    }
}

impl Weights {
    fn write(&self, out: Canonical) -> Canonical {
        let estimand = match self.scheme.estimand() {
            Estimand::Ate => 0,
            Estimand::Att => 1,
            Estimand::Atc => 2,
            Estimand::Ato => 3,
            Estimand::Atm => 4,
        };
        self.propensity
            .write(out)
            .u8(estimand)
            .option(self.scheme.stabilised(), Canonical::f64)
            .option(self.scheme.truncation(), |out, (low, high)| out.f64(low).f64(high))
    }
}

impl LogisticModel {
    fn write(&self, out: Canonical) -> Canonical {
        let out = match self.response {
            Response::Treatment => out.u8(0),
            Response::Binary(id) => out.u8(1).u32(id.0 as u32),
        };
        self.columns.write(out).option(self.weights.as_ref(), |out, w| w.write(out))
    }
}

impl CoxModel {
    fn write(&self, out: Canonical) -> Canonical {
        let ties = match self.ties {
            Ties::Efron => 0,
            Ties::Breslow => 1,
        };
        let out = out.u32(self.outcome as u32).option(self.cause, Canonical::u8).u8(ties);
        let out = self.columns.write(out);
        out.option(self.weights.as_ref(), |out, w| w.write(out))
    }
}
