//! A folder of results held against the files that a run writes: every byte of every file, and no file more.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::files::JSON;

/// Files that people read as lines.
const TEXTS: [&str; 4] = ["csv", "json", "svg", "html"];

/// A file of a folder that is not what the run writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing(String),
    /// The run writes no such file.
    Unknown(String),
    /// Its content is another.
    Line {
        /// Path below the folder.
        file: String,
        /// The first line that differs, from 1.
        line: usize,
    },
    /// Its content is another, and it has no lines.
    Byte {
        /// Path below the folder.
        file: String,
        /// The first byte that differs, from 1.
        byte: usize,
    },
}

impl Difference {
    /// Path of the file below the folder.
    pub fn file(&self) -> &str {
        match self {
            Difference::Missing(file)
            | Difference::Unknown(file)
            | Difference::Line { file, .. }
            | Difference::Byte { file, .. } => file,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // an unknown name is somebody else's text
        let file = self.file().escape_debug();
        match self {
            Difference::Missing(_) => write!(f, "{file} is missing"),
            Difference::Unknown(_) => write!(f, "{file} is no file of this release"),
            Difference::Line { line, .. } => write!(f, "{file} differs first in line {line}"),
            Difference::Byte { byte, .. } => write!(f, "{file} differs first in byte {byte}"),
        }
    }
}

/// What of a folder differs from these files (path below the folder, content), in the order of the paths.
pub fn differences(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<Vec<Difference>> {
    let mut there = Vec::new();
    list(folder, "", &mut there)?;
    let mut wanted: BTreeMap<&str, &[u8]> =
        files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let mut found = Vec::new();
    for file in there {
        let Some(content) = wanted.remove(file.as_str()) else {
            found.push(Difference::Unknown(file));
            continue;
        };
        let own = fs::read(folder.join(&file))?;
        if own != content {
            found.push(first_of(file, &own, content));
        }
    }
    found.extend(wanted.into_keys().map(|name| Difference::Missing(name.to_owned())));
    found.sort_by(|a, b| a.file().cmp(b.file()));
    Ok(found)
}

/// Every file below a folder. A link is a file: what it leads to is not looked for.
fn list(folder: &Path, below: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

fn first_of(file: String, own: &[u8], content: &[u8]) -> Difference {
    let same = own.iter().zip(content).take_while(|(a, b)| a == b).count();
    let kind = Path::new(&file).extension().and_then(|kind| kind.to_str());
    if kind.is_some_and(|kind| TEXTS.contains(&kind)) {
        let line = 1 + own[..same].iter().map(|byte| usize::from(*byte == b'\n')).sum::<usize>();
        return Difference::Line { file, line };
    }
    Difference::Byte { file, byte: same + 1 }
}

/// The version of this software that wrote a folder, as its `results.json` says; none where it says nothing that could be
/// a version.
pub fn written_by(folder: &Path) -> Option<String> {
    let document: Value = serde_json::from_slice(&fs::read(folder.join(JSON)).ok()?).ok()?;
    let version = document["provenance"]["software_version"].as_str()?;
    let is_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    (version.len() <= 40 && version.chars().all(is_version)).then(|| version.to_owned())
}
