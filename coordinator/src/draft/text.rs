//! A draft as a commented protocol.

use std::fmt::Write;

use study::protocol::{PLACEHOLDER, Protocol, ReleaseRules};

use super::answers::{DeclaredOutcome, Kind, OutcomeKind};
use super::columns::Guess;
use super::complete::Draft;
use super::error::DraftError;

/// The protocol, which is valid but for what a person has to write or confirm.
pub fn write(draft: &Draft) -> Result<String, DraftError> {
    let mut page = String::new();
    head(&mut page, draft);
    release(&mut page);
    dictionary(&mut page, draft);
    eligibility(&mut page, draft);
    treatment(&mut page, draft);
    outcomes(&mut page, draft);
    models(&mut page, draft);
    Protocol::parse(&confirmed(&page)).map_err(DraftError::Mistaken)?;
    Ok(page)
}

/// The draft as if a person had taken every mark away.
pub(super) fn confirmed(page: &str) -> String {
    page.replace(&format!("{PLACEHOLDER} "), "")
}

/// A text that a person has to replace, or to confirm by taking the mark away.
fn marked(text: &str) -> String {
    quoted(&format!("{PLACEHOLDER} {text}"))
}

/// The text; marked unless a person said what it is about.
fn said(text: &str, said: bool) -> String {
    if said { quoted(text) } else { marked(text) }
}

fn line(page: &mut String, text: impl std::fmt::Display) {
    writeln!(page, "{text}").expect("a text grows");
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    format!("[{}]", texts.into_iter().map(quoted).collect::<Vec<_>>().join(", "))
}

fn head(page: &mut String, draft: &Draft) {
    line(page, "#:schema ./protocol.schema.json");
    line(
        page,
        "# A draft: read every line, then `coordinator protocol check FILE`. docs/protocol-file.md explains all keys.",
    );
    if draft.guessed {
        line(
            page,
            "# Kinds, bounds and levels are guesses from one file; other sites have other values. Check them all.",
        );
    }
    line(page, "\n[study]");
    line(page, format_args!("id = {}", quoted(&draft.id)));
    line(page, format_args!("title = {}", said(&draft.title, draft.arms_said)));
    line(
        page,
        format_args!("patient = {:<32} # identifies a patient; never kept, never analysed", quoted(&draft.patient)),
    );
    line(page, "\n[trial]");
    let question = format!("Does starting {} rather than {} change the outcome?", draft.treated, draft.control);
    line(page, format_args!("question = {}", said(&question, draft.arms_said)));
    let elements = [
        ("Eligibility", "Who would be eligible for the trial?", "Whom do the criteria below keep?"),
        ("Treatment strategies", "What would the arms do?", "What does the treatment column say?"),
        ("Time zero", "When would patients be assigned?", "Which day is day 0 of the columns of days?"),
        ("Follow-up", "How long, until what?", "What ends the days?"),
    ];
    line(page, "\n# The table of target trial and emulation; write your own sentences in place of these questions.");
    for (name, target, emulation) in elements {
        line(page, "[[trial.element]]");
        line(page, format_args!("name = {}", quoted(name)));
        for (key, text) in [("target", target), ("emulation", emulation)] {
            line(page, format_args!("{key} = {}", marked(text)));
        }
        line(page, "");
    }
}

fn release(page: &mut String) {
    let opening = ReleaseRules::default().opening;
    line(page, "[release]");
    line(page, format_args!("opening = {:<31} # {}", quoted(opening.name()), opening.sentence()));
    line(page, "");
}

fn dictionary(page: &mut String, draft: &Draft) {
    line(
        page,
        "# ---- Data dictionary: one row per patient; an empty field is missing; other columns are not read ----\n",
    );
    for why in &draft.left_out {
        line(page, format_args!("# not declared: {why}"));
    }
    if !draft.left_out.is_empty() {
        line(page, "");
    }
    for Guess { name, kind, codes, remarks, .. } in &draft.variables {
        for remark in remarks {
            line(page, format_args!("# {remark}"));
        }
        line(page, "[[variable]]");
        line(page, format_args!("name = {}", quoted(name)));
        line(page, format_args!("label = {}", quoted(&label(name))));
        variable(page, name, kind, codes.as_ref());
        line(page, "");
    }
}

/// A name as words.
fn label(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn variable(page: &mut String, name: &str, kind: &Kind, codes: Option<&[String; 2]>) {
    match kind {
        Kind::Binary => {
            line(page, "kind = \"binary\"");
            if let Some(codes) = codes {
                line(page, format_args!("codes = {}", list(codes.iter().map(String::as_str))));
            }
        }
        Kind::Continuous { low, high, resolution, rounded } => {
            line(page, "kind = \"continuous\"");
            line(page, format_args!("unit = {}", marked(&format!("the unit of {name}, or nothing where it has none"))));
            line(page, format_args!("range = [{low}, {high}]"));
            line(
                page,
                format_args!(
                    "resolution = {resolution:<29} # step in which it is recorded; sites with finer values refuse"
                ),
            );
            if *rounded {
                line(page, "rounded = true                           # finer values are counted at the nearest step");
            }
        }
        Kind::Categorical { levels } => {
            line(page, "kind = \"categorical\"");
            line(page, format_args!("levels = {}", list(levels.iter().map(String::as_str))));
        }
        Kind::Days { max } => {
            line(page, "kind = \"days\"");
            line(page, format_args!("max = {max}"));
        }
    }
}

/// A model needs every covariate of every patient.
fn eligibility(page: &mut String, draft: &Draft) {
    if draft.covariates.is_empty() {
        return;
    }
    line(page, "# ---- Who is analysed: each is a line of the flow chart ----\n");
    line(page, "[[eligibility]]\nlabel = \"Covariates known\"");
    let known: Vec<String> = draft.covariates.iter().map(|name| format!("{name} IS NOT NULL")).collect();
    line(page, format_args!("require = {}\n", quoted(&known.join(" AND "))));
}

fn treatment(page: &mut String, draft: &Draft) {
    if !draft.arms_said {
        line(
            page,
            "# The two levels of most rows. Nothing tells which arm is which: exchange them, or take the marks away.",
        );
    }
    line(page, "[treatment]                              # rows with another level are left out and counted");
    line(page, format_args!("variable = {}", quoted(&draft.treatment)));
    line(page, format_args!("treated = {}", said(&draft.treated, draft.arms_said)));
    line(page, format_args!("control = {}\n", said(&draft.control, draft.arms_said)));
}

fn outcomes(page: &mut String, draft: &Draft) {
    line(page, "# ---- Outcomes ----\n");
    if draft.guessed && !draft.binary.is_empty() {
        let binary = draft.binary.join(", ");
        line(
            page,
            format_args!(
                "# Other binary columns; is one of them an outcome, then name it (--outcome NAME:binary): {binary}\n"
            ),
        );
    }
    for DeclaredOutcome { name, kind } in &draft.outcomes {
        line(page, "[[outcome]]");
        line(page, format_args!("name = {}", quoted(name)));
        line(page, format_args!("label = {}", quoted(&label(name))));
        match kind {
            OutcomeKind::Binary => {
                line(page, format_args!("kind = \"binary\"\nvariable = {}", quoted(name)));
            }
            OutcomeKind::Time { days, event, .. } => {
                line(page, "kind = \"time_to_event\"");
                line(page, format_args!("time = {}", quoted(days)));
                line(page, format_args!("event = {}", quoted(event)));
                let grid = draft.grid_days;
                line(page, format_args!("grid_days = {grid:<30} # a choice about disclosure: finer opens more"));
                let horizon = horizon(draft, kind);
                line(page, format_args!("horizon_days = {horizon:<27} # later follow-up is censored there"));
            }
        }
        line(page, "");
    }
}

/// As said, else the end of the column of days.
fn horizon(draft: &Draft, kind: &OutcomeKind) -> u32 {
    let OutcomeKind::Time { days, horizon, .. } = kind else { return 0 };
    let column = draft.variables.iter().find(|variable| variable.name == *days).map(|variable| &variable.kind);
    match (horizon, column) {
        (Some(horizon), _) => *horizon,
        (None, Some(Kind::Days { max })) => *max,
        (None, _) => 1826,
    }
}

fn models(page: &mut String, draft: &Draft) {
    line(page, "# ---- Models ----\n");
    let weighted = !draft.covariates.is_empty();
    if weighted {
        if draft.guessed {
            line(
                page,
                "# Every column that is left, unless you named some: take out what happens after treatment starts.",
            );
            if !draft.after.is_empty() {
                let after = draft.after.join(", ");
                line(page, format_args!("# Left out, because their names say that they are known only later: {after}"));
            }
        }
        line(page, "# Only what is known before treatment starts; adjusted models take the same covariates.");
        line(page, "[propensity]");
        line(page, format_args!("covariates = {}\n", list(draft.covariates.iter().map(String::as_str))));
        line(page, "[[analysis]]                             # Table 1, before and after weighting");
        line(page, "kind = \"baseline\"");
        line(page, format_args!("variables = {}\n", list(draft.covariates.iter().map(String::as_str))));
    }
    let of_kind = |time: bool| {
        let fits = move |outcome: &&DeclaredOutcome| matches!(outcome.kind, OutcomeKind::Time { .. }) == time;
        list(draft.outcomes.iter().filter(fits).map(|outcome| outcome.name.as_str()))
    };
    let any = |time| draft.outcomes.iter().any(|outcome| matches!(outcome.kind, OutcomeKind::Time { .. }) == time);
    for (time, kind) in [(false, "logistic"), (true, "cox")] {
        if !any(time) {
            continue;
        }
        line(page, "[[analysis]]");
        line(page, format_args!("kind = \"{kind}\"\noutcomes = {}", of_kind(time)));
        if weighted {
            line(
                page,
                "models = [\"unadjusted\", \"iptw\", \"adjusted\"]\nvariance = [\"robust\", \"m_estimation\"]\n",
            );
        } else {
            line(page, "models = [\"unadjusted\"]                  # weighted and adjusted ones need [propensity]\n");
        }
    }
    if any(true) {
        line(page, "[[analysis]]\nkind = \"kaplan_meier\"");
        line(page, format_args!("outcomes = {}", of_kind(true)));
        if weighted {
            line(page, "weighted = [false, true]");
        }
    }
}
