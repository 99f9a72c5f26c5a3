//! Where the numbers of one run come from.

use serde::Serialize;
use study::protocol::ReleaseRules;

/// Version of `docs/results.schema.json` that `results.json` follows.
pub const SCHEMA_VERSION: u32 = 6;

/// What `results.json` says of the run beside its tables.
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

/// The provenance as it stands in `results.json`.
#[derive(Serialize)]
pub(super) struct ProvenanceRecord<'a> {
    software_version: &'a str,
    study: &'a str,
    title: &'a str,
    run: &'a str,
    protocol_digest: &'a str,
    manifest_digest: &'a str,
    results_digest: &'a str,
    roster_size: usize,
    release_digest: &'a str,
    opening: &'a str,
    minimum_cell: u32,
    minimum_leavers: u32,
    rounds: u32,
    opened_scalars: u64,
    sealed_scalars: u64,
    variables: usize,
    bytes_sent_per_site: u64,
    sites: Vec<SiteRecord<'a>>,
}

#[derive(Serialize)]
struct SiteRecord<'a> {
    id: &'a str,
    legal_name: &'a str,
}

impl<'a> From<&'a Provenance> for ProvenanceRecord<'a> {
    fn from(provenance: &'a Provenance) -> Self {
        Self {
            software_version: &provenance.software_version,
            study: &provenance.study,
            title: &provenance.title,
            run: &provenance.run,
            protocol_digest: &provenance.protocol_digest,
            manifest_digest: &provenance.manifest_digest,
            results_digest: &provenance.results_digest,
            roster_size: provenance.sites.len(),
            release_digest: &provenance.release_digest,
            opening: provenance.release.opening.name(),
            minimum_cell: provenance.release.minimum_cell,
            minimum_leavers: provenance.release.minimum_leavers,
            rounds: provenance.rounds,
            opened_scalars: provenance.opened_scalars,
            sealed_scalars: provenance.sealed_scalars,
            variables: provenance.variables,
            bytes_sent_per_site: provenance.bytes_sent_per_site,
            sites: provenance.sites.iter().map(|(id, legal_name)| SiteRecord { id, legal_name }).collect(),
        }
    }
}
