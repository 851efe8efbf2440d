//! Planning anew: when recipes or the configuration change, everything ahead; when a neighbour has moved, the stays beside it;
//! the next time of every schedule.

use crate::decide::{Cause, LATE};
use crate::engine::{Setup, horizon, plans, schedule_plan};
use crate::model::clock::Time;
use crate::model::reservation::Stay;
use crate::store::{Search, StoreError};

use super::Engine;

/// How many stays are planned in one transaction: what comes in waits no longer than for these.
const TOGETHER: usize = 10;
/// Takes over rules: from here on they count, for what is decided and for what comes due. The timers plan the stays that were
/// planned under others.
pub async fn adopt(engine: &Engine, setup: Setup) -> Result<(), StoreError> {
    let _one = engine.clockwork.adopting.lock().await;
    let in_force = engine.store.put_in_force(setup.rules(), engine.clock.now()).await?;
    engine.replace(Setup { in_force, ..setup });
    engine.clockwork.mark_behind();
    Ok(())
}

/// Plans some of the stays that were planned under other rules than today's. Where to go on; `None` where there are none
/// any more.
pub async fn portion(engine: &Engine, search: Search) -> Result<Option<Search>, StoreError> {
    let (setup, now) = (engine.setup(), engine.clock.now());
    let rules = setup.in_force.id;
    let found = engine
        .store
        .unplanned(rules, horizon(&setup, now), search, TOGETHER)
        .await?;
    if !found.stays.is_empty() || !found.damaged.is_empty() {
        let plans = plans(&setup, found.stays, Cause::Rules, now);
        match engine.store.replan(plans, found.damaged, rules, now).await {
            // Somebody else has written a run of one of them: they are looked at once more.
            Err(StoreError::Conflict(_)) => return Ok(Some(search)),
            done => done?,
        }
    }
    Ok(found.next)
}

/// Plans all of them, and the next time of every schedule.
pub async fn catch_up(engine: &Engine) -> Result<(), StoreError> {
    let mut search = Some(Search::from(engine.clock.now()));
    while let Some(from) = search {
        search = portion(engine, from).await?;
    }
    schedules(engine).await
}

/// Plans these stays under the rules of today.
pub async fn these(engine: &Engine, setup: &Setup, stays: Vec<Stay>, now: Time) -> Result<(), StoreError> {
    let plans = plans(setup, engine.store.with_runs(stays).await?, Cause::Rules, now);
    engine.store.replan(plans, Vec::new(), setup.in_force.id, now).await
}

/// Plans stays anew whose neighbour has changed.
pub async fn neighbours(engine: &Engine) -> Result<(), StoreError> {
    loop {
        let stays = engine.store.to_replan(TOGETHER).await?;
        if stays.is_empty() {
            return Ok(());
        }
        let (setup, now) = (engine.setup(), engine.clock.now());
        let plans = plans(&setup, stays, Cause::Neighbour, now);
        match engine.store.replan(plans, Vec::new(), setup.in_force.id, now).await {
            // Somebody else has written one of them: the next look sees it as it is.
            Err(StoreError::Conflict(_)) => return Ok(()),
            done => done?,
        }
    }
}

/// Sees to it that the next time of every schedule is planned.
pub async fn schedules(engine: &Engine) -> Result<(), StoreError> {
    let (setup, now) = (engine.setup(), engine.clock.now());
    let plan = schedule_plan(&setup, &engine.store.schedules(now - LATE).await?, now);
    if plan.is_empty() {
        return Ok(());
    }
    engine.store.replan_schedules(plan, now).await
}
