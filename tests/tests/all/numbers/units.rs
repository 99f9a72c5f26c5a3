//! The unit of measurement of a column changes nothing but numbers in that unit.

use entente_tests::federation::Rows;
use study::plan::Plan;
use study::protocol::Protocol;
use study::results::{EstimateRow, Results, Variance};

use super::{close, estimate, results, run, sites, text};
use crate::small::{rows, text_with};

#[test]
fn a_covariate_in_mol_per_litre_is_that_of_r() {
    let results = results(&text("13-small-units", "protocol.toml"), &sites("13-small-units"));
    for (term, coefficient, naive, robust) in [
        ("arm:A", -0.377_901_476_082, 0.297_656_661_424, 0.299_624_467_663),
        ("age", -0.037_395_646_825_1, 0.017_182_191_135_9, 0.017_087_477_996_7),
        ("x", 2_857_658_439.47, 1_099_900_742.65, 1_071_200_992.63),
    ] {
        for (variance, std_error) in [(Variance::Naive, naive), (Variance::Robust, robust)] {
            let row = estimate(&results, "adjusted", term, variance);
            // as many digits as the expected values have
            close(row.estimate, coefficient, 3e-12, term);
            close(row.std_error, std_error, 3e-12, term);
        }
    }
}

/// Every model that takes a covariate, with everything that is computed beside them.
const MODELS: &str = r#"
[propensity]
covariates = ["age", "crcl", "sex"]
bins = 4

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["unadjusted", "iptw", "adjusted", "iptw_adjusted"]
covariates = ["age", "crcl"]
variance = ["robust", "survey", "cluster_site", "m_estimation"]
marginal = ["g_formula", "aipw"]

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["firth"]
covariates = ["age", "crcl"]
ridge = 2
effect_modifier = "crcl"
effect_at = [EFFECT_AT]

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["unadjusted", "iptw", "adjusted", "stratified", "iptw_adjusted"]
covariates = ["age", "crcl", "sex"]
variance = ["robust", "cluster_site", "m_estimation"]
standardise_days = [360]
standardise_rmst_days = 720
zph = ["km", "identity"]
concordance = 0.1

[[analysis]]
kind = "cox"
outcome = "pfs"
covariates = ["age", "crcl", "sex"]
ridge = 2
effect_modifier = "crcl"
effect_at = [EFFECT_AT]

[[analysis]]
kind = "fine_gray"
outcome = "cause"
cause = "event"
models = ["unadjusted", "iptw", "adjusted"]
covariates = ["age", "crcl"]
variance = ["robust"]

[[analysis]]
kind = "kaplan_meier"
outcome = "pfs"
weighted = [false, true]
times_days = [360]

[[analysis]]
kind = "baseline"
variables = ["age", "crcl", "sex"]

[[scenario]]
name = "imputed"
impute = ["aux", "iss_stage"]
draws = 2
covariates = ["age", "crcl", "aux", "iss_stage"]
outcomes = ["response", "pfs"]
models = ["iptw", "adjusted"]

[[scenario]]
name = "trimmed"
trim = [0.2, 0.8]
outcomes = ["response"]
models = ["iptw", "adjusted"]

[bootstrap]
replicates = 20
seed = 3
models = ["iptw", "adjusted"]
"#;

/// Causes that compete, for the Fine-Gray models, and a number that is not always known.
const MORE: &str = r#"
[[variable]]
name = "aux"
kind = "continuous"
range = [0, 250]
resolution = 0.1

[[variable]]
name = "status"
kind = "categorical"
levels = ["none", "event", "other"]

[[outcome]]
name = "cause"
kind = "competing"
time = "pfs_days"
status = "status"
censored = "none"
causes = ["event", "other"]
grid_days = 30
horizon_days = 1500
"#;

/// The small study with `crcl` in another unit, in the files and in the protocol.
fn study(factor: f64) -> (String, Vec<Rows>) {
    let number = |x: f64| {
        let text = format!("{x}");
        if text.contains('.') { text } else { text + ".0" }
    };
    let at = [40.0, 90.0].map(|x| number(x * factor)).join(", ");
    let range = format!("range = [0, {}]\nresolution = {}", number(250.0 * factor), number(factor));
    let text = text_with(&format!("{MORE}{}", MODELS.replace("EFFECT_AT", &at)));
    let text = text.replace("range = [0, 250]\nresolution = 0.1", &range);
    let status = |rows: &Rows, row: usize| {
        let name = match (rows.get(row, "pfs_event"), row % 3) {
            ("1", 0) => "other",
            ("1", _) => "event",
            _ => "none",
        };
        name.to_owned()
    };
    let rows = rows(300)
        .with("crcl", |rows, row| {
            let x: f64 = rows.get(row, "crcl").parse().unwrap();
            // the reference rows have one decimal; the grid of these has none
            number(x.round() * factor)
        })
        .with_column("aux", |rows, row| {
            if row % 5 == 2 { String::new() } else { rows.get((row * 7 + 3) % rows.len(), "crcl").to_owned() }
        })
        .with("iss_stage", |rows, row| if row % 7 == 2 { String::new() } else { rows.get(row, "iss_stage").to_owned() })
        .with_column("status", status);
    (text, rows.split(3, |_, row| row % 3))
}

/// Is it measured per unit of the column?
fn per_unit(term: &str) -> bool {
    term == "crcl" || term == "aux" || term.ends_with(" x crcl")
}

/// A term without the value at which an effect is reported.
fn term(name: &str) -> &str {
    name.split_once(" at crcl:").map_or(name, |(effect, _)| effect)
}

/// Every number of the results with what it is, those in the unit of the column brought to that of the first study.
fn numbers(results: &Results, factor: f64) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    for row in &results.estimates {
        let at = format!(
            "{} {}{} {} {} {} {}",
            row.analysis,
            row.outcome,
            row.cause,
            row.model,
            row.modifier,
            term(&row.term),
            row.variance.name()
        );
        let unit = if per_unit(&row.term) { factor } else { 1.0 };
        for (name, x) in [
            ("estimate", row.estimate * unit),
            ("std_error", row.std_error * unit),
            ("statistic", row.statistic),
            ("p_value", row.p_value),
            ("conf_low", row.conf_low * unit),
            ("conf_high", row.conf_high * unit),
        ] {
            all.push((format!("{at} {name}"), x));
        }
    }
    for row in &results.fits {
        let at = format!("{} {}{} {} {}", row.analysis, row.outcome, row.cause, row.model, row.modifier);
        let fit = row.outcome_of_fit.as_ref().unwrap_or_else(|why| panic!("{at}: {}", why.message));
        all.push((format!("{at} loglik"), fit.loglik));
        all.push((format!("{at} wald"), fit.wald));
        // log |I| of Firth's penalty is in the unit of the columns
        let jeffreys = |loglik: f64| if row.model == "firth" { loglik - factor.ln() } else { loglik };
        let penalised = fit.penalised.into_iter();
        all.extend(
            penalised
                .flat_map(|p| [jeffreys(p.loglik)].into_iter().chain(p.df))
                .map(|x| (format!("{at} penalised"), x)),
        );
        all.extend(fit.score.map(|x| (format!("{at} score"), x)));
        all.extend(fit.concordance.map(|c| (format!("{at} concordance"), c.value)));
    }
    for row in &results.tests {
        let at = format!("{} {} {} {} {}", row.name, row.outcome, row.cause, row.model, row.term);
        all.push((at, row.test.statistic));
    }
    for row in &results.balance {
        let unit = if row.variable == "crcl" { 1.0 / factor } else { 1.0 };
        let at = format!("balance {} {:?} {}", row.variable, row.level, row.weighted);
        for cells in [&row.control, &row.treated, &row.all] {
            let cells = [cells.value, cells.spread, cells.q25, cells.median, cells.q75];
            all.extend(cells.into_iter().flatten().map(|x| (at.clone(), x * unit)));
        }
        let differences = [row.smd, row.smd_cobalt, row.statistic].into_iter().flatten();
        all.extend(differences.map(|x| (format!("{at} difference"), x)));
    }
    for row in &results.effects {
        let at = format!("effect {} {} {} {:?} {}", row.outcome, row.model, row.method, row.quantity, row.arm);
        all.extend([row.estimate, row.std_error].into_iter().flatten().map(|x| (at.clone(), x)));
    }
    for row in &results.weights {
        all.push((format!("weights {}", row.arm), row.sum));
    }
    for row in &results.survival {
        let at = format!("survival {} {} {}", row.arm, row.weighted, row.time_days);
        all.extend([row.survival, row.std_error].into_iter().flatten().map(|x| (at.clone(), x)));
    }
    for scenario in &results.scenarios {
        let inner = numbers(&scenario.results, factor).into_iter();
        all.extend(inner.map(|(at, x)| (format!("{}: {at}", scenario.name), x)));
    }
    all
}

#[test]
fn no_statistic_depends_on_the_unit_of_a_column() {
    let of = |factor: f64| {
        let (text, sites) = study(factor);
        numbers(&results(&text, &sites), factor)
    };
    let first = of(1.0);
    assert!(first.len() > 1000, "{}", first.len());
    for factor in [1e-12, 1e-6, 3.7e-2, 1e9, 1e12] {
        let other = of(factor);
        assert_eq!(first.len(), other.len(), "{factor:e}");
        for ((at, expected), (found, got)) in first.iter().zip(other) {
            assert_eq!(*at, found);
            // differences of nearly equal numbers have lost digits to either side; three sites are too few for some errors
            let same = (got - expected).abs() <= 1e-10 * expected.abs().max(1e-2) || got.is_nan() && expected.is_nan();
            assert!(same, "{factor:e} {at}: {got:e}, {expected:e}");
        }
    }
}

/// A column far from 0 varies as much as it does near 0.
#[test]
fn a_column_far_from_zero_is_not_constant() {
    let shifted = |offset: f64| {
        let (text, sites) = study(1.0);
        let text = text.replacen(
            "range = [0, 250.0]\nresolution = 1.0",
            &format!("range = [{offset:?}, {:?}]\nresolution = 1.0", offset + 250.0),
            1,
        );
        let at = |x: f64| format!("{:?}", x + offset);
        let text = text.replace("effect_at = [40.0, 90.0]", &format!("effect_at = [{}, {}]", at(40.0), at(90.0)));
        let sites: Vec<Rows> = sites
            .into_iter()
            .map(|rows| rows.with("crcl", |rows, row| at(rows.get(row, "crcl").parse().unwrap())))
            .collect();
        results(&text, &sites)
    };
    let (near, far) = (shifted(0.0), shifted(1e8));
    // a product with the arm is nearly the arm itself, 1e8 away from 0: of these models R keeps no more than we do
    let plain = |results: &Results| -> Vec<_> {
        let of = |row: &&EstimateRow| row.modifier.is_empty() && row.term != "(intercept)" && row.std_error.is_finite();
        results.estimates.iter().filter(of).cloned().collect()
    };
    let (near, far) = (plain(&near), plain(&far));
    assert!(near.len() > 80 && near.len() == far.len(), "{} {}", near.len(), far.len());
    for (near, far) in near.iter().zip(&far) {
        close(far.estimate, near.estimate, 1e-9, &near.term);
        close(far.std_error, near.std_error, 1e-9, &near.term);
    }
}

#[test]
fn ranges_without_digits_are_refused_and_a_lost_spread_is_named() {
    let with = |range: &str| text("13-small-units", "protocol.toml").replacen("range = [18, 110]", range, 1);
    for range in ["range = [-1e200, 1e200]", "range = [0, 1e-200]", "range = [1e6, 1000000.0001]"] {
        let mistakes = Protocol::parse(&with(range)).unwrap_err();
        assert!(mistakes.0.iter().any(|mistake| mistake.key.ends_with("range")), "{range}: {:?}", mistakes.0);
    }
    // ages in a range of 1e8: their spread is all but lost in the sums
    let plan: Plan = run(&with("range = [0, 1e8]"), &sites("13-small-units"));
    assert_eq!(plan.progress().failed, 1);
    let results = Results::of(&plan);
    let problem = results.fits[0].outcome_of_fit.as_ref().unwrap_err();
    assert_eq!(problem.code, "fit.unresolved");
    assert_eq!(problem.message, "`age` varies by less than a millionth of its declared range");
}
