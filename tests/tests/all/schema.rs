//! `docs/protocol.schema.json` says of protocol files what the parser says: the same keys, words and required keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use coordinator::draft::{self, Answers};
use jsonschema::Validator;
use serde_json::{Map, Value};
use study::protocol::Protocol;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schema() -> Value {
    serde_json::from_str(draft::SCHEMA).expect("the schema is JSON")
}

fn validator() -> Validator {
    jsonschema::draft7::new(&schema()).expect("the schema is one of draft 7")
}

fn json(text: &str) -> Value {
    let table: toml::Table = text.parse().expect("TOML");
    serde_json::to_value(table).expect("a JSON form")
}

/// Every protocol of the examples, and the whole one of the page.
fn protocols() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for example in fs::read_dir(root().join("examples")).expect("examples").map(|e| e.unwrap().path()) {
        for path in fs::read_dir(example).expect("an example").map(|e| e.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("protocol") {
                found.push((path.display().to_string(), fs::read_to_string(&path).expect("a protocol")));
            }
        }
    }
    let page = fs::read_to_string(root().join("docs/protocol-file.md")).expect("the page");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    found.push(("docs/protocol-file.md".into(), block.into()));
    found
}

#[test]
fn examples_the_page_and_drafts_are_valid() {
    let validator = validator();
    let mut protocols = protocols();
    assert!(protocols.len() > 8, "examples are not found");
    let answers = Answers {
        treatment: Some("drug".into()),
        control: Some("B".into()),
        treated: Some("A".into()),
        covariates: ["age:continuous:18:110", "stage:categorical:I,II"].map(|c| c.parse().unwrap()).to_vec(),
        outcomes: ["os:time:days:died:1826", "response:binary"].map(|o| o.parse().unwrap()).to_vec(),
        ..Answers::default()
    };
    let text = draft::write(&draft::complete(answers, None).unwrap()).unwrap();
    protocols.push(("a draft".into(), text));
    for (name, text) in protocols {
        let instance = json(&text);
        let errors: Vec<_> = validator.iter_errors(&instance).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

/// Every path to a key of a document.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                let path = format!("{at}/{key}");
                paths(value, &path, found);
                found.push(path);
            }
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| paths(item, &format!("{at}/{i}"), found)),
        _ => {}
    }
}

#[test]
fn every_misspelt_key_fails() {
    let validator = validator();
    for (name, text) in protocols() {
        let whole = json(&text);
        let mut found = Vec::new();
        paths(&whole, "", &mut found);
        assert!(found.len() > 20, "{name}");
        for path in found {
            let mut document = whole.clone();
            let (table, key) = path.rsplit_once('/').unwrap();
            let table = document.pointer_mut(table).and_then(Value::as_object_mut).unwrap();
            let value = table.remove(key).unwrap();
            table.insert(format!("{key}x"), value);
            assert!(!validator.is_valid(&document), "{name}: {path}x");
            let text = toml::to_string(&document).expect("TOML");
            assert!(Protocol::parse(&text).is_err(), "{name}: {path}x");
        }
    }
}

/// A table of the schema, how its heading is written, and the lines that its kind needs.
struct Place {
    heading: String,
    table: Map<String, Value>,
}

/// Every table that can stand in a protocol; one for each kind.
fn places() -> Vec<Place> {
    let schema = schema();
    let mut places = Vec::new();
    collect(&schema, &schema["properties"], "", &mut places);
    places
}

fn collect(schema: &Value, properties: &Value, within: &str, places: &mut Vec<Place>) {
    for (key, property) in properties.as_object().expect("properties") {
        let path = if within.is_empty() { key.clone() } else { format!("{within}.{key}") };
        let (heading, table) = match property["type"].as_str() {
            Some("object") => (format!("[{path}]"), property),
            Some("array") => (format!("[[{path}]]"), &property["items"]),
            _ => continue,
        };
        let table = table["$ref"].as_str().map_or(table, |to| schema.pointer(&to[1..]).expect("a definition"));
        for table in table["oneOf"].as_array().map_or_else(|| vec![table], |kinds| kinds.iter().collect()) {
            let Some(table) = table.as_object().filter(|table| table.contains_key("properties")) else { continue };
            collect(schema, &table["properties"], &path, places);
            places.push(Place { heading: heading.clone(), table: table.clone() });
        }
    }
}

impl Place {
    fn keys(&self) -> impl Iterator<Item = (&String, &Value)> {
        let tables = |value: &Value| value["items"].get("properties").is_some();
        self.table["properties"].as_object().expect("properties").iter().filter(move |(_, value)| !tables(value))
    }

    fn required(&self) -> BTreeSet<&str> {
        self.table["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
    }

    /// Mistakes of a document with this table alone, as key and message; of the table's own keys.
    fn mistakes(&self, lines: &[String]) -> Vec<(String, String)> {
        let text = format!("{}\n{}\n", self.heading, lines.join("\n"));
        let path = self.heading.trim_matches(['[', ']']).replace('.', "[1].").replace("trial[1]", "trial");
        let item = if self.heading.starts_with("[[") { format!("{path}[1].") } else { format!("{path}.") };
        let mistakes = Protocol::parse(&text).expect_err("one table is no protocol").0;
        let own = mistakes.iter().filter_map(|m| Some((m.key.strip_prefix(&item)?.to_owned(), m.message.clone())));
        own.collect()
    }
}

/// A value of the type that the schema asks for; of a list of words none of them.
fn example(property: &Value) -> String {
    if let Some(kind) = property["const"].as_str() {
        return format!("{kind:?}");
    }
    match property["type"].as_str() {
        Some("string") => "\"?\"".into(),
        Some("boolean") => "true".into(),
        Some("array") if property["items"]["type"].as_str().is_some_and(|t| t == "number" || t == "integer") => {
            "[1]".into()
        }
        Some("array") if property["items"]["type"] == "boolean" => "[true]".into(),
        Some("array") => "[\"?\"]".into(),
        _ => "1".into(),
    }
}

#[test]
fn the_parser_knows_every_key_and_every_word_of_the_schema() {
    let mut words_compared = 0;
    for place in places() {
        let lines: Vec<String> = place.keys().map(|(key, value)| format!("{key} = {}", example(value))).collect();
        let mistakes = place.mistakes(&lines);
        let unknown: Vec<_> = mistakes.iter().filter(|(_, message)| message.contains("is not a known key")).collect();
        assert!(unknown.is_empty(), "{} {lines:?}: {unknown:?}", place.heading);
        for (key, value) in place.keys() {
            let words = value["enum"].as_array().or_else(|| value["items"]["enum"].as_array());
            let Some(words) = words.filter(|words| words[0].is_string()) else { continue };
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            let expected = format!("(known: {})", words.join(", "));
            let said = mistakes.iter().any(|(k, message)| k == key && message.contains(&expected));
            assert!(said, "{} {key}: {words:?}: {mistakes:?}", place.heading);
            words_compared += 1;
        }
    }
    assert!(words_compared > 15, "only {words_compared} lists of words");
}

#[test]
fn kinds_and_required_keys_are_those_of_the_parser() {
    for heading in ["[[variable]]", "[[outcome]]", "[[analysis]]"] {
        let places: Vec<Place> = places().into_iter().filter(|place| place.heading == heading).collect();
        let kinds: BTreeSet<&str> =
            places.iter().filter_map(|place| place.table["properties"]["kind"]["const"].as_str()).collect();
        let mistakes = places[0].mistakes(&["kind = \"?\"".into()]);
        let (_, message) = mistakes.iter().find(|(key, _)| key == "kind").expect("the kind is not known");
        let known = message.split("(known: ").nth(1).and_then(|rest| rest.split(')').next()).expect("a list");
        assert_eq!(kinds, known.split(", ").collect(), "{heading}");
    }
    for place in places() {
        let kind = place.table["properties"]["kind"]["const"].as_str();
        let lines: Vec<String> = kind.map(|kind| format!("kind = {kind:?}")).into_iter().collect();
        let mistakes = place.mistakes(&lines);
        let missing = mistakes.iter().filter(|(_, message)| message.starts_with("is missing"));
        let mut missing: BTreeSet<&str> = missing.map(|(key, _)| key.as_str()).collect();
        // one of several keys may stand there, which the schema says by alternatives
        let alternatives = ["outcome", "models", "horizon_days"].map(|key| missing.remove(key));
        let mut required = place.required();
        required.remove("kind");
        assert_eq!(missing, required, "{} {kind:?} {alternatives:?}", place.heading);
    }
}

/// Keys that a message about an unknown one lists.
fn listed(message: &str) -> BTreeSet<String> {
    assert!(!message.ends_with(" more"), "the list is cut: {message}");
    let (_, list) = message.split_once("known: ").expect("a list of keys");
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_schema_and_the_page_have_every_key_of_the_parser() {
    let page = fs::read_to_string(root().join("docs/protocol-file.md")).expect("the page");
    let stands = |key: &str| [format!("`{key}`"), format!("`{key} ="), format!("[{key}]"), format!(".{key}]")];
    let nonsense = "qqqqqqqqqqqqqqqqqqqqqqqq";
    let tables = Protocol::parse(&format!("{nonsense} = 1\n")).expect_err("nonsense").0;
    let tables = listed(&tables.iter().find(|m| m.key == nonsense).expect("an unknown key").message);
    let of_schema = schema()["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(tables, of_schema);
    let mut known: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    for place in places() {
        let kind = place.table["properties"]["kind"]["const"].as_str();
        let mut lines: Vec<String> = kind.map(|kind| format!("kind = {kind:?}")).into_iter().collect();
        lines.push(format!("{nonsense} = 1"));
        let mistakes = place.mistakes(&lines);
        let (_, message) = mistakes.iter().find(|(key, _)| key == nonsense).expect("an unknown key");
        let [parser, of_schema] = known.entry(place.heading.clone()).or_default();
        parser.extend(listed(message));
        of_schema.extend(place.table["properties"].as_object().unwrap().keys().cloned());
    }
    assert!(known.len() > 9, "{known:?}");
    for (heading, [parser, of_schema]) in known {
        assert_eq!(parser, of_schema, "{heading}");
        let unnamed: Vec<_> = parser.iter().filter(|key| !stands(key).iter().any(|form| page.contains(form))).collect();
        assert!(unnamed.is_empty(), "not in docs/protocol-file.md: {unnamed:?}");
    }
}
