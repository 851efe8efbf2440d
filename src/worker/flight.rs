//! Runs on their way from the store, or from the deciding transaction, to the outside.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::model::clock::Time;
use crate::model::decision::{Decision, FirstStep, Opening};
use crate::model::event::Event;
use crate::model::id::RunId;
use crate::model::run::{Run, StoredStep};
use crate::recipe::Recipe;

use super::Engine;
use super::advance::{Advance, Asked, advance};
use super::lanes::Slot;
use super::setup::Setup;

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

/// Renders the first step of every new run and takes its place on the lane, so that it can go out with the decision.
pub fn with_first_steps(
    engine: &Engine,
    setup: &Setup,
    payload: &Arc<Value>,
    mut decision: Decision,
    flights: &mut Flights,
) -> Decision {
    let now = engine.clock.now();
    for fact in &mut decision.facts {
        let Some(event) = &fact.event else { continue };
        for run in &mut fact.runs {
            let Some(recipe) = setup.book.get(&run.recipe, Some(&run.revision)) else {
                continue;
            };
            let asked = Asked {
                run: &run.id,
                key: &run.key,
                recipe,
                event,
                payload,
                steps: &[],
                from: 0,
                dry_run: run.dry_run,
                generation: 0,
                planned_at: None,
                stay: None,
                of_check_in: false,
                now,
            };
            match advance(setup, &asked) {
                Advance::Failed { because, .. } => run.first = FirstStep::Failed(because),
                Advance::End(skipped) => run.first = FirstStep::Nothing(skipped),
                Advance::Open(opening) => {
                    run.lane = opening.prepared.connection.clone();
                    if let Some(slot) = engine.lanes.take(&run.lane, engine.clock.reading()) {
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
                            answers: (opening.position + 1 < recipe.steps.len())
                                .then(|| (event.clone(), payload.clone())),
                            steps: Vec::new(),
                            recipe: Some(recipe.clone()),
                            opening: opening.clone(),
                            slot,
                        };
                        flights.insert(run.id.clone(), flight);
                        run.first = FirstStep::Open(opening);
                    } else {
                        run.first = FirstStep::Rendered(opening);
                    }
                }
            }
        }
    }
    decision
}
