//! The runs that decisions make: already leased and recorded where they may go at once.

use std::collections::{HashMap, HashSet};

use crate::model::decision::{Decision, Ending, FirstStep, NewRun, Opening, SkippedStep};
use crate::model::event::Event;
use crate::model::id::RunId;
use crate::model::plan::SETTLE;
use crate::model::run::RunState;
use crate::store::StoreError;
use crate::store::dialect::{Conn, Param};
use crate::store::outbox::{self, Begun, Lease};

use super::Applied;
use super::rounds::ended_since;

/// Every new run with the event it answers.
pub fn new_runs(decisions: &[Decision]) -> impl Iterator<Item = (&NewRun, &Event)> {
    let facts = decisions.iter().flat_map(|decision| &decision.facts);
    facts
        .filter_map(|fact| fact.event.as_ref().map(|event| (fact, event)))
        .flat_map(|(fact, event)| fact.runs.iter().map(move |run| (run, event)))
}

/// An unfinished run of a stay, as far as it may hold back a later one.
struct Ahead {
    queue: Option<String>,
    lane: String,
    in_doubt: bool,
}

/// Makes the runs of a group of decisions.
pub async fn runs(conn: &mut Conn, decisions: &[Decision], lease: &Lease) -> Result<Applied, StoreError> {
    let mut applied = Applied::default();
    let stays: HashSet<&str> = new_runs(decisions).map(|(_, event)| event.stay.as_str()).collect();
    if stays.is_empty() {
        return Ok(applied);
    }
    let sql = "SELECT stay_id, queue, lane, state, uncertain FROM runs WHERE state IN ('ready', 'running', 'retrying') \
         AND stay_id IN (VALUES ";
    let stays = stays.into_iter().map(|stay| [stay.into()]).collect();
    let mut ahead: HashMap<String, Vec<Ahead>> = HashMap::new();
    for row in conn.over_rows(sql, stays, ")").await? {
        let in_doubt = row.text(3)? == RunState::Running.word() || row.flag(4)?;
        ahead.entry(row.text(0)?).or_default().push(Ahead {
            queue: row.opt_text(1)?,
            lane: row.text(2)?,
            in_doubt,
        });
    }
    let now_ms = lease.now.timestamp_millis();
    let mut rows: Vec<[Param; 33]> = Vec::new();
    let mut turn = outbox::turns(conn, new_runs(decisions).count()).await?;
    let mut opening: Vec<(&NewRun, &Opening)> = Vec::new();
    let mut rendered: Vec<(&NewRun, &Opening)> = Vec::new();
    let mut skipped: Vec<(&RunId, &SkippedStep)> = Vec::new();
    let ended = ended_since(decisions);
    for (run, event) in new_runs(decisions) {
        let before = ahead.entry(event.stay.0.clone()).or_default();
        let waits = before.iter().any(|other| {
            (run.queue.is_some() && other.queue == run.queue)
                || (run.after_gone && other.lane == run.lane && other.in_doubt)
        });
        let ending;
        let (state, reason) = match &run.first {
            _ if run.settles => match ended.get(&run.id) {
                Some(because) => (RunState::Cancelled, because.as_str()),
                None => (RunState::Scheduled, ""),
            },
            FirstStep::Open(open) if !waits && run.due_at <= lease.now => {
                opening.push((run, open.as_ref()));
                (RunState::Running, "")
            }
            FirstStep::Rendered(open) if !waits => {
                rendered.push((run, open.as_ref()));
                (RunState::Ready, "")
            }
            FirstStep::Open(_) | FirstStep::Rendered(_) | FirstStep::Later => (RunState::Ready, ""),
            FirstStep::Failed(reason) => (RunState::Dead, reason.as_str()),
            FirstStep::Nothing(passed) => {
                skipped.extend(passed.iter().map(|step| (&run.id, step)));
                ending = Ending::of(&[], passed, "");
                (ending.state, ending.reason.as_str())
            }
        };
        let running = state == RunState::Running;
        turn += 1;
        if !state.is_ended() && state != RunState::Scheduled {
            before.push(Ahead {
                queue: run.queue.clone(),
                lane: run.lane.clone(),
                in_doubt: running,
            });
        }
        if state == RunState::Ready {
            applied.waiting.insert(run.lane.clone());
        }
        let step = match &run.first {
            FirstStep::Open(open) if running => open.position,
            FirstStep::Rendered(open) if !waits => open.position,
            _ => 0,
        };
        let names_gone: Vec<&str> = run.names_gone.iter().map(|status| status.word()).collect();
        let reservation = &event.reservation;
        if state.is_ended() {
            applied.ended.push((run.id.clone(), state));
        }
        rows.push([
            run.id.as_str().into(),
            run.key.as_str().into(),
            run.recipe.as_str().into(),
            run.revision.as_str().into(),
            event.id.as_str().into(),
            event.stay.as_str().into(),
            reservation["source"].as_str().into(),
            reservation["code"].as_str().into(),
            run.about.word().into(),
            run.queue.clone().into(),
            run.mode.word().into(),
            format!(" {} ", names_gone.join(" ")).into(),
            run.after_gone.into(),
            run.dry_run.into(),
            run.lane.as_str().into(),
            state.word().into(),
            reason.into(),
            step.into(),
            i64::from(running).into(),
            i64::from(running).into(),
            running.then_some(now_ms).into(),
            match &run.first {
                FirstStep::Open(open) if running => Some(outbox::until_ms(open, now_ms)),
                _ => None,
            }
            .into(),
            0i64.into(),
            0i64.into(),
            0i64.into(),
            running.then(|| lease.owner.clone()).into(),
            running.then(|| lease.until.timestamp_millis()).into(),
            run.due_at.timestamp_millis().into(),
            now_ms.into(),
            now_ms.into(),
            turn.into(),
            run.settles.then_some(SETTLE).into(),
            run.settles.then(|| run.due_at.timestamp_millis()).into(),
        ]);
    }
    let sql = "INSERT INTO runs (id, run_key, recipe, revision, event_id, stay_id, source, code, about, queue, mode, names_gone, \
         after_gone, dry_run, lane, state, reason, step, attempts, step_attempts, step_first_at, step_until, generation, uncertain, \
         cancel_requested, lease_owner, lease_until, due_at, created_at, updated_at, turn, entries, planned_at) VALUES ";
    // The key makes a run unique for ever: one that exists is left as it is.
    let mut made = HashSet::new();
    for row in conn
        .over_rows(sql, rows, " ON CONFLICT (id) DO NOTHING RETURNING id")
        .await?
    {
        made.insert(RunId(row.text(0)?));
    }
    opening.retain(|(run, _)| made.contains(&run.id));
    applied.ended.retain(|(run, _)| made.contains(run));
    skipped.retain(|(run, _)| made.contains(run));
    applied.failed_steps = skipped.iter().filter(|(_, step)| step.failed).count();
    outbox::skip_steps(conn, skipped.into_iter()).await?;
    rendered.retain(|(run, _)| made.contains(&run.id));
    outbox::keep_rendered(conn, rendered.into_iter().map(|(run, open)| (&run.id, open))).await?;
    let attempts = opening.iter().map(|(run, open)| Begun {
        run: &run.id,
        number: 1,
        by_hand: false,
        opening: open,
        recorded: false,
    });
    outbox::open_attempts(conn, attempts, lease.now).await?;
    applied.started = opening.into_iter().map(|(run, _)| run.id.clone()).collect();
    Ok(applied)
}
