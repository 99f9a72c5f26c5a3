//! One message byte by byte: what is on the wire stays what it is.

use prost::Message;
use proto::FromAgent;
use proto::wire::SiteMessage;
use secagg::{Digest, Masked, Signature};
use study::message::{Answer, FromSite};

/// The answer of one word in round 3 of epoch 300.
fn message() -> FromAgent {
    let masked = Masked { words: vec![0x0102], salt: 0x0304, check: [0x05, 0, 0, 0x0600_0000_0000_0000] };
    FromAgent::Run {
        run: Digest([0x11; 32]),
        message: FromSite::Answer(Answer {
            epoch: 300,
            round: 3,
            q: Digest([0x22; 32]),
            masked,
            signature: Signature([0x33; 64]),
        }),
    }
}

#[test]
fn an_answer() {
    let [run, q, signature] = ["11".repeat(32), "22".repeat(32), "33".repeat(64)];
    let bytes = unhex(&format!(
        "22 d601           # SiteMessage.run (4), 34 + 3 + 177 = 214 bytes
           0a 20 {run}     # SiteRunMessage.run (1), 32 bytes
           32 b101         # SiteRunMessage.answer (6), 3 + 2 + 34 + 72 + 66 = 177 bytes
             08 ac02       # Answer.epoch (1) = 300
             10 03         # Answer.round (2) = 3
             1a 20 {q}     # Answer.q (3), 32 bytes
             22 46         # Answer.masked (4), 18 + 18 + 34 = 70 bytes
               0a 10 0201000000000000 0000000000000000    # MaskedVector.words (1), one word
               12 10 0403000000000000 0000000000000000    # MaskedVector.salt (2)
               1a 20 0500000000000000 0000000000000000    # MaskedVector.check (3), lowest limb first
                     0000000000000000 0000000000000006
             2a 40 {signature}    # Answer.signature (5), 64 bytes"
    ));
    assert_eq!(SiteMessage::from(message()).encode_to_vec(), bytes);
    assert_eq!(FromAgent::try_from(SiteMessage::decode(bytes.as_slice()).unwrap()), Ok(message()));
}

#[test]
fn a_content_of_a_later_version_is_refused_as_missing() {
    // Field 15 of SiteMessage, an empty message, as a newer peer might send it.
    let later = SiteMessage::decode(unhex("7a 00").as_slice()).unwrap();
    assert_eq!(later, SiteMessage { content: None });
    let error = FromAgent::try_from(later).unwrap_err();
    assert_eq!(error.to_string(), "SiteMessage.content is missing");
}

/// Two digits per byte; spaces, and what follows `#` on a line, are for the reader.
fn unhex(text: &str) -> Vec<u8> {
    let digits = text.lines().flat_map(|line| line.split('#').next().unwrap().chars()).filter(|c| *c != ' ');
    let digits: Vec<_> = digits.map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
}
