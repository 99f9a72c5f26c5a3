//! Lies in the key agreement.

use secagg::{Announcement, Canonical, Digest, SealedBox, SigningIdentity};
use study::message::ToSite;

use super::attack::{After, Attack, Frame, Lie, Scene, Whom};

const ANNOUNCEMENT: &str = "entente/v1/announcement";

/// An announcement with another key, signed as its owner would.
fn signed(mut a: Announcement, public: [u8; 32], identity: &SigningIdentity) -> Announcement {
    a.public = public;
    let content = Canonical::new(ANNOUNCEMENT)
        .digest_field(&a.manifest)
        .u64(a.epoch)
        .u16(a.site)
        .array(&a.public)
        .array(&a.nonce)
        .digest_field(&a.cohort)
        .digest_field(&a.head)
        .digest();
    a.signature = identity.sign(ANNOUNCEMENT, &content);
    a
}

/// A key whose secret half the coordinator could hold.
fn other_key() -> [u8; 32] {
    Digest::of(b"a key of the coordinator").0
}

fn bundle(message: &ToSite, scene: &Scene<'_>, change: impl FnOnce(&mut Vec<Announcement>)) -> Option<Vec<Frame>> {
    let ToSite::Bundle { announcements } = message else { return None };
    let mut announcements = announcements.clone();
    change(&mut announcements);
    Some(vec![scene.say(&ToSite::Bundle { announcements })])
}

fn boxes(message: &ToSite, scene: &Scene<'_>, change: impl FnOnce(&mut Vec<SealedBox>)) -> Option<Vec<Frame>> {
    let ToSite::Boxes { boxes } = message else { return None };
    let mut boxes = boxes.clone();
    change(&mut boxes);
    Some(vec![scene.say(&ToSite::Boxes { boxes })])
}

/// Changes what the colluding site announced.
fn colluder(
    message: &ToSite,
    scene: &Scene<'_>,
    public: impl FnOnce(&[Announcement]) -> [u8; 32],
) -> Option<Vec<Frame>> {
    bundle(message, scene, |all| {
        let public = public(all);
        if let Some(last) = all.pop() {
            all.push(signed(last, public, scene.colluder));
        }
    })
}

const fn keys(name: &'static str, does: &'static str, lie: Lie) -> Attack {
    Attack { name, does, rule: "run.epoch", whom: Whom::Target, after: After::NewKeys, lie }
}

pub(super) const ATTACKS: &[Attack] = &[
    keys(
        "swapped key",
        "a key of the coordinator's in a peer's signed announcement",
        Lie::Message(|message, scene| bundle(message, scene, |all| all[0].public = other_key())),
    ),
    keys(
        "man in the middle",
        "a peer's announcement with the coordinator's key and signature",
        Lie::Message(|message, scene| {
            bundle(message, scene, |all| all[0] = signed(all[0].clone(), other_key(), scene.identity))
        }),
    ),
    keys(
        "repeated key",
        "a colluding site announces the key of another site, signed",
        Lie::Message(|message, scene| colluder(message, scene, |all| all[0].public)),
    ),
    keys(
        "low-order key",
        "a colluding site announces a key of zeros, signed",
        Lie::Message(|message, scene| colluder(message, scene, |_| [0; 32])),
    ),
    keys(
        "missing site",
        "a bundle without one site",
        Lie::Message(|message, scene| bundle(message, scene, |all| all.truncate(all.len() - 1))),
    ),
    keys(
        "extra site",
        "a bundle with one announcement more",
        Lie::Message(|message, scene| {
            bundle(message, scene, |all| {
                let more = Announcement { site: all.len() as u16, ..all[0].clone() };
                all.push(signed(more, other_key(), scene.colluder));
            })
        }),
    ),
    keys(
        "sites exchanged",
        "two peers stand in each other's place",
        Lie::Message(|message, scene| bundle(message, scene, |all| all.swap(0, 2))),
    ),
    keys(
        "own key replaced",
        "the site's own announcement is not what it said",
        Lie::Message(|message, scene| bundle(message, scene, |all| all[1].nonce = [7; 32])),
    ),
    Attack {
        whom: Whom::Everybody,
        ..keys(
            "two bundles",
            "with a colluding site's signatures: the first site gets another bundle than the rest, each valid",
            Lie::Message(|message, scene| {
                let ToSite::Bundle { .. } = message else { return None };
                match scene.site {
                    0 => colluder(message, scene, |_| other_key()),
                    _ => Some(vec![scene.say(message)]),
                }
            }),
        )
    },
    keys(
        "box for somebody else",
        "one site's share for a third site in place of the share for this one",
        Lie::Message(|message, scene| {
            boxes(message, scene, |all| {
                let other = all.iter().find(|b| (b.from, b.to) == (0, 2)).map(|b| b.bytes.clone());
                if let (Some(bytes), Some(own)) = (other, all.iter_mut().find(|b| (b.from, b.to) == (0, 1))) {
                    own.bytes = bytes;
                }
            })
        }),
    ),
    keys(
        "missing box",
        "one share is held back",
        Lie::Message(|message, scene| boxes(message, scene, |all| drop(all.pop()))),
    ),
    keys(
        "confirmation exchanged",
        "one site's confirmation in place of another's",
        Lie::Message(|message, scene| {
            let ToSite::Confirmations { confirmations } = message else { return None };
            let mut confirmations = confirmations.clone();
            confirmations[0] = confirmations[2].clone();
            Some(vec![scene.say(&ToSite::Confirmations { confirmations })])
        }),
    ),
    Attack {
        rule: "run.stale_epoch",
        after: After::GoesOn,
        ..keys(
            "epoch again",
            "the number of the running epoch is announced as a new one",
            Lie::Message(|message, scene| match message {
                ToSite::RoundOpen(open) if open.round == 2 => {
                    Some(vec![scene.say(&scene.epoch_open(open.epoch)), scene.say(message)])
                }
                _ => None,
            }),
        )
    },
];
