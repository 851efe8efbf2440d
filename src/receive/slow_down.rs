//! What is turned away in numbers is answered late: who asks again once it has an answer takes little of the machine then.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use crate::model::throttle::Throttle;

/// So many are answered at once in each [`WINDOW`]: nobody who tries a few things by hand waits.
pub(super) const AT_ONCE: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);
/// How long all others wait for their answer.
pub(super) const WAIT: Duration = Duration::from_millis(250);
/// So many wait at a time; beyond that one is answered at once, as it would hold a connection.
const WAITING_MAX: usize = 256;

/// Counts what is turned away.
#[derive(Debug)]
pub(super) struct SlowDown {
    at_once: Throttle,
    waiting: Semaphore,
}

impl SlowDown {
    pub(super) fn new() -> SlowDown {
        SlowDown {
            at_once: Throttle::new(AT_ONCE, WINDOW),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// Returns when it may be answered. Nothing of the request is held meanwhile but its connection.
    pub(super) async fn turn(&self) {
        if self.at_once.pass(Instant::now()).is_some() {
            return;
        }
        if let Ok(_place) = self.waiting.try_acquire() {
            sleep_until(Instant::now() + WAIT).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_few_are_answered_at_once_and_the_others_late_as_far_as_there_is_room() {
        let slow_down = SlowDown::new();
        for _ in 0..AT_ONCE {
            assert!(slow_down.turn().now_or_never().is_some());
        }
        let mut late: Vec<_> = (0..WAITING_MAX).map(|_| Box::pin(slow_down.turn())).collect();
        for turn in &mut late {
            assert!(turn.now_or_never().is_none());
        }
        assert!(slow_down.turn().now_or_never().is_some(), "no room to wait");
        drop(late);
        assert!(slow_down.turn().now_or_never().is_none());
    }
}
