//! The baseline table of a golden file against `balance.csv`.

use super::comparison::Comparison;
use super::files::{Files, Row, Table};

const NUMBERS: [&str; 3] = ["age", "crcl", "lines"];
const CATEGORIES: [&str; 7] = ["sex", "iss_stage", "ldh_high", "dara_refr", "asct", "disease_status", "fish"];
const ARMS: [&str; 2] = ["control", "treated"];

pub(super) fn compare(comparison: &mut Comparison<'_>, files: &Files) {
    for variable in NUMBERS {
        number(comparison, files, variable);
    }
    for variable in CATEGORIES {
        category(comparison, files, variable);
    }
}

fn find<'a>(balance: &'a Table, variable: &str, level: &str, weighted: &str) -> Result<Row<'a>, String> {
    balance.row(&[("variable", variable), ("level", level), ("weighted", weighted)])
}

fn number(comparison: &mut Comparison<'_>, files: &Files, variable: &str) {
    let at = format!("/baseline/{variable}");
    let row = find(&files.balance, variable, "", "FALSE");
    let cell = |column: &str| row.clone().and_then(|row| row.number(column));
    let missing = ARMS.map(|arm| cell(&format!("missing_{arm}")));
    let rows = ARMS.map(|arm| files.flow.rows().last().map_or(Err("flow.csv: no row".into()), |row| row.number(arm)));
    let [control, treated] = [0, 1].map(|i| rows[i].clone().and_then(|n| Ok(n - missing[i].clone()?)));
    let all = control.clone().and_then(|n| Ok(n + treated.clone()?));
    for (arm, n) in [("control", control), ("treated", treated), ("all", all)] {
        comparison.exact(&format!("{at}/{arm}/n"), n);
        comparison.number(&format!("{at}/{arm}/mean"), cell(arm));
        comparison.number(&format!("{at}/{arm}/sd"), cell(&format!("{arm}_percent_or_sd")));
        for quantile in ["q25", "median", "q75"] {
            comparison.exact(&format!("{at}/{arm}/{quantile}"), cell(&format!("{arm}_{quantile}")));
        }
    }
    comparison.exact(&format!("{at}/mann_whitney_w"), cell("statistic"));
    comparison.number(&format!("{at}/mann_whitney_p"), cell("p_value"));
    comparison.number(&format!("{at}/smd"), cell("smd"));
    let row = find(&files.balance, variable, "", "TRUE");
    let cell = |column: &str| row.clone().and_then(|row| row.number(column));
    for arm in ARMS {
        comparison.number(&format!("{at}/weighted/{arm}_mean"), cell(arm));
        comparison.number(&format!("{at}/weighted/{arm}_sd"), cell(&format!("{arm}_percent_or_sd")));
    }
    comparison.number(&format!("{at}/weighted/smd"), cell("smd"));
}

fn category(comparison: &mut Comparison<'_>, files: &Files, variable: &str) {
    let at = format!("/baseline/{variable}");
    for (i, level) in comparison.texts(&format!("{at}/levels")).into_iter().enumerate() {
        for arm in ARMS {
            let cell = |weighted| find(&files.balance, variable, level, weighted).and_then(|row| row.number(arm));
            comparison.exact(&format!("{at}/{arm}/{i}"), cell("FALSE"));
            comparison.number(&format!("{at}/weighted/{arm}/{i}"), cell("TRUE"));
        }
    }
    let cell = |weighted, column| find(&files.balance, variable, "", weighted).and_then(|row| row.number(column));
    comparison.number(&format!("{at}/chi_square"), cell("FALSE", "statistic"));
    comparison.number(&format!("{at}/chi_square_p"), cell("FALSE", "p_value"));
    comparison.number(&format!("{at}/smd"), cell("FALSE", "smd"));
    comparison.number(&format!("{at}/weighted/smd"), cell("TRUE", "smd"));
}
