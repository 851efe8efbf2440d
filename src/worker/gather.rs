//! The lists of stays that a schedule is about, from the store.

use serde_json::{Map, Value};

use crate::engine::{Setup, spans};
use crate::model::clock::Time;
use crate::store::{DueRun, StoreError};

use super::Engine;

/// The most stays that are looked at for one list.
const LOOK_MAX: usize = 20_000;

/// Every list of the run's recipe by name; null where it has none.
pub async fn gathered(engine: &Engine, setup: &Setup, run: &DueRun, now: Time) -> Result<Value, StoreError> {
    let mut lists = Map::new();
    for span in spans(setup, run, now) {
        let (from, to) = span.bounds();
        let stays = engine.store.between(span.moment(), from, to, LOOK_MAX).await?;
        lists.insert(span.name().to_owned(), span.list(setup, &stays));
    }
    Ok(match lists.is_empty() {
        true => Value::Null,
        false => Value::Object(lists),
    })
}
