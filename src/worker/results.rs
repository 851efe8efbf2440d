//! The results of attempts on their way into the store.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde_json::Value;

use crate::model::id::RunId;
use crate::model::run::{Finished, RunState, Then};
use crate::store::StoreError;

use super::Engine;

/// Records results; the state each run has now. A run that is not in the answer was not ours any more.
pub async fn write_all(engine: &Engine, finished: &[Finished]) -> HashMap<RunId, RunState> {
    if finished.is_empty() {
        return HashMap::new();
    }
    match write_down(engine, finished).await {
        Ok(states) => states,
        // One result that the store does not take holds up no other.
        Err(_) => {
            let mut states = HashMap::new();
            for done in finished {
                match write_down(engine, std::slice::from_ref(done)).await {
                    Ok(one) => states.extend(one),
                    Err(error) => {
                        tracing::error!(run.id = %done.run, %error, "a result could not be recorded");
                        // Sent again it would end here again: without what is special about it, it is dead.
                        let plain = Finished {
                            summary: "the result could not be recorded: a fault of Stayhook".to_owned(),
                            excerpt: None,
                            output: Value::Null,
                            failed: None,
                            then: Then::Dead(
                                "the result of its last attempt could not be recorded: a fault of Stayhook".to_owned(),
                            ),
                            ..done.clone()
                        };
                        states.extend(write_down(engine, &[plain]).await.unwrap_or_default());
                    }
                }
            }
            states
        }
    }
}

/// Records results, however long the store is down. Whoever has lost its lease by then records nothing: the guard is in
/// the statement.
///
/// # Errors
///
/// Where waiting would not help.
async fn write_down(engine: &Engine, finished: &[Finished]) -> Result<HashMap<RunId, RunState>, StoreError> {
    let mut held_up = false;
    loop {
        match engine.store.record(finished.to_vec(), engine.lease()).await {
            Err(error) if !matches!(error, StoreError::Broken(_) | StoreError::Conflict(_)) => {
                if !std::mem::replace(&mut held_up, true) {
                    tracing::warn!(%error, results = finished.len(), "results wait for the store");
                }
                engine.clock.sleep(TimeDelta::milliseconds(250)).await;
            }
            done => {
                if held_up {
                    tracing::info!(results = finished.len(), "results are recorded again");
                }
                return done;
            }
        }
    }
}
