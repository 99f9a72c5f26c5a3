//! Every way in which a relay or a dishonest site can bend the key agreement is refused with its own error.

use secagg::{
    Announcement, Canonical, CanonicalError, Confirmation, Digest, EpochError, PublicIdentity, SealedBox, Signature,
    SigningIdentity,
};

use crate::federation::{self, Sealed, announce, seeded};

/// What site 0 of three says to a bundle that `tamper` bent.
fn bundle_error(tamper: impl FnOnce(&mut Vec<Announcement>, &[SigningIdentity])) -> EpochError {
    let mut start = federation::start(3);
    tamper(&mut start.bundle, &start.identities);
    start.sites.remove(0).bundle(&mut seeded(0), &start.roster, &start.bundle).unwrap_err()
}

/// Signs an announcement again, as its dishonest site would.
fn resign(entry: &mut Announcement, identity: &SigningIdentity) {
    const LABEL: &str = "entente/v1/announcement";
    let digest = Canonical::new(LABEL)
        .digest_field(&entry.manifest)
        .u64(entry.epoch)
        .u16(entry.site)
        .array(&entry.public)
        .array(&entry.nonce)
        .digest_field(&entry.cohort)
        .digest_field(&entry.head)
        .digest();
    entry.signature = identity.sign(LABEL, &digest);
}

#[test]
fn announcement_missing_extra_repeated_or_out_of_order() {
    let count = |got| EpochError::AnnouncementCount { expected: 3, got };
    assert_eq!(bundle_error(|b, _| b.truncate(2)), count(2));
    assert_eq!(bundle_error(|b, _| b.push(b[2].clone())), count(4));
    assert_eq!(bundle_error(|b, _| b[2] = b[1].clone()), EpochError::AnnouncementOrder { expected: 2, got: 1 });
    assert_eq!(bundle_error(|b, _| b.swap(1, 2)), EpochError::AnnouncementOrder { expected: 1, got: 2 });
}

#[test]
fn every_field_of_an_announcement_is_signed() {
    let unsigned = EpochError::AnnouncementSignature { site: 1 };
    assert_eq!(bundle_error(|b, _| b[1].public[0] ^= 1), unsigned);
    assert_eq!(bundle_error(|b, _| b[1].nonce[0] ^= 1), unsigned);
    assert_eq!(bundle_error(|b, _| b[1].cohort.0[0] ^= 1), unsigned);
    assert_eq!(bundle_error(|b, _| b[1].head.0[0] ^= 1), unsigned);
    assert_eq!(bundle_error(|b, _| b[1].signature.0[0] ^= 1), unsigned);
    // Signed, but by somebody else.
    assert_eq!(bundle_error(|b, ids| resign(&mut b[1], &ids[2])), unsigned);
}

#[test]
fn announcement_of_another_manifest_or_epoch() {
    assert_eq!(
        bundle_error(|b, ids| {
            b[1].manifest = Digest([1; 32]);
            resign(&mut b[1], &ids[1]);
        }),
        EpochError::Manifest { site: 1 }
    );
    assert_eq!(
        bundle_error(|b, ids| {
            b[2].epoch = federation::EPOCH - 1;
            resign(&mut b[2], &ids[2]);
        }),
        EpochError::Number { site: 2, expected: federation::EPOCH, got: federation::EPOCH - 1 }
    );
}

#[test]
fn own_announcement_replaced_by_an_older_one_of_the_same_site() {
    let error = bundle_error(|b, ids| b[0] = announce(&ids[0], 0, 999).1);
    assert_eq!(error, EpochError::OwnAnnouncement);
}

#[test]
fn repeated_and_reflected_keys() {
    assert_eq!(
        bundle_error(|b, ids| {
            b[2].public = b[1].public;
            resign(&mut b[2], &ids[2]);
        }),
        EpochError::RepeatedKey { first: 1, second: 2 }
    );
    assert_eq!(
        bundle_error(|b, ids| {
            b[1].public = b[0].public;
            resign(&mut b[1], &ids[1]);
        }),
        EpochError::RepeatedKey { first: 0, second: 1 }
    );
}

#[test]
fn keys_of_low_order() {
    // All u coordinates of low order on the curve and its twist: two of order 8, then p - 1, p, p + 1, 0 and 1 (p and
    // p + 1 are second encodings).
    let order_8 = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ];
    let mut keys: Vec<[u8; 32]> = order_8.iter().map(|text| text.parse::<Digest>().unwrap().0).collect();
    for last in [0xec, 0xed, 0xee] {
        let mut key = [0xff; 32];
        key[0] = last;
        key[31] = 0x7f;
        keys.push(key);
    }
    for first in [0, 1] {
        let mut key = [0; 32];
        key[0] = first;
        keys.push(key);
    }
    for key in keys {
        let error = bundle_error(|b, ids| {
            b[2].public = key;
            resign(&mut b[2], &ids[2]);
        });
        assert_eq!(error, EpochError::LowOrderKey { site: 2 });
    }
}

#[test]
fn rosters() {
    let error = |roster: &dyn Fn(Vec<PublicIdentity>) -> Vec<PublicIdentity>| {
        let mut start = federation::start(3);
        let roster = roster(start.roster);
        start.sites.remove(0).bundle(&mut seeded(0), &roster, &start.bundle).unwrap_err()
    };
    assert_eq!(error(&|r| r[..1].to_vec()), EpochError::RosterSize { sites: 1 });
    assert_eq!(error(&|r| vec![r[1], r[0], r[2]]), EpochError::NotInRoster { site: 0 });
    assert_eq!(error(&|r| vec![r[0], r[1], r[1]]), EpochError::RepeatedIdentity { first: 1, second: 2 });
    let counted = EpochError::AnnouncementCount { expected: 2, got: 3 };
    assert_eq!(error(&|r| r[..2].to_vec()), counted);
}

/// What site 0 of three says to boxes that `tamper` bent.
fn box_error(tamper: impl FnOnce(&mut Vec<SealedBox>)) -> EpochError {
    let Sealed { identities, mut sites, mut boxes, .. } = federation::sealed(3);
    tamper(&mut boxes);
    sites.remove(0).boxes(&identities[0], &boxes).unwrap_err()
}

// The canonical order of three sites: 0>1 0>2 1>0 1>2 2>0 2>1.

#[test]
fn boxes_missing_extra_repeated_or_out_of_order() {
    let count = |got| EpochError::BoxCount { expected: 6, got };
    assert_eq!(box_error(|b| b.truncate(5)), count(5));
    assert_eq!(box_error(|b| b.push(b[5].clone())), count(7));
    let order = |expected_from, expected_to, from, to| EpochError::BoxOrder { expected_from, expected_to, from, to };
    assert_eq!(box_error(|b| b[3] = b[2].clone()), order(1, 2, 1, 0));
    assert_eq!(box_error(|b| b.swap(4, 5)), order(2, 0, 2, 1));
    assert_eq!(box_error(|b| b[5].to = 2), order(2, 1, 2, 2));
}

#[test]
fn changed_boxes() {
    assert_eq!(box_error(|b| b[1].bytes[0] ^= 1), EpochError::OwnBox { to: 2 });
    let closed = EpochError::ClosedBox { from: 1 };
    for position in [0, 31, 32, 47] {
        assert_eq!(box_error(|b| b[2].bytes[position] ^= 1), closed);
    }
    assert_eq!(box_error(|b| b[2].bytes.truncate(47)), closed);
    assert_eq!(box_error(|b| b[2].bytes.push(0)), closed);
    assert_eq!(box_error(|b| b[2].bytes.clear()), closed);
    // The key depends on the pair: a box from 1 to 2 does not open as one from 1 to 0.
    assert_eq!(box_error(|b| b[2].bytes = b[3].bytes.clone()), closed);
}

#[test]
fn another_identity_in_the_middle() {
    let mut sealed = federation::sealed(3);
    let error = sealed.sites.remove(0).boxes(&sealed.identities[1], &sealed.boxes);
    assert_eq!(error.unwrap_err(), EpochError::Changed);
}

#[test]
fn two_bundles_to_two_sites() {
    // Site 2 is dishonest and signs two announcements; the relay shows one to site 0 and the other to site 1.
    let mut start = federation::start(3);
    let (_, other) = announce(&start.identities[2], 2, 777);
    let mut second_bundle = start.bundle.clone();
    second_bundle[2] = other;
    let site_1 = start.sites.remove(1);
    let site_0 = start.sites.remove(0);
    let (site_0, from_0) = site_0.bundle(&mut seeded(0), &start.roster, &start.bundle).unwrap();
    let (_, from_1) = site_1.bundle(&mut seeded(1), &start.roster, &second_bundle).unwrap();
    // T is in every key: the box of the honest site 1 does not open at site 0, whatever site 2 sends.
    let filler = |from, to| SealedBox { from, to, bytes: vec![0; 48] };
    let boxes = [from_0, from_1, vec![filler(2, 0), filler(2, 1)]].concat();
    assert_eq!(site_0.boxes(&start.identities[0], &boxes).unwrap_err(), EpochError::ClosedBox { from: 1 });
}

/// What site 0 of three says to confirmations that `tamper` bent.
fn confirmation_error(tamper: impl FnOnce(&mut Vec<Confirmation>, &[SigningIdentity])) -> EpochError {
    let mut confirmed = federation::confirmed(3);
    tamper(&mut confirmed.confirmations, &confirmed.identities);
    confirmed.sites.remove(0).confirmations(&confirmed.roster, &confirmed.confirmations).unwrap_err()
}

/// Signs a confirmation again, as its dishonest site would.
fn reconfirm(entry: &mut Confirmation, identity: &SigningIdentity) {
    const LABEL: &str = "entente/v1/confirmation";
    let digest = Canonical::new(LABEL)
        .u16(entry.site)
        .digest_field(&entry.transcript)
        .digest_field(&entry.group)
        .digest_field(&entry.boxes)
        .digest();
    entry.signature = identity.sign(LABEL, &digest);
}

#[test]
fn confirmation_missing_extra_repeated_or_out_of_order() {
    let count = |got| EpochError::ConfirmationCount { expected: 3, got };
    assert_eq!(confirmation_error(|c, _| c.truncate(2)), count(2));
    assert_eq!(confirmation_error(|c, _| c.push(c[2].clone())), count(4));
    assert_eq!(confirmation_error(|c, _| c[2] = c[1].clone()), EpochError::ConfirmationOrder { expected: 2, got: 1 });
}

#[test]
fn confirmations_of_something_else() {
    let unsigned = EpochError::ConfirmationSignature { site: 1 };
    assert_eq!(confirmation_error(|c, _| c[1].group.0[0] ^= 1), unsigned);
    assert_eq!(confirmation_error(|c, _| c[1].signature = Signature([0; 64])), unsigned);
    assert_eq!(
        confirmation_error(|c, ids| {
            c[1].transcript.0[0] ^= 1;
            reconfirm(&mut c[1], &ids[1]);
        }),
        EpochError::Transcript { site: 1 }
    );
    assert_eq!(
        confirmation_error(|c, ids| {
            c[2].boxes.0[0] ^= 1;
            reconfirm(&mut c[2], &ids[2]);
        }),
        EpochError::Boxes { site: 2 }
    );
    assert_eq!(
        confirmation_error(|c, ids| {
            c[0].group.0[0] ^= 1;
            reconfirm(&mut c[0], &ids[0]);
        }),
        EpochError::Group { site: 0 }
    );
}

#[test]
fn another_roster_at_the_end() {
    let mut confirmed = federation::confirmed(3);
    let mut roster = confirmed.roster.clone();
    roster.swap(1, 2);
    let error = confirmed.sites.remove(0).confirmations(&roster, &confirmed.confirmations);
    assert_eq!(error.unwrap_err(), EpochError::Changed);
}

#[test]
fn different_shares_to_different_sites() {
    // Site 2 is dishonest: two instances with the same key seal different shares; 0 gets one, 1 the other. Boxes
    // open, the bundle and the boxes are the same for all: only the group secret differs.
    let start = federation::start(3);
    let (twin, _) = announce(&start.identities[2], 2, 102);
    let mut boxes = Vec::new();
    let mut sites = Vec::new();
    for (seed, site) in (0..).zip(start.sites.into_iter().chain([twin])) {
        let (site, own) = site.bundle(&mut seeded(seed), &start.roster, &start.bundle).unwrap();
        sites.push(site);
        boxes.extend(own);
    }
    // 0>1 0>2 1>0 1>2, 2>0 of the first instance, 2>1 of the second.
    let boxes: Vec<_> = [0, 1, 2, 3, 4, 7].map(|i| boxes[i].clone()).into();
    let mut sites = sites.into_iter();
    let (site_0, from_0) = sites.next().unwrap().boxes(&start.identities[0], &boxes).unwrap();
    let (site_1, from_1) = sites.next().unwrap().boxes(&start.identities[1], &boxes).unwrap();
    assert_eq!(from_0.transcript, from_1.transcript);
    assert_eq!(from_0.boxes, from_1.boxes);
    // Site 2 confirms whatever each of them wants to hear.
    let confirm_as = |model: &Confirmation| {
        let mut entry = model.clone();
        entry.site = 2;
        reconfirm(&mut entry, &start.identities[2]);
        entry
    };
    let to_0 = [from_0.clone(), from_1.clone(), confirm_as(&from_0)];
    let to_1 = [from_0.clone(), from_1.clone(), confirm_as(&from_1)];
    assert_eq!(site_0.confirmations(&start.roster, &to_0).unwrap_err(), EpochError::Group { site: 1 });
    assert_eq!(site_1.confirmations(&start.roster, &to_1).unwrap_err(), EpochError::Group { site: 0 });
}

#[test]
fn all_sites_reach_the_same_epoch() {
    let epochs = federation::epochs(5);
    for epoch in &epochs {
        assert_eq!(epoch.number(), federation::EPOCH);
        assert_eq!(epoch.transcript(), epochs[0].transcript());
    }
}

#[test]
fn messages_round_trip_and_nothing_else_decodes() {
    let sealed = federation::sealed(2);
    let bytes = sealed.boxes[1].to_bytes();
    assert_eq!(SealedBox::from_bytes(&bytes), Ok(sealed.boxes[1].clone()));
    assert!((0..bytes.len()).all(|end| SealedBox::from_bytes(&bytes[..end]).is_err()));

    let confirmed = federation::confirmed(2);
    let bytes = confirmed.confirmations[1].to_bytes();
    assert_eq!(Confirmation::from_bytes(&bytes), Ok(confirmed.confirmations[1].clone()));
    assert!((0..bytes.len()).all(|end| Confirmation::from_bytes(&bytes[..end]).is_err()));
    assert_eq!(SealedBox::from_bytes(&bytes), Err(CanonicalError::Label));
}

#[test]
fn secrets_are_not_printed() {
    let start = federation::start(2);
    assert_eq!(format!("{:?}", start.sites[0]), "Announced(site 0, epoch 4, ..)");
    let secret = start.identities[0].to_bytes();
    let hex = Digest(*secret).to_string();
    assert!(!format!("{:?}", start.identities[0]).contains(&hex));
    let epoch = federation::epochs(2).remove(1);
    let printed = format!("{epoch:?}");
    assert!(printed.starts_with("Epoch(site 1, epoch 4, Digest("));
    assert!(printed.len() < 60);
}
