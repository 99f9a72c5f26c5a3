//! Who approves: the name that a person gives, and the account that the operating system knows.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Reader};

/// A person who decided something, for the site's own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// As given.
    pub name: String,
    /// Account of the operating system; with sudo, whose it was before.
    pub account: String,
    /// Seconds since 1970 of the decision.
    pub at: u64,
}

impl Person {
    /// The person at this terminal.
    pub fn here(name: &str, at: u64) -> Person {
        Person::of_account(name, account(), at)
    }

    /// A person who is known to have come by an account.
    pub fn of_account(name: &str, account: String, at: u64) -> Person {
        Person { name: name.split_whitespace().collect::<Vec<_>>().join(" "), account, at }
    }

    /// Is it the same person by name? Capitals and blanks do not count.
    pub fn is(&self, other: &Person) -> bool {
        let plain = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
        plain(&self.name) == plain(&other.name)
    }

    pub(super) fn write(&self, out: Canonical) -> Canonical {
        out.str(&self.name).str(&self.account).u64(self.at)
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Person, CanonicalError> {
        Ok(Person { name: r.str()?.to_owned(), account: r.str()?.to_owned(), at: r.u64()? })
    }
}

/// Name and account, as they stand in a ledger.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.account)
    }
}

/// Name of the account that runs this process, and of the one that called sudo.
pub fn account() -> String {
    let uid = fs::metadata("/proc/self").map(|m| m.uid());
    let own = uid.map_or_else(|_| "unknown".into(), |uid| name_of(uid).unwrap_or_else(|| format!("uid {uid}")));
    match std::env::var("SUDO_USER") {
        Ok(caller) => format!("{own} (sudo by {caller})"),
        Err(_) => own,
    }
}

fn name_of(uid: u32) -> Option<String> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = fields.find(|fields| fields.get(2).is_some_and(|field| *field == uid.to_string()))?;
    line.first().map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_blanks_make_no_other_person() {
        let person = |name| Person::here(name, 0);
        assert!(person("First Reviewer").is(&person(" first  REVIEWER ")));
        assert!(!person("First Reviewer").is(&person("Second Reviewer")));
        assert_eq!(person("  First   Reviewer").name, "First Reviewer");
        assert!(!person("First").account.is_empty());
    }
}
