//! The manifest of one run: what the coordinator signs and every site countersigns before anything is computed.

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, PublicIdentity, Reader, Signature, SignatureError, SigningIdentity};

use crate::plan::PLAN_VERSION;
use crate::roster::{Member, Roster, RosterError};

const LABEL: &str = "entente/v1/manifest";
const APPROVAL: &str = "entente/v1/approval";
const WITHDRAWAL: &str = "entente/v1/withdrawal";

/// One run of one study with one roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the study, from its protocol.
    pub study: String,
    /// Random id of the run.
    pub run: [u8; 16],
    /// Digest of the protocol's content.
    pub protocol: Digest,
    /// Version of plan and arithmetic.
    pub plan_version: u32,
    /// The sites.
    pub roster: Roster,
    /// Key that signs requests and results.
    pub coordinator: PublicIdentity,
    /// Seconds since 1970 when it was made.
    pub created: u64,
    /// Seconds since 1970 after which no site answers any more.
    pub expires: u64,
}

/// Why bytes are no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not the canonical encoding.
    #[error("the manifest is not well formed")]
    Encoding(#[from] CanonicalError),
    /// The roster is not valid.
    #[error("the manifest's roster is not valid")]
    Roster(#[from] RosterError),
    /// The signature of the coordinator is not valid.
    #[error("the manifest is not signed by the coordinator that it names")]
    Signature(#[from] SignatureError),
    /// Another version of the plan.
    #[error("the manifest is for plan version {got}, this software has {PLAN_VERSION}")]
    Version {
        /// Version in the manifest.
        got: u32,
    },
}

impl Manifest {
    /// Name of the run in files and tables: the study and the first bytes of the run id.
    pub fn name(&self) -> String {
        let [a, b, c, d, ..] = self.run;
        format!("{}-{:08x}", self.study, u32::from_be_bytes([a, b, c, d]))
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.write().finish()
    }

    /// SHA-256 of the canonical bytes: `M`.
    pub fn digest(&self) -> Digest {
        self.write().digest()
    }

    fn write(&self) -> Canonical {
        let out = Canonical::new(LABEL)
            .str(&self.study)
            .array(&self.run)
            .digest_field(&self.protocol)
            .u32(self.plan_version)
            .array(&self.coordinator.0)
            .u64(self.created)
            .u64(self.expires);
        self.roster.write(out)
    }

    /// Reads canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Manifest, ManifestError> {
        let mut reader = Reader::new(bytes, LABEL)?;
        let study = reader.str()?.to_owned();
        let run = reader.array()?;
        let protocol = reader.digest()?;
        let plan_version = reader.u32()?;
        let coordinator = PublicIdentity(reader.array()?);
        let (created, expires) = (reader.u64()?, reader.u64()?);
        let members = reader.list(|r| {
            Ok(Member {
                id: r.str()?.to_owned(),
                legal_name: r.str()?.to_owned(),
                identity: PublicIdentity(r.array()?),
            })
        })?;
        reader.finish()?;
        let roster = Roster::new(members)?;
        if plan_version != PLAN_VERSION {
            return Err(ManifestError::Version { got: plan_version });
        }
        Ok(Manifest { study, run, protocol, plan_version, roster, coordinator, created, expires })
    }

    /// The coordinator's signature.
    pub fn sign(&self, identity: &SigningIdentity) -> Signature {
        identity.sign(LABEL, &self.digest())
    }

    /// Checks the coordinator's signature.
    pub fn verify(&self, signature: &Signature) -> Result<(), SignatureError> {
        self.coordinator.verify(LABEL, &self.digest(), signature)
    }
}

/// A site's consent to one manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Index of the site in the roster.
    pub site: u16,
    /// Digest of the manifest.
    pub manifest: Digest,
    /// Digest of the site's policy file.
    pub policy: Digest,
    /// Salted commitment to the frozen cohort and the key of the site's draws.
    pub cohort: Digest,
    /// By the site's identity, over all of it.
    pub signature: Signature,
}

impl Approval {
    /// Signs consent.
    pub fn sign(identity: &SigningIdentity, site: u16, manifest: Digest, policy: Digest, cohort: Digest) -> Approval {
        let mut approval = Approval { site, manifest, policy, cohort, signature: Signature([0; 64]) };
        approval.signature = identity.sign(APPROVAL, &approval.content());
        approval
    }

    /// Checks the signature against the roster's key of that site.
    pub fn verify(&self, roster: &Roster) -> Result<(), SignatureError> {
        let member = roster.members().get(usize::from(self.site)).ok_or(SignatureError)?;
        member.identity.verify(APPROVAL, &self.content(), &self.signature)
    }

    fn content(&self) -> Digest {
        Canonical::new(APPROVAL)
            .u16(self.site)
            .digest_field(&self.manifest)
            .digest_field(&self.policy)
            .digest_field(&self.cohort)
            .digest()
    }
}

/// A site takes its consent back: it answers nothing of the run any more. That is final for the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Index of the site in the roster.
    pub site: u16,
    /// Digest of the manifest.
    pub manifest: Digest,
    /// By the site's identity.
    pub signature: Signature,
}

impl Withdrawal {
    /// Stable code, for the coordinator's operator. The reason stays at the site.
    pub fn code(&self) -> &'static str {
        "approve.withdrawn"
    }

    /// Signs that consent is taken back.
    pub fn sign(identity: &SigningIdentity, site: u16, manifest: Digest) -> Withdrawal {
        let signature = identity.sign(WITHDRAWAL, &Withdrawal::content(site, &manifest));
        Withdrawal { site, manifest, signature }
    }

    /// Checks the signature against the roster's key of that site.
    pub fn verify(&self, roster: &Roster) -> Result<(), SignatureError> {
        let member = roster.members().get(usize::from(self.site)).ok_or(SignatureError)?;
        member.identity.verify(WITHDRAWAL, &Withdrawal::content(self.site, &self.manifest), &self.signature)
    }

    fn content(site: u16, manifest: &Digest) -> Digest {
        Canonical::new(WITHDRAWAL).u16(site).digest_field(manifest).digest()
    }
}
