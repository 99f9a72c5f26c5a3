//! R's lung data against pooled R.

use stats::cox::Ties;
use stats::survival::{Curve, Who, log_rank};

use crate::compare::Comparison;
use crate::sites::{Rows, centred, fit_cox, naive};
use crate::table::{Golden, Table};

use super::{TwoArms, compare_km};

fn cells(table: &Table) -> (Vec<u32>, Vec<bool>) {
    let exit = table.numbers("time").iter().map(|t| *t as u32).collect();
    (exit, table.numbers("status").iter().map(|d| *d == 1.0).collect())
}

#[test]
fn curves_and_log_rank() {
    let data = Table::read("lung.csv");
    let golden = Golden::read("golden/lung.json");
    let (exit, event) = cells(&data);
    let treated = data.numbers("sex").iter().map(|female| *female == 1.0).collect();
    let rows = TwoArms { exit, event, treated, w: None };
    let table = rows.table(7, |i| i % 6);
    let mut comparison = Comparison::new();
    for (name, who) in [("km_all", Who::All), ("km_male", Who::Control), ("km_female", Who::Treated)] {
        compare_km(&mut comparison, name, &Curve::kaplan_meier(&table, who), &golden.at(name));
    }
    let test = log_rank(&table).expect("events in both").test;
    comparison.number("log-rank", test.statistic, golden.number("log_rank_chisq"));
    comparison.report("lung curves");
}

#[test]
fn cox() {
    let data = Table::read("lung.csv").complete("ecog");
    let (exit, event) = cells(&data);
    let (columns, _, scale) = centred(&["sex", "age", "ecog"].map(|name| data.numbers(name)));
    let rows = Rows { columns, exit, event, ..Rows::default() };
    let fit = fit_cox(&[rows], &scale, Ties::Efron, naive()).expect("regular");
    let mut comparison = Comparison::new();
    comparison.cox("lung cox", &fit, &Golden::read("golden/lung.json").at("cox"));
    comparison.report("lung cox");
}
