//! Proportional-hazards tests and concordance against pooled R.

use std::slice::from_ref;

use stats::concordance::{self, Pairs, PredictorGrid};
use stats::cox::{self, Curves, EventCells, Ties};
use stats::fit::Fit;
use stats::zph::{self, Tests, Transform};

use crate::compare::Comparison;
use crate::myeloma::Cohort;
use crate::sites::{Rows, centred, fit_cox, fit_stratified, naive, robust, summed};
use crate::table::{Golden, Table};

const TRANSFORMS: [(&str, Transform); 4] = [
    ("km", Transform::KaplanMeier),
    ("identity", Transform::Identity),
    ("rank", Transform::Rank),
    ("log", Transform::Log),
];

/// A fitted model with what is known of its event cells.
struct Model {
    fit: Fit,
    events: EventCells,
    cells: usize,
    leavers: Vec<f64>,
}

impl Model {
    fn fit(sites: &[Rows], scale: &[f64], ties: Ties, stratified: bool) -> Self {
        let weighted = sites.iter().any(|site| site.w.is_some());
        let fit = if stratified {
            fit_stratified(sites, scale, ties)
        } else {
            fit_cox(sites, scale, ties, if weighted { robust() } else { naive() })
        };
        let cells = sites.iter().flat_map(|site| &site.exit).max().map_or(0, |last| *last as usize + 1);
        let deaths = summed(sites, cells, |site, total| site.cox(|rows| cox::deaths(rows, cells, total)));
        let mut events = EventCells::new((0..cells as u32).collect(), deaths, ties);
        events.weight = summed(sites, events.cells.len(), |site, total| {
            site.cox(|rows| cox::death_weights(rows, &events.cells, total));
        });
        let late_entry = sites.iter().any(|site| site.entry.is_some());
        let leavers = summed(sites, zph::leavers_len(cells, late_entry), |site, total| {
            site.cox(|rows| zph::leavers(rows, cells, total));
        });
        Self { fit: fit.expect("regular"), events, cells, leavers }
    }

    fn pooled_tests(&self, sites: &[Rows], kind: Transform, terms: &[Vec<usize>]) -> Tests {
        let (events, beta, p) = (&self.events, &self.fit.beta, self.fit.beta.len());
        let g = zph::transform(kind, events, self.cells, &self.leavers).expect("events spread");
        let risk = summed(sites, cox::risk_len(p, events), |site, total| {
            site.cox(|rows| cox::risk(rows, events, beta, total));
        });
        let curves = Curves::derive(events, p, &risk).expect("finite");
        let mut sums = summed(sites, cox::trend_len(p), |site, total| {
            site.cox(|rows| cox::trend(rows, events, &curves, &g, beta, total));
        });
        for (sum, correction) in sums.iter_mut().zip(curves.trend_correction(&g)) {
            *sum += correction;
        }
        zph::tests(&self.fit.information, &sums, p, terms)
    }

    fn stratified_tests(&self, sites: &[Rows], kind: Transform, terms: &[Vec<usize>]) -> Tests {
        let (beta, p) = (&self.fit.beta, self.fit.beta.len());
        let g = zph::transform(kind, &self.events, self.cells, &self.leavers).expect("events spread");
        let sums = summed(sites, cox::trend_len(p), |site, total| {
            site.cox(|rows| cox::stratified_trend(rows, self.events.ties, &self.events.cells, &g, beta, total));
        });
        zph::tests(&self.fit.information, &sums, p, terms)
    }

    fn pairs(&self, sites: &[Rows], grid: &PredictorGrid) -> Pairs {
        let cells = &self.events.cells;
        let sums = summed(sites, concordance::table_len(cells.len(), grid), |site, total| {
            site.cox(|rows| concordance::table(rows, cells, grid, &self.fit.beta, total));
        });
        concordance::pairs(&sums, cells.len(), grid)
    }

    fn stratified_pairs(&self, sites: &[Rows]) -> Pairs {
        let sums =
            summed(sites, 3, |site, total| site.cox(|rows| concordance::stratified(rows, &self.fit.beta, total)));
        concordance::stratified_pairs([sums[0], sums[1], sums[2]])
    }
}

fn compare_tests(comparison: &mut Comparison, name: &str, tests: &Tests, [chisq, df, p]: [Vec<f64>; 3]) {
    let all: Vec<_> = tests.terms.iter().copied().chain([tests.global]).map(|test| test.expect("regular")).collect();
    comparison.list(&format!("{name} chi-square"), &all.iter().map(|t| t.statistic).collect::<Vec<_>>(), &chisq);
    comparison.list(&format!("{name} p"), &all.iter().map(|t| t.p_value).collect::<Vec<_>>(), &p);
    assert_eq!(all.iter().map(|t| t.df as f64).collect::<Vec<_>>(), df, "{name}");
}

/// Holds the number on the grid to its own bound; returns the distance.
fn compare_concordance(name: &str, pairs: &Pairs, expected: f64) -> f64 {
    let (got, bound) = (pairs.concordance().expect("pairs"), pairs.bound().expect("pairs"));
    let distance = (got - expected).abs();
    // The bound is attained to rounding when all pairs of a bin are truly ordered one way.
    assert!(distance <= bound + 1e-12, "{name}: {got} instead of {expected}, bound {bound:e}");
    distance
}

/// Checks a model of the committed golden files, which hold the default transform and the concordance.
fn compare_model(comparison: &mut Comparison, name: &str, sites: &[Rows], model: &Setup, golden: &Golden) -> f64 {
    let fitted = Model::fit(sites, &model.scale, model.ties, model.stratified);
    let tests = if model.stratified {
        fitted.stratified_tests(sites, Transform::KaplanMeier, &model.terms)
    } else {
        fitted.pooled_tests(sites, Transform::KaplanMeier, &model.terms)
    };
    compare_tests(comparison, name, &tests, ["zph_chisq", "zph_df", "zph_p"].map(|key| golden.list(key)));
    let expected = golden.number("concordance");
    if model.stratified {
        let got = fitted.stratified_pairs(sites).concordance().expect("pairs");
        comparison.number(&format!("{name} concordance"), got, expected);
        return 0.0;
    }
    let grid = PredictorGrid::new(-6.0, 0.002, 6000).expect("a grid");
    compare_concordance(name, &fitted.pairs(sites, &grid), expected)
}

struct Setup {
    scale: Vec<f64>,
    ties: Ties,
    stratified: bool,
    terms: Vec<Vec<usize>>,
}

/// Columns in terms of the given sizes.
fn terms(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut first = 0;
    sizes
        .iter()
        .map(|size| {
            first += size;
            (first - size..first).collect()
        })
        .collect()
}

#[test]
fn myeloma() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/relapsed-myeloma.json");
    let sites = cohort.table.text("site");
    let mut comparison = Comparison::new();
    let mut worst: f64 = 0.0;
    for (key, grid) in [("survival_day", 1.0), ("survival_month", 30.4375)] {
        for (outcome, time, event) in [("pfs", "pfs_days", "pfs_event"), ("os", "os_days", "death")] {
            let rows = cohort.survival(time, event, grid);
            let golden = golden.at(key).at(outcome);
            let (one, ten) = (terms(&[1]), terms(&[1, 1, 1, 1, 2, 1, 1, 1, 1]));
            let treatment = vec![cohort.treated.clone()];
            for (model, columns, terms, ties, stratified) in [
                ("unadjusted", treatment.clone(), &one, Ties::Efron, false),
                ("unadjusted_breslow", treatment, &one, Ties::Breslow, false),
                ("adjusted", cohort.adjusted(), &ten, Ties::Efron, false),
                ("adjusted_breslow", cohort.adjusted(), &ten, Ties::Breslow, false),
                ("adjusted_stratified_by_site", cohort.adjusted(), &ten, Ties::Efron, true),
            ] {
                let (columns, _, scale) = centred(&columns);
                let split = Rows { columns, ..rows.clone() }.split(&sites);
                let setup = Setup { scale, ties, stratified, terms: terms.clone() };
                let name = format!("{key} {outcome} {model}");
                worst = worst.max(compare_model(&mut comparison, &name, &split, &setup, &golden.at(model)));
            }
        }
    }
    comparison.report("myeloma checking");
    println!("myeloma concordance on a grid of 0.002: largest distance {worst:.1e}");
}

/// Patients of rotterdam on a grid.
struct Rotterdam {
    table: Table,
    rows: Rows,
    scale: Vec<f64>,
    w: Vec<f64>,
}

impl Rotterdam {
    fn read(grid: f64) -> Self {
        let table = Table::read("rotterdam.csv");
        let mut covariates = vec![table.numbers("age"), table.numbers("meno")];
        covariates.extend([table.is("size_c", "20-50"), table.is("size_c", ">50")]);
        covariates.extend(["nodes", "grade", "hormon"].map(|name| table.numbers(name)));
        let chemo = table.numbers("chemo");

        let (z, _, scale) = crate::sites::with_intercept(&covariates);
        let rows = Rows { columns: z.clone(), y: chemo.clone(), ..Rows::default() };
        let ps = crate::sites::fit_logistic(&[rows], &scale, naive()).expect("regular");
        let share = chemo.iter().sum::<f64>() / chemo.len() as f64;
        let weight = |(a, e): (&f64, f64)| if *a == 1.0 { share / e } else { (1.0 - share) / (1.0 - e) };
        let w = chemo.iter().zip(crate::myeloma::scores(&z, &ps.beta)).map(weight).collect();

        let mut terms = vec![chemo];
        terms.extend(covariates);
        let (columns, _, scale) = centred(&terms);
        let exit = table.numbers("t").iter().map(|t| (t / grid).ceil() as u32).collect();
        let event = table.numbers("s").iter().map(|s| *s == 1.0).collect();
        Self { table, rows: Rows { columns, exit, event, ..Rows::default() }, scale, w }
    }

    fn setup(&self, ties: Ties, stratified: bool) -> Setup {
        Setup { scale: self.scale.clone(), ties, stratified, terms: terms(&[1, 1, 1, 2, 1, 1, 1]) }
    }
}

#[test]
fn rotterdam() {
    let golden = Golden::read("golden/rotterdam.json");
    let mut comparison = Comparison::new();
    let mut worst: f64 = 0.0;
    for (name, grid) in [("day", 1.0), ("month", 30.4375), ("quarter", 91.3125)] {
        let study = Rotterdam::read(grid);
        let golden = golden.at(name);
        for (key, ties) in [("efron", Ties::Efron), ("breslow", Ties::Breslow)] {
            let weighted = Rows { w: Some(study.w.clone()), ..study.rows.clone() };
            for (key, rows) in [(key.to_owned(), &study.rows), (format!("{key}_weighted"), &weighted)] {
                let setup = study.setup(ties, false);
                let label = format!("{name} {key}");
                worst = worst.max(compare_model(&mut comparison, &label, from_ref(rows), &setup, &golden.at(&key)));
            }
        }
        let split = study.rows.split(&study.table.text("site"));
        let setup = study.setup(Ties::Efron, true);
        compare_model(&mut comparison, &format!("{name} strata"), &split, &setup, &golden.at("stratified_by_site"));
    }
    comparison.report("rotterdam checking");
    println!("rotterdam concordance on a grid of 0.002: largest distance {worst:.1e}");
}

#[test]
fn lung() {
    let table = Table::read("lung.csv").complete("ecog");
    let columns = ["sex", "age", "ecog"].map(|name| table.numbers(name));
    let (columns, _, scale) = centred(&columns);
    let rows = Rows {
        columns,
        exit: table.numbers("time").iter().map(|t| *t as u32).collect(),
        event: table.numbers("status").iter().map(|s| *s == 1.0).collect(),
        ..Rows::default()
    };
    let setup = Setup { scale, ties: Ties::Efron, stratified: false, terms: terms(&[1, 1, 1]) };
    let mut comparison = Comparison::new();
    let golden = Golden::read("golden/lung.json").at("cox");
    compare_model(&mut comparison, "lung", &rows.split(&table.text("site")), &setup, &golden);
    comparison.report("lung checking");
}

/// All transforms, weights within strata, and late entry: `golden_checking.R`.
#[test]
fn transforms_strata_and_late_entry() {
    let golden = Golden::read("golden/checking.json").at("quarter");
    let study = Rotterdam::read(91.3125);
    let third = study.table.numbers("pid").into_iter().map(|pid| pid % 3.0 == 0.0);
    let entry = third.zip(&study.rows.exit).map(|(late, exit)| if late { exit / 4 } else { 0 }).collect();
    let plain = study.rows.clone();
    let late = Rows { entry: Some(entry), ..plain.clone() };
    let weighted = |rows: &Rows| Rows { w: Some(study.w.clone()), ..rows.clone() };
    let mut comparison = Comparison::new();
    for (name, rows, ties, stratified) in [
        ("efron", plain.clone(), Ties::Efron, false),
        ("breslow", plain.clone(), Ties::Breslow, false),
        ("efron_weighted", weighted(&plain), Ties::Efron, false),
        ("breslow_weighted", weighted(&plain), Ties::Breslow, false),
        ("stratified_by_site", plain.clone(), Ties::Efron, true),
        ("stratified_weighted", weighted(&plain), Ties::Efron, true),
        ("entry", late.clone(), Ties::Efron, false),
        ("entry_weighted", weighted(&late), Ties::Efron, false),
    ] {
        let golden = golden.at(name);
        let sites = rows.split(&study.table.text("site"));
        let setup = study.setup(ties, stratified);
        let model = Model::fit(&sites, &setup.scale, ties, stratified);
        comparison.list(&format!("{name} estimate"), &model.fit.beta, &golden.list("estimate"));
        for (key, kind) in TRANSFORMS {
            let tests = if stratified {
                model.stratified_tests(&sites, kind, &setup.terms)
            } else {
                model.pooled_tests(&sites, kind, &setup.terms)
            };
            let golden = golden.at(key);
            compare_tests(
                &mut comparison,
                &format!("{name} {key}"),
                &tests,
                ["chisq", "df", "p"].map(|k| golden.list(k)),
            );
        }
        // All rows at one site: the exact count serves every model but those that are stratified.
        let pairs = if stratified { model.stratified_pairs(&sites) } else { model.stratified_pairs(from_ref(&rows)) };
        for (key, got) in [("concordant", pairs.concordant), ("discordant", pairs.discordant), ("tied", pairs.tied)] {
            comparison.number(&format!("{name} {key}"), got, golden.number(key));
        }
        comparison.number(name, pairs.concordance().expect("pairs"), golden.number("concordance"));
        for (width, bins) in [(0.5, 24), (0.02, 600)] {
            let grid = PredictorGrid::new(-6.0, width, bins).expect("a grid");
            if !stratified {
                compare_concordance(name, &model.pairs(&sites, &grid), golden.number("concordance"));
            }
        }
    }
    comparison.report("checking");
}

/// However the rows are spread, with empty sites first, the tests and the pairs are the same.
#[test]
fn any_split_equals_pooled() {
    let study = Rotterdam::read(30.4375);
    let rows = Rows { w: Some(study.w.clone()), ..study.rows.clone() };
    let setup = study.setup(Ties::Efron, false);
    let grid = PredictorGrid::new(-4.0, 0.05, 160).expect("a grid");
    let n = rows.exit.len();
    let answers = |sites: &[Rows]| {
        let model = Model::fit(sites, &setup.scale, setup.ties, false);
        let tests = TRANSFORMS.map(|(_, kind)| model.pooled_tests(sites, kind, &setup.terms));
        let mut numbers: Vec<f64> = tests
            .iter()
            .flat_map(|tests| tests.terms.iter().chain([&tests.global]))
            .map(|test| test.expect("regular").statistic)
            .collect();
        let pairs = model.pairs(sites, &grid);
        numbers.extend([pairs.concordant, pairs.discordant, pairs.tied]);
        numbers
    };
    let pooled = answers(from_ref(&rows));
    for step in [1, 7, 40] {
        let mut sites = vec![rows.pick(&[]), rows.pick(&[n - 1])];
        sites.extend((0..step).map(|k| rows.pick(&(0..n - 1).filter(|i| i % step == k).rev().collect::<Vec<_>>())));
        for (a, b) in pooled.iter().zip(answers(&sites)) {
            assert!((a / b - 1.0).abs() < 1e-10, "{a} {b}");
        }
    }
}

/// One stratum is the model without strata, whatever its columns are measured from.
#[test]
fn one_stratum_equals_pooled() {
    let study = Rotterdam::read(30.4375);
    let entry = study.rows.exit.iter().map(|exit| exit / 3).collect();
    let rows = Rows { w: Some(study.w.clone()), entry: Some(entry), ..study.rows.clone() };
    let setup = study.setup(Ties::Efron, false);
    let model = Model::fit(from_ref(&rows), &setup.scale, setup.ties, false);
    for (_, kind) in TRANSFORMS {
        let pooled = model.pooled_tests(from_ref(&rows), kind, &setup.terms);
        let stratum = model.stratified_tests(from_ref(&rows), kind, &setup.terms);
        for (a, b) in pooled.terms.iter().chain([&pooled.global]).zip(stratum.terms.iter().chain([&stratum.global])) {
            let (a, b) = (a.expect("regular").statistic, b.expect("regular").statistic);
            assert!((a / b - 1.0).abs() < 1e-10, "{a} {b}");
        }
    }
}

/// A column that varies in one risk set has no course over time; the other columns keep their tests.
#[test]
fn a_column_without_a_course_has_no_test() {
    // Both rows with x = 1 leave in the first cell, one by the event, together with a death that has x = 0.
    let x = [1, 1, 0, 0, 0, 0, 0, 0].map(f64::from).to_vec();
    let z = [0, 1, 1, 0, 2, 0, 1, 3].map(f64::from).to_vec();
    let rows = Rows {
        columns: vec![x, z],
        exit: vec![1, 1, 1, 3, 4, 5, 6, 7],
        event: [1, 0, 1, 1, 1, 0, 1, 1].map(|d| d == 1).to_vec(),
        ..Rows::default()
    };
    let model = Model::fit(from_ref(&rows), &[1.0, 1.0], Ties::Efron, false);
    let tests = model.pooled_tests(from_ref(&rows), Transform::KaplanMeier, &terms(&[1, 1]));
    assert_eq!((tests.terms[0], tests.global), (None, None));
    assert!(tests.terms[1].is_some());
}
