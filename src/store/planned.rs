//! Planned runs: what there is of a stay, and making it what it has to be.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::clock::{Time, from_ms};
use crate::model::id::{RunId, StayId};
use crate::model::plan::{EndedBy, NewPlanned, Plan, PlanChange, Planned};
use crate::model::run::RunState;

use super::StoreError;
use super::dialect::{Conn, Param, Row, Sql};

/// What of a run planning has to know.
const PLANNED: &str = "SELECT id, recipe, stay_id, entries, state, due_at, planned_at, attempts, ended_by, by_hand IS NOT NULL FROM runs ";

/// Entries are kept as one text; none of them has a line break in it.
pub(super) fn entries_text(entries: &[String]) -> String {
    entries.join("\n")
}

fn planned(row: &Row) -> Result<Planned, StoreError> {
    let run_state =
        RunState::from_word(&row.text(4)?).ok_or_else(|| StoreError::Broken("an unknown state".to_owned()))?;
    let due_at = from_ms(row.int(5)?);
    let attempts = row.int(7)?;
    let ended_by = row.opt_text(8)?;
    let fired = match run_state {
        RunState::Scheduled => false,
        RunState::Ready | RunState::Cancelled | RunState::Skipped => attempts > 0,
        _ => true,
    };
    Ok(Planned {
        id: RunId(row.text(0)?),
        recipe: row.text(1)?,
        stay: row.opt_text(2)?.map(StayId),
        entries: row.text(3)?.split('\n').map(str::to_owned).collect(),
        state: run_state,
        due_at,
        planned_at: row.opt_int(6)?.map_or(due_at, from_ms),
        fired,
        ended_by: ended_by.as_deref().and_then(EndedBy::from_word),
        asked_for: row.flag(9)?,
    })
}

/// The planned runs of these stays, whatever has become of them.
pub(super) async fn planned_of(
    conn: &mut Conn,
    stays: impl Iterator<Item = &str>,
) -> Result<BTreeMap<String, Vec<Planned>>, StoreError> {
    let ids: Vec<[Param; 1]> = stays.map(|id| [id.into()]).collect();
    let mut found: BTreeMap<String, Vec<Planned>> = BTreeMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    for chunk in ids.chunks(500) {
        let mut sql = Sql::new(PLANNED);
        sql.push("WHERE entries IS NOT NULL AND stay_id IN (VALUES ")
            .rows(chunk.iter().cloned())
            .push(") ORDER BY seq");
        for row in conn.fetch(sql).await? {
            let run = planned(&row)?;
            let stay = run.stay.as_ref().map(|stay| stay.0.clone()).unwrap_or_default();
            found.entry(stay).or_default().push(run);
        }
    }
    Ok(found)
}

/// The scheduled runs of schedules, and those of them that were planned for a time after `after`, whatever became of them.
pub(super) async fn planned_schedules(conn: &mut Conn, after: Time) -> Result<Vec<Planned>, StoreError> {
    let mut sql = Sql::new(PLANNED);
    sql.push("WHERE entries IS NOT NULL AND stay_id IS NULL AND (state = 'scheduled' OR planned_at > ")
        .bind(after.timestamp_millis())
        .push(")");
    conn.fetch(sql).await?.iter().map(planned).collect()
}

/// Makes what is planned what it has to be. Every run must be as it was when that was found out.
pub(super) async fn write_plans(
    conn: &mut Conn,
    plans: &[&Plan],
    now: Time,
) -> Result<Vec<(RunId, RunState)>, StoreError> {
    let past: Vec<[Param; 1]> = plans
        .iter()
        .flat_map(|plan| plan.past.iter().map(|run| [run.as_str().into()]))
        .collect();
    let sql = "UPDATE runs SET ended_by = 'old_life' WHERE id IN (VALUES ";
    conn.over_rows(sql, past, ")").await?;
    let made: Vec<&NewPlanned> = plans.iter().flat_map(|plan| &plan.make).collect();
    make(conn, &made, now).await?;
    let changed: Vec<&PlanChange> = plans.iter().flat_map(|plan| &plan.change).collect();
    change(conn, &changed, now).await?;
    let ended = made
        .iter()
        .map(|run| (&run.id, run.state))
        .chain(changed.iter().map(|run| (&run.run, run.state)));
    Ok(ended
        .filter(|(_, state)| state.is_ended())
        .map(|(run, state)| (run.clone(), state))
        .collect())
}

/// Makes planned runs.
pub(super) async fn make(conn: &mut Conn, runs: &[&NewPlanned], now: Time) -> Result<(), StoreError> {
    let now_ms = now.timestamp_millis();
    let rows: Vec<[Param; 14]> = runs
        .iter()
        .map(|run| {
            let (stay, source, code) = match &run.stay {
                Some((stay, source, code)) => (Some(stay.as_str()), Some(source.as_str()), Some(code.as_str())),
                None => (None, None, None),
            };
            [
                run.id.as_str().into(),
                run.key.as_str().into(),
                run.recipe.as_str().into(),
                stay.into(),
                source.into(),
                code.into(),
                run.state.word().into(),
                run.reason.as_str().into(),
                run.due_at.timestamp_millis().into(),
                now_ms.into(),
                now_ms.into(),
                entries_text(&run.entries).into(),
                run.due_at.timestamp_millis().into(),
                run.ended_by.map(EndedBy::word).into(),
            ]
        })
        .collect();
    // What it needs to run is written when it is due: the recipe may be another one by then. A time of the calendar that was
    // called off while the clock was behind is there already.
    let sql = "WITH v (id, run_key, recipe, stay_id, source, code, state, reason, due_at, created_at, updated_at, entries, \
         planned_at, ended_by) AS (VALUES ";
    let insert = ") INSERT INTO runs (id, run_key, recipe, revision, stay_id, source, code, about, mode, names_gone, after_gone, \
         dry_run, lane, state, reason, step, attempts, step_attempts, generation, uncertain, cancel_requested, due_at, \
         created_at, updated_at, entries, planned_at, ended_by) SELECT id, run_key, recipe, '', stay_id, source, code, \
         'reservation', 'queued', ' ', 0, 0, '', state, reason, 0, 0, 0, 0, 0, 0, due_at, created_at, updated_at, entries, \
         planned_at, ended_by FROM v WHERE TRUE ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = '', \
         ended_by = NULL, updated_at = excluded.updated_at WHERE runs.stay_id IS NULL AND runs.state = 'cancelled' \
         AND runs.ended_by = 'plan' AND runs.attempts = 0";
    conn.over_rows(sql, rows, insert).await?;
    Ok(())
}

async fn change(conn: &mut Conn, changes: &[&PlanChange], now: Time) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let rows: Vec<[Param; 8]> = changes
        .iter()
        .map(|change| {
            [
                change.run.as_str().into(),
                change.from.0.word().into(),
                change.from.1.timestamp_millis().into(),
                change.state.word().into(),
                change.due_at.timestamp_millis().into(),
                entries_text(&change.entries).into(),
                change.reason.as_str().into(),
                change.ended_by.map(EndedBy::word).into(),
            ]
        })
        .collect();
    let wanted = rows.len();
    let sql = "WITH v (id, from_state, from_due, state, due_at, entries, reason, ended_by) AS (VALUES ";
    let update = ") UPDATE runs AS r SET state = v.state, due_at = v.due_at, planned_at = v.due_at, entries = v.entries, \
         reason = v.reason, ended_by = v.ended_by FROM v WHERE r.id = v.id AND r.state = v.from_state \
         AND r.due_at = v.from_due AND r.attempts = 0 RETURNING id";
    if conn.over_rows(sql, rows, update).await?.len() != wanted {
        return Err(StoreError::Conflict("a planned run has changed since".to_owned()));
    }
    let ids: Vec<[Param; 1]> = changes.iter().map(|change| [change.run.as_str().into()]).collect();
    touch(conn, ids, now).await?;
    // What was rendered when it was due is rendered anew when it is due again.
    let undone = changes.iter().filter(|change| change.from.0 == RunState::Ready);
    let undone: Vec<[Param; 1]> = undone.map(|change| [change.run.as_str().into()]).collect();
    conn.over_rows("DELETE FROM steps WHERE run_id IN (VALUES ", undone, ")")
        .await?;
    record(conn, changes, now).await
}

async fn touch(conn: &mut Conn, ids: Vec<[Param; 1]>, now: Time) -> Result<(), StoreError> {
    for chunk in ids.chunks(500) {
        let mut sql = Sql::new("UPDATE runs SET updated_at = ");
        sql.bind(now.timestamp_millis())
            .push(" WHERE id IN (VALUES ")
            .rows(chunk.iter().cloned())
            .push(")");
        conn.execute(sql).await?;
    }
    Ok(())
}

/// One visible record of every move, return and calling off.
async fn record(conn: &mut Conn, changes: &[&PlanChange], now: Time) -> Result<(), StoreError> {
    let rows: Vec<[Param; 7]> = changes
        .iter()
        .filter(|change| change.state != change.from.0 || change.due_at != change.from.1)
        .map(|change| {
            [
                change.run.as_str().into(),
                now.timestamp_millis().into(),
                change.from.0.word().into(),
                change.state.word().into(),
                change.from.1.timestamp_millis().into(),
                change.due_at.timestamp_millis().into(),
                change.reason.as_str().into(),
            ]
        })
        .collect();
    let sql = "WITH v (run_id, at, from_state, to_state, from_due, to_due, because) AS (VALUES ";
    let insert = ") INSERT INTO run_changes (run_id, stay_id, at, from_state, to_state, from_due, to_due, because) \
         SELECT v.run_id, r.stay_id, v.at, v.from_state, v.to_state, v.from_due, v.to_due, v.because \
         FROM v JOIN runs r ON r.id = v.run_id WHERE TRUE";
    conn.over_rows(sql, rows, insert).await?;
    Ok(())
}

/// Records that planned runs were called off by something else than a plan.
pub(super) async fn record_ends(
    conn: &mut Conn,
    ends: Vec<(RunId, Time)>,
    because: &str,
    now: Time,
) -> Result<(), StoreError> {
    let changes: Vec<PlanChange> = ends
        .into_iter()
        .map(|(run, due_at)| PlanChange {
            run,
            from: (RunState::Scheduled, due_at),
            state: RunState::Cancelled,
            due_at,
            entries: Vec::new(),
            reason: because.to_owned(),
            ended_by: Some(EndedBy::Plan),
        })
        .collect();
    record(conn, &changes.iter().collect::<Vec<_>>(), now).await
}

/// Runs that take in what happens must still wait.
pub(super) async fn still_wait(conn: &mut Conn, joined: BTreeSet<&str>) -> Result<(), StoreError> {
    let wanted = joined.len();
    let ids = joined.into_iter().map(|id| [id.into()]).collect();
    let sql = "SELECT id FROM runs WHERE state = 'scheduled' AND id IN (VALUES ";
    if conn.over_rows(sql, ids, ")").await?.len() != wanted {
        return Err(StoreError::Conflict(
            "a run that waited for changes waits no more".to_owned(),
        ));
    }
    Ok(())
}
