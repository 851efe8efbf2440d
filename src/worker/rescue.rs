//! Recovery while the process lives: leases that ran out.

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::store::StoreError;

use super::Engine;

/// How often to look.
const EVERY: TimeDelta = TimeDelta::seconds(5);

/// Looks until it is told to stop.
pub async fn run(engine: Engine, stop: CancellationToken) {
    crate::model::fault::dies("task-dies");
    // Here and not before the start: with a long history it takes a moment, and nobody waits for it.
    match engine.store.last_deliveries().await {
        Ok(last) => last
            .iter()
            .for_each(|(source, at)| engine.meter.delivered_before(source, *at)),
        Err(error) => tracing::warn!(%error, "when the sources last delivered is not known"),
    }
    let mut held_up = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = engine.clock.sleep(EVERY) => {}
        }
        match look(&engine).await {
            Ok(()) if std::mem::take(&mut held_up) => tracing::info!("interrupted runs are looked for again"),
            Ok(()) => {}
            Err(error) if !std::mem::replace(&mut held_up, true) => {
                tracing::warn!(%error, "interrupted runs cannot be looked for");
            }
            Err(_) => {}
        }
        // A wake-up that was missed is made good here.
        engine.inbox.notify_one();
    }
}

/// Looks once.
pub(super) async fn look(engine: &Engine) -> Result<(), StoreError> {
    let rescued = engine.store.rescue(engine.lease(), false).await?;
    engine.beat();
    super::claim::give_up(engine).await?;
    super::said::parked(engine, &rescued.parked);
    let rescued = rescued.runs;
    if rescued > 0 {
        tracing::warn!(rescued, "runs whose lease had run out were taken up again");
        engine.wake_outbox();
    }
    Ok(())
}
