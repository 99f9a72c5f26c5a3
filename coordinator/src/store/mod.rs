//! The coordinator's store: runs and their ledgers ([`study::ledger`]) in one SQLite file.
//!
//! Every commit is synced before the call returns (`synchronous = FULL`), so what was recorded is durable before
//! anything is sent. Command line and server open the same file; SQLite's locks keep them apart.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use secagg::{Digest, Signature};
use study::ledger::{Chain, Entry};
use study::machine::coordinator::CoordinatorRecord;
use study::manifest::Manifest;

/// Why the store cannot be used. Driver messages stay out: they can quote data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refuses.
    #[error("the coordinator's database cannot be used while {doing}")]
    Database {
        /// What was tried.
        doing: &'static str,
    },
    /// A stored value does not read back.
    #[error("the coordinator's database is damaged ({what})")]
    Damaged {
        /// Which value.
        what: &'static str,
    },
    /// There is no database although there are keys.
    #[error("the coordinator's database is missing")]
    Absent,
    /// A run was signed with another key than that of the state directory.
    #[error("`{name}` is signed by another key than the one of this state directory")]
    OtherIdentity {
        /// Name of the run.
        name: String,
    },
    /// No run of that name.
    #[error("no run is called `{name}`")]
    NoRun {
        /// As given.
        name: String,
    },
    /// The name fits more than one run.
    #[error("`{name}` fits more than one run")]
    Ambiguous {
        /// As given.
        name: String,
    },
}

impl StoreError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            StoreError::Database { .. } => "store.database",
            StoreError::Damaged { .. } => "store.damaged",
            StoreError::Absent => "store.absent",
            StoreError::OtherIdentity { .. } => "store.other_identity",
            StoreError::NoRun { .. } => "store.no_run",
            StoreError::Ambiguous { .. } => "store.ambiguous",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            StoreError::Database { .. } => "check the state directory's owner, permissions and free space",
            StoreError::Damaged { .. } | StoreError::Absent | StoreError::OtherIdentity { .. } => {
                "restore the whole state directory from one backup"
            }
            StoreError::NoRun { .. } | StoreError::Ambiguous { .. } => "`coordinator study list` names all runs",
        }
    }
}

/// A stored run.
#[derive(Debug, Clone)]
pub struct StoredRun {
    /// The manifest.
    pub manifest: Manifest,
    /// The coordinator's signature.
    pub signature: Signature,
    /// Text of the protocol.
    pub protocol: String,
}

/// The open database.
#[derive(Debug)]
pub struct Store {
    db: Connection,
}

const NAME: &str = "coordinator.sqlite";
/// Of the schema.
const VERSION: i64 = 1;

const SCHEMA: &str = "
create table if not exists run (
    manifest_digest blob primary key check (length(manifest_digest) = 32),
    name text not null unique,
    manifest blob not null,
    signature blob not null,
    protocol text not null
) strict;
create table if not exists record (
    manifest_digest blob not null references run,
    seq integer not null,
    body blob not null,
    digest blob not null,
    primary key (manifest_digest, seq)
) strict;
create table if not exists problem (
    manifest_digest blob primary key references run,
    code text not null,
    message text not null
) strict;
";

fn end(db: &Connection, manifest: &Digest) -> rusqlite::Result<Chain> {
    let last = db.query_row(
        "select seq, digest from record where manifest_digest = ?1 order by seq desc limit 1",
        [manifest.0],
        |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)),
    );
    let chain = |(seq, digest): (i64, [u8; 32])| Chain::at(Digest(digest), seq.cast_unsigned());
    Ok(last.optional()?.map_or(Chain::new(*manifest), chain))
}

fn doing(what: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |_| StoreError::Database { doing: what }
}

impl Store {
    /// Makes an empty `STATE/coordinator.sqlite`, once, with the keys.
    pub fn create(state_dir: &Path) -> Result<(), StoreError> {
        let making = doing("making it");
        let db = Connection::open(state_dir.join(NAME)).map_err(&making)?;
        db.execute_batch(SCHEMA).map_err(&making)?;
        db.pragma_update(None, "user_version", VERSION).map_err(making)
    }

    /// Opens `STATE/coordinator.sqlite`. One that is missing or empty is not begun anew: the runs of the sites would be
    /// unknown here.
    pub fn open(state_dir: &Path) -> Result<Store, StoreError> {
        let opening = doing("opening it");
        let path = state_dir.join(NAME);
        if !path.exists() {
            return Err(StoreError::Absent);
        }
        let db = Connection::open(path).map_err(&opening)?;
        let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&opening)?;
        if version != VERSION {
            return Err(StoreError::Damaged { what: "its version" });
        }
        db.busy_timeout(Duration::from_secs(10)).map_err(&opening)?;
        db.pragma_update(None, "journal_mode", "wal").map_err(&opening)?;
        db.pragma_update(None, "synchronous", "full").map_err(&opening)?;
        db.pragma_update(None, "foreign_keys", true).map_err(&opening)?;
        Ok(Store { db })
    }

    /// Keeps a new run.
    pub fn add_run(&self, run: &StoredRun) -> Result<(), StoreError> {
        self.db
            .execute(
                "insert into run values (?1, ?2, ?3, ?4, ?5)",
                params![
                    run.manifest.digest().0,
                    run.manifest.name(),
                    run.manifest.to_bytes(),
                    run.signature.0,
                    run.protocol
                ],
            )
            .map_err(doing("adding a run"))?;
        Ok(())
    }

    /// A number that changes when another connection has written: the command line beside a running server.
    pub fn version(&self) -> Result<i64, StoreError> {
        self.db.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(doing("looking for changes"))
    }

    /// All runs, in order of their names.
    pub fn runs(&self) -> Result<Vec<StoredRun>, StoreError> {
        let reading = doing("reading runs");
        let mut statement =
            self.db.prepare_cached("select manifest, signature, protocol from run order by name").map_err(&reading)?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, [u8; 64]>(1)?, row.get::<_, String>(2)?)))
            .map_err(&reading)?;
        let mut runs = Vec::new();
        for row in rows {
            let (manifest, signature, protocol) = row.map_err(&reading)?;
            let manifest = Manifest::from_bytes(&manifest).map_err(|_| StoreError::Damaged { what: "a manifest" })?;
            runs.push(StoredRun { manifest, signature: Signature(signature), protocol });
        }
        Ok(runs)
    }

    /// The run of a name or of the beginning of one.
    pub fn find_run(&self, name: &str) -> Result<StoredRun, StoreError> {
        let mut fitting: Vec<StoredRun> =
            self.runs()?.into_iter().filter(|r| r.manifest.name().starts_with(name)).collect();
        if let Some(exact) = fitting.iter().position(|r| r.manifest.name() == name) {
            return Ok(fitting.swap_remove(exact));
        }
        match fitting.len() {
            0 => Err(StoreError::NoRun { name: name.into() }),
            1 => Ok(fitting.swap_remove(0)),
            _ => Err(StoreError::Ambiguous { name: name.into() }),
        }
    }

    /// Appends records in one durable commit; gives the new end of the ledger.
    pub fn append(
        &mut self,
        manifest: &Digest,
        time: u64,
        actor: &str,
        records: &[CoordinatorRecord],
    ) -> Result<Chain, StoreError> {
        let writing = doing("appending records");
        // the lock first: a transaction that begins by reading fails at once where the command line writes meanwhile
        let commit = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&writing)?;
        let mut chain = end(&commit, manifest).map_err(&writing)?;
        for record in records {
            let body = chain.append(time, actor, record);
            let values = params![manifest.0, chain.entries().cast_signed(), body, chain.head().0];
            commit.execute("insert into record values (?1, ?2, ?3, ?4)", values).map_err(&writing)?;
        }
        commit.commit().map_err(writing)?;
        Ok(chain)
    }

    /// The end of a run's ledger.
    pub fn ledger_end(&self, manifest: &Digest) -> Result<Chain, StoreError> {
        end(&self.db, manifest).map_err(doing("reading records"))
    }

    /// All entries of a run's ledger as bytes, in order.
    pub fn entry_bytes(&self, manifest: &Digest) -> Result<Vec<Vec<u8>>, StoreError> {
        let reading = doing("reading records");
        let mut statement = self
            .db
            .prepare_cached("select body from record where manifest_digest = ?1 order by seq")
            .map_err(&reading)?;
        let bodies = statement.query_map([manifest.0], |row| row.get::<_, Vec<u8>>(0)).map_err(&reading)?;
        bodies.collect::<Result<_, _>>().map_err(reading)
    }

    /// All entries of a run's ledger; each must follow from the one before.
    pub fn entries(&self, manifest: &Digest) -> Result<Vec<Entry<CoordinatorRecord>>, StoreError> {
        let mut chain = Chain::new(*manifest);
        let entries = self.entry_bytes(manifest)?.into_iter().map(|body| chain.next(&body));
        entries.collect::<Result<_, _>>().map_err(|_| StoreError::Damaged { what: "a record" })
    }

    /// Notes why a run stands still; the operator reads it with `study status`.
    pub fn put_problem(&self, manifest: &Digest, code: &str, message: &str) -> Result<(), StoreError> {
        self.db
            .execute("insert or replace into problem values (?1, ?2, ?3)", params![manifest.0, code, message])
            .map_err(doing("noting a problem"))?;
        Ok(())
    }

    /// Forgets a problem: the run goes on.
    pub fn clear_problem(&self, manifest: &Digest) -> Result<(), StoreError> {
        self.db
            .execute("delete from problem where manifest_digest = ?1", [manifest.0])
            .map_err(doing("clearing a problem"))?;
        Ok(())
    }

    /// Why a run stands still: code and message.
    pub fn problem(&self, manifest: &Digest) -> Result<Option<(String, String)>, StoreError> {
        self.db
            .query_row("select code, message from problem where manifest_digest = ?1", [manifest.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(doing("reading a problem"))
    }
}
