//! From the end of an attempt to what is recorded of it, and to the next step where that can begin at once.

use crate::engine::{Attempted, Follows, Setup, uncertain};
use crate::model::effect::Answer;
use crate::model::run::{AttemptOutcome, Finished, Run, Then};

use super::Engine;
use super::flight::Flight;

/// What to record of an attempt, and the flight of the next step where it can begin at once.
pub fn conclude(
    engine: &Engine,
    setup: &Setup,
    flight: Flight,
    answer: Answer,
    stopping: bool,
) -> (Finished, Option<Flight>) {
    let now = engine.clock.now();
    let Flight {
        run,
        answers,
        mut steps,
        recipe,
        opening,
        slot,
    } = flight;
    let attempted = Attempted {
        run: &run,
        answers: answers.as_ref().map(|(event, payload)| (event, payload)),
        recipe: recipe.as_deref(),
        opening: &opening,
        paused: (answer.outcome == AttemptOutcome::Retry)
            .then(|| engine.lanes.probe_at(&opening.prepared.connection))
            .flatten(),
    };
    let uncertain = uncertain(&answer, attempted.tried(now));
    let (follows, failed) = crate::engine::conclude(setup, &attempted, &mut steps, &answer, now);
    let mut next = None;
    let then = match follows {
        Follows::Then(then) => then,
        Follows::Step(following) => {
            let lane = following.prepared.connection.clone();
            let same = lane == opening.prepared.connection;
            // What answers a cancellation asks at every step whether it may go: through the store, not straight on.
            let place = match (stopping || run.after_gone, same) {
                (true, _) => None,
                (false, true) => Some(slot),
                (false, false) => engine.lanes.take(&lane, engine.clock.reading()),
            };
            match place {
                None => Then::Wait {
                    position: following.position,
                    lane,
                    skipped: following.skipped.clone(),
                },
                Some(slot) => {
                    let run = Run {
                        lane,
                        due_at: now,
                        step: following.position,
                        attempts: run.attempts + 1,
                        step_attempts: 1,
                        step_first_at: Some(now),
                        step_until: None,
                        generation: 0,
                        uncertain: false,
                        ..run.clone()
                    };
                    next = Some(Flight {
                        run,
                        answers,
                        steps,
                        recipe,
                        opening: following.clone(),
                        slot,
                    });
                    Then::Open(following)
                }
            }
        }
    };
    let done = Finished {
        run: run.id,
        attempt: run.attempts,
        position: opening.position,
        outcome: answer.outcome,
        uncertain,
        summary: answer.summary,
        excerpt: answer.excerpt,
        output: answer.output,
        failed,
        then,
    };
    (done, next)
}
