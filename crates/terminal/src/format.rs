//! How an answer or a failure is written: for a person, or as one JSON object for a program.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use study::document::Mistake;

use crate::{Answer, Exit, Failure};

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Text for a person.
    #[default]
    Text,
    /// One JSON object on standard output, also for a failure.
    Json,
}

/// What stands on standard output with `--format json`.
#[derive(Serialize)]
struct Envelope<'a> {
    schema: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Described<'a>>,
}

#[derive(Serialize)]
struct Described<'a> {
    code: &'a str,
    message: &'a str,
    hint: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mistakes: Vec<DescribedMistake<'a>>,
}

#[derive(Serialize)]
struct DescribedMistake<'a> {
    line: usize,
    key: &'a str,
    message: &'a str,
}

/// Writes how a command ended, and says with which status the program ends. `command` is its words joined by hyphens.
pub fn conclude(format: Format, command: &str, outcome: &Result<Answer, Failure>) -> Exit {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let written = match format {
        Format::Text => text(outcome, &mut out, &mut err),
        Format::Json => writeln!(out, "{}", envelope(command, outcome)),
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) if outcome.is_ok() => Exit::Done,
        Ok(()) => Exit::Failed,
        Err(e) => {
            let _ = write!(err, "{}", Failure::operating_system("write the answer", &e));
            Exit::Failed
        }
    }
}

fn text(outcome: &Result<Answer, Failure>, out: &mut impl Write, err: &mut impl Write) -> io::Result<()> {
    match outcome {
        Ok(answer) => {
            out.write_all(answer.text.as_bytes())?;
            err.write_all(answer.aside.as_bytes())
        }
        Err(failure) => write!(err, "{failure}"),
    }
}

/// The envelope in one line.
fn envelope(command: &str, outcome: &Result<Answer, Failure>) -> String {
    let schema = format!("entente/v1/{command}");
    let envelope = match outcome {
        Ok(answer) => Envelope { schema, ok: true, data: Some(&answer.data), error: None },
        Err(failure) => Envelope { schema, ok: false, data: None, error: Some(describe(failure)) },
    };
    // Texts, numbers and lists of them have a JSON form.
    serde_json::to_string(&envelope).unwrap_or_default()
}

fn describe(failure: &Failure) -> Described<'_> {
    let Failure { code, message, details, mistakes, hint } = failure;
    let mistakes = mistakes.iter().map(|Mistake { line, key, message }| DescribedMistake { line: *line, key, message });
    Described { code, message, hint, details, mistakes: mistakes.collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use study::document::Mistakes;

    use super::*;

    fn both(outcome: &Result<Answer, Failure>) -> (String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        text(outcome, &mut out, &mut err).unwrap();
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn an_answer_is_text_or_an_envelope() {
        let answer = Ok(Answer::of(json!({"sites": ["A", "B"]})).line("A").line("B").beside("two of them"));
        assert_eq!(both(&answer), ("A\nB\n".into(), "two of them\n".into()));
        let line = envelope("site-list", &answer);
        assert_eq!(line, r#"{"schema":"entente/v1/site-list","ok":true,"data":{"sites":["A","B"]}}"#);
    }

    #[test]
    fn a_failure_names_code_message_hint_and_every_mistake() {
        let mistake = Mistake { line: 3, key: "study.id".into(), message: "is missing; add it".into() };
        let failure = Failure::new("study.protocol", "one mistake in the document", "mend the lines above");
        let failure = Err(failure.with_mistakes(Mistakes(vec![mistake])).with_details(["and this".into()]));
        let text = "error[study.protocol]: one mistake in the document\n  line 3: study.id: is missing; add it\n  \
                    and this\nnext: mend the lines above\n";
        assert_eq!(both(&failure), (String::new(), text.into()));
        let error = json!({
            "code": "study.protocol", "message": "one mistake in the document", "hint": "mend the lines above",
            "details": ["and this"],
            "mistakes": [{"line": 3, "key": "study.id", "message": "is missing; add it"}],
        });
        let expected = json!({"schema": "entente/v1/protocol-check", "ok": false, "error": error});
        assert_eq!(serde_json::from_str::<Value>(&envelope("protocol-check", &failure)).unwrap(), expected);
    }
}
