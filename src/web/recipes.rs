//! `recipes`, as the running daemon knows them.

use axum::extract::State;
use axum::routing::get;
use http::Uri;

use super::Shared;
use super::answer::{self, Answer};
use super::query::Params;
use super::route::Route;

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::get(
    "/recipes",
    "Recipes with revision, sentence and what is wrong with them",
    || get(list),
)];

async fn list(State(desk): State<Shared>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    answer::live(desk.console.live.recipes())
}
