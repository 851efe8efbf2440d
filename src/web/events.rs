//! `events`: what facts changed.

use axum::extract::State;
use axum::routing::get;
use http::Uri;
use serde_json::Value;

use crate::model::event::is_type;
use crate::store::{EventRow, Filter};

use super::Shared;
use super::answer::{self, Answer};
use super::path::At;
use super::problem::Problem;
use super::query::Params;
use super::route::Route;

const QUERY: &[&str] = &["type", "delivery", "source", "code", "since", "limit", "cursor"];

/// What this file serves.
pub const ROUTES: &[Route] = &[
    Route::get("/events", "Events, newest first", || get(list)).query(QUERY),
    Route::get(
        "/events/{id}",
        "One event with all that recipes saw and what became of each",
        || get(show),
    ),
];

async fn list(State(desk): State<Shared>, uri: Uri) -> Answer {
    let params = Params::read(&uri, QUERY)?;
    let kind = params.text("type").map(str::to_owned);
    if kind.as_deref().is_some_and(|kind| !is_type(kind)) {
        return Err(
            Problem::bad("`type` is an event type, or other.<the sender's own>").allowed(crate::model::event::TYPES)
        );
    }
    let filter = Filter {
        state: kind,
        of: params.text("delivery").map(str::to_owned),
        ..params.filter(&desk.console).await?
    };
    answer::page(&desk.console.store.events(&filter).await?)
}

async fn show(State(desk): State<Shared>, At(id): At<String>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    let event = desk.console.store.event(&id).await?;
    let event = event.ok_or_else(|| Problem::missing("there is no event with this id"))?;
    answer::whole(shown(&event)?)
}

/// An event with what recipes saw of it: the stored one repeats the row, so its other members stand beside the row's.
fn shown(event: &EventRow) -> Result<Value, Problem> {
    let mut row = answer::row(event, &[])?;
    let Some(members) = row.as_object_mut() else {
        return Ok(row);
    };
    if let Some(Value::Object(mut stored)) = members.remove("event") {
        for name in ["reservation", "previous", "changes", "payment", "message"] {
            members.insert(name.to_owned(), stored.remove(name).unwrap_or_default());
        }
    }
    Ok(row)
}
