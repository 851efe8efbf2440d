//! The worker without its tasks: what they do, one step at a time and in whatever order the caller wants, for simulations.
//!
//! Every step calls the functions of the tasks. Only the sending itself is left to the caller, who sees the attempts that
//! are under way and says what came back.

use tokio::sync::mpsc;

use crate::model::clock::Time;
use crate::model::effect::Answer;
use crate::model::id::RunId;
use crate::store::StoreError;

pub use super::flight::Flight;
use super::flight::Launched;
use super::timers::Turns;
use super::{Engine, claim, inbox, outbox, replan, rescue, results};
use crate::engine::Setup;

/// An engine that moves only when it is told to.
#[derive(Debug)]
pub struct ByStep {
    engine: Engine,
    launch: mpsc::Sender<Launched>,
    launched: mpsc::Receiver<Launched>,
    under_way: Vec<(Flight, Option<Answer>)>,
    turns: Turns,
}

impl ByStep {
    /// Takes up what the last process left.
    ///
    /// # Errors
    ///
    /// Those of the store, here and in all other steps.
    pub async fn start(engine: Engine) -> Result<ByStep, StoreError> {
        engine.recover().await?;
        let (launch, launched) = mpsc::channel(outbox::LAUNCH_MAX);
        Ok(ByStep {
            engine,
            launch,
            launched,
            under_way: Vec::new(),
            turns: Turns::default(),
        })
    }

    /// Decides one group of the inbox; how many deliveries that were.
    pub async fn decide(&mut self) -> Result<usize, StoreError> {
        let decided = inbox::group(&self.engine, &self.launch).await;
        let mut launched: Vec<Launched> = std::iter::from_fn(|| self.launched.try_recv().ok()).collect();
        // They come out of a map: the same order every time.
        launched.sort_by(|(one, _), (two, _)| one.run.id.cmp(&two.run.id));
        self.begin(launched).await;
        decided
    }

    /// Takes up what waits, as far as places are free; when to look again at the latest.
    pub async fn claim(&mut self) -> Result<Option<Time>, StoreError> {
        let mut claimed = claim::claim(&self.engine).await?;
        claimed
            .flights
            .sort_by(|(one, _), (two, _)| one.run.id.cmp(&two.run.id));
        self.begin(claimed.flights).await;
        Ok(claimed.next_due)
    }

    async fn begin(&mut self, launched: Vec<Launched>) {
        for launched in launched {
            if let Some(flight) = outbox::in_time(&self.engine, launched).await {
                self.put(flight);
            }
        }
    }

    /// As in the outbox, the later attempt of a run breaks off the earlier one, which has lost its lease.
    fn put(&mut self, flight: Flight) {
        let same = |held: &Flight| held.run.id == flight.run.id;
        let later = |held: &Flight| same(held) && held.run.attempts > flight.run.attempts;
        if self.under_way.iter().any(|(held, _)| later(held)) {
            return;
        }
        self.under_way.retain(|(held, _)| !same(held));
        self.under_way.push((flight, None));
    }

    /// The attempts that nothing has come back from yet.
    pub fn waiting(&self) -> impl Iterator<Item = &Flight> {
        let waiting = self.under_way.iter().filter(|(_, answer)| answer.is_none());
        waiting.map(|(flight, _)| flight)
    }

    /// Whether this attempt of the run is under way or waits to be recorded.
    pub fn holds(&self, run: &str) -> bool {
        self.under_way.iter().any(|(flight, _)| flight.run.id.as_str() == run)
    }

    /// What came back from the attempt of this run that is under way; it waits to be recorded.
    pub fn answer(&mut self, run: &RunId, answer: Answer) {
        let mut waiting = self.under_way.iter_mut();
        if let Some((_, place)) = waiting.find(|(flight, _)| flight.run.id == *run) {
            *place = Some(answer);
        }
    }

    /// Records what has come back; next steps that can begin at once are under way then. How many results that were.
    pub async fn record(&mut self) -> usize {
        let (ended, under_way): (Vec<_>, Vec<_>) = std::mem::take(&mut self.under_way)
            .into_iter()
            .partition(|(_, answer)| answer.is_some());
        self.under_way = under_way;
        let ended: Vec<(Flight, Answer)> = ended
            .into_iter()
            .filter_map(|(flight, answer)| answer.map(|answer| (flight, answer)))
            .collect();
        let concluded = outbox::conclude_all(&self.engine, ended, false).await;
        let count = concluded.finished.len();
        let states = results::write_all(&self.engine, &concluded.finished).await;
        for next in outbox::go_on(&self.engine, concluded, &states) {
            self.put(next);
        }
        count
    }

    /// One turn of the clock: what is due is taken on; the first time the plan catches up with the recipes, and where the
    /// clock was put back the schedules are planned anew. When to look again at the latest.
    pub async fn timers(&mut self) -> Result<Time, StoreError> {
        self.turns.turn(&self.engine).await
    }

    /// Takes over what a changed configuration and changed recipes say.
    pub async fn adopt(&mut self, setup: Setup) -> Result<(), StoreError> {
        replan::adopt(&self.engine, setup).await
    }

    /// Takes up leases that ran out and retries that are due.
    pub async fn rescue(&mut self) -> Result<(), StoreError> {
        rescue::look(&self.engine).await
    }

    /// Lengthens the leases of what is under way; what has lost its lease is broken off.
    pub async fn renew(&mut self) -> Result<(), StoreError> {
        let waiting = self.waiting();
        let held = waiting
            .map(|flight| (flight.run.id.clone(), flight.run.attempts))
            .collect();
        let ours = self.engine.store.renew(held, self.engine.lease()).await?;
        self.under_way
            .retain(|(flight, answer)| answer.is_some() || ours.contains(&flight.run.id));
        Ok(())
    }
}
