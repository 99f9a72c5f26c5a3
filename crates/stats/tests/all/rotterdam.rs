//! Breast cancer patients against pooled R: ties on three grids, weights, strata, clusters.

use std::slice::from_ref;

use stats::cox::Ties;
use stats::fit::{Fit, MeatRequest};
use stats::inference::wald_test;
use stats::influence::{MEstimation, MeatKind};
use stats::weights::Scheme;

use crate::compare::{Comparison, errors};
use crate::sites::{Propensity, Rows, centred, fit_cox, fit_logistic, fit_stratified, naive, robust, with_intercept};
use crate::table::{Golden, Table};

struct Study {
    table: Table,
    chemo: Vec<f64>,
    /// Terms of the outcome model but the treatment.
    covariates: Vec<Vec<f64>>,
}

impl Study {
    fn read() -> Self {
        let table = Table::read("rotterdam.csv");
        let mut covariates = vec![table.numbers("age"), table.numbers("meno")];
        covariates.extend([table.is("size_c", "20-50"), table.is("size_c", ">50")]);
        covariates.extend(["nodes", "grade", "hormon"].map(|name| table.numbers(name)));
        Self { chemo: table.numbers("chemo"), table, covariates }
    }

    fn propensity(&self) -> (Fit, Vec<Vec<f64>>, Vec<f64>) {
        let (z, centre, scale) = with_intercept(&self.covariates);
        let rows = Rows { columns: z.clone(), y: self.chemo.clone(), ..Rows::default() };
        (fit_logistic(&[rows], &scale, naive()).expect("regular"), z, centre)
    }

    fn outcome(&self, grid: f64) -> Rows {
        let exit = self.table.numbers("t").iter().map(|t| (t / grid).ceil() as u32).collect();
        let event = self.table.numbers("s").iter().map(|s| *s == 1.0).collect();
        Rows { exit, event, ..Rows::default() }
    }
}

#[test]
fn pooled_r() {
    let study = Study::read();
    let golden = Golden::read("golden/rotterdam.json");
    let mut comparison = Comparison::new();
    let (ps, z, centre) = study.propensity();
    let reported = ps.uncentre(&centre, Some(0));
    comparison.coefficients("propensity", &reported.beta, &reported.naive, &golden.at("propensity"));

    let share = study.chemo.iter().sum::<f64>() / study.chemo.len() as f64;
    let e = crate::myeloma::scores(&z, &ps.beta);
    let w: Vec<f64> = study
        .chemo
        .iter()
        .zip(&e)
        .map(|(a, e)| if *a == 1.0 { share / e } else { (1.0 - share) / (1.0 - e) })
        .collect();
    let treated = study.chemo.iter().map(|a| *a == 1.0).collect();
    let propensity = Propensity { z, treated, e, scheme: Scheme::ate(Some(share)) };

    let mut terms = vec![study.chemo.clone()];
    terms.extend(study.covariates.iter().cloned());
    let (columns, _, scale) = centred(&terms);
    for (name, grid) in [("day", 1.0), ("month", 30.4375), ("quarter", 91.3125)] {
        let golden = golden.at(name);
        let plain = Rows { columns: columns.clone(), ..study.outcome(grid) };
        let weighted = Rows { w: Some(w.clone()), ..plain.clone() };
        for (key, ties) in [("efron", Ties::Efron), ("breslow", Ties::Breslow)] {
            let fit = fit_cox(from_ref(&plain), &scale, ties, naive()).expect("regular");
            comparison.cox(&format!("{name} {key}"), &fit, &golden.at(key));

            let key = format!("{key}_weighted");
            let golden = golden.at(&key);
            let fit = fit_cox(from_ref(&weighted), &scale, ties, robust()).expect("regular");
            comparison.cox(&format!("{name} {key}"), &fit, &golden);
            let covariance = fit.robust.expect("asked for");
            comparison.list(&format!("{name} {key} robust"), &errors(&covariance), &golden.list("se_robust"));
            let all: Vec<usize> = (0..fit.beta.len()).collect();
            let wald = wald_test(&fit.beta, &covariance, &all).expect("regular");
            comparison.number(&format!("{name} {key} wald"), wald.statistic, golden.number("wald_test"));
        }

        let sites = study.table.text("site");
        let fit = fit_stratified(&plain.split(&sites), &scale, Ties::Efron).expect("regular");
        comparison.cox(&format!("{name} stratified"), &fit, &golden.at("stratified_by_site"));

        let kind = MeatKind { robust: false, cluster: true, m_estimation: None };
        let meat = MeatRequest { kind, ..naive() };
        let fit = fit_cox(&weighted.split(&sites), &scale, Ties::Efron, meat).expect("regular");
        let cluster = errors(&fit.cluster.expect("asked for"));
        // R gives numbers; two hospitals carry no variance of that many coefficients
        let hospitals = sites.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert!(hospitals < fit.beta.len() && cluster.iter().all(|error| error.is_nan()), "{hospitals} {cluster:?}");

        let m_estimation = Some(MEstimation { q: ps.beta.len(), stabilised: true });
        let meat = MeatRequest {
            kind: MeatKind { robust: true, cluster: false, m_estimation },
            propensity_information: Some(ps.information.clone()),
            n: study.chemo.len() as f64,
        };
        let treatment =
            Rows { columns: columns[..1].to_vec(), propensity: Some(propensity.clone()), ..weighted.clone() };
        let fit = fit_cox(&[treatment], &scale[..1], Ties::Efron, meat).expect("regular");
        crate::myeloma::compare_iptw_cox(&mut comparison, &format!("{name} iptw"), &fit, &golden.at("iptw"));
    }
    comparison.report("rotterdam");
}
