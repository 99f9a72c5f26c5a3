//! Signed messages: each field counts, and no signature serves for another message.

use secagg::{Digest, Masked, SignatureError};
use study::message::{Answer, Finished, Next, RoundOpen, RoundResult};

use crate::sample::identity;

const MANIFEST: Digest = Digest([1; 32]);
const Q0: Digest = Digest([2; 32]);

fn masked() -> Masked {
    let mut masked = Masked::zero(3);
    masked.words = vec![1, 2, 3];
    masked
}

#[test]
fn a_request_is_for_its_run_epoch_round_and_questions() {
    let open = RoundOpen::sign(&identity(9), &MANIFEST, 4, 5, Q0);
    let key = identity(9).public();
    assert_eq!(open.verify(&key, &MANIFEST), Ok(()));
    assert_eq!(open.verify(&identity(1).public(), &MANIFEST), Err(SignatureError));
    assert_eq!(open.verify(&key, &Q0), Err(SignatureError));
    let changes: [fn(&mut RoundOpen); 3] = [|o| o.epoch += 1, |o| o.round += 1, |o| o.q0 = Digest([3; 32])];
    for change in changes {
        let mut changed = open.clone();
        change(&mut changed);
        assert_eq!(changed.verify(&key, &MANIFEST), Err(SignatureError));
    }
}

#[test]
fn what_comes_next_is_signed_with_its_length() {
    let next = Next::sign(&identity(1), &MANIFEST, 4, 5, Q0, 6);
    let key = identity(1).public();
    assert_eq!(next.verify(&key, &MANIFEST), Ok(()));
    let changes: [fn(&mut Next); 4] =
        [|n| n.epoch += 1, |n| n.round += 1, |n| n.words += 1, |n| n.q0 = Digest([3; 32])];
    for change in changes {
        let mut changed = next.clone();
        change(&mut changed);
        assert_eq!(changed.verify(&key, &MANIFEST), Err(SignatureError));
    }
    let open = RoundOpen::sign(&identity(1), &MANIFEST, 4, 5, Q0);
    let borrowed = Next { signature: open.signature, ..next };
    assert_eq!(borrowed.verify(&key, &MANIFEST), Err(SignatureError));
}

#[test]
fn an_answer_is_signed_over_its_words() {
    let (answer, words) = Answer::sign(&identity(1), 4, 5, Q0, masked());
    let key = identity(1).public();
    assert_eq!(words, masked().digest());
    assert_eq!(Answer::verify_digest(&key, &Q0, &words, &answer.signature), Ok(()));
    let other = Digest([3; 32]);
    assert_eq!(Answer::verify_digest(&key, &other, &words, &answer.signature), Err(SignatureError));
    assert_eq!(Answer::verify_digest(&key, &Q0, &other, &answer.signature), Err(SignatureError));
}

#[test]
fn a_result_is_signed_with_every_answer() {
    let (answer, words) = Answer::sign(&identity(1), 4, 5, Q0, masked());
    let answers = vec![(words, answer.signature); 3];
    let result = RoundResult::sign(&identity(9), 4, 5, Q0, masked(), answers);
    let key = identity(9).public();
    assert_eq!(result.verify(&key), Ok(()));
    let changes: [fn(&mut RoundResult); 9] = [
        |r| r.epoch += 1,
        |r| r.round += 1,
        |r| r.q = Digest([3; 32]),
        |r| r.sum.words[2] += 1,
        |r| r.sum.salt += 1,
        |r| r.sum.check[0] += 1,
        |r| r.answers[1].0 = Digest([3; 32]),
        |r| r.answers[1].1.0[0] ^= 1,
        |r| r.answers.truncate(2),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut changed = result.clone();
        change(&mut changed);
        assert_eq!(changed.verify(&key), Err(SignatureError), "change {i}");
    }
}

#[test]
fn the_end_is_signed_for_one_run() {
    let finished = Finished::sign(&identity(1), &MANIFEST, Q0);
    let key = identity(1).public();
    assert_eq!(finished.verify(&key, &MANIFEST), Ok(()));
    assert_eq!(finished.verify(&key, &Digest([3; 32])), Err(SignatureError));
    let other = Finished { results: Digest([3; 32]), ..finished };
    assert_eq!(other.verify(&key, &MANIFEST), Err(SignatureError));
}
