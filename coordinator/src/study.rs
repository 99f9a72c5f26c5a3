//! Studies: created from a protocol and the enrolled sites, read again when they are finished.

use std::path::Path;
use std::sync::Arc;

use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use jiff::Timestamp;
use secagg::{Digest, Signature};
use study::audit::{Bundle, Outcome, Party};
use study::document::Mistakes;
use study::machine::coordinator::CoordinatorRecord;
use study::manifest::Manifest;
use study::plan::PLAN_VERSION;
use study::protocol::Protocol;
use study::refit::{Differs, Refits};
use study::release::Release;
use study::roster::{Member, Roster, RosterError};

use crate::authority::{AuthorityError, load_signing_identity};
use crate::enrol::{self, EnrolError};
use crate::hub::{self, HubError, RunReport};
use crate::opened::{Numbers, Tally};
use crate::results::{Provenance, provenance};
use crate::store::{Store, StoreError, StoredRun};

/// Why a study cannot be created or read.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The protocol is not valid.
    #[error("the protocol is not valid")]
    Protocol(#[from] Mistakes),
    /// The enrolled sites make no roster.
    #[error("the sites make no roster: {0}")]
    Roster(#[from] RosterError),
    /// A site that was named is not enrolled.
    #[error("site `{0}` is not enrolled, or is revoked")]
    NotEnrolled(String),
    /// Enrolled sites cannot be read.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The coordinator's identity.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored run cannot be read.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// No results yet.
    #[error("run `{0}` is not finished")]
    NotFinished(String),
    /// The release in the store is not that of the sums in the store.
    #[error("the release differs from the coordinator's own fits: {0}")]
    OtherFits(Differs),
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
}

impl StudyError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            StudyError::Protocol(_) => "study.protocol",
            StudyError::Roster(_) => "study.roster",
            StudyError::NotEnrolled(_) => "study.not_enrolled",
            StudyError::Enrol(e) => e.code(),
            StudyError::Authority(e) => e.code(),
            StudyError::Store(e) => e.code(),
            StudyError::Hub(e) => e.code(),
            StudyError::NotFinished(_) => "study.not_finished",
            StudyError::OtherFits(_) => "study.other_fits",
            StudyError::Random => "study.random",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            StudyError::Protocol(_) => "mend the lines above",
            StudyError::Roster(_) => "enrol more sites: sums of fewer than three sites are not hidden",
            StudyError::NotEnrolled(_) => "`coordinator site list` names the enrolled sites",
            StudyError::Enrol(e) => e.hint(),
            StudyError::Authority(e) => e.hint(),
            StudyError::Store(e) => e.hint(),
            StudyError::Hub(e) => e.hint(),
            StudyError::NotFinished(_) => "`coordinator study status` says what it waits for",
            StudyError::OtherFits(_) => {
                "nothing is published; `coordinator audit verify` with bundles of the sites shows whose sums lead where"
            }
            StudyError::Random => "try again; if it persists, check the operating system",
        }
    }
}

/// Makes a run of a protocol with the enrolled sites (all, or those named), signs it and stores it; a running server
/// offers it to the sites.
pub fn create(
    state_dir: &Path,
    protocol_text: &str,
    sites: &[String],
    valid_days: u32,
    now: Timestamp,
) -> Result<StoredRun, StudyError> {
    let protocol = Protocol::parse(protocol_text)?;
    let identity = load_signing_identity(state_dir)?;
    let mut run = [0; 16];
    SysRng.try_fill_bytes(&mut run).map_err(|_| StudyError::Random)?;
    let created = now.as_second().max(0).cast_unsigned();
    let manifest = Manifest {
        study: protocol.id.clone(),
        run,
        protocol: protocol.digest,
        plan_version: PLAN_VERSION,
        roster: roster(state_dir, sites)?,
        coordinator: identity.public(),
        created,
        expires: created + u64::from(valid_days) * 86_400,
    };
    let signature = manifest.sign(&identity);
    let stored = StoredRun { manifest, signature, protocol: protocol_text.to_owned() };
    Store::open(state_dir)?.add_run(&stored)?;
    Ok(stored)
}

fn roster(state_dir: &Path, sites: &[String]) -> Result<Roster, StudyError> {
    let enrolled: Vec<Member> = enrol::list(state_dir)?
        .into_iter()
        .filter(|e| e.revoked_at.is_none())
        .map(|e| Member { id: e.site, legal_name: e.legal_name, identity: e.identity })
        .collect();
    for site in sites {
        if !enrolled.iter().any(|m| m.id == *site) {
            return Err(StudyError::NotEnrolled(site.clone()));
        }
    }
    let chosen = enrolled.into_iter().filter(|m| sites.is_empty() || sites.contains(&m.id)).collect();
    Ok(Roster::new(chosen)?)
}

/// A finished run as the coordinator's journal replays it.
#[derive(Debug)]
pub struct FinishedRun {
    /// The protocol.
    pub protocol: Arc<Protocol>,
    /// All tables.
    pub results: study::results::Results,
    /// Where they come from.
    pub provenance: Provenance,
}

impl FinishedRun {
    /// How many numbers were opened by whom, beside how many the analysed patients have in the data dictionary.
    pub fn opened_beside_values(&self) -> String {
        let Provenance { opened_scalars, sealed_scalars, variables, compared, .. } = &self.provenance;
        let compared = compared.map_or_else(String::new, |compared| format!("; {compared}"));
        let patients = self.results.flow.last().and_then(|arms| arms.n).unwrap_or_default();
        format!(
            "{opened_scalars} numbers opened by the coordinator, {sealed_scalars} by the sites alone; {patients} patients x \
             {variables} variables = {} values{compared}",
            patients * *variables as u64
        )
    }
}

/// Reads what a finished run released, and what was opened on the way to it.
pub fn read(state_dir: &Path, name: &str) -> Result<FinishedRun, StudyError> {
    let store = Store::open(state_dir)?;
    let stored = store.find_run(name)?;
    let digest = stored.manifest.digest();
    let protocol = Arc::new(Protocol::parse(&stored.protocol)?);
    let ledger = store.entries(&digest)?;
    let (mut tally, mut closed, mut release) = (Tally::default(), None, None);
    let mut refits = Refits::new(&protocol, stored.manifest.roster.len());
    for entry in ledger {
        if let (Some(refits), CoordinatorRecord::Opened { result, .. }) = (&mut refits, &entry.record) {
            refits.round(tally.asked(), &result.sum.words);
        }
        tally.add(&entry.record);
        match entry.record {
            CoordinatorRecord::Released { bytes, .. } => release = Some(bytes),
            CoordinatorRecord::Closed { closed: all } => closed = all.finished.into_iter().next(),
            CoordinatorRecord::Approved { .. }
            | CoordinatorRecord::Withdrawn { .. }
            | CoordinatorRecord::Requested { .. }
            | CoordinatorRecord::Opened { .. }
            | CoordinatorRecord::Epoch { .. }
            | CoordinatorRecord::Agreed { .. }
            | CoordinatorRecord::Compared { .. }
            | CoordinatorRecord::Refused { .. } => {}
        }
    }
    let (Some(closed), Some(release)) = (closed, release) else {
        return Err(StudyError::NotFinished(stored.manifest.name()));
    };
    if Release::digest_of(&digest, &release) != closed.release {
        return Err(StoreError::Damaged { what: "a release" }.into());
    }
    let release = Release::from_bytes(&release).map_err(|_| StoreError::Damaged { what: "a release" })?;
    let compared = refits.map(|refits| refits.compare(release.results())).transpose().map_err(StudyError::OtherFits)?;
    let rounds = tally.rounds().len() as u32;
    let Numbers { opened, sealed } = tally.numbers();
    let results = closed.results;
    let outcome = Outcome { manifest: stored.manifest, protocol, results, release, rounds, opened, sealed, compared };
    let provenance = provenance(&outcome);
    Ok(FinishedRun { protocol: outcome.protocol, results: outcome.release.into_results(), provenance })
}

/// Where a run stands, from the journal alone; who is connected only the server knows.
pub fn status(state_dir: &Path, name: &str) -> Result<RunReport, StudyError> {
    let store = Store::open(state_dir)?;
    let stored = store.find_run(name)?;
    Ok(hub::recovered(&store, &stored, load_signing_identity(state_dir)?)?)
}

/// Name and ledger of a run, with what is needed to verify it, signed by the coordinator.
pub fn export(state_dir: &Path, name: &str) -> Result<(String, Bundle), StudyError> {
    let store = Store::open(state_dir)?;
    let stored = store.find_run(name)?;
    let bundle = Bundle {
        party: Party::Coordinator,
        manifest: stored.manifest.to_bytes(),
        manifest_signature: stored.signature,
        protocol: stored.protocol,
        policy: String::new(),
        entries: store.entry_bytes(&stored.manifest.digest())?,
        head: Digest([0; 32]),
        count: 0,
        signature: Signature([0; 64]),
    };
    Ok((stored.manifest.name(), bundle.signed(&load_signing_identity(state_dir)?)))
}
