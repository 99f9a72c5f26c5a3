//! Which page is for which role: one table, from which the routes are made, so that no page is outside of it.

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use web::Visit;

use super::visitor::Visitor;
use super::{PageError, Shared, audit, results, run, sites, studies};
use crate::role::Role;

/// A page and who may open it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The address; `{…}` stands for one part of it.
    pub(super) path: &'static str,
    /// Who may read it.
    pub(super) read: &'static [Role],
    /// Who may change something with it.
    pub(super) change: &'static [Role],
    page: fn() -> MethodRouter<Shared>,
}

const OPERATOR: &[Role] = &[Role::Operator];
const AUDITOR: &[Role] = &[Role::Auditor];
const READERS: &[Role] = &[Role::Analyst, Role::Auditor];
const ALL: &[Role] = &Role::ALL;
const NOBODY: &[Role] = &[];

/// All pages behind the login.
pub(super) const RULES: [Rule; 11] = [
    Rule { path: "/", read: ALL, change: NOBODY, page: || get(studies::first) },
    Rule { path: "/sites", read: OPERATOR, change: NOBODY, page: || get(sites::list) },
    Rule {
        path: "/sites/{site}/revoke",
        read: OPERATOR,
        change: OPERATOR,
        page: || get(sites::confirm).post(sites::revoke),
    },
    Rule { path: "/studies", read: ALL, change: NOBODY, page: || get(studies::list) },
    Rule { path: "/studies/{run}", read: ALL, change: NOBODY, page: || get(run::show) },
    Rule { path: "/studies/{run}/protocol", read: ALL, change: NOBODY, page: || get(run::protocol) },
    Rule { path: "/studies/{run}/report", read: READERS, change: NOBODY, page: || get(results::report) },
    Rule { path: "/studies/{run}/results", read: READERS, change: NOBODY, page: || get(results::show) },
    Rule { path: "/studies/{run}/results/{*file}", read: READERS, change: NOBODY, page: || get(results::file) },
    Rule { path: "/studies/{run}/audit", read: AUDITOR, change: NOBODY, page: || get(audit::show) },
    Rule { path: "/studies/{run}/audit/bundle", read: AUDITOR, change: NOBODY, page: || get(audit::bundle) },
];

/// Whether a role may read the page of this address in [`RULES`].
pub(super) fn reads(role: Role, path: &str) -> bool {
    RULES.iter().any(|rule| rule.path == path && rule.read.contains(&role))
}

/// The routes of the table, each behind its rule.
pub(super) fn routes() -> Router<Shared> {
    RULES.iter().fold(Router::new(), |router, rule| {
        let guard =
            from_fn(move |visit: Visit<Visitor>, request: Request, next: Next| admit(rule, visit, request, next));
        router.route(rule.path, (rule.page)().route_layer(guard))
    })
}

async fn admit(rule: &Rule, visit: Visit<Visitor>, request: Request, next: Next) -> Response {
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let roles = if reading { rule.read } else { rule.change };
    let role = visit.visitor.person.role();
    if roles.contains(&role) { next.run(request).await } else { PageError::Role { role }.into_response() }
}
