//! The release: what a run gives out, as one string of bytes that every site computes for itself.
//!
//! Under `[release] opening` a coordinator cannot read the sums that results are made of. Every site makes the same
//! [`Release`] from its own plan and signs its digest; the coordinator gets the bytes from one site.

mod encoding;
mod floors;
mod suppress;

use secagg::{Canonical, Digest};

use crate::plan::Plan;
use crate::results::{Boundaries, Results};
pub use encoding::{LONGEST, ReleaseError};

/// The results of one run as they are given out.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    results: Results,
}

impl Release {
    /// What a plan that is done gives out: its results, held against the floors of its protocol.
    pub fn of(plan: &Plan) -> Release {
        let boundaries = Boundaries::of(plan);
        let mut results = Results::within(plan, &boundaries);
        floors::apply(&mut results, plan.protocol(), &boundaries);
        Release { results }
    }

    /// The tables.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// The tables alone.
    pub fn into_results(self) -> Results {
        self.results
    }

    /// The encoding of tables: two that are the same to the last bit have the same, also where a number is none (NaN).
    pub fn bytes_of(results: &Results) -> Vec<u8> {
        encoding::write(results)
    }

    /// One string of bytes for one release, numbers bit for bit.
    pub fn to_bytes(&self) -> Vec<u8> {
        Release::bytes_of(&self.results)
    }

    /// Reads what [`Release::to_bytes`] wrote, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Release, ReleaseError> {
        encoding::read(bytes).map(|results| Release { results })
    }

    /// What the sites of a run sign.
    pub fn digest(&self, manifest: &Digest) -> Digest {
        Release::digest_of(manifest, &self.to_bytes())
    }

    /// The same of bytes that are not read yet.
    pub fn digest_of(manifest: &Digest, bytes: &[u8]) -> Digest {
        Canonical::new("entente/v1/release-digest").digest_field(manifest).bytes(bytes).digest()
    }
}
