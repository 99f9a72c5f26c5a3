//! The pages without a browser: every route asks for a session, and a login lets in once.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use axum::http::{Request, Response, StatusCode};
use jiff::Timestamp;
use site_agent::config::Config;
use site_agent::pages::{login_link, logins, router};
use site_agent::run::{Link, Person, reviewers};
use tempfile::TempDir;
use tower::ServiceExt;

const ADDRESS: &str = "127.0.0.1:8480";

/// Every route that needs a session. `pages/mod.rs` has the same list.
const INSIDE: [(&str, &str); 8] = [
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/offers/00"),
    ("GET", "/runs/00"),
    ("POST", "/offers/00/approve"),
    ("POST", "/offers/00/reject"),
    ("POST", "/runs/00/withdraw"),
    ("POST", "/logout"),
];

struct Agent {
    folder: TempDir,
    router: Router,
}

impl Agent {
    fn new() -> Agent {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        let text = format!("state_dir = \"state\"\ndata = \"data.csv\"\npages = \"{ADDRESS}\"");
        std::fs::write(&path, text).unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        let config = Config::read(&path).unwrap();
        let router = router(ADDRESS.parse().unwrap(), &config, &Link::default(), Timestamp::now());
        Agent { folder, router }
    }

    async fn send(&self, method: &str, path: &str, cookie: &str, body: &str) -> Response<Body> {
        let request = Request::builder().method(method).uri(path).header(HOST, ADDRESS).header(COOKIE, cookie);
        let request = request.header("sec-fetch-site", "same-origin");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }

    async fn text(&self, path: &str, cookie: &str) -> (StatusCode, String) {
        let response = self.send("GET", path, cookie, "").await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// Uses a fresh login; the session's cookie.
    async fn sign_in(&self) -> String {
        self.sign_in_as("alice (uid 1001)").await
    }

    async fn sign_in_as(&self, subject: &str) -> String {
        let state = self.folder.path().join("state");
        let secret = logins(&state).issue(subject, Timestamp::now()).unwrap();
        let body = format!("token={}", secret.text());
        let entered = self.send("POST", "/login", "", &body).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        let cookie = entered.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        let again = self.send("POST", "/login", "", &body).await;
        assert_eq!(again.status(), StatusCode::UNAUTHORIZED, "a login lets in once");
        cookie
    }
}

#[tokio::test]
async fn every_page_and_decision_needs_a_session() {
    let agent = Agent::new();
    for (method, path) in INSIDE {
        let refused = agent.send(method, path, "", "").await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    let cookie = agent.sign_in().await;
    for (method, path) in INSIDE {
        let status = agent.send(method, path, &cookie, "").await.status();
        let expected = match (method, path) {
            // a form without the session's field
            ("POST", _) => StatusCode::FORBIDDEN,
            (_, "/" | "/health") => StatusCode::OK,
            _ => StatusCode::NOT_FOUND,
        };
        assert_eq!(status, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn a_reviewer_who_was_removed_is_a_stranger() {
    let agent = Agent::new();
    let state = agent.folder.path().join("state");
    let it = Person::of_account("", "alice (uid 1001)".into(), 1);
    let reviewer = reviewers::add(&state, "First Reviewer", &it).unwrap();
    let subject = reviewers::login_subject(&reviewer);
    let cookie = agent.sign_in_as(&subject).await;
    let (status, page) = agent.text("/", &cookie).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("First Reviewer"), "the page says who is signed in: {page}");

    let unused = logins(&state).issue(&subject, Timestamp::now()).unwrap();
    reviewers::remove(&state, "First Reviewer", &it).unwrap();
    for path in ["/", "/health", "/offers/00", "/runs/00"] {
        assert_eq!(agent.text(path, &cookie).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    let late = agent.send("POST", "/login", "", &format!("token={}", unused.text())).await;
    assert_eq!(late.status(), StatusCode::UNAUTHORIZED, "a link of before");
    // another one of the same name is another person
    reviewers::add(&state, "First Reviewer", &it).unwrap();
    assert_eq!(agent.text("/", &cookie).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_list_above_is_every_route() {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages/mod.rs")).unwrap();
    let (inside, _) = source.split_once("let outside").unwrap();
    assert_eq!(inside.matches(".route(").count() + 1, INSIDE.len(), "the gate adds /logout");
}

#[tokio::test]
async fn an_agent_without_keys_says_so() {
    let agent = Agent::new();
    let cookie = agent.sign_in().await;
    let (_, studies) = agent.text("/", &cookie).await;
    assert!(studies.contains("Nothing waits.") && studies.contains("There is no connection"), "{studies}");
    let (_, health) = agent.text("/health", &cookie).await;
    assert!(health.contains("identity_missing") && health.contains("connecting"), "{health}");
}

#[test]
fn links_name_the_agents_own_address() {
    let agent = Agent::new();
    let config = Config::read(&agent.folder.path().join("agent.toml")).unwrap();
    let secret = web::Secret::random().unwrap();
    let link = login_link(config.pages.unwrap(), &secret);
    assert_eq!(link, format!("http://{ADDRESS}/login?token={}", secret.text()));
}
