//! `explain`: why each recipe did or did not run.

use axum::extract::State;
use axum::routing::get;
use http::Uri;
use serde_json::{Value, json};

use crate::store::{Filter, Store};

use super::Shared;
use super::answer::{self, Answer};
use super::path::At;
use super::problem::Problem;
use super::query::Params;
use super::route::Route;

/// How many events of one delivery are explained; `events` lists the rest.
const EVENTS_MAX: usize = 100;

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::get(
    "/explain/{delivery}",
    "What became of a delivery, fact by fact, and why each recipe did or did not run; the id of an event or a run also does",
    || get(show),
)];

async fn show(State(desk): State<Shared>, At(id): At<String>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    let store = &desk.console.store;
    let unknown = || Problem::missing("there is no delivery, event or run with this id");
    let id = delivery_of(store, id).await?.ok_or_else(unknown)?;
    let delivery = store.delivery(&id).await?.ok_or_else(unknown)?;
    let made = Filter {
        of: Some(id),
        limit: Some(EVENTS_MAX),
        ..Filter::default()
    };
    let page = store.events(&made).await?;
    let mut events = Vec::with_capacity(page.items.len());
    for event in page.items.iter().rev() {
        events.push(explained(store, &event.id).await?);
    }
    let shown = answer::row(&delivery, &[])?;
    let detail = &shown["detail"];
    answer::whole(json!({
        "delivery": shown["id"],
        "source": shown["source"],
        "received_at": shown["received_at"],
        "outcome": shown["outcome"],
        "because": shown["because"],
        "warnings": detail["warnings"],
        "trace": detail["trace"],
        "facts": detail["facts"],
        "events": events,
        "more_events": page.next.is_some(),
    }))
}

/// The delivery that an id leads to: its own, its event's, or the one behind a run.
async fn delivery_of(store: &Store, id: String) -> Result<Option<String>, Problem> {
    let event = match id.split_once('_').map(|(kind, _)| kind) {
        Some("e") => Some(id),
        Some("r") => store.run(&id).await?.and_then(|run| run.run.event),
        _ => return Ok(Some(id)),
    };
    match event {
        Some(event) => Ok(store.event(&event).await?.map(|event| event.delivery)),
        None => Ok(None),
    }
}

async fn explained(store: &Store, id: &str) -> Result<Value, Problem> {
    let Some(event) = store.event(id).await? else {
        return Ok(json!({"id": id}));
    };
    let answers = Filter {
        of: Some(id.to_owned()),
        limit: Some(500),
        ..Filter::default()
    };
    let runs = store.runs(&answers).await?;
    let mut shown = answer::row(&event, &[])?;
    if let Some(members) = shown.as_object_mut() {
        let changes = members.remove("event").map(|mut event| event["changes"].take());
        members.insert("changes".to_owned(), changes.unwrap_or_default());
        members.insert("runs".to_owned(), json!(answer::rows(&runs.items)?));
    }
    Ok(shown)
}
