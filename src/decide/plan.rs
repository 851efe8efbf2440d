//! What the clock wants of a stay, held against what is planned: runs to make, to move, to call off.

mod groups;
mod life;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::clock::Time;
use crate::model::decision::Gone;
use crate::model::id::{StayId, clock_run_id};
use crate::model::plan::{EndedBy, NewPlanned, Plan, PlanChange, Planned, SETTLE, clock_run_key};
use crate::model::reservation::Stay;
use crate::model::run::RunState;
use crate::recipe::{Recipe, Trigger};

use super::moments::{Moment, moments};
use super::view::View;
use groups::Group;
pub use life::Life;
use verdict::Verdict;

/// Why it is planned anew; it decides what becomes of times that have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The stay is new, has moved or has just become active: what is not too late still runs.
    News,
    /// The stay was taken over: only what lies ahead.
    Adopted,
    /// Something else about the stay has changed.
    Change,
    /// A neighbour has changed: what was not wanted because of it may be wanted now.
    Neighbour,
    /// Recipes or the configuration have changed.
    Rules,
}

/// A stay to be planned.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The stay.
    pub stay: &'a Stay,
    /// As recipes see it.
    pub view: &'a View,
    /// The clock runs there are of it.
    pub existing: &'a [Planned],
    /// Whether a new life of it begins.
    pub life: &'a Life,
    /// Whether its source only learns.
    pub learn: bool,
    /// Since when these rules count, where the stay was planned under others before.
    pub rules_since: Option<Time>,
}

/// What has to change for what is planned to be what the recipes want.
pub fn plan(subject: &Subject<'_>, recipes: &[Arc<Recipe>], cause: Cause, now: Time) -> Plan {
    let mut plan = Plan::default();
    let lives = lives(subject);
    let existing = life::of_this_life(subject, recipes, &mut plan);
    let mut by_recipe: BTreeMap<&str, Vec<&Planned>> = BTreeMap::new();
    for run in &existing {
        by_recipe.entry(&run.recipe).or_default().push(run);
    }
    for recipe in recipes.iter().filter(|recipe| recipe.follows_stays()) {
        let existing = by_recipe.remove(recipe.name.as_str()).unwrap_or_default();
        let wants = lives
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|()| wants(recipe, subject));
        match wants {
            Ok(()) => {
                let moments = moments(recipe, subject.stay, subject.view);
                let bench = Bench {
                    recipe,
                    subject,
                    existing,
                    cause,
                    now,
                };
                bench.compare(&moments, &mut plan);
            }
            Err(because) => call_off(&existing, &because, &mut plan),
        }
    }
    for (name, left) in by_recipe {
        let known = recipes.iter().any(|recipe| recipe.name == name);
        let because = match known {
            true => format!("the recipe `{name}` no longer waits for this time"),
            false => format!("there is no recipe `{name}` any more"),
        };
        call_off(&left, &because, &mut plan);
    }
    plan
}

fn settles(run: &Planned) -> bool {
    run.entries.iter().any(|entry| entry == SETTLE)
}

/// Whether a stay has a clock at all; else why not.
fn lives(subject: &Subject<'_>) -> Result<(), String> {
    let view = subject.view;
    match view.status {
        Some(status) if status.is_gone() => Err(Gone { status }.reason()),
        _ if !view.complete => Err("the stay has no dates".to_owned()),
        _ if subject.learn => Err("the source is learning: nothing is started".to_owned()),
        _ => Ok(()),
    }
}

/// Whether the recipe is for such stays at all, whatever becomes of them; else why not.
fn wants(recipe: &Recipe, subject: &Subject<'_>) -> Result<(), String> {
    if !recipe.enabled {
        return Err("the recipe is switched off".to_owned());
    }
    if !recipe.may_be(&subject.view.kind) {
        return Err(format!("`match` is not for stays of the kind {}", subject.view.kind));
    }
    if !recipe.may_come_from(&subject.stay.source) {
        return Err(format!("`match` is not for the source {}", subject.stay.source));
    }
    if !recipe.may_meet(&subject.view.json["property"]) {
        let property = subject.view.property.as_deref().unwrap_or("none that is known");
        return Err(format!("`match` is not for its property ({property})"));
    }
    Ok(())
}

/// Why a recipe plans nothing for a stay, whatever its conditions will see when it is time.
pub fn plans_nothing(recipe: &Recipe, subject: &Subject<'_>) -> Option<String> {
    lives(subject).and_then(|()| wants(recipe, subject)).err()
}

/// Calls off what waits.
fn call_off(existing: &[&Planned], because: &str, plan: &mut Plan) {
    let waiting = existing.iter().filter(|run| run.state == RunState::Scheduled);
    plan.change.extend(waiting.map(|run| ends(run, EndedBy::Plan, because)));
}

fn ends(run: &Planned, by: EndedBy, because: &str) -> PlanChange {
    PlanChange {
        run: run.id.clone(),
        from: (run.state, run.due_at),
        state: RunState::Cancelled,
        due_at: run.due_at,
        entries: run.entries.clone(),
        reason: because.to_owned(),
        ended_by: Some(by),
    }
}

/// One recipe and one stay.
struct Bench<'a> {
    recipe: &'a Recipe,
    subject: &'a Subject<'a>,
    existing: Vec<&'a Planned>,
    cause: Cause,
    now: Time,
}

impl Bench<'_> {
    fn compare(&self, moments: &[Moment], plan: &mut Plan) {
        let inherited = self.inherited(moments);
        let mut groups = Vec::new();
        let mut rest = moments;
        while let Some(first) = rest.first() {
            let end = rest.iter().take_while(|moment| moment.at == first.at).count();
            let (group, after) = rest.split_at(end);
            rest = after;
            groups.push(self.group(group, &inherited, plan));
        }
        let owners = self.owners(&groups);
        self.leave_what_goes(&mut groups, &owners);
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        for (nth, group) in groups.iter().enumerate() {
            let Some((first, firing)) = group.open.first() else {
                continue;
            };
            let names: Vec<String> = group.open.iter().map(|(moment, _)| moment.entry.clone()).collect();
            match self.run_of(nth, group, &owners, &kept) {
                Some(run) => {
                    kept.insert(run.id.as_str());
                    self.change(run, &names, group.at, group.last, plan);
                }
                None => {
                    let all: Vec<&Moment> = group.open.iter().map(|(moment, _)| *moment).collect();
                    let verdict = self.verdict(group.at, group.last, None);
                    let firing = self.free(first, *firing);
                    plan.make.extend(self.run(&all, firing, group.at, &verdict));
                }
            }
        }
        let labels = labels(self.recipe);
        for run in self.existing.iter().filter(|run| !kept.contains(run.id.as_str())) {
            let dropped = !run.is_spent() && !run.entries.iter().any(|entry| labels.contains(label_of(entry)));
            match run.state {
                RunState::Scheduled => {
                    let by = if dropped { EndedBy::Recipe } else { EndedBy::Plan };
                    plan.change.push(ends(run, by, &self.because(run, moments)));
                }
                RunState::Cancelled | RunState::Skipped
                    if dropped && !matches!(run.ended_by, None | Some(EndedBy::Recipe | EndedBy::Person)) =>
                {
                    let because = format!("the recipe `{}` no longer waits for this time", self.recipe.name);
                    let change = ends(run, EndedBy::Recipe, &because);
                    plan.change.push(PlanChange {
                        state: run.state,
                        ..change
                    });
                }
                _ => {}
            }
        }
    }

    fn group<'m>(&self, group: &'m [Moment], inherited: &BTreeMap<String, String>, plan: &mut Plan) -> Group<'m> {
        let at = group[0].at;
        let mut open = Vec::new();
        for moment in group {
            let fired = self.fired(&moment.entry);
            if let Some(old) = inherited.get(&moment.label).filter(|_| fired.is_empty())
                && self.went(&moment.entry.replacen(&moment.label, old, 1))
            {
                let because = format!("what the recipe said before (`{old}`) has fired for this stay");
                match self.existing.iter().find(|run| run.entries.contains(&moment.entry)) {
                    // The recipe said so once, and nothing came of it.
                    Some(run) => plan.change.push(PlanChange {
                        state: RunState::Skipped,
                        due_at: at,
                        ..ends(run, EndedBy::Fired, &because)
                    }),
                    None => {
                        let verdict = Verdict::Skipped(EndedBy::Fired, because);
                        plan.make.extend(self.run(&[moment], 0, at, &verdict));
                    }
                }
                continue;
            }
            let again = self.recipe.again == Some(true) && fired.iter().all(|run| run.planned_at != at);
            if fired.is_empty() || again {
                open.push((moment, fired.len()));
            }
        }
        Group {
            at,
            last: group.iter().map(|moment| moment.last).max().unwrap_or(at),
            open,
        }
    }

    /// What becomes of a run that is there and has not fired.
    fn change(&self, run: &Planned, entries: &[String], at: Time, last: Time, plan: &mut Plan) {
        let mut change = PlanChange {
            run: run.id.clone(),
            from: (run.state, run.due_at),
            state: RunState::Scheduled,
            due_at: at,
            entries: entries.to_vec(),
            reason: String::new(),
            ended_by: None,
        };
        match run.state {
            RunState::Scheduled if run.asked_for => {}
            // Its time is the same: it comes due, or has and will be looked at.
            RunState::Scheduled if run.due_at == at && run.entries == entries => {}
            RunState::Scheduled if run.due_at == at => plan.change.push(change),
            // It waits for its turn since its time came; only another time takes it back.
            // Nor what was filled in for another property.
            RunState::Ready
                if (run.planned_at == at || at <= self.now)
                    && !(matches!(self.subject.life, Life::Elsewhere(_)) && self.recipe.reads_property) => {}
            RunState::Scheduled | RunState::Ready => match self.verdict(at, last, None) {
                Verdict::Scheduled => plan.change.push(change),
                Verdict::Skipped(by, because) => {
                    change.state = RunState::Skipped;
                    change.reason = because;
                    change.ended_by = Some(by);
                    plan.change.push(change);
                }
                Verdict::Nothing => plan.change.push(ends(run, EndedBy::Plan, "its time has passed")),
            },
            RunState::Cancelled | RunState::Skipped if run.ended_by != Some(EndedBy::Person) => {
                if matches!(self.verdict(at, last, Some(run)), Verdict::Scheduled) {
                    plan.change.push(change);
                }
            }
            _ => {}
        }
    }

    fn run(&self, group: &[&Moment], firing: usize, at: Time, verdict: &Verdict) -> Option<NewPlanned> {
        let stay = self.subject.stay;
        let first = group.first()?;
        let key = self.key(first, firing);
        let (state, reason, ended_by) = match verdict {
            Verdict::Scheduled => (RunState::Scheduled, String::new(), None),
            Verdict::Skipped(by, because) => (RunState::Skipped, because.clone(), Some(*by)),
            Verdict::Nothing => return None,
        };
        Some(NewPlanned {
            id: clock_run_id(&key, Some(&stay.id)),
            key,
            recipe: self.recipe.name.clone(),
            entries: group.iter().map(|moment| moment.entry.clone()).collect(),
            stay: Some((
                stay.id.clone(),
                stay.source.clone(),
                stay.code().unwrap_or_default().to_owned(),
            )),
            due_at: at,
            state,
            reason,
            ended_by,
        })
    }

    fn key(&self, moment: &Moment, firing: usize) -> String {
        let stay: &StayId = &self.subject.stay.id;
        clock_run_key(&self.recipe.name, &moment.entry, stay, firing)
    }

    /// The runs that fired for an entry.
    fn fired(&self, entry: &str) -> Vec<&Planned> {
        let of_entry = |run: &&&Planned| run.counts_as_fired() && run.entries.iter().any(|one| one == entry);
        self.existing.iter().filter(of_entry).copied().collect()
    }

    /// What there is but for what went in an earlier life of the stay.
    fn of_this_life(&self) -> impl Iterator<Item = &Planned> {
        let runs = self.existing.iter().copied();
        runs.filter(|run| run.ended_by != Some(EndedBy::OldLife))
    }

    /// Whether an entry has fired, or is on its way.
    fn went(&self, entry: &str) -> bool {
        let of_entry = |run: &&&Planned| goes(run) && run.entries.iter().any(|one| one == entry);
        self.existing.iter().any(|run| of_entry(&run))
    }

    /// Entries that stand in the place of ones that have fired and are not there any more: the label as it is now to the
    /// label before. An edited offset inherits what the old one fired.
    fn inherited(&self, moments: &[Moment]) -> BTreeMap<String, String> {
        let of_now: BTreeSet<(&str, &str)> = moments
            .iter()
            .map(|moment| (moment.anchor, moment.label.as_str()))
            .collect();
        let labels: BTreeSet<String> = labels(self.recipe);
        let known = |label: &str| {
            let prefix = format!("{label}#");
            let mut entries = self.of_this_life().flat_map(|run| &run.entries);
            entries.any(|entry| entry.starts_with(&prefix))
        };
        let fired = self.existing.iter().filter(|run| goes(run));
        let mut dropped: BTreeSet<&str> = fired
            .flat_map(|run| &run.entries)
            .map(|entry| label_of(entry))
            .filter(|label| !labels.contains(*label))
            .collect();
        let mut inherited = BTreeMap::new();
        for (anchor, label) in of_now {
            if known(label) && !self.inherits_already(label) {
                continue;
            }
            let alike = |old: &&&str| old.starts_with(anchor) && old.contains('*') == label.contains('*');
            let found = dropped.iter().find(alike).copied();
            if let Some(old) = found {
                dropped.remove(old);
                inherited.insert(label.to_owned(), old.to_owned());
            }
        }
        inherited
    }

    /// Whether all there is of a label was written down as inherited, or ended when the recipe asked for another time.
    fn inherits_already(&self, label: &str) -> bool {
        let prefix = format!("{label}#");
        let of_label = |run: &&Planned| run.entries.iter().any(|entry| entry.starts_with(&prefix));
        let mut all = self.of_this_life().filter(of_label).peekable();
        all.peek().is_some()
            && all.all(|run| !run.fired && matches!(run.ended_by, Some(EndedBy::Fired | EndedBy::Recipe)))
    }

    /// Why a run is not wanted any more.
    fn because(&self, run: &Planned, moments: &[Moment]) -> String {
        let of_recipe = labels(self.recipe);
        let mine: Vec<&str> = run.entries.iter().map(|entry| label_of(entry)).collect();
        if !mine.iter().any(|label| of_recipe.contains(*label)) {
            return format!("the recipe `{}` no longer waits for this time", self.recipe.name);
        }
        if mine.iter().any(|label| label.starts_with("status:")) {
            let status = self.subject.view.json["status"].as_str().unwrap_or("not known");
            return format!("the status is {} now", status.replace('_', " "));
        }
        let at_once = moments.iter().any(|moment| run.entries.contains(&moment.entry));
        match at_once {
            true => "it is due at the same time as another run of the recipe".to_owned(),
            false => "the stay does not reach so far any more".to_owned(),
        }
    }
}

/// Whether a run has fired, or waits for its turn since its time came: another recipe does not take that back.
fn goes(run: &Planned) -> bool {
    run.counts_as_fired() || run.state == RunState::Ready
}

/// The entry without its occurrence.
fn label_of(entry: &str) -> &str {
    entry.rsplit_once('#').map_or(entry, |(label, _)| label)
}

/// What the recipe's entries are called.
fn labels(recipe: &Recipe) -> BTreeSet<String> {
    recipe.on.iter().filter_map(Trigger::label).collect()
}
