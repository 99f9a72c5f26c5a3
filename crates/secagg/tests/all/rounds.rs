//! Masks cancel, seals hide, and an altered sum does not open.

use std::ops::Range;

use chacha20::ChaCha20Rng;
use rand_core::Rng;
use secagg::{Digest, Epoch, LengthError, Masked, OpenError, open_unsealed};

use crate::federation::{epochs, seeded};

const Q: Digest = Digest([0x51; 32]);

fn random_words(rng: &mut ChaCha20Rng, count: usize) -> Vec<i128> {
    // Well inside the range, so that the sum of 100 does not wrap.
    let word = |rng: &mut ChaCha20Rng| i128::from(rng.next_u64().cast_signed()) << 40;
    (0..count).map(|_| word(rng)).collect()
}

/// The answers of all sites and the sum of what they hold.
fn answers(epochs: &[Epoch], words: usize, sealed: &[Range<usize>]) -> (Vec<Masked>, Vec<i128>) {
    let mut rng = seeded(5);
    let mut truth = vec![0; words];
    let answers = epochs
        .iter()
        .map(|epoch| {
            let x = random_words(&mut rng, words);
            for (sum, word) in truth.iter_mut().zip(&x) {
                *sum += word;
            }
            epoch.mask(&mut rng, Q, &x, sealed)
        })
        .collect();
    (answers, truth)
}

fn total<'a>(answers: impl IntoIterator<Item = &'a Masked>) -> Masked {
    let mut answers = answers.into_iter();
    let mut sum = answers.next().unwrap().clone();
    for answer in answers {
        sum.add(answer).unwrap();
    }
    sum
}

#[test]
fn masks_cancel_for_any_number_of_sites() {
    for (sites, words) in [(2, 1000), (3, 1000), (5, 257), (45, 256), (100, 7)] {
        let epochs = epochs(sites);
        let sealed = [1..3, 5..words];
        let (answers, truth) = answers(&epochs, words, &sealed);
        let sum = total(&answers);
        for epoch in &epochs {
            let opened = epoch.open(Q, &sum, &sealed).unwrap();
            assert_eq!(opened.words, truth);
        }
        let read = open_unsealed(&sum, &sealed);
        for (position, word) in read.into_iter().enumerate() {
            let hidden = sealed.iter().any(|range| range.contains(&position));
            assert_eq!(word, (!hidden).then_some(truth[position]));
        }
    }
}

#[test]
fn a_vector_of_no_words_still_carries_a_check() {
    let epochs = epochs(2);
    let (answers, _) = answers(&epochs, 0, &[]);
    let sum = total(&answers);
    assert_eq!(epochs[1].open(Q, &sum, &[]).unwrap().words, []);
    assert_eq!(epochs[1].open(Digest([0; 32]), &sum, &[]), Err(OpenError::Check));
}

#[test]
fn the_order_of_arrival_changes_no_bit() {
    let epochs = epochs(5);
    let (answers, _) = answers(&epochs, 40, &[]);
    let forward = total(&answers);
    let backward = total(answers.iter().rev());
    let mut shuffled = Masked::zero(40);
    for i in [3, 0, 4, 2, 1] {
        shuffled.add(&answers[i]).unwrap();
    }
    assert_eq!(forward, backward);
    assert_eq!(forward, shuffled);
    assert_eq!(forward.digest(), shuffled.digest());
}

#[test]
fn all_sites_open_the_same_digest_and_the_salt_is_in_it() {
    let epochs = epochs(3);
    let x = [1, 2, 3];
    let open = |salt| {
        let sum = total(&[
            epochs[0].mask_salted(Q, &x, salt, &[]),
            epochs[1].mask_salted(Q, &x, 0, &[]),
            epochs[2].mask_salted(Q, &x, 0, &[]),
        ]);
        let digests: Vec<_> = epochs.iter().map(|epoch| epoch.open(Q, &sum, &[]).unwrap().digest()).collect();
        assert!(digests.iter().all(|digest| *digest == digests[0]));
        digests[0]
    };
    assert_eq!(open(7), open(7));
    assert_ne!(open(7), open(8));
    assert_ne!(epochs[0].draw_salt(&mut seeded(1)), 0);
    assert_eq!(epochs[1].draw_salt(&mut seeded(1)), 0);
}

/// Whether any site accepts a sum that `alter` changed.
fn opens(epochs: &[Epoch], sum: &Masked, alter: impl FnOnce(&mut Masked)) -> bool {
    let mut altered = sum.clone();
    alter(&mut altered);
    epochs.iter().any(|epoch| epoch.open(Q, &altered, &sealed()).is_ok())
}

/// Words 4, 5 and 6 of a vector.
fn sealed() -> Vec<Range<usize>> {
    [4..7].into()
}

#[test]
fn an_altered_sum_does_not_open() {
    let epochs = epochs(3);
    let (answers, _) = answers(&epochs, 10, &sealed());
    let sum = total(&answers);
    assert!(opens(&epochs, &sum, |_| ()));
    for delta in [1, u128::MAX, 1 << 64, 1 << 127, 0x1234_5678] {
        for l in 0..10 {
            assert!(!opens(&epochs, &sum, |s| s.words[l] = s.words[l].wrapping_add(delta)));
        }
        assert!(!opens(&epochs, &sum, |s| s.salt = s.salt.wrapping_add(delta)));
    }
    for limb in 0..4 {
        for bit in [0, 31, 63] {
            assert!(!opens(&epochs, &sum, |s| s.check[limb] ^= 1 << bit));
        }
    }
    // Two changes that cancel in the plain sum of all words.
    assert!(!opens(&epochs, &sum, |s| {
        s.words[0] = s.words[0].wrapping_add(1);
        s.words[1] = s.words[1].wrapping_sub(1);
    }));
    assert!(!opens(&epochs, &sum, |s| {
        s.words[0] = s.words[0].wrapping_add(1 << 127);
        s.words[1] = s.words[1].wrapping_add(1 << 127);
    }));
    assert!(!opens(&epochs, &sum, |s| s.words.swap(0, 1)));
}

#[test]
fn a_sum_without_one_site_or_with_one_twice_does_not_open() {
    let epochs = epochs(3);
    let (answers, _) = answers(&epochs, 10, &sealed());
    let partial = total(&answers[..2]);
    let doubled = total(answers.iter().chain([&answers[0]]));
    for epoch in &epochs {
        assert_eq!(epoch.open(Q, &partial, &sealed()), Err(OpenError::Check));
        assert_eq!(epoch.open(Q, &doubled, &sealed()), Err(OpenError::Check));
    }
}

#[test]
fn zeros_can_be_neither_cut_off_nor_appended() {
    // Zero words contribute nothing to the check word, and the coordinator knows where unsealed zeros are.
    let epochs = epochs(2);
    let zeros = [0; 8];
    let answers = [0, 1].map(|i| epochs[i].mask(&mut seeded(1), Q, &zeros, &[]));
    let sum = total(&answers);
    assert!(epochs[0].open(Q, &sum, &[]).is_ok());
    let mut shorter = sum.clone();
    shorter.words.pop();
    let mut longer = sum;
    longer.words.push(0);
    assert_eq!(epochs[0].open(Q, &shorter, &[]), Err(OpenError::Check));
    assert_eq!(epochs[0].open(Q, &longer, &[]), Err(OpenError::Check));
}

#[test]
fn a_sum_shorter_than_the_layout_is_refused() {
    let epochs = epochs(2);
    let sealed = [5..9];
    assert_eq!(epochs[0].open(Q, &Masked::zero(8), &sealed), Err(OpenError::Layout { words: 8 }));
}

#[test]
fn a_sum_opens_for_its_request_and_its_epoch_only() {
    let first = epochs(3);
    let (answers, _) = answers(&first, 10, &sealed());
    let sum = total(&answers);
    let other = Digest([0x52; 32]);
    assert_eq!(first[0].open(other, &sum, &sealed()), Err(OpenError::Check));
    let second = epochs(4);
    assert_eq!(second[0].open(Q, &sum, &sealed()), Err(OpenError::Check));
}

#[test]
fn the_coordinator_sees_no_sealed_word_salt_or_check() {
    let epochs = epochs(2);
    let x = [3; 10];
    let salt = 99;
    let answers = [epochs[0].mask_salted(Q, &x, salt, &sealed()), epochs[1].mask_salted(Q, &x, 0, &sealed())];
    let sum = total(&answers);
    for position in 4..7 {
        assert_ne!(sum.words[position], 6);
    }
    // Equal words under the seal are not equal in the sum.
    assert_ne!(sum.words[4], sum.words[5]);
    assert_ne!(sum.salt, salt);
    assert_eq!(sum.words[3], 6);
    assert_eq!(epochs[1].open(Q, &sum, &sealed()).unwrap().words, [6; 10]);
}

#[test]
fn one_answer_alone_looks_uniform() {
    // Zeros under masks: of 128 d bits about half are set; 6 standard deviations of sqrt(128 d) / 2.
    let epochs = epochs(2);
    let d = 4096;
    for epoch in &epochs {
        let y = epoch.mask(&mut seeded(1), Q, &vec![0; d], &[]);
        let ones: u32 = y.words.iter().map(|word| word.count_ones()).sum();
        let bits = 128.0 * d as f64;
        assert!((f64::from(ones) - bits / 2.0).abs() < 6.0 * bits.sqrt() / 2.0);
        let other = epoch.mask(&mut seeded(1), Digest([0; 32]), &vec![0; d], &[]);
        let repeated = y.words.iter().filter(|word| other.words.contains(word));
        assert_eq!(repeated.count(), 0);
    }
}

#[test]
#[should_panic(expected = "sealed positions are not a layout of 3 words")]
fn a_site_does_not_mask_with_a_seal_beyond_its_words() {
    let epoch = epochs(2).remove(0);
    epoch.mask(&mut seeded(1), Q, &[1, 2, 3], &sealed());
}

#[test]
fn vectors_of_two_lengths_do_not_add() {
    let mut sum = Masked::zero(3);
    assert_eq!(sum.add(&Masked::zero(4)), Err(LengthError { expected: 3, got: 4 }));
    assert_eq!(sum, Masked::zero(3));
}
