//! `plan`: what was passed over because it was too late when it was planned runs all the same.

use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::Uri;
use serde_json::json;

use super::Shared;
use super::answer::{self, Answer};
use super::body::Body;
use super::query::Params;
use super::route::Route;

const BACKFILL: &[(&str, &str)] = &[("recipe", "string")];

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::post(
    "/plan/backfill",
    "Runs what was passed over because its time had passed when it was planned, of all recipes or of one",
    BACKFILL,
    || post(backfill),
)];

async fn backfill(State(desk): State<Shared>, uri: Uri, bytes: Bytes) -> Answer {
    Params::read(&uri, &[])?;
    // A recipe that is gone has nothing that could run: any name will do.
    let recipe = Body::read(&bytes, BACKFILL)?.text("recipe")?;
    let console = &desk.console;
    let due = console.store.backfill(recipe, console.clock.now()).await?.len();
    tracing::info!(runs = due, "runs that were passed over are due by hand");
    console.live.wake_timers();
    answer::whole(json!({"due": due}))
}
