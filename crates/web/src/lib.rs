//! What the pages of both programs share: layout, style sheet, security headers, sessions, one-time logins, protection of
//! forms.
//!
//! A program writes its pages with [`Page`] and mounts them behind a [`Gate`]. Pages work without script; the one script
//! of [`assets`] renews the parts of a page that are marked as live.

pub mod assets;
mod gate;
mod headers;
mod login;
mod page;
mod problem;
mod secret;
mod session;

pub use gate::{Gate, Origin};
pub use login::{LoginError, Logins};
pub use page::{NavItem, Page, Scroll, digest, state};
pub use problem::Problem;
pub use secret::Secret;
pub use session::{LIFETIME, LONGEST_PAUSE, Sessions, Visit};
