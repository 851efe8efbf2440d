//! From a stay before and after to event types and `changes`.

use serde_json::{Map, Value};

use crate::model::blank::blank;
use crate::model::reservation::Status;

use super::view::View;

/// What happened between two views of one stay.
#[derive(Debug, Default, PartialEq)]
pub struct Derived {
    /// Event types, most important first; empty where nothing happened that makes an event.
    pub types: Vec<String>,
    /// `{check_out: {from, to}}`, nested as in the reservation; empty where nothing changed.
    pub changes: Map<String, Value>,
    /// The gone status that was entered.
    pub entered_gone: Option<Status>,
}

/// Names that change without anything having happened to the stay.
const SILENT: &[&str] = &["updated_at"];
const DATES: &[&str] = &["check_in", "check_out", "check_in_date", "check_out_date", "nights"];
const GUESTS: &[&str] = &["guests", "adults", "children", "infants", "pets"];
const PROPERTY: &[&str] = &["property.key", "property.ids", "property.name", "property.address"];

/// Compares the stay before (`None` for a new one) with the stay after. `announced` says whether `.created` or
/// `.adopted` was made before; `adopt` whether a stay that becomes complete now is taken over rather than announced.
pub fn derive(before: Option<&View>, after: &View, announced: bool, adopt: bool) -> Derived {
    let mut found = Derived {
        changes: changes(before.map_or(blank(), |view| &view.json), &after.json),
        ..Derived::default()
    };
    let was = before.and_then(|view| view.status);
    let is = after.status;
    let was_active = was.is_some_and(Status::is_active);
    let was_gone = was.is_some_and(Status::is_gone);
    let blocked = before.is_some_and(|view| view.kind != "block") && after.kind == "block" && announced;
    let unblocked = before.is_some_and(|view| view.kind == "block") && after.kind != "block" && announced;

    let mut add = |name: &str| found.types.push(format!("reservation.{name}"));
    let completes = after.complete && !announced;
    if completes && adopt {
        add("adopted");
    } else if completes || (unblocked && after.complete) {
        add("created");
    }
    if let Some(status) = is.filter(|status| Some(*status) != was) {
        match status {
            Status::Cancelled => add("cancelled"),
            Status::Declined => add("declined"),
            Status::Expired => add("expired"),
            Status::NoShow => add("no_show"),
            _ => {}
        }
        if status.is_gone() {
            found.entered_gone = Some(status);
        }
    }
    if blocked && found.entered_gone.is_none() && !is.is_some_and(Status::is_gone) {
        found.types.push("reservation.cancelled".to_owned());
        found.entered_gone = Some(Status::Cancelled);
    }
    let mut add = |name: &str| found.types.push(format!("reservation.{name}"));
    if after.complete && is.is_some_and(Status::is_active) {
        if announced && was_gone {
            add("reinstated");
        }
        let enters = (announced && !was_active) || (completes && !adopt) || unblocked;
        if enters {
            add("confirmed");
        }
    }
    // While a stay is incomplete, and at its first appearance, there is nothing to compare with.
    if !announced || !after.complete {
        return found;
    }
    let status_changed = has(&found.changes, "status") || has(&found.changes, "source_status");
    if was != is {
        match is {
            Some(Status::InHouse) => add("marked_in_house"),
            Some(Status::Completed) => add("marked_completed"),
            _ => {}
        }
    }
    if status_changed {
        add("status_changed");
    }
    if DATES.iter().any(|name| has(&found.changes, name)) {
        add("dates_changed");
    }
    let mut other = false;
    let mut known = |names: &[&str]| {
        let (mut both, mut filled) = (false, false);
        for name in names {
            match change(&found.changes, name) {
                Some((from, to)) if !from.is_null() && !to.is_null() => both = true,
                Some(_) => filled = true,
                None => {}
            }
        }
        other |= filled;
        both
    };
    let money = leaves("money", &after.json);
    let money: Vec<&str> = money.iter().map(String::as_str).collect();
    let (guests, property, price) = (known(GUESTS), known(PROPERTY), known(&money));
    for (held, name) in [
        (guests, "guests_changed"),
        (property, "property_changed"),
        (price, "price_changed"),
    ] {
        if held {
            found.types.push(format!("reservation.{name}"));
        }
    }
    let named = |name: &str| {
        ["status", "source_status"].contains(&name)
            || DATES.contains(&name)
            || GUESTS.contains(&name)
            || PROPERTY.contains(&name)
            || name.starts_with("money.")
            || (name == "kind" && (blocked || unblocked))
    };
    other |= paths(&found.changes).iter().any(|path| !named(path));
    if other {
        found.types.push("reservation.updated".to_owned());
    }
    found
}

/// All differences between two canonical reservations.
pub fn changes(before: &Value, after: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return out;
    };
    for (name, to) in after {
        if SILENT.contains(&name.as_str()) {
            continue;
        }
        let from = before.get(name).unwrap_or(&Value::Null);
        match to {
            // `guest`, `property` and `money` are compared inside; free vars as a whole.
            Value::Object(inner)
                if !matches!(name.as_str(), "vars") && ["guest", "property", "money"].contains(&name.as_str()) =>
            {
                let nothing = Value::Object(Map::new());
                let from = if from.is_object() { from } else { &nothing };
                let mut nested = Map::new();
                for (name, to) in inner {
                    // What the configuration says of a property is no news of the stay.
                    if ["tags", "vars", "timezone"].contains(&name.as_str()) {
                        continue;
                    }
                    let from = from.get(name).unwrap_or(&Value::Null);
                    if !same(name, from, to) {
                        nested.insert(name.clone(), from_to(from, to));
                    }
                }
                if !nested.is_empty() {
                    out.insert(name.clone(), Value::Object(nested));
                }
            }
            _ if !same(name, from, to) => {
                out.insert(name.clone(), from_to(from, to));
            }
            _ => {}
        }
    }
    out
}

fn from_to(from: &Value, to: &Value) -> Value {
    let pair = [("from", from), ("to", to)];
    pair.into_iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

/// Equal in meaning: instants as instants, amounts as decimals, all else as written.
fn same(name: &str, a: &Value, b: &Value) -> bool {
    if a == b {
        return true;
    }
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let decimal = |n: &serde_json::Number| {
                let text = n.to_string();
                text.parse::<rust_decimal::Decimal>()
                    .or_else(|_| rust_decimal::Decimal::from_scientific(&text))
            };
            matches!((decimal(a), decimal(b)), (Ok(a), Ok(b)) if a == b)
        }
        (Value::String(a), Value::String(b)) if matches!(name, "check_in" | "check_out" | "created_at") => {
            let instant = chrono::DateTime::parse_from_rfc3339;
            matches!((instant(a), instant(b)), (Ok(a), Ok(b)) if a == b)
        }
        _ => false,
    }
}

fn change<'c>(changes: &'c Map<String, Value>, path: &str) -> Option<(&'c Value, &'c Value)> {
    let mut at = changes.get(path.split('.').next()?)?;
    for part in path.split('.').skip(1) {
        at = at.get(part)?;
    }
    Some((at.get("from")?, at.get("to")?))
}

fn has(changes: &Map<String, Value>, path: &str) -> bool {
    change(changes, path).is_some()
}

fn leaves(group: &str, reservation: &Value) -> Vec<String> {
    let inner = reservation.get(group).and_then(Value::as_object);
    inner
        .into_iter()
        .flat_map(|inner| inner.keys())
        .map(|name| format!("{group}.{name}"))
        .collect()
}

fn paths(changes: &Map<String, Value>) -> Vec<String> {
    let mut out = Vec::new();
    for (name, value) in changes {
        match value {
            Value::Object(inner) if !inner.contains_key("to") => {
                out.extend(inner.keys().map(|leaf| format!("{name}.{leaf}")));
            }
            _ => out.push(name.clone()),
        }
    }
    out
}
