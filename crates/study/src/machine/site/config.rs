//! What one site brings into a run.

use std::sync::Arc;

use secagg::{Digest, DrawKey, SigningIdentity};

use crate::cohort::Cohort;
use crate::manifest::Manifest;
use crate::policy::Policy;
use crate::protocol::Protocol;

/// What one site brings into a run.
pub struct SiteConfig {
    /// The signed manifest's content.
    pub manifest: Manifest,
    /// The protocol that the manifest names.
    pub protocol: Arc<Protocol>,
    /// The frozen cohort.
    pub cohort: Arc<Cohort>,
    /// Salted commitment to it and to the key of the draws.
    pub commitment: Digest,
    /// 32 secret bytes of the site, made at approval; the salt of the first site's answers comes from it.
    pub secret: [u8; 32],
    /// The site's key for draws about its rows, the same in all runs.
    pub draws: DrawKey,
    /// The site's rules.
    pub policy: Policy,
    /// Seconds since 1970 when the site approved.
    pub approved: u64,
    /// The site's identity.
    pub identity: SigningIdentity,
    /// Index in the roster.
    pub site: u16,
}

impl std::fmt::Debug for SiteConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SiteConfig({}, site {}, ..)", self.manifest.name(), self.site)
    }
}
