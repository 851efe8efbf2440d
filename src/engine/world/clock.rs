//! What is planned in a world, who is beside whom, and what comes due as time goes on.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use crate::decide::{Cause, LATE, Neighbours, view};
use crate::engine::due::Due;
use crate::engine::gather;
use crate::engine::plan::{plans, schedule_plan};
use crate::engine::setup::Setup;
use crate::model::clock::Time;
use crate::model::decision::FactDecision;
use crate::model::id::{RunId, StayId};
use crate::model::plan::{EndedBy, Place, Planned, SETTLE};
use crate::model::reservation::Stay;
use crate::model::run::RunState;
use crate::store::{Becomes, CameDue, DueRun};

use super::World;
use super::stays::Arrival;

/// What schedules plan is kept under no stay.
const NO_STAY: &str = "";
/// So many planned runs come due in one go at the most: a recipe may plan one for every minute of years.
const DUE_MAX: usize = 10_000;

impl World {
    /// Takes in what a fact has planned.
    pub(super) fn plan(&mut self, fact: &FactDecision) {
        let of_event = fact.event.as_ref().map(|event| &event.stay);
        let Some(stay) = fact.stay.as_ref().map(|stay| &stay.id).or(of_event) else {
            return;
        };
        let mut runs = self.planned_of(stay).to_vec();
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
        self.planned.insert(stay.0.clone(), runs);
        let made = fact
            .plan
            .make
            .iter()
            .map(|run| (run.id.clone(), (run.key.clone(), None)));
        let event = fact.event.as_ref().map(|event| event.id.clone());
        let settling = fact.runs.iter().filter(|run| run.settles);
        let settling = settling.map(|run| (run.id.clone(), (run.key.clone(), event.clone())));
        self.keys.extend(made.chain(settling));
    }

    /// The neighbours of a stay in this place: of those this world knows, and of those that were loaded for it.
    pub(super) fn neighbours_of(&self, setup: &Setup, id: &StayId, place: &Place, loaded: &Neighbours) -> Neighbours {
        let (Some(property), Some(at)) = (&place.property, place.arrives_at) else {
            return Neighbours::default();
        };
        let (previous, next) = self.stays.beside(property, &(at, id.0.clone()));
        let known = |arrival: Option<&Arrival>| {
            let (at, id) = arrival?;
            Some((*at, self.stays.get(id, &self.loaded)?.clone()))
        };
        // What a fact has spoken of since stands among those that are known.
        let fetched = |stay: &Option<Stay>| {
            let stay = stay.as_ref().filter(|stay| !self.stays.has(&stay.id.0))?;
            Some((view(stay, &setup.properties).place().arrives_at?, stay.clone()))
        };
        let key = |(at, stay): &(Time, Stay)| (*at, stay.id.clone());
        let before = known(previous).into_iter().chain(fetched(&loaded.previous));
        let after = known(next).into_iter().chain(fetched(&loaded.next));
        Neighbours {
            previous: before.max_by_key(key).map(|(_, stay)| stay),
            next: after.min_by_key(key).map(|(_, stay)| stay),
        }
    }

    /// Plans anew the stays beside those that have moved.
    pub(super) fn plan_beside(&mut self, setup: &Setup, moved: &[(StayId, Place)], now: Time) {
        let beside: Vec<Stay> = moved
            .iter()
            .map(|(id, place)| self.neighbours_of(setup, id, place, &Neighbours::default()))
            .flat_map(|found| found.previous.into_iter().chain(found.next))
            .collect();
        for stay in beside {
            let existing = self.planned_of(&stay.id).to_vec();
            for one in plans(setup, vec![(stay, existing)], Cause::Neighbour, now) {
                let runs = self.planned.entry(one.stay.id.0).or_default();
                one.plan.apply_to(runs);
                self.keys
                    .extend(one.plan.make.into_iter().map(|run| (run.id, (run.key, None))));
            }
        }
    }

    /// Lets time pass until `to`: what comes due until then, in order, and how it went. What goes counts as gone with its first
    /// step.
    pub fn advance_to(&mut self, setup: &Setup, to: Time) -> Vec<CameDue> {
        let mut came = Vec::new();
        let mut at_once = HashSet::new();
        while came.len() < DUE_MAX {
            let Some(run) = self.next_due(to) else { break };
            self.now = self.now.max(run.due_at);
            let now = self.now;
            let due = self.due_run(&run);
            let recipe = setup.book.get(&run.recipe, None);
            let twice = run.stay.is_none() && !at_once.insert((run.recipe.clone(), run.due_at));
            let beside = run.stay.as_ref().and_then(|id| {
                let place = view(self.stay(id)?, &setup.properties).place();
                let found = self.neighbours_of(setup, id, &place, &Neighbours::default());
                setup.reads_neighbours().then_some((found.previous, found.next))
            });
            let asked = Due {
                setup,
                run: &due,
                recipe,
                beside: beside.as_ref(),
                gathered: self.gathered(setup, &due, now),
                now,
            };
            let one = asked.ask(twice);
            self.take_in_due(&one);
            came.push(one);
        }
        came
    }

    /// Sees to it that the next time of every schedule is planned.
    pub fn plan_schedules(&mut self, setup: &Setup, now: Time) {
        let existing = self.planned.entry(NO_STAY.to_owned()).or_default();
        let after = now - LATE;
        let known: Vec<Planned> = existing
            .iter()
            .filter(|run| run.state == RunState::Scheduled || run.planned_at > after)
            .cloned()
            .collect();
        let plan = schedule_plan(setup, &known, now);
        plan.apply_to(existing);
        self.keys
            .extend(plan.make.into_iter().map(|run| (run.id, (run.key, None))));
    }

    /// The runs that wait for their time, by id, each with when it is due.
    pub fn scheduled(&self) -> BTreeMap<&RunId, Time> {
        self.waiting().map(|run| (&run.id, run.due_at)).collect()
    }

    /// When the next planned run is due.
    pub fn next_at(&self) -> Option<Time> {
        self.waiting().map(|run| run.due_at).min()
    }

    fn waiting(&self) -> impl Iterator<Item = &Planned> {
        self.planned
            .values()
            .flatten()
            .filter(|run| run.state == RunState::Scheduled)
    }

    fn next_due(&self, to: Time) -> Option<Planned> {
        let due = self.waiting().filter(|run| run.due_at <= to);
        due.min_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id))).cloned()
    }

    fn due_run(&self, run: &Planned) -> DueRun {
        let stay = run.stay.as_ref().and_then(|id| self.stay(id)).cloned();
        let body = stay.as_ref().and_then(|stay| self.bodies.get(&stay.last_delivery));
        let (headers, body) = body.cloned().unwrap_or_default();
        let (key, event) = self.keys.get(&run.id).cloned().unwrap_or_default();
        DueRun {
            id: run.id.clone(),
            key,
            recipe: run.recipe.clone(),
            revision: String::new(),
            entries: run.entries.clone(),
            due_at: run.due_at,
            planned_at: run.planned_at,
            by_hand: None,
            stay_id: run.stay.clone(),
            stay,
            event: event.and_then(|id| self.event(&id)),
            headers,
            body,
            damaged: None,
        }
    }

    fn gathered(&self, setup: &Setup, run: &DueRun, now: Time) -> Value {
        if run.stay_id.is_some() {
            return Value::Null;
        }
        let lists: Map<String, Value> = gather::spans(setup, run, now)
            .into_iter()
            .map(|span| {
                let stays: Vec<Stay> = self.stays.all().into_iter().cloned().collect();
                (span.name().to_owned(), span.list(setup, &stays))
            })
            .collect();
        match lists.is_empty() {
            true => Value::Null,
            false => Value::Object(lists),
        }
    }

    fn take_in_due(&mut self, came: &CameDue) {
        for run in self.planned.values_mut().flatten().filter(|run| run.id == came.run) {
            match &came.becomes {
                Becomes::Ready(_) => (run.state, run.fired) = (RunState::Ready, true),
                Becomes::Ended { state, ended_by, .. } => {
                    (run.state, run.ended_by) = (*state, *ended_by);
                    run.fired = matches!(state, RunState::Dead | RunState::Succeeded);
                }
            }
        }
        if let Some(next) = &came.next {
            let plan = crate::model::plan::Plan {
                make: vec![next.clone()],
                ..Default::default()
            };
            plan.apply_to(self.planned.entry(NO_STAY.to_owned()).or_default());
            self.keys.insert(next.id.clone(), (next.key.clone(), None));
        }
        if let Some((event, _)) = &came.event {
            self.events.insert(event.id.clone(), event.clone());
        }
    }
}
