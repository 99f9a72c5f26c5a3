//! The coordinator's listeners: TLS 1.3, with a client certificate on every connection of a site, under tonic; with one, or a
//! login after it, for people.
//!
//! Revocations and renewed certificates are taken up without a restart; a refused handshake is logged with its reason
//! class and the peer's address and nothing else.

mod audience;
mod connection;
mod files;
mod refusal;
mod verifier;

use std::future;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secagg::Digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tracing::{debug, error, info, warn};

pub use audience::{Audience, People, PersonIdentity, Sites};
pub use connection::{Connection, PeerIdentity};
pub use files::{TlsError, TlsFiles};
pub use refusal::Refusal;

use files::Trust;

/// A handshake is one or two round trips; a client that needs longer than this is not one of ours.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the files are compared with what is in use.
const RELOAD_INTERVAL: Duration = Duration::from_secs(2);
/// Handshakes at the same time, each with one open file: well below the usual limit of 1024 files, and at the timeout
/// above still 25 new connections a second when every other client is a slow one.
const MAX_HANDSHAKES: usize = 256;
/// How long a refused client may take to read the reason.
const FAREWELL: Duration = Duration::from_secs(1);
/// Connections that wait for the server to take them.
const BACKLOG: usize = 64;

/// Accepts connections of one audience. Clones share everything.
#[derive(Clone)]
pub struct Acceptor<A = Sites> {
    files: Arc<TlsFiles>,
    current: Arc<watch::Sender<Arc<Trust>>>,
    audience: PhantomData<A>,
}

impl Acceptor<Sites> {
    /// For sites; reads the files for the first time.
    pub fn new(files: TlsFiles) -> Result<Self, TlsError> {
        Self::reading(files)
    }
}

impl Acceptor<People> {
    /// For people; reads the files for the first time.
    pub fn for_people(files: TlsFiles) -> Result<Self, TlsError> {
        Self::reading(files)
    }
}

impl<A: Audience> Acceptor<A> {
    fn reading(files: TlsFiles) -> Result<Self, TlsError> {
        let trust = Trust::read::<A>(&files)?;
        let current = Arc::new(watch::Sender::new(Arc::new(trust)));
        Ok(Self { files: Arc::new(files), current, audience: PhantomData })
    }

    /// Reads the files again: `true` if something changed. Connections with a certificate that is revoked now end at once. After
    /// an error, what was in use stays in use. A running listener does this every two seconds by itself.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let trust = Trust::read::<A>(&self.files)?;
        let changed = trust.source != self.current.borrow().source;
        if changed {
            self.current.send_replace(Arc::new(trust));
        }
        Ok(changed)
    }

    /// The stream of accepted connections, for tonic's `serve_with_incoming`. Each handshake runs by itself, so that a
    /// slow client delays nobody. For sites, the server on it must speak HTTP/2 only and first, as tonic's does: agents wait for its
    /// settings as the sign that they are accepted. Must be called inside a tokio runtime; dropping the stream closes the listener.
    pub fn incoming(&self, listener: TcpListener) -> ReceiverStream<io::Result<Connection<A::Peer>>> {
        let (accepted, stream) = mpsc::channel(BACKLOG);
        tokio::spawn(self.clone().listen(listener, accepted));
        ReceiverStream::new(stream)
    }

    async fn listen(self, listener: TcpListener, accepted: mpsc::Sender<io::Result<Connection<A::Peer>>>) {
        let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
        let mut reload = interval(RELOAD_INTERVAL);
        reload.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = accepted.closed() => return,
                _ = reload.tick() => self.reload_and_log(),
                (slot, stream, peer) = accept(&listener, &handshakes) => {
                    tokio::spawn(self.clone().handshake(stream, peer, slot, accepted.clone()));
                }
            }
        }
    }

    fn reload_and_log(&self) {
        match self.reload() {
            Ok(false) => {}
            Ok(true) => info!("certificates and revocations reloaded"),
            Err(e) => {
                error!(code = e.code(), error = %e, "certificates and revocations kept: reload failed");
            }
        }
    }

    async fn handshake(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        _slot: OwnedSemaphorePermit,
        accepted: mpsc::Sender<io::Result<Connection<A::Peer>>>,
    ) {
        let config = Arc::clone(&self.current.borrow().config);
        let accept = TlsAcceptor::from(config).accept(stream).into_fallible();
        let refusal = match timeout(HANDSHAKE_TIMEOUT, accept).await {
            Err(_) => Refusal::Timeout,
            Ok(Err((error, stream))) => {
                let refusal = Refusal::of(&error, A::FOREIGN);
                log_refusal(peer, refusal);
                return farewell(stream).await;
            }
            Ok(Ok(stream)) => match self.connection(stream) {
                None => A::FOREIGN,
                Some(connection) => {
                    debug!(%peer, "connection accepted");
                    // The server may be stopping: then nobody wants the connection any more.
                    let _ = accepted.send(Ok(connection)).await;
                    return;
                }
            },
        };
        log_refusal(peer, refusal);
    }

    /// The connection with its peer's identity; `None` if the certificate names nobody of the audience, which the verifier
    /// has ruled out before.
    fn connection(&self, stream: TlsStream<TcpStream>) -> Option<Connection<A::Peer>> {
        let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let Some(certificate) = certificate else {
            return A::STRANGER.map(|stranger| Connection::new(stream, stranger, future::pending()));
        };
        let fingerprint = Digest::of(certificate);
        let peer = A::peer(certificate)?;
        let mut trust = self.current.subscribe();
        let revoked = async move {
            let gone = trust.wait_for(|t| t.revoked.contains(&fingerprint)).await.is_err();
            if gone {
                // The acceptor is gone: nothing can be revoked any more.
                future::pending::<()>().await;
            }
        };
        Some(Connection::new(stream, peer, revoked))
    }
}

/// The next client, once there is room for its handshake.
async fn accept(listener: &TcpListener, handshakes: &Arc<Semaphore>) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
    loop {
        let Ok(slot) = Arc::clone(handshakes).acquire_owned().await else {
            future::pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Rounds are small messages that wait for each other.
                let _ = stream.set_nodelay(true);
                return (slot, stream, peer);
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                // Out of files, most likely: give the others time to end.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn log_refusal(peer: SocketAddr, refusal: Refusal) {
    warn!(%peer, reason = refusal.code(), "handshake refused");
}

/// Lets a refused client read the alert: closing a socket with unread bytes would reset the connection and the client
/// could lose the reason.
async fn farewell(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut rest = [0; 4096];
    let drain = async { while matches!(stream.read(&mut rest).await, Ok(n) if n > 0) {} };
    let _ = timeout(FAREWELL, drain).await;
}
