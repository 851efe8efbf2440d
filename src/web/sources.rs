//! `sources`, as the running daemon knows them.

use axum::extract::State;
use axum::routing::get;
use http::Uri;
use serde_json::Value;

use super::Shared;
use super::answer::{self, Answer};
use super::query::Params;
use super::route::Route;

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::get(
    "/sources",
    "Sources with their counts and last rejections",
    || get(list),
)];

async fn list(State(desk): State<Shared>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    match desk.console.live.sources() {
        Value::Array(items) => answer::list(items, None),
        one => answer::list(vec![one], None),
    }
}
