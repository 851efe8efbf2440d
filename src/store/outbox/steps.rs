//! What is written down of steps and attempts: requests, what was passed over, what has failed.

use std::collections::HashSet;

use crate::model::clock::Time;
use crate::model::decision::{Opening, SkippedStep};
use crate::model::id::RunId;
use crate::store::dialect::{Conn, Param, Sql};
use crate::store::{StoreError, json as to_json};

/// An attempt that begins.
#[derive(Clone, Copy, Debug)]
pub struct Begun<'a> {
    /// Of this run.
    pub run: &'a RunId,
    /// Its number.
    pub number: i64,
    /// Whether a person asked for it.
    pub by_hand: bool,
    /// The step.
    pub opening: &'a Opening,
    /// Whether the step is recorded already.
    pub recorded: bool,
}

/// Records attempts with their requests.
pub async fn open_attempts<'a>(
    conn: &mut Conn,
    attempts: impl Iterator<Item = Begun<'a>>,
    now: Time,
) -> Result<(), StoreError> {
    let mut tries: Vec<[Param; 6]> = Vec::new();
    let mut rendered = Vec::new();
    for begun in attempts {
        let open = begun.opening;
        if !begun.recorded {
            rendered.push((begun.run, open));
        }
        let cause = if begun.by_hand { "by hand" } else { "schedule" };
        tries.push([
            begun.run.as_str().into(),
            begun.number.into(),
            open.position.into(),
            open.key.as_str().into(),
            cause.into(),
            now.timestamp_millis().into(),
        ]);
    }
    keep_rendered(conn, rendered.into_iter()).await?;
    let sql = "INSERT INTO attempts (run_id, number, position, step_key, cause, started_at) VALUES ";
    conn.over_rows(sql, tries, "").await?;
    Ok(())
}

/// Records rendered steps, and those before them that were passed over.
pub async fn keep_rendered<'a>(
    conn: &mut Conn,
    rendered: impl Iterator<Item = (&'a RunId, &'a Opening)>,
) -> Result<(), StoreError> {
    let mut steps: Vec<[Param; 7]> = Vec::new();
    let mut skipped = Vec::new();
    for (run, open) in rendered {
        skipped.extend(open.skipped.iter().map(|step| (run, step)));
        steps.push([
            run.as_str().into(),
            open.position.into(),
            open.step_id.as_str().into(),
            "open".into(),
            to_json(&open.prepared)?.into(),
            open.key.as_str().into(),
            open.at_most_once.into(),
        ]);
    }
    skip_steps(conn, skipped.into_iter()).await?;
    let sql = "INSERT INTO steps (run_id, position, step_id, state, request, step_key, at_most_once) VALUES ";
    let again = " ON CONFLICT (run_id, position) DO UPDATE SET state = 'open', step_id = excluded.step_id, \
         request = excluded.request, step_key = excluded.step_key, at_most_once = excluded.at_most_once";
    conn.over_rows(sql, steps, again).await?;
    Ok(())
}

/// Records steps that were passed over.
pub async fn skip_steps<'a>(
    conn: &mut Conn,
    skipped: impl Iterator<Item = (&'a RunId, &'a SkippedStep)>,
) -> Result<(), StoreError> {
    let mut failed = Vec::new();
    let rows: Vec<[Param; 7]> = skipped
        .map(|(run, step)| {
            failed.extend(step.failed.then_some(run));
            let stored = step.stored();
            let id = step.step_id.as_str();
            [
                run.as_str().into(),
                step.position.into(),
                id.into(),
                stored.state.into(),
                "".into(),
                0i64.into(),
                stored.output.to_string().into(),
            ]
        })
        .collect();
    let sql = "INSERT INTO steps (run_id, position, step_id, state, step_key, at_most_once, output) VALUES ";
    let again = " ON CONFLICT (run_id, position) DO UPDATE SET state = excluded.state, output = excluded.output";
    conn.over_rows(sql, rows, again).await?;
    count_failed(conn, failed.into_iter()).await
}

/// Counts the failed steps of runs that went on past one.
pub async fn count_failed(conn: &mut Conn, runs: impl Iterator<Item = &RunId>) -> Result<(), StoreError> {
    let runs: HashSet<&str> = runs.map(RunId::as_str).collect();
    if runs.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(
        "UPDATE runs SET failed_steps = (SELECT COUNT(*) FROM steps s WHERE s.run_id = runs.id AND s.state = 'failed') \
         WHERE id IN ",
    );
    sql.list(runs);
    conn.execute(sql).await?;
    Ok(())
}
