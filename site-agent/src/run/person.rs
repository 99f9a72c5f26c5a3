//! Who approves: the name that a person gives, and the account that the operating system, or the login, knows.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Reader};
use study::account;

/// A person who decided something, for the site's own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// As given.
    pub name: String,
    /// Account of the operating system with whoever was behind it, or a reviewer's login; as [`study::account`] reads it.
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

    /// A reviewer who has signed in to the pages by a login of their own.
    pub fn reviewer(name: &str, at: u64) -> Person {
        Person::of_account(name, format!("{}{name}", account::REVIEWER), at)
    }

    /// Is it the same person by name? Capitals and blanks do not count.
    pub fn is(&self, other: &Person) -> bool {
        account::plain(&self.name) == account::plain(&other.name)
    }

    /// Did both come by the same account, whatever they called themselves?
    pub fn shares_account(&self, other: &Person) -> bool {
        account::same(&self.account, &other.account)
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

/// The account that runs this process, whoever called sudo or its like, and who logged in to the machine.
pub fn account() -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let variable = |name: &str| std::env::var(name).ok();
    let number = |name: &str| variable(name).and_then(|text| text.parse().ok());
    let callers = [
        ("sudo", variable("SUDO_USER"), number("SUDO_UID")),
        ("doas", variable("DOAS_USER"), None),
        ("pkexec", None, number("PKEXEC_UID")),
    ];
    // The kernel's own record, which sudo and su leave as it is; it has one where a login set it.
    let login = fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
    let evidence = Evidence {
        own: Who::new(&passwd, None, fs::metadata("/proc/self").map(|m| m.uid()).ok()),
        caller: callers
            .into_iter()
            .find(|(_, name, uid)| name.is_some() || uid.is_some())
            .map(|(by, name, uid)| (by, Who::new(&passwd, name, uid))),
        login: login.filter(|uid| *uid != u32::MAX).map(|uid| Who::new(&passwd, None, Some(uid))),
    };
    evidence.to_string()
}

/// What the machine knows of who runs a process.
struct Evidence {
    own: Who,
    caller: Option<(&'static str, Who)>,
    login: Option<Who>,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.own)?;
        if let Some((by, who)) = &self.caller {
            write!(f, ", {by} by {who}")?;
        }
        // a variable of the environment is anybody's to set, the login is not
        let named = self.caller.as_ref().map_or(&self.own, |(_, who)| who);
        match &self.login {
            Some(login) if login.uid != named.uid => write!(f, ", login {login}"),
            _ => Ok(()),
        }
    }
}

/// An account by name and number, as far as they are known.
struct Who {
    name: Option<String>,
    uid: Option<u32>,
}

impl Who {
    fn new(passwd: &str, name: Option<String>, uid: Option<u32>) -> Who {
        let accounts = || passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let field = |fields: &[&str], at: usize| fields.get(at).copied().unwrap_or_default().to_owned();
        let uid = uid.or_else(|| {
            let named = accounts().find(|fields| Some(field(fields, 0)) == name)?;
            field(&named, 2).parse().ok()
        });
        let name = name.or_else(|| {
            let numbered = accounts().find(|fields| field(fields, 2).parse().ok() == uid && uid.is_some())?;
            Some(field(&numbered, 0))
        });
        // what a ledger is read by must not stand in a name
        let kept = |c: char| !c.is_control() && !matches!(c, '(' | ')' | ',' | ':');
        Who { name: name.map(|name| name.chars().map(|c| if kept(c) { c } else { '_' }).collect()), uid }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.uid) {
            (Some(name), Some(uid)) => write!(f, "{name} (uid {uid})"),
            (Some(name), None) => f.write_str(name),
            (None, Some(uid)) => write!(f, "uid {uid}"),
            (None, None) => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nagent:x:998:998::/:/bin/false\nalice:x:1001:1001::/:/bin/sh\n";

    fn text(own: u32, caller: Option<(&'static str, Option<&str>, Option<u32>)>, login: Option<u32>) -> String {
        let who = |name: Option<&str>, uid| Who::new(PASSWD, name.map(str::to_owned), uid);
        let caller = caller.map(|(by, name, uid)| (by, who(name, uid)));
        Evidence { own: who(None, Some(own)), caller, login: login.map(|uid| who(None, Some(uid))) }.to_string()
    }

    #[test]
    fn capitals_and_blanks_make_no_other_person() {
        let person = |name| Person::here(name, 0);
        assert!(person("First Reviewer").is(&person(" first  REVIEWER ")));
        assert!(!person("First Reviewer").is(&person("Second Reviewer")));
        assert_eq!(person("  First   Reviewer").name, "First Reviewer");
        assert!(!person("First").account.is_empty());
        assert!(person("First").shares_account(&person("Second")), "the same process");
    }

    #[test]
    fn an_account_says_who_is_behind_it() {
        let alice = Some(("sudo", Some("alice"), Some(1001)));
        assert_eq!(text(1001, None, None), "alice (uid 1001)");
        assert_eq!(text(1001, None, Some(1001)), "alice (uid 1001)");
        assert_eq!(text(4242, None, None), "uid 4242");
        assert_eq!(text(998, alice, Some(1001)), "agent (uid 998), sudo by alice (uid 1001)");
        assert_eq!(text(0, Some(("doas", Some("alice"), None)), None), "root (uid 0), doas by alice (uid 1001)");
        assert_eq!(text(0, Some(("pkexec", None, Some(1001))), None), "root (uid 0), pkexec by alice (uid 1001)");
        assert_eq!(text(0, None, Some(1001)), "root (uid 0), login alice (uid 1001)");
        // a variable that somebody has set does not hide the login
        let bob = Some(("sudo", Some("bob"), Some(1002)));
        let forged = text(998, bob, Some(1001));
        assert_eq!(forged, "agent (uid 998), sudo by bob (uid 1002), login alice (uid 1001)");
        assert!(account::same(&forged, &text(998, alice, Some(1001))));
        let odd = text(998, Some(("sudo", Some("x), login y (uid 1:2"), Some(7))), None);
        assert_eq!(odd, "agent (uid 998), sudo by x__ login y _uid 1_2 (uid 7)");
    }
}
