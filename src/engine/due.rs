//! A planned run whose time has come: whether it goes, by the stay and the recipe as they are now.

mod schedule;

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::decide::{self, Neighbours, View, around, changes, local_now, moments, view};
use crate::model::blank::blank;
use crate::model::body::decode_stored;
use crate::model::clock::Time;
use crate::model::decision::{Ending, Explanation};
use crate::model::event::Event;
use crate::model::id::EventId;
use crate::model::plan::{EndedBy, NewPlanned, Planned, SETTLE};
use crate::model::reservation::Stay;
use crate::model::run::{Mode, RunState};
use crate::recipe::{Facts, Recipe};
use crate::store::{Becomes, Beside, CameDue, DueRun, Ready};

use super::advance::{Advance, Asked, advance};
use super::setup::Setup;

/// How a planned run would come due if nothing about its stay changed until then: the event that its time has come, and
/// whether its recipe would want it. `None` where its recipe no longer asks for that time.
pub fn foreseen(
    setup: &Setup,
    recipe: &Recipe,
    stay: &Stay,
    run: &Planned,
    payload: &Arc<Value>,
) -> Option<(Event, Explanation, bool)> {
    let view = view(stay, &setup.properties);
    let wanted = moments(recipe, stay, &view);
    let first = wanted.iter().find(|moment| run.entries.contains(&moment.entry))?;
    let event = clock_event(run.id.event(), first.anchor, stay, &view, run.due_at);
    let facts = Facts::new(
        &event,
        payload,
        local_now(&event.reservation, &setup.properties, run.due_at),
    );
    let (explanation, wanted) = decide::when_due(recipe, &facts, true, first.anchor != "status");
    Some((event, explanation, wanted))
}

/// That the time of a stay's clock has come.
fn clock_event(id: EventId, anchor: &str, stay: &Stay, view: &View, now: Time) -> Event {
    Event {
        id,
        delivery: stay.last_delivery.clone(),
        source: stay.source.clone(),
        stay: stay.id.clone(),
        types: vec![format!("stay.{anchor}")],
        at_ms: now.timestamp_millis(),
        reservation: Arc::new(view.json.clone()),
        previous: Arc::default(),
        changes: Arc::new(json!({})),
        payment: Arc::default(),
        message: Arc::default(),
        around: Arc::default(),
        gathered: Arc::default(),
    }
}

/// A run that is due, with everything that decides whether it goes.
pub struct Due<'a> {
    /// The rules.
    pub setup: &'a Setup,
    /// The run.
    pub run: &'a DueRun,
    /// Its recipe as it is now; one that is not there any more, and whose run answers an event, as it was.
    pub recipe: Option<&'a Arc<Recipe>>,
    /// The neighbours of its stay, where recipes ask for them.
    pub beside: Option<&'a Beside>,
    /// The lists of its recipe.
    pub gathered: Value,
    /// Now.
    pub now: Time,
}

impl Due<'_> {
    /// What becomes of it. `twice`: another run of the recipe is due at the same time.
    pub fn ask(&self, twice: bool) -> CameDue {
        let next = self.next();
        if let Some(damage) = &self.run.damaged {
            return self.ended(RunState::Dead, damage.to_string(), None, next);
        }
        let Some(recipe) = self.recipe else {
            let because = format!("there is no recipe `{}` any more", self.run.recipe);
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        };
        if !recipe.enabled {
            let because = "the recipe is switched off".to_owned();
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        }
        if twice {
            let because = "it is due at the same time as another run of the recipe".to_owned();
            return self.ended(RunState::Skipped, because, Some(EndedBy::Plan), next);
        }
        match &self.run.stay {
            None => self.schedule(recipe, next),
            Some(stay) => self.of_stay(recipe, stay),
        }
    }

    fn of_stay(&self, recipe: &Recipe, stay: &Stay) -> CameDue {
        let view = view(stay, &self.setup.properties);
        if let Some(status) = view.status.filter(|status| status.is_gone()) {
            let because = crate::model::decision::Gone { status }.reason();
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        }
        if self
            .setup
            .sources
            .get(&stay.source)
            .is_some_and(|source| source.learn())
        {
            let because = "the source is learning: nothing is started".to_owned();
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        }
        let payload = Arc::new(decode_stored(&self.run.headers, &self.run.body).unwrap_or_default());
        if self.run.entries.iter().any(|entry| entry == SETTLE) {
            return self.settled(recipe, stay, &view, &payload);
        }
        let wanted = moments(recipe, stay, &view);
        let mut mine = wanted
            .iter()
            .filter(|moment| self.run.entries.contains(&moment.entry))
            .peekable();
        let Some(first) = mine.peek() else {
            let because = format!("the recipe `{}` no longer waits for this time", recipe.name);
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        };
        let (anchor, of_status) = (first.anchor, first.anchor == "status");
        let last = mine.map(|moment| moment.last).max().unwrap_or(self.now);
        if self.now > last && self.run.by_hand.is_none() {
            return self.missed(self.run.planned_at, None);
        }
        // By hand it may be as late as one likes, but for a guest who has left.
        let left = view.check_out.is_some_and(|departure| self.now > departure);
        if self.now > last && left && anchor == "check_in" && !self.run.by_hand.is_some_and(|by_hand| by_hand.again) {
            let because = "the guest has left".to_owned();
            return self.ended(RunState::Skipped, because, Some(EndedBy::Past), None);
        }
        let event = clock_event(self.run.id.event(), anchor, stay, &view, self.now);
        let event = self.with_neighbours(event, &view);
        let facts = Facts::new(&event, &payload, self.local(&event));
        let (explanation, wanted) = decide::when_due(recipe, &facts, true, !of_status);
        self.go(recipe, &event, &payload, explanation, wanted, None)
    }

    /// What has changed since the first of the changes that it has waited for.
    fn settled(&self, recipe: &Recipe, stay: &Stay, view: &View, payload: &Arc<Value>) -> CameDue {
        let Some(first) = &self.run.event else {
            let because = "the event it answers is no longer stored".to_owned();
            return self.ended(RunState::Dead, because, None, None);
        };
        let changed = match first.previous.is_null() {
            true => changes(blank(), &view.json),
            false => changes(&first.previous, &view.json),
        };
        if changed.is_empty() {
            let because = "what had changed has changed back within the time it settles".to_owned();
            return self.ended(RunState::Skipped, because, Some(EndedBy::Condition), None);
        }
        let event = Event {
            types: first.types.clone(),
            previous: first.previous.clone(),
            changes: Arc::new(Value::Object(changed)),
            ..clock_event(self.run.id.event(), "", stay, view, self.now)
        };
        let event = self.with_neighbours(event, view);
        let facts = Facts::new(&event, payload, self.local(&event));
        let (explanation, wanted) = decide::explained(recipe, &facts, false);
        self.go(recipe, &event, payload, explanation, wanted, None)
    }

    fn with_neighbours(&self, event: Event, view: &View) -> Event {
        let Some((previous, next)) = self.beside.cloned() else {
            return event;
        };
        let around = around(&Neighbours { previous, next }, view, &self.setup.properties);
        Event {
            around: Arc::new(around),
            ..event
        }
    }

    fn local(&self, event: &Event) -> chrono::DateTime<chrono::FixedOffset> {
        local_now(&event.reservation, &self.setup.properties, self.now)
    }

    /// Renders the first step of what is wanted.
    fn go(
        &self,
        recipe: &Recipe,
        event: &Event,
        payload: &Arc<Value>,
        explanation: Explanation,
        wanted: bool,
        next: Option<NewPlanned>,
    ) -> CameDue {
        let because = explanation.because.clone();
        let failed = explanation.result == "failed";
        let with_event = |came: CameDue| CameDue {
            event: Some((event.clone(), vec![explanation.clone()])),
            ..came
        };
        if failed {
            return with_event(self.ended(RunState::Dead, because, None, next));
        }
        if !wanted && !self.run.by_hand.is_some_and(|by_hand| by_hand.again) {
            return with_event(self.ended(RunState::Skipped, because, Some(EndedBy::Condition), next));
        }
        let dry_run = self.setup.dry_run || recipe.dry_run;
        let asked = Asked {
            run: &self.run.id,
            key: &self.run.key,
            recipe,
            event,
            payload,
            steps: &[],
            from: 0,
            dry_run,
            generation: 0,
            planned_at: Some(self.run.planned_at),
            stay: None,
            // Whether it is too late for it has been asked.
            of_check_in: false,
            now: self.now,
        };
        let becomes = match advance(self.setup, &asked) {
            Advance::Failed { because, .. } => return with_event(self.ended(RunState::Dead, because, None, next)),
            Advance::End(passed) => {
                let ending = Ending::of(&[], &passed, "");
                let ended_by = (ending.state == RunState::Skipped).then_some(EndedBy::Condition);
                return with_event(CameDue {
                    passed,
                    ..self.ended(ending.state, ending.reason, ended_by, next)
                });
            }
            Advance::Open(opening) => Becomes::Ready(Box::new(Ready {
                revision: recipe.revision.clone(),
                queue: (recipe.mode != Mode::Parallel).then(|| recipe.queue.clone()),
                mode: recipe.mode,
                names_gone: recipe.names_gone(),
                dry_run,
                opening: (*opening).clone(),
            })),
        };
        with_event(CameDue {
            becomes,
            ..self.ended(RunState::Skipped, String::new(), None, next)
        })
    }

    fn missed(&self, planned_at: Time, next: Option<NewPlanned>) -> CameDue {
        let late = self.now - planned_at;
        let because = format!("came due while down: {} late when it could be looked at", span(late));
        self.ended(RunState::Skipped, because, Some(EndedBy::Down), next)
    }

    /// It ends here.
    pub fn ended(
        &self,
        state: RunState,
        reason: String,
        ended_by: Option<EndedBy>,
        next: Option<NewPlanned>,
    ) -> CameDue {
        CameDue {
            run: self.run.id.clone(),
            due_at: self.run.due_at,
            revision_of_stay: self.run.stay.as_ref().map(|stay| stay.revision),
            event: None,
            becomes: Becomes::Ended {
                state,
                reason,
                ended_by,
            },
            passed: Vec::new(),
            next,
        }
    }
}

/// `2d 3h`, `40m`.
fn span(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, m) => format!("{m}m"),
        (0, h, m) => format!("{h}h {m}m"),
        (d, h, _) => format!("{d}d {h}h"),
    }
}
