//! `curves = "merged"`: curves that tell nothing but the counts of their cells, and what somebody reads out of the digits of
//! those that are exact on the grid.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use entente_tests::attack::{Split, splits};
use entente_tests::federation::{Rows, plain};
use rehearsal::StudyDir;
use study::cohort::{Cohort, Column};
use study::protocol::Protocol;
use study::release::Release;
use study::results::{At, Quantity, Results};

fn study(curves: &str) -> (Arc<Protocol>, Vec<Cohort>, Results) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/relapsed-myeloma");
    let study = StudyDir::read(&folder, "protocol-month.toml").unwrap();
    let text = study.protocol.replace("[release]\n", &format!("[release]\ncurves = \"{curves}\"\n"));
    assert_ne!(text, study.protocol);
    let protocol = Arc::new(Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)));
    let sites: Vec<Cohort> = study.sites.iter().map(|(_, file)| Rows::read(file).cohort(&protocol)).collect();
    let results = Release::of(&plain(&protocol, &sites).unwrap()).into_results();
    (protocol, sites, results)
}

/// Who really leaves in the cells of a split.
fn truth(protocol: &Protocol, sites: &[Cohort], split: &Split) -> Vec<[u64; 2]> {
    let (outcome, arm, start, end) = &split.place;
    let kind = &protocol.outcome(outcome).unwrap().kind;
    let (time, grid) = (kind.time().unwrap(), kind.grid().unwrap());
    let treated =
        protocol.dictionary.variable(protocol.treatment.variable).levels()[protocol.treatment.treated] == *arm;
    let mut counts = vec![[0, 0]; (end - start + 1) as usize];
    for rows in sites {
        let (Column::Days(days), Column::Levels(status)) =
            (&rows.columns[time.0], &rows.columns[kind.variables()[1].0])
        else {
            panic!("days and a status")
        };
        for row in (0..rows.rows()).filter(|row| rows.treated[*row] == treated) {
            let cell = grid.cell(days[row].min(grid.horizon_days));
            if (*start..=*end).contains(&cell) {
                let event = status[row] == 1 && days[row] <= grid.horizon_days;
                counts[(cell - start) as usize][usize::from(!event)] += 1;
            }
        }
    }
    counts
}

#[test]
fn all_digits_of_a_curve_tell_how_its_cells_are_filled_unless_it_is_made_of_them() {
    let (protocol, sites, results) = study("grid");
    let found = splits(&results, &protocol);
    let alone: Vec<&Split> = found.iter().filter(|split| split.found.len() == 1).collect();
    for split in &found {
        assert!(split.found.contains(&truth(&protocol, &sites, split)), "{:?}", split.place);
    }
    println!("exact on the grid: {} of {} merged cells have one way to be filled", alone.len(), found.len());
    assert!(alone.len() > 10, "the attack finds who leaves when");

    let (protocol, sites, results) = study("merged");
    let found = splits(&results, &protocol);
    // The digits fit everybody at the end of the cell, whatever is true; where nobody has the event, they fit any spread.
    let told = found.iter().filter(|split| {
        let all_at_the_end = |way: &Vec<[u64; 2]>| way.iter().rev().skip(1).all(|counts| counts[0] == 0);
        !split.found.iter().any(all_at_the_end)
    });
    assert_eq!(told.count(), 0);
    let untrue = found.iter().filter(|split| !split.found.contains(&truth(&protocol, &sites, split))).count();
    println!("merged: {untrue} of {} cells are filled otherwise than the digits say", found.len());
    assert!(untrue > 10);
}

/// The same study whose patients leave at the ends of the merged cells: what is given out may depend on nothing else.
#[test]
fn merged_curves_are_those_of_times_that_are_rounded_up() {
    let (protocol, sites, results) = study("merged");
    let mut compared = 0;
    for outcome in ["pfs", "os"] {
        let kind = &protocol.outcome(outcome).unwrap().kind;
        let (time, grid) = (kind.time().unwrap(), kind.grid().unwrap());
        let of = |row: &&study::results::SurvivalRow| row.outcome == outcome && !row.weighted && row.survival.is_some();
        let ends: BTreeSet<u32> =
            results.survival.iter().filter(of).map(|row| (row.time_days / grid.days).round() as u32).collect();
        let last = grid.cell(grid.horizon_days);
        let round = |rows: &Cohort| {
            let mut rows = rows.clone();
            let Column::Days(days) = &mut rows.columns[time.0] else { panic!("days") };
            for day in days.iter_mut().filter(|day| **day <= grid.horizon_days) {
                let end = ends.range(grid.cell(*day)..).next().copied().unwrap_or(last);
                *day = grid.last_day(end).min(grid.horizon_days);
            }
            rows.scenarios.clear();
            rows
        };
        // floors are off, so that everything of the rounded study is there
        let text = "curves = \"merged\"\nminimum_leavers = 1\n";
        let study = StudyDir::read(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/relapsed-myeloma"),
            "protocol-month.toml",
        );
        let open = study.unwrap().protocol.replace("[release]\n", &format!("[release]\n{text}"));
        let open = without_scenarios(&open);
        let open = Arc::new(Protocol::parse(&open).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)));
        let rounded: Vec<Cohort> = sites.iter().map(round).collect();
        let other = Release::of(&plain(&open, &rounded).unwrap()).into_results();
        for row in results.survival.iter().filter(of) {
            let same = |r: &&study::results::SurvivalRow| {
                (&r.outcome, &r.arm, r.weighted, &r.conf_type) == (&row.outcome, &row.arm, row.weighted, &row.conf_type)
                    && r.time_days.to_bits() == row.time_days.to_bits()
            };
            let Some(beside) = other.survival.iter().find(same) else { continue };
            assert_eq!(
                (row.survival, row.std_error, row.interval),
                (beside.survival, beside.std_error, beside.interval)
            );
            assert_eq!(row.n_after, beside.n_after);
            compared += 1;
        }
        for row in results.medians.iter().filter(|row| row.outcome == outcome && !row.weighted) {
            let same = |r: &&study::results::MedianRow| {
                (&r.outcome, &r.arm, r.weighted, r.quantity, &r.conf_type)
                    == (&row.outcome, &row.arm, row.weighted, row.quantity, &row.conf_type)
                    && r.at_days == row.at_days
            };
            let beside = other.medians.iter().find(same).expect("a row");
            if row.value.is_some() || row.quantity == Quantity::Median {
                assert_eq!((row.value, row.conf_low, row.conf_high), (beside.value, beside.conf_low, beside.conf_high));
                compared += 1;
            }
        }
        for row in results.outcomes.iter().filter(|row| row.outcome == outcome) {
            let beside = other.outcomes.iter().find(|r| (&r.outcome, &r.arm) == (&row.outcome, &row.arm)).unwrap();
            assert!(row.follow_up.is_some());
            assert_eq!(row.follow_up, beside.follow_up);
        }
    }
    println!("{compared} rows");
    assert!(compared > 100);
    let merged = |row: &&study::results::SurvivalRow| row.at == At::MergedCell && !row.weighted;
    assert!(
        results.survival.iter().filter(merged).all(|row| row.n_risk.is_some()),
        "those at risk follow from the counts"
    );
}

/// An arm with fewer events and censored patients before the horizon than the floor has no cell: its curve is nowhere, and neither are
/// medians or tests of it.
#[test]
fn a_curve_without_a_cell_has_no_median() {
    let left = std::cell::Cell::new(3);
    let few = |rows: Rows| {
        rows.with_column("few_days", |rows: &Rows, i: usize| {
            let is_treated = rows.get(i, "arm") == "A";
            let leaves = !is_treated || left.get() > 0;
            left.set(left.get() - u32::from(is_treated && leaves));
            if leaves { rows.get(i, "days").to_string() } else { "4000".into() }
        })
    };
    let protocol = "[study]\nid = \"few\"\ntitle = \"Few leave\"\npatient = \"pid\"\n\
        [[variable]]\nname = \"arm\"\nkind = \"categorical\"\nlevels = [\"B\", \"A\"]\n\
        [[variable]]\nname = \"few_days\"\nkind = \"days\"\nmax = 5000\n[[variable]]\nname = \"died\"\nkind = \"binary\"\n\
        [treatment]\nvariable = \"arm\"\ntreated = \"A\"\ncontrol = \"B\"\n\
        [[outcome]]\nname = \"os\"\nkind = \"time_to_event\"\ntime = \"few_days\"\nevent = \"died\"\ngrid_days = 7\nhorizon_days = 700\n\
        [[analysis]]\nkind = \"kaplan_meier\"\noutcome = \"os\"\ntimes_days = [175]\nrmst_days = 350\n[release]\ncurves = \"merged\"\n";
    let protocol = Arc::new(Protocol::parse(protocol).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/24-overlapping-horizons/sites");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sites: Vec<Cohort> = files.map(|file| few(Rows::read(&file)).cohort(&protocol)).collect();
    let results = Release::of(&plain(&protocol, &sites).unwrap()).into_results();
    assert!(results.survival.iter().all(|row| row.survival.is_none()));
    assert_eq!((results.medians.len(), results.tests.len()), (0, 0));
    assert!(results.outcomes.iter().all(|row| row.follow_up.is_none()));
}

fn without_scenarios(text: &str) -> String {
    let mut kept = String::new();
    let mut skips = false;
    for line in text.lines() {
        if line.starts_with('[') {
            skips = line.starts_with("[[scenario");
        }
        if !skips {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
