//! The listener of the pages: who gets in over real TLS, and who does not.

use std::io;
use std::net::SocketAddr;

use coordinator::hub::Board;
use coordinator::pages::{self, Address};
use coordinator::role::{self, Person, Role, UNIT};
use jiff::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose};
use rustls::AlertDescription;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;

use super::federation::{Coordinator, Site};
use super::log::Log;
use super::raw::{Client, rogue};

/// Pages on a port of loopback; they end when this is dropped.
struct Served {
    address: SocketAddr,
    server: JoinHandle<()>,
    _board: watch::Sender<Board>,
}

impl Served {
    async fn start(coordinator: &Coordinator) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, board) = watch::channel(Board::default());
        let state = coordinator.state.path().to_owned();
        let at = Address {
            listen: address,
            name: "Test study".into(),
            hosts: vec!["localhost".into()],
            further: vec![],
            certificate: None,
        };
        let server = tokio::spawn(async move { pages::serve(&state, &at, listener, board).await.unwrap() });
        Served { address, server, _board: sender }
    }

    /// The answer to one request on an open connection: its first line and the rest.
    async fn ask(&self, stream: &mut TlsStream<TcpStream>, path: &str) -> io::Result<String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.address.port());
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        loop {
            let read = stream.read(&mut part).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&answer);
            if text.contains("</html>") || text.contains("content-length: 0") {
                return Ok(text.into_owned());
            }
        }
    }

    async fn status(&self, client: &Client, path: &str) -> String {
        let mut stream = client.open(self.address).await.unwrap();
        let answer = self.ask(&mut stream, path).await.unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn person(coordinator: &Coordinator, name: &str, role: Role) -> Client {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    let request = role::create_key(&key).unwrap();
    let person = Person::new(name, role).unwrap();
    let certificate = role::issue(&coordinator.authority, &person, &request, 30, Timestamp::now()).unwrap();
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    Client::with_certificate(coordinator, certificate, PrivateKeyDer::from_pem_file(&key).unwrap()).over_http_1()
}

#[tokio::test]
async fn a_certificate_opens_the_pages_of_its_role() {
    let coordinator = Coordinator::new();
    let served = Served::start(&coordinator).await;
    for (role, sites) in [(Role::Operator, "200"), (Role::Analyst, "403"), (Role::Auditor, "403")] {
        let client = person(&coordinator, "First Person", role);
        assert_eq!(served.status(&client, "/studies").await, "200");
        assert_eq!(served.status(&client, "/sites").await, sites);
    }
    let stranger = Client::without_certificate(&coordinator).over_http_1();
    assert_eq!(served.status(&stranger, "/studies").await, "401");
    assert_eq!(served.status(&stranger, "/login").await, "200");
}

#[tokio::test]
async fn a_site_is_not_a_person() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let served = Served::start(&coordinator).await;
    let site = Site::new("S01");
    let package = coordinator.approve(&site, Timestamp::now());
    let identity =
        site_agent::identity::accept(site.path(), package.text(), &coordinator.fingerprint(), Timestamp::now())
            .unwrap();
    let key = PrivateKeyDer::from_pem_file(site.path().join("identity/tls.key.pem")).unwrap();
    let client = Client::with_certificate(&coordinator, identity.certificate().clone(), key);
    let attempt = client.attempt(served.address).await;
    assert_eq!(attempt.alert(), AlertDescription::AccessDenied);
    let peer = attempt.local.to_string();
    assert!(log.line(&peer).await.ends_with("reason=\"not_a_person\""));
}

#[tokio::test]
async fn a_subject_that_the_coordinator_did_not_issue_gives_no_role() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let served = Served::start(&coordinator).await;
    // Of the right authority, which nobody but the coordinator holds; so these are what a mistake of ours could make.
    for (unit, name, status) in [
        (UNIT, "Somebody (operator)", Some("403")),
        (UNIT, "Somebody (root)", None),
        (UNIT, "S01", None),
        ("Operators", "Somebody (operator)", None),
    ] {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationalUnitName, unit);
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = rogue(&coordinator, &params);
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let client = Client::with_certificate(&coordinator, certificate.into(), key).over_http_1();
        if let Some(status) = status {
            assert_eq!(served.status(&client, "/studies").await, status, "not on record");
            continue;
        }
        let attempt = client.attempt(served.address).await;
        assert_eq!(attempt.alert(), AlertDescription::AccessDenied, "{unit} {name}");
        assert!(log.line(&attempt.local.to_string()).await.ends_with("reason=\"not_a_person\""));
    }
}

#[tokio::test]
async fn a_revoked_person_is_cut_off() {
    let coordinator = Coordinator::new();
    let served = Served::start(&coordinator).await;
    let auditor = person(&coordinator, "First Auditor", Role::Auditor);
    let mut open = auditor.open(served.address).await.unwrap();
    assert!(served.ask(&mut open, "/studies").await.unwrap().starts_with("HTTP/1.1 200"));
    role::revoke(coordinator.state.path(), "First Auditor", Timestamp::now()).unwrap();
    // At once by the record; within two seconds the connection ends, and no other is accepted.
    let answer = served.ask(&mut open, "/studies").await;
    assert!(answer.map_or(true, |answer| answer.starts_with("HTTP/1.1 403")));
    let mut rest = [0; 16];
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), open.read(&mut rest)).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "the open connection ends");
    assert_eq!(auditor.attempt(served.address).await.alert(), AlertDescription::CertificateRevoked);
}

#[tokio::test]
async fn other_hosts_and_old_tls_are_refused() {
    let coordinator = Coordinator::new();
    let served = Served::start(&coordinator).await;
    let attempt = Client::of_tls12(&coordinator).attempt(served.address).await;
    assert_eq!(attempt.alert(), AlertDescription::ProtocolVersion);
    let analyst = person(&coordinator, "First Analyst", Role::Analyst);
    let mut stream = analyst.open(served.address).await.unwrap();
    stream.write_all(b"GET /studies HTTP/1.1\r\nHost: elsewhere.example.org\r\n\r\n").await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 421");
}
