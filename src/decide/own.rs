//! Which stay a fact is about, and that stay with what the fact says.

use serde_json::json;

use crate::model::fact::{Fact, Says, Stamp};
use crate::model::id::StayId;
use crate::model::plan::Place;
use crate::model::reservation::{CALLED_MAX, Stay};

use super::fold::{Folded, fold, merge};
use super::view::{View, view};
use super::{Known, Origin, Rules};

/// A fact's stay after the fact.
pub struct Landed {
    /// The stay.
    pub stay: Stay,
    /// The same before the fact; `None` for a new one.
    pub before: Option<Stay>,
    /// Stays without an own name that made no event of a reservation and turn out to be this one.
    pub absorbed: Vec<StayId>,
    /// The order of the fact.
    pub stamp: Stamp,
    /// What folding did.
    pub folded: Folded,
    /// The stay as recipes see it.
    pub after: View,
}

/// Several stays to which a fact may belong: the name they share, and how many there are.
pub struct Several {
    pub called: String,
    pub count: usize,
}

impl Several {
    /// In words for the sender.
    pub fn because(&self) -> String {
        let more = if self.count < CALLED_MAX { "" } else { " or more" };
        format!("{}{more} stays are called {}, send the id", self.count, self.called)
    }
}

/// The stay a fact is about as it leaves it, and where and when that is: what its neighbours are looked up with before it
/// is decided. `None` where it is about none, or nobody knows about which.
pub fn lands(known: &Known, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>) -> Option<(Stay, Place)> {
    let landed = land(known, fact, origin, rules, &mut Vec::new()).ok()?;
    let place = landed.after.place();
    Some((landed.stay, place))
}

/// Finds the stay and folds the fact into it.
pub fn land(
    known: &Known,
    fact: &Fact,
    origin: &Origin<'_>,
    rules: &Rules<'_>,
    warnings: &mut Vec<String>,
) -> Result<Landed, Several> {
    let found = find(known, fact, origin, rules, warnings)?;
    let mut stay = found.cloned().unwrap_or_else(|| new_stay(fact, origin));
    if found.is_none() || fact.stay.source == origin.source {
        learn(&mut stay, known, fact, origin);
    }
    let mut absorbed = Vec::new();
    if !stay.ids.is_empty() && matches!(fact.says, Says::Reservation { .. }) {
        let silent = |one: &&Stay| one.source == stay.source && one.id != stay.id && !one.has_spoken();
        let same = |one: &&Stay| silent(one) && is_free(one, &stay.scope) && carries(one, fact);
        let others: Vec<&Stay> = known.stays.iter().filter(same).collect();
        for one in others {
            merge(&mut stay, one);
            absorbed.push(one.id.clone());
        }
    }
    let stamp = fact.version.unwrap_or_else(|| by_arrival(&stay, origin));
    let mut folded = Folded::default();
    if let Says::Reservation { fields } = &fact.says {
        let mut fields = fields.clone();
        fields.extend(fact.stay.code.iter().map(|code| ("code".to_owned(), json!(code))));
        folded = fold(&mut stay, &fields, stamp);
    }
    let after = view(&stay, rules.properties);
    if after.complete && stay.key.is_none() {
        stay.key = stay.key();
    }
    Ok(Landed {
        before: found.cloned(),
        stay,
        absorbed,
        stamp,
        folded,
        after,
    })
}

/// A stay of which nothing is known yet.
pub fn new_stay(fact: &Fact, origin: &Origin<'_>) -> Stay {
    let name = fact.stay.all().next().unwrap_or_default();
    let id = match origin.replay {
        None => origin.delivery.stay(origin.position),
        Some(_) => origin.delivery.stay_named(origin.position, name),
    };
    let mut stay = Stay::new(id, &fact.stay, origin.delivery.clone(), origin.received_at);
    if fact.stay.source != origin.source {
        stay.scope.clear();
    }
    stay
}

/// The order of a fact whose sender states none: that of arrival, even where the clock was set back in between. What is
/// decided once more is as old as it was.
fn by_arrival(stay: &Stay, origin: &Origin<'_>) -> Stamp {
    let mut stamp = Stamp::of_receipt(origin.received_at, origin.seq);
    if origin.replay.is_none() {
        // Not what a sender gave its own version to: that has `then` of its own, or none, and no place among the deliveries.
        let before = stay
            .writers
            .iter()
            .filter(|writer| (1..=origin.seq).contains(&writer.stamp.then));
        let newest = before.map(|writer| writer.stamp.by).max();
        stamp.by = newest.map_or(stamp.by, |newest| newest.max(stamp.by));
    }
    stamp
}

/// Takes the fact's names, but for own names of other stays. Another source's names are only ever references.
fn learn(stay: &mut Stay, known: &Known, fact: &Fact, origin: &Origin<'_>) {
    let names = &fact.stay;
    if names.source != origin.source {
        stay.references.extend(names.all().map(str::to_owned));
        return;
    }
    if !names.ids.is_empty() {
        stay.scope.clone_from(&names.scope);
    }
    // What stands before a known name in the mapping's order does so here.
    let mut at = stay.ids.len();
    for name in names.ids.iter().rev() {
        let theirs = |one: &Stay| one.id != stay.id && one.scope == names.scope && one.ids.contains(name);
        match stay.ids.iter().position(|own| own == name) {
            Some(place) => at = place,
            None if known.stays.iter().any(theirs) => {}
            None => stay.ids.insert(at, name.clone()),
        }
    }
    stay.references.extend(names.references.iter().cloned());
}

/// Whether a stay has no own name, so that a fact within `scope` that has one may give it to it.
fn is_free(stay: &Stay, scope: &str) -> bool {
    // What another source told of first has no scope yet.
    stay.ids.is_empty() && (stay.scope == scope || (stay.scope.is_empty() && !stay.has_spoken()))
}

/// Whether a stay carries one of a fact's names as a reference. Two codes that differ are two bookings, whatever else they share.
fn carries(stay: &Stay, fact: &Fact) -> bool {
    fact.stay.all().any(|name| refers(stay, fact, name))
}

fn refers(stay: &Stay, fact: &Fact, name: &str) -> bool {
    let code = fact.stay.code.as_deref();
    let same_code = code == Some(name) || code.is_none() || stay.text("code").is_none_or(|own| Some(own) == code);
    stay.references.contains(name) && (same_code || stay.source != fact.stay.source)
}

/// The known stay that a fact is about; `None` for a new one.
fn find<'k>(
    known: &'k Known,
    fact: &Fact,
    origin: &Origin<'_>,
    rules: &Rules<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<&'k Stay>, Several> {
    let names = &fact.stay;
    let foreign = names.source != origin.source;
    let here = |stay: &&Stay| stay.source == names.source && (foreign || stay.scope == names.scope);
    let holders = |name: &str| -> Vec<&'k Stay> {
        let stays = known.stays.iter().filter(here);
        stays.filter(|stay| stay.ids.iter().any(|own| own == name)).collect()
    };
    if names.ids.is_empty() || foreign {
        let named = |name: &str| -> Vec<&'k Stay> {
            let stays = known.stays.iter().filter(here).filter(|stay| !stay.ids.is_empty());
            stays.filter(|stay| refers(stay, fact, name)).collect()
        };
        let free = |name: &str| -> Vec<&'k Stay> {
            let stays = known.stays.iter().filter(|stay| stay.source == names.source);
            let stays = stays.filter(|stay| stay.ids.is_empty() && (foreign || is_free(stay, &names.scope)));
            stays.filter(|stay| refers(stay, fact, name)).collect()
        };
        for way in 0..3 {
            let mut several = None;
            for name in names.all() {
                let stays = match way {
                    0 => holders(name),
                    1 => named(name),
                    _ => free(name),
                };
                match stays.as_slice() {
                    [] => {}
                    [stay] => return Ok(Some(stay)),
                    stays => several = several.or(Some((name, stays.len()))),
                }
            }
            if let Some((called, count)) = several {
                let called = called.to_owned();
                return Err(Several { called, count });
            }
        }
        return Ok(None);
    }
    let own: Vec<&Stay> = names.ids.iter().flat_map(|name| holders(name)).collect();
    if let Some(first) = own.first() {
        if let Some(other) = own.iter().find(|other| other.id != first.id) {
            warnings.push(format!(
                "it has own names of two stays, {} and {}; it counts for the first, {}",
                first.key().unwrap_or_default(),
                other.key().unwrap_or_default(),
                first.id
            ));
        }
        return Ok(Some(first));
    }
    let free = known.stays.iter().filter(|stay| stay.source == names.source);
    let free = free.filter(|stay| is_free(stay, &names.scope) && carries(stay, fact));
    let free: Vec<&Stay> = free.collect();
    let (Says::Reservation { fields }, [_, _, ..]) = (&fact.says, free.as_slice()) else {
        return Ok(free.first().filter(|_| free.len() == 1).copied());
    };
    let whereabouts = |stay: &Stay| {
        let view = view(stay, rules.properties);
        (view.place, view.check_in_date, view.check_out_date)
    };
    let mut said = new_stay(fact, origin);
    fold(&mut said, fields, Stamp::default());
    let said = whereabouts(&said);
    let mut same = free.into_iter().filter(|stay| whereabouts(stay) == said);
    Ok(same.next().filter(|_| same.next().is_none()))
}
