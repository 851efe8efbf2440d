//! `reservations`: stays as recipes see them.

use axum::extract::State;
use axum::routing::get;
use http::Uri;
use serde_json::{Map, Value, json};

use crate::decide::view;
use crate::model::clock::from_ms;
use crate::model::property::Properties;
use crate::model::reservation::{Status, Stay};
use crate::store::{Filter, StayRow};

use super::answer::{self, Answer};
use super::path::At;
use super::problem::Problem;
use super::query::Params;
use super::route::Route;
use super::{Desk, Shared};

/// How many events and runs one stay shows; `events` and `runs` list the rest.
const RELATED_MAX: usize = 200;
const QUERY: &[&str] = &["status", "source", "code", "since", "limit", "cursor"];

/// What this file serves.
pub const ROUTES: &[Route] = &[
    Route::get("/reservations", "Stays, newest first", || get(list)).query(QUERY),
    Route::get(
        "/reservations/{source}/{code}",
        "One stay with the version of each field, its events and its runs",
        || get(show),
    ),
];

async fn list(State(desk): State<Shared>, uri: Uri) -> Answer {
    let params = Params::read(&uri, QUERY)?;
    let words: Vec<&str> = Status::ALL.into_iter().map(Status::word).collect();
    let filter = Filter {
        state: params.word("status", &words)?,
        ..params.filter(&desk.console).await?
    };
    let page = desk.console.store.reservations(&filter).await?;
    let properties = desk.console.live.properties();
    let items = page.items.iter().map(|row| summary(row, &properties)).collect();
    answer::list(items, page.next.map(|next| next.to_string()))
}

async fn show(State(desk): State<Shared>, At((source, code)): At<(String, String)>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    let store = &desk.console.store;
    let row = one(&desk, &source, &code).await?;
    let related = Filter {
        stay: Some(row.stay.id.0.clone()),
        limit: Some(RELATED_MAX),
        ..Filter::default()
    };
    let mut shown = summary(&row, &desk.console.live.properties());
    shown["versions"] = versions(&row.stay);
    shown["events"] = json!(answer::rows(&store.events(&related).await?.items)?);
    shown["runs"] = json!(answer::rows(&store.runs(&related).await?.items)?);
    answer::whole(shown)
}

/// The stay that a source means by a name; where there is none, 404, and where there are several, 409 with each of them.
pub(super) async fn one(desk: &Desk, source: &str, name: &str) -> Result<StayRow, Problem> {
    let mut rows = desk.console.store.called(source, name).await?;
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) => Ok(row),
        (None, _) => Err(Problem::missing("there is no stay of this source under this name")),
        (Some(last), false) => {
            rows.push(last);
            let problem =
                Problem::conflict("several stays of this source carry this name; ask for one of them by its key");
            Err(problem.with("candidates", candidates(&rows, &desk.console.live.properties())))
        }
    }
}

/// Stays that carry the same name, as one is chosen of them.
pub fn candidates(rows: &[StayRow], properties: &Properties) -> Value {
    let candidate = |row: &StayRow| {
        let stay = view(&row.stay, properties).json;
        let property = ["key", "name"].iter().map(|name| &stay["property"][name]);
        let property = property
            .chain([&stay["property"]["ids"][0]])
            .find(|value| !value.is_null());
        json!({"key": stay["key"], "property": property, "check_in": stay["check_in"]})
    };
    rows.iter().map(candidate).collect()
}

fn summary(row: &StayRow, properties: &Properties) -> Value {
    let view = view(&row.stay, properties);
    json!({
        "id": row.stay.id,
        "reservation": view.json,
        "complete": view.complete,
        "adopted": row.stay.adopted,
        "warnings": view.warnings,
        "first_seen_at": answer::time(from_ms(row.stay.first_seen_ms)),
        "updated_at": answer::time(from_ms(row.updated_at_ms)),
        "last_delivery": row.stay.last_delivery,
    })
}

/// How new the fact was that wrote each field, by the sender's own order: mostly milliseconds since 1970.
fn versions(stay: &Stay) -> Value {
    let of = |name: &String| {
        let stamp = stay.writer(name)?.stamp;
        Some((name.clone(), json!({"by": stamp.by, "then": stamp.then})))
    };
    Value::Object(stay.fields.keys().filter_map(of).collect::<Map<_, _>>())
}
