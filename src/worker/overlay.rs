//! What the earlier facts of a delivery have made of stays, before any of it is in the store.

use std::collections::{BTreeSet, HashMap};

use crate::model::decision::FactDecision;
use crate::model::fact::Fact;
use crate::model::id::StayId;
use crate::model::plan::{EndedBy, Planned, SETTLE};
use crate::model::reservation::Stay;
use crate::model::run::RunState;
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
        for merged in &fact.merged {
            let theirs = self.of(merged, looked).into_iter();
            runs.extend(theirs.filter(Planned::counts_as_fired).map(|run| Planned {
                stay: Some(stay.clone()),
                ..run
            }));
        }
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
