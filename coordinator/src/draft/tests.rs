//! Drafts are valid protocols but for the sentences that a person writes, and repeat nothing of a file that points at one patient.

use std::fmt::Write;

use study::protocol::Protocol;

use super::text::confirmed;
use super::*;

/// The protocol of a draft of which a person has confirmed everything.
fn parsed(text: &str) -> Protocol {
    let unmarked = Protocol::parse(text).expect_err("a draft is refused until a person has read it");
    assert!(unmarked.0.iter().any(|mistake| mistake.message.contains("REPLACE:")), "{unmarked:?}");
    Protocol::parse(&confirmed(text)).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0))
}

fn answers() -> Answers {
    Answers {
        id: Some("a-vs-b".into()),
        treatment: Some("drug".into()),
        control: Some("B".into()),
        treated: Some("A \"new\"".into()),
        covariates: ["age:continuous:18:110", "stage:categorical:I,II,III", "diabetes:binary"]
            .map(|text| text.parse().unwrap())
            .to_vec(),
        outcomes: ["os:time:days:died:1826", "response:binary"].map(|text| text.parse().unwrap()).to_vec(),
        ..Answers::default()
    }
}

#[test]
fn answers_alone_make_a_valid_protocol() {
    let text = write(&complete(answers(), None).unwrap()).unwrap();
    let protocol = parsed(&text);
    assert_eq!((protocol.id.as_str(), protocol.title.as_str()), ("a-vs-b", "A \"new\" versus B"));
    assert_eq!(protocol.propensity.as_ref().unwrap().covariates.len(), 3);
    assert_eq!(protocol.outcomes.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["os", "response"]);
    assert_eq!((protocol.analyses.len(), protocol.curves.len()), (2, 1));
    assert_eq!(protocol.release.opening, study::protocol::ReleaseOpening::Results, "what a draft declares");
    assert!(text.contains("opening = \"results\""));
    assert!(text.starts_with("#:schema ./protocol.schema.json\n"));
    let bare = Answers { covariates: Vec::new(), ..answers() };
    let bare = parsed(&write(&complete(bare, None).unwrap()).unwrap());
    assert!(bare.propensity.is_none() && bare.baselines.is_empty());
}

#[test]
fn what_is_missing_and_what_contradicts_is_said() {
    let incomplete = complete(Answers::default(), None).unwrap_err();
    assert!(matches!(&incomplete, DraftError::Incomplete(flags, _)
        if *flags == ["--treatment", "--control", "--treated", "--outcome"]));
    let kindless = Answers { covariates: vec!["age".parse().unwrap()], ..answers() };
    assert!(matches!(complete(kindless, None), Err(DraftError::Incomplete(..))));
    let same = Answers { treated: Some("B".into()), ..answers() };
    let Err(DraftError::Mistaken(mistakes)) = write(&complete(same, None).unwrap()) else { panic!("both arms are B") };
    assert!(mistakes.0.iter().any(|m| m.key == "treatment.control"), "{mistakes:?}");
    for text in ["", "age:", "age:continuous:9", "age:continuous:9:8", "age:days", ":binary"] {
        assert!(text.parse::<DeclaredVariable>().is_err(), "{text}");
    }
    for text in ["", "os", "os:time:days", "os:time:days:died:0", "os:time::died:9", "os:count"] {
        assert!(text.parse::<DeclaredOutcome>().is_err(), "{text}");
    }
}

/// Forty patients with all that a file can hold.
fn file() -> String {
    let mut text = String::from(
        "patient_id,drug,age,lab,stage,ecog,sex,centre_code,born,visit,comment,os_days,death,pfs_days,pfs_event,2nd,marker\n",
    );
    for i in 0..40 {
        let drug = if i % 2 == 0 { "old" } else { "new" };
        let stage = if i == 7 { "unknown-to-all" } else { ["I", "II", "III"][i % 3] };
        let (age, lab) = (31 + (i * 7) % 53, 1.25 + i as f64 * 0.5);
        let sex = ["M", "F"][i % 2];
        let marker = if i % 4 == 0 { "NA" } else { ["0", "1"][i % 2] };
        writeln!(
            text,
            "P-{i:04},{drug},{age},{lab:.2},{stage},{},{sex},{},1961-02-{:02},2019-05-17,free text {i},{},{},{},{},{i},{marker}",
            i % 3,
            88_000 + i * 13,
            1 + i % 28,
            100 + i * 61,
            i % 2,
            50 + i * 31,
            (i + 1) % 2,
        )
        .unwrap();
    }
    text
}

fn from_file() -> (Columns, String) {
    let columns = columns(&file(), None).unwrap();
    let text = write(&complete(Answers::default(), Some(columns.clone())).unwrap()).unwrap();
    (columns, text)
}

#[test]
fn a_file_tells_kinds_arms_and_outcomes() {
    let (columns, text) = from_file();
    assert_eq!(columns.patient.as_deref(), Some("patient_id"));
    let kind = |name: &str| columns.guesses.iter().find(|guess| guess.name == name).map(|guess| guess.kind.clone());
    assert_eq!(kind("age"), Some(Kind::Continuous { low: 0.0, high: 110.0, resolution: 1.0, rounded: false }));
    assert_eq!(kind("lab"), Some(Kind::Continuous { low: 0.0, high: 30.0, resolution: 0.01, rounded: false }));
    assert_eq!(kind("ecog"), Some(Kind::Categorical { levels: ["0", "1", "2"].map(str::to_owned).to_vec() }));
    assert_eq!(kind("marker"), Some(Kind::Binary));
    assert_eq!(kind("os_days"), Some(Kind::Days { max: 2500 }));
    let protocol = parsed(&text);
    let (control, treated) = (protocol.treatment.control, protocol.treatment.treated);
    let levels = protocol.dictionary.variable(protocol.treatment.variable).levels();
    assert_eq!((levels[control].as_str(), levels[treated].as_str()), ("new", "old"));
    assert!(
        text.contains("treated = \"REPLACE: old\"") && text.contains("title = \"REPLACE: old versus new\""),
        "{text}"
    );
    assert_eq!(protocol.outcomes.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["os", "pfs"]);
    let covariates = &protocol.propensity.as_ref().unwrap().covariates;
    let names: Vec<&str> = covariates.iter().map(|id| protocol.dictionary.variable(*id).name.as_str()).collect();
    assert_eq!(names, ["age", "lab", "stage", "ecog", "sex", "marker"]);
}

#[test]
fn nothing_that_points_at_one_patient_is_repeated() {
    let (columns, text) = from_file();
    assert_eq!(columns.left_out.len(), 5, "{:?}", columns.left_out);
    for secret in ["P-00", "unknown-to-all", "1961", "2019", "free text", "88000", "88013", "2479", "1259", "20.75"] {
        assert!(!text.contains(secret), "{secret}");
    }
    for (i, row) in file().lines().skip(1).enumerate() {
        let patient = row.split(',').next().unwrap();
        assert!(!text.contains(patient), "patient {i}");
    }
    assert!(text.contains("1 more are rare or look like identifiers"));
    assert!(text.contains("missing values are marked with a word"));
    assert!(text.contains("column 16 (its name is no letter"));
}

#[test]
fn a_file_without_a_usable_header_is_refused_by_line_and_not_by_value() {
    assert!(matches!(columns("a;b;c\n1;2;3\n", None), Err(DraftError::Header)));
    assert!(matches!(columns("P0001,IsaPd,71.5\nP0002,EloPd,66\n", None), Err(DraftError::Header)));
    assert!(matches!(columns("P0001,IsaPd,2019-05-17\n", None), Err(DraftError::Header)));
    assert!(matches!(columns("a,b\n1,2\nsecret,2,3\n", None), Err(DraftError::Row(3))));
    assert!(matches!(columns("a,b\n1,2\n", Some("c")), Err(DraftError::NoColumn(name)) if name == "c"));
    let error = columns("a,b\n1,2\nsecret,2,3\n", None).unwrap_err();
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn a_terminal_is_asked_for_what_no_flag_gave_and_again_after_a_mistake() {
    let given = Answers { id: Some("given".into()), ..Answers::default() };
    let lines =
        "A versus B\n\ndrug\nB\nA\nage:continuous:110:18\nage:continuous:18:110\n\nos:time:days:died\n\nmonth\n7\n";
    let (mut asked, mut shown) = (given, Vec::new());
    ask(&mut asked, None, &mut lines.as_bytes(), &mut shown).unwrap();
    assert_eq!((asked.id.as_deref(), asked.title.as_deref()), (Some("given"), Some("A versus B")));
    assert_eq!((asked.patient.as_deref(), asked.covariates.len(), asked.outcomes.len()), (None, 1, 1));
    assert_eq!(asked.grid_days, Some(7.0));
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("with LOW below HIGH") && !shown.contains("Short name"), "{shown}");
    parsed(&write(&complete(asked, None).unwrap()).unwrap());
    let mut nobody = Answers::default();
    ask(&mut nobody, None, &mut "".as_bytes(), &mut Vec::new()).unwrap();
    assert_eq!(nobody, Answers::default());
}

#[test]
fn bounds_are_round_numbers_around_the_values() {
    use super::numbers::{bounds, decimals, resolution, widened, widened_days};
    assert_eq!(widened(31.0, 83.0), (30.0, 90.0));
    assert_eq!(widened(12.3, 148.7), (0.0, 200.0));
    assert_eq!(widened(0.12, 0.34), (0.1, 0.4));
    assert_eq!(widened(-7.0, 3.0), (-10.0, 10.0));
    assert_eq!(widened(5.0, 5.0), (4.0, 6.0));
    assert_eq!(widened(2.0, 6.0), (1.0, 7.0));
    assert_eq!([widened(0.0, 4.0), widened(0.0, 0.0)], [(0.0, 5.0), (0.0, 1.0)]);
    assert_eq!([3, 99, 100, 2479, 36_500].map(widened_days), [10, 100, 110, 2500, 37_000]);
    assert_eq!(
        [resolution(2, 0.0, 30.0), resolution(2, 0.0, 9000.0), resolution(9, 0.0, 1.0)],
        [(0.01, false), (1.0, true), (1e-4, true)]
    );
    assert_eq!([decimals(3.0), decimals(0.25), decimals(1e-5)], [0, 2, 5]);
    // Creatinine in mg/dL, with and without two patients in the unit of another laboratory.
    let creatinine: Vec<f64> = (0..=100).map(|i| 0.5 + f64::from(i) / 100.0).collect();
    assert_eq!(bounds(&creatinine), (0.0, 2.0, 0));
    assert_eq!(bounds(&[&creatinine[..], &[106.0, 215.0]].concat()), (0.0, 2.0, 2));
    assert_eq!(bounds(&[7.0]), (6.0, 8.0, 0));
}

/// A hundred patients of a file that invites mistakes.
fn tempting() -> String {
    let mut text =
        String::from("pid,arm,creatinine,sex,resp,readmission_30d,smoking_status,crp_week12,days_in_hospital\n");
    for i in 0..100 {
        let arm = ["A", "a rare one", "B", "C"][if i % 10 == 0 { 1 } else { [0, 2, 3, 3][i % 4] }];
        let creatinine = if i == 50 { 106.0 } else { 0.5 + i as f64 / 100.0 };
        let yes = |every: usize| ["No", "Yes"][usize::from(i % every == 0)];
        let (sex, smoking) = (["1", "2"][i % 2], ["never", "ever"][i % 2]);
        writeln!(text, "P{i},{arm},{creatinine:.2},{sex},{},{},{smoking},{}.5,{}", yes(3), yes(5), i % 7, i % 40)
            .unwrap();
    }
    text
}

#[test]
fn what_is_known_later_is_no_covariate_and_no_criterion() {
    let columns = columns(&tempting(), None).unwrap();
    let drafted = complete(Answers::default(), Some(columns)).unwrap();
    assert_eq!(drafted.covariates, ["creatinine", "sex", "smoking_status"]);
    assert_eq!(drafted.after, ["crp_week12"]);
    let outcomes: Vec<_> = drafted.outcomes.iter().map(|outcome| outcome.name.as_str()).collect();
    assert_eq!(outcomes, ["resp", "readmission_30d"]);
    // Not the first two levels by name, but the largest, and not without a person.
    assert_eq!((drafted.control.as_str(), drafted.treated.as_str(), drafted.arms_said), ("C", "B", false));
    let text = write(&drafted).unwrap();
    let protocol = parsed(&text);
    assert_eq!(protocol.eligibility.len(), 1);
    assert!(!protocol.eligibility[0].require.contains("days") && !protocol.eligibility[0].require.contains("week12"));
    for part in [
        "codes = [\"No\", \"Yes\"]",
        "range = [0, 2]\nresolution = 0.01",
        "1 of 100 values lie far outside",
        "unit = \"REPLACE: the unit of creatinine",
        "known only later: crp_week12",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let nothing_later = tempting().replace("resp,readmission_30d", "a1,a2");
    let incomplete = complete(Answers::default(), Some(super::columns(&nothing_later, None).unwrap())).unwrap_err();
    assert!(incomplete.hint().contains("binary columns are a1, a2: --outcome a1:binary"), "{}", incomplete.hint());
}
