//! From TOML to [`Protocol`]. Reading goes on after a mistake so that all of them come out together; what only uses a
//! declaration with mistakes is not reported again.

mod analyses;
mod baseline;
mod bootstrap;
mod checks;
mod curves;
mod eligibility;
mod forms;
mod imputation;
mod incidence;
mod length;
mod months;
mod outcomes;
mod propensity;
mod prose;
mod release;
mod scenario;
mod standardised;
mod together;
mod variables;

use super::{Outcome, Propensity, Protocol, Treatment, Trial, TrialElement, digest};
use crate::dictionary::{Dictionary, VariableId};
use crate::document::{Mistakes, Reader, Table, nearest, parse, suggestion};

/// Days of a month where the protocol does not say.
const MONTH_DAYS: f64 = 30.4375;

pub(super) fn protocol(text: &str) -> Result<Protocol, Mistakes> {
    let document = parse(text)?;
    let reader = Reader::new(text);
    let root = Table::root(&reader, &document);
    let value = read(&root, digest::of(document.get_ref()));
    root.close();
    drop(root);
    reader.finish(value)
}

/// What stands before the models in a document.
struct Declared<'d> {
    dictionary: &'d Dictionary,
    treatment: Option<&'d Treatment>,
    outcomes: &'d [Outcome],
    propensity: Option<&'d Propensity>,
    /// Is there a `[propensity]`, be it with mistakes?
    weighting: bool,
    /// Days of a month.
    month_days: f64,
}

impl Declared<'_> {
    fn is_treatment(&self, id: VariableId) -> bool {
        self.treatment.is_some_and(|t| t.variable == id)
    }
}

fn read(root: &Table<'_, '_>, digest: secagg::Digest) -> Option<Protocol> {
    let study = root.table("study", "`id`, `title` and `patient`");
    let head = study.as_ref().and_then(study_head);
    let trial = root.optional_table("trial").map(|t| trial(&t)).unwrap_or_default();
    let dictionary = variables::dictionary(root);
    let treatment =
        root.table("treatment", "`variable`, `treated` and `control`").and_then(|t| treatment(&t, &dictionary));
    let month_days = head.as_ref().map_or(MONTH_DAYS, |(_, _, _, days)| *days);
    let outcomes = outcomes::outcomes(root, &dictionary, month_days);
    let mut declared = Declared {
        dictionary: &dictionary,
        treatment: treatment.as_ref(),
        outcomes: &outcomes,
        propensity: None,
        weighting: root.has("propensity"),
        month_days,
    };
    let eligibility = root.tables("eligibility").iter().filter_map(|t| eligibility::criterion(t, &declared)).collect();
    let propensity = root.optional_table("propensity").and_then(|t| propensity::propensity(&t, &declared));
    declared.propensity = propensity.as_ref();
    let (analyses, curves) = analyses::analyses(root, &declared);
    let incidences = incidence::incidences(root, &declared);
    let baselines = baseline::baselines(root, &declared);
    let release = release::release(root);
    if let (Some(study), Some((_, _, patient, _))) = (&study, &head)
        && dictionary.find(patient).is_some()
    {
        study.mistake("patient", "is also declared as a [[variable]]; an identifier cannot be analysed");
    }
    let main = head.zip(treatment.clone()).map(|((id, title, patient, month_days), treatment)| Protocol {
        id,
        title,
        patient,
        month_days,
        trial,
        treatment,
        dictionary: dictionary.clone(),
        eligibility,
        outcomes: outcomes.clone(),
        propensity: propensity.clone(),
        analyses,
        baselines,
        curves,
        incidences,
        trimming: None,
        release,
        bootstrap: None,
        scenarios: Vec::new(),
        digest,
    });
    if let Some(main) = &main {
        together::check(root, main);
    }
    let scenarios = scenario::scenarios(root, &declared, main.as_ref());
    let bootstrap = bootstrap::bootstrap(root, &declared, main.as_ref());
    Some(Protocol { bootstrap, scenarios, ..main? })
}

fn study_head(t: &Table<'_, '_>) -> Option<(String, String, String, f64)> {
    let id = t.text("id");
    if let Some(id) = &id {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.len() > 64 || !id.chars().all(good) {
            t.mistake(
                "id",
                format!("is no short name; use at most 64 lower-case letters, digits and hyphens{}", short(id)),
            );
        }
    }
    let title = prose::written(t, "title");
    let patient = t.text("patient");
    let month_days = t.optional_number("months").unwrap_or(MONTH_DAYS);
    if !(28.0..=31.0).contains(&month_days) {
        t.mistake("months", "expected the days of one month, 28 to 31; such as 30.4375");
    }
    t.close();
    Some((id?, title?, patient?, month_days))
}

fn trial(t: &Table<'_, '_>) -> Trial {
    let question = t.optional_text("question");
    prose::check(t, "question", question.as_deref().filter(|question| !question.is_empty()));
    let elements = t
        .tables("element")
        .iter()
        .filter_map(|e| {
            let (name, target, emulation) =
                (prose::written(e, "name"), prose::written(e, "target"), prose::written(e, "emulation"));
            e.close();
            Some(TrialElement { name: name?, target: target?, emulation: emulation? })
        })
        .collect();
    t.close();
    Trial { question: question.unwrap_or_default(), elements }
}

fn treatment(t: &Table<'_, '_>, dictionary: &Dictionary) -> Option<Treatment> {
    let (name, treated, control) = (t.text("variable"), t.text("treated"), t.text("control"));
    t.close();
    let variable = resolve(t, "variable", &name?, dictionary)?;
    let levels = dictionary.variable(variable).levels();
    if levels.is_empty() {
        t.mistake("variable", "is continuous or a time; the treatment must be categorical or binary");
        return None;
    }
    let level = |key: &'static str, name: &str| {
        let found = levels.iter().position(|l| l == name);
        if found.is_none() {
            t.mistake(key, no_level(name, "the treatment", levels));
        }
        found
    };
    let (treated, control) = (level("treated", &treated?), level("control", &control?));
    let (treated, control) = (treated?, control?);
    if treated == control {
        t.mistake("control", "both arms are the same level; name another one");
    }
    Some(Treatment { variable, treated, control })
}

fn unknown(t: &Table<'_, '_>, key: &str, got: &str, known: &[&str]) {
    let near = nearest(got, known.iter().copied());
    let hint = near.map_or_else(|| "use one of these".into(), |k| format!("did you mean `{k}`?"));
    t.mistake(key, format!("`{got}` is not known (known: {}); {hint}", known.join(", ")));
}

/// What is said of a level that its variable does not have.
fn no_level(got: &str, of: &str, levels: &[String]) -> String {
    let near = nearest(got, levels.iter().map(String::as_str));
    let hint = near.map_or_else(|| "spell one of these exactly so".into(), |level| format!("did you mean `{level}`?"));
    format!("`{got}` is not a level of {of} (levels: {}); {hint}", levels.join(", "))
}

/// The nearest good short name to a bad one, as an example.
fn short(text: &str) -> String {
    let words = text.to_ascii_lowercase();
    let words = words.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit()).filter(|word| !word.is_empty());
    let name: String = words.collect::<Vec<_>>().join("-").chars().take(64).collect();
    let name = name.trim_end_matches('-');
    if name.is_empty() { String::new() } else { format!(", such as `{name}`") }
}

fn resolve(t: &Table<'_, '_>, key: &'static str, name: &str, dictionary: &Dictionary) -> Option<VariableId> {
    let id = dictionary.find(name);
    if id.is_none() && !t.reader.is_spoiled(name) {
        let hint = suggestion(name, dictionary.variables().iter().map(|v| v.name.as_str()));
        t.mistake(key, format!("`{name}` is not a declared [[variable]]; {hint}"));
    }
    id
}
