//! From a run to its next wanted step, rendered. Pure: the same values give the same request.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::decide::local_now;
use crate::lang::effect::Rendering;
use crate::model::clock::Time;
use crate::model::decision::{Opening, SkippedStep};
use crate::model::event::Event;
use crate::model::fault::guard;
use crate::model::id::{RunId, step_key};
use crate::model::run::StoredStep;
use crate::recipe::{Facts, Recipe};

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
    /// Now.
    pub now: Time,
}

/// Where a run stands next.
#[derive(Clone, Debug, PartialEq)]
pub enum Advance {
    /// A step to try.
    Open(Arc<Opening>),
    /// No further step is wanted.
    End(Vec<SkippedStep>),
    /// The step could not be rendered.
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
    let run = json!({
        "id": asked.run.as_str(),
        "key": asked.key,
        "recipe": recipe.name,
        "revision": recipe.revision,
        "due_at": now.to_rfc3339(),
        "dry_run": asked.dry_run,
    });
    let vars = match recipe.vars(&facts, &steps, &run) {
        Ok(vars) => vars,
        Err(error) => {
            return Advance::Failed {
                position: asked.from,
                because: format!("`vars`: {error}"),
            };
        }
    };
    let values = facts.values(steps, vars, run);
    let mut skipped = Vec::new();
    for (position, step) in recipe.steps.iter().enumerate().skip(asked.from) {
        let skip = |reason: String| SkippedStep {
            position,
            step_id: step.id.clone(),
            reason,
        };
        let failed = |because: String| Advance::Failed {
            position,
            because: format!("step `{}`: {because}", step.id),
        };
        if let Some(when) = &step.when {
            match when.holds(&values) {
                Ok(verdict) if !verdict.held => {
                    let saw: Vec<String> = verdict
                        .saw
                        .iter()
                        .map(|(name, value)| format!("{name}: {value}"))
                        .collect();
                    skipped.push(skip(format!(
                        "`when: {}` is not so ({})",
                        when.source(),
                        saw.join(", ")
                    )));
                    continue;
                }
                Ok(_) => {}
                Err(error) => return failed(error.to_string()),
            }
        }
        let connection = match setup.connection_for(&step.kind, &*step.effect) {
            Ok(connection) => connection,
            Err(because) => return failed(because),
        };
        match step.effect.render(&connection.name, &values) {
            Ok(Rendering::Skip(reason)) => skipped.push(skip(reason)),
            Ok(Rendering::Ready(prepared)) => {
                let generation = if position == asked.from { asked.generation } else { 0 };
                return Advance::Open(Arc::new(Opening {
                    position,
                    step_id: step.id.clone(),
                    prepared,
                    key: step_key(asked.key, position, generation),
                    generation,
                    at_most_once: step.policy.at_most_once,
                    skipped,
                }));
            }
            Err(error) => return failed(error.to_string()),
        }
    }
    Advance::End(skipped)
}

/// `{tell: {output: {…}, state: done}}` for templates of later steps.
fn outputs(steps: &[StoredStep]) -> Value {
    let mut out = Map::new();
    // A step that was passed over gives nothing, whether or not it was written down in between.
    for step in steps.iter().filter(|step| step.state != "skipped") {
        out.insert(step.step_id.clone(), json!({"output": step.output}));
    }
    Value::Object(out)
}
