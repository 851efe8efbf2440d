//! Runs on their way from the store, or from the deciding transaction, to the outside.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::engine::Setup;
use crate::model::clock::Time;
use crate::model::decision::{Decision, FirstStep, Opening};
use crate::model::event::Event;
use crate::model::id::RunId;
use crate::model::run::{Run, StoredStep};
use crate::recipe::Recipe;

use super::Engine;
use super::lanes::Slot;

/// A run with an attempt that is recorded and about to be sent, or under way.
#[derive(Debug)]
pub struct Flight {
    /// The run; `attempts` is the number of this attempt.
    pub run: Run,
    /// The event it answers and the body of that event's delivery; `None` where the recipe has no further step, or the
    /// step was rendered before and they were not read again.
    pub answers: Option<(Event, Arc<Value>)>,
    /// The steps before this one.
    pub steps: Vec<StoredStep>,
    /// Its recipe; `None` where no revision of it can be found any more.
    pub recipe: Option<Arc<Recipe>>,
    /// The step that is tried.
    pub opening: Arc<Opening>,
    /// Its place on the lane.
    pub slot: Slot,
}

/// What the inbox launches, and until when it is leased at least.
pub type Launched = (Flight, Time);

/// Runs that may begin at once: their places on the lanes are taken.
pub type Flights = HashMap<RunId, Flight>;

/// Takes a place on its lane for every new run whose first step is rendered, so that it can go out with the decision.
pub fn launched(engine: &Engine, setup: &Setup, payload: &Arc<Value>, decision: &mut Decision, flights: &mut Flights) {
    let now = engine.clock.now();
    for fact in &mut decision.facts {
        let Some(event) = &fact.event else { continue };
        for run in &mut fact.runs {
            let FirstStep::Rendered(opening) = &run.first else {
                continue;
            };
            let Some(recipe) = setup.book.get(&run.recipe, Some(&run.revision)) else {
                continue;
            };
            let Some(slot) = engine.lanes.take(&run.lane, engine.clock.reading()) else {
                continue;
            };
            let opening = opening.clone();
            let flight = Flight {
                run: Run {
                    id: run.id.clone(),
                    key: run.key.clone(),
                    recipe: run.recipe.clone(),
                    revision: run.revision.clone(),
                    event: Some(event.id.clone()),
                    lane: run.lane.clone(),
                    due_at: run.due_at,
                    planned_at: None,
                    stay: Some(event.stay.clone()),
                    of_check_in: false,
                    after_gone: run.after_gone,
                    step: opening.position,
                    attempts: 1,
                    step_attempts: 1,
                    step_first_at: Some(now),
                    step_until: None,
                    generation: 0,
                    uncertain: false,
                    cancel_requested: false,
                    dry_run: run.dry_run,
                    by_hand: None,
                },
                // Only a further step needs them.
                answers: (opening.position + 1 < recipe.steps.len()).then(|| (event.clone(), payload.clone())),
                steps: Vec::new(),
                recipe: Some(recipe.clone()),
                opening: opening.clone(),
                slot,
            };
            flights.insert(run.id.clone(), flight);
            run.first = FirstStep::Open(opening);
        }
    }
}
