//! The end of attempts. Guarded by the lease: who has lost it records nothing.

use std::collections::{HashMap, HashSet};

use crate::model::clock::Time;
use crate::model::fault;
use crate::model::id::RunId;
use crate::model::run::{AttemptOutcome, Finished, RunState, Then};

use super::dialect::{Conn, Param, Sql};
use super::outbox::{Begun, Lease, count_failed, open_attempts, skip_steps, until_ms};
use super::{Store, StoreError};

impl Store {
    /// Records a group of results and where the runs go; tells the state each run has now. A run that is not in the answer
    /// was not ours any more. A run whose cancelling was asked for ends as soon as nothing of it is in doubt.
    pub async fn record(&self, finished: Vec<Finished>, lease: Lease) -> Result<HashMap<RunId, RunState>, StoreError> {
        if finished.is_empty() {
            return Ok(HashMap::new());
        }
        self.write(move |conn| Box::pin(async move { record(conn, &finished, &lease).await }))
            .await
            .inspect(|_| fault::point("after-record-commit"))
    }

    /// Lengthens the leases of attempts that are under way, each named by its run and number; tells which are still ours.
    pub async fn renew(&self, held: Vec<(RunId, i64)>, lease: Lease) -> Result<HashSet<RunId>, StoreError> {
        if held.is_empty() {
            return Ok(HashSet::new());
        }
        self.write(move |conn| {
            Box::pin(async move {
                let rows = held.iter().map(|(run, number)| [run.as_str().into(), (*number).into()]);
                let mut sql = Sql::new("WITH v (run_id, attempt) AS (VALUES ");
                sql.rows(rows).push(") UPDATE runs AS r SET lease_until = ");
                sql.bind(lease.until.timestamp_millis())
                    .push(" FROM v WHERE r.id = v.run_id AND r.attempts = v.attempt AND r.state = 'running' AND r.lease_owner = ");
                sql.bind(lease.owner.as_str()).push(" RETURNING id");
                conn.fetch(sql).await?.iter().map(|row| row.text(0).map(RunId)).collect()
            })
        })
        .await
    }
}

struct Step {
    state: RunState,
    reason: String,
    due_at: Option<Time>,
    position: usize,
    lane: Option<String>,
    fresh: bool,
    generation_reset: bool,
}

fn step(finished: &Finished) -> Step {
    let stay = |state, reason: &str| Step {
        state,
        reason: reason.to_owned(),
        due_at: None,
        position: finished.position,
        lane: None,
        fresh: false,
        generation_reset: false,
    };
    match &finished.then {
        Then::Open(open) => Step {
            position: open.position,
            lane: Some(open.prepared.connection.clone()),
            fresh: true,
            generation_reset: true,
            ..stay(RunState::Running, "")
        },
        Then::Wait { position, lane, .. } => Step {
            position: *position,
            lane: Some(lane.clone()),
            fresh: true,
            generation_reset: true,
            ..stay(RunState::Ready, "")
        },
        Then::Retry(at) => Step {
            due_at: Some(*at),
            ..stay(RunState::Retrying, &finished.summary)
        },
        Then::Park(reason) => stay(RunState::Parked, reason),
        Then::Dead(reason) => stay(RunState::Dead, reason),
        Then::Stuck { position, reason } => Step {
            position: *position,
            fresh: true,
            generation_reset: true,
            ..stay(RunState::Dead, reason)
        },
        Then::Unspent(at) => Step {
            due_at: Some(*at),
            fresh: true,
            ..stay(RunState::Retrying, &finished.summary)
        },
        Then::Succeeded { ending, .. } => stay(ending.state, &ending.reason),
    }
}

/// Whether the run leaves the step behind: what was in doubt about it is no doubt about the next one.
fn leaves(then: &Then) -> bool {
    match then {
        Then::Open(_) | Then::Wait { .. } | Then::Stuck { .. } | Then::Succeeded { .. } => true,
        Then::Retry(_) | Then::Unspent(_) | Then::Park(_) | Then::Dead(_) => false,
    }
}

async fn record(conn: &mut Conn, finished: &[Finished], lease: &Lease) -> Result<HashMap<RunId, RunState>, StoreError> {
    let now_ms = lease.now.timestamp_millis();
    let rows = finished.iter().map(|done| -> [Param; 12] {
        let step = step(done);
        [
            done.run.as_str().into(),
            done.attempt.into(),
            step.state.word().into(),
            step.reason.into(),
            step.due_at.map(|at| at.timestamp_millis()).into(),
            step.position.into(),
            step.lane.into(),
            step.fresh.into(),
            (done.uncertain && !leaves(&done.then)).into(),
            (step.state == RunState::Running).into(),
            step.generation_reset.into(),
            match &done.then {
                Then::Open(open) => Some(until_ms(open, now_ms)),
                _ => None,
            }
            .into(),
        ]
    });
    let mut sql = Sql::new(
        "WITH v (run_id, attempt, to_state, reason, due_at, step, lane, fresh, uncertain, opens, reset, until) AS (VALUES ",
    );
    sql.rows(rows).push(") UPDATE runs AS r SET ");
    // A run that was called off while its attempt was under way ends here, once nothing of it is in doubt. Why it was
    // called off is kept until then.
    sql.push("state = CASE WHEN r.cancel_requested = 1 AND v.uncertain = 0 AND v.to_state <> 'succeeded' THEN 'cancelled' ELSE v.to_state END, ");
    sql.push("reason = CASE WHEN r.cancel_requested = 1 AND (v.to_state = 'retrying' OR v.uncertain = 0 AND v.to_state <> 'succeeded') THEN r.reason ELSE v.reason END, ");
    // What was under way was due, whatever the clock says by now.
    sql.push("due_at = COALESCE(v.due_at, CASE WHEN r.due_at > ")
        .bind(now_ms)
        .push(" THEN ")
        .bind(now_ms)
        .push(" ELSE r.due_at END), ");
    sql.push("step = v.step, lane = COALESCE(v.lane, r.lane), uncertain = v.uncertain, ");
    sql.push("generation = CASE WHEN v.reset = 1 THEN 0 ELSE r.generation END, ");
    sql.push("step_attempts = CASE WHEN v.fresh = 1 THEN v.opens ELSE r.step_attempts END, ");
    sql.push("step_first_at = CASE WHEN v.fresh = 0 THEN r.step_first_at WHEN v.opens = 1 THEN ")
        .bind(now_ms);
    sql.push(" ELSE NULL END, step_until = CASE WHEN v.fresh = 0 THEN r.step_until ELSE v.until END, ");
    sql.push("attempts = CASE WHEN v.opens = 1 AND r.cancel_requested = 0 THEN r.attempts + 1 ELSE r.attempts END, lease_until = ");
    sql.bind(lease.until.timestamp_millis())
        .push(", updated_at = ")
        .bind(now_ms);
    sql.push(" FROM v WHERE r.id = v.run_id AND r.state = 'running' AND r.attempts = v.attempt AND r.lease_owner = ");
    sql.bind(lease.owner.as_str()).push(" RETURNING id, state");
    let mut states = HashMap::new();
    for row in conn.fetch(sql).await? {
        let state = RunState::from_word(&row.text(1)?);
        states.insert(
            RunId(row.text(0)?),
            state.ok_or_else(|| StoreError::Broken("an unknown state".to_owned()))?,
        );
    }
    let ours: Vec<&Finished> = finished.iter().filter(|done| states.contains_key(&done.run)).collect();
    if ours.is_empty() {
        return Ok(states);
    }
    attempts(conn, &ours, now_ms).await?;
    steps(conn, &ours).await?;
    let next = ours.iter().filter_map(|done| match &done.then {
        Then::Open(open) if states.get(&done.run) == Some(&RunState::Running) => Some(Begun {
            run: &done.run,
            number: done.attempt + 1,
            by_hand: false,
            opening: open,
            recorded: false,
        }),
        _ => None,
    });
    open_attempts(conn, next, lease.now).await?;
    let skipped = ours.iter().flat_map(|done| match &done.then {
        Then::Wait { skipped, .. } | Then::Succeeded { skipped, .. } => {
            skipped.iter().map(|step| (&done.run, step)).collect()
        }
        _ => Vec::new(),
    });
    skip_steps(conn, skipped).await?;
    count_failed(
        conn,
        ours.iter().filter(|done| done.failed.is_some()).map(|done| &done.run),
    )
    .await?;
    Ok(states)
}

async fn attempts(conn: &mut Conn, finished: &[&Finished], now_ms: i64) -> Result<(), StoreError> {
    let rows = finished.iter().map(|done| -> [Param; 5] {
        [
            done.run.as_str().into(),
            done.attempt.into(),
            done.outcome.word().into(),
            done.summary.as_str().into(),
            done.excerpt.clone().into(),
        ]
    });
    let mut sql = Sql::new("WITH v (run_id, number, outcome, summary, excerpt) AS (VALUES ");
    sql.rows(rows).push(
        ") UPDATE attempts AS a SET outcome = v.outcome, summary = v.summary, excerpt = v.excerpt, finished_at = ",
    );
    // A finished attempt never changes.
    sql.bind(now_ms)
        .push(" FROM v WHERE a.run_id = v.run_id AND a.number = v.number AND a.finished_at IS NULL");
    conn.execute(sql).await?;
    Ok(())
}

async fn steps(conn: &mut Conn, finished: &[&Finished]) -> Result<(), StoreError> {
    let rows: Vec<[Param; 4]> = finished
        .iter()
        .filter_map(|done| {
            let state = match (done.outcome, &done.then) {
                (AttemptOutcome::Done, _) => "done",
                (_, Then::Retry(_) | Then::Unspent(_) | Then::Park(_)) => return None,
                _ => "failed",
            };
            let output = match &done.failed {
                Some(because) => Some(serde_json::json!({"failed": because}).to_string()),
                None => (!done.output.is_null()).then(|| done.output.to_string()),
            };
            Some([
                done.run.as_str().into(),
                done.position.into(),
                state.into(),
                output.into(),
            ])
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("WITH v (run_id, position, state, output) AS (VALUES ");
    sql.rows(rows).push(") UPDATE steps AS s SET state = v.state, output = v.output FROM v WHERE s.run_id = v.run_id AND s.position = v.position");
    conn.execute(sql).await?;
    Ok(())
}
