//! How the story is played: the senders post, and in between time passes on a clock of the demo's own.

use chrono::{Days, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use crate::model::clock::{Clock, Time, from_ms, local_in};

use super::super::Failure;
use super::effects::Record;
use super::scene::{DAYS_BEGIN, END, SCENES, Scene};
use super::site::{Site, Targets};
use super::story::Story;
use super::time;

/// How long the story rests after a scene, so that it can be read, in milliseconds.
const REST_MS: i64 = 1500;
/// And how long a day is in which nothing happens.
const DAY_MS: i64 = 250;

/// The daemon, its targets, and how far the story is.
pub(super) struct Play<'p, 'w> {
    site: &'p Site,
    targets: &'p Targets,
    story: &'p mut Story<'w>,
    record: Record,
    /// Whether it rests so that it can be read.
    rests: bool,
    /// The scenes so far; a time that has come is one too.
    number: usize,
    /// How many of them were times that came.
    times: usize,
    /// Whether every day is shown.
    days: bool,
}

impl<'p, 'w> Play<'p, 'w> {
    pub(super) fn new(site: &'p Site, targets: &'p Targets, rests: bool, story: &'p mut Story<'w>) -> Play<'p, 'w> {
        Play {
            site,
            targets,
            story,
            record: Record::default(),
            rests,
            number: 0,
            times: 0,
            days: false,
        }
    }

    /// Plays it to the end.
    pub(super) async fn through(mut self) -> Result<Record, Failure> {
        // What the calendar asks for is planned while the daemon starts.
        self.site.settle().await?;
        self.story.begin(self.site);
        let days_begin = time(DAYS_BEGIN)?;
        for scene in SCENES {
            let at = scene.at()?;
            if at >= days_begin && !self.days {
                self.pass(days_begin).await?;
                self.days = true;
                self.story.days_begin();
                self.rest(REST_MS).await;
            }
            self.pass(at).await?;
            self.scene(scene).await?;
        }
        self.pass(time(END)?).await?;
        self.story.sum_up(&self.record, self.times);
        Ok(self.record)
    }

    /// Lets time pass until then, with a halt wherever something is due. The clock is only moved while nothing is under way.
    async fn pass(&mut self, until: Time) -> Result<(), Failure> {
        let zone = self.story.zone();
        loop {
            let now = self.site.clock().now();
            let due = self.site.engine.store.next_due().await?;
            let midnight = midnight_after(now, zone).filter(|_| self.days);
            let next = due.into_iter().chain(midnight).min().filter(|next| *next <= until);
            match next {
                Some(next) if Some(next) == due => self.comes_due(next.max(now)).await?,
                Some(next) => {
                    self.site.clock().set(next);
                    self.site.settle().await?;
                    self.story.day(next);
                    self.rest(DAY_MS).await;
                }
                None => break,
            }
        }
        self.site.clock().set(until);
        self.site.settle().await
    }

    /// A time that has come. Where nothing comes of it, because nobody wants it then, nothing is told.
    async fn comes_due(&mut self, at: Time) -> Result<(), Failure> {
        let before = self.site.planned().await?;
        let due: Vec<_> = before
            .iter()
            .filter(|one| from_ms(one.due_at_ms) <= at)
            .cloned()
            .collect();
        self.site.clock().set(at);
        self.site.settle().await?;
        let ran = self.site.ran(&due).await?;
        let replanned = self.site.replanned(&before).await?;
        let new = self.record.take(self.number + 1, self.targets);
        if new.is_empty() && ran.failed.is_empty() {
            return Ok(());
        }
        self.number += 1;
        self.times += 1;
        self.story.comes_due(self.number, at, &due);
        self.story.replanned(&replanned);
        self.story.went_out(&ran, new);
        self.rest(REST_MS).await;
        Ok(())
    }

    /// A sender posts.
    async fn scene(&mut self, scene: &Scene) -> Result<(), Failure> {
        self.number += 1;
        let before = self.site.planned().await?;
        self.story.comes_in(self.number, scene)?;
        let receipt = self.site.post(scene).await?;
        self.site.settle().await?;
        let became = self.site.became(&receipt).await?;
        let replanned = self.site.replanned(&before).await?;
        let new = self.record.take(self.number, self.targets);
        self.story.recognised(self.number, &receipt, &became);
        self.story.replanned(&replanned);
        self.story.went_out(&became.ran, new);
        self.rest(REST_MS).await;
        Ok(())
    }

    /// Rests by the machine's clock.
    async fn rest(&self, ms: i64) {
        if self.rests {
            Clock::System.sleep(TimeDelta::milliseconds(ms)).await;
        }
    }
}

fn midnight_after(now: Time, zone: Tz) -> Option<Time> {
    let day = now.with_timezone(&zone).date_naive().checked_add_days(Days::new(1))?;
    Some(local_in(zone, day.and_time(NaiveTime::MIN)).to_utc())
}
