//! The driver: a walk through everything that can happen, step by step, as the seed draws it. Whatever happens is written
//! down for whoever has to read why a seed failed.

mod clock;
mod flaw;
mod lives;
mod summary;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use stayhook::model::clock::{Time, from_ms};
use stayhook::model::id::{Ids, RunId};
use stayhook::store::Store;
use stayhook::worker::by_step::{ByStep, Flight};

use crate::chance::Chance;
use crate::checks::{Broken, News, Seen};
use crate::house::{self, Died, Ground, House, TARGETS};
use crate::rules::{self, Rule};
use crate::table::Reader;
use crate::targets::Targets;
use crate::timeline::{Step, in_time};
use crate::world::{self, Message};

pub use flaw::Flaw;
pub use summary::Summary;

/// What is told of a failing seed, shared with whoever catches a panic.
pub type History = Arc<Mutex<Vec<String>>>;

/// The world, the daemon in it, and all that was seen of both.
pub struct Sim {
    pub ground: Ground,
    folder: tempfile::TempDir,
    /// None between two lives.
    house: Option<House>,
    looker: Store,
    reader: Reader,
    /// The rules of the clock in the files.
    rules: Vec<Rule>,
    /// What the recipes that the daemon decides by are made from.
    in_force: String,
    /// What is being done; where the process dies in it, that is what was torn.
    step: Step,
    /// Whether it decides.
    deciding: bool,
    pub chance: Chance,
    ids: Ids,
    pub messages: Vec<Message>,
    /// What is still to be sent, the next one first.
    pub post: Vec<usize>,
    pub seen: Seen,
    pub targets: Targets,
    history: History,
    pub summary: Summary,
    flaw: Flaw,
    /// The commits of this life that were there at the last look.
    looked_at: Option<u64>,
    /// How far the clock is from the time that has passed.
    leapt: TimeDelta,
    /// How often it had been put back when the daemon last went by it.
    set_backs: u32,
    /// Whether it was set, and the daemon has not gone by it since.
    was_set: bool,
}

const WAYS: [(u64, &str); 14] = [
    (24, "deliver"),
    (15, "decide"),
    (12, "claim"),
    (20, "send"),
    (13, "record"),
    (4, "rescue"),
    (3, "renew"),
    (10, "advance"),
    (2, "leap"),
    (14, "timers"),
    (3, "edit"),
    (5, "weather"),
    (2, "crash"),
    (5, "fuse"),
];

impl Sim {
    /// `whole`: with every rule of the clock, and not only some.
    pub async fn begin(mut ground: Ground, seed: u64, flaw: Flaw, history: History, whole: bool) -> Sim {
        let folder = tempfile::tempdir().unwrap();
        let mut chance = Chance::of(seed);
        let rules = if whole {
            rules::whole()
        } else {
            rules::some(&mut chance)
        };
        ground.setup = Arc::new(clock::setup(&ground.setup, &rules, flaw));
        let house = House::open(&ground, folder.path(), None).await.unwrap();
        let looker = Store::open_to_read(&house::address(folder.path())).await.unwrap();
        let reader = Reader::open(folder.path()).await;
        let in_force = ground.setup.rules();
        let mut seen = Seen::default();
        seen.clock.books.insert(in_force.clone(), rules.clone());
        Sim {
            ground,
            folder,
            house: Some(house),
            looker,
            reader,
            rules,
            in_force,
            step: Step::Other,
            deciding: false,
            chance,
            ids: house::ids(seed),
            messages: Vec::new(),
            post: Vec::new(),
            seen,
            targets: Targets::default(),
            history,
            summary: Summary::default(),
            flaw,
            looked_at: None,
            leapt: TimeDelta::zero(),
            set_backs: 0,
            was_set: false,
        }
    }

    pub fn now(&self) -> Time {
        self.ground.clock.now()
    }

    fn tell(&self, what: impl Into<String>) {
        let line = format!("{} {}", self.now().format("%m-%d %H:%M:%S%.3f"), what.into());
        self.history.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn house(&mut self) -> &mut House {
        self.house.as_mut().unwrap()
    }

    /// Some stays, whose words wait in the post, mostly in order.
    pub fn book(&mut self, mark: &str, first: usize, stays: usize) {
        let began = self.now();
        let mut told: Vec<Vec<usize>> = Vec::new();
        for n in first..first + stays {
            let history = world::stay(mark, n, &mut self.chance, began);
            let from = self.messages.len();
            self.messages.extend(history);
            told.push((from..self.messages.len()).collect());
        }
        while !told.is_empty() {
            let of = self.chance.place(told.len());
            self.post.push(told[of].remove(0));
            told.retain(|rest| !rest.is_empty());
        }
        self.summary.messages = self.messages.len();
    }

    /// Many steps, as the seed draws them.
    pub async fn walk(&mut self, steps: u64) -> Result<(), Broken> {
        for _ in 0..steps {
            self.summary.steps += 1;
            let way = self.chance.weighted(&WAYS);
            if self.one(way).await? == Err(Died) {
                self.reopen("it died there").await?;
            }
            let ms = self.chance.ms(0, 1500);
            self.ground.clock.advance(TimeDelta::milliseconds(ms));
        }
        Ok(())
    }

    async fn one(&mut self, way: &str) -> Result<Result<(), Died>, Broken> {
        self.step = Step::Other;
        match way {
            "timers" => self.timers().await,
            "edit" => self.edit().await,
            "deliver" => self.deliver().await,
            "decide" => self.decide().await,
            "claim" => self.claim().await,
            "send" => {
                self.send_one()?;
                Ok(Ok(()))
            }
            "record" => self.record().await,
            "rescue" => self.rescue().await,
            "renew" => {
                let renewed = self.house().step(async |worker| worker.renew().await.unwrap()).await;
                self.tell("renew the leases");
                self.look(renewed).await
            }
            "advance" => {
                self.advance();
                Ok(Ok(()))
            }
            "leap" => {
                self.leap();
                Ok(Ok(()))
            }
            "weather" => {
                let connection = *self.chance.one_of(&TARGETS);
                let weather = self.targets.change(connection, &mut self.chance);
                self.tell(format!("`{connection}`: {weather:?}"));
                Ok(Ok(()))
            }
            "crash" => {
                self.tell("kill -9");
                Ok(Err(Died))
            }
            _ => {
                self.light();
                Ok(Ok(()))
            }
        }
    }

    /// The process dies a few calls to the store from here.
    pub fn light(&mut self) {
        self.light_within(9);
    }

    /// The same, so many at the most.
    pub fn light_within(&mut self, most: u64) {
        let borders = u32::try_from(self.chance.range(0, most)).unwrap();
        self.house().engine.store.fuse().light(borders);
        self.tell(format!(
            "the process will die at the border {borders} of the store from here"
        ));
    }

    /// Sends one of the post: mostly the next, sometimes a later one, sometimes something once more.
    async fn deliver(&mut self) -> Result<Result<(), Died>, Broken> {
        let again = self.chance.percent(15) || self.post.is_empty();
        let acknowledged: Vec<usize> = self.seen.acknowledged.iter().copied().collect();
        let n = match (again && !acknowledged.is_empty(), self.post.is_empty()) {
            (true, _) => *self.chance.one_of(&acknowledged),
            (false, true) => return Ok(Ok(())),
            (false, false) => {
                let late = self.chance.percent(25);
                let at = if late { self.chance.place(self.post.len()) } else { 0 };
                self.post[at]
            }
        };
        self.deliver_this(n).await
    }

    /// Sends this message; it leaves the post only once it is acknowledged.
    pub async fn deliver_this(&mut self, n: usize) -> Result<Result<(), Died>, Broken> {
        let (id, now) = (self.ids.delivery(self.now()), self.now());
        self.seen.sent.insert(id.0.clone(), n);
        let message = self.messages[n].clone();
        let received = self.house().receive(message.source, message.bytes(now), id).await;
        let told = message.told();
        Ok(match received {
            Err(Died) => {
                self.tell(format!("no answer to {told}"));
                Err(Died)
            }
            Ok(Err(error)) => return Err(format!("not stored: {told}: {error}")),
            Ok(Ok(receipt)) => {
                self.summary.deliveries += 1;
                self.summary.duplicates += u64::from(receipt.duplicate);
                self.tell(format!(
                    "200 {} for {told}{}",
                    receipt.delivery,
                    if receipt.duplicate { ", known" } else { "" }
                ));
                self.seen.acknowledged.insert(n);
                self.post.retain(|waits| *waits != n);
                Ok(())
            }
        })
    }

    pub async fn decide(&mut self) -> Result<Result<(), Died>, Broken> {
        self.deciding = true;
        let decided = self.house().step(async |worker| worker.decide().await).await;
        match decided {
            Err(Died) => self.tell("decide"),
            Ok(Ok(count)) => self.tell(format!("decide: {count}")),
            Ok(Err(error)) => return Err(format!("not decided: {error}")),
        }
        if decided.is_err() {
            return Ok(Err(Died));
        }
        self.deciding = false;
        self.step = Step::Other;
        if decided != Ok(Ok(0)) {
            self.step = Step::Decided(self.look_at_stays().await?);
            self.spoil().await;
        }
        self.look(Ok(())).await
    }

    async fn look_at_stays(&mut self) -> Result<News, Broken> {
        let looked = self.seen.look_at_stays(&self.looker, &mut self.reader, &self.messages);
        looked.await.map(|(_, news)| news)
    }

    /// The attempts under way, by run and number.
    fn under_way(&mut self) -> HashSet<(RunId, i64)> {
        let flights = self.house().worker.waiting();
        flights
            .map(|flight| (flight.run.id.clone(), flight.run.attempts))
            .collect()
    }

    /// Checks the attempts that have begun since then.
    fn begun(&mut self, before: &HashSet<(RunId, i64)>) -> Result<(), Broken> {
        let now = self.now();
        let house = self.house.as_ref().unwrap();
        let new = |flight: &&Flight| !before.contains(&(flight.run.id.clone(), flight.run.attempts));
        house.worker.waiting().filter(new).try_for_each(|flight| {
            // While a connection is paused no time passes for what waits for it, nor by a clock that is not believed.
            let stands = !house.engine.clock.is_trusted()
                || house
                    .engine
                    .lanes
                    .probe_at(&flight.opening.prepared.connection)
                    .is_some();
            in_time(flight, now).or_else(|late| if stands { Ok(()) } else { Err(late) })?;
            self.seen.begun(flight, true, now)
        })
    }

    pub async fn claim(&mut self) -> Result<Result<(), Died>, Broken> {
        let before = self.under_way();
        let claimed = self.house().step(async |worker| worker.claim().await).await;
        match claimed {
            Err(Died) => self.tell("claim"),
            Ok(Ok(_)) => {
                self.begun(&before)?;
                self.tell(format!(
                    "claim: {} under way",
                    self.house.as_ref().unwrap().worker.waiting().count()
                ));
            }
            Ok(Err(error)) => return Err(format!("not claimed: {error}")),
        }
        self.look(claimed.map(|_| ())).await
    }

    pub async fn record(&mut self) -> Result<Result<(), Died>, Broken> {
        let before = self.under_way();
        let recorded = self
            .house()
            .step(async |worker: &mut ByStep| worker.record().await)
            .await;
        match recorded {
            Err(Died) => self.tell("record"),
            Ok(count) => {
                self.begun(&before)?;
                self.tell(format!("record: {count}"));
            }
        }
        self.look(recorded.map(|_| ())).await
    }

    pub async fn rescue(&mut self) -> Result<Result<(), Died>, Broken> {
        let rescued = self.house().step(async |worker| worker.rescue().await.unwrap()).await;
        self.tell("look for leases that ran out and timers that are due");
        self.look(rescued).await
    }

    /// One of the attempts under way comes to its end.
    pub fn send_one(&mut self) -> Result<bool, Broken> {
        let house = self.house.as_mut().unwrap();
        let count = house.worker.waiting().count();
        if count == 0 {
            return Ok(false);
        }
        let nth = self.chance.place(count);
        let flight = house.worker.waiting().nth(nth).unwrap();
        let (connection, run) = (flight.opening.prepared.connection.clone(), flight.run.id.clone());
        let reply = self.targets.reply(&connection, &mut self.chance);
        let told = format!(
            "send {run} `{}` step {} attempt {} over `{connection}`: {}{}",
            flight.run.recipe,
            flight.opening.position,
            flight.run.attempts,
            reply.answer.summary,
            if reply.effect { ", with effect" } else { "" }
        );
        if reply.arrived && (self.flaw != Flaw::NothingSent || connection != "books") {
            self.summary.requests += 1;
            self.seen
                .arrived(flight, reply.effect, self.flaw == Flaw::KeyPerAttempt)?;
        }
        house.worker.answer(&run, reply.answer);
        self.tell(told);
        Ok(true)
    }

    fn advance(&mut self) {
        let kind = self
            .chance
            .weighted(&[(8, "seconds"), (12, "due"), (4, "hours"), (2, "days")]);
        let by = match kind {
            "seconds" => TimeDelta::milliseconds(self.chance.ms(1000, 45_000)),
            "hours" => TimeDelta::milliseconds(self.chance.ms(60_000, 6 * 3_600_000)),
            "days" => TimeDelta::milliseconds(self.chance.ms(24 * 3_600_000, 3 * 24 * 3_600_000)),
            _ => self.next_due().map_or(TimeDelta::seconds(5), |due| due - self.now()),
        };
        self.ground.clock.advance(by);
        self.tell(format!("the clock moves by {:.3} s", by.as_seconds_f64()));
    }

    /// The next time at which a waiting run is due.
    pub fn next_due(&self) -> Option<Time> {
        let waits = self
            .seen
            .runs
            .values()
            .filter(|row| ["ready", "retrying"].contains(&row.state.as_str()));
        let due = waits.map(|row| from_ms(row.due_at_ms));
        let due = due.filter(|due| *due > self.now()).min();
        let planned = self.seen.clock.next_due(self.now(), true);
        due.into_iter().chain(planned).min()
    }

    /// The commits of this life.
    fn commits(&mut self) -> u64 {
        *self.house().engine.store.commits().borrow()
    }

    async fn look(&mut self, done: Result<(), Died>) -> Result<Result<(), Died>, Broken> {
        let house = self.house.as_ref().unwrap();
        let commits = *house.engine.store.commits().borrow();
        // Where nothing was committed there is nothing new.
        if done.is_ok() && self.looked_at != Some(commits) {
            self.looked_at = Some(commits);
            let step = std::mem::take(&mut self.step);
            let (now, worker) = (self.ground.clock.now(), &house.worker);
            let plan = self.seen.look_at_plan(&mut self.reader, &step, &self.in_force, now);
            plan.await?;
            self.seen.look_at_runs(&self.looker, worker).await?;
        }
        Ok(done)
    }
}
