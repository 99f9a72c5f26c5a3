//! The way to the coordinator: proxies, closed ports, silence, things that are not a coordinator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::version::TLS12;
use site_agent::connect::{ConnectError, Options, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::federation::{Coordinator, options};
use super::service::who_am_i;

/// A proxy for one connection: it reads a request for a tunnel and gives this answer.
async fn proxy(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut ask = Vec::new();
        while !ask.ends_with(b"\r\n\r\n") {
            ask.push(client.read_u8().await.unwrap());
        }
        let ask = String::from_utf8(ask).unwrap();
        let target = ask.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap().to_owned();
        assert_eq!(ask, format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"));
        client.write_all(answer.as_bytes()).await.unwrap();
        if answer.contains(" 200 ") {
            let mut server = TcpStream::connect(target).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    });
    address
}

#[tokio::test]
async fn through_a_proxy() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = coordinator.listen().await;
    let proxy = proxy("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n").await;
    let options = Options { https_proxy: Some(format!("http://{proxy}")), ..listener.options() };
    let channel = connect(&identity, &options).await.unwrap();
    assert!(who_am_i(&channel).await.unwrap().starts_with("S01 "));
}

#[tokio::test]
async fn a_proxy_that_says_no() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = coordinator.listen().await;
    for (answer, status, text) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", Some(403), "status 403"),
        ("220 mail.example.org\r\n\r\n", None, "no http answer"),
    ] {
        let proxy = proxy(answer).await;
        let options = Options { https_proxy: Some(format!("http://{proxy}")), ..listener.options() };
        let error = connect(&identity, &options).await.unwrap_err();
        assert_eq!(error, ConnectError::Proxy { status });
        assert_eq!(error.to_string(), format!("the proxy did not connect to the coordinator: {text}"));
    }
}

#[tokio::test]
async fn a_closed_port() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = connect(&identity, &options(address)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot reach {address}: connection refused"));
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_silent_port() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = Options { connect_timeout: Duration::from_millis(200), ..options(address) };
    let error = connect(&identity, &options).await.unwrap_err();
    assert_eq!(error, ConnectError::Timeout { target: address.to_string(), seconds: 0 });
}

#[tokio::test]
async fn a_port_that_hangs_up() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let error = connect(&identity, &options(address)).await.unwrap_err();
    assert_eq!(error, ConnectError::Closed { target: address.to_string() });
}

#[tokio::test]
async fn a_server_that_speaks_tls_1_2_only() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
    });
    let error = connect(&identity, &options(address)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{address} does not speak tls 1.3"));
}
