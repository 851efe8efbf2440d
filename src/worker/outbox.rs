//! Runs to effects: claim, send without a transaction open, record, go on.

use std::collections::HashMap;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::action::{self, Io};
use crate::model::clock::Time;
use crate::model::effect::Answer;
use crate::model::fault;
use crate::model::id::RunId;
use crate::model::run::{AttemptOutcome, Finished, RunState, Then};

use super::conclude::conclude;
use super::flight::{Flight, Launched};
use super::lanes::{Health, Turn};
use super::said;
use super::{Engine, RENEW, STORE_DOWN, claim, follow, results};

/// How many runs may be on their way from the inbox to the outbox.
pub const LAUNCH_MAX: usize = 1024;
/// How many results are recorded together.
const RECORD_MAX: usize = 256;
/// How long after a stop attempts may still end by themselves.
const DRAIN: Duration = Duration::from_secs(18);
/// A moment beyond the connection's own time-out after which an attempt is given up whatever it does.
const GRACE: Duration = Duration::from_secs(3);

type Attempts = JoinSet<(Flight, Answer)>;

/// What is under way: the number of the attempt, and how to break it off.
type Out = HashMap<RunId, (i64, AbortHandle)>;

/// Sends until it is told to stop; then waits for what is under way, and gives back what does not end in time.
pub async fn run(engine: Engine, mut launched: mpsc::Receiver<Launched>, stop: CancellationToken) {
    let mut attempts = Attempts::new();
    let mut out = Out::new();
    let mut renew_at = engine.clock.steady() + RENEW;
    let mut next_due: Option<Time> = None;
    let mut held_up = false;
    while !stop.is_cancelled() {
        let (due, renewed) = (next_due, renew_at - engine.clock.steady());
        let mut concluded = Concluded::default();
        tokio::select! {
            () = stop.cancelled() => break,
            Some(flight) = launched.recv() => {
                launch(&engine, &mut attempts, &mut out, flight).await;
                continue;
            }
            Some(ended) = attempts.join_next(), if !attempts.is_empty() => {
                let ended = gather(ended, &mut attempts, &mut out);
                concluded = conclude_all(&engine, ended, false).await;
            }
            () = engine.outbox.notified() => {}
            () = engine.clock.sleep_until(due.unwrap_or_default()), if due.is_some() => {}
            () = engine.clock.sleep(renewed) => {
                renew_at = engine.clock.steady() + RENEW;
                renew(&engine, &mut out).await;
                // A wake-up that was missed is made good here.
                engine.lanes.look_again();
            }
        }
        // In one commit, where it can be: the places of what has ended are free by now.
        let (states, claimed) = tokio::join!(results::write_all(&engine, &concluded.finished), claim::claim(&engine));
        for next in go_on(&engine, concluded, &states) {
            begin(&engine, &mut attempts, &mut out, next);
        }
        match claimed {
            Ok(claimed) => {
                if std::mem::take(&mut held_up) {
                    tracing::info!("runs go on");
                }
                next_due = claimed.next_due;
                // They were recorded a while ago where the results had to wait for the store.
                for flight in claimed.flights {
                    launch(&engine, &mut attempts, &mut out, flight).await;
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut held_up, true) {
                    tracing::warn!(%error, "runs wait");
                }
                next_due = Some(engine.clock.now() + STORE_DOWN);
            }
        }
    }
    drain(&engine, launched, attempts, out).await;
}

/// Lengthens the leases of what is under way. Whoever has lost its lease stops: somebody else has taken the run up, and
/// nothing that comes back would be recorded.
async fn renew(engine: &Engine, out: &mut Out) {
    out.retain(|_, (_, attempt)| !attempt.is_finished());
    let held: Vec<(RunId, i64)> = out.iter().map(|(run, (number, _))| (run.clone(), *number)).collect();
    match engine.store.renew(held, engine.lease()).await {
        Err(error) => tracing::warn!(%error, "leases could not be renewed"),
        Ok(ours) => out.retain(|run, (_, attempt)| {
            let held = ours.contains(run);
            if !held {
                tracing::warn!(run.id = %run, "the lease was lost; the attempt is broken off");
                attempt.abort();
            }
            held
        }),
    }
}

async fn drain(engine: &Engine, mut launched: mpsc::Receiver<Launched>, mut attempts: Attempts, mut out: Out) {
    let mut unsent = Vec::new();
    let ends = async {
        // The inbox may be in the middle of a group; it has ended once nobody can launch anything any more.
        while let Some((flight, _)) = launched.recv().await {
            unsent.push(not_sent(flight, engine.clock.now()));
        }
        while let Some(ended) = attempts.join_next().await {
            let ended = gather(ended, &mut attempts, &mut out);
            let concluded = conclude_all(engine, ended, true).await;
            let states = results::write_all(engine, &concluded.finished).await;
            for next in go_on(engine, concluded, &states) {
                begin(engine, &mut attempts, &mut out, next);
            }
        }
    };
    if tokio::time::timeout(DRAIN, ends).await.is_err() {
        tracing::warn!(
            runs = out.len(),
            "attempts did not end in time; they are taken up again after the next start"
        );
    }
    if !unsent.is_empty()
        && let Err(error) = engine.store.record(unsent, engine.lease()).await
    {
        tracing::warn!(%error, "runs that were not sent are taken up again as if they had been");
    }
    if let Err(error) = engine.store.release(engine.lease()).await {
        tracing::warn!(%error, "leases could not be given back; they run out by themselves");
    }
}

/// Begins an attempt, unless its lease is about to run out.
async fn launch(engine: &Engine, attempts: &mut Attempts, out: &mut Out, launched: Launched) {
    if let Some(flight) = in_time(engine, launched).await {
        begin(engine, attempts, out, flight);
    }
}

/// The flight, unless its lease is about to run out.
pub(super) async fn in_time(engine: &Engine, (flight, leased): Launched) -> Option<Flight> {
    if engine.clock.steady() + RENEW < leased {
        return Some(flight);
    }
    late(engine, flight).await;
    None
}

/// A flight that was launched so long ago, because the store was down in between, that somebody else may take its run up
/// any moment: it is given back, if it is still ours, and not sent.
async fn late(engine: &Engine, flight: Flight) {
    let run = flight.run.id.clone();
    tracing::warn!(run.id = %run, "the lease is about to run out; the run begins anew");
    let unsent = Finished {
        summary: "the lease ran out before it was sent".to_owned(),
        ..not_sent(flight, engine.clock.now())
    };
    match engine.store.record(vec![unsent], engine.lease()).await {
        Ok(_) => engine.wake_outbox(),
        Err(error) => tracing::warn!(run.id = %run, %error, "the run is taken up again as if it had been sent"),
    }
}

/// What to record of an attempt that a stop came before: certainly nothing arrived.
fn not_sent(flight: Flight, now: Time) -> Finished {
    Finished {
        run: flight.run.id,
        attempt: flight.run.attempts,
        position: flight.opening.position,
        outcome: AttemptOutcome::Retry,
        summary: "the daemon was stopped before it was sent".to_owned(),
        excerpt: None,
        output: Value::Null,
        uncertain: flight.run.uncertain,
        failed: None,
        then: Then::Unspent(now),
    }
}

fn gather(
    first: Result<(Flight, Answer), tokio::task::JoinError>,
    attempts: &mut Attempts,
    out: &mut Out,
) -> Vec<(Flight, Answer)> {
    let mut all = vec![first];
    while all.len() < RECORD_MAX
        && let Some(next) = attempts.try_join_next()
    {
        all.push(next);
    }
    // A task only fails when it was broken off or the runtime is going down; its run is taken up again by its lease.
    let mut ended: Vec<(Flight, Answer)> = all.into_iter().filter_map(Result::ok).collect();
    ended.retain(|(flight, _)| match out.get(&flight.run.id) {
        // A later attempt of the run has begun: this one has lost its lease, and its end is nobody's concern.
        Some((number, _)) if *number != flight.run.attempts => false,
        _ => {
            out.remove(&flight.run.id);
            true
        }
    });
    ended
}

fn begin(engine: &Engine, attempts: &mut Attempts, out: &mut Out, flight: Flight) {
    let (run, number) = (flight.run.id.clone(), flight.run.attempts);
    if out.get(&run).is_some_and(|(held, _)| *held > number) {
        // A later attempt is under way already: this one has lost its lease while it waited to be launched.
        return;
    }
    let late = engine.clock.now() - flight.run.due_at;
    engine
        .meter
        .late(&flight.opening.prepared.connection, late.to_std().unwrap_or_default());
    let engine = engine.clone();
    let attempt = attempts.spawn(async move {
        let began = tokio::time::Instant::now();
        let answer = send(&engine, &flight).await;
        engine.meter.attempt(
            &flight.opening.prepared.connection,
            answer.outcome.word(),
            began.elapsed(),
        );
        (flight, answer)
    });
    if let Some((_, lost)) = out.insert(run, (number, attempt)) {
        lost.abort();
    }
}

/// One attempt. Nothing that happens in here is an error of ours to the outside: it is an answer.
async fn send(engine: &Engine, flight: &Flight) -> Answer {
    let opening = &flight.opening;
    if flight.run.dry_run {
        return Answer::plain(AttemptOutcome::Done, "dry run: nothing was sent");
    }
    let setup = engine.setup();
    let name = &opening.prepared.connection;
    let Some(connection) = setup.connections.get(name) else {
        return Answer::plain(
            AttemptOutcome::Reject,
            format!("there is no connection `{name}` in the configuration any more"),
        );
    };
    fault::point("before-send");
    let io = Io {
        outbound: engine.outbound.clone(),
        redirect_email: setup.redirect_email.clone(),
        clock: engine.clock.clone(),
    };
    let work = async {
        fault::maybe("send", || opening.prepared.request.to_string());
        action::perform(&opening.prepared, &opening.key, connection, &io).await
    };
    let work = std::panic::AssertUnwindSafe(work).catch_unwind();
    let answer = match tokio::time::timeout(connection.timeout + GRACE, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => {
            tracing::error!(run.id = %flight.run.id, "a fault of Stayhook while sending");
            // Not what it said: while sending, credentials are at hand, and this is stored.
            Answer::plain(
                AttemptOutcome::Uncertain,
                format!("a fault of Stayhook while sending: {}", fault::plain_text(&*panic)),
            )
        }
        Err(_) => Answer::plain(AttemptOutcome::Uncertain, "no answer in time"),
    };
    fault::point("after-send");
    answer
}

/// What attempts that have ended come to, before it is recorded.
#[derive(Default)]
pub(super) struct Concluded {
    pub(super) finished: Vec<Finished>,
    /// The next steps that can begin at once.
    following: HashMap<RunId, Flight>,
    /// The names of recipe and connection, for the log.
    names: HashMap<RunId, (String, String)>,
}

pub(super) async fn conclude_all(engine: &Engine, ended: Vec<(Flight, Answer)>, stopping: bool) -> Concluded {
    let setup = engine.setup();
    let mut concluded = Concluded::default();
    for (flight, answer) in follow::with_answered(engine, ended).await {
        let name = (flight.run.recipe.clone(), flight.opening.prepared.connection.clone());
        concluded.names.insert(flight.run.id.clone(), name);
        note_lane(engine, &flight, &answer).await;
        let (done, next) = conclude(engine, &setup, flight, answer, stopping);
        if let Some(next) = next {
            concluded.following.insert(next.run.id.clone(), next);
        }
        concluded.finished.push(done);
    }
    concluded
}

/// After the recording: the next steps, which begin now; and what waits is looked for once more, since a claim that went
/// on at the same time has not seen it.
pub(super) fn go_on(engine: &Engine, mut concluded: Concluded, states: &HashMap<RunId, RunState>) -> Vec<Flight> {
    let mut following = Vec::new();
    for done in &concluded.finished {
        match states.get(&done.run) {
            None => tracing::warn!(run.id = %done.run, "the lease was lost; the result is not recorded"),
            Some(state) => {
                said::attempt(engine, done, *state, concluded.names.get(&done.run));
                if *state == RunState::Running
                    && let Some(next) = concluded.following.remove(&done.run)
                {
                    following.push(next);
                }
            }
        }
        match &done.then {
            Then::Wait { lane, .. } => engine.lanes.wait_for([lane.clone()]),
            Then::Retry(_) | Then::Unspent(_) => {
                let lane = concluded.names.get(&done.run).map(|(_, connection)| connection.clone());
                engine.lanes.wait_for(lane);
            }
            _ => {}
        }
    }
    if !concluded.finished.is_empty() {
        engine.outbox.notify_one();
    }
    following
}

async fn note_lane(engine: &Engine, flight: &Flight, answer: &Answer) {
    if flight.run.dry_run {
        return;
    }
    let name = &flight.opening.prepared.connection;
    let fails = matches!(answer.outcome, AttemptOutcome::Retry | AttemptOutcome::Uncertain);
    match engine.lanes.health(name, fails, tokio::time::Instant::now()) {
        Some(Health::Fails) => tracing::warn!(
            connection = name,
            run.id = %flight.run.id,
            recipe = flight.run.recipe,
            outcome = answer.outcome.word(),
            "attempts fail; they are tried again, and nothing more is said until they succeed"
        ),
        Some(Health::Works { failed, seconds }) => {
            tracing::info!(connection = name, failed, seconds, "attempts succeed again");
        }
        None => {}
    }
    let reached = !answer.denied && matches!(answer.outcome, AttemptOutcome::Done | AttemptOutcome::Reject);
    let turn = engine
        .lanes
        .ended(name, answer.denied, reached, &answer.summary, engine.clock.reading());
    let kept = match turn {
        Turn::Same => Ok(()),
        Turn::Paused(paused) => {
            // Not what the target said: some say back what they were sent. `stayhook`'s pages have it.
            if paused.since < engine.clock.now() {
                tracing::info!(connection = name, "the connection stays paused");
            } else {
                tracing::error!(
                    connection = name,
                    "the connection does not accept our credentials and is paused; one run tries again every 5 minutes"
                );
            }
            engine.store.pause(paused).await
        }
        Turn::Resumed => {
            tracing::info!(connection = name, "the connection goes on");
            engine.store.resume(name.clone(), engine.clock.now()).await
        }
    };
    if let Err(error) = kept {
        tracing::warn!(%error, connection = name, "whether the connection is paused was not written down");
    }
}
