//! The values that templates see.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use chrono_tz::Tz;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::lang::template::{Context, Source};
use crate::model::clock::from_ms;
use crate::model::event::Event;

use super::names::{complete, is_complete};
use super::words::RUN_NAMES;

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

/// The values for templates of a recipe for events that are the same for all recipes and steps. Every canonical name is
/// there, null where it is not known.
pub(super) fn of_event(event: &Event, payload: &Arc<Value>, now: &str) -> Context {
    let made = |make: Box<dyn FnOnce() -> Arc<Value> + Send>| Source::Made(make);
    let (reservation, previous) = (event.reservation.clone(), event.previous.clone());
    let stay = {
        let (reservation, around) = (reservation.clone(), event.around.clone());
        move || {
            let mut stay = (*whole(reservation)).clone();
            if let Some(stay) = stay.as_object_mut() {
                for name in ["next", "previous", "same_day_turn", "gap_nights"] {
                    stay.insert(name.to_owned(), around.get(name).cloned().unwrap_or_default());
                }
            }
            Arc::new(stay)
        }
    };
    let property = {
        let reservation = reservation.clone();
        move || Arc::new(whole(reservation).get("property").cloned().unwrap_or_default())
    };
    let changes = match event.changes.is_null() {
        true => Source::from(json!({})),
        false => Source::Shared(event.changes.clone()),
    };
    Context::new(Value::Null, LOOSE)
        .with("event", about(event, now))
        .with("reservation", made(Box::new(move || whole(reservation))))
        .with("stay", made(Box::new(stay)))
        .with("previous", made(Box::new(move || whole(previous))))
        .with("property", made(Box::new(property)))
        .with("changes", changes)
        .with("payload", Source::Shared(payload.clone()))
        .with("payment", Source::Shared(event.payment.clone()))
        .with("message", Source::Shared(event.message.clone()))
        .with("kept", json!({}))
        .with("earlier", json!({}))
        .with("gathered", Source::Shared(event.gathered.clone()))
        .with("now", Value::from(now))
}

/// What this version has decided has every name; what is stored may be older.
fn whole(stay: Arc<Value>) -> Arc<Value> {
    match is_complete(&stay) {
        true => stay,
        false => Arc::new(complete((*stay).clone())),
    }
}

/// What each run, and each step of it, has of its own.
pub(super) fn of_run(context: Context, steps: Value, vars: Value, run: Value) -> Context {
    context
        .with("steps", or_empty(steps))
        .with("vars", or_empty(vars))
        .with("run", complete_run(run))
}

fn about(event: &Event, now: &str) -> Source {
    let zone = event.reservation.pointer("/property/timezone").and_then(Value::as_str);
    let at = at(event, zone, now);
    json!({
        "id": event.id,
        "type": event.main_type(),
        "types": event.types,
        "at": at,
        "source": event.source,
        "delivery": event.delivery,
        "stay": event.stay,
    })
    .into()
}

fn or_empty(value: Value) -> Value {
    if value.is_null() { json!({}) } else { value }
}

fn complete_run(mut run: Value) -> Value {
    if !run.is_object() {
        run = json!({});
    }
    for name in RUN_NAMES {
        // What is not there is put there as null.
        let _: &mut Value = &mut run[*name];
    }
    run
}

/// The event's time in the property's zone; where none is known, with the offset of now.
fn at(event: &Event, zone: Option<&str>, now: &str) -> String {
    let time = from_ms(event.at_ms);
    let zone: Option<Tz> = zone.and_then(|zone| zone.parse().ok());
    let time: DateTime<FixedOffset> = match zone {
        Some(zone) => time.with_timezone(&zone).fixed_offset(),
        None => match DateTime::parse_from_rfc3339(now) {
            Ok(now) => time.with_timezone(now.offset()),
            Err(_) => time.fixed_offset(),
        },
    };
    time.to_rfc3339_opts(SecondsFormat::Secs, false)
}
