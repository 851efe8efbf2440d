//! Planning some stays anew, or all schedules, under the rules that count; and what is due next.

use crate::model::clock::{Time, from_ms};
use crate::model::id::RunId;
use crate::model::plan::{Plan, Planned};

use super::dialect::Sql;
use super::neighbours::readable;
use super::planned::{planned_schedules, write_plans};
use super::rules::{Stays, with_runs};
use super::{Store, StoreError};

/// The time a run is due next, whichever: when somebody has to look.
pub(super) const NEXT_DUE: &str = "SELECT due_at FROM runs WHERE state = 'scheduled' ORDER BY due_at LIMIT 1";

impl Store {
    /// Stays whose neighbour has changed, each with its runs.
    pub async fn to_replan(&self, limit: usize) -> Result<Stays, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT state, revision, id, planned FROM stays WHERE replan = 1 ORDER BY seq LIMIT ");
        sql.bind(limit);
        let mut stays = Vec::new();
        for row in conn.fetch(sql).await? {
            let Some(mut stay) = readable(&row.text(2)?, &row.text(0)?) else {
                continue;
            };
            stay.revision = row.int(1)?;
            stay.planned_under = row.int(3)?;
            stays.push(stay);
        }
        with_runs(&mut conn, stays).await
    }

    /// The scheduled runs of schedules, and those planned for a time after `after`.
    pub async fn schedules(&self, after: Time) -> Result<Vec<Planned>, StoreError> {
        planned_schedules(&mut self.reader().await?, after).await
    }

    /// Changes what is planned for schedules.
    pub async fn replan_schedules(&self, plan: Plan, now: Time) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                write_plans(conn, &[&plan], now).await?;
                Ok(())
            })
        })
        .await
    }

    /// When the next planned run is due.
    pub async fn next_due(&self) -> Result<Option<Time>, StoreError> {
        let mut conn = self.reader().await?;
        let rows = conn.fetch(Sql::new(NEXT_DUE)).await?;
        rows.first().map(|row| row.int(0).map(from_ms)).transpose()
    }

    /// Makes runs that were passed over because their time was past due now: all, or those of one recipe. Which.
    pub async fn backfill(&self, recipe: Option<String>, now: Time) -> Result<Vec<RunId>, StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new("UPDATE runs SET state = 'scheduled', ended_by = NULL, reason = '', by_hand = ");
                sql.bind("{\"again\":false,\"same_revision\":false}")
                    .push(", due_at = ");
                sql.bind(now.timestamp_millis())
                    .push(", updated_at = ")
                    .bind(now.timestamp_millis());
                sql.push(" WHERE state = 'skipped' AND ended_by = 'late' AND attempts = 0");
                if let Some(recipe) = recipe {
                    sql.push(" AND recipe = ").bind(recipe);
                }
                sql.push(" RETURNING id");
                conn.fetch(sql)
                    .await?
                    .iter()
                    .map(|row| row.text(0).map(RunId))
                    .collect()
            })
        })
        .await
    }
}
