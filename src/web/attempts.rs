//! Wrong tokens. From the sixth on an address waits for its turn before the next token it shows is looked at, longer from
//! time to time; so guessing is slow, however many ask at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::listener::proxy::network;
use crate::model::throttle::Throttle;

/// So many wrong tokens cost nothing: somebody has pasted the old one.
const FREE: u32 = 5;
/// Between the first two turns after those; doubled each time.
const PAUSE: Duration = Duration::from_millis(125);
/// And the longest.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Whose turn is further ahead is sent away.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// After so long an address begins anew.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// So many addresses are remembered; further ones wait in one line.
const KEPT: usize = 1024;

/// The addresses that have shown wrong tokens.
#[derive(Debug)]
pub struct Attempts {
    of: Mutex<HashMap<IpAddr, Shown>>,
    log: Throttle,
}

#[derive(Debug)]
struct Shown {
    wrong: u32,
    last: Instant,
    next: Instant,
}

impl Shown {
    fn pause(&self) -> Duration {
        let doubled = self.wrong.saturating_sub(FREE).min(10);
        PAUSE.saturating_mul(1 << doubled).min(PAUSE_MAX)
    }
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts {
            of: Mutex::default(),
            log: Throttle::of_a_log(),
        }
    }
}

impl Attempts {
    /// How long a token from there has to wait before it is looked at.
    ///
    /// # Errors
    ///
    /// Where others of this address are before it: in how long it may come again.
    pub fn turn(&self, from: Option<IpAddr>, now: Instant) -> Result<Duration, Duration> {
        let mut all = self.lock();
        let key = key(&all, from);
        let known = |shown: &&mut Shown| shown.wrong >= FREE && now.saturating_duration_since(shown.last) < FORGOTTEN;
        let Some(shown) = all.get_mut(&key).filter(known) else {
            return Ok(Duration::ZERO);
        };
        let turn = shown.next.max(now);
        let wait = turn - now;
        if wait > WAIT_MAX {
            return Err(wait);
        }
        shown.wrong = shown.wrong.saturating_add(1);
        shown.next = turn + shown.pause();
        Ok(wait)
    }

    /// It was a wrong one. `None` where the log has enough of them; else how many it was not told of before.
    pub fn wrong(&self, from: Option<IpAddr>, now: Instant) -> Option<u64> {
        let mut all = self.lock();
        if all.len() >= KEPT {
            all.retain(|_, shown| now.saturating_duration_since(shown.last) < FORGOTTEN);
        }
        let key = key(&all, from);
        let shown = all.entry(key).or_insert(Shown {
            wrong: 0,
            last: now,
            next: now,
        });
        if now.saturating_duration_since(shown.last) >= FORGOTTEN {
            shown.wrong = 0;
        }
        // Further ones were counted when they got their turn.
        shown.wrong = (shown.wrong + 1).min(FREE).max(shown.wrong);
        shown.last = now;
        shown.next = shown.next.max(now + shown.pause());
        self.log.pass(now)
    }

    /// It was the right one.
    pub fn right(&self, from: Option<IpAddr>) {
        let mut all = self.lock();
        let key = key(&all, from);
        all.remove(&key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Shown>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(all: &HashMap<IpAddr, Shown>, from: Option<IpAddr>) -> IpAddr {
    let everybody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let own = from.map_or(everybody, network);
    if all.len() < KEPT || all.contains_key(&own) {
        own
    } else {
        everybody
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slow_and_a_right_token_ends_it() {
        let attempts = Attempts::default();
        let [here, there] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().ok());
        let start = Instant::now();
        // One after the other, each as soon as the one before is answered.
        let mut now = start;
        for _ in 0..300 {
            now += attempts.turn(here, now).unwrap();
            attempts.wrong(here, now);
        }
        assert!(now - start > Duration::from_secs(250), "{:?}", now - start);
        // All at once: a few get a turn, the rest is sent away unread.
        let turns: Vec<_> = (0..300).map(|_| attempts.turn(here, now)).collect();
        assert!(turns.iter().filter(|turn| turn.is_ok()).count() <= 6, "{turns:?}");
        assert_eq!(attempts.turn(there, now), Ok(Duration::ZERO));
        attempts.right(here);
        assert_eq!(attempts.turn(here, now), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..3 * KEPT as u32 {
            attempts.wrong(Some(IpAddr::V4(Ipv4Addr::from(n + 1))), now);
        }
        assert!(attempts.lock().len() <= KEPT + 1);
        // Whoever comes now waits in the line of all others.
        assert!(attempts.turn("203.0.113.9".parse().ok(), now).is_err() || attempts.lock().len() == KEPT + 1);
        attempts.wrong("203.0.113.9".parse().ok(), now + FORGOTTEN);
        assert_eq!(attempts.lock().len(), 1);
    }
}
