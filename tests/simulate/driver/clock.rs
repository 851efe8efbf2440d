//! The clock of the daemon, the recipes that people change under it, and what a test spoils of both.

use std::sync::Arc;

use chrono::TimeDelta;
use stayhook::engine::Setup;
use stayhook::model::clock::from_ms;
use stayhook::store::RunRow;

use crate::checks::Broken;
use crate::house::{self, Died};
use crate::rules::{self, Late, Rule};
use crate::timeline::Step;

use super::{Flaw, Sim};

/// The longest delay of a policy is two hours and a fifth of jitter.
const WAIT_MAX: TimeDelta = TimeDelta::hours(3);

/// The setup with these rules of the clock.
pub fn setup(base: &Setup, rules: &[Rule], flaw: Flaw) -> Setup {
    let mut setup = base.clone();
    let mut rules = rules.to_vec();
    if flaw == Flaw::Late {
        rules.iter_mut().for_each(|rule| rule.late = Late::Hours(400));
    }
    if flaw == Flaw::OneZone {
        setup
            .properties
            .all
            .iter_mut()
            .for_each(|property| property.timezone = None);
    }
    setup.book = house::book(&rules);
    setup
}

impl Sim {
    /// The machine's clock is set while no time passes: a little or by years, wrong or right again.
    pub fn leap(&mut self) {
        let far = self.chance.weighted(&[
            (4, 90_000),
            (4, 2 * 3_600_000),
            (3, 3 * 24 * 3_600_000),
            (1, 3 * 365 * 24 * 3_600_000),
        ]);
        let by = match self.leapt.is_zero() || self.chance.percent(30) {
            true => TimeDelta::milliseconds(self.chance.ms(-far, far)),
            false => -self.leapt,
        };
        (self.leapt, self.was_set) = (self.leapt + by, true);
        self.ground.clock.leap(by);
        self.tell(format!("the clock is set by {:.3} s", by.as_seconds_f64()));
    }

    /// One look of the daemon at its clock.
    pub async fn timers(&mut self) -> Result<Result<(), Died>, Broken> {
        let (trusted, set_backs) = (self.ground.clock.is_trusted(), self.ground.clock.set_backs());
        let put_back = trusted && self.set_backs != set_backs;
        let turned = self.house().step(async |worker| worker.timers().await).await;
        self.tell("look at the clock");
        match turned {
            Ok(Err(error)) => Err(format!("the clock was not looked at: {error}")),
            Ok(Ok(_)) => {
                self.step = match trusted {
                    true => Step::Turned { put_back },
                    false => Step::Doubted,
                };
                if put_back {
                    self.set_backs = set_backs;
                }
                if trusted && std::mem::take(&mut self.was_set) {
                    self.seen.clock_was_set = true;
                    self.look_at_stays().await?;
                }
                self.spoil().await;
                // Also where nothing was written: what is due has to be seen.
                let commits = self.commits();
                if self.looked_at == Some(commits) {
                    let (now, step) = (self.now(), std::mem::take(&mut self.step));
                    let plan = self.seen.look_at_plan(&mut self.reader, &step, &self.in_force, now);
                    plan.await?;
                    return Ok(Ok(()));
                }
                self.look(Ok(())).await?.unwrap();
                let most = self.now() + WAIT_MAX;
                let waits = |row: &&RunRow| ["ready", "retrying"].contains(&row.state.as_str());
                let long = self.seen.runs.values().filter(waits);
                match long.filter(|_| trusted).find(|row| from_ms(row.due_at_ms) > most) {
                    Some(row) => Err(format!("{} `{}` waits longer than its policy says", row.id, row.recipe)),
                    None => Ok(Ok(())),
                }
            }
            Err(Died) => {
                // It may have gone by the clock before it died, in part: the next look makes it whole.
                self.seen.clock_was_set |= put_back;
                self.seen.clock.torn |= put_back;
                Ok(Err(Died))
            }
        }
    }

    /// Somebody changes the files of recipes.
    pub fn write_files(&mut self) {
        let said = rules::edit(&mut self.rules, &mut self.chance);
        self.tell(format!("the recipes are changed: {said}"));
        let setup = setup(&self.ground.setup, &self.rules, self.flaw);
        self.seen.clock.books.insert(setup.rules(), self.rules.clone());
        self.ground.setup = Arc::new(setup);
    }

    /// The files are changed, and mostly the daemon takes that over at once.
    pub async fn edit(&mut self) -> Result<Result<(), Died>, Broken> {
        for _ in 0..self.chance.weighted(&[(3, 1), (1, 2), (1, 5)]) {
            self.write_files();
        }
        if self.chance.percent(15) {
            self.tell("kill -9");
            return Ok(Err(Died));
        }
        if self.chance.percent(40) {
            self.light_within(24);
        }
        self.adopt().await
    }

    /// The daemon takes over what is in the files.
    pub async fn adopt(&mut self) -> Result<Result<(), Died>, Broken> {
        let (setup, now) = (self.ground.setup.clone(), self.now());
        let store = self.house().engine.store.clone();
        let adopted = self.house().step(async |worker| {
            store.keep_revisions(house::revisions(&setup), now).await?;
            worker.adopt((*setup).clone()).await
        });
        let adopted = adopted.await;
        self.tell("take over the recipes");
        match adopted {
            Ok(Err(error)) => Err(format!("the recipes were not taken over: {error}")),
            Ok(Ok(())) => {
                self.summary.edits += 1;
                self.step = Step::Adopted;
                self.in_force = self.ground.setup.rules();
                if self.flaw == Flaw::Mixed {
                    self.spoil().await;
                }
                self.look(Ok(())).await
            }
            Err(Died) => Ok(Err(Died)),
        }
    }

    /// Does what a test wants to be seen.
    pub async fn spoil(&mut self) {
        let sql = match self.flaw {
            Flaw::NotCancelled => {
                "UPDATE runs SET state = 'scheduled' WHERE entries IS NOT NULL AND state = 'cancelled' AND entries <> 'settle' \
                 AND stay_id IN (SELECT id FROM stays WHERE status = 'cancelled')"
            }
            Flaw::NotMoved => {
                "UPDATE runs SET due_at = c.from_due, planned_at = c.from_due FROM run_changes c WHERE c.run_id = runs.id \
                 AND runs.state = 'scheduled' AND c.from_state = 'scheduled' AND c.from_due <> runs.due_at"
            }
            Flaw::FiredTwice => {
                "UPDATE runs SET state = 'scheduled' WHERE entries LIKE 'check_%' AND state = 'succeeded'"
            }
            Flaw::NoEnd => "UPDATE runs SET step_until = NULL WHERE step_until IS NOT NULL",
            Flaw::Believed if self.step == Step::Doubted => {
                "UPDATE runs SET state = 'skipped', reason = 'came due while down' WHERE entries LIKE 'check_%' AND state = 'scheduled'"
            }
            Flaw::PassedOver if self.step == (Step::Turned { put_back: true }) => {
                "UPDATE runs SET state = 'skipped', reason = 'came due while down' WHERE entries LIKE 'check_%' AND state = 'scheduled'"
            }
            Flaw::WaitsLong => "UPDATE runs SET due_at = due_at + 86400000 WHERE state = 'retrying'",
            Flaw::Mixed if self.step == Step::Adopted => "UPDATE stays SET planned = (SELECT rules FROM plan_state)",
            Flaw::PlanLost => "DELETE FROM runs WHERE state = 'scheduled' AND stay_id IS NOT NULL AND seq % 5 = 0",
            _ => return,
        };
        if self.reader.spoil(sql).await > 0 {
            self.looked_at = None;
        }
    }
}
