//! From the end of an attempt to what is recorded of its run, and to the run's next step.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::clock::Time;
use crate::model::decision::{Ending, Opening, SkippedStep};
use crate::model::effect::{Answer, Policy};
use crate::model::event::Event;
use crate::model::run::{Run, StoredStep, Then};
use crate::recipe::Recipe;

use super::advance::{Advance, Asked, advance};
use super::settle::{Next, Tried, settle};
use super::setup::Setup;

/// An attempt that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Attempted<'a> {
    /// Its run.
    pub run: &'a Run,
    /// The event it answers and the body of that event's delivery, where they are at hand.
    pub answers: Option<(&'a Event, &'a Arc<Value>)>,
    /// The run's recipe; `None` where no revision of it can be found any more.
    pub recipe: Option<&'a Recipe>,
    /// The step that was tried.
    pub opening: &'a Opening,
    /// When the connection tries again, where it is paused.
    pub paused: Option<Time>,
}

/// What follows.
#[derive(Clone, Debug)]
pub enum Follows {
    /// This is recorded of the run.
    Then(Then),
    /// Its next step, prepared.
    Step(Arc<Opening>),
}

/// Whether the further steps of a run depend on how long the stay is.
pub fn ends_with_stay(run: &Run, recipe: &Recipe) -> bool {
    run.of_check_in || recipe.steps.iter().skip(run.step).any(|step| step.until.is_some())
}

impl Attempted<'_> {
    /// The policy of the step.
    fn policy(&self) -> Policy {
        let step = self.recipe.and_then(|recipe| recipe.steps.get(self.opening.position));
        step.map_or_else(
            || Policy {
                at_most_once: self.opening.at_most_once,
                ..Policy::default()
            },
            |step| step.policy.clone(),
        )
    }

    /// How often and since when the step has been tried.
    pub fn tried(&self, now: Time) -> Tried {
        Tried {
            attempts: self.run.step_attempts,
            first: self.run.step_first_at.unwrap_or(now).min(now),
            uncertain: self.run.uncertain,
        }
    }
}

/// What follows from an answer, and why the step has failed where its recipe goes on all the same. `steps` are those before it;
/// it joins them where it is left behind.
pub fn conclude(
    setup: &Setup,
    attempted: &Attempted<'_>,
    steps: &mut Vec<StoredStep>,
    answer: &Answer,
    now: Time,
) -> (Follows, Option<String>) {
    let Attempted { run, opening, .. } = *attempted;
    let seed = format!("{}/{}", run.id, opening.position);
    let next = settle(answer, &attempted.policy(), attempted.tried(now), now, &seed);
    let then = match (attempted.paused, next) {
        // While its connection is paused a run spends no attempts, whatever its policy: the refusal is not about it.
        (Some(at), _) => Then::Unspent(at),
        (None, Next::Again(at)) => Then::Retry(at),
        (None, Next::Park(reason)) => Then::Park(reason),
        (None, Next::Dead(reason)) => Then::Dead(reason),
        (None, Next::GoOn(failed)) => {
            steps.extend(opening.skipped.iter().map(SkippedStep::stored));
            steps.push(StoredStep {
                position: opening.position,
                step_id: opening.step_id.clone(),
                state: if failed.is_some() { "failed" } else { "done" }.to_owned(),
                prepared: None,
                key: opening.key.clone(),
                at_most_once: opening.at_most_once,
                output: failed
                    .as_ref()
                    .map_or(answer.output.clone(), |because| json!({"failed": because})),
            });
            return (further(setup, attempted, steps, answer, now), failed);
        }
    };
    (Follows::Then(then), None)
}

fn further(setup: &Setup, attempted: &Attempted<'_>, steps: &[StoredStep], answer: &Answer, now: Time) -> Follows {
    let Attempted { run, opening, .. } = *attempted;
    let from = opening.position + 1;
    let Some(recipe) = attempted.recipe else {
        return Follows::Then(Then::Stuck {
            position: from,
            reason: format!("the recipe `{}` cannot be found any more", run.recipe),
        });
    };
    let ends = |skipped: Vec<SkippedStep>| {
        Follows::Then(Then::Succeeded {
            ending: Ending::of(steps, &skipped, &answer.summary),
            skipped,
        })
    };
    if from >= recipe.steps.len() {
        return ends(Vec::new());
    }
    let (Some((event, payload)), false) = (attempted.answers, ends_with_stay(run, recipe)) else {
        // What it answers, and how its stay is by then, is read when it is taken up for its next step.
        return Follows::Then(Then::Wait {
            position: from,
            lane: opening.prepared.connection.clone(),
            skipped: Vec::new(),
        });
    };
    let asked = Asked {
        run: &run.id,
        key: &run.key,
        recipe,
        event,
        payload,
        steps,
        from,
        dry_run: run.dry_run,
        generation: 0,
        planned_at: run.planned_at,
        stay: None,
        of_check_in: run.of_check_in,
        now,
    };
    match advance(setup, &asked) {
        Advance::Open(following) => Follows::Step(following),
        Advance::End(skipped) => ends(skipped),
        // Steps that are passed over on the way there are looked at once more.
        Advance::Failed { because, .. } => Follows::Then(Then::Stuck {
            position: from,
            reason: because,
        }),
    }
}
