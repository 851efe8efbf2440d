//! What was written while the machine's clock was ahead, once it has been put back: nothing waits for a time that policy
//! never meant, and what was passed over too early is asked once more.

use crate::model::clock::{Time, from_ms};
use crate::model::reservation::Stay;

use super::dialect::{Conn, Param, Sql};
use super::{Store, StoreError, from_json, json};

/// The newest times in the store, each from an index.
const NEWEST: &str = "SELECT MAX(at) FROM (SELECT at FROM (SELECT received_at AS at FROM deliveries ORDER BY seq DESC LIMIT 1) d \
     UNION ALL SELECT at FROM (SELECT at FROM events ORDER BY seq DESC LIMIT 1) e \
     UNION ALL SELECT at FROM (SELECT created_at AS at FROM runs ORDER BY seq DESC LIMIT 1) r \
     UNION ALL SELECT MAX(updated_at) AS at FROM runs WHERE state IN ('ready', 'running', 'retrying') \
     UNION ALL SELECT MAX(updated_at) AS at FROM runs WHERE state = 'skipped') newest";

/// What waits to be tried again waits as long as it was to wait when that was written.
const WAITING: &str = "runs SET due_at = CASE WHEN due_at <= now THEN due_at WHEN due_at > updated_at THEN now + due_at - updated_at \
     ELSE now END, updated_at = now FROM w WHERE state IN ('ready', 'retrying') AND updated_at > now";

/// What else a clock that was ahead has decided, in this order.
const DECIDED: [&str; 10] = [
    // Given up because its time for retries was over, by a clock by which it was not.
    "runs SET state = 'retrying', reason = 'given up by a clock that was ahead', ended_by = NULL, due_at = now, updated_at = now + 1 \
     FROM w WHERE state IN ('dead', 'parked') AND updated_at > now AND cancel_requested = 0 AND step_until < updated_at \
     AND (step_until > now OR step_first_at > now)",
    WAITING,
    "runs SET step_until = step_until - (step_first_at - now), step_first_at = now FROM w WHERE state IN ('ready', 'running', 'retrying') AND step_first_at > now",
    "runs SET due_at = now + due_at - updated_at, planned_at = now + due_at - updated_at, updated_at = now FROM w \
     WHERE state = 'scheduled' AND entries = 'settle' AND updated_at > now AND due_at > updated_at",
    // The planner makes the times of stays what they have to be; a time of the calendar that lies ahead it finds too.
    "stays SET replan = 1 FROM w WHERE updated_at > now OR id IN \
     (SELECT stay_id FROM runs WHERE state = 'skipped' AND attempts = 0 AND updated_at > now AND stay_id IS NOT NULL)",
    "plan_state SET since = now FROM w WHERE since > now",
    // The guest had left by that clock.
    "runs SET ended_by = 'down' FROM w WHERE state = 'skipped' AND ended_by = 'past' AND attempts = 0 AND updated_at > now",
    "runs SET state = 'scheduled', reason = '', ended_by = NULL FROM w WHERE state = 'skipped' AND updated_at > now \
     AND stay_id IS NULL AND ended_by = 'down' AND attempts = 0 AND planned_at <= now",
    "runs SET updated_at = now FROM w WHERE state = 'skipped' AND updated_at > now",
    // Among the last to arrive: whatever came since is no older than a week.
    "deliveries SET received_at = now FROM w WHERE received_at > now AND seq > COALESCE((SELECT seq FROM deliveries \
     WHERE received_at <= (SELECT now FROM w) - 604800000 ORDER BY seq DESC LIMIT 1), 0)",
];

impl Store {
    /// The newest time that is known to have been.
    pub async fn newest(&self) -> Result<Option<Time>, StoreError> {
        let rows = self.reader().await?.fetch(Sql::new(NEWEST)).await?;
        Ok(rows.first().map_or(Ok(None), |row| row.opt_int(0))?.map(from_ms))
    }

    /// Makes what waits to be tried again, and was written after `now`, wait no longer than its policy said.
    pub async fn pull_in(&self, now: Time) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(async move { update(conn, WAITING, now).await }))
            .await
    }

    /// The same for all that a clock which was ahead has decided: windows of retries, changes that settle, what was passed
    /// over, since when a stay is what it is.
    pub async fn set_back(&self, now: Time) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(async move { set_back(conn, now).await }))
            .await
    }
}

/// Writes when something of a run was changed that says nothing of when it is due: where it was written at a later time, that is
/// what its time is measured from.
pub(super) fn touch(sql: &mut Sql, now: Time) -> &mut Sql {
    let now_ms = now.timestamp_millis();
    sql.push(", updated_at = CASE WHEN updated_at > ").bind(now_ms);
    sql.push(" THEN updated_at ELSE ").bind(now_ms).push(" END")
}

async fn update(conn: &mut Conn, what: &'static str, now: Time) -> Result<(), StoreError> {
    let mut sql = Sql::new("WITH w (now) AS (VALUES (");
    sql.bind(now.timestamp_millis()).push(")) UPDATE ").push(what);
    conn.execute(sql).await.map(|_| ())
}

async fn set_back(conn: &mut Conn, now: Time) -> Result<(), StoreError> {
    for what in DECIDED {
        update(conn, what, now).await?;
    }
    let now_ms = now.timestamp_millis();
    let mut sql = Sql::new("SELECT id, state FROM stays WHERE updated_at > ");
    sql.bind(now_ms);
    let mut changed: Vec<[Param; 2]> = Vec::new();
    for row in conn.fetch(sql).await? {
        // One that cannot be read is said where it is planned.
        if let Ok(mut stay) = from_json::<Stay>(&row.text(1)?) {
            stay.first_seen_ms = stay.first_seen_ms.min(now_ms);
            for lasted in &mut stay.statuses {
                lasted.since_ms = lasted.since_ms.min(now_ms);
            }
            changed.push([row.text(0)?.into(), json(&stay)?.into()]);
        }
    }
    let save = ") UPDATE stays AS s SET state = v.state, revision = s.revision + 1 FROM v WHERE s.id = v.id";
    conn.over_rows("WITH v (id, state) AS (VALUES ", changed, save).await?;
    update(conn, "stays SET updated_at = now FROM w WHERE updated_at > now", now).await
}
