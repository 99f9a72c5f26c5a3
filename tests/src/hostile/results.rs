//! Sums that are not the sum over all sites.

use secagg::{Digest, Masked, SigningIdentity};
use study::message::{RoundResult, ToSite};

use super::attack::{After, Attack, Frame, Lie, Scene, Whom};

/// The result of the second round, changed and signed by the coordinator.
fn changed(message: &ToSite, scene: &Scene<'_>, change: impl FnOnce(&mut RoundResult)) -> Option<Vec<Frame>> {
    match message {
        ToSite::RoundResult(result) if result.round == 2 => {
            let mut result = result.clone();
            change(&mut result);
            Some(vec![scene.sum(result)])
        }
        _ => None,
    }
}

/// What the first site added, taken out of a sum again.
fn without_first_site(result: &mut RoundResult, scene: &Scene<'_>) {
    let first = scene.past.answers.iter().rev().find(|(site, answer)| *site == 0 && answer.round == result.round);
    let Some((_, answer)) = first else { return };
    let Masked { words, salt, check } = &answer.masked;
    for (sum, word) in result.sum.words.iter_mut().zip(words) {
        *sum = sum.wrapping_sub(*word);
    }
    result.sum.salt = result.sum.salt.wrapping_sub(*salt);
    let mut borrowed = false;
    for (sum, limb) in result.sum.check.iter_mut().zip(check) {
        let (less, first) = sum.overflowing_sub(*limb);
        let (less, second) = less.overflowing_sub(u64::from(borrowed));
        *sum = less;
        borrowed = first || second;
    }
}

/// Exchanges two words that only sites may open.
fn swap_sealed(message: &ToSite, scene: &Scene<'_>) -> Option<Vec<Frame>> {
    let ToSite::RoundResult(result) = message else { return None };
    let asked = scene.asked().filter(|open| open.round == result.round)?;
    let range = asked.layout.ranges().find(|(segment, range)| segment.sealed && range.len() > 1).map(|(_, r)| r)?;
    let mut result = result.clone();
    result.sum.words.swap(range.start, range.start + 1);
    Some(vec![scene.sum(result)])
}

const fn sum(name: &'static str, does: &'static str, lie: Lie) -> Attack {
    Attack { name, does, rule: "run.sum", whom: Whom::Target, after: After::Ends, lie }
}

pub(super) const ATTACKS: &[Attack] = &[
    sum(
        "wrong sum",
        "one added to one word",
        Lie::Message(|message, scene| changed(message, scene, |r| r.sum.words[0] = r.sum.words[0].wrapping_add(1))),
    ),
    Attack {
        whom: Whom::Everybody,
        ..sum(
            "same wrong sum for all",
            "one added to one word, at every site alike",
            Lie::Message(|message, scene| changed(message, scene, |r| r.sum.words[0] = r.sum.words[0].wrapping_add(1))),
        )
    },
    sum(
        "highest bit of a word",
        "2^127 added to a word, which a check in Z_2^128 could miss",
        Lie::Message(|message, scene| changed(message, scene, |r| r.sum.words[0] ^= 1 << 127)),
    ),
    sum(
        "check word by 2^127",
        "2^127 added to the check word",
        Lie::Message(|message, scene| changed(message, scene, |r| r.sum.check[1] ^= 1 << 63)),
    ),
    sum(
        "check word by 2^255",
        "2^255 added to the check word",
        Lie::Message(|message, scene| changed(message, scene, |r| r.sum.check[3] ^= 1 << 63)),
    ),
    sum("sealed words exchanged", "two words that the coordinator cannot read", Lie::Message(swap_sealed)),
    sum(
        "salt changed",
        "one bit of the salt word",
        Lie::Message(|message, scene| changed(message, scene, |r| r.sum.salt ^= 1)),
    ),
    sum(
        "roster minus one",
        "the sum without the first site's answer, under all names",
        Lie::Message(|message, scene| changed(message, scene, |r| without_first_site(r, scene))),
    ),
    Attack {
        rule: "run.not_my_answer",
        ..sum(
            "result of fewer sites",
            "the sum without the first site's answer, which is not named",
            Lie::Message(|message, scene| {
                changed(message, scene, |r| {
                    without_first_site(r, scene);
                    r.answers.remove(0);
                })
            }),
        )
    },
    Attack {
        rule: "run.not_my_answer",
        ..sum(
            "another site's answer",
            "the result names another site's answer for this one",
            Lie::Message(|message, scene| changed(message, scene, |r| r.answers[1] = r.answers[0])),
        )
    },
    sum(
        "truncated sum",
        "a sum of one word",
        Lie::Message(|message, scene| changed(message, scene, |r| r.sum.words.truncate(1))),
    ),
    sum(
        "longer sum",
        "a sum with a word of zero behind its end",
        Lie::Message(|message, scene| changed(message, scene, |r| r.sum.words.push(0))),
    ),
    Attack {
        rule: "run.unexpected",
        after: After::GoesOn,
        ..sum(
            "old result again",
            "the second round's result once more in the third",
            Lie::Message(|message, scene| {
                let old = scene.past.said.iter().find(|s| matches!(s, ToSite::RoundResult(r) if r.round == 2))?;
                matches!(message, ToSite::RoundResult(r) if r.round == 3)
                    .then(|| vec![scene.say(old), scene.say(message)])
            }),
        )
    },
    Attack {
        rule: "run.unexpected",
        after: After::GoesOn,
        ..sum(
            "result of another request",
            "the sum under another request's digest",
            Lie::Message(|message, scene| {
                let bad = changed(message, scene, |r| r.q = Digest::of(b"another request"))?;
                Some([bad, vec![scene.say(message)]].concat())
            }),
        )
    },
    Attack {
        rule: "run.signature",
        after: After::GoesOn,
        ..sum(
            "result by another key",
            "a sum that somebody else signed",
            Lie::Message(|message, scene| {
                let ToSite::RoundResult(result) = message else { return None };
                let RoundResult { epoch, round, q, sum, answers, signature: _ } = result.clone();
                let stranger = SigningIdentity::from_bytes(&[9; 32]);
                let bad = RoundResult::sign(&stranger, epoch, round, q, sum, answers);
                Some(vec![scene.say(&ToSite::RoundResult(bad)), scene.say(message)])
            }),
        )
    },
];
