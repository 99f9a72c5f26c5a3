//! Patients and events at the levels of effect modifiers: counted as the rows have them, and shown as a whole or not at all.

use std::path::Path;
use std::sync::Arc;

use entente_tests::federation::{Rows, plain};
use rehearsal::StudyDir;
use study::cohort::{Cohort, Column, MISSING_DAYS, MISSING_LEVEL};
use study::protocol::{OutcomeKind, Protocol};
use study::release::Release;
use study::results::{Results, SubgroupRow};

fn example(
    file: &str,
    bend: impl Fn(&str) -> String,
    change: impl Fn(Rows) -> Rows,
) -> (Arc<Protocol>, Vec<Cohort>, Results) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/relapsed-myeloma");
    let study = StudyDir::read(&folder, file).unwrap();
    let text = bend(&study.protocol);
    let protocol = Arc::new(Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)));
    let sites: Vec<Cohort> = study.sites.iter().map(|(_, file)| change(Rows::read(file)).cohort(&protocol)).collect();
    let results = Release::of(&plain(&protocol, &sites).unwrap()).into_results();
    (protocol, sites, results)
}

fn open(text: &str) -> String {
    text.replace("[release]\nminimum_cell = 3\n", "[release]\nminimum_cell = 1\n")
}

/// Patients and events of a row, from the rows of all sites.
fn counted(protocol: &Protocol, sites: &[Cohort], row: &SubgroupRow) -> (u64, u64) {
    let outcome = protocol.outcome(&row.outcome).unwrap();
    let modifier = protocol.dictionary.find(&row.modifier).unwrap();
    let at = |levels: &[String], name: &str| levels.iter().position(|level| level == name).unwrap();
    let level = at(protocol.dictionary.variable(modifier).levels(), &row.level) as u8;
    let arm = at(protocol.dictionary.variable(protocol.treatment.variable).levels(), &row.arm);
    let treated = arm == protocol.treatment.treated;
    let (mut n, mut events) = (0, 0);
    for rows in sites {
        let Column::Levels(levels) = &rows.columns[modifier.0] else { panic!("levels") };
        for i in (0..rows.rows()).filter(|i| rows.treated[*i] == treated && levels[*i] == level) {
            let columns: Vec<&Column> = outcome.kind.variables().iter().map(|id| &rows.columns[id.0]).collect();
            let event = match (&outcome.kind, &columns[..]) {
                (OutcomeKind::Binary { .. }, [Column::Levels(values), ..]) if values[i] != MISSING_LEVEL => {
                    values[i] == 1
                }
                (OutcomeKind::TimeToEvent(spec), [Column::Days(days), Column::Levels(status)])
                    if days[i] != MISSING_DAYS && status[i] != MISSING_LEVEL =>
                {
                    status[i] == 1 && days[i] <= spec.horizon_days
                }
                (OutcomeKind::Competing(spec), [Column::Days(days), Column::Levels(status)])
                    if days[i] != MISSING_DAYS && status[i] != MISSING_LEVEL =>
                {
                    days[i] <= spec.grid.horizon_days && Some(spec.of_level(status[i])) == spec.cause(&row.cause)
                }
                _ => continue,
            };
            n += 1;
            events += u64::from(event);
        }
    }
    (n, events)
}

#[test]
fn counts_are_those_of_the_rows() {
    let (protocol, sites, results) = example("protocol.toml", open, |rows| rows);
    assert!(results.subgroups.len() > 8, "{}", results.subgroups.len());
    for row in &results.subgroups {
        let (n, events) = counted(&protocol, &sites, row);
        assert_eq!((row.n, row.events), (Some(n), Some(events)), "{row:?}");
    }
    // each effect within a level has its two rows
    let effects = results.estimates.iter().filter(|row| !row.modifier.is_empty() && row.term.contains(" at "));
    let mut beside = 0;
    for effect in effects {
        let level = effect.term.rsplit_once(':').unwrap().1;
        let of = |row: &&SubgroupRow| {
            (&row.outcome, &row.cause, &row.modifier, &*row.level)
                == (&effect.outcome, &effect.cause, &effect.modifier, level)
        };
        assert_eq!(results.subgroups.iter().filter(of).count(), 2, "{}", effect.term);
        beside += 1;
    }
    assert!(beside > 0);
    assert!(results.scenarios.iter().all(|scenario| scenario.results.subgroups.is_empty()));
}

#[test]
fn one_small_count_hides_the_table_of_its_outcome_and_modifier() {
    let floor = 12;
    let (_, _, shown) =
        example("protocol.toml", |text| text.replace("minimum_cell = 3", "minimum_cell = 12"), |rows| rows);
    let (protocol, sites, open) = example("protocol.toml", open, |rows| rows);
    let small = |n: u64| (1..floor).contains(&n);
    let mut hidden = 0;
    for (row, beside) in shown.subgroups.iter().zip(&open.subgroups) {
        let of_table = |other: &&SubgroupRow| (&other.outcome, &other.modifier) == (&row.outcome, &row.modifier);
        let counts = open.subgroups.iter().filter(of_table).map(|row| counted(&protocol, &sites, row));
        let few = counts.clone().any(|(n, events)| small(n) || small(events) || small(n - events));
        if few {
            assert_eq!((row.n, row.events), (None, None), "{row:?}");
        }
        hidden += usize::from(row.n.is_none());
        // nothing is shown that is not so
        assert!(row.n.is_none() || (row.n, row.events) == (beside.n, beside.events));
        let all: Vec<bool> = shown.subgroups.iter().filter(of_table).map(|row| row.n.is_none()).collect();
        assert!(all.iter().all(|is_hidden| *is_hidden == all[0]), "all or nothing: {row:?}");
    }
    println!("{hidden} of {} counts are hidden", shown.subgroups.len());
    assert!(hidden > 0 && hidden < shown.subgroups.len(), "some tables are shown");
}

/// Where two patients of a level have no value of a second outcome, the two tables would tell them; the first one is shown.
#[test]
fn what_two_outcomes_tell_of_a_level_by_their_difference_is_hidden() {
    let bend = |text: &str| {
        let more = "[[variable]]\nname = \"response_again\"\nkind = \"binary\"\n\n\
                    [[outcome]]\nname = \"again\"\nlabel = \"Response again\"\nkind = \"binary\"\nvariable = \"response_again\"\n\n\
                    [[analysis]]\nkind = \"logistic\"\noutcome = \"again\"\nmodels = [\"adjusted\"]\ncovariates = [\"age\"]\n\
                    effect_modifier = \"dara_refr\"\n\n";
        format!("{text}\n{more}")
    };
    let tables = |lacking: u32| {
        let left = std::cell::Cell::new(lacking);
        let change = |rows: Rows| {
            rows.with_column("response_again", |rows: &Rows, i: usize| {
                let lacks = left.get() > 0 && rows.get(i, "dara_refr") == "1" && !rows.get(i, "fish").is_empty();
                left.set(left.get() - u32::from(lacks));
                if lacks { String::new() } else { rows.get(i, "response").to_string() }
            })
        };
        let (_, _, results) = example("protocol.toml", bend, change);
        let of = |outcome: &str| -> Vec<bool> {
            results.subgroups.iter().filter(|row| row.outcome == outcome).map(|row| row.n.is_some()).collect()
        };
        [of("response"), of("again")]
    };
    assert_eq!(tables(0), [[true; 4], [true; 4]]);
    assert_eq!(tables(2), [[true; 4], [false; 4]]);
}
