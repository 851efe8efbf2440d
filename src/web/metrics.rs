//! `/metrics`: what is counted, and how things stand in the store at this moment.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{HeaderMap, header};

use crate::model::clock::{Time, from_ms};
use crate::model::meter::{Exposition, Standing};
use crate::store::StoreError;

use super::answer::Answer;
use super::route::Route;
use super::{Console, Shared};

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::get(
    "/metrics",
    "Prometheus text, or OpenMetrics where the request accepts it",
    || get(show),
)
.root()];

async fn show(State(desk): State<Shared>, headers: HeaderMap) -> Answer {
    let standing = standing(&desk.console).await;
    if let Err(error) = &standing {
        tracing::debug!(%error, "metrics without the store");
    }
    if let Some(bytes) = resident_bytes() {
        desk.console.meter.resident(bytes);
    }
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let exposition = match accepts.is_some_and(|accepts| accepts.contains("application/openmetrics-text")) {
        true => Exposition::OpenMetrics,
        false => Exposition::Plain,
    };
    let text = desk.console.meter.text(standing.ok().as_ref(), exposition);
    Ok(([(header::CONTENT_TYPE, exposition.content_type())], text).into_response())
}

async fn standing(console: &Console) -> Result<Standing, StoreError> {
    let now = console.clock.now();
    let counts = console.store.counts(now).await?;
    let paused = console.store.paused().await?;
    let room = console.store.room();
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    Ok(Standing {
        undecided: counts.undecided,
        undecided_oldest_s: age_s(counts.undecided_oldest_ms, now),
        due: counts.due,
        due_oldest_s: age_s(counts.due_oldest_ms, now),
        runs: counts.runs,
        paused: paused.into_iter().map(|paused| paused.name).collect(),
        store_takes: console.live.store().is_ok(),
        store_bytes: bytes(room.bytes),
        store_wal_bytes: bytes(room.wal),
        store_free_bytes: bytes(room.free.unwrap_or_default()),
    })
}

/// What Linux says the process holds in memory; nothing elsewhere.
fn resident_bytes() -> Option<i64> {
    // `VmRSS:     12345 kB`, proc_pid_status(5); a read of this file never waits for a disk.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

fn age_s(since_ms: Option<i64>, now: Time) -> f64 {
    let age = since_ms.map_or(std::time::Duration::ZERO, |ms| {
        (now - from_ms(ms)).to_std().unwrap_or_default()
    });
    age.as_secs_f64()
}
