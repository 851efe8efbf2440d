//! Time as a parameter. Nothing but this file asks the machine what time it is.
//!
//! A machine's clock may be wrong and be set, in either direction, at any moment. So spans are measured with one that only
//! goes on ([`Clock::steady`]), and a daemon's clock is held against that one: what it shows after a leap ahead is believed
//! once it has stood for a while.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use tokio::sync::watch;

/// An instant. Stored as milliseconds since 1970 (UTC).
pub type Time = DateTime<Utc>;

/// The longest wait for a time: then whoever waits asks again what time it is.
const WAIT_MAX: TimeDelta = TimeDelta::seconds(5);
/// A clock that is ahead of the time that has passed by more than this is not believed at once.
const LEAP: TimeDelta = TimeDelta::hours(1);
/// How long it has to stand before it is.
const STANDS: TimeDelta = TimeDelta::minutes(2);
/// A clock that is put back by less than this is not worth a look.
const BACK: TimeDelta = TimeDelta::seconds(1);

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock, believed whatever it shows: for commands, which end soon.
    System,
    /// A clock that is held against the time that passes, of the machine or of a test that moves it by hand.
    Watched(Arc<Watched>),
}

/// What a clock shows, and what is made of it.
#[derive(Debug)]
pub struct Watched {
    /// Set in tests: what is shown instead of the machine's clock.
    manual: Option<Arc<watch::Sender<Reading>>>,
    belief: Mutex<Belief>,
}

/// One look at a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The time of day.
    pub wall: Time,
    /// A time that only goes on, to measure spans within one process: never set, and never to be stored for another.
    pub steady: Time,
}

#[derive(Debug, Default)]
struct Belief {
    /// How far the clock is ahead of the steady one; `None` before the first look.
    ahead: Option<TimeDelta>,
    /// How far it is ahead since a leap, and when that was seen.
    leap: Option<(TimeDelta, Time)>,
    /// Until then the clock is behind what is known to have been.
    behind_until: Option<Time>,
    /// How often it was put back.
    set_backs: u32,
}

impl Belief {
    /// The time that is believed.
    fn look(&mut self, reading: Reading) -> Time {
        let shown = reading.wall - reading.steady;
        let ahead = *self.ahead.get_or_insert(shown);
        if shown - ahead > LEAP {
            match self.leap {
                Some((leap, since)) if (shown - leap).abs() <= LEAP => {
                    if reading.steady - since < STANDS {
                        return reading.steady + ahead;
                    }
                }
                _ => {
                    self.leap = Some((shown, reading.steady));
                    return reading.steady + ahead;
                }
            }
        }
        self.set_backs += u32::from(shown < ahead - BACK);
        self.leap = None;
        self.ahead = Some(shown);
        reading.wall
    }
}

impl Watched {
    fn reading(&self) -> Reading {
        self.manual.as_ref().map_or_else(machine, |shown| *shown.borrow())
    }

    fn belief<T>(&self, of: impl FnOnce(&mut Belief, Time, Reading) -> T) -> T {
        let mut belief = self.belief.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = self.reading();
        let now = belief.look(reading);
        of(&mut belief, now, reading)
    }
}

/// What the machine shows, to the millisecond.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where the machine's clocks are read"
)]
fn machine() -> Reading {
    static BEGAN: LazyLock<(Instant, i64)> = LazyLock::new(|| (Instant::now(), Utc::now().timestamp_millis()));
    let (began, at) = *BEGAN;
    let passed = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    Reading {
        wall: from_ms(Utc::now().timestamp_millis()),
        steady: from_ms(at.saturating_add(passed)),
    }
}

impl Clock {
    /// The machine's clock, watched for leaps: for a daemon.
    pub fn machine() -> Clock {
        Clock::watched(None)
    }

    /// A clock that stands at `start` until [`Clock::advance`], [`Clock::set`] or [`Clock::leap`] moves it.
    pub fn manual(start: Time) -> Clock {
        let (wall, steady) = (start, start);
        Clock::watched(Some(Arc::new(watch::Sender::new(Reading { wall, steady }))))
    }

    /// The same clock as another process sees it, which knows nothing of what it showed before.
    pub fn seen_anew(&self) -> Clock {
        match self {
            Clock::System => Clock::System,
            Clock::Watched(watched) => Clock::watched(watched.manual.clone()),
        }
    }

    fn watched(manual: Option<Arc<watch::Sender<Reading>>>) -> Clock {
        let belief = Mutex::default();
        Clock::Watched(Arc::new(Watched { manual, belief }))
    }

    /// The time now, to the millisecond: after a leap ahead that has not stood for two minutes it goes on as it was.
    pub fn now(&self) -> Time {
        self.reading().wall
    }

    /// The time as the clock shows it, believed or not: to hold against what somebody else says it is.
    pub fn shown(&self) -> Time {
        match self {
            Clock::System => machine().wall,
            Clock::Watched(watched) => watched.reading().wall,
        }
    }

    /// A time that only goes on, to measure spans within one process.
    pub fn steady(&self) -> Time {
        self.reading().steady
    }

    /// Both at once.
    pub fn reading(&self) -> Reading {
        match self {
            Clock::System => machine(),
            Clock::Watched(watched) => watched.belief(|_, wall, Reading { steady, .. }| Reading { wall, steady }),
        }
    }

    /// Whether what only the time asks for may happen: not while a leap ahead has not stood for two minutes, nor in the
    /// first two minutes of a clock that was behind.
    pub fn is_trusted(&self) -> bool {
        match self {
            Clock::System => true,
            Clock::Watched(watched) => watched.belief(|belief, _, reading| {
                belief.leap.is_none() && belief.behind_until.is_none_or(|until| reading.steady >= until)
            }),
        }
    }

    /// Says that the clock is behind a time that has been.
    pub fn is_behind(&self) {
        if let Clock::Watched(watched) = self {
            watched.belief(|belief, _, reading| {
                belief.behind_until = Some(reading.steady + STANDS);
                belief.set_backs += 1;
            });
        }
    }

    /// How often the clock was put back, or was behind: whoever has planned ahead by it looks again after each time.
    pub fn set_backs(&self) -> u32 {
        match self {
            Clock::System => 0,
            Clock::Watched(watched) => watched.belief(|belief, _, _| belief.set_backs),
        }
    }

    /// Returns once the clock shows `until`, and after a few seconds whatever it shows: it may have been set meanwhile, so
    /// whoever waits asks again.
    pub async fn sleep_until(&self, until: Time) {
        let most = self.steady() + WAIT_MAX;
        if let Some(mut shown) = self.manual_clock().map(watch::Sender::subscribe) {
            while self.now() < until && self.steady() < most {
                // The sender lives in `self`, so the only error (sender gone) cannot happen.
                let _ = shown.changed().await;
            }
        } else {
            self.sleep((until - self.now()).min(WAIT_MAX)).await;
        }
    }

    /// Waits while so much time passes, whatever the clock is set to.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that waits")]
    pub async fn sleep(&self, span: TimeDelta) {
        match self.manual_clock() {
            None => tokio::time::sleep(span.to_std().unwrap_or_default()).await,
            Some(shown) => {
                let until = self.steady() + span;
                let _ = shown.subscribe().wait_for(|shown| shown.steady >= until).await;
            }
        }
    }

    fn manual_clock(&self) -> Option<&watch::Sender<Reading>> {
        match self {
            Clock::System => None,
            Clock::Watched(watched) => watched.manual.as_deref(),
        }
    }

    /// Lets time pass by a manual clock; less than none puts it back. The machine's clock is left alone, here and below.
    pub fn advance(&self, by: TimeDelta) {
        if let Some(shown) = self.manual_clock() {
            shown.send_modify(|shown| {
                shown.wall += by;
                shown.steady += by.max(TimeDelta::zero());
            });
        }
    }

    /// Lets time pass until a manual clock shows `to`, or puts it back.
    pub fn set(&self, to: Time) {
        self.advance(to - self.shown());
    }

    /// Sets a manual clock ahead or back while no time passes.
    pub fn leap(&self, by: TimeDelta) {
        if let Some(shown) = self.manual_clock() {
            shown.send_modify(|shown| shown.wall += by);
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
