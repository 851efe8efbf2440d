//! Rows as the API shows them: times as RFC 3339 in UTC, lists as `{"items": […], "next": cursor}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::clock::{Time, from_ms};
use crate::store::Page;

use super::problem::Problem;

/// What a handler gives back.
pub type Answer = Result<Response, Problem>;

/// A time as every answer writes it.
pub fn time(at: Time) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A row with its times readable: `due_at_ms` becomes `due_at`, in the row itself and in the rows it holds under `inner`.
pub fn row<T: Serialize>(row: &T, inner: &[&str]) -> Result<Value, Problem> {
    let mut value = serde_json::to_value(row).map_err(|_| {
        Problem::new(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            "a fault of Stayhook: a row cannot be shown",
        )
    })?;
    if let Value::Object(members) = &mut value {
        dated(members);
        for name in inner {
            let rows = members.get_mut(*name).and_then(Value::as_array_mut);
            for row in rows.into_iter().flatten().filter_map(Value::as_object_mut) {
                dated(row);
            }
        }
    }
    Ok(value)
}

/// Members that hold rows of ours. Everything else may be somebody else's JSON, which is left as it is.
const ROWS: &[&str] = &["items", "events", "runs", "steps", "attempts", "moves", "delivery"];

/// Makes the times of rows readable, also of the rows they hold: `due_at_ms` becomes `due_at`. For the command line, which
/// shows the same rows under the same names.
pub fn with_readable_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            dated(members);
            let rows = members.iter_mut().filter(|(name, _)| ROWS.contains(&name.as_str()));
            rows.for_each(|(_, rows)| with_readable_times(rows));
        }
        Value::Array(items) => items.iter_mut().for_each(with_readable_times),
        _ => {}
    }
}

fn dated(members: &mut Map<String, Value>) {
    let names: Vec<String> = members.keys().filter(|name| name.ends_with("_ms")).cloned().collect();
    for name in names {
        let Some(value) = members.remove(&name) else { continue };
        let at = value.as_i64().map(|ms| time(from_ms(ms)));
        members.insert(name.trim_end_matches("_ms").to_owned(), json!(at));
    }
}

/// One page of a list.
pub fn page<T: Serialize>(page: &Page<T>) -> Answer {
    let items = rows(&page.items)?;
    list(items, page.next.map(|next| next.to_string()))
}

/// Several rows.
pub fn rows<T: Serialize>(rows: &[T]) -> Result<Vec<Value>, Problem> {
    rows.iter().map(|each| row(each, &[])).collect()
}

/// A list and where it goes on.
pub fn list(items: Vec<Value>, next: Option<String>) -> Answer {
    whole(json!({"items": items, "next": next}))
}

/// A list that the running daemon gives, whole.
pub fn live(items: Value) -> Answer {
    match items {
        Value::Array(items) => list(rows(&items)?, None),
        one => list(vec![row(&one, &[])?], None),
    }
}

/// A single thing.
pub fn whole(value: Value) -> Answer {
    Ok(Json(value).into_response())
}
