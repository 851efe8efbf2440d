//! What a stay's clock plans: runs in state `scheduled`, and how they follow the stay and the recipes.

use super::clock::Time;
use super::id::{RunId, StayId};
use super::reservation::Stay;
use super::run::RunState;

/// What stands in `entries` of a run that waits for further changes (`settle`).
pub const SETTLE: &str = "settle";

/// Why a planned run has ended without a step sent. It decides whether it comes back when it is wanted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// Not wanted any more: the stay is gone, the recipe is, or the stay does not reach so far.
    Plan,
    /// The recipe asks for other times: what fires instead of it counts for it too, should it come back.
    Recipe,
    /// `match` or `when` was not so when it was due.
    Condition,
    /// It was past when recipes or the configuration changed; `plan --backfill` runs it all the same.
    Late,
    /// It was past, and too late, when the stay became known or moved.
    Past,
    /// It came due while nobody was there to do it, or was held up for too long.
    Down,
    /// What its recipe's entry said before has fired.
    Fired,
    /// It went, in a life of the stay that is over (it was gone, or in another property): it counts for nothing any more.
    OldLife,
    /// A person called it off.
    Person,
}

impl EndedBy {
    const ALL: [EndedBy; 9] = [
        EndedBy::Plan,
        EndedBy::Recipe,
        EndedBy::Condition,
        EndedBy::Late,
        EndedBy::Past,
        EndedBy::Down,
        EndedBy::Fired,
        EndedBy::OldLife,
        EndedBy::Person,
    ];

    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            EndedBy::Plan => "plan",
            EndedBy::Recipe => "recipe",
            EndedBy::Condition => "condition",
            EndedBy::Late => "late",
            EndedBy::Past => "past",
            EndedBy::Down => "down",
            EndedBy::Fired => "fired",
            EndedBy::OldLife => "old_life",
            EndedBy::Person => "person",
        }
    }

    /// The cause with this word.
    pub fn from_word(word: &str) -> Option<EndedBy> {
        EndedBy::ALL.into_iter().find(|cause| cause.word() == word)
    }
}

/// The rules that count: what planning reads of recipes, properties and zones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// Their id in the store; 0 for none that is stored.
    pub id: i64,
    /// Since when they count.
    pub since: Time,
}

impl InForce {
    /// Since when they count, where the stay was planned under others.
    pub fn new_to(&self, stay: &Stay) -> Option<Time> {
        (stay.planned_under != self.id).then_some(self.since)
    }
}

/// A clock run that exists, as far as planning has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The run.
    pub id: RunId,
    /// Its recipe's name.
    pub recipe: String,
    /// The stay it is of; `None` for a schedule's.
    pub stay: Option<StayId>,
    /// The recipe's entries that it stands for, each with its occurrence: `check_in-2d@10:00#0`.
    pub entries: Vec<String>,
    /// Its state.
    pub state: RunState,
    /// When it is due.
    pub due_at: Time,
    /// The time by the clock it was planned for: unlike `due_at`, it is not moved by attempts.
    pub planned_at: Time,
    /// Whether an attempt of it was ever begun, or it ended otherwise than by being called off or passed over.
    pub fired: bool,
    /// Why it ended without a step sent.
    pub ended_by: Option<EndedBy>,
    /// Whether a person wants it now, whatever its time.
    pub asked_for: bool,
}

impl Planned {
    /// Whether the entry counts as done for the time it was planned for.
    pub fn counts_as_fired(&self) -> bool {
        (self.fired && self.ended_by != Some(EndedBy::OldLife)) || self.ended_by == Some(EndedBy::Fired)
    }

    /// Whether it was passed over by what was so when it was due.
    pub fn may_be_asked_again(&self) -> bool {
        matches!(self.ended_by, Some(EndedBy::Condition | EndedBy::Down))
    }

    /// Whether it never comes back, whatever it counts for.
    pub fn is_spent(&self) -> bool {
        self.fired || self.counts_as_fired()
    }
}

/// A clock run that has to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlanned {
    /// A hash of the key.
    pub id: RunId,
    /// Unique for ever.
    pub key: String,
    /// Its recipe's name.
    pub recipe: String,
    /// The recipe's entries that it stands for.
    pub entries: Vec<String>,
    /// The stay, its source and its code; `None` for a schedule's.
    pub stay: Option<(StayId, String, String)>,
    /// When it is due, by the clock.
    pub due_at: Time,
    /// `Scheduled`, or `Skipped` where its time has passed.
    pub state: RunState,
    /// Why it is skipped.
    pub reason: String,
    /// The same as a cause.
    pub ended_by: Option<EndedBy>,
}

/// A clock run that has to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanChange {
    /// The run.
    pub run: RunId,
    /// The state and the time it must still have.
    pub from: (RunState, Time),
    /// The state it gets.
    pub state: RunState,
    /// When it is due then, by the clock.
    pub due_at: Time,
    /// The entries it stands for then.
    pub entries: Vec<String>,
    /// Why, for a person.
    pub reason: String,
    /// Why it ends, where it does.
    pub ended_by: Option<EndedBy>,
}

impl PlanChange {
    /// Whether it is a move of its time, which is recorded.
    pub fn moves(&self) -> bool {
        self.state == RunState::Scheduled && self.due_at != self.from.1
    }
}

/// How what is planned has to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Runs to be made.
    pub make: Vec<NewPlanned>,
    /// Runs to be changed.
    pub change: Vec<PlanChange>,
    /// Runs that went in a life of the stay that is over.
    pub past: Vec<RunId>,
}

impl Plan {
    /// What there is once it has changed.
    pub fn apply_to(&self, runs: &mut Vec<Planned>) {
        for run in runs.iter_mut().filter(|run| self.past.contains(&run.id)) {
            run.ended_by = Some(EndedBy::OldLife);
        }
        for change in &self.change {
            for run in runs.iter_mut().filter(|run| run.id == change.run) {
                run.state = change.state;
                run.due_at = change.due_at;
                run.planned_at = change.due_at;
                run.entries.clone_from(&change.entries);
                run.ended_by = change.ended_by;
            }
        }
        let known = |run: &NewPlanned, runs: &[Planned]| runs.iter().any(|one| one.id == run.id);
        for run in &self.make {
            if !known(run, runs) {
                runs.push(Planned {
                    id: run.id.clone(),
                    recipe: run.recipe.clone(),
                    stay: run.stay.as_ref().map(|(stay, ..)| stay.clone()),
                    entries: run.entries.clone(),
                    state: run.state,
                    due_at: run.due_at,
                    planned_at: run.due_at,
                    fired: false,
                    ended_by: run.ended_by,
                    asked_for: false,
                });
            }
        }
    }

    /// Whether nothing has to change.
    pub fn is_empty(&self) -> bool {
        self.make.is_empty() && self.change.is_empty() && self.past.is_empty()
    }
}

/// Where and when a stay is, for its neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The configured property's key, else what the sender calls it.
    pub property: Option<String>,
    /// Arrival.
    pub arrives_at: Option<Time>,
    /// Departure.
    pub leaves_at: Option<Time>,
    /// Whether somebody comes: booked, and no block.
    pub taken: bool,
}

/// The key of a clock run: recipe, entry with its occurrence, stay, and how often it has fired before.
pub fn clock_run_key(recipe: &str, entry: &str, stay: &StayId, firing: usize) -> String {
    match firing {
        0 => format!("clock\u{1f}{recipe}\u{1f}{entry}\u{1f}{stay}"),
        n => format!("clock\u{1f}{recipe}\u{1f}{entry}\u{1f}{stay}\u{1f}{n}"),
    }
}

/// The key of a schedule's run: recipe, schedule with its zone, instant.
pub fn schedule_run_key(recipe: &str, schedule: &str, at: Time) -> String {
    format!("schedule\u{1f}{recipe}\u{1f}{schedule}\u{1f}{}", at.timestamp())
}
