//! Who takes part: site ids, legal names and identity keys, in the order that masks and corrections follow.

use std::collections::BTreeSet;

use secagg::{Canonical, PublicIdentity};

/// One site of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Site id: lower or upper case letters, digits, hyphens.
    pub id: String,
    /// The organisation that answers for it.
    pub legal_name: String,
    /// Its identity key, confirmed by another channel.
    pub identity: PublicIdentity,
}

/// Why a list of members is no roster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// Masks hide a site behind at least two others.
    #[error("a roster has at least 3 sites, got {got}")]
    TooFew {
        /// Number of members.
        got: usize,
    },
    /// Indices are 16 bits and a round has n(n-1)/2 pairs.
    #[error("a roster has at most 1000 sites, got {got}")]
    TooMany {
        /// Number of members.
        got: usize,
    },
    /// A site or key stands twice, or an id is not well formed.
    #[error("site `{id}` {reason}")]
    Member {
        /// Site id.
        id: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Members in ascending order of their ids; fixed for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster(Vec<Member>);

impl Roster {
    /// Sorts and checks the members.
    pub fn new(mut members: Vec<Member>) -> Result<Roster, RosterError> {
        members.sort_by(|a, b| a.id.cmp(&b.id));
        if members.len() < 3 {
            return Err(RosterError::TooFew { got: members.len() });
        }
        if members.len() > 1000 {
            return Err(RosterError::TooMany { got: members.len() });
        }
        let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for member in &members {
            let reason = if !is_site_id(&member.id) {
                Some("is not an id: use letters, digits and hyphens, at most 32")
            } else if !ids.insert(&member.id) {
                Some("stands twice")
            } else if !keys.insert(member.identity.0) {
                Some("has the identity key of another site")
            } else {
                None
            };
            if let Some(reason) = reason {
                return Err(RosterError::Member { id: member.id.clone(), reason });
            }
        }
        Ok(Roster(members))
    }

    /// Members in order.
    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// Number of sites.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true: a roster has at least 3 sites.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Index of a site.
    pub fn index(&self, id: &str) -> Option<u16> {
        self.0.iter().position(|m| m.id == id).map(|i| i as u16)
    }

    /// Identity keys in order.
    pub fn identities(&self) -> Vec<PublicIdentity> {
        self.0.iter().map(|m| m.identity).collect()
    }

    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        out.list(&self.0, |out, m| out.str(&m.id).str(&m.legal_name).array(&m.identity.0))
    }
}

/// Letters, digits and hyphens, at most 32.
pub fn is_site_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 32 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
