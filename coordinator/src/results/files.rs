//! Result files on disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use report::{File as ReportFile, PAGE, Published};
use serde_json::Value;
use study::protocol::Protocol;
use study::results::Results;

use super::provenance::Provenance;
use super::tables::Document;

/// Writes the CSV files and `results.json` of a run into `dir`, which is made when it is not there.
///
/// A file is complete or not there: it gets its name after its bytes are on disk. `results.json` comes last, so a
/// folder that holds it holds all tables of the same run.
pub fn write(dir: &Path, results: &Results, provenance: &Provenance) -> io::Result<()> {
    let document = Document::new(results, provenance);
    let tables = document.csv()?;
    let json = document.json()?;
    fs::create_dir_all(dir)?;
    remove(&dir.join(JSON))?;
    for (name, content) in &tables {
        replace(dir, name, content)?;
    }
    replace(dir, JSON, &json)
}

/// The files that [`write()`] and [`write_report()`] make, each as name and content.
pub fn files(
    results: &Results,
    protocol: &Protocol,
    provenance: &Provenance,
    published: Option<&Published>,
) -> io::Result<Vec<(String, Vec<u8>)>> {
    let document = Document::new(results, provenance);
    let tables = document.csv()?.into_iter().map(|(name, content)| (name.to_owned(), content));
    let report = report::files(results, protocol, provenance, published).map_err(io::Error::other)?;
    let report = report.into_iter().map(|ReportFile { name, bytes }| (name, bytes));
    let json = [(JSON.to_owned(), document.json()?)];
    Ok(tables.chain(json).chain(report).collect())
}

/// Writes the report of a run beside the files of [`write()`]: figures, `tables.docx` and, last, `report.html`, so that
/// a page is never older than its figures.
pub fn write_report(
    dir: &Path,
    results: &Results,
    protocol: &Protocol,
    provenance: &Provenance,
    published: Option<&Published>,
) -> io::Result<()> {
    let files = report::files(results, protocol, provenance, published).map_err(io::Error::other)?;
    fs::create_dir_all(dir)?;
    remove(&dir.join(PAGE))?;
    for ReportFile { name, bytes } in &files {
        let path = dir.join(name);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { continue };
        fs::create_dir_all(folder)?;
        replace(folder, &name.to_string_lossy(), bytes)?;
    }
    Ok(())
}

/// What [`write()`] puts into `results.json`: the provenance, and each table as a list of rows by column name.
pub fn value(results: &Results, provenance: &Provenance) -> io::Result<Value> {
    Ok(serde_json::to_value(Document::new(results, provenance))?)
}

/// Name of the file with provenance and all tables.
pub(super) const JSON: &str = "results.json";

/// An older run's `results.json` must not stand beside the tables of this one.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let temporary = dir.join(format!(".{name}.partial"));
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(temporary, dir.join(name))
}
