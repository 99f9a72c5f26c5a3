//! Verification of exported ledgers, offline: what was asked, answered, opened and released, and that everybody saw the
//! same.
//!
//! [`verify`] reads any number of bundles of one run. In each it checks the party's signature, the chain of entries, every
//! signature in them, and that each request repeats what every site signed before. From a site's bundle it runs the plan
//! again on the stripped sums: every request, and every released number, must come out as it was. In the coordinator's it
//! holds the release against what all sites signed, and fits against the sums that the coordinator opened. Between
//! bundles it looks for a party that shows two pasts: the head of every ledger, as others witnessed it, stands in it.

mod bundle;
mod coordinator;
mod findings;
mod page;
mod run;
mod site;
mod witness;

use std::sync::Arc;

use secagg::Digest;

use crate::ledger::{Chain, Recorded};
use crate::machine::coordinator::CoordinatorRecord;
use crate::machine::site::SiteRecord;
use crate::manifest::Manifest;
use crate::protocol::Protocol;
use crate::refit::Compared;
use crate::release::Release;

pub use bundle::{Bundle, Party};
use findings::Findings;
pub use findings::{Finding, Place, Summary};
use run::Run;
use witness::Seen;

/// Who signs in a run. An auditor compares the fingerprint with what the party itself said by another channel: names
/// alone are the coordinator's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The coordinator, or a site by its id.
    pub party: String,
    /// The organisation that answers for a site, as the manifest has it; the coordinator has none there.
    pub legal_name: String,
    /// Of the key under which its signatures were verified.
    pub fingerprint: String,
}

/// What all sites signed at the end of a run, with all that its result files are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The manifest.
    pub manifest: Manifest,
    /// The protocol that it names.
    pub protocol: Arc<Protocol>,
    /// Digest of the results before the floors.
    pub results: Digest,
    /// The released results: recomputed from a site's bundle, or read from the coordinator's.
    pub release: Release,
    /// Rounds that were answered.
    pub rounds: u32,
    /// Numbers over all sites that the coordinator opened.
    pub opened: u64,
    /// Numbers over all sites that the sites alone opened.
    pub sealed: u64,
    /// How the released models stand beside fits of what the coordinator opened; none where it opens nothing.
    pub compared: Option<Compared>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Name of the run; none where no manifest could be read.
    pub run: Option<String>,
    /// Digest of the manifest.
    pub manifest: Option<Digest>,
    /// The coordinator, then the sites in the order of the roster.
    pub signers: Vec<Signer>,
    /// One per bundle, in the order given.
    pub bundles: Vec<Summary>,
    /// Everything that does not hold; none when all is well.
    pub findings: Vec<Finding>,
    /// What was released; none where no bundle comes to a signed end.
    pub outcome: Option<Outcome>,
    /// Was the release computed again from sums, and not only read?
    pub recomputed: bool,
}

impl Report {
    /// Does everything hold?
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies bundles of one run.
pub fn verify(bundles: &[Bundle]) -> Report {
    let mut report = Report {
        run: None,
        manifest: None,
        signers: Vec::new(),
        bundles: Vec::new(),
        findings: Vec::new(),
        outcome: None,
        recomputed: false,
    };
    let mut seen = Vec::new();
    for bundle in bundles {
        let mut findings = Findings::new(bundle.party);
        if let Some((run, chain)) = open(bundle, &mut findings) {
            if report.manifest.is_some_and(|digest| digest != run.digest) {
                findings.add(Place::Manifest, "the bundles are of different runs");
            }
            report.run = Some(run.manifest.name());
            report.manifest = Some(run.digest);
            report.signers = signers(&run.manifest);
            seen.push(walk(bundle, &run, &mut findings, &mut report));
            if chain != bundle.end() {
                let missing = (bundle.entries.len() as u64).min(bundle.count) + 1;
                findings.add(Place::Entry(missing), "the ledger does not end where the party signed that it ends");
            }
        }
        report.findings.extend(findings.take());
    }
    report.findings.extend(witness::compare(&seen));
    report
}

fn signers(manifest: &Manifest) -> Vec<Signer> {
    let coordinator = Signer {
        party: Party::Coordinator.name(manifest),
        legal_name: String::new(),
        fingerprint: manifest.coordinator.fingerprint(),
    };
    let sites = manifest.roster.members().iter().map(|member| Signer {
        party: format!("site {}", member.id),
        legal_name: member.legal_name.clone(),
        fingerprint: member.identity.fingerprint(),
    });
    [coordinator].into_iter().chain(sites).collect()
}

/// What a bundle needs before its entries mean anything.
fn open(bundle: &Bundle, findings: &mut Findings) -> Option<(Run, Chain)> {
    let Ok(manifest) = Manifest::from_bytes(&bundle.manifest) else {
        findings.add(Place::Manifest, "the manifest does not read");
        return None;
    };
    if manifest.to_bytes() != bundle.manifest {
        findings.add(Place::Manifest, "the manifest is not in canonical form");
    }
    if manifest.verify(&bundle.manifest_signature).is_err() {
        findings.add(Place::Manifest, "the coordinator's signature under the manifest does not hold");
    }
    let protocol = match Protocol::parse(&bundle.protocol) {
        Ok(protocol) if protocol.digest == manifest.protocol => Arc::new(protocol),
        Ok(_) => {
            findings.add(Place::Protocol, "the protocol is not the one that the manifest names");
            return None;
        }
        Err(_) => {
            findings.add(Place::Protocol, "the protocol does not parse with this version");
            return None;
        }
    };
    match bundle.party.identity(&manifest) {
        None => findings.add(Place::Beginning, "the roster has no such site"),
        Some(identity) if !bundle.is_signed_by(&identity) => {
            findings.add(Place::End, "the party's signature under the bundle does not hold");
        }
        Some(_) => {}
    }
    let digest = manifest.digest();
    let mut chain = Chain::new(digest);
    for entry in &bundle.entries {
        // the records are read when they are walked; here only the chain
        if !follows(bundle.party, &mut chain, entry) {
            break;
        }
    }
    Some((Run { manifest, digest, protocol }, chain))
}

fn follows(party: Party, chain: &mut Chain, entry: &[u8]) -> bool {
    match party {
        Party::Coordinator => chain.next::<CoordinatorRecord>(entry).is_ok(),
        Party::Site(_) => chain.next::<SiteRecord>(entry).is_ok(),
    }
}

/// Checks every record of a bundle.
fn walk(bundle: &Bundle, run: &Run, findings: &mut Findings, report: &mut Report) -> Seen {
    let mut seen = Seen::new(bundle.party, run.digest);
    let (summary, release) = match bundle.party {
        Party::Coordinator => {
            let mut walk = coordinator::Walk::new(run);
            each(&bundle.entries, run, findings, &mut seen, |record, findings, seen| {
                walk.record(record, findings, seen);
            });
            walk.end(findings)
        }
        Party::Site(index) => {
            let mut walk = site::Walk::new(run, index, &bundle.policy);
            each(&bundle.entries, run, findings, &mut seen, |record, findings, seen| {
                walk.record(record, findings, seen);
            });
            walk.end(findings)
        }
    };
    let recomputed = bundle.party != Party::Coordinator;
    if let (Some(release), Some(results)) = (release, summary.results)
        && (recomputed || report.outcome.is_none())
    {
        report.outcome = Some(outcome(run, &summary, release, results));
        report.recomputed |= recomputed;
    }
    seen.check_own(findings);
    report.bundles.push(Summary { party: bundle.party, name: bundle.party.name(&run.manifest), ..summary });
    seen
}

fn outcome(run: &Run, summary: &Summary, release: Release, results: Digest) -> Outcome {
    let (opened, sealed) = match summary.party {
        Party::Coordinator => (summary.opened, summary.sealed),
        Party::Site(_) => (summary.shared, summary.opened - summary.shared),
    };
    Outcome {
        manifest: run.manifest.clone(),
        protocol: Arc::clone(&run.protocol),
        results,
        release,
        rounds: summary.rounds as u32,
        opened,
        sealed,
        compared: summary.fits,
    }
}

/// Reads the entries in order; the first that does not follow ends the walk.
fn each<R: Recorded>(
    entries: &[Vec<u8>],
    run: &Run,
    findings: &mut Findings,
    seen: &mut Seen,
    mut record: impl FnMut(crate::ledger::Entry<R>, &mut Findings, &mut Seen),
) {
    let mut chain = Chain::new(run.digest);
    for bytes in entries {
        match chain.next::<R>(bytes) {
            Ok(entry) => {
                findings.at(entry.number);
                seen.entry(chain.head());
                record(entry, findings, seen);
            }
            Err(broken) => {
                findings.add(Place::Entry(broken.number), "the entry does not follow from the one before");
                return;
            }
        }
    }
}
