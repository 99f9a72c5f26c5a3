//! The site's pages, for its own people on this machine: what waits for a decision, what left, how the agent is.
//!
//! They stand on the same functions as the command line: whatever a page decides, `site-agent study ...` could have decided.
//! Nothing changes by looking (GET), and no page shows a row or a patient's identifier.

mod decide;
mod desk;
mod findings;
mod health;
mod ledger;
mod login;
mod problem;
mod review;
mod studies;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use jiff::Timestamp;
use tokio::net::TcpListener;
use web::{Gate, Logins, Origin};

use crate::config::{Config, Loopback};
use crate::run::Link;
use desk::Desk;

/// Why there are no pages.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// The address is not free.
    #[error("cannot listen on {address} ({kind})")]
    Bind {
        /// As configured.
        address: SocketAddr,
        /// What kind of error.
        kind: io::ErrorKind,
    },
    /// The listener broke.
    #[error("the pages ended ({0})")]
    Ended(io::ErrorKind),
}

impl PagesError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            PagesError::Bind { .. } => "pages.bind",
            PagesError::Ended(_) => "pages.ended",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            PagesError::Bind { .. } => "choose another port for `pages` in agent.toml, or end what uses it",
            PagesError::Ended(_) => "start the agent again",
        }
    }
}

/// One-time logins of an agent.
pub fn logins(state_dir: &Path) -> Logins {
    Logins::in_folder(&state_dir.join("logins"))
}

/// Address of the page that a one-time login opens.
pub fn login_link(address: Loopback, secret: &web::Secret) -> String {
    format!("http://{}/login?token={}", address.address(), secret.text())
}

/// Serves the pages until the future is dropped.
pub async fn serve(address: Loopback, config: &Config, link: &Link) -> Result<(), PagesError> {
    let address = address.address();
    let bound = TcpListener::bind(address).await;
    let listener = bound.map_err(|e| PagesError::Bind { address, kind: e.kind() })?;
    tracing::info!(%address, "pages are served; `site-agent pages login` lets somebody in");
    let served = axum::serve(listener, router(address, config, link, Timestamp::now())).await;
    served.map_err(|e| PagesError::Ended(e.kind()))
}

/// All pages of an agent.
pub fn router(address: SocketAddr, config: &Config, link: &Link, started: Timestamp) -> Router {
    let hosts = vec![address.to_string(), format!("localhost:{}", address.port())];
    let gate = Gate::new(Origin { https: false, hosts }, &format!("entente-{}", address.port()));
    let desk = Arc::new(Desk::new(config, link, started));
    let inside = Router::new()
        .route("/", get(studies::page))
        .route("/offers/{manifest}", get(review::page))
        .route("/offers/{manifest}/approve", post(decide::approve))
        .route("/offers/{manifest}/reject", post(decide::reject))
        .route("/runs/{manifest}", get(ledger::page))
        .route("/runs/{manifest}/withdraw", post(decide::withdraw))
        .route("/health", get(health::page))
        .route_layer(from_fn_with_state(Arc::clone(&desk), login::still_named))
        .with_state(Arc::clone(&desk));
    let outside = Router::new().route("/login", get(login::page).post(login::enter)).with_state((gate.clone(), desk));
    gate.mount(inside, outside)
}
