//! What was turned away: the last ones of each source, and how many for which reason. Never a body, never an address.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::clock::Time;

/// Under this name stands what was posted to no configured source.
pub const UNKNOWN: &str = "(unknown)";

/// How many of each source are kept.
const KEPT: usize = 100;

/// A request that was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// When.
    pub at: Time,
    /// Why, in a few fixed words.
    pub reason: &'static str,
}

/// What was turned away since the start. Bounded: one entry per configured source and one for all that is unknown.
#[derive(Debug, Default)]
pub struct Rejections(Mutex<BTreeMap<String, Turned>>);

#[derive(Debug, Default)]
struct Turned {
    last: VecDeque<Rejection>,
    counts: BTreeMap<&'static str, u64>,
}

impl Rejections {
    /// Nothing yet.
    pub fn new() -> Rejections {
        Rejections::default()
    }

    /// Takes one down. `source` is the name of a configured source, or [`UNKNOWN`]; never what a request claims.
    pub fn record(&self, source: &str, reason: &'static str, at: Time) {
        let mut all = self.lock();
        if !all.contains_key(source) {
            all.insert(source.to_owned(), Turned::default());
        }
        if let Some(turned) = all.get_mut(source) {
            *turned.counts.entry(reason).or_default() += 1;
            if turned.last.len() == KEPT {
                turned.last.pop_front();
            }
            turned.last.push_back(Rejection { at, reason });
        }
    }

    /// The last ones of a source, newest first; 100 at the most.
    pub fn last(&self, source: &str) -> Vec<Rejection> {
        let all = self.lock();
        all.get(source)
            .map(|turned| turned.last.iter().rev().copied().collect())
            .unwrap_or_default()
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
