//! What people and pages look at. Lists run from the newest back, a page at a time.

use serde::Serialize;

use crate::model::clock::{Time, from_ms};
use crate::model::reservation::CALLED_MAX;

use super::dialect::{Conn, Row, Sql};
use super::rows::{
    ATTEMPT, CHANGE, DELIVERY, DeliveryRow, EVENT, EventRow, RUN, RunDetail, RunRow, STAY, StayRow, attempt, change,
    delivery, event, run, stay, step,
};
use super::{Store, StoreError};

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
    /// With a failed step that they went on past, or without (runs).
    pub failed_steps: Option<bool>,
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

/// How much there is of what.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Deliveries that wait for a decision.
    pub undecided: i64,
    /// When the oldest of them that was never decided was received, milliseconds since 1970.
    pub undecided_oldest_ms: Option<i64>,
    /// Runs that something still happens to, by nature or by hand, by state: planned, waiting, under way, dead, parked.
    /// Those that ended otherwise are history, and nobody counts them.
    pub runs: Vec<(String, i64)>,
    /// Runs that are due now and not under way.
    pub due: i64,
    /// Since when the oldest of them is due.
    pub due_oldest_ms: Option<i64>,
    /// Planned runs whose time has come and that nobody has looked at yet.
    pub timers_due: i64,
}

impl Store {
    /// Deliveries, newest first.
    pub async fn deliveries(&self, filter: &Filter) -> Result<Page<DeliveryRow>, StoreError> {
        let mut sql = Sql::new(DELIVERY);
        sql.push(" WHERE TRUE");
        equal(&mut sql, " AND source = ", &filter.source);
        equal(&mut sql, " AND outcome = ", &filter.state);
        since(&mut sql, " AND received_at >= ", filter);
        if let Some(code) = &filter.code {
            of_code(&mut sql, code);
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

    /// Stays, newest first.
    pub async fn reservations(&self, filter: &Filter) -> Result<Page<StayRow>, StoreError> {
        let mut sql = Sql::new(STAY);
        sql.push(" WHERE TRUE");
        equal(&mut sql, " AND source = ", &filter.source);
        equal(&mut sql, " AND status = ", &filter.state);
        since(&mut sql, " AND updated_at >= ", filter);
        if let Some(code) = &filter.code {
            called(sql.push(" AND id IN ("), code).push(")");
        }
        self.page(sql, filter, stay, |row: &StayRow| row.seq).await
    }

    /// The stays that a source means by a name: those whose own name it is, else those that carry it as a reference. The
    /// first [`CALLED_MAX`] of them.
    pub async fn called(&self, source: &str, name: &str) -> Result<Vec<StayRow>, StoreError> {
        let mut conn = self.reader().await?;
        for table in [OWN_NAMES, REFERENCES] {
            let mut sql = Sql::new(STAY);
            sql.push(" WHERE id IN (")
                .push(table)
                .bind(name)
                .push(" AND source = ")
                .bind(source);
            sql.push(") ORDER BY seq LIMIT ").bind(CALLED_MAX);
            let rows = conn.fetch(sql).await?;
            if !rows.is_empty() {
                return rows.iter().map(stay).collect();
            }
        }
        Ok(Vec::new())
    }

    /// One stay by its id.
    pub async fn stay_of(&self, id: &str) -> Result<Option<StayRow>, StoreError> {
        let mut sql = Sql::new(STAY);
        sql.push(" WHERE id = ").bind(id);
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
            called(sql.push(" AND stay_id IN ("), code).push(")");
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
        if let Some(code) = &filter.code {
            // What belongs to no stay has its code only.
            called(sql.push(" AND (code = ").bind(code).push(" OR stay_id IN ("), code).push("))");
        }
        equal(&mut sql, " AND event_id = ", &filter.of);
        equal(&mut sql, " AND stay_id = ", &filter.stay);
        sql.push(match filter.failed_steps {
            None => "",
            Some(true) => " AND failed_steps > 0",
            Some(false) => " AND failed_steps = 0",
        });
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
        let mut sql = Sql::new(ATTEMPT);
        sql.push(" WHERE run_id = ").bind(id).push(" ORDER BY number");
        let attempts = conn.fetch(sql).await?.iter().map(attempt).collect::<Result<_, _>>()?;
        let mut sql = Sql::new(CHANGE);
        sql.push(" WHERE run_id = ").bind(id).push(" ORDER BY seq");
        let moves = conn.fetch(sql).await?.iter().map(change).collect::<Result<_, _>>()?;
        Ok(Some(RunDetail {
            run,
            steps,
            attempts,
            moves,
        }))
    }

    /// How much there is of what, for metrics, readiness and tests.
    pub async fn counts(&self, now: Time) -> Result<Counts, StoreError> {
        let mut conn = self.reader().await?;
        conn.begin_read().await?;
        let counts = counts(&mut conn, now).await;
        conn.commit().await?;
        counts
    }

    /// When each source's last delivery came, duplicates of it included. Reads one index from end to end.
    pub async fn last_deliveries(&self) -> Result<Vec<(String, Time)>, StoreError> {
        let mut conn = self.reader().await?;
        let rows = conn.fetch(Sql::new(LAST_DELIVERIES)).await?;
        let last = |row: &Row| Ok((row.text(0)?, from_ms(row.int(1)?.max(row.int(2)?))));
        rows.iter().map(last).collect()
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

// What waits or is under way is counted over partial indexes alone: however long the history is, it costs nothing.
const UNDECIDED: &str = "SELECT COUNT(*) FROM deliveries WHERE outcome = 'undecided' OR replay IS NOT NULL";
/// What is decided once more came long ago and has not waited since then.
const UNDECIDED_OLDEST: &str = "SELECT received_at FROM deliveries \
     WHERE (outcome = 'undecided' OR replay IS NOT NULL) AND outcome = 'undecided' ORDER BY seq LIMIT 1";
const RUNS: &str = "SELECT 'scheduled', COUNT(*) FROM runs WHERE state = 'scheduled' \
     UNION ALL SELECT 'running', COUNT(*) FROM runs WHERE state = 'running' \
     UNION ALL SELECT state, COUNT(*) FROM runs WHERE state IN ('ready', 'retrying') GROUP BY state \
     UNION ALL SELECT state, COUNT(*) FROM runs WHERE state IN ('dead', 'parked') GROUP BY state";
const DUE: &str = "SELECT COUNT(*), MIN(due_at) FROM runs WHERE state IN ('ready', 'retrying') AND due_at <= ";
const TIMERS_DUE: &str = "SELECT COUNT(*) FROM runs WHERE state = 'scheduled' AND due_at <= ";
/// The index of the receipt keys has the sources in order, and with each entry its row's number.
const LAST_DELIVERIES: &str = "SELECT d.source, d.received_at, d.last_seen_at \
     FROM (SELECT source, MAX(seq) AS seq FROM deliveries GROUP BY source) m JOIN deliveries d ON d.seq = m.seq";

async fn counts(conn: &mut Conn, now: Time) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    for row in conn.fetch(Sql::new(UNDECIDED)).await? {
        counts.undecided = row.int(0)?;
    }
    for row in conn.fetch(Sql::new(UNDECIDED_OLDEST)).await? {
        counts.undecided_oldest_ms = Some(row.int(0)?);
    }
    for row in conn.fetch(Sql::new(RUNS)).await? {
        counts.runs.push((row.text(0)?, row.int(1)?));
    }
    let mut sql = Sql::new(DUE);
    sql.bind(now.timestamp_millis());
    for row in conn.fetch(sql).await? {
        (counts.due, counts.due_oldest_ms) = (row.int(0)?, row.opt_int(1)?);
    }
    let mut sql = Sql::new(TIMERS_DUE);
    sql.bind(now.timestamp_millis());
    for row in conn.fetch(sql).await? {
        counts.timers_due = row.int(0)?;
    }
    Ok(counts)
}

/// The deliveries that spoke of the stays with this name: those that made an event, and those that made none.
fn of_code(sql: &mut Sql, code: &str) {
    called(
        sql.push(" AND id IN (SELECT delivery_id FROM events WHERE stay_id IN ("),
        code,
    );
    called(
        sql.push(") UNION SELECT delivery_id FROM told WHERE stay_id IN ("),
        code,
    )
    .push("))");
}

const OWN_NAMES: &str = "SELECT stay_id FROM identities WHERE value = ";
const REFERENCES: &str = "SELECT stay_id FROM stay_references WHERE value = ";

/// The ids of the stays that any source means by a name.
pub(super) fn called<'s>(sql: &'s mut Sql, name: &str) -> &'s mut Sql {
    sql.push(OWN_NAMES)
        .bind(name)
        .push(" UNION ")
        .push(REFERENCES)
        .bind(name)
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

#[cfg(test)]
mod tests;
