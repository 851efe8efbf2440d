//! Planned runs whose time has come: read with everything that decides whether they go, and taken on.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::clock::{Time, from_ms};
use crate::model::decision::{Explanation, Opening, SkippedStep};
use crate::model::event::Event;
use crate::model::id::{DeliveryId, EventId, RunId, StayId};
use crate::model::plan::{EndedBy, NewPlanned};
use crate::model::reservation::{Status, Stay};
use crate::model::run::{ByHand, Mode, RunState};

use super::apply::{INSERT_EVENTS, event_row};
use super::dialect::{Conn, Param, Row, Sql};
use super::planned::make;
use super::{Store, StoreError, from_json, outbox};

/// A planned run whose time has come.
#[derive(Clone, Debug)]
pub struct DueRun {
    /// The run.
    pub id: RunId,
    /// Its key.
    pub key: String,
    /// Its recipe's name.
    pub recipe: String,
    /// The revision it was made with; empty for a clock's, which takes the one of today.
    pub revision: String,
    /// The recipe's entries it stands for.
    pub entries: Vec<String>,
    /// When it was due.
    pub due_at: Time,
    /// The time it was planned for.
    pub planned_at: Time,
    /// Set where a person wants it.
    pub by_hand: Option<ByHand>,
    /// The stay it is of.
    pub stay_id: Option<StayId>,
    /// The stay as it is now.
    pub stay: Option<Stay>,
    /// The event it answers, where that is known before: the first change of those it has waited for.
    pub event: Option<Event>,
    /// The headers that were kept with the stay's last delivery, a JSON object; empty like the body.
    pub headers: String,
    /// The body of the stay's last delivery; empty once there is retention and it has removed it.
    pub body: Vec<u8>,
    /// Why something of it cannot be read.
    pub damaged: Option<StoreError>,
}

/// What becomes of a run that is due.
#[derive(Clone, Debug)]
pub struct CameDue {
    /// The run.
    pub run: RunId,
    /// When it was due; it must still be.
    pub due_at: Time,
    /// The stay as it was read, by its revision; it must be the same.
    pub revision_of_stay: Option<i64>,
    /// The event that its time has come, with why it runs or not; `None` where it was not even asked.
    pub event: Option<(Event, Vec<Explanation>)>,
    /// What it becomes.
    pub becomes: Becomes,
    /// Its steps that are passed over, where it ends with them.
    pub passed: Vec<SkippedStep>,
    /// The next run of the same schedule.
    pub next: Option<NewPlanned>,
}

/// What a due run becomes.
#[derive(Clone, Debug)]
pub enum Becomes {
    /// Ready, with its first step rendered.
    Ready(Box<Ready>),
    /// It ends here.
    Ended {
        /// `Skipped`, `Cancelled`, `Dead`, or `Succeeded` past failed steps alone.
        state: RunState,
        /// Why, for a person.
        reason: String,
        /// The same as a cause.
        ended_by: Option<EndedBy>,
    },
}

/// What a run needs that goes ahead.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The recipe's revision.
    pub revision: String,
    /// Runs of one stay in one queue go in order; `None` for no order.
    pub queue: Option<String>,
    /// Whether it cancels older runs of the recipe that still wait.
    pub mode: Mode,
    /// The gone statuses that the recipe's `match.status` names.
    pub names_gone: Vec<Status>,
    /// Whether nothing of it is really sent.
    pub dry_run: bool,
    /// Its first step.
    pub opening: Opening,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct TakenOn {
    /// Runs that are ready now.
    pub ready: Vec<RunId>,
    /// The connections they wait for.
    pub lanes: HashSet<String>,
    /// Runs that have ended.
    pub ended: Vec<(RunId, RunState)>,
    /// How many steps failed in those of them that went on past them.
    pub failed_steps: usize,
}

/// What is due at a time.
const DUE: &str = "SELECT r.id, r.run_key, r.recipe, r.revision, r.entries, r.due_at, r.planned_at, r.by_hand, r.stay_id, \
     r.event_id FROM runs r WHERE r.state = 'scheduled' AND r.due_at <= ";

/// The longest due first.
const IN_ORDER: &str = " ORDER BY r.due_at, r.seq LIMIT ";

impl Store {
    /// Planned runs that are due, the longest due first.
    pub async fn due(&self, now: Time, limit: usize) -> Result<Vec<DueRun>, StoreError> {
        let mut conn = self.reader().await?;
        conn.begin_read().await?;
        let found = due(&mut conn, now, limit).await;
        conn.commit().await?;
        found
    }

    /// Takes on runs that are due. One that is not as it was read, or whose stay is not, is left for the next look.
    pub async fn come_due(&self, runs: Vec<CameDue>, now: Time) -> Result<TakenOn, StoreError> {
        self.write(move |conn| Box::pin(async move { come_due(conn, runs, now).await }))
            .await
    }
}

async fn due(conn: &mut Conn, now: Time, limit: usize) -> Result<Vec<DueRun>, StoreError> {
    let mut sql = Sql::new(DUE);
    sql.bind(now.timestamp_millis()).push(IN_ORDER).bind(limit);
    let rows = conn.fetch(sql).await?;
    let mut runs = Vec::with_capacity(rows.len());
    let mut events = Vec::new();
    for row in &rows {
        let (run, event) = due_run(row)?;
        events.push(event);
        runs.push(run);
    }
    let stays: Vec<[Param; 1]> = runs
        .iter()
        .filter_map(|run| run.stay_id.as_ref().map(|stay| [stay.as_str().into()]))
        .collect();
    let mut found: HashMap<String, Result<Stay, StoreError>> = HashMap::new();
    for row in conn
        .over_rows(
            "SELECT id, state, revision, planned FROM stays WHERE id IN (VALUES ",
            stays,
            ")",
        )
        .await?
    {
        let stay = from_json::<Stay>(&row.text(1)?);
        let (revision, planned_under) = (row.int(2)?, row.int(3)?);
        let stay = stay.map(|stay| Stay {
            revision,
            planned_under,
            ..stay
        });
        found.insert(row.text(0)?, stay);
    }
    let mut deliveries: BTreeMap<String, (String, Vec<u8>)> = BTreeMap::new();
    let last: HashSet<&DeliveryId> = found.values().flatten().map(|stay| &stay.last_delivery).collect();
    let last: Vec<[Param; 1]> = last.into_iter().map(|id| [id.as_str().into()]).collect();
    for row in conn
        .over_rows(
            "SELECT id, headers, body FROM deliveries WHERE id IN (VALUES ",
            last,
            ")",
        )
        .await?
    {
        deliveries.insert(row.text(0)?, (row.text(1)?, row.opt_blob(2)?.unwrap_or_default()));
    }
    let ids = events.iter().flatten().map(|event| [event.as_str().into()]).collect();
    let answered = super::answered::answered(conn, ids).await?;
    for (run, event) in runs.iter_mut().zip(events) {
        match run.stay_id.as_ref().map(|id| found.get(id.as_str()).cloned()) {
            Some(Some(Ok(stay))) => {
                if let Some((headers, body)) = deliveries.get(stay.last_delivery.as_str()) {
                    (run.headers, run.body) = (headers.clone(), body.clone());
                }
                run.stay = Some(stay);
            }
            Some(Some(Err(damage))) => run.damaged = Some(damage),
            Some(None) => run.damaged = Some(StoreError::Broken("its stay is not stored any more".to_owned())),
            None => {}
        }
        if let Some((known, ..)) = event.and_then(|id| answered.get(id.as_str()).cloned()) {
            match known {
                Ok(known) => run.event = known,
                Err(damage) => run.damaged = Some(damage),
            }
        }
    }
    Ok(runs)
}

fn due_run(row: &Row) -> Result<(DueRun, Option<EventId>), StoreError> {
    let due_at = from_ms(row.int(5)?);
    let run = DueRun {
        id: RunId(row.text(0)?),
        key: row.text(1)?,
        recipe: row.text(2)?,
        revision: row.text(3)?,
        entries: row
            .opt_text(4)?
            .unwrap_or_default()
            .split('\n')
            .map(str::to_owned)
            .collect(),
        due_at,
        planned_at: row.opt_int(6)?.map_or(due_at, from_ms),
        by_hand: row.opt_text(7)?.map(|text| from_json(&text)).transpose()?,
        stay_id: row.opt_text(8)?.map(StayId),
        stay: None,
        event: None,
        headers: String::new(),
        body: Vec::new(),
        damaged: None,
    };
    Ok((run, row.opt_text(9)?.map(EventId)))
}

async fn come_due(conn: &mut Conn, runs: Vec<CameDue>, now: Time) -> Result<TakenOn, StoreError> {
    let mut turn = outbox::turns(conn, runs.len()).await?;
    let now_ms = now.timestamp_millis();
    let mut rows: Vec<[Param; 18]> = Vec::with_capacity(runs.len());
    for run in &runs {
        turn += 1;
        let event = run.event.as_ref().map(|(event, _)| event);
        let code = event.and_then(|event| event.reservation["code"].as_str());
        let (state, reason, ended_by, ready) = match &run.becomes {
            Becomes::Ready(ready) => (RunState::Ready, "", None, Some(ready)),
            Becomes::Ended {
                state,
                reason,
                ended_by,
            } => (*state, reason.as_str(), *ended_by, None),
        };
        let names_gone: Vec<&str> = ready
            .iter()
            .flat_map(|ready| ready.names_gone.iter().map(|one| one.word()))
            .collect();
        rows.push([
            run.run.as_str().into(),
            run.due_at.timestamp_millis().into(),
            run.revision_of_stay.into(),
            state.word().into(),
            reason.into(),
            ended_by.map(EndedBy::word).into(),
            event.map(|event| event.id.as_str()).into(),
            code.into(),
            turn.into(),
            ready.map(|ready| ready.revision.as_str()).into(),
            ready.and_then(|ready| ready.queue.clone()).into(),
            ready.map(|ready| ready.mode.word()).into(),
            format!(" {} ", names_gone.join(" ")).into(),
            ready.is_some_and(|ready| ready.dry_run).into(),
            ready.map(|ready| ready.opening.prepared.connection.as_str()).into(),
            ready
                .map(|ready| i64::try_from(ready.opening.position).unwrap_or(i64::MAX))
                .into(),
            now_ms.into(),
            ready.is_some().into(),
        ]);
    }
    let sql = "WITH v (id, from_due, stay_revision, state, reason, ended_by, event_id, code, turn, revision, queue, mode, names_gone, \
         dry_run, lane, step, now, goes) AS (VALUES ";
    let update = ") UPDATE runs AS r SET state = v.state, reason = v.reason, ended_by = v.ended_by, \
         event_id = COALESCE(v.event_id, r.event_id), code = COALESCE(v.code, r.code), turn = v.turn, \
         revision = COALESCE(v.revision, r.revision), queue = v.queue, mode = COALESCE(v.mode, r.mode), \
         names_gone = v.names_gone, dry_run = v.dry_run, lane = COALESCE(v.lane, r.lane), step = COALESCE(v.step, r.step), \
         by_hand = NULL, updated_at = v.now FROM v WHERE r.id = v.id AND r.state = 'scheduled' AND r.due_at = v.from_due \
         AND (v.stay_revision IS NULL OR EXISTS (SELECT 1 FROM stays s WHERE s.id = r.stay_id AND s.revision = v.stay_revision)) \
         RETURNING id, recipe";
    let mut recipes: HashMap<String, String> = HashMap::new();
    for row in conn.over_rows(sql, rows, update).await? {
        recipes.insert(row.text(0)?, row.text(1)?);
    }
    let taken: Vec<CameDue> = runs
        .into_iter()
        .filter(|run| recipes.contains_key(run.run.as_str()))
        .collect();
    events(conn, &taken).await?;
    let next: Vec<&NewPlanned> = taken.iter().filter_map(|run| run.next.as_ref()).collect();
    make(conn, &next, now).await?;
    let mut on = TakenOn::default();
    let mut rendered = Vec::new();
    for run in &taken {
        match &run.becomes {
            Becomes::Ready(ready) => {
                rendered.push((&run.run, &ready.opening));
                on.lanes.insert(ready.opening.prepared.connection.clone());
                on.ready.push(run.run.clone());
                if ready.mode == Mode::Newest
                    && let Some((event, _)) = &run.event
                {
                    let recipe = recipes.get(run.run.as_str()).map_or("", String::as_str);
                    let ended = super::apply::give_way(conn, event.stay.as_str(), recipe, &run.run, now).await?;
                    on.ended.extend(ended.into_iter().map(|run| (run, RunState::Cancelled)));
                }
            }
            Becomes::Ended { state, .. } => on.ended.push((run.run.clone(), *state)),
        }
    }
    outbox::keep_rendered(conn, rendered.into_iter()).await?;
    for run in &taken {
        on.failed_steps += run.passed.iter().filter(|step| step.failed).count();
        outbox::skip_steps(
            conn,
            run.passed
                .iter()
                .map(|step| (&run.run, step))
                .collect::<Vec<_>>()
                .into_iter(),
        )
        .await?;
    }
    Ok(on)
}

async fn events(conn: &mut Conn, runs: &[CameDue]) -> Result<(), StoreError> {
    let rows = runs.iter().filter_map(|run| run.event.as_ref());
    let rows: Vec<_> = rows
        .map(|(event, explanation)| event_row(event, explanation))
        .collect::<Result<_, _>>()?;
    // A run that was passed over and comes due again is asked anew.
    let again = " ON CONFLICT (id) DO UPDATE SET delivery_id = excluded.delivery_id, types = excluded.types, at = excluded.at, \
         body = excluded.body, explanation = excluded.explanation";
    conn.over_rows(INSERT_EVENTS, rows, again).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
