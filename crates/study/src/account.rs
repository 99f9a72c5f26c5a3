//! Accounts of the people who decide at a site, as its ledgers name them.
//!
//! The actor of an entry is `NAME (ACCOUNT)`. The name is what a person typed; the account is what the site knows by itself:
//! `alice (uid 1001)`; `agent (uid 998), sudo by alice (uid 1001)`, and whoever logged in to the machine behind another
//! name comes last, `…, login alice (uid 1001)`; or `reviewer:First Reviewer`, who comes by a login to the pages that is
//! that person's alone. Whose account it is stands in the last part.

/// Begins the account of somebody who has a login of their own to a site's pages.
pub const REVIEWER: &str = "reviewer:";

/// Before the holder, where another account acted for it.
const BEHIND: [&str; 4] = ["sudo by ", "doas by ", "pkexec by ", "login "];

/// The account of an actor; none for a program.
pub fn of_actor(actor: &str) -> Option<&str> {
    let mut depth = 0_usize;
    // what a person typed as a name may hold anything: the account is the last thing in parentheses
    for (at, character) in actor.char_indices().rev() {
        match character {
            ')' => depth += 1,
            '(' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (character == '(').then(|| &actor[at + 1..actor.len() - 1]);
        }
    }
    None
}

/// Do two accounts belong to the same holder? An account that was renamed keeps its number; one that nobody could tell
/// is the same as any other such.
pub fn same(one: &str, other: &str) -> bool {
    let (one, other) = (Holder::of(one), Holder::of(other));
    let equal = |a: Option<String>, b: Option<String>| a.is_some() && a == b;
    equal(one.name, other.name) || equal(one.uid, other.uid)
}

/// The account that two of these actors share.
pub fn shared<'a>(actors: &[&'a str]) -> Option<&'a str> {
    let accounts: Vec<&str> = actors.iter().filter_map(|actor| of_actor(actor)).collect();
    let pairs = accounts.iter().enumerate().flat_map(|(i, one)| accounts[..i].iter().map(move |other| (*one, *other)));
    pairs.into_iter().find(|(one, other)| same(one, other)).map(|(one, _)| one)
}

/// One spelling of a name: capitals and blanks make no other person.
pub fn plain(name: &str) -> String {
    name.split_whitespace().collect::<String>().to_lowercase()
}

struct Holder {
    name: Option<String>,
    uid: Option<String>,
}

impl Holder {
    fn of(account: &str) -> Holder {
        if account.starts_with(REVIEWER) {
            return Holder { name: Some(plain(account)), uid: None };
        }
        let last = account.rsplit(", ").next().unwrap_or(account);
        let last = BEHIND.iter().find_map(|behind| last.strip_prefix(behind)).unwrap_or(last);
        if let Some(uid) = last.strip_prefix("uid ") {
            return Holder { name: None, uid: Some(uid.to_owned()) };
        }
        let parts = last.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (uid "));
        let (name, uid) = parts.map_or((last, None), |(name, uid)| (name, Some(uid.to_owned())));
        Holder { name: Some(name.to_owned()), uid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_an_actor_is_the_last_thing_in_parentheses() {
        for (actor, account) in [
            ("First Reviewer (alice (uid 1001))", Some("alice (uid 1001)")),
            (" (alice)", Some("alice")),
            (
                "Mallory (bob) (agent (uid 998), sudo by alice (uid 1001))",
                Some("agent (uid 998), sudo by alice (uid 1001)"),
            ),
            ("Odd) name ((reviewer:B)", Some("reviewer:B")),
            ("site-agent", None),
            ("", None),
            ("a)", None),
        ] {
            assert_eq!(of_actor(actor), account, "{actor}");
        }
    }

    #[test]
    fn one_holder_behind_several_accounts_is_one() {
        let sudo = "agent (uid 998), sudo by alice (uid 1001)";
        for (one, other) in [
            (sudo, sudo),
            (sudo, "root (uid 0), sudo by alice (uid 1001)"),
            (sudo, "alice (uid 1001)"),
            (sudo, "agent (uid 998), sudo by renamed (uid 1001)"),
            (sudo, "agent (uid 998), sudo by bob (uid 1002), login alice (uid 1001)"),
            (sudo, "agent (uid 998), sudo by alice"),
            ("uid 1001", "alice (uid 1001)"),
            ("unknown", "unknown"),
            ("reviewer:First Reviewer", "reviewer:first  reviewer"),
        ] {
            assert!(same(one, other) && same(other, one), "{one} and {other}");
        }
        for (one, other) in [
            (sudo, "agent (uid 998), sudo by bob (uid 1002)"),
            (sudo, "agent (uid 998)"),
            ("root (uid 0), login alice (uid 1001)", "root (uid 0), login bob (uid 1002)"),
            ("reviewer:First Reviewer", "reviewer:Second Reviewer"),
            ("reviewer:alice", "alice (uid 1001)"),
            ("uid 1001", "uid 1002"),
        ] {
            assert!(!same(one, other) && !same(other, one), "{one} and {other}");
        }
        assert_eq!(shared(&["A (uid 7)", "B (uid 8)", "C (uid 7)"]), Some("uid 7"));
        assert_eq!(shared(&["site-agent", "A (uid 7)", "site-agent"]), None);
    }
}
