//! Attacks on the coordinator's own record of the reference study, 45 sites on the day grid, under both openings.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use entente_tests::attack::{Evidence, FollowUp, Rows, Transcript, alone, opened, questions, released, solve};
use entente_tests::federation::Federation;
use study::cohort::Cohort;
use study::dictionary::VariableId;
use study::evaluate::Evaluator;
use study::machine::site::SiteRecord;
use study::protocol::Protocol;
use study::question::{CoxModel, Question};
use study::term::Term;
use study::view::{Asked, Draw};
use study::word;

use crate::reference::{centre, cohorts, protocol_text, rows};

const SITES: usize = 45;
const PATIENTS: usize = 277;

/// A run under one opening: what the coordinator wrote down, and what only sites know.
struct Run {
    protocol: Arc<Protocol>,
    transcript: Transcript,
    /// The questions of each round.
    rounds: Vec<Arc<[Asked]>>,
    /// The sums of each round as a site holds them.
    sums: Vec<Vec<f64>>,
}

fn run(opening: &str) -> Run {
    let text = protocol_text().replacen("[release]\n", &format!("[release]\nopening = \"{opening}\"\n"), 1);
    let protocol = Arc::new(Protocol::parse(&text).unwrap());
    assert_eq!(protocol.release.opening.name(), opening);
    let mut federation = Federation::new(Arc::clone(&protocol), per_site(&protocol), 11);
    federation.run();
    assert!(federation.finished(), "{:?} {:?}", federation.refusals, federation.faults);
    let transcript = Transcript::of(federation.coordinator_journal());
    let accepted = federation.site_journal(0).iter().filter_map(|record| match record {
        SiteRecord::Accepted { opened, .. } => Some(word::read(&opened.words, SITES)),
        _ => None,
    });
    let sums: Vec<Vec<f64>> = accepted.collect();
    let rounds = questions(&protocol, sums.iter().map(|sums| &sums[..]));
    Run { protocol, transcript, rounds, sums }
}

fn totals() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| run("totals"))
}

fn results() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| run("results"))
}

fn per_site(protocol: &Protocol) -> Vec<Cohort> {
    cohorts(protocol, &rows().split(SITES, centre))
}

/// All patients in one table, which the attacks are scored against.
fn pooled(protocol: &Protocol) -> Cohort {
    rows().cohort(protocol)
}

/// Rows of `## What the coordinator opens, kind by kind` in the threat model: kinds, and what the coordinator opens under either opening.
fn documented() -> Vec<(Vec<String>, [bool; 2])> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/threat-model.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("\n## What the coordinator opens, kind by kind\n").expect("the section");
    let section = section.split("\n## ").next().unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let kinds: Vec<String> = cells[0].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let opens = |cell: &str| match cell {
            "coordinator" => true,
            "sites" => false,
            other => panic!("who opens it: {other}"),
        };
        (kinds, [opens(cells[2]), opens(cells[3])])
    };
    section.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

#[test]
fn the_coordinator_opens_what_the_threat_model_says_and_nothing_else() {
    let documented = documented();
    for (at, run) in [totals(), results()].into_iter().enumerate() {
        let opening = run.protocol.release.opening.name();
        println!("opening = {opening:?}");
        for (kind, numbers) in run.transcript.kinds() {
            println!("  {kind:<22} {:>6} opened, {:>6} sealed", numbers.opened, numbers.sealed);
            let rows: Vec<_> = documented.iter().filter(|(kinds, _)| kinds.iter().any(|k| k == kind)).collect();
            let [(_, opens)] = rows.as_slice() else { panic!("{kind} stands {} times in the table", rows.len()) };
            // of a kind that it opens, it opens the sums of the models that are released
            let as_documented = if opens[at] { numbers.opened > 0 } else { numbers.opened == 0 && numbers.sealed > 0 };
            assert!(as_documented, "{kind} under {opening}: {numbers:?}");
        }
        let (opened, sealed) = (run.transcript.opened(), run.transcript.sealed());
        let variables = run.protocol.dictionary.variables().len();
        println!(
            "  {opened} numbers opened by the coordinator, {sealed} by the sites alone; {PATIENTS} patients x {variables} \
             variables = {} values",
            PATIENTS * variables
        );
        assert_eq!(opened + sealed, run.sums.iter().map(Vec::len).sum::<usize>());
    }
    assert_eq!((totals().transcript.opened(), results().transcript.opened()), (13_167, 0));
    let [a, b] = [totals(), results()].map(|run| run.transcript.release.as_ref().unwrap().to_bytes());
    assert_eq!(a, b, "both openings release the same bits");
}

fn id(protocol: &Protocol, name: &str) -> VariableId {
    protocol.dictionary.find(name).unwrap()
}

/// Treatment, covariates of the models and binary outcomes, as columns.
fn terms(protocol: &Protocol) -> Vec<Term> {
    let covariates = protocol.propensity.as_ref().unwrap().covariates.iter();
    let outcomes = ["response", "neutropenia", "infection", "disc_ae"].map(|name| Term::Level(id(protocol, name), 1));
    [Term::Treatment]
        .into_iter()
        .chain(covariates.flat_map(|id| Term::of_variable(protocol, *id)))
        .chain(outcomes)
        .collect()
}

/// The first risk-set question of each outcome's adjusted model: coefficients of zero.
fn risk_questions(run: &Run) -> Vec<(&Asked, Arc<CoxModel>, usize)> {
    let mut found: Vec<(&Asked, Arc<CoxModel>, usize)> = Vec::new();
    for asked in run.rounds.iter().flat_map(|round| round.iter()) {
        let Question::CoxRisk { model, events, beta } = &asked.question else { continue };
        let main = asked.view.scenario.is_none() && asked.view.draw == Draw::Nothing;
        let new = !found.iter().any(|(_, m, _)| m.outcome == model.outcome);
        if main && new && model.weights.is_none() && model.columns.terms.len() == 10 && beta.iter().all(|b| *b == 0.0) {
            found.push((asked, Arc::clone(model), events.cells.len()));
        }
    }
    found
}

#[test]
fn differences_of_neighbouring_cells_isolate_nobody_that_is_not_sent_in_clear() {
    let run = totals();
    let truth = Rows::of(&pooled(&run.protocol), terms(&run.protocol));
    let sites = per_site(&run.protocol);
    let (mut pooled_alone, mut site_alone) = (vec![], vec![]);
    for (asked, model, cells) in risk_questions(run) {
        let words = cells * (1 + model.columns.terms.len());
        let mut total = vec![0.0; words];
        let mut of_sites = BTreeSet::new();
        for (i, site) in sites.iter().enumerate() {
            let answer = Evaluator::new(&run.protocol, site, SITES, i == 0).answer(asked).unwrap();
            let sums = word::read(&answer[..words], SITES);
            of_sites.extend(alone(&sums, &model.columns, &truth));
            total.iter_mut().zip(&sums).for_each(|(total, sum)| *total += sum);
        }
        pooled_alone.push(alone(&total, &model.columns, &truth));
        site_alone.push(of_sites);
    }
    let counts = |sets: &[BTreeSet<usize>]| (sets[0].len(), sets[0].union(&sets[1]).count());
    println!(
        "in clear, progression-free survival, and with overall survival: {:?}",
        (counts(&site_alone), counts(&pooled_alone))
    );
    assert_eq!(counts(&site_alone), (255, 265), "sums as sites would send them without masks");
    assert_eq!(counts(&pooled_alone), (65, 86), "sums over all sites, if the coordinator could open them");

    for run in [totals(), results()] {
        let words: Vec<f64> = run.transcript.answers.iter().flat_map(|a| a.opened.iter().flatten().copied()).collect();
        let found: BTreeSet<usize> =
            risk_questions(run).iter().flat_map(|(_, model, _)| alone(&words, &model.columns, &truth)).collect();
        assert_eq!(found.len(), 0, "patients alone in what the coordinator opened");
        let release = released(run.transcript.release.as_ref().unwrap().results());
        println!(
            "release: {} cells with one event or one censored patient among several leavers",
            release.events.len()
        );
        assert_eq!((&release.leavers, &release.weights, &release.counts), (&vec![], &vec![], &vec![]));
    }
}

/// Standard normal numbers of a seed.
fn normals(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        // splitmix64 (Steele, Lea and Flood 2014)
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        stats::random::normal(z ^ (z >> 31))
    }
}

/// Does it evaluate the propensity model or an adjusted one, with all covariates and no modifier? The others add few
/// numbers and much time.
fn adjusted(question: &Question) -> bool {
    let columns = match question {
        Question::LogisticStep { model, .. } => &model.columns,
        Question::CoxStep { model, .. } => &model.columns,
        _ => return false,
    };
    columns.terms.len() >= 10 && !columns.terms.iter().any(|term| matches!(term, Term::Product(..)))
}

/// What the coordinator opened of these models about the patients of the main analysis, as equations.
fn evidence(run: &Run, truth: &Rows, follow_up: Option<&FollowUp>) -> Vec<Evidence> {
    let opened = opened(&run.transcript, &run.rounds, &run.protocol);
    let opened = opened.into_iter().filter(|(asked, _)| adjusted(&asked.question));
    let main = opened.filter(|(asked, _)| asked.view.scenario.is_none() && asked.view.draw == Draw::Nothing);
    main.filter_map(|(asked, words)| Evidence::of(&asked.question, words, &truth.terms, follow_up)).collect()
}

/// Steps of one attack.
const STEPS: usize = 20;

/// Nearer than this in every unknown value, in standard deviations, is a patient.
const NEAR: f64 = 1e-3;

/// The true rows with normal noise of so many standard deviations in these columns, about their mean where `blind`.
fn start(truth: &Rows, columns: &[usize], noise: f64, blind: bool, seed: u64) -> Rows {
    let mut normal = normals(seed);
    let mut rows = truth.clone();
    for row in &mut rows.values {
        for column in columns {
            let (mean, unit) = truth.spread(*column);
            let about = if blind { mean } else { row[*column] };
            row[*column] = about + noise * unit * normal();
        }
    }
    rows
}

/// Runs one attack, says how it ended, and gives the number of patients.
fn attack(what: &str, evidence: &[Evidence], truth: &Rows, from: &Rows, columns: &[usize]) -> usize {
    let units: Vec<f64> = columns.iter().map(|column| truth.spread(*column).1).collect();
    let solution = solve(evidence, from, columns, &units, STEPS);
    let (equations, unknowns) = solution.size;
    let found = solution.rows.recovered(truth, columns, NEAR);
    println!(
        "{what}: {equations} equations, {unknowns} unknowns, {} steps, misfit {:.1e}: {found} of {PATIENTS} patients",
        solution.steps, solution.misfit
    );
    assert_eq!(from.recovered(truth, columns, NEAR), 0, "known before");
    found
}

#[test]
fn least_squares_on_opened_scores_and_information() {
    let run = totals();
    let cohort = pooled(&run.protocol);
    let truth = Rows::of(&cohort, terms(&run.protocol));
    let follow_up = FollowUp::of(&run.protocol, &cohort);
    let numbers: Vec<usize> =
        (0..truth.terms.len()).filter(|column| matches!(truth.terms[*column], Term::Number(_))).collect();
    assert_eq!(numbers.len(), 2, "age and creatinine clearance");

    // everything else of a patient is told: arm, levels, outcomes, day and way of leaving
    let told = evidence(run, &truth, Some(&follow_up));
    let near = start(&truth, &numbers, 0.1, false, 1);
    let found = attack("numbers unknown, start within 0.1 SD", &told, &truth, &near, &numbers);
    assert!(found > PATIENTS / 2, "the attack works where it may: {found}");
    for seed in [2, 3] {
        let blind = start(&truth, &numbers, 1.0, true, seed);
        let found = attack("numbers unknown, random start", &told, &truth, &blind, &numbers);
        assert_eq!(found, 0);
    }

    // nothing is told: a part of the logistic evaluations, for time
    let untold: Vec<Evidence> = evidence(run, &truth, None).into_iter().step_by(5).collect();
    let all: Vec<usize> = (0..truth.terms.len()).collect();
    let blind = start(&truth, &all, 1.0, true, 4);
    assert_eq!(attack("nothing known, random start", &untold, &truth, &blind, &all), 0);

    assert!(evidence(results(), &truth, Some(&follow_up)).is_empty(), "no equation where results alone are opened");
}
