//! Stays by their names.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use crate::model::clock::Time;
use crate::model::fact::Fact;
use crate::model::id::StayId;
use crate::model::plan::Place;
use crate::model::reservation::{CALLED_MAX, Stay};
use crate::store::Looked;

/// When a stay arrives, and its id.
pub(super) type Arrival = (Time, String);

/// Stays as facts have left them so far. A delivery has thousands of facts, so they are found by their names and not one by
/// one.
#[derive(Clone, Debug, Default)]
pub(super) struct Stays {
    /// By id, with the place in which each was first spoken of.
    stays: HashMap<String, (usize, Stay)>,
    /// What a name is to a stay, its source and the name, to ids.
    names: HashMap<(Role, String, String), BTreeSet<String>>,
    /// Who arrives in a property and when, but for blocks and those that are gone.
    arrivals: HashMap<String, BTreeSet<Arrival>>,
    /// Where each of them stands there.
    placed: HashMap<String, (String, Arrival)>,
    /// Those that turned out to be another one.
    gone: HashSet<String>,
    count: usize,
}

/// What a name is to a stay: its own, or a reference of one that has own names or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    Own,
    Named,
    Nameless,
}

impl Stays {
    /// Takes a stay as it is now; those that turned out to be it are gone.
    pub(super) fn put(&mut self, stay: &Stay, absorbed: &[StayId]) {
        for gone in absorbed {
            self.leave(&gone.0);
            self.stays.remove(&gone.0);
            self.gone.insert(gone.0.clone());
        }
        let before = self.stays.remove(&stay.id.0);
        let role = if stay.ids.is_empty() {
            Role::Nameless
        } else {
            Role::Named
        };
        let own = stay.ids.iter().map(|name| (Role::Own, name));
        for (role, name) in own.chain(stay.references.iter().map(|name| (role, name))) {
            let ids = self.names.entry((role, stay.source.clone(), name.clone())).or_default();
            if ids.len() < CALLED_MAX {
                ids.insert(stay.id.0.clone());
            }
        }
        self.count += 1;
        let place = before.map_or(self.count, |(place, _)| place);
        self.stays.insert(stay.id.0.clone(), (place, stay.clone()));
    }

    /// The stays that a fact may be about, oldest first: those of the store, then new ones as they were first spoken of.
    pub(super) fn of(&self, fact: &Fact, looked: &Looked) -> Vec<Stay> {
        let mut ids: BTreeSet<(i64, usize, &String)> = BTreeSet::new();
        for name in fact.stay.all() {
            let roles = [Role::Own, Role::Nameless, Role::Named];
            // Whoever has an own name looks for no reference of a stay that has one.
            let roles = roles.into_iter().take(if fact.stay.ids.is_empty() { 3 } else { 2 });
            let mine = roles.filter_map(|role| self.names.get(&(role, fact.stay.source.clone(), name.to_owned())));
            let stored = looked.stays.get(&(fact.stay.source.clone(), name.to_owned()));
            let all = mine.chain(stored).flatten().filter(|id| !self.gone.contains(*id));
            ids.extend(all.filter_map(|id| match looked.by_id.get(id) {
                Some((seq, _)) => Some((*seq, 0, id)),
                None => Some((i64::MAX, self.stays.get(id)?.0, id)),
            }));
        }
        let find = |id: &String| self.get(id, looked).cloned();
        ids.into_iter().filter_map(|(.., id)| find(id)).collect()
    }

    /// A stay as it is now.
    pub(super) fn get<'s>(&'s self, id: &str, looked: &'s Looked) -> Option<&'s Stay> {
        let mine = self.stays.get(id).map(|(_, stay)| stay);
        mine.or_else(|| looked.by_id.get(id).map(|(_, stay)| stay))
    }

    /// Takes in where and when a stay is now.
    pub(super) fn place(&mut self, id: &StayId, place: &Place) {
        self.leave(&id.0);
        if let (Some(property), Some(at), true) = (&place.property, place.arrives_at, place.taken) {
            let arrival = (at, id.0.clone());
            let there = self.arrivals.entry(property.clone()).or_default();
            there.insert(arrival.clone());
            self.placed.insert(id.0.clone(), (property.clone(), arrival));
        }
    }

    fn leave(&mut self, id: &str) {
        if let Some((property, arrival)) = self.placed.remove(id)
            && let Some(there) = self.arrivals.get_mut(&property)
        {
            there.remove(&arrival);
        }
    }

    /// The arrival before and the one after this one, in the order of time and id.
    pub(super) fn beside(&self, property: &str, arrival: &Arrival) -> (Option<&Arrival>, Option<&Arrival>) {
        let Some(there) = self.arrivals.get(property) else {
            return (None, None);
        };
        let other = |one: &&Arrival| one.1 != arrival.1;
        let after = (Bound::Excluded(arrival), Bound::Unbounded);
        (
            there.range(..arrival).rfind(other),
            there.range::<Arrival, _>(after).find(other),
        )
    }

    /// Whether no fact has spoken of any yet.
    pub(super) fn is_empty(&self) -> bool {
        self.stays.is_empty()
    }

    /// Whether a fact has spoken of it.
    pub(super) fn has(&self, id: &str) -> bool {
        self.stays.contains_key(id)
    }

    /// Counts that a stay was written.
    pub(super) fn count(&mut self, id: Option<&StayId>) {
        if let Some((_, stay)) = id.and_then(|id| self.stays.get_mut(&id.0)) {
            stay.revision += 1;
        }
    }

    /// All of them, in the order in which they were first spoken of.
    pub(super) fn all(&self) -> Vec<&Stay> {
        let mut all: Vec<&(usize, Stay)> = self.stays.values().collect();
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, stay)| stay).collect()
    }
}
