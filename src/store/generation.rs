//! The plan by generations. When recipes change, everything is planned anew under the next number, a few stays a
//! transaction; one row says which number counts. Until then nothing of it is seen, and a crash drops it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::clock::Time;
use crate::model::plan::{EndedBy, NewPlanned, Place, Plan, Planned};
use crate::model::reservation::Stay;

use super::dialect::{Conn, Param, Sql};
use super::planned::{entries_text, make, planned_of};
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

/// A stay as it is planned anew: where and when it is under these rules, and how its plan changes.
#[derive(Clone, Debug)]
pub struct Replanned {
    /// The stay.
    pub stay: Stay,
    /// Where and when it is; `None` where that could not be said.
    pub place: Option<Place>,
    /// How its plan changes.
    pub plan: Plan,
}

/// Stays that are to be planned under a generation.
#[derive(Clone, Debug, Default)]
pub struct Unplanned {
    /// Those that can be read.
    pub stays: Stays,
    /// The ids of those that cannot, so that they hold up nobody: they keep the plan they have.
    pub damaged: Vec<String>,
    /// The place of the last of them in the order of first appearance; `None` where there are none any more.
    pub last: Option<i64>,
}

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

    /// The plan counts, but from here on it is not known to be that of any recipes: whoever takes over recipes next makes it
    /// anew, even where they are those that it was made from.
    pub async fn distrust_plan(&self) -> Result<(), StoreError> {
        self.write(|conn| {
            Box::pin(async move {
                conn.execute(Sql::new("UPDATE plan_state SET made_from = ''")).await?;
                Ok(())
            })
        })
        .await
    }

    /// Drops a generation that was begun and is not wanted any more.
    pub async fn drop_plan(&self) -> Result<(), StoreError> {
        self.write(|conn| Box::pin(drop_building(conn))).await
    }

    /// Stays that are not planned under the generation yet and may have something ahead: those that end at `since` or later or
    /// have changed since then (a booking and a status have clocks of their own), and those for which a run is scheduled. In order of first appearance, from `after` on; each with its runs.
    pub async fn unplanned(
        &self,
        generation: i64,
        since: Time,
        after: i64,
        limit: usize,
    ) -> Result<Unplanned, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT s.seq, s.state, s.revision, s.id FROM stays s WHERE s.planned <> ");
        sql.bind(generation).push(" AND s.seq > ").bind(after);
        sql.push(" AND (s.leaves_at >= ").bind(since.timestamp_millis());
        sql.push(" OR s.updated_at >= ").bind(since.timestamp_millis()).push(
            " OR EXISTS (SELECT 1 FROM runs r WHERE r.stay_id = s.id AND r.entries IS NOT NULL AND r.state = 'scheduled'))",
        );
        sql.push(" ORDER BY s.seq LIMIT ").bind(limit);
        let mut stays = Vec::new();
        let mut found = Unplanned::default();
        for row in conn.fetch(sql).await? {
            found.last = Some(row.int(0)?);
            match from_json::<Stay>(&row.text(1)?) {
                Ok(stay) => stays.push(Stay {
                    revision: row.int(2)?,
                    ..stay
                }),
                Err(damage) => {
                    let id = row.text(3)?;
                    tracing::error!(stay.id = id, error = %damage, "a stay cannot be read any more; it keeps the plan it has");
                    found.damaged.push(id);
                }
            }
        }
        found.stays = with_runs(&mut conn, stays).await?;
        Ok(found)
    }

    /// Writes a part of the generation that is being made; nobody sees it yet. A stay that has changed since it was read is
    /// left for the next look.
    pub async fn write_plan(
        &self,
        plans: Vec<Replanned>,
        damaged: Vec<String>,
        generation: i64,
        now: Time,
    ) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                building(conn, generation).await?;
                let as_read = as_read(conn, &plans).await?;
                let plans: Vec<&Replanned> = plans
                    .iter()
                    .filter(|one| as_read.contains(one.stay.id.as_str()))
                    .collect();
                let changes: Vec<&Plan> = plans.iter().map(|one| &one.plan).collect();
                shadow(conn, &changes, generation, now).await?;
                places(conn, &plans).await?;
                let ids = as_read.into_iter().chain(damaged).map(|id| [id.into()]).collect();
                let sql = "UPDATE stays SET planned = (SELECT building FROM plan_state) WHERE id IN (VALUES ";
                conn.over_rows(sql, ids, ")").await.map(|_| ())
            })
        })
        .await
    }

    /// The same for what schedules plan.
    pub async fn write_schedules(&self, plan: Plan, generation: i64, now: Time) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                building(conn, generation).await?;
                shadow(conn, &[&plan], generation, now).await
            })
        })
        .await
    }

    /// Makes the generation the one that counts, if no stay is left out: one row changes. `false` where some are.
    pub async fn switch_plan(&self, generation: i64, since: Time, made_from: String) -> Result<bool, StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new("SELECT 1 FROM stays s WHERE s.planned <> ");
                sql.bind(generation).push(" AND (s.leaves_at >= ");
                sql.bind(since.timestamp_millis())
                    .push(" OR s.updated_at >= ")
                    .bind(since.timestamp_millis());
                sql.push(
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

pub(super) async fn with_runs(conn: &mut Conn, stays: Vec<Stay>) -> Result<Stays, StoreError> {
    let mut runs: BTreeMap<String, Vec<Planned>> = planned_of(conn, stays.iter().map(|stay| stay.id.as_str())).await?;
    Ok(stays
        .into_iter()
        .map(|stay| {
            let runs = runs.remove(stay.id.as_str()).unwrap_or_default();
            (stay, runs)
        })
        .collect())
}

async fn drop_building(conn: &mut Conn) -> Result<(), StoreError> {
    if plan_state(conn).await?.building.is_none() {
        // Nothing was begun, so there is nothing to look for: that would be every stay and run there is.
        return Ok(());
    }
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
            let mut sql = Sql::new("UPDATE runs SET next_plan = NULL WHERE +next_plan = ");
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

/// The same before a person changes a run, whether a stay's or a schedule's.
pub(super) async fn settle_run(conn: &mut Conn, run: &str, now: Time) -> Result<(), StoreError> {
    let mut sql = Sql::new("SELECT stay_id FROM runs WHERE entries IS NOT NULL AND id = ");
    sql.bind(run);
    let rows = conn.fetch(sql).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    if let Some(stay) = row.opt_text(0)? {
        settle_generations(conn, &[&stay], None, now).await?;
        return Ok(());
    }
    let state = plan_state(conn).await?;
    if state.finishing {
        take_over(conn, "id", &[run.to_owned()], state.active, now).await?;
    }
    let mut sql = Sql::new("UPDATE runs SET next_plan = NULL WHERE id = ");
    sql.bind(run);
    conn.execute(sql).await?;
    Ok(())
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
            // The plus keeps the index of all that changes out of it: these few are found by their own.
            sql.push(" WHERE +next_plan = ")
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
        let mut sql = Sql::new("UPDATE runs SET next_plan = NULL WHERE +next_plan = ");
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

/// Fails where this generation is not the one that is being made.
async fn building(conn: &mut Conn, generation: i64) -> Result<(), StoreError> {
    if plan_state(conn).await?.building != Some(generation) {
        return Err(StoreError::Conflict("another plan was begun meanwhile".to_owned()));
    }
    Ok(())
}

/// Which of these stays, each with its revision, are as they were read: by their ids, not by looking at every stay.
pub(super) const AS_READ: (&str, &str) = (
    "WITH v (id, revision) AS (VALUES ",
    ") SELECT s.id FROM v JOIN stays s ON s.id = v.id AND s.revision = v.revision",
);

/// The stays that were not written since they were read.
async fn as_read(conn: &mut Conn, plans: &[Replanned]) -> Result<BTreeSet<String>, StoreError> {
    let stays = plans
        .iter()
        .map(|one| [one.stay.id.as_str().into(), one.stay.revision.into()]);
    let rows = conn.over_rows(AS_READ.0, stays.collect(), AS_READ.1).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Writes where and when stays are: the configuration may say so in another way than before.
async fn places(conn: &mut Conn, plans: &[&Replanned]) -> Result<(), StoreError> {
    let at = |time: Option<Time>| Param::from(time.map(|at| at.timestamp_millis()));
    let rows: Vec<[Param; 5]> = plans
        .iter()
        .filter_map(|one| Some((&one.stay, one.place.as_ref()?)))
        .map(|(stay, place)| {
            [
                stay.id.as_str().into(),
                place.property.clone().into(),
                at(place.arrives_at),
                at(place.leaves_at),
                place.taken.into(),
            ]
        })
        .collect();
    let sql = "WITH v (id, property, arrives_at, leaves_at, taken) AS (VALUES ";
    let update = ") UPDATE stays AS s SET property = v.property, arrives_at = v.arrives_at, leaves_at = v.leaves_at, \
         taken = v.taken FROM v WHERE s.id = v.id AND (s.property IS DISTINCT FROM v.property OR s.arrives_at IS DISTINCT FROM v.arrives_at \
         OR s.leaves_at IS DISTINCT FROM v.leaves_at OR s.taken <> v.taken)";
    conn.over_rows(sql, rows, update).await?;
    Ok(())
}

async fn shadow(conn: &mut Conn, plans: &[&Plan], generation: i64, now: Time) -> Result<(), StoreError> {
    let made: Vec<&NewPlanned> = plans.iter().flat_map(|plan| &plan.make).collect();
    make(conn, &made, generation, now).await?;
    let rows: Vec<[Param; 7]> = plans
        .iter()
        .flat_map(|plan| &plan.change)
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
    let sql = "WITH v (id, from_due, state, due_at, entries, reason, ended_by) AS (VALUES ";
    let update = ") UPDATE runs AS r SET next_plan = (SELECT building FROM plan_state), next_state = v.state, next_due = v.due_at, \
         next_entries = v.entries, next_reason = v.reason, next_ended_by = v.ended_by FROM v \
         WHERE r.id = v.id AND r.due_at = v.from_due AND r.attempts = 0";
    conn.over_rows(sql, rows, update).await?;
    Ok(())
}
