//! Where the numbers of one run come from.

/// What a run says of itself beside its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Rounds that were answered.
    pub rounds: u32,
    /// Numbers that were opened, over all rounds.
    pub opened_scalars: u64,
    /// Bytes that the site with the most traffic sent.
    pub bytes_sent_per_site: u64,
    /// The roster: short id and legal name of each site.
    pub sites: Vec<(String, String)>,
}
