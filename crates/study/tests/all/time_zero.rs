//! What lies after time zero chooses no patients and is adjusted for by no model, unless the protocol says so.

use study::protocol::Protocol;

use crate::sample::{PROTOCOL, edited};

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = Protocol::parse(text).err().map_or(Vec::new(), |mistakes| mistakes.0);
    mistakes.iter().map(|m| m.to_string().split_once(": ").expect("a line").1.to_owned()).collect()
}

/// One mistake that begins so; and none with the key that allows it.
fn refused(text: &str, table: &str, begins: &str) {
    let found = mistakes(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(begins), "{found:?}");
    assert!(found[0].ends_with("or write `after_time_zero = true` here if that is meant"), "{found:?}");
    let allowed = text.replacen(table, &format!("{table}after_time_zero = true\n"), 1);
    assert_eq!(mistakes(&allowed), [""; 0]);
}

#[test]
fn criteria_ask_for_what_is_known_at_time_zero() {
    let adults = "label = \"Adults\"\n";
    for (require, begins) in [
        (
            "days > 180",
            "eligibility[1].require: `days` is part of the outcome `os`, after time zero; it would choose patients by what happens to them later (immortal time)",
        ),
        ("dead = 0 AND age > 20", "eligibility[1].require: `dead` is part of the outcome `os`"),
        ("NOT cured", "eligibility[1].require: `cured` is part of the outcome `cure`"),
        ("iif(cured IS NULL, 0, 1) = 1", "eligibility[1].require: `cured` is part of the outcome `cure`"),
    ] {
        refused(&edited("age >= 18", require), adults, begins);
    }
    // days are days since time zero, whether an outcome is made of them or not
    let landmark = "\n[[variable]]\nname = \"to_relapse\"\nkind = \"days\"\nmax = 900\n";
    let text = edited("age >= 18", "to_relapse IS NULL OR to_relapse > 90") + landmark;
    refused(
        &text,
        adults,
        "eligibility[1].require: `to_relapse` has days since time zero (kind = \"continuous\" has other times",
    );
    let before = landmark.replace("\"days\"\nmax = 900", "\"continuous\"\nrange = [-3000, 0]");
    assert_eq!(mistakes(&(edited("age >= 18", "to_relapse IS NULL OR to_relapse < -90") + &before)), [""; 0]);
}

#[test]
fn models_and_tables_take_what_is_known_at_time_zero() {
    refused(
        &edited("covariates = [\"age\", \"stage\"]\n", "covariates = [\"age\", \"dead\"]\n"),
        "[propensity]\n",
        "propensity.covariates: `dead` is part of the outcome `os`, after time zero; it would adjust for what the treatment may have changed",
    );
    refused(
        &edited("covariates = [\"age\"]\n", "covariates = [\"age\", \"cured\"]\n"),
        "kind = \"cox\"\n",
        "analysis[2].covariates: `cured` is part of the outcome `cure`, after time zero; it would adjust",
    );
    refused(
        &edited("effect_modifier = \"stage\"\n", "effect_modifier = \"dead\"\n"),
        "kind = \"logistic\"\n",
        "analysis[1].effect_modifier: `dead` is part of the outcome `os`, after time zero; it would divide patients by",
    );
    for (line, key) in [
        ("require = \"dead = 0\"", "require"),
        ("covariates = [\"age\", \"cured\"]\noutcomes = [\"os\"]", "covariates"),
    ] {
        refused(
            &format!("{PROTOCOL}\n[[scenario]]\nname = \"other\"\n{line}\n"),
            "name = \"other\"\n",
            &format!("scenario[1].{key}: `"),
        );
    }
}

#[test]
fn what_is_of_the_outcome_itself_is_never_adjusted_for() {
    let text = edited("covariates = [\"age\"]\n", "covariates = [\"age\", \"dead\"]\nafter_time_zero = true\n");
    assert_eq!(
        mistakes(&text),
        ["analysis[2].covariates: `dead` is part of the outcome `os`; what happens after time zero is no covariate"]
    );
}

#[test]
fn the_key_stands_only_where_it_says_something() {
    let text = edited("label = \"Adults\"\n", "label = \"Adults\"\nafter_time_zero = true\n");
    assert_eq!(mistakes(&text), ["eligibility[1].after_time_zero: nothing here lies after time zero; leave it out"]);
    let text = edited("age >= 18\"", "agee >= 18\"\nafter_time_zero = true");
    assert_eq!(mistakes(&text).len(), 1, "what is wrong may be what lies after time zero");
}

#[test]
fn sentences_are_written_before_a_study_begins() {
    let later = "stands for a text that is not written yet, and the report would print it; write it";
    for (from, to, key) in [
        ("Everybody.", "TODO", "trial.element[1].target"),
        ("Those in the file.", "describe ...", "trial.element[1].emulation"),
        ("Does it help?", "…", "trial.question"),
        ("A sample", "<title>", "study.title"),
        ("\"Adults\"", "\"...\"", "eligibility[1].label"),
    ] {
        assert_eq!(mistakes(&edited(from, to)), [format!("{key}: {later}")]);
    }
    let found = mistakes(&edited("Everybody.", "REPLACE: Who would be eligible for the trial?"));
    assert_eq!(
        found,
        ["trial.element[1].target: is still the question of the draft; write your own text in place of `REPLACE: …`"]
    );
    let found = mistakes(&edited("unit = \"years\"", "unit = \"REPLACE: unit of age\""));
    assert_eq!(found.len(), 1, "{found:?}");
}
