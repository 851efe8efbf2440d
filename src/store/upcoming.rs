//! What will go out, the soonest first.

use super::dialect::Sql;
use super::read::PAGE_MAX;
use super::rows::{RUN, RunRow, run};
use super::{Store, StoreError};

/// A place in the list: when the run is due, and its row among those due together.
type Place = (i64, i64);

impl Store {
    /// Runs that are scheduled, ready or retrying, the soonest first: those after `after`, and where the next page begins.
    pub async fn upcoming(
        &self,
        after: Option<Place>,
        limit: Option<usize>,
    ) -> Result<(Vec<RunRow>, Option<Place>), StoreError> {
        let limit = limit.unwrap_or(50).clamp(1, PAGE_MAX);
        let mut sql = Sql::new(RUN);
        sql.push(" WHERE state IN ('scheduled', 'ready', 'retrying')");
        if let Some((due, seq)) = after {
            sql.push(" AND (due_at > ").bind(due);
            sql.push(" OR (due_at = ")
                .bind(due)
                .push(" AND seq > ")
                .bind(seq)
                .push("))");
        }
        sql.push(" ORDER BY due_at, seq LIMIT ").bind(limit + 1);
        let mut conn = self.reader().await?;
        let mut runs = conn.fetch(sql).await?.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        let more = runs.len() > limit;
        runs.truncate(limit);
        let next = runs.last().filter(|_| more).map(|run| (run.due_at_ms, run.seq));
        Ok((runs, next))
    }
}
