//! How often something may be written to the log: what strangers cause must not fill a disk.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lets a few things through in each window of time, and counts the rest.
#[derive(Debug)]
pub struct Throttle {
    most: u32,
    window: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    began: Option<Instant>,
    passed: u32,
    held_back: u64,
}

impl Throttle {
    /// Lets `most` through in each `window`.
    pub fn new(most: u32, window: Duration) -> Throttle {
        Throttle {
            most,
            window,
            state: Mutex::default(),
        }
    }

    /// Ten a minute: enough for a person, little for a disk.
    pub fn of_a_log() -> Throttle {
        Throttle::new(10, Duration::from_secs(60))
    }

    /// `None` while enough has passed; else how many were held back since the last one that passed.
    pub fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state
            .began
            .is_none_or(|began| now.saturating_duration_since(began) >= self.window)
        {
            (state.began, state.passed) = (Some(now), 0);
        }
        if state.passed >= self.most {
            state.held_back += 1;
            return None;
        }
        state.passed += 1;
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_pass_and_the_rest_is_counted() {
        let throttle = Throttle::new(2, Duration::from_secs(60));
        let start = Instant::now();
        let at = |seconds| throttle.pass(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(2), at(59)], [Some(0), Some(0), None, None]);
        assert_eq!([at(60), at(61), at(62)], [Some(2), Some(0), None]);
        assert_eq!(at(500), Some(1));
    }
}
