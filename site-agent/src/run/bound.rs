//! What an approval binds: everything that the answers of a run depend on.
//!
//! Manifest, protocol and policy stand in the approval by their digests. The frozen cohort and the key of this site's draws
//! stand in one salted commitment, which the site signs, writes into the run's ledger and announces in every key agreement.
//! What is missing or has been exchanged since is refused and never made anew: the answers would be those of others.

use secagg::{Canonical, Digest, DrawKey, SigningIdentity};
use study::ledger::DecisionRecord;

use super::decisions;
use super::folder::{FolderError, RunFolder};
use super::journal;

/// What is bound beside the public parts of the approval.
#[derive(Clone)]
pub(super) struct Bound {
    /// Makes the commitment say nothing of a cohort that could be guessed; the salt of answers comes from it, too.
    pub(super) secret: [u8; 32],
    /// Of the frozen cohort.
    pub(super) snapshot: Digest,
    /// Salted digest of the key of this site's draws.
    pub(super) draws: Digest,
    /// The entry of the site's ledger that says who approved.
    pub(super) decision: Digest,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bound(..)")
    }
}

impl Bound {
    /// The parts of an approval that is about to be given.
    pub(super) fn new(secret: [u8; 32], snapshot: Digest, draws: &DrawKey, decision: Digest) -> Bound {
        Bound { secret, snapshot, draws: of_draws(&secret, draws), decision }
    }

    /// What the approval, the ledger and every announcement show of them.
    pub(super) fn commitment(&self) -> Digest {
        let out = Canonical::new("entente/v2/cohort commitment").array(&self.secret);
        out.digest_field(&self.snapshot).digest_field(&self.draws).digest()
    }
}

fn of_draws(secret: &[u8; 32], key: &DrawKey) -> Digest {
    Canonical::new("entente/v1/draw key commitment").array(secret).array(&key.to_bytes()).digest()
}

impl RunFolder {
    /// Is everything there with which this site approved the run, and nothing exchanged? The cohort is checked by
    /// [`RunFolder::cohort`].
    pub fn check(&self, identity: &SigningIdentity, draws: &DrawKey) -> Result<(), FolderError> {
        let foreign = |holds: bool, name: &'static str| if holds { Ok(()) } else { Err(FolderError::Foreign { name }) };
        let manifest = self.manifest.digest();
        foreign(self.path.file_name().is_some_and(|name| *name == *manifest.to_string()), "manifest")?;
        let member = self.manifest.roster.members().get(usize::from(self.approval.site));
        let own = member.is_some_and(|member| member.identity == identity.public());
        foreign(own && self.approval.verify(&self.manifest.roster).is_ok(), "approval")?;
        foreign(self.bound.commitment() == self.approval.cohort, "approval")?;
        foreign(of_draws(&self.bound.secret, draws) == self.bound.draws, "identity/draws.key")?;
        let begin = journal::beginning(manifest, &self.people, self.approval.policy, self.approval.cohort);
        foreign(journal::begins_with(&self.path.join("journal"), &begin)?, "journal")?;
        let state_dir = self.state_dir();
        foreign(decisions::holds(state_dir, &self.bound.decision)?, "ledger")?;
        let of_this = |record: &DecisionRecord| matches!(record, DecisionRecord::Withdrawn { manifest: of, .. } if *of == manifest);
        if !self.is_withdrawn() && decisions::has(state_dir, of_this)? {
            // the ledger is written before the file: a withdrawal that is being made is waited for
            let _deciding = decisions::exclusively(state_dir)?;
            if !self.is_withdrawn() {
                return Err(FolderError::Damaged { name: "withdrawn" });
            }
        }
        Ok(())
    }
}
