//! Offers that nobody may approve.

use prost::Message;
use proto::wire::coordinator_message::Content;
use proto::{Offer, ToAgent, wire};
use secagg::{Digest, SigningIdentity};
use study::roster::Roster;

use super::attack::{After, Attack, Frame, Lie, Scene, TARGET, Whom};

fn stranger() -> SigningIdentity {
    SigningIdentity::from_bytes(&[9; 32])
}

fn frame(offer: Offer) -> Frame {
    wire::CoordinatorMessage::from(ToAgent::Offer(offer)).encode_to_vec()
}

/// The offer with another manifest, signed by the coordinator.
fn changed(offer: &Offer, scene: &Scene<'_>, change: impl FnOnce(&mut Offer)) -> Vec<Frame> {
    let mut offer = offer.clone();
    change(&mut offer);
    offer.signature = offer.manifest.sign(scene.identity);
    vec![frame(offer)]
}

const fn offer(name: &'static str, does: &'static str, rule: &'static str, lie: Lie) -> Attack {
    Attack { name, does, rule, whom: Whom::Target, after: After::NoRun, lie }
}

pub(super) const ATTACKS: &[Attack] = &[
    offer(
        "another coordinator",
        "a manifest with another coordinator's key, signed by it",
        "approve.coordinator",
        Lie::Offer(|offer, _| {
            let mut offer = offer.clone();
            offer.manifest.coordinator = stranger().public();
            offer.signature = offer.manifest.sign(&stranger());
            vec![frame(offer)]
        }),
    ),
    offer(
        "unsigned manifest",
        "a manifest that somebody else signed",
        "approve.coordinator",
        Lie::Offer(|offer, _| vec![frame(Offer { signature: offer.manifest.sign(&stranger()), ..offer.clone() })]),
    ),
    offer(
        "expired manifest",
        "a manifest that expired a second after it was made",
        "approve.expired",
        Lie::Offer(|offer, scene| {
            changed(offer, scene, |offer| {
                offer.manifest.created = 1_000;
                offer.manifest.expires = 1_001;
            })
        }),
    ),
    offer(
        "another protocol",
        "a protocol that is not the one of the manifest",
        "approve.other_protocol",
        Lie::Offer(|offer, _| {
            let protocol = offer.protocol.replace("horizon_days = 1500", "horizon_days = 1470");
            vec![frame(Offer { protocol, ..offer.clone() })]
        }),
    ),
    offer(
        "no protocol at all",
        "a protocol that does not parse",
        "approve.protocol",
        Lie::Offer(|offer, scene| {
            changed(offer, scene, |offer| {
                offer.protocol = "select * from patient".into();
                offer.manifest.protocol = Digest::of(offer.protocol.as_bytes());
            })
        }),
    ),
    offer(
        "roster without the site",
        "a run of the other sites alone",
        "approve.not_member",
        Lie::Offer(|offer, scene| {
            changed(offer, scene, |offer| {
                let mut members = offer.manifest.roster.members().to_vec();
                members.remove(usize::from(TARGET));
                offer.manifest.roster = Roster::new(members).expect("three sites are left");
            })
        }),
    ),
    offer(
        "bytes behind the manifest",
        "a signed manifest with one byte behind its end",
        "wire.manifest",
        Lie::Offer(|offer, _| {
            let mut message = wire::CoordinatorMessage::from(ToAgent::Offer(offer.clone()));
            if let Some(Content::Offer(offer)) = &mut message.content {
                offer.manifest = [&offer.manifest[..], &[0]].concat().into();
            }
            vec![message.encode_to_vec()]
        }),
    ),
    offer(
        "run that nobody approved",
        "an offer, and at once the first message of its run",
        "run.not_approved",
        Lie::Offer(|offer, scene| vec![frame(offer.clone()), scene.say(&scene.epoch_open(1))]),
    ),
];
