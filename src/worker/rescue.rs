//! Recovery while the process lives: leases that ran out, timers that are due.

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::Engine;

/// How often to look.
const EVERY: TimeDelta = TimeDelta::seconds(5);
/// How many timers become ready at once.
const PROMOTE_MAX: usize = 500;

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
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = engine.clock.sleep(EVERY) => {}
        }
        let found = async {
            let rescued = engine.store.rescue(engine.lease(), false).await?;
            let promoted = engine.store.promote(engine.clock.now(), PROMOTE_MAX).await?;
            engine.beat();
            if rescued + promoted > 0 {
                tracing::warn!(rescued, promoted, "runs were taken up again or came due");
                engine.wake_outbox();
            }
            Ok::<_, crate::store::StoreError>(())
        };
        if let Err(error) = found.await {
            tracing::warn!(%error, "looking for interrupted runs");
        }
        // A wake-up that was missed is made good here.
        engine.inbox.notify_one();
    }
}
