//! What one delivery says about one stay, payment or message, in canonical form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Time;
use super::event::About;

/// One statement of a sender.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The names of the stay it speaks of.
    pub stay: StayNames,
    /// What it says.
    pub says: Says,
    /// How new it is by the sender's own order; `None` where the sender states none.
    pub version: Option<Stamp>,
    /// The canonical event type that the sender itself names (`reservation.no_show`, `other.…`), where the mapping says so.
    pub hint: Option<String>,
    /// What could not be read and was left as it was, in words for the person who looks at the delivery.
    pub warnings: Vec<String>,
}

impl Fact {
    /// What a payment or message is known by within its source: its id, and where the sender's names are unique within a
    /// scope only, the scope before it. `None` for a reservation and for what has no id.
    pub fn key(&self) -> Option<(About, String)> {
        let (about, id) = match &self.says {
            Says::Reservation { .. } => return None,
            Says::Payment { id, .. } => (About::Payment, id.as_ref()?),
            Says::Message { id, .. } => (About::Message, id.as_ref()?),
        };
        let scope = self.stay.scope.as_str();
        let within = if scope.is_empty() {
            id.clone()
        } else {
            format!("{scope}\u{1f}{id}")
        };
        Some((about, within))
    }
}

/// The names by which a sender means a stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StayNames {
    /// The source whose stays are meant (another one's with `stays_of`).
    pub source: String,
    /// Within what the names are unique, where the sender has several such rooms for names (accounts, hotels); else empty.
    pub scope: String,
    /// What a person calls the confirmation code; it stands among the names below too.
    pub code: Option<String>,
    /// Own names, unique within source and scope; the mapping's order.
    pub ids: Vec<String>,
    /// Names that other stays may have as well; the code first.
    pub references: Vec<String>,
}

impl Fact {
    /// How many bytes it says, of texts and numbers as they are written.
    pub fn size(&self) -> usize {
        let says = match &self.says {
            Says::Reservation { fields } => fields.values().map(size).sum(),
            Says::Payment { payment: said, .. } | Says::Message { message: said, .. } => size(said),
        };
        says + self.stay.all().map(str::len).sum::<usize>() + self.warnings.iter().map(String::len).sum::<usize>()
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Number(number) => number.as_str().len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.values().map(size).sum(),
        Value::Null | Value::Bool(_) => 0,
    }
}

impl StayNames {
    /// Whether it names no stay: a payment or message that stands alone.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Every name, own ones first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().chain(&self.references).map(String::as_str)
    }
}

/// The content of a fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// The state of a stay: canonical field names (`check_in_date`, `guest.first_name`) and their values; null clears.
    Reservation {
        /// The values, every mapped field for a snapshot, only those present for a partial.
        fields: BTreeMap<String, Value>,
    },
    /// A payment: the fields of the contract's `payment`.
    Payment {
        /// The sender's id of it; without one every delivery is a payment of its own.
        id: Option<String>,
        /// Canonical `payment` object.
        payment: Value,
    },
    /// A message of a guest, host or owner.
    Message {
        /// The sender's id of it.
        id: Option<String>,
        /// Canonical `message` object.
        message: Value,
    },
}

/// A sender's order: `by` first, `then` where `by` is the same. Times are milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// The first thing to order by.
    pub by: i64,
    /// What decides a tie of `by`.
    pub then: i64,
}

impl Stamp {
    /// The order of a sender that states none: when it was received, then the order of arrival.
    pub fn of_receipt(received_at: Time, seq: i64) -> Stamp {
        Stamp {
            by: received_at.timestamp_millis(),
            then: seq,
        }
    }
}
