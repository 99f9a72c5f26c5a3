//! Empty cells: levels that nobody has, columns that others determine, arms that never meet, outcomes that some lack. The
//! rest of a study has R's numbers, and says what it leaves out.
//!
//! `tests/cases/NN-name` hold small studies with right values and how those are known (`expected.md`); more digits here
//! are of R 4.2.2 with survival 3.5 on the pooled rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use entente_tests::federation::{Rows, plain};
use study::plan::Plan;
use study::protocol::Protocol;
use study::results::{EstimateRow, FitNumbers, FitProblem, FitRow, Results, Variance};

use crate::agreement::assert_agree;
use crate::reference::cohorts;

pub fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(name)
}

pub fn sites(case: &Path) -> Vec<Rows> {
    let folder = std::fs::read_dir(case.join("sites")).expect("a folder of sites");
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|file| Rows::read(file)).collect()
}

pub fn parse(text: &str) -> Arc<Protocol> {
    Arc::new(Protocol::parse(text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)))
}

fn plan(protocol: &Arc<Protocol>, sites: &[Rows]) -> Plan {
    plain(protocol, &cohorts(protocol, sites)).expect("every sum fits its word")
}

/// The tables of a case, with the text of its protocol bent.
fn bent(name: &str, file: &str, bend: impl Fn(String) -> String) -> Results {
    let case = case(name);
    let protocol = parse(&bend(std::fs::read_to_string(case.join(file)).expect("a protocol")));
    Results::of(&plan(&protocol, &sites(&case)))
}

fn results(name: &str, file: &str) -> Results {
    bent(name, file, |text| text)
}

fn fit<'a>(results: &'a Results, analysis: &str, outcome: &str, model: &str) -> &'a FitRow {
    let same = |fit: &&FitRow| (&*fit.analysis, &*fit.outcome, &*fit.model) == (analysis, outcome, model);
    results.fits.iter().find(same).unwrap_or_else(|| panic!("no model {analysis} {outcome} {model}"))
}

fn numbers<'a>(results: &'a Results, analysis: &str, outcome: &str, model: &str) -> &'a FitNumbers {
    fit(results, analysis, outcome, model).outcome_of_fit.as_ref().unwrap_or_else(|why| panic!("{why:?}"))
}

fn problem<'a>(results: &'a Results, analysis: &str, outcome: &str, model: &str) -> &'a FitProblem {
    fit(results, analysis, outcome, model).outcome_of_fit.as_ref().expect_err("no numbers")
}

fn rows<'a>(results: &'a Results, analysis: &str, model: &str, variance: Variance) -> Vec<&'a EstimateRow> {
    let of = |row: &&EstimateRow| (&*row.analysis, &*row.model, row.variance) == (analysis, model, variance);
    results.estimates.iter().filter(of).collect()
}

/// The rows of a model have exactly these terms, and R's estimate and standard error to 1e-9.
fn assert_rows(results: &Results, analysis: &str, model: &str, variance: Variance, expected: &[(&str, f64, f64)]) {
    let rows = rows(results, analysis, model, variance);
    let terms: Vec<&str> = rows.iter().map(|row| &*row.term).collect();
    assert_eq!(terms, expected.iter().map(|(term, ..)| *term).collect::<Vec<_>>());
    for (row, (term, estimate, std_error)) in rows.iter().zip(expected) {
        let close = |ours: f64, r: f64| r.is_nan() || (ours - r).abs() <= 1e-9 * r.abs();
        assert!(close(row.estimate, *estimate), "{model} {term}: {} {estimate}", row.estimate);
        assert!(close(row.std_error, *std_error), "{model} {term}: {} {std_error}", row.std_error);
    }
}

fn notes<'a>(results: &'a Results, analysis: &str, outcome: &str, model: &str) -> &'a [String] {
    &numbers(results, analysis, outcome, model).notes
}

const ADJUSTED: [(&str, f64, f64); 4] = [
    ("arm:A", -0.030_753_887_538_314, 0.200_831_084_505_608_96),
    ("stage:II", -0.319_614_675_587_695_5, 0.233_080_382_138_824_15),
    ("stage:III", -0.012_547_219_141_615_8, 0.262_810_761_113_062_45),
    ("sexbin", 0.106_109_618_106_225_2, 0.198_919_746_214_387_9),
];

const INTERACTION: [(&str, f64, f64); 9] = [
    ("arm:A", -0.592_941_590_529_552, 0.330_912_855_002_557_2),
    ("stage:II", -0.841_998_628_199_169, 0.330_520_180_937_988_74),
    ("stage:III", -0.379_174_417_698_011_1, 0.354_812_795_897_515_74),
    ("sexbin", 0.121_388_256_021_727_09, 0.199_953_837_401_349_56),
    ("arm:A x stage:II", 0.990_439_127_688_154_8, 0.462_166_615_263_651_94),
    ("arm:A x stage:III", 0.691_405_249_105_197_4, 0.515_797_623_297_127_6),
    ("arm:A at stage:I", -0.592_941_590_529_552, 0.330_912_855_002_557_2),
    ("arm:A at stage:II", -0.592_941_590_529_552 + 0.990_439_127_688_154_8, f64::NAN),
    ("arm:A at stage:III", -0.592_941_590_529_552 + 0.691_405_249_105_197_4, f64::NAN),
];

#[test]
fn a_level_that_nobody_has_is_left_out_everywhere() {
    for (file, note) in [
        ("protocol.toml", "level IV of `stage`: no analysed patient; left out"),
        ("protocol-reference.toml", "level 0 of `stage`: no analysed patient; I is the reference"),
    ] {
        let results = results("06-level-nobody-has", file);
        assert!(!results.any_failed(), "{file}");
        assert_rows(&results, "cox", "adjusted", Variance::Naive, &ADJUSTED);
        assert_rows(&results, "cox", "interaction", Variance::Naive, &INTERACTION);
        let iptw = [("arm:A", 0.012_922_347_068_495, 0.190_490_063_397_243)];
        assert_rows(&results, "cox", "iptw", Variance::Robust, &iptw);
        for (analysis, outcome, model) in
            [("propensity", "", "propensity"), ("cox", "os", "adjusted"), ("cox", "os", "interaction")]
        {
            assert_eq!(notes(&results, analysis, outcome, model), [note], "{file} {model}");
        }
        assert!(notes(&results, "cox", "os", "unadjusted").is_empty());
        let warned: Vec<_> = results.warnings.iter().filter(|row| row.code == "model.left_out").collect();
        assert_eq!(warned.len(), 1, "once, however many models say so");
        assert_eq!(warned[0].text, note);
        let test = results.balance.iter().find(|row| row.variable == "stage" && row.level.is_none()).unwrap();
        assert!((test.statistic.unwrap() - 0.188_034_188_034_188).abs() < 1e-12);
        let interaction = results.tests.iter().find(|test| test.name == "interaction_lr").expect("two levels to test");
        assert_eq!(interaction.test.df, 2);
        // log likelihoods of R's models with and without the products
        assert!((interaction.test.statistic - 2.0 * (422.569_743_072_529_2 - 420.209_231_342_026_7)).abs() < 1e-8);
        assert_eq!(results.references.get("stage").copied(), (file != "protocol.toml").then_some(1));
    }
}

#[test]
fn a_scenario_may_restrict_levels() {
    let results = results("06-level-nobody-has", "protocol-subgroup.toml");
    assert!(!results.any_failed());
    let early = &results.scenarios[0].results;
    let expected = [
        ("arm:A", -0.047_882_710_794_352_1, f64::NAN),
        ("stage:II", -0.351_072_038_078_594_1, f64::NAN),
        ("sexbin", 0.131_994_686_929_754_2, f64::NAN),
    ];
    assert_rows(early, "cox", "adjusted", Variance::Naive, &expected);
    assert_eq!(notes(early, "cox", "os", "adjusted"), ["level III of `stage`: no analysed patient; left out"]);
    let places: Vec<_> = rows(early, "cox", "interaction", Variance::Naive)
        .iter()
        .filter_map(|row| row.term.split_once(" at "))
        .collect();
    assert_eq!(places, [("arm:A", "stage:I"), ("arm:A", "stage:II")]);
}

/// Every kind of model at once, on rows in which a level is empty.
const ALL_MODELS: &str = r#"
[bootstrap]
replicates = 25
models = ["iptw", "adjusted"]

[[analysis]]
kind = "cox"
outcome = "os"
models = ["adjusted", "stratified", "iptw_adjusted", "iptw_interaction"]
effect_modifier = "stage"
variance = ["m_estimation"]
zph = ["km"]
concordance = 0.001
standardise_days = [100]
standardise_rmst_days = 200
ties = "breslow"

[[analysis]]
kind = "cox"
outcome = "os"
ridge = 1.0

[[outcome]]
name = "dead"
kind = "binary"
variable = "died"

[[analysis]]
kind = "logistic"
outcome = "dead"
models = ["adjusted", "iptw"]
marginal = ["g_formula", "aipw"]
effect_modifier = "stage"

[[analysis]]
kind = "logistic"
outcome = "dead"
models = ["firth"]
ridge = 1.0
"#;

#[test]
fn every_kind_of_model_leaves_the_same_level_out() {
    let with = bent("06-level-nobody-has", "protocol.toml", |text| text + ALL_MODELS);
    let without =
        bent("06-level-nobody-has", "protocol.toml", |text| text.replace(r#""III", "IV"]"#, r#""III"]"#) + ALL_MODELS);
    let failed: Vec<_> = with.fits.iter().filter(|fit| fit.outcome_of_fit.is_err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(with.estimates.len(), without.estimates.len());
    assert_eq!(with.effects.len(), without.effects.len());
    assert!(with.estimates.iter().any(|row| row.variance == Variance::Bootstrap));
    for (ours, declared) in with.estimates.iter().zip(&without.estimates) {
        assert_eq!((&ours.model, &ours.term, ours.variance), (&declared.model, &declared.term, declared.variance));
        assert_eq!(ours.estimate, declared.estimate, "{} {}", ours.model, ours.term);
        assert_eq!(ours.std_error, declared.std_error, "{} {}", ours.model, ours.term);
    }
    assert_eq!(with.effects, without.effects);
    assert_eq!(with.tests, without.tests);
}

#[test]
fn a_property_of_the_site_is_left_out_of_a_stratified_model() {
    let results = results("12-strata-site-level", "protocol.toml");
    let expected = [
        ("arm:A", -0.393_418_805_704_215_4, 0.289_398_944_549_326_9),
        ("age", 0.010_194_449_879_554_5, 0.013_380_413_528_491_5),
    ];
    assert_rows(&results, "cox", "stratified", Variance::Naive, &expected);
    let stratified = numbers(&results, "cox", "os", "stratified");
    assert_eq!(stratified.notes, ["`academic`: the same value for all patients of each site; left out"]);
    assert!((stratified.loglik - -223.150_189_037_622_23).abs() < 1e-9);
    assert!((stratified.concordance.expect("declared").value - 0.553_333_333_333_333_3).abs() < 1e-12);
    let zph = |term: &str| {
        let same = |test: &&study::results::TestRow| {
            test.model == "stratified" && test.name == "zph_identity" && test.term == term
        };
        results.tests.iter().find(same).unwrap_or_else(|| panic!("no test of {term}")).test
    };
    for (term, statistic, df) in
        [("arm", 1.026_455_043_056_093, 1), ("age", 1.512_143_102_478_436, 1), ("global", 1.785_579_340_236_945_5, 2)]
    {
        assert!((zph(term).statistic - statistic).abs() < 1e-7 && zph(term).df == df, "{term}: {:?}", zph(term));
    }
    // pooled, the property has a coefficient
    assert_eq!(rows(&results, "cox", "adjusted", Variance::Naive).len(), 3);
    assert!(notes(&results, "cox", "os", "adjusted").is_empty());
    assert!(!results.scenarios[0].results.any_failed());
}

#[test]
fn sites_with_one_arm_each_have_no_stratified_model() {
    let sites = sites(&case("12-strata-site-level"));
    let parted: Vec<Rows> =
        ["A", "B", "A"].iter().zip(&sites).map(|(arm, rows)| rows.clone().with("arm", |_, _| (*arm).into())).collect();
    let text = std::fs::read_to_string(case("12-strata-site-level").join("protocol.toml")).unwrap();
    let protocol = parse(&text[..text.find("[[scenario]]").unwrap()]);
    let results = Results::of(&plan(&protocol, &parted));
    let problem = problem(&results, "cox", "os", "stratified");
    assert_eq!(
        (&*problem.code, &*problem.message),
        ("fit.constant", "`arm:A` has the same value for every patient of each site")
    );
    assert!(problem.hint.contains("not stratified by site"), "{}", problem.hint);
    assert!(fit(&results, "cox", "os", "unadjusted").outcome_of_fit.is_ok());
}

#[test]
fn an_empty_interaction_cell_leaves_the_other_effects() {
    let results = results("15-empty-interaction-cell", "protocol.toml");
    assert!(!results.any_failed());
    let expected = [
        ("arm:A", 0.067_001_753_427_609_53, 0.080_993_269_658_981_64_f64.sqrt()),
        ("age", -0.008_322_393_637_355_18, 9.620_690_566_999_55e-5_f64.sqrt()),
        ("stage:II", 0.257_571_841_225_104_7, 0.083_436_584_711_756_05_f64.sqrt()),
        ("stage:III", 0.119_461_554_379_066_86, 0.066_488_101_493_609_05_f64.sqrt()),
        ("arm:A x stage:II", -0.335_013_048_273_794_63, 0.170_981_097_062_953_42_f64.sqrt()),
        ("arm:A at stage:I", 0.067_001_753_427_609_53, 0.080_993_269_658_981_64_f64.sqrt()),
        ("arm:A at stage:II", 0.067_001_753_427_609_53 - 0.335_013_048_273_794_63, 0.294_279_664_369_326_84),
    ];
    let close: Vec<_> = expected.iter().map(|(term, estimate, error)| (*term, *estimate, *error)).collect();
    for (row, (term, estimate, error)) in rows(&results, "cox", "interaction", Variance::Naive).iter().zip(&close) {
        assert_eq!(row.term, *term);
        // R's error is that of the step before its last: 1e-9 off
        assert!((row.estimate - estimate).abs() < 2e-9 && (row.std_error - error).abs() < 2e-8, "{term}");
    }
    assert_eq!(rows(&results, "cox", "interaction", Variance::Naive).len(), expected.len());
    let left_out = [
        "level III of `stage`: no analysed patient in the A arm; `arm:A x stage:III` left out",
        "no effect at stage:III",
    ];
    for (analysis, outcome, model) in
        [("cox", "os", "interaction"), ("cox", "os", "iptw_interaction"), ("logistic", "resp", "interaction")]
    {
        assert_eq!(notes(&results, analysis, outcome, model), left_out, "{model} of {outcome}");
    }
    let weighted = rows(&results, "cox", "iptw_interaction", Variance::Robust);
    assert!((weighted[0].estimate - 0.099_700_942_743_521_05).abs() < 1e-8, "{}", weighted[0].estimate);
    assert!((weighted[0].std_error - 0.272_833_939_927_045_9).abs() < 1e-8, "{}", weighted[0].std_error);
    let wald = results.tests.iter().filter(|test| test.name == "interaction_wald");
    assert!(wald.clone().count() == 3 && wald.clone().all(|test| test.test.df == 1));
}

/// The rows of case 15 with everybody at stage III in one arm, and the levels in another order.
fn cells(arm: &str, levels: &str) -> Results {
    let case = case("15-empty-interaction-cell");
    let rows: Vec<Rows> = sites(&case)
        .into_iter()
        .map(|rows| {
            rows.with("arm", |rows, i| if rows.get(i, "stage") == "III" { arm } else { rows.get(i, "arm") }.into())
        })
        .collect();
    let text = std::fs::read_to_string(case.join("protocol.toml")).unwrap();
    Results::of(&plan(&parse(&text.replace(r#"["I", "II", "III"]"#, levels)), &rows))
}

#[test]
fn whichever_cell_is_empty_the_effects_in_the_others_are_the_same() {
    let of = |results: &Results, place: &str| -> Option<(f64, f64)> {
        let rows = rows(results, "cox", "interaction", Variance::Naive);
        let row = rows.iter().find(|row| row.term == format!("arm:A at stage:{place}"))?;
        Some((row.estimate, row.std_error))
    };
    let main =
        |results: &Results| rows(results, "cox", "interaction", Variance::Naive).iter().any(|row| row.term == "arm:A");
    for arm in ["A", "B"] {
        let last = cells(arm, r#"["I", "II", "III"]"#);
        let first = cells(arm, r#"["III", "I", "II"]"#);
        for (results, own) in [(&last, true), (&first, false)] {
            assert!(!results.any_failed());
            assert_eq!(of(results, "III"), None, "no effect where one arm is empty");
            // the coefficient of the treatment is its effect at the reference, which has none
            assert_eq!(main(results), own);
            let said = notes(results, "cox", "os", "interaction");
            assert!(said.contains(&"no effect at stage:III".to_owned()), "{said:?}");
        }
        for place in ["I", "II"] {
            let (a, b) = (of(&last, place).expect("both arms"), of(&first, place).expect("both arms"));
            assert!((a.0 - b.0).abs() < 1e-10 && (a.1 - b.1).abs() < 1e-10, "{arm} {place}: {a:?} {b:?}");
        }
        let loglik = |results: &Results| numbers(results, "cox", "os", "interaction").loglik;
        assert!((loglik(&last) - loglik(&first)).abs() < 1e-9);
    }
}

#[test]
fn a_covariate_that_says_the_arm_keeps_its_effect_from_being_told() {
    let case = case("15-empty-interaction-cell");
    let rows: Vec<Rows> = sites(&case)
        .into_iter()
        .map(|rows| rows.with("stage", |rows, i| if rows.get(i, "arm") == "A" { "II" } else { "III" }.into()))
        .collect();
    let text = std::fs::read_to_string(case.join("protocol.toml")).unwrap();
    let text = text
        .replace(r#"models = ["adjusted","iptw_interaction"]"#, "models = [\"adjusted\"]\ncovariates = [\"stage\"]");
    let results = Results::of(&plan(&parse(&text), &rows));
    for model in ["adjusted", "interaction"] {
        let problem = problem(&results, "cox", "os", model);
        assert_eq!(&*problem.code, "fit.collinear", "{problem:?}");
        assert!(problem.message.starts_with("the treatment cannot be told from stage:II"), "{}", problem.message);
    }
}

#[test]
fn the_hint_of_a_cause_that_an_arm_lacks_names_nothing_that_fine_gray_has_not() {
    let results = results("05-cause-missing-in-an-arm", "protocol.toml");
    let failed: Vec<&FitProblem> = results
        .fits
        .iter()
        .filter(|fit| fit.analysis == "fine_gray" && fit.cause == "relapse")
        .map(|fit| fit.outcome_of_fit.as_ref().expect_err("no finite estimate"))
        .collect();
    assert_eq!(failed.len(), 3);
    for problem in failed {
        assert!(!problem.hint.contains("firth") && !problem.hint.contains("ridge"), "{}", problem.hint);
        assert!(problem.hint.contains("cumulative incidences"), "{}", problem.hint);
    }
    let gray = |cause: &str| results.tests.iter().find(|test| test.name == "gray" && test.cause == cause).unwrap().test;
    assert!((gray("relapse").statistic - 21.536_547_850_341_3).abs() < 1e-9);
    assert!((gray("death").statistic - 14.681_405_362_326_8).abs() < 1e-9);
}

#[test]
fn a_separated_propensity_model_says_that_it_is_the_treatment() {
    let results = results("20-propensity-separation", "protocol.toml");
    let problem = problem(&results, "propensity", "", "propensity");
    assert_eq!(&*problem.code, "fit.separation");
    assert!(problem.message.starts_with("separation: the treatment is predicted perfectly by"), "{}", problem.message);
    assert!(problem.message.contains('x'), "{}", problem.message);
    assert!(problem.hint.contains("[propensity]"), "{}", problem.hint);
    assert!(!problem.hint.contains("firth") && !problem.hint.contains("ridge"), "{}", problem.hint);
}

#[test]
fn firth_has_an_estimate_where_nobody_has_the_event() {
    let results = results("30-no-events-firth", "protocol.toml");
    let firth = rows(&results, "logistic", "firth", Variance::Naive);
    // direct maximisation in R
    for (term, estimate, error) in [
        ("arm:A", -0.078_914_492_714_672_05, 1.724_878_655_094_016),
        ("age", 0.057_414_365_935_217_68, 0.085_909_485_971_856_78),
    ] {
        let row = firth.iter().find(|row| row.term == term).unwrap();
        assert!((row.estimate - estimate).abs() < 1e-10 && (row.std_error - error).abs() < 1e-9, "{term}: {row:?}");
    }
    let fitted = numbers(&results, "logistic", "resp", "firth");
    assert!((fitted.penalised.unwrap().loglik - 0.648_539_339_379_845).abs() < 1e-9);
    assert_eq!(fitted.loglik_null, 0.0);
    let ridge = problem(&results, "logistic", "resp", "ridge");
    assert_eq!(ridge.message, "no event of `resp` in either arm");
    assert!(ridge.hint.contains("`firth`") && !ridge.hint.contains("ridge"), "{}", ridge.hint);
    for fit in results.fits.iter().filter(|fit| fit.outcome == "os") {
        let Err(problem) = &fit.outcome_of_fit else { continue };
        assert_eq!(problem.message, "no event of `os` in either arm");
        assert!(
            !problem.hint.contains("firth") && !problem.hint.contains("`ridge`"),
            "{}: {}",
            fit.model,
            problem.hint
        );
    }
}

#[test]
fn firth_has_the_mirrored_estimate_where_everybody_has_the_event() {
    let case = case("30-no-events-firth");
    let rows: Vec<Rows> = sites(&case).into_iter().map(|rows| rows.with("resp", |_, _| "1".into())).collect();
    let protocol = parse(&std::fs::read_to_string(case.join("protocol.toml")).unwrap());
    let results = Results::of(&plan(&protocol, &rows));
    let firth = rows_of(&results, "firth", "arm:A");
    assert!((firth - 0.078_914_492_714_672_05).abs() < 1e-10, "{firth}");
    for model in ["unadjusted", "adjusted", "ridge"] {
        let problem = problem(&results, "logistic", "resp", model);
        assert_eq!(
            (&*problem.code, &*problem.message),
            ("fit.all_events", "every analysed patient has the event `resp`")
        );
    }
}

fn rows_of(results: &Results, model: &str, term: &str) -> f64 {
    let rows = rows(results, "logistic", model, Variance::Naive);
    rows.iter().find(|row| row.term == term).map_or(f64::NAN, |row| row.estimate)
}

#[test]
fn a_perfectly_predicted_level_is_imputed_with_augmented_data() {
    let case = case("23-impute-perfect-prediction");
    let protocol = parse(&std::fs::read_to_string(case.join("protocol.toml")).unwrap());
    let results = Results::of(&plan(&protocol, &sites(&case)));
    let imputed = &results.scenarios[0].results;
    assert!(!imputed.any_failed(), "{:?}", imputed.fits);
    let adjusted = rows(imputed, "cox", "adjusted", Variance::Naive);
    let arm = adjusted.iter().find(|row| row.term == "arm:A").unwrap();
    // mice: about -0.10 (0.18)
    assert!((arm.estimate - -0.10).abs() < 0.05 && (arm.std_error - 0.18).abs() < 0.02, "{arm:?}");
    let note = "level 1 of `grade` imputed with augmented data: its observed values have no finite fit";
    assert_eq!(notes(imputed, "cox", "os", "adjusted"), [note]);
    // The pseudo-rows are added once, not by each site: any split of the rows gives the same public models.
    let pooled: Vec<Rows> = sites(&case);
    let models = |sites: &[Rows]| {
        let plan = plan(&protocol, sites);
        let (_, branch) = plan.scenarios().next().unwrap();
        branch.imputation().unwrap().models().to_vec()
    };
    let all: Vec<Rows> = pooled.iter().flat_map(|rows| rows.split(2, |_, i| i % 2)).collect();
    for (a, b) in models(&pooled).iter().zip(&models(&all)) {
        let study::imputation::Drawn::Levels(a) = &a[0].drawn else { panic!("a category") };
        let study::imputation::Drawn::Levels(b) = &b[0].drawn else { panic!("a category") };
        for (a, b) in a.iter().zip(b) {
            let (stats::impute::rows::Stage::Model(a), stats::impute::rows::Stage::Model(b)) = (a, b) else { continue };
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-8), "{a:?} {b:?}");
        }
    }
}

#[test]
fn a_level_of_two_patients_is_imputed() {
    let case = case("23-impute-perfect-prediction");
    let protocol = parse(&std::fs::read_to_string(case.join("protocol.toml")).unwrap());
    // grade 3 for two patients alone, one of each arm, both of whom die
    let sites = sites(&case);
    let first = |arm: &str| {
        let found =
            |rows: &Rows, i: usize| (rows.get(i, "grade"), rows.get(i, "arm"), rows.get(i, "died")) == ("3", arm, "1");
        (0..sites[0].len()).find(|i| found(&sites[0], *i)).expect("such a patient")
    };
    let stay = [first("A"), first("B")];
    let grade = |site: usize, rows: &Rows, i: usize| match rows.get(i, "grade") {
        "3" if site > 0 || !stay.contains(&i) => "2".to_owned(),
        other => other.to_owned(),
    };
    let rows: Vec<Rows> = sites
        .iter()
        .enumerate()
        .map(|(site, rows)| rows.clone().with("grade", |rows, i| grade(site, rows, i)))
        .collect();
    let results = Results::of(&plan(&protocol, &rows));
    assert!(!results.scenarios[0].results.any_failed(), "{:?}", results.scenarios[0].results.fits);
}

#[test]
fn arms_without_a_level_in_common_are_told_from_constants() {
    for file in ["protocol.toml", "protocol-fisher.toml"] {
        let results = results("07-smd-disjoint-levels", file);
        let row = |name: &str| {
            let of = |row: &&study::results::BalanceRow| row.variable == name && row.level.is_none() && !row.weighted;
            results.balance.iter().find(of).unwrap()
        };
        for name in ["split", "binsplit", "two"] {
            assert!(row(name).smd.is_none() && row(name).separated, "{name}");
        }
        for name in ["const", "onlyone", "bin0", "missA", "allmiss"] {
            assert!(row(name).smd.is_none() && !row(name).separated, "{name}");
        }
        for (name, smd) in [
            ("near", 14.071_247_279_470_281),
            ("catmiss", 0.328_966_367_681_956),
            ("armconst", 1.143_757_845_739_355_1),
        ] {
            assert!((row(name).smd.unwrap() - smd).abs() < 1e-9 && !row(name).separated, "{name}");
        }
        let weighted = results.balance.iter().filter(|row| row.weighted && row.level.is_none() && row.separated);
        assert_eq!(weighted.map(|row| &*row.variable).collect::<Vec<_>>(), ["split", "two", "binsplit"]);
    }
}

/// Outcomes with different missing values: every model has the rows with a value of its own outcome.
const OUTCOMES: &str = r#"
[study]
id = "outcomes"
title = "Outcomes that some patients lack"
patient = "pid"

[release]
minimum_cell = 1
minimum_leavers = 1

[[variable]]
name = "arm"
kind = "categorical"
levels = ["B", "A"]

[treatment]
variable = "arm"
treated = "A"
control = "B"

[[variable]]
name = "age"
kind = "continuous"
range = [18, 110]

[[variable]]
name = "stage"
kind = "categorical"
levels = ["I", "II", "III"]

[[variable]]
name = "resp"
kind = "binary"

[[variable]]
name = "days"
kind = "days"
max = 5000

[[variable]]
name = "died"
kind = "binary"

[[outcome]]
name = "os"
kind = "time_to_event"
time = "days"
event = "died"
grid_days = 1
horizon_days = 400

[[outcome]]
name = "resp"
kind = "binary"
variable = "resp"

[propensity]
covariates = ["age"]

[[analysis]]
kind = "cox"
outcome = "os"
models = ["unadjusted", "iptw", "adjusted", "stratified"]
variance = ["robust", "m_estimation", "cluster_site"]
zph = ["km"]
concordance = 0.001
standardise_days = [100]
standardise_rmst_days = 200

[[analysis]]
kind = "logistic"
outcome = "resp"
models = ["unadjusted", "iptw", "adjusted"]
variance = ["robust", "m_estimation"]
marginal = ["g_formula"]

[[analysis]]
kind = "logistic"
outcome = "resp"
models = ["firth"]

[[analysis]]
kind = "kaplan_meier"
outcome = "os"
times_days = [100]
hazard_ratio = true
rmst_days = 200
weighted = [false, true]
"#;

fn lacking() -> Vec<Rows> {
    let sites = sites(&case("15-empty-interaction-cell"));
    sites
        .into_iter()
        .map(|rows| {
            rows.with("resp", |rows, i| if i % 7 == 2 { "" } else { rows.get(i, "resp") }.into())
                .with("days", |rows, i| if i % 9 == 4 { "" } else { rows.get(i, "days") }.into())
                .with("died", |rows, i| if i % 11 == 5 { "" } else { rows.get(i, "died") }.into())
        })
        .collect()
}

#[test]
fn each_outcome_has_the_rows_with_its_own_values() {
    let (protocol, sites) = (parse(OUTCOMES), lacking());
    let results = Results::of(&plan(&protocol, &sites));
    assert!(
        !results.any_failed(),
        "{:?}",
        results.fits.iter().filter(|f| f.outcome_of_fit.is_err()).collect::<Vec<_>>()
    );
    let has = |rows: &Rows, i: usize, columns: &[&str]| columns.iter().all(|column| !rows.get(i, column).is_empty());
    for (outcome, columns) in [("os", &["days", "died"][..]), ("resp", &["resp"][..])] {
        // The same models on a study of these rows alone: all that has no weights is the same to the last digits.
        let only: Vec<Rows> = sites.iter().map(|rows| rows.filter(|rows, i| has(rows, i, columns))).collect();
        let n: usize = only.iter().map(Rows::len).sum();
        let complete = Results::of(&plan(&protocol, &only));
        let of = |results: &Results| -> Vec<EstimateRow> {
            let own = results.estimates.iter().filter(|row| row.outcome == outcome && !row.model.starts_with("iptw"));
            own.map(|row| EstimateRow { iterations: 0, ..row.clone() }).collect()
        };
        let (ours, theirs) = (of(&results), of(&complete));
        assert_eq!(ours.len(), theirs.len());
        assert!(ours.len() > 5);
        for (a, b) in ours.iter().zip(&theirs) {
            assert_eq!((&a.model, &a.term, a.variance, a.n, a.events), (&b.model, &b.term, b.variance, b.n, b.events));
            assert!((a.estimate - b.estimate).abs() < 1e-9 && (a.std_error - b.std_error).abs() < 1e-9, "{a:?} {b:?}");
            assert_eq!(a.n, Some(n as u64));
        }
        let curve = |results: &Results| -> Vec<Option<f64>> {
            results
                .survival
                .iter()
                .filter(|row| !row.weighted && row.outcome == outcome)
                .map(|row| row.survival)
                .collect()
        };
        assert_eq!(curve(&results), curve(&complete));
        let arms = results.outcomes.iter().filter(|row| row.outcome == outcome);
        let (with, without) = arms.fold((0, 0), |(n, m), row| (n + row.n.unwrap(), m + row.missing.unwrap()));
        assert_eq!((with, with + without), (n as u64, 240));
        assert!(results.warnings.iter().any(|row| row.code == "model.missing_outcome" && row.about == outcome));
    }
    let propensity = fit(&results, "propensity", "", "propensity");
    assert_eq!(propensity.n, Some(240), "weights come from all analysed patients");
    // R: `glm` and `coxph` with the weights of all patients, stacked estimating equations over all of them
    // (tests/reference/missing_outcome.R)
    let row = |analysis: &str, variance: Variance| {
        let rows = rows(&results, analysis, "iptw", variance);
        let row = rows.iter().find(|row| row.term == "arm:A").unwrap();
        (row.estimate, row.std_error)
    };
    for (analysis, estimate, robust, m_estimation) in [
        ("logistic", -0.152_070_670_766_444_26, 0.292_750_547_831_157_8, 0.292_437_440_306_272_56),
        ("cox", -0.157_537_353_173_307_17, 0.184_105_647_231_620_04, 0.184_005_136_935_227_33),
    ] {
        for (variance, error) in [(Variance::Robust, robust), (Variance::MEstimation, m_estimation)] {
            let (ours, std_error) = row(analysis, variance);
            assert!((ours - estimate).abs() < 1e-9, "{analysis}: {ours}");
            assert!((std_error - error).abs() < 1e-9, "{analysis} {variance:?}: {std_error} {error}");
        }
    }
    // Any split of the rows gives the same numbers; the model stratified by site and clusters have other sites.
    let unstratified = parse(&OUTCOMES.replace(r#", "stratified""#, "").replace(r#", "cluster_site""#, ""));
    let all = Results::of(&plan(&unstratified, &sites));
    let more: Vec<Rows> = sites.iter().flat_map(|rows| rows.split(3, |_, i| i % 3)).collect();
    assert_agree(&all, &Results::of(&plan(&unstratified, &more)));
}

/// The sums of a model without two patients, beside those of one with them, are those two patients' values.
#[test]
fn an_outcome_that_few_lack_is_refused_by_a_site_that_forbids_differencing() {
    let protocol = parse(OUTCOMES);
    let lacking = |few: usize| -> Vec<Rows> {
        let sites = sites(&case("15-empty-interaction-cell")).into_iter().enumerate();
        let without = |site: usize, i: usize| if site == 0 { i < few } else { false };
        sites
            .map(|(site, rows)| {
                rows.with("resp", |rows, i| if without(site, i) { "" } else { rows.get(i, "resp") }.into())
            })
            .collect()
    };
    let policy = |more: &str| {
        let text = "minimum_sites = 3\nminimum_patients = 1\nminimum_cell = 5\nminimum_pair = 0\nrows_per_parameter = 0\n\
                    events_per_parameter = 0\nfinest_grid_days = 1\nminimum_leavers = 1\n";
        study::policy::Policy::parse(&format!("{text}{more}")).expect("a policy")
    };
    let few = plan(&protocol, &lacking(4));
    let refusal = policy("").check_opened(&few).expect_err("four patients are few");
    assert_eq!(refusal.rule(), "policy.differencing");
    let text = refusal.to_string();
    assert!(
        text.starts_with("the main analysis and `resp` in the main analysis have nearly the same patients"),
        "{text}"
    );
    assert_eq!(policy("allow_differencing = true").check_opened(&few), Ok(()));
    assert_eq!(policy("").check_opened(&plan(&protocol, &lacking(0))), Ok(()));
    assert_eq!(policy("").check_opened(&plan(&protocol, &lacking(40))), Ok(()));
}

/// Where few lack an outcome, nothing in the release tells how many: not the rows of a model, not those at risk.
#[test]
fn how_many_lack_an_outcome_is_hidden_where_they_are_few() {
    let protocol = parse(&OUTCOMES.replace("minimum_cell = 1", "minimum_cell = 5"));
    let sites: Vec<Rows> = sites(&case("15-empty-interaction-cell"))
        .into_iter()
        .enumerate()
        .map(|(site, rows)| {
            rows.with("days", |rows, i| if site == 0 && i < 3 { "" } else { rows.get(i, "days") }.into())
        })
        .collect();
    let release = study::release::Release::of(&plan(&protocol, &sites)).into_results();
    let os = release.outcomes.iter().filter(|row| row.outcome == "os");
    assert!(os.clone().count() == 2 && os.clone().all(|row| row.n.is_none() && row.missing.is_none()));
    assert!(release.fits.iter().filter(|row| row.outcome == "os").all(|row| row.n.is_none()));
    assert!(release.estimates.iter().filter(|row| row.outcome == "os").all(|row| row.n.is_none()));
    assert!(release.effects.iter().filter(|row| row.outcome == "os").all(|row| row.n.is_none()));
    let curve = release.survival.iter().filter(|row| row.outcome == "os" && !row.weighted);
    assert!(curve.clone().count() > 0 && curve.clone().all(|row| row.n_risk.is_none() && row.n_event.is_none()));
    assert!(release.fits.iter().filter(|row| row.outcome == "resp").all(|row| row.n == Some(240)));
}

#[test]
fn a_level_for_missing_values_that_nobody_lacks_is_left_out() {
    let scenario = "\n[[scenario]]\nname = \"level\"\nmissing_as_level = [\"stage\"]\n";
    let results = bent("06-level-nobody-has", "protocol-subgroup.toml", |text| text + scenario);
    let level = &results.scenarios[1].results;
    assert!(!level.any_failed());
    assert_rows(level, "cox", "adjusted", Variance::Naive, &ADJUSTED);
    assert_eq!(notes(level, "cox", "os", "adjusted"), ["level missing of `stage`: no analysed patient; left out"]);
}

/// A number that is the same for everybody of one arm: the effect is told at that value alone.
#[test]
fn a_modifier_that_one_arm_has_at_one_value_has_an_effect_there() {
    let case = case("15-empty-interaction-cell");
    let age =
        |rows: &Rows, i: usize| if rows.get(i, "arm") == "A" { "60".into() } else { rows.get(i, "age").to_owned() };
    let rows: Vec<Rows> = sites(&case).into_iter().map(|rows| rows.with("age", age)).collect();
    let text = std::fs::read_to_string(case.join("protocol.toml")).unwrap();
    let text = text.replace(
        "models = [\"adjusted\",\"iptw_interaction\"]\nvariance = [\"robust\"]\neffect_modifier = \"stage\"",
        "models = [\"adjusted\"]\neffect_modifier = \"age\"\neffect_at = [50, 60]",
    );
    let results = Results::of(&plan(&parse(&text), &rows));
    let interaction = rows_with_places(&results);
    assert_eq!(interaction, ["arm:A at age:60"]);
    let said = notes(&results, "cox", "os", "interaction");
    assert_eq!(said, ["`arm:A x age`: a linear combination of arm:A; left out", "no effect at age:50"]);
}

fn rows_with_places(results: &Results) -> Vec<&str> {
    let rows = rows(results, "cox", "interaction", Variance::Naive);
    rows.iter().map(|row| &*row.term).filter(|term| term.starts_with("arm:A")).collect()
}
