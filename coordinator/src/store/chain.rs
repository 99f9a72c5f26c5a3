//! The hash chain of a run's records, read back.

use secagg::Digest;
use study::machine::coordinator::CoordinatorRecord;

use super::{Store, StoreError, doing, record};

/// A record in its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Number in the run, from 1.
    pub seq: u64,
    /// SHA-256 of the record's bytes, which begin with the digest of the one before.
    pub digest: Digest,
    /// What it says.
    pub record: CoordinatorRecord,
}

impl Store {
    /// All records of a run; each must follow from the one before, the first from the manifest.
    pub fn chain(&self, manifest: &Digest) -> Result<Vec<Link>, StoreError> {
        let reading = doing("reading records");
        let damaged = StoreError::Damaged { what: "a record" };
        let mut statement = self
            .db
            .prepare_cached("select body from record where manifest_digest = ?1 order by seq")
            .map_err(&reading)?;
        let bodies = statement.query_map([manifest.0], |row| row.get::<_, Vec<u8>>(0)).map_err(&reading)?;
        let (mut head, mut links) = (*manifest, Vec::new());
        for (body, seq) in bodies.zip(1..) {
            let body = body.map_err(&reading)?;
            let Ok((previous, record)) = record::decode(&body) else { return Err(damaged) };
            if previous != head {
                return Err(damaged);
            }
            head = Digest::of(&body);
            links.push(Link { seq, digest: head, record });
        }
        Ok(links)
    }

    /// The records of a run without their places.
    pub fn records(&self, manifest: &Digest) -> Result<Vec<CoordinatorRecord>, StoreError> {
        Ok(self.chain(manifest)?.into_iter().map(|link| link.record).collect())
    }
}
