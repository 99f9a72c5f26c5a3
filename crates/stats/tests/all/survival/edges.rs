//! Small curves at the edges, by hand and against R.

use stats::survival::{Curve, IntervalKind, Who, median, restricted_mean};

use crate::compare::Comparison;
use crate::table::Golden;

use super::{KINDS, TwoArms, compare_median};

fn control(exit: &[u32], event: &[bool], w: Option<&[f64]>) -> Curve {
    let rows = TwoArms {
        exit: exit.to_vec(),
        event: event.to_vec(),
        treated: vec![false; exit.len()],
        w: w.map(<[f64]>::to_vec),
    };
    Curve::kaplan_meier(&rows.pooled(), Who::Control)
}

/// Five rows: two die in cell 2, one is censored there, one dies in cell 4, one stays to cell 5.
/// S = 3/5 = .6 from 2 and .6 x 1/2 = .3 from 4. Greenwood at 2: 2 / (5 x 3) = 2/15, so se = .6 sqrt(2/15) = sqrt(.048); at 4:
/// 2/15 + 1/2 = 19/30, so se = .3 sqrt(19/30) = sqrt(.057). Area to 5: 2 + 2 x .6 + 1 x .3 = 3.5; beyond 2 it is 1.5 and
/// beyond 4 .3, so its variance is 1.5^2 x 2/15 + .3^2 x 1/2 = .345. The median is 4: .6 is above .5, .3 below.
#[test]
fn by_hand() {
    let curve = control(&[2, 2, 2, 4, 5], &[true, true, false, true, false], None);
    let points = curve.at(&[1.0, 2.0, 3.5, 4.0, 9.0]);
    let survival: Vec<f64> = points.iter().map(|p| p.survival).collect();
    let variance: Vec<f64> = points.iter().map(|p| p.std_error.expect("above 0").powi(2)).collect();
    for (got, expected) in survival.iter().zip([1.0, 0.6, 0.6, 0.3, 0.3]) {
        assert!((got - expected).abs() < 1e-15);
    }
    for (got, expected) in variance.iter().zip([0.0, 0.048, 0.048, 0.057, 0.057]) {
        assert!((got - expected).abs() < 1e-15);
    }
    assert_eq!(points.iter().map(|p| p.risk.n).collect::<Vec<_>>(), [5.0, 5.0, 2.0, 2.0, 0.0]);
    assert_eq!(points.iter().map(|p| p.events.n).collect::<Vec<_>>(), [0.0, 2.0, 0.0, 1.0, 0.0]);
    assert_eq!(points.iter().map(|p| p.censored.n).collect::<Vec<_>>(), [0.0, 1.0, 0.0, 0.0, 1.0]);
    let area = restricted_mean(&curve, 5.0).expect("above 0");
    assert!((area.estimate - 3.5).abs() < 1e-15 && (area.std_error.powi(2) - 0.345).abs() < 1e-15);
    assert_eq!(median(&curve, IntervalKind::Log).estimate, Some(4.0));
    assert_eq!(restricted_mean(&curve, 0.0), None);
}

/// Weights 1 and 3, the first dies in cell 1, the other in cell 2. S(1) = 3/4, and with S = w2 / (w1 + w2):
/// w1 dS/dw1 = -w1 w2 / 16 = -3/16, w2 dS/dw2 = 3/16: the standard error is sqrt(2) x 3/16. At the end both are 0.
#[test]
fn jackknife_by_hand() {
    let curve = control(&[1, 2], &[true, true], Some(&[1.0, 3.0]));
    let errors: Vec<f64> = curve.points().iter().map(|p| p.std_error.expect("jackknife")).collect();
    assert!((errors[0] - 2f64.sqrt() * 3.0 / 16.0).abs() < 1e-15);
    assert_eq!((errors[1], curve.points()[1].survival), (0.0, 0.0));
}

#[test]
fn against_r() {
    let golden = Golden::read("golden/survival.json");
    let mut comparison = Comparison::new();
    for branch in ["curves", "weighted"] {
        let golden = golden.at(branch);
        for case in golden.keys() {
            let name = format!("{branch} {case}");
            compare_curve(&mut comparison, &name, &golden.at(&case), branch == "weighted");
        }
    }
    comparison.report("survival edges");
}

fn compare_curve(comparison: &mut Comparison, name: &str, golden: &Golden, weighted: bool) {
    let exit: Vec<u32> = golden.list("time").iter().map(|t| *t as u32).collect();
    let event: Vec<bool> = golden.list("event").iter().map(|d| *d == 1.0).collect();
    let w = golden.list("w");
    let curve = control(&exit, &event, weighted.then_some(&w));
    let points = curve.at(&golden.list("times"));
    for (key, kind) in KINDS {
        let golden = golden.at(key);
        let name = format!("{name} {key}");
        compare_median(&name, &curve, kind, &golden);
        let mut list = |key: &str, got: Vec<Option<f64>>| {
            let expected = golden.options(key);
            let missing = |values: &[Option<f64>]| values.iter().map(Option::is_none).collect::<Vec<_>>();
            assert_eq!(missing(&got), missing(&expected), "{name} {key}");
            for (got, expected) in got.iter().zip(&expected).filter_map(|(g, e)| g.zip(*e)) {
                comparison.number(&format!("{name} {key}"), got, expected);
            }
        };
        list("survival", points.iter().map(|p| Some(p.survival)).collect());
        list("std_err", points.iter().map(|p| p.std_error).collect());
        list("lower", points.iter().map(|p| p.interval(kind).map(|ends| ends.0)).collect());
        list("upper", points.iter().map(|p| p.interval(kind).map(|ends| ends.1)).collect());
        list("n_risk", points.iter().map(|p| Some(p.risk.w)).collect());
        list("n_event", points.iter().map(|p| Some(p.events.w)).collect());
        list("n_censor", points.iter().map(|p| Some(p.censored.w)).collect());
    }
    let means: Vec<_> = golden.list("horizons").iter().map(|h| restricted_mean(&curve, *h).expect("above 0")).collect();
    let (areas, errors): (Vec<f64>, Vec<f64>) = means.iter().map(|mean| (mean.estimate, mean.std_error)).unzip();
    comparison.list(&format!("{name} rmst"), &areas, &golden.list("rmst"));
    comparison.list(&format!("{name} rmst error"), &errors, &golden.list("rmst_se"));
}
