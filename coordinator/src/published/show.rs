//! How a row of a result file is printed: text with `{column:form}` fields.
//!
//! Forms: a number of decimals (`{ratio:2}`), a share as a percentage (`{events/n:1%}`, `{survival:1%}`), days as months
//! (`{value_days:months}`) and a p value (`{p_value:p}`).

use serde_json::{Map, Value};

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Show(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { column: String, over: Option<String>, form: Form },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Decimals(usize),
    Percent(usize),
    Months,
    P,
}

impl Show {
    /// Reads a template; the error says what is wrong and what to write.
    pub(super) fn parse(text: &str) -> Result<Show, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, behind) = after.split_once('}').ok_or("a `{` has no `}`: write `{column:form}`")?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::field(field)?);
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        let show = Show(parts);
        if show.columns().next().is_none() {
            return Err(format!("`{text}` names no column: write `{{column:form}}`, or a name that [show] defines"));
        }
        Ok(show)
    }

    /// Every column that is read, in the order of the text.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flat_map(|part| match part {
                Part::Text(_) => [None, None],
                Part::Field { column, over, .. } => [Some(column.as_str()), over.as_deref()],
            })
            .flatten()
    }

    /// The row in words. Columns that the row lacks are the error.
    pub(super) fn print(&self, row: &Map<String, Value>, month_days: f64) -> Result<String, String> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => Ok(text.clone()),
                Part::Field { column, over, form } => {
                    let Some(mut x) = number(row, column)? else { return Ok(absent(row, column).to_owned()) };
                    if let Some(over) = over {
                        let Some(all) = number(row, over)? else { return Ok(absent(row, over).to_owned()) };
                        x /= all;
                    }
                    Ok(form.print(x, month_days))
                }
            })
            .collect()
    }

    /// The number in the first field of a row, if there is one.
    pub(super) fn first(&self, row: &Map<String, Value>) -> Option<f64> {
        row.get(self.columns().next()?)?.as_f64()
    }
}

impl Part {
    fn field(text: &str) -> Result<Part, String> {
        let forms = "forms are a number of decimals, the same with `%`, `months` and `p`";
        let (column, form) = text.split_once(':').ok_or_else(|| format!("`{{{text}}}` has no form; {forms}"))?;
        let decimals = |digits: &str| digits.parse().ok().filter(|n| *n <= 9);
        let parsed = match form {
            "months" => Some(Form::Months),
            "p" => Some(Form::P),
            _ => match form.strip_suffix('%') {
                Some(digits) => decimals(digits).map(Form::Percent),
                None => decimals(form).map(Form::Decimals),
            },
        };
        let form = parsed.ok_or_else(|| format!("`{form}` is no form; {forms}"))?;
        let (column, over) = match column.split_once('/') {
            Some((column, over)) => (column, Some(over.to_owned())),
            None => (column, None),
        };
        Ok(Part::Field { column: column.to_owned(), over, form })
    }
}

impl Form {
    fn print(self, x: f64, month_days: f64) -> String {
        match self {
            _ if !x.is_finite() => "–".into(),
            Form::Decimals(n) => decimals(x, n),
            Form::Percent(n) => format!("{}%", decimals(100.0 * x, n)),
            Form::Months => format!("{:.1}", x / month_days),
            Form::P if x < 0.001 => "p < 0.001".into(),
            Form::P => format!("p = {x:.3}"),
        }
    }
}

/// Scientific where the decimals would show nothing or too much.
fn decimals(x: f64, n: usize) -> String {
    let text = format!("{x:.n$}");
    let nothing = x != 0.0 && !text.contains(|c: char| ('1'..='9').contains(&c));
    if nothing || x.abs() >= 1e6 { format!("{x:.1e}") } else { text }
}

fn number(row: &Map<String, Value>, column: &str) -> Result<Option<f64>, String> {
    match row.get(column) {
        Some(Value::Null) => Ok(None),
        Some(Value::Number(x)) => Ok(x.as_f64()),
        Some(_) => Err(format!("column `{column}` holds words; name a column of numbers")),
        None => Err(format!("there is no column `{column}`; there are {}", names(row))),
    }
}

/// An empty cell says in `notes` whether it is a time that the curve does not reach, or hidden by a floor of the study; the
/// notes of the baseline table speak of all cells of a row.
fn absent(row: &Map<String, Value>, column: &str) -> &'static str {
    let notes = row.get("notes").and_then(Value::as_str).unwrap_or_default();
    let says = |what: &str| notes.split("; ").any(|note| note.starts_with(what));
    if says(&format!("{column} is not reached")) {
        "n.r."
    } else if says(&format!("{column} is hidden")) || says("small counts are hidden") {
        "hidden"
    } else {
        "–"
    }
}

/// The columns of a row as a list in words.
pub(super) fn names(row: &Map<String, Value>) -> String {
    row.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_floor_hides_is_said() {
        let print =
            |row: Value| Show::parse("{events:0}/{n:0}").unwrap().print(row.as_object().unwrap(), 30.0).unwrap();
        let why = "events is hidden: it is a small count, or one would follow from it";
        assert_eq!(print(json!({ "events": null, "n": 147, "notes": why })), "hidden/147");
        assert_eq!(
            print(json!({ "events": null, "n": 147, "notes": "small counts are hidden, and more" })),
            "hidden/147"
        );
        assert_eq!(print(json!({ "events": null, "n": 147, "notes": "" })), "–/147");
        let share = Show::parse("{events/n:1%}").unwrap();
        let row = json!({ "events": 9, "n": null, "notes": "n is hidden: it is a small count" });
        assert_eq!(share.print(row.as_object().unwrap(), 30.0).unwrap(), "hidden");
    }

    fn print(template: &str, row: &Value) -> Result<String, String> {
        Show::parse(template).and_then(|show| show.print(row.as_object().unwrap(), 30.4375))
    }

    #[test]
    fn days_are_printed_as_months_and_an_end_that_is_not_reached_says_so() {
        let template = "{value_days:months} ({conf_low:months}–{conf_high:months})";
        let row = json!({"value_days": 383.0, "conf_low": 289.0, "conf_high": 508.0, "notes": ""});
        assert_eq!(print(template, &row).unwrap(), "12.6 (9.5–16.7)");
        let notes = "value_days is not reached; conf_high is not reached";
        let row = json!({"value_days": null, "conf_low": 1068.0, "conf_high": null, "notes": notes});
        assert_eq!(print(template, &row).unwrap(), "n.r. (35.1–n.r.)");
        let row = json!({"value_days": 383.0, "conf_low": null, "conf_high": 508.0, "notes": "conf_low is not finite"});
        assert_eq!(print(template, &row).unwrap(), "12.6 (––16.7)");
    }

    #[test]
    fn numbers_shares_and_p_values_have_the_digits_that_were_asked_for() {
        let row = json!({"ratio": 0.9187, "n": 147, "events": 113, "p": 0.0233, "tiny": 4e-9, "none": 0, "huge": 2e7});
        assert_eq!(print("{ratio:2}", &row).unwrap(), "0.92");
        assert_eq!(print("{events:0}/{n:0} ({events/n:1%})", &row).unwrap(), "113/147 (76.9%)");
        assert_eq!(print("{p:p}, {tiny:p}", &row).unwrap(), "p = 0.023, p < 0.001");
        assert_eq!(print("{tiny:2} {none:2} {huge:0}", &row).unwrap(), "4.0e-9 0.00 2.0e7");
        assert_eq!(print("{events/none:1%}", &row).unwrap(), "–");
    }

    #[test]
    fn mistakes_name_the_forms_and_the_columns() {
        assert!(Show::parse("{ratio").unwrap_err().contains("has no `}`"));
        assert!(Show::parse("{ratio}").unwrap_err().contains("forms are"));
        assert!(Show::parse("{ratio:two}").unwrap_err().contains("`two` is no form"));
        assert!(Show::parse("ratio").unwrap_err().contains("names no column"));
        let row = json!({"ratio": 1.0, "model": "iptw"});
        assert!(print("{ratoi:2}", &row).unwrap_err().contains("there are model, ratio"));
        assert!(print("{model:2}", &row).unwrap_err().contains("holds words"));
    }
}
