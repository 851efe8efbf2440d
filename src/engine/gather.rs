//! The lists of stays that a schedule is about.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use serde_json::Value;

use crate::decide::{View, view};
use crate::model::clock::Time;
use crate::model::reservation::Stay;
use crate::recipe::{Anchor, Gather, Shift};
use crate::store::DueRun;

use super::plan::schedule_of;
use super::setup::Setup;

/// The most stays on one list.
const LIST_MAX: usize = 1000;

/// One list of a run: the stays that may be on it, by the moment that it goes by.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    gather: &'a Gather,
    zone: Tz,
    now: Time,
}

/// The lists of a run's recipe.
pub fn spans<'a>(setup: &'a Setup, run: &DueRun, now: Time) -> Vec<Span<'a>> {
    let Some(recipe) = setup.book.get(&run.recipe, None) else {
        return Vec::new();
    };
    let default = setup.properties.timezone;
    let zone = schedule_of(recipe, &run.entries, &setup.properties).map_or(default, |schedule| schedule.zone(default));
    // What was due while nobody was there is about the days it was due for.
    let now = run.planned_at.min(now);
    let span = |gather| Span { gather, zone, now };
    recipe.gather.iter().map(span).collect()
}

impl Span<'_> {
    /// The name of the list.
    pub fn name(&self) -> &str {
        &self.gather.name
    }

    /// The moment of stays that it goes by: `check_in` or `check_out`.
    pub fn moment(&self) -> &'static str {
        self.gather.anchor.word()
    }

    /// From when to when that moment may be. Days begin elsewhere earlier and end later.
    pub fn bounds(&self) -> (Time, Time) {
        let wide = TimeDelta::days(2);
        (self.now - wide, self.now + self.gather.within.span() + wide)
    }

    /// Those of these stays that are on the list.
    pub fn list(&self, setup: &Setup, stays: &[Stay]) -> Value {
        let Span { gather, zone, now } = *self;
        let mut found: Vec<(Time, View)> = stays
            .iter()
            .map(|stay| view(stay, &setup.properties))
            .filter_map(|view| Some((moment(gather, &view)?, view)))
            .filter(|(at, view)| within(gather, *at, view, zone, now) && gather.wants(&view.json, now.fixed_offset()))
            .collect();
        found.sort_by_key(|(at, _)| *at);
        found.truncate(LIST_MAX);
        found.into_iter().map(|(_, view)| view.json).collect()
    }
}

fn moment(gather: &Gather, view: &View) -> Option<Time> {
    let at = match gather.anchor {
        Anchor::CheckIn => view.check_in,
        Anchor::CheckOut => view.check_out,
        Anchor::Created => return None,
    };
    at.map(|at: DateTime<_>| at.to_utc())
}

/// Days are days of the calendar, today the first of them; all else is time that passes.
fn within(gather: &Gather, at: Time, view: &View, zone: Tz, now: Time) -> bool {
    match gather.within {
        Shift::Seconds(_) => at >= now && at < now + gather.within.span(),
        Shift::Days(days) => {
            let day = match gather.anchor {
                Anchor::CheckOut => view.check_out_date,
                _ => view.check_in_date,
            };
            let today = now.with_timezone(&zone).date_naive();
            day.is_some_and(|day| (0..days.max(1)).contains(&(day - today).num_days()))
        }
    }
}
