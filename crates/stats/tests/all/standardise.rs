//! Standardised means of binary outcomes, survival and restricted means against R, and against themselves.

use proptest::prelude::*;
use stats::cox::{self, Curves, EventCells, Ties};
use stats::fit::{Fit, Why};
use stats::matrix::Matrix;
use stats::standardise::{Counterfactual, Means, aipw, cox as survival, logistic, rmst};
use stats::survival::Estimate;
use stats::total::Plain;

use crate::compare::Comparison;
use crate::myeloma::Cohort;
use crate::sites::{Rows, centred, design, fit_cox, fit_logistic, naive, summed, with_intercept};
use crate::table::{Golden, Table};

/// Rows of a study or a site: terms as observed, with everybody treated, with everybody untreated, all less the means of
/// the first, and the propensity model's.
#[derive(Clone)]
struct Study {
    worlds: [Vec<Vec<f64>>; 3],
    z: Vec<Vec<f64>>,
    treated: Vec<bool>,
    y: Vec<f64>,
    exit: Vec<u32>,
    event: Vec<bool>,
    scale: Vec<f64>,
    scale_z: Vec<f64>,
}

impl Study {
    /// `terms` gives the columns of a model from a treatment column.
    fn new(
        treated: &[f64],
        covariates: &[Vec<f64>],
        y: Vec<f64>,
        outcome: Rows,
        terms: impl Fn(&[f64]) -> Vec<Vec<f64>>,
    ) -> Self {
        let n = treated.len();
        let (observed, centre, scale) = centred(&terms(treated));
        let world = |a: f64| -> Vec<Vec<f64>> {
            let columns = terms(&vec![a; n]).into_iter().zip(&centre);
            columns.map(|(column, mean)| column.iter().map(|x| x - mean).collect()).collect()
        };
        let (mut z, _, mut scale_z) = with_intercept(covariates);
        z[0] = vec![1.0; n];
        scale_z[0] = 1.0;
        let treated = treated.iter().map(|a| *a == 1.0).collect();
        let worlds = [observed, world(1.0), world(0.0)];
        Self { worlds, z, treated, y, exit: outcome.exit, event: outcome.event, scale, scale_z }
    }

    fn myeloma(cohort: &Cohort, outcome: &str, survival: Rows, interaction: bool) -> Self {
        let covariates = &cohort.covariates;
        Self::new(&cohort.treated, covariates, cohort.table.numbers(outcome), survival, |a| {
            let mut terms = vec![a.to_vec()];
            terms.extend(covariates.iter().cloned());
            if interaction {
                terms.push(a.iter().zip(&covariates[6]).map(|(a, d)| a * d).collect());
            }
            terms
        })
    }

    fn rotterdam() -> Self {
        let table = Table::read("rotterdam.csv");
        let mut covariates = vec![table.numbers("age"), table.numbers("meno")];
        covariates.extend([table.is("size_c", "20-50"), table.is("size_c", ">50")]);
        covariates.extend(["nodes", "grade", "hormon"].map(|name| table.numbers(name)));
        let s = table.numbers("s");
        let exit = table.numbers("t").iter().map(|t| (t / 91.3125).ceil() as u32).collect();
        let outcome = Rows { exit, event: s.iter().map(|s| *s == 1.0).collect(), ..Rows::default() };
        Self::new(&table.numbers("chemo"), &covariates, s, outcome, |a| {
            let mut terms = vec![a.to_vec()];
            terms.extend(covariates.iter().cloned());
            terms
        })
    }

    fn pick(&self, order: &[usize]) -> Self {
        fn picked<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
            order.iter().map(|&i| values[i]).collect()
        }
        let columns = |columns: &[Vec<f64>]| columns.iter().map(|column| picked(column, order)).collect();
        Self {
            worlds: [0, 1, 2].map(|k| columns(&self.worlds[k])),
            z: columns(&self.z),
            treated: picked(&self.treated, order),
            y: picked(&self.y, order),
            exit: picked(&self.exit, order),
            event: picked(&self.event, order),
            ..self.clone()
        }
    }

    /// The outcome model's design with the intercept that a logistic model has in front.
    fn with_ones(columns: &[Vec<f64>], n: usize) -> Vec<Vec<f64>> {
        let mut all = vec![vec![1.0; n]];
        all.extend(columns.iter().cloned());
        all
    }

    fn logistic_rows(&self) -> Rows {
        Rows { columns: Self::with_ones(&self.worlds[0], self.y.len()), y: self.y.clone(), ..Rows::default() }
    }

    fn propensity_rows(&self) -> Rows {
        let y = self.treated.iter().map(|t| f64::from(u8::from(*t))).collect();
        Rows { columns: self.z.clone(), y, ..Rows::default() }
    }

    fn cox_rows(&self) -> Rows {
        let (exit, event) = (self.exit.clone(), self.event.clone());
        Rows { columns: self.worlds[0].clone(), exit, event, ..Rows::default() }
    }

    fn logistic<T>(&self, body: impl FnOnce(Counterfactual<'_>) -> T) -> T {
        let [if_treated, if_control] = [1, 2].map(|k| design(&Self::with_ones(&self.worlds[k], self.y.len())));
        body(Counterfactual { if_treated: &if_treated, if_control: &if_control, treated: &self.treated })
    }

    fn survival<T>(&self, body: impl FnOnce(survival::Rows<'_>) -> T) -> T {
        let [if_treated, if_control] = [1, 2].map(|k| design(&self.worlds[k]));
        let columns = Counterfactual { if_treated: &if_treated, if_control: &if_control, treated: &self.treated };
        body(survival::Rows { columns, exit: &self.exit, event: &self.event })
    }
}

/// Sums over sites, in the order of the sites.
fn sums(sites: &[Study], words: usize, mut answer: impl FnMut(&Study, &mut Plain)) -> Vec<f64> {
    let mut sum = vec![0.0; words];
    for site in sites {
        let mut own = Plain::zero(words);
        answer(site, &mut own);
        sum.iter_mut().zip(own.0).for_each(|(sum, own)| *sum += own);
    }
    sum
}

/// The g-formula, then both variances of augmented weighting.
fn binary(sites: &[Study]) -> [Means; 3] {
    let mut scale = vec![1.0];
    scale.extend(&sites[0].scale);
    let q = scale.len();
    let outcome = fit_logistic(&sites.iter().map(Study::logistic_rows).collect::<Vec<_>>(), &scale, naive());
    let outcome = outcome.expect("regular");
    let rows: Vec<Rows> = sites.iter().map(Study::propensity_rows).collect();
    let ps = fit_logistic(&rows, &sites[0].scale_z, naive()).expect("regular");
    let standardised = sums(sites, logistic::answer_len(q), |site, total| {
        site.logistic(|columns| logistic::answer(&columns, &site.y, &outcome.beta, total));
    });
    let augmented = sums(sites, aipw::answer_len(q, ps.beta.len()), |site, total| {
        let z = design(&site.z);
        site.logistic(|columns| {
            aipw::answer(&aipw::Rows { columns, y: &site.y, z: &z }, &outcome.beta, &ps.beta, total);
        });
    });
    let both = aipw::finish(&outcome.naive, &ps.naive, &augmented).expect("finite");
    [logistic::finish(&outcome.naive, &standardised).expect("finite"), both.simple, both.m_estimation]
}

/// Survival at `times`, then the restricted mean.
fn curves(sites: &[Study], ties: Ties, times: &[u32], horizon: u32) -> (Vec<Means>, Means) {
    let rows: Vec<Rows> = sites.iter().map(Study::cox_rows).collect();
    let fit: Fit = fit_cox(&rows, &sites[0].scale, ties, naive()).expect("regular");
    let p = fit.beta.len();
    let cells = sites.iter().flat_map(|site| &site.exit).max().map_or(0, |last| *last as usize + 1);
    let deaths = summed(&rows, cells, |site, total| site.cox(|rows| cox::deaths(rows, cells, total)));
    let events = EventCells::new((0..cells as u32).collect(), deaths, ties);
    let risk = summed(&rows, cox::risk_len(p, &events), |site, total| {
        site.cox(|rows| cox::risk(rows, &events, &fit.beta, total));
    });
    let curves = Curves::derive(&events, p, &risk).expect("finite");
    let fitted = survival::Fitted { events: &events, curves: &curves, beta: &fit.beta };
    let answers = sums(sites, survival::answer_len(p, times.len()), |site, total| {
        site.survival(|rows| survival::answer(&rows, &fitted, times, total));
    });
    let points = survival::finish(&fitted, &fit.naive, times, &answers).expect("finite");
    let profile = sums(sites, rmst::profile_len(&fitted, horizon), |site, total| {
        site.survival(|rows| rmst::profile(&rows, &fitted, horizon, total));
    });
    let profile = rmst::Profile::new(&fitted, &fit.naive, horizon, &profile).expect("finite");
    let spread = sums(sites, rmst::SPREAD_LEN, |site, total| {
        site.survival(|rows| rmst::spread(&rows, &fitted, &profile, total));
    });
    (points, profile.finish(&spread).expect("finite"))
}

fn compare(comparison: &mut Comparison, name: &str, got: Estimate, golden: &Golden, key: &str) {
    comparison.list(&format!("{name} {key}"), &[got.estimate, got.std_error], &golden.list(key));
}

fn compare_arms(comparison: &mut Comparison, name: &str, means: &Means, golden: &Golden) {
    compare(comparison, name, means.treated_estimate(), golden, "treated");
    compare(comparison, name, means.control_estimate(), golden, "control");
    compare(comparison, name, means.difference(), golden, "difference");
}

fn compare_binary(comparison: &mut Comparison, name: &str, sites: &[Study], golden: &Golden) {
    let aipw = golden.at("aipw");
    let goldens = [golden.at("g_formula"), aipw.at("simple"), aipw.at("m_estimation")];
    for ((means, golden), kind) in binary(sites).iter().zip(goldens).zip(["g-formula", "simple", "m-estimation"]) {
        let name = format!("{name} {kind}");
        compare_arms(comparison, &name, means, &golden);
        compare(comparison, &name, means.log_ratio().expect("positive"), &golden, "log_ratio");
        compare(comparison, &name, means.log_odds_ratio().expect("inside"), &golden, "log_odds_ratio");
    }
}

fn compare_curves(comparison: &mut Comparison, name: &str, sites: &[Study], ties: Ties, golden: &Golden) {
    let times: Vec<u32> = golden.list("times").iter().map(|time| *time as u32).collect();
    let (points, mean) = curves(sites, ties, &times, golden.number("horizon") as u32);
    for (time, means) in times.iter().zip(&points) {
        let name = format!("{name} {time}");
        compare_arms(comparison, &name, means, &golden.at("survival").at(&time.to_string()));
        match means.complement().log_ratio() {
            Some(ratio) => compare(comparison, &name, ratio, &golden.at("log_risk_ratio"), &time.to_string()),
            None => assert_eq!(means.treated, 1.0, "{name}: a risk of 0 has no ratio"),
        }
    }
    let (name, golden) = (format!("{name} rmst"), golden.at("rmst"));
    compare_arms(comparison, &name, &mean, &golden);
    compare(comparison, &name, mean.log_ratio().expect("positive"), &golden, "log_ratio");
}

const TIES: [(&str, Ties); 2] = [("efron", Ties::Efron), ("breslow", Ties::Breslow)];

#[test]
fn binary_outcomes_of_myeloma() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/standardise.json").at("binary");
    let mut comparison = Comparison::new();
    for outcome in ["response", "neutropenia", "infection"] {
        for (model, interaction) in [("adjusted", false), ("interaction", true)] {
            let study = Study::myeloma(&cohort, outcome, Rows::default(), interaction);
            compare_binary(&mut comparison, outcome, &[study], &golden.at(outcome).at(model));
        }
    }
    comparison.report("standardised binary outcomes, myeloma");
}

#[test]
fn survival_of_myeloma() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/standardise.json");
    let mut comparison = Comparison::new();
    for (grid, width) in [("survival_day", 1.0), ("survival_month", 30.4375)] {
        for (outcome, time, event) in [("pfs", "pfs_days", "pfs_event"), ("os", "os_days", "death")] {
            for (model, interaction) in [("adjusted", false), ("interaction", true)] {
                let study = Study::myeloma(&cohort, "response", cohort.survival(time, event, width), interaction);
                for (name, ties) in TIES {
                    let golden = golden.at(grid).at(outcome).at(model).at(name);
                    let name = format!("{grid} {outcome} {model} {name}");
                    compare_curves(&mut comparison, &name, std::slice::from_ref(&study), ties, &golden);
                }
            }
        }
    }
    comparison.report("standardised survival, myeloma");
}

#[test]
fn rotterdam() {
    let golden = Golden::read("golden/standardise.json").at("rotterdam");
    let study = [Study::rotterdam()];
    let mut comparison = Comparison::new();
    compare_binary(&mut comparison, "rotterdam", &study, &golden.at("binary"));
    for (name, ties) in TIES {
        compare_curves(&mut comparison, name, &study, ties, &golden.at("survival").at(name));
    }
    comparison.report("standardised rotterdam");
}

/// Every mean of the response and of monthly PFS, interaction model.
fn everything(sites: &[Study]) -> Vec<Means> {
    let (mut means, area) = curves(sites, Ties::Efron, &[0, 6, 12, 24], 24);
    means.push(area);
    means.extend(binary(sites));
    means
}

fn pooled() -> Study {
    let cohort = Cohort::read();
    Study::myeloma(&cohort, "response", cohort.survival("pfs_days", "pfs_event", 30.4375), true)
}

/// Asserts that means agree relative to themselves and covariances, those of `b` times `factor`, relative to the diagonal.
fn same(a: &[Means], b: &[Means], factor: f64, tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        let size = (a.covariance[0] * a.covariance[2]).sqrt();
        let pairs = [(a.treated, b.treated, a.treated), (a.control, b.control, a.control)];
        let covariances = a.covariance.iter().zip(b.covariance).map(|(a, b)| (*a, factor * b, size));
        for (x, y, size) in pairs.into_iter().chain(covariances) {
            assert!((x - y).abs() <= tolerance * size, "{x:e} and {y:e} differ by {:e}", (x - y).abs() / size);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_equals_pooled(sites in 1usize..=40, assignment in prop::collection::vec(0usize..10_000, 277)) {
        let study = pooled();
        // Site 0 has no rows, site 1 and 2 one and two; the first rows of the file go there.
        let site = |i: usize| match i {
            0 => 1,
            1 | 2 => 2,
            _ => 3 + assignment[i] % sites,
        };
        let split: Vec<Study> = (0..sites + 3)
            .map(|k| study.pick(&(0..assignment.len()).filter(|&i| site(i) == k).collect::<Vec<_>>()))
            .collect();
        same(&everything(&[study]), &everything(&split), 1.0, 1e-11);
    }
}

#[test]
fn copies_of_all_rows_divide_the_variance() {
    let study = pooled();
    let order: Vec<usize> = (0..277).rev().chain(0..277).chain(0..277).collect();
    let copies = [study.pick(&order)];
    let study = [study];
    // Copies are ties, which Breslow's approximation alone does not mind.
    let (a, b) = (curves(&study, Ties::Breslow, &[6, 24], 24), curves(&copies, Ties::Breslow, &[6, 24], 24));
    same(&a.0, &b.0, 3.0, 1e-10);
    same(&[a.1], &[b.1], 3.0, 1e-10);
    same(&binary(&study), &binary(&copies), 3.0, 1e-10);
}

#[test]
fn without_covariates_the_means_are_those_of_the_arms() {
    // 3 of 4 treated and 2 of 6 controls: variances p (1 - p) / n of the own arm, no covariance.
    let treated = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let y = vec![1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let mut study = Study::new(&treated, &[treated.to_vec()], y, Rows::default(), |a| vec![a.to_vec()]);
    study.z.truncate(1);
    study.scale_z.truncate(1);
    let [g_formula, simple, m_estimation] = binary(&[study]);
    for means in [g_formula, m_estimation] {
        let expected = [0.75, 1.0 / 3.0, 3.0 / 64.0, 0.0, 1.0 / 27.0];
        let got = [means.treated, means.control, means.covariance[0], means.covariance[1], means.covariance[2]];
        // The fit's information is that of its last evaluation, one step of less than 1e-10 standard errors earlier.
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-13, "{got} instead of {expected}");
        }
    }
    // Here the models add nothing: phi_1 - mu_1 is (y - p) n / n_1 among the treated, and 0 among the controls.
    same(&[simple], &[m_estimation], 1.0, 1e-12);
}

#[test]
fn no_rows_and_no_numbers() {
    let (two, one) = (Matrix::identity(2), Matrix::identity(1));
    assert_eq!(logistic::finish(&two, &vec![0.0; logistic::answer_len(2)]), Err(Why::NoRows));
    assert_eq!(aipw::finish(&two, &one, &vec![0.0; aipw::answer_len(2, 1)]), Err(Why::NoRows));
    let mut sums = vec![1.0; aipw::answer_len(2, 1)];
    sums[7] = f64::INFINITY;
    assert_eq!(aipw::finish(&two, &one, &sums), Err(Why::NotFinite));
}
