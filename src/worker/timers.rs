//! The clock: planned runs become ready when their time comes. One look at the table wakes whoever is due; no task sleeps
//! for a single run, so a restart, a jump of the machine's clock or days off change nothing but what is due.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::model::clock::Time;
use crate::store::{Search, StoreError};

use super::{Engine, STORE_DOWN, due, replan};

/// The longest without a look: the machine's clock may have been set, and a wake-up may have been missed.
const LOOK: TimeDelta = TimeDelta::seconds(5);
/// How often it is looked whether the next time of every schedule is planned: a person may have called it off.
const SCHEDULES: TimeDelta = TimeDelta::minutes(1);
/// How many runs come due together.
pub(super) const TOGETHER: usize = 128;
/// How often what is due is looked at in vain, because something else is writing it, before there is a wait.
const IN_VAIN: usize = 20;
/// And how long that wait is.
const AGAIN: TimeDelta = TimeDelta::milliseconds(50);

/// What one look has to know of the looks before it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// How often the clock had been put back at the last look.
    set_backs: u32,
    /// Where to go on with planning stays that were planned under other rules.
    behind: Option<Search>,
    /// How often it had been said that there are some when that began.
    asked: Option<u64>,
    /// Whether the next times of schedules have to be looked for: the clock was put back, so that they are planned too far
    /// ahead, or one came due, and what would be next may be there from before the clock was put back.
    schedules: bool,
    /// When they were looked for last.
    sought: Option<Time>,
    /// Whether the clock was not believed at the last look.
    doubted: bool,
}

impl Turns {
    /// One look, and when to look again.
    pub(super) async fn turn(&mut self, engine: &Engine) -> Result<Time, StoreError> {
        let (set_backs, trusted) = (engine.clock.set_backs(), engine.clock.is_trusted());
        let now = engine.clock.reading();
        self.schedules |= self.sought.is_none_or(|last| now.steady - last >= SCHEDULES);
        if std::mem::replace(&mut self.doubted, !trusted) == trusted {
            match trusted {
                true => tracing::info!("planned runs go by the machine's clock"),
                false => tracing::warn!(
                    now = %engine.clock.shown(),
                    "the machine's clock has leapt; what is planned waits until it has stood for two minutes"
                ),
            }
        }
        if trusted && self.set_backs != set_backs {
            engine.store.set_back(now.wall).await?;
            tracing::info!("the machine's clock was put back; what is planned and what waits go by it");
            (self.set_backs, self.schedules) = (set_backs, true);
            engine.wake_outbox();
        }
        loop {
            let asked = engine.clockwork.behind.load(Ordering::Acquire);
            if self.asked.replace(asked) != Some(asked) {
                (self.behind, self.schedules) = (Some(Search::from(now.wall)), true);
            }
            if let Some(search) = self.behind {
                self.behind = replan::portion(engine, search).await?;
                if self.behind.is_none() {
                    engine.clockwork.planned.send_replace(asked);
                }
            }
            if !trusted {
                match self.behind {
                    Some(_) => continue,
                    None => return Ok(now.wall + LOOK),
                }
            }
            if self.schedules {
                replan::schedules(engine).await?;
                self.schedules = false;
                self.sought = Some(now.steady);
            }
            let next = look(engine, &mut self.schedules).await?;
            if self.behind.is_none() && !self.schedules {
                return Ok(next);
            }
        }
    }
}

/// Looks until it is told to stop.
pub async fn run(engine: Engine, stop: CancellationToken) {
    let mut held_up = false;
    let mut turns = Turns::default();
    while !stop.is_cancelled() {
        let woken = engine.clockwork.wake.notified();
        let now = engine.clock.now();
        let next = match turns.turn(&engine).await {
            Ok(next) => {
                if std::mem::take(&mut held_up) {
                    tracing::info!("timers go on");
                }
                next
            }
            Err(error) => {
                if !std::mem::replace(&mut held_up, true) {
                    tracing::warn!(%error, "timers wait");
                }
                now + STORE_DOWN
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = woken => {}
            () = engine.clock.sleep_until(next) => {}
        }
    }
}

/// Takes on what is due, and says when to look again. `schedules`: whether a time of the calendar was among it.
async fn look(engine: &Engine, schedules: &mut bool) -> Result<Time, StoreError> {
    let mut in_vain = 0;
    loop {
        replan::neighbours(engine).await?;
        let taken = match due::batch(engine, TOGETHER).await {
            // Something else has written one of them, or recipes have changed: the next look sees it as it is.
            Err(StoreError::Conflict(_)) => false,
            batch => {
                let batch = batch?;
                *schedules |= batch.schedules;
                batch.is_done()
            }
        };
        let now = engine.clock.now();
        let next = engine.store.next_due().await?;
        match next.filter(|next| *next <= now) {
            None => return Ok(next.map_or(now + LOOK, |next| next.min(now + LOOK))),
            Some(_) if taken => in_vain = 0,
            Some(_) => {
                in_vain += 1;
                if in_vain > IN_VAIN {
                    return Ok(now + AGAIN);
                }
                tokio::task::yield_now().await;
            }
        }
    }
}
