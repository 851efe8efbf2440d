//! Planning some stays anew, or all schedules, under the rules that count; and what is due next.

use crate::model::clock::{Time, from_ms};
use crate::model::id::RunId;
use crate::model::plan::{Plan, Planned};

use super::dialect::{Conn, Param, Sql};
use super::generation::{AS_READ, Replanned, Stays, settle_generations, with_runs};
use super::neighbours::readable;
use super::planned::{planned_schedules, write_plans};
use super::{Store, StoreError};

/// The time a run is due next, whichever: when somebody has to look.
pub(super) const NEXT_DUE: &str = "SELECT due_at FROM runs WHERE state = 'scheduled' AND plan <= (SELECT active FROM plan_state) \
     ORDER BY due_at LIMIT 1";

impl Store {
    /// Stays whose neighbour has changed, each with its runs.
    pub async fn to_replan(&self, limit: usize) -> Result<Stays, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT state, revision, id FROM stays WHERE replan = 1 ORDER BY seq LIMIT ");
        sql.bind(limit);
        let mut stays = Vec::new();
        for row in conn.fetch(sql).await? {
            let Some(mut stay) = readable(&row.text(2)?, &row.text(0)?) else {
                continue;
            };
            stay.revision = row.int(1)?;
            stays.push(stay);
        }
        with_runs(&mut conn, stays).await
    }

    /// Plans stays anew under the rules that count.
    pub async fn replan(&self, plans: Vec<Replanned>, generation: i64, now: Time) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let ids: Vec<&str> = plans.iter().map(|one| one.stay.id.as_str()).collect();
                settle_generations(conn, &ids, Some(generation), now).await?;
                let stays = plans.iter().map(|one| (one.stay.id.as_str(), one.stay.revision));
                unchanged(conn, stays.collect()).await?;
                let all: Vec<&Plan> = plans.iter().map(|one| &one.plan).collect();
                write_plans(conn, &all, generation, now).await?;
                let ids = ids.iter().map(|id| [(*id).into()]).collect();
                conn.over_rows("UPDATE stays SET replan = 0 WHERE id IN (VALUES ", ids, ")")
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The scheduled runs of schedules, and those planned for a time after `after`.
    pub async fn schedules(&self, after: Time) -> Result<Vec<Planned>, StoreError> {
        planned_schedules(&mut self.reader().await?, after).await
    }

    /// Changes what is planned for schedules, under the rules that count.
    pub async fn replan_schedules(&self, plan: Plan, generation: i64, now: Time) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                settle_generations(conn, &[], Some(generation), now).await?;
                write_plans(conn, &[&plan], generation, now).await?;
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
                sql.bind("{\"again\":false,\"same_revision\":false}").push(", due_at = ");
                sql.bind(now.timestamp_millis()).push(", updated_at = ").bind(now.timestamp_millis());
                sql.push(" WHERE state = 'skipped' AND ended_by = 'late' AND attempts = 0 AND plan <= (SELECT active FROM plan_state)");
                if let Some(recipe) = recipe {
                    sql.push(" AND recipe = ").bind(recipe);
                }
                sql.push(" RETURNING id");
                conn.fetch(sql).await?.iter().map(|row| row.text(0).map(RunId)).collect()
            })
        })
        .await
    }
}

/// Fails where one of the stays was written since it was read.
async fn unchanged(conn: &mut Conn, stays: Vec<(&str, i64)>) -> Result<(), StoreError> {
    let rows = stays.into_iter().map(|(id, revision)| [id.into(), revision.into()]);
    let rows: Vec<[Param; 2]> = rows.collect();
    let wanted = rows.len();
    if conn.over_rows(AS_READ.0, rows, AS_READ.1).await?.len() != wanted {
        return Err(StoreError::Conflict("a stay has changed since".to_owned()));
    }
    Ok(())
}
