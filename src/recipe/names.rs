//! Every name a recipe may use, and what stands behind it.

mod scope;

use serde_json::{Value, json};

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
    for name in canonical().map(|(name, _)| name).chain(["property.vars"]) {
        let mut value = &mut stay;
        for part in name.split('.') {
            if !value.is_object() {
                *value = json!({});
            }
            // What is not there is put there as null.
            value = &mut value[part];
        }
    }
    let vars = &mut stay["property"]["vars"];
    if vars.is_null() {
        *vars = json!({});
    }
    stay
}

/// Whether every canonical name is there.
pub(super) fn is_complete(stay: &Value) -> bool {
    let mut names = canonical().map(|(name, _)| name).chain(["property.vars"]);
    names.all(|name| name.split('.').try_fold(stay, |value, part| value.get(part)).is_some())
}
