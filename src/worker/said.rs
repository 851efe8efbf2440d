//! One line, and one count, for every change of state: decisions, attempts, ends. Ids and configured names only.

use crate::model::decision::Decision;
use crate::model::delivery::Outcome;
use crate::model::id::{DeliveryId, RunId};
use crate::model::run::{AttemptOutcome, Finished, RunState, Then};

use super::Engine;

/// What is told of a decision once it is applied.
pub struct Said {
    delivery: DeliveryId,
    outcome: Outcome,
    events: usize,
    runs: usize,
}

impl Said {
    /// Of this one.
    pub fn of(decision: &Decision) -> Said {
        Said {
            delivery: decision.delivery.clone(),
            outcome: decision.outcome,
            events: decision.facts.iter().filter(|fact| fact.event.is_some()).count(),
            runs: decision.facts.iter().map(|fact| fact.runs.len()).sum(),
        }
    }

    /// Tells it.
    pub fn tell(self, engine: &Engine) {
        let (delivery, outcome) = (self.delivery, self.outcome.word());
        engine.meter.decided(outcome);
        match self.outcome {
            Outcome::Unmapped => {
                tracing::warn!(delivery.id = %delivery, outcome, "decided; nothing could be read from it");
            }
            _ => tracing::info!(delivery.id = %delivery, outcome, events = self.events, runs = self.runs, "decided"),
        }
    }
}

/// A run ended without an attempt: called off, nothing of it wanted, or it could not be rendered.
pub fn ended(engine: &Engine, run: &RunId, state: RunState) {
    engine.meter.ended(state.word());
    match state {
        RunState::Dead | RunState::Parked => {
            tracing::error!(run.id = %run, state = state.word(), "the run ended without an attempt and waits for a person");
        }
        _ => tracing::info!(run.id = %run, state = state.word(), "the run ended without an attempt"),
    }
}

/// Runs whose worker is gone, and which nobody but a person may send again.
pub fn parked(engine: &Engine, runs: &[RunId]) {
    for run in runs {
        let state = RunState::Parked.word();
        engine.meter.ended(state);
        tracing::error!(run.id = %run, state, "nobody knows whether the attempt arrived; the run waits for a person");
    }
}

/// An attempt ended, and made this of its run; `names` are those of its recipe and connection.
pub fn attempt(engine: &Engine, done: &Finished, state: RunState, names: Option<&(String, String)>) {
    if state.is_ended() {
        engine.meter.ended(state.word());
    }
    if let Then::Succeeded { ending, .. } = &done.then {
        engine.meter.failed_steps(ending.failed);
    }
    let (run, attempt, outcome, word) = (&done.run, done.attempt, done.outcome.word(), state.word());
    let (recipe, connection) = names.map_or(("", ""), |(recipe, connection)| (recipe, connection));
    if matches!(state, RunState::Dead | RunState::Parked) {
        tracing::error!(run.id = %run, recipe, connection, attempt, outcome, state = word, "attempt ended; the run waits for a person");
    } else if done.outcome == AttemptOutcome::Done {
        tracing::info!(run.id = %run, recipe, connection, attempt, outcome, state = word, "attempt ended");
    } else if matches!(done.then, Then::Retry(_) | Then::Unspent(_)) {
        // Of a target that is down there would be thousands; that it is down is told once.
        tracing::debug!(run.id = %run, recipe, connection, attempt, outcome, state = word, "attempt ended");
    } else {
        tracing::warn!(run.id = %run, recipe, connection, attempt, outcome, state = word, "attempt ended");
    }
}
