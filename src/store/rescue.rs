//! Recovery: runs whose worker is gone, connections that are paused.

use crate::model::clock::{Time, from_ms};
use crate::model::id::RunId;
use crate::model::run::RunState;

use super::dialect::{Conn, Sql};
use super::outbox::Lease;
use super::{Store, StoreError};

/// A connection whose runs wait because it did not accept our credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// The connection.
    pub name: String,
    /// Since when.
    pub since: Time,
    /// What it answered.
    pub reason: String,
    /// When one run will try again.
    pub probe_at: Time,
}

/// What was taken up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// How many runs.
    pub runs: u64,
    /// Those of them that wait for a person now: what they did may be done at most once.
    pub parked: Vec<RunId>,
}

const REASON: &str = "the worker that held it is gone; nobody knows whether the attempt arrived";

impl Store {
    /// Takes up runs whose lease has run out, or (with `all`, at the start of the only process) every leased one. Their
    /// open attempt is `uncertain`: it goes out again under the same key, or, at most once, waits for a person.
    pub async fn rescue(&self, lease: Lease, all: bool) -> Result<Rescued, StoreError> {
        self.write(move |conn| Box::pin(async move { rescue(conn, &lease, all).await }))
            .await
    }

    /// Gives runs back that were leased and not tried, as at a shutdown.
    pub async fn release(&self, lease: Lease) -> Result<u64, StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new("UPDATE runs SET lease_until = 0 WHERE state = 'running' AND lease_owner = ");
                sql.bind(lease.owner.as_str());
                conn.execute(sql).await
            })
        })
        .await
    }

    /// Every paused connection.
    pub async fn paused(&self) -> Result<Vec<Paused>, StoreError> {
        let mut conn = self.reader().await?;
        let rows = conn
            .fetch(Sql::new(
                "SELECT name, since, reason, probe_at FROM paused_connections ORDER BY name",
            ))
            .await?;
        let read = |row: &super::dialect::Row| {
            Ok(Paused {
                name: row.text(0)?,
                since: from_ms(row.int(1)?),
                reason: row.text(2)?,
                probe_at: from_ms(row.int(3)?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Pauses a connection or moves its next probe.
    pub async fn pause(&self, paused: Paused) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new("INSERT INTO paused_connections (name, since, reason, probe_at) VALUES ");
                sql.rows([[
                    paused.name.into(),
                    paused.since.timestamp_millis().into(),
                    paused.reason.into(),
                    paused.probe_at.timestamp_millis().into(),
                ]]);
                sql.push(" ON CONFLICT (name) DO UPDATE SET reason = excluded.reason, probe_at = excluded.probe_at");
                conn.execute(sql).await.map(|_| ())
            })
        })
        .await
    }

    /// Lets a connection go on. The time for retries of what waits for it stood still meanwhile.
    pub async fn resume(&self, name: String, now: Time) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new(
                    "UPDATE runs AS r SET step_first_at = r.step_first_at + p.away, step_until = r.step_until + p.away \
                     FROM (SELECT name, since, MAX(0, ",
                );
                sql.bind(now.timestamp_millis())
                    .push(" - since) AS away FROM paused_connections WHERE name = ")
                    .bind(name.as_str());
                sql.push(
                    ") AS p WHERE r.state IN ('ready', 'retrying') AND r.lane = p.name AND r.step_first_at <= p.since",
                );
                conn.execute(sql).await?;
                let mut sql = Sql::new("DELETE FROM paused_connections WHERE name = ");
                sql.bind(name);
                conn.execute(sql).await.map(|_| ())
            })
        })
        .await
    }
}

async fn rescue(conn: &mut Conn, lease: &Lease, all: bool) -> Result<Rescued, StoreError> {
    let now_ms = lease.now.timestamp_millis();
    let mut sql = Sql::new("SELECT id, attempts FROM runs WHERE state = 'running'");
    if !all {
        sql.push(" AND lease_until < ").bind(lease.steady.timestamp_millis());
    }
    sql.push(" LIMIT 10000");
    let rows = conn.fetch(sql).await?;
    if rows.is_empty() {
        return Ok(Rescued::default());
    }
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        ids.push(row.text(0)?);
    }
    let mut sql = Sql::new("UPDATE attempts SET outcome = 'uncertain', finished_at = ");
    sql.bind(now_ms)
        .push(", summary = ")
        .bind(REASON)
        .push(" WHERE finished_at IS NULL AND run_id IN ")
        .list(&ids);
    conn.execute(sql).await?;
    let mut sql = Sql::new("UPDATE runs SET uncertain = 1, lease_owner = NULL, updated_at = ");
    sql.bind(now_ms)
        .push(", due_at = ")
        .bind(now_ms)
        .push(", reason = CASE WHEN cancel_requested = 1 THEN reason ELSE ")
        .bind(REASON)
        .push(" END");
    sql.push(", state = CASE WHEN EXISTS (SELECT 1 FROM steps s WHERE s.run_id = runs.id AND s.position = runs.step ");
    sql.push("AND s.at_most_once = 1) THEN 'parked' ELSE 'retrying' END WHERE state = 'running' AND id IN ")
        .list(&ids)
        .push(" RETURNING id, state");
    let mut rescued = Rescued::default();
    for row in conn.fetch(sql).await? {
        rescued.runs += 1;
        if row.text(1)? == RunState::Parked.word() {
            rescued.parked.push(RunId(row.text(0)?));
        }
    }
    Ok(rescued)
}
