//! Everything that is stored about one stay.

use std::collections::BTreeMap;

use serde_json::Value;

use super::dialect::{Conn, Sql};
use super::rows::{
    ATTEMPTS, AttemptRow, CHANGE, ChangeRow, DELIVERY, DeliveryRow, EVENT, EventRow, RUN, RunRow, StayRow, attempt,
    change, delivery, event, run,
};
use super::{Store, StoreError};

/// The most rows of one sort, the newest.
const ROWS_MAX: usize = 1000;

/// Everything that is stored about one stay; oldest first.
#[derive(Clone, Debug)]
pub struct History {
    /// The stay as it is now.
    pub stay: StayRow,
    /// The deliveries that spoke of it.
    pub deliveries: Vec<DeliveryRow>,
    /// What changed, with everything that recipes saw.
    pub events: Vec<EventRow>,
    /// Its runs, each with its attempts.
    pub runs: Vec<(RunRow, Vec<AttemptRow>)>,
    /// How its planned runs were moved, called off and planned again.
    pub changes: Vec<ChangeRow>,
    /// Whether older rows of one of these are left out.
    pub cut: bool,
}

/// The deliveries that spoke of a stay: those that made an event of it, and those that made none.
const SPOKE: [&str; 3] = [
    " WHERE id IN (SELECT delivery_id FROM events WHERE stay_id = ",
    " UNION SELECT delivery_id FROM told WHERE stay_id = ",
    ") ORDER BY seq DESC LIMIT ",
];

fn spoke(stay: &str) -> Sql {
    let mut sql = Sql::new(DELIVERY);
    sql.push(SPOKE[0])
        .bind(stay)
        .push(SPOKE[1])
        .bind(stay)
        .push(SPOKE[2])
        .bind(ROWS_MAX + 1);
    sql
}

fn of_stay(rows: &'static str, stay: &str) -> Sql {
    let mut sql = Sql::new(rows);
    sql.push(" WHERE stay_id = ").bind(stay);
    sql.push(" ORDER BY seq DESC LIMIT ").bind(ROWS_MAX + 1);
    sql
}

impl Store {
    /// Everything about a stay.
    pub async fn history(&self, stay: StayRow) -> Result<History, StoreError> {
        let mut conn = self.reader().await?;
        conn.begin_read().await?;
        let found = history(&mut conn, stay).await;
        conn.commit().await?;
        found
    }
}

async fn history(conn: &mut Conn, stay: StayRow) -> Result<History, StoreError> {
    let id = stay.stay.id.as_str();
    let mut cut = false;
    let deliveries = conn.fetch(spoke(id)).await?;
    let deliveries = oldest_first(deliveries.iter().map(|row| delivery(row, false)), &mut cut)?;
    let events = conn.fetch(of_stay(EVENT, id)).await?;
    let events = oldest_first(events.iter().map(|row| event(row, true)), &mut cut)?;
    let runs = conn.fetch(of_stay(RUN, id)).await?;
    let runs: Vec<RunRow> = oldest_first(runs.iter().map(run), &mut cut)?;
    let changes = conn.fetch(of_stay(CHANGE, id)).await?;
    let changes = oldest_first(changes.iter().map(change), &mut cut)?;
    let mut attempts: BTreeMap<String, Vec<AttemptRow>> = BTreeMap::new();
    let tried = runs.iter().filter(|run| run.attempts > 0);
    let tried = tried.map(|run| [run.id.as_str().into()]).collect();
    for row in conn.over_rows(ATTEMPTS, tried, ") ORDER BY run_id, number").await? {
        attempts.entry(row.text(9)?).or_default().push(attempt(&row)?);
    }
    let with = |run: RunRow| {
        let tried = attempts.remove(&run.id).unwrap_or_default();
        (run, tried)
    };
    Ok(History {
        deliveries,
        events,
        runs: runs.into_iter().map(with).collect(),
        changes,
        cut,
        stay,
    })
}

fn oldest_first<T>(rows: impl Iterator<Item = Result<T, StoreError>>, cut: &mut bool) -> Result<Vec<T>, StoreError> {
    let mut rows = rows.collect::<Result<Vec<T>, _>>()?;
    *cut |= rows.len() > ROWS_MAX;
    rows.truncate(ROWS_MAX);
    rows.reverse();
    Ok(rows)
}

impl History {
    /// What became of the facts of a delivery that were about this stay: outcome, reason, warnings.
    pub fn facts<'d>(&self, delivery: &'d DeliveryRow) -> Vec<&'d Value> {
        let facts = delivery.detail["facts"].as_array().map_or(&[][..], Vec::as_slice);
        let ours = |fact: &&Value| fact["stay"].as_str().is_some_and(|id| id == self.stay.stay.id.as_str());
        facts.iter().filter(ours).collect()
    }
}
