//! Folding a fact into a stay, field by field: newer wins, and the order of arrival never matters.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::fact::Stamp;
use crate::model::field::{CODE, Field, field_named};
use crate::model::reservation::{Held, Status, Stay, Writer};

fn field(name: &str) -> Option<&'static Field> {
    if name == CODE.name {
        Some(&CODE)
    } else {
        field_named(name)
    }
}

/// What folding did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Whether a field was refused because something newer had written it, with another value.
    pub older: bool,
    /// What could not be taken as it was.
    pub warnings: Vec<String>,
}

/// Writes the fields of one fact into the stay. Null clears, except fields that are only ever replaced.
///
/// Every field is decided by a total order over facts (stamp, then for the status its rank, then the canonical text), so
/// any order and any repetition of the same facts ends in the same fields.
pub fn fold(stay: &mut Stay, fields: &BTreeMap<String, Value>, stamp: Stamp) -> Folded {
    let mut folded = Folded::default();
    let status = fields.get("status").and_then(Value::as_str).and_then(Status::from_word);
    let rank = status
        .filter(|status| *status != Status::Unknown)
        .map_or(0, |status| status.tie_rank() + 1);
    // A map of strings to values always serialises.
    let text = serde_json::to_string(fields).unwrap_or_default();
    let writer = Writer { stamp, rank, text };
    // Its place once it is done: no field of this fact is asked for its writer after it was written.
    let at = stay.writers.len();
    for (name, value) in fields {
        let Some(field) = field(name) else { continue };
        if skips(field, value) {
            if field.name == "status" && !value.is_null() {
                folded
                    .warnings
                    .push("the sender's status word is not known; the status stays as it is".to_owned());
            }
            continue;
        }
        match stay.writer(name) {
            Some(held) if !wins(field, &writer, held) => {
                folded.older |= writer.stamp < held.stamp;
            }
            _ => {
                stay.fields.insert(
                    name.clone(),
                    Held {
                        value: value.clone(),
                        by: at,
                    },
                );
            }
        }
    }
    stay.writers.push(writer);
    drop_unused_writers(stay);
    folded
}

/// Folds a stay that was never announced and turned out to be the same one into this stay, field by field.
pub fn merge(stay: &mut Stay, other: &Stay) {
    let shift = stay.writers.len();
    stay.writers.extend(other.writers.iter().cloned());
    for (name, theirs) in &other.fields {
        let Some(field) = field(name) else { continue };
        let (Some(by), ours) = (other.writers.get(theirs.by), stay.writer(name)) else {
            continue;
        };
        if ours.is_none_or(|ours| wins(field, by, ours)) {
            stay.fields.insert(
                name.clone(),
                Held {
                    value: theirs.value.clone(),
                    by: theirs.by + shift,
                },
            );
        }
    }
    drop_unused_writers(stay);
    stay.references.extend(other.references.iter().cloned());
    stay.labels.extend(other.labels.iter().cloned());
    stay.first_was_created |= other.first_was_created;
    stay.first_seen_ms = stay.first_seen_ms.min(other.first_seen_ms);
}

/// What is never written: nothing (an empty list is nothing too) into a field that is only ever replaced, and a status
/// word we do not know.
fn skips(field: &Field, value: &Value) -> bool {
    let nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    (field.kept && nothing)
        || (field.name == "status"
            && value
                .as_str()
                .and_then(Status::from_word)
                .is_none_or(|s| s == Status::Unknown))
}

/// Whether `new` writes over what `held` wrote.
fn wins(field: &Field, new: &Writer, held: &Writer) -> bool {
    // The sender's own word goes with the status it was read from.
    let by_rank = matches!(field.name, "status" | "source_status");
    let rank = |writer: &Writer| if by_rank { writer.rank } else { 0 };
    (new.stamp, rank(new), &new.text) > (held.stamp, rank(held), &held.text)
}

fn drop_unused_writers(stay: &mut Stay) {
    let writers = std::mem::take(&mut stay.writers);
    let nowhere = writers.len();
    let mut moved: BTreeMap<usize, usize> = stay.fields.values().map(|held| (held.by, nowhere)).collect();
    for (old, writer) in writers.into_iter().enumerate() {
        if let Some(new) = moved.get_mut(&old) {
            *new = stay.writers.len();
            stay.writers.push(writer);
        }
    }
    for held in stay.fields.values_mut() {
        held.by = moved.get(&held.by).copied().unwrap_or_default();
    }
}
