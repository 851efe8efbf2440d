//! What people do to runs: try again, call off, declare done. Through the same states as everything else.

use serde::Serialize;

use crate::model::clock::Time;
use crate::model::id::RunId;
use crate::model::reservation::Status;
use crate::model::run::{ByHand, RunState, Transition};

use super::dialect::{Conn, Sql};
use super::set_back::touch;
use super::{Store, StoreError, json as to_json};

/// What became of a run that a person touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandOutcome {
    /// The run.
    pub run: RunId,
    /// Its state now.
    pub state: RunState,
    /// What to tell.
    pub message: String,
}

/// Why a run was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandError {
    /// There is no such run.
    #[error("there is no run {0}")]
    Unknown(String),
    /// It may not be done, or not like this.
    #[error("{0}")]
    Refused(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Touched {
    state: RunState,
    about: String,
    uncertain: bool,
    names_gone: String,
    stay_status: Option<Status>,
    newer_done: bool,
    /// Planned by a clock, and nothing of it was ever begun: it is looked at anew, as if it came due now.
    unfired: bool,
    recipe: String,
}

impl Store {
    /// Makes an ended run ready again, at the step that failed.
    pub async fn retry(&self, run: RunId, by_hand: ByHand, now: Time) -> Result<HandOutcome, HandError> {
        self.write(move |conn| Box::pin(async move { retry(conn, &run, by_hand, now).await }))
            .await?
    }

    /// Calls a run off. One that is under way, or may have had an effect, ends once that is settled.
    pub async fn cancel(&self, run: RunId, now: Time) -> Result<HandOutcome, HandError> {
        self.write(move |conn| Box::pin(async move { cancel(conn, &run, now).await }))
            .await?
    }

    /// Declares a dead or parked run done: a person has seen to it.
    pub async fn done(&self, run: RunId, now: Time) -> Result<HandOutcome, HandError> {
        self.write(move |conn| Box::pin(async move { done(conn, &run, now).await }))
            .await?
    }

    /// Dead and parked runs, oldest event first, as `runs retry --dead` takes them up.
    pub async fn dead(
        &self,
        recipe: Option<String>,
        since: Option<Time>,
        limit: usize,
    ) -> Result<Vec<RunId>, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT id FROM runs WHERE state IN ('dead', 'parked')");
        if let Some(recipe) = recipe {
            sql.push(" AND recipe = ").bind(recipe);
        }
        if let Some(since) = since {
            sql.push(" AND updated_at >= ").bind(since.timestamp_millis());
        }
        sql.push(" ORDER BY seq LIMIT ").bind(limit);
        conn.fetch(sql)
            .await?
            .iter()
            .map(|row| row.text(0).map(RunId))
            .collect()
    }
}

async fn touched(conn: &mut Conn, run: &RunId) -> Result<Option<Touched>, StoreError> {
    let mut sql = Sql::new(
        "SELECT r.state, r.about, r.uncertain, r.names_gone, s.status, r.recipe, r.entries IS NOT NULL AND r.attempts = 0, EXISTS (SELECT 1 FROM runs p WHERE \
         p.stay_id = r.stay_id AND p.queue = r.queue AND p.turn > r.turn AND p.state = 'succeeded') \
         FROM runs r LEFT JOIN stays s ON s.id = r.stay_id WHERE r.id = ",
    );
    sql.bind(run.as_str());
    let rows = conn.fetch(sql).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let state = RunState::from_word(&row.text(0)?).ok_or_else(|| StoreError::Broken("an unknown state".to_owned()))?;
    Ok(Some(Touched {
        state,
        about: row.text(1)?,
        uncertain: row.flag(2)?,
        names_gone: row.text(3)?,
        stay_status: row.opt_text(4)?.as_deref().and_then(Status::from_word),
        recipe: row.text(5)?,
        unfired: row.flag(6)?,
        newer_done: row.flag(7)?,
    }))
}

type Handled = Result<Result<HandOutcome, HandError>, StoreError>;

fn refused(run: &RunId, because: impl std::fmt::Display) -> Handled {
    Ok(Err(HandError::Refused(format!("{run}: {because}"))))
}

async fn retry(conn: &mut Conn, run: &RunId, by_hand: ByHand, now: Time) -> Handled {
    let Some(found) = touched(conn, run).await? else {
        return Ok(Err(HandError::Unknown(run.0.clone())));
    };
    let Some(state) = found.state.next(Transition::ByHand) else {
        return refused(
            run,
            format!("it is {}, there is nothing to try again", found.state.word()),
        );
    };
    if found.about == "reservation" && !by_hand.again {
        let gone = found.stay_status.filter(|status| status.is_gone());
        if let Some(status) = gone
            && !found.names_gone.contains(&format!(" {} ", status.word()))
        {
            return refused(
                run,
                format!(
                    "the stay is {}, and `{}` does not name that in `match.status`; with --again it is tried all the same",
                    status.word(),
                    found.recipe
                ),
            );
        }
        if found.newer_done {
            return refused(
                run,
                "a later run of the same queue and stay is done; with --again it is tried all the same",
            );
        }
    }
    let state = match found.unfired && state == RunState::Ready {
        true => RunState::Scheduled,
        false => state,
    };
    let now_ms = now.timestamp_millis();
    let mut sql = Sql::new(
        "UPDATE runs SET ended_by = CASE ended_by WHEN 'old_life' THEN ended_by END, cancel_requested = 0, step_attempts = 0, step_first_at = NULL, step_until = NULL, state = ",
    );
    sql.bind(state.word())
        .push(", reason = 'a person asked for it again', by_hand = ")
        .bind(to_json(&by_hand)?);
    sql.push(", due_at = ")
        .bind(now_ms)
        .push(", updated_at = ")
        .bind(now_ms);
    sql.push(" WHERE id = ")
        .bind(run.as_str())
        .push(" AND state = ")
        .bind(found.state.word());
    expect_one(conn, sql).await?;
    Ok(Ok(HandOutcome {
        run: run.clone(),
        state,
        message: "will be tried again".to_owned(),
    }))
}

async fn cancel(conn: &mut Conn, run: &RunId, now: Time) -> Handled {
    let Some(found) = touched(conn, run).await? else {
        return Ok(Err(HandError::Unknown(run.0.clone())));
    };
    let in_doubt = found.state == RunState::Running || (found.uncertain && !found.state.is_ended());
    let Some(state) = found.state.next(Transition::Cancel) else {
        return refused(run, format!("it is {} already", found.state.word()));
    };
    let mut sql = Sql::new("UPDATE runs SET reason = 'a person called it off'");
    touch(&mut sql, now);
    if found.unfired {
        sql.push(", ended_by = 'person'");
    }
    if in_doubt {
        sql.push(", cancel_requested = 1");
    } else {
        sql.push(", state = ").bind(state.word());
    }
    sql.push(" WHERE id = ")
        .bind(run.as_str())
        .push(" AND state = ")
        .bind(found.state.word());
    expect_one(conn, sql).await?;
    let (state, message) = match in_doubt {
        true => (found.state, "ends as soon as its open attempt is settled"),
        false => (state, "called off"),
    };
    Ok(Ok(HandOutcome {
        run: run.clone(),
        state,
        message: message.to_owned(),
    }))
}

async fn done(conn: &mut Conn, run: &RunId, now: Time) -> Handled {
    let Some(found) = touched(conn, run).await? else {
        return Ok(Err(HandError::Unknown(run.0.clone())));
    };
    let ended = matches!(found.state, RunState::Dead | RunState::Parked);
    let Some(state) = found.state.next(Transition::AllDone).filter(|_| ended) else {
        return refused(
            run,
            format!(
                "it is {}; only a dead or parked run can be declared done",
                found.state.word()
            ),
        );
    };
    let mut sql = Sql::new("UPDATE runs SET uncertain = 0, reason = 'a person says that it is done', state = ");
    sql.bind(state.word())
        .push(", updated_at = ")
        .bind(now.timestamp_millis());
    sql.push(" WHERE id = ")
        .bind(run.as_str())
        .push(" AND state = ")
        .bind(found.state.word());
    expect_one(conn, sql).await?;
    Ok(Ok(HandOutcome {
        run: run.clone(),
        state,
        message: "counts as done".to_owned(),
    }))
}

async fn expect_one(conn: &mut Conn, sql: Sql) -> Result<(), StoreError> {
    match conn.execute(sql).await? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict("the run was changed by somebody else".to_owned())),
    }
}
