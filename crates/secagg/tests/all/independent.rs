//! Known answers in `tests/vectors/masks.json`. The outputs there come from `tests/independent/mask_vectors.py`, which
//! shares no code with this crate; here the crate must produce the same bytes.

use std::fmt::Write;
use std::ops::Range;
use std::process::{Command, Stdio};

use secagg::{Announced, Announcement, Digest, Epoch, Masked, SigningIdentity, decode, encode};
use serde_json::Value;

use crate::test_rng::Chosen;

const VECTORS: &str = include_str!("../vectors/masks.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn index(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

fn bytes_32(value: &Value) -> [u8; 32] {
    text(value).parse::<Digest>().unwrap().0
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn f64_of(value: &Value) -> f64 {
    f64::from_bits(u64::from_str_radix(text(value), 16).unwrap())
}

#[test]
fn the_python_program_agrees_with_the_file() {
    let root = env!("CARGO_MANIFEST_DIR");
    let run = Command::new("python3")
        .arg("-B")
        .arg(format!("{root}/tests/independent/mask_vectors.py"))
        .arg(format!("{root}/tests/vectors/masks.json"))
        .stdin(Stdio::null())
        .output();
    match run {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: python3 not found");
        }
        Err(error) => panic!("{error}"),
        Ok(run) => assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr)),
    }
}

#[test]
fn fixed_point() {
    let vectors = vectors();
    let below_limit = 2f64.powi(62).next_down();
    for case in list(&vectors["fixed"]["encode"]) {
        let word = text(&case["word"]).parse();
        assert_eq!(encode(f64_of(&case["f64"]), below_limit).ok(), word.ok());
    }
    for case in list(&vectors["fixed"]["decode"]) {
        let value = decode(text(&case["word"]).parse().unwrap());
        assert_eq!(value.to_bits(), f64_of(&case["f64"]).to_bits());
    }
}

#[test]
fn identity() {
    let vectors = vectors();
    let case = &vectors["identity"];
    let identity = SigningIdentity::from_bytes(&bytes_32(&case["secret"]));
    assert_eq!(identity.public().to_string(), text(&case["public"]));
    assert_eq!(identity.public().fingerprint(), text(&case["fingerprint"]));
}

fn announce(case: &Value, site: u16, inputs: &Value, identity: &SigningIdentity) -> (Announced, Announcement) {
    let secret = bytes_32(&inputs["exchange_secret"]);
    let nonce = bytes_32(&inputs["nonce"]);
    Announced::start(
        &mut Chosen::new(&[&secret, &nonce]),
        identity,
        Digest(bytes_32(&case["manifest"])),
        case["number"].as_u64().unwrap(),
        site,
        Digest(bytes_32(&inputs["cohort"])),
        Digest(bytes_32(&inputs["head"])),
    )
}

/// Runs the agreement and compares each message.
fn agreed(case: &Value) -> Vec<Epoch> {
    let inputs = list(&case["sites"]);
    let identities: Vec<_> =
        inputs.iter().map(|site| SigningIdentity::from_bytes(&bytes_32(&site["identity_secret"]))).collect();
    let roster: Vec<_> = identities.iter().map(SigningIdentity::public).collect();

    let (sites, bundle): (Vec<_>, Vec<_>) = (0..)
        .zip(inputs.iter().zip(&identities))
        .map(|(site, (inputs, identity))| announce(case, site, inputs, identity))
        .unzip();
    for (announcement, expected) in bundle.iter().zip(list(&case["announcements"])) {
        assert_eq!(hex(&announcement.to_bytes()), text(expected));
    }

    let mut boxes = Vec::new();
    let mut boxed = Vec::new();
    for (site, inputs) in sites.into_iter().zip(inputs) {
        let mut share = Chosen::new(&[&bytes_32(&inputs["share"])]);
        let (site, own) = site.bundle(&mut share, &roster, &bundle).unwrap();
        boxed.push(site);
        boxes.extend(own);
    }
    for (sealed, expected) in boxes.iter().zip(list(&case["boxes"])) {
        assert_eq!(hex(&sealed.to_bytes()), text(expected));
    }

    let (confirming, confirmations): (Vec<_>, Vec<_>) =
        boxed.into_iter().zip(&identities).map(|(site, identity)| site.boxes(identity, &boxes).unwrap()).unzip();
    for (confirmation, expected) in confirmations.iter().zip(list(&case["confirmations"])) {
        assert_eq!(hex(&confirmation.to_bytes()), text(expected));
    }

    confirming.into_iter().map(|site| site.confirmations(&roster, &confirmations).unwrap()).collect()
}

/// Given words, or for a long vector `(site + 1) (l - count / 2) 2^57`.
fn words(case: &Value, site: usize) -> Vec<i128> {
    if let Some(x) = case.get("x") {
        return list(&x[site]).iter().map(|word| text(word).parse().unwrap()).collect();
    }
    let count = index(&case["count"]) as i128;
    (0..count).map(|l| ((site as i128 + 1) * (l - count / 2)) << 57).collect()
}

#[test]
fn agreement_and_rounds() {
    let vectors = vectors();
    let epochs = agreed(&vectors["epoch"]);
    for epoch in &epochs {
        assert_eq!(epoch.transcript().to_string(), text(&vectors["epoch"]["transcript"]));
    }
    for case in list(&vectors["rounds"]) {
        round(&epochs, case);
    }
}

fn round(epochs: &[Epoch], case: &Value) {
    let q = Digest(bytes_32(&case["q"]));
    let sealed: Vec<Range<usize>> =
        list(&case["sealed"]).iter().map(|range| index(&range[0])..index(&range[1])).collect();
    let salt: u128 = text(&case["salt"]).parse().unwrap();

    let mut sum = Masked::zero(words(case, 0).len());
    let mut truth = vec![0; sum.words.len()];
    for (site, epoch) in epochs.iter().enumerate() {
        let x = words(case, site);
        for (total, word) in truth.iter_mut().zip(&x) {
            *total += word;
        }
        let mut rng = Chosen::new(&[&salt.to_le_bytes()]);
        let y = epoch.mask(&mut rng, q, &x, &sealed);
        assert_eq!(y.digest().to_string(), text(&case["masked_digests"][site]));
        if let Some(expected) = case.get("masked") {
            assert_eq!(hex(&y.to_bytes()), text(&expected[site]));
        }
        sum.add(&y).unwrap();
    }
    assert_eq!(sum.digest().to_string(), text(&case["sum_digest"]));
    let opened = epochs[2].open(q, &sum, &sealed).unwrap();
    assert_eq!(opened.digest().to_string(), text(&case["opened_digest"]));
    assert_eq!(opened.words, truth);
    assert_eq!(opened.salt, salt);
}
