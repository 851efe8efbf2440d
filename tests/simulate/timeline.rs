//! What is planned, held against the calendar after every step.

mod beside;
mod lives;
mod step;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stayhook::model::clock::Time;

use crate::calendar::{Moment, Stay, latest, moments, same_day_turn, shown};
use crate::checks::{Broken, hold};
use crate::rules::Rule;
use crate::table::{Reader, Row, Table};

pub use lives::in_time;
pub use step::Step;

/// Sort of entry with its occurrence, the entry, the time, the run.
type Firing = (String, String, Time, String);

/// All that was seen of the clock so far.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The runs as they were last seen, by id.
    rows: BTreeMap<String, Row>,
    /// The stays as they have to be, by id, each with its source.
    pub stays: BTreeMap<String, (&'static str, Stay)>,
    /// What every plan was made from.
    pub books: HashMap<String, Vec<Rule>>,
    /// By recipe and stay: sort of entry with its occurrence, the entry, the time, the run.
    fired: BTreeMap<(String, String), BTreeSet<Firing>>,
    /// Stays that began a new life since the last look; whether only by moving to another property.
    pub anew: Vec<(String, bool)>,
    /// Runs that went in a life of their stay that is over.
    past: BTreeSet<String>,
    /// The latest time that the clock has shown.
    furthest: Option<Time>,
    /// Since when a rule of the calendar is in force.
    since: HashMap<String, Time>,
    /// The process died while it went by a clock that was put back: the next look at the clock makes the plan whole.
    pub torn: bool,
    /// What was told of each stay last.
    told: HashMap<String, String>,
    /// How many times of stays came due and went, were passed over, or were called off.
    pub counted: BTreeMap<&'static str, usize>,
}

/// `check_in#0` of `check_in-2d@10:00#0`.
fn sort_of(entry: &str) -> String {
    let (label, n) = entry.rsplit_once('#').unwrap_or((entry, ""));
    let kind = match label.contains('*') {
        true => "every",
        false => label.split(['+', '-', ':']).next().unwrap_or_default(),
    };
    format!("{kind}#{n}")
}

impl Row {
    fn told(&self) -> String {
        let (recipe, stay) = (&self.recipe, self.stay.as_deref().unwrap_or("no stay"));
        format!(
            "{} `{recipe}` {:?} of {stay}, {}, due {} ({})",
            self.id,
            self.entries,
            self.state,
            shown(self.due),
            self.reason
        )
    }
}

/// One look.
struct Look<'a> {
    step: &'a Step,
    /// The rules in force.
    rules: &'a [Rule],
    /// Since when, milliseconds since 1970.
    since_ms: i64,
    now: Time,
}

impl Timeline {
    /// What is known of it where a season ends and another begins: its books, and what is still open.
    pub fn goes_on(self) -> Timeline {
        let open = |row: &Row| {
            ["scheduled", "ready", "running", "retrying"]
                .iter()
                .any(|state| row.is(state))
        };
        let rows = self.rows.into_iter().filter(|(_, row)| open(row));
        Timeline {
            rows: rows.collect(),
            books: self.books,
            past: self.past,
            ..Timeline::default()
        }
    }

    /// Whether the run is one of the clock's.
    pub fn knows(&self, run: &str) -> bool {
        self.rows.get(run).is_some_and(|row| !row.settles())
    }

    /// Whether the run is the clock's, and its stay is gone.
    pub fn is_gone(&self, run: &str) -> bool {
        let stay = self
            .rows
            .get(run)
            .filter(|row| !row.settles())
            .and_then(|row| row.stay.as_ref());
        stay.and_then(|stay| self.stays.get(stay))
            .is_some_and(|(_, stay)| stay.is_gone())
    }

    /// The next time at which something is planned, of a schedule or not.
    pub fn next_due(&self, now: Time, schedules: bool) -> Option<Time> {
        let waits = self
            .rows
            .values()
            .filter(|row| row.is("scheduled") && (schedules || row.stay.is_some()));
        waits.map(|row| row.due).filter(|due| *due > now).min()
    }

    /// The table as it is now. `in_force`: what the recipes that the daemon decides by are made from.
    pub async fn look(
        &mut self,
        reader: &mut Reader,
        step: &Step,
        in_force: &str,
        table: &Table,
        now: Time,
    ) -> Result<(), Broken> {
        // What was passed over by a clock that was ahead is planned again.
        self.furthest = match step {
            Step::Turned { put_back: true } => Some(now),
            _ => self.furthest.max(Some(now)),
        };
        let Some(rules) = self.books.get(in_force).cloned() else {
            return Err("nobody knows these recipes".to_owned());
        };
        self.begin_anew(&rules);
        let look = Look {
            step,
            rules: &rules,
            since_ms: table.since_ms,
            now,
        };
        for row in &table.rows {
            self.alone(&look, row)?;
        }
        for id in self.rows.keys() {
            hold(table.rows.iter().any(|row| row.id == *id), || {
                format!("the planned run {id} is gone")
            })?;
        }
        for row in table.rows.iter().filter(|row| row.settles() && step.turned()) {
            self.settled(reader, row).await?;
        }
        self.rows = table.rows.iter().map(|row| (row.id.clone(), row.clone())).collect();
        self.once()?;
        // Each stay is planned under one set of rules, whole; after a look at the clock under those in force.
        self.torn &= !step.turned();
        let behind = match self.torn {
            true => Vec::new(),
            false => self.whole(&table.under, in_force, now)?,
        };
        if step.turned() {
            hold(behind.is_empty(), || {
                format!("planned under other rules are {behind:?}")
            })?;
            self.turned(&look)?;
            self.schedules(&look)?;
        }
        self.news(&look)?;
        Ok(())
    }

    fn moments_of(&self, rule: &Rule, row: &Row) -> Vec<Moment> {
        let stay = row.stay.as_ref().and_then(|stay| self.stays.get(stay));
        let all = stay.map_or_else(Vec::new, |(_, stay)| moments(rule, stay));
        all.into_iter()
            .filter(|one| row.entries.contains(&one.entry) && one.at == row.planned)
            .collect()
    }

    /// Whether what the rule asks when it is due is so.
    fn wanted(&self, rule: &Rule, row: &Row) -> bool {
        let Some(stay) = &row.stay else { return true };
        let status = row.entries.iter().any(|entry| entry.starts_with("status:"));
        (status || self.stays[stay].1.is_booked()) && (!rule.turn || same_day_turn(stay, &self.stays))
    }

    /// One run, and how it got there.
    fn alone(&mut self, look: &Look<'_>, row: &Row) -> Result<(), Broken> {
        let told = || row.told();
        let before = self.rows.get(&row.id);
        let waits = row.is("scheduled");
        hold(!waits || row.due == row.planned || row.attempts == 0, || {
            format!("{} has two times", told())
        })?;
        let ended = row.is("scheduled") || row.is("ready") || !row.reason.is_empty() || row.goes();
        hold(ended, || format!("{} without a reason", told()))?;
        hold(!waits || !before.is_some_and(Row::fired), || {
            format!("{} began once more", told())
        })?;
        if row.settles() {
            hold(!waits || row.due > look.now || !look.step.turned(), || {
                format!("{} is due and left", told())
            })?;
            return Ok(());
        }
        if let Some((_, stay)) = row.stay.as_ref().and_then(|stay| self.stays.get(stay)) {
            let open = waits || (row.is("ready") && row.attempts == 0);
            hold(!open || !stay.is_gone(), || format!("{}, and its stay is gone", told()))?;
        }
        hold(!waits || row.due > look.now || !look.step.turned(), || {
            format!("{} is due and left", told())
        })?;
        let rule = look.rules.iter().find(|rule| rule.name == row.recipe);
        let did_wait = before.filter(|before| before.is("scheduled"));
        let too_late = |row: &Row| row.is("skipped") && row.reason.starts_with("came due while down");
        let by_time = did_wait.is_some() && (row.goes() || too_late(row));
        hold(*look.step != Step::Doubted || !by_time, || {
            format!("{} by a clock that nobody believes", told())
        })?;
        // Passed over by a clock that was ahead, and asked once more.
        let put_back = matches!(look.step, Step::Turned { put_back: true } | Step::Torn { .. });
        let too_soon = before.is_some_and(|before| too_late(before) || put_back && before.was_past());
        // It passed after the rules came into force, before its stay was planned under them.
        let meanwhile = row.planned.timestamp_millis() > look.since_ms;
        // Else what is due already is planned for news only.
        if waits && row.stay.is_some() && row.due <= look.now && did_wait.is_none_or(|before| before.due != row.due) {
            let news = look.step.news().iter().any(|(stay, _)| Some(stay) == row.stay.as_ref());
            hold(news || too_soon || meanwhile, || {
                format!(
                    "{} was planned after its time, and nothing is new about its stay",
                    told()
                )
            })?;
        }
        let came = row.goes() && before.is_none_or(|before| !before.goes());
        if came {
            *self.counted.entry("went").or_default() += 1;
            hold(matches!(look.step, Step::Turned { .. } | Step::Torn { .. }), || {
                format!("{} went by itself", told())
            })?;
            let Some(rule) = rule else {
                return Err(format!("{} went, and there is no such recipe", told()));
            };
            let last = match row.stay {
                None => Some(latest(rule.late, row.planned)),
                Some(_) => self.moments_of(rule, row).iter().map(|one| one.last).max(),
            };
            hold(last.is_some_and(|last| look.now <= last), || {
                format!(
                    "{} went at {}, and should not have later than {last:?}",
                    told(),
                    shown(look.now)
                )
            })?;
            hold(self.wanted(rule, row), || {
                format!("{} went, and nobody wants it", told())
            })?;
            if row.stay.is_some() {
                let again = before.is_some_and(|before| before.is("skipped") && before.reason.starts_with("when "));
                hold(did_wait.is_some() || again || too_soon || meanwhile, || {
                    format!("{} went and was never planned", told())
                })?;
            }
        }
        // What came due without a way to go.
        let due = did_wait.filter(|before| before.due <= look.now && before.due == row.due && look.step.turned());
        if let (Some(_), Some(rule), false) = (due, rule, row.goes()) {
            let last = match row.stay {
                None if rule.enabled && row.entries.iter().any(|entry| is_of(rule, entry)) => {
                    Some(latest(rule.late, row.planned))
                }
                None => None,
                Some(_) => self.moments_of(rule, row).iter().map(|one| one.last).max(),
            };
            if let Some(last) = last.filter(|last| look.now <= *last) {
                let kept_off = !self.wanted(rule, row);
                hold(kept_off, || {
                    format!(
                        "{} did not go at {}, and may until {}",
                        told(),
                        shown(look.now),
                        shown(last)
                    )
                })?;
            }
            *self
                .counted
                .entry(if row.is("skipped") { "passed over" } else { "called off" })
                .or_default() += 1;
        }
        Ok(())
    }

    /// An entry fires once for a stay, with `again` once for a time; whatever the recipe says in the meantime.
    fn once(&mut self) -> Result<(), Broken> {
        for row in self
            .rows
            .values()
            .filter(|row| row.fired() && !row.settles() && !self.past.contains(&row.id))
        {
            let stay = row.stay.clone().unwrap_or_default();
            let fired = self.fired.entry((row.recipe.clone(), stay)).or_default();
            for entry in &row.entries {
                fired.insert((sort_of(entry), entry.clone(), row.planned, row.id.clone()));
            }
        }
        let again = |recipe: &str| recipe == "Again";
        for ((recipe, stay), fired) in &self.fired {
            for (sort, entry, at, run) in fired {
                let twice = fired.iter().find(|(other_sort, other_entry, other_at, other)| {
                    let same = if again(recipe) {
                        other_entry == entry && other_at == at
                    } else {
                        other_sort == sort
                    };
                    same && other != run
                });
                if let Some((_, other, _, run_too)) = twice {
                    return Err(format!(
                        "`{recipe}` fired twice for {stay}: {run} ({entry}) and {run_too} ({other})"
                    ));
                }
            }
        }
        Ok(())
    }

    fn has_fired(&self, rule: &Rule, stay: &str, moment: &Moment) -> bool {
        let sort = sort_of(&moment.entry);
        let fired = self.fired.get(&(rule.name.to_owned(), stay.to_owned()));
        fired.is_some_and(|fired| {
            fired.iter().any(|(one, entry, at, _)| match rule.again {
                true => *entry == moment.entry && *at == moment.at,
                false => *one == sort,
            })
        })
    }

    /// What is planned of each stay is what the rules want that it was planned under: all of it, and nothing else. The stays
    /// with something ahead for which these are others than those in force.
    fn whole(&self, under: &BTreeMap<String, String>, in_force: &str, now: Time) -> Result<Vec<String>, Broken> {
        let none = Vec::new();
        let rules = |stay: &str| under.get(stay).and_then(|hash| self.books.get(hash)).unwrap_or(&none);
        let mut behind = Vec::new();
        let mut planned: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
        for row in self.rows.values().filter(|row| row.is("scheduled") && !row.settles()) {
            let Some(stay) = &row.stay else { continue };
            let rule = rules(stay).iter().find(|rule| rule.name == row.recipe);
            let rule = rule.ok_or_else(|| format!("{} and there is no such recipe", row.told()))?;
            if under.get(stay).is_none_or(|hash| hash != in_force) {
                behind.push(row.told());
            }
            let wanted = self.moments_of(rule, row);
            hold(wanted.len() == row.entries.len(), || {
                let all = self.stays.get(stay).map(|(_, stay)| (moments(rule, stay), stay));
                format!("{} and the calendar says {all:?}", row.told())
            })?;
            for moment in &wanted {
                hold(!self.has_fired(rule, stay, moment), || {
                    format!("{} has fired before", row.told())
                })?;
            }
            let others = planned.entry((&row.recipe, stay)).or_default();
            hold(others.iter().all(|other| other.due != row.due), || {
                format!("{} stands there twice", row.told())
            })?;
            others.push(row);
        }
        let furthest = self.furthest.unwrap_or(now);
        for (id, (_, stay)) in &self.stays {
            for rule in rules(id) {
                let rows = planned.get(&(rule.name, id.as_str())).map_or(&[][..], Vec::as_slice);
                for moment in moments(rule, stay).iter().filter(|moment| moment.at > furthest) {
                    let covered = rows
                        .iter()
                        .any(|row| row.due == moment.at && row.entries.contains(&moment.entry));
                    // What is on its way goes for all its entries.
                    let same = |entry: &String| {
                        *entry == moment.entry || (!rule.again && sort_of(entry) == sort_of(&moment.entry))
                    };
                    let goes = self
                        .of(rule, id)
                        .any(|row| !self.past.contains(&row.id) && row.goes() && row.entries.iter().any(same));
                    hold(covered || goes || self.has_fired(rule, id, moment), || {
                        let all: Vec<String> = self.of(rule, id).map(Row::told).collect();
                        format!(
                            "nobody has planned `{}` {moment:?} for {id}; there is {all:#?}",
                            rule.name
                        )
                    })?;
                }
            }
        }
        Ok(behind)
    }

    fn of<'a>(&'a self, rule: &'a Rule, stay: &'a str) -> impl Iterator<Item = &'a Row> {
        let mine = move |row: &&Row| row.recipe == rule.name && row.stay.as_deref() == Some(stay);
        self.rows.values().filter(mine)
    }

    /// What is past and not too late still goes for a stay that is new, has moved or has become active.
    fn news(&self, look: &Look<'_>) -> Result<(), Broken> {
        for (id, then) in look.step.news() {
            let Some((_, stay)) = self.stays.get(id) else { continue };
            for rule in look.rules {
                let is_now = moments(rule, stay);
                for moment in moments(rule, then)
                    .iter()
                    .filter(|one| one.at <= look.now && look.now <= one.last)
                {
                    if !is_now.contains(moment) || self.has_fired(rule, id, moment) {
                        continue;
                    }
                    let taken = self.of(rule, id).any(|row| {
                        row.entries.contains(&moment.entry)
                            && !self.past.contains(&row.id)
                            && ((row.is("scheduled") && row.due == moment.at) || row.goes())
                    });
                    hold(taken, || {
                        let all: Vec<String> = self.of(rule, id).map(Row::told).collect();
                        format!(
                            "`{}` {moment:?} is not too late for {id}, which is news, and nobody has planned it: {all:#?}",
                            rule.name
                        )
                    })?;
                }
            }
        }
        Ok(())
    }

    /// A stay that was gone meanwhile begins anew.
    pub fn forget_told(&mut self, stay: &str) {
        self.told.remove(stay);
    }
}

/// Whether the entry of a schedule's run is the rule's.
fn is_of(rule: &Rule, entry: &str) -> bool {
    rule.daily
        .is_some_and(|((h, m), zone)| entry.starts_with(&format!("schedule:{m} {h} * * * {zone}#")))
}
