//! Looking after the file: is it still there, does it take what is written, does its write-ahead log stay small, is it whole?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::model::clock::Clock;

use super::dialect::{Database, Sql};
use super::file::Held;
use super::{Store, StoreError};

/// How often to look.
const EVERY: TimeDelta = TimeDelta::seconds(3);
/// A write-ahead log that is larger is written back and cut, in bytes. SQLite keeps it near 4 MiB by itself.
const WAL_LARGE: u64 = 16 << 20;
/// And one that is larger still is told, in bytes: somebody holds it open.
const WAL_HUGE: u64 = 64 << 20;
/// With less room than this, in bytes, a person is told, and whether the disk takes something is tried.
const ROOM_LITTLE: u64 = 64 << 20;
/// With less, in bytes, a disk that was full is still full.
const ROOM_NONE: u64 = 1 << 20;
/// How many bytes are written to see whether the disk takes them.
const FILLER: i64 = 64 << 10;
/// How long the check at the start may take.
const CHECK_MAX: Duration = Duration::from_secs(3);

impl Store {
    /// Looks after the file until `stop` is cancelled, or until it is gone.
    pub async fn keep_up(&self, clock: Clock, stop: CancellationToken) {
        let looking = async {
            loop {
                clock.sleep(EVERY).await;
                let looked = self.look().await;
                if let Err(error) = &looked {
                    self.database.health.refused(Some(error));
                }
                let unreadable = matches!(looked, Err(StoreError::Broken(_)));
                let text = "the database cannot be read as it should: it may be damaged";
                self.database
                    .health
                    .warn("unreadable", unreadable.then(|| text.to_owned()));
            }
        };
        let checking = async {
            self.check().await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = self.database.health.wait_until_gone() => {}
            () = looking => {}
            () = checking => {}
        }
        // Where only the log was taken away, we still have it open: all of it goes into the database.
        if self.database.held().is_some_and(Held::lost_its_log) {
            match checkpoint(&self.database, "PRAGMA wal_checkpoint(PASSIVE)").await {
                Ok(true) => tracing::warn!("what stood in the write-ahead log is in the database"),
                Ok(false) => tracing::error!("not all that stood in the write-ahead log is in the database"),
                Err(error) => tracing::error!(%error, "what stood in the write-ahead log is not in the database"),
            }
        }
    }

    /// Looks once.
    async fn look(&self) -> Result<(), StoreError> {
        let database = &*self.database;
        database.still_there()?;
        if let Some(held) = database.held() {
            held.not_written_over()
                .map_err(|error| database.health.noticed(error))?;
        }
        database.fenced(&mut database.upkeep().await?).await?;
        if self.room().wal > WAL_LARGE && checkpoint(database, "PRAGMA wal_checkpoint(PASSIVE)").await? {
            let cutting = |now| database.held().into_iter().for_each(|held| held.cutting(now));
            cutting(true);
            let cut = checkpoint(database, "PRAGMA wal_checkpoint(TRUNCATE)").await;
            cutting(false);
            cut?;
        }
        let room = self.room();
        let huge = room.wal > WAL_HUGE;
        database.health.warn("log", huge.then(|| "the write-ahead log is larger than 64 MiB: something has been reading the database for a long time and keeps it from being written back".to_owned()));
        let little = room.free.is_some_and(|free| free < ROOM_LITTLE);
        database.health.warn(
            "room",
            little.then(|| "less than 64 MiB are free where the database is".to_owned()),
        );
        let refuses = database.health.writable();
        let still_full = refuses == Err(StoreError::Full) && room.free.is_some_and(|free| free < ROOM_NONE);
        if (refuses.is_err() || little) && !still_full {
            self.write(|conn| Box::pin(async move { conn.execute(filler(Some(FILLER))).await }))
                .await?;
            self.write(|conn| Box::pin(async move { conn.execute(filler(None)).await }))
                .await?;
            database.health.takes();
        }
        Ok(())
    }

    /// Looks for damage, table by table and each with its indexes, as long as it may take; what everything hangs on first.
    #[expect(clippy::disallowed_methods, reason = "a bound for work, not a time anybody sees")]
    async fn check(&self) {
        let until = Instant::now() + CHECK_MAX;
        match damage(&self.database, until).await {
            Ok((looked, of, None)) if looked == of => {
                tracing::info!(tables = of, "the database was checked and is whole")
            }
            Ok((looked, of, None)) => tracing::info!(
                looked,
                of,
                "the database was checked as far as time allowed; no damage was seen"
            ),
            Ok((.., Some(what))) => {
                let text = format!("the database is damaged ({what}): docs/upgrade-and-backup.md says what to do");
                self.database.health.warn("damage", Some(text));
            }
            Err(error) => tracing::warn!(%error, "the database could not be checked for damage"),
        }
    }
}

fn filler(bytes: Option<i64>) -> Sql {
    let mut sql = Sql::new("UPDATE fence SET filler = zeroblob(");
    sql.bind(bytes).push(")");
    sql
}

/// Writes the write-ahead log back; whether that was all of it.
async fn checkpoint(database: &Database, sql: &'static str) -> Result<bool, StoreError> {
    let rows = database.upkeep().await?.fetch(Sql::new(sql)).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    Ok(row.int(0)? == 0 && row.int(1)? == row.int(2)?)
}

/// How many tables were looked at, of how many, and the first damage.
async fn damage(database: &Database, until: Instant) -> Result<(usize, usize, Option<String>), StoreError> {
    let mut conn = database.reader().await?;
    let tables = conn
        .fetch(Sql::new(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
             ORDER BY name IN ('deliveries', 'events'), name",
        ))
        .await?;
    let late = Arc::new(AtomicBool::new(false));
    conn.stop_at(until, late.clone()).await?;
    let mut found = None;
    let mut looked = 0;
    for table in &tables {
        let mut sql = Sql::new("SELECT integrity_check FROM pragma_integrity_check(");
        sql.bind(table.text(0)?).push(") LIMIT 1");
        match conn.fetch(sql).await {
            Ok(rows) => {
                looked += 1;
                let said = rows.first().map_or(Ok(String::new()), |row| row.text(0))?;
                if said != "ok" {
                    found = Some(format!("{}: {said}", table.text(0)?));
                    break;
                }
            }
            Err(_) if late.load(Ordering::Relaxed) => break,
            Err(StoreError::Broken(said)) => {
                found = Some(format!("{}: {said}", table.text(0)?));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((looked, tables.len(), found))
}

#[cfg(test)]
mod tests;
