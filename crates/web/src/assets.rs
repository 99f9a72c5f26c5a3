//! Style sheet, script and icon: in the program, served from its own address.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

/// Where the style sheet is.
pub const STYLE_PATH: &str = "/assets/entente.css";
/// Where the script is.
pub const SCRIPT_PATH: &str = "/assets/live.js";
/// Where the icon is.
pub const ICON_PATH: &str = "/assets/icon.svg";

const STYLE: &str = include_str!("../assets/entente.css");
const SCRIPT: &str = include_str!("../assets/live.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// The routes of all assets.
pub(crate) fn routes() -> Router {
    Router::new()
        .route(STYLE_PATH, get(async || asset("text/css; charset=utf-8", STYLE)))
        .route(SCRIPT_PATH, get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .route(ICON_PATH, get(async || asset("image/svg+xml", ICON)))
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind)], text)
}
