//! Applies decisions, each whole or not at all: stays, names, events, runs, outcomes, in one transaction.

mod absorb;
mod explanations;
mod rounds;
mod runs;
mod told;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::json;

use crate::model::clock::{Time, from_ms};
use crate::model::decision::{Decision, Explanation, FactDecision};
use crate::model::event::{About, Event};
use crate::model::fault;
use crate::model::id::RunId;
use crate::model::plan::{Place, Plan};
use crate::model::reservation::{Status, Stay};
use crate::model::run::{Mode, RunState};

use self::absorb::absorb;
use self::explanations::earlier_explanations;
use self::rounds::{joined, rounds};
use self::runs::{new_runs, runs};
use super::dialect::{Conn, Param, Sql};
use super::neighbours::mark_neighbours;
use super::outbox::Lease;
use super::planned::{record_ends, still_wait, write_plans};
use super::set_back::touch;
use super::{Store, StoreError, json as to_json, replay};

/// What became of the runs of a group of decisions.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Runs that were made already leased: their first attempt is recorded and may be sent.
    pub started: HashSet<RunId>,
    /// Connections for which runs wait in the store.
    pub waiting: HashSet<String>,
    /// Whether something was planned that may be due earlier than anything before.
    pub planned: bool,
    /// Runs that ended with it: called off, or made without anything that could be sent.
    pub ended: Vec<(RunId, RunState)>,
    /// How many steps failed in those of them that went on past them.
    pub failed_steps: usize,
}

impl Store {
    /// Applies a group of decisions. No two of them may be about the same stay. `lease` is taken for runs that begin at once.
    pub async fn apply(&self, decisions: impl Into<Arc<Vec<Decision>>>, lease: Lease) -> Result<Applied, StoreError> {
        let decisions = decisions.into();
        self.write(move |conn| {
            Box::pin(async move {
                let applied = apply(conn, &decisions, &lease).await?;
                fault::point("before-decide-commit");
                Ok(applied)
            })
        })
        .await
        .inspect(|_| fault::point("after-decide-commit"))
    }
}

async fn apply(conn: &mut Conn, decisions: &[Decision], lease: &Lease) -> Result<Applied, StoreError> {
    let now = lease.now;
    let facts = || decisions.iter().flat_map(|decision| &decision.facts);
    still_wait(conn, joined(decisions)).await?;
    stays(conn, decisions, now).await?;
    let mut planned = Vec::new();
    let (rounds, ends) = rounds(decisions);
    for round in rounds {
        let ended = gone(conn, &round, now).await?;
        planned.extend(ended.into_iter().map(|run| (run, RunState::Cancelled)));
        let plans: Vec<&Plan> = round.iter().map(|fact| &fact.plan).collect();
        planned.extend(write_plans(conn, &plans, now).await?);
    }
    absorb(conn, decisions).await?;
    events(conn, decisions).await?;
    fact_keys(conn, decisions).await?;
    let mut cancelled = gone(conn, &ends, now).await?;
    cancelled.extend(newest(conn, decisions, now).await?);
    let mut applied = runs(conn, decisions, lease).await?;
    applied.ended.append(&mut planned);
    applied.planned = facts().any(|fact| !fact.plan.is_empty() || fact.runs.iter().any(|run| run.settles));
    let moved = facts()
        .filter(|_| lease.neighbours)
        .filter_map(|fact| Some((fact.stay.as_ref()?, fact.moved.as_ref()?)));
    let places = moved.flat_map(|(stay, (before, after))| {
        let both = before.iter().chain([after]);
        both.map(move |place| (&stay.id, place))
    });
    let places: Vec<_> = places.collect();
    applied.planned |= !places.is_empty();
    mark_neighbours(conn, places).await?;
    applied
        .ended
        .extend(cancelled.into_iter().map(|run| (run, RunState::Cancelled)));
    outcomes(conn, decisions).await?;
    told::told(conn, decisions).await?;
    Ok(applied)
}

async fn stays(conn: &mut Conn, decisions: &[Decision], now: Time) -> Result<(), StoreError> {
    // Several facts of one delivery may write one stay: the last one holds it as it is after all of them.
    let mut last: BTreeMap<&str, (&Stay, i64)> = BTreeMap::new();
    for stay in decisions
        .iter()
        .flat_map(|decision| &decision.facts)
        .filter_map(|fact| fact.stay.as_ref())
    {
        let first = last
            .get(stay.id.as_str())
            .map_or(stay.revision, |(_, revision)| *revision);
        last.insert(stay.id.as_str(), (stay, first));
    }
    let mut places: BTreeMap<&str, Option<&Place>> = BTreeMap::new();
    for fact in decisions.iter().flat_map(|decision| &decision.facts) {
        if let (Some(stay), Some((_, place))) = (&fact.stay, &fact.moved) {
            places.insert(stay.id.as_str(), Some(place));
        }
    }
    let mut fresh = Vec::new();
    let mut changed = Vec::new();
    for (stay, revision) in last.values() {
        let status = stay.status().map(Status::word);
        let place = places.get(stay.id.as_str()).copied().flatten();
        let at = |time: Option<Time>| time.map(|at| at.timestamp_millis());
        let row: [Param; 12] = [
            stay.id.as_str().into(),
            stay.source.as_str().into(),
            to_json(stay)?.into(),
            (*revision).max(1).into(),
            status.into(),
            stay.adopted.into(),
            // Later than now where it was heard of by a clock that was ahead: it is looked for by this.
            now.timestamp_millis().max(stay.heard_ms()).into(),
            place.and_then(|place| place.property.clone()).into(),
            place.and_then(|place| at(place.arrives_at)).into(),
            place.and_then(|place| at(place.leaves_at)).into(),
            // Nothing is known of its place where nothing about it has changed.
            place.map_or(Param::Int(None), |place| place.taken.into()),
            stay.planned_under.into(),
        ];
        if *revision == 0 {
            fresh.push(row)
        } else {
            changed.push(row)
        }
    }
    let sql = "WITH v (id, source, state, revision, status, adopted, updated_at, property, arrives_at, leaves_at, taken, planned) AS (VALUES ";
    let insert = ") INSERT INTO stays (id, source, state, revision, status, adopted, updated_at, property, arrives_at, \
         leaves_at, taken, planned) SELECT id, source, state, revision, status, adopted, updated_at, property, arrives_at, \
         leaves_at, COALESCE(taken, 0), planned FROM v";
    conn.over_rows(sql, fresh, insert).await?;
    let wanted = changed.len();
    let sql = "WITH v (id, source, state, revision, status, adopted, updated_at, property, arrives_at, leaves_at, taken, planned) AS (VALUES ";
    let update = ") UPDATE stays SET state = v.state, revision = stays.revision + 1, status = v.status, \
         adopted = v.adopted, updated_at = v.updated_at, \
         property = CASE WHEN v.taken IS NULL THEN stays.property ELSE v.property END, \
         arrives_at = CASE WHEN v.taken IS NULL THEN stays.arrives_at ELSE v.arrives_at END, \
         leaves_at = CASE WHEN v.taken IS NULL THEN stays.leaves_at ELSE v.leaves_at END, \
         taken = COALESCE(v.taken, stays.taken), planned = v.planned FROM v WHERE stays.id = v.id AND stays.revision = v.revision \
         RETURNING id";
    if conn.over_rows(sql, changed, update).await?.len() != wanted {
        return Err(StoreError::Conflict("a stay was written by somebody else".to_owned()));
    }
    let (mut own, mut shared) = (Vec::new(), Vec::new());
    for (stay, _) in last.values() {
        let (source, scope, id) = (stay.source.as_str(), stay.scope.as_str(), stay.id.as_str());
        // Within a scope the key is a name of its own.
        let key = stay.key.as_ref().filter(|_| !scope.is_empty());
        let names = stay.ids.iter().chain(key);
        own.extend(names.map(|name| [name.into(), source.into(), scope.into(), id.into()]));
        let nameless = stay.ids.is_empty();
        let names = stay.references.iter();
        shared.extend(names.map(|name| [name.into(), source.into(), nameless.into(), scope.into(), id.into()]));
    }
    let sql = "INSERT INTO identities (value, source, scope, stay_id) VALUES ";
    conn.over_rows(sql, own, " ON CONFLICT (value, source, scope) DO NOTHING")
        .await?;
    let sql = "INSERT INTO stay_references (value, source, nameless, scope, stay_id) VALUES ";
    let there = " ON CONFLICT (value, source, nameless, scope, stay_id) DO NOTHING";
    conn.over_rows(sql, shared, there).await?;
    Ok(())
}

/// Makes events; what becomes of those that are there follows.
pub(super) const INSERT_EVENTS: &str =
    "INSERT INTO events (id, delivery_id, stay_id, source, types, at, body, explanation) VALUES ";

/// An event with why each recipe did or did not run, for [`INSERT_EVENTS`].
pub(super) fn event_row(event: &Event, explanation: &[Explanation]) -> Result<[Param; 8], StoreError> {
    Ok([
        event.id.as_str().into(),
        event.delivery.as_str().into(),
        event.stay.as_str().into(),
        event.source.as_str().into(),
        event.types.join(" ").into(),
        event.at_ms.into(),
        to_json(event)?.into(),
        to_json(&explanation)?.into(),
    ])
}

async fn events(conn: &mut Conn, decisions: &[Decision]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    let earlier = earlier_explanations(conn, decisions).await?;
    for fact in decisions.iter().flat_map(|decision| &decision.facts) {
        let Some(event) = &fact.event else { continue };
        let mut explanation = fact.explanation.clone();
        if let Some(earlier) = earlier.get(event.id.as_str()) {
            // Only one recipe was asked: what was said of the others stands.
            let asked: HashSet<String> = explanation.iter().map(|one| one.recipe.clone()).collect();
            let others = earlier.iter().filter(|one| !asked.contains(&one.recipe)).cloned();
            explanation = others.chain(explanation).collect();
        }
        rows.push(event_row(event, &explanation)?);
    }
    // An event that meets the recipes once more stays what it was; only the explanation is new.
    let again = " ON CONFLICT (id) DO UPDATE SET explanation = excluded.explanation";
    conn.over_rows(INSERT_EVENTS, rows, again).await?;
    Ok(())
}

async fn fact_keys(conn: &mut Conn, decisions: &[Decision]) -> Result<(), StoreError> {
    let mut rows: BTreeMap<(String, &str, String), [Param; 5]> = BTreeMap::new();
    for fact in decisions.iter().flat_map(|decision| &decision.facts) {
        let (Some(key), Some(stay)) = (&fact.fact_key, stay_of(fact)) else {
            continue;
        };
        let row = [
            key.source.as_str().into(),
            key.about.word().into(),
            key.id.as_str().into(),
            stay.into(),
            to_json(&key.content)?.into(),
        ];
        rows.insert((key.source.clone(), key.about.word(), key.id.clone()), row);
    }
    let sql = "INSERT INTO fact_keys (source, about, id, stay_id, content) VALUES ";
    let changed = " ON CONFLICT (source, about, id) DO UPDATE SET content = excluded.content";
    conn.over_rows(sql, rows.into_values().collect(), changed).await?;
    Ok(())
}

fn stay_of(fact: &FactDecision) -> Option<&str> {
    let of_event = fact.event.as_ref().map(|event| event.stay.as_str());
    of_event.or(fact.stay.as_ref().map(|stay| stay.id.as_str()))
}

/// A stay that is gone takes its plans and its waiting runs with it, except those whose recipe names the new status.
/// What may have had an effect already is settled first. Payments and messages go on.
async fn gone(conn: &mut Conn, facts: &[&FactDecision], now: Time) -> Result<Vec<RunId>, StoreError> {
    let mut cancelled = Vec::new();
    for fact in facts {
        let (Some(gone), Some(stay)) = (&fact.gone, stay_of(fact)) else {
            continue;
        };
        let named = format!("% {} %", gone.status.word());
        let reason = gone.reason();
        let mut sql = Sql::new("UPDATE runs SET state = 'cancelled', reason = ");
        sql.bind(reason.as_str())
            .push(", ended_by = CASE WHEN entries IS NOT NULL AND attempts = 0 THEN 'plan' END, updated_at = ")
            .bind(now.timestamp_millis());
        sql.push(" WHERE stay_id = ")
            .bind(stay)
            .push(" AND (state = 'scheduled' OR (entries IS NOT NULL AND state = 'ready' AND attempts = 0) ");
        sql.push(
            "OR (state IN ('ready', 'retrying') AND uncertain = 0 AND about = 'reservation' AND names_gone NOT LIKE ",
        )
        .bind(named.as_str())
        .push(")) RETURNING id, entries, due_at");
        let mut planned = Vec::new();
        for row in conn.fetch(sql).await? {
            let run = RunId(row.text(0)?);
            if row.opt_text(1)?.is_some() {
                planned.push((run.clone(), from_ms(row.int(2)?)));
            }
            cancelled.push(run);
        }
        record_ends(conn, planned, &reason, now).await?;
        let mut sql = Sql::new("UPDATE runs SET cancel_requested = 1, reason = ");
        touch(sql.bind(reason.as_str()), now).push(" WHERE stay_id = ");
        sql.bind(stay)
            .push(" AND about = 'reservation' AND names_gone NOT LIKE ");
        sql.bind(named)
            .push(" AND state IN ('ready', 'running', 'retrying') AND (state = 'running' OR uncertain = 1)");
        conn.execute(sql).await?;
    }
    Ok(cancelled)
}

/// A newer run of a recipe with `mode: newest` takes the place of those that still wait.
async fn newest(conn: &mut Conn, decisions: &[Decision], now: Time) -> Result<Vec<RunId>, StoreError> {
    let mut cancelled = Vec::new();
    for (run, event) in new_runs(decisions) {
        if run.mode != Mode::Newest || run.about != About::Reservation || run.settles {
            continue;
        }
        // An event that meets the recipes once more makes no new run, so nothing gives way to it.
        let mut sql = Sql::new("SELECT 1 FROM runs WHERE id = ");
        sql.bind(run.id.as_str());
        if !conn.fetch(sql).await?.is_empty() {
            continue;
        }
        cancelled.extend(give_way(conn, event.stay.as_str(), &run.recipe, &run.id, now).await?);
    }
    Ok(cancelled)
}

/// Cancels what waits of a recipe and stay but for one run.
pub(super) async fn give_way(
    conn: &mut Conn,
    stay: &str,
    recipe: &str,
    run: &RunId,
    now: Time,
) -> Result<Vec<RunId>, StoreError> {
    let mut cancelled = Vec::new();
    for (state, which) in [
        (
            "UPDATE runs SET state = 'cancelled'",
            " AND state IN ('ready', 'retrying') AND uncertain = 0",
        ),
        (
            "UPDATE runs SET cancel_requested = 1",
            " AND state IN ('ready', 'running', 'retrying') AND (state = 'running' OR uncertain = 1)",
        ),
    ] {
        let mut sql = Sql::new(state);
        let because = sql.push(", reason = 'a newer run of the recipe takes its place'");
        touch(because, now).push(" WHERE stay_id = ").bind(stay);
        sql.push(" AND recipe = ")
            .bind(recipe)
            .push(" AND id <> ")
            .bind(run.as_str());
        sql.push(" AND about = 'reservation'").push(which);
        sql.push(" RETURNING id, state");
        for row in conn.fetch(sql).await? {
            if row.text(1)? == RunState::Cancelled.word() {
                cancelled.push(RunId(row.text(0)?));
            }
        }
    }
    Ok(cancelled)
}

/// The deliveries that somebody has asked for in another way while they were being decided: they are decided once more.
async fn asked_since(conn: &mut Conn, decisions: &[Decision]) -> Result<HashSet<String>, StoreError> {
    let replays = decisions.iter().filter(|decision| decision.replay.is_some());
    let replays: HashMap<&str, _> = replays.map(|one| (one.delivery.as_str(), &one.replay)).collect();
    let ids = replays.keys().map(|id| [(*id).into()]).collect();
    let sql = "SELECT id, replay FROM deliveries WHERE replay IS NOT NULL AND id IN (VALUES ";
    let mut since = HashSet::new();
    for row in conn.over_rows(sql, ids, ")").await? {
        let (id, now) = (row.text(0)?, row.opt_text(1)?.map(|text| replay::read(&text)));
        if replays.get(id.as_str()).is_some_and(|seen| **seen != now) {
            since.insert(id);
        }
    }
    Ok(since)
}

async fn outcomes(conn: &mut Conn, decisions: &[Decision]) -> Result<(), StoreError> {
    let since = asked_since(conn, decisions).await?;
    let rows: Vec<[Param; 6]> = decisions
        .iter()
        .map(|decision| {
            let facts: Vec<_> = decision
                .facts
                .iter()
                .map(|fact| {
                    let event = fact.event.as_ref().map(|event| event.id.as_str());
                    json!({"outcome": fact.outcome, "because": fact.because, "warnings": fact.warnings, "event": event, "stay": stay_of(fact)})
                })
                .collect();
            let detail = json!({"facts": facts, "warnings": decision.warnings, "trace": decision.trace});
            [
                decision.delivery.as_str().into(),
                decision.outcome.word().into(),
                decision.because.as_str().into(),
                detail.to_string().into(),
                decision.at.timestamp_millis().into(),
                since.contains(decision.delivery.as_str()).into(),
            ]
        })
        .collect();
    let sql = "WITH v (id, outcome, because, detail, decided_at, asked_since) AS (VALUES ";
    let update = ") UPDATE deliveries SET outcome = v.outcome, because = v.because, detail = v.detail, decided_at = v.decided_at, \
         replay = CASE WHEN v.asked_since = 1 THEN deliveries.replay END FROM v WHERE deliveries.id = v.id";
    conn.over_rows(sql, rows, update).await?;
    Ok(())
}
