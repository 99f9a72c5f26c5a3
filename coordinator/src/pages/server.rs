//! The listener of the pages: TLS by the coordinator's own acceptor, then HTTP.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_stream::StreamExt;

use super::{Address, router};
use crate::hub::Board;
use crate::serve::ServeError;
use crate::tls::{Acceptor, Connection, People, PersonIdentity, TlsFiles};

/// A browser that needs longer to say what it wants has gone.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection ends after so long: the browser opens another, and shows its certificate again.
const LONGEST_CONNECTION: Duration = Duration::from_mins(10);
/// Open connections: many more than people, each with a few.
const MAX_CONNECTIONS: usize = 128;
/// No request of a browser of ours has longer headers.
const MAX_HEADERS: usize = 64 * 1024;

/// Serves the pages on a bound listener until the future is dropped.
pub async fn serve(
    state: &Path,
    address: &Address,
    listener: TcpListener,
    board: watch::Receiver<Board>,
) -> Result<(), ServeError> {
    let mut files = TlsFiles::of(state);
    if let Some((certificate, key)) = &address.certificate {
        (files.certificate, files.key) = (certificate.clone(), key.clone());
    }
    let acceptor = Acceptor::<People>::for_people(files)?;
    let port = listener.local_addr().map_or(address.listen.port(), |bound| bound.port());
    let router = router(state, &address.name, address.origins(port), board).ok_or(ServeError::Random)?;
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut incoming = acceptor.incoming(listener);
    while let Some(Ok(connection)) = incoming.next().await {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return Ok(()) };
        let router = router.clone();
        tokio::spawn(async move {
            let _slot = slot;
            let _ = tokio::time::timeout(LONGEST_CONNECTION, converse(connection, router)).await;
        });
    }
    Ok(())
}

/// Answers what comes over one connection.
async fn converse(connection: Connection<Option<PersonIdentity>>, router: Router) {
    let router = router.layer(Extension(connection.peer().clone()));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEADERS);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(HEADER_TIMEOUT)).max_header_list_size(64 * 1024);
    // What ends a connection early is the browser's matter.
    let _ = builder.serve_connection(TokioIo::new(connection), TowerToHyperService::new(router)).await;
}
