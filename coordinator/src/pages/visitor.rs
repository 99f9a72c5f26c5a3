//! Who opens a page: a person with a certificate, or with a one-time login.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use web::Visit;

use super::{PageError, Shared};
use crate::role::{self, Person};
use crate::tls::PersonIdentity;

/// Who opens a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Visitor {
    /// Name and role.
    pub(super) person: Person,
    /// Whether a certificate says so, and no session that could be ended.
    pub(super) by_certificate: bool,
}

/// Lets in whom the connection's certificate names, while it stands on record with the same name and role. A person
/// without a certificate goes on to the session's cookie.
pub(super) async fn recognise(State(pages): State<Shared>, mut request: Request, next: Next) -> Response {
    let shown = request.extensions().get::<Option<PersonIdentity>>().cloned().flatten();
    if let Some(PersonIdentity { person, fingerprint }) = shown {
        let standing = pages.read(move |pages| Ok(role::holder(&pages.state, &fingerprint)?)).await;
        let known = match standing {
            Ok(holder) => holder.is_some_and(|holder| holder.person == person),
            Err(error) => return error.into_response(),
        };
        if !known {
            return PageError::Certificate.into_response();
        }
        let visitor = Visitor { person, by_certificate: true };
        request.extensions_mut().insert(Visit::vouched(visitor, pages.forms.derive(&fingerprint.0)));
    }
    next.run(request).await
}
