//! Revocations and renewed certificates while the listener runs, and clients that keep it busy.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use coordinator::tls::TlsFiles;
use jiff::Timestamp;
use site_agent::connect::{ConnectError, Refused, connect};
use tokio::net::TcpStream;

use super::federation::Coordinator;
use super::log::Log;
use super::service::who_am_i;

/// Writes a certificate and its key where `files` says, each in PEM.
pub fn write_pair(files: &TlsFiles, certificate: &rcgen::Certificate, key: &rcgen::KeyPair) {
    let write = |path: &Path, text: &str| {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    };
    write(&files.certificate, &certificate.pem());
    write(&files.key, &key.serialize_pem());
}

#[tokio::test]
async fn a_running_listener_notices_a_revocation_by_itself() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = coordinator.listen().await;
    let channel = connect(&identity, &listener.options()).await.unwrap();
    coordinator::enrol::revoke(coordinator.state.path(), "S01", Timestamp::now()).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while who_am_i(&channel).await.is_ok() {
        assert!(Instant::now() < end, "still connected");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let error = connect(&identity, &listener.options()).await.unwrap_err();
    assert_eq!(error, ConnectError::Refused(Refused::Revoked));
}

#[tokio::test]
async fn a_renewed_server_certificate_is_taken_up() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = coordinator.listen().await;
    let channel = connect(&identity, &listener.options()).await.unwrap();
    let before = fs::read(&coordinator.files().certificate).unwrap();
    coordinator.authority.renew_server_certificate(Timestamp::now()).unwrap();
    assert_ne!(fs::read(&coordinator.files().certificate).unwrap(), before);
    assert!(listener.acceptor.reload().unwrap());
    connect(&identity, &listener.options()).await.unwrap();
    // Connections that were there stay.
    who_am_i(&channel).await.unwrap();
}

#[tokio::test]
async fn damaged_files_do_not_stop_a_running_listener() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = coordinator.listen().await;
    fs::write(&coordinator.files().revoked, "not a fingerprint").unwrap();
    assert_eq!(listener.acceptor.reload().unwrap_err().code(), "tls_content");
    log.line("reload failed").await;
    connect(&identity, &listener.options()).await.unwrap();
}

#[tokio::test]
async fn slow_clients_delay_nobody() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = coordinator.listen().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(listener.address).await.unwrap());
    }
    let started = Instant::now();
    connect(&identity, &listener.options()).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn sites_of_a_large_study_connect_quickly() {
    let coordinator = Coordinator::new();
    let started = Instant::now();
    let sites: Vec<_> = (1..=45).map(|i| coordinator.enrol(&format!("S{i:02}"))).collect();
    println!("45 sites made keys, were approved and accepted in {:?}", started.elapsed());
    let listener = coordinator.listen().await;
    let started = Instant::now();
    let mut channels = Vec::new();
    for identity in &sites {
        channels.push(connect(identity, &listener.options()).await.unwrap());
    }
    println!("45 sites connected in {:?}", started.elapsed());
    for channel in &channels {
        who_am_i(channel).await.unwrap();
    }
}
