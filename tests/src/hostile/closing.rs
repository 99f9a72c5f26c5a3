//! Lies about the end of a run.

use secagg::Digest;
use study::message::{Closed, Finished, ToSite};

use super::attack::{After, Attack, Frame, Lie, Scene, Whom};

/// The end of the run with another word of the last site; then the honest end.
fn closed(message: &ToSite, scene: &Scene<'_>, change: impl FnOnce(Finished) -> Finished) -> Option<Vec<Frame>> {
    let ToSite::Closed(closed) = message else { return None };
    let mut other = Closed::clone(closed);
    let last = other.finished.pop()?;
    other.finished.push(change(last));
    let other = Box::new(other.signed(scene.identity, &scene.run));
    Some(vec![scene.say(&ToSite::Closed(other)), scene.say(message)])
}

const fn end(name: &'static str, does: &'static str, rule: &'static str, lie: Lie) -> Attack {
    Attack { name, does, rule, whom: Whom::Target, after: After::GoesOn, lie }
}

pub(super) const ATTACKS: &[Attack] = &[
    end(
        "release before the end",
        "the release is asked for in the second round",
        "run.unexpected",
        Lie::Message(|message, scene| {
            matches!(message, ToSite::RoundOpen(open) if open.round == 2)
                .then(|| vec![scene.say(&ToSite::SendRelease), scene.say(message)])
        }),
    ),
    end(
        "end before the end",
        "an end without any site's signature in the second round",
        "run.unexpected",
        Lie::Message(|message, scene| match message {
            ToSite::RoundOpen(open) if open.round == 2 => {
                let end = Closed { finished: Vec::new(), head: open.head, signature: open.signature };
                let end = Box::new(end.signed(scene.identity, &scene.run));
                Some(vec![scene.say(&ToSite::Closed(end)), scene.say(message)])
            }
            _ => None,
        }),
    ),
    end(
        "forged end",
        "an end in which a site is said to have other results",
        "run.signature",
        Lie::Message(|message, scene| {
            closed(message, scene, |last| Finished { results: Digest::of(b"other results"), ..last })
        }),
    ),
    Attack {
        after: After::Ends,
        ..end(
            "other results at the end",
            "an end in which a colluding site signs other results",
            "run.other_results",
            Lie::Message(|message, scene| {
                closed(message, scene, |last| {
                    let other = Finished { results: Digest::of(b"other results"), ..last };
                    other.signed(scene.colluder, &scene.run)
                })
            }),
        )
    },
    end(
        "finished manifest opened again",
        "a new epoch of a run that is over",
        "run.closed",
        Lie::Message(|message, scene| {
            let ToSite::Closed(_) = message else { return None };
            Some(vec![scene.say(message), scene.say(&scene.epoch_open(1_000))])
        }),
    ),
];
