//! From a run to its next wanted step, rendered. Pure: the same values give the same request.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::decide::{instant_of, local_now};
use crate::lang::effect::Rendering;
use crate::lang::template::Context;
use crate::model::clock::{Time, from_ms};
use crate::model::decision::{Opening, SkippedStep};
use crate::model::event::Event;
use crate::model::fault::guard;
use crate::model::id::{RunId, step_key};
use crate::model::run::StoredStep;
use crate::recipe::{Anchor, Facts, Mark, Recipe, Step};

use super::setup::Setup;

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The run.
    pub run: &'a RunId,
    /// Its key.
    pub key: &'a str,
    /// Its recipe, in the revision that counts.
    pub recipe: &'a Recipe,
    /// The event it answers.
    pub event: &'a Event,
    /// The body of that event's delivery.
    pub payload: &'a Arc<Value>,
    /// The steps so far.
    pub steps: &'a [StoredStep],
    /// The step to begin looking at.
    pub from: usize,
    /// Whether nothing of it is really sent.
    pub dry_run: bool,
    /// Counts the renderings of that step that differ.
    pub generation: i64,
    /// The time it was planned for; `None` for what answers an event at once.
    pub planned_at: Option<Time>,
    /// The stay as it is now, where that is another one than the event's.
    pub stay: Option<&'a Value>,
    /// Whether it is of the check-in clock: nothing of it is sent once the guest has left.
    pub of_check_in: bool,
    /// Now.
    pub now: Time,
}

/// Where a run stands next.
#[derive(Clone, Debug, PartialEq)]
pub enum Advance {
    /// A step to try.
    Open(Arc<Opening>),
    /// There is no further step; those that were passed over.
    End(Vec<SkippedStep>),
    /// The step could not be rendered, and the run does not go on without it.
    Failed {
        /// Its position.
        position: usize,
        /// Why, for a person.
        because: String,
    },
}

/// The next wanted step of a run, rendered. A fault of ours in a template costs this run and nothing else.
pub fn advance(setup: &Setup, asked: &Asked<'_>) -> Advance {
    guard(|| look(setup, asked)).unwrap_or_else(|fault| Advance::Failed {
        position: asked.from,
        because: format!("a fault of Stayhook while rendering: {}", fault.message),
    })
}

fn look(setup: &Setup, asked: &Asked<'_>) -> Advance {
    let recipe = asked.recipe;
    if asked.from >= recipe.steps.len() {
        return Advance::End(Vec::new());
    }
    let now = local_now(&asked.event.reservation, &setup.properties, asked.now);
    let facts = Facts::new(asked.event, asked.payload, now);
    let steps = outputs(asked.steps);
    let due_at = asked.planned_at.unwrap_or(from_ms(asked.event.at_ms));
    let run = json!({
        "id": asked.run.as_str(),
        // The stored key holds a separator that no header takes; the id is as good, being a hash of it.
        "key": asked.run.as_str(),
        "recipe": recipe.name,
        "revision": recipe.revision,
        "due_at": local_now(&asked.event.reservation, &setup.properties, due_at).to_rfc3339(),
        "dry_run": asked.dry_run,
    });
    // Without `vars` no step can be rendered.
    let values = recipe
        .vars(&facts, &steps, &run)
        .map(|vars| facts.values(steps, vars, run))
        .map_err(|error| format!("`vars`: {error}"));
    let mut skipped = Vec::new();
    for (position, step) in recipe.steps.iter().enumerate().skip(asked.from) {
        let reservation = asked.stay.unwrap_or(&asked.event.reservation);
        let rendered = match (
            &values,
            too_late(setup, step.until.as_ref(), asked.of_check_in, reservation, asked.now),
        ) {
            (_, Some(reason)) => Ok(Rendering::Skip(reason)),
            (Ok(values), None) => {
                render(setup, step, values).map_err(|because| format!("step `{}`: {because}", step.id))
            }
            (Err(because), None) => Err(because.clone()),
        };
        let (reason, failed) = match rendered {
            Ok(Rendering::Ready(prepared)) => {
                let generation = if position == asked.from { asked.generation } else { 0 };
                return Advance::Open(Arc::new(Opening {
                    position,
                    step_id: step.id.clone(),
                    prepared,
                    key: step_key(asked.key, position, generation),
                    generation,
                    at_most_once: step.policy.at_most_once,
                    window_s: step.policy.retry.window_s(),
                    skipped,
                }));
            }
            Ok(Rendering::Skip(reason)) => (reason, false),
            Err(because) if step.policy.go_on => (because, true),
            Err(because) => return Advance::Failed { position, because },
        };
        skipped.push(SkippedStep {
            position,
            step_id: step.id.clone(),
            reason,
            failed,
        });
    }
    Advance::End(skipped)
}

/// Why a step is not sent any more, by its `until` and by the departure.
pub fn too_late(
    setup: &Setup,
    until: Option<&Mark>,
    of_check_in: bool,
    reservation: &Value,
    now: Time,
) -> Option<String> {
    let past = |mark: &Mark| instant_of(mark, reservation, setup.properties.timezone).is_some_and(|end| now > end);
    if of_check_in && past(&Mark::of(Anchor::CheckOut)) {
        return Some("the guest has left".to_owned());
    }
    until.is_some_and(past).then(|| "its `until` has passed".to_owned())
}

/// A step's request, or why it is not wanted. An error is why it cannot be made.
fn render(setup: &Setup, step: &Step, values: &Context) -> Result<Rendering, String> {
    if let Some(when) = &step.when {
        let verdict = when.holds(values).map_err(|error| error.to_string())?;
        if !verdict.held {
            let saw: Vec<String> = verdict
                .saw
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            let reason = format!("`when: {}` is not so ({})", when.source(), saw.join(", "));
            return Ok(Rendering::Skip(reason));
        }
    }
    let connection = setup.connection_for(&step.kind, &*step.effect)?;
    step.effect
        .render(&connection.name, values)
        .map_err(|error| error.to_string())
}

/// `{tell: {output: {…}, state: done}}` for templates of later steps.
fn outputs(steps: &[StoredStep]) -> Value {
    let mut out = Map::new();
    // A step that was passed over or failed gives nothing, whether or not it was written down in between.
    for step in steps.iter().filter(|step| step.state == "done") {
        out.insert(step.step_id.clone(), json!({"output": step.output}));
    }
    Value::Object(out)
}
