//! What is beside the clock of one stay: its neighbours, times of the calendar, changes that settle.

use std::collections::HashMap;

use chrono::TimeDelta;
use stayhook::model::clock::Time;

use crate::calendar::{daily, latest, shown};
use crate::checks::{Broken, hold};
use crate::table::{Reader, Row};

use super::{Look, Timeline, is_of};

impl Timeline {
    /// When everything has come to rest nothing is due and not taken on.
    pub fn at_rest(&self, now: Time) -> Result<(), Broken> {
        let left = self
            .rows
            .values()
            .find(|row| (row.is("scheduled") && row.due <= now) || row.is("ready"));
        hold(left.is_none(), || {
            format!("{} and the world rests", left.unwrap().told())
        })
    }

    /// What was passed over because of a neighbour goes where the neighbour is another one by now.
    pub(super) fn turned(&self, look: &Look<'_>) -> Result<(), Broken> {
        for rule in look.rules.iter().filter(|rule| rule.turn && rule.enabled) {
            let mine = self
                .rows
                .values()
                .filter(|row| row.recipe == rule.name && row.is("skipped"));
            for row in mine.filter(|row| row.reason.starts_with("when ")) {
                let last = self.moments_of(rule, row).iter().map(|one| one.last).max();
                let may = last.is_some_and(|last| look.now <= last && row.planned <= look.now);
                hold(!may || !self.wanted(rule, row), || {
                    format!("{} is wanted now and may go", row.told())
                })?;
            }
        }
        Ok(())
    }

    /// Of every schedule the next time is planned, and none is left out.
    pub(super) fn schedules(&mut self, look: &Look<'_>) -> Result<(), Broken> {
        let mut in_force = HashMap::new();
        for rule in look.rules.iter().filter(|rule| rule.enabled) {
            let Some(times) = rule.daily else { continue };
            let key = format!("{}\u{1f}{times:?}", rule.name);
            let since = *self.since.get(&key).unwrap_or(&look.now);
            in_force.insert(key, since);
            let mine: Vec<&Row> = self
                .rows
                .values()
                .filter(|row| row.recipe == rule.name && row.entries.iter().any(|entry| is_of(rule, entry)))
                .collect();
            let done = |at: Time| {
                mine.iter()
                    .any(|row| row.planned == at && !row.is("scheduled") && !row.is("cancelled"))
            };
            let late = latest(rule.late, look.now) - look.now;
            // Of several the latest is enough.
            if let Some(at) = daily(times, since.max(look.now - late), look.now).pop() {
                hold(done(at), || format!("`{}` left out {}", rule.name, shown(at)))?;
            }
            let next = daily(times, look.now, look.now + TimeDelta::days(90))
                .into_iter()
                .find(|at| !done(*at));
            let waits: Vec<Time> = mine
                .iter()
                .filter(|row| row.is("scheduled"))
                .map(|row| row.due)
                .collect();
            hold(next.is_none() || waits == [next.unwrap()], || {
                format!("the next of `{}` is {next:?}, planned is {waits:?}", rule.name)
            })?;
        }
        self.since = in_force;
        for row in self
            .rows
            .values()
            .filter(|row| row.is("scheduled") && row.stay.is_none())
        {
            let rule = look.rules.iter().find(|rule| rule.name == row.recipe && rule.enabled);
            let wanted = rule.is_some_and(|rule| row.entries.iter().any(|entry| is_of(rule, entry)));
            hold(wanted, || format!("{} and no recipe asks for it", row.told()))?;
        }
        Ok(())
    }

    /// Changes that settle: one run with the last state, from where the one before ended.
    pub(super) async fn settled(&mut self, reader: &mut Reader, row: &Row) -> Result<(), Broken> {
        let Some(before) = self.rows.get(&row.id).filter(|before| before.is("scheduled")) else {
            return Ok(());
        };
        let (due, stay) = (before.due, row.stay.clone().unwrap_or_default());
        let until = self
            .stays
            .get(&stay)
            .and_then(|(_, stay)| stay.days)
            .map(|(_, until)| until.to_string());
        if row.is("skipped") {
            let told = self.told.get(&stay);
            return hold(told.is_none() || told == until.as_ref(), || {
                format!(
                    "{} since {due}: nothing changed, but {told:?} became {until:?}",
                    row.told()
                )
            });
        }
        if !row.goes() {
            self.told.remove(&stay);
            return Ok(());
        }
        let request = reader.request(&row.id).await.unwrap_or_default();
        let says = |name: &str| {
            let at = request.find(&format!("\"{name}\":\""))? + name.len() + 4;
            request.get(at..at + 10).map(str::to_owned)
        };
        hold(says("to") == until, || {
            format!(
                "{} tells of {:?}, and it is {until:?}: {request}",
                row.told(),
                says("to")
            )
        })?;
        let told = self.told.get(&stay);
        hold(told.is_none() || told == says("from").as_ref(), || {
            format!(
                "{} goes on from {:?}, and {told:?} was told: {request}",
                row.told(),
                says("from")
            )
        })?;
        self.told.insert(stay, says("to").unwrap_or_default());
        Ok(())
    }
}
