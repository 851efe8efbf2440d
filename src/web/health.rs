//! `/healthz` and `/readyz`, open to whoever watches over the process.

use axum::extract::State;
use axum::routing::get;
use serde_json::json;

use super::Shared;
use super::answer::{self, Answer};
use super::problem::Problem;
use super::route::Route;

/// What this file serves.
pub const ROUTES: &[Route] = &[
    Route::get(
        "/healthz",
        "200 while it is alive, makes progress and can store, else 503 with the reason",
        || get(healthz),
    )
    .root(),
    Route::get(
        "/readyz",
        "200 while it is recovered, configured, not draining and can store, else 503 with the reason",
        || get(readyz),
    )
    .root(),
];

async fn healthz(State(desk): State<Shared>) -> Answer {
    let live = &desk.console.live;
    live.alive().and_then(|()| live.store()).map_err(Problem::unavailable)?;
    // It does what it can: nobody restarts it because of these.
    match live.warnings() {
        warnings if warnings.is_empty() => answer::whole(json!({"status": "ok"})),
        warnings => answer::whole(json!({"status": "ok", "warnings": warnings})),
    }
}

async fn readyz(State(desk): State<Shared>) -> Answer {
    let live = &desk.console.live;
    live.ready().and_then(|()| live.store()).map_err(Problem::unavailable)?;
    answer::whole(json!({"status": "ok"}))
}
