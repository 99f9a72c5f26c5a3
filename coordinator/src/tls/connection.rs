//! An accepted connection: bytes under TLS, and who is at the other end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

/// Which site is at the other end of a connection; a service finds it in the extensions of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The site's identifier: the common name of its certificate.
    pub site: String,
    /// SHA-256 of its certificate (DER).
    pub fingerprint: [u8; 32],
}

/// A connection of a client. It ends when the client's certificate is revoked.
pub struct Connection<P = PeerIdentity> {
    stream: TlsStream<TcpStream>,
    peer: P,
    revoked: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<P> Connection<P> {
    /// `revoked` completes when the peer's certificate has been revoked.
    pub(super) fn new(
        stream: TlsStream<TcpStream>,
        peer: P,
        revoked: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { stream, peer, revoked: Box::pin(revoked) }
    }

    /// Who is at the other end.
    pub fn peer(&self) -> &P {
        &self.peer
    }
}

impl<P: Clone + Send + Sync + 'static> Connected for Connection<P> {
    type ConnectInfo = P;

    fn connect_info(&self) -> P {
        self.peer.clone()
    }
}

impl<P: Unpin> AsyncRead for Connection<P> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.revoked.as_mut().poll(cx).is_ready() {
            // Polling it once more would be an error of ours.
            self.revoked = Box::pin(std::future::ready(()));
            let error = io::Error::new(io::ErrorKind::ConnectionAborted, "certificate revoked");
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<P: Unpin> AsyncWrite for Connection<P> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
