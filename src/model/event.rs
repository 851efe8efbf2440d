//! What one fact changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::{DeliveryId, EventId, StayId};

/// Every event type of reservations, payments and messages; a sender's own types follow as `other.…`.
pub const TYPES: &[&str] = &[
    "reservation.created",
    "reservation.adopted",
    "reservation.confirmed",
    "reservation.reinstated",
    "reservation.cancelled",
    "reservation.declined",
    "reservation.expired",
    "reservation.no_show",
    "reservation.marked_in_house",
    "reservation.marked_completed",
    "reservation.status_changed",
    "reservation.dates_changed",
    "reservation.guests_changed",
    "reservation.property_changed",
    "reservation.price_changed",
    "reservation.updated",
    "payment.created",
    "payment.updated",
    "payment.refunded",
    "message.received",
];

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
    /// The canonical reservation before it; null for a new one, which templates see as all names with nothing in them.
    pub previous: Arc<Value>,
    /// `{check_out: {from, to}, guest: {email: {from, to}}}`.
    pub changes: Arc<Value>,
    /// The payment it is about, else null.
    pub payment: Arc<Value>,
    /// The message it is about, else null.
    pub message: Arc<Value>,
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
