//! The stays before and after a stay in the same property, as templates see them.

use serde_json::{Value, json};

use crate::model::property::Properties;
use crate::model::reservation::Stay;

use super::view::{View, view};

/// The neighbours of a stay: booked stays of the same property, by arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Neighbours {
    /// The one that arrives before it.
    pub previous: Option<Stay>,
    /// The one that arrives after it, on the day it leaves among others.
    pub next: Option<Stay>,
}

/// `next` and `previous` as reservations, whether somebody arrives on the day of departure, and how many nights nobody is
/// there in between: negative where two stays overlap, null where nobody comes.
pub fn around(neighbours: &Neighbours, stay: &View, properties: &Properties) -> Value {
    let next = neighbours.next.as_ref().map(|next| view(next, properties));
    let previous = neighbours.previous.as_ref().map(|previous| view(previous, properties));
    let arrives = next.as_ref().and_then(|next| next.check_in_date);
    let gap = arrives
        .zip(stay.check_out_date)
        .map(|(next, own)| (next - own).num_days());
    json!({
        "next": next.map(|next| next.json),
        "previous": previous.map(|previous| previous.json),
        "same_day_turn": gap == Some(0),
        "gap_nights": gap,
    })
}
