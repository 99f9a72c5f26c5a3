//! Baseline tables against pooled R, and whatever way the rows are spread over sites.

use proptest::prelude::*;
use stats::descriptive::balance::{Spread, cobalt_continuous, raw_differences, smd_categorical, smd_continuous};
use stats::descriptive::categorical::{CategoryRows, Counts, chi_square, counts, counts_len};
use stats::descriptive::fisher::fisher;
use stats::descriptive::grid::ValueGrid;
use stats::descriptive::moments::{Arms, MOMENTS_LEN, MomentRows, Moments, moments};
use stats::descriptive::quantile::{QuantileType, quantile, rows};
use stats::descriptive::rank::mann_whitney;
use stats::evalue::{Ratio, e_value};
use stats::inference::ChiSquare;
use stats::total::Plain;

use crate::compare::Comparison;
use crate::myeloma::Cohort;
use crate::table::{Golden, Table};

/// Numbers with the grid that they are recorded on.
const MYELOMA: [(&str, [f64; 3]); 3] =
    [("age", [18.0, 110.0, 0.1]), ("crcl", [0.0, 300.0, 0.1]), ("lines", [0.0, 20.0, 1.0])];

/// Categories with their levels in the order of R's factor.
const CATEGORIES: [(&str, &[&str]); 7] = [
    ("sex", &["F", "M"]),
    ("iss_stage", &["I", "II", "III"]),
    ("ldh_high", &["0", "1"]),
    ("dara_refr", &["0", "1"]),
    ("asct", &["0", "1"]),
    ("disease_status", &["biochemical_relapse", "refractory", "symptomatic_relapse"]),
    ("fish", &["high", "standard"]),
];

/// The moments about the mean of all rows, which a first pass about 0 finds.
fn arms(x: &[f64], treated: &[bool], w: Option<&[f64]>) -> Arms {
    let pass = |centre: f64| {
        let mut total = Plain::zero(MOMENTS_LEN);
        moments(&MomentRows { x, treated, w }, centre, &mut total);
        Arms::new(&total.0, centre)
    };
    pass(pass(0.0).all().mean().expect("rows"))
}

fn tabulate(level: &[u32], levels: usize, treated: &[bool], w: Option<&[f64]>) -> Vec<f64> {
    let mut total = Plain::zero(counts_len(levels, w.is_some()));
    counts(&CategoryRows { level, treated, w }, levels, &mut total);
    total.0
}

fn histogram(grid: &ValueGrid, x: &[f64], treated: &[bool]) -> Counts {
    let bins: Vec<u32> = x.iter().map(|x| grid.bin(*x).expect("on the grid")).collect();
    Counts::rows(&tabulate(&bins, grid.bins(), treated, None), grid.bins())
}

fn flags(values: &[f64]) -> Vec<bool> {
    values.iter().map(|v| *v == 1.0).collect()
}

fn levels_of(table: &Table, name: &str, levels: &[&str]) -> Vec<u32> {
    let level = |text: &&str| levels.iter().position(|l| l == text).expect("a declared level") as u32;
    table.text(name).iter().map(level).collect()
}

fn describe(
    comparison: &mut Comparison,
    name: &str,
    moments: &Moments,
    grid: &ValueGrid,
    bins: &[f64],
    golden: &Golden,
) {
    assert_eq!(moments.n, golden.number("n"), "{name}");
    assert_eq!(rows(bins), golden.number("n"), "{name}");
    comparison.number(&format!("{name} mean"), moments.mean().expect("rows"), golden.number("mean"));
    comparison.number(&format!("{name} sd"), moments.sd().expect("rows"), golden.number("sd"));
    for (key, p) in [("q25", 0.25), ("median", 0.5), ("q75", 0.75)] {
        let quantile = quantile(grid, bins, p, QuantileType::Linear).expect("rows");
        // The golden file holds 15 digits of R's value.
        assert_eq!(format!("{quantile:.12}"), format!("{:.12}", golden.number(key)), "{name} {key}");
    }
}

#[test]
fn baseline_numbers() {
    let cohort = Cohort::read();
    let treated = flags(&cohort.treated);
    let (w, ..) = cohort.weights(true);
    let golden = Golden::read("golden/relapsed-myeloma.json").at("baseline");
    let mut comparison = Comparison::new();
    for (name, [low, high, resolution]) in MYELOMA {
        let golden = golden.at(name);
        let x = cohort.table.numbers(name);
        let grid = ValueGrid::new(low, high, resolution).expect("a grid");
        let bins = histogram(&grid, &x, &treated);
        let unweighted = arms(&x, &treated, None);
        let mut group = |group: &str, moments: &Moments, bins: &[f64]| {
            describe(&mut comparison, &format!("{name} {group}"), moments, &grid, bins, &golden.at(group));
        };
        group("all", &unweighted.all(), &bins.all());
        group("control", &unweighted.control, &bins.control);
        group("treated", &unweighted.treated, &bins.treated);
        for (continuity, key) in [(false, "mann_whitney_p"), (true, "mann_whitney_p_continuity")] {
            let test = mann_whitney(&bins.control, &bins.treated, continuity).expect("two arms");
            assert_eq!(test.w, golden.number("mann_whitney_w"), "{name}");
            comparison.number(&format!("{name} {key}"), test.p_value, golden.number(key));
        }
        comparison.number(&format!("{name} smd"), smd_continuous(&unweighted).expect("varies"), golden.number("smd"));
        let (weighted, golden) = (arms(&x, &treated, Some(&w)), golden.at("weighted"));
        for (key, got) in [
            ("control_mean", weighted.control.mean()),
            ("treated_mean", weighted.treated.mean()),
            ("control_sd", weighted.control.sd()),
            ("treated_sd", weighted.treated.sd()),
            ("smd", smd_continuous(&weighted)),
        ] {
            comparison.number(&format!("{name} weighted {key}"), got.expect("varies"), golden.number(key));
        }
    }
    comparison.report("myeloma baseline numbers");
}

#[test]
fn baseline_categories() {
    let cohort = Cohort::read();
    let treated = flags(&cohort.treated);
    let (w, ..) = cohort.weights(true);
    let golden = Golden::read("golden/relapsed-myeloma.json").at("baseline");
    let mut comparison = Comparison::new();
    for (name, levels) in CATEGORIES {
        let golden = golden.at(name);
        let level = levels_of(&cohort.table, name, levels);
        let sums = tabulate(&level, levels.len(), &treated, Some(&w));
        let Counts { control, treated } = Counts::rows(&sums, levels.len());
        assert_eq!((&control, &treated), (&golden.list("control"), &golden.list("treated")), "{name}");
        let plain = chi_square(&control, &treated, false).expect("two levels");
        let yates = chi_square(&control, &treated, true).expect("two levels");
        for (key, got) in [
            ("chi_square", plain.statistic),
            ("chi_square_p", plain.p_value),
            ("chi_square_p_yates", yates.p_value),
            ("fisher_p", fisher(&control, &treated).expect("small")),
            ("smd", smd_categorical(&control, &treated).expect("overlap")),
        ] {
            comparison.number(&format!("{name} {key}"), got, golden.number(key));
        }
        let (weights, golden) = (Counts::weights(&sums, levels.len()), golden.at("weighted"));
        comparison.list(&format!("{name} weighted control"), &weights.control, &golden.list("control"));
        comparison.list(&format!("{name} weighted treated"), &weights.treated, &golden.list("treated"));
        let smd = smd_categorical(&weights.control, &weights.treated).expect("overlap");
        comparison.number(&format!("{name} weighted smd"), smd, golden.number("smd"));
    }
    comparison.report("myeloma baseline categories");
}

#[test]
fn weights() {
    let cohort = Cohort::read();
    let treated = flags(&cohort.treated);
    let golden = Golden::read("golden/relapsed-myeloma.json").at("weights");
    let mut comparison = Comparison::new();
    let (stabilised, propensity, _) = cohort.weights(true);
    let (unstabilised, ..) = cohort.weights(false);
    // Weight of a patient whose own arm has probability `own`.
    let family = |weight: fn(f64, bool) -> f64| -> Vec<f64> {
        let own = |(e, treated): (&f64, &bool)| weight(if *treated { *e } else { 1.0 - e }, *treated);
        propensity.e.iter().zip(&treated).map(own).collect()
    };
    for (kind, w) in [
        ("stabilized", stabilised),
        ("unstabilized", unstabilised),
        ("att", family(|own, treated| if treated { 1.0 } else { (1.0 - own) / own })),
        ("atc", family(|own, treated| if treated { (1.0 - own) / own } else { 1.0 })),
        ("ato", family(|own, _| 1.0 - own)),
        ("atm", family(|own, _| own.min(1.0 - own) / own)),
    ] {
        let golden = golden.at(kind);
        // The weights alone: any number serves as the value.
        let sums = arms(&w, &treated, Some(&w));
        for (key, got) in [
            ("sum_control", sums.control.sum_w),
            ("sum_treated", sums.treated.sum_w),
            ("ess_control", sums.control.effective_sample_size().expect("rows")),
            ("ess_treated", sums.treated.effective_sample_size().expect("rows")),
        ] {
            comparison.number(&format!("{kind} {key}"), got, golden.number(key));
        }
        // Quantiles are those of the weights rounded to the grid: half a bin off at most.
        let grid = ValueGrid::new(0.0, 100.0, 0.001).expect("a grid");
        let bins = histogram(&grid, &w, &treated).all();
        for (key, p, kind) in [
            ("q01_type3", 0.01, QuantileType::Nearest),
            ("q99_type3", 0.99, QuantileType::Nearest),
            ("q99_type7", 0.99, QuantileType::Linear),
        ] {
            let got = quantile(&grid, &bins, p, kind).expect("rows");
            assert!((got - golden.number(key)).abs() < 0.000_501, "{key}: {got}");
        }
    }
    comparison.report("myeloma weights");
}

fn more_numbers(comparison: &mut Comparison, name: &str, x: &[f64], treated: &[bool], grid: [f64; 3], golden: &Golden) {
    let probabilities = Golden::read("golden/descriptive.json").list("probs");
    let grid = ValueGrid::new(grid[0], grid[1], grid[2]).expect("a grid");
    let bins = histogram(&grid, x, treated);
    for (key, kind) in [("type3", QuantileType::Nearest), ("type7", QuantileType::Linear)] {
        for (key, bins) in [(key.to_owned(), &bins.all()), (format!("control_{key}"), &bins.control)] {
            for (p, expected) in probabilities.iter().zip(golden.list(&key)) {
                let got = quantile(&grid, bins, *p, kind).expect("rows");
                assert!((got - expected).abs() <= 1e-14 * expected.abs(), "{name} {key} {p}: {got} {expected}");
            }
        }
    }
    for (continuity, key) in [(false, "p"), (true, "p_continuity")] {
        let test = mann_whitney(&bins.control, &bins.treated, continuity).expect("two arms");
        assert_eq!(test.w, golden.number("w"), "{name}");
        comparison.number(&format!("{name} {key}"), test.p_value, golden.number(key));
    }
    let arms = arms(x, treated, None);
    for (key, got) in [("mean", arms.all().mean()), ("sd", arms.all().sd()), ("smd", smd_continuous(&arms))] {
        comparison.number(&format!("{name} {key}"), got.expect("varies"), golden.number(key));
    }
}

#[test]
fn quantiles_and_ranks_of_more_rows() {
    let golden = Golden::read("golden/descriptive.json").at("numbers");
    let mut comparison = Comparison::new();
    let table = Table::read("relapsed-myeloma-596.csv");
    let treated = flags(&table.is("regimen", "IsaPd"));
    for (name, grid) in MYELOMA {
        let golden = golden.at("myeloma").at(name);
        more_numbers(&mut comparison, name, &table.numbers(name), &treated, grid, &golden);
    }
    let table = Table::read("rotterdam.csv");
    let treated = flags(&table.numbers("chemo"));
    for name in ["age", "nodes", "pgr", "er"] {
        let golden = golden.at("rotterdam").at(name);
        more_numbers(&mut comparison, name, &table.numbers(name), &treated, [0.0, 6000.0, 1.0], &golden);
    }
    comparison.report("quantiles, ranks and moments");
}

#[test]
fn tables() {
    let golden = Golden::read("golden/descriptive.json").at("tables");
    let names = "small zero_cell far even large three empty_level empty_first four six rare five"
        .split(' ')
        .collect::<Vec<_>>();
    let mut comparison = Comparison::new();
    for name in names {
        let golden = golden.at(name);
        let (control, treated) = (golden.list("control"), golden.list("treated"));
        let test = |yates| chi_square(&control, &treated, yates).expect("two levels");
        let (plain, yates): (ChiSquare, ChiSquare) = (test(false), test(true));
        for (key, got) in [
            ("chi_square", plain.statistic),
            ("chi_square_p", plain.p_value),
            ("yates", yates.statistic),
            ("yates_p", yates.p_value),
            ("fisher_p", fisher(&control, &treated).expect("small")),
            ("smd", smd_categorical(&control, &treated).expect("overlap")),
        ] {
            comparison.number(&format!("{name} {key}"), got, golden.number(key));
        }
        // The arms may be exchanged.
        let (a, b) = (fisher(&control, &treated).expect("small"), fisher(&treated, &control).expect("small"));
        assert!((a / b - 1.0).abs() < 1e-11, "{name}: {a} {b}");
    }
    comparison.report("2 x k tables");
}

#[test]
fn cobalt() {
    let cohort = Cohort::read();
    let treated = flags(&cohort.treated);
    let (w, ..) = cohort.weights(true);
    let golden = Golden::read("golden/descriptive.json").at("cobalt");
    let mut comparison = Comparison::new();
    for (name, _) in MYELOMA {
        let x = cohort.table.numbers(name);
        let (unweighted, weighted) = (arms(&x, &treated, None), arms(&x, &treated, Some(&w)));
        let golden = golden.at(name);
        let cobalt = |arms: &Arms, spread: Spread| cobalt_continuous(arms, spread.deviation(&unweighted, &weighted)?);
        let mut number = |key: &str, smd: Option<f64>| {
            comparison.number(&format!("{name} {key}"), smd.expect("varies"), golden.number(key));
        };
        number("before", cobalt(&unweighted, Spread::Pooled));
        number("pooled", cobalt(&weighted, Spread::Pooled));
        number("control", cobalt(&weighted, Spread::Control));
        number("treated", cobalt(&weighted, Spread::Treated));
        number("weighted", cobalt(&weighted, Spread::Weighted));
    }
    for (name, levels) in CATEGORIES.into_iter().filter(|(name, _)| golden.has(name)) {
        let sums = tabulate(&levels_of(&cohort.table, name, levels), levels.len(), &treated, Some(&w));
        for (key, counts) in
            [("before", Counts::rows(&sums, levels.len())), ("after", Counts::weights(&sums, levels.len()))]
        {
            let differences = raw_differences(&counts.control, &counts.treated).expect("two arms");
            comparison.list(&format!("{name} {key}"), &differences, &golden.at(name).list(key));
        }
    }
    comparison.report("cobalt");
}

#[test]
fn e_values() {
    let golden = Golden::read("golden/descriptive.json").at("e_values");
    let cases = golden.at("cases");
    let (estimate, low, high) = (cases.list("estimate"), cases.list("conf_low"), cases.list("conf_high"));
    let mut comparison = Comparison::new();
    for (key, ratio) in
        [("risk", Ratio::Risk), ("common_odds", Ratio::CommonOdds), ("common_hazard", Ratio::CommonHazard)]
    {
        let values: Vec<_> =
            (0..estimate.len()).map(|i| e_value(ratio, estimate[i], low[i], high[i]).expect("ordered")).collect();
        let golden = golden.at(key);
        let mut column =
            |name: &str, got: Vec<f64>| comparison.list(&format!("{key} {name}"), &got, &golden.list(name));
        column("risk_ratio", values.iter().map(|v| v.risk_ratio).collect());
        column("estimate", values.iter().map(|v| v.estimate).collect());
        column("limit", values.iter().map(|v| v.limit).collect());
    }
    comparison.report("E-values");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Site 0 has no rows; the others have what falls to them.
    #[test]
    fn any_split_equals_pooled(
        sites in 1usize..=40,
        rows in prop::collection::vec((0usize..1000, 0u32..50, any::<bool>(), 0.0f64..9.0), 0..700),
    ) {
        let pick = |site: Option<usize>| -> (Vec<f64>, Vec<u32>, Vec<bool>, Vec<f64>) {
            let mut own = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for (at, bin, treated, w) in rows.iter().filter(|row| site.is_none_or(|site| 1 + row.0 % sites == site)) {
                // Weights below 1 become 0: such a row is left out.
                let w = if *w < 1.0 { 0.0 } else { *w };
                own.0.push(60.0 + f64::from(*bin) / 10.0 + *at as f64);
                own.1.push(*bin);
                own.2.push(*treated);
                own.3.push(w);
            }
            own
        };
        let sum = |parts: Vec<Option<usize>>| {
            let (mut powers, mut levels) = (Plain::zero(MOMENTS_LEN), Plain::zero(counts_len(50, true)));
            for site in parts {
                let (x, level, treated, w) = pick(site);
                moments(&MomentRows { x: &x, treated: &treated, w: Some(&w) }, 500.0, &mut powers);
                counts(&CategoryRows { level: &level, treated: &treated, w: Some(&w) }, 50, &mut levels);
            }
            (powers.0, levels.0)
        };
        let (pooled, split) = (sum(vec![None]), sum((0..=sites).map(Some).collect()));
        // Rows are counted exactly, so quantiles and ranks are the same bits.
        prop_assert_eq!(&pooled.1[..100], &split.1[..100]);
        for (a, b) in pooled.1.iter().zip(&split.1) {
            prop_assert!((a - b).abs() <= 1e-12 * a.abs());
        }
        let (pooled, split) = (Arms::new(&pooled.0, 500.0), Arms::new(&split.0, 500.0));
        for (a, b) in [(pooled.control, split.control), (pooled.treated, split.treated), (pooled.all(), split.all())] {
            prop_assert_eq!(a.n, b.n);
            for (a, b) in [(a.mean(), b.mean()), (a.sd(), b.sd()), (a.effective_sample_size(), b.effective_sample_size())] {
                prop_assert_eq!(a.is_some(), b.is_some());
                if let (Some(a), Some(b)) = (a, b) {
                    prop_assert!((a - b).abs() <= 1e-11 * a.abs().max(1e-3));
                }
            }
        }
    }

    /// Histogram quantiles are those of the sorted rows.
    #[test]
    fn quantiles_of_sorted_rows(mut values in prop::collection::vec(0u32..200, 1..60), p in 0.0f64..=1.0) {
        let grid = ValueGrid::new(0.0, 20.0, 0.1).expect("a grid");
        let mut counts = vec![0.0; grid.bins()];
        for value in &values {
            counts[*value as usize] += 1.0;
        }
        values.sort_unstable();
        let place = (values.len() - 1) as f64 * p;
        let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
        let expected = (f64::from(low) + (place - place.floor()) * f64::from(high - low)) / 10.0;
        let got = quantile(&grid, &counts, p, QuantileType::Linear).expect("rows");
        prop_assert!((got - expected).abs() < 1e-12);
    }
}
