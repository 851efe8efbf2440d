//! Taking up runs that wait in the store, lane by lane, as far as there are free places.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::decide::view;
use crate::engine::{Advance, Asked, Next, Setup, advance, ended, ends_with_stay, too_late, window_over};
use crate::model::body::decode_stored;
use crate::model::clock::Time;
use crate::model::decision::{Ending, Opening, SkippedStep};
use crate::model::event::Event;
use crate::model::id::RunId;
use crate::model::run::{Run, RunState, StoredStep};
use crate::recipe::{self, Recipe};
use crate::store::{Candidate, Start, StoreError};

use super::Engine;
use super::flight::{Flight, Launched};
use super::lanes::Slot;
use super::said;

/// How many runs of one lane are taken up together.
const CLAIM_MAX: usize = 32;
/// How many runs whose time has passed are given up together.
const GIVE_UP_MAX: usize = 256;
/// A step that was begun more often than this without ever ending is given up: whatever it does, it ends the process.
const INTERRUPTED_MAX: i64 = 500;

/// What a claim found.
#[derive(Debug, Default)]
pub struct Claimed {
    /// Attempts that are recorded and may be sent, each with the time until which it is leased at least.
    pub flights: Vec<Launched>,
    /// When to look again at the latest.
    pub next_due: Option<Time>,
}

/// Takes up what may be worked on now.
pub async fn claim(engine: &Engine) -> Result<Claimed, StoreError> {
    let mut claimed = Claimed::default();
    let reading = engine.clock.reading();
    let now = reading.wall;
    let setup = engine.setup();
    let mut starts = Vec::new();
    let mut flights: HashMap<RunId, Flight> = HashMap::new();
    if engine.lanes.unsure() {
        let waiting = engine.store.waiting_lanes().await;
        engine
            .lanes
            .wait_for(waiting.inspect_err(|_| engine.lanes.look_again())?);
    }
    for (lane, free) in engine.lanes.open(reading) {
        if free == 0 {
            continue;
        }
        // Said before looking, so that a run that appears in between is not missed.
        engine.lanes.nothing_waits(&lane);
        let limit = free.min(CLAIM_MAX);
        let candidates = engine.store.candidates(&lane, now, limit).await.inspect_err(|_| {
            engine.lanes.wait_for([lane.clone()]);
        })?;
        if !candidates.is_empty() {
            engine.lanes.wait_for([lane.clone()]);
        }
        let found = candidates.len();
        for candidate in candidates {
            take_up(engine, &setup, candidate, now, &mut starts, &mut flights).await?;
        }
        if found < limit {
            let waiting = engine.store.waiting(&lane, now).await;
            let (any, due) = waiting.inspect_err(|_| engine.lanes.wait_for([lane.clone()]))?;
            if any {
                engine.lanes.wait_for([lane]);
            }
            claimed.next_due = [claimed.next_due, due].into_iter().flatten().min();
        }
    }
    claimed.next_due = [claimed.next_due, engine.lanes.next_free(reading)]
        .into_iter()
        .flatten()
        .min();
    let lease = engine.lease();
    let leased = lease.until;
    let started = engine.store.start(starts, lease).await?;
    claimed.flights = flights
        .into_values()
        .filter(|flight| started.contains(&flight.run.id))
        .map(|flight| (flight, leased))
        .collect();
    Ok(claimed)
}

/// A step that is to be tried.
struct Open {
    opening: Arc<Opening>,
    /// Whether the count of its attempts begins anew.
    fresh: bool,
    /// Whether it goes out as it is recorded already.
    recorded: bool,
    recipe: Option<Arc<Recipe>>,
}

/// What is to be done with a candidate.
enum Take {
    Open(Open),
    End {
        ending: Ending,
        skipped: Vec<SkippedStep>,
    },
    /// Its step has failed without a further attempt, and its recipe goes on with the next.
    Pass(SkippedStep),
}

async fn take_up(
    engine: &Engine,
    setup: &Setup,
    candidate: Candidate,
    now: Time,
    starts: &mut Vec<Start>,
    flights: &mut HashMap<RunId, Flight>,
) -> Result<(), StoreError> {
    let (run, attempts) = (candidate.run.id.clone(), candidate.run.attempts);
    if let Some(damage) = &candidate.damaged {
        tracing::error!(run.id = %run, error = %damage, "a run cannot be read any more");
        return end(engine, run, attempts, dead(damage.to_string()), Vec::new(), now).await;
    }
    let answers = candidate.event.clone().map(|event| {
        let payload: Arc<Value> = Arc::new(decode_stored(&candidate.headers, &candidate.body).unwrap_or_default());
        (event, payload)
    });
    match look(engine, setup, &candidate, answers.as_ref(), now).await? {
        Take::End { ending, skipped } => end(engine, run, attempts, ending, skipped, now).await,
        Take::Pass(step) => {
            if engine.store.pass_step(run.clone(), attempts, step, now).await? {
                said::ended(engine, &run, RunState::Cancelled);
            }
            engine.wake_outbox();
            Ok(())
        }
        Take::Open(Open { opening, .. }) if opening.prepared.connection != candidate.run.lane => {
            let lane = opening.prepared.connection.clone();
            engine.store.move_lane(run, attempts, lane.clone()).await?;
            engine.lanes.wait_for([lane]);
            engine.outbox.notify_one();
            Ok(())
        }
        Take::Open(open) => {
            let Some(slot) = engine.lanes.take(&candidate.run.lane, engine.clock.reading()) else {
                return Ok(());
            };
            starts.push(Start {
                run: run.clone(),
                attempts,
                opening: (*open.opening).clone(),
                revision: open
                    .recipe
                    .as_ref()
                    .map_or(candidate.run.revision.clone(), |recipe| recipe.revision.clone()),
                by_hand: candidate.run.by_hand.is_some(),
                fresh: open.fresh,
                recorded: open.recorded,
            });
            flights.insert(run, flight(candidate, answers, open, slot, now));
            Ok(())
        }
    }
}

/// Ends a run without an attempt. What waits behind it may go, on whatever connection: it is looked at once more.
async fn end(
    engine: &Engine,
    run: RunId,
    attempts: i64,
    ending: Ending,
    skipped: Vec<SkippedStep>,
    now: Time,
) -> Result<(), StoreError> {
    let (state, failed) = (ending.state, ending.failed);
    let ended = engine.store.end_waiting(run.clone(), attempts, ending, skipped, now);
    ended.await?;
    said::ended(engine, &run, state);
    engine.meter.failed_steps(failed);
    engine.wake_outbox();
    Ok(())
}

/// The end of a run that needs a person.
fn dead(reason: String) -> Ending {
    Ending {
        state: RunState::Dead,
        reason,
        failed: 0,
    }
}

async fn look(
    engine: &Engine,
    setup: &Setup,
    candidate: &Candidate,
    answers: Option<&(Event, Arc<Value>)>,
    now: Time,
) -> Result<Take, StoreError> {
    let run = &candidate.run;
    let stored = candidate
        .steps
        .iter()
        .find(|step| step.position == run.step && step.state != "skipped");
    let newest = run.by_hand.is_some_and(|by_hand| !by_hand.same_revision);
    let recipe = find(engine, setup, &run.recipe, (!newest).then_some(run.revision.as_str())).await?;
    let step_now = recipe.as_ref().and_then(|recipe| recipe.steps.get(run.step));
    let policy = step_now.map(|step| step.policy.clone()).unwrap_or_default();
    let dead = |reason: String| Take::End {
        ending: dead(reason),
        skipped: Vec::new(),
    };
    // The step that is tried has failed.
    let failed = |reason: String| match (stored, ended(&policy, reason, run.uncertain)) {
        (Some(step), Next::GoOn(Some(reason))) => pass(step, reason, true),
        (_, Next::Park(reason)) => Take::End {
            ending: Ending {
                state: RunState::Parked,
                ..self::dead(reason)
            },
            skipped: Vec::new(),
        },
        (_, Next::GoOn(Some(reason)) | Next::Dead(reason)) => dead(reason),
        (_, Next::GoOn(None) | Next::Again(_)) => dead(String::new()),
    };
    if is_over(engine, run, now) {
        return Ok(failed(window_over(policy.retry.window_s())));
    }
    let ends = run.of_check_in || recipe.as_ref().is_some_and(|recipe| ends_with_stay(run, recipe));
    let stay = if ends {
        stay_now(engine, setup, run).await?
    } else {
        None
    };
    let anyway = run.by_hand.is_some_and(|by_hand| by_hand.again);
    let until = step_now.and_then(|step| step.until.as_ref());
    if let (Some(stay), Some(stored), false) = (&stay, stored, anyway)
        && let Some(reason) = too_late(setup, until, run.of_check_in, stay, now)
    {
        return Ok(match run.step_attempts {
            0 => pass(stored, reason, false),
            _ => failed(reason),
        });
    }
    if run.step_attempts >= INTERRUPTED_MAX {
        return Ok(failed(format!("given up: {} attempts", run.step_attempts)));
    }
    if run.by_hand.is_none_or(|by_hand| by_hand.same_revision)
        && let Some(step) = stored
        && let Some(prepared) = &step.prepared
    {
        if !setup.connections.contains_key(&prepared.connection) {
            return Ok(failed(format!(
                "there is no connection `{}` in the configuration any more",
                prepared.connection
            )));
        }
        // What was rendered goes out again, the same bytes under the same key.
        let opening = Opening {
            position: step.position,
            step_id: step.step_id.clone(),
            prepared: prepared.clone(),
            key: step.key.clone(),
            generation: run.generation,
            at_most_once: step.at_most_once,
            window_s: policy.retry.window_s(),
            skipped: Vec::new(),
        };
        return Ok(Take::Open(Open {
            opening: Arc::new(opening),
            fresh: run.by_hand.is_some(),
            // One that failed and is tried again by hand is open once more.
            recorded: step.state == "open",
            recipe,
        }));
    }
    let Some((event, payload)) = answers else {
        return Ok(dead("the event it answers is no longer stored".to_owned()));
    };
    let Some(recipe) = recipe else {
        return Ok(dead(format!("the recipe `{}` cannot be found any more", run.recipe)));
    };
    let before: Vec<_> = candidate
        .steps
        .iter()
        .filter(|step| step.position < run.step)
        .cloned()
        .collect();
    let mut asked = Asked {
        run: &run.id,
        key: &run.key,
        recipe: &recipe,
        event,
        payload,
        steps: &before,
        from: run.step,
        dry_run: run.dry_run,
        generation: run.generation,
        planned_at: run.planned_at,
        stay: stay.as_ref(),
        of_check_in: run.of_check_in && !anyway,
        now,
    };
    let mut found = advance(setup, &asked);
    if let (Some(by_hand), Some(step), Advance::Open(opening)) = (run.by_hand, stored, &found)
        && step.prepared.as_ref() != Some(&opening.prepared)
    {
        if run.uncertain && !by_hand.again {
            return Ok(dead(
                "the recipe renders something else now, and an earlier attempt may have had an effect; with --again it is sent all the same"
                    .to_owned(),
            ));
        }
        asked.generation = run.generation + 1;
        found = advance(setup, &asked);
    }
    Ok(match found {
        Advance::Open(opening) => Take::Open(Open {
            opening,
            fresh: true,
            recorded: false,
            recipe: Some(recipe),
        }),
        Advance::Failed { because, .. } => dead(because),
        Advance::End(skipped) => {
            let last = skipped.last().map_or("", |step| &step.reason);
            let ending = Ending::of(&before, &skipped, last);
            Take::End { ending, skipped }
        }
    })
}

/// A stored step that is left behind.
fn pass(step: &StoredStep, reason: String, failed: bool) -> Take {
    Take::Pass(SkippedStep {
        position: step.position,
        step_id: step.step_id.clone(),
        reason,
        failed,
    })
}

/// Whether the time for retries of the step has passed. While its connection is paused that time stands still, and by a clock
/// that is not believed none ends.
fn is_over(engine: &Engine, run: &Run, now: Time) -> bool {
    let over = run.by_hand.is_none() && run.step_until.is_some_and(|until| now > until);
    over && engine.clock.is_trusted() && engine.lanes.probe_at(&run.lane).is_none()
}

/// The stay of a run as recipes see it now.
async fn stay_now(engine: &Engine, setup: &Setup, run: &Run) -> Result<Option<Value>, StoreError> {
    let Some(id) = &run.stay else { return Ok(None) };
    let found = engine.store.stay_of(id.as_str()).await?;
    Ok(found.map(|row| view(&row.stay, &setup.properties).json))
}

/// Ends the waiting runs whose time for retries has passed, though nobody can try them now.
pub async fn give_up(engine: &Engine) -> Result<(), StoreError> {
    let (setup, now) = (engine.setup(), engine.clock.now());
    for candidate in engine.store.overdue(now, GIVE_UP_MAX).await? {
        if is_over(engine, &candidate.run, now) {
            take_up(engine, &setup, candidate, now, &mut Vec::new(), &mut HashMap::new()).await?;
        }
    }
    Ok(())
}

/// A recipe in one of its revisions: as loaded, else as stored.
pub(super) async fn find(
    engine: &Engine,
    setup: &Setup,
    name: &str,
    revision: Option<&str>,
) -> Result<Option<Arc<Recipe>>, StoreError> {
    if let Some(recipe) = setup.book.get(name, revision) {
        return Ok(Some(recipe.clone()));
    }
    let Some(stored) = engine.store.revision(name, revision).await? else {
        return Ok(None);
    };
    let mut report = crate::lang::diag::Report::new();
    let recipe = recipe::compile(&stored.file, &stored.text, &crate::action::effect_kinds(), &mut report);
    Ok(recipe.map(Arc::new))
}

/// A candidate as a flight, once its step is known.
fn flight(candidate: Candidate, answers: Option<(Event, Arc<Value>)>, open: Open, slot: Slot, now: Time) -> Flight {
    let Open {
        opening, fresh, recipe, ..
    } = open;
    let Candidate { mut run, mut steps, .. } = candidate;
    if let Some(recipe) = &recipe {
        run.revision = recipe.revision.clone();
    }
    steps.retain(|step| step.position < opening.position);
    run.lane = opening.prepared.connection.clone();
    run.step = opening.position;
    run.attempts += 1;
    run.generation = opening.generation;
    if fresh {
        run.step_attempts = 1;
        run.step_first_at = Some(now);
    } else {
        run.step_attempts += 1;
        run.step_first_at = run.step_first_at.or(Some(now));
    }
    run.by_hand = None;
    Flight {
        run,
        answers,
        steps,
        recipe,
        opening,
        slot,
    }
}
