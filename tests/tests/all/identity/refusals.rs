//! Every client that must not get in, with what the client and the coordinator's log say.

use jiff::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose};
use rustls::AlertDescription;
use rustls::pki_types::PrivateKeyDer;
use site_agent::connect::{ConnectError, Refused, WrongServer, connect, explain};
use site_agent::identity;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::federation::{Coordinator, Listener, Site, days_ago};
use super::log::Log;
use super::raw::{Client, rogue};
use super::service::who_am_i;

/// The whole line that a refusal leaves: reason class and address, never more.
fn line(peer: impl std::fmt::Display, reason: &str) -> String {
    format!("WARN coordinator::tls: handshake refused peer={peer} reason=\"{reason}\"")
}

#[tokio::test]
async fn an_enrolled_site_gets_in_and_is_known() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let listener = coordinator.listen().await;
    for id in ["S01", "S02"] {
        let identity = coordinator.enrol(id);
        let channel = connect(&identity, &listener.options()).await.unwrap();
        let fingerprint = secagg::Digest::of(identity.certificate());
        assert_eq!(who_am_i(&channel).await.unwrap(), format!("{id} {fingerprint}"));
    }
    assert_eq!(log.text(), "");
}

#[tokio::test]
async fn no_certificate() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let listener = coordinator.listen().await;
    let attempt = Client::without_certificate(&coordinator).attempt(listener.address).await;
    assert_eq!(attempt.alert(), AlertDescription::CertificateRequired);
    assert_eq!(log.line("refused").await, line(attempt.local, "no_certificate"));
}

#[tokio::test]
async fn a_certificate_of_another_authority() {
    let log = Log::capture();
    let (coordinator, other) = (Coordinator::new(), Coordinator::new());
    let identity = coordinator.enrol("S01");
    let mut files = coordinator.files();
    files.authority = other.files().authority;
    let listener = Listener::start(files).await;
    let error = connect(&identity, &listener.options()).await.unwrap_err();
    assert_eq!(error, ConnectError::Refused(Refused::UnknownIssuer));
    assert_eq!(error.to_string(), "the coordinator refused this site's certificate: issued by an unknown authority");
    assert!(log.line("refused").await.ends_with("reason=\"unknown_issuer\""));
}

#[tokio::test]
async fn an_expired_certificate() {
    let log = Log::capture();
    let (coordinator, site) = (Coordinator::new(), Site::new("S01"));
    let package = coordinator.approve(&site, days_ago(60));
    let then = days_ago(59);
    let identity = identity::accept(site.path(), package.text(), &coordinator.fingerprint(), then).unwrap();
    let listener = coordinator.listen().await;
    let error = connect(&identity, &listener.options()).await.unwrap_err();
    assert_eq!(error, ConnectError::Refused(Refused::Expired));
    assert_eq!(error.to_string(), "the coordinator refused this site's certificate: expired");
    assert_eq!(error.code(), "connect_refused_expired");
    assert!(log.line("refused").await.ends_with("reason=\"expired\""));
    assert!(!log.text().contains("S01"));
}

#[tokio::test]
async fn a_certificate_that_has_not_begun() {
    let log = Log::capture();
    let (coordinator, site) = (Coordinator::new(), Site::new("S01"));
    let package = coordinator.approve(&site, days_ago(-10));
    let then = days_ago(-11);
    let identity = identity::accept(site.path(), package.text(), &coordinator.fingerprint(), then).unwrap();
    let listener = coordinator.listen().await;
    let error = connect(&identity, &listener.options()).await.unwrap_err();
    assert_eq!(error, ConnectError::Refused(Refused::Expired));
    assert!(error.hint().contains("clock"));
    assert!(log.line("refused").await.ends_with("reason=\"not_yet_valid\""));
}

#[tokio::test]
async fn a_revoked_site_is_cut_off_and_stays_out() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let (good, bad) = (coordinator.enrol("S01"), coordinator.enrol("S02"));
    let listener = coordinator.listen().await;
    let good_channel = connect(&good, &listener.options()).await.unwrap();
    let bad_channel = connect(&bad, &listener.options()).await.unwrap();
    who_am_i(&bad_channel).await.unwrap();

    coordinator::enrol::revoke(coordinator.state.path(), "S02", Timestamp::now()).unwrap();
    assert!(listener.acceptor.reload().unwrap());
    assert!(!listener.acceptor.reload().unwrap());

    let error = connect(&bad, &listener.options()).await.unwrap_err();
    assert_eq!(error, ConnectError::Refused(Refused::Revoked));
    assert_eq!(error.to_string(), "the coordinator refused this site's certificate: revoked");
    assert!(log.line("refused").await.ends_with("reason=\"revoked\""));
    // The connection that was open has ended; when the channel tries to open another, it learns why.
    let mut reason = None;
    for _ in 0..3 {
        let status = who_am_i(&bad_channel).await.unwrap_err();
        reason = reason.or(explain(&status));
    }
    assert_eq!(reason, Some(ConnectError::Refused(Refused::Revoked)));
    who_am_i(&good_channel).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_is_not_one_of_a_site() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let listener = coordinator.listen().await;
    for (name, usage, alert) in [
        ("S01", ExtendedKeyUsagePurpose::ServerAuth, AlertDescription::UnsupportedCertificate),
        ("../S01", ExtendedKeyUsagePurpose::ClientAuth, AlertDescription::AccessDenied),
    ] {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        let (certificate, key) = rogue(&coordinator, &params);
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let client = Client::with_certificate(&coordinator, certificate.into(), key);
        let attempt = client.attempt(listener.address).await;
        assert_eq!(attempt.alert(), alert);
        let peer = attempt.local.to_string();
        assert_eq!(log.line(&peer).await, line(peer, "not_a_site"));
    }
}

#[tokio::test]
async fn tls_1_2() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let listener = coordinator.listen().await;
    let attempt = Client::of_tls12(&coordinator).attempt(listener.address).await;
    assert_eq!(attempt.alert(), AlertDescription::ProtocolVersion);
    assert_eq!(log.line("refused").await, line(attempt.local, "protocol_version"));
}

#[tokio::test]
async fn no_tls_at_all() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let listener = coordinator.listen().await;
    let mut stream = TcpStream::connect(listener.address).await.unwrap();
    stream.write_all(b"GET /secret-in-a-path HTTP/1.1\r\n\r\n").await.unwrap();
    let peer = stream.local_addr().unwrap();
    assert_eq!(log.line("refused").await, line(peer, "not_tls"));
    drop(TcpStream::connect(listener.address).await.unwrap());
    log.line("reason=\"disconnected\"").await;
}

#[tokio::test]
async fn an_agent_at_another_coordinator() {
    let log = Log::capture();
    let (own, other) = (Coordinator::new(), Coordinator::new());
    let identity = own.enrol("S01");
    let listener = other.listen().await;
    let error = connect(&identity, &listener.options()).await.unwrap_err();
    assert_eq!(error, ConnectError::WrongServer(WrongServer::UnknownIssuer));
    assert_eq!(
        error.to_string(),
        "the server is not the coordinator that enrolled this site: its certificate comes from another authority"
    );
    assert!(log.line("refused").await.ends_with("reason=\"refused_by_client\""));
}

#[tokio::test]
async fn a_site_cannot_play_the_coordinator() {
    // A certificate of the right authority, but for a client; and one for another host.
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    for (host, usage, expected) in [
        ("localhost", ExtendedKeyUsagePurpose::ClientAuth, WrongServer::Other),
        ("elsewhere", ExtendedKeyUsagePurpose::ServerAuth, WrongServer::OtherName),
    ] {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let (certificate, key) = rogue(&coordinator, &params);
        let directory = tempfile::tempdir().unwrap();
        let mut files = coordinator.files();
        files.certificate = directory.path().join("server.pem");
        files.key = directory.path().join("server.key.pem");
        super::reload::write_pair(&files, &certificate, &key);
        let listener = Listener::start(files).await;
        let error = connect(&identity, &listener.options()).await.unwrap_err();
        assert_eq!(error, ConnectError::WrongServer(expected));
    }
}

#[tokio::test]
async fn a_session_is_never_resumed() {
    // A resumed session shows no certificate: a revoked site could come back with it.
    let coordinator = Coordinator::new();
    let listener = coordinator.listen().await;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "S01");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (certificate, key) = rogue(&coordinator, &params);
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let client = Client::with_certificate(&coordinator, certificate.into(), key);
    for _ in 0..3 {
        let handshake = client.attempt(listener.address).await.outcome.unwrap();
        assert_eq!(handshake.kind, rustls::HandshakeKind::Full);
    }
}
