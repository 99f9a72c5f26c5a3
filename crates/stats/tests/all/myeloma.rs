//! The relapsed myeloma cohort against pooled R: the published analysis.

use std::slice::from_ref;

use stats::cox::Ties;
use stats::fit::{Fit, MeatRequest};
use stats::inference::{likelihood_ratio, pearson, wald};
use stats::influence::{MEstimation, MeatKind};
use stats::weights::Scheme;

use crate::compare::{Comparison, errors};
use crate::sites::{Propensity, Rows, centred, design, fit_cox, fit_logistic, fit_stratified, naive, with_intercept};
use crate::table::{Golden, Table};

/// The analysed patients.
pub struct Cohort {
    pub table: Table,
    pub treated: Vec<f64>,
    /// age, female, crcl, ISS II, ISS III, LDH high, dara no, ASCT no, FISH high.
    pub covariates: Vec<Vec<f64>>,
}

impl Cohort {
    pub fn read() -> Self {
        let table = Table::read("relapsed-myeloma-596.csv").complete("fish");
        let covariates = vec![
            table.numbers("age"),
            table.is("sex", "F"),
            table.numbers("crcl"),
            table.is("iss_stage", "II"),
            table.is("iss_stage", "III"),
            table.numbers("ldh_high"),
            table.is("dara_refr", "0"),
            table.is("asct", "0"),
            table.is("fish", "high"),
        ];
        Self { treated: table.is("regimen", "IsaPd"), table, covariates }
    }

    /// Treatment and covariates.
    pub fn adjusted(&self) -> Vec<Vec<f64>> {
        let mut terms = vec![self.treated.clone()];
        terms.extend(self.covariates.iter().cloned());
        terms
    }

    /// Treatment, covariates and treatment x dara no.
    pub fn interaction(&self) -> Vec<Vec<f64>> {
        let mut terms = self.adjusted();
        terms.push(self.treated.iter().zip(&self.covariates[6]).map(|(a, d)| a * d).collect());
        terms
    }

    /// Survival on a grid of days or of months of 30.4375 days.
    pub fn survival(&self, time: &str, event: &str, grid: f64) -> Rows {
        Rows {
            exit: self.table.numbers(time).iter().map(|t| (t / grid).ceil() as u32).collect(),
            event: self.table.numbers(event).iter().map(|d| *d == 1.0).collect(),
            ..Rows::default()
        }
    }

    pub fn propensity(&self) -> (Fit, Vec<Vec<f64>>, Vec<f64>) {
        let (z, centre, scale) = with_intercept(&self.covariates);
        let rows = Rows { columns: z.clone(), y: self.treated.clone(), ..Rows::default() };
        (fit_logistic(&[rows], &scale, naive()).expect("regular"), z, centre)
    }

    /// Weights, the rows of the propensity model, and the request that accounts for it.
    pub fn weights(&self, stabilised: bool) -> (Vec<f64>, Propensity, MeatRequest) {
        let (ps, z, _) = self.propensity();
        let n = self.treated.len() as f64;
        let share = self.treated.iter().sum::<f64>() / n;
        let (p1, p0) = if stabilised { (share, 1.0 - share) } else { (1.0, 1.0) };
        let e = scores(&z, &ps.beta);
        let w = self.treated.iter().zip(&e).map(|(a, e)| if *a == 1.0 { p1 / e } else { p0 / (1.0 - e) }).collect();
        let treated = self.treated.iter().map(|a| *a == 1.0).collect();
        let m_estimation = Some(MEstimation { q: ps.beta.len(), stabilised });
        let request = MeatRequest {
            kind: MeatKind { robust: true, cluster: false, m_estimation },
            propensity_information: Some(ps.information),
            n,
        };
        (w, Propensity { z, treated, e, scheme: Scheme::ate(stabilised.then_some(share)) }, request)
    }
}

/// Propensity scores.
pub fn scores(z: &[Vec<f64>], alpha: &[f64]) -> Vec<f64> {
    let z = design(z);
    let eta = |i: usize| z.row(i).iter().zip(alpha).map(|(z, a)| z * a).sum::<f64>();
    (0..z.rows()).map(|i| 1.0 / (1.0 + libm::exp(-eta(i)))).collect()
}

pub fn compare_iptw_cox(comparison: &mut Comparison, name: &str, fit: &Fit, golden: &Golden) {
    let mut number = |key: &str, got: f64| comparison.number(&format!("{name} {key}"), got, golden.number(key));
    number("estimate", fit.beta[0]);
    number("hazard_ratio", libm::exp(fit.beta[0]));
    number("se_naive", errors(&fit.naive)[0]);
    number("se_robust", errors(fit.robust.as_ref().expect("asked for"))[0]);
    number("se_m_estimation", errors(fit.m_estimation.as_ref().expect("asked for"))[0]);
    comparison.list(&format!("{name} loglik"), &[fit.loglik_null, fit.loglik], &golden.list("loglik"));
}

#[test]
fn propensity() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/relapsed-myeloma.json").at("propensity");
    let (fit, _, centre) = cohort.propensity();
    let mut comparison = Comparison::new();
    let fit = fit.uncentre(&centre, Some(0));
    comparison.coefficients("propensity", &fit.beta, &fit.naive, &golden);
    comparison.number("deviance", fit.deviance(), golden.number("deviance"));
    comparison.number("null deviance", fit.null_deviance(), golden.number("null_deviance"));
    comparison.report("myeloma propensity");
}

/// Standard errors at the exact maximum, from Newton's method in 40-digit arithmetic (mpmath) on the same rows.
#[test]
fn exact_standard_errors() {
    let propensity = [
        1.720_953_870_061_390_4,
        0.020_608_274_149_494_04,
        0.303_845_224_033_644_4,
        0.007_457_468_188_456_953,
        0.343_698_612_110_171_16,
        0.446_482_735_420_146_55,
        0.371_709_989_851_281_34,
        0.311_725_314_460_474_9,
        0.336_538_486_785_144_36,
        0.316_802_189_872_868_5,
    ];
    let adjusted = [
        1.611_097_410_249_068,
        0.329_461_815_179_818_7,
        0.018_970_822_266_877_095,
        0.276_925_582_744_957_1,
        0.006_806_290_149_131_241,
        0.318_804_501_152_946_34,
        0.391_979_195_482_769,
        0.328_097_854_698_909_45,
        0.326_881_449_094_076_4,
        0.304_828_326_027_189_23,
        0.282_310_027_863_578_34,
    ];
    let interaction = [
        1.663_860_980_341_872_5,
        0.452_363_014_588_034,
        0.019_400_722_197_000_935,
        0.278_409_225_372_569_96,
        0.006_887_777_555_947_425,
        0.320_700_067_736_818_6,
        0.394_343_746_262_021,
        0.332_999_608_252_014_2,
        0.447_447_898_481_638_74,
        0.309_170_961_847_751_17,
        0.283_490_711_465_013_1,
        0.653_694_396_887_709_7,
    ];
    let cohort = Cohort::read();
    let mut comparison = Comparison::exact();
    let (fit, _, centre) = cohort.propensity();
    comparison.list("propensity", &errors(&fit.uncentre(&centre, Some(0)).naive), &propensity);
    for (name, terms, expected) in [
        ("adjusted", cohort.adjusted(), adjusted.as_slice()),
        ("interaction", cohort.interaction(), interaction.as_slice()),
    ] {
        let (columns, centre, scale) = with_intercept(&terms);
        let rows = Rows { columns, y: cohort.table.numbers("response"), ..Rows::default() };
        let fit = fit_logistic(&[rows], &scale, naive()).expect("regular").uncentre(&centre, Some(0));
        comparison.list(name, &errors(&fit.naive), expected);
    }
    comparison.report("myeloma exact standard errors");
}

#[test]
fn binary() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/relapsed-myeloma.json").at("binary");
    let mut comparison = Comparison::new();
    for outcome in ["response", "neutropenia", "infection", "disc_ae"] {
        let golden = golden.at(outcome);
        let y = cohort.table.numbers(outcome);
        let both =
            |a: f64, y1: f64| cohort.treated.iter().zip(&y).filter(|(b, y)| **b == a && **y == y1).count() as f64;
        let chi = pearson(&[both(0.0, 0.0), both(0.0, 1.0)], &[both(1.0, 0.0), both(1.0, 1.0)]).expect("both arms");
        comparison.number(&format!("{outcome} chi-square"), chi.p_value, golden.number("chi_square_p"));

        let treatment = vec![cohort.treated.clone()];
        let models =
            [("unadjusted", treatment), ("adjusted", cohort.adjusted()), ("interaction", cohort.interaction())];
        for (model, terms) in models.into_iter().filter(|(model, _)| golden.has(model)) {
            let golden = golden.at(model);
            let (columns, centre, scale) = with_intercept(&terms);
            let rows = Rows { columns, y: y.clone(), ..Rows::default() };
            let fit = fit_logistic(&[rows], &scale, naive()).expect("regular").uncentre(&centre, Some(0));
            let name = format!("{outcome} {model}");
            comparison.coefficients(&name, &fit.beta, &fit.naive, &golden);
            comparison.number(&format!("{name} deviance"), fit.deviance(), golden.number("deviance"));
            comparison.number(&format!("{name} null"), fit.null_deviance(), golden.number("null_deviance"));
        }
        for (model, stabilised) in [("iptw_stabilized", true), ("iptw_unstabilized", false)] {
            let (w, propensity, request) = cohort.weights(stabilised);
            let (columns, centre, scale) = with_intercept(from_ref(&cohort.treated));
            let rows = Rows { columns, y: y.clone(), w: Some(w), propensity: Some(propensity), ..Rows::default() };
            let n = request.n;
            let fit = fit_logistic(&[rows], &scale, request).expect("regular").uncentre(&centre, Some(0));
            let golden = golden.at(model);
            let mut number =
                |key: &str, got: f64| comparison.number(&format!("{outcome} {model} {key}"), got, golden.number(key));
            let hc0 = errors(fit.robust.as_ref().expect("asked for"))[1];
            number("log_odds_ratio", fit.beta[1]);
            number("odds_ratio", libm::exp(fit.beta[1]));
            number("intercept", fit.beta[0]);
            number("se_naive", errors(&fit.naive)[1]);
            number("se_hc0", hc0);
            number("se_survey", hc0 * (n / (n - 1.0)).sqrt());
            number("se_m_estimation", errors(fit.m_estimation.as_ref().expect("asked for"))[1]);
        }
    }
    comparison.report("myeloma binary");
}

#[test]
fn survival() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/relapsed-myeloma.json");
    let mut comparison = Comparison::new();
    for (key, grid) in [("survival_day", 1.0), ("survival_month", 30.4375)] {
        for (outcome, time, event) in [("pfs", "pfs_days", "pfs_event"), ("os", "os_days", "death")] {
            let golden = golden.at(key).at(outcome);
            let rows = cohort.survival(time, event, grid);
            let name = format!("{key} {outcome}");
            compare_outcome(&mut comparison, &name, &cohort, &rows, &golden);
        }
    }
    comparison.report("myeloma survival");
}

fn compare_outcome(comparison: &mut Comparison, name: &str, cohort: &Cohort, rows: &Rows, golden: &Golden) {
    let with = |terms: &[Vec<f64>]| {
        let (columns, _, scale) = centred(terms);
        (Rows { columns, ..rows.clone() }, scale)
    };
    let treatment = [cohort.treated.clone()];
    for (model, terms, ties) in [
        ("unadjusted", treatment.to_vec(), Ties::Efron),
        ("unadjusted_breslow", treatment.to_vec(), Ties::Breslow),
        ("adjusted", cohort.adjusted(), Ties::Efron),
        ("adjusted_breslow", cohort.adjusted(), Ties::Breslow),
    ] {
        let (rows, scale) = with(&terms);
        let fit = fit_cox(&[rows], &scale, ties, naive()).expect("regular");
        comparison.cox(&format!("{name} {model}"), &fit, &golden.at(model));
    }

    let (adjusted, scale) = with(&cohort.adjusted());
    let sites = adjusted.split(&cohort.table.text("site"));
    let fit = fit_stratified(&sites, &scale, Ties::Efron).expect("regular");
    comparison.cox(&format!("{name} stratified"), &fit, &golden.at("adjusted_stratified_by_site"));

    let submodel = fit_cox(&[adjusted], &scale, Ties::Efron, naive()).expect("regular");
    let (interaction, scale) = with(&cohort.interaction());
    let fit = fit_cox(&[interaction], &scale, Ties::Efron, naive()).expect("regular");
    comparison.coefficients(&format!("{name} interaction"), &fit.beta, &fit.naive, &golden.at("interaction"));
    let last = fit.beta.len() - 1;
    let test = wald(fit.beta[last], errors(&fit.naive)[last]);
    comparison.number(&format!("{name} interaction Wald"), test.p_value, golden.number("interaction_wald_p"));
    let test = likelihood_ratio(fit.loglik, submodel.loglik, 1);
    comparison.number(&format!("{name} interaction LR"), test.p_value, golden.number("interaction_lrt_p"));

    for (model, stabilised) in [("iptw_stabilized", true), ("iptw_unstabilized", false)] {
        let (w, propensity, request) = cohort.weights(stabilised);
        let (rows, scale) = with(&treatment);
        let rows = Rows { w: Some(w), propensity: Some(propensity), ..rows };
        let fit = fit_cox(&[rows], &scale, Ties::Efron, request).expect("regular");
        compare_iptw_cox(comparison, &format!("{name} {model}"), &fit, &golden.at(model));
    }
}
