//! Runs on their way out: what may be worked on, and the attempt that is recorded before anything is sent.

mod steps;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::model::clock::{Time, from_ms};
use crate::model::decision::{Ending, Opening, SkippedStep};
use crate::model::event::Event;
use crate::model::id::{EventId, RunId, StayId};
use crate::model::run::{Run, StoredStep};

use super::answered::answered;
use super::dialect::{Conn, Param, Row, Sql};
use super::{Store, StoreError, from_json};

pub use steps::{Begun, count_failed, keep_rendered, open_attempts, skip_steps};

/// How much later than its time the last attempt of a step may begin.
const LAST_ATTEMPT_MS: i64 = 15_000;

/// Who works on a run, and until when.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The process.
    pub owner: String,
    /// Now.
    pub now: Time,
    /// Now by the clock that only goes on: leases are measured with it, and hold within one process.
    pub steady: Time,
    /// When somebody else may take it up, by the same.
    pub until: Time,
    /// Whether recipes look at the neighbours of stays, so that those have to be told of a move.
    pub neighbours: bool,
}

/// A run that may be worked on, with everything needed to render its step.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The run.
    pub run: Run,
    /// The event it answers; not read where the step is rendered already and goes out as it is.
    pub event: Option<Event>,
    /// The headers that were kept with the event's delivery, a JSON object; empty like the body.
    pub headers: String,
    /// The body of the event's delivery; empty where the event is not read, and once there is retention, where it has removed it.
    pub body: Vec<u8>,
    /// The steps that were rendered before.
    pub steps: Vec<StoredStep>,
    /// Why something of it cannot be read; then it cannot be worked on, and nothing else is held up.
    pub damaged: Option<StoreError>,
}

/// An attempt about to begin.
#[derive(Clone, Debug)]
pub struct Start {
    /// The run.
    pub run: RunId,
    /// How many attempts it has had; it must not have changed since it was read.
    pub attempts: i64,
    /// The step.
    pub opening: Opening,
    /// The recipe's revision that the run goes on with: another one only where a person asked for it to be tried again.
    pub revision: String,
    /// Whether a person asked for it.
    pub by_hand: bool,
    /// Whether the count of the step's attempts begins anew (another step, or a person asked).
    pub fresh: bool,
    /// Whether the step goes out as it is recorded already.
    pub recorded: bool,
}

/// What may be worked on: in its queue nothing of the same stay is ahead or under way (an older run can come back by
/// hand while a newer one is being sent), and what answers a cancellation waits for
/// earlier attempts of the stay on the same connection that may still have an effect.
pub const UNHINDERED: &str = "(r.queue IS NULL OR NOT EXISTS (SELECT 1 FROM runs p WHERE p.stay_id = r.stay_id \
     AND p.queue = r.queue AND p.state IN ('ready', 'running', 'retrying') AND (p.turn < r.turn OR p.state = 'running'))) \
     AND (r.after_gone = 0 OR NOT EXISTS (SELECT 1 FROM runs p WHERE p.stay_id = r.stay_id AND p.lane = r.lane \
     AND p.turn < r.turn AND p.state IN ('ready', 'running', 'retrying') AND (p.state = 'running' OR p.uncertain = 1)))";

/// What waits for one connection, the longest due first.
pub(super) const OF_LANE: &str = " FROM runs r WHERE r.state IN ('ready', 'retrying') AND r.lane = ";
pub(super) const LONGEST_DUE: &str = " ORDER BY r.due_at, r.seq LIMIT ";

pub(super) const RUN_COLUMNS: &str = "r.id, r.run_key, r.recipe, r.revision, r.event_id, r.lane, r.after_gone, r.step, r.attempts, \
     r.step_attempts, r.step_first_at, r.generation, r.uncertain, r.cancel_requested, r.dry_run, r.by_hand, r.due_at, r.planned_at, r.stay_id, \
     r.entries, r.step_until";

/// When a step that is first tried at `now_ms` is given up. The last attempt that its policy allows may be a moment late.
pub(super) fn until_ms(opening: &Opening, now_ms: i64) -> i64 {
    now_ms + opening.window_s * 1000 + LAST_ATTEMPT_MS
}

/// Gives out turns; the last one that was given out before.
pub(super) async fn turns(conn: &mut Conn, count: usize) -> Result<i64, StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut sql = Sql::new("UPDATE plan_state SET turn = turn + ");
    sql.bind(count).push(" RETURNING turn");
    let rows = conn.fetch(sql).await?;
    let last = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(last - count)
}

fn run(row: &Row) -> Result<Run, StoreError> {
    Ok(Run {
        id: RunId(row.text(0)?),
        key: row.text(1)?,
        recipe: row.text(2)?,
        revision: row.text(3)?,
        event: row.opt_text(4)?.map(EventId),
        lane: row.text(5)?,
        after_gone: row.flag(6)?,
        step: usize::try_from(row.int(7)?).unwrap_or_default(),
        attempts: row.int(8)?,
        step_attempts: row.int(9)?,
        step_first_at: row.opt_int(10)?.map(from_ms),
        generation: row.int(11)?,
        uncertain: row.flag(12)?,
        cancel_requested: row.flag(13)?,
        dry_run: row.flag(14)?,
        by_hand: row.opt_text(15)?.map(|text| from_json(&text)).transpose()?,
        due_at: from_ms(row.int(16)?),
        planned_at: row.opt_int(17)?.map(from_ms),
        stay: row.opt_text(18)?.map(StayId),
        of_check_in: row
            .opt_text(19)?
            .is_some_and(|all| all.split('\n').all(|entry| entry.starts_with("check_in"))),
        step_until: row.opt_int(20)?.map(from_ms),
    })
}

impl Store {
    /// Runs of one connection that may be worked on now, the longest due first.
    pub async fn candidates(&self, lane: &str, now: Time, limit: usize) -> Result<Vec<Candidate>, StoreError> {
        let mut conn = self.reader().await?;
        conn.begin_read().await?;
        let found = candidates(&mut conn, lane, now, limit).await;
        conn.commit().await?;
        found
    }

    /// Waiting runs whose time for retries has passed, but for those of paused connections, the longest past first.
    pub async fn overdue(&self, now: Time, limit: usize) -> Result<Vec<Candidate>, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT ");
        sql.push(RUN_COLUMNS)
            .push(" FROM runs r WHERE r.state IN ('ready', 'retrying') AND r.step_until < ");
        sql.bind(now.timestamp_millis()).push(" AND r.by_hand IS NULL ");
        sql.push("AND r.lane NOT IN (SELECT name FROM paused_connections) ORDER BY r.step_until LIMIT ")
            .bind(limit);
        let runs = conn.fetch(sql).await?.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        load(&mut conn, runs).await
    }

    /// Whether any run waits for a connection, and when the next of them is due after `now`.
    pub async fn waiting(&self, lane: &str, now: Time) -> Result<(bool, Option<Time>), StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT MIN(due_at) FROM runs WHERE state IN ('ready', 'retrying') AND lane = ");
        sql.bind(lane).push(" AND due_at > ").bind(now.timestamp_millis());
        let rows = conn.fetch(sql).await?;
        let later = rows.first().map_or(Ok(None), |row| row.opt_int(0))?.map(from_ms);
        if later.is_some() {
            return Ok((true, later));
        }
        let mut sql = Sql::new("SELECT 1 FROM runs WHERE state IN ('ready', 'retrying') AND lane = ");
        sql.bind(lane).push(" LIMIT 1");
        Ok((!conn.fetch(sql).await?.is_empty(), None))
    }

    /// Every connection for which a run waits.
    pub async fn waiting_lanes(&self) -> Result<HashSet<String>, StoreError> {
        let mut conn = self.reader().await?;
        let sql = Sql::new("SELECT DISTINCT lane FROM runs WHERE state IN ('ready', 'retrying')");
        conn.fetch(sql).await?.iter().map(|row| row.text(0)).collect()
    }

    /// Begins attempts: each is recorded, with its request, before anything is sent. Tells which may go ahead; the others
    /// have been taken, cancelled or held back in between.
    pub async fn start(&self, starts: Vec<Start>, lease: Lease) -> Result<HashSet<RunId>, StoreError> {
        if starts.is_empty() {
            return Ok(HashSet::new());
        }
        self.write(move |conn| Box::pin(async move { start(conn, &starts, &lease).await }))
            .await
    }

    /// Moves a waiting run to the connection that its next wanted step needs.
    pub async fn move_lane(&self, run: RunId, attempts: i64, lane: String) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new("UPDATE runs SET lane = ");
                sql.bind(lane)
                    .push(" WHERE state IN ('ready', 'retrying') AND id = ")
                    .bind(run.as_str());
                sql.push(" AND attempts = ").bind(attempts);
                conn.execute(sql).await.map(|_| ())
            })
        })
        .await
    }

    /// Ends a waiting run without an attempt: it could not be rendered, or nothing of it is wanted.
    pub async fn end_waiting(
        &self,
        run: RunId,
        attempts: i64,
        ending: Ending,
        skipped: Vec<SkippedStep>,
        now: Time,
    ) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new("UPDATE runs SET by_hand = NULL, state = ");
                sql.bind(ending.state.word())
                    .push(", reason = ")
                    .bind(ending.reason)
                    .push(", updated_at = ");
                sql.bind(now.timestamp_millis())
                    .push(" WHERE state IN ('ready', 'retrying') AND id = ");
                sql.bind(run.as_str()).push(" AND attempts = ").bind(attempts);
                if conn.execute(sql).await? == 1 {
                    skip_steps(conn, skipped.iter().map(|step| (&run, step))).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

impl Store {
    /// Leaves a waiting run's step behind, without a further attempt; the run stands at the next one. Tells whether it has
    /// ended instead, as its cancelling was asked for.
    pub async fn pass_step(&self, run: RunId, attempts: i64, step: SkippedStep, now: Time) -> Result<bool, StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let mut sql = Sql::new(
                    "UPDATE runs SET by_hand = NULL, uncertain = 0, generation = 0, step_attempts = 0, step_first_at = NULL, \
                     step_until = NULL, state = CASE WHEN cancel_requested = 1 THEN 'cancelled' ELSE 'ready' END, \
                     reason = CASE WHEN cancel_requested = 1 THEN reason ELSE '' END, step = ",
                );
                sql.bind(step.position + 1)
                    .push(", due_at = ")
                    .bind(now.timestamp_millis());
                sql.push(", updated_at = ").bind(now.timestamp_millis());
                sql.push(" WHERE state IN ('ready', 'retrying') AND id = ")
                    .bind(run.as_str());
                sql.push(" AND attempts = ")
                    .bind(attempts)
                    .push(" RETURNING cancel_requested");
                let rows = conn.fetch(sql).await?;
                let Some(row) = rows.first() else { return Ok(false) };
                skip_steps(conn, [(&run, &step)].into_iter()).await?;
                row.flag(0)
            })
        })
        .await
    }
}

async fn candidates(conn: &mut Conn, lane: &str, now: Time, limit: usize) -> Result<Vec<Candidate>, StoreError> {
    let mut sql = Sql::new("SELECT ");
    sql.push(RUN_COLUMNS).push(OF_LANE).bind(lane);
    sql.push(" AND r.due_at <= ")
        .bind(now.timestamp_millis())
        .push(" AND ")
        .push(UNHINDERED);
    sql.push(LONGEST_DUE).bind(limit);
    let runs = conn.fetch(sql).await?.iter().map(run).collect::<Result<Vec<_>, _>>()?;
    load(conn, runs).await
}

/// Adds events, bodies and steps to runs.
async fn load(conn: &mut Conn, runs: Vec<Run>) -> Result<Vec<Candidate>, StoreError> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(
        "SELECT run_id, position, step_id, state, request, step_key, output, at_most_once FROM steps WHERE run_id IN ",
    );
    sql.list(runs.iter().map(|run| run.id.as_str()))
        .push(" ORDER BY run_id, position");
    let mut steps: HashMap<String, Result<Vec<StoredStep>, StoreError>> = HashMap::new();
    for row in conn.fetch(sql).await? {
        let of_run = steps.entry(row.text(0)?).or_insert_with(|| Ok(Vec::new()));
        match (step(&row), of_run) {
            (Ok(step), Ok(steps)) => steps.push(step),
            (Err(damage), of_run) => *of_run = Err(damage),
            (Ok(_), Err(_)) => {}
        }
    }
    let rendered = |run: &Run| {
        let steps = steps.get(run.id.as_str()).and_then(|steps| steps.as_ref().ok());
        run.by_hand.is_none() && steps.is_some_and(|steps| steps.iter().any(|step| step.is_rendered_at(run.step)))
    };
    let unread = runs.iter().filter(|run| !rendered(run));
    let unread: Vec<_> = unread
        .filter_map(|run| run.event.as_ref())
        .map(|event| [event.as_str().into()])
        .collect();
    let events = answered(conn, unread).await?;
    Ok(runs
        .into_iter()
        .map(|run| {
            let (event, headers, body) = run
                .event
                .as_ref()
                .and_then(|id| events.get(id.as_str()).cloned())
                .unwrap_or((Ok(None), String::new(), Vec::new()));
            let steps = steps.remove(run.id.as_str()).unwrap_or_else(|| Ok(Vec::new()));
            let damaged = event.as_ref().err().or(steps.as_ref().err()).cloned();
            Candidate {
                run,
                event: event.unwrap_or_default(),
                headers,
                body,
                steps: steps.unwrap_or_default(),
                damaged,
            }
        })
        .collect())
}

fn step(row: &Row) -> Result<StoredStep, StoreError> {
    Ok(StoredStep {
        position: usize::try_from(row.int(1)?).unwrap_or_default(),
        step_id: row.text(2)?,
        state: row.text(3)?,
        prepared: row.opt_text(4)?.map(|text| from_json(&text)).transpose()?,
        key: row.text(5)?,
        output: row.opt_text(6)?.map_or(Ok(Value::Null), |text| from_json(&text))?,
        at_most_once: row.flag(7)?,
    })
}

async fn start(conn: &mut Conn, starts: &[Start], lease: &Lease) -> Result<HashSet<RunId>, StoreError> {
    let now_ms = lease.now.timestamp_millis();
    let rows = starts.iter().map(|start| -> [Param; 8] {
        [
            start.run.as_str().into(),
            start.attempts.into(),
            start.opening.position.into(),
            start.opening.prepared.connection.as_str().into(),
            start.opening.generation.into(),
            start.fresh.into(),
            start.revision.as_str().into(),
            until_ms(&start.opening, now_ms).into(),
        ]
    });
    let mut sql = Sql::new("WITH v (run_id, attempts, step, lane, generation, fresh, revision, until) AS (VALUES ");
    sql.rows(rows)
        .push(") UPDATE runs AS r SET state = 'running', attempts = r.attempts + 1, by_hand = NULL, ");
    // Why it was called off is kept until it ends.
    sql.push("reason = CASE WHEN r.cancel_requested = 1 THEN r.reason ELSE '' END, ");
    sql.push("step = v.step, lane = v.lane, generation = v.generation, revision = v.revision, ");
    sql.push("step_attempts = CASE WHEN v.fresh = 1 THEN 1 ELSE r.step_attempts + 1 END, ");
    sql.push("step_first_at = CASE WHEN v.fresh = 1 OR r.step_first_at IS NULL THEN ")
        .bind(now_ms);
    sql.push(" ELSE r.step_first_at END, step_until = CASE WHEN v.fresh = 1 OR r.step_first_at IS NULL THEN v.until ");
    sql.push(" ELSE r.step_until END, lease_owner = ")
        .bind(lease.owner.as_str());
    sql.push(", lease_until = ")
        .bind(lease.until.timestamp_millis())
        .push(", updated_at = ")
        .bind(now_ms);
    // Guarded by state, by the count of attempts and, once more, by what may hold it back.
    sql.push(" FROM v WHERE r.id = v.run_id AND r.attempts = v.attempts AND r.state IN ('ready', 'retrying') AND ");
    sql.push(UNHINDERED).push(" RETURNING id");
    let mut started = HashSet::new();
    for row in conn.fetch(sql).await? {
        started.insert(RunId(row.text(0)?));
    }
    let opened: Vec<&Start> = starts.iter().filter(|start| started.contains(&start.run)).collect();
    open_attempts(
        conn,
        opened.iter().map(|start| Begun {
            run: &start.run,
            number: start.attempts + 1,
            by_hand: start.by_hand,
            opening: &start.opening,
            recorded: start.recorded,
        }),
        lease.now,
    )
    .await?;
    Ok(started)
}
