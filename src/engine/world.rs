//! Stays, names, contents, events and what is planned, in plain maps: what the store has loaded for some deliveries, or all
//! there is.

mod clock;
mod stays;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::decide::{Known, Neighbours, decide, lands};
use crate::model::clock::Time;
use crate::model::decision::{Decision, FactDecision};
use crate::model::delivery::Outcome;
use crate::model::event::{About, Event};
use crate::model::fact::Fact;
use crate::model::fault::{Fault, guard};
use crate::model::id::{DeliveryId, EventId, RunId, StayId};
use crate::model::plan::{Place, Planned};
use crate::model::reservation::Stay;
use crate::store::{Beside, Looked};

use super::first::first_steps;
use super::reading::{Nothing, Read, origin, rules};
use super::setup::Setup;
use stays::Stays;

/// A delivery's place in the order of arrival, and the fact's position in it.
type OfFact = (i64, usize);

/// Everything that a decision may ask for.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What was loaded; nothing where this world is all there is.
    loaded: Looked,
    /// The neighbours of the stays that facts are about, as each leaves it; `None` where this world is all there is, and they
    /// are found in it.
    beside: Option<HashMap<OfFact, Neighbours>>,
    /// The latest time anything happened at.
    now: Time,
    stays: Stays,
    contents: HashMap<(String, About, String), Value>,
    events: HashMap<EventId, Event>,
    /// By stay; what schedules plan under the empty name.
    planned: BTreeMap<String, Vec<Planned>>,
    /// Of planned runs their keys, and the event that one which waits for further changes answers.
    keys: HashMap<RunId, (String, Option<EventId>)>,
    /// Headers and body of deliveries, for what comes due later.
    bodies: HashMap<DeliveryId, (String, Vec<u8>)>,
}

/// Where the stays of facts will be, so that their neighbours can be loaded.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Each stay with its place.
    pub places: Vec<(StayId, Place)>,
    asked: Vec<(OfFact, StayId)>,
}

impl World {
    /// A world in which nothing has happened yet, and which is all there is.
    pub fn new() -> World {
        World::default()
    }

    /// A world with what was loaded for some deliveries.
    pub fn of(loaded: Looked) -> World {
        World {
            loaded,
            beside: Some(HashMap::new()),
            ..World::default()
        }
    }

    /// Whether this world is all there is.
    fn is_whole(&self) -> bool {
        self.beside.is_none()
    }

    /// What was loaded.
    pub fn loaded(&self) -> &Looked {
        &self.loaded
    }

    /// Where these deliveries will leave their stays.
    pub fn places(&self, setup: &Setup, reads: &[Read]) -> Places {
        let mut found = Places::default();
        for read in reads {
            let rules = rules(setup, read);
            let mut stays = Stays::default();
            for (position, fact) in read.says.iter().flatten().enumerate() {
                let known = Known {
                    stays: stays.of(fact, &self.loaded),
                    ..Known::default()
                };
                let landed = guard(|| lands(&known, fact, &origin(read, position), &rules));
                let Ok(Some((stay, place))) = landed else {
                    continue;
                };
                stays.put(&stay, &[]);
                found.asked.push(((read.pending.seq, position), stay.id.clone()));
                found.places.push((stay.id, place));
            }
        }
        found
    }

    /// Takes in the neighbours that were found for these places.
    pub fn set_beside(&mut self, places: Places, mut found: HashMap<String, Beside>) {
        let beside = self.beside.get_or_insert_default();
        for (of, stay) in places.asked {
            let (previous, next) = match found.get_mut(stay.as_str()) {
                Some(of_stay) => of_stay.clone(),
                None => Beside::default(),
            };
            beside.insert(of, Neighbours { previous, next });
        }
    }

    /// Decides a delivery, with the first step of every run rendered.
    ///
    /// # Errors
    /// A fault of ours.
    pub fn deliver(&mut self, setup: &Setup, read: &Read, now: Time) -> Result<Decision, Fault> {
        let pending = &read.pending;
        let mut decision = Decision {
            delivery: pending.id.clone(),
            replay: pending.replay.clone(),
            outcome: Outcome::Unmapped,
            because: String::new(),
            trace: None,
            warnings: read.warnings.clone(),
            facts: Vec::new(),
            at: now,
        };
        let facts = match &read.says {
            Ok(facts) => facts,
            Err(Nothing::Because(outcome, because)) => {
                decision.outcome = *outcome;
                decision.because = because.clone();
                return Ok(decision);
            }
            Err(Nothing::Unreadable(because)) => {
                decision.because = because.clone();
                return Ok(decision);
            }
            Err(Nothing::Fault(fault)) => return Err(fault.clone()),
        };
        guard(|| {
            let takes_in = facts.len() > 1 || self.is_whole();
            for (position, fact) in facts.iter().enumerate() {
                let one = self.fact(setup, read, position, fact, now);
                self.follow(&one, &mut decision.facts);
                if takes_in {
                    self.take_in(&one, &pending.source);
                }
                decision.facts.push(one);
            }
        })?;
        conclude(read, &mut decision);
        first_steps(setup, &read.payload, &mut decision, now);
        if self.is_whole() {
            self.now = self.now.max(now);
            self.keep(setup, read, &decision, now);
        }
        Ok(decision)
    }

    fn fact(&self, setup: &Setup, read: &Read, position: usize, fact: &Fact, now: Time) -> FactDecision {
        let pending = &read.pending;
        let (rules, origin) = (rules(setup, read), origin(read, position));
        let stays = self.stays.of(fact, &self.loaded);
        let mut known = Known {
            planned: stays
                .iter()
                .flat_map(|stay| self.planned_of(&stay.id))
                .cloned()
                .collect(),
            neighbours: None,
            stays,
            content: fact.key().and_then(|(about, id)| {
                let key = (pending.source.clone(), about, id);
                let mine = self.contents.get(&key);
                mine.or_else(|| self.loaded.contents.get(&key)).cloned()
            }),
            event: self.event(&pending.id.event(position)),
        };
        if setup.reads_neighbours() {
            let loaded = self.beside.as_ref().map(|loaded| loaded.get(&(pending.seq, position)));
            known.neighbours = match loaded {
                // Where it is about no stay.
                Some(None) => None,
                Some(Some(loaded)) if self.stays.is_empty() => Some(loaded.clone()),
                loaded => lands(&known, fact, &origin, &rules).map(|(stay, place)| {
                    let loaded = loaded.flatten().cloned().unwrap_or_default();
                    self.neighbours_of(setup, &stay.id, &place, &loaded)
                }),
            };
        }
        decide(known, fact, &origin, &rules, now)
    }

    /// What an earlier fact of the delivery did to a stay that is another one by now, it did to that one.
    fn follow(&self, one: &FactDecision, earlier: &mut [FactDecision]) {
        let Some(stay) = one.stay.as_ref().filter(|_| !one.absorbed.is_empty()) else {
            return;
        };
        for event in earlier.iter_mut().filter_map(|fact| fact.event.as_mut()) {
            if one.absorbed.contains(&event.stay) {
                event.stay = stay.id.clone();
            }
        }
    }

    fn take_in(&mut self, one: &FactDecision, source: &str) {
        if let Some(stay) = &one.stay {
            self.stays.put(stay, &one.absorbed);
            if let Some((_, place)) = &one.moved {
                self.stays.place(&stay.id, place);
            }
        }
        self.plan(one);
        if let Some(key) = &one.fact_key {
            let key_of = (source.to_owned(), key.about, key.id.clone());
            self.contents.insert(key_of, key.content.clone());
        }
    }

    /// Keeps what the store would keep of a delivery.
    fn keep(&mut self, setup: &Setup, read: &Read, decision: &Decision, now: Time) {
        let pending = &read.pending;
        let body = (pending.headers.clone(), pending.body.clone());
        self.bodies.insert(pending.id.clone(), body);
        for fact in &decision.facts {
            // From now on it is known.
            self.stays.count(fact.stay.as_ref().map(|stay| &stay.id));
            if let Some(event) = &fact.event {
                self.events.insert(event.id.clone(), event.clone());
            }
        }
        let moved = decision.facts.iter();
        let moved = moved.filter_map(|fact| Some((fact.stay.as_ref()?, fact.moved.as_ref()?)));
        let places: Vec<(StayId, Place)> = moved
            .flat_map(|(stay, (before, after))| {
                let both = before.iter().chain([after]);
                both.map(|place| (stay.id.clone(), place.clone()))
            })
            .collect();
        if setup.reads_neighbours() {
            self.plan_beside(setup, &places, now);
        }
    }

    fn event(&self, id: &EventId) -> Option<Event> {
        self.events.get(id).or_else(|| self.loaded.events.get(id)).cloned()
    }

    /// What is planned for a stay.
    pub fn planned_of(&self, stay: &StayId) -> &[Planned] {
        let mine = self.planned.get(&stay.0).or_else(|| self.loaded.planned.get(&stay.0));
        mine.map_or(&[], Vec::as_slice)
    }

    /// A stay as it is now.
    pub fn stay(&self, id: &StayId) -> Option<&Stay> {
        self.stays.get(&id.0, &self.loaded)
    }
}

/// What became of the delivery as a whole.
fn conclude(read: &Read, decision: &mut Decision) {
    let worst = decision.facts.iter().max_by_key(|fact| fact.outcome);
    decision.outcome = worst.map_or(Outcome::Ignored, |fact| fact.outcome);
    decision.because = worst.map_or_else(|| "there is nothing in it".to_owned(), |fact| fact.because.clone());
    for left_out in &read.left_out {
        decision.because = format!("{}; {left_out}", decision.because);
    }
    if read.pending.outcome == Outcome::Processed && matches!(decision.outcome, Outcome::Unchanged | Outcome::Stale) {
        // It changed the stay when it came; that nothing of it is news the second time does not take that back.
        decision.outcome = Outcome::Processed;
        decision.because = "decided once more: nothing in it is news, and it made no event".to_owned();
    }
}
