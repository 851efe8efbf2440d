//! The lists of stays that a schedule is about.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::decide::{View, view};
use crate::model::clock::Time;
use crate::recipe::{Anchor, Gather, Shift};
use crate::store::{DueRun, StoreError};

use super::Engine;
use super::replan::schedule_of;
use super::setup::Setup;

/// The most stays that are looked at for one list.
const LOOK_MAX: usize = 20_000;
/// The most stays on one list.
const LIST_MAX: usize = 1000;

/// Every list of the run's recipe by name; null where it has none.
pub async fn gathered(engine: &Engine, setup: &Setup, run: &DueRun, now: Time) -> Result<Value, StoreError> {
    let Some(recipe) = setup
        .book
        .get(&run.recipe, None)
        .filter(|recipe| !recipe.gather.is_empty())
    else {
        return Ok(Value::Null);
    };
    let default = setup.properties.timezone;
    let zone = schedule_of(recipe, &run.entries, &setup.properties).map_or(default, |schedule| schedule.zone(default));
    // What was due while nobody was there is about the days it was due for.
    let now = run.planned_at.min(now);
    let mut lists = Map::new();
    for gather in &recipe.gather {
        // Days begin elsewhere earlier and end later.
        let wide = TimeDelta::days(2);
        let to = now + gather.within.span() + wide;
        let stays = engine
            .store
            .between(gather.anchor.word(), now - wide, to, LOOK_MAX)
            .await?;
        let mut found: Vec<(Time, View)> = stays
            .iter()
            .map(|stay| view(stay, &setup.properties))
            .filter_map(|view| Some((moment(gather, &view)?, view)))
            .filter(|(at, view)| within(gather, *at, view, zone, now) && gather.wants(&view.json, now.fixed_offset()))
            .collect();
        found.sort_by_key(|(at, _)| *at);
        found.truncate(LIST_MAX);
        let list = found.into_iter().map(|(_, view)| view.json).collect();
        lists.insert(gather.name.clone(), Value::Array(list));
    }
    Ok(Value::Object(lists))
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
