//! The coordinator's pages for people: sites, studies, progress, results, what was opened.
//!
//! They have a listener of their own, apart from that of the sites. Pages read the store, the files and a copy of the
//! hub's board, each in a thread of its own; the hub never waits for them. What a person may open is the table in
//! `access`.

mod access;
mod audit;
mod error;
mod frame;
mod kept;
mod login;
mod results;
mod run;
mod server;
mod sites;
mod studies;
#[cfg(test)]
mod tests;
mod visitor;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use secagg::Digest;
use study::protocol::Protocol;
use tokio::sync::watch;
use web::{Gate, Logins, Origin, Secret};

use crate::hub::{Board, RunReport};
use crate::store::{Store, StoreError, StoredRun};
use error::PageError;
use kept::Kept;
pub use login::{LoginFor, logins};
pub use server::serve;
use visitor::Visitor;

/// Where the pages are.
#[derive(Debug, Clone)]
pub struct Address {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// The coordinator's name, shown on every page.
    pub name: String,
    /// Hosts of the listener's certificate.
    pub hosts: Vec<String>,
    /// Further `HOST:PORT` under which browsers reach the pages.
    pub further: Vec<String>,
    /// Certificate and key of the pages, if they are not those of the sites' listener.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

impl Address {
    /// Every `HOST:PORT` under which the pages are served from a port. Browsers leave 443 out.
    pub fn origins(&self, port: u16) -> Vec<String> {
        let bracketed = |host: &String| if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let with_port = self.hosts.iter().map(|host| format!("{}:{port}", bracketed(host)));
        let without = self.hosts.iter().filter(|_| port == 443).map(bracketed);
        with_port.chain(without).chain(self.further.iter().cloned()).collect()
    }
}

/// What pages are made of.
#[derive(Debug)]
struct Pages {
    name: String,
    state: PathBuf,
    board: watch::Receiver<Board>,
    gate: Gate<Visitor>,
    logins: Logins,
    /// From which the secret of the forms of a person with a certificate follows.
    forms: Secret,
    protocols: Kept<Protocol>,
    results: Kept<results::Files>,
    opened: Kept<audit::Opened>,
}

type Shared = Arc<Pages>;

/// All routes. Whoever mounts them puts the connection's `Option<PersonIdentity>` into each request's extensions; without
/// it nobody has a certificate.
fn router(state: &Path, name: &str, origins: Vec<String>, board: watch::Receiver<Board>) -> Option<Router> {
    let gate = Gate::new(Origin { https: true, hosts: origins }, "entente-coordinator");
    let pages: Shared = Arc::new(Pages {
        name: name.to_owned(),
        state: state.to_owned(),
        board,
        gate: gate.clone(),
        logins: logins(state),
        forms: Secret::random()?,
        protocols: Kept::default(),
        results: Kept::default(),
        opened: Kept::default(),
    });
    let inside = access::routes().with_state(Arc::clone(&pages));
    let outside = login::routes().with_state(Arc::clone(&pages));
    let recognise = axum::middleware::from_fn_with_state(pages, visitor::recognise);
    Some(gate.mount(inside, outside).layer(recognise))
}

impl Pages {
    /// Reads files or the store without holding up other requests.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        what: impl FnOnce(&Pages) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        let pages = Arc::clone(self);
        tokio::task::spawn_blocking(move || what(&pages)).await.map_err(|_| PageError::Interrupted)?
    }

    fn store(&self) -> Result<Store, PageError> {
        Ok(Store::open(&self.state)?)
    }

    fn protocol(&self, run: &StoredRun) -> Result<Arc<Protocol>, PageError> {
        self.protocols.of(run.manifest.digest(), || {
            Protocol::parse(&run.protocol).map_err(|_| PageError::Protocol { run: run.manifest.name() })
        })
    }

    /// Where a run stands; `None` in the moment before the hub has found it.
    fn report(&self, run: &StoredRun) -> Option<RunReport> {
        self.board.borrow().runs.get(&run.manifest.name()).cloned()
    }
}

/// The run of exactly this name.
fn run_of(store: &Store, name: &str) -> Result<StoredRun, PageError> {
    let run = store.find_run(name)?;
    if run.manifest.name() == name { Ok(run) } else { Err(StoreError::NoRun { name: name.to_owned() }.into()) }
}

/// The folder of logins below a state directory.
fn login_folder(state: &Path) -> PathBuf {
    state.join("logins")
}

/// A digest as text.
fn hex(digest: &Digest) -> String {
    digest.to_string()
}
