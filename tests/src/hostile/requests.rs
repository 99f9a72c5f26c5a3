//! Requests that a site's own plan does not derive.

use std::borrow::Cow;

use secagg::{Digest, SigningIdentity};
use study::layout::{Layout, Segment};
use study::message::{RoundOpen, ToSite};
use study::view::OfModel;

use super::attack::{After, Attack, Frame, Lie, Scene, Whom};

/// The request of a round, changed; then the honest one.
fn first(
    round: u32,
    message: &ToSite,
    scene: &Scene<'_>,
    change: impl FnOnce(RoundOpen) -> Frame,
) -> Option<Vec<Frame>> {
    match message {
        ToSite::RoundOpen(open) if open.round == round => Some(vec![change(open.clone()), scene.say(message)]),
        _ => None,
    }
}

fn with_layout(open: RoundOpen, change: impl Fn(Segment) -> Segment) -> RoundOpen {
    let segments = open.layout.segments().iter().cloned().map(change).collect();
    RoundOpen { layout: Layout::new(segments), ..open }
}

const fn request(name: &'static str, does: &'static str, rule: &'static str, lie: Lie) -> Attack {
    Attack { name, does, rule, whom: Whom::Target, after: After::GoesOn, lie }
}

pub(super) const ATTACKS: &[Attack] = &[
    request(
        "other coefficients for one site",
        "another request digest: questions with other parameters",
        "run.not_the_plan",
        Lie::Message(|message, scene| {
            first(3, message, scene, |open| {
                scene.ask(RoundOpen { q0: Digest::of(b"the same questions at other coefficients"), ..open })
            })
        }),
    ),
    request(
        "same round, other question",
        "after the round was answered, the same round with another question",
        "run.not_the_plan",
        Lie::Message(|message, scene| match message {
            ToSite::RoundOpen(open) if open.round == 2 => {
                let other = RoundOpen { q0: Digest::of(b"another question"), ..open.clone() };
                Some(vec![scene.say(message), scene.ask(other)])
            }
            _ => None,
        }),
    ),
    request(
        "unsealed words",
        "a layout in which the coordinator opens what is sealed",
        "run.not_the_plan",
        Lie::Message(|message, scene| {
            first(1, message, scene, |open| {
                scene.ask(with_layout(open, |segment| Segment { sealed: false, ..segment }))
            })
        }),
    ),
    request(
        "sums of another model",
        "a layout that says that every sum is of the first model",
        "run.not_the_plan",
        Lie::Message(|message, scene| {
            first(2, message, scene, |open| {
                let of = OfModel { model: 0, columns: [].into(), transform: None, shortened: None };
                scene.ask(with_layout(open, |segment| Segment { of: Some(of.clone()), ..segment }))
            })
        }),
    ),
    request(
        "unknown question",
        "a layout that names a kind of question that there is not",
        "run.not_the_plan",
        Lie::Message(|message, scene| {
            first(2, message, scene, |open| {
                scene.ask(with_layout(open, |segment| Segment { kind: Cow::Borrowed("Rows"), ..segment }))
            })
        }),
    ),
    request(
        "huge claimed answer",
        "a layout that claims as many words as fit its field",
        "run.not_the_plan",
        Lie::Message(|message, scene| {
            first(2, message, scene, |open| {
                scene.ask(with_layout(open, |segment| Segment { words: u32::MAX, ..segment }))
            })
        }),
    ),
    request(
        "round ahead",
        "the request of a round that is not next",
        "run.not_the_plan",
        Lie::Message(|message, scene| {
            first(2, message, scene, |open| scene.ask(RoundOpen { round: open.round + 1, ..open }))
        }),
    ),
    request(
        "old request again",
        "the first round's request, as it was signed, in the third round",
        "run.not_the_plan",
        Lie::Message(|message, scene| {
            let old = scene.past.said.iter().find(|said| matches!(said, ToSite::RoundOpen(open) if open.round == 1))?;
            first(3, message, scene, |_| scene.say(old))
        }),
    ),
    request(
        "stale epoch",
        "a request for the keys of an earlier epoch",
        "run.stale_epoch",
        Lie::Message(|message, scene| {
            first(2, message, scene, |open| scene.ask(RoundOpen { epoch: open.epoch - 1, ..open }))
        }),
    ),
    request(
        "request by another key",
        "a request that somebody else signed",
        "run.signature",
        Lie::Message(|message, scene| {
            first(2, message, scene, |open| {
                let stranger = SigningIdentity::from_bytes(&[9; 32]);
                scene.say(&ToSite::RoundOpen(open.signed(&stranger, &scene.run)))
            })
        }),
    ),
    request(
        "request of another run",
        "a request that is signed for another manifest",
        "run.signature",
        Lie::Message(|message, scene| {
            first(2, message, scene, |open| {
                let other = Digest::of(b"another manifest");
                scene.say(&ToSite::RoundOpen(open.signed(scene.identity, &other)))
            })
        }),
    ),
    request(
        "another past",
        "a request in which the sites saw another request before",
        "run.witness",
        Lie::Message(|message, scene| {
            first(2, message, scene, |mut open| {
                for witness in open.witnesses.iter_mut().flatten() {
                    witness.witnessed = Digest::of(b"another request");
                }
                scene.ask(open)
            })
        }),
    ),
    request(
        "forged ledger head",
        "a request that repeats another head of the site's ledger than it said",
        "run.witness",
        Lie::Message(|message, scene| {
            first(2, message, scene, |mut open| {
                if let Some(Some(own)) = open.witnesses.get_mut(usize::from(scene.site)) {
                    own.head = Digest::of(b"another ledger");
                }
                scene.ask(open)
            })
        }),
    ),
    request(
        "witness left out",
        "a request that leaves one site's word out",
        "run.witness",
        Lie::Message(|message, scene| {
            first(2, message, scene, |mut open| {
                open.witnesses.pop();
                scene.ask(open)
            })
        }),
    ),
];
