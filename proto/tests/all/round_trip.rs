//! What goes in comes out, through bytes.

use proptest::prelude::*;
use prost::Message;
use proto::wire::{CoordinatorMessage, MaskedVector, SiteMessage, coordinator_message, coordinator_run_message};
use proto::{FromAgent, ToAgent};
use secagg::{Digest, Masked, Signature};
use study::message::{Answer, FromSite, RoundResult, ToSite};

use crate::sample;

#[test]
fn every_message_of_an_agent() {
    for message in sample::from_agent() {
        let bytes = SiteMessage::from(message.clone()).encode_to_vec();
        let read = SiteMessage::decode(bytes.as_slice()).unwrap();
        assert_eq!(FromAgent::try_from(read), Ok(message));
    }
}

#[test]
fn every_message_of_the_coordinator() {
    for message in sample::to_agent() {
        let bytes = CoordinatorMessage::from(message.clone()).encode_to_vec();
        let read = CoordinatorMessage::decode(bytes.as_slice()).unwrap();
        assert_eq!(ToAgent::try_from(read), Ok(message));
    }
}

#[test]
fn a_clone_for_another_site_shares_the_words() {
    let result = RoundResult {
        epoch: 1,
        round: 1,
        q: Digest([0; 32]),
        sum: Masked::zero(1000),
        answers: Vec::new(),
        signature: Signature([0; 64]),
    };
    let message = ToAgent::Run { run: Digest([0; 32]), message: ToSite::RoundResult(result) };
    let first = CoordinatorMessage::from(message);
    let second = first.clone();
    assert_eq!(words(&first).len(), 16_000);
    assert_eq!(words(&first).as_ptr(), words(&second).as_ptr());
}

fn words(message: &CoordinatorMessage) -> &[u8] {
    let Some(coordinator_message::Content::Run(run)) = &message.content else { panic!("no message of a run") };
    let Some(coordinator_run_message::Content::RoundResult(result)) = &run.content else { panic!("no result") };
    &result.sum.as_ref().unwrap().words
}

#[test]
fn debug_shows_no_word() {
    let masked = Masked { words: vec![0x4141_4141; 2], salt: 0x4141, check: [0x4141; 4] };
    assert_eq!(format!("{:?}", MaskedVector::from(masked)), "MaskedVector(32 bytes, ..)");
}

proptest! {
    #[test]
    fn every_vector(words: Vec<u128>, salt: u128, check: [u64; 4], epoch: u64, round: u32) {
        let masked = Masked { words, salt, check };
        let (q, signature) = (Digest([1; 32]), Signature([2; 64]));
        let message = FromSite::Answer(Answer { epoch, round, q, masked, signature });
        let message = FromAgent::Run { run: Digest([3; 32]), message };
        let bytes = SiteMessage::from(message.clone()).encode_to_vec();
        prop_assert_eq!(FromAgent::try_from(SiteMessage::decode(bytes.as_slice()).unwrap()), Ok(message));
    }

    /// A changed byte leads to an error or to another message that is itself sound, never to a panic.
    #[test]
    fn changed_bytes(kind: prop::sample::Index, place: prop::sample::Index, value: u8) {
        let (agent, coordinator) = (sample::from_agent(), sample::to_agent());
        let kind = kind.index(agent.len() + coordinator.len());
        if let Some(message) = agent.get(kind) {
            let bytes = changed(SiteMessage::from(message.clone()).encode_to_vec(), place, value);
            if let Some(read) = SiteMessage::decode(bytes.as_slice()).ok().and_then(|m| FromAgent::try_from(m).ok()) {
                prop_assert_eq!(FromAgent::try_from(SiteMessage::from(read.clone())), Ok(read));
            }
        } else {
            let message = coordinator[kind - agent.len()].clone();
            let bytes = changed(CoordinatorMessage::from(message).encode_to_vec(), place, value);
            let read = CoordinatorMessage::decode(bytes.as_slice()).ok().and_then(|m| ToAgent::try_from(m).ok());
            if let Some(read) = read {
                prop_assert_eq!(ToAgent::try_from(CoordinatorMessage::from(read.clone())), Ok(read));
            }
        }
    }
}

fn changed(mut bytes: Vec<u8>, place: prop::sample::Index, value: u8) -> Vec<u8> {
    let place = place.index(bytes.len());
    bytes[place] = value;
    bytes
}
