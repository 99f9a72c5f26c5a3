//! TLS clients that no agent would be: any version, with or without a certificate, with session resumption.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::federation::Coordinator;

pub struct Client(Arc<ClientConfig>);

/// How far a client came.
pub struct Attempt {
    /// The client's own address, which the listener logs.
    pub local: SocketAddr,
    pub outcome: Result<Handshake, io::Error>,
}

/// A handshake after which the listener has spoken.
pub struct Handshake {
    pub kind: HandshakeKind,
}

impl Client {
    pub fn without_certificate(coordinator: &Coordinator) -> Self {
        Self::new(coordinator, &TLS13, None)
    }

    pub fn of_tls12(coordinator: &Coordinator) -> Self {
        Self::new(coordinator, &TLS12, None)
    }

    pub fn with_certificate(
        coordinator: &Coordinator,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        Self::new(coordinator, &TLS13, Some((certificate, key)))
    }

    fn new(
        coordinator: &Coordinator,
        version: &'static SupportedProtocolVersion,
        own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(coordinator.authority.certificate().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key).unwrap(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self(Arc::new(config))
    }

    /// The same client as a program that reads pages.
    pub fn over_http_1(self) -> Self {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }

    /// Opens a connection.
    pub async fn open(&self, address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::clone(&self.0)).connect(name, tcp).await
    }

    /// Connects and waits for the listener's first bytes.
    pub async fn attempt(&self, address: SocketAddr) -> Attempt {
        let tcp = TcpStream::connect(address).await.unwrap();
        let local = tcp.local_addr().unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let outcome = match TlsConnector::from(Arc::clone(&self.0)).connect(name, tcp).await {
            Err(e) => Err(e),
            Ok(stream) => first_bytes(stream).await,
        };
        Attempt { local, outcome }
    }
}

impl Attempt {
    /// The alert with which the listener refused.
    pub fn alert(&self) -> AlertDescription {
        let Err(error) = &self.outcome else { panic!("accepted") };
        match error.get_ref().and_then(|e| e.downcast_ref()) {
            Some(rustls::Error::AlertReceived(alert)) => *alert,
            _ => panic!("no alert: {error}"),
        }
    }
}

/// A certificate of the coordinator's authority that the coordinator itself would never issue.
pub fn rogue(coordinator: &Coordinator, params: &rcgen::CertificateParams) -> (rcgen::Certificate, rcgen::KeyPair) {
    let file = coordinator.state.path().join("authority/ca.key.pem");
    let authority = rcgen::KeyPair::from_pem(&fs::read_to_string(file).unwrap()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_der(coordinator.authority.certificate(), &authority).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (certificate, key)
}

async fn first_bytes(mut stream: TlsStream<TcpStream>) -> Result<Handshake, io::Error> {
    let mut byte = [0];
    stream.read_exact(&mut byte).await?;
    let connection = stream.get_ref().1;
    Ok(Handshake { kind: connection.handshake_kind().unwrap() })
}
