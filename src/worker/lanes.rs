//! One lane per connection: how many attempts at once, how many a second, and whether it is paused.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;
use tokio::time::Instant;

use crate::action::Connection;
use crate::model::clock::{Reading, Time};
use crate::store::Paused;

/// So many refusals of our credentials in a row pause a connection.
const DENIED_MAX: u32 = 3;
/// So often one run of a paused connection tries again.
const PROBE: TimeDelta = TimeDelta::minutes(5);

/// So many lines are told of a connection in [`TELL_WITHIN`]: that it fails, and that it does no longer. Of one that fails now
/// and then no more.
const TELL_MAX: u32 = 2;
/// See [`TELL_MAX`].
const TELL_WITHIN: Duration = Duration::from_secs(60);

/// How many runs of a connection that is not configured are looked at together.
const UNKNOWN_MAX: usize = 32;

/// All lanes of the process.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    all: Arc<Mutex<HashMap<String, Lane>>>,
    /// Whether the store may hold waiting runs that nobody has told of.
    unsure: Arc<AtomicBool>,
    /// How many attempts may be under way on all lanes together, where that is bounded.
    room: Option<usize>,
}

#[derive(Debug)]
struct Lane {
    /// Whether the configuration knows the connection. The runs of one that it does not know are looked at too: they end,
    /// or go over to another connection, and never wait for ever.
    configured: bool,
    concurrency: usize,
    busy: usize,
    /// The least time between two attempts.
    spacing: Option<TimeDelta>,
    /// From when on there may be another one, by the steady clock.
    next_at: Option<Time>,
    denied: u32,
    paused: Option<Paused>,
    /// When one run of a paused connection tries again, by the steady clock.
    probe_at: Time,
    /// Whether runs for it may wait in the store.
    waiting: bool,
    trouble: Trouble,
}

/// What has been told of attempts that fail for now.
#[derive(Debug, Default)]
struct Trouble {
    /// Whether it was told last that they fail.
    told: bool,
    /// Attempts that failed since then.
    failed: u64,
    since: Option<Instant>,
    /// Lines told since `window` began.
    lines: u32,
    window: Option<Instant>,
}

/// What is to be told of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Its attempts fail for now.
    Fails,
    /// They no longer do.
    Works {
        /// How many failed.
        failed: u64,
        /// For how long, in seconds.
        seconds: u64,
    },
}

/// A lane as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct LaneState {
    /// The connection.
    pub connection: String,
    /// Attempts under way.
    pub busy: usize,
    /// Attempts that may be under way at once.
    pub concurrency: usize,
    /// Since when it is paused, milliseconds since 1970.
    pub paused_since_ms: Option<i64>,
    /// Why.
    pub paused_because: Option<String>,
    /// When one run tries again.
    pub probe_at_ms: Option<i64>,
}

/// A place on a lane; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    lanes: Lanes,
    name: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(lane) = self.lanes.lock().get_mut(&self.name) {
            lane.busy = lane.busy.saturating_sub(1);
        }
    }
}

/// What became of a lane after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing to write down.
    Same,
    /// It is paused now, or its next probe has moved.
    Paused(Paused),
    /// It goes on.
    Resumed,
}

impl Lanes {
    /// Lanes that have so many places together, where the machine allows no more.
    pub fn within(room: Option<usize>) -> Lanes {
        Lanes {
            room,
            ..Lanes::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a lane for each connection; one that stays keeps what is under way on it.
    pub fn configure<'c>(&self, connections: impl Iterator<Item = &'c Connection>) {
        let mut lanes = self.lock();
        let mut names = HashSet::new();
        let connections: Vec<&Connection> = connections.collect();
        let wanted: usize = connections.iter().map(|connection| connection.concurrency).sum();
        let room = self.room.unwrap_or(usize::MAX).min(wanted);
        for connection in connections {
            names.insert(connection.name.clone());
            let spacing = connection
                .rate
                .and_then(|rate| TimeDelta::from_std(rate.per / rate.count.max(1)).ok());
            let lane = lanes.entry(connection.name.clone()).or_insert_with(Lane::unknown);
            lane.configured = true;
            // Each its share of what there is room for.
            lane.concurrency = (connection.concurrency * room / wanted.max(1)).max(1);
            lane.spacing = spacing;
        }
        for (_, lane) in lanes.iter_mut().filter(|(name, _)| !names.contains(*name)) {
            // What waits for it is looked at once more, without pause or rate: nothing is sent any more.
            *lane = Lane {
                busy: lane.busy,
                ..Lane::unknown()
            };
        }
    }

    /// Lets every paused connection try again at once: what was wrong may have been put right.
    pub fn try_again(&self, now: Reading) {
        for lane in self.lock().values_mut() {
            lane.probe(now, TimeDelta::zero());
        }
    }

    /// Takes over which connections were paused before the restart. Each tries again at once, as after a reload: what
    /// was wrong may have been put right.
    pub fn restore(&self, paused: Vec<Paused>, now: Reading) {
        let mut lanes = self.lock();
        for paused in paused {
            if let Some(lane) = lanes.get_mut(&paused.name) {
                lane.denied = DENIED_MAX;
                lane.paused = Some(paused);
                lane.probe(now, TimeDelta::zero());
            }
        }
    }

    /// Says that a run may wait in the store for any connection, even one that nobody has named yet.
    pub fn look_again(&self) {
        self.unsure.store(true, Ordering::Release);
    }

    /// Whether the store has to be asked for which connections runs wait; asking settles it.
    pub fn unsure(&self) -> bool {
        self.unsure.swap(false, Ordering::AcqRel)
    }

    /// When a paused connection is tried again; `None` for one that is not paused.
    pub fn probe_at(&self, name: &str) -> Option<Time> {
        let lanes = self.lock();
        Some(lanes.get(name)?.paused.as_ref()?.probe_at)
    }

    /// Takes a place, where one is free, the rate allows it and the connection is not paused.
    pub fn take(&self, name: &str, now: Reading) -> Option<Slot> {
        let mut lanes = self.lock();
        let lane = lanes.get_mut(name)?;
        if lane.free(now) == 0 {
            return None;
        }
        // Where it is paused this one is the probe; nobody follows until it has ended or the next is due.
        lane.probe(now, PROBE);
        if let Some(spacing) = lane.spacing {
            lane.next_at = Some(now.steady + spacing);
        }
        lane.busy += 1;
        Some(Slot {
            lanes: self.clone(),
            name: name.to_owned(),
        })
    }

    /// Says that runs for these connections wait in the store.
    pub fn wait_for(&self, names: impl IntoIterator<Item = String>) {
        let mut lanes = self.lock();
        for name in names {
            lanes.entry(name).or_insert_with(Lane::unknown).waiting = true;
        }
    }

    /// Says that nothing waits for this connection.
    pub fn nothing_waits(&self, name: &str) {
        let mut lanes = self.lock();
        match lanes.get_mut(name) {
            Some(lane) if !lane.configured && lane.busy == 0 => _ = lanes.remove(name),
            Some(lane) => lane.waiting = false,
            None => {}
        }
    }

    /// The lanes for which something waits, each with how many places are free now.
    pub fn open(&self, now: Reading) -> Vec<(String, usize)> {
        let lanes = self.lock();
        let waiting = lanes.iter().filter(|(_, lane)| lane.waiting);
        // By name: the same lanes are worked on in the same order every time.
        let open: BTreeMap<&String, usize> = waiting.map(|(name, lane)| (name, lane.free(now))).collect();
        open.into_iter().map(|(name, free)| (name.clone(), free)).collect()
    }

    /// When the next place becomes free by the clock alone (a rate or a probe), of the lanes for which something waits.
    pub fn next_free(&self, now: Reading) -> Option<Time> {
        let lanes = self.lock();
        let of = |lane: &Lane| {
            let probe = lane.paused.as_ref().map(|_| lane.probe_at);
            let later = |at: &Time| *at > now.steady;
            [lane.next_at, probe].into_iter().flatten().filter(later).max()
        };
        lanes
            .values()
            .filter(|lane| lane.waiting && lane.busy < lane.concurrency)
            .filter_map(of)
            .min()
            .map(|at| now.wall + (at - now.steady))
    }

    /// Counts how an attempt ended.
    pub fn ended(&self, name: &str, denied: bool, reached: bool, summary: &str, now: Reading) -> Turn {
        let mut lanes = self.lock();
        let Some(lane) = lanes.get_mut(name) else {
            return Turn::Same;
        };
        if denied {
            lane.denied = lane.denied.saturating_add(1);
            if lane.denied < DENIED_MAX {
                return Turn::Same;
            }
            let since = lane.paused.as_ref().map_or(now.wall, |paused| paused.since);
            let paused = Paused {
                name: name.to_owned(),
                since,
                reason: summary.to_owned(),
                probe_at: now.wall + PROBE,
            };
            lane.paused = Some(paused.clone());
            lane.probe(now, PROBE);
            return Turn::Paused(paused);
        }
        if !reached {
            return Turn::Same;
        }
        lane.denied = 0;
        lane.waiting |= lane.paused.is_some();
        if lane.paused.take().is_some() {
            Turn::Resumed
        } else {
            Turn::Same
        }
    }

    /// Counts whether an attempt failed for now: a dead target is told of once, however many runs wait for it.
    pub fn health(&self, name: &str, failed: bool, now: Instant) -> Option<Health> {
        let mut lanes = self.lock();
        let trouble = &mut lanes.get_mut(name)?.trouble;
        trouble.failed += u64::from(failed);
        if failed == trouble.told {
            return None;
        }
        if trouble
            .window
            .is_none_or(|window| now.duration_since(window) >= TELL_WITHIN)
        {
            (trouble.window, trouble.lines) = (Some(now), 0);
        }
        if trouble.lines >= TELL_MAX {
            return None;
        }
        trouble.lines += 1;
        trouble.told = failed;
        if failed {
            (trouble.since, trouble.failed) = (Some(now), 1);
            return Some(Health::Fails);
        }
        let since = trouble.since.unwrap_or(now);
        let seconds = now.duration_since(since).as_secs();
        Some(Health::Works {
            failed: std::mem::take(&mut trouble.failed),
            seconds,
        })
    }

    /// Every lane as it is shown, by name.
    pub fn states(&self) -> Vec<LaneState> {
        let lanes = self.lock();
        let sorted: BTreeMap<_, _> = lanes.iter().collect();
        let state = |(name, lane): (&String, &Lane)| LaneState {
            connection: name.clone(),
            busy: lane.busy,
            concurrency: lane.concurrency,
            paused_since_ms: lane.paused.as_ref().map(|paused| paused.since.timestamp_millis()),
            paused_because: lane.paused.as_ref().map(|paused| paused.reason.clone()),
            probe_at_ms: lane.paused.as_ref().map(|paused| paused.probe_at.timestamp_millis()),
        };
        let configured = sorted.into_iter().filter(|(_, lane)| lane.configured);
        configured.map(state).collect()
    }
}

impl Lane {
    /// A lane of which nothing is known but that runs may wait for it.
    fn unknown() -> Lane {
        Lane {
            configured: false,
            concurrency: UNKNOWN_MAX,
            busy: 0,
            spacing: None,
            next_at: None,
            denied: 0,
            paused: None,
            probe_at: Time::default(),
            waiting: true,
            trouble: Trouble::default(),
        }
    }

    /// A paused one tries again after this span.
    fn probe(&mut self, now: Reading, after: TimeDelta) {
        if let Some(paused) = &mut self.paused {
            paused.probe_at = now.wall + after;
            self.probe_at = now.steady + after;
        }
    }

    fn free(&self, now: Reading) -> usize {
        let free = self.concurrency.saturating_sub(self.busy);
        match (&self.paused, self.next_at) {
            (Some(_), _) if self.probe_at > now.steady => 0,
            (Some(_), _) => free.min(1),
            (None, Some(at)) if at > now.steady => 0,
            (None, _) if self.spacing.is_some() => free.min(1),
            (None, _) => free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_fails_is_told_of_when_it_begins_and_when_it_ends() {
        let lanes = Lanes::default();
        lanes.wait_for(["x".to_owned()]);
        let start = Instant::now();
        let mut told = Vec::new();
        let mut tell = |second: u64, failed: bool| {
            told.extend(
                lanes
                    .health("x", failed, start + Duration::from_secs(second))
                    .map(|health| (second, health)),
            );
        };
        tell(0, false);
        (1..500).for_each(|second| tell(second, true));
        tell(500, false);
        // Every other attempt fails: no more than two lines a minute, and the last word is the truth.
        (600..660).for_each(|second| tell(second, second % 2 == 0));
        tell(661, true);
        tell(662, true);
        let fails = Health::Fails;
        let works = |failed, seconds| Health::Works { failed, seconds };
        assert_eq!(
            told,
            [
                (1, fails),
                (500, works(499, 499)),
                (600, fails),
                (601, works(1, 1)),
                (661, fails)
            ]
        );
    }
}
