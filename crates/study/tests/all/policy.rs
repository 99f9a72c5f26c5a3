//! A site's own rules.

use std::collections::BTreeSet;

use study::policy::{Mark, Policy, PolicyRefusal, Remembered, Rule};
use study::protocol::Protocol;

use crate::sample::{edited, manifest, member, protocol};

fn refusal(text: &str) -> Option<PolicyRefusal> {
    let policy = Policy::parse(text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0));
    policy.check_study(&manifest(), &protocol()).err()
}

fn mistakes(text: &str) -> Vec<String> {
    Policy::parse(text).err().map_or(Vec::new(), |mistakes| mistakes.0.iter().map(ToString::to_string).collect())
}

#[test]
fn no_file_and_an_empty_file_are_the_strict_default() {
    let default = Policy::default();
    assert_eq!(Policy::parse(""), Ok(default.clone()));
    assert_eq!((default.minimum_sites, default.minimum_patients, default.maximum_rounds), (5, 100, 200));
    assert_eq!((default.minimum_cell, default.minimum_pair, default.minimum_leavers), (5, 5, 5));
    assert_eq!((default.rows_per_parameter, default.events_per_parameter), (10, 5));
    assert_eq!((default.maximum_runs, default.allow_differencing), (3, false));
    assert_eq!((default.approvals, default.approval_days), (2, 365));
    assert_eq!((default.finest_grid_days, default.variables, default.trusted_sites), (7.0, None, None));
    assert_eq!(refusal(""), Some(PolicyRefusal::Sites { got: 3, vouched: false, minimum: 5 }));
}

#[test]
fn the_digest_is_of_the_rules() {
    let digest = |text: &str| Policy::parse(text).unwrap().digest();
    assert_eq!(digest("minimum_sites = 5 # the default"), Policy::default().digest());
    let rules = [
        "",
        "minimum_sites = 6",
        "minimum_patients = 6",
        "finest_grid_days = 6",
        "maximum_rounds = 6",
        "minimum_cell = 6",
        "minimum_pair = 6",
        "rows_per_parameter = 6",
        "events_per_parameter = 6",
        "minimum_leavers = 6",
        "maximum_runs = 6",
        "allow_differencing = true",
        "opening = \"totals\"",
        "curves = \"merged\"",
        "approvals = 1",
        "same_account = true",
        "approval_days = 6",
        "trusted_sites = []",
        "variables = [\"age\"]",
        "variables = [\"ag\", \"e\"]",
    ];
    for (i, one) in rules.iter().enumerate() {
        for other in &rules[..i] {
            assert_ne!(digest(one), digest(other), "{one} and {other}");
        }
    }
}

#[test]
fn all_mistakes_come_out_together() {
    let text = "minimum_sites = 2\nminimum_patients = -1\nfinest_grid_day = 1\nvariables = [1]\nmaximum_rounds = 1.5\n";
    assert_eq!(
        mistakes(text),
        [
            "line 1: minimum_sites: must be at least 3; a site hides behind two others",
            "line 2: minimum_patients: expected a whole number that is not negative; write it without sign and decimals",
            "line 3: finest_grid_day: is not a known key; did you mean `finest_grid_days`?",
            "line 4: variables: expected nothing but strings in the list; write `variables = [\"a\", \"b\"]`",
            "line 5: maximum_rounds: expected a whole number that is not negative; write it without sign and decimals",
        ]
    );
    assert_eq!(mistakes("approvals = 3"), ["line 1: approvals: must be 1 or 2; 2 is the default"]);
    let fingerprint =
        "line 1: trusted_sites: expected fingerprints; 16 groups of four hexadecimal digits joined by `-`";
    assert_eq!(mistakes("trusted_sites = [\"ABCD\"]"), [fingerprint]);
    assert_eq!(
        mistakes("finest_grid_days = nan"),
        [
            "line 1: finest_grid_days: expected a finite number, got float; write digits with a decimal point, without quotation marks"
        ]
    );
}

#[test]
fn a_study_is_refused_by_the_first_rule_that_it_breaks() {
    assert_eq!(refusal("minimum_sites = 3\nfinest_grid_days = 10"), None, "the grid of the study is allowed");
    let grid = PolicyRefusal::Grid { outcome: "os".into() };
    assert_eq!(refusal("minimum_sites = 3\nfinest_grid_days = 10.5"), Some(grid));
    let all = "minimum_sites = 3\nvariables = [\"drug\", \"age\", \"stage\", \"cured\", \"days\", \"dead\"]";
    assert_eq!(refusal(all), None);
    for variable in ["drug", "age", "stage", "cured", "days", "dead"] {
        let without = all.replace(&format!("\"{variable}\""), "\"sex\"");
        assert_eq!(refusal(&without), Some(PolicyRefusal::Variable { variable: variable.into() }));
    }
}

/// The sample with a second outcome on its days, and one more model.
fn with_outcome(grid: f64, horizon: u32) -> Protocol {
    let more = format!(
        "\n[[outcome]]\nname = \"again\"\nkind = \"time_to_event\"\ntime = \"days\"\nevent = \"dead\"\n\
         grid_days = {grid}\nhorizon_days = {horizon}\n\n[[analysis]]\nkind = \"cox\"\noutcome = \"again\"\n\
         models = [\"unadjusted\"]\n\n[release]\nminimum_cell = 1\nminimum_leavers = 1\n"
    );
    Protocol::parse(&format!("{}{more}", crate::sample::PROTOCOL)).unwrap_or_else(|m| panic!("{:?}", m.0))
}

#[test]
fn the_finest_grid_holds_for_all_outcomes_of_a_time_column_together() {
    let refusal = |finest: f64, grid: f64, horizon: u32| {
        let policy = Policy { finest_grid_days: finest, ..Policy::default() };
        policy.check_rule(Rule::FinestGridDays, &manifest(), &with_outcome(grid, horizon)).err()
    };
    let together =
        |one: &str, other: &str| Some(PolicyRefusal::GridTogether { one: one.to_owned(), other: other.to_owned() });
    assert_eq!(refusal(7.0, 10.0, 901), together("os", "again"), "horizons 900 and 901");
    assert_eq!(refusal(7.0, 10.0, 899), together("again", "os"));
    assert_eq!(refusal(7.0, 11.0, 891), together("os", "again"), "grids of 10 and 11 days");
    assert_eq!(refusal(7.0, 30.0, 900), None, "a grid of whole cells");
    assert_eq!(refusal(7.0, 10.0, 450), None, "a horizon at the end of a cell");
    assert_eq!(refusal(1.0, 10.0, 901), None, "single days are allowed");
}

#[test]
fn runs_over_the_same_patients_tell_of_days_together() {
    let of = |number: u8, protocol: &Protocol, patients: std::ops::Range<u32>| {
        let mut manifest = manifest();
        manifest.run = [number; 16];
        let marks: BTreeSet<Mark> = patients.map(|p| Mark::new(&[7; 32], &p.to_string())).collect();
        Remembered::new(&manifest, protocol, vec![marks])
    };
    let earlier = [of(1, &protocol(), 0..50)];
    let check = |grid: f64, horizon: u32, patients: std::ops::Range<u32>| {
        let policy = Policy { finest_grid_days: 7.0, ..Policy::default() };
        let run = of(2, &with_outcome(grid, horizon), patients);
        policy.check_memory(&run, &earlier).err().map(|refusal| (refusal.rule(), refusal.to_string()))
    };
    let (rule, says) = check(10.0, 901, 0..50).expect("horizons 900 and 901");
    assert_eq!(rule, "policy.differencing");
    assert!(
        says.starts_with("the run sample-01010101 told of nearly the same patients of this site by `days`"),
        "{says}"
    );
    assert!(check(11.0, 891, 0..50).is_some(), "grids of 10 and 11 days");
    assert_eq!(check(20.0, 900, 0..50), None);
    assert_eq!(check(10.0, 901, 25..75), None, "other patients");
    assert_eq!(Remembered::from_bytes(&earlier[0].to_bytes()).as_ref(), Ok(&earlier[0]));
}

#[test]
fn a_variable_in_a_criterion_is_used_as_well() {
    let policy =
        Policy::parse("minimum_sites = 3\nvariables = [\"drug\", \"stage\", \"cured\", \"days\", \"dead\"]").unwrap();
    let without = edited("covariates = [\"age\"]\n", "covariates = [\"stage\"]\n")
        .replace("covariates = [\"age\", \"stage\"]", "covariates = [\"stage\"]");
    let age = Err(PolicyRefusal::Variable { variable: "age".into() });
    for (require, expected) in [
        ("age >= 18", age.clone()),
        ("abs(AGE)>18", age.clone()),
        ("\\\"age\\\" > 18", age),
        ("stage = 'I'", Ok(())),
        ("CASE WHEN stage = 'I' THEN 'age' ELSE 'page' END = 'age'", Ok(())),
    ] {
        let protocol = Protocol::parse(&without.replace("age >= 18", require)).unwrap();
        assert_eq!(policy.check_study(&manifest(), &protocol), expected, "{require}");
    }
}

#[test]
fn rounds_are_counted_from_1() {
    let policy = Policy::parse("maximum_rounds = 2").unwrap();
    assert_eq!(policy.check_round(2), Ok(()));
    assert_eq!(policy.check_round(3), Err(PolicyRefusal::Rounds { maximum: 2 }));
}

#[test]
fn only_sites_that_the_policy_vouches_for_count() {
    let fingerprints: Vec<String> =
        manifest().roster.members().iter().map(|m| format!("\"{}\"", m.identity.fingerprint())).collect();
    let of = |list: &[String]| refusal(&format!("minimum_sites = 3\ntrusted_sites = [{}]", list.join(", ")));
    assert_eq!(of(&fingerprints), None);
    let two = PolicyRefusal::Sites { got: 2, vouched: true, minimum: 3 };
    assert_eq!(
        two.to_string(),
        "the study has 2 sites that this site vouches for, this site's policy asks for at least 3"
    );
    assert_eq!(of(&fingerprints[1..]), Some(two));
}

#[test]
fn curves_must_be_merged_as_far_as_the_policy_asks() {
    let curve = "\n[[analysis]]\nkind = \"kaplan_meier\"\noutcomes = [\"os\"]\ntimes_days = [300]\n";
    let with = Protocol::parse(&format!("{}{curve}", crate::sample::PROTOCOL)).unwrap_or_else(|m| panic!("{:?}", m.0));
    let policy = |n: u32| Policy { minimum_sites: 3, minimum_leavers: n, ..Policy::default() };
    assert_eq!(policy(5).check_study(&manifest(), &with), Ok(()));
    assert_eq!(policy(6).check_study(&manifest(), &with), Err(PolicyRefusal::Leavers { got: 5, minimum: 6 }));
    assert_eq!(policy(6).check_study(&manifest(), &protocol()), Ok(()), "without curves nothing is released");
    let stricter =
        Protocol::parse(&format!("{}{curve}\n[release]\nminimum_leavers = 6\n", crate::sample::PROTOCOL)).unwrap();
    assert_eq!(policy(6).check_study(&manifest(), &stricter), Ok(()));
}

#[test]
fn a_study_is_as_strict_as_the_policy_or_more() {
    let with =
        |release: &str| Protocol::parse(&format!("{}\n[release]\n{release}\n", crate::sample::PROTOCOL)).unwrap();
    let policy = |text: &str| Policy::parse(&format!("minimum_sites = 3\n{text}\n")).unwrap();
    let refusal = |text: &str, release: &str| policy(text).check_study(&manifest(), &with(release)).err();
    let floor = PolicyRefusal::Floor { got: 4, minimum: 5 };
    assert_eq!((floor.rule(), refusal("", "minimum_cell = 4")), ("policy.minimum_cell", Some(floor.clone())));
    assert!(floor.to_string().contains("hides counts below 4"), "{floor}");
    assert_eq!(refusal("", "minimum_cell = 5"), None);
    assert_eq!(refusal("minimum_cell = 0", "minimum_cell = 1"), None);
    assert_eq!(refusal("minimum_cell = 3", "minimum_cell = 10"), None);
    let opening = PolicyRefusal::Opening { got: study::protocol::ReleaseOpening::Totals };
    assert_eq!(opening.rule(), "policy.opening");
    assert_eq!(refusal("opening = \"results\"", "opening = \"totals\""), Some(opening.clone()));
    assert_eq!(refusal("", "opening = \"totals\""), Some(opening), "the strict default");
    assert_eq!(refusal("", ""), None, "two defaults");
    assert_eq!(refusal("opening = \"totals\"", "opening = \"totals\""), None);
    assert_eq!(refusal("opening = \"totals\"", ""), None);
    assert_eq!(mistakes("opening = \"result\""), ["line 1: opening: `result` is not known (known: totals, results)"]);
}

#[test]
fn a_site_may_ask_for_curves_of_merged_cells() {
    let refusal = |policy: &str, rules: &str| {
        let curves = "\n[[analysis]]\nkind = \"kaplan_meier\"\noutcomes = [\"os\"]\n";
        let protocol = Protocol::parse(&format!("{}{curves}\n[release]\n{rules}\n", crate::sample::PROTOCOL)).unwrap();
        Policy::parse(policy).unwrap().check_rule(Rule::Curves, &manifest(), &protocol).err()
    };
    assert_eq!(refusal("curves = \"merged\"", ""), Some(PolicyRefusal::Curves), "the grid is a protocol's default");
    assert_eq!(PolicyRefusal::Curves.rule(), "policy.curves");
    assert_eq!(refusal("curves = \"merged\"", "curves = \"merged\""), None);
    assert_eq!(refusal("", "curves = \"merged\""), None);
    assert_eq!(refusal("", ""), None);
    let without = Policy::parse("curves = \"merged\"").unwrap();
    assert_eq!(without.check_rule(Rule::Curves, &manifest(), &protocol()), Ok(()), "a study without curves");
    assert_eq!(mistakes("curves = \"fine\""), ["line 1: curves: `fine` is not known (known: grid, merged)"]);
}

/// A run of the sample with these patients, under another manifest for each number.
fn run(number: u8, sites: u8, patients: impl IntoIterator<Item = u32>) -> Remembered {
    let mut manifest = manifest();
    manifest.run = [number; 16];
    let ids = ["A", "B", "C", "D"];
    let members = ids.into_iter().zip(1..).take(usize::from(sites)).map(|(id, key)| member(id, key)).collect();
    manifest.roster = study::roster::Roster::new(members).unwrap();
    let marks: BTreeSet<Mark> = patients.into_iter().map(|p| Mark::new(&[7; 32], &p.to_string())).collect();
    Remembered::new(&manifest, &protocol(), vec![marks])
}

#[test]
fn cohorts_of_two_runs_are_equal_or_far_apart() {
    let policy = Policy::default();
    let earlier = [run(1, 3, 0..50)];
    let rule = |new: &Remembered| policy.check_memory(new, &earlier).err().map(|r| r.rule());
    assert_eq!(rule(&run(2, 3, 0..50)), None, "the same patients");
    assert_eq!(rule(&run(2, 3, 1..50)), Some("policy.differencing"), "one fewer");
    assert_eq!(rule(&run(2, 3, 2..52)), Some("policy.differencing"), "two fewer, two more");
    assert_eq!(rule(&run(2, 3, 5..50)), None, "five fewer");
    assert_eq!(rule(&run(2, 4, 0..50)), Some("policy.differencing"), "the same patients and another site");
    assert_eq!(rule(&run(2, 4, 25..50)), None, "another site behind other patients");
    assert_eq!(rule(&run(1, 3, 1..50)), None, "the same run again");
    let mut other_study = run(2, 4, [90, 91]);
    other_study.study = "other".into();
    let few = [run(1, 3, [80])];
    assert_eq!(policy.check_memory(&other_study, &few), Ok(()), "patients of another study who have nothing in common");
    other_study.cohorts[0].insert(Mark::new(&[7; 32], "80"));
    assert_eq!(policy.check_memory(&other_study, &few).map_err(|r| r.of_rule()), Err(Rule::Differencing));
    let allowed = Policy { allow_differencing: true, ..policy };
    assert_eq!(allowed.check_memory(&run(2, 4, 1..50), &earlier), Ok(()));
}

#[test]
fn a_study_is_approved_so_many_times() {
    let policy = Policy::default();
    let earlier = [run(1, 3, 0..50), run(2, 3, 0..50), run(3, 3, 0..50)];
    let fourth = policy.check_memory(&run(4, 3, 0..50), &earlier);
    assert_eq!(fourth, Err(PolicyRefusal::Runs { study: "sample".into(), maximum: 3 }));
    assert_eq!(policy.check_memory(&run(3, 3, 0..50), &earlier), Ok(()), "an approval that was interrupted");
}

#[test]
fn what_is_remembered_reads_back_and_names_nobody() {
    let remembered = run(1, 3, 0..3);
    assert_eq!(Remembered::from_bytes(&remembered.to_bytes()), Ok(remembered.clone()));
    assert_ne!(Mark::new(&[7; 32], "1"), Mark::new(&[8; 32], "1"), "another site's mark of the same key");
    assert!(remembered.models.iter().any(|m| m.starts_with("os adjusted: drug:new, age")), "{:?}", remembered.models);
    assert_eq!(format!("{remembered:?}"), "Remembered(sample-01010101, 1 cohorts)");
}

#[test]
fn approvals_end() {
    let policy = Policy { approval_days: 2, ..Policy::default() };
    assert_eq!(policy.check_time(1_000, 1_000 + 2 * 86_400), Ok(()));
    assert_eq!(policy.check_time(1_000, 1_001 + 2 * 86_400), Err(PolicyRefusal::ApprovalEnded { days: 2 }));
}
