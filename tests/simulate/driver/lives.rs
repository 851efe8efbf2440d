//! Between two lives of the daemon, at the end of a year, and the end of it all.

use chrono::TimeDelta;
use stayhook::model::clock::Time;
use stayhook::store::Store;

use crate::checks::{Broken, Seen};
use crate::house::{self, Died, House};

use super::{Flaw, Sim, Summary};

impl Sim {
    /// After a death: the file is opened again, perhaps to die once more on the way up.
    pub async fn reopen(&mut self, why: &str) -> Result<(), Broken> {
        self.summary.crashes += 1;
        if let Some(house) = self.house.take() {
            house.kill().await;
        }
        if self.flaw == Flaw::Forgets {
            self.forget().await;
        }
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
        self.look(Ok(())).await?.unwrap();
        self.look_at_stays().await
    }

    /// The world comes to rest: every target is well, all is delivered, and time goes on from one due time to the next.
    pub async fn rest(&mut self) -> Result<(), Broken> {
        self.targets.all_well();
        self.house().engine.store.fuse().put_out();
        self.tell("everything is well from here on");
        for _ in 0..200 {
            while let Some(n) = self.post.first().copied() {
                self.deliver_this(n).await?.unwrap();
            }
            self.decide().await?.unwrap();
            self.claim().await?.unwrap();
            while self.send_one()? {}
            self.record().await?.unwrap();
            if self.house().worker.waiting().count() > 0 {
                continue;
            }
            self.rescue().await?.unwrap();
            let waits = |row: &&stayhook::store::RunRow| ["ready", "retrying", "running"].contains(&row.state.as_str());
            if !self.seen.runs.values().any(|row| waits(&row)) {
                break;
            }
            // A paused connection is tried again within five minutes.
            let step = TimeDelta::minutes(5);
            let next = self.next_due().map_or(step, |due| (due - self.now()).min(step));
            self.ground.clock.advance(next.max(TimeDelta::milliseconds(1)));
        }
        self.seen.at_rest(&self.looker, &self.messages, self.now()).await?;
        self.summary.effects = self.seen.effects.len();
        for row in self.seen.runs.values() {
            *self.summary.runs.entry(row.state.clone()).or_default() += 1;
        }
        Ok(())
    }

    /// What a disk does that lies: the file is as it was when it was new.
    async fn forget(&mut self) {
        self.looker.close().await;
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(format!("stayhook.db{ending}")));
        }
        let house = House::open(&self.ground, self.folder.path(), None).await.unwrap();
        house.kill().await;
        self.looker = Store::open_to_read(&house::address(self.folder.path())).await.unwrap();
    }

    /// From here on only what comes now is looked at; what was before has come to rest.
    pub fn begin_year(&mut self, began: Time) {
        self.seen = Seen::default();
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
        self.looker.bytes()
    }

    /// Ends the last life.
    pub async fn end(mut self) -> Summary {
        if let Some(house) = self.house.take() {
            house.kill().await;
        }
        self.looker.close().await;
        self.summary
    }
}
