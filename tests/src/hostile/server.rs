//! The server of the hostile coordinator: the real TLS, a stream of bytes that it encodes itself.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use coordinator::hub::Report;
use coordinator::tls::{Acceptor, PeerIdentity, TlsFiles};
use prost::Message;
use prost::bytes::BufMut;
use proto::wire::SiteMessage;
use proto::{FromAgent, MAX_MESSAGE_BYTES};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};

use super::attack::Frame;
use super::hub::{Event, Hub};

/// Why the hostile coordinator ends.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves until the future is dropped; prints its reports as the real coordinator does.
///
/// # Errors
/// Where the address, the certificates or the store cannot be used.
pub async fn serve(state_dir: &Path, address: SocketAddr) -> Result<(), Failure> {
    let acceptor = Acceptor::new(TlsFiles::of(state_dir))?;
    let listener = TcpListener::bind(address).await?;
    let report = Report::Listening { address: listener.local_addr()?.to_string() };
    println!("{}", serde_json::to_string(&report)?);
    let hub = Hub::open(state_dir)?;
    let (events, receiver) = mpsc::unbounded_channel();
    let service = Attend { events, connections: Arc::new(AtomicU64::new(0)) };
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::select! {
        ended = hub.serve(receiver) => ended,
        ended = server.serve_with_incoming(acceptor.incoming(listener)) => Ok(ended?),
    }
}

/// The only service of entente.v1, for bytes.
#[derive(Debug, Clone)]
struct Attend {
    events: mpsc::UnboundedSender<Event>,
    connections: Arc<AtomicU64>,
}

impl NamedService for Attend {
    const NAME: &'static str = "entente.v1.Coordinator";
}

impl Service<http::Request<tonic::body::Body>> for Attend {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let method = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(Raw).max_decoding_message_size(MAX_MESSAGE_BYTES);
            Ok(grpc.streaming(method, request).await)
        })
    }
}

type Outgoing = Pin<Box<dyn Stream<Item = Result<Frame, Status>> + Send>>;

impl StreamingService<SiteMessage> for Attend {
    type Response = Frame;
    type ResponseStream = Outgoing;
    type Future = BoxFuture<Response<Outgoing>, Status>;

    fn call(&mut self, request: Request<Streaming<SiteMessage>>) -> Self::Future {
        let Attend { events, connections } = self.clone();
        Box::pin(async move {
            let peer = request.extensions().get::<PeerIdentity>().cloned();
            let site = peer.ok_or_else(|| Status::unauthenticated("no client certificate"))?.site;
            let connection = connections.fetch_add(1, Ordering::Relaxed);
            let (outbound, outgoing) = mpsc::unbounded_channel();
            let _ = events.send(Event::Connected { site: site.clone(), connection, outbound });
            tokio::spawn(read(site, connection, request.into_inner(), events));
            let outgoing: Outgoing = Box::pin(UnboundedReceiverStream::new(outgoing));
            Ok(Response::new(outgoing))
        })
    }
}

async fn read(
    site: String,
    connection: u64,
    mut incoming: Streaming<SiteMessage>,
    events: mpsc::UnboundedSender<Event>,
) {
    while let Some(Ok(message)) = incoming.next().await {
        let Ok(message) = FromAgent::try_from(message) else { break };
        let _ = events.send(Event::Message { site: site.clone(), connection, message: Box::new(message) });
    }
    let _ = events.send(Event::Disconnected { site, connection });
}

/// Sends bytes as they are, reads messages of agents.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Frame;
    type Decode = SiteMessage;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Frame;
    type Error = Status;

    fn encode(&mut self, item: Frame, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = SiteMessage;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<SiteMessage>, Status> {
        SiteMessage::decode(bytes).map(Some).map_err(|e| Status::internal(e.to_string()))
    }
}
