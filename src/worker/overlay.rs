//! What the earlier facts of a delivery have made of stays, before any of it is in the store.

use std::collections::{BTreeSet, HashMap};

use crate::model::fact::Fact;
use crate::model::id::StayId;
use crate::model::reservation::Stay;
use crate::store::Looked;

/// Stays as the facts of one delivery have left them so far. A delivery has thousands of facts, so they are found by
/// their names and not one by one.
#[derive(Default)]
pub(super) struct Overlay {
    /// By id, with the place in which each was first spoken of.
    stays: HashMap<String, (usize, Stay)>,
    /// Scope and name to the id. All of them are names of the one source that the delivery's facts speak of.
    names: HashMap<(String, String), String>,
    count: usize,
}

impl Overlay {
    /// Takes a stay as it is now; those that were merged into it are gone.
    pub(super) fn put(&mut self, stay: &Stay, merged: &[StayId]) {
        for gone in merged {
            self.stays.remove(&gone.0);
        }
        let before = self.stays.remove(&stay.id.0);
        let known = |name: &String| before.as_ref().is_some_and(|(_, before)| before.ids.contains(name));
        for name in stay.ids.iter().filter(|name| !known(name)) {
            self.names.insert((stay.scope.clone(), name.clone()), stay.id.0.clone());
        }
        self.count += 1;
        let place = before.map_or(self.count, |(place, _)| place);
        self.stays.insert(stay.id.0.clone(), (place, stay.clone()));
    }

    /// The stays that a fact's names mean, oldest first: those of the store, then new ones as they were first spoken of.
    pub(super) fn stays(&self, fact: &Fact, looked: &Looked) -> Vec<Stay> {
        let stay = &fact.stay;
        let ids: BTreeSet<(i64, usize, &String)> = stay
            .all()
            .filter_map(|name| {
                let mine = self.names.get(&(stay.scope.clone(), name.to_owned()));
                let key = (stay.source.clone(), stay.scope.clone(), name.to_owned());
                let id = mine.or_else(|| looked.stays.get(&key))?;
                match looked.by_id.get(id) {
                    Some((seq, _)) => Some((*seq, 0, id)),
                    None => Some((i64::MAX, self.stays.get(id)?.0, id)),
                }
            })
            .collect();
        let find = |id: &String| {
            let mine = self.stays.get(id).map(|(_, stay)| stay.clone());
            mine.or_else(|| looked.by_id.get(id).map(|(_, stay)| stay.clone()))
        };
        ids.into_iter().filter_map(|(.., id)| find(id)).collect()
    }
}
