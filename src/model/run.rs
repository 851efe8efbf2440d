//! One firing of one recipe, its states and the only function that moves it from one to another.

use serde::{Deserialize, Serialize};

use super::clock::Time;
use super::id::{EventId, RunId, StayId};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Planned for a time (a timer).
    Scheduled,
    /// Could be worked on now.
    Ready,
    /// Leased: an attempt of it is under way.
    Running,
    /// An attempt failed; the next one has its time.
    Retrying,
    /// Waits for a person: nobody knows whether its last attempt had an effect.
    Parked,
    /// Every step is done.
    Succeeded,
    /// Given up (a dead letter).
    Dead,
    /// Called off.
    Cancelled,
    /// Not wanted when its time came.
    Skipped,
}

impl RunState {
    /// Every state.
    pub const ALL: [RunState; 9] = [
        RunState::Scheduled,
        RunState::Ready,
        RunState::Running,
        RunState::Retrying,
        RunState::Parked,
        RunState::Succeeded,
        RunState::Dead,
        RunState::Cancelled,
        RunState::Skipped,
    ];

    /// The word in the database, the API and on the terminal.
    pub fn word(self) -> &'static str {
        match self {
            RunState::Scheduled => "scheduled",
            RunState::Ready => "ready",
            RunState::Running => "running",
            RunState::Retrying => "retrying",
            RunState::Parked => "parked",
            RunState::Succeeded => "succeeded",
            RunState::Dead => "dead",
            RunState::Cancelled => "cancelled",
            RunState::Skipped => "skipped",
        }
    }

    /// The state with this word.
    pub fn from_word(word: &str) -> Option<RunState> {
        RunState::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether something still happens to it, by nature or by a person's hand: not yet history.
    pub fn is_shown(self) -> bool {
        !matches!(self, RunState::Succeeded | RunState::Cancelled | RunState::Skipped)
    }

    /// Whether nothing moves it any more but a person.
    pub fn is_ended(self) -> bool {
        matches!(
            self,
            RunState::Succeeded | RunState::Dead | RunState::Cancelled | RunState::Skipped | RunState::Parked
        )
    }

    /// The only way from one state to another; `None` where there is none.
    pub fn next(self, step: Transition) -> Option<RunState> {
        use RunState::*;
        use Transition as T;
        Some(match (self, step) {
            (Scheduled, T::Due) => Ready,
            // Its stay or its recipe has moved. What is ready has not fired yet: only its time had come.
            (Scheduled | Ready | Cancelled | Skipped, T::Plan) => Scheduled,
            (Scheduled | Ready | Retrying, T::Cancel) => Cancelled,
            (Scheduled | Ready, T::Skip) => Skipped,
            (Ready | Retrying, T::Start) => Running,
            (Ready | Retrying, T::GiveUp) => Dead,
            (Running, T::StepDone) => Ready,
            // Waiting runs too: a later step may not be wanted any more when its turn comes.
            (Ready | Retrying | Running, T::AllDone) => Succeeded,
            (Running, T::Retry) => Retrying,
            (Running, T::LeaseLost) => Retrying,
            (Running, T::GiveUp) => Dead,
            // Waiting runs too: the time for retries may end while nobody can try.
            (Ready | Retrying | Running, T::Park) => Parked,
            (Running, T::Cancel) => Cancelled,
            (Running, T::Skip) => Skipped,
            (Dead | Parked | Cancelled | Skipped, T::ByHand) => Ready,
            (Dead | Parked, T::Cancel) => Cancelled,
            (Dead | Parked, T::AllDone) => Succeeded,
            _ => return None,
        })
    }
}

/// What happens to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Its time has come.
    Due,
    /// The clock wants it at another time, or again.
    Plan,
    /// An attempt begins.
    Start,
    /// A step is done and another one follows.
    StepDone,
    /// The last step is done, or a person says that it is.
    AllDone,
    /// The attempt failed and another one follows.
    Retry,
    /// The worker that held it is gone.
    LeaseLost,
    /// No further attempt.
    GiveUp,
    /// A person has to look.
    Park,
    /// Called off.
    Cancel,
    /// Not wanted any more when its time came.
    Skip,
    /// A person wants it tried again.
    ByHand,
}

/// How runs of one recipe for one stay go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One after the other.
    #[default]
    Queued,
    /// A newer one cancels those that still wait.
    Newest,
    /// No order.
    Parallel,
}

impl Mode {
    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Queued => "queued",
            Mode::Newest => "newest",
            Mode::Parallel => "parallel",
        }
    }
}

/// The key that makes a run of an event unique for ever. `occurrence` is 0 but where a person asked for it again.
pub fn event_run_key(recipe: &str, event: &EventId, occurrence: u32) -> String {
    match occurrence {
        0 => format!("event\u{1f}{recipe}\u{1f}{event}"),
        n => format!("event\u{1f}{recipe}\u{1f}{event}\u{1f}{n}"),
    }
}

/// How one attempt of a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// It worked.
    Done,
    /// It did not work, and nothing happened at the target; worth another attempt.
    Retry,
    /// The target refused; another attempt would be refused too.
    Reject,
    /// Sent, but no answer: nobody knows whether it had an effect.
    Uncertain,
}

impl AttemptOutcome {
    /// Every outcome.
    pub const ALL: [AttemptOutcome; 4] = [Self::Done, Self::Retry, Self::Reject, Self::Uncertain];

    /// The word in the database, the API and metrics.
    pub fn word(self) -> &'static str {
        match self {
            AttemptOutcome::Done => "done",
            AttemptOutcome::Retry => "retry",
            AttemptOutcome::Reject => "reject",
            AttemptOutcome::Uncertain => "uncertain",
        }
    }

    /// The outcome with this word.
    pub fn from_word(word: &str) -> Option<AttemptOutcome> {
        AttemptOutcome::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// A run as a worker takes it up.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id, a hash of its key.
    pub id: RunId,
    /// Its unique key.
    pub key: String,
    /// The recipe's name.
    pub recipe: String,
    /// The recipe's revision it was made with.
    pub revision: String,
    /// The event it answers.
    pub event: Option<EventId>,
    /// The connection of the step it stands at.
    pub lane: String,
    /// When it was due: its time, its retry's time, or when the step before it ended.
    pub due_at: Time,
    /// The time it was planned for, where it was.
    pub planned_at: Option<Time>,
    /// The stay it is of.
    pub stay: Option<StayId>,
    /// Whether it is of the check-in clock: nothing of it is sent once the guest has left.
    pub of_check_in: bool,
    /// Whether it answers a cancellation: every step of it asks again whether it may go.
    pub after_gone: bool,
    /// The step it stands at, from 0.
    pub step: usize,
    /// How many attempts it has had, over all steps; also tells one lease from the next.
    pub attempts: i64,
    /// How many attempts the step has had since it was first tried or a person asked for it again.
    pub step_attempts: i64,
    /// When the first of them began.
    pub step_first_at: Option<Time>,
    /// When the step is given up, whatever held it up.
    pub step_until: Option<Time>,
    /// Tells the keys of a step's renderings apart: a manual retry that rendered other bytes counts up.
    pub generation: i64,
    /// Whether an earlier attempt of the open step may have had an effect.
    pub uncertain: bool,
    /// Whether it ends as soon as its open step is settled.
    pub cancel_requested: bool,
    /// Whether nothing of it is really sent.
    pub dry_run: bool,
    /// Set where a person asked for it to be tried again.
    pub by_hand: Option<ByHand>,
}

/// How a person wants a run tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// Even where an earlier attempt may have had an effect, or something newer is done.
    pub again: bool,
    /// With the recipe as it was, not as it is now.
    pub same_revision: bool,
}

/// A step of a run that was rendered before.
#[derive(Clone, Debug)]
pub struct StoredStep {
    /// Its position in the recipe, from 0.
    pub position: usize,
    /// Its id in the recipe.
    pub step_id: String,
    /// `open`, `done`, `failed` or `skipped`.
    pub state: String,
    /// The request as it goes out again.
    pub prepared: Option<super::effect::Prepared>,
    /// Its idempotency key.
    pub key: String,
    /// Whether it is parked rather than sent again where nobody knows if it had an effect.
    pub at_most_once: bool,
    /// What it gave to later steps.
    pub output: serde_json::Value,
}

impl StoredStep {
    /// Whether it is the rendered step at this position.
    pub fn is_rendered_at(&self, position: usize) -> bool {
        self.position == position && self.state != "skipped" && self.prepared.is_some()
    }
}

/// The end of one attempt, to be recorded.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The run.
    pub run: RunId,
    /// The attempt's number; the record counts only while the run stands at it.
    pub attempt: i64,
    /// The step's position.
    pub position: usize,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// One line for a person.
    pub summary: String,
    /// The beginning of the answer.
    pub excerpt: Option<String>,
    /// What the step gives to later ones.
    pub output: serde_json::Value,
    /// Whether the step may have had an effect that nobody has confirmed.
    pub uncertain: bool,
    /// Why the step has failed, where its run goes on all the same.
    pub failed: Option<String>,
    /// Where the run goes from here.
    pub then: Then,
}

/// Where a run goes after an attempt.
#[derive(Clone, Debug)]
pub enum Then {
    /// The next step begins at once, under a new lease.
    Open(std::sync::Arc<super::decision::Opening>),
    /// The next step waits for its lane or its turn.
    Wait {
        /// The step's position.
        position: usize,
        /// Its connection.
        lane: String,
        /// Steps before it that were passed over.
        skipped: Vec<super::decision::SkippedStep>,
    },
    /// The same step again at this time.
    Retry(Time),
    /// A person has to look.
    Park(String),
    /// The same step again at this time, and the count of its attempts begins anew: this one says nothing about the run.
    /// The connection is paused and this was the probe, or nothing was sent at all.
    Unspent(Time),
    /// No further attempt.
    Dead(String),
    /// The step is over, but the next one cannot be rendered: the run is dead and stands at that one.
    Stuck {
        /// The next step's position.
        position: usize,
        /// Why, for a person.
        reason: String,
    },
    /// There is no further step.
    Succeeded {
        /// How it ends.
        ending: super::decision::Ending,
        /// Steps that were passed over at the end.
        skipped: Vec<super::decision::SkippedStep>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Transition; 12] = [
        Transition::Due,
        Transition::Plan,
        Transition::Start,
        Transition::StepDone,
        Transition::AllDone,
        Transition::Retry,
        Transition::LeaseLost,
        Transition::GiveUp,
        Transition::Park,
        Transition::Cancel,
        Transition::Skip,
        Transition::ByHand,
    ];

    #[test]
    fn every_state_leads_where_it_may_and_nowhere_else() {
        for (from, ways) in [
            ("scheduled", "Due ready, Plan scheduled, Cancel cancelled, Skip skipped"),
            (
                "ready",
                "Plan scheduled, Start running, AllDone succeeded, GiveUp dead, Park parked, Cancel cancelled, Skip skipped",
            ),
            (
                "running",
                "StepDone ready, AllDone succeeded, Retry retrying, LeaseLost retrying, GiveUp dead, Park parked, \
                 Cancel cancelled, Skip skipped",
            ),
            (
                "retrying",
                "Start running, AllDone succeeded, GiveUp dead, Park parked, Cancel cancelled",
            ),
            ("parked", "AllDone succeeded, Cancel cancelled, ByHand ready"),
            ("succeeded", ""),
            ("dead", "AllDone succeeded, Cancel cancelled, ByHand ready"),
            ("cancelled", "Plan scheduled, ByHand ready"),
            ("skipped", "Plan scheduled, ByHand ready"),
        ] {
            let state = RunState::from_word(from).unwrap();
            let found: Vec<String> = STEPS
                .iter()
                .filter_map(|step| state.next(*step).map(|to| format!("{step:?} {}", to.word())))
                .collect();
            assert_eq!(found.join(", "), ways, "{from}");
        }
    }

    #[test]
    fn what_has_ended_moves_only_by_hand() {
        // What was called off or passed over, with nothing sent, comes back where the clock wants it again.
        let by_hand = [
            Transition::ByHand,
            Transition::Cancel,
            Transition::AllDone,
            Transition::Plan,
        ];
        for state in RunState::ALL.into_iter().filter(|state| state.is_ended()) {
            for step in STEPS.into_iter().filter(|step| !by_hand.contains(step)) {
                assert_eq!(state.next(step), None, "{state:?} {step:?}");
            }
        }
    }
}
