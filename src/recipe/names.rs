//! Every name a recipe may use, and what stands behind it.

mod scope;

use serde_json::{Map, Value};

use crate::model::field::{DERIVED, FIELDS, Field, FieldKind, MESSAGE, PAYMENT};

pub(super) use scope::Scope;

/// Every canonical name of a reservation with what it holds; the free `property.vars` is not among them.
pub(super) fn canonical() -> impl Iterator<Item = (&'static str, FieldKind)> {
    FIELDS.iter().chain(DERIVED).map(kind)
}

/// Every name that may stand in `match` as a field: of the reservation, the payment and the message.
pub(super) fn matchable() -> impl Iterator<Item = (&'static str, FieldKind)> {
    canonical().chain(PAYMENT.iter().chain(MESSAGE).map(kind))
}

fn kind(field: &Field) -> (&'static str, FieldKind) {
    (field.name, field.kind)
}

/// Whether names with this prefix exist: `guest`, `property`, `money`.
pub(super) fn is_group(name: &str) -> bool {
    matchable().any(|(known, _)| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// Fills what is not there with nothing, so that every canonical name is known to templates.
pub(super) fn complete(mut stay: Value) -> Value {
    if !stay.is_object() {
        stay = Value::Object(Map::new());
    }
    for (name, _) in canonical() {
        let (group, leaf) = name
            .split_once('.')
            .map_or((None, name), |(group, leaf)| (Some(group), leaf));
        let map = match group {
            None => stay.as_object_mut(),
            Some(group) => stay.as_object_mut().and_then(|map| {
                let inner = map.entry(group).or_insert(Value::Null);
                if !inner.is_object() {
                    *inner = Value::Object(Map::new());
                }
                inner.as_object_mut()
            }),
        };
        if let Some(map) = map
            && !map.contains_key(leaf)
        {
            map.insert(leaf.to_owned(), Value::Null);
        }
    }
    if let Some(property) = stay.get_mut("property").and_then(Value::as_object_mut) {
        property.entry("vars").or_insert_with(|| Value::Object(Map::new()));
    }
    stay
}

/// Whether every canonical name is there.
pub(super) fn is_complete(stay: &Value) -> bool {
    let vars = stay
        .get("property")
        .is_some_and(|property| property.get("vars").is_some());
    vars && canonical().all(|(name, _)| match name.split_once('.') {
        None => stay.get(name).is_some(),
        Some((group, leaf)) => stay.get(group).is_some_and(|group| group.get(leaf).is_some()),
    })
}
