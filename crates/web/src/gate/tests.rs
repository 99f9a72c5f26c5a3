//! The gate from outside: requests as browsers, scripts and other pages send them.

use axum::body::Body;
use axum::extract::Form;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;
use serde::Deserialize;
use tower::ServiceExt;

use super::*;

type Header<'a> = (&'a str, &'a str);

const OURS: &str = "127.0.0.1:8480";

#[derive(Deserialize)]
struct Note {
    text: String,
}

fn origin(https: bool) -> Origin {
    Origin { https, hosts: vec![OURS.into(), "localhost:8480".into()] }
}

fn pages(gate: &Gate<&'static str>) -> Router {
    let entering = gate.clone();
    let inside = Router::new().route("/", get(async |visit: Visit<&'static str>| visit.csrf_field())).route(
        "/note",
        post(async |visit: Visit<&'static str>, Form(note): Form<Note>| format!("{} {}", visit.visitor, note.text)),
    );
    let outside = Router::new().route("/login", post(async move || entering.enter("reviewer")));
    gate.mount(inside, outside)
}

async fn send(router: &Router, method: &str, path: &str, headers: &[Header<'_>], body: &str) -> Response {
    let mut request = axum::http::Request::builder().method(method).uri(path);
    let host = headers.iter().all(|(name, _)| *name != "host").then_some(("host", OURS));
    for (name, value) in headers.iter().copied().chain(host) {
        request = request.header(name, value);
    }
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body.to_owned()));
    router.clone().oneshot(request.unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

const SAME: Header<'_> = ("sec-fetch-site", "same-origin");

/// Signs in: the cookie and the forms' field.
async fn signed_in(router: &Router) -> (String, String) {
    let response = send(router, "POST", "/login", &[SAME], "").await;
    assert_eq!(
        (response.status(), &response.headers()[LOCATION]),
        (StatusCode::SEE_OTHER, &HeaderValue::from_static("/"))
    );
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = text(send(router, "GET", "/", &[("cookie", &cookie)], "").await).await;
    let field = page.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    (cookie, field)
}

#[tokio::test]
async fn a_form_of_the_session_from_our_page_is_taken() {
    let router = pages(&Gate::new(origin(false), "entente"));
    let (cookie, field) = signed_in(&router).await;
    let body = format!("text=hello&csrf={field}");
    let own_origin = ("origin", "http://127.0.0.1:8480");
    for headers in [vec![SAME], vec![own_origin], vec![SAME, own_origin], vec![SAME, ("origin", "null")]] {
        let headers: Vec<_> = headers.into_iter().chain([("cookie", cookie.as_str())]).collect();
        let response = send(&router, "POST", "/note", &headers, &body).await;
        assert_eq!(response.status(), StatusCode::OK, "{headers:?}");
        assert_eq!(text(response).await, "reviewer hello");
    }
}

#[tokio::test]
async fn other_pages_forms_and_sessions_are_refused() {
    let router = pages(&Gate::new(origin(false), "entente"));
    let (cookie, field) = signed_in(&router).await;
    let (_, other_field) = signed_in(&router).await;
    let cookie = ("cookie", cookie.as_str());
    let good = format!("text=hello&csrf={field}");
    let cases: [(&[Header<'_>], &str, &str); 14] = [
        (&[SAME], &good, "web.login"),
        (&[SAME, ("cookie", "entente=0000")], &good, "web.login"),
        (&[SAME, ("cookie", &format!("entente={}", "0".repeat(64)))], &good, "web.login"),
        (&[cookie], &good, "web.origin"),
        (&[cookie, ("origin", "null")], &good, "web.origin"),
        (&[cookie, ("sec-fetch-site", "same-site")], &good, "web.origin"),
        (&[cookie, ("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8480")], &good, "web.origin"),
        (&[cookie, ("origin", "http://127.0.0.1:8481")], &good, "web.origin"),
        (&[cookie, ("origin", "https://127.0.0.1:8480")], &good, "web.origin"),
        (&[cookie, SAME, ("host", "rebound.example:8480")], &good, "web.host"),
        (&[cookie, SAME], "text=hello", "web.form"),
        (&[cookie, SAME], &format!("text=hello&csrf={other_field}"), "web.form"),
        (&[cookie, SAME], &format!("{good}&csrf={field}"), "web.form"),
        (&[cookie, SAME], &format!("{good}{}", "x".repeat(MAX_FORM_BYTES)), "web.too_large"),
    ];
    for (headers, body, code) in cases {
        let response = send(&router, "POST", "/note", headers, body).await;
        assert!(response.status().is_client_error());
        let page = text(response).await;
        assert!(page.contains(&format!("<code>{code}</code>")), "{code} {headers:?}: {page}");
    }
    let response = send(&router, "DELETE", "/note", &[cookie, SAME], "").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    let response = send(&router, "GET", "/note", &[cookie], "").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "no change by GET");
    let response = send(&router, "GET", "/", &[cookie, ("host", "rebound.example:8480")], "").await;
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn leaving_ends_the_session() {
    let router = pages(&Gate::new(origin(false), "entente"));
    let (cookie, field) = signed_in(&router).await;
    let response = send(&router, "POST", "/logout", &[("cookie", &cookie), SAME], &format!("csrf={field}")).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let response = send(&router, "GET", "/", &[("cookie", &cookie)], "").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let router = pages(&Gate::new(origin(false), "entente"));
    for path in ["/", "/none", "/login", assets::STYLE_PATH, assets::SCRIPT_PATH, assets::ICON_PATH] {
        let response = send(&router, "GET", path, &[], "").await;
        let header = |name: &'static str| response.headers()[HeaderName::from_static(name)].to_str().unwrap();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn cookies_are_hidden_from_scripts_and_other_sites() {
    for (https, begin, end) in [
        (false, "entente=", "; Path=/; HttpOnly; SameSite=Strict"),
        (true, "__Host-entente=", "; Path=/; HttpOnly; SameSite=Strict; Secure"),
    ] {
        let router = pages(&Gate::new(origin(https), "entente"));
        let response = send(&router, "POST", "/login", &[SAME], "").await;
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with(begin) && cookie.ends_with(end), "https: {https}");
    }
}

#[tokio::test]
async fn who_is_vouched_for_needs_no_cookie_but_the_form() {
    let (gate, csrf) = (Gate::new(origin(true), "entente"), Secret::random().unwrap());
    let vouch = csrf.clone();
    let vouched = pages(&gate).layer(from_fn(move |mut request: Request, next: Next| {
        request.extensions_mut().insert(Visit::vouched("auditor", vouch.clone()));
        next.run(request)
    }));
    assert_eq!(send(&vouched, "GET", "/", &[], "").await.status(), StatusCode::OK);
    let note = send(&vouched, "POST", "/note", &[SAME], &format!("text=a&csrf={}", csrf.text())).await;
    assert_eq!(text(note).await, "auditor a");
    let other = Secret::random().unwrap().text();
    let refused = send(&vouched, "POST", "/note", &[SAME], &format!("text=a&csrf={other}")).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}
