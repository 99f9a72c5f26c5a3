//! The pages from outside: every page with every role, forms, hostile text.

use std::fs;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secagg::SigningIdentity;
use tower::ServiceExt as _;

use super::access::RULES;
use super::*;
use crate::authority::{Authority, load_signing_identity};
use crate::role::{self, Person, Role};
use crate::tls::PersonIdentity;
use crate::{enrol, hub, study};

const HOST: &str = "localhost:8444";
const HOSTILE: &str = "<script>alert('x')</script>\" onload=\"y \u{202e}=1+1";

/// A coordinator with three sites and a run that waits for them.
struct Coordinator {
    state: tempfile::TempDir,
    authority: Authority,
    router: Router,
    run: String,
}

impl Coordinator {
    fn new() -> Coordinator {
        let state = tempfile::tempdir().unwrap();
        let authority = Authority::create(state.path(), "Test study", &["localhost".into()], Timestamp::now()).unwrap();
        fs::create_dir(state.path().join("sites")).unwrap();
        for (number, site) in (1..).zip(["S01", "S02", "S03"]) {
            fs::write(state.path().join(format!("sites/{site}.toml")), enrolled(site, number)).unwrap();
        }
        let protocol = include_str!("../../../examples/lung/protocol.toml");
        let title = protocol.lines().find(|line| line.starts_with("title = ")).unwrap();
        let protocol = protocol.replace(title, &format!("title = '''{HOSTILE}'''"));
        let stored = study::create(state.path(), &protocol, &[], 30, Timestamp::now()).unwrap();
        let run = stored.manifest.name();
        let identity = load_signing_identity(state.path()).unwrap();
        let report = hub::recovered(&Store::open(state.path()).unwrap(), &stored, identity).unwrap();
        let board =
            Board { connected: ["S02".to_owned()].into(), runs: [(run.clone(), report)].into(), ..Board::default() };
        let (_, board) = watch::channel(board);
        let router = router(state.path(), "Test study", vec![HOST.into()], board).unwrap();
        Coordinator { state, authority, router, run }
    }

    /// A person with a certificate, as the listener knows them.
    fn person(&self, name: &str, role: Role) -> PersonIdentity {
        let person = Person::new(name, role).unwrap();
        let key = self.state.path().join(format!("{role}-{}.key", name.len()));
        let request = role::create_key(&key).unwrap();
        let certificate = role::issue(&self.authority, &person, &request, 30, Timestamp::now()).unwrap();
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        PersonIdentity { person, fingerprint: Digest::of(&certificate) }
    }

    async fn send(
        &self,
        who: Option<&PersonIdentity>,
        request: axum::http::request::Builder,
        body: &str,
    ) -> Response<Body> {
        let request = request.header("host", HOST).header("content-type", "application/x-www-form-urlencoded");
        let request = request.extension(who.cloned()).body(Body::from(body.to_owned())).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, who: Option<&PersonIdentity>, path: &str) -> (StatusCode, String) {
        let response = self.send(who, Request::get(path), "").await;
        (response.status(), text(response).await)
    }

    async fn post(&self, who: Option<&PersonIdentity>, path: &str, body: &str) -> Response<Body> {
        self.send(who, Request::post(path).header("sec-fetch-site", "same-origin"), body).await
    }

    /// Signs a person in by a one-time login: the cookie.
    async fn sign_in(&self, person: &Person) -> String {
        let login = LoginFor(person.clone()).text();
        let secret = logins(self.state.path()).issue(&login, Timestamp::now()).unwrap().text();
        let entered = self.post(None, "/login", &format!("secret={secret}")).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        let cookie = entered.headers()["set-cookie"].to_str().unwrap();
        for part in ["__Host-", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        cookie.split(';').next().unwrap().to_owned()
    }

    /// An address of the table with its parts filled in.
    fn filled(&self, path: &str) -> String {
        path.replace("{run}", &self.run).replace("{site}", "S03").replace("{*file}", "estimates.csv")
    }
}

fn enrolled(site: &str, number: u8) -> String {
    let identity = SigningIdentity::from_bytes(&[number; 32]).public();
    format!(
        "site = \"{site}\"\nlegal_name = '''{HOSTILE}'''\nidentity = \"{identity}\"\nenrolled_at = \"2026-01-01T00:00:00Z\"\n\
         [[certificate]]\nfingerprint = \"{0}\"\nkey = \"{0}\"\nnot_after = \"2026-12-01T00:00:00Z\"\n",
        Digest::of(site.as_bytes())
    )
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8_lossy(&to_bytes(response.into_body(), 1 << 24).await.unwrap()).into_owned()
}

/// The hidden field of a page's form.
fn field(page: &str) -> String {
    let value = page.split("name=\"csrf\" value=\"").nth(1).expect("a form with its field");
    format!("csrf={}", value.split('"').next().unwrap())
}

#[tokio::test]
async fn every_page_is_for_whom_the_table_says() {
    let coordinator = Coordinator::new();
    let people = Role::ALL.map(|role| coordinator.person("First Person", role));
    let mut refused = 0;
    for rule in &RULES {
        let path = coordinator.filled(rule.path);
        assert_eq!(coordinator.get(None, &path).await.0, StatusCode::UNAUTHORIZED, "{path}");
        let expected = if rule.change.is_empty() { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::UNAUTHORIZED };
        assert_eq!(coordinator.post(None, &path, "csrf=0").await.status(), expected, "{path}");
        for who in &people {
            let (role, what) = (who.person.role(), format!("{} as {}", path, who.person.role()));
            let (status, page) = coordinator.get(Some(who), &path).await;
            if rule.read.contains(&role) {
                assert!(![401, 403, 404, 405, 500].contains(&status.as_u16()), "{what}: {status} {page}");
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{what}");
                assert!(page.contains("pages.role"), "{what}");
                refused += 1;
            }
            let expected = if rule.change.is_empty() { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::FORBIDDEN };
            assert_eq!(coordinator.post(Some(who), &path, "csrf=0").await.status(), expected, "{what}");
        }
    }
    assert_eq!(refused, 2 * 2 + 3 + 2 * 2, "sites twice, results three times, audit twice");
    // The auditor changes nothing, and what an auditor or analyst reads is never more than the table says.
    assert!(RULES.iter().all(|rule| !rule.change.contains(&Role::Auditor) && !rule.change.contains(&Role::Analyst)));
}

#[tokio::test]
async fn a_good_form_is_refused_for_the_role() {
    let coordinator = Coordinator::new();
    for (role, status) in [(Role::Auditor, 403), (Role::Analyst, 403), (Role::Operator, 303)] {
        let cookie = coordinator.sign_in(&Person::new("First Person", role).unwrap()).await;
        let visit = |request: axum::http::request::Builder| request.header("cookie", &cookie);
        let own = text(coordinator.send(None, visit(Request::get("/studies")), "").await).await;
        let request = visit(Request::post("/sites/S03/revoke").header("sec-fetch-site", "same-origin"));
        let response = coordinator.send(None, request, &field(&own)).await;
        assert_eq!(response.status().as_u16(), status, "{role}");
        let page = text(response).await;
        assert_eq!(page.contains("pages.role"), role != Role::Operator);
        let revoked = enrol::load(coordinator.state.path(), "S03").unwrap().unwrap().revoked_at.is_some();
        assert_eq!(revoked, role == Role::Operator);
    }
}

#[tokio::test]
async fn an_operator_revokes_a_site_by_its_own_form_only() {
    let coordinator = Coordinator::new();
    let operator = coordinator.person("First Operator", Role::Operator);
    let revoked = || enrol::load(coordinator.state.path(), "S02").unwrap().unwrap().revoked_at.is_some();
    let (status, page) = coordinator.get(Some(&operator), "/sites/S02/revoke").await;
    assert_eq!(status, StatusCode::OK);
    let own = field(&page);
    let other = coordinator.person("Second Operator", Role::Operator);
    let (_, page) = coordinator.get(Some(&other), "/sites/S02/revoke").await;
    for (who, body) in [(&operator, String::new()), (&operator, field(&page)), (&other, own.clone())] {
        let response = coordinator.post(Some(who), "/sites/S02/revoke", &body).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
    for elsewhere in [Some("cross-site"), Some("same-site"), None] {
        let mut request = Request::post("/sites/S02/revoke");
        if let Some(site) = elsewhere {
            request = request.header("sec-fetch-site", site);
        }
        assert_eq!(coordinator.send(Some(&operator), request, &own).await.status(), StatusCode::FORBIDDEN);
    }
    assert!(!revoked());
    assert_eq!(coordinator.post(Some(&operator), "/sites/S02/revoke", &own).await.status(), StatusCode::SEE_OTHER);
    assert!(revoked());
    let (_, page) = coordinator.get(Some(&operator), "/sites").await;
    assert!(page.contains("revoked"));
    assert_eq!(coordinator.get(Some(&operator), "/sites/S09/revoke").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_certificate_that_is_not_on_record_lets_nobody_in() {
    let coordinator = Coordinator::new();
    let auditor = coordinator.person("First Auditor", Role::Auditor);
    assert_eq!(coordinator.get(Some(&auditor), "/studies").await.0, StatusCode::OK);
    // The same certificate with another role in it than on record, and one that the operator never recorded.
    let raised = PersonIdentity { person: Person::new("First Auditor", Role::Operator).unwrap(), ..auditor.clone() };
    let unknown = PersonIdentity { fingerprint: Digest::of(b"another"), ..auditor.clone() };
    for who in [&raised, &unknown] {
        let (status, page) = coordinator.get(Some(who), "/studies").await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(page.contains("pages.certificate"));
    }
    role::revoke(coordinator.state.path(), "First Auditor", Timestamp::now()).unwrap();
    assert_eq!(coordinator.get(Some(&auditor), "/studies").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_one_time_login_begins_a_session_of_its_role() {
    let coordinator = Coordinator::new();
    let analyst = Person::new("First Analyst", Role::Analyst).unwrap();
    let cookie = coordinator.sign_in(&analyst).await;
    let visit = |path: &'static str| coordinator.send(None, Request::get(path).header("cookie", &cookie), "");
    assert_eq!(visit("/studies").await.status(), StatusCode::OK);
    assert_eq!(visit("/sites").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(coordinator.get(None, "/studies").await.0, StatusCode::UNAUTHORIZED);

    // Opening the link uses nothing up; sending its form does.
    let secret = logins(coordinator.state.path()).issue(&LoginFor(analyst).text(), Timestamp::now()).unwrap().text();
    for _ in 0..2 {
        let (status, page) = coordinator.get(None, &format!("/login?secret={secret}")).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains(&secret));
    }
    for status in [StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED] {
        assert_eq!(coordinator.post(None, "/login", &format!("secret={secret}")).await.status(), status);
    }
    let (_, page) = coordinator.get(None, "/login?secret=%3Cb%3E").await;
    assert!(page.contains("One-time login") && !page.contains("<b>"));
}

#[tokio::test]
async fn hostile_text_is_shown_and_does_nothing() {
    let coordinator = Coordinator::new();
    let operator = coordinator.person("<script>alert('x')</script> \u{202e}", Role::Operator);
    for path in ["/sites", "/sites/S02/revoke", "/studies", &format!("/studies/{}", coordinator.run)] {
        let response = coordinator.send(Some(&operator), Request::get(path), "").await;
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let page = text(response).await;
        assert!(page.contains("&lt;script&gt;alert"), "{path}");
        assert!(!page.contains("<script>alert") && !page.contains("\" onload"), "{path}");
        assert!(!page.contains("style=") && !page.contains("javascript:"), "{path}");
    }
    let path = format!("/studies/{}/protocol", coordinator.run);
    let response = coordinator.send(Some(&operator), Request::get(&path), "").await;
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    let auditor = coordinator.person("First Auditor", Role::Auditor);
    for path in ["/studies/../sites", "/studies/lung/results/..%2Fsites", "/studies/%3Cscript%3E", "/nowhere"] {
        let (status, page) = coordinator.get(Some(&auditor), path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(!page.contains("<script>alert"), "{path}");
    }
}

#[tokio::test]
async fn an_error_of_the_machine_names_no_file() {
    let coordinator = Coordinator::new();
    let operator = coordinator.person("First Operator", Role::Operator);
    fs::write(coordinator.state.path().join("sites/S01.toml"), "damaged").unwrap();
    let (status, page) = coordinator.get(Some(&operator), "/sites").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.contains("enrol_damaged"));
    assert!(!page.contains(&*coordinator.state.path().to_string_lossy()), "{page}");
}

#[test]
fn addresses_under_which_the_pages_are_asked_for() {
    let address = Address {
        listen: "127.0.0.1:443".parse().unwrap(),
        name: "x".into(),
        hosts: vec!["entente.example.org".into(), "::1".into()],
        further: vec!["elsewhere.example.org:8443".into()],
        certificate: None,
    };
    assert_eq!(address.origins(8444), ["entente.example.org:8444", "[::1]:8444", "elsewhere.example.org:8443"]);
    assert_eq!(address.origins(443)[2..4], ["entente.example.org", "[::1]"]);
}
