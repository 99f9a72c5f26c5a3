//! The weights family against pooled R: sums, quantiles, truncation, equipoise, and the errors of weighted models.

use std::slice::from_ref;

use proptest::prelude::*;
use stats::cox::Ties;
use stats::descriptive::moments::effective_sample_size;
use stats::descriptive::quantile::QuantileType;
use stats::fit::{Fit, MeatRequest};
use stats::influence::{MEstimation, MeatKind};
use stats::total::{Plain, Total};
use stats::weights::positivity::{
    Arm, ArmOverlap, ArmWeights, OVERLAP_LEN, Overlap, Positivity, SCORE_BOUNDS, overlap, positivity,
};
use stats::weights::quantiles::{HistogramError, TRUNCATED_LEN, WeightGrid, WeightHistogram, histogram, truncated};
use stats::weights::{Estimand, Scheme};

use crate::compare::{Comparison, errors};
use crate::myeloma::Cohort;
use crate::sites::{Propensity, Rows, centred, fit_cox, fit_logistic};
use crate::table::Golden;

/// The analysed patients with their propensity scores.
struct Scored {
    cohort: Cohort,
    propensity: Propensity,
    information: Vec<f64>,
    share: f64,
}

impl Scored {
    fn read() -> Self {
        let cohort = Cohort::read();
        let (_, propensity, request) = cohort.weights(true);
        let share = propensity.scheme.stabilised().expect("stabilised");
        let information = request.propensity_information.expect("asked for");
        Self { cohort, propensity, information, share }
    }

    fn weights(&self, scheme: &Scheme) -> Vec<f64> {
        let Propensity { e, treated, .. } = &self.propensity;
        e.iter().zip(treated).map(|(e, treated)| scheme.weight(*e, *treated)).collect()
    }

    fn counted(&self, scheme: &Scheme) -> WeightHistogram {
        let grid = WeightGrid::new(20.0, 0.01).expect("a grid");
        let mut total = Plain::zero(grid.words());
        histogram(&self.weights(scheme), &grid, &mut total);
        WeightHistogram::new(grid, &total.0)
    }

    /// The scheme truncated at its own 1st and 99th percentile.
    fn truncated(&self, scheme: &Scheme, kind: QuantileType) -> Scheme {
        let weights = self.counted(scheme);
        let bound = |p| weights.quantile(p, kind).expect("on the grid");
        Scheme::new(scheme.estimand(), scheme.stabilised(), Some((bound(0.01), bound(0.99)))).expect("a scheme")
    }

    /// Every scheme of the golden file by its name.
    fn schemes(&self) -> Vec<(&'static str, Scheme)> {
        let plain = |estimand| Scheme::new(estimand, None, None).expect("a scheme");
        let (ate, stabilised) = (plain(Estimand::Ate), Scheme::ate(Some(self.share)));
        vec![
            ("ate", ate),
            ("ate_stabilised", stabilised),
            ("att", plain(Estimand::Att)),
            ("atc", plain(Estimand::Atc)),
            ("ato", plain(Estimand::Ato)),
            ("atm", plain(Estimand::Atm)),
            ("ate_truncated_type3", self.truncated(&ate, QuantileType::Nearest)),
            ("ate_stabilised_truncated_type3", self.truncated(&stabilised, QuantileType::Nearest)),
            ("ate_truncated_type7", self.truncated(&ate, QuantileType::Linear)),
            ("ate_stabilised_truncated_type7", self.truncated(&stabilised, QuantileType::Linear)),
        ]
    }

    /// The rows of an outcome model with the weights of `scheme`.
    fn weighted(&self, rows: Rows, scheme: Scheme) -> Rows {
        let propensity = Propensity { scheme, ..self.propensity.clone() };
        Rows { w: Some(self.weights(&scheme)), propensity: Some(propensity), ..rows }
    }

    fn request(&self, scheme: &Scheme) -> MeatRequest {
        let m_estimation = Some(MEstimation { q: self.propensity.z.len(), stabilised: scheme.stabilised().is_some() });
        MeatRequest {
            kind: MeatKind { robust: true, cluster: false, m_estimation },
            propensity_information: Some(self.information.clone()),
            n: self.propensity.e.len() as f64,
        }
    }

    /// Treatment-only logistic model of the response; the design is not centred, so that the intercept is R's.
    fn response(&self, scheme: Scheme, spread: impl Fn(&Rows) -> Vec<Rows>) -> Fit {
        let ones = vec![1.0; self.cohort.treated.len()];
        let columns = vec![ones, self.cohort.treated.clone()];
        let rows = Rows { columns, y: self.cohort.table.numbers("response"), ..Rows::default() };
        let rows = self.weighted(rows, scheme);
        fit_logistic(&spread(&rows), &[1.0, 1.0], self.request(&scheme)).expect("regular")
    }

    /// Treatment-only Cox model of progression-free survival in days.
    fn progression(&self, scheme: Scheme, spread: impl Fn(&Rows) -> Vec<Rows>) -> Fit {
        let (columns, _, scale) = centred(from_ref(&self.cohort.treated));
        let rows = Rows { columns, ..self.cohort.survival("pfs_days", "pfs_event", 1.0) };
        let rows = self.weighted(rows, scheme);
        fit_cox(&spread(&rows), &scale, Ties::Efron, self.request(&scheme)).expect("regular")
    }

    /// Sums of the weights per arm, control first.
    fn arms(&self, scheme: &Scheme) -> [ArmWeights; 2] {
        let w = self.weights(scheme);
        [false, true].map(|arm| {
            let own = || w.iter().zip(&self.propensity.treated).filter(move |(_, treated)| **treated == arm);
            ArmWeights {
                rows: own().count() as f64,
                sum: own().map(|(w, _)| w).sum(),
                sum_squares: own().map(|(w, _)| w * w).sum(),
            }
        })
    }
}

fn overlap_of(propensity: &Propensity, share: f64) -> Vec<f64> {
    let mut total = Plain::zero(OVERLAP_LEN);
    overlap(&propensity.e, &propensity.treated, share, SCORE_BOUNDS, &mut total);
    total.0
}

fn truncated_of(scheme: &Scheme, propensity: &Propensity) -> Vec<f64> {
    let mut total = Plain::zero(TRUNCATED_LEN);
    truncated(scheme, &propensity.e, &propensity.treated, &mut total);
    total.0
}

fn pooled(rows: &Rows) -> Vec<Rows> {
    vec![rows.clone()]
}

/// Against a decimal of 15 digits.
fn same_decimal(got: f64, expected: f64, name: &str) {
    assert!((got - expected).abs() <= 1e-14 * expected.abs(), "{name}: {got} {expected}");
}

#[test]
fn sums_quantiles_and_truncation() {
    let study = Scored::read();
    let golden = Golden::read("golden/weights.json").at("schemes");
    let mut comparison = Comparison::exact();
    for (name, scheme) in study.schemes() {
        let golden = golden.at(name);
        for (arm, sums) in ["control", "treated"].iter().zip(study.arms(&scheme)) {
            let mut number = |key: &str, got| {
                comparison.number(&format!("{name} {arm} {key}"), got, golden.at(key).number(arm));
            };
            number("sum", sums.sum);
            number("sum_squares", sums.sum_squares);
            number("ess", effective_sample_size(sums.sum, sums.sum_squares).expect("weights"));
        }
        let weights = study.counted(&scheme);
        assert_eq!((weights.rows(), weights.beyond()), (277.0, 0.0));
        same_decimal(weights.largest().expect("on the grid"), golden.number("largest"), name);
        let probabilities = golden.list("probabilities");
        for (key, kind) in [("type3", QuantileType::Nearest), ("type7", QuantileType::Linear)] {
            for (p, expected) in probabilities.iter().zip(golden.list(key)) {
                same_decimal(weights.quantile(*p, kind).expect("on the grid"), expected, &format!("{name} {key} {p}"));
            }
        }
        if let Some((low, high)) = scheme.truncation() {
            let golden = golden.at("truncation");
            let bounds = golden.list("bounds");
            same_decimal(low, bounds[0], name);
            same_decimal(high, bounds[1], name);
            let expected: Vec<f64> = ["control", "treated"]
                .iter()
                .flat_map(|arm| ["below", "above"].map(|side| golden.at(arm).number(side)))
                .collect();
            assert_eq!(truncated_of(&scheme, &study.propensity), expected, "{name}");
        }
    }
    comparison.report("weights: sums");
}

#[test]
fn models_under_every_scheme() {
    let study = Scored::read();
    let golden = Golden::read("golden/weights.json").at("schemes");
    let mut comparison = Comparison::new();
    for (name, scheme) in study.schemes() {
        let golden = golden.at(name);
        let mut compare = |model: &str, fit: &Fit, at: usize| {
            let golden = golden.at(model);
            let mut number = |key: &str, got: f64| {
                comparison.number(&format!("{name} {model} {key}"), got, golden.number(key));
            };
            number("estimate", fit.beta[at]);
            number("se_naive", errors(&fit.naive)[at]);
            number("se_robust", errors(fit.robust.as_ref().expect("asked for"))[at]);
            number("se_m_estimation", errors(fit.m_estimation.as_ref().expect("asked for"))[at]);
            if at == 1 {
                number("intercept", fit.beta[0]);
            }
        };
        compare("response", &study.response(scheme, pooled), 1);
        compare("pfs_day", &study.progression(scheme, pooled), 0);
    }
    comparison.report("weights: models");
}

#[test]
fn the_published_weights() {
    let study = Scored::read();
    let golden = Golden::read("golden/relapsed-myeloma.json");
    let mut comparison = Comparison::new();
    let names = ["unstabilized", "stabilized", "att", "atc", "ato", "atm"];
    for (name, (_, scheme)) in names.iter().zip(study.schemes()) {
        let golden = golden.at("weights").at(name);
        for (arm, sums) in ["control", "treated"].iter().zip(study.arms(&scheme)) {
            let ess = effective_sample_size(sums.sum, sums.sum_squares).expect("weights");
            for (key, got) in [("sum", sums.sum), ("ess", ess)] {
                let key = format!("{key}_{arm}");
                comparison.number(&format!("{name} {key}"), got, golden.number(&key));
            }
        }
        let largest = study.weights(&scheme).into_iter().fold(0.0, f64::max);
        comparison.number(&format!("{name} max"), largest, golden.number("max"));
    }
    let overlap_weights = Scheme::new(Estimand::Ato, None, None).expect("a scheme");
    for (grid, days) in [("survival_day", 1.0), ("survival_month", 30.4375)] {
        for (outcome, time, event) in [("pfs", "pfs_days", "pfs_event"), ("os", "os_days", "death")] {
            let golden = golden.at(grid).at(outcome).at("iptw_overlap");
            let (columns, _, scale) = centred(from_ref(&study.cohort.treated));
            let rows = Rows { columns, ..study.cohort.survival(time, event, days) };
            let rows = study.weighted(rows, overlap_weights);
            let request = study.request(&overlap_weights);
            let fit = fit_cox(&[rows], &scale, Ties::Efron, request).expect("regular");
            comparison.number(&format!("{grid} {outcome} estimate"), fit.beta[0], golden.number("estimate"));
            let robust = errors(fit.robust.as_ref().expect("asked for"))[0];
            comparison.number(&format!("{grid} {outcome} se_robust"), robust, golden.number("se_robust"));
        }
    }
    comparison.report("weights: published file");
}

#[test]
fn equipoise_and_warnings() {
    let study = Scored::read();
    let golden = Golden::read("golden/weights.json").at("overlap");
    let counts = Overlap::new(&overlap_of(&study.propensity, study.share));
    for (name, arm) in [("control", counts.control), ("treated", counts.treated)] {
        let golden = golden.at(name);
        let ArmOverlap { rows, equipoise, below, above } = arm;
        let expected = ["rows", "equipoise", "below", "above"].map(|key| golden.number(key));
        assert_eq!([rows, equipoise, below, above], expected, "{name}");
        same_decimal(arm.equipoise_share().expect("rows"), golden.number("equipoise_share"), name);
    }
    // The arms of this cohort differ much: one patient in six is in equipoise.
    let few = [Positivity::FewComparable(Arm::Control), Positivity::FewComparable(Arm::Treated)];
    for (name, scheme) in study.schemes() {
        let [control, treated] = study.arms(&scheme);
        let largest = study.counted(&scheme).largest().expect("on the grid");
        let mut expected = few.to_vec();
        match name {
            "att" => expected.extend([Positivity::FewEffective(Arm::Control), Positivity::LargeWeight]),
            "atc" => expected.push(Positivity::FewEffective(Arm::Treated)),
            _ => {}
        }
        assert_eq!(positivity(&counts, &control, &treated, Some(largest)), expected, "{name}");
    }
}

#[test]
fn a_grid_that_ends_too_early() {
    let study = Scored::read();
    let grid = WeightGrid::new(5.0, 0.01).expect("a grid");
    let mut total = Plain::zero(grid.words());
    let (name, ate) = &study.schemes()[0];
    histogram(&study.weights(ate), &grid, &mut total);
    let weights = WeightHistogram::new(grid, &total.0);
    let golden = Golden::read("golden/weights.json").at("schemes").at(name).list("type7");
    assert!(weights.beyond() > 0.0);
    for (p, expected) in [(0.01, golden[0]), (0.5, golden[3]), (0.75, golden[4])] {
        same_decimal(weights.quantile(p, QuantileType::Linear).expect("on the grid"), expected, "within the grid");
    }
    for p in [0.95, 0.99, 1.0] {
        assert_eq!(weights.quantile(p, QuantileType::Linear), Err(HistogramError::Beyond));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_sums(sites in 1usize..=30, assignment in prop::collection::vec(0usize..10_000, 277)) {
        let study = Scored::read();
        // Site 0 has no rows.
        let parts: Vec<Vec<usize>> = (0..=sites)
            .map(|k| (0..assignment.len()).filter(|&i| 1 + assignment[i] % sites == k).collect())
            .collect();
        let whole = Rows { propensity: Some(study.propensity.clone()), ..Rows::default() };
        let at: Vec<Propensity> =
            parts.iter().map(|part| whole.pick(part).propensity.expect("picked")).collect();
        let added = |words: usize, answer: &dyn Fn(&Propensity) -> Vec<f64>| {
            let mut sum = Plain::zero(words);
            for site in &at {
                sum.add(0, &answer(site));
            }
            sum.0
        };
        let overlap = |site: &Propensity| overlap_of(site, study.share);
        assert_eq!(added(OVERLAP_LEN, &overlap), overlap(&study.propensity));
        let grid = WeightGrid::new(5.0, 0.01).expect("a grid");
        let spread = |rows: &Rows| parts.iter().map(|part| rows.pick(part)).collect::<Vec<_>>();
        for (_, scheme) in study.schemes() {
            let counts = |site: &Propensity| truncated_of(&scheme, site);
            assert_eq!(added(TRUNCATED_LEN, &counts), counts(&study.propensity));
            let counts = |site: &Propensity| {
                let w: Vec<f64> = site.e.iter().zip(&site.treated).map(|(e, a)| scheme.weight(*e, *a)).collect();
                let mut total = Plain::zero(grid.words());
                histogram(&w, &grid, &mut total);
                total.0
            };
            assert_eq!(added(grid.words(), &counts), counts(&study.propensity));
            for (one, many) in [
                (study.response(scheme, pooled), study.response(scheme, spread)),
                (study.progression(scheme, pooled), study.progression(scheme, spread)),
            ] {
                let (one, many) = (one.m_estimation.expect("asked for"), many.m_estimation.expect("asked for"));
                for (a, b) in one.diagonal().iter().zip(many.diagonal()) {
                    assert!((a - b).abs() <= 1e-11 * a, "{a:e} {b:e}");
                }
            }
        }
    }
}
