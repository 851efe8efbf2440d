//! The plan by generations. When recipes change, everything is planned anew under the next number, a few stays a
//! transaction; one row says which number counts. Until then nothing of it is seen, and a crash drops it.

use std::collections::BTreeMap;

use crate::model::clock::{Time, from_ms};
use crate::model::id::RunId;
use crate::model::plan::{EndedBy, NewPlanned, Plan, Planned};
use crate::model::reservation::Stay;

use super::dialect::{Conn, Param, Sql};
use super::planned::{entries_text, make, planned_of, planned_schedules};
use super::{Store, StoreError, from_json};

/// Which generation of the plan counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanState {
    /// The one that counts.
    pub active: i64,
    /// The one that is being made.
    pub building: Option<i64>,
    /// Whether a part of the active one waits to be written to its runs.
    pub finishing: bool,
    /// What the active one was made from.
    pub made_from: String,
}

/// Stays to be planned, each with its runs.
pub type Stays = Vec<(Stay, Vec<Planned>)>;

pub(super) async fn plan_state(conn: &mut Conn) -> Result<PlanState, StoreError> {
    let sql = Sql::new("SELECT active, building, finishing, made_from FROM plan_state WHERE id = 1");
    let rows = conn.fetch(sql).await?;
    let row = rows
        .first()
        .ok_or_else(|| StoreError::Broken("the row of plan_state is missing".to_owned()))?;
    Ok(PlanState {
        active: row.int(0)?,
        building: row.opt_int(1)?,
        finishing: row.flag(2)?,
        made_from: row.text(3)?,
    })
}

impl Store {
    /// Which generation of the plan counts.
    pub async fn plan_state(&self) -> Result<PlanState, StoreError> {
        plan_state(&mut self.reader().await?).await
    }

    /// Begins the next generation, dropping what there is of one that was begun before. Its number.
    pub async fn begin_plan(&self) -> Result<i64, StoreError> {
        self.write(|conn| {
            Box::pin(async move {
                drop_building(conn).await?;
                let mut sql = Sql::new("UPDATE plan_state SET building = active + 1 WHERE finishing = 0");
                sql.push(" RETURNING building");
                let rows = conn.fetch(sql).await?;
                let none = || StoreError::Conflict("the plan before is not written yet".to_owned());
                rows.first().ok_or_else(none)?.int(0)
            })
        })
        .await
    }

    /// Drops a generation that was begun and is not wanted any more.
    pub async fn drop_plan(&self) -> Result<(), StoreError> {
        self.write(|conn| Box::pin(drop_building(conn))).await
    }

    /// Stays that are not planned under the generation yet and still have something ahead: those that end at `since` or later,
    /// and those for which a run is scheduled. In order of first appearance, from `after` on; each with its runs.
    pub async fn unplanned(
        &self,
        generation: i64,
        since: Time,
        after: i64,
        limit: usize,
    ) -> Result<(Stays, Option<i64>), StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT s.seq, s.state, s.revision FROM stays s WHERE s.planned <> ");
        sql.bind(generation)
            .push(" AND s.merged_into IS NULL AND s.seq > ")
            .bind(after);
        sql.push(" AND (s.leaves_at >= ").bind(since.timestamp_millis()).push(
            " OR EXISTS (SELECT 1 FROM runs r WHERE r.stay_id = s.id AND r.entries IS NOT NULL AND r.state = 'scheduled'))",
        );
        sql.push(" ORDER BY s.seq LIMIT ").bind(limit);
        let mut stays = Vec::new();
        let mut last = None;
        for row in conn.fetch(sql).await? {
            let mut stay: Stay = from_json(&row.text(1)?)?;
            stay.revision = row.int(2)?;
            last = Some(row.int(0)?);
            stays.push(stay);
        }
        Ok((with_runs(&mut conn, stays).await?, last))
    }

    /// Stays whose neighbour has changed, each with its runs.
    pub async fn to_replan(&self, limit: usize) -> Result<Stays, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT state, revision FROM stays WHERE replan = 1 ORDER BY seq LIMIT ");
        sql.bind(limit);
        let mut stays = Vec::new();
        for row in conn.fetch(sql).await? {
            let mut stay: Stay = from_json(&row.text(0)?)?;
            stay.revision = row.int(1)?;
            stays.push(stay);
        }
        with_runs(&mut conn, stays).await
    }

    /// Plans stays anew under the rules that count.
    pub async fn replan(&self, plans: Vec<(Stay, Plan)>, generation: i64, now: Time) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let ids: Vec<&str> = plans.iter().map(|(stay, _)| stay.id.as_str()).collect();
                settle_generations(conn, &ids, Some(generation), now).await?;
                unchanged(
                    conn,
                    plans
                        .iter()
                        .map(|(stay, _)| (stay.id.as_str(), stay.revision))
                        .collect(),
                )
                .await?;
                let all: Vec<&Plan> = plans.iter().map(|(_, plan)| plan).collect();
                super::planned::write_plans(conn, &all, generation, now).await?;
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
                super::planned::write_plans(conn, &[&plan], generation, now).await?;
                Ok(())
            })
        })
        .await
    }

    /// Writes a part of the generation that is being made; nobody sees it yet. A stay that has changed since it was read is
    /// left for the next look.
    pub async fn write_plan(
        &self,
        plans: Vec<(Option<Stay>, Plan)>,
        generation: i64,
        now: Time,
    ) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(async move { shadow(conn, &plans, generation, now).await }))
            .await
    }

    /// Makes the generation the one that counts, if no stay is left out: one row changes. `false` where some are.
    pub async fn switch_plan(&self, generation: i64, since: Time, made_from: String) -> Result<bool, StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new("SELECT 1 FROM stays s WHERE s.planned <> ");
                sql.bind(generation)
                    .push(" AND s.merged_into IS NULL AND (s.leaves_at >= ");
                sql.bind(since.timestamp_millis()).push(
                    " OR EXISTS (SELECT 1 FROM runs r WHERE r.stay_id = s.id AND r.entries IS NOT NULL \
                     AND r.state = 'scheduled')) LIMIT 1",
                );
                if !conn.fetch(sql).await?.is_empty() {
                    return Ok(false);
                }
                let mut sql =
                    Sql::new("UPDATE plan_state SET active = building, building = NULL, finishing = 1, made_from = ");
                sql.bind(made_from).push(" WHERE building = ").bind(generation);
                if conn.execute(sql).await? != 1 {
                    return Err(StoreError::Conflict("another plan was begun meanwhile".to_owned()));
                }
                Ok(true)
            })
        })
        .await
    }

    /// Writes a part of the active generation to its runs; how many. 0 once nothing is left to write.
    pub async fn finish_plan(&self, limit: usize, now: Time) -> Result<u64, StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let state = plan_state(conn).await?;
                if !state.finishing {
                    return Ok(0);
                }
                let mut sql = Sql::new("SELECT id FROM runs WHERE next_plan = ");
                sql.bind(state.active).push(" LIMIT ").bind(limit);
                let ids: Vec<String> = conn
                    .fetch(sql)
                    .await?
                    .iter()
                    .map(|row| row.text(0))
                    .collect::<Result<_, _>>()?;
                if ids.is_empty() {
                    conn.execute(Sql::new("UPDATE plan_state SET finishing = 0")).await?;
                    return Ok(0);
                }
                take_over(conn, "id", &ids, state.active, now).await?;
                Ok(ids.len() as u64)
            })
        })
        .await
    }
}

async fn with_runs(conn: &mut Conn, stays: Vec<Stay>) -> Result<Stays, StoreError> {
    let mut runs: BTreeMap<String, Vec<Planned>> = planned_of(conn, stays.iter().map(|stay| stay.id.as_str())).await?;
    Ok(stays
        .into_iter()
        .map(|stay| {
            let runs = runs.remove(stay.id.as_str()).unwrap_or_default();
            (stay, runs)
        })
        .collect())
}

/// Fails where one of the stays was written since it was read.
async fn unchanged(conn: &mut Conn, stays: Vec<(&str, i64)>) -> Result<(), StoreError> {
    let rows = stays.into_iter().map(|(id, revision)| [id.into(), revision.into()]);
    let rows: Vec<[Param; 2]> = rows.collect();
    let wanted = rows.len();
    let sql = "SELECT id FROM stays WHERE (id, revision) IN (VALUES ";
    if conn.over_rows(sql, rows, ")").await?.len() != wanted {
        return Err(StoreError::Conflict("a stay has changed since".to_owned()));
    }
    Ok(())
}

async fn drop_building(conn: &mut Conn) -> Result<(), StoreError> {
    let above = "(SELECT active FROM plan_state)";
    let mut sql =
        Sql::new("DELETE FROM runs WHERE entries IS NOT NULL AND state IN ('scheduled', 'skipped') AND plan > ");
    sql.push(above);
    conn.execute(sql).await?;
    let mut sql = Sql::new("UPDATE runs SET next_plan = NULL WHERE next_plan > ");
    sql.push(above);
    conn.execute(sql).await?;
    // Numbers of what was dropped come again.
    let mut sql = Sql::new("UPDATE stays SET planned = ");
    sql.push(above).push(" WHERE planned > ").push(above);
    conn.execute(sql).await?;
    conn.execute(Sql::new("UPDATE plan_state SET building = NULL")).await?;
    Ok(())
}

/// Before runs of these stays are changed: what the active generation has for them is written, and what was made for the
/// next one is dropped and made anew. `decided_under`: the generation whose rules were asked; it has to be the one that
/// counts. The state of the plan.
pub(super) async fn settle_generations(
    conn: &mut Conn,
    stays: &[&str],
    decided_under: Option<i64>,
    now: Time,
) -> Result<PlanState, StoreError> {
    let state = plan_state(conn).await?;
    if decided_under.is_some_and(|generation| generation != state.active) {
        return Err(StoreError::Conflict("the recipes have changed meanwhile".to_owned()));
    }
    if state.finishing {
        let ids: Vec<String> = stays.iter().map(|id| (*id).to_owned()).collect();
        take_over(conn, "stay_id", &ids, state.active, now).await?;
    }
    if let Some(building) = state.building {
        for chunk in stays.chunks(500) {
            let ids = || chunk.iter().map(|id| -> [Param; 1] { [(*id).into()] });
            let mut sql = Sql::new("DELETE FROM runs WHERE plan = ");
            sql.bind(building)
                .push(" AND stay_id IN (VALUES ")
                .rows(ids())
                .push(")");
            conn.execute(sql).await?;
            let mut sql = Sql::new("UPDATE runs SET next_plan = NULL WHERE next_plan = ");
            sql.bind(building)
                .push(" AND stay_id IN (VALUES ")
                .rows(ids())
                .push(")");
            conn.execute(sql).await?;
            let mut sql = Sql::new("UPDATE stays SET planned = ");
            sql.bind(state.active)
                .push(" WHERE id IN (VALUES ")
                .rows(ids())
                .push(")");
            conn.execute(sql).await?;
        }
    }
    Ok(state)
}

/// Writes what a generation has for some runs to them, with a record of every move. A run that is not as it was then stays
/// as it is: it has come due under the rules before.
async fn take_over(
    conn: &mut Conn,
    by: &'static str,
    ids: &[String],
    generation: i64,
    now: Time,
) -> Result<(), StoreError> {
    for chunk in ids.chunks(500) {
        let rows = || chunk.iter().map(|id| -> [Param; 1] { [id.into()] });
        let which = |sql: &mut Sql| {
            sql.push(" WHERE next_plan = ")
                .bind(generation)
                .push(" AND attempts = 0 AND state IN ('scheduled', 'cancelled', 'skipped') AND ");
            sql.push(by).push(" IN (VALUES ").rows(rows()).push(")");
        };
        let mut sql = Sql::new(
            "INSERT INTO run_changes (run_id, stay_id, at, from_state, to_state, from_due, to_due, because) SELECT id, stay_id, ",
        );
        sql.bind(now.timestamp_millis())
            .push(", state, next_state, due_at, next_due, next_reason FROM runs");
        which(&mut sql);
        sql.push(" AND (state <> next_state OR due_at <> next_due)");
        conn.execute(sql).await?;
        let mut sql = Sql::new(
            "UPDATE runs SET state = next_state, due_at = next_due, planned_at = next_due, entries = next_entries, \
             reason = next_reason, ended_by = next_ended_by, next_plan = NULL, updated_at = ",
        );
        sql.bind(now.timestamp_millis());
        which(&mut sql);
        conn.execute(sql).await?;
        let mut sql = Sql::new("UPDATE runs SET next_plan = NULL WHERE next_plan = ");
        sql.bind(generation)
            .push(" AND ")
            .push(by)
            .push(" IN (VALUES ")
            .rows(rows())
            .push(")");
        conn.execute(sql).await?;
    }
    Ok(())
}

async fn shadow(conn: &mut Conn, plans: &[(Option<Stay>, Plan)], generation: i64, now: Time) -> Result<(), StoreError> {
    let state = plan_state(conn).await?;
    if state.building != Some(generation) {
        return Err(StoreError::Conflict("another plan was begun meanwhile".to_owned()));
    }
    let stays: Vec<[Param; 2]> = plans
        .iter()
        .filter_map(|(stay, _)| stay.as_ref())
        .map(|stay| [stay.id.as_str().into(), stay.revision.into()])
        .collect();
    let sql = "SELECT id FROM stays WHERE (id, revision) IN (VALUES ";
    let mut as_read = std::collections::BTreeSet::new();
    for row in conn.over_rows(sql, stays, ")").await? {
        as_read.insert(row.text(0)?);
    }
    let fresh: Vec<&(Option<Stay>, Plan)> = plans
        .iter()
        .filter(|(stay, _)| stay.as_ref().is_none_or(|stay| as_read.contains(stay.id.as_str())))
        .collect();
    let made: Vec<&NewPlanned> = fresh.iter().flat_map(|(_, plan)| &plan.make).collect();
    make(conn, &made, generation, now).await?;
    let rows: Vec<[Param; 7]> = fresh
        .iter()
        .flat_map(|(_, plan)| &plan.change)
        .map(|change| {
            [
                change.run.as_str().into(),
                change.from.1.timestamp_millis().into(),
                change.state.word().into(),
                change.due_at.timestamp_millis().into(),
                entries_text(&change.entries).into(),
                change.reason.as_str().into(),
                change.ended_by.map(EndedBy::word).into(),
            ]
        })
        .collect();
    // Bound as a value of its own: it stands before the rows.
    let sql = "WITH v (id, from_due, state, due_at, entries, reason, ended_by) AS (VALUES ";
    let update = ") UPDATE runs AS r SET next_plan = (SELECT building FROM plan_state), next_state = v.state, next_due = v.due_at, \
         next_entries = v.entries, next_reason = v.reason, next_ended_by = v.ended_by FROM v \
         WHERE r.id = v.id AND r.due_at = v.from_due AND r.attempts = 0";
    conn.over_rows(sql, rows, update).await?;
    let ids: Vec<[Param; 1]> = as_read.into_iter().map(|id| [id.into()]).collect();
    let sql = "UPDATE stays SET planned = (SELECT building FROM plan_state) WHERE id IN (VALUES ";
    conn.over_rows(sql, ids, ")").await?;
    Ok(())
}

/// The time a run is due next, whichever: when somebody has to look.
pub(super) const NEXT_DUE: &str = "SELECT due_at FROM runs WHERE state = 'scheduled' AND plan <= (SELECT active FROM plan_state) \
     ORDER BY due_at LIMIT 1";

impl Store {
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
