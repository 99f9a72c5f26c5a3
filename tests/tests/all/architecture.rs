//! Who may import whom, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each crate of the workspace with the crates of ours that its code may use. `docs/architecture.md` says the same.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("stats", &[]),
    ("secagg", &[]),
    ("study", &["stats", "secagg"]),
    ("terminal", &["study"]),
    ("report", &["stats", "study"]),
    ("proto", &["secagg", "study"]),
    ("web", &[]),
    ("coordinator", &["proto", "report", "secagg", "stats", "study", "terminal", "web"]),
    ("site-agent", &["proto", "secagg", "stats", "study", "terminal", "web"]),
    ("rehearsal", &["coordinator", "proto", "report", "secagg", "site-agent", "stats", "study", "terminal"]),
    (
        "entente-tests",
        &["coordinator", "proto", "rehearsal", "report", "secagg", "site-agent", "stats", "study", "terminal"],
    ),
];

/// Crates that take clock, randomness and data as arguments.
const PURE: [&str; 4] = ["stats", "secagg", "study", "report"];

/// What a pure crate must not reach: runtimes, network, databases, logs, the system's random source.
const IMPURE: [&str; 8] =
    ["getrandom", "mio", "rusqlite", "socket2", "tokio", "tonic", "tracing", "tracing-subscriber"];

/// A dependency as it is compiled into the crate: not one of its tests, benchmarks or build script.
fn normal(dependency: &Value) -> bool {
    let kinds = dependency["dep_kinds"].as_array().expect("kinds of a dependency");
    kinds.iter().any(|kind| kind["kind"].is_null())
}

/// `cargo metadata` of this workspace.
struct Workspace {
    names: BTreeMap<String, String>,
    members: BTreeSet<String>,
    dependencies: BTreeMap<String, Vec<String>>,
}

impl Workspace {
    fn read() -> Workspace {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
            .arg(manifest)
            .output()
            .expect("cargo can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let packages = list(&metadata["packages"]);
        let nodes = list(&metadata["resolve"]["nodes"]);
        Workspace {
            names: packages.iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect(),
            members: list(&metadata["workspace_members"]).iter().map(text).collect(),
            dependencies: nodes
                .iter()
                .map(|node| {
                    let direct = list(&node["deps"]);
                    (text(&node["id"]), direct.iter().filter(|d| normal(d)).map(|d| text(&d["pkg"])).collect())
                })
                .collect(),
        }
    }

    fn id(&self, member: &str) -> &String {
        self.members.iter().find(|id| self.names[*id] == member).expect("a crate of the workspace")
    }

    /// Crates of ours that a crate of ours uses directly.
    fn ours(&self, id: &str) -> BTreeSet<&str> {
        self.dependencies[id].iter().filter(|d| self.members.contains(*d)).map(|d| self.names[d].as_str()).collect()
    }

    /// Every crate that is compiled for this one.
    fn reached(&self, id: &str) -> BTreeSet<&str> {
        let (mut open, mut seen) = (vec![id], BTreeSet::new());
        while let Some(id) = open.pop() {
            for dependency in &self.dependencies[id] {
                if seen.insert(dependency.as_str()) {
                    open.push(dependency);
                }
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }
}

#[test]
fn dependencies_point_one_way() {
    let workspace = Workspace::read();
    let members: BTreeSet<&str> = workspace.members.iter().map(|id| workspace.names[id].as_str()).collect();
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, known, "a crate that this test does not know, or that is gone");
    for (name, allowed) in ALLOWED {
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let found = workspace.ours(workspace.id(name));
        assert!(found.is_subset(&allowed), "{name} may not use {:?}", found.difference(&allowed));
    }
}

#[test]
fn pure_crates_reach_no_effects() {
    let workspace = Workspace::read();
    for name in PURE {
        let reached = workspace.reached(workspace.id(name));
        let impure: Vec<&str> = IMPURE.into_iter().filter(|i| reached.contains(i)).collect();
        assert!(impure.is_empty(), "{name} reaches {impure:?}");
    }
    let agent = workspace.reached(workspace.id("site-agent"));
    assert!(agent.contains("tokio") && agent.contains("csv"), "the walk over the dependencies does not walk");
}
