//! The values that templates see.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::lang::template::Context;
use crate::model::clock::from_ms;
use crate::model::event::Event;

use super::names::complete;

/// What every template name begins with.
pub(super) const ROOTS: &[&str] = &[
    "event",
    "reservation",
    "stay",
    "previous",
    "changes",
    "property",
    "payload",
    "payment",
    "message",
    "steps",
    "vars",
    "kept",
    "earlier",
    "gathered",
    "run",
    "now",
];

/// The names of `event`: its id, its most important type and all of them, when it was decided (RFC 3339), where it
/// came from.
pub(super) const EVENT_NAMES: &[&str] = &["id", "type", "types", "at", "source", "delivery", "stay"];

/// The names of `run` that templates may use; what [`Parts::run`] leaves out is null.
pub const RUN_NAMES: &[&str] = &["id", "key", "recipe", "revision", "due_at", "dry_run"];

/// Below these names any key may be asked for: what is not there has no value and is no mistake when rendering.
const LOOSE: &[&str] = &[
    "changes",
    "earlier",
    "gathered",
    "kept",
    "message",
    "payload",
    "payment",
    "previous.property.vars",
    "property.vars",
    "reservation.property.vars",
    "stay.next",
    "stay.previous",
    "stay.property.vars",
    "steps",
    "vars",
];

/// What the values of templates are made of.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// The event with the reservation before and after it.
    pub event: &'a Event,
    /// The delivery's body.
    pub payload: &'a Value,
    /// Step id to `{output: …}`, for the steps that are done.
    pub steps: &'a Value,
    /// The recipe's vars, rendered.
    pub vars: &'a Value,
    /// The run; see [`RUN_NAMES`].
    pub run: &'a Value,
    /// The time, RFC 3339 in the property's zone.
    pub now: String,
}

/// The values for templates of a recipe for events. Every canonical name is there, null where it is not known.
pub fn context(parts: &Parts) -> Context {
    let event = parts.event;
    let reservation = complete(event.reservation.clone());
    let property = reservation["property"].clone();
    let mut stay = reservation.clone();
    if let Some(stay) = stay.as_object_mut() {
        for name in ["next", "previous", "same_day_turn", "gap_nights"] {
            stay.insert(name.to_owned(), Value::Null);
        }
    }
    let root = json!({
        "event": {
            "id": event.id,
            "type": event.main_type(),
            "types": event.types,
            "at": at(event, &property, &parts.now),
            "source": event.source,
            "delivery": event.delivery,
            "stay": event.stay,
        },
        "previous": complete(event.previous.clone()),
        "changes": or_empty(&event.changes),
        "property": property,
        "payload": parts.payload,
        "payment": event.payment,
        "message": event.message,
        "steps": or_empty(parts.steps),
        "vars": or_empty(parts.vars),
        "kept": {},
        "earlier": {},
        "gathered": null,
        "run": run(parts.run),
        "now": parts.now,
        "reservation": reservation,
        "stay": stay,
    });
    Context::new(root, LOOSE)
}

fn or_empty(value: &Value) -> Value {
    if value.is_null() { json!({}) } else { value.clone() }
}

fn run(value: &Value) -> Value {
    let mut run = value.as_object().cloned().unwrap_or_else(Map::new);
    for name in RUN_NAMES {
        if !run.contains_key(*name) {
            run.insert((*name).to_owned(), Value::Null);
        }
    }
    Value::Object(run)
}

/// The event's time in the property's zone; where none is known, with the offset of now.
fn at(event: &Event, property: &Value, now: &str) -> String {
    let time = from_ms(event.at_ms);
    let zone: Option<Tz> = property["timezone"].as_str().and_then(|zone| zone.parse().ok());
    let time: DateTime<FixedOffset> = match zone {
        Some(zone) => time.with_timezone(&zone).fixed_offset(),
        None => match DateTime::parse_from_rfc3339(now) {
            Ok(now) => time.with_timezone(now.offset()),
            Err(_) => time.fixed_offset(),
        },
    };
    time.to_rfc3339_opts(SecondsFormat::Secs, false)
}
