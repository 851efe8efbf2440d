//! Deliveries to decisions: in order of arrival for each stay, many stays in one group.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::engine::{Read, World, claim, lookup, read};
use crate::model::decision::Decision;
use crate::model::delivery::{Outcome, Pending};
use crate::store::StoreError;

use super::flight::{Flights, Launched, launched};
use super::said::{self, Said};
use super::{Engine, LEASE, STORE_DOWN};

/// How many deliveries are looked at together.
const GROUP: usize = 64;
/// And how many bytes of bodies, beyond the first: read, a body takes many times its bytes.
const GROUP_BYTES: usize = 1 << 20;
/// When so many came in while a group was decided, and more than were decided, the next group waits as long as this one
/// took: a burst is taken in first and decided afterwards, and deciding still goes on.
const BURST: u64 = 32;
/// And never longer than this.
const YIELD_MAX: Duration = Duration::from_millis(50);
/// How many deliveries of one stay are decided, each in a commit of its own, before the next look at what has come since.
const ROUNDS: usize = 32;

/// Decides until it is told to stop.
pub async fn run(engine: Engine, launch: mpsc::Sender<Launched>, stop: CancellationToken) {
    let mut held_up = false;
    while !stop.is_cancelled() {
        let woken = engine.inbox.notified();
        let (began, received) = (Instant::now(), engine.store.received());
        let found = group(&engine, &launch).await;
        if found.is_ok() && std::mem::take(&mut held_up) {
            tracing::info!("deliveries are decided again");
        }
        match found {
            Ok(0) => tokio::select! {
                () = woken => {}
                () = stop.cancelled() => return,
            },
            Ok(decided) => {
                let more = engine.store.received() - received;
                if more >= BURST.max(decided as u64) {
                    // Not a wait for something to happen: time for what comes in.
                    let _ = timeout(began.elapsed().min(YIELD_MAX), stop.cancelled()).await;
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut held_up, true) {
                    tracing::warn!(%error, "deliveries wait for their decision");
                }
                tokio::select! {
                    () = engine.clock.sleep(STORE_DOWN) => {}
                    () = stop.cancelled() => return,
                }
            }
        }
    }
}

/// Decides what waits, as far as it fits into one group; how many deliveries were decided.
pub(super) async fn group(engine: &Engine, launch: &mpsc::Sender<Launched>) -> Result<usize, StoreError> {
    let pending = engine.store.undecided(GROUP, GROUP_BYTES).await?;
    if pending.is_empty() {
        return Ok(0);
    }
    let setup = engine.setup();
    let mut reads: Vec<Read> = pending.into_iter().map(|pending| read(&setup, pending)).collect();
    let mut count = 0;
    // What waits for something before it about the same stay is read and mapped once for several rounds, else a stay
    // with many deliveries would cost the square of them.
    for _ in 0..ROUNDS {
        let looked = match engine
            .store
            .known(&lookup(&reads, setup.plans_stays(), setup.in_force.id))
            .await
        {
            Ok(looked) => looked,
            Err(StoreError::Broken(_)) => return damaged(engine, reads).await.map(|failed| count + failed),
            Err(error) => return Err(error),
        };
        let mut taken = HashSet::new();
        let (round, later): (Vec<Read>, Vec<Read>) =
            reads.into_iter().partition(|read| claim(&mut taken, read, &looked));
        let mut world = World::of(looked);
        if setup.reads_neighbours() {
            let places = world.places(&setup, &round);
            let found = engine.store.neighbours(&places.places).await?;
            world.set_beside(places, found);
        }
        let mut flights = Flights::new();
        let mut decisions = Vec::with_capacity(round.len());
        for read in &round {
            let mut decision = world
                .deliver(&setup, read, engine.clock.now())
                .unwrap_or_else(|fault| failed(engine, &read.pending, &fault.trace));
            launched(engine, &setup, &read.payload, &mut decision, &mut flights);
            decisions.push(decision);
        }
        count += decisions.len();
        let whole = apply(engine, launch, decisions, flights).await?;
        if engine.setup().in_force.id != setup.in_force.id {
            // Other rules came into force meanwhile, and these stays may have been passed already.
            engine.clockwork.mark_behind();
        }
        reads = later;
        if reads.is_empty() || !whole {
            break;
        }
    }
    Ok(count)
}

/// Where a row that some of the deliveries need is damaged: those fail, each for itself, and the others go on. How many
/// failed; an error where none did, so that nobody turns in circles.
async fn damaged(engine: &Engine, reads: Vec<Read>) -> Result<usize, StoreError> {
    let mut failures = Vec::new();
    for read in &reads {
        match engine.store.known(&lookup(std::slice::from_ref(read), true, 0)).await {
            Ok(_) => {}
            Err(StoreError::Broken(because)) => failures.push(failed(engine, &read.pending, &because)),
            Err(error) => return Err(error),
        }
    }
    if failures.is_empty() {
        return Err(StoreError::Unavailable("a row was damaged a moment ago".to_owned()));
    }
    let count = failures.len();
    engine.store.apply(failures, engine.lease()).await?;
    Ok(count)
}

fn failed(engine: &Engine, pending: &Pending, trace: &str) -> Decision {
    tracing::error!(delivery.id = %pending.id, source = pending.source, "a fault of Stayhook while deciding; the delivery is kept");
    Decision {
        delivery: pending.id.clone(),
        replay: pending.replay.clone(),
        outcome: Outcome::Failed,
        because: "a fault of Stayhook; the delivery is kept and can be replayed".to_owned(),
        trace: Some(trace.to_owned()),
        warnings: Vec::new(),
        facts: Vec::new(),
        at: engine.clock.now(),
    }
}

/// Applies a group; where the store does not take it, one by one, so that one bad decision holds up nobody. Says
/// whether all of it is applied.
async fn apply(
    engine: &Engine,
    launch: &mpsc::Sender<Launched>,
    decisions: Vec<Decision>,
    mut flights: Flights,
) -> Result<bool, StoreError> {
    let decisions = Arc::new(decisions);
    let mut said: Vec<Said> = decisions.iter().map(Said::of).collect();
    let mut whole = true;
    let mut down = None;
    let leased = engine.clock.steady() + LEASE;
    let applied = match engine.store.apply(decisions.clone(), engine.lease()).await {
        Ok(applied) => applied,
        Err(StoreError::Conflict(_) | StoreError::Broken(_)) => {
            let mut all = crate::store::Applied::default();
            // Nothing is applied before it is.
            said.clear();
            for decision in decisions.iter() {
                let (delivery, of) = (decision.delivery.clone(), Said::of(decision));
                match engine.store.apply(vec![decision.clone()], engine.lease()).await {
                    Ok(applied) => {
                        all.planned |= applied.planned;
                        said.push(of);
                        all.started.extend(applied.started);
                        all.waiting.extend(applied.waiting);
                        all.ended.extend(applied.ended);
                        all.failed_steps += applied.failed_steps;
                    }
                    // Somebody changed the stay in between: the next group sees it as it is now.
                    Err(StoreError::Conflict(because)) => {
                        whole = false;
                        tracing::debug!(delivery.id = %delivery, because, "to be decided again")
                    }
                    Err(StoreError::Broken(because)) => {
                        let pending = Pending {
                            seq: 0,
                            id: delivery,
                            source: String::new(),
                            received_at: engine.clock.now(),
                            headers: String::new(),
                            body: Vec::new(),
                            outcome: Outcome::Undecided,
                            replay: None,
                        };
                        let failure = failed(engine, &pending, &because);
                        let of = Said::of(&failure);
                        match engine.store.apply(vec![failure], engine.lease()).await {
                            Ok(_) => said.push(of),
                            Err(error) => down = Some(error),
                        }
                    }
                    Err(error) => down = Some(error),
                }
                if down.is_some() {
                    // What is applied so far goes on its way all the same: its runs are leased.
                    break;
                }
            }
            all
        }
        Err(error) => return Err(error),
    };
    for said in said {
        said.tell(engine);
    }
    for (run, state) in &applied.ended {
        said::ended(engine, run, *state);
    }
    engine.meter.failed_steps(applied.failed_steps);
    flights.retain(|id, _| applied.started.contains(id));
    engine.lanes.wait_for(applied.waiting.iter().cloned());
    if applied.planned {
        engine.clockwork.wake.notify_one();
    }
    // Not only for what waits now: what was called off may have held something back.
    engine.outbox.notify_one();
    for (_, flight) in flights {
        // The outbox ends only with the process; what it did not take is taken up after the restart.
        let _ = launch.send((flight, leased)).await;
    }
    down.map_or(Ok(whole), Err)
}
