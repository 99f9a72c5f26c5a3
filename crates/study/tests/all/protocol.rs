//! What a good document says, and its digest.

use study::cohort::Cohort;
use study::dictionary::Kind;
use study::protocol::{AnalysisKind, EffectModifier, Model, OutcomeKind, Protocol, Ridge};

use crate::sample::{PROTOCOL, edited, protocol};

#[test]
fn names_are_resolved_and_defaults_filled_in() {
    let p = protocol();
    assert_eq!((p.id.as_str(), p.patient.as_str(), p.month_days), ("sample", "patient", 30.4375));
    assert_eq!(p.trial.elements[0].target, "Everybody.");
    let variable = |name: &str| p.dictionary.variable(p.dictionary.find(name).unwrap());
    assert_eq!((variable("age").label.as_str(), variable("stage").label.as_str()), ("age", "Stage"));
    assert!(matches!(variable("age").kind, Kind::Continuous { low: 18.0, high: 110.0, resolution: Some(0.1), .. }));
    let Kind::Categorical { levels, labels, binary: true } = &variable("cured").kind else { panic!("binary") };
    assert_eq!((levels.join(" "), labels.join(" ")), ("0 1".to_owned(), "no yes".to_owned()));
    assert!(variable("days").levels().is_empty());
    assert_eq!((p.treatment.treated, p.treatment.control), (1, 0));
    let OutcomeKind::TimeToEvent(os) = &p.outcome("os").unwrap().kind else { panic!("time to event") };
    assert_eq!((os.cells(), os.cell(0), os.cell(1), os.cell(10), os.cell(11), os.days(2)), (91, 0, 1, 1, 2, 20.0));
    let propensity = p.propensity.as_ref().unwrap();
    assert_eq!((propensity.stabilized, propensity.bins, propensity.covariates.len()), (false, 10, 2));
    let [logistic, cox] = p.analyses.as_slice() else { panic!("two analyses") };
    assert_eq!(logistic.covariates, propensity.covariates, "taken over");
    assert_eq!(logistic.models.last(), Some(&Model::Interaction));
    assert!(logistic.variances.survey && logistic.variances.cluster_site && logistic.variances.m_estimation);
    assert_eq!(
        (cox.kind, cox.outcomes.as_slice()),
        (AnalysisKind::Cox(stats::cox::Ties::Breslow), &["os".to_owned()][..])
    );
    assert_eq!((cox.covariates.len(), cox.effect_modifiers.len()), (1, 0));
}

#[test]
fn keys_that_add_models_of_their_own() {
    let text = edited(
        "effect_modifier = \"stage\"\n",
        "effect_modifier = \"stage\"\n\n[[analysis]]\nkind = \"logistic\"\noutcome = \"cure\"\n\
         effect_modifiers = [\"age\"]\neffect_at = [40, 60.5]\nridge = 2\nridge_scale = \"raw\"\n",
    );
    let p = Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0));
    let more = &p.analyses[1];
    assert_eq!(more.models, [Model::Interaction, Model::Ridge], "another effect modifier is another model");
    assert_eq!(more.ridge, Some(Ridge { lambda: 2.0, standardised: false }));
    let age = p.dictionary.find("age").unwrap();
    let modifier = EffectModifier { variable: age, at: vec![40.0, 60.5] };
    assert_eq!(more.fits(), [(Model::Interaction, Some(&modifier)), (Model::Ridge, None)]);
    assert!(p.analyses[0].effect_modifiers[0].at.is_empty(), "levels are its values");
}

#[test]
fn an_analysis_without_propensity_needs_its_own_covariates() {
    let text = edited(
        "[propensity]\ncovariates = [\"age\", \"stage\"]\nestimand = \"ATE\"\nstabilized = false\nbins = 10\n",
        "",
    )
    .replace(", \"iptw\", \"iptw_stabilized\", \"iptw_adjusted\"", "")
    .replace("\"iptw\", \"adjusted\"", "\"adjusted\"")
    .replace(", \"m_estimation\"", "");
    let p = Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0));
    assert!(p.propensity.is_none() && p.analyses[0].covariates.is_empty());
}

fn digest(text: &str) -> secagg::Digest {
    Protocol::parse(text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0)).digest
}

#[test]
fn the_digest_ignores_comments_layout_and_the_order_of_keys() {
    let same = digest(PROTOCOL);
    let spread = PROTOCOL.replace('\n', "\n\n").replace(" = ", "    =  ");
    assert_eq!(digest(&format!("# a comment\n{spread}")), same);
    assert_eq!(digest(&PROTOCOL.replace('\n', "\r\n")), same);
    assert_eq!(
        digest(&edited("id = \"sample\"\ntitle = \"A sample\"", "title = 'A sample' # moved\nid = \"sample\"")),
        same
    );
    assert_eq!(digest(&edited("range = [18, 110]", "range = [\n  18.0, # years\n  1.1e2,\n]")), same, "1 and 1.0");
    assert_eq!(digest(&edited("max = 1000", "max = 0x3e8")), same);
    assert_eq!(
        digest(&edited("[trial]\nquestion = \"Does it help?\"\n", "trial.question = \"Does it help?\"\n").replacen(
            "trial.question = \"Does it help?\"\n",
            "[trial]\n\"question\" = \"\"\"Does it help?\"\"\"\n",
            1
        )),
        same
    );
}

#[test]
fn the_digest_covers_every_value() {
    let same = digest(PROTOCOL);
    let changes = [
        ("title = \"A sample\"", "title = \"A sample \""),
        ("months = 30.4375", "months = 30.4376"),
        ("months = 30.4375\n", ""),
        ("question = \"Does it help?\"", "question = \"Does it harm?\""),
        ("emulation = \"Those in the file.\"", "emulation = \"Those in the file\""),
        ("[\"none\", \"new\", \"other\"]", "[\"none\", \"new\", \"others\"]"),
        ("levels = [\"I\", \"II\", \"III\"]", "levels = [\"II\", \"I\", \"III\"]"),
        ("range = [18, 110]", "range = [18, 111]"),
        ("require = \"age >= 18\"", "require = \"age > 18\""),
        ("treated = \"new\"", "treated = \"other\""),
        ("grid_days = 10", "grid_days = 11"),
        ("stabilized = false", "stabilized = true"),
        ("covariates = [\"age\", \"stage\"]", "covariates = [\"stage\", \"age\"]"),
        ("ties = \"breslow\"", "ties = \"efron\""),
        ("effect_modifier = \"stage\"\n", ""),
    ];
    let mut seen = vec![same];
    for (from, to) in changes {
        let changed = digest(&edited(from, to));
        assert!(!seen.contains(&changed), "{from} -> {to}");
        seen.push(changed);
    }
}

#[test]
fn rows_do_not_print() {
    let cohort: Cohort = crate::sample::cohort();
    assert_eq!(format!("{cohort:?}"), "Cohort(6 rows, 6 columns)");
    assert!(cohort.columns.iter().all(|c| format!("{c:?}").ends_with("(redacted)")));
}

#[test]
fn times_in_months_are_those_in_days() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/relapsed-myeloma/protocol-month.toml");
    let months = std::fs::read_to_string(path).unwrap();
    let days = [
        ("grid_months = 1", "grid_days = 30.4375"),
        ("\nhorizon_months = 96", "\nhorizon_days = 2922"),
        ("standardise_months = [12, 24]", "standardise_days = [365, 730]"),
        ("standardise_rmst_months = 24", "standardise_rmst_days = 730"),
        ("\ntimes_months = [3, 6, 12, 18, 24, 33]", "\ntimes_days = [91, 182, 365, 547, 730, 1004]"),
        ("\nrmst_months = 24", "\nrmst_days = 730"),
    ];
    let edited = days.iter().fold(months.clone(), |text, (month, day)| {
        assert!(text.contains(month), "{month}");
        text.replace(month, day)
    });
    let [months, days] = [&months, &edited].map(|text| Protocol::parse(text).unwrap_or_else(|e| panic!("{:?}", e.0)));
    assert_eq!((&months.outcomes, &months.curves, &months.analyses), (&days.outcomes, &days.curves, &days.analyses));
    let mistakes = |from: &str, to: &str| {
        let text = edited.replacen(from, to, 1);
        assert_ne!(text, edited);
        let mistakes = Protocol::parse(&text).expect_err("mistakes").0;
        mistakes.iter().map(|m| m.to_string().split_once(": ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        mistakes("\nrmst_days = 730", "\nrmst_days = 730\nrmst_months = 24"),
        ["analysis[8].rmst_months: `rmst_days` says the same in days; keep one of them"]
    );
    assert_eq!(
        mistakes("\nrmst_days = 730", "\nrmst_months = -2"),
        ["analysis[8].rmst_months: expected positive months; such as 12"]
    );
    assert_eq!(
        mistakes("\nrmst_days = 730", "\nrmst_months = 97"),
        [
            "analysis[8].rmst_months: 2952 is beyond the horizon of 2922 days; name an earlier day, or raise `horizon_days`"
        ]
    );
}
