//! Results of a reference study without network and masks: the plan, told the plain sums of one cohort per site.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use study::cohort::{Cohort, Column, FlowCount, MISSING_DAYS, MISSING_LEVEL};
use study::dictionary::{Kind, Variable};
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::protocol::{Protocol, ReleaseRules};
use study::release::Release;
use study::results::Results;

use crate::federation::draw_key;

/// Below the root of the repository.
pub(super) fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(relative)
}

/// What is released of the main analysis of the protocol on the rows of a reference file, `column` naming the site of a row. Rows without a value in
/// `required` are not eligible.
pub(super) fn results(protocol: &str, rows: &str, required: Option<&str>) -> (Arc<Protocol>, Results, usize) {
    results_under(None, protocol, rows, required)
}

/// The same under other floors than the protocol's.
pub(super) fn results_under(
    release: Option<ReleaseRules>,
    protocol: &str,
    rows: &str,
    required: Option<&str>,
) -> (Arc<Protocol>, Results, usize) {
    let text = std::fs::read_to_string(path(protocol)).unwrap();
    let mut protocol = Protocol { scenarios: Vec::new(), ..Protocol::parse(&text).unwrap() };
    protocol.release = release.unwrap_or(protocol.release);
    let protocol = Arc::new(protocol);
    let mut reader = csv::Reader::from_path(path(rows)).unwrap();
    let mut sites: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in reader.deserialize() {
        let row: Row = row.unwrap();
        sites.entry(row["site"].clone()).or_default().push(row);
    }
    let cohorts: Vec<Cohort> = sites.values().map(|rows| cohort(&protocol, rows, required)).collect();
    let mut plan = Plan::new(Arc::clone(&protocol));
    while !plan.done() {
        let sums = sums(&protocol, &cohorts, &plan);
        plan.tell(&sums);
    }
    let results = Release::of(&plan).into_results();
    (protocol, results, cohorts.len())
}

type Row = BTreeMap<String, String>;

fn sums(protocol: &Protocol, cohorts: &[Cohort], plan: &Plan) -> Vec<f64> {
    let mut words = vec![0_i128; plan.words()];
    let questions = plan.ask();
    for (i, cohort) in cohorts.iter().enumerate() {
        let key = draw_key(i as u16);
        let site = Evaluator::new(protocol, cohort, cohorts.len(), i == 0).drawing(&key, questions);
        let answer = questions.iter().flat_map(|q| site.answer(q).unwrap());
        for (word, answer) in words.iter_mut().zip(answer) {
            *word = word.wrapping_add(answer);
        }
    }
    words.into_iter().map(secagg::decode).collect()
}

fn cohort(protocol: &Protocol, rows: &[Row], required: Option<&str>) -> Cohort {
    let arm = &protocol.treatment;
    let treatment = protocol.dictionary.variable(arm.variable);
    let treated = |row: &Row| row[&treatment.name] == treatment.levels()[arm.treated];
    let count = |rows: &[&Row]| {
        let treated = rows.iter().filter(|row| treated(row)).count() as u64;
        FlowCount { control: rows.len() as u64 - treated, treated, neither: 0 }
    };
    let all: Vec<&Row> = rows.iter().collect();
    let eligible: Vec<&Row> = rows.iter().filter(|row| required.is_none_or(|column| !row[column].is_empty())).collect();
    let mut flow = vec![count(&all)];
    flow.extend(protocol.eligibility.iter().map(|_| count(&eligible)));
    flow.push(count(&eligible));
    Cohort {
        treated: eligible.iter().map(|row| treated(row)).collect(),
        columns: protocol.dictionary.variables().iter().map(|v| column(v, &eligible)).collect(),
        flow,
        scenarios: Vec::new(),
    }
}

fn column(variable: &Variable, rows: &[&Row]) -> Column {
    let cells = rows.iter().map(|row| row[&variable.name].as_str());
    match &variable.kind {
        Kind::Continuous { .. } => Column::Numbers(cells.map(|c| c.parse().unwrap_or(f64::NAN)).collect()),
        Kind::Categorical { levels, .. } => {
            let level = |cell: &str| levels.iter().position(|l| l == cell).map_or(MISSING_LEVEL, |i| i as u8);
            Column::Levels(cells.map(level).collect())
        }
        Kind::Days { .. } => Column::Days(cells.map(|c| c.parse().unwrap_or(MISSING_DAYS)).collect()),
    }
}
