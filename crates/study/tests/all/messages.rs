//! Signed messages: each field counts, and no signature serves for another message.

use secagg::{Digest, Masked, Signature, SignatureError};
use study::layout::{Layout, Segment};
use study::message::{Answer, Closed, Finished, ModelCounts, Next, RoundOpen, RoundResult};
use study::view::{Column, OfModel};

use crate::sample::identity;

const MANIFEST: Digest = Digest([1; 32]);
const Q0: Digest = Digest([2; 32]);

fn masked() -> Masked {
    let mut masked = Masked::zero(3);
    masked.words = vec![1, 2, 3];
    masked
}

fn layout() -> Layout {
    let columns = [Column::Kept { unit: 4.0 }].into();
    let of = OfModel { model: 2, columns, transform: None, shortened: Some(0.5) };
    let segment = |kind: &'static str, sealed: bool| Segment {
        kind: kind.into(),
        sealed,
        words: 3,
        of: (!sealed).then(|| of.clone()),
    };
    Layout::new(vec![segment("Flow", true), segment("LogisticStep", false)])
}

fn next() -> Next {
    Next {
        epoch: 4,
        round: 5,
        q0: Q0,
        layout: layout(),
        counts: ModelCounts { models: 3, fitted: 2, failed: 1 },
        head: Digest([4; 32]),
        witnessed: Digest([5; 32]),
        signature: Signature([0; 64]),
    }
    .signed(&identity(1), &MANIFEST)
}

fn open() -> RoundOpen {
    let Next { epoch, round, q0, layout, counts, .. } = next();
    let (head, witnesses) = (Digest([6; 32]), vec![None, Some(next().witness()), None]);
    RoundOpen { epoch, round, q0, layout, counts, head, witnesses, signature: Signature([0; 64]) }
        .signed(&identity(9), &MANIFEST)
}

#[test]
fn a_request_is_for_its_run_epoch_round_questions_and_past() {
    let open = open();
    let key = identity(9).public();
    assert_eq!(open.verify(&key, &MANIFEST), Ok(()));
    assert_eq!(open.verify(&identity(1).public(), &MANIFEST), Err(SignatureError));
    assert_eq!(open.verify(&key, &Q0), Err(SignatureError));
    let changes: [fn(&mut RoundOpen); 10] = [
        |o| o.epoch += 1,
        |o| o.round += 1,
        |o| o.q0 = Digest([3; 32]),
        |o| o.layout = Layout::default(),
        |o| o.counts.fitted += 1,
        |o| o.head = Digest([3; 32]),
        |o| o.witnesses[1] = None,
        |o| o.witnesses.swap(0, 1),
        |o| o.witnesses[1].as_mut().unwrap().head = Digest([3; 32]),
        |o| o.witnesses[1].as_mut().unwrap().witnessed = Digest([3; 32]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut changed = open.clone();
        change(&mut changed);
        assert_eq!(changed.verify(&key, &MANIFEST), Err(SignatureError), "change {i}");
    }
}

#[test]
fn what_comes_next_is_signed_with_its_layout_and_stands_in_the_request() {
    let key = identity(1).public();
    assert_eq!(next().verify(&key, &MANIFEST), Ok(()));
    assert_eq!(open().next_of(1), Some(next()));
    assert_eq!((open().next_of(0), open().next_of(7)), (None, None));
    let changes: [fn(&mut Next); 7] = [
        |n| n.epoch += 1,
        |n| n.round += 1,
        |n| n.q0 = Digest([3; 32]),
        |n| n.layout = Layout::default(),
        |n| n.counts.failed += 1,
        |n| n.head = Digest([3; 32]),
        |n| n.witnessed = Digest([3; 32]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut changed = next();
        change(&mut changed);
        assert_eq!(changed.verify(&key, &MANIFEST), Err(SignatureError), "change {i}");
    }
    let borrowed = Next { signature: open().signed(&identity(1), &MANIFEST).signature, ..next() };
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
    assert_eq!(result.proof().verify(&key), Ok(()));
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
        assert_eq!(changed.proof().verify(&key), Err(SignatureError), "change {i}");
    }
}

#[test]
fn the_end_is_signed_for_one_run() {
    let finished = Finished {
        results: Q0,
        release: Digest([4; 32]),
        counts: ModelCounts::default(),
        head: Digest([5; 32]),
        witnessed: Digest([6; 32]),
        signature: Signature([0; 64]),
    };
    let finished = finished.signed(&identity(1), &MANIFEST);
    let key = identity(1).public();
    assert_eq!(finished.verify(&key, &MANIFEST), Ok(()));
    assert_eq!(finished.verify(&key, &Digest([3; 32])), Err(SignatureError));
    let changes: [fn(&mut Finished); 5] = [
        |f| f.results = Digest([3; 32]),
        |f| f.release = Digest([3; 32]),
        |f| f.counts.models += 1,
        |f| f.head = Digest([3; 32]),
        |f| f.witnessed = Digest([3; 32]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut changed = finished.clone();
        change(&mut changed);
        assert_eq!(changed.verify(&key, &MANIFEST), Err(SignatureError), "change {i}");
    }
    let closed = Closed { finished: vec![finished; 3], head: Digest([7; 32]), signature: Signature([0; 64]) };
    let closed = closed.signed(&identity(9), &MANIFEST);
    assert_eq!(closed.verify(&identity(9).public(), &MANIFEST), Ok(()));
    let fewer = Closed { finished: closed.finished[..2].to_vec(), ..closed };
    assert_eq!(fewer.verify(&identity(9).public(), &MANIFEST), Err(SignatureError));
}
