//! Export of a run's ledger for a reviewer.

use std::fs;

use secagg::{Digest, Signature, SigningIdentity};
use study::audit::{Bundle, Party};

use super::folder::{FolderError, RunFolder};
use super::journal;

/// The ledger of a run with what is needed to verify it, signed by this site. It holds the sums over all sites that this
/// site opened, and no rows.
pub fn export(run: &RunFolder, identity: &SigningIdentity) -> Result<Bundle, FolderError> {
    let read = |name: &'static str| fs::read(run.path.join(name)).map_err(|e| FolderError::file(name, &e));
    let text = |name: &'static str| String::from_utf8(read(name)?).map_err(|_| FolderError::Damaged { name });
    let signature = read("signature")?.try_into().map_err(|_| FolderError::Damaged { name: "signature" })?;
    let bundle = Bundle {
        party: Party::Site(run.approval.site),
        manifest: run.manifest.to_bytes(),
        manifest_signature: Signature(signature),
        protocol: text("protocol.toml")?,
        policy: text("policy.toml")?,
        entries: journal::entries(&read("journal")?),
        head: Digest([0; 32]),
        count: 0,
        signature: Signature([0; 64]),
    };
    Ok(bundle.signed(identity))
}
