//! Times of the calendar that are due: of several that were missed the latest runs.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::decide;
use crate::engine::plan;
use crate::model::event::Event;
use crate::model::id::{DeliveryId, StayId};
use crate::model::plan::{EndedBy, NewPlanned};
use crate::model::run::RunState;
use crate::recipe::{Facts, Recipe};
use crate::store::CameDue;

use super::Due;

impl Due<'_> {
    /// A time of the calendar.
    pub(super) fn schedule(&self, recipe: &Recipe, next: Option<NewPlanned>) -> CameDue {
        let default = self.setup.properties.timezone;
        let schedule = plan::schedule_of(recipe, &self.run.entries, &self.setup.properties);
        let since = schedule.and_then(|one| plan::come_since(one, default, self.run.planned_at, self.now));
        let late = self.now > decide::latest(recipe.late, self.run.planned_at);
        if self.run.by_hand.is_none()
            && let Some((count, latest)) = since
        {
            // The times that have come meanwhile are one line, and the latest of them is made good.
            let more = match count {
                1 => "a later time".to_owned(),
                plan::COME_MAX => format!("{count} and more later times"),
                _ => format!("{count} later times"),
            };
            let end = match self.now > decide::latest(recipe.late, latest) {
                true => "all of them too late",
                false => "only the latest runs",
            };
            let because = format!("came due while down, as {more} of the schedule: {end}");
            return self.ended(RunState::Skipped, because, Some(EndedBy::Down), next);
        }
        if late && self.run.by_hand.is_none() {
            return self.missed(self.run.planned_at, next);
        }
        let zone = schedule.map_or(default, |schedule| schedule.zone(default));
        // Of a stay there is only the zone that times are printed in.
        let reservation = json!({"property": {"timezone": zone.name()}});
        let event = Event {
            id: self.run.id.event(),
            delivery: DeliveryId(String::new()),
            source: String::new(),
            stay: StayId(String::new()),
            types: vec!["schedule".to_owned()],
            at_ms: self.now.timestamp_millis(),
            reservation: Arc::new(reservation),
            previous: Arc::default(),
            changes: Arc::new(json!({})),
            payment: Arc::default(),
            message: Arc::default(),
            around: Arc::default(),
            gathered: Arc::new(self.gathered.clone()),
        };
        let payload = Arc::new(Value::Null);
        let facts = Facts::new(&event, &payload, self.local(&event));
        let (explanation, wanted) = decide::when_due(recipe, &facts, false, false);
        self.go(recipe, &event, &payload, explanation, wanted, next)
    }

    /// The next run of the schedule, where it is one.
    pub(super) fn next(&self) -> Option<NewPlanned> {
        if self.run.stay_id.is_some() {
            return None;
        }
        let recipe = self.recipe.filter(|recipe| recipe.enabled)?;
        let schedule = plan::schedule_of(recipe, &self.run.entries, &self.setup.properties)?;
        plan::next_run(recipe, schedule, &self.setup.properties, self.run.planned_at, self.now)
    }
}
