//! The result of deciding one delivery, as the store applies it: whole or not at all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::Time;
use super::delivery::{Outcome, Replay};
use super::effect::Prepared;
use super::event::{About, Event};
use super::id::{DeliveryId, RunId, StayId};
use super::plan::{Place, Plan};
use super::reservation::{Status, Stay};
use super::run::{Mode, RunState, StoredStep};

/// Why one recipe did or did not run for an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The recipe's name.
    pub recipe: String,
    /// Its revision.
    pub revision: String,
    /// `ran`, `joined` (one run with earlier changes), `not_wanted` (a condition is false), `broken`, `failed`, `disabled`,
    /// `learning`.
    pub result: String,
    /// In one line for a person.
    pub because: String,
    /// Every condition with what it saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Check>,
}

/// One condition and what it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// As the recipe says it: `status: [booked]`.
    pub condition: String,
    /// The value it was held against, in words.
    pub saw: String,
    /// Whether it holds.
    pub held: bool,
}

/// A run that has to exist.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    /// A hash of the key.
    pub id: RunId,
    /// Unique for ever.
    pub key: String,
    /// The recipe's name.
    pub recipe: String,
    /// The recipe's revision.
    pub revision: String,
    /// What kind of fact it answers.
    pub about: About,
    /// Runs of one stay in one queue go in order; `None` for no order.
    pub queue: Option<String>,
    /// Whether it cancels older runs of the recipe that still wait.
    pub mode: Mode,
    /// The gone statuses that the recipe's `match.status` names: entering one of them does not cancel this run.
    pub names_gone: Vec<Status>,
    /// Whether it answers a cancellation: it waits for earlier attempts of the stay that may still have an effect.
    pub after_gone: bool,
    /// Whether nothing of it is really sent.
    pub dry_run: bool,
    /// The connection of its first step.
    pub lane: String,
    /// From when on it may be worked on.
    pub due_at: Time,
    /// Whether it waits for further changes of the stay until it is due.
    pub settles: bool,
    /// How its first step is to be handled.
    pub first: FirstStep,
}

/// The first step of a new run.
#[derive(Clone, Debug, PartialEq)]
pub enum FirstStep {
    /// Rendered, with a place on its lane: leased and recorded in the deciding transaction unless its queue says wait.
    Open(Arc<Opening>),
    /// Rendered, but its lane has no place free: recorded in the deciding transaction, unless its queue says wait, and
    /// sent as it is when a worker takes it up.
    Rendered(Arc<Opening>),
    /// To be rendered when a worker takes it up.
    Later,
    /// It could not be rendered; the run is dead with this reason.
    Failed(String),
    /// There is no step to try: each of them is passed over.
    Nothing(Vec<SkippedStep>),
}

/// A step about to be tried: rendered, with its key, and the steps before it that are not wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// Its position in the recipe, from 0.
    pub position: usize,
    /// Its id in the recipe.
    pub step_id: String,
    /// The rendered request.
    pub prepared: Prepared,
    /// Its idempotency key.
    pub key: String,
    /// Counts the renderings of a step that differ.
    pub generation: i64,
    /// Whether it is parked rather than sent again where nobody knows if it had an effect.
    pub at_most_once: bool,
    /// For how many seconds after its first attempt it is tried.
    pub window_s: i64,
    /// Steps before it that were passed over, each with the reason.
    pub skipped: Vec<SkippedStep>,
}

/// A step that is passed over without an attempt: it is not wanted, or it has failed and its run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedStep {
    /// Its position in the recipe, from 0.
    pub position: usize,
    /// Its id in the recipe.
    pub step_id: String,
    /// Why, for a person.
    pub reason: String,
    /// Whether it has failed.
    pub failed: bool,
}

impl SkippedStep {
    /// The same as it is stored.
    pub fn stored(&self) -> StoredStep {
        let state = if self.failed { "failed" } else { "skipped" };
        StoredStep {
            position: self.position,
            step_id: self.step_id.clone(),
            state: state.to_owned(),
            prepared: None,
            key: String::new(),
            at_most_once: false,
            output: json!({state: self.reason}),
        }
    }
}

/// How a run ends that has no further step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// `Succeeded`, or `Skipped` where nothing of it was wanted.
    pub state: RunState,
    /// Why, for a person.
    pub reason: String,
    /// How many of its steps have failed.
    pub failed: usize,
}

impl Ending {
    /// After these steps and those that were passed over last; `summary` is what there is to say where none has failed.
    pub fn of(steps: &[StoredStep], passed: &[SkippedStep], summary: &str) -> Ending {
        let stored = steps.iter().filter(|step| step.state == "failed");
        let stored = stored.map(|step| step.output["failed"].as_str().unwrap_or_default());
        let passed_now = passed
            .iter()
            .filter(|step| step.failed)
            .map(|step| step.reason.as_str());
        let failed: Vec<&str> = stored.chain(passed_now).collect();
        let done = steps.iter().any(|step| step.state == "done");
        let reason = match (failed.as_slice(), passed.last()) {
            ([one], _) => format!("done, 1 step failed: {one}"),
            ([_, _, ..], _) => format!("done, {} steps failed: {}", failed.len(), failed.join("; ")),
            ([], Some(last)) if !done => last.reason.clone(),
            ([], None) if !done => {
                let last = steps.iter().rev().find_map(|step| step.output["skipped"].as_str());
                last.unwrap_or(summary).to_owned()
            }
            ([], _) => summary.to_owned(),
        };
        Ending {
            state: if done || !failed.is_empty() {
                RunState::Succeeded
            } else {
                RunState::Skipped
            },
            reason,
            failed: failed.len(),
        }
    }
}

/// What becomes of the runs of a stay that enters a gone status.
#[derive(Clone, Debug, PartialEq)]
pub struct Gone {
    /// The status it entered.
    pub status: Status,
}

impl Gone {
    /// Why what waits for the stay is called off.
    pub fn reason(&self) -> String {
        format!("the stay was {}", self.status.word().replace('_', " "))
    }
}

/// The decision on one fact.
#[derive(Clone, Debug, PartialEq)]
pub struct FactDecision {
    /// What became of the fact.
    pub outcome: Outcome,
    /// In one line for a person.
    pub because: String,
    /// Why the stay is taken over in silence instead of being announced, in one line; `None` where it is not.
    pub adopted: Option<String>,
    /// What the fact could not say clearly.
    pub warnings: Vec<String>,
    /// The stay after it; `None` where nothing about it changed.
    pub stay: Option<Stay>,
    /// Stays without own names that turned out to be `stay`; their runs and events move over to it, and they go.
    pub absorbed: Vec<StayId>,
    /// Whether `stay` had no own name before.
    pub claimed: bool,
    /// A payment's or message's key and content, to be kept.
    pub fact_key: Option<FactKey>,
    /// What it changed.
    pub event: Option<Event>,
    /// Why each recipe did or did not run.
    pub explanation: Vec<Explanation>,
    /// The runs that have to exist.
    pub runs: Vec<NewRun>,
    /// Set where the stay entered a gone status.
    pub gone: Option<Gone>,
    /// How what its clock has planned changes.
    pub plan: Plan,
    /// Runs that wait for further changes, and take this one in; they must still wait.
    pub joins: Vec<RunId>,
    /// Where and when the stay was before and is after it, where that is another place or time.
    pub moved: Option<(Option<Place>, Place)>,
}

impl FactDecision {
    /// One with this outcome, in which nothing follows.
    pub fn of(outcome: Outcome) -> FactDecision {
        FactDecision {
            outcome,
            because: String::new(),
            adopted: None,
            warnings: Vec::new(),
            stay: None,
            absorbed: Vec::new(),
            claimed: false,
            fact_key: None,
            event: None,
            explanation: Vec::new(),
            runs: Vec::new(),
            gone: None,
            plan: Plan::default(),
            joins: Vec::new(),
            moved: None,
        }
    }
}

/// What recognises a payment or a message again.
#[derive(Clone, Debug, PartialEq)]
pub struct FactKey {
    /// The source it came from.
    pub source: String,
    /// `payment` or `message`.
    pub about: About,
    /// The sender's id of it.
    pub id: String,
    /// Its canonical content.
    pub content: Value,
}

/// The decision on one delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Set where it was decided once more.
    pub replay: Option<Replay>,
    /// The most serious outcome of its facts.
    pub outcome: Outcome,
    /// In one line for a person.
    pub because: String,
    /// The trace of a failure.
    pub trace: Option<String>,
    /// What the body could not say clearly.
    pub warnings: Vec<String>,
    /// Fact by fact.
    pub facts: Vec<FactDecision>,
    /// When.
    pub at: Time,
}
