//! What people and pages look at. Lists run from the newest back, a page at a time.

use serde::Serialize;
use serde_json::Value;

use crate::model::clock::Time;
use crate::model::reservation::Stay;

use super::dialect::{Conn, Row, Sql};
use super::{Store, StoreError, from_json};

/// The longest page.
pub const PAGE_MAX: usize = 500;

/// What to list; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this source.
    pub source: Option<String>,
    /// Of the stay with this code (or other name).
    pub code: Option<String>,
    /// With this outcome (deliveries) or state (runs) or status (reservations).
    pub state: Option<String>,
    /// Of this recipe (runs).
    pub recipe: Option<String>,
    /// Of this event (runs) or delivery (events).
    pub of: Option<String>,
    /// Of this stay (runs and events).
    pub stay: Option<String>,
    /// At this time or later.
    pub since: Option<Time>,
    /// Before this place in the list.
    pub cursor: Option<i64>,
    /// At most so many, 50 where nothing is said, 500 at most.
    pub limit: Option<usize>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<i64>,
}

/// A delivery as it is listed.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the table and of the API")]
pub struct DeliveryRow {
    #[serde(skip)]
    pub seq: i64,
    pub id: String,
    pub source: String,
    pub received_at_ms: i64,
    pub outcome: String,
    pub because: String,
    pub duplicates: i64,
    pub last_seen_at_ms: i64,
    pub detail: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Value>,
    /// The body as text, only where one delivery is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A stay as it is listed.
#[derive(Clone, Debug)]
pub struct StayRow {
    /// Its place in the order of first appearance.
    pub seq: i64,
    /// The stay itself.
    pub stay: Stay,
    /// When it last changed, milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// An event as it is listed.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the table and of the API")]
pub struct EventRow {
    #[serde(skip)]
    pub seq: i64,
    pub id: String,
    pub delivery: String,
    pub stay: String,
    pub source: String,
    pub types: Vec<String>,
    pub at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Value>,
}

/// A run as it is listed.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the table and of the API")]
pub struct RunRow {
    #[serde(skip)]
    pub seq: i64,
    pub id: String,
    pub recipe: String,
    pub revision: String,
    pub state: String,
    pub reason: String,
    pub source: Option<String>,
    pub code: Option<String>,
    pub event: Option<String>,
    pub stay: Option<String>,
    pub connection: String,
    pub step: i64,
    pub attempts: i64,
    pub uncertain: bool,
    pub cancel_requested: bool,
    pub dry_run: bool,
    pub due_at_ms: i64,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

/// A step of a run as it is shown.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the table and of the API")]
pub struct StepRow {
    pub position: i64,
    pub id: String,
    pub state: String,
    pub key: String,
    pub request: Value,
    pub output: Value,
}

/// An attempt as it is shown.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the table and of the API")]
pub struct AttemptRow {
    pub number: i64,
    pub position: i64,
    pub key: String,
    pub cause: String,
    pub started_at_ms: i64,
    pub finished_at_ms: Option<i64>,
    pub outcome: Option<String>,
    pub summary: Option<String>,
    pub excerpt: Option<String>,
}

/// A run with its steps and attempts.
#[derive(Clone, Debug, Serialize)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: RunRow,
    /// Its steps so far.
    pub steps: Vec<StepRow>,
    /// Its attempts so far.
    pub attempts: Vec<AttemptRow>,
}

/// How much there is of what.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Deliveries that wait for a decision.
    pub undecided: i64,
    /// When the oldest of them was received, milliseconds since 1970.
    pub undecided_oldest_ms: Option<i64>,
    /// Runs by state.
    pub runs: Vec<(String, i64)>,
    /// Runs that are due now and not under way.
    pub due: i64,
    /// Since when the oldest of them is due.
    pub due_oldest_ms: Option<i64>,
}

const DELIVERY: &str = "SELECT seq, id, source, received_at, outcome, because, duplicates, last_seen_at, detail, headers, body FROM deliveries";
/// A run as it is listed.
pub const RUN: &str = "SELECT seq, id, recipe, revision, state, reason, source, code, event_id, stay_id, lane, step, attempts, \
     uncertain, cancel_requested, dry_run, due_at, created_at, updated_at FROM runs";
const EVENT: &str = "SELECT seq, id, delivery_id, stay_id, source, types, at, body, explanation FROM events";

impl Store {
    /// Deliveries, newest first.
    pub async fn deliveries(&self, filter: &Filter) -> Result<Page<DeliveryRow>, StoreError> {
        let mut sql = Sql::new(DELIVERY);
        sql.push(" WHERE TRUE");
        equal(&mut sql, " AND source = ", &filter.source);
        equal(&mut sql, " AND outcome = ", &filter.state);
        since(&mut sql, " AND received_at >= ", filter);
        if let Some(code) = &filter.code {
            sql.push(" AND id IN (SELECT delivery_id FROM events WHERE stay_id IN (SELECT stay_id FROM identities WHERE value = ");
            sql.bind(code).push("))");
        }
        self.page(sql, filter, |row| delivery(row, false), |row: &DeliveryRow| row.seq)
            .await
    }

    /// One delivery with its body.
    pub async fn delivery(&self, id: &str) -> Result<Option<DeliveryRow>, StoreError> {
        let mut sql = Sql::new(DELIVERY);
        sql.push(" WHERE id = ").bind(id);
        self.one(sql, |row| delivery(row, true)).await
    }

    /// Stays, newest first; without those that turned out to be another one.
    pub async fn reservations(&self, filter: &Filter) -> Result<Page<StayRow>, StoreError> {
        let mut sql = Sql::new("SELECT seq, state, revision, updated_at FROM stays WHERE merged_into IS NULL");
        equal(&mut sql, " AND source = ", &filter.source);
        equal(&mut sql, " AND status = ", &filter.state);
        since(&mut sql, " AND updated_at >= ", filter);
        if let Some(code) = &filter.code {
            sql.push(" AND id IN (SELECT stay_id FROM identities WHERE value = ")
                .bind(code)
                .push(")");
        }
        self.page(sql, filter, stay, |row: &StayRow| row.seq).await
    }

    /// The stay that a source means by a code or another name.
    pub async fn reservation(&self, source: &str, code: &str) -> Result<Option<StayRow>, StoreError> {
        let mut sql = Sql::new(
            "SELECT seq, state, revision, updated_at FROM stays WHERE id IN (SELECT stay_id FROM identities WHERE source = ",
        );
        sql.bind(source).push(" AND value = ").bind(code).push(")");
        self.one(sql, stay).await
    }

    /// Events, newest first.
    pub async fn events(&self, filter: &Filter) -> Result<Page<EventRow>, StoreError> {
        let mut sql = Sql::new(EVENT);
        sql.push(" WHERE TRUE");
        equal(&mut sql, " AND source = ", &filter.source);
        equal(&mut sql, " AND delivery_id = ", &filter.of);
        equal(&mut sql, " AND stay_id = ", &filter.stay);
        since(&mut sql, " AND at >= ", filter);
        if let Some(kind) = &filter.state {
            sql.push(" AND ' ' || types || ' ' LIKE ").bind(format!("% {kind} %"));
        }
        if let Some(code) = &filter.code {
            sql.push(" AND stay_id IN (SELECT stay_id FROM identities WHERE value = ")
                .bind(code)
                .push(")");
        }
        self.page(sql, filter, |row| event(row, false), |row: &EventRow| row.seq)
            .await
    }

    /// One event with everything recipes saw of it.
    pub async fn event(&self, id: &str) -> Result<Option<EventRow>, StoreError> {
        let mut sql = Sql::new(EVENT);
        sql.push(" WHERE id = ").bind(id);
        self.one(sql, |row| event(row, true)).await
    }

    /// Runs, newest first.
    pub async fn runs(&self, filter: &Filter) -> Result<Page<RunRow>, StoreError> {
        let mut sql = Sql::new(RUN);
        sql.push(" WHERE TRUE");
        equal(&mut sql, " AND state = ", &filter.state);
        equal(&mut sql, " AND recipe = ", &filter.recipe);
        equal(&mut sql, " AND source = ", &filter.source);
        equal(&mut sql, " AND code = ", &filter.code);
        equal(&mut sql, " AND event_id = ", &filter.of);
        equal(&mut sql, " AND stay_id = ", &filter.stay);
        since(&mut sql, " AND created_at >= ", filter);
        self.page(sql, filter, run, |row: &RunRow| row.seq).await
    }

    /// One run with its steps and attempts.
    pub async fn run(&self, id: &str) -> Result<Option<RunDetail>, StoreError> {
        let mut sql = Sql::new(RUN);
        sql.push(" WHERE id = ").bind(id);
        let Some(run) = self.one(sql, run).await? else {
            return Ok(None);
        };
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT position, step_id, state, step_key, request, output FROM steps WHERE run_id = ");
        sql.bind(id).push(" ORDER BY position");
        let steps = conn.fetch(sql).await?.iter().map(step).collect::<Result<_, _>>()?;
        let mut sql = Sql::new(
            "SELECT number, position, step_key, cause, started_at, finished_at, outcome, summary, excerpt FROM attempts WHERE run_id = ",
        );
        sql.bind(id).push(" ORDER BY number");
        let attempts = conn.fetch(sql).await?.iter().map(attempt).collect::<Result<_, _>>()?;
        Ok(Some(RunDetail { run, steps, attempts }))
    }

    /// How much there is of what, for metrics, readiness and tests.
    pub async fn counts(&self, now: Time) -> Result<Counts, StoreError> {
        let mut conn = self.reader().await?;
        conn.begin_read().await?;
        let counts = counts(&mut conn, now).await;
        conn.commit().await?;
        counts
    }

    async fn one<T>(&self, sql: Sql, read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        let mut conn = self.reader().await?;
        conn.fetch(sql).await?.first().map(read).transpose()
    }

    async fn page<T>(
        &self,
        mut sql: Sql,
        filter: &Filter,
        read: impl Fn(&Row) -> Result<T, StoreError>,
        seq: impl Fn(&T) -> i64,
    ) -> Result<Page<T>, StoreError> {
        let limit = filter.limit.unwrap_or(50).clamp(1, PAGE_MAX);
        if let Some(cursor) = filter.cursor {
            sql.push(" AND seq < ").bind(cursor);
        }
        sql.push(" ORDER BY seq DESC LIMIT ").bind(limit + 1);
        let mut conn = self.reader().await?;
        let mut items = conn.fetch(sql).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(&seq);
        Ok(Page { items, next })
    }
}

async fn counts(conn: &mut Conn, now: Time) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    let sql =
        Sql::new("SELECT COUNT(*), MIN(received_at) FROM deliveries WHERE outcome = 'undecided' OR replay IS NOT NULL");
    for row in conn.fetch(sql).await? {
        (counts.undecided, counts.undecided_oldest_ms) = (row.int(0)?, row.opt_int(1)?);
    }
    for row in conn
        .fetch(Sql::new(
            "SELECT state, COUNT(*) FROM runs GROUP BY state ORDER BY state",
        ))
        .await?
    {
        counts.runs.push((row.text(0)?, row.int(1)?));
    }
    let mut sql =
        Sql::new("SELECT COUNT(*), MIN(due_at) FROM runs WHERE state IN ('ready', 'retrying') AND due_at <= ");
    sql.bind(now.timestamp_millis());
    for row in conn.fetch(sql).await? {
        (counts.due, counts.due_oldest_ms) = (row.int(0)?, row.opt_int(1)?);
    }
    Ok(counts)
}

fn equal(sql: &mut Sql, text: &'static str, value: &Option<String>) {
    if let Some(value) = value {
        sql.push(text).bind(value);
    }
}

fn since(sql: &mut Sql, text: &'static str, filter: &Filter) {
    if let Some(since) = filter.since {
        sql.push(text).bind(since.timestamp_millis());
    }
}

fn value(text: Option<String>) -> Result<Value, StoreError> {
    text.map_or(Ok(Value::Null), |text| from_json(&text))
}

fn delivery(row: &Row, whole: bool) -> Result<DeliveryRow, StoreError> {
    let body = if whole { row.opt_blob(10)? } else { None };
    Ok(DeliveryRow {
        seq: row.int(0)?,
        id: row.text(1)?,
        source: row.text(2)?,
        received_at_ms: row.int(3)?,
        outcome: row.text(4)?,
        because: row.text(5)?,
        duplicates: row.int(6)?,
        last_seen_at_ms: row.int(7)?,
        detail: value(row.opt_text(8)?)?,
        headers: if whole { Some(value(row.opt_text(9)?)?) } else { None },
        body: body.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    })
}

fn stay(row: &Row) -> Result<StayRow, StoreError> {
    let mut stay: Stay = from_json(&row.text(1)?)?;
    stay.revision = row.int(2)?;
    Ok(StayRow {
        seq: row.int(0)?,
        stay,
        updated_at_ms: row.int(3)?,
    })
}

fn event(row: &Row, whole: bool) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        seq: row.int(0)?,
        id: row.text(1)?,
        delivery: row.text(2)?,
        stay: row.text(3)?,
        source: row.text(4)?,
        types: row.text(5)?.split(' ').map(str::to_owned).collect(),
        at_ms: row.int(6)?,
        event: if whole { Some(value(row.opt_text(7)?)?) } else { None },
        explanation: if whole { Some(value(row.opt_text(8)?)?) } else { None },
    })
}

/// Reads a row of [`RUN`].
pub fn run(row: &Row) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        seq: row.int(0)?,
        id: row.text(1)?,
        recipe: row.text(2)?,
        revision: row.text(3)?,
        state: row.text(4)?,
        reason: row.text(5)?,
        source: row.opt_text(6)?,
        code: row.opt_text(7)?,
        event: row.opt_text(8)?,
        stay: row.opt_text(9)?,
        connection: row.text(10)?,
        step: row.int(11)?,
        attempts: row.int(12)?,
        uncertain: row.flag(13)?,
        cancel_requested: row.flag(14)?,
        dry_run: row.flag(15)?,
        due_at_ms: row.int(16)?,
        created_at_ms: row.int(17)?,
        updated_at_ms: row.int(18)?,
    })
}

fn step(row: &Row) -> Result<StepRow, StoreError> {
    Ok(StepRow {
        position: row.int(0)?,
        id: row.text(1)?,
        state: row.text(2)?,
        key: row.text(3)?,
        request: value(row.opt_text(4)?)?,
        output: value(row.opt_text(5)?)?,
    })
}

fn attempt(row: &Row) -> Result<AttemptRow, StoreError> {
    Ok(AttemptRow {
        number: row.int(0)?,
        position: row.int(1)?,
        key: row.text(2)?,
        cause: row.text(3)?,
        started_at_ms: row.int(4)?,
        finished_at_ms: row.opt_int(5)?,
        outcome: row.opt_text(6)?,
        summary: row.opt_text(7)?,
        excerpt: row.opt_text(8)?,
    })
}
