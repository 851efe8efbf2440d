//! Between two lives of the daemon, at the end of a year, and the end of it all.

use chrono::TimeDelta;
use stayhook::model::clock::Time;
use stayhook::store::Store;

use crate::checks::{Broken, News, Seen};
use crate::house::{self, Died, House};
use crate::table::Reader;
use crate::timeline::Step;

use super::{Flaw, Sim, Summary};

impl Sim {
    /// After a death: the file is opened again, perhaps to die once more on the way up.
    pub async fn reopen(&mut self, why: &str) -> Result<(), Broken> {
        self.summary.crashes += 1;
        if let Some(house) = self.house.take() {
            house.kill().await;
        }
        let news = self.look_at_stays_after_death().await?;
        // What was torn was done by the recipes of the life before.
        let decided = std::mem::take(&mut self.deciding);
        if self.flaw != Flaw::Forgets {
            let (step, now) = (Step::Torn { news, decided }, self.now());
            let plan = self.seen.look_at_plan(&mut self.reader, &step, &self.in_force, now);
            plan.await?;
        }
        if self.chance.percent(10) {
            self.write_files();
        }
        if self.flaw == Flaw::Forgets {
            self.forget().await;
        }
        self.ground.clock = self.ground.clock.seen_anew();
        (self.set_backs, self.was_set) = (0, true);
        loop {
            let dies = self.chance.percent(20);
            let fuse = dies.then(|| u32::try_from(self.chance.range(0, 5)).unwrap());
            match House::open(&self.ground, self.folder.path(), fuse).await {
                Ok(house) => {
                    house.engine.store.fuse().put_out();
                    self.house = Some(house);
                    self.looked_at = None;
                    break;
                }
                Err(Died) => {
                    self.summary.crashes += 1;
                    self.tell("it died while it started");
                }
            }
        }
        self.tell(format!("{why}; it is up again"));
        self.step = Step::Other;
        self.look(Ok(())).await?.unwrap();
        self.in_force = self.ground.setup.rules();
        self.look_at_stays().await.map(|_| ())
    }

    /// What was committed before the end counts.
    async fn look_at_stays_after_death(&mut self) -> Result<News, Broken> {
        if self.flaw == Flaw::Forgets {
            return Ok(News::new());
        }
        self.look_at_stays().await
    }

    /// The world comes to rest: every target is well, all is delivered, and time goes on from one due time to the next.
    pub async fn rest(&mut self) -> Result<(), Broken> {
        self.targets.all_well();
        self.house().engine.store.fuse().put_out();
        self.tell("everything is well from here on");
        // A clock that has leapt has to stand first.
        while !self.ground.clock.is_trusted() {
            self.ground.clock.advance(TimeDelta::minutes(3));
        }
        // Recipes that were changed last and not taken over yet are taken over by now.
        self.adopt().await?.unwrap();
        let mut rested = false;
        let mut open = true;
        for round in 0..1000 {
            while let Some(n) = self.post.first().copied() {
                self.deliver_this(n).await?.unwrap();
            }
            // Of deliveries there are no more; whether all are decided is looked at in the end.
            if round < 8 {
                self.decide().await?.unwrap();
            }
            if open {
                self.claim().await?.unwrap();
                while self.send_one()? {}
                self.record().await?.unwrap();
                if self.house().worker.waiting().count() > 0 {
                    continue;
                }
                self.rescue().await?.unwrap();
            }
            self.timers().await?.unwrap();
            let waits = |row: &&stayhook::store::RunRow| ["ready", "retrying", "running"].contains(&row.state.as_str());
            open = self.seen.runs.values().any(|row| waits(&row));
            let planned = self.seen.clock.next_due(self.now(), false);
            // A paused connection is tried again within five minutes.
            let step = TimeDelta::minutes(5);
            let next = match (open, planned) {
                (true, _) if self.held_up() => step,
                (true, _) => self.next_due().map_or(step, |due| due - self.now()),
                // From one time of a stay to the next; schedules never end.
                (false, Some(due)) => due - self.now(),
                (false, None) => {
                    rested = true;
                    break;
                }
            };
            self.ground.clock.advance(next.max(TimeDelta::milliseconds(1)));
        }
        if !rested {
            return Err("the world does not come to rest".to_owned());
        }
        let now = self.now();
        let seen = &mut self.seen;
        seen.at_rest(&self.looker, &mut self.reader, &self.messages, now)
            .await?;
        self.summary.effects = self.seen.effects.len();
        self.summary.clock.clone_from(&self.seen.clock.counted);
        for row in self.seen.runs.values() {
            *self.summary.runs.entry(row.state.clone()).or_default() += 1;
        }
        Ok(())
    }

    /// Whether something is due and waits all the same.
    fn held_up(&self) -> bool {
        let now = self.now().timestamp_millis();
        let mut open = self
            .seen
            .runs
            .values()
            .filter(|row| ["ready", "retrying"].contains(&row.state.as_str()));
        open.any(|row| row.due_at_ms <= now)
    }

    /// What a disk does that lies: the file is as it was when it was new.
    async fn forget(&mut self) {
        self.looker.close().await;
        self.reader.let_go().await;
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(format!("stayhook.db{ending}")));
        }
        let house = House::open(&self.ground, self.folder.path(), None).await.unwrap();
        house.kill().await;
        self.looker = Store::open_to_read(&house::address(self.folder.path())).await.unwrap();
        self.reader = Reader::open(self.folder.path()).await;
    }

    /// From here on only what comes now is looked at; what was before has come to rest.
    pub fn begin_year(&mut self, began: Time) {
        let clock = std::mem::take(&mut self.seen.clock);
        self.seen = Seen::default();
        self.seen.clock = clock.goes_on();
        self.seen.since = Some(began);
        self.messages.clear();
        self.looked_at = None;
    }

    /// What happened in it.
    pub fn end_year(&mut self) -> Summary {
        std::mem::take(&mut self.summary)
    }

    /// How large the file is.
    pub fn bytes(&self) -> u64 {
        self.looker.room().bytes
    }

    /// Ends the last life.
    pub async fn end(mut self) -> Summary {
        if let Some(house) = self.house.take() {
            house.kill().await;
        }
        self.looker.close().await;
        self.reader.let_go().await;
        self.summary
    }
}
