//! The way in: every request passes host, origin, session and form checks before a page sees it.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Form, FromRequest, Request, State};
use axum::http::header::{COOKIE, HOST, HeaderMap, HeaderValue, ORIGIN, SET_COOKIE};
use axum::http::uri::Authority;
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;

use crate::problem::Problem;
use crate::secret::Secret;
use crate::session::{CSRF_FIELD, Sessions, Visit};
use crate::{assets, headers};

/// No form of ours is longer.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// What the script of live pages sends along.
const LIVE: &str = "entente-live";

/// Where a program's pages are.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Whether they are served over TLS.
    pub https: bool,
    /// Every `HOST:PORT` under which they may be asked for; a request for another host is refused.
    pub hosts: Vec<String>,
}

impl Origin {
    /// Other hosts (a name that an attacker points here), other methods, and forms that other pages send.
    fn refuses(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Problem> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        // HTTP/2 has the host in the address instead of a header
        let host = text(HOST).or(uri.authority().map(Authority::as_str));
        if !host.is_some_and(|host| self.serves(host)) {
            return Some(Problem::host());
        }
        if *method == Method::GET || *method == Method::HEAD {
            return None;
        }
        if *method != Method::POST {
            return Some(Problem::method());
        }
        // With our own Referrer-Policy a browser sends `Origin: null` with a form; then it says by Sec-Fetch-Site whose
        // page it was.
        let site = headers.get("sec-fetch-site").map(|value| value.as_bytes() == b"same-origin");
        let named = headers.get(ORIGIN).filter(|value| value.as_bytes() != b"null");
        let named = named.map(|value| value.to_str().is_ok_and(|origin| self.is_ours(origin)));
        let vouched = [site, named];
        (vouched.contains(&Some(false)) || !vouched.contains(&Some(true))).then(Problem::origin)
    }

    fn is_ours(&self, origin: &str) -> bool {
        let scheme = if self.https { "https://" } else { "http://" };
        origin.strip_prefix(scheme).is_some_and(|host| self.serves(host))
    }

    fn serves(&self, host: &str) -> bool {
        self.hosts.iter().any(|h| h.eq_ignore_ascii_case(host))
    }
}

/// Sessions and the checks that come before a page.
#[derive(Debug)]
pub struct Gate<V> {
    inner: Arc<Inner<V>>,
}

#[derive(Debug)]
struct Inner<V> {
    origin: Origin,
    cookie: String,
    sessions: Sessions<V>,
}

impl<V> Clone for Gate<V> {
    fn clone(&self) -> Self {
        Gate { inner: Arc::clone(&self.inner) }
    }
}

impl<V: Clone + Send + Sync + 'static> Gate<V> {
    /// A gate without sessions yet. `cookie` names the cookie; cookies do not tell ports apart, so programs on one host
    /// need different names.
    pub fn new(origin: Origin, cookie: &str) -> Gate<V> {
        let prefix = if origin.https { "__Host-" } else { "" };
        let cookie = format!("{prefix}{cookie}");
        Gate { inner: Arc::new(Inner { origin, cookie, sessions: Sessions::default() }) }
    }

    /// All routes: `inside` needs a session, `outside` (the login) does not. Assets, `/logout` and the page for unknown
    /// addresses are added.
    pub fn mount(&self, inside: Router, outside: Router) -> Router {
        inside
            .route("/logout", post(leave::<V>).with_state(self.clone()))
            .route_layer(from_fn_with_state(self.clone(), signed_in::<V>))
            .merge(outside)
            .merge(assets::routes())
            .fallback(async || Problem::not_found())
            .method_not_allowed_fallback(async || Problem::method())
            .layer(from_fn_with_state(self.clone(), from_our_pages::<V>))
            .layer(from_fn(headers::add))
    }

    /// Begins a session and goes to the first page.
    pub fn enter(&self, visitor: V) -> Result<Response, Problem> {
        let secret = self.inner.sessions.begin(visitor, Instant::now()).ok_or_else(Problem::random)?;
        Ok(self.with_cookie(&secret.text(), ""))
    }

    fn with_cookie(&self, value: &str, further: &str) -> Response {
        let Inner { origin, cookie, .. } = &*self.inner;
        let secure = if origin.https { "; Secure" } else { "" };
        let text = format!("{cookie}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{further}");
        let mut response = Redirect::to("/").into_response();
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(SET_COOKIE, value);
        }
        response
    }

    /// The session's secret among a request's cookies.
    fn cookie(&self, headers: &HeaderMap) -> Option<Secret> {
        let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.inner.cookie).and_then(|(_, value)| Secret::parse(value))
    }
}

/// Ends the session.
async fn leave<V: Clone + Send + Sync + 'static>(State(gate): State<Gate<V>>, headers: HeaderMap) -> Response {
    if let Some(secret) = gate.cookie(&headers) {
        gate.inner.sessions.end(&secret);
    }
    gate.with_cookie("", "; Max-Age=0")
}

/// Refuses what [`Origin::refuses`] does.
async fn from_our_pages<V: Clone + Send + Sync + 'static>(
    State(gate): State<Gate<V>>,
    request: Request,
    next: Next,
) -> Response {
    match gate.inner.origin.refuses(request.method(), request.uri(), request.headers()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

/// Lets in who has a session, or is vouched for; a POST also needs the visit's own form.
async fn signed_in<V: Clone + Send + Sync + 'static>(
    State(gate): State<Gate<V>>,
    mut request: Request,
    next: Next,
) -> Response {
    let vouched = request.extensions().get::<Visit<V>>().cloned();
    let by_cookie = || {
        let in_person = !request.headers().contains_key(LIVE);
        gate.inner.sessions.visit(&gate.cookie(request.headers())?, in_person, Instant::now())
    };
    let Some(visit) = vouched.or_else(by_cookie) else {
        return Problem::no_login().into_response();
    };
    if *request.method() == Method::POST {
        request = match checked(request, &visit).await {
            Ok(request) => request,
            Err(problem) => return problem.into_response(),
        };
    }
    request.extensions_mut().insert(visit);
    next.run(request).await
}

/// The same request, if its form holds the session's field.
async fn checked<V>(request: Request, visit: &Visit<V>) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_FORM_BYTES).await.map_err(|_| Problem::too_large())?;
    let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let Form(fields) = Form::<Vec<(String, String)>>::from_request(copy, &()).await.map_err(|_| Problem::form())?;
    let mut sent = fields.iter().filter(|(name, _)| name == CSRF_FIELD);
    match (sent.next(), sent.next()) {
        (Some((_, field)), None) if visit.has_sent(field) => Ok(Request::from_parts(parts, Body::from(bytes))),
        _ => Err(Problem::form()),
    }
}

#[cfg(test)]
mod tests;
