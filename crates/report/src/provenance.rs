//! Where the numbers of one run come from.

use study::protocol::ReleaseRules;
use study::refit::Compared;

/// What `results.json` and the report say of the run beside its tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// Version of the software that computed the results.
    pub software_version: String,
    /// Short name of the study, from its protocol.
    pub study: String,
    /// Title of the study, from its protocol.
    pub title: String,
    /// Name of the run, from its manifest.
    pub run: String,
    /// SHA-256 of the protocol's content, hex.
    pub protocol_digest: String,
    /// SHA-256 of the manifest, hex.
    pub manifest_digest: String,
    /// SHA-256 of the results that every site agreed on, hex.
    pub results_digest: String,
    /// SHA-256 of what was released of them, which every site signed, hex.
    pub release_digest: String,
    /// What the coordinator opened, and the floors of what is shown.
    pub release: ReleaseRules,
    /// How the release stands beside the coordinator's own fits, where it made some.
    pub compared: Option<Compared>,
    /// Rounds that were answered.
    pub rounds: u32,
    /// Numbers that the coordinator opened, over all rounds.
    pub opened_scalars: u64,
    /// Numbers that the sites alone opened, over all rounds.
    pub sealed_scalars: u64,
    /// Variables of the data dictionary.
    pub variables: usize,
    /// Bytes that the site with the most traffic sent.
    pub bytes_sent_per_site: u64,
    /// The roster: short id and legal name of each site.
    pub sites: Vec<(String, String)>,
}
