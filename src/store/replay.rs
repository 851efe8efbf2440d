//! Asking for stored deliveries to be decided once more. Makes no row: the delivery itself is marked.

use crate::model::clock::Time;
use crate::model::delivery::{Outcome, Replay};
use crate::model::id::DeliveryId;

use super::dialect::{Conn, Sql};
use super::{Store, StoreError, from_json};

/// Which deliveries.
#[derive(Clone, Debug, Default)]
pub struct ReplayWhich {
    /// These; empty for all that the rest allows.
    pub ids: Vec<DeliveryId>,
    /// Received at this time or later.
    pub since: Option<Time>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// Of this source.
    pub source: Option<String>,
}

/// The most deliveries one call marks.
const REPLAY_MAX: usize = 100_000;

/// How a delivery is to be decided once more; what cannot be read any more asks for nothing special.
pub fn read(text: &str) -> Replay {
    from_json(text).unwrap_or_default()
}

fn narrow(sql: &mut Sql, which: &ReplayWhich) {
    sql.push(" WHERE outcome <> 'undecided' AND body IS NOT NULL");
    if !which.ids.is_empty() {
        sql.push(" AND id IN ").list(which.ids.iter().map(DeliveryId::as_str));
    }
    if let Some(since) = which.since {
        sql.push(" AND received_at >= ").bind(since.timestamp_millis());
    }
    if let Some(outcome) = which.outcome {
        sql.push(" AND outcome = ").bind(outcome.word());
    }
    if let Some(source) = &which.source {
        sql.push(" AND source = ").bind(source.as_str());
    }
}

impl Store {
    /// How many deliveries a replay would take up, by outcome.
    pub async fn count_replay(&self, which: &ReplayWhich) -> Result<Vec<(String, i64)>, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT outcome, COUNT(*) FROM deliveries");
        narrow(&mut sql, which);
        sql.push(" GROUP BY outcome ORDER BY outcome");
        conn.fetch(sql)
            .await?
            .iter()
            .map(|row| Ok((row.text(0)?, row.int(1)?)))
            .collect()
    }

    /// Marks deliveries to be decided once more, in order of arrival; how many.
    pub async fn replay(&self, which: ReplayWhich, again: bool, recipe: Option<String>) -> Result<u64, StoreError> {
        self.write(move |conn| Box::pin(async move { mark(conn, &which, again, recipe.as_deref()).await }))
            .await
    }
}

async fn mark(conn: &mut Conn, which: &ReplayWhich, again: bool, recipe: Option<&str>) -> Result<u64, StoreError> {
    let mut sql = Sql::new(
        "SELECT id, (SELECT COUNT(*) FROM runs r JOIN events e ON e.id = r.event_id WHERE e.delivery_id = deliveries.id) \
         FROM deliveries",
    );
    narrow(&mut sql, which);
    sql.push(" ORDER BY seq LIMIT ").bind(REPLAY_MAX);
    let rows = conn.fetch(sql).await?;
    let mut marked = 0;
    for chunk in rows.chunks(500) {
        let mut sql = Sql::new("WITH v (id, replay) AS (VALUES ");
        let mut values = Vec::with_capacity(chunk.len());
        for row in chunk {
            // A further occurrence needs a number no run of this delivery has had.
            let occurrence = if again { row.int(1)? + 1 } else { 0 };
            let replay = serde_json::json!({"again": again, "recipe": recipe, "occurrence": occurrence});
            values.push([row.text(0)?.into(), replay.to_string().into()]);
        }
        sql.rows(values)
            .push(") UPDATE deliveries SET replay = v.replay FROM v WHERE deliveries.id = v.id");
        marked += conn.execute(sql).await?;
    }
    Ok(marked)
}
