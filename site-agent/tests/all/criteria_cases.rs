//! Situations from public bug reports of this field, with the right values in each folder's `expected.md`.

use std::fs;
use std::path::{Path, PathBuf};

use site_agent::source::csv::load;
use study::cohort::Cohort;
use study::policy::BadValues;
use study::protocol::Protocol;

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(case(name).join("protocol.toml")).unwrap()
}

/// Cohorts of all sites.
fn cohorts(name: &str, protocol: &str) -> Vec<Cohort> {
    let protocol = Protocol::parse(protocol).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0));
    let files = fs::read_dir(case(name).join("sites")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| load(&file, &protocol, BadValues::Refuse).unwrap_or_else(|e| panic!("{e}")).cohort).collect()
}

fn patients(name: &str, protocol: &str) -> usize {
    cohorts(name, protocol).iter().map(Cohort::rows).sum()
}

fn mistakes(protocol: &str) -> Vec<String> {
    Protocol::parse(protocol).unwrap_err().0.iter().map(ToString::to_string).collect()
}

/// Texts "10", "11", "12" stand before "4": a comparison of texts kept 52 patients, and nobody said so.
#[test]
fn levels_are_in_no_order() {
    let name = "26-sql-text-order";
    let protocol = text(name);
    for criterion in ["nodes >= 4", "nodes >= '4'", "nodes BETWEEN 4 AND 12"] {
        let found = mistakes(&protocol.replace("nodes >= 4", criterion));
        assert_eq!(found.len(), 1, "{found:?}");
        let list = "`nodes IN ('4', '5', '6', '7', '8', '9', '10', '11', '12')`";
        assert!(
            found[0].starts_with("line 37: eligibility[1].require: at character 1: `nodes` is categorical"),
            "{found:?}"
        );
        assert!(found[0].contains(list), "{found:?}");
    }
    // the advice is right
    let list = "nodes IN ('4', '5', '6', '7', '8', '9', '10', '11', '12')";
    assert_eq!(patients(name, &protocol.replace("nodes >= 4", list)), 84);
    assert_eq!(patients(name, &protocol.replace("nodes >= 4", "nodes NOT IN ('0', '1', '2', '3')")), 84);
    let levels = protocol.lines().find(|line| line.starts_with("levels = [\"0\"")).unwrap();
    let continuous =
        protocol.replace(&format!("kind = \"categorical\"\n{levels}"), "kind = \"continuous\"\nrange = [0, 50]");
    assert_eq!(patients(name, &continuous), 84);
}

/// The names of columns are the hospital's, and words of SQL among them.
#[test]
fn words_of_sql_are_names_as_others() {
    let name = "31-keyword-columns";
    let protocol = text(name);
    let quoted = protocol.replace("group = 1", "\\\"group\\\" = 1");
    let kept = patients(name, &protocol);
    assert_eq!(cohorts(name, &protocol), cohorts(name, &quoted));
    let of_file: u64 = cohorts(name, &protocol).iter().map(|c| c.flow[0].control + c.flow[0].treated).sum();
    assert_eq!(of_file, 90);
    assert_eq!((kept, patients(name, &protocol.replace("group = 1", "group"))), (50, 50));
    let others = patients(name, &protocol.replace("group = 1", "NOT group"));
    assert_eq!(kept + others, 90);
    for word in ["order", "index", "case", "not", "select", "values", "end", "in", "like", "between"] {
        let named = protocol
            .replace("name = \"group\"", &format!("name = \"{word}\""))
            .replace("group = 1", &format!("{word} = 1"));
        assert!(Protocol::parse(&named).is_ok(), "{word}: {:?}", mistakes(&named));
    }
}
