//! Entries of one recipe by the instant they are due at, and which run stands for which of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::moments::Moment;
use crate::model::clock::Time;
use crate::model::id::{RunId, clock_run_id};
use crate::model::plan::Planned;
use crate::model::run::RunState;

use super::Bench;

/// Entries of one recipe that are due at the same instant: they make one run.
pub(super) struct Group<'m> {
    pub(super) at: Time,
    /// What is late runs until the last of them is too late.
    pub(super) last: Time,
    /// What has not fired, each with how often it has before.
    pub(super) open: Vec<(&'m Moment, usize)>,
}

impl Bench<'_> {
    /// To which group a run belongs whose key is that of one of its entries. Entries that were due at the same instant and
    /// are not any more part: the run stays with the one it was made for.
    pub(super) fn owners(&self, groups: &[Group<'_>]) -> BTreeMap<&str, usize> {
        let mut owners = BTreeMap::new();
        for (nth, group) in groups.iter().enumerate() {
            for (moment, firing) in &group.open {
                let id = self.id(moment, *firing);
                if let Some(run) = self.existing.iter().find(|run| run.id == id) {
                    owners.insert(run.id.as_str(), nth);
                }
            }
        }
        owners
    }

    /// What goes already for an instant that still holds goes for all its entries, wherever the others have moved to.
    pub(super) fn leave_what_goes(&self, groups: &mut [Group<'_>], owners: &BTreeMap<&str, usize>) {
        for run in self.existing.iter().filter(|run| run.state == RunState::Ready) {
            let of = |group: &Group<'_>| group.open.iter().any(|(moment, _)| run.entries.contains(&moment.entry));
            let own = owners.get(run.id.as_str()).copied();
            let stays = |nth: usize, group: &Group<'_>| {
                own.is_none_or(|own| own == nth) && of(group) && (group.at == run.planned_at || group.at <= self.now)
            };
            let Some(here) = groups.iter().enumerate().find(|(nth, group)| stays(*nth, group)) else {
                continue;
            };
            let here = here.0;
            let others = groups.iter_mut().enumerate().filter(|(nth, _)| *nth != here);
            for (_, group) in others {
                group.open.retain(|(moment, _)| !run.entries.contains(&moment.entry));
            }
        }
    }

    /// The run that there is for a group: one that is planned already before one that has ended, its own before another's.
    pub(super) fn run_of(
        &self,
        nth: usize,
        group: &Group<'_>,
        owners: &BTreeMap<&str, usize>,
        kept: &BTreeSet<&str>,
    ) -> Option<&Planned> {
        let id = group.open.first().map(|(moment, firing)| self.id(moment, *firing));
        let mine = group.open.iter().flat_map(|(moment, _)| {
            let of_entry = |run: &&&Planned| !run.is_spent() && run.entries.contains(&moment.entry);
            self.existing.iter().copied().filter(move |run| of_entry(&run))
        });
        let own = self
            .existing
            .iter()
            .copied()
            .filter(|run| Some(&run.id) == id.as_ref() && !run.is_spent());
        let free: Vec<&Planned> = own
            .chain(mine)
            .filter(|run| owners.get(run.id.as_str()).is_none_or(|owner| *owner == nth))
            .filter(|run| !kept.contains(run.id.as_str()))
            .collect();
        let planned = |run: &&&Planned| matches!(run.state, RunState::Scheduled | RunState::Ready);
        free.iter().find(planned).or(free.first()).copied()
    }

    /// A firing number that no run has: one that was made for this entry may have fired for another.
    pub(super) fn free(&self, moment: &Moment, firing: usize) -> usize {
        let taken = |firing: &usize| self.existing.iter().any(|run| run.id == self.id(moment, *firing));
        (firing..).find(|firing| !taken(firing)).unwrap_or(firing)
    }

    fn id(&self, moment: &Moment, firing: usize) -> RunId {
        clock_run_id(&self.key(moment, firing), Some(&self.subject.stay.id))
    }
}
