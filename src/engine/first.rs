//! The first step of what a decision makes, rendered with it.

use std::sync::Arc;

use serde_json::Value;

use crate::model::clock::Time;
use crate::model::decision::{Decision, FirstStep, NewRun};
use crate::model::event::Event;
use crate::recipe::Recipe;

use super::advance::{Advance, Asked, advance};
use super::setup::Setup;

/// Renders the first step of every new run.
pub fn first_steps(setup: &Setup, payload: &Arc<Value>, decision: &mut Decision, now: Time) {
    for fact in &mut decision.facts {
        let Some(event) = &fact.event else { continue };
        for run in &mut fact.runs {
            if let Some(recipe) = setup.book.get(&run.recipe, Some(&run.revision)) {
                prepare(setup, run, recipe, event, payload, now);
            }
        }
    }
}

/// Renders the first step of one.
pub fn prepare(setup: &Setup, run: &mut NewRun, recipe: &Recipe, event: &Event, payload: &Arc<Value>, now: Time) {
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
    run.first = match advance(setup, &asked) {
        Advance::Failed { because, .. } => FirstStep::Failed(because),
        Advance::End(skipped) => FirstStep::Nothing(skipped),
        Advance::Open(opening) => {
            run.lane = opening.prepared.connection.clone();
            FirstStep::Rendered(opening)
        }
    };
}
