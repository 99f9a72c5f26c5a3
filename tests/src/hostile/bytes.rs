//! Bytes that are no message, or none of this version.

use prost::Message;
use proto::MAX_MESSAGE_BYTES;
use proto::wire::coordinator_message::Content;
use proto::wire::coordinator_run_message::Content as RunContent;
use proto::wire::{CoordinatorMessage, CoordinatorRunMessage};
use study::message::ToSite;

use super::attack::{After, Attack, Frame, Lie, Scene, Whom};

/// Sends `bad` in place of the request of the second round; the connection does not survive it.
fn instead(message: &ToSite, scene: &Scene<'_>, bad: impl FnOnce(Frame) -> Frame) -> Option<Vec<Frame>> {
    match message {
        ToSite::RoundOpen(open) if open.round == 2 => Some(vec![bad(scene.say(message))]),
        _ => None,
    }
}

/// Sends a message with a changed content of the run, then the honest one.
fn before(message: &ToSite, scene: &Scene<'_>, change: impl FnOnce(&mut RunContent) -> bool) -> Option<Vec<Frame>> {
    let mut wire = scene.wire(message);
    let Some(Content::Run(CoordinatorRunMessage { content: Some(content), .. })) = &mut wire.content else {
        return None;
    };
    change(content).then(|| vec![wire.encode_to_vec(), scene.say(message)])
}

const fn undecodable(name: &'static str, does: &'static str, lie: Lie) -> Attack {
    Attack { name, does, rule: "wire.undecodable", whom: Whom::Target, after: After::GoesOn, lie }
}

const fn malformed(name: &'static str, does: &'static str, rule: &'static str, lie: Lie) -> Attack {
    Attack { name, does, rule, whom: Whom::Target, after: After::GoesOn, lie }
}

pub(super) const ATTACKS: &[Attack] = &[
    undecodable(
        "truncated message",
        "half of a request",
        Lie::Message(|message, scene| {
            instead(message, scene, |mut bytes| {
                bytes.truncate(bytes.len() / 2);
                bytes
            })
        }),
    ),
    undecodable(
        "trailing bytes",
        "a request with three bytes behind its end",
        Lie::Message(|message, scene| {
            instead(message, scene, |mut bytes| {
                bytes.extend([0xff; 3]);
                bytes
            })
        }),
    ),
    undecodable(
        "huge claimed length",
        "a field that claims to be a tebibyte long",
        Lie::Message(|message, scene| {
            // field 2, length-delimited, 2^40 as a varint
            instead(message, scene, |_| vec![0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 2, 3])
        }),
    ),
    undecodable(
        "oversized message",
        "a message of one byte more than 64 MiB",
        Lie::Message(|message, scene| instead(message, scene, |_| vec![0; MAX_MESSAGE_BYTES + 1])),
    ),
    malformed(
        "unknown kind of message",
        "a message whose content this version does not know",
        "wire.missing",
        Lie::Message(|message, scene| {
            // field 15, length-delimited, two bytes
            matches!(message, ToSite::RoundOpen(open) if open.round == 2)
                .then(|| vec![vec![0x7a, 2, 1, 2], scene.say(message)])
        }),
    ),
    malformed(
        "no content",
        "an empty message",
        "wire.missing",
        Lie::Message(|message, scene| {
            let empty = CoordinatorMessage { content: None }.encode_to_vec();
            matches!(message, ToSite::RoundOpen(_)).then(|| vec![empty, scene.say(message)])
        }),
    ),
    malformed(
        "word and a half",
        "a sum whose last word has bytes too many",
        "wire.words",
        Lie::Message(|message, scene| {
            before(message, scene, |content| match content {
                RunContent::RoundResult(result) => result.sum.as_mut().is_some_and(|sum| {
                    sum.words = [&sum.words[..], &[0; 7]].concat().into();
                    true
                }),
                _ => false,
            })
        }),
    ),
    malformed(
        "short key",
        "a peer's key of 31 bytes",
        "wire.length",
        Lie::Message(|message, scene| {
            before(message, scene, |content| match content {
                RunContent::Bundle(bundle) => {
                    bundle.announcements[0].public.truncate(31);
                    true
                }
                _ => false,
            })
        }),
    ),
    malformed(
        "impossible site",
        "a box from site 65536",
        "wire.site",
        Lie::Message(|message, scene| {
            before(message, scene, |content| match content {
                RunContent::Boxes(boxes) => {
                    boxes.boxes[0].from = 65_536;
                    true
                }
                _ => false,
            })
        }),
    ),
];
