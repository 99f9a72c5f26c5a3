//! Answers for standardised outcomes: every row once with everybody treated, once with everybody untreated.

use stats::design::Design;
use stats::standardise::{self, Counterfactual, aipw, cox, rmst};

use super::{Rows, Sums};
use crate::question::{FittedCox, FittedPropensity, LogisticModel};
use crate::term::{Columns, Term};

impl Rows<'_> {
    /// Sums of the g-formula.
    pub(super) fn g_formula(&self, model: &LogisticModel, beta: &[f64], sums: &mut Sums) {
        let y = self.response(model.response);
        self.counterfactual(&model.columns, |columns| standardise::logistic::answer(&columns, &y, beta, sums));
    }

    /// Sums of augmented inverse probability weighting.
    pub(super) fn aipw(&self, model: &LogisticModel, beta: &[f64], propensity: &FittedPropensity, sums: &mut Sums) {
        let (y, z) = (self.response(model.response), self.design(&propensity.columns));
        self.counterfactual(&model.columns, |columns| {
            aipw::answer(&aipw::Rows { columns, y: &y, z: &z }, beta, &propensity.alpha, sums);
        });
    }

    /// Sums of standardised survival.
    pub(super) fn standardised_survival(&self, fitted: &FittedCox, cells: &[u32], sums: &mut Sums) {
        self.survival(fitted, |rows| cox::answer(rows, &fitted.fitted(), cells, sums));
    }

    /// Sums of standardised restricted means.
    pub(super) fn restricted_mean(&self, fitted: &FittedCox, horizon: u32, sums: &mut Sums) {
        self.survival(fitted, |rows| rmst::profile(rows, &fitted.fitted(), horizon, sums));
    }

    /// Sums of squares of their influences.
    pub(super) fn restricted_mean_spread(&self, fitted: &FittedCox, profile: &rmst::Profile, sums: &mut Sums) {
        self.survival(fitted, |rows| rmst::spread(rows, &fitted.fitted(), profile, sums));
    }

    fn survival(&self, fitted: &FittedCox, body: impl FnOnce(&cox::Rows<'_>)) {
        let (exit, event) = self.exits(fitted.model.outcome);
        self.counterfactual(&fitted.model.columns, |columns| {
            body(&cox::Rows { columns, exit: &exit, event: &event });
        });
    }

    fn counterfactual(&self, columns: &Columns, body: impl FnOnce(Counterfactual<'_>)) {
        let [if_treated, if_control] = [true, false].map(|treated| self.design_if(columns, treated));
        body(Counterfactual { if_treated: &if_treated, if_control: &if_control, treated: &self.cohort.treated });
    }

    /// The design with everybody in one arm; centres and units stay those of the observed columns.
    fn design_if(&self, columns: &Columns, treated: bool) -> Design {
        let (n, p) = (self.cohort.rows(), columns.terms.len());
        let mut values = vec![0.0; n * p];
        for (j, term) in columns.terms.iter().enumerate() {
            for (i, x) in self.values_if(term, treated).into_iter().enumerate() {
                values[i * p + j] = columns.measure(j, x);
            }
        }
        Design::new(n, p, values)
    }

    fn values_if(&self, term: &Term, treated: bool) -> Vec<f64> {
        match term {
            Term::Treatment => vec![f64::from(u8::from(treated)); self.cohort.rows()],
            Term::Product(a, b) => {
                let (a, b) = (self.values_if(a, treated), self.values_if(b, treated));
                a.into_iter().zip(b).map(|(a, b)| a * b).collect()
            }
            Term::Intercept | Term::Number(_) | Term::Level(..) => self.values(term),
        }
    }
}
