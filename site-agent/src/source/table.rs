//! The patient table in an in-memory `SQLite`: one STRICT column per dictionary variable.
//!
//! Names that begin with an underscore are ours: no variable can have such a name.

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};
use study::cohort::{Column, MISSING_DAYS, MISSING_LEVEL};
use study::dictionary::{Dictionary, Kind, Variable};

use super::value::Value;

/// Name of the table.
pub(super) const TABLE: &str = "_patient";
/// Its integer key: position of the row in the file, from 0.
pub(super) const ROW: &str = "_row";
/// The patient's key, bytes as they stand in the file.
const KEY: &str = "_key";

/// The table of one file. It lives in memory alone: nothing of it is ever written to disk.
pub(super) struct Table {
    pub(super) connection: Connection,
}

impl Table {
    /// An empty table for a dictionary.
    pub(super) fn create(dictionary: &Dictionary) -> rusqlite::Result<Table> {
        let connection = Connection::open_in_memory()?;
        // A mistyped column in double quotes must not turn into a text, and a large sort must not go to a file.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        let columns: Vec<_> =
            dictionary.variables().iter().map(|v| format!(", \"{}\" {}", v.name, storage(&v.kind))).collect();
        let create =
            format!("CREATE TABLE {TABLE} ({ROW} INTEGER PRIMARY KEY, {KEY} TEXT NOT NULL{}) STRICT", columns.concat());
        connection.execute_batch(&create)?;
        Ok(Table { connection })
    }

    /// Begins to fill the table in one transaction.
    pub(super) fn fill(&self, dictionary: &Dictionary) -> rusqlite::Result<Fill<'_>> {
        self.connection.execute_batch("BEGIN")?;
        let marks = ", ?".repeat(dictionary.variables().len());
        let insert = self.connection.prepare(&format!("INSERT INTO {TABLE} VALUES (?, ?{marks})"))?;
        Ok(Fill { connection: &self.connection, insert, rows: 0 })
    }

    /// Values of one column in the order of the file, each mapped by `read`.
    pub(super) fn scan<T>(&self, variable: &Variable, read: impl Fn(ValueRef<'_>) -> T) -> rusqlite::Result<Vec<T>> {
        let select = format!("SELECT \"{}\" FROM {TABLE} ORDER BY {ROW}", variable.name);
        let mut statement = self.connection.prepare(&select)?;
        let values = statement.query_map([], |row| row.get_ref(0).map(&read))?;
        values.collect()
    }

    /// The keys of the rows that are kept; `kept` is in the order of the file.
    pub(super) fn keys(&self, kept: &[bool]) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare(&format!("SELECT {KEY} FROM {TABLE} ORDER BY {ROW}"))?;
        let keys: rusqlite::Result<Vec<String>> = statement.query_map([], |row| row.get(0))?.collect();
        Ok(keys?.into_iter().zip(kept).filter(|(_, kept)| **kept).map(|(key, _)| key).collect())
    }

    /// Calls `visit` for every row in the order of the patients' keys, with the row's position in the file; `Row` holds
    /// the dictionary's columns from index 1 on.
    pub(super) fn visit_by_key(
        &self,
        dictionary: &Dictionary,
        mut visit: impl FnMut(usize, &Row<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let columns: Vec<_> = dictionary.variables().iter().map(|v| format!(", \"{}\"", v.name)).collect();
        let select = format!("SELECT {ROW}{} FROM {TABLE} ORDER BY {KEY}", columns.concat());
        let mut statement = self.connection.prepare(&select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(0)?;
            visit(at as usize, row)?;
        }
        Ok(())
    }
}

/// A table being filled.
pub(super) struct Fill<'c> {
    connection: &'c Connection,
    insert: Statement<'c>,
    rows: i64,
}

impl Fill<'_> {
    /// Appends one row: the key and the values in dictionary order.
    pub(super) fn push(&mut self, key: &str, values: &[Value<'_>]) -> rusqlite::Result<()> {
        self.insert.raw_bind_parameter(1, self.rows)?;
        self.insert.raw_bind_parameter(2, key)?;
        for (i, value) in values.iter().enumerate() {
            self.insert.raw_bind_parameter(i + 3, value)?;
        }
        self.insert.raw_execute()?;
        self.rows += 1;
        Ok(())
    }

    /// Ends the transaction.
    pub(super) fn finish(self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")
    }
}

/// Type of a variable's column. Binary variables are integers, so that `x`, `x = 1` and `NOT x` all work.
fn storage(kind: &Kind) -> &'static str {
    match kind {
        Kind::Continuous { .. } => "REAL",
        Kind::Categorical { binary: true, .. } | Kind::Days { .. } => "INTEGER",
        Kind::Categorical { .. } => "TEXT",
    }
}

/// An empty cohort column for a kind.
pub(super) fn empty_column(kind: &Kind) -> Column {
    match kind {
        Kind::Continuous { .. } => Column::Numbers(Vec::new()),
        Kind::Categorical { .. } => Column::Levels(Vec::new()),
        Kind::Days { .. } => Column::Days(Vec::new()),
    }
}

/// Appends a stored value to its cohort column.
pub(super) fn append(column: &mut Column, value: ValueRef<'_>, variable: &Variable) {
    match column {
        Column::Numbers(numbers) => numbers.push(match value {
            ValueRef::Real(x) => x,
            _ => f64::NAN,
        }),
        Column::Levels(levels) => levels.push(level_of(value, variable).map_or(MISSING_LEVEL, |l| l as u8)),
        Column::Days(days) => days.push(match value {
            ValueRef::Integer(n) => n as u32,
            _ => MISSING_DAYS,
        }),
    }
}

/// Index of the stored level; `None` when missing.
pub(super) fn level_of(value: ValueRef<'_>, variable: &Variable) -> Option<usize> {
    match value {
        ValueRef::Integer(n) => Some(n as usize),
        ValueRef::Text(text) => variable.levels().iter().position(|l| l.as_bytes() == text),
        _ => None,
    }
}
