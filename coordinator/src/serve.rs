//! The server: mutual TLS, the `Attend` streams, the hub behind them.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proto::server::{Coordinator, CoordinatorServer};
use proto::{FromAgent, MAX_MESSAGE_BYTES, wire};
use terminal::{LockError, StateLock};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::hub::{Event, Hub, HubError, Outbound, Report};
use crate::pages;
use crate::tls::{Acceptor, PeerIdentity, TlsError, TlsFiles};

/// Why the server ends.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be used.
    #[error("cannot listen on {address} ({kind})")]
    Listen {
        /// As given.
        address: SocketAddr,
        /// What kind of error.
        kind: std::io::ErrorKind,
    },
    /// Another process serves with the state directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Runs.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// HTTP/2.
    #[error("the server stopped")]
    Transport,
    /// No secret for the forms of the pages.
    #[error("the operating system gave no random bytes")]
    Random,
}

impl ServeError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ServeError::Listen { .. } => "serve.listen",
            ServeError::Lock(e) => e.code(),
            ServeError::Tls(e) => e.code(),
            ServeError::Hub(e) => e.code(),
            ServeError::Transport => "serve.transport",
            ServeError::Random => "serve.random",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ServeError::Listen { .. } => "choose a free address for `listen` or `web_listen` in the configuration",
            ServeError::Lock(e) => e.hint(),
            ServeError::Tls(e) => e.hint(),
            ServeError::Hub(e) => e.hint(),
            ServeError::Transport => "start it again; runs go on where they were",
            ServeError::Random => "try again; if it persists, check the operating system",
        }
    }
}

/// Serves until the future is dropped: sites at their address, and the pages at theirs, if there are to be any.
pub async fn serve(
    state_dir: &Path,
    address: SocketAddr,
    pages: Option<&pages::Address>,
    reports: mpsc::UnboundedSender<Report>,
) -> Result<(), ServeError> {
    let acceptor = Acceptor::new(TlsFiles::of(state_dir))?;
    let _held = StateLock::take(state_dir)?;
    let (listener, bound) = bind(address).await?;
    let _ = reports.send(Report::Listening { address: bound.to_string() });
    tracing::info!(address = %bound, "listening");
    let hub = Hub::open(state_dir, reports.clone())?;
    let pages = match pages {
        None => None,
        Some(pages) => {
            let (listener, bound) = bind(pages.listen).await?;
            let _ = reports.send(Report::Pages { address: bound.to_string() });
            tracing::info!(address = %bound, "pages");
            Some(pages::serve(state_dir, pages, listener, hub.board()))
        }
    };
    let pages = async {
        match pages {
            None => std::future::pending().await,
            Some(pages) => pages.await,
        }
    };
    let (events, receiver) = mpsc::unbounded_channel();
    let service = CoordinatorServer::new(Attend { events, connections: AtomicU64::new(0) })
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let server = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .add_service(service)
        .serve_with_incoming(acceptor.incoming(listener));
    tokio::select! {
        ended = hub.serve(receiver) => Ok(ended?),
        ended = server => ended.map_err(|_| ServeError::Transport),
        ended = pages => ended,
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |e: std::io::Error| ServeError::Listen { address, kind: e.kind() };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The gRPC service: each stream becomes events of the hub.
#[derive(Debug)]
struct Attend {
    events: mpsc::UnboundedSender<Event>,
    connections: AtomicU64,
}

type Outgoing = Pin<Box<dyn Stream<Item = Result<wire::CoordinatorMessage, Status>> + Send>>;

#[tonic::async_trait]
impl Coordinator for Attend {
    type AttendStream = Outgoing;

    async fn attend(&self, request: Request<Streaming<wire::SiteMessage>>) -> Result<Response<Outgoing>, Status> {
        let peer = request.extensions().get::<PeerIdentity>().cloned();
        let site = peer.ok_or_else(|| Status::unauthenticated("no client certificate"))?.site;
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let (outbound, outgoing) = mpsc::unbounded_channel();
        let events = self.events.clone();
        if events.is_closed() {
            return Err(Status::unavailable("the coordinator is stopping"));
        }
        tokio::spawn(read(site, connection, request.into_inner(), outbound, events));
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(outgoing))))
    }
}

/// Reads a site's stream to its end. The first message says which process it is that connects.
async fn read(
    site: String,
    connection: u64,
    mut incoming: Streaming<wire::SiteMessage>,
    outbound: Outbound,
    events: mpsc::UnboundedSender<Event>,
) {
    let first = incoming.next().await.and_then(Result::ok).map(FromAgent::try_from);
    let Some(Ok(FromAgent::Hello { software, instance })) = first else {
        tracing::warn!(%site, "a connection does not begin as one of an agent; it is closed");
        return;
    };
    tracing::debug!(%site, %software, "hello");
    if events.send(Event::Connected { site: site.clone(), connection, instance, outbound }).is_err() {
        return;
    }
    while let Some(Ok(message)) = incoming.next().await {
        match FromAgent::try_from(message) {
            Ok(message) => {
                let event = Event::Message { site: site.clone(), connection, message: Box::new(message) };
                if events.send(event).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%site, %error, "a message is not well formed; the connection is closed");
                break;
            }
        }
    }
    let _ = events.send(Event::Disconnected { site, connection });
}
