//! What an attack is, and what it may use.

use prost::Message;
use proto::{Offer, ToAgent, wire};
use secagg::{Digest, SigningIdentity};
use study::manifest::Manifest;
use study::message::{Answer, RoundOpen, RoundResult, ToSite};

/// Index of the site that is attacked.
pub const TARGET: u16 = 1;

/// Bytes of one message.
pub type Frame = Vec<u8>;

/// One attack.
#[derive(Debug)]
pub struct Attack {
    /// Short name.
    pub name: &'static str,
    /// What the coordinator does.
    pub does: &'static str,
    /// Rule with which the site must refuse.
    pub rule: &'static str,
    /// Who is lied to.
    pub whom: Whom,
    /// What becomes of the run.
    pub after: After,
    /// What is sent instead.
    pub lie: Lie,
}

/// Who is lied to, once each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The site [`TARGET`].
    Target,
    /// Every site.
    Everybody,
}

/// What becomes of the run of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The site takes no part in it any more.
    Ends,
    /// The site refuses one message and answers the honest one.
    GoesOn,
    /// The coordinator has to agree on new keys, and does so honestly.
    NewKeys,
    /// There is nothing to go on with.
    NoRun,
}

/// What is sent instead of what the honest machine says.
#[derive(Debug, Clone, Copy)]
pub enum Lie {
    /// In place of the offer of the run.
    Offer(fn(&Offer, &Scene<'_>) -> Vec<Frame>),
    /// In place of a message; none where it leaves the message alone.
    Message(fn(&ToSite, &Scene<'_>) -> Option<Vec<Frame>>),
}

/// What happened before in the run.
#[derive(Debug, Default)]
pub struct Past {
    /// What the honest machine said to the target.
    pub said: Vec<ToSite>,
    /// What sites answered, with their index.
    pub answers: Vec<(u16, Answer)>,
}

/// What a hostile coordinator has at hand.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The coordinator's own key.
    pub identity: &'a SigningIdentity,
    /// The key of the last site.
    pub colluder: &'a SigningIdentity,
    /// Of the run.
    pub manifest: &'a Manifest,
    /// Its digest.
    pub run: Digest,
    /// Who gets the message.
    pub site: u16,
    /// What happened before.
    pub past: &'a Past,
}

impl Scene<'_> {
    /// A message of the run.
    pub fn say(&self, message: &ToSite) -> Frame {
        self.wire(message).encode_to_vec()
    }

    /// A message of the run, before it is bytes.
    pub fn wire(&self, message: &ToSite) -> wire::CoordinatorMessage {
        ToAgent::Run { run: self.run, message: message.clone() }.into()
    }

    /// A new epoch; what every site has signed is the head of an empty ledger.
    pub fn epoch_open(&self, epoch: u64) -> ToSite {
        ToSite::EpochOpen { epoch, known: self.run }
    }

    /// A request, signed by the coordinator.
    pub fn ask(&self, open: RoundOpen) -> Frame {
        self.say(&ToSite::RoundOpen(open.signed(self.identity, &self.run)))
    }

    /// A result, signed by the coordinator.
    pub fn sum(&self, result: RoundResult) -> Frame {
        let RoundResult { epoch, round, q, sum, answers, signature: _ } = result;
        self.say(&ToSite::RoundResult(RoundResult::sign(self.identity, epoch, round, q, sum, answers)))
    }

    /// The newest request that the target got honestly.
    pub fn asked(&self) -> Option<&RoundOpen> {
        self.past.said.iter().rev().find_map(|message| match message {
            ToSite::RoundOpen(open) => Some(open),
            _ => None,
        })
    }
}

/// All attacks; those that break the connection first, because a site that comes back is offered every run again.
pub fn attacks() -> impl Iterator<Item = &'static Attack> {
    [super::bytes::ATTACKS, super::offers::ATTACKS, super::keys::ATTACKS, super::requests::ATTACKS]
        .into_iter()
        .chain([super::results::ATTACKS, super::closing::ATTACKS])
        .flatten()
}
