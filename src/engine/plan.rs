//! What has to change for what is planned to be what the rules want: of stays, and of schedules.

use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::decide::{Cause, LATE, Life, Subject, plan, view};
use crate::model::clock::Time;
use crate::model::fault::guard;
use crate::model::id::clock_run_id;
use crate::model::plan::{EndedBy, NewPlanned, Plan, PlanChange, Planned, schedule_run_key};
use crate::model::property::Properties;
use crate::model::run::RunState;
use crate::recipe::{Late, Recipe, Schedule, Shift, Trigger};
use crate::store::{Replanned, Stays};

use super::setup::Setup;

/// So many times of a schedule that have come together are counted.
pub const COME_MAX: usize = 1000;
/// How many times of a schedule are looked at for one that is still free.
const TIMES: usize = 50;

/// What has to change for these stays.
pub fn plans(setup: &Setup, stays: Stays, cause: Cause, now: Time) -> Vec<Replanned> {
    let recipes = setup.book.all();
    stays
        .into_iter()
        .map(|(stay, existing)| {
            let planned = guard(|| {
                let view = view(&stay, &setup.properties);
                let subject = Subject {
                    stay: &stay,
                    view: &view,
                    existing: &existing,
                    life: &Life::GoesOn,
                    learn: setup.sources.get(&stay.source).is_some_and(|source| source.learn()),
                    rules_since: setup.in_force.new_to(&stay),
                };
                (Some(view.place()), plan(&subject, recipes, cause, now))
            });
            let (place, plan) = planned.unwrap_or_else(|fault| {
                tracing::error!(stay.id = %stay.id, fault = fault.trace, "a fault of Stayhook while planning; the stay keeps its plan");
                (None, Plan::default())
            });
            Replanned { stay, place, plan }
        })
        .collect()
}

/// Stays that ended before this have nothing ahead of them under these rules.
pub fn horizon(setup: &Setup, now: Time) -> Time {
    let mut longest = TimeDelta::zero();
    for recipe in setup.book.all() {
        let late = match recipe.late {
            Late::Within(span) => span,
            Late::Usual | Late::Skip => LATE,
        };
        for entry in recipe.clock() {
            let shifts = match entry {
                Trigger::Stay(clock) => vec![clock.mark.shift, clock.until.map_or(Shift::NONE, |mark| mark.shift)],
                Trigger::Status(clock) => vec![clock.lasts],
                _ => Vec::new(),
            };
            let furthest = shifts.iter().map(|shift| shift.span()).max().unwrap_or_default();
            longest = longest.max(furthest.max(TimeDelta::zero()) + late);
        }
    }
    // Days begin elsewhere earlier and end later.
    now - longest - TimeDelta::days(2)
}

fn label_of(entries: &[String]) -> &str {
    let first = entries.first().map_or("", String::as_str);
    first.rsplit_once('#').map_or(first, |(label, _)| label)
}

/// The schedule that a run is of.
pub fn schedule_of<'r>(recipe: &'r Recipe, entries: &[String], properties: &Properties) -> Option<&'r Schedule> {
    let label = label_of(entries);
    recipe.clock().find_map(|entry| match entry {
        Trigger::Schedule(schedule) if schedule.label(properties.timezone) == label => Some(schedule),
        _ => None,
    })
}

fn run_at(recipe: &Recipe, schedule: &Schedule, properties: &Properties, at: Time) -> NewPlanned {
    let label = schedule.label(properties.timezone);
    let key = schedule_run_key(&recipe.name, &label, at);
    NewPlanned {
        id: clock_run_id(&key, None),
        key,
        recipe: recipe.name.clone(),
        entries: vec![format!("{label}#{}", at.timestamp())],
        stay: None,
        due_at: at,
        state: RunState::Scheduled,
        reason: String::new(),
        ended_by: None,
    }
}

/// Of the times of a schedule after `before` the latest that has come by now, and how many have come.
pub fn come_since(schedule: &Schedule, zone: Tz, before: Time, now: Time) -> Option<(usize, Time)> {
    let come = |after: Time| {
        let next = |at: &Time| schedule.next(*at, zone).map(|at| at.to_utc()).filter(|at| *at <= now);
        std::iter::successors(next(&after), next)
    };
    let (counted, latest) = come(before).enumerate().take(COME_MAX).last()?;
    if counted + 1 < COME_MAX {
        return Some((counted + 1, latest));
    }
    // Too many to look at each: back from now, ever further, until there is one.
    let spans = std::iter::successors(Some(TimeDelta::minutes(1)), |span| Some(*span * 2));
    let mut spans = spans.take_while(|span| now - *span > latest);
    Some((
        COME_MAX,
        spans.find_map(|span| come(now - span).last()).unwrap_or(latest),
    ))
}

/// The run of a schedule after the one at `before`: of the times that have come since, the latest where it is not too late,
/// else the next there is.
pub fn next_run(
    recipe: &Recipe,
    schedule: &Schedule,
    properties: &Properties,
    before: Time,
    now: Time,
) -> Option<NewPlanned> {
    let zone = properties.timezone;
    let come = come_since(schedule, zone, before, now).map(|(_, at)| at);
    let at = match come.filter(|at| now <= crate::decide::latest(recipe.late, *at)) {
        Some(at) => at,
        None => schedule.next(before.max(now), zone)?.to_utc(),
    };
    Some(run_at(recipe, schedule, properties, at))
}

/// What has to change for the next time of every schedule to be planned, and nothing else of schedules.
pub fn schedule_plan(setup: &Setup, existing: &[Planned], now: Time) -> Plan {
    let mut plan = Plan::default();
    let mut kept = Vec::new();
    for recipe in setup.book.all().iter().filter(|recipe| recipe.enabled) {
        for entry in recipe.clock() {
            if let Trigger::Schedule(schedule) = entry {
                one_schedule(recipe, schedule, &setup.properties, existing, now, &mut kept, &mut plan);
            }
        }
    }
    for run in existing {
        if run.state == RunState::Scheduled && !kept.contains(&run.id) {
            let known: Option<&Arc<Recipe>> = setup.book.all().iter().find(|recipe| recipe.name == run.recipe);
            let because = match known {
                None => format!("there is no recipe `{}` any more", run.recipe),
                Some(recipe) if !recipe.enabled => "the recipe is switched off".to_owned(),
                Some(_) => format!("the recipe `{}` no longer waits for this time", run.recipe),
            };
            plan.change.push(PlanChange {
                run: run.id.clone(),
                from: (run.state, run.due_at),
                state: RunState::Cancelled,
                due_at: run.due_at,
                entries: run.entries.clone(),
                reason: because,
                ended_by: Some(EndedBy::Plan),
            });
        }
    }
    plan
}

fn one_schedule(
    recipe: &Recipe,
    schedule: &Schedule,
    properties: &Properties,
    existing: &[Planned],
    now: Time,
    kept: &mut Vec<crate::model::id::RunId>,
    plan: &mut Plan,
) {
    let label = schedule.label(properties.timezone);
    let mine: Vec<&Planned> = existing
        .iter()
        .filter(|run| run.recipe == recipe.name && label_of(&run.entries) == label)
        .collect();
    let waits = |run: &&&Planned| run.state == RunState::Scheduled && run.due_at <= now;
    if let Some(run) = mine.iter().find(waits) {
        // It is due and plans the next one itself.
        kept.push(run.id.clone());
        return;
    }
    let mut after = now;
    for _ in 0..TIMES {
        let Some(at) = schedule.next(after, properties.timezone) else {
            return;
        };
        let at = at.to_utc();
        let wanted = run_at(recipe, schedule, properties, at);
        match mine.iter().find(|run| run.id == wanted.id) {
            None => {
                plan.make.push(wanted);
                return;
            }
            Some(run) if run.state == RunState::Scheduled => {
                kept.push(run.id.clone());
                return;
            }
            Some(run) if !run.fired && matches!(run.ended_by, Some(EndedBy::Plan | EndedBy::Down)) => {
                plan.change.push(PlanChange {
                    run: run.id.clone(),
                    from: (run.state, run.due_at),
                    state: RunState::Scheduled,
                    due_at: at,
                    entries: wanted.entries,
                    reason: String::new(),
                    ended_by: None,
                });
                return;
            }
            // It has been done, before the clock was put back.
            Some(_) => after = at,
        }
    }
}
