//! What people do to runs: try again, one or many, call off, declare done.

use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::Uri;
use serde_json::{Value, json};

use crate::model::id::RunId;
use crate::model::run::ByHand;
use crate::store::{HandError, HandOutcome, StoreError};

use super::Shared;
use super::answer::{self, Answer};
use super::body::Body;
use super::path::At;
use super::problem::Problem;
use super::query::{Params, heard_of};
use super::route::Route;

/// How many runs one request takes up.
const MANY_MAX: usize = 1000;
/// How many refusals its answer lists.
const REFUSED_MAX: usize = 100;
const ONE: &[(&str, &str)] = &[("again", "boolean"), ("same_revision", "boolean")];
const MANY: &[(&str, &str)] = &[
    ("dead", "boolean"),
    ("recipe", "string"),
    ("since", "string"),
    ("again", "boolean"),
    ("same_revision", "boolean"),
];

/// What this file serves.
pub const ROUTES: &[Route] = &[
    Route::post(
        "/runs/{id}/retry",
        "Tries an ended run again, at the step that failed",
        ONE,
        || post(retry),
    ),
    Route::post("/runs/{id}/cancel", "Calls a run off", &[], || post(cancel)),
    Route::post("/runs/{id}/done", "Declares a dead or parked run done", &[], || {
        post(done)
    }),
    Route::post(
        "/runs/retry",
        "Tries dead and parked runs again, oldest first",
        MANY,
        || post(retry_many),
    ),
];

fn by_hand(body: &Body) -> Result<ByHand, Problem> {
    Ok(ByHand {
        again: body.flag("again")?,
        same_revision: body.flag("same_revision")?,
    })
}

fn touched(desk: &Shared, outcome: Result<HandOutcome, HandError>) -> Answer {
    let outcome = outcome?;
    tracing::info!(run.id = %outcome.run, state = outcome.state.word(), "a run was changed by hand");
    if outcome.state.is_ended() {
        desk.console.meter.ended(outcome.state.word());
    }
    // Whatever happens to a run, the next of its queue may go.
    desk.console.live.wake_outbox();
    // One that a clock had planned comes due now.
    desk.console.live.wake_timers();
    answer::whole(answer::row(&outcome, &[])?)
}

async fn retry(State(desk): State<Shared>, At(id): At<String>, uri: Uri, bytes: Bytes) -> Answer {
    Params::read(&uri, &[])?;
    let by_hand = by_hand(&Body::read(&bytes, ONE)?)?;
    let now = desk.console.clock.now();
    touched(&desk, desk.console.store.retry(RunId(id), by_hand, now).await)
}

async fn cancel(State(desk): State<Shared>, At(id): At<String>, uri: Uri, bytes: Bytes) -> Answer {
    Params::read(&uri, &[])?;
    Body::read(&bytes, &[])?;
    let now = desk.console.clock.now();
    touched(&desk, desk.console.store.cancel(RunId(id), now).await)
}

async fn done(State(desk): State<Shared>, At(id): At<String>, uri: Uri, bytes: Bytes) -> Answer {
    Params::read(&uri, &[])?;
    Body::read(&bytes, &[])?;
    let now = desk.console.clock.now();
    touched(&desk, desk.console.store.done(RunId(id), now).await)
}

async fn retry_many(State(desk): State<Shared>, uri: Uri, bytes: Bytes) -> Answer {
    Params::read(&uri, &[])?;
    let body = Body::read(&bytes, MANY)?;
    if !body.flag("dead")? {
        return Err(Problem::bad("say which: only {\"dead\": true} takes up many runs"));
    }
    let by_hand = by_hand(&body)?;
    // A recipe that is gone may have left dead runs.
    let (recipe, since) = (body.text("recipe")?, body.since("since", &desk.console)?);
    heard_of(&desk.console, None, recipe.as_deref()).await?;
    let store = &desk.console.store;
    let mut runs = store.dead(recipe, since, MANY_MAX + 1).await?;
    let more = runs.len() > MANY_MAX;
    runs.truncate(MANY_MAX);
    let (found, mut retried, mut count) = (runs.len(), 0u64, 0u64);
    let mut refused: Vec<Value> = Vec::new();
    for run in runs {
        let because = match store.retry(run.clone(), by_hand, desk.console.clock.now()).await {
            Ok(_) => {
                retried += 1;
                continue;
            }
            Err(HandError::Store(StoreError::Conflict(_)) | HandError::Unknown(_)) => "changed in between".to_owned(),
            Err(HandError::Refused(because)) => because,
            Err(HandError::Store(error)) => {
                desk.console.live.wake_outbox();
                // One that a clock had planned comes due now.
                desk.console.live.wake_timers();
                return Err(error.into());
            }
        };
        count += 1;
        if refused.len() < REFUSED_MAX {
            refused.push(json!({"run": run, "because": because}));
        }
    }
    tracing::info!(retried, refused = count, "runs were made ready again by hand");
    desk.console.live.wake_outbox();
    answer::whole(json!({"found": found, "retried": retried, "refused": count, "refusals": refused, "more": more}))
}
