//! Reading `published.toml`; every mistake is reported at once, with its line.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use study::document::{Mistake, Mistakes};
use toml::{Spanned, Value};

use super::rows::Selector;
use super::show::Show;
use super::{Cells, Entry, Published, PublishedTable};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    source: Source,
    #[serde(default)]
    show: BTreeMap<String, Spanned<String>>,
    #[serde(default, rename = "table")]
    tables: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    citation: String,
    doi: String,
    studies: Vec<String>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    title: String,
    section: Option<Spanned<String>>,
    show: Option<String>,
    from: Option<toml::Table>,
    #[serde(default)]
    rows: Vec<Spanned<Row>>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    label: String,
    section: Option<Spanned<String>>,
    published: Option<String>,
    show: Option<String>,
    from: Option<Value>,
    #[serde(default)]
    also: Vec<toml::Table>,
    #[serde(default)]
    largest: bool,
}

/// Text, named templates and the mistakes so far.
struct Reader<'a> {
    text: &'a str,
    /// None where the template has a mistake.
    shows: BTreeMap<String, Option<Show>>,
    mistakes: Vec<Mistake>,
}

pub(super) fn parse(text: &str) -> Result<Published, Mistakes> {
    let document: Document = toml::from_str(text).map_err(|e| {
        let line = line(text, e.span().map_or(0, |span| span.start));
        Mistakes(vec![Mistake { line, key: "(syntax)".into(), message: e.message().trim().replace('\n', "; ") }])
    })?;
    let mut reader = Reader { text, shows: BTreeMap::new(), mistakes: Vec::new() };
    for (name, template) in &document.show {
        let show = Show::parse(template.get_ref());
        let show = show.map_err(|why| reader.mistake(&template.span(), &format!("show.{name}"), why));
        reader.shows.insert(name.clone(), show.ok());
    }
    let tables = document.tables.into_iter().map(|table| reader.table(table)).collect();
    let Source { citation, doi, studies, notes } = document.source;
    let mut mistakes = reader.mistakes;
    mistakes.sort();
    if mistakes.is_empty() { Ok(Published { citation, doi, studies, notes, tables }) } else { Err(Mistakes(mistakes)) }
}

impl Reader<'_> {
    fn mistake(&mut self, span: &Range<usize>, key: &str, message: String) {
        self.mistakes.push(Mistake { line: line(self.text, span.start), key: key.into(), message });
    }

    fn table(&mut self, table: Table) -> PublishedTable {
        let Table { title, section, show, from, rows, notes } = table;
        let section = section.and_then(|section| self.section(&section));
        let rows = rows.into_iter().filter_map(|row| {
            let span = row.span();
            let mut row = row.into_inner();
            let label = row.label.clone();
            let section = row.section.take().and_then(|section| self.section(&section));
            let entry = self.entry(row, &span, show.as_deref(), from.as_ref());
            let entry = entry.map(|entry| Entry { section, ..entry });
            entry.map_err(|why| self.mistake(&span, &label, why)).ok()
        });
        PublishedTable { rows: rows.collect(), title, section, notes }
    }

    /// A section that the report has.
    fn section(&mut self, section: &Spanned<String>) -> Option<String> {
        let name = section.get_ref();
        if report::SECTIONS.contains(&name.as_str()) {
            return Some(name.clone());
        }
        let why = format!("the report has no section `{name}`; it has {}", report::SECTIONS.join(", "));
        self.mistake(&section.span(), "section", why);
        None
    }

    fn entry(
        &self,
        row: Row,
        span: &Range<usize>,
        table_show: Option<&str>,
        table_from: Option<&toml::Table>,
    ) -> Result<Entry, String> {
        let Row { label, section: _, published, show, from, also, largest } = row;
        let line = line(self.text, span.start);
        let Some(from) = from else {
            if published.is_some() || show.is_some() || !also.is_empty() || largest {
                return Err("it has no `from`: name the result file and the columns of its row".into());
            }
            return Ok(Entry { line, label, section: None, published, cells: None });
        };
        let name = show.as_deref().or(table_show).ok_or("it has no `show`: say how the row is printed")?;
        let show = match self.shows.get(name) {
            Some(Some(show)) => show.clone(),
            // The template's mistake is reported once, where it stands.
            Some(None) => return Ok(Entry { line, label, section: None, published, cells: None }),
            None => Show::parse(name)?,
        };
        let first = match from {
            Value::Table(columns) => vec![selector(&columns, table_from)?],
            Value::Array(all) if !all.is_empty() => {
                let each = all.iter().map(|one| match one {
                    Value::Table(columns) => selector(columns, table_from),
                    _ => Err(FROM.to_owned()),
                });
                each.collect::<Result<_, _>>()?
            }
            _ => return Err(FROM.into()),
        };
        let mut lines = vec![first.clone()];
        for others in &also {
            let others = columns(others)?;
            lines.push(first.iter().map(|selector| selector.with(&others)).collect());
        }
        Ok(Entry { line, label, section: None, published, cells: Some(Cells { show, lines, largest }) })
    }
}

const FROM: &str = "`from` is one row, { file = \"estimates\", outcome = \"os\" }, or a list of such rows";

/// A row that names no file adds its columns to those of its table.
fn selector(own: &toml::Table, of_table: Option<&toml::Table>) -> Result<Selector, String> {
    let (file, base) = match (own.get("file"), of_table) {
        (Some(file), _) => (file, Vec::new()),
        (None, Some(table)) => {
            (table.get("file").ok_or("neither the row nor its table names a `file`")?, columns(table)?)
        }
        (None, None) => return Err("neither the row nor its table names a `file`".into()),
    };
    let file = file.as_str().ok_or("`file` is the name of a result file without `.csv`")?.to_owned();
    Ok(Selector { file, columns: base }.with(&columns(own)?))
}

/// Every key but the file's, as text.
fn columns(table: &toml::Table) -> Result<Vec<(String, String)>, String> {
    let columns = table.iter().filter(|(name, _)| *name != "file");
    columns
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name.clone(), text.clone())),
            Value::Boolean(_) | Value::Integer(_) | Value::Float(_) => Ok((name.clone(), value.to_string())),
            _ => Err(format!("`{name}` is one text, number or truth value")),
        })
        .collect()
}

/// Line of a byte, from 1.
fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "[source]\ncitation = \"A\"\ndoi = \"10.1/a\"\nstudies = [\"small\"]\n";

    fn mistakes(rest: &str) -> Vec<String> {
        let mistakes = parse(&format!("{SOURCE}{rest}")).unwrap_err();
        mistakes.0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_row_takes_what_it_does_not_say_from_its_table() {
        let text = format!(
            "{SOURCE}[show]\nratio = \"{{ratio:2}}\"\n[[table]]\ntitle = \"T\"\nshow = \"ratio\"\n\
             from = {{ file = \"estimates\", term = \"a\", variance = \"naive\" }}\n\
             rows = [\n{{ label = \"heading\" }},\n\
             {{ label = \"x\", published = \"1\", from = {{ outcome = \"os\" }}, also = [{{ variance = \"robust\" }}] }},\n\
             {{ label = \"y\", show = \"{{n:0}}\", from = [{{ file = \"flow\", step = 0 }}] }},\n]\n"
        );
        let published = parse(&text).unwrap();
        let rows = &published.tables[0].rows;
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [12, 13, 14]);
        assert_eq!(rows[0].cells, None);
        let pairs = |selector: &Selector| {
            let columns = selector.columns.iter().map(|(name, text)| format!("{name}={text}"));
            format!("{} {}", selector.file, columns.collect::<Vec<_>>().join(" "))
        };
        let lines = &rows[1].cells.as_ref().unwrap().lines;
        assert_eq!(pairs(&lines[0][0]), "estimates term=a variance=naive outcome=os");
        assert_eq!(pairs(&lines[1][0]), "estimates term=a outcome=os variance=robust");
        assert_eq!(pairs(&rows[2].cells.as_ref().unwrap().lines[0][0]), "flow step=0");
    }

    #[test]
    fn all_mistakes_come_together_with_their_lines() {
        let found = mistakes(
            "[show]\nbad = \"{x}\"\n[[table]]\ntitle = \"T\"\nrows = [\n\
             { label = \"a\", published = \"1\" },\n\
             { label = \"b\", from = { file = \"flow\" } },\n\
             { label = \"c\", show = \"{n:0}\", from = { step = 0 } },\n\
             { label = \"d\", show = \"{n:0}\", from = \"flow\" },\n\
             { label = \"e\", show = \"{n:0}\", from = { file = \"flow\", step = [0] } },\n]\n",
        );
        let begin: Vec<_> = found.iter().map(|m| m.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect();
        let lines = ["line 6: show.bad", "line 10: a", "line 11: b", "line 12: c", "line 13: d", "line 14: e"];
        assert_eq!(begin, lines, "{found:#?}");
    }

    #[test]
    fn unknown_keys_and_broken_toml_name_their_line() {
        let found = mistakes("[[table]]\ntitle = \"T\"\nrows = [\n{ label = \"a\", publised = \"1\" },\n]\n");
        assert!(found[0].starts_with("line 8: (syntax): unknown field `publised`"), "{found:?}");
        let found = mistakes("[[table]\n");
        assert!(found[0].starts_with("line 5: (syntax): "), "{found:?}");
    }
}
