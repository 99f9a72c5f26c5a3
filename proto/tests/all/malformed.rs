//! Every field of every message, made wrong one at a time, is refused with its name. The fields are found by
//! reflection: one that is added later is tried too, and fails here if no sample has it.

use std::collections::BTreeSet;

use prost::Message;
use proto::wire::{CoordinatorMessage, SiteMessage};
use proto::{ConvertError, FromAgent, ToAgent};
use protox::prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, Value};
use study::manifest::ManifestError;

use crate::sample;

/// A message with one wrong field, and the name of it.
struct Wrong {
    message: DynamicMessage,
    field: String,
    code: &'static str,
}

#[test]
fn every_wrong_field_is_refused_by_name() {
    let pool = pool();
    let mut tried = BTreeSet::new();
    for message in sample::from_agent() {
        let sound = dynamic(&pool, "SiteMessage", &SiteMessage::from(message));
        for Wrong { message, field, code } in wrong(&sound) {
            let read = SiteMessage::decode(message.encode_to_vec().as_slice()).unwrap();
            assert_refused(FromAgent::try_from(read).map(drop), &field, code);
            tried.insert(field);
        }
    }
    for message in sample::to_agent() {
        let sound = dynamic(&pool, "CoordinatorMessage", &CoordinatorMessage::from(message));
        for Wrong { message, field, code } in wrong(&sound) {
            let read = CoordinatorMessage::decode(message.encode_to_vec().as_slice()).unwrap();
            assert_refused(ToAgent::try_from(read).map(drop), &field, code);
            tried.insert(field);
        }
    }
    assert_eq!(tried, checked_fields(&pool));
}

fn assert_refused(outcome: Result<(), ConvertError>, field: &str, code: &str) {
    let Err(error) = outcome else { panic!("{field} was accepted, expected {code}") };
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().starts_with(&format!("{field} ")), "{error}, expected {field}");
}

/// All ways in which one field of `sound`, however deep, can be wrong.
fn wrong(sound: &DynamicMessage) -> Vec<Wrong> {
    let mut all = Vec::new();
    for (field, value) in sound.fields() {
        let changes = match value {
            Value::Bytes(bytes) => lengths(&field, bytes),
            Value::U32(_) if is_site(&field) => vec![(Value::U32(65_536), "wire.site")],
            Value::String(_) if is_text(&field) => {
                let texts = [String::new(), "a".repeat(65), "a\n".into(), "ä".into()];
                texts.map(|text| (Value::String(text), "wire.text")).into()
            }
            Value::Message(inner) => {
                let mut message = sound.clone();
                message.clear_field(&field);
                if name(&field) != OPTIONAL {
                    all.push(Wrong { message, field: required(&field), code: "wire.missing" });
                }
                nested(&mut all, sound, &field, wrong(inner), Value::Message);
                Vec::new()
            }
            Value::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    let inner = wrong(item.as_message().unwrap());
                    nested(&mut all, sound, &field, inner, |message| {
                        let mut items = items.clone();
                        items[place] = Value::Message(message);
                        Value::List(items)
                    });
                }
                Vec::new()
            }
            _ => Vec::new(),
        };
        for (value, code) in changes {
            let mut message = sound.clone();
            message.set_field(&field, value);
            all.push(Wrong { message, field: name(&field), code });
        }
    }
    all
}

/// Puts wrong inner messages back into the sound outer one.
fn nested(
    all: &mut Vec<Wrong>,
    sound: &DynamicMessage,
    place: &FieldDescriptor,
    inner: Vec<Wrong>,
    wrap: impl Fn(DynamicMessage) -> Value,
) {
    for Wrong { message: changed, field, code } in inner {
        let mut message = sound.clone();
        message.set_field(place, wrap(changed));
        all.push(Wrong { message, field, code });
    }
}

/// One byte less, one more, and none.
fn lengths(field: &FieldDescriptor, sound: &[u8]) -> Vec<(Value, &'static str)> {
    let shorter = sound[1..].to_vec();
    let longer = [sound, &[0]].concat();
    let (code, lengths) = match name(field).as_str() {
        // A vector without words has whole words.
        "MaskedVector.words" => ("wire.words", vec![shorter, longer]),
        "Offer.manifest" => ("wire.manifest", vec![shorter, longer, Vec::new()]),
        // Held against the digest that all sites signed, by whoever asked for it.
        OPAQUE => ("", Vec::new()),
        _ => ("wire.length", vec![shorter, longer, Vec::new()]),
    };
    lengths.into_iter().map(|bytes| (Value::Bytes(bytes.into()), code)).collect()
}

/// All fields that have a form, and the contents that are required.
fn checked_fields(pool: &DescriptorPool) -> BTreeSet<String> {
    let fields = pool.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>());
    let mut names = BTreeSet::new();
    for field in fields {
        match field.kind() {
            Kind::Bytes if name(&field) == OPAQUE => false,
            Kind::Bytes => names.insert(name(&field)),
            Kind::Uint32 if is_site(&field) => names.insert(name(&field)),
            Kind::String if is_text(&field) => names.insert(name(&field)),
            Kind::Message(_) if !field.is_list() && name(&field) != OPTIONAL => names.insert(required(&field)),
            _ => false,
        };
    }
    names
}

/// Sealed words are of no model.
const OPTIONAL: &str = "Segment.of";

/// Bytes without a form of their own.
const OPAQUE: &str = "Release.content";

fn is_site(field: &FieldDescriptor) -> bool {
    matches!(field.name(), "site" | "from" | "to")
}

/// Everything but the protocol's text, which is the author's.
fn is_text(field: &FieldDescriptor) -> bool {
    name(field) != "Offer.protocol"
}

fn name(field: &FieldDescriptor) -> String {
    format!("{}.{}", field.parent_message().name(), field.name())
}

/// The name under which a missing message is reported: that of its choice, if it is one of several.
fn required(field: &FieldDescriptor) -> String {
    match field.containing_oneof() {
        Some(choice) => format!("{}.{}", field.parent_message().name(), choice.name()),
        None => name(field),
    }
}

fn pool() -> DescriptorPool {
    let descriptors = protox::compile(["entente/v1/coordinator.proto"], [env!("CARGO_MANIFEST_DIR")]).unwrap();
    DescriptorPool::from_file_descriptor_set(descriptors).unwrap()
}

fn dynamic(pool: &DescriptorPool, name: &str, message: &impl Message) -> DynamicMessage {
    let descriptor = pool.get_message_by_name(&format!("entente.v1.{name}")).unwrap();
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).unwrap()
}

#[test]
fn a_manifest_has_one_encoding() {
    // With this name the first member would have to stand last. The roster sorts what it reads: without the check, two
    // byte strings with two digests would lead to one manifest.
    let mut offer = proto::wire::Offer::from(sample::offer());
    let mut bytes = offer.manifest.to_vec();
    for place in 0..bytes.len() - 6 {
        if bytes[place..].starts_with(b"site-a") {
            bytes[place + 5] = b'd';
        }
    }
    offer.manifest = bytes.into();
    assert_eq!(proto::Offer::try_from(offer), Err(ConvertError::NotCanonical));
}

#[test]
fn an_error_keeps_its_source() {
    let mut offer = proto::wire::Offer::from(sample::offer());
    offer.manifest = b"none".as_slice().into();
    let error = proto::Offer::try_from(offer).unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.downcast_ref::<ManifestError>().is_some());
}
