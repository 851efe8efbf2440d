//! What the earlier facts of a delivery have made of stays, before any of it is in the store.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::model::decision::FactDecision;
use crate::model::fact::Fact;
use crate::model::id::StayId;
use crate::model::plan::{EndedBy, Planned, SETTLE};
use crate::model::reservation::{CALLED_MAX, Stay};
use crate::model::run::RunState;
use crate::store::Looked;

/// Stays as the facts of one delivery have left them so far. A delivery has thousands of facts, so they are found by
/// their names and not one by one.
#[derive(Default)]
pub(super) struct Overlay {
    /// By id, with the place in which each was first spoken of.
    stays: HashMap<String, (usize, Stay)>,
    /// What a name is to a stay, and the name, to ids. All of them are names of the one source that the delivery's facts
    /// speak of.
    names: HashMap<(Role, String), BTreeSet<String>>,
    /// Those that turned out to be another one.
    gone: HashSet<String>,
    count: usize,
}

/// What a name is to a stay: its own, or a reference of one that has own names or none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Own,
    Named,
    Nameless,
}

impl Overlay {
    /// Takes a stay as it is now; those that turned out to be it are gone.
    pub(super) fn put(&mut self, stay: &Stay, absorbed: &[StayId]) {
        self.gone.extend(absorbed.iter().map(|gone| gone.0.clone()));
        let before = self.stays.remove(&stay.id.0);
        let role = if stay.ids.is_empty() {
            Role::Nameless
        } else {
            Role::Named
        };
        let own = stay.ids.iter().map(|name| (Role::Own, name));
        for (role, name) in own.chain(stay.references.iter().map(|name| (role, name))) {
            let ids = self.names.entry((role, name.clone())).or_default();
            if ids.len() < CALLED_MAX {
                ids.insert(stay.id.0.clone());
            }
        }
        self.count += 1;
        let place = before.map_or(self.count, |(place, _)| place);
        self.stays.insert(stay.id.0.clone(), (place, stay.clone()));
    }

    /// The stays that a fact may be about, oldest first: those of the store, then new ones as they were first spoken of.
    pub(super) fn stays(&self, fact: &Fact, looked: &Looked) -> Vec<Stay> {
        let mut ids: BTreeSet<(i64, usize, &String)> = BTreeSet::new();
        for name in fact.stay.all() {
            let roles = [Role::Own, Role::Nameless, Role::Named];
            // Whoever has an own name looks for no reference of a stay that has one.
            let roles = roles.into_iter().take(if fact.stay.ids.is_empty() { 3 } else { 2 });
            let mine = roles.filter_map(|role| self.names.get(&(role, name.to_owned())));
            let stored = looked.stays.get(&(fact.stay.source.clone(), name.to_owned()));
            let all = mine.chain(stored).flatten().filter(|id| !self.gone.contains(*id));
            ids.extend(all.filter_map(|id| match looked.by_id.get(id) {
                Some((seq, _)) => Some((*seq, 0, id)),
                None => Some((i64::MAX, self.stays.get(id)?.0, id)),
            }));
        }
        let find = |id: &String| {
            let mine = self.stays.get(id).map(|(_, stay)| stay.clone());
            mine.or_else(|| looked.by_id.get(id).map(|(_, stay)| stay.clone()))
        };
        ids.into_iter().filter_map(|(.., id)| find(id)).collect()
    }
}

/// What the earlier facts of a delivery have planned, before any of it is in the store.
#[derive(Default)]
pub(super) struct OverPlanned {
    /// By stay.
    runs: HashMap<String, Vec<Planned>>,
}

impl OverPlanned {
    /// What is planned for a stay.
    pub(super) fn of(&self, stay: &StayId, looked: &Looked) -> Vec<Planned> {
        let mine = self.runs.get(&stay.0).or_else(|| looked.planned.get(&stay.0));
        mine.cloned().unwrap_or_default()
    }

    /// Takes in what a fact has planned.
    pub(super) fn put(&mut self, fact: &FactDecision, looked: &Looked) {
        let of_event = fact.event.as_ref().map(|event| &event.stay);
        let Some(stay) = fact.stay.as_ref().map(|stay| &stay.id).or(of_event) else {
            return;
        };
        let mut runs = self.of(stay, looked);
        if fact.gone.is_some() {
            let waits = |run: &&mut Planned| match run.state {
                RunState::Scheduled => true,
                RunState::Ready => !run.fired,
                _ => false,
            };
            for run in runs.iter_mut().filter(waits) {
                run.state = RunState::Cancelled;
                run.ended_by = Some(EndedBy::Plan);
            }
        }
        fact.plan.apply_to(&mut runs);
        runs.extend(fact.runs.iter().filter(|run| run.settles).map(|run| Planned {
            id: run.id.clone(),
            recipe: run.recipe.clone(),
            stay: Some(stay.clone()),
            entries: vec![SETTLE.to_owned()],
            state: RunState::Scheduled,
            due_at: run.due_at,
            planned_at: run.due_at,
            fired: false,
            ended_by: None,
            asked_for: false,
        }));
        self.runs.insert(stay.0.clone(), runs);
    }
}
