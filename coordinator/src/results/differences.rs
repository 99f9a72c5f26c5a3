//! A folder of results held against the files that a run writes: every byte of every file, and nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::files::JSON;

/// Files that people read as lines.
const TEXTS: [&str; 4] = ["csv", "json", "svg", "html"];

/// What of a folder is not what the run writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing(String),
    /// The run writes no such file.
    Unknown(String),
    /// It is a link: what it leads to is not part of the folder, and may be another thing tomorrow.
    Link(String),
    /// It is a device, a pipe or a socket.
    Special(String),
    /// An empty folder that the run does not make.
    Folder(String),
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
    /// Its path below the folder.
    pub fn file(&self) -> &str {
        match self {
            Difference::Missing(file)
            | Difference::Unknown(file)
            | Difference::Link(file)
            | Difference::Special(file)
            | Difference::Folder(file)
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
            Difference::Link(_) => write!(f, "{file} is a link, and what it leads to is not looked at"),
            Difference::Special(_) => write!(f, "{file} is no plain file"),
            Difference::Folder(_) => write!(f, "{file} is an empty folder that is not of this release"),
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
    let folders: BTreeSet<&str> =
        wanted.keys().filter_map(|name| name.rsplit_once('/')).map(|(folder, _)| folder).collect();
    let mut found = Vec::new();
    for (name, entry) in there {
        let content = if entry == Entry::EmptyFolder { None } else { wanted.remove(name.as_str()) };
        match (entry, content) {
            // that its files are missing is said of each of them
            (Entry::EmptyFolder, _) if folders.contains(name.as_str()) => {}
            (Entry::EmptyFolder, _) => found.push(Difference::Folder(name)),
            (Entry::Link, _) => found.push(Difference::Link(name)),
            (Entry::Special, _) => found.push(Difference::Special(name)),
            (Entry::File, None) => found.push(Difference::Unknown(name)),
            (Entry::File, Some(content)) => {
                let own = fs::read(folder.join(&name))?;
                if own != content {
                    found.push(first_of(name, &own, content));
                }
            }
        }
    }
    found.extend(wanted.into_keys().map(|name| Difference::Missing(name.to_owned())));
    found.sort_by(|a, b| a.file().cmp(b.file()));
    Ok(found)
}

/// What stands below a folder, but for folders with something in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    File,
    Link,
    Special,
    EmptyFolder,
}

/// Everything below a folder. What a link leads to is not looked for.
fn list(folder: &Path, below: &str, entries: &mut Vec<(String, Entry)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let before = entries.len();
            list(&entry.path(), &format!("{name}/"), entries)?;
            if entries.len() == before {
                entries.push((name, Entry::EmptyFolder));
            }
        } else if kind.is_symlink() {
            entries.push((name, Entry::Link));
        } else {
            entries.push((name, if kind.is_file() { Entry::File } else { Entry::Special }));
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
    let path = folder.join(JSON);
    fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
    let document: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let version = document["provenance"]["software_version"].as_str()?;
    let is_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    (version.len() <= 40 && version.chars().all(is_version)).then(|| version.to_owned())
}
