//! Where the numbers of one run come from.

pub use report::Provenance;
use serde::Serialize;
use study::audit::Outcome;
use study::refit::Compared;

/// Version of `docs/results.schema.json` that `results.json` follows.
pub const SCHEMA_VERSION: u32 = 7;

/// Version of this software, whose files of one release are the same to the byte.
pub const SOFTWARE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the results of a run come from: all of it follows from what the parties signed, and from this software.
pub fn provenance(outcome: &Outcome) -> Provenance {
    let Outcome { manifest, protocol, results, release, rounds, opened, sealed, compared } = outcome;
    let digest = manifest.digest();
    Provenance {
        software_version: SOFTWARE_VERSION.into(),
        study: protocol.id.clone(),
        title: protocol.title.clone(),
        run: manifest.name(),
        protocol_digest: manifest.protocol.to_string(),
        manifest_digest: digest.to_string(),
        results_digest: results.to_string(),
        release_digest: release.digest(&digest).to_string(),
        release: protocol.release,
        compared: *compared,
        rounds: *rounds,
        opened_scalars: *opened,
        sealed_scalars: *sealed,
        variables: protocol.dictionary.variables().len(),
        // every word is 16 bytes; each round adds salt (16) and check word (32)
        bytes_sent_per_site: 16 * (opened + sealed) + 48 * u64::from(*rounds),
        sites: manifest.roster.members().iter().map(|m| (m.id.clone(), m.legal_name.clone())).collect(),
    }
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
    curves: &'a str,
    compared: Option<ComparedRecord>,
    rounds: u32,
    opened_scalars: u64,
    sealed_scalars: u64,
    variables: usize,
    bytes_sent_per_site: u64,
    sites: Vec<SiteRecord<'a>>,
}

/// How many released fits are those of the coordinator, and how many could not be compared, by the reason.
#[derive(Serialize)]
struct ComparedRecord {
    same: u32,
    ridge: u32,
    imputed: u32,
    curves: u32,
    bootstrapped: u32,
}

impl From<Compared> for ComparedRecord {
    fn from(compared: Compared) -> Self {
        let Compared { same, ridge, imputed, curves, bootstrapped } = compared;
        Self { same, ridge, imputed, curves, bootstrapped }
    }
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
            curves: provenance.release.curves.name(),
            compared: provenance.compared.map(ComparedRecord::from),
            rounds: provenance.rounds,
            opened_scalars: provenance.opened_scalars,
            sealed_scalars: provenance.sealed_scalars,
            variables: provenance.variables,
            bytes_sent_per_site: provenance.bytes_sent_per_site,
            sites: provenance.sites.iter().map(|(id, legal_name)| SiteRecord { id, legal_name }).collect(),
        }
    }
}
