//! Values that do not fit the dictionary: who needs them decides what becomes of them.

use site_agent::source::csv::load;
use site_agent::source::{Fate, Loaded, SourceError, Warning};
use study::cohort::{Column, FlowCount, MISSING_DAYS, MISSING_LEVEL};
use study::policy::{BadValues, Policy};
use study::protocol::Protocol;

use crate::study_files::{HEADER, SiteFile, protocol, protocol_text};

const ADULTS: &str = "[[eligibility]]\nlabel = \"Adults\"\nrequire = \"age >= 18\"\n";

fn read(protocol: &Protocol, rows: &[&str], bad: BadValues) -> Result<Loaded, SourceError> {
    load(&SiteFile::new(format!("{HEADER}\n{}\n", rows.join("\n"))).path(), protocol, bad)
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    let values = loaded.warnings.iter().filter(|warning| matches!(warning, Warning::Values(..)));
    values.map(ToString::to_string).collect()
}

fn count(control: u64, treated: u64, neither: u64) -> FlowCount {
    FlowCount { control, treated, neither }
}

#[test]
fn who_is_left_out_needs_only_what_eligibility_reads() {
    let rows = [
        "P1,old,17,I,0,10",
        "P2,new,16,IX,maybe,\"3,5\"",
        "P3,other,12,I,0,10",
        "P4,old,50,I,0,10",
        "P5,new,60,II,1,20",
    ];
    let loaded = read(&protocol(ADULTS), &rows, BadValues::Refuse).unwrap();
    assert_eq!(loaded.cohort.flow, [count(2, 2, 1), count(1, 1, 0), count(1, 1, 0)]);
    assert!(loaded.cohort.columns[1] == Column::Numbers(vec![50.0, 60.0]));
    let said = warnings(&loaded);
    assert_eq!(said.len(), 5, "{said:#?}");
    assert!(
        said.iter().all(|text| text.starts_with("not analysed, eligibility leaves the rows out: column ")),
        "{said:#?}"
    );
    assert!(said[1].ends_with(
        "column `age`: 3 rows (lines 2, 3, 4): out of range; expected a number from 18 to 110 years; check the unit and the column"
    ), "{said:#?}");
    // the same rows without the criterion
    let error = read(&protocol(""), &rows, BadValues::Refuse).unwrap_err();
    assert_eq!(error.codes(), ["source.decimal_comma", "source.out_of_range", "source.unknown_level"]);
}

#[test]
fn a_number_that_nobody_can_read_decides_no_criterion() {
    let rows = ["P1,old,old,I,0,10", "P2,old,50,I,0,10", "P3,new,60,II,1,20"];
    let error = read(&protocol(ADULTS), &rows, BadValues::Refuse).unwrap_err();
    assert_eq!(error.codes(), ["source.not_a_number"]);
    // a criterion before leaves the row out already
    let first = format!("[[eligibility]]\nlabel = \"Later stage\"\nrequire = \"stage <> 'I' OR age > 20\"\n{ADULTS}");
    assert!(read(&protocol(&first), &rows, BadValues::Refuse).is_err(), "the first criterion reads the age as well");
    let first = format!("[[eligibility]]\nlabel = \"Later stage\"\nrequire = \"stage <> 'I'\"\n{ADULTS}");
    let loaded = read(&protocol(&first), &rows, BadValues::Refuse).unwrap();
    assert_eq!(loaded.cohort.flow, [count(2, 1, 0), count(0, 1, 0), count(0, 1, 0), count(0, 1, 0)]);
}

#[test]
fn follow_up_beyond_the_range_is_censored_at_the_horizon() {
    let rows = ["P1,old,50,I,1,4001", "P2,new,60,II,1,2999", "P3,new,61,II,1,99999999999"];
    let loaded = read(&protocol(""), &rows, BadValues::Refuse).unwrap();
    assert!(loaded.cohort.columns[4] == Column::Days(vec![4001, 2999, MISSING_DAYS - 1]));
    let said = warnings(&loaded);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("censored before, at the horizon: column `os_days`: 2 rows (lines 2, 4): out of range"),
        "{said:?}"
    );
    // a horizon beyond the range asks for what is not known
    let far = Protocol::parse(&protocol_text("").replace("horizon_days = 3000", "horizon_days = 4001")).unwrap();
    assert_eq!(read(&far, &rows, BadValues::Refuse).unwrap_err().codes(), ["source.out_of_range"]);
    assert!(read(&protocol(""), &["P1,old,50,I,1,-1"], BadValues::Refuse).is_err());
}

#[test]
fn the_policy_may_take_bad_values_as_missing_and_counts_them() {
    let policy = Policy::parse("bad_values = \"missing\"").unwrap();
    assert_eq!((policy.bad_values, Policy::default().bad_values), (BadValues::Missing, BadValues::Refuse));
    assert_ne!(policy.digest(), Policy::default().digest());
    let unknown = Policy::parse("bad_values = \"ignore\"").unwrap_err().0;
    assert!(
        unknown[0].to_string().contains("`ignore` is not known (known: refuse, missing); use one of these"),
        "{unknown:?}"
    );

    let rows = ["P1,old,500,I,0,10", "P2,new,60,IX,1,2 days", "P3,odd,61,II,1,20", "P4,new,62,II,0,-3"];
    let loaded = read(&protocol(""), &rows, policy.bad_values).unwrap();
    assert_eq!(loaded.cohort.flow, [count(1, 2, 1), count(1, 2, 0)]);
    let Column::Numbers(age) = &loaded.cohort.columns[1] else { panic!("age is continuous") };
    assert!(age[0].is_nan() && age[1..] == [60.0, 62.0]);
    assert!(loaded.cohort.columns[2] == Column::Levels(vec![0, MISSING_LEVEL, 1]));
    assert!(loaded.cohort.columns[4] == Column::Days(vec![10, MISSING_DAYS, MISSING_DAYS]));
    let fates: Vec<(Fate, u64)> = loaded
        .warnings
        .iter()
        .filter_map(|warning| match warning {
            Warning::Values(fate, problem) => Some((*fate, problem.rows.rows())),
            _ => None,
        })
        .collect();
    assert_eq!(fates, [(Fate::Needed, 1); 5]);
    assert!(
        warnings(&loaded).iter().all(|text| text.starts_with("taken as missing, as the policy says (bad_values): "))
    );
    // who is 500 meets `age >= 18` only as a number, and stays nowhere without it
    let loaded = read(&protocol(ADULTS), &rows, policy.bad_values).unwrap();
    assert_eq!(loaded.cohort.flow[1], count(0, 2, 1));
}

#[test]
fn a_bad_value_counts_in_every_analysis_that_has_its_row() {
    let everybody = "\n[[scenario]]\nname = \"everybody\"\nwithout = [\"Adults\"]\ncovariates = [\"stage\"]\n";
    let text = protocol_text(ADULTS);
    let rows = ["P1,old,17,I,0,10", "P2,old,50,I,0,10", "P3,new,60,II,1,20"];
    let adults = Protocol::parse(&text).unwrap();
    assert_eq!(read(&adults, &rows, BadValues::Refuse).unwrap().cohort.rows(), 2);
    // the scenario analyses the row, though not by the column
    let wider = Protocol::parse(&(text + everybody)).unwrap();
    assert_eq!(read(&wider, &rows, BadValues::Refuse).unwrap_err().codes(), ["source.out_of_range"]);
    let loaded = read(&wider, &rows, BadValues::Missing).unwrap();
    assert_eq!((loaded.cohort.rows(), loaded.cohort.scenarios[0].rows()), (2, 3));
    let Column::Numbers(age) = &loaded.cohort.scenarios[0].columns[1] else { panic!("age is continuous") };
    assert!(age[0].is_nan());
}

#[test]
fn no_value_comes_out() {
    let rows = ["P-0042,old,777.25,CANARY,0,10", "P2,new,60,II,1,20"];
    for bad in [BadValues::Refuse, BadValues::Missing] {
        let text = match read(&protocol(""), &rows, bad) {
            Ok(loaded) => format!("{loaded:?} {:?}", warnings(&loaded)),
            Err(error) => format!("{error:?} {error}"),
        };
        assert!(["777", "CANARY", "P-0042"].iter().all(|canary| !text.contains(canary)), "{text}");
    }
}
