//! Floors hold for everything that one run tells together: case 24, its kind, and all pairs of analyses of all examples.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use entente_tests::attack::{Fall, Group, falls, together};
use entente_tests::federation::{Rows, plain};
use rehearsal::StudyDir;
use study::cohort::{Cohort, Column};
use study::plan::Plan;
use study::protocol::Protocol;
use study::release::Release;
use study::results::{At, EffectRow, Quantity, Results};

const EXAMPLES: [(&str, &str); 9] = [
    ("relapsed-myeloma", "protocol.toml"),
    ("relapsed-myeloma", "protocol-competing.toml"),
    ("relapsed-myeloma", "protocol-month.toml"),
    ("relapsed-myeloma", "protocol-resampling.toml"),
    ("rotterdam", "protocol.toml"),
    ("rotterdam", "protocol-month.toml"),
    ("rotterdam", "protocol-quarter.toml"),
    ("lung", "protocol.toml"),
    ("lung", "protocol-cox.toml"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn case() -> PathBuf {
    root().join("tests/cases/24-overlapping-horizons")
}

/// The case's protocol up to its outcomes.
fn head() -> String {
    let text = std::fs::read_to_string(case().join("protocol.toml")).unwrap();
    text[..text.find("[[outcome]]").unwrap()].into()
}

/// Outcomes on the same days: kind, grid and horizon of each; they are called a, b, c.
fn outcomes(all: &[(&str, f64, u32)]) -> String {
    let outcome = |(name, (kind, grid, horizon)): (char, &(&str, f64, u32))| {
        let event = match *kind {
            "competing" => "status = \"why\"\ncensored = \"none\"\ncauses = [\"death\", \"other\"]",
            _ => "event = \"died\"",
        };
        format!(
            "[[outcome]]\nname = \"{name}\"\nkind = \"{kind}\"\ntime = \"days\"\n{event}\ngrid_days = {grid}\nhorizon_days = {horizon}\n"
        )
    };
    ('a'..).zip(all).map(outcome).collect()
}

/// The status that the competing variants read.
const WHY: &str = "[[variable]]\nname = \"why\"\nkind = \"categorical\"\nlevels = [\"none\", \"death\", \"other\"]\n";
const OPEN: &str = "[release]\nminimum_cell = 1\nminimum_leavers = 1\n";

fn curves(names: &str) -> String {
    format!("[[analysis]]\nkind = \"kaplan_meier\"\noutcomes = [{names}]\n")
}

fn parsed(text: &str) -> Result<Arc<Protocol>, Vec<String>> {
    Protocol::parse(text).map(Arc::new).map_err(|mistakes| mistakes.0.iter().map(ToString::to_string).collect())
}

/// The sites of the case; the status of the competing variants is the event.
fn sites(protocol: &Protocol) -> Vec<Cohort> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(case().join("sites")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let why = |rows: &Rows, i: usize| if rows.get(i, "died") == "1" { "death" } else { "none" }.to_owned();
        let days = |rows: &Rows, i: usize| rows.get(i, "days").parse::<u32>().unwrap();
        let side = |_: &Rows, i: usize| (i % 2).to_string();
        let one = |rows: &Rows, i: usize| u8::from(days(rows, i) == 101).to_string();
        // every fourth event is by the other cause
        let rare =
            |rows: &Rows, i: usize| match (rows.get(i, "died"), rows.get(i, "pid")[1..].parse::<u32>().unwrap() % 4) {
                ("1", 0) => "other".to_owned(),
                ("1", _) => "death".to_owned(),
                _ => "none".to_owned(),
            };
        let band = |rows: &Rows, i: usize| [8, 40].iter().filter(|day| days(rows, i) > **day).count().to_string();
        let rows = Rows::read(file).with_column("why", why).with_column("side", side);
        rows.with_column("one", one).with_column("band", band).with_column("rare", rare).cohort(protocol)
    };
    files.iter().map(read).collect()
}

fn released(text: &str) -> (Arc<Protocol>, Plan, Results) {
    let protocol = parsed(text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{text}"));
    let plan = plain(&protocol, &sites(&protocol)).unwrap();
    let results = Release::of(&plan).into_results();
    (protocol, plan, results)
}

fn floors(protocol: &Protocol) -> [u64; 2] {
    [protocol.release.minimum_cell, protocol.release.minimum_leavers].map(u64::from)
}

#[test]
fn outcomes_that_cut_each_others_cells_are_refused_with_the_protocol() {
    let text = std::fs::read_to_string(case().join("protocol.toml")).unwrap();
    let expected = "line 35: outcome[2].horizon_days: with `first` on the same days (`days`), it tells who leaves from day 101 to 101, \
                    fewer days than a cell has; write `horizon_days = 100` here";
    assert_eq!(parsed(&text).unwrap_err(), [expected]);
    assert!(parsed(&format!("{text}{OPEN}")).is_ok(), "without floors nothing is promised");

    let t = "time_to_event";
    let both = |one: (&str, f64, u32), other: (&str, f64, u32)| {
        let text = format!("{}{WHY}{}{}", head(), outcomes(&[one, other]), models("\"a\", \"b\"", other.0));
        parsed(&text).err()
    };
    for (one, other, key) in [
        ((t, 7.0, 364), (t, 8.0, 368), "grid_days"),
        ((t, 7.0, 364), (t, 8.0, 364), "grid_days"),
        ((t, 7.0, 200), (t, 7.0, 212), "horizon_days"),
        ((t, 30.4375, 360), (t, 30.4375, 720), "horizon_days"),
        ((t, 30.4375, 1826), (t, 91.3125, 1700), "horizon_days"),
        ((t, 7.0, 100), ("competing", 7.0, 101), "horizon_days"),
        ((t, 30.0, 360), ("competing", 31.0, 372), "grid_days"),
    ] {
        let found = both(one, other).unwrap_or_else(|| panic!("{one:?} {other:?}"));
        assert!(found.len() == 1 && found[0].contains(&format!("outcome[2].{key}: with `a`")), "{found:?}");
    }
    for (one, other) in [
        ((t, 7.0, 100), (t, 7.0, 100)),
        ((t, 7.0, 98), (t, 7.0, 105)),
        ((t, 7.0, 98), (t, 14.0, 700)),
        ((t, 30.4375, 1826), (t, 91.3125, 1826)),
        ((t, 30.4375, 365), (t, 30.4375, 730)),
        ((t, 1.0, 100), (t, 1.0, 101)),
        ((t, 7.0, 364), ("competing", 7.0, 364)),
    ] {
        assert_eq!(both(one, other), None, "{one:?} {other:?}");
    }
    let thirteen: Vec<(&str, f64, u32)> = (200..213).map(|horizon| (t, 7.0, horizon)).collect();
    let names: Vec<String> = ('a'..).take(13).map(|name| format!("\"{name}\"")).collect();
    assert!(parsed(&format!("{}{}{}", head(), outcomes(&thirteen), curves(&names.join(", ")))).is_err());
    let unused = format!("{}{}{}", head(), outcomes(&[(t, 7.0, 100), (t, 7.0, 101)]), curves("\"a\""));
    assert!(parsed(&unused).is_ok(), "of the second outcome nothing is computed");
}

/// The outcomes with a piece of advice taken.
fn advised<'k>(all: &[(&'k str, f64, u32)], mistake: &str) -> Vec<(&'k str, f64, u32)> {
    let (at, advice) = mistake.split_once("; write `").unwrap_or_else(|| panic!("{mistake}"));
    let number = |key: &str| {
        let (_, value) = advice.split_once(&format!("{key} = "))?;
        value.split('`').next()?.parse::<f64>().ok()
    };
    let here = at.split_once("outcome[").and_then(|(_, rest)| rest.split(']').next()?.parse::<usize>().ok());
    let named = advice.split_once(" for `").map(|(_, name)| usize::from(name.as_bytes()[0] - b'a'));
    let changed = |index: usize| {
        advice.contains(" for each outcome on `days`") || named.map_or(here == Some(index + 1), |named| named == index)
    };
    let with = |(index, (kind, days, horizon)): (usize, &(&'k str, f64, u32))| {
        if !changed(index) {
            return (*kind, *days, *horizon);
        }
        (*kind, number("grid_days").unwrap_or(*days), number("horizon_days").map_or(*horizon, |day| day as u32))
    };
    all.iter().enumerate().map(with).collect()
}

#[test]
fn the_advice_on_outcomes_that_cut_each_others_cells_is_taken_at_once() {
    let (t, competing) = ("time_to_event", "competing");
    let times = |days: &str| format!("times_days = [{days}]\n");
    let mut tried = 0;
    let mut grids: Vec<Vec<(&str, f64, u32)>> = Vec::new();
    for (first, second) in
        [(7.0, 7.0), (7.0, 8.0), (30.4375, 30.4375), (30.4375, 91.3125), (91.3125, 30.4375), (14.0, 30.4375)]
    {
        for (one, other) in [(100, 101), (364, 368), (360, 720), (1826, 1700), (1826, 1826), (720, 365)] {
            grids.push(vec![(t, first, one), (t, second, other)]);
            grids.push(vec![(t, first, one), (competing, second, other)]);
            grids.push(vec![(t, first, one), (t, second, other), (t, first, other)]);
            grids.push(vec![(t, first, one), (t, second, other), (t, 10.0, 400)]);
        }
    }
    grids.push((200..213).map(|horizon| (t, 7.0, horizon)).collect());
    for all in &grids {
        for declared in ["", "100", "40, 100", "28, 35, 98"] {
            let written = |all: &[(&str, f64, u32)]| {
                let names: Vec<String> = ('a'..).take(all.len()).map(|name| format!("\"{name}\"")).collect();
                let names = names.join(", ");
                let models = match all[1].0 {
                    "competing" => models(&names, "competing"),
                    _ => curves(&names),
                };
                let times = if declared.is_empty() { String::new() } else { times(declared) };
                format!("{}{WHY}{}{models}{times}", head(), outcomes(all))
            };
            let Err(mistakes) = parsed(&written(all)) else { continue };
            if !mistakes.iter().all(|mistake| mistake.contains("on the same days")) {
                continue; // two times in one cell of a grid, which is said first
            }
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            let next = advised(all, &mistakes[0]);
            assert!(parsed(&written(&next)).is_ok(), "{all:?}: {} -> {:?}", mistakes[0], parsed(&written(&next)));
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
}

/// Curves of `a` and `b`, or incidences of `b`.
fn models(names: &str, kind: &str) -> String {
    if kind == "competing" {
        format!("{}[[analysis]]\nkind = \"cumulative_incidence\"\noutcomes = [\"b\"]\n", curves("\"a\""))
    } else {
        curves(names)
    }
}

/// Horizons, event beside the same event as a cause, grids: on a grid of days, so that the counts decide.
fn variants() -> Vec<(&'static str, String)> {
    let t = "time_to_event";
    let days: Vec<(&str, f64, u32)> = (200..213).map(|horizon| (t, 1.0, horizon)).collect();
    let names: Vec<String> = ('a'..).take(13).map(|name| format!("\"{name}\"")).collect();
    let times = |days: &str| format!("times_days = [{days}]\n");
    let pair = outcomes(&[(t, 1.0, 400), (t, 1.0, 400)]);
    let one = |name: &str, rest: &str| format!("{}{rest}", curves(&format!("\"{name}\"")));
    vec![
        ("two horizons", outcomes(&[(t, 1.0, 100), (t, 1.0, 101)]) + &curves("\"a\", \"b\"")),
        ("thirteen horizons", outcomes(&days) + &curves(&names.join(", "))),
        ("grids", outcomes(&[(t, 1.0, 400), (t, 7.0, 399)]) + &curves("\"a\", \"b\"")),
        ("a cause", outcomes(&[(t, 1.0, 100), ("competing", 1.0, 101)]) + &models("\"a\"", "competing")),
        (
            "a cause, the same horizon",
            outcomes(&[(t, 1.0, 400), ("competing", 1.0, 400)]) + &models("\"a\"", "competing"),
        ),
        ("times", pair.clone() + &one("a", &times("180")) + &one("b", &times("181"))),
        ("means", pair.clone() + &one("a", "rmst_days = 180\n") + &one("b", "rmst_days = 181\n")),
        ("a model", outcomes(&[(t, 1.0, 100), (t, 1.0, 101)]) + &one("a", "") + &cox("b", "")),
        ("single days", pair + &cox("a", "standardise_days = [180]\n") + &cox("b", "standardise_days = [181]\n")),
        (
            "a scenario",
            outcomes(&[(t, 1.0, 400)])
                + &one("a", "")
                + "[[scenario]]\nname = \"less\"\nrequire = \"one = 0\"\ncurves = true\n",
        ),
        (
            "scenarios",
            outcomes(&[(t, 1.0, 400)])
                + &one("a", "")
                + "[[scenario]]\nname = \"early\"\nrequire = \"band > 0\"\ncurves = true\n\
                   [[scenario]]\nname = \"late\"\nrequire = \"band > 1\"\ncurves = true\n",
        ),
    ]
}

fn cox(outcome: &str, rest: &str) -> String {
    format!(
        "[[analysis]]\nkind = \"cox\"\noutcome = \"{outcome}\"\nmodels = [\"adjusted\"]\ncovariates = [\"side\"]\n{rest}"
    )
}

/// Covariates beside the case's columns: any, one for who leaves on a single day, one for how early somebody leaves.
const SIDE: &str = "[[variable]]\nname = \"side\"\nkind = \"binary\"\n[[variable]]\nname = \"one\"\nkind = \"binary\"\n\
                    [[variable]]\nname = \"band\"\nkind = \"continuous\"\nrange = [0, 2]\nresolution = 1\n";

#[test]
fn what_two_outcomes_tell_together_is_hidden_and_was_there() {
    let mut all = 0;
    for (name, text) in variants() {
        let text = format!("{}{WHY}{SIDE}{text}", head());
        let (protocol, _, results) = released(&text);
        assert_eq!(together(&results, &protocol, floors(&protocol)), [], "{name}");
        let (open, plan, results) = released(&format!("{text}{OPEN}"));
        let found = together(&results, &open, [5, 5]);
        let rows = sites(plan.protocol());
        let untrue: Vec<&Group> = found.iter().filter(|group| group.is_true(&rows) == Some(false)).collect();
        assert!(untrue.is_empty(), "{name}: {:?}", untrue.first());
        all += found.len();
        println!("{name}: {} groups of fewer than 5 without floors, none with them", found.len());
        // standardised survival is no count: the next test holds it
        assert!(
            !found.is_empty() || name == "single days",
            "{name}: the attack finds patients where nothing is hidden"
        );
    }
    println!("{all} in all");
}

#[test]
fn the_second_of_two_horizons_or_days_shows_nothing() {
    let with = |name: &str, release: &str| {
        let (_, text) = variants().into_iter().find(|(n, _)| *n == name).unwrap();
        released(&format!("{}{WHY}{SIDE}{text}{release}", head())).2
    };
    let of = |name: &str| with(name, "");
    let results = of("two horizons");
    let events = |outcome: &str| -> Vec<Option<u64>> {
        results.outcomes.iter().filter(|row| row.outcome == outcome).map(|row| row.events).collect()
    };
    assert!(events("a").iter().all(Option::is_some) && events("b") == [None, None], "{:?}", results.outcomes);
    assert!(results.survival.iter().all(|row| row.outcome == "a" && row.at == At::MergedCell));
    assert!(
        results.tests.iter().all(|test| test.outcome == "a") && results.medians.iter().all(|row| row.outcome == "a")
    );
    let results = of("times");
    let at = |outcome: &str| {
        let of = |row: &&study::results::SurvivalRow| row.outcome == outcome && row.at == At::Declared;
        results.survival.iter().filter(of).all(|row| row.survival.is_some())
    };
    assert_eq!((at("a"), at("b")), (true, false));
    let results = of("means");
    let mean = |outcome: &str| {
        let of = |row: &&study::results::MedianRow| row.outcome == outcome && row.quantity == Quantity::RestrictedMean;
        results.medians.iter().filter(of).all(|row| row.value.is_some())
    };
    assert_eq!((mean("a"), mean("b")), (true, false));
    let results = of("single days");
    let effect =
        |outcome: &str| results.effects.iter().filter(|row| row.outcome == outcome).collect::<Vec<&EffectRow>>();
    assert!(!effect("a").is_empty() && effect("a").iter().all(|row| !row.hidden && row.estimate.is_some()));
    assert!(!effect("b").is_empty() && effect("b").iter().all(|row| row.hidden && row.estimate.is_none()));
    let open = with("single days", OPEN);
    assert!(open.effects.iter().all(|row| !row.hidden && row.estimate.is_some()));
}

/// An example's protocol and its sites' rows.
fn example(name: &str, file: &str, open: bool) -> (Arc<Protocol>, Vec<Cohort>) {
    let study = StudyDir::read(&root().join("examples").join(name), file).unwrap();
    // fewer draws tell the same tables
    let mut text = study.protocol.replace("replicates = 200", "replicates = 20").replace("draws = 10", "draws = 2");
    if open {
        text =
            text.replace("[release]\nminimum_cell = 3\n", "").replace("[release]\nopening = \"totals\"\n", "") + OPEN;
    }
    let protocol = parsed(&text).unwrap_or_else(|mistakes| panic!("{name}/{file}: {mistakes:#?}"));
    let load = |path: &PathBuf| {
        site_agent::source::csv::load(path, &protocol, study::policy::BadValues::Refuse).unwrap().cohort
    };
    let cohorts = study.sites.iter().map(|(_, path)| load(path)).collect();
    (protocol, cohorts)
}

#[test]
fn pairs_of_analyses_of_every_example_tell_of_nobody() {
    let (mut all, mut weights) = (0, 0);
    for (name, file) in EXAMPLES {
        let (protocol, cohorts) = example(name, file, false);
        let results = Release::of(&plain(&protocol, &cohorts).unwrap()).into_results();
        let found = together(&results, &protocol, floors(&protocol));
        assert_eq!(found, [], "{name}/{file}");
        assert_eq!(falls(&results, &protocol, &cohorts, floors(&protocol)[1]), [], "{name}/{file}");
        assert!(results.survival.iter().all(|row| !row.weighted || row.n_risk.is_none()), "{name}/{file}");
        let (open, cohorts) = example(name, file, true);
        let results = Release::of(&plain(&open, &cohorts).unwrap()).into_results();
        let found = together(&results, &open, floors(&protocol));
        let checked: Vec<bool> = found.iter().filter_map(|group| group.is_true(&cohorts)).collect();
        assert!(checked.iter().all(|is_true| *is_true), "{name}/{file}");
        println!("{name}/{file}: {} groups without floors, {} held against the rows", found.len(), checked.len());
        if !results.survival.is_empty() {
            assert!(!checked.is_empty(), "{name}/{file}: the attack finds patients where nothing is hidden");
        }
        all += found.len();
        weights += weights_of_one(&results, &falls(&results, &open, &cohorts, 5));
    }
    println!("{all} in all, and {weights} weights of one patient");
    assert!(weights > 0, "weighted curves tell weights where nothing is hidden");
}

/// A curve and incidences of its causes, one of them rare, on the same days, all weighted.
#[test]
fn weighted_curves_and_incidences_together_tell_no_weight_of_a_few() {
    let rare = "[[variable]]\nname = \"rare\"\nkind = \"categorical\"\nlevels = [\"none\", \"death\", \"other\"]\n";
    let both = outcomes(&[("time_to_event", 7.0, 350), ("competing", 7.0, 350)]).replace("\"why\"", "\"rare\"");
    let models = "[propensity]\ncovariates = [\"side\"]\nestimand = \"ATE\"\n\
                  [[analysis]]\nkind = \"kaplan_meier\"\noutcomes = [\"a\"]\nweighted = [false, true]\n\
                  [[analysis]]\nkind = \"cumulative_incidence\"\noutcomes = [\"b\"]\nweighted = [false, true]\n";
    let text = format!("{}{rare}{SIDE}{both}{models}", head());
    let found = |release: &str, minimum: u64| {
        let protocol = parsed(&format!("{text}{release}")).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        let cohorts = sites(&protocol);
        let results = Release::of(&plain(&protocol, &cohorts).unwrap()).into_results();
        let told = results.survival.iter().filter(|row| row.weighted && row.survival.is_some()).count();
        let of_causes = results.incidences.iter().filter(|row| row.weighted && row.incidence.is_some()).count();
        (falls(&results, &protocol, &cohorts, minimum), told, of_causes)
    };
    let (hidden, told, of_causes) = found("", 5);
    assert_eq!(hidden, []);
    assert!(told >= 9 && of_causes >= 3, "curves are there: {told} and {of_causes}");
    let (open, ..) = found(OPEN, 5);
    let beside = open.iter().filter(|fall| fall.group.place.contains("beside")).count();
    println!(
        "{} falls by a few, {beside} of them by two curves together; {told} and {of_causes} numbers under floors",
        open.len()
    );
    assert!(beside > 0 && open.len() > beside);
}

/// Weights that falls of curves tell of one patient each, as the weights of events say that are open here.
fn weights_of_one(results: &Results, falls: &[Fall]) -> usize {
    let told = falls.iter().filter(|fall| fall.group.count == 1).filter_map(|fall| fall.weights);
    let events: Vec<f64> = results.survival.iter().filter(|r| r.weighted).filter_map(|r| r.n_event).collect();
    told.filter(|weight| {
        assert!(events.iter().any(|event| (event - weight).abs() < 1e-6 * weight), "{weight} is no weight of an event");
        true
    })
    .count()
}

#[test]
fn patients_who_remain_stand_wherever_survival_does() {
    let (protocol, cohorts) = example("relapsed-myeloma", "protocol-month.toml", false);
    let plan = plain(&protocol, &cohorts).unwrap();
    let results = Release::of(&plan).into_results();
    let arms = protocol.dictionary.variable(protocol.treatment.variable).levels();
    let (mut shown, mut without) = (0, 0);
    for row in results.survival.iter().filter(|row| !row.weighted && row.survival.is_some()) {
        let outcome = protocol.outcome(&row.outcome).unwrap();
        let (time, grid) = (outcome.kind.time().unwrap(), outcome.kind.grid().unwrap());
        let arm = arms.iter().position(|level| *level == row.arm);
        let cell = (row.time_days / grid.days).round() as u32;
        let remain = |rows: &Cohort| {
            let Column::Days(days) = &rows.columns[time.0] else { panic!("days") };
            let of_arm = |i: &usize| arm.is_none_or(|arm| rows.treated[*i] == (arm == protocol.treatment.treated));
            (0..rows.rows()).filter(of_arm).filter(|i| grid.cell(days[*i].min(grid.horizon_days)) > cell).count()
        };
        let remain: usize = cohorts.iter().map(remain).sum();
        assert_eq!(row.n_after, Some(remain as f64), "{} {} {}", row.outcome, row.arm, row.time_days);
        shown += 1;
        without += usize::from(row.n_risk.is_none());
    }
    println!("{shown} numbers of remaining patients, {without} of them where the number at risk is hidden");
    assert!(shown > 100 && without > 0);
    assert!(results.survival.iter().all(|row| row.n_after.is_none() || !row.weighted));
}
