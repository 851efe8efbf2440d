//! Payloads in a world in which nothing else has happened.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::Value;

use super::ahead;
use crate::decide::local_now;
use crate::engine::{Advance, Asked, Nothing, Read, Setup, World, advance, read_as};
use crate::lang::diag::Report;
use crate::model::body::guess_type;
use crate::model::clock::Time;
use crate::model::decision::{Explanation, FactDecision, NewRun, Opening, SkippedStep};
use crate::model::delivery::{Outcome, Pending};
use crate::model::event::Event;
use crate::model::fact::Fact;
use crate::model::id::{DeliveryId, RunId};
use crate::model::run::{StoredStep, event_run_key};
use crate::recipe::Recipe;
use crate::source::{Reading, Source};

/// What is to be found out.
pub(super) struct Question<'a> {
    /// The source the bodies come to.
    pub(super) source: &'a Source,
    /// The recipes that look at it.
    pub(super) wanted: Wanted<'a>,
    /// The headers that would come with it, an object of texts with names in lower case.
    pub(super) headers: &'a Value,
    /// When the last body comes.
    pub(super) at: Time,
    /// Where all mail would go.
    pub(super) redirect: Option<&'a str>,
}

/// Which recipes look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// None: what is asked is how the body is read.
    Nothing,
    /// Every one.
    All,
    /// This one.
    One(&'a str),
}

/// What the last body would do.
pub(super) struct Played {
    /// Its file.
    pub(super) file: String,
    /// The source.
    pub(super) source: String,
    /// When it would come.
    pub(super) at: Time,
    /// How it was read, where that is what is asked.
    pub(super) reading: Option<Reading>,
    /// Why there is no fact in it.
    pub(super) nothing: Option<String>,
    /// What the body could not say clearly.
    pub(super) warnings: Vec<String>,
    /// What each fact would do.
    pub(super) facts: Vec<PlayedFact>,
    /// What holds for everything that would be sent.
    pub(super) notes: Vec<String>,
}

/// What one fact would do.
pub(super) struct PlayedFact {
    /// As mapped.
    pub(super) fact: Fact,
    /// What would be decided.
    pub(super) decision: FactDecision,
    /// The recipes asked for.
    pub(super) recipes: Vec<PlayedRecipe>,
}

/// What one recipe would do.
pub(super) struct PlayedRecipe {
    /// Why it would or would not run.
    pub(super) explanation: Explanation,
    /// Its steps, where it would run.
    pub(super) steps: Vec<PlayedStep>,
    /// Whether nothing of it would be sent.
    pub(super) dry_run: bool,
    /// When it would run, where that is later, by the stay's clock.
    pub(super) at: Option<DateTime<FixedOffset>>,
}

/// A step as it would go out.
pub(super) enum PlayedStep {
    /// Rendered.
    Sent {
        /// The request.
        opening: Arc<Opening>,
        /// Whether it reads the output of a step before it, of which nothing is known.
        blind: bool,
    },
    /// Passed over.
    Skipped(SkippedStep),
    /// It cannot be rendered.
    Failed {
        /// Its position, from 0.
        position: usize,
        /// Why.
        because: String,
    },
}

/// Plays the bodies one after the other; the last one is told.
pub(super) fn play(
    setup: &Setup,
    asked: &Question<'_>,
    bodies: &[(String, Vec<u8>)],
    report: &mut Report,
) -> Option<Played> {
    let mut world = World::new();
    let mut last = None;
    for (at, (file, body)) in bodies.iter().enumerate() {
        let later = i64::try_from(bodies.len() - at - 1).unwrap_or_default();
        // A second apart, so that a sender that states no order has one all the same.
        let received_at = asked.at - TimeDelta::seconds(later);
        let read = read_as(setup, delivery(asked, at, body, received_at), guess_type(body));
        if let Err(Nothing::Unreadable(because)) = &read.says {
            report.general("payload", format!("{file}: {because}"));
            continue;
        }
        let played = one(setup, asked, &mut world, file, &read);
        if later > 0
            && let Some(because) = &played.nothing
        {
            report.general(
                "payload",
                format!("{file} says nothing that could come before: {because}"),
            );
        }
        last = Some(played);
    }
    last.filter(|_| !report.has_mistakes())
}

/// A body as it would be stored.
fn delivery(asked: &Question<'_>, at: usize, body: &[u8], received_at: Time) -> Pending {
    Pending {
        seq: i64::try_from(at).unwrap_or_default() + 1,
        id: DeliveryId(format!("d_preview{}", at + 1)),
        source: asked.source.name().to_owned(),
        received_at,
        headers: asked.headers.to_string(),
        body: body.to_vec(),
        outcome: Outcome::Undecided,
        replay: None,
    }
}

fn one(setup: &Setup, asked: &Question<'_>, world: &mut World, file: &str, read: &Read) -> Played {
    let (source, received_at) = (asked.source, read.pending.received_at);
    let mut played = Played {
        file: file.to_owned(),
        source: source.name().to_owned(),
        at: received_at,
        reading: None,
        nothing: None,
        warnings: read.warnings.clone(),
        facts: Vec::new(),
        notes: notes(setup, asked),
    };
    if asked.wanted == Wanted::Nothing {
        let header = |name: &str| asked.headers[name.to_ascii_lowercase()].as_str().map(str::to_owned);
        played.reading = Some(source.reading(&read.payload, &header));
    }
    let facts = match &read.says {
        Ok(facts) => facts,
        Err(nothing) => {
            played.nothing = Some(match nothing {
                Nothing::Because(Outcome::Ignored, because) => format!("ignored: {because}"),
                Nothing::Because(_, because) | Nothing::Unreadable(because) => {
                    format!("nothing could be read from it: {because}")
                }
                Nothing::Fault(fault) => format!("a fault of Stayhook while reading it: {}", fault.message),
            });
            return played;
        }
    };
    let decision = match world.deliver(setup, read, received_at) {
        Ok(decision) => decision,
        Err(fault) => {
            played.nothing = Some(format!("a fault of Stayhook while deciding it: {}", fault.message));
            return played;
        }
    };
    for (fact, decision) in facts.iter().zip(decision.facts) {
        let mut recipes = meet(setup, asked, &decision, &read.payload, received_at);
        recipes.extend(ahead::plans(setup, asked, &decision, &read.payload, world));
        played.facts.push(PlayedFact {
            fact: fact.clone(),
            decision,
            recipes,
        });
    }
    if played.facts.is_empty() {
        played.nothing = Some("there is nothing in it".to_owned());
    }
    played
}

fn notes(setup: &Setup, asked: &Question<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if setup.dry_run {
        notes.push("the configuration says `dry_run: true`: nothing would be sent".to_owned());
    }
    if asked.source.learn() {
        notes.push("the source is learning: nothing would be started".to_owned());
    }
    if let Some(to) = asked.redirect {
        notes.push(format!("all mail would go to {to}"));
    }
    notes
}

fn meet(
    setup: &Setup,
    asked: &Question<'_>,
    decision: &FactDecision,
    payload: &Arc<Value>,
    now: Time,
) -> Vec<PlayedRecipe> {
    let explanations = decision.explanation.iter();
    let explanations = explanations.filter(|one| match asked.wanted {
        Wanted::Nothing => false,
        Wanted::All => true,
        Wanted::One(name) => name == one.recipe,
    });
    explanations
        .map(|explanation| {
            let recipe = setup.book.get(&explanation.recipe, None);
            let runs = matches!(explanation.result.as_str(), "ran" | "learning");
            let run = decision.runs.iter().find(|run| run.recipe == explanation.recipe);
            let steps = match (recipe, &decision.event) {
                (Some(recipe), Some(event)) if runs => steps(setup, recipe, event, run, payload, now),
                _ => Vec::new(),
            };
            PlayedRecipe {
                explanation: explanation.clone(),
                steps,
                dry_run: setup.dry_run || recipe.is_some_and(|recipe| recipe.dry_run),
                at: run
                    .zip(decision.event.as_ref())
                    .filter(|(run, _)| run.settles)
                    .map(|(run, event)| local_now(&event.reservation, &setup.properties, run.due_at)),
            }
        })
        .collect()
}

/// Every step in turn, as if those before it had gone well and given nothing.
pub(super) fn steps(
    setup: &Setup,
    recipe: &Recipe,
    event: &Event,
    run: Option<&NewRun>,
    payload: &Arc<Value>,
    now: Time,
) -> Vec<PlayedStep> {
    let key = run.map_or_else(|| event_run_key(&recipe.name, &event.id, 0), |run| run.key.clone());
    let id = RunId::of_key(&key, &event.id);
    let mut done: Vec<StoredStep> = Vec::new();
    let mut played = Vec::new();
    let mut from = 0;
    while from < recipe.steps.len() {
        let asked = Asked {
            run: &id,
            key: &key,
            recipe,
            event,
            payload,
            steps: &done,
            from,
            dry_run: run.is_some_and(|run| run.dry_run),
            generation: 0,
            planned_at: None,
            stay: None,
            of_check_in: false,
            now,
        };
        let reads_steps = |position: usize| {
            recipe.steps.get(position).is_some_and(|step| {
                let effect = step.effect.names();
                let when = step.when.iter().flat_map(|when| when.names());
                let mut names = effect.iter().map(|(name, _)| name).chain(when);
                names.any(|name| name.path.starts_with("steps"))
            })
        };
        let position = match advance(setup, &asked) {
            Advance::End(skipped) => {
                played.extend(skipped.into_iter().map(PlayedStep::Skipped));
                break;
            }
            Advance::Failed { position, because } => {
                played.push(PlayedStep::Failed { position, because });
                position
            }
            Advance::Open(opening) => {
                played.extend(opening.skipped.iter().cloned().map(PlayedStep::Skipped));
                let position = opening.position;
                let blind = reads_steps(position);
                played.push(PlayedStep::Sent { opening, blind });
                position
            }
        };
        done.extend(
            recipe
                .steps
                .iter()
                .enumerate()
                .take(position + 1)
                .skip(from)
                .map(|(at, step)| StoredStep {
                    position: at,
                    step_id: step.id.clone(),
                    state: "done".to_owned(),
                    prepared: None,
                    key: String::new(),
                    at_most_once: step.policy.at_most_once,
                    output: Value::Null,
                }),
        );
        from = position + 1;
    }
    played
}
