//! What masks and signatures cost: time and bytes for 45 and 100 sites, on one thread. Prints the tables of
//! docs/architecture.md: `cargo run -p entente-tests --example cost`.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use prost::Message;
use proto::{FromAgent, ToAgent, wire};
use secagg::{Announced, Announcement, Confirmation, Digest, Epoch, Masked, SealedBox, Signature, SigningIdentity};
use study::layout::{Layout, Segment};
use study::message::{Answer, FromSite, ModelCounts, Next, RoundOpen, RoundResult, ToSite};

const RUN: Digest = Digest([3; 32]);
/// Words that are copied to measure the memory: beyond every cache.
const COPIED: usize = 1 << 24;

/// The fastest of all times within a second; what else runs on the machine only ever adds.
fn fastest<T>(mut act: impl FnMut() -> T) -> Duration {
    let (begun, mut fastest) = (Instant::now(), Duration::MAX);
    while begun.elapsed() < Duration::from_secs(1) {
        let begun = Instant::now();
        black_box(act());
        fastest = fastest.min(begun.elapsed());
    }
    fastest
}

fn micros(time: Duration) -> f64 {
    1e6 * time.as_secs_f64()
}

fn from_site(message: FromSite) -> usize {
    wire::SiteMessage::from(FromAgent::Run { run: RUN, message }).encoded_len()
}

fn to_site(message: ToSite) -> usize {
    wire::CoordinatorMessage::from(ToAgent::Run { run: RUN, message }).encoded_len()
}

/// All sites after a key agreement, what was said, and how long each step took over all sites.
struct Agreement {
    identities: Vec<SigningIdentity>,
    epochs: Vec<Epoch>,
    bundle: Vec<Announcement>,
    boxes: Vec<SealedBox>,
    confirmations: Vec<Confirmation>,
    took: Duration,
}

impl Agreement {
    fn of(sites: u16) -> Agreement {
        let (mut rng, zero) = (UnwrapErr(SysRng), Digest([0; 32]));
        let identities: Vec<_> = (0..sites).map(|_| SigningIdentity::generate(&mut rng)).collect();
        let roster: Vec<_> = identities.iter().map(SigningIdentity::public).collect();
        let begun = Instant::now();
        let announced = (0..sites).zip(&identities);
        let (announced, bundle): (Vec<_>, Vec<_>) =
            announced.map(|(site, identity)| Announced::start(&mut rng, identity, RUN, 1, site, zero, zero)).unzip();
        let boxed = announced.into_iter().map(|site| site.bundle(&mut rng, &roster, &bundle).expect("a bundle"));
        let (boxed, boxes): (Vec<_>, Vec<_>) = boxed.unzip();
        let boxes = boxes.concat();
        let confirming = boxed.into_iter().zip(&identities);
        let confirming = confirming.map(|(site, identity)| site.boxes(identity, &boxes).expect("boxes"));
        let (confirming, confirmations): (Vec<_>, Vec<_>) = confirming.unzip();
        let epochs = confirming.into_iter().map(|site| site.confirmations(&roster, &confirmations).expect("agreed"));
        let epochs = epochs.collect();
        Agreement { identities, epochs, bundle, boxes, confirmations, took: begun.elapsed() }
    }

    /// The fastest of three.
    fn fastest(sites: u16) -> Agreement {
        let again = (0..2).map(|_| Agreement::of(sites));
        again.fold(Agreement::of(sites), |best, other| if other.took < best.took { other } else { best })
    }

    fn sites(&self) -> usize {
        self.epochs.len()
    }

    /// Bytes that a site sends and gets in one key agreement.
    fn bytes(&self) -> (usize, usize) {
        let own: Vec<SealedBox> = self.boxes.iter().filter(|b| b.from == 0).cloned().collect();
        let sent = from_site(FromSite::Announcement(self.bundle[0].clone()))
            + from_site(FromSite::Boxes { epoch: 1, boxes: own })
            + from_site(FromSite::Confirmation { epoch: 1, confirmation: self.confirmations[0].clone() });
        let got = to_site(ToSite::EpochOpen { epoch: 1, known: Digest([0; 32]) })
            + to_site(ToSite::Bundle { announcements: self.bundle.clone() })
            + to_site(ToSite::Boxes { boxes: self.boxes.clone() })
            + to_site(ToSite::Confirmations { confirmations: self.confirmations.clone() });
        (sent, got)
    }
}

/// One round of so many words between a site and the coordinator.
struct Round {
    next: Next,
    open: RoundOpen,
    answer: Answer,
    result: RoundResult,
}

impl Round {
    fn of(agreement: &Agreement, words: usize) -> Round {
        let (site, coordinator) = (&agreement.identities[0], &agreement.identities[1]);
        // as many kinds of questions as the reference study asks in one round
        let kinds = 12;
        let segment = |i: usize| Segment {
            kind: Cow::Borrowed("CoxEventCells"),
            sealed: i.is_multiple_of(2),
            words: (words / kinds) as u32,
            of: None,
        };
        let layout = Layout::new((0..kinds).map(segment).collect());
        let (zero, unsigned) = (Digest([0; 32]), Signature([0; 64]));
        let counts = ModelCounts { models: 56, fitted: 12, failed: 0 };
        let next = Next {
            epoch: 1,
            round: 2,
            q0: RUN,
            layout: layout.clone(),
            counts,
            head: zero,
            witnessed: zero,
            signature: unsigned,
        };
        let next = next.signed(site, &RUN);
        let witnesses = vec![Some(next.witness()); agreement.sites()];
        let open =
            RoundOpen { epoch: 1, round: 2, q0: RUN, layout, counts, head: zero, witnesses, signature: unsigned };
        let open = open.signed(coordinator, &RUN);
        let (answer, digest) = Answer::sign(site, 1, 2, RUN, Masked::zero(words));
        let answers = vec![(digest, answer.signature); agreement.sites()];
        let result = RoundResult::sign(coordinator, 1, 2, RUN, Masked::zero(words), answers);
        Round { next, open, answer, result }
    }
}

fn main() {
    let copied = vec![1_u128; COPIED];
    let mut to = vec![0_u128; COPIED];
    let memory = fastest(|| {
        to.copy_from_slice(black_box(&copied));
        black_box(&mut to).len()
    });
    println!("copying memory: {:.1} GB/s\n", 16.0 * COPIED as f64 / memory.as_secs_f64() / 1e9);

    let agreements: Vec<Agreement> = [45, 100].map(Agreement::fastest).into();
    println!(
        "| one key agreement | time of one site | time of all | a site sends | a site gets |\n|---|---|---|---|---|"
    );
    for agreement in &agreements {
        let (sites, (sent, got)) = (agreement.sites(), agreement.bytes());
        let (one, all) = (agreement.took.as_secs_f64() / sites as f64, agreement.took.as_secs_f64());
        println!(
            "| {sites} sites | {:.1} ms | {all:.2} s | {:.1} kB | {:.0} kB |",
            1e3 * one,
            sent as f64 / 1e3,
            got as f64 / 1e3
        );
    }

    println!(
        "\n| a round | words | mask of one site | key stream | in passes of plain ChaCha20 | per peer and pass | sum opened and checked |\n|---|---|---|---|---|---|---|"
    );
    for agreement in &agreements {
        for words in [1_000, 20_000] {
            let (epoch, x) = (&agreement.epochs[0], vec![1 << 70; words]);
            let sealed = [0..words / 4, words / 2..words];
            let mask = fastest(|| epoch.mask_salted(RUN, black_box(&x), 5, &sealed));
            let mut bytes = vec![0; 16 * words];
            let plain =
                fastest(|| ChaCha20::new((&[7; 32]).into(), (&[0; 12]).into()).write_keystream(black_box(&mut bytes)));
            let (peers, passes) = (agreement.sites() - 1, mask.as_secs_f64() / plain.as_secs_f64());
            let stream = 16.0 * (peers * words) as f64 / mask.as_secs_f64() / 1e9;
            let mut sum = Masked::zero(words);
            for epoch in &agreement.epochs {
                sum.add(&epoch.mask_salted(RUN, &x, 0, &sealed)).expect("the same length");
            }
            let open = fastest(|| epoch.open(RUN, black_box(&sum), &sealed).expect("the check word holds"));
            println!(
                "| {} sites | {words} | {:.2} ms | {stream:.2} GB/s | {passes:.0} | {:.2} | {:.2} ms |",
                agreement.sites(),
                1e3 * mask.as_secs_f64(),
                passes / peers as f64,
                1e3 * open.as_secs_f64(),
            );
        }
    }

    println!(
        "\n| signatures of a round | words | `Next` | `Answer` | `RoundOpen` | `RoundResult` | bytes that a site sends, beside its words | bytes that it gets, beside the sum |\n|---|---|---|---|---|---|---|---|"
    );
    for agreement in &agreements {
        for words in [1_000, 20_000] {
            let Round { next, open, answer, result } = Round::of(agreement, words);
            let (site, coordinator) = (&agreement.identities[0], &agreement.identities[1]);
            let (own, its) = (site.public(), coordinator.public());
            let both = |sign: Duration, verify: Duration| format!("{:.0} + {:.0} µs", micros(sign), micros(verify));
            let nexts =
                both(fastest(|| next.clone().signed(site, &RUN)), fastest(|| next.verify(&own, &RUN).expect("signed")));
            let answers = both(
                fastest(|| Answer::sign(site, 1, 2, RUN, answer.masked.clone())),
                fastest(|| answer.verify(&own).expect("signed")),
            );
            let opens = both(
                fastest(|| open.clone().signed(coordinator, &RUN)),
                fastest(|| open.verify(&its, &RUN).expect("signed")),
            );
            let (sum, named) = (&result.sum, &result.answers);
            let results = both(
                fastest(|| RoundResult::sign(coordinator, 1, 2, RUN, sum.clone(), named.clone())),
                fastest(|| result.proof().verify(&its).expect("signed")),
            );
            let sent = from_site(FromSite::Next(next)) + from_site(FromSite::Answer(answer)) - 16 * words;
            let got = to_site(ToSite::RoundOpen(open)) + to_site(ToSite::RoundResult(result)) - 16 * words;
            println!(
                "| {} sites | {words} | {nexts} | {answers} | {opens} | {results} | {sent} | {got} |",
                agreement.sites()
            );
        }
    }
}
