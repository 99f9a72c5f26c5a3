//! Compares the files of a run with the golden numbers of pooled R.
//!
//! Exit 0: equal. Exit 1: a number differs, or a golden entry has no counterpart. Exit 2: the comparison could not start.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use entente_tests::golden::{self, Study, TOLERANCE};

/// Compare the CSV files of a run with what pooled R computes on the same rows.
#[derive(Parser)]
#[command(name = "compare-golden")]
struct Arguments {
    /// Folder that the run wrote its results to.
    out: PathBuf,
    /// Golden file, for example `tests/reference/golden/relapsed-myeloma.json`.
    golden: PathBuf,
    /// Further golden files of the same study, for example `tests/reference/golden/weights.json`.
    further: Vec<PathBuf>,
    /// Part of the golden file that the run has: survival_day, curves, myeloma/day and so on; the study's first unless given.
    #[arg(long)]
    section: Option<String>,
    /// relapsed-myeloma, rotterdam, lung, modification or competing; from the golden file's name unless given.
    #[arg(long)]
    study: Option<Study>,
    /// Largest relative difference that counts as equal.
    #[arg(long, default_value_t = TOLERANCE)]
    tolerance: f64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("compare-golden: {why}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let stem = arguments.golden.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let study = arguments.study.map_or_else(|| stem.parse(), Ok)?;
    let section = arguments.section.as_deref().unwrap_or(study.sections()[0]);
    let report = golden::compare_with(
        &arguments.out,
        &arguments.golden,
        &arguments.further,
        study,
        section,
        arguments.tolerance,
    )
    .map_err(|e| e.to_string())?;
    println!("{} ({section}) against {}", arguments.out.display(), arguments.golden.display());
    println!("{report}");
    Ok(report.passed())
}
