//! What one fact changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::{DeliveryId, EventId, StayId};

/// An event type, and when it happens.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    /// Its name in `on`.
    pub name: &'static str,
    /// It in the sentence of a recipe, behind "when".
    pub says: &'static str,
    /// When it happens, in one plain sentence.
    pub about: &'static str,
}

const fn event(name: &'static str, says: &'static str, about: &'static str) -> EventType {
    EventType { name, says, about }
}

/// Every event type of reservations, payments and messages; a sender's own types follow as `other.…`.
#[rustfmt::skip]
pub const EVENTS: &[EventType] = &[
    event("reservation.created", "a stay is new", "A stay is known for the first time with its status and its dates."),
    event("reservation.adopted", "a stay of the time before is taken over", "A stay of before the source's `live_from` is taken over in silence; for 30 days after it also one of which the sender does not say when it was booked, or that it is new."),
    event("reservation.confirmed", "a stay is confirmed", "A stay is booked: confirmed, in house or completed, and it was not before."),
    event("reservation.reinstated", "a stay that was off is on again", "A stay that was cancelled, declined, expired or a no-show is booked again."),
    event("reservation.cancelled", "a stay is cancelled", "A stay is cancelled, or its dates are blocked instead."),
    event("reservation.declined", "a stay is declined", "The host has refused a stay."),
    event("reservation.expired", "a request for a stay lapses", "A request has lapsed."),
    event("reservation.no_show", "a guest does not come", "The guest did not come."),
    event("reservation.marked_in_house", "the sender says that the guest has arrived", "The sender says that the guest has come in."),
    event("reservation.marked_completed", "the sender says that the guest has left", "The sender says that the guest has left."),
    event("reservation.status_changed", "the status of a stay changes", "The status, or the sender's own word for it, is another one."),
    event("reservation.dates_changed", "the dates of a stay change", "Arrival or departure moved, by day or by hour."),
    event("reservation.guests_changed", "the number of guests changes", "The number of guests, adults, children, infants or pets is another one."),
    event("reservation.property_changed", "a stay moves to another property", "The stay is in another property."),
    event("reservation.price_changed", "the price of a stay changes", "An amount of the stay is another one."),
    event("reservation.updated", "anything else about a stay changes", "Something else that was known before is another one."),
    event("payment.created", "a payment comes in", "A payment is known for the first time."),
    event("payment.updated", "a payment changes", "Something about a payment has changed."),
    event("payment.refunded", "a payment is refunded", "A payment was given back."),
    event("message.received", "a message comes in", "A message has come in."),
];

/// The names of all event types.
pub const TYPES: &[&str] = &{
    let mut names = [""; EVENTS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = EVENTS[at].name;
        at += 1;
    }
    names
};

/// Whether this is an event type a recipe may wait for.
pub fn is_type(name: &str) -> bool {
    TYPES.contains(&name) || name.strip_prefix("other.").is_some_and(|rest| !rest.is_empty())
}

/// What one fact changed. Everything a recipe sees of it is stored with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Named after its delivery and position.
    pub id: EventId,
    /// The delivery whose fact it is.
    pub delivery: DeliveryId,
    /// The source of that delivery.
    pub source: String,
    /// The stay it happened to.
    pub stay: StayId,
    /// All types that hold, most important first; never empty.
    pub types: Vec<String>,
    /// When it was decided, milliseconds since 1970.
    pub at_ms: i64,
    /// The canonical reservation after it.
    pub reservation: Arc<Value>,
    /// The canonical reservation before it; null for a new one, which everybody is shown as all names with nothing in them.
    pub previous: Arc<Value>,
    /// `{check_out: {from, to}, guest: {email: {from, to}}}`.
    pub changes: Arc<Value>,
    /// The payment it is about, else null.
    pub payment: Arc<Value>,
    /// The message it is about, else null.
    pub message: Arc<Value>,
    /// The stay's neighbours: `next`, `previous`, `same_day_turn`, `gap_nights`; null where no recipe asks for them.
    #[serde(default, skip_serializing_if = "is_null")]
    pub around: Arc<Value>,
    /// The lists of stays that a schedule is about, by name; null for everything else.
    #[serde(default, skip_serializing_if = "is_null")]
    pub gathered: Arc<Value>,
}

fn is_null(value: &Arc<Value>) -> bool {
    value.is_null()
}

impl Event {
    /// The type that stands for it in lists.
    pub fn main_type(&self) -> &str {
        self.types.first().map_or("reservation.updated", String::as_str)
    }

    /// What kind of fact it came from: payments and messages outlive a cancellation, a reservation's own events do not.
    pub fn about(&self) -> About {
        if !self.payment.is_null() {
            About::Payment
        } else if !self.message.is_null() {
            About::Message
        } else {
            About::Reservation
        }
    }
}

/// What kind of fact an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The stay itself.
    Reservation,
    /// Money.
    Payment,
    /// Words.
    Message,
}

impl About {
    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            About::Reservation => "reservation",
            About::Payment => "payment",
            About::Message => "message",
        }
    }
}
