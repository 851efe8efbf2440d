//! Recipes: YAML to a checked recipe, and the pure evaluation of what it waits for. No clock, no network, no database.

mod actions;
mod book;
mod clock;
mod conditions;
mod context;
mod contradiction;
mod matching;
mod names;
mod pattern;
mod reach;
mod read;
mod reads;
mod schedule;
mod sentence;
mod shape;
mod trigger;
mod wanted;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::TimeDelta;

use crate::lang::diag::Place;
use crate::lang::effect::Effect;
use crate::lang::template::Condition;
use crate::lang::tree::Tree;
use crate::model::effect::Policy;
use crate::model::reservation::Status;
use crate::model::run::Mode;

pub use book::{Book, Broken};
pub use clock::{Anchor, Gather, Late, Mark, Shift, StatusClock, StayClock};
pub use conditions::{MATCH, Match};
pub use contradiction::{Never, Senders};
pub use read::compile;
pub use schedule::Schedule;
pub use sentence::{entry_words, entry_zone};
pub use shape::RECIPE;
pub use trigger::Trigger;
pub use wanted::{Facts, Wanted};
pub use words::{EVENT_WORDS, ROOT_WORDS, RUN_NAMES, RUN_WORDS, STAY_WORDS, Word};

/// A recipe, read and checked.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What it is called, 1 to 80 characters. A recipe is its name.
    pub name: String,
    /// The file as the user named it.
    pub file: String,
    /// The first 16 hex digits of the SHA-256 of `text`.
    pub revision: String,
    /// The file's text.
    pub text: String,
    /// Whether it makes runs at all.
    pub enabled: bool,
    /// Whether everything up to the sending is done, and nothing sent.
    pub dry_run: bool,
    /// What it waits for; never empty.
    pub on: Vec<Trigger>,
    /// Its `match`, with the default of `kind`.
    pub conditions: Match,
    /// Its `when`.
    pub when: Option<Condition>,
    /// Its `vars` in the order written; later ones may use earlier ones.
    pub vars: Vec<(String, ValueTemplate)>,
    /// How its runs for one stay go together.
    pub mode: Mode,
    /// Runs of one stay in one queue go in order; the recipe's name where it says nothing.
    pub queue: String,
    /// For how long several changes of a stay are waited for; zero for not at all.
    pub settle: TimeDelta,
    /// What to do with times of its clock entries that have passed.
    pub late: Late,
    /// Whether its clock entries fire again for a date that moved after they had fired; `Some(false)`: not even where a stay
    /// that was gone begins a new life.
    pub again: Option<bool>,
    /// With a schedule: its lists of stays.
    pub gather: Vec<Gather>,
    /// Its actions; never empty.
    pub steps: Vec<Step>,
    /// Whether it reads `stay.next`, `stay.previous`, `stay.same_day_turn` or `stay.gap_nights`.
    pub reads_neighbours: bool,
    /// Whether its templates or conditions read the property.
    pub reads_property: bool,
    /// Where its name stands in the file.
    pub named_at: Place,
}

/// A value of `vars`: texts in it are templates, everything keeps its type.
pub type ValueTemplate = Tree;

/// One action of a recipe.
#[derive(Clone, Debug)]
pub struct Step {
    /// As given, else its position counted from 1.
    pub id: String,
    /// The kind of action: `email`, `http`.
    pub kind: String,
    /// What it does.
    pub effect: Arc<dyn Effect>,
    /// Its own `when`; false skips the step, not the run.
    pub when: Option<Condition>,
    /// How it is to be tried.
    pub policy: Policy,
    /// It is not sent after this moment.
    pub until: Option<Mark>,
    /// Where it begins in the file.
    pub place: Place,
}

impl Recipe {
    /// Its entries that wait for a clock.
    pub fn clock(&self) -> impl Iterator<Item = &Trigger> {
        let of_event = |trigger: &&Trigger| matches!(trigger, Trigger::Event { .. });
        self.on.iter().filter(move |trigger| !of_event(trigger))
    }

    /// Those of them that wait for a stay.
    pub fn clocks_of_stays(&self) -> impl Iterator<Item = &Trigger> {
        self.on.iter().filter(|trigger| trigger.label().is_some())
    }

    /// Whether it waits for any event.
    pub fn waits_for_events(&self) -> bool {
        self.on.iter().any(|trigger| matches!(trigger, Trigger::Event { .. }))
    }

    /// Whether it waits for moments of a stay's life.
    pub fn follows_stays(&self) -> bool {
        self.clocks_of_stays().next().is_some()
    }

    /// The gone statuses that `match.status` names by their canonical word, in the order of [`Status::ALL`]: entering
    /// one of them does not cancel the recipe's waiting runs.
    pub fn names_gone(&self) -> Vec<Status> {
        self.conditions.names_gone()
    }
}
