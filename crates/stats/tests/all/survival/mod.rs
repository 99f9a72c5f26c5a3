//! What follows from the two-arm table: hand-made edges, pooled R, and itself under any split.

mod edges;
mod lung;
mod metamorphic;
mod myeloma;
mod pathology;

use stats::survival::{ArmTable, Curve, IntervalKind, TableRows, arm_table, arm_table_len, median};
use stats::total::{Plain, Total};

use crate::compare::Comparison;
use crate::table::Golden;

/// The interval types under R's names in the golden files.
const KINDS: [(&str, IntervalKind); 3] =
    [("log", IntervalKind::Log), ("log_log", IntervalKind::LogLog), ("plain", IntervalKind::Plain)];

/// The rows of a two-arm question.
#[derive(Clone)]
struct TwoArms {
    exit: Vec<u32>,
    event: Vec<bool>,
    treated: Vec<bool>,
    w: Option<Vec<f64>>,
}

impl TwoArms {
    fn len(&self) -> usize {
        self.exit.len()
    }

    fn pick(&self, order: &[usize]) -> Self {
        Self {
            exit: order.iter().map(|&i| self.exit[i]).collect(),
            event: order.iter().map(|&i| self.event[i]).collect(),
            treated: order.iter().map(|&i| self.treated[i]).collect(),
            w: self.w.as_ref().map(|w| order.iter().map(|&i| w[i]).collect()),
        }
    }

    /// The table of these rows at sites of which `site` names one per row.
    fn table(&self, sites: usize, site: impl Fn(usize) -> usize) -> ArmTable {
        let cells = self.exit.iter().max().map_or(0, |last| *last as usize + 1);
        let words = arm_table_len(cells, self.w.is_some());
        let mut sum = Plain::zero(words);
        for k in 0..sites {
            let own = self.pick(&(0..self.len()).filter(|&i| site(i) == k).collect::<Vec<_>>());
            let rows = TableRows { exit: &own.exit, event: &own.event, treated: &own.treated, w: own.w.as_deref() };
            let mut total = Plain::zero(words);
            arm_table(&rows, cells, &mut total);
            sum.add(0, &total.0);
        }
        ArmTable::new(cells, self.w.is_some(), &sum.0).expect("a table")
    }

    /// The table of all rows at one site.
    fn pooled(&self) -> ArmTable {
        self.table(1, |_| 0)
    }
}

/// A curve against `km` of golden_functions.R: medians exactly, the rest at the tolerance of `comparison`.
fn compare_km(comparison: &mut Comparison, name: &str, curve: &Curve, golden: &Golden) {
    let events: f64 = curve.points().iter().map(|point| point.events.w).sum();
    comparison.number(&format!("{name} events"), events, golden.number("events"));
    for (key, kind) in KINDS {
        let golden = golden.at(key);
        let name = format!("{name} {key}");
        compare_median(&name, curve, kind, &golden);
        let points = curve.at(&golden.list("times"));
        let mut list = |key: &str, values: Vec<f64>| {
            comparison.list(&format!("{name} {key}"), &values, &golden.list(key));
        };
        let ends = || points.iter().map(|p| p.interval(kind).expect("inside"));
        list("survival", points.iter().map(|p| p.survival).collect());
        list("std_err_survival", points.iter().map(|p| p.std_error.expect("above 0")).collect());
        list("lower", ends().map(|ends| ends.0).collect());
        list("upper", ends().map(|ends| ends.1).collect());
        list("n_risk", points.iter().map(|p| p.risk.w).collect());
        if !curve.is_weighted() {
            assert_eq!(points.iter().map(|p| p.risk.n).collect::<Vec<_>>(), golden.list("n_risk"), "{name}");
        }
    }
}

fn compare_median(name: &str, curve: &Curve, kind: IntervalKind, golden: &Golden) {
    let got = median(curve, kind);
    let expected = ["median", "conf_low", "conf_high"].map(|key| golden.options(key)[0]);
    assert_eq!([got.estimate, got.conf_low, got.conf_high], expected, "{name} median");
}
