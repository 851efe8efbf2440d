//! What was turned away: the last ones of each source, and how many for which reason. Never a body, never an address.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::model::clock::Time;
use crate::model::throttle::Throttle;

/// Under this name stands what was posted to no configured source.
pub const UNKNOWN: &str = "(unknown)";

/// How many of each source are kept.
const KEPT: usize = 100;

/// A request that was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// When.
    pub at: Time,
    /// Why, in a few fixed words.
    pub reason: &'static str,
    /// What came instead: the name that was asked for, a content type. Short and harmless.
    pub came: Option<String>,
}

/// What was turned away since the start. Bounded: one entry per configured source and one for all that is unknown.
#[derive(Debug, Default)]
pub struct Rejections(Mutex<BTreeMap<String, Turned>>);

#[derive(Debug)]
struct Turned {
    last: VecDeque<Rejection>,
    counts: BTreeMap<&'static str, u64>,
    log: Throttle,
}

impl Default for Turned {
    fn default() -> Turned {
        Turned {
            last: VecDeque::new(),
            counts: BTreeMap::new(),
            log: Throttle::of_a_log(),
        }
    }
}

impl Rejections {
    /// Nothing yet.
    pub fn new() -> Rejections {
        Rejections::default()
    }

    /// Takes one down. `source` is the name of a configured source, or [`UNKNOWN`]; never what a request claims. `None` where
    /// the log has enough lines of them; else how many it was not told of before.
    pub fn record(&self, source: &str, reason: &'static str, came: Option<String>, at: Time) -> Option<u64> {
        let mut all = self.lock();
        if !all.contains_key(source) {
            all.insert(source.to_owned(), Turned::default());
        }
        let turned = all.get_mut(source)?;
        *turned.counts.entry(reason).or_default() += 1;
        if turned.last.len() == KEPT {
            turned.last.pop_front();
        }
        turned.last.push_back(Rejection { at, reason, came });
        turned.log.pass(Instant::now())
    }

    /// The last ones of a source, newest first; 100 at the most.
    pub fn last(&self, source: &str) -> Vec<Rejection> {
        let all = self.lock();
        all.get(source)
            .map(|turned| turned.last.iter().rev().cloned().collect())
            .unwrap_or_default()
    }

    /// The same for people: reason, time and what came.
    pub fn told(&self, source: &str) -> Vec<Value> {
        let told = |one: Rejection| json!({"reason": one.reason, "at": one.at.to_rfc3339(), "came": one.came});
        self.last(source).into_iter().map(told).collect()
    }

    /// How many there were, by source and reason.
    pub fn counts(&self) -> BTreeMap<(String, &'static str), u64> {
        let all = self.lock();
        all.iter()
            .flat_map(|(source, turned)| turned.counts.iter().map(|(reason, n)| ((source.clone(), *reason), *n)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Turned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
