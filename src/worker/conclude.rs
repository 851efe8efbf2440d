//! From the end of an attempt to what is recorded of it, and to the next step where that can begin at once.

use serde_json::json;

use crate::model::decision::{Ending, SkippedStep};
use crate::model::effect::{Answer, Policy};
use crate::model::run::{AttemptOutcome, Finished, Run, StoredStep, Then};

use crate::recipe::Recipe;

use super::Engine;
use super::advance::{Advance, Asked, advance};
use super::flight::Flight;
use super::settle::{Next, Tried, settle, uncertain};
use super::setup::Setup;

/// Whether its further steps depend on how long the stay is.
pub fn ends_with_stay(run: &Run, recipe: &Recipe) -> bool {
    run.of_check_in || recipe.steps.iter().skip(run.step).any(|step| step.until.is_some())
}

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
    steps.extend(opening.skipped.iter().map(SkippedStep::stored));
    let policy = recipe
        .as_ref()
        .and_then(|recipe| recipe.steps.get(opening.position))
        .map(|step| step.policy.clone());
    let policy = policy.unwrap_or(Policy {
        at_most_once: opening.at_most_once,
        ..Policy::default()
    });
    let tried = Tried {
        attempts: run.step_attempts,
        first: run.step_first_at.unwrap_or(now).min(now),
        uncertain: run.uncertain,
    };
    let (mut next, mut failed) = (None, None);
    let probed = (answer.outcome == AttemptOutcome::Retry)
        .then(|| engine.lanes.probe_at(&opening.prepared.connection))
        .flatten();
    let settled = settle(
        &answer,
        &policy,
        tried,
        now,
        &format!("{}/{}", run.id, opening.position),
    );
    let then = match (probed, settled) {
        // While its connection is paused a run spends no attempts, whatever its policy: the refusal is not about it.
        (Some(at), _) => Then::Unspent(at),
        (None, Next::Again(at)) => Then::Retry(at),
        (None, Next::Park(reason)) => Then::Park(reason),
        (None, Next::Dead(reason)) => Then::Dead(reason),
        (None, Next::GoOn(because)) => {
            let state = if because.is_none() { "done" } else { "failed" };
            let output = because
                .as_ref()
                .map_or(answer.output.clone(), |because| json!({"failed": because}));
            failed = because;
            steps.push(StoredStep {
                position: opening.position,
                step_id: opening.step_id.clone(),
                state: state.to_owned(),
                prepared: None,
                key: opening.key.clone(),
                at_most_once: opening.at_most_once,
                output,
            });
            let from = opening.position + 1;
            let followed = recipe.as_ref().map(|recipe| match &answers {
                _ if from >= recipe.steps.len() => Some(Advance::End(Vec::new())),
                Some((event, payload)) if !ends_with_stay(&run, recipe) => {
                    let asked = Asked {
                        run: &run.id,
                        key: &run.key,
                        recipe,
                        event,
                        payload,
                        steps: &steps,
                        from,
                        dry_run: run.dry_run,
                        generation: 0,
                        planned_at: run.planned_at,
                        stay: None,
                        of_check_in: run.of_check_in,
                        now,
                    };
                    Some(advance(setup, &asked))
                }
                _ => None,
            });
            match followed {
                // What it answers, and how its stay is by then, is read when it is taken up for its next step.
                Some(None) => Then::Wait {
                    position: from,
                    lane: opening.prepared.connection.clone(),
                    skipped: Vec::new(),
                },
                None => Then::Stuck {
                    position: opening.position + 1,
                    reason: format!("the recipe `{}` cannot be found any more", run.recipe),
                },
                Some(Some(Advance::Failed { because, .. })) => Then::Stuck {
                    // Steps that are passed over on the way there are looked at once more.
                    position: opening.position + 1,
                    reason: because,
                },
                Some(Some(Advance::End(skipped))) => Then::Succeeded {
                    ending: Ending::of(&steps, &skipped, &answer.summary),
                    skipped,
                },
                Some(Some(Advance::Open(following))) => {
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
                            let opening = following.clone();
                            next = Some(Flight {
                                run,
                                answers,
                                steps,
                                recipe,
                                opening,
                                slot,
                            });
                            Then::Open(following)
                        }
                    }
                }
            }
        }
    };
    let done = Finished {
        run: run.id,
        attempt: run.attempts,
        position: opening.position,
        outcome: answer.outcome,
        uncertain: uncertain(&answer, tried),
        summary: answer.summary,
        excerpt: answer.excerpt,
        output: answer.output,
        failed,
        then,
    };
    (done, next)
}
