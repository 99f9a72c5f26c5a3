//! Canonical encodings: exact bytes, and readers that take nothing else.

use proptest::prelude::*;
use secagg::{Announcement, Canonical, CanonicalError, Confirmation, Digest, Masked, Opened, Reader, SealedBox};

#[test]
fn the_bytes_are_those_of_the_table() {
    let bytes = Canonical::new("ab")
        .u8(1)
        .u16(0x0302)
        .u32(4)
        .u64(5)
        .u128(6)
        .i128(-1)
        .f64(-0.0)
        .bool(true)
        .bytes(&[7, 8])
        .str("é")
        .array(&[9; 2])
        .digest_field(&Digest([10; 32]))
        .list([11, 12], Canonical::u16)
        .option(None::<u8>, Canonical::u8)
        .option(Some(13), Canonical::u8)
        .finish();
    let parts: [&[u8]; 19] = [
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"ab",
        &[1],
        &[2, 3],
        &[4, 0, 0, 0],
        &[5, 0, 0, 0, 0, 0, 0, 0],
        &[6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xff; 16],
        &[0, 0, 0, 0, 0, 0, 0, 0x80],
        &[1],
        &[2, 0, 0, 0, 0, 0, 0, 0, 7, 8],
        &[2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0xa9],
        &[9, 9],
        &[10; 32],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        &[11, 0, 12, 0],
        &[0],
        &[1],
        &[13],
    ];
    assert_eq!(bytes, parts.concat());

    let mut reader = Reader::new(&bytes, "ab").unwrap();
    assert_eq!(reader.u8(), Ok(1));
    assert_eq!(reader.u16(), Ok(0x0302));
    assert_eq!(reader.u32(), Ok(4));
    assert_eq!(reader.u64(), Ok(5));
    assert_eq!(reader.u128(), Ok(6));
    assert_eq!(reader.i128(), Ok(-1));
    assert_eq!(reader.f64().map(f64::to_bits), Ok((-0.0f64).to_bits()));
    assert_eq!(reader.bool(), Ok(true));
    assert_eq!(reader.bytes(), Ok(&[7, 8][..]));
    assert_eq!(reader.str(), Ok("é"));
    assert_eq!(reader.array(), Ok([9; 2]));
    assert_eq!(reader.digest(), Ok(Digest([10; 32])));
    assert_eq!(reader.list(Reader::u16), Ok(vec![11, 12]));
    assert_eq!(reader.option(Reader::u8), Ok(None));
    assert_eq!(reader.option(Reader::u8), Ok(Some(13)));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn refusals() {
    let bytes = Canonical::new("a").u8(2).finish();
    let error = |label| Reader::new(&bytes, label).map(|_| ()).unwrap_err();
    assert_eq!(error("b"), CanonicalError::Label);
    let mut reader = Reader::new(&bytes, "a").unwrap();
    assert_eq!(reader.u16(), Err(CanonicalError::Truncated));
    assert_eq!(reader.bool(), Err(CanonicalError::Flag));
    let reader = Reader::new(&bytes, "a").unwrap();
    assert_eq!(reader.finish(), Err(CanonicalError::Trailing { left: 1 }));
    let bytes = Canonical::new("a").bytes(&[0xff]).finish();
    let mut reader = Reader::new(&bytes, "a").unwrap();
    assert_eq!(reader.str(), Err(CanonicalError::Text));
}

#[test]
fn a_huge_count_allocates_nothing() {
    let bytes = Canonical::new("a").u64(u64::MAX).finish();
    let mut reader = Reader::new(&bytes, "a").unwrap();
    assert_eq!(reader.list(Reader::u8), Err(CanonicalError::Truncated));
    let mut reader = Reader::new(&bytes, "a").unwrap();
    assert_eq!(reader.bytes(), Err(CanonicalError::Truncated));
}

/// Bytes that begin with one of the labels, so that the fields behind it are reached.
fn labelled_noise() -> impl Strategy<Value = Vec<u8>> {
    let labels = prop::sample::select(vec![
        "entente/v1/masked",
        "entente/v1/opened",
        "entente/v1/signed announcement",
        "entente/v1/sealed box",
        "entente/v1/signed confirmation",
    ]);
    let count = prop_oneof![any::<u64>(), 0..8u64];
    let noise = prop::collection::vec(any::<u8>(), 0..400);
    (labels, count, noise).prop_map(|(label, count, noise)| {
        let mut bytes = Canonical::new(label).u64(count).finish();
        bytes.extend(noise);
        bytes
    })
}

proptest! {
    #[test]
    fn whatever_decodes_is_canonical(bytes in labelled_noise()) {
        if let Ok(value) = Masked::from_bytes(&bytes) {
            prop_assert_eq!(value.to_bytes(), bytes.clone());
        }
        if let Ok(value) = Opened::from_bytes(&bytes) {
            prop_assert_eq!(value.to_bytes(), bytes.clone());
        }
        if let Ok(value) = Announcement::from_bytes(&bytes) {
            prop_assert_eq!(value.to_bytes(), bytes.clone());
        }
        if let Ok(value) = SealedBox::from_bytes(&bytes) {
            prop_assert_eq!(value.to_bytes(), bytes.clone());
        }
        if let Ok(value) = Confirmation::from_bytes(&bytes) {
            prop_assert_eq!(value.to_bytes(), bytes);
        }
    }

    #[test]
    fn vectors_round_trip(words: Vec<u128>, salt: u128, check: [u64; 4]) {
        let opened = Opened { words: words.iter().map(|w| w.cast_signed()).collect(), salt };
        prop_assert_eq!(Opened::from_bytes(&opened.to_bytes()), Ok(opened));
        let masked = Masked { words, salt, check };
        prop_assert_eq!(Masked::from_bytes(&masked.to_bytes()), Ok(masked.clone()));
        prop_assert_eq!(masked.digest(), Digest::of(&masked.to_bytes()));
    }
}
