//! An event meets the recipes: for the first time, or once more because a person asked for it.

use crate::model::clock::Time;
use crate::model::decision::{Explanation, FirstStep, NewRun};
use crate::model::event::{About, Event};
use crate::model::id::RunId;
use crate::model::plan::{Planned, SETTLE};
use crate::model::reservation::Status;
use crate::model::run::{Mode, RunState, event_run_key};
use crate::recipe::Facts;

use super::view::local_now;
use super::{Origin, Rules, explain};

/// Which further occurrence of its event this is; 0 for the first.
pub fn occurrence(origin: &Origin<'_>) -> u32 {
    origin
        .replay
        .filter(|replay| replay.again)
        .map_or(0, |replay| replay.occurrence)
}

/// The stored event as it meets the recipes once more; an adopted stay is announced where a person asked for it.
pub fn announce_again(stored: &Event, origin: &Origin<'_>) -> Event {
    let mut event = stored.clone();
    if occurrence(origin) > 0 && event.types.iter().any(|name| name == "reservation.adopted") {
        let active = stored.reservation["status"]
            .as_str()
            .and_then(Status::from_word)
            .is_some_and(Status::is_active);
        event.types.retain(|name| name != "reservation.adopted");
        event.types.insert(0, "reservation.created".to_owned());
        if active {
            event.types.insert(1, "reservation.confirmed".to_owned());
        }
    }
    event
}

/// An event and what surrounds it.
pub struct Met<'a> {
    /// The event.
    pub event: &'a Event,
    /// Whether it is the stay's entering a gone status.
    pub entered_gone: bool,
    /// The gone status that the stay has entered since, where the event is met once more.
    pub gone_since: Option<Status>,
}

/// What the recipes made of an event.
#[derive(Debug, Default)]
pub struct Made {
    /// Why each recipe did or did not run.
    pub explanations: Vec<Explanation>,
    /// The runs that have to exist.
    pub runs: Vec<NewRun>,
    /// Runs that wait for further changes and take this one in.
    pub joins: Vec<RunId>,
}

/// Lets every recipe look at the event. `planned`: what waits for the stay.
pub fn meet(met: &Met<'_>, origin: &Origin<'_>, planned: &[Planned], rules: &Rules<'_>, now: Time) -> Made {
    let event = met.event;
    let only = origin.replay.and_then(|replay| replay.recipe.as_deref());
    let Made {
        mut explanations,
        mut runs,
        mut joins,
    } = Made::default();
    let facts = Facts::new(
        event,
        origin.payload,
        local_now(&event.reservation, rules.properties, now),
    );
    for recipe in rules
        .recipes
        .iter()
        // One that waits for a clock only has nothing to say to an event.
        .filter(|recipe| recipe.waits_for_events() && only.is_none_or(|name| name == recipe.name))
    {
        let (mut explanation, mut wanted) = explain::recipe(recipe, &facts, rules.learn);
        if let Some(status) = met
            .gone_since
            .filter(|status| wanted && !recipe.names_gone().contains(status))
        {
            wanted = false;
            explain::gone_since(&mut explanation, status);
        }
        // A cancellation does not wait, and money and words are no changes of the stay.
        let settles = !recipe.settle.is_zero() && event.about() == About::Reservation && !met.entered_gone;
        if settles && wanted {
            let waits = |run: &&Planned| {
                run.recipe == recipe.name
                    && run.state == RunState::Scheduled
                    && run.stay.as_ref() == Some(&event.stay)
                    && run.entries.iter().any(|entry| entry == SETTLE)
            };
            if let Some(run) = planned.iter().find(waits) {
                wanted = false;
                explain::joined(&mut explanation, &run.id, run.due_at);
                joins.push(run.id.clone());
            }
        }
        explanations.push(explanation);
        if !wanted {
            continue;
        }
        let key = event_run_key(&recipe.name, &event.id, occurrence(origin));
        runs.push(NewRun {
            id: RunId::of_key(&key, &event.id),
            key,
            recipe: recipe.name.clone(),
            revision: recipe.revision.clone(),
            about: event.about(),
            queue: (recipe.mode != Mode::Parallel).then(|| recipe.queue.clone()),
            mode: recipe.mode,
            names_gone: recipe.names_gone(),
            after_gone: met.entered_gone && event.about() == About::Reservation,
            dry_run: rules.dry_run || recipe.dry_run,
            lane: String::new(),
            due_at: if settles { now + recipe.settle } else { now },
            settles,
            first: FirstStep::Later,
        });
    }
    let broken = rules
        .broken
        .iter()
        .filter(|broken| only.is_none_or(|name| broken.name.as_deref() == Some(name)));
    explanations.extend(broken.map(explain::broken));
    Made {
        explanations,
        runs,
        joins,
    }
}
