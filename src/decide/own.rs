//! Which stay a fact is about.

use crate::model::fact::{Fact, Says, Stamp};
use crate::model::id::StayId;
use crate::model::plan::Place;
use crate::model::reservation::Stay;

use super::fold::{fold, merge};
use super::view::view;
use super::{Known, Origin, Rules};

/// The stay a fact is about, and where and when it is after it: what its neighbours are looked up with before it is
/// decided.
pub fn lands(known: &Known, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>) -> (StayId, Place) {
    let (mut stay, others) = own_stay(known, fact, origin, rules, &mut Vec::new());
    for other in &others {
        merge(&mut stay, other);
    }
    if let Says::Reservation { fields } = &fact.says {
        let stamp = fact
            .version
            .unwrap_or(Stamp::of_receipt(origin.received_at, origin.seq));
        fold(&mut stay, fields, stamp);
    }
    let place = view(&stay, rules.properties).place();
    (stay.id, place)
}

/// The stay a fact is about, and the stays that turn out to be the same one.
pub fn own_stay(
    known: &Known,
    fact: &Fact,
    origin: &Origin<'_>,
    rules: &Rules<'_>,
    warnings: &mut Vec<String>,
) -> (Stay, Vec<Stay>) {
    let Some(oldest) = known.stays.first() else {
        let name = fact.stay.all().next().unwrap_or_default();
        let id: StayId = match origin.replay {
            None => origin.delivery.stay(origin.position),
            Some(_) => origin.delivery.stay_named(origin.position, name),
        };
        return (
            Stay::new(id, &fact.stay, origin.delivery.clone(), origin.received_at),
            Vec::new(),
        );
    };
    if known.stays.len() == 1 {
        return (oldest.clone(), Vec::new());
    }
    let dates = |stay: &Stay| {
        let view = view(stay, rules.properties);
        view.complete
            .then(|| (view.json["check_in_date"].clone(), view.json["check_out_date"].clone()))
    };
    let mut same = Vec::new();
    let own = dates(oldest);
    for other in &known.stays[1..] {
        match (&own, dates(other)) {
            (Some(own), Some(theirs)) if *own != theirs => {
                warnings.push(format!(
                    "it names two stays with different dates, {} and {}; they were not merged",
                    oldest.id, other.id
                ));
            }
            _ => same.push(other.clone()),
        }
    }
    // Where stays stay apart, the one that the code means is the one the fact is about.
    if same.len() + 1 < known.stays.len()
        && let Some(code) = &fact.stay.code
        && let Some(named) = known.stays.iter().find(|stay| stay.code() == Some(code))
    {
        return (named.clone(), Vec::new());
    }
    (oldest.clone(), same)
}
