use std::fs;
use std::sync::Arc;

use serde_json::Value;
use study::cohort::{Cohort, Column, FlowCount};
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::protocol::{Protocol, ReleaseRules};
use study::release::Release;
use study::results::{At, EstimateRow, Results, SubgroupRow, Variance};

use super::records::{EstimateRecord, FitRecord, Record};
use super::tables::fields;
use super::{Provenance, print, write};

const PROTOCOL: &str = r#"
[study]
id = "small"
title = "A small study"
patient = "id"
months = 30.4375

[[variable]]
name = "arm"
kind = "categorical"
levels = ["A", "B"]
[[variable]]
name = "age"
label = "Age"
kind = "continuous"
unit = "years"
range = [0, 100]
resolution = 1
[[variable]]
name = "y"
kind = "binary"
[[variable]]
name = "z"
kind = "binary"
[[variable]]
name = "days"
kind = "days"
max = 100
[[variable]]
name = "dead"
kind = "binary"

[[eligibility]]
label = "=HYPERLINK(1), \"quoted\""
require = "age IS NOT NULL"

[treatment]
variable = "arm"
treated = "B"
control = "A"

[[outcome]]
name = "y"
label = "Response"
kind = "binary"
variable = "y"
[[outcome]]
name = "z"
label = "Nobody's event"
kind = "binary"
variable = "z"
[[outcome]]
name = "os"
label = "Overall survival"
kind = "time_to_event"
time = "days"
event = "dead"
grid_days = 1
horizon_days = 100

[propensity]
covariates = ["age"]
estimand = "ATE"
stabilized = true
bins = 4
score_bounds = [0.49, 0.51]

[[analysis]]
kind = "logistic"
outcomes = ["y", "z"]
models = ["unadjusted", "iptw"]
variance = ["naive", "robust", "m_estimation"]
[[analysis]]
kind = "logistic"
outcome = "y"
models = ["adjusted"]
marginal = ["g_formula", "aipw"]
[[analysis]]
kind = "cox"
outcome = "os"
models = ["unadjusted", "adjusted"]
ties = "efron"
zph = ["km", "log"]
concordance = 0.1
standardise_days = [5, 12]
standardise_rmst_days = 15
[[analysis]]
kind = "baseline"
variables = ["age", "y"]
[[analysis]]
kind = "kaplan_meier"
outcome = "os"
weighted = [false, true]
times_days = [5, 12]
rmst_days = 15
conf_types = ["log", "plain"]
"#;

/// A study of 24 rows at one site; outcome `z` never happens, so its models fail.
fn small() -> (Arc<Protocol>, Results) {
    let plan = small_plan();
    let mut results = Results::of(&plan);
    // the study has no effect modifier
    results.subgroups.push(SubgroupRow {
        outcome: "y".into(),
        cause: String::new(),
        modifier: "z".into(),
        level: "1".into(),
        arm: "A".into(),
        n: Some(12),
        events: None,
    });
    (Arc::clone(plan.protocol()), results)
}

fn small_plan() -> Plan {
    let protocol = Arc::new(Protocol::parse(PROTOCOL).unwrap());
    let rows = 24_u8;
    let every = |k: u8| Column::Levels((0..rows).map(|i| u8::from(i % k == 0)).collect());
    let treated: Vec<bool> = (0..rows).map(|i| i % 2 == 1).collect();
    let count = FlowCount { control: 12, treated: 12, neither: 0 };
    let cohort = Cohort {
        columns: vec![
            Column::Levels(treated.iter().map(|t| u8::from(*t)).collect()),
            Column::Numbers((0..rows).map(|i| f64::from(40 + i * 7 % 30)).collect()),
            every(3),
            Column::Levels(vec![0; usize::from(rows)]),
            Column::Days((0..rows).map(|i| u32::from(1 + i * 5 % 17)).collect()),
            every(3),
        ],
        treated,
        flow: vec![count; 3],
        scenarios: Vec::new(),
    };
    let site = Evaluator::new(&protocol, &cohort, 1, true);
    let mut plan = Plan::new(Arc::clone(&protocol));
    while !plan.done() {
        let words: Vec<i128> = plan.ask().iter().flat_map(|q| site.answer(q).unwrap()).collect();
        plan.tell(&words.into_iter().map(secagg::decode).collect::<Vec<_>>());
    }
    plan
}

fn provenance() -> Provenance {
    Provenance {
        software_version: "0.1.0".into(),
        study: "small".into(),
        title: "A small study".into(),
        run: "small-0a0b0c0d".into(),
        protocol_digest: "11".repeat(32),
        manifest_digest: "22".repeat(32),
        results_digest: "33".repeat(32),
        release_digest: "0d".repeat(32),
        compared: None,
        sealed_scalars: 200,
        variables: 12,
        release: ReleaseRules::default(),
        rounds: 9,
        opened_scalars: 812,
        bytes_sent_per_site: 20_480,
        sites: vec![("S1".into(), "First Hospital".into()), ("S2".into(), "=Second".into())],
    }
}

fn rows(csv: &[u8]) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(csv).records().map(Result::unwrap).collect()
}

#[test]
fn files_hold_the_same_bits_as_the_results() {
    let (_, results) = small();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("made/on/the/way");
    write(&out, &results, &provenance()).unwrap();
    let read = |name: &str| fs::read(out.join(name)).unwrap();

    let estimates = rows(&read("estimates.csv"));
    assert_eq!(estimates.len(), results.estimates.len());
    for (row, expected) in estimates.iter().zip(&results.estimates) {
        let number = |i: usize| row[i].parse::<f64>().unwrap().to_bits();
        let bits = [expected.estimate, expected.std_error, expected.statistic, expected.p_value, expected.conf_low];
        assert_eq!([5, 6, 7, 8, 9].map(number), bits.map(f64::to_bits));
        assert_eq!(number(13), expected.conf_high.exp().to_bits());
        assert_eq!(&row[16], "2");
    }
    let weights = rows(&read("weights.csv"));
    assert_eq!(weights[0][5].parse::<f64>().unwrap(), results.weights[0].sum / 12.0);
    assert_eq!((&weights[0][6], &weights[0][7], &weights[0][8]), ("", "", ""));
    assert_eq!(rows(&read("propensity_histogram.csv")).len(), 8);
    assert_eq!(rows(&read("outcomes.csv")).len(), 6);
    assert_eq!(rows(&read("tests.csv")).len(), results.tests.len());
    let survival = rows(&read("survival.csv"));
    assert_eq!(survival.len(), results.survival.len());
    for (row, expected) in survival.iter().zip(&results.survival) {
        assert_eq!(row[8].parse().ok().map(f64::to_bits), expected.survival.map(f64::to_bits));
        assert_eq!((&row[2] == "TRUE", &row[12]), (expected.weighted, &*expected.conf_type));
    }
    assert_eq!(rows(&read("medians.csv")).len(), results.medians.len());
    // Two methods, one with two variances, of five quantities; two times of six, and a mean of four.
    let effects = rows(&read("effects.csv"));
    assert_eq!((effects.len(), results.effects.len()), (3 * 5 + 2 * 6 + 4, effects.len()));
    for (row, expected) in effects.iter().zip(&results.effects) {
        let bits = [expected.estimate, expected.std_error].map(|x| x.map(f64::to_bits));
        assert_eq!([7, 8].map(|i| row[i].parse::<f64>().ok().map(f64::to_bits)), bits);
        // where nobody is at risk any more there is a note in the place of the number
        let said = (expected.quantity.name(), &*expected.variance, expected.estimate.is_some());
        assert_eq!((&row[3], &row[6], row[12].is_empty()), said);
    }
    let left: Vec<_> = fs::read_dir(&out).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left.len(), 16, "{left:?}");
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");

    let first = read("results.json");
    write(&out, &results, &provenance()).unwrap();
    assert_eq!(first, read("results.json"), "the same run gives the same bytes");
}

#[test]
fn headers_are_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &Results::default(), &provenance()).unwrap();
    let header = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let expected = [
        (
            "estimates.csv",
            "analysis,outcome,model,term,variance,estimate,std_error,statistic,p_value,conf_low,conf_high,ratio,\
             ratio_low,ratio_high,n,events,sites,iterations,notes,ties,modifier,e_value,e_value_limit,cause,df,fmi,\
             replicates,failed_replicates,scenario\n",
        ),
        (
            "fits.csv",
            "analysis,outcome,model,ties,n,events,loglik_null,loglik,deviance_null,deviance,lr_statistic,lr_df,lr_p,\
             score_statistic,wald_statistic,concordance,iterations,max_score,converged,notes,concordance_bound,modifier,\
             penalised_loglik,effective_df,cause,scenario\n",
        ),
        ("flow.csv", "step,label,n,control,treated,excluded,notes,scenario\n"),
        (
            "outcomes.csv",
            "outcome,arm,n,events,cause,notes,missing,person_days,rate_100_years,rate_low,rate_high,scenario\n",
        ),
        (
            "weights.csv",
            "scheme,arm,n,sum,ess,mean,max,truncated_at_low,truncated_at_high,notes,q01_type3,q99_type3,q01_type7,\
             q99_type7,n_truncated_low,n_truncated_high,scenario\n",
        ),
        ("propensity_histogram.csv", "low,high,arm,n,weighted,notes,scenario\n"),
        ("overlap.csv", "arm,n,equipoise,equipoise_share,below,above,bound_low,bound_high,notes,scenario\n"),
        ("subgroups.csv", "outcome,cause,modifier,level,arm,n,events,notes,scenario\n"),
        ("warnings.csv", "code,about,text,scenario\n"),
        (
            "balance.csv",
            "variable,level,kind,weighted,control,control_percent_or_sd,control_q25,control_median,control_q75,treated,\
             treated_percent_or_sd,treated_q25,treated_median,treated_q75,all,all_percent_or_sd,all_q25,all_median,\
             all_q75,test,statistic,p_value,smd,smd_kind,missing_control,missing_treated,smd_cobalt,notes,table,scenario\n",
        ),
        ("tests.csv", "name,outcome,model,term,statistic,df,p_value,ties,notes,modifier,cause,scenario\n"),
        (
            "survival.csv",
            "outcome,arm,weighted,time_days,n_risk,n_event,n_censor,n_after,survival,std_error,conf_low,conf_high,conf_type,at,notes,scenario\n",
        ),
        (
            "medians.csv",
            "outcome,arm,weighted,quantity,at_days,value_days,std_error,conf_low,conf_high,conf_type,notes,scenario\n",
        ),
        (
            "effects.csv",
            "outcome,model,method,quantity,arm,at_days,variance,estimate,std_error,conf_low,conf_high,n,notes,ties,modifier,\
             scenario\n",
        ),
        (
            "incidence.csv",
            "outcome,cause,arm,weighted,time_days,n_risk,n_after,incidence,std_error,conf_low,conf_high,conf_type,at,\
             event_free,event_free_std_error,notes,scenario\n",
        ),
    ];
    for (name, text) in expected {
        assert_eq!(header(name), text, "{name}");
    }
}

#[test]
fn a_released_curve_has_no_cell_with_few_leavers_and_all_patients() {
    let (_, results) = small();
    for arm in ["A", "B"] {
        let cells: Vec<f64> = results
            .survival
            .iter()
            .filter(|r| r.arm == arm && !r.weighted && r.conf_type == "log" && r.at == At::MergedCell)
            .map(|r| r.n_event.unwrap() + r.n_censor.unwrap())
            .collect();
        assert!(!cells.is_empty() && cells.iter().all(|n| *n == 0.0 || *n >= 5.0), "{cells:?}");
        assert_eq!(cells.iter().sum::<f64>(), 12.0);
    }
}

/// Few at a time leave in this study, and few bins of the score are filled.
#[test]
fn what_is_hidden_is_empty_with_a_note_and_said_in_the_terminal() {
    let plan = small_plan();
    let results = Release::of(&plan).into_results();
    let hidden = |row: &study::results::SurvivalRow| row.at == At::Declared && row.survival.is_none() && !row.after_end;
    assert!(results.survival.iter().any(hidden), "{:?}", results.survival);
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &results, &provenance()).unwrap();
    let survival = rows(&fs::read(dir.path().join("survival.csv")).unwrap());
    let (row, _) = survival.iter().zip(&results.survival).find(|(_, row)| hidden(row)).unwrap();
    assert_eq!((&row[4], &row[7], &row[8]), ("", "", ""));
    assert!(row[14].starts_with("n_risk is hidden: too few patients of an arm leave"), "{}", &row[14]);
    let document: Value = serde_json::from_slice(&fs::read(dir.path().join("results.json")).unwrap()).unwrap();
    let survival = document["survival"].as_array().unwrap();
    assert!(survival.iter().any(|row| row["survival"].is_null() && row["at"] == "declared"));
    let mut page = Vec::new();
    print(&mut page, &results, plan.protocol(), 100).unwrap();
    let page = String::from_utf8(page).unwrap();
    let line = page.lines().find(|line| line.trim_start().starts_with("% at 0.2")).unwrap();
    assert_eq!(line.matches("hidden").count(), 3, "{page}");
}

#[test]
fn a_failed_model_stands_with_its_cause_and_hint() {
    let (_, results) = small();
    let failed: Vec<_> = results.fits.iter().filter(|f| f.outcome_of_fit.is_err()).collect();
    assert_eq!(failed.len(), 2);
    let fields = fields(&FitRecord::new(failed[0])).unwrap();
    assert_eq!((&fields["outcome"], &fields["converged"]), (&Value::from("z"), &Value::from(false)));
    assert_eq!((&fields["loglik"], &fields["wald_statistic"]), (&Value::Null, &Value::Null));
    let notes = fields["notes"].as_str().unwrap();
    assert!(notes.starts_with("fit.no_events: ") && notes.contains("; "), "{notes}");
}

#[test]
fn a_number_that_is_not_finite_is_empty_with_a_note() {
    let row = EstimateRow {
        analysis: "logistic".into(),
        cause: String::new(),
        outcome: "y".into(),
        model: "unadjusted".into(),
        ties: None,
        modifier: String::new(),
        term: "age".into(),
        variance: Variance::Naive,
        declared: true,
        note: None,
        estimate: 800.0,
        std_error: f64::NAN,
        statistic: f64::NEG_INFINITY,
        p_value: 1e-300,
        conf_low: -2.5,
        conf_high: 0.1 + 0.2,
        n: Some(3),
        events: Some(1),
        iterations: 4,
        e_value: None,
        df: None,
        fmi: None,
        replicates: None,
        failed_replicates: None,
    };
    let results = Results { estimates: vec![row], ..Results::default() };
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &results, &provenance()).unwrap();
    let row = &rows(&fs::read(dir.path().join("estimates.csv")).unwrap())[0];
    assert_eq!((&row[6], &row[7], &row[8], &row[11]), ("", "", "1e-300", ""));
    // Numbers are numbers, whatever they start with.
    assert_eq!((&row[9], &row[10]), ("-2.5", "0.30000000000000004"));
    assert_eq!(&row[18], "std_error is not finite; statistic is not finite; ratio is not finite");
}

#[test]
fn no_text_is_a_formula() {
    let (_, results) = small();
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &results, &provenance()).unwrap();
    let flow = rows(&fs::read(dir.path().join("flow.csv")).unwrap());
    assert_eq!(&flow[1][1], "'=HYPERLINK(1), \"quoted\"");
    let json = document(&results);
    assert_eq!(json["flow"][1]["label"], "=HYPERLINK(1), \"quoted\"", "JSON is no spreadsheet");
}

fn document(results: &Results) -> Value {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), results, &provenance()).unwrap();
    serde_json::from_slice(&fs::read(dir.path().join("results.json")).unwrap()).unwrap()
}

/// Fields and columns of a record, sorted.
fn names<R: Record>(row: &R) -> (Vec<String>, Vec<String>) {
    let mut columns: Vec<String> = R::COLUMNS.split(',').map(str::to_owned).collect();
    columns.sort();
    (fields(row).unwrap().keys().cloned().collect(), columns)
}

#[test]
fn columns_are_the_fields_of_the_records() {
    let (_, results) = small();
    let (fields, columns) = names(&EstimateRecord::new(&results.estimates[0], 2));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&FitRecord::new(&results.fits[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::records::FlowRecord::from(&results.flow[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::records::OutcomeRecord::from(&results.outcomes[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::weights::WeightRecord::from(&results.weights[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::weights::HistogramRecord::from(&results.histogram[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::weights::OverlapRecord::from(&results.overlap[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::subgroups::SubgroupRecord::from(&results.subgroups[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::weights::WarningRecord::from(&results.warnings[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::balance::BalanceRecord::from(&results.balance[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::records::TestRecord::from(&results.tests[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::survival::SurvivalRecord::from(&results.survival[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::survival::MedianRecord::from(&results.medians[0]));
    assert_eq!(fields, columns);
    let (fields, columns) = names(&super::standardised::EffectRecord::from(&results.effects[0]));
    assert_eq!(fields, columns);
}

/// Holds a value against the part of JSON Schema that `results.schema.json` uses; every key must be described.
fn check(value: &Value, schema: &Value, root: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return check(value, root.pointer(reference.trim_start_matches('#')).expect(reference), root, at);
    }
    if let Some(constant) = schema.get("const") {
        return assert_eq!(value, constant, "{at}");
    }
    if let Some(allowed) = schema["enum"].as_array() {
        return assert!(allowed.contains(value), "{at}: {value}");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().map(|t| t.as_str().unwrap()).collect(),
        _ => panic!("{at}: the schema names no type"),
    };
    let is = |name: &&str| match *name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{at}: unknown type {other}"),
    };
    assert!(types.iter().any(is), "{at}: {value} is not {types:?}");
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        check(item, &schema["items"], root, &format!("{at}/{i}"));
    }
    if let Some(object) = value.as_object() {
        assert_eq!(schema["additionalProperties"], Value::from(false), "{at}");
        let properties = schema["properties"].as_object().unwrap();
        let required: Vec<&str> = schema["required"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
        assert_eq!(required.len(), properties.len(), "{at}: every property is always there");
        for name in required {
            assert!(object.contains_key(name), "{at}/{name} is required");
        }
        for (name, member) in object {
            let described = properties.get(name).unwrap_or_else(|| panic!("{at}/{name} is not in the schema"));
            assert!(described["description"].is_string(), "{at}/{name} is not described");
            check(member, described, root, &format!("{at}/{name}"));
        }
    }
}

#[test]
fn the_schema_describes_every_key_of_the_document() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/results.schema.json")).unwrap();
    let (_, results) = small();
    let document = document(&results);
    let tables = [
        "estimates",
        "fits",
        "flow",
        "outcomes",
        "weights",
        "propensity_histogram",
        "balance",
        "tests",
        "survival",
        "medians",
        "overlap",
        "subgroups",
        "warnings",
        "effects",
    ];
    for table in tables {
        assert!(!document[table].as_array().unwrap().is_empty(), "{table}");
    }
    check(&document, &schema, &schema, "");
    check(&self::document(&Results::default()), &schema, &schema, "");
}

#[test]
fn a_page_shows_failures_with_what_to_do_and_names_every_variance() {
    let (protocol, results) = small();
    for width in [80, 140] {
        let mut out = Vec::new();
        print(&mut out, &results, &protocol, width).unwrap();
        let page = String::from_utf8(out).unwrap();
        println!("{page}");
        let parts = [
            "Table 1A",
            "Table 1B",
            "Kaplan-Meier, weighted",
            "log-rank",
            "Absolute risks",
            "AIPW",
            "mean to 0.5",
            "B vs A",
            "Age (years)",
            "M-estimation",
            "Models without a result",
            "fit.no_events",
            "failed, see below",
        ];
        for part in parts {
            assert!(page.contains(part), "{part} at {width}");
        }
        assert!(page.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}");
    }
}
