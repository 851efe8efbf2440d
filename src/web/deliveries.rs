//! `deliveries`: what came in, and asking for it to be decided once more.

use axum::extract::State;
use axum::routing::{get, post};
use bytes::Bytes;
use http::Uri;
use serde_json::{Map, Value, json};

use crate::model::delivery::Outcome;
use crate::model::id::DeliveryId;
use crate::store::{Filter, ReplayWhich};

use super::Shared;
use super::answer::{self, Answer};
use super::body::Body;
use super::path::At;
use super::problem::Problem;
use super::query::{Params, heard_of};
use super::route::Route;

/// How many ids one replay takes.
const IDS_MAX: usize = 500;
const QUERY: &[&str] = &["outcome", "source", "code", "since", "limit", "cursor"];
const REPLAY: &[(&str, &str)] = &[("again", "boolean"), ("recipe", "string")];
const REPLAY_MANY: &[(&str, &str)] = &[
    ("ids", "array"),
    ("since", "string"),
    ("outcome", "string"),
    ("source", "string"),
    ("recipe", "string"),
    ("again", "boolean"),
    ("dry", "boolean"),
];

/// What this file serves.
pub const ROUTES: &[Route] = &[
    Route::get("/deliveries", "Deliveries, newest first", || get(list)).query(QUERY),
    Route::get("/deliveries/{id}", "One delivery with headers, body and events", || {
        get(show)
    }),
    Route::post(
        "/deliveries/{id}/replay",
        "Decides a delivery once more",
        REPLAY,
        || post(replay),
    ),
    Route::post(
        "/deliveries/replay",
        "Decides many deliveries once more; with `dry` only counts them",
        REPLAY_MANY,
        || post(replay_many),
    ),
];

/// Every outcome's word.
fn outcomes() -> Vec<&'static str> {
    Outcome::ALL.into_iter().map(Outcome::word).collect()
}

async fn list(State(desk): State<Shared>, uri: Uri) -> Answer {
    let params = Params::read(&uri, QUERY)?;
    let filter = Filter {
        state: params.word("outcome", &outcomes())?,
        ..params.filter(&desk.console).await?
    };
    let mut page = desk.console.store.deliveries(&filter).await?;
    for delivery in &mut page.items {
        // What is shown of many: warnings and traces may quote the body.
        delivery.detail = Value::Null;
    }
    answer::page(&page)
}

async fn show(State(desk): State<Shared>, At(id): At<String>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    let store = &desk.console.store;
    let delivery = store.delivery(&id).await?.ok_or_else(unknown)?;
    let made = Filter {
        of: Some(id),
        limit: Some(500),
        ..Filter::default()
    };
    let mut shown = answer::row(&delivery, &[])?;
    let mut events = answer::rows(&store.events(&made).await?.items)?;
    events.reverse();
    shown["events"] = json!(events);
    if let (Some(headers), Some(body)) = (&delivery.headers, &delivery.body) {
        let live = &desk.console.live;
        shown["recognised_by"] = json!(live.recognised_by(&delivery.source, headers, body));
    }
    answer::whole(shown)
}

async fn replay(State(desk): State<Shared>, At(id): At<String>, uri: Uri, bytes: Bytes) -> Answer {
    Params::read(&uri, &[])?;
    let body = Body::read(&bytes, REPLAY)?;
    let (again, recipe) = (body.flag("again")?, body.recipe(&desk.console)?);
    let store = &desk.console.store;
    store.delivery(&id).await?.ok_or_else(unknown)?;
    let which = ReplayWhich {
        ids: vec![DeliveryId(id.clone())],
        ..ReplayWhich::default()
    };
    if store.replay(which, again, recipe).await? == 0 {
        return Err(Problem::conflict(
            "it waits for its first decision still, or its body is no longer kept",
        ));
    }
    tracing::info!(delivery.id = %id, "a delivery is decided once more, by hand");
    desk.console.live.wake_inbox();
    answer::whole(json!({"delivery": id, "message": "will be decided once more"}))
}

async fn replay_many(State(desk): State<Shared>, uri: Uri, bytes: Bytes) -> Answer {
    Params::read(&uri, &[])?;
    let body = Body::read(&bytes, REPLAY_MANY)?;
    let outcome = body.word("outcome", &outcomes())?;
    let which = ReplayWhich {
        ids: body.texts("ids", IDS_MAX)?.into_iter().map(DeliveryId).collect(),
        since: body.since("since", &desk.console)?,
        outcome: outcome.as_deref().and_then(Outcome::from_word),
        source: body.text("source")?,
    };
    heard_of(&desk.console, which.source.as_deref(), None).await?;
    let recipe = body.recipe(&desk.console)?;
    let (again, dry) = (body.flag("again")?, body.flag("dry")?);
    let open = which.ids.is_empty() && which.since.is_none() && which.outcome.is_none() && which.source.is_none();
    if open && recipe.is_none() {
        return Err(Problem::bad(
            "say which: at least one of ids, since, outcome, source, recipe",
        ));
    }
    let store = &desk.console.store;
    let mut by_outcome = Map::new();
    let mut found = 0;
    for (word, count) in store.count_replay(&which).await? {
        found += count;
        by_outcome.insert(word, json!(count));
    }
    let marked = match dry {
        true => 0,
        false => store.replay(which, again, recipe).await?,
    };
    if marked > 0 {
        tracing::info!(deliveries = marked, "deliveries are decided once more, by hand");
        desk.console.live.wake_inbox();
    }
    answer::whole(json!({"found": found, "by_outcome": by_outcome, "marked": marked, "dry": dry}))
}

fn unknown() -> Problem {
    Problem::missing("there is no delivery with this id")
}
