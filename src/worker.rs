//! What goes on behind the receive path: deliveries are decided, runs are sent, what was interrupted is taken up again.

pub mod by_step;
mod claim;
mod conclude;
mod due;
mod flight;
mod follow;
mod gather;
mod inbox;
mod lanes;
mod outbox;
mod replan;
mod rescue;
mod results;
mod said;
mod timers;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use chrono::TimeDelta;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::model::clock::{Clock, Time, from_ms};
use crate::model::meter::Meter;
use crate::outbound::Outbound;
use crate::store::{Lease, Store, StoreError};

pub use lanes::{LaneState, Lanes};

use crate::engine::Setup;

/// How long a run is leased.
pub const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often leases are renewed.
const RENEW: TimeDelta = TimeDelta::seconds(10);
/// Without a sign of life for so long the daemon counts as stalled.
const STALLED: TimeDelta = TimeDelta::seconds(60);
/// How long to wait after the store could not be reached.
const STORE_DOWN: TimeDelta = TimeDelta::milliseconds(500);

/// Everything the background tasks share.
#[derive(Clone)]
pub struct Engine {
    /// The store.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Sources, recipes, properties and connections; replaced as a whole.
    pub setup: Arc<RwLock<Arc<Setup>>>,
    /// The one HTTP client.
    pub outbound: Outbound,
    /// One lane per connection.
    pub lanes: Lanes,
    /// The name under which this process leases runs.
    pub owner: Arc<str>,
    /// Wakes the inbox.
    pub inbox: Arc<Notify>,
    /// Wakes the outbox.
    pub outbox: Arc<Notify>,
    /// What plans ahead.
    pub clockwork: Clockwork,
    /// What is counted.
    pub meter: Arc<Meter>,
    /// When the store last took what the rescue loop wrote, by the steady clock in milliseconds: a sign of life of writer and
    /// database together.
    pub pulse: Arc<AtomicI64>,
}

/// What the parts share that plan ahead.
#[derive(Clone, Debug, Default)]
pub struct Clockwork {
    /// Wakes the timers: something may be due earlier than what was next before.
    pub wake: Arc<Notify>,
    /// How often it was said that stays may have been planned under other rules than those in force.
    behind: Arc<AtomicU64>,
    /// How many of these times have been seen to.
    planned: watch::Sender<u64>,
    /// Held by whoever takes over new rules.
    adopting: Arc<Mutex<()>>,
}

impl Clockwork {
    /// Says that stays may have been planned under other rules than those in force.
    fn mark_behind(&self) {
        self.behind.fetch_add(1, Ordering::AcqRel);
        self.wake.notify_one();
    }

    /// Waits until every stay is planned under the rules in force.
    pub async fn until_planned(&self) {
        // It ends no earlier than this, which holds the sender.
        let planned = |planned: &u64| *planned == self.behind.load(Ordering::Acquire);
        _ = self.planned.subscribe().wait_for(planned).await;
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// The sources, recipes, properties and connections as they are now.
    pub fn setup(&self) -> Arc<Setup> {
        self.setup
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// Takes over what a changed configuration and changed recipes say: it counts at once, what is ahead is planned anew from
    /// here on, and paused connections try again.
    ///
    /// # Errors
    /// Where the store cannot take the new rules; then everything stays as it was.
    pub async fn adopt(&self, setup: Setup) -> Result<(), StoreError> {
        replan::adopt(self, setup).await?;
        self.lanes.try_again(self.clock.reading());
        self.wake_outbox();
        Ok(())
    }

    /// Plans at once what [`Engine::adopt`] leaves to the timers, where there are none.
    ///
    /// # Errors
    /// Where the store fails; what is planned by then stays.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        replan::catch_up(self).await
    }

    fn replace(&self, setup: Setup) {
        self.lanes
            .configure(setup.connections.values().map(|connection| &**connection));
        *self.setup.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(setup);
        self.name_what_is_counted();
        self.wake_outbox();
    }

    fn name_what_is_counted(&self) {
        let setup = self.setup();
        self.meter.recipes(setup.book.all().len(), setup.book.broken().len());
        self.meter
            .configured(setup.sources.keys().cloned(), setup.connections.keys().cloned());
    }

    /// Notes a sign of life.
    pub fn beat(&self) {
        if crate::model::fault::left_out("no-progress") {
            return;
        }
        self.pulse
            .store(self.clock.steady().timestamp_millis(), Ordering::Relaxed);
    }

    /// Since when there has been no sign of life, where that is longer than it may be.
    pub fn stalled(&self) -> Option<Time> {
        let now = self.clock.reading();
        let silent = now.steady - from_ms(self.pulse.load(Ordering::Relaxed));
        (silent > STALLED).then(|| now.wall - silent)
    }

    /// A lease that begins now.
    pub fn lease(&self) -> Lease {
        let now = self.clock.reading();
        Lease {
            owner: self.owner.to_string(),
            now: now.wall,
            steady: now.steady,
            until: now.steady + LEASE,
            neighbours: self.setup().reads_neighbours(),
        }
    }

    /// Says that runs may wait that the outbox has not heard of: after a change by hand, after a reload.
    pub fn wake_outbox(&self) {
        self.lanes.look_again();
        self.outbox.notify_one();
    }

    /// Takes up what the last process left: every leased run, paused connections, waiting lanes.
    pub async fn recover(&self) -> Result<u64, StoreError> {
        self.meter.started(self.clock.now());
        self.name_what_is_counted();
        replan::adopt(self, (*self.setup()).clone()).await?;
        let now = self.clock.now();
        if self
            .store
            .newest()
            .await?
            .is_some_and(|newest| newest > now + TimeDelta::seconds(1))
        {
            // The rest once it is believed.
            self.clock.is_behind();
            self.store.pull_in(now).await?;
        }
        let rescued = self.store.rescue(self.lease(), true).await?;
        said::parked(self, &rescued.parked);
        self.beat();
        self.lanes.restore(self.store.paused().await?, self.clock.reading());
        self.wake_outbox();
        self.inbox.notify_one();
        Ok(rescued.runs)
    }

    /// The background tasks, each of which runs until `stop` is cancelled; one that ends before is a fault of ours.
    pub fn tasks(&self, stop: &CancellationToken) -> Vec<(&'static str, futures::future::BoxFuture<'static, ()>)> {
        let (launch, launched) = mpsc::channel(outbox::LAUNCH_MAX);
        vec![
            ("inbox", Box::pin(inbox::run(self.clone(), launch, stop.clone()))),
            ("outbox", Box::pin(outbox::run(self.clone(), launched, stop.clone()))),
            ("timers", Box::pin(timers::run(self.clone(), stop.clone()))),
            ("rescue", Box::pin(rescue::run(self.clone(), stop.clone()))),
        ]
    }
}
