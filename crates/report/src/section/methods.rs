//! The methods paragraph, as the protocol declares them, and what a reader needs to compute the numbers again.

use stats::weights::Estimand;
use study::protocol::{AnalysisKind, Model, OutcomeKind, Protocol};

use super::{Block, replication};
use crate::labels;
use crate::page::Page;
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut blocks = vec![
        Block::words(
            "The paragraphs below are made from the protocol that the sites approved. They say what was computed, and can \
             be shortened for a manuscript.",
        ),
        Block::Words(design(page)),
    ];
    blocks.extend([propensity(page), models(page), survival(page)].into_iter().flatten());
    blocks.extend([sensitivity(page), Block::Words(federation(page))]);
    blocks.extend(Block::table(replication::table(page)));
    blocks.push(Block::Table(identity(page)));
    blocks
}

/// "a, b and c".
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

fn variables(page: &Page<'_>, ids: &[study::dictionary::VariableId]) -> String {
    let name = |id: &study::dictionary::VariableId| &page.protocol.dictionary.variable(*id).name;
    list(&ids.iter().map(|id| page.labels.variables(name(id))).collect::<Vec<_>>())
}

fn outcomes(page: &Page<'_>, of: fn(&OutcomeKind) -> bool) -> String {
    let outcomes = page.protocol.outcomes.iter().filter(|outcome| of(&outcome.kind));
    list(&outcomes.map(|outcome| labels::plain(&outcome.label)).collect::<Vec<_>>())
}

fn design(page: &Page<'_>) -> Cell {
    let [control, treated] = page.arms();
    let mut cell = Cell::text("This study emulates a target trial of ")
        .and(Cell::foreign(treated))
        .and_text(" against ")
        .and(Cell::foreign(control))
        .and_text(format!(" with patients of {} sites.", page.provenance.sites.len()));
    for (lead, of) in [
        (" Times to event: ", (|k| matches!(k, OutcomeKind::TimeToEvent(_))) as fn(&OutcomeKind) -> bool),
        (" Binary outcomes: ", |k| matches!(k, OutcomeKind::Binary { .. })),
        (" Outcomes with competing causes: ", |k| matches!(k, OutcomeKind::Competing(_))),
    ] {
        let names = outcomes(page, of);
        if !names.is_empty() {
            cell = cell.and_text(lead).and(Cell::foreign(names)).and_text(".");
        }
    }
    for outcome in &page.protocol.outcomes {
        if let Some(grid) = outcome.kind.grid() {
            let text = format!(
                " {} is analysed in cells of {} days up to day {}.",
                labels::plain(&outcome.label),
                grid.days,
                grid.horizon_days
            );
            cell = cell.and_text(text);
        }
    }
    cell
}

fn estimand(estimand: Estimand) -> &'static str {
    match estimand {
        Estimand::Ate => "all analysed patients (ATE)",
        Estimand::Att => "the treated (ATT)",
        Estimand::Atc => "the controls (ATC)",
        Estimand::Ato => "the overlap population (ATO)",
        Estimand::Atm => "the matching population (ATM)",
    }
}

fn propensity(page: &Page<'_>) -> Option<Block> {
    let declared = page.protocol.propensity.as_ref()?;
    let stabilised = if declared.stabilized { ", stabilised by the share of the arm" } else { "" };
    let mut text = vec![format!(
        "Propensity scores were estimated by logistic regression on {}. Inverse probability weights make the arms stand for \
         {}{stabilised}.",
        variables(page, &declared.covariates),
        estimand(declared.estimand)
    )];
    if let Some(truncation) = declared.detail.and_then(|detail| detail.truncation) {
        let percent = |p: f64| (1000.0 * p).round() / 10.0;
        let (low, high) = (percent(truncation.low), percent(truncation.high));
        text.push(format!(" Truncated weights lie between the {low}% and {high}% quantiles of the weights."));
    }
    text.push(" Balance was judged by standardised mean differences, with 0.1 as the limit.".to_owned());
    Some(Block::words(text.concat()))
}

fn models(page: &Page<'_>) -> Option<Block> {
    let mut sentences = Vec::new();
    for analysis in &page.protocol.analyses {
        let (kind, ties) = match analysis.kind {
            AnalysisKind::Logistic => ("logistic regression", None),
            AnalysisKind::Cox(ties) => ("Cox regression", Some(ties)),
            AnalysisKind::FineGray(ties) => ("Fine-Gray regression", Some(ties)),
        };
        let ties = ties.map_or_else(String::new, |ties| format!(" ({ties:?} ties)"));
        let cause = analysis.cause.as_deref().unwrap_or_default();
        let label = |name: &String| page.outcome(name, cause);
        let outcomes = list(&analysis.outcomes.iter().map(label).collect::<Vec<_>>());
        let models: Vec<String> = analysis.models.iter().map(|model| labels::model(model.name()).to_owned()).collect();
        let mut text = vec![format!("{outcomes}: {kind}{ties}, models {}", list(&models))];
        let adjusted = |model: &Model| !model.weighted() && *model != Model::Unadjusted;
        if analysis.models.iter().any(adjusted) {
            text.push(format!("; covariates {}", variables(page, &analysis.covariates)));
        }
        let modifiers: Vec<_> = analysis.effect_modifiers.iter().map(|modifier| modifier.variable).collect();
        if !modifiers.is_empty() {
            text.push(format!("; effect modification by {}", variables(page, &modifiers)));
        }
        let named = analysis.variances;
        let variances: Vec<String> = [
            (!named.without_naive, "naive"),
            (named.robust, "robust"),
            (named.survey, "survey"),
            (named.cluster_site, "clustered by site"),
            (named.m_estimation, "M-estimation, which accounts for the estimated propensity"),
        ]
        .into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, name)| name.to_owned())
        .collect();
        text.push(format!("; variances {}.", list(&variances)));
        sentences.push(text.concat());
    }
    (!sentences.is_empty()).then(|| Block::List(sentences.into_iter().map(Cell::text).collect()))
}

fn survival(page: &Page<'_>) -> Option<Block> {
    let protocol: &Protocol = page.protocol;
    let mut text: Vec<String> = Vec::new();
    if !protocol.curves.is_empty() {
        text.push("Survival was estimated by Kaplan-Meier, weighted curves with the weights of the study; medians, restricted \
                 means, risk differences and log-rank tests come from the same two-arm tables. ".to_owned());
    }
    if !protocol.incidences.is_empty() {
        text.push(
            "Cumulative incidences of competing causes were estimated by Aalen-Johansen and compared by Gray's test. "
                .to_owned(),
        );
    }
    if protocol.analyses.iter().any(|analysis| !analysis.standardised.is_empty()) {
        text.push("Absolute risks were standardised over the adjusted models. ".to_owned());
    }
    if protocol.analyses.iter().any(|analysis| !analysis.checks.zph.is_empty()) {
        text.push("Proportional hazards were tested by score tests of a course over time. ".to_owned());
    }
    if !protocol.baselines.is_empty() {
        text.push("Characteristics were compared before and after weighting. ".to_owned());
    }
    (!text.is_empty()).then(|| Block::words(text.concat().trim_end()))
}

fn sensitivity(page: &Page<'_>) -> Block {
    let mut text: Vec<String> = Vec::new();
    let scenarios: Vec<String> = page.protocol.scenarios.iter().map(|s| labels::plain(&s.label)).collect();
    if !scenarios.is_empty() {
        text.push(format!("Declared scenarios: {}. ", scenarios.join("; ")));
    }
    for scenario in &page.protocol.scenarios {
        if let Some(imputation) = &scenario.imputation {
            let names = variables(page, &imputation.variables);
            text.push(format!("Missing values of {names} were drawn {} times. ", imputation.draws));
        }
    }
    if let Some(bootstrap) = &page.protocol.bootstrap {
        text.push(format!("The bootstrap has {} replicates by random case weights. ", bootstrap.replicates));
    }
    text.push(missing_values(page.protocol).to_owned());
    text.push(" Intervals are 95%; p values are two-sided and not corrected for multiplicity.".to_owned());
    Block::words(text.concat())
}

/// What becomes of patients who lack a value.
fn missing_values(protocol: &Protocol) -> &'static str {
    if protocol.scenarios.iter().any(|scenario| scenario.imputation.is_some()) {
        "Patients without a value of an outcome have no part in its models and curves; their number stands beside its events. \
         A model that needs a covariate which a patient lacks is not fitted, but for the scenarios that draw missing values: \
         nobody is left out silently."
    } else {
        "Patients without a value of an outcome have no part in its models and curves; their number stands beside its events. \
         A model that needs a covariate which a patient lacks is not fitted: nobody is left out silently."
    }
}

fn federation(page: &Page<'_>) -> Cell {
    Cell::text(format!(
        "Patient data stayed at the {} sites. In {} rounds each site answered the questions that follow from the protocol \
         with sums, masked so that only totals over all sites can be read; the fitted numbers are those of an analysis of \
         the pooled rows. Software: Entente {}.",
        page.provenance.sites.len(),
        page.provenance.rounds,
        page.provenance.software_version
    ))
    .and_text(" ")
    .and(super::sites::release(page))
}

/// What identifies the run.
fn identity(page: &Page<'_>) -> Table {
    let provenance = page.provenance;
    let rows = [
        ("Software", format!("Entente {}", provenance.software_version)),
        ("Study", provenance.study.clone()),
        ("Run", provenance.run.clone()),
        ("Protocol (SHA-256)", provenance.protocol_digest.clone()),
        ("Manifest (SHA-256)", provenance.manifest_digest.clone()),
        ("Results that all sites agreed on (SHA-256)", provenance.results_digest.clone()),
        ("Release that all sites signed (SHA-256)", provenance.release_digest.clone()),
    ];
    Table {
        caption: "What identifies this run".into(),
        header: ["", "Value"].map(str::to_owned).into(),
        rows: rows.into_iter().map(|(name, value)| Row::new(name, vec![Cell::foreign(&value)])).collect(),
        texts: 2,
        ..Table::default()
    }
}
