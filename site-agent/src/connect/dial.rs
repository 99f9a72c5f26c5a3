//! From an address to a connection on which the coordinator has accepted this site.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::address::HostPort;
use super::error::ConnectError;
use super::stream::Accepted;

/// A proxy's answer to CONNECT is a few lines.
const MAX_PROXY_ANSWER: usize = 8 * 1024;

/// Everything a new connection needs.
#[derive(Clone)]
pub(super) struct Dialer {
    pub(super) coordinator: HostPort,
    pub(super) server_name: ServerName<'static>,
    pub(super) proxy: Option<HostPort>,
    pub(super) tls: Arc<ClientConfig>,
    /// For each step: reaching the host, the proxy's answer, the handshake, the coordinator's first bytes.
    pub(super) patience: Duration,
}

impl Dialer {
    /// Connects, and waits until the coordinator has spoken first: in TLS 1.3 a refused certificate is reported after
    /// the client's handshake is over, and an HTTP/2 server sends its settings without being asked.
    pub(super) async fn dial(&self) -> Result<Accepted, ConnectError> {
        let target = &self.coordinator.text;
        let tcp = match &self.proxy {
            None => self.reach(&self.coordinator).await?,
            Some(proxy) => {
                let mut tcp = self.reach(proxy).await?;
                self.in_time(&proxy.text, tunnel(&mut tcp, target)).await??;
                tcp
            }
        };
        let connect = TlsConnector::from(Arc::clone(&self.tls)).connect(self.server_name.clone(), tcp);
        let stream = self.in_time(target, connect).await?;
        let mut stream = stream.map_err(|e| ConnectError::of_io(&e, target))?;

        let mut first = Vec::with_capacity(1024);
        let read = self.in_time(target, stream.read_buf(&mut first)).await?;
        match read.map_err(|e| ConnectError::of_io(&e, target))? {
            0 => Err(ConnectError::Closed { target: target.clone() }),
            _ => Ok(Accepted::new(first, stream)),
        }
    }

    async fn reach(&self, address: &HostPort) -> Result<TcpStream, ConnectError> {
        let connect = TcpStream::connect((address.host.as_str(), address.port));
        let tcp = self
            .in_time(&address.text, connect)
            .await?
            .map_err(|e| ConnectError::Unreachable { target: address.text.clone(), reason: e.kind() })?;
        // Rounds are small messages that wait for each other.
        let _ = tcp.set_nodelay(true);
        Ok(tcp)
    }

    async fn in_time<T>(&self, target: &str, step: impl Future<Output = T>) -> Result<T, ConnectError> {
        timeout(self.patience, step)
            .await
            .map_err(|_| ConnectError::Timeout { target: target.to_owned(), seconds: self.patience.as_secs() })
    }
}

/// Asks a proxy for a tunnel to `target` (RFC 9110, section 9.3.6).
async fn tunnel(proxy: &mut TcpStream, target: &str) -> Result<(), ConnectError> {
    let silent = |_| ConnectError::Proxy { status: None };
    let ask = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    proxy.write_all(ask.as_bytes()).await.map_err(silent)?;
    // Byte by byte: what follows the empty line belongs to the tunnel.
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == MAX_PROXY_ANSWER {
            return Err(ConnectError::Proxy { status: None });
        }
        answer.push(proxy.read_u8().await.map_err(silent)?);
    }
    match status(&answer) {
        Some(200..=299) => Ok(()),
        status => Err(ConnectError::Proxy { status }),
    }
}

/// The status of an HTTP/1 answer.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&b| b == b'\r').next()?;
    let mut words = str::from_utf8(line).ok()?.split(' ');
    words.next()?.starts_with("HTTP/1.").then_some(())?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 no\r\nA: b\r\n\r\n"), Some(407));
        assert_eq!(status(b"SSH-2.0-x\r\n\r\n"), None);
        assert_eq!(status(b"HTTP/1.1\r\n\r\n"), None);
    }
}
