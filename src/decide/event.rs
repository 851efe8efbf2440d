//! The event of what is announced, with everything that recipes see of it.

use std::sync::Arc;

use crate::model::clock::Time;
use crate::model::event::Event;
use crate::model::id::{EventId, hash};

use super::announce::{Announced, Made};
use super::around::around;
use super::meet::occurrence;
use super::resolve::Resolved;
use super::view::View;
use super::{Known, Origin, Rules};

/// The event that a fact makes; `None` where there is nothing to announce.
pub fn event(
    resolved: &Resolved,
    announced: &mut Announced,
    known: &Known,
    origin: &Origin<'_>,
    rules: &Rules<'_>,
    now: Time,
) -> Option<Event> {
    let made = std::mem::take(&mut announced.made);
    if made.types.is_empty() {
        return None;
    }
    let id = origin.delivery.event(origin.position);
    let beside = known.neighbours.as_ref();
    let around = beside.map(|beside| around(beside, &resolved.after, rules.properties));
    Some(Event {
        // A further event of the same fact (its mapping has changed since) must not be taken for the first, nor for one
        // that another mapping has made.
        id: if known.event.is_some() {
            again(&id, &made, &resolved.after, origin)
        } else {
            id
        },
        delivery: origin.delivery.clone(),
        source: origin.source.to_owned(),
        stay: resolved.stay.id.clone(),
        types: made.types,
        at_ms: now.timestamp_millis(),
        reservation: Arc::new(resolved.after.json.clone()),
        previous: made.previous,
        changes: Arc::new(made.changes),
        payment: Arc::new(made.payment),
        message: Arc::new(made.message),
        around: Arc::new(around.unwrap_or_default()),
        gathered: Arc::default(),
    })
}

fn again(id: &EventId, made: &Made, after: &View, origin: &Origin<'_>) -> EventId {
    let says = format!("{:?} {} {}", made.types, after.json, made.changes);
    let digest = hash(&[
        says.as_bytes(),
        made.payment.to_string().as_bytes(),
        &occurrence(origin).to_be_bytes(),
    ]);
    EventId(format!("{id}r{}", hex::encode(&digest[..4])))
}
