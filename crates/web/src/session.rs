//! Sessions: who has signed in, kept in memory. A restart signs everybody out.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use maud::{Markup, html};

use crate::problem::Problem;
use crate::secret::Secret;

/// A session ends after so long without a request.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// A session ends after so long, used or not.
pub const LIFETIME: Duration = Duration::from_hours(8);
/// More sessions than people who could use them: the one that was used longest ago makes room.
const MAX_SESSIONS: usize = 64;

/// The sessions of a program; `V` says who a visitor is.
#[derive(Debug)]
pub struct Sessions<V> {
    open: Mutex<HashMap<[u8; 32], Session<V>>>,
}

#[derive(Debug)]
struct Session<V> {
    visit: Visit<V>,
    opened: Instant,
    seen: Instant,
}

impl<V> Session<V> {
    fn lives(&self, now: Instant) -> bool {
        now.duration_since(self.seen) < LONGEST_PAUSE && now.duration_since(self.opened) < LIFETIME
    }
}

/// A request's visitor. Handlers take it as an argument; there is none on a page that needs no login.
#[derive(Debug, Clone)]
pub struct Visit<V> {
    /// Who it is.
    pub visitor: V,
    csrf: Secret,
}

impl<V> Visit<V> {
    /// A visitor for whom something else than a cookie vouches, such as a client certificate, with the secret that the
    /// visitor's forms hold. Whoever put this into a request's extensions before the [`crate::Gate`] lets it in.
    pub fn vouched(visitor: V, csrf: Secret) -> Visit<V> {
        Visit { visitor, csrf }
    }

    /// The hidden field that every form of this session holds.
    pub fn csrf_field(&self) -> Markup {
        html! { input type="hidden" name=(CSRF_FIELD) value=(self.csrf.text()); }
    }

    /// Whether a form's field is this session's.
    pub(crate) fn has_sent(&self, field: &str) -> bool {
        Secret::parse(field).is_some_and(|sent| sent.same(&self.csrf))
    }
}

/// Name of the hidden field.
pub(crate) const CSRF_FIELD: &str = "csrf";

impl<V> Default for Sessions<V> {
    fn default() -> Self {
        Sessions { open: Mutex::new(HashMap::new()) }
    }
}

impl<V: Clone> Sessions<V> {
    /// Begins a session; its secret is the cookie. None if the operating system gives no random bytes.
    pub fn begin(&self, visitor: V, now: Instant) -> Option<Secret> {
        let (secret, csrf) = (Secret::random()?, Secret::random()?);
        let mut open = self.open.lock().ok()?;
        open.retain(|_, session| session.lives(now));
        if open.len() >= MAX_SESSIONS {
            let oldest = open.iter().min_by_key(|(_, session)| session.seen).map(|(key, _)| *key);
            oldest.and_then(|key| open.remove(&key));
        }
        open.insert(secret.digest(), Session { visit: Visit { visitor, csrf }, opened: now, seen: now });
        Some(secret)
    }

    /// Whose session a cookie is. `in_person` says that somebody asks, and not a page that renews itself: only that
    /// counts as use.
    pub fn visit(&self, cookie: &Secret, in_person: bool, now: Instant) -> Option<Visit<V>> {
        let mut open = self.open.lock().ok()?;
        open.retain(|_, session| session.lives(now));
        let session = open.get_mut(&cookie.digest())?;
        if in_person {
            session.seen = now;
        }
        Some(session.visit.clone())
    }

    /// Ends a session.
    pub fn end(&self, cookie: &Secret) {
        if let Ok(mut open) = self.open.lock() {
            open.remove(&cookie.digest());
        }
    }
}

impl<V: Clone + Send + Sync + 'static, S: Sync> FromRequestParts<S> for Visit<V> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Visit<V>, Problem> {
        parts.extensions.get::<Visit<V>>().cloned().ok_or_else(Problem::no_login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_by_pause_by_age_and_by_wish() {
        let sessions = Sessions::default();
        let begun = Instant::now();
        let [paused, used, left] = ["paused", "used", "left"].map(|who| sessions.begin(who, begun).unwrap());
        assert_eq!(sessions.visit(&left, true, begun).unwrap().visitor, "left");
        sessions.end(&left);
        assert!(sessions.visit(&left, true, begun).is_none());

        let mut now = begun;
        while now + Duration::from_mins(20) < begun + LIFETIME {
            now += Duration::from_mins(20);
            assert_eq!(sessions.visit(&used, true, now).unwrap().visitor, "used");
            sessions.visit(&paused, false, now);
        }
        assert!(sessions.visit(&paused, true, begun + LONGEST_PAUSE).is_none());
        assert!(sessions.visit(&used, true, begun + LIFETIME).is_none(), "used all the time, but old");
    }

    #[test]
    fn the_session_that_was_used_longest_ago_makes_room() {
        let sessions = Sessions::default();
        let begun = Instant::now();
        let first = sessions.begin(0, begun).unwrap();
        let second = sessions.begin(1, begun + Duration::from_secs(1)).unwrap();
        sessions.visit(&first, true, begun + Duration::from_secs(2)).unwrap();
        for i in 2..=MAX_SESSIONS {
            sessions.begin(i, begun + Duration::from_secs(3)).unwrap();
        }
        let later = begun + Duration::from_secs(4);
        assert!(sessions.visit(&first, true, later).is_some());
        assert!(sessions.visit(&second, true, later).is_none());
    }

    #[test]
    fn a_form_belongs_to_one_session() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let [a, b] =
            [sessions.begin((), now), sessions.begin((), now)].map(|s| sessions.visit(&s.unwrap(), true, now).unwrap());
        assert!(a.has_sent(&a.csrf.text()));
        assert!(!a.has_sent(&b.csrf.text()));
        assert!(!a.has_sent(""));
        assert!(a.csrf_field().into_string().contains(&a.csrf.text()));
    }
}
