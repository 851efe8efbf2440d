//! What runs answer, read for those whose next step has to be rendered and that were taken up without it.

use std::sync::Arc;

use crate::model::body::decode_stored;
use crate::model::effect::Answer;

use super::Engine;
use super::flight::Flight;

/// Adds it. Where it cannot be read now, the run waits for its next step in the store.
pub async fn with_answered(engine: &Engine, mut ended: Vec<(Flight, Answer)>) -> Vec<(Flight, Answer)> {
    let wanted: Vec<_> = ended
        .iter()
        .filter(|(flight, _)| lacks(flight))
        .filter_map(|(flight, _)| flight.run.event.clone())
        .collect();
    if wanted.is_empty() {
        return ended;
    }
    match engine.store.answered(&wanted).await {
        Err(error) => tracing::debug!(%error, "what runs answer is read later"),
        Ok(events) => {
            for (flight, _) in ended.iter_mut().filter(|(flight, _)| lacks(flight)) {
                let id = flight.run.event.as_ref();
                if let Some((Ok(Some(event)), headers, body)) = id.and_then(|id| events.get(id.as_str())) {
                    let payload = decode_stored(headers, body).unwrap_or_default();
                    flight.answers = Some((event.clone(), Arc::new(payload)));
                }
            }
        }
    }
    ended
}

fn lacks(flight: &Flight) -> bool {
    let more = |recipe: &Arc<crate::recipe::Recipe>| flight.opening.position + 1 < recipe.steps.len();
    flight.answers.is_none() && flight.recipe.as_ref().is_some_and(more)
}
