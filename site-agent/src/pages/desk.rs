//! What every page needs: the agent's state directory and configuration, and the frame around its content.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use jiff::Timestamp;
use maud::{Markup, html};
use secagg::Digest;
use study::forecast::Forecast;
use web::{NavItem, Page, Problem, Visit};

use super::problem::Unable;
use crate::config::Config;
use crate::identity::{self, Identity};
use crate::run::reviewers::Reviewer;
use crate::run::{Approver, Inspection, Link, Offered, Person, RunFolder, offers, runs};

/// The navigation of all pages.
const NAV: [NavItem; 2] = [NavItem { path: "/", label: "Studies" }, NavItem { path: "/health", label: "Health" }];

/// Who has signed in.
#[derive(Debug, Clone)]
pub(super) enum Visitor {
    /// Whoever had the login made, by an account of the operating system.
    Account(String),
    /// A reviewer with a login of their own.
    Reviewer(Reviewer),
}

impl Visitor {
    /// The person who decides now. `typed` is the name of a form, which a reviewer has no need of.
    pub(super) fn person(&self, typed: &str, at: u64) -> Person {
        match self {
            Visitor::Account(account) => Person::of_account(typed, account.clone(), at),
            Visitor::Reviewer(reviewer) => reviewer.person(at),
        }
    }
}

/// Behind all pages.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) link: Link,
    pub(super) started: Timestamp,
    site: String,
    /// One decision at a time: the consents of two people must not overwrite each other.
    pub(super) deciding: Mutex<()>,
    forecasts: Mutex<HashMap<Digest, Arc<Forecast>>>,
}

impl Desk {
    pub(super) fn new(config: &Config, link: &Link, started: Timestamp) -> Desk {
        let site = identity::load(&config.state_dir, started).map(|identity| identity.site().to_owned());
        Desk {
            config: config.clone(),
            link: link.clone(),
            started,
            site: site.unwrap_or_default(),
            deciding: Mutex::new(()),
            forecasts: Mutex::new(HashMap::new()),
        }
    }

    /// Runs what reads files or computes, away from the threads that hold the connection.
    pub(super) async fn off<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Desk) -> Result<T, Unable> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = tokio::task::spawn_blocking(move || work(&self)).await;
        let broke = || {
            let hint = "look at the agent's log";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "pages.broke", "the page could not be made", hint)
        };
        done.map_err(|_| broke())?.map_err(Problem::from)
    }

    /// A page of this agent around its content.
    pub(super) fn page(&self, visit: &Visit<Visitor>, title: &str, current: &str, content: &Markup) -> Markup {
        let leave = Some(visit.csrf_field());
        let place = match &visit.visitor {
            Visitor::Account(_) => self.site.clone(),
            Visitor::Reviewer(reviewer) => format!("{} · {}", self.site, reviewer.name),
        };
        Page { program: "Site agent", place: &place, title, nav: &NAV, current, leave }.render(content)
    }

    /// A page for somebody who has not signed in; it does not say whose agent this is.
    pub(super) fn closed_page(title: &str, content: &Markup) -> Markup {
        Page { program: "Site agent", place: "", title, nav: &[], current: "", leave: None }.render(content)
    }

    pub(super) fn identity(&self) -> Result<Identity, Unable> {
        Ok(identity::load(&self.config.state_dir, Timestamp::now())?)
    }

    pub(super) fn approver<'a>(&'a self, identity: &'a Identity) -> Approver<'a> {
        Approver {
            state_dir: &self.config.state_dir,
            identity: identity.signing(),
            coordinator: identity.coordinator().identity,
        }
    }

    /// An offer that nobody has approved, by its manifest's digest.
    pub(super) fn offered(&self, manifest: &str) -> Result<Offered, Unable> {
        let mut all = offers(&self.config.state_dir)?.into_iter();
        all.find(|offered| offered.offer.manifest.digest().to_string() == manifest).ok_or(Unable::Decided)
    }

    /// An approved run, by its manifest's digest.
    pub(super) fn run(&self, manifest: &str) -> Result<RunFolder, Unable> {
        let mut all = runs(&self.config.state_dir)?.into_iter();
        all.find(|run| run.manifest.digest().to_string() == manifest).ok_or(Unable::NoRun)
    }

    /// What later rounds of an offered study ask; computed once for a protocol.
    pub(super) fn forecast(&self, inspection: &Inspection<'_>) -> Arc<Forecast> {
        let key = inspection.offer.manifest.protocol;
        if let Some(known) = self.forecasts.lock().ok().and_then(|all| all.get(&key).cloned()) {
            return known;
        }
        let forecast = Arc::new(inspection.forecast());
        if let Ok(mut all) = self.forecasts.lock() {
            all.insert(key, Arc::clone(&forecast));
        }
        forecast
    }
}

/// A time for people, to the minute.
pub(super) fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M UTC")) } }
}

/// The same from seconds since 1970.
pub(super) fn time_of(seconds: u64) -> Markup {
    let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| html! { "no end" }, time)
}
