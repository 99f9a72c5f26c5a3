//! One site's work in a round: masks, check word and opening over 7,000 words.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use secagg::{Announced, Digest, Epoch, Masked, SigningIdentity, decode, encode};

const WORDS: usize = 7_000;
const Q: Digest = Digest([3; 32]);

fn main() {
    divan::main();
}

/// The epochs of all sites.
fn epochs(n: u16) -> Vec<Epoch> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let zero = Digest([0; 32]);
    let identities: Vec<_> = (0..n).map(|_| SigningIdentity::generate(&mut rng)).collect();
    let roster: Vec<_> = identities.iter().map(SigningIdentity::public).collect();
    let (sites, bundle): (Vec<_>, Vec<_>) = (0..n)
        .zip(&identities)
        .map(|(site, identity)| Announced::start(&mut rng, identity, zero, 1, site, zero, zero))
        .unzip();
    let (boxed, boxes): (Vec<_>, Vec<_>) =
        sites.into_iter().map(|site| site.bundle(&mut rng, &roster, &bundle).unwrap()).unzip();
    let boxes = boxes.concat();
    let (confirming, confirmations): (Vec<_>, Vec<_>) =
        boxed.into_iter().zip(&identities).map(|(site, identity)| site.boxes(identity, &boxes).unwrap()).unzip();
    confirming.into_iter().map(|site| site.confirmations(&roster, &confirmations).unwrap()).collect()
}

/// Bytes per second count the key stream of all peers.
#[divan::bench(args = [45, 100])]
fn mask(bencher: Bencher, sites: u16) {
    let epoch = epochs(sites).remove(0);
    let x = vec![1 << 70; WORDS];
    bencher
        .counter(BytesCount::new(16 * WORDS * usize::from(sites - 1)))
        .bench_local(|| epoch.mask_salted(Q, black_box(&x), 5, &[]));
}

#[divan::bench]
fn open(bencher: Bencher) {
    let epochs = epochs(2);
    let x = vec![1 << 70; WORDS];
    let sealed = [0..WORDS / 4, WORDS / 2..WORDS];
    let mut sum = Masked::zero(WORDS);
    for epoch in &epochs {
        sum.add(&epoch.mask_salted(Q, &x, 0, &sealed)).unwrap();
    }
    bencher.counter(BytesCount::new(16 * WORDS)).bench_local(|| epochs[0].open(Q, black_box(&sum), &sealed).unwrap());
}

#[divan::bench]
fn add(bencher: Bencher) {
    let mut sum = Masked::zero(WORDS);
    let other = Masked { words: vec![1 << 100; WORDS], salt: 1, check: [1; 4] };
    bencher.counter(BytesCount::new(16 * WORDS)).bench_local(|| sum.add(black_box(&other)));
}

#[divan::bench]
fn encode_and_decode(bencher: Bencher) {
    let values: Vec<f64> = (0..WORDS).map(|i| 1e-3 * i as f64).collect();
    bencher
        .counter(divan::counter::ItemsCount::new(WORDS))
        .bench_local(|| black_box(&values).iter().map(|value| decode(encode(*value, 1e6).unwrap())).sum::<f64>());
}

/// The whole key agreement of all sites, in one thread.
#[divan::bench(args = [45], sample_count = 3, sample_size = 1)]
fn agreement(sites: u16) -> usize {
    epochs(sites).len()
}
