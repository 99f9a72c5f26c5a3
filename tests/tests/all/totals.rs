//! Under `opening = "totals"` the coordinator fits the models itself: what it holds a release against, and what becomes of
//! one that all sites signed falsely. Every test that runs a plan on plain sums holds its release against such fits, too.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use entente_tests::federation::{Federation, Tamper, Traitor, followed, followed_as};
use secagg::{Signature, SigningIdentity};
use study::audit::{Party, verify};
use study::machine::coordinator::{CoordinatorRecord, Fault};
use study::message::{Closed, FromSite};
use study::plan::Reason;
use study::protocol::Protocol;
use study::refit::{Compared, Refits};
use study::release::Release;
use study::results::{EstimateRow, FitNumbers, Results, TestRow, Variance};
use study::view::{Column, OfModel};

use crate::audit::rewrite;
use crate::cells;
use crate::reference::{self, centre, cohorts};
use crate::small::{self, protocol_with, rows};

fn example(name: &str) -> Arc<Protocol> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/relapsed-myeloma").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    Arc::new(Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)))
}

/// What a coordinator says of the release of an example, over five sites, and the release.
fn compared(protocol: &Arc<Protocol>) -> (Release, Compared) {
    let rows = reference::rows().with_column("first_event", |rows, i| {
        let event = match (rows.get(i, "pfs_event"), rows.get(i, "progression_date")) {
            ("1", "") => "death",
            ("1", _) => "progression",
            _ => "none",
        };
        event.into()
    });
    let sites = rows.split(5, |rows, i| centre(rows, i) % 5);
    let (plan, refits) = followed(protocol, &cohorts(protocol, &sites)).unwrap();
    let release = Release::of(&plan);
    let compared = refits.compare(release.results()).unwrap_or_else(|differs| panic!("{differs}"));
    (release, compared)
}

/// Fits with numbers, in all analyses.
fn fitted(results: &Results) -> u32 {
    let own = results.fits.iter().filter(|row| row.outcome_of_fit.is_ok()).count() as u32;
    own + results.scenarios.iter().map(|scenario| fitted(&scenario.results)).sum::<u32>()
}

#[test]
fn every_released_fit_of_the_examples_is_compared_or_counted() {
    for (name, drawn) in
        [("protocol-month.toml", false), ("protocol-competing.toml", false), ("protocol-resampling.toml", true)]
    {
        let (release, compared) = compared(&example(name));
        println!("{name}: {compared}");
        assert_eq!(compared.same + compared.not_compared(), fitted(release.results()), "{name}");
        assert!(compared.same > 4 && compared.ridge == 0, "{name}: {compared}");
        assert_eq!((compared.imputed > 0, compared.bootstrapped), (drawn, if drawn { 5 } else { 0 }), "{name}");
    }
}

/// Penalties, interactions, checks, two ways of ties and a curve's hazard ratio.
const FORMS: &str = r#"
[propensity]
covariates = ["age", "sex", "iss_stage"]
bins = 4

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["unadjusted", "adjusted", "iptw_stabilized", "iptw_interaction"]
variance = ["robust", "survey", "cluster_site", "m_estimation"]
effect_modifiers = ["iss_stage", "age"]
effect_at = [60]

[[analysis]]
kind = "logistic"
outcome = "infection"
models = ["firth"]
ridge = 1.5

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["adjusted", "iptw_overlap", "stratified"]
variance = ["robust", "m_estimation"]
effect_modifiers = ["sex"]
zph = ["km", "identity"]
concordance = 0.1

[[analysis]]
kind = "cox"
outcome = "pfs"
ties = "breslow"
ridge = 1.5

[[analysis]]
kind = "kaplan_meier"
outcome = "pfs"
weighted = [false]
hazard_ratio = true
"#;

fn forms() -> (Refits, Results) {
    let protocol = protocol_with(FORMS);
    let sites = rows(300).split(4, |_, i| i % 4);
    let (plan, refits) = followed(&protocol, &cohorts(&protocol, &sites)).unwrap();
    let results = Release::of(&plan).into_results();
    assert!(!results.any_failed(), "{:?}", results.fits);
    (refits, results)
}

/// The number whose last bit is another; a number where there is none.
fn near(number: &mut f64) {
    *number = if number.is_nan() { 0.5 } else { f64::from_bits(number.to_bits() ^ 1) };
}

fn numbers_of(row: &mut EstimateRow) -> [(&'static str, &mut f64); 6] {
    let EstimateRow { estimate, std_error, statistic, p_value, conf_low, conf_high, .. } = row;
    [
        ("estimate", estimate),
        ("std_error", std_error),
        ("statistic", statistic),
        ("p_value", p_value),
        ("conf_low", conf_low),
        ("conf_high", conf_high),
    ]
}

type Change = (&'static str, fn(&mut FitNumbers));

const OF_A_FIT: [Change; 9] = [
    ("notes", |fit| fit.notes.push("level II of `stage`: no analysed patient; left out".into())),
    ("loglik_null", |fit| near(&mut fit.loglik_null)),
    ("loglik", |fit| near(&mut fit.loglik)),
    ("wald", |fit| near(&mut fit.wald)),
    ("iterations", |fit| fit.iterations += 1),
    ("max_score", |fit| near(&mut fit.max_score)),
    ("score", |fit| fit.score = Some(fit.score.map_or(1.0, |score| score * 2.0))),
    ("likelihood_ratio", |fit| match &mut fit.likelihood_ratio {
        Some(test) => near(&mut test.p_value),
        none @ None => *none = Some(stats::inference::ChiSquare::new(1.0, 1)),
    }),
    ("kind of regression", |fit| fit.logistic = !fit.logistic),
];

fn is_followed(model: &str, analysis: &str) -> bool {
    model != "ridge" && analysis != "kaplan_meier"
}

#[test]
fn the_last_bit_of_any_number_of_a_model_is_held_against_the_fit() {
    let (refits, honest) = forms();
    let compared = refits.compare(&honest).unwrap();
    println!("{compared}");
    let same = fitted(&honest) - 3;
    assert_eq!(compared, Compared { same, ridge: 2, curves: 1, ..Compared::default() });
    let refused = |results: &Results, model: &str, quantity: &str| {
        let differs = refits.compare(results).expect_err(&format!("{quantity} of {model}"));
        assert!(differs.model.contains(model) && differs.quantity.contains(quantity), "{model} {quantity}: {differs}");
    };
    let mut changed = 0;
    for (at, row) in honest.estimates.iter().enumerate() {
        if !is_followed(&row.model, &row.analysis) || row.term == "(intercept)" {
            continue;
        }
        for number in 0..6 {
            let mut results = honest.clone();
            let quantity = {
                let (quantity, value) = &mut numbers_of(&mut results.estimates[at])[number];
                near(value);
                *quantity
            };
            refused(&results, &row.model, &format!("{quantity} of {} ({})", row.term, row.variance.name()));
            changed += 1;
        }
    }
    for (at, row) in honest.fits.iter().enumerate().filter(|(_, row)| is_followed(&row.model, &row.analysis)) {
        for (quantity, change) in OF_A_FIT {
            let mut results = honest.clone();
            change(results.fits[at].outcome_of_fit.as_mut().unwrap());
            refused(&results, &row.model, quantity);
            changed += 1;
        }
    }
    for (at, row) in honest.tests.iter().enumerate() {
        if row.name.starts_with("zph_") || row.name.starts_with("interaction_") {
            let mut results = honest.clone();
            near(&mut results.tests[at].test.p_value);
            refused(&results, &row.model, &row.name);
            changed += 1;
        }
    }
    println!("{changed} changed numbers, each refused");
    assert!(changed > 800, "{changed}");
}

#[test]
fn rows_that_are_left_out_added_or_turned_into_failures_are_refused() {
    let (refits, honest) = forms();
    let is_refused = |change: &dyn Fn(&mut Results)| {
        let mut results = honest.clone();
        change(&mut results);
        refits.compare(&results).expect_err("a release that is not that of the sums").to_string()
    };
    let of_model = |row: &EstimateRow| row.model == "stratified";
    println!("{}", is_refused(&|r| r.fits.retain(|row| row.model != "stratified")));
    println!("{}", is_refused(&|r| r.estimates.retain(|row| !of_model(row))));
    let failed = honest.fits[0].clone();
    let problem = study::results::FitProblem {
        code: "fit.separation".into(),
        message: "separation".into(),
        hint: "merge levels".into(),
    };
    let turned = is_refused(&|r| r.fits[0].outcome_of_fit = Err(problem.clone()));
    assert!(turned.starts_with("propensity propensity: its sums have a fit"), "{turned}");
    println!("{}", is_refused(&|r| r.fits.push(failed.clone())));
    println!(
        "{}",
        is_refused(&|r| {
            let mut more = r.estimates.iter().find(|row| of_model(row)).unwrap().clone();
            more.model = "adjusted twice".into();
            r.estimates.push(more);
        })
    );
    println!(
        "{}",
        is_refused(&|r| {
            let more: TestRow = r.tests.iter().find(|row| row.name == "zph_km").unwrap().clone();
            r.tests.push(TestRow { name: "zph_rank".into(), ..more });
        })
    );
    println!("{}", is_refused(&|r| r.tests.retain(|row| row.name != "zph_identity")));
    println!(
        "{}",
        is_refused(&|r| {
            let main = r.estimates.iter().find(|row| row.model == "firth" && row.term == "regimen:IsaPd").unwrap();
            let replicated = EstimateRow { variance: Variance::Bootstrap, estimate: -main.estimate, ..main.clone() };
            r.estimates.push(replicated);
        })
    );
    // analysed patients: a logistic model without weights counts them
    assert!(is_refused(&|r| r.fits.iter_mut().for_each(|row| row.n = row.n.map(|n| n + 1))).ends_with(": n"));
}

/// What a coordinator says of the honest release of a case, when all sites sign other columns of its models.
fn relabelled(name: &str, change: impl Fn(u32, &mut [Column])) -> Result<Compared, String> {
    let case = cells::case(name);
    let protocol = cells::parse(&std::fs::read_to_string(case.join("protocol.toml")).unwrap());
    let label = |of: OfModel| {
        let mut columns = of.columns.to_vec();
        change(of.model, &mut columns);
        OfModel { columns: columns.into(), ..of }
    };
    let (plan, refits) = followed_as(&protocol, &cohorts(&protocol, &cells::sites(&case)), label).unwrap();
    refits.compare(Release::of(&plan).results()).map_err(|differs| differs.to_string())
}

fn is_left_out(column: Column, why: Reason) -> bool {
    column == Column::LeftOut(why)
}

#[test]
fn models_are_followed_without_the_columns_that_they_do_not_have() {
    for (name, why) in [
        ("06-level-nobody-has", Reason::Empty),
        ("12-strata-site-level", Reason::Uninformative),
        ("15-empty-interaction-cell", Reason::Cell(1)),
    ] {
        let seen = RefCell::new(0);
        let look = |_, columns: &mut [Column]| {
            *seen.borrow_mut() += columns.iter().filter(|column| is_left_out(**column, why)).count();
        };
        let compared = relabelled(name, look).unwrap_or_else(|differs| panic!("{name}: {differs}"));
        println!("{name}: {compared}, {} labels without a column: {why:?}", seen.borrow());
        assert!(compared.same > 1 && *seen.borrow() > 0, "{name}: {compared}");
    }
}

/// What only sealed counts show is taken from the sites, as far as the release says the same.
#[test]
fn other_columns_than_those_of_the_sums_are_refused() {
    let columns = "its columns are not those that its sums are of";
    let replace = |name: &str, old: fn(Column) -> bool, new: Column| {
        let change = |_, columns: &mut [Column]| columns.iter_mut().filter(|c| old(**c)).for_each(|c| *c = new);
        relabelled(name, change).expect_err("other columns")
    };
    // a level is in the model after all: more columns than sums
    let more = replace("06-level-nobody-has", |c| is_left_out(c, Reason::Empty), Column::Kept { unit: 1.0 });
    assert!(more.ends_with("its sums are not those that its fit asks for"), "{more}");
    // it is left out for another reason than the release says
    let constant = replace("06-level-nobody-has", |c| is_left_out(c, Reason::Empty), Column::LeftOut(Reason::Constant));
    assert!(constant.ends_with(": notes"), "{constant}");
    // the sums are of a column before they show that it carries nothing
    let empty =
        replace("12-strata-site-level", |c| is_left_out(c, Reason::Uninformative), Column::LeftOut(Reason::Empty));
    assert!(empty.ends_with(": notes"), "{empty}");
    let number = |c: Column| matches!(c, Column::Kept { unit } if unit != 1.0);
    // half the unit makes the coefficient twice as large
    let half = relabelled("15-empty-interaction-cell", |_, columns| {
        for column in columns {
            if let Column::Kept { unit } = column
                && *unit != 1.0
            {
                *unit /= 2.0;
            }
        }
    });
    let half = half.expect_err("another unit");
    assert!(half.contains("estimate of age"), "{half}");
    assert!(replace("15-empty-interaction-cell", number, Column::Kept { unit: 3.0 }).ends_with(columns));
    let of_levels = |c: Column| c == Column::Kept { unit: 1.0 };
    assert!(replace("15-empty-interaction-cell", of_levels, Column::Kept { unit: 2.0 }).ends_with(columns));
    assert!(replace("15-empty-interaction-cell", |_| true, Column::LeftOut(Reason::Constant)).ends_with(columns));
    // a column that the sums do not show to be determined by the others
    let begun = RefCell::new(Vec::new());
    let later = relabelled("15-empty-interaction-cell", |model, columns| {
        let again = begun.borrow().contains(&model);
        begun.borrow_mut().push(model);
        let last = columns.iter_mut().rfind(|column| matches!(column, Column::Kept { .. }));
        last.filter(|_| again).into_iter().for_each(|column| *column = Column::LeftOut(Reason::Dependent));
    });
    assert!(later.expect_err("a column is gone").ends_with(columns));
}

/// An estimate of the stratified Cox model of the small study, three times as large.
fn false_release(honest: &Release) -> Vec<u8> {
    let bytes = honest.to_bytes();
    let row = honest.results().estimates.iter().find(|row| row.model == "stratified").unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - 8).filter(|at| bytes[*at..at + 8] == row.estimate.to_le_bytes()).collect();
    let [at] = places[..] else { panic!("one place: {places:?}") };
    let mut changed = bytes;
    changed[at..at + 8].copy_from_slice(&(3.0 * row.estimate).to_le_bytes());
    assert!(Release::from_bytes(&changed).is_ok());
    changed
}

/// All sites sign the false release, and send it.
fn conspiracy(protocol: &Arc<Protocol>, tamper: Tamper) -> (Federation, Vec<u8>) {
    let sites = || small::three_sites(protocol, &rows(60));
    let mut honest = Federation::new(Arc::clone(protocol), sites(), 5);
    honest.run();
    let changed = false_release(&Release::from_bytes(honest.coordinator().release().unwrap()).unwrap());
    let manifest = honest.manifest().digest();
    let (digest, bytes) = (Release::digest_of(&manifest, &changed), changed.clone());
    let traitor: Traitor = Box::new(move |_, message, identity| match message {
        FromSite::Finished(mut finished) => {
            finished.release = digest;
            FromSite::Finished(finished.signed(identity, &manifest))
        }
        FromSite::Release { .. } => FromSite::Release { bytes: bytes.clone() },
        other => other,
    });
    let mut run = Federation::new(Arc::clone(protocol), sites(), 5).traitor(traitor).tamper(tamper);
    assert_eq!(run.manifest().digest(), manifest, "the same seed is the same run");
    run.run();
    (run, changed)
}

fn as_it_is() -> Tamper {
    Box::new(|_, message, _| vec![message])
}

#[test]
fn a_false_release_that_all_sites_sign_is_not_published() {
    let (run, _) = conspiracy(&small::protocol(), as_it_is());
    assert!(run.coordinator().release().is_none() && !run.coordinator().finished());
    let [(_, fault)] = run.faults.as_slice() else { panic!("one fault: {:?}", run.faults) };
    assert!(matches!(fault, Fault::OtherFits(_)) && fault.stops(), "{fault:?}");
    assert_eq!(fault.code(), "peer.other_fits");
    assert_eq!(
        fault.to_string(),
        "the release that all sites signed differs from the coordinator's own fits: cox pfs stratified efron: estimate \
         of regimen:IsaPd (naive)"
    );
    let released = |record: &&CoordinatorRecord| {
        matches!(record, CoordinatorRecord::Released { .. } | CoordinatorRecord::Closed { .. })
    };
    assert_eq!(run.coordinator_journal().iter().filter(released).count(), 0);
    let bundle = run.bundle(Party::Coordinator, &small::text());
    let report = verify(&[bundle]);
    assert!(report.holds() && report.outcome.is_none(), "the ledger is honest, and has no release");
    let page = report.page(|seconds| seconds.to_string());
    assert!(page.contains("refused: a release: cox pfs stratified efron: estimate of regimen:IsaPd (naive)"), "{page}");
    // a restart asks again, and refuses again
    let again = run.restart_coordinator(run.coordinator_journal());
    assert!(again.release().is_none() && !again.finished());
}

/// With `opening = "results"` the coordinator has nothing to hold a release against.
#[test]
fn under_results_only_the_ledger_of_a_site_shows_it() {
    let protocol = protocol_with(small::MODELS);
    let (run, changed) = conspiracy(&protocol, as_it_is());
    assert!(!run.faults.iter().any(|(_, fault)| matches!(fault, Fault::OtherFits(_))), "{:?}", run.faults);
    assert_eq!(run.coordinator().release(), Some(&changed[..]));
}

/// The key that a lying coordinator signs with.
fn key_of_the_coordinator() -> (Rc<RefCell<[u8; 32]>>, Tamper) {
    let key = Rc::new(RefCell::new([0; 32]));
    let taken = Rc::clone(&key);
    let tamper: Tamper = Box::new(move |_, message, lies| {
        *taken.borrow_mut() = *lies.identity.to_bytes();
        vec![message]
    });
    (key, tamper)
}

/// A coordinator that publishes such a release all the same has a ledger that does not hold.
#[test]
fn the_verification_of_a_coordinators_ledger_makes_the_fits_again() {
    let protocol = small::protocol();
    let mut run = Federation::new(Arc::clone(&protocol), small::three_sites(&protocol, &rows(60)), 5);
    run.run();
    let honest = run.bundle(Party::Coordinator, &small::text());
    let compared = verify(std::slice::from_ref(&honest)).bundles[0].fits.unwrap();
    assert_eq!(compared, Compared { same: 4, ..Compared::default() });
    // one fit fewer was compared, says the ledger
    let record = CoordinatorRecord::Compared { outcome: Ok(Compared { same: 3, ..compared }) };
    let other = |old: &CoordinatorRecord| match old {
        CoordinatorRecord::Compared { .. } => vec![record.clone()],
        other => vec![other.clone()],
    };
    let report = verify(&[rewrite(&run, Party::Coordinator, other, |_| Vec::new())]);
    let said =
        |finding: &study::audit::Finding| finding.what == "the ledger says other of the release than its sums do";
    assert!(report.findings.iter().any(said), "{:?}", report.findings);
    // the sites' signatures are under a false release, and the coordinator writes down that it published it
    let (key, tamper) = key_of_the_coordinator();
    let (run, changed) = conspiracy(&protocol, tamper);
    let of_site = |site: u16| {
        let said = run.sent().iter().rev().find_map(|(from, message)| match message {
            FromSite::Finished(finished) if *from == site => Some(finished.clone()),
            _ => None,
        });
        said.expect("what the site signed at the end")
    };
    let identity = SigningIdentity::from_bytes(&key.borrow());
    let closed = Closed {
        finished: (0..3).map(of_site).collect(),
        head: run.manifest().digest(),
        signature: Signature([0; 64]),
    };
    let closed = Box::new(closed.signed(&identity, &run.manifest().digest()));
    let published = [CoordinatorRecord::Released { site: 0, bytes: changed }, CoordinatorRecord::Closed { closed }];
    let ledger = |old: &CoordinatorRecord| match old {
        CoordinatorRecord::Compared { .. } => vec![record.clone()],
        other => vec![other.clone()],
    };
    let report = verify(&[rewrite(&run, Party::Coordinator, ledger, |_| published.to_vec())]);
    let what =
        "the release is not that of the opened sums: cox pfs stratified efron: estimate of regimen:IsaPd (naive)";
    assert!(report.findings.iter().any(|finding| finding.what == what), "{:?}", report.findings);
}
