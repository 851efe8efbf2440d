//! What will go out, the soonest first.

use std::collections::HashMap;

use crate::model::clock::{Time, from_ms};
use crate::model::reservation::Stay;

use super::dialect::{Conn, Param, Row, Sql};
use super::read::{PAGE_MAX, called};
use super::rows::{RUN, RunRow, run};
use super::{Store, StoreError, from_json};

/// A place in the list: when the run is due, and its row among those due together.
type Place = (i64, i64);

/// Which of what will go out; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Ahead {
    /// Of this recipe.
    pub recipe: Option<String>,
    /// Of stays of this source.
    pub source: Option<String>,
    /// Of the stay with this code or other name.
    pub code: Option<String>,
    /// Due before this time.
    pub before: Option<Time>,
    /// After this place in the list.
    pub after: Option<Place>,
    /// At most so many, 50 where nothing is said, 500 at most.
    pub limit: Option<usize>,
}

/// A run that will go out.
#[derive(Clone, Debug)]
pub struct AheadRow {
    /// The run.
    pub run: RunRow,
    /// The stay it is of.
    pub stay: Option<Stay>,
}

/// Where what will go out stands; each is read in the order of its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Planned.
    Scheduled,
    /// Its time has come, or the last attempt failed.
    Waiting,
}

/// One part of the list. The bound of a page stands twice, so that the index finds where it begins.
fn part(part: Part, ahead: &Ahead, limit: usize) -> Sql {
    narrowed(Sql::new(RUN), part, ahead, limit)
}

fn narrowed(mut sql: Sql, part: Part, ahead: &Ahead, limit: usize) -> Sql {
    sql.push(match part {
        Part::Scheduled => " WHERE state = 'scheduled'",
        // The rows that are wanted are found in the index alone, then read.
        Part::Waiting => " WHERE state IN ('ready', 'retrying')",
    });
    for (text, value) in [(" AND recipe = ", &ahead.recipe), (" AND source = ", &ahead.source)] {
        if let Some(value) = value {
            sql.push(text).bind(value);
        }
    }
    if let Some(code) = &ahead.code {
        called(sql.push(" AND stay_id IN ("), code).push(")");
    }
    if let Some(before) = ahead.before {
        sql.push(" AND due_at < ").bind(before.timestamp_millis());
    }
    if let Some((at, seq)) = ahead.after {
        sql.push(" AND due_at >= ").bind(at).push(" AND (due_at > ").bind(at);
        sql.push(" OR seq > ").bind(seq).push(")");
    }
    sql.push(" ORDER BY due_at, seq LIMIT ").bind(limit);
    sql
}

impl Store {
    /// Runs that are scheduled, ready or retrying, the soonest first, and where the next page begins.
    pub async fn upcoming(&self, ahead: &Ahead) -> Result<(Vec<AheadRow>, Option<Place>), StoreError> {
        let mut conn = self.reader().await?;
        conn.begin_read().await?;
        let found = upcoming(&mut conn, ahead).await;
        conn.commit().await?;
        found
    }

    /// The earliest scheduled run of a recipe, and when it is due.
    pub async fn next_of(&self, recipe: &str) -> Result<Option<(Time, RunRow)>, StoreError> {
        let ahead = Ahead {
            recipe: Some(recipe.to_owned()),
            limit: Some(1),
            ..Ahead::default()
        };
        let mut conn = self.reader().await?;
        conn.begin_read().await?;
        let found = scheduled(&mut conn, &ahead, 1).await;
        conn.commit().await?;
        let first = found?.into_iter().next();
        Ok(first.map(|run| (from_ms(run.due_at_ms), run)))
    }

    /// Runs that were passed over because their time had passed when they were planned, oldest first: what a backfill
    /// runs; and how many there are beside those.
    pub async fn passed_over(&self, recipe: Option<&str>, limit: usize) -> Result<(Vec<AheadRow>, u64), StoreError> {
        let mut conn = self.reader().await?;
        let which = |sql: &mut Sql| {
            sql.push(" WHERE ended_by = 'late' AND state = 'skipped' AND attempts = 0");
            if let Some(recipe) = recipe {
                sql.push(" AND recipe = ").bind(recipe);
            }
        };
        let mut count = Sql::new("SELECT COUNT(*) FROM runs");
        which(&mut count);
        let all = conn.fetch(count).await?.first().map_or(Ok(0), |row| row.int(0))?;
        let mut sql = Sql::new(RUN);
        which(&mut sql);
        sql.push(" ORDER BY planned_at, seq LIMIT ").bind(limit);
        let runs = conn.fetch(sql).await?.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        let more = all.unsigned_abs().saturating_sub(runs.len() as u64);
        Ok((with_stays(&mut conn, runs).await?, more))
    }
}

async fn upcoming(conn: &mut Conn, ahead: &Ahead) -> Result<(Vec<AheadRow>, Option<Place>), StoreError> {
    let limit = ahead.limit.unwrap_or(50).clamp(1, PAGE_MAX);
    let mut runs = scheduled(conn, ahead, limit + 1).await?;
    for row in conn.fetch(part(Part::Waiting, ahead, limit + 1)).await? {
        runs.push(run(&row)?);
    }
    runs.sort_by_key(|run| (run.due_at_ms, run.seq));
    let more = runs.len() > limit;
    runs.truncate(limit);
    let next = runs.last().filter(|_| more).map(|run| (run.due_at_ms, run.seq));
    Ok((with_stays(conn, runs).await?, next))
}

async fn scheduled(conn: &mut Conn, ahead: &Ahead, limit: usize) -> Result<Vec<RunRow>, StoreError> {
    let planned = conn.fetch(part(Part::Scheduled, ahead, limit)).await?;
    planned.iter().map(run).collect()
}

async fn with_stays(conn: &mut Conn, runs: Vec<RunRow>) -> Result<Vec<AheadRow>, StoreError> {
    let mut ids: Vec<&String> = runs.iter().filter_map(|run| run.stay.as_ref()).collect();
    ids.sort();
    ids.dedup();
    let ids: Vec<[Param; 1]> = ids.into_iter().map(|id| [id.into()]).collect();
    let mut stays: HashMap<String, Stay> = HashMap::new();
    let read = |row: &Row| -> Result<(String, Stay), StoreError> { Ok((row.text(0)?, from_json(&row.text(1)?)?)) };
    for row in conn
        .over_rows("SELECT id, state FROM stays WHERE id IN (VALUES ", ids, ")")
        .await?
    {
        let (id, stay) = read(&row)?;
        stays.insert(id, stay);
    }
    let of = |run: RunRow| AheadRow {
        stay: run.stay.as_ref().and_then(|id| stays.get(id).cloned()),
        run,
    };
    Ok(runs.into_iter().map(of).collect())
}

#[cfg(test)]
mod tests;
