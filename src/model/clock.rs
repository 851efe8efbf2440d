//! Time as a parameter. Nothing but this file asks the machine what time it is.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use tokio::sync::watch;

/// An instant. Stored as milliseconds since 1970 (UTC).
pub type Time = DateTime<Utc>;

/// Where the time comes from: the machine, or a test that moves it by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is told to move.
    Manual(Arc<watch::Sender<Time>>),
}

impl Clock {
    /// A clock that stands at `start` until [`Clock::advance`] or [`Clock::set`] moves it.
    pub fn manual(start: Time) -> Clock {
        Clock::Manual(Arc::new(watch::Sender::new(start)))
    }

    /// The time now, to the millisecond.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the machine's clock is read"
    )]
    pub fn now(&self) -> Time {
        match self {
            Clock::System => from_ms(Utc::now().timestamp_millis()),
            Clock::Manual(now) => *now.borrow(),
        }
    }

    /// Returns once the clock shows `until` or later.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that waits for the machine's clock"
    )]
    pub async fn sleep_until(&self, until: Time) {
        match self {
            Clock::System => {
                // A jump of the machine's clock must be seen: no single wait is longer than a minute.
                while let Ok(left) = (until - self.now()).to_std() {
                    if left.is_zero() {
                        return;
                    }
                    tokio::time::sleep(left.min(std::time::Duration::from_secs(60))).await;
                }
            }
            Clock::Manual(now) => {
                // The sender lives in `self`, so the only error (sender gone) cannot happen.
                let _ = now.subscribe().wait_for(|now| *now >= until).await;
            }
        }
    }

    /// Waits for `span` by this clock.
    pub async fn sleep(&self, span: TimeDelta) {
        self.sleep_until(self.now() + span).await;
    }

    /// Moves a manual clock on; the machine's clock is left alone.
    pub fn advance(&self, by: TimeDelta) {
        if let Clock::Manual(now) = self {
            now.send_modify(|now| *now += by);
        }
    }

    /// Sets a manual clock, backwards too; the machine's clock is left alone.
    pub fn set(&self, to: Time) {
        if let Clock::Manual(now) = self {
            now.send_replace(to);
        }
    }
}

/// Milliseconds since 1970 as an instant; what lies outside chrono's range becomes 1970.
pub fn from_ms(ms: i64) -> Time {
    Utc.timestamp_millis_opt(ms).single().unwrap_or_default()
}

/// A local time in a zone: one that does not exist is the next that does, one that exists twice the first.
pub fn local_in(zone: Tz, at: NaiveDateTime) -> DateTime<FixedOffset> {
    let found = |at: NaiveDateTime| zone.from_local_datetime(&at).earliest().map(|at| at.fixed_offset());
    if let Some(at) = found(at) {
        return at;
    }
    // Gaps end on a whole minute. The longest gap ever was a day (a zone that crossed the date line).
    let minute = at.with_second(0).and_then(|at| at.with_nanosecond(0)).unwrap_or(at);
    (1..=25 * 60)
        .find_map(|minutes| found(minute + TimeDelta::minutes(minutes)))
        .unwrap_or_else(|| at.and_utc().fixed_offset())
}
