//! The agent's connection to the coordinator: outbound only, TLS 1.3, certificates at both ends, through an HTTP proxy
//! if there is one.

mod address;
mod dial;
mod error;
mod stream;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tonic::codegen::Service;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::identity::Identity;

pub(crate) use address::check_url;
pub use error::{ConnectError, Refused, WrongServer};

use dial::Dialer;
use stream::Accepted;

/// What the agent's configuration may say about the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Another address of the coordinator than its package gives: `https://HOST:PORT`. Its certificate must still hold
    /// the name in the package.
    pub url: Option<String>,
    /// A proxy that opens tunnels with CONNECT, without a password: `http://HOST:PORT`.
    pub https_proxy: Option<String>,
    /// How long each step of connecting may take.
    pub connect_timeout: Duration,
    /// How often an idle connection is checked; firewalls often forget one after a minute.
    pub keepalive_interval: Duration,
    /// How long the answer to such a check may take.
    pub keepalive_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: None,
            https_proxy: None,
            connect_timeout: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}

/// Connects to the coordinator that enrolled this site. When it returns, the coordinator has accepted the site's
/// certificate. The channel reconnects by itself; [`explain`] says why it could not.
pub async fn connect(identity: &Identity, options: &Options) -> Result<Channel, ConnectError> {
    let url = options.url.as_deref().unwrap_or(&identity.coordinator().url);
    let (origin, coordinator) = address::coordinator(url)?;
    let proxy = options.https_proxy.as_deref().map(address::proxy);
    // tonic must not add TLS of its own: our connector returns a connection that already has it.
    let endpoint = Endpoint::from_shared(format!("http://{}", coordinator.text))
        .map_err(|_| ConnectError::Address("coordinator"))?
        .origin(origin)
        .http2_keep_alive_interval(options.keepalive_interval)
        .keep_alive_timeout(options.keepalive_timeout)
        .keep_alive_while_idle(true);
    let dialer = Dialer {
        coordinator,
        server_name: ServerName::try_from(identity.coordinator().server_name.clone())
            .map_err(|_| ConnectError::Address("coordinator"))?,
        proxy: proxy.transpose()?,
        tls: Arc::new(client_config(identity)?),
        patience: options.connect_timeout,
    };
    endpoint.connect_with_connector(Connector(Arc::new(dialer))).await.map_err(|e| {
        let known = ConnectError::among_causes(&e).cloned();
        known.unwrap_or(ConnectError::Protocol)
    })
}

/// Why a call could not be made, if the reason is the connection.
pub fn explain(status: &tonic::Status) -> Option<ConnectError> {
    ConnectError::among_causes(status).cloned()
}

fn client_config(identity: &Identity) -> Result<ClientConfig, ConnectError> {
    let mut roots = RootCertStore::empty();
    roots.add(identity.authority().clone()).map_err(|_| ConnectError::Identity)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| ConnectError::Identity)?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![identity.certificate().clone()], identity.key().into())
        .map_err(|_| ConnectError::Identity)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The dialer as tonic wants it.
#[derive(Clone)]
struct Connector(Arc<Dialer>);

impl Service<Uri> for Connector {
    type Response = TokioIo<Accepted>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let dialer = Arc::clone(&self.0);
        Box::pin(async move { dialer.dial().await.map(TokioIo::new) })
    }
}
