//! Rosters: order, size, distinct members.

use study::roster::{Roster, RosterError, is_site_id};

use crate::sample::{identity, member};

#[test]
fn members_stand_in_the_order_of_their_ids() {
    let roster = Roster::new(vec![member("S10", 1), member("S2", 2), member("S1", 3)]).unwrap();
    let ids: Vec<&str> = roster.members().iter().map(|m| m.id.as_str()).collect();
    assert_eq!(ids, ["S1", "S10", "S2"]);
    assert_eq!((roster.len(), roster.is_empty()), (3, false));
    assert_eq!((roster.index("S10"), roster.index("S3")), (Some(1), None));
    assert_eq!(roster.identities()[1], identity(1).public());
}

#[test]
fn a_roster_has_3_to_1000_sites() {
    let of = |n: u16| {
        let members = (0..n).map(|i| {
            let mut key = [1; 32];
            key[..2].copy_from_slice(&i.to_le_bytes());
            let mut member = member(&format!("S{i}"), 1);
            member.identity = secagg::SigningIdentity::from_bytes(&key).public();
            member
        });
        Roster::new(members.collect())
    };
    assert_eq!(of(2), Err(RosterError::TooFew { got: 2 }));
    assert_eq!(of(3).map(|r| r.len()), Ok(3));
    assert_eq!(of(1000).map(|r| r.len()), Ok(1000));
    assert_eq!(of(1001), Err(RosterError::TooMany { got: 1001 }));
}

#[test]
fn a_site_or_a_key_stands_once() {
    let refused = |second: &str, key: u8| match Roster::new(vec![member("A", 1), member(second, key), member("C", 3)]) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("`{second}` with key {key}"),
    };
    assert_eq!(refused("A", 2), "site `A` stands twice");
    assert_eq!(refused("B", 1), "site `B` has the identity key of another site");
    assert_eq!(refused("B 2", 2), "site `B 2` is not an id: use letters, digits and hyphens, at most 32");
    assert_eq!(refused("../B", 2), "site `../B` is not an id: use letters, digits and hyphens, at most 32");
}

#[test]
fn site_ids() {
    for good in ["A", "S01", "Rome-2", &"a".repeat(32)] {
        assert!(is_site_id(good), "{good}");
    }
    for bad in ["", "S 1", "S/1", "S.1", "Köln", &"a".repeat(33)] {
        assert!(!is_site_id(bad), "{bad}");
    }
}
