//! A coordinator and sites in temporary directories, and a listener on loopback.

use std::net::SocketAddr;
use std::path::Path;

use coordinator::authority::Authority;
use coordinator::enrol::{Approval, Package, approve};
use coordinator::tls::{Acceptor, TlsFiles};
use jiff::{SignedDuration, Timestamp};
use site_agent::connect::Options;
use site_agent::identity::{self, Identity};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::Server;

use super::service::WhoAmI;

pub struct Coordinator {
    pub state: TempDir,
    pub authority: Authority,
}

impl Coordinator {
    /// Made 100 days ago, so that sites can have been approved, and have expired, since.
    pub fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let hosts = ["localhost".to_owned()];
        let authority = Authority::create(state.path(), "Test study", &hosts, days_ago(100)).unwrap();
        Self { state, authority }
    }

    pub fn fingerprint(&self) -> String {
        self.authority.fingerprint().to_string()
    }

    pub fn approve(&self, site: &Site, now: Timestamp) -> Package {
        let request = identity::request(site.path()).unwrap();
        let approval = Approval {
            site: &request.member.id,
            legal_name: &request.member.legal_name,
            url: "https://localhost:7443",
            valid_days: 30,
        };
        approve(&self.authority, &request.text, &approval, now).unwrap()
    }

    /// A site that is enrolled from now on.
    pub fn enrol(&self, id: &str) -> Identity {
        let site = Site::new(id);
        let package = self.approve(&site, Timestamp::now());
        identity::accept(site.path(), package.text(), &self.fingerprint(), Timestamp::now()).unwrap()
    }

    pub fn files(&self) -> TlsFiles {
        TlsFiles::of(self.state.path())
    }

    pub async fn listen(&self) -> Listener {
        Listener::start(self.files()).await
    }
}

pub struct Site(TempDir);

impl Site {
    /// A site with keys and a request.
    pub fn new(id: &str) -> Self {
        let state = tempfile::tempdir().unwrap();
        identity::create(state.path(), id, "General Hospital").unwrap();
        Self(state)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A running listener with a service on it; it ends when this is dropped.
pub struct Listener {
    pub address: SocketAddr,
    pub acceptor: Acceptor,
    server: JoinHandle<()>,
}

impl Listener {
    pub async fn start(files: TlsFiles) -> Self {
        let acceptor = Acceptor::new(files).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let incoming = acceptor.incoming(listener);
        let server = tokio::spawn(async move {
            Server::builder().add_service(WhoAmI).serve_with_incoming(incoming).await.unwrap();
        });
        Self { address, acceptor, server }
    }

    /// How an agent reaches it.
    pub fn options(&self) -> Options {
        options(self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// How an agent reaches a port on loopback.
pub fn options(address: SocketAddr) -> Options {
    Options { url: Some(format!("https://{address}")), ..Options::default() }
}

pub fn days_ago(days: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(24 * days)
}
