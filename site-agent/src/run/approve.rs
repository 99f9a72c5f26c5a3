//! Approval of a run: checks, cohort frozen, consent signed. Nothing is sent here.

use std::path::Path;

use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use proto::Offer;
use secagg::{Digest, DrawKey, PublicIdentity, SigningIdentity};
use study::cohort::Cohort;
use study::document::Mistakes;
use study::ledger::DecisionRecord;
use study::manifest::Approval;
use study::policy::{Policy, PolicyRefusal, Remembered};
use study::protocol::Protocol;

use super::bound::Bound;
use super::consent::{self, Subject};
use super::decisions;
use super::folder::{self, FolderError, RunFolder};
use super::memory;
use super::person::Person;
use super::reviewers;
use crate::identity::{self, IdentityError};
use crate::snapshot;
use crate::source::{self, Loaded, SourceError, Warning};

/// Why a run is not approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// The manifest is not from the coordinator that this site enrolled with.
    #[error("the manifest is not signed by the coordinator that this site enrolled with")]
    Coordinator,
    /// The manifest has expired.
    #[error("the manifest has expired")]
    Expired,
    /// The roster does not hold this site with this key.
    #[error("the manifest's roster does not hold this site with its identity key")]
    NotMember,
    /// The protocol is not valid.
    #[error("the protocol is not valid")]
    Protocol(#[from] Mistakes),
    /// The protocol is not the one that the manifest names.
    #[error("the protocol is not the one that the manifest names")]
    OtherProtocol,
    /// The policy file cannot be used.
    #[error("the policy file cannot be used")]
    PolicyFile(#[source] Mistakes),
    /// The site has decided about the run before.
    #[error("this site has decided about the run already")]
    Decided,
    /// The policy refuses.
    #[error(transparent)]
    Policy(#[from] PolicyRefusal),
    /// The data does not fit the dictionary.
    #[error("the data does not fit the protocol")]
    Source(#[from] SourceError),
    /// Files of the run.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The site's keys.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The name is a reviewer's, who has a login of their own.
    #[error("`{0}` is a reviewer of this site and approves by a login of their own")]
    Reviewer(String),
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
}

impl ApproveError {
    /// Stable code; all that the coordinator may learn.
    pub fn code(&self) -> &'static str {
        match self {
            ApproveError::Coordinator => "approve.coordinator",
            ApproveError::Expired => "approve.expired",
            ApproveError::NotMember => "approve.not_member",
            ApproveError::Protocol(_) => "approve.protocol",
            ApproveError::OtherProtocol => "approve.other_protocol",
            ApproveError::PolicyFile(_) => "approve.policy_file",
            ApproveError::Decided => "approve.decided",
            ApproveError::Policy(refusal) => refusal.rule(),
            ApproveError::Source(_) => "approve.source",
            ApproveError::Folder(e) => e.code(),
            ApproveError::Identity(e) => e.code(),
            ApproveError::Reviewer(_) => "approve.reviewer",
            ApproveError::Random => "approve.random",
        }
    }

    /// Is it the offer that is refused, and not the site's own files or the system that fail?
    fn of_offer(&self) -> bool {
        match self {
            ApproveError::Coordinator
            | ApproveError::Expired
            | ApproveError::NotMember
            | ApproveError::Protocol(_)
            | ApproveError::OtherProtocol
            | ApproveError::Policy(_) => true,
            ApproveError::PolicyFile(_)
            | ApproveError::Decided
            | ApproveError::Source(_)
            | ApproveError::Folder(_)
            | ApproveError::Identity(_)
            | ApproveError::Reviewer(_)
            | ApproveError::Random => false,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ApproveError::Coordinator | ApproveError::NotMember => {
                "ask the coordinator's operator; do not approve what you cannot place"
            }
            ApproveError::Expired => "ask the coordinator's operator for a new run",
            ApproveError::Protocol(_) | ApproveError::OtherProtocol => "ask the study's statistician for the protocol",
            ApproveError::PolicyFile(_) => "mend the policy file",
            ApproveError::Decided => "`site-agent study list` names its state; a decision is final for a run",
            ApproveError::Policy(PolicyRefusal::SameAccount { .. }) => {
                "another person approves, by an account or a reviewer's login of their own (`site-agent reviewer add`)"
            }
            ApproveError::Policy(_) => "the site's policy decides; change it only by your own governance",
            ApproveError::Source(e) => e.hint(),
            ApproveError::Folder(e) => e.hint(),
            ApproveError::Identity(e) => e.hint(),
            ApproveError::Reviewer(_) => {
                "`site-agent reviewer login NAME` makes a link for the reviewer; give your own name"
            }
            ApproveError::Random => "try again; if it persists, check the operating system",
        }
    }
}

/// A person's approval and what was noticed on the way.
#[derive(Debug)]
pub struct Approved {
    /// The run; none while the policy asks for one more person.
    pub run: Option<RunFolder>,
    /// Remarks on the data.
    pub warnings: Vec<Warning>,
}

/// The site that approves.
#[derive(Debug)]
pub struct Approver<'a> {
    /// State directory of the agent.
    pub state_dir: &'a Path,
    /// The site's identity.
    pub identity: &'a SigningIdentity,
    /// The coordinator's key, pinned at enrolment.
    pub coordinator: PublicIdentity,
}

/// Checks an offer, loads the data and records the person's consent. With the last person that the policy asks for, the
/// cohort is frozen, consent signed and the run's folder written. `policy_text` is the content of the site's policy
/// file; empty means the strict default.
pub fn approve(
    approver: &Approver<'_>,
    offer: &Offer,
    data: &Path,
    policy_text: &str,
    person: &Person,
) -> Result<Approved, ApproveError> {
    let policy = read_policy(policy_text)?;
    let _deciding = decisions::exclusively(approver.state_dir).map_err(FolderError::from)?;
    let outcome = decide(approver, offer, data, &policy, policy_text, person);
    let manifest = offer.manifest.digest();
    match &outcome {
        Ok(approved) if approved.run.is_none() => {
            let consented = DecisionRecord::Consented { manifest };
            decisions::decided(approver.state_dir, &person.to_string(), Some(policy.digest()), consented)
                .map_err(FolderError::from)?;
        }
        Err(error) if error.of_offer() => {
            let refused = decisions::refused(approver.state_dir, &person.to_string(), Some(manifest), error.code());
            refused.map_err(FolderError::from)?;
        }
        Ok(_) | Err(_) => {}
    }
    outcome
}

fn decide(
    approver: &Approver<'_>,
    offer: &Offer,
    data: &Path,
    policy: &Policy,
    policy_text: &str,
    person: &Person,
) -> Result<Approved, ApproveError> {
    check_offer(offer, &approver.coordinator, &approver.identity.public(), person.at)?;
    if let Some(reviewer) = reviewers::of_name(approver.state_dir, &person.name)?
        && !person.shares_account(&reviewer.person(person.at))
    {
        return Err(ApproveError::Reviewer(reviewer.name));
    }
    let (protocol, site) = check(approver, offer, policy)?;
    if folder::is_decided(approver.state_dir, &offer.manifest.digest())? {
        return Err(ApproveError::Decided);
    }
    let loaded = source::csv::load(data, &protocol, policy.bad_values)?;
    let (run, earlier) = remembered(approver, offer, &protocol, &loaded)?;
    policy.check_memory(&run, &earlier)?;
    let subject = Subject { policy: policy.digest(), cohort: snapshot::digest(&loaded.cohort, &protocol) };
    let people = consent::add(approver.state_dir, &run.manifest, policy, subject, person)?;
    let Some(people) = people else { return Ok(Approved { run: None, warnings: loaded.warnings }) };
    let draws = draw_key(approver.state_dir)?;
    // first: a run that is answered is remembered, and one that the ledger names as well, whatever happens in between
    memory::keep(approver.state_dir, &approver.identity.public(), &run)?;
    let approved = DecisionRecord::Approved { manifest: run.manifest };
    let decision = decisions::decided(approver.state_dir, &person.to_string(), Some(policy.digest()), approved);
    let decision = decision.map_err(FolderError::from)?;
    let bind = Binding { draws: &draws, decision };
    let run = freeze(approver, offer, &protocol, &loaded.cohort, site, policy, policy_text, &people, &bind)?;
    Ok(Approved { run: Some(run), warnings: loaded.warnings })
}

/// The key of the site's draws. One that has approved nothing yet may have keys from before there was this one.
fn draw_key(state_dir: &Path) -> Result<DrawKey, ApproveError> {
    match identity::draw_key(state_dir) {
        Err(IdentityError::NoDrawKey) if !memory::is_any(state_dir)? => Ok(identity::make_draw_key(state_dir)?),
        other => Ok(other?),
    }
}

/// What would be remembered of a run, and what is of those before.
pub(super) fn remembered(
    approver: &Approver<'_>,
    offer: &Offer,
    protocol: &Protocol,
    loaded: &Loaded,
) -> Result<(Remembered, Vec<Remembered>), FolderError> {
    let earlier = memory::all(approver.state_dir, &approver.identity.public())?;
    let marks = memory::marks(approver.state_dir, &loaded.patients)?;
    Ok((Remembered::new(&offer.manifest, protocol, marks), earlier))
}

/// The rules of a policy file's text; empty means the strict default.
pub fn read_policy(text: &str) -> Result<Policy, ApproveError> {
    if text.trim().is_empty() { Ok(Policy::default()) } else { Policy::parse(text).map_err(ApproveError::PolicyFile) }
}

/// What can be checked without the data: signature, membership, protocol, policy.
pub fn check(approver: &Approver<'_>, offer: &Offer, policy: &Policy) -> Result<(Protocol, u16), ApproveError> {
    let (protocol, site) = read_offer(offer, &approver.coordinator, &approver.identity.public())?;
    policy.check_study(&offer.manifest, &protocol)?;
    Ok((protocol, site))
}

/// Can an offer be decided at all? The agent keeps no other one.
pub(super) fn check_offer(
    offer: &Offer,
    coordinator: &PublicIdentity,
    own: &PublicIdentity,
    now: u64,
) -> Result<(), ApproveError> {
    read_offer(offer, coordinator, own)?;
    if now > offer.manifest.expires {
        return Err(ApproveError::Expired);
    }
    Ok(())
}

fn read_offer(
    offer: &Offer,
    coordinator: &PublicIdentity,
    own: &PublicIdentity,
) -> Result<(Protocol, u16), ApproveError> {
    let manifest = &offer.manifest;
    if manifest.coordinator != *coordinator || manifest.verify(&offer.signature).is_err() {
        return Err(ApproveError::Coordinator);
    }
    let site = manifest.roster.members().iter().position(|m| m.identity == *own);
    let site = site.ok_or(ApproveError::NotMember)? as u16;
    let protocol = Protocol::parse(&offer.protocol)?;
    if protocol.digest != manifest.protocol || protocol.id != manifest.study {
        return Err(ApproveError::OtherProtocol);
    }
    Ok((protocol, site))
}

/// What the approval binds beside the cohort.
struct Binding<'a> {
    draws: &'a DrawKey,
    decision: Digest,
}

#[allow(clippy::too_many_arguments, reason = "one call site; each is a part of the run's folder")]
fn freeze(
    approver: &Approver<'_>,
    offer: &Offer,
    protocol: &Protocol,
    cohort: &Cohort,
    site: u16,
    policy: &Policy,
    policy_text: &str,
    people: &[Person],
    binding: &Binding<'_>,
) -> Result<RunFolder, ApproveError> {
    let mut secret = [0; 32];
    SysRng.try_fill_bytes(&mut secret).map_err(|_| ApproveError::Random)?;
    let manifest = offer.manifest.digest();
    let bind = |snapshot: Digest| Bound::new(secret, snapshot, binding.draws, binding.decision);
    let approve = |commitment: Digest| Approval::sign(approver.identity, site, manifest, policy.digest(), commitment);
    Ok(RunFolder::create(approver.state_dir, offer, protocol, cohort, policy_text, people, bind, approve)?)
}
