//! One model, followed from the sums of its steps.

use stats::cox::trend_len;
use stats::fit::{
    FirthAsk, FirthFit, Fit, HazardAsk, HazardFit, LogisticAsk, LogisticFit, MeatRequest, State, StratifiedCoxAsk,
    StratifiedCoxFit,
};
use stats::influence::meat_len;
use stats::logistic::step_len;
use stats::zph::Transform;

use crate::plan::FitKey;
use crate::protocol::{AnalysisKind, Model};
use crate::view::OfModel;

#[derive(Debug, Clone)]
enum Estimator {
    Logistic(LogisticFit),
    Firth(FirthFit),
    Stratified(StratifiedCoxFit),
    Hazard(HazardFit, MeatRequest),
}

/// How far a model is.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    /// None before its first sum.
    estimator: Option<Estimator>,
    /// Evaluations of its likelihood.
    evaluations: u32,
    /// Information at the first evaluation.
    first: Option<Vec<f64>>,
    /// Analysed rows with a value of the outcome, as a logistic model without weights shows them.
    rows: Option<f64>,
    trends: Vec<(Transform, Vec<f64>)>,
    penalty: bool,
}

/// How a model ended, when nothing follows any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With a fit.
    Fitted,
    /// Without a fit: its sums say so, or it had none or the first ones only, of which other counts can be the reason.
    None,
    /// In the middle of its steps.
    Open,
    /// Its sums are sealed: they would need penalties that only sites know.
    Sealed,
}

impl Followed {
    pub(super) fn new(key: &FitKey) -> Followed {
        let penalty = key.model == Some(Model::Ridge);
        Followed { estimator: None, evaluations: 0, first: None, rows: None, trends: Vec::new(), penalty }
    }

    pub(super) fn rows(&self) -> Option<f64> {
        self.rows
    }

    /// Information at its first evaluation, while it has no other.
    pub(super) fn first(&self) -> Option<&[f64]> {
        self.first.as_deref().filter(|_| self.evaluations == 1)
    }

    pub(super) fn trends(&self) -> &[(Transform, Vec<f64>)] {
        &self.trends
    }

    /// The fit with the coefficients at which its checks are formed, once it has converged.
    pub(super) fn fit(&self) -> Option<(&Fit, &[f64])> {
        match self.estimator.as_ref()? {
            Estimator::Logistic(fit) => {
                let State::Done(fit) = fit.state() else { return None };
                Some((fit, &[][..]))
            }
            Estimator::Firth(fit) => {
                let State::Done(fit) = fit.state() else { return None };
                Some((fit, &[][..]))
            }
            Estimator::Stratified(fit) => {
                let State::Done(fit) = fit.state() else { return None };
                Some((fit, &fit.beta))
            }
            Estimator::Hazard(hazard, _) => {
                let State::Done(fit) = hazard.state() else { return None };
                Some((fit, hazard.point()?))
            }
        }
    }

    pub(super) fn end(&self) -> End {
        if self.fit().is_some() {
            return End::Fitted;
        }
        let failed = match &self.estimator {
            None if self.penalty => return End::Sealed,
            None => true,
            Some(Estimator::Logistic(fit)) => matches!(fit.state(), State::Failed(_)),
            Some(Estimator::Firth(fit)) => matches!(fit.state(), State::Failed(_)),
            Some(Estimator::Stratified(fit)) => matches!(fit.state(), State::Failed(_)),
            Some(Estimator::Hazard(fit, _)) => {
                let mut last = fit.clone();
                last.end();
                matches!(last.state(), State::Failed(_))
            }
        };
        // A column that hardly varies ends a fit at its first evaluation; how much it varies only sites know.
        if failed || self.evaluations < 2 { End::None } else { End::Open }
    }

    /// Takes sums, or word that risk sets were summed. Gives whether they are what the fit asks for.
    pub(super) fn told(
        &mut self,
        key: &FitKey,
        of: &OfModel,
        kind: &str,
        sums: Option<&[f64]>,
        meat: impl FnOnce(&FitKey) -> MeatRequest,
    ) -> bool {
        if self.penalty || of.shortened.is_some_and(|factor| !(factor > 0.0 && factor < 1.0)) {
            return false;
        }
        if let Some(transform) = of.transform {
            return self.trend(kind, transform, sums);
        }
        let p = key.terms.len();
        let estimator = self.estimator.get_or_insert_with(|| match (key.analysis, key.model) {
            (Some(AnalysisKind::Cox(_)), Some(Model::Stratified)) => {
                Estimator::Stratified(StratifiedCoxFit::of_sums(p))
            }
            (Some(AnalysisKind::Cox(_) | AnalysisKind::FineGray(_)), _) => {
                let meat = meat(key);
                Estimator::Hazard(HazardFit::of_sums(p, meat.clone()), meat)
            }
            (_, Some(Model::Firth)) => Estimator::Firth(FirthFit::of_sums(p)),
            (None | Some(AnalysisKind::Logistic), _) => Estimator::Logistic(LogisticFit::of_sums(p, meat(key))),
        });
        if let Some(factor) = of.shortened {
            match estimator {
                Estimator::Logistic(fit) => fit.shorten(factor),
                Estimator::Firth(fit) => fit.shorten(factor),
                Estimator::Stratified(fit) => fit.shorten(factor),
                Estimator::Hazard(fit, _) => fit.shorten(factor),
            }
        }
        let fine_gray = matches!(key.analysis, Some(AnalysisKind::FineGray(_)));
        if let (Estimator::Hazard(fit, _), None) = (&mut *estimator, sums) {
            let asks = matches!(fit.state(), State::Ask(HazardAsk::Risk | HazardAsk::Step));
            fit.risk();
            return asks && kind == if fine_gray { "FineGrayRisk" } else { "CoxRisk" };
        }
        let Some(sums) = sums else { return false };
        let asked = match estimator {
            Estimator::Logistic(fit) => match fit.state() {
                State::Ask(LogisticAsk::Step { .. }) => Some(("LogisticStep", step_len(p))),
                State::Ask(LogisticAsk::Meat { kind, .. }) => Some(("LogisticMeat", meat_len(p, kind))),
                State::Done(_) | State::Failed(_) => None,
            },
            Estimator::Firth(fit) => match fit.state() {
                State::Ask(FirthAsk::Step { .. }) => Some(("LogisticStep", step_len(p))),
                State::Ask(FirthAsk::Leverage { .. }) => Some(("LeverageScore", p)),
                State::Done(_) | State::Failed(_) => None,
            },
            Estimator::Stratified(fit) => match fit.state() {
                State::Ask(StratifiedCoxAsk::Step { .. }) => Some(("StratifiedCoxStep", step_len(p))),
                State::Done(_) | State::Failed(_) => None,
            },
            Estimator::Hazard(fit, meat) => match (fit.state(), fine_gray) {
                (State::Ask(HazardAsk::Step), false) => Some(("CoxStep", step_len(p))),
                (State::Ask(HazardAsk::Step), true) => Some(("FineGrayStep", step_len(p))),
                (State::Ask(HazardAsk::Meat), false) => Some(("CoxMeat", meat_len(p, &meat.kind))),
                (State::Ask(HazardAsk::Meat), true) => Some(("FineGrayMeat", meat_len(p, &meat.kind))),
                (State::Ask(HazardAsk::Risk) | State::Done(_) | State::Failed(_), _) => None,
            },
        };
        if asked != Some((kind, sums.len())) {
            return false;
        }
        let weighted = key.model.is_some_and(Model::weighted);
        if kind == "LogisticStep" && self.evaluations == 0 && !weighted {
            // at 0 the intercept's information is a quarter of the rows
            self.rows = Some((4.0 * sums[1 + p]).round());
        }
        if kind.ends_with("Step") {
            self.evaluations += 1;
            self.first.get_or_insert_with(|| sums[1 + p..].to_vec());
        }
        match estimator {
            Estimator::Logistic(fit) => fit.tell(sums),
            Estimator::Firth(fit) => fit.tell(sums),
            Estimator::Stratified(fit) => fit.tell(sums),
            Estimator::Hazard(fit, _) => fit.tell(sums),
        }
        true
    }

    /// Takes the sums of a test of proportional hazards, which are formed where the fit has converged.
    fn trend(&mut self, kind: &str, transform: Transform, sums: Option<&[f64]>) -> bool {
        let (expected, p) = match &self.estimator {
            Some(Estimator::Stratified(fit)) => match fit.state() {
                State::Done(fit) => ("StratifiedCoxTrend", fit.beta.len()),
                State::Ask(_) | State::Failed(_) => return false,
            },
            Some(Estimator::Hazard(fit, _)) => match fit.point() {
                Some(beta) => ("CoxTrend", beta.len()),
                None => return false,
            },
            Some(Estimator::Logistic(_) | Estimator::Firth(_)) | None => return false,
        };
        let Some(sums) = sums.filter(|sums| kind == expected && sums.len() == trend_len(p)) else { return false };
        if self.trends.iter().any(|(known, _)| *known == transform) {
            return false;
        }
        self.trends.push((transform, sums.to_vec()));
        true
    }
}
