//! Rows as people and pages see them, each with its columns and how they are read.

use serde::Serialize;
use serde_json::Value;

use crate::model::blank::blank;
use crate::model::body;
use crate::model::reservation::Stay;

use super::dialect::Row;
use super::{StoreError, from_json};

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
    /// Steps that have failed and that it went on past.
    pub failed_steps: i64,
    pub uncertain: bool,
    pub cancel_requested: bool,
    pub dry_run: bool,
    pub due_at_ms: i64,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
    /// Of a planned run: the entries of its recipe that it stands for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<String>,
    /// Of a planned run: the time by the clock it was planned for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_at_ms: Option<i64>,
    /// Of a planned run that ended before anything was sent: why, as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

/// What became of a planned run before it fired: a move, a calling off, a return.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the table and of the API")]
pub struct ChangeRow {
    #[serde(skip)]
    pub run: String,
    pub at_ms: i64,
    pub from_state: String,
    pub to_state: String,
    pub from_due_ms: i64,
    pub to_due_ms: i64,
    pub because: String,
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
    /// How it was moved, called off and planned again before it fired, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<ChangeRow>,
}

/// The columns of a delivery.
pub const DELIVERY: &str = "SELECT seq, id, source, received_at, outcome, because, duplicates, last_seen_at, detail, headers, body FROM deliveries";
/// The columns of a run.
pub const RUN: &str = "SELECT seq, id, recipe, revision, state, reason, source, code, event_id, stay_id, lane, step, attempts, \
     uncertain, cancel_requested, dry_run, due_at, created_at, updated_at, entries, planned_at, ended_by, failed_steps FROM runs";
/// The columns of a change of a planned run.
pub const CHANGE: &str = "SELECT run_id, at, from_state, to_state, from_due, to_due, because FROM run_changes";
/// The columns of an attempt.
pub const ATTEMPT: &str =
    "SELECT number, position, step_key, cause, started_at, finished_at, outcome, summary, excerpt FROM attempts";
/// The same of several runs, and of which.
pub const ATTEMPTS: &str = "SELECT number, position, step_key, cause, started_at, finished_at, outcome, summary, excerpt, run_id \
     FROM attempts WHERE run_id IN (VALUES ";
/// The columns of an event.
pub const EVENT: &str = "SELECT seq, id, delivery_id, stay_id, source, types, at, body, explanation FROM events";
/// The columns of a stay.
pub const STAY: &str = "SELECT seq, state, revision, updated_at FROM stays";

fn value(text: Option<String>) -> Result<Value, StoreError> {
    text.map_or(Ok(Value::Null), |text| from_json(&text))
}

/// Reads a row of its columns.
pub fn delivery(row: &Row, whole: bool) -> Result<DeliveryRow, StoreError> {
    let (headers, body) = if whole {
        (row.opt_text(9)?, row.opt_blob(10)?)
    } else {
        (None, None)
    };
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
        body: body.map(|bytes| body::shown(headers.as_deref().unwrap_or_default(), &bytes)),
        headers: if whole { Some(value(headers)?) } else { None },
    })
}

/// Reads a row of its columns.
pub fn stay(row: &Row) -> Result<StayRow, StoreError> {
    let mut stay: Stay = from_json(&row.text(1)?)?;
    stay.revision = row.int(2)?;
    Ok(StayRow {
        seq: row.int(0)?,
        stay,
        updated_at_ms: row.int(3)?,
    })
}

/// The event as it is shown: the stay before the first event has every name, with nothing in it.
fn shown(mut event: Value) -> Value {
    if let Some(previous) = event.get_mut("previous").filter(|previous| previous.is_null()) {
        *previous = blank().clone();
    }
    event
}

/// Reads a row of its columns.
pub fn event(row: &Row, whole: bool) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        seq: row.int(0)?,
        id: row.text(1)?,
        delivery: row.text(2)?,
        stay: row.text(3)?,
        source: row.text(4)?,
        types: row.text(5)?.split(' ').map(str::to_owned).collect(),
        at_ms: row.int(6)?,
        event: if whole {
            Some(shown(value(row.opt_text(7)?)?))
        } else {
            None
        },
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
        entries: row
            .opt_text(19)?
            .map(|text| text.split('\n').map(str::to_owned).collect())
            .unwrap_or_default(),
        planned_at_ms: row.opt_int(20)?,
        ended_by: row.opt_text(21)?,
        failed_steps: row.int(22)?,
    })
}

/// Reads a row of its columns.
pub fn change(row: &Row) -> Result<ChangeRow, StoreError> {
    Ok(ChangeRow {
        run: row.text(0)?,
        at_ms: row.int(1)?,
        from_state: row.text(2)?,
        to_state: row.text(3)?,
        from_due_ms: row.int(4)?,
        to_due_ms: row.int(5)?,
        because: row.text(6)?,
    })
}

/// Reads a row of its columns.
pub fn step(row: &Row) -> Result<StepRow, StoreError> {
    Ok(StepRow {
        position: row.int(0)?,
        id: row.text(1)?,
        state: row.text(2)?,
        key: row.text(3)?,
        request: value(row.opt_text(4)?)?,
        output: value(row.opt_text(5)?)?,
    })
}

/// Reads a row of its columns.
pub fn attempt(row: &Row) -> Result<AttemptRow, StoreError> {
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
