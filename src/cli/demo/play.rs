//! How the story is played and told: the senders post, and in between time passes on a clock of the demo's own.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{Days, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::model::clock::{Clock, Time, from_ms, local_in};

use super::super::Failure;
use super::page::{BAD, BOLD, DIM, GOOD, OUT, PLAN, Page};
use super::scene::{DAYS_BEGIN, END, SCENES, Scene};
use super::site::{Planned, Site};
use super::targets::{NAMES, Targets};
use super::time;

/// How long the story rests after a scene, so that it can be read, in milliseconds.
const REST_MS: i64 = 1500;
/// And how long a day is in which nothing happens.
const DAY_MS: i64 = 250;

/// The daemon, its targets, and how far the story is.
pub(super) struct Play<'p, 'w> {
    site: &'p Site,
    targets: &'p Targets,
    page: &'p mut Page<'w>,
    /// Whether it rests so that it can be read.
    rests: bool,
    /// Whose time is shown.
    zone: Tz,
    /// Everything that arrived so far, also what arrived twice.
    effects: Vec<Value>,
    /// What waits for its time.
    planned: Vec<Planned>,
    /// The scene in which each delivery came first.
    first: HashMap<String, usize>,
    /// The scenes so far; a time that has come is one too.
    number: usize,
    /// Whether every day is shown, and whether the last line was one.
    days: bool,
    in_days: bool,
}

impl<'p, 'w> Play<'p, 'w> {
    pub(super) fn new(site: &'p Site, targets: &'p Targets, rests: bool, page: &'p mut Page<'w>) -> Play<'p, 'w> {
        Play {
            site,
            targets,
            page,
            rests,
            zone: site.engine.setup().properties.timezone,
            effects: Vec::new(),
            planned: Vec::new(),
            first: HashMap::new(),
            number: 0,
            days: false,
            in_days: false,
        }
    }

    /// Plays it to the end; everything that arrived.
    pub(super) async fn through(mut self) -> Result<Vec<Value>, Failure> {
        // What the calendar asks for is planned while the daemon starts.
        self.site.settle().await?;
        self.planned = self.site.planned().await?;
        self.page.paragraph(
            BOLD,
            "Stayhook: a few stays of two senders, and what follows from them.",
        );
        self.page.paragraph(
            "",
            "The daemon is the real one, on a temporary database. Hospitable and Hostel Mate are played; the cleaning \
             service, the lock service, the books and the mail server are stand-ins on this machine. Nothing leaves it.",
        );
        self.page
            .paragraph(DIM, &format!("Files: {}", self.site.folder().display()));
        let days_begin = time(DAYS_BEGIN)?;
        for scene in SCENES {
            let at = time(scene.at)?;
            if at >= days_begin && !self.days {
                self.pass(days_begin).await?;
                self.days = true;
                self.page.plain("");
                self.page
                    .paragraph(BOLD, "And now the days pass, on a clock of the demo's own.");
                self.page.paragraph(
                    "",
                    "Recipes that wait for a moment of a stay are planned as soon as it is known, follow its dates, and go \
                     when their time has come.",
                );
                self.rest(REST_MS).await;
            }
            self.pass(at).await?;
            self.scene(scene, at).await?;
        }
        self.pass(time(END)?).await?;
        self.sum_up();
        Ok(self.effects)
    }

    /// Lets time pass until then, with a halt wherever something is due. The clock is only moved while nothing is under way.
    async fn pass(&mut self, until: Time) -> Result<(), Failure> {
        let clock = &self.site.engine.clock;
        loop {
            let now = clock.now();
            let due = self.site.engine.store.next_due().await?;
            let midnight = midnight_after(now, self.zone).filter(|_| self.days);
            let next = due.into_iter().chain(midnight).min().filter(|next| *next <= until);
            match next {
                Some(next) if Some(next) == due => self.comes_due(next.max(now)).await?,
                Some(next) => {
                    clock.set(next);
                    self.site.settle().await?;
                    if !std::mem::replace(&mut self.in_days, true) {
                        self.page.plain("");
                    }
                    let day = format!("    {} …", self.shown(next));
                    self.page.paragraph(DIM, &day);
                    self.rest(DAY_MS).await;
                }
                None => break,
            }
        }
        clock.set(until);
        self.site.settle().await
    }

    /// A time that has come. Where nothing comes of it, because nobody wants it then, nothing is told.
    async fn comes_due(&mut self, at: Time) -> Result<(), Failure> {
        self.site.engine.clock.set(at);
        self.site.settle().await?;
        let due = self.planned.iter().filter(|one| from_ms(one.due_at_ms) <= at);
        let mut of: Vec<&str> = due.filter_map(|planned| planned.code.as_deref()).collect();
        of.dedup();
        let what = match of[..] {
            [] => "the clock: what the calendar asks for is due".to_owned(),
            _ => format!("the clock: it is time for {}", of.join(", ")),
        };
        self.follows(at, &what, None).await
    }

    /// A sender posts.
    async fn scene(&mut self, scene: &Scene, at: Time) -> Result<(), Failure> {
        let receipt = self.site.post(scene).await?;
        self.site.settle().await?;
        let title = format!("{}: {}", scene.source, scene.says);
        let number = self.number + 1;
        let first = self.first.get(&receipt.delivery).copied().filter(|_| receipt.duplicate);
        let (outcome, because) = match first {
            Some(first) => {
                let because = format!("the same delivery as scene {first}; it is counted there and starts nothing");
                ("duplicate".to_owned(), because)
            }
            None => self.site.outcome(&receipt.delivery).await?,
        };
        self.first.entry(receipt.delivery).or_insert(number);
        self.follows(at, &title, Some((scene, &outcome, &because))).await
    }

    /// Tells what followed: what is planned, what went out and through which recipe.
    async fn follows(&mut self, at: Time, title: &str, came: Option<(&Scene, &str, &str)>) -> Result<(), Failure> {
        let arrived = self.targets.take();
        let ran = self.site.ran(at).await?;
        if came.is_none() && arrived.is_empty() && ran.failed.is_empty() {
            return Ok(());
        }
        self.number += 1;
        self.in_days = false;
        self.page.plain("");
        let head = format!("{:>2}  {}  {title}", self.number, self.shown(at));
        self.page.paragraph(BOLD, &head);
        if let Some((scene, outcome, because)) = came {
            let (source, file, bytes) = (scene.source, scene.file, scene.body.len());
            self.page
                .told("in", DIM, &format!("POST /hooks/{source}  {file} ({bytes} bytes)"));
            let (word, paint) = if outcome == "processed" {
                ("new", GOOD)
            } else {
                (outcome, "")
            };
            self.page.told(word, paint, because);
        }
        let planned = self.site.planned().await?;
        for (word, text) in self.site.replanned(&self.planned, &planned).await? {
            self.page.told(word, PLAN, &text);
        }
        self.planned = planned;
        let mut last = "";
        for one in &arrived {
            let Some(step) = ran.steps.get(&one.key) else {
                self.page
                    .told("out", BAD, &format!("{}, and no run has sent it", one.head));
                continue;
            };
            if step.recipe != last {
                self.page.told("recipe", BOLD, &step.recipe);
                self.page.told("because", DIM, &step.because);
                last = &step.recipe;
            }
            let of_mail = json!({"subject": step.request["subject"], "text": step.request["text"]});
            let (body, text) = match &step.request["subject"] {
                Value::String(subject) => (of_mail, subject.clone()),
                _ if one.body.is_null() => (Value::Null, String::new()),
                _ => (one.body.clone(), one.body.to_string()),
            };
            self.page.told("out", OUT, &format!("{:<9} {}", one.target, one.head));
            if !text.is_empty() {
                self.page.shortened(&text);
            }
            self.effects.push(
                json!({"scene": self.number, "target": one.target, "key": one.key, "head": one.head, "body": body}),
            );
        }
        for failed in &ran.failed {
            self.page.told("failed", BAD, failed);
        }
        if arrived.is_empty() {
            self.page.told("out", DIM, "nothing");
        }
        self.rest(REST_MS).await;
        Ok(())
    }

    fn sum_up(&mut self) {
        let mut came: BTreeMap<&str, usize> = BTreeMap::new();
        for scene in SCENES {
            *came.entry(scene.source).or_default() += 1;
        }
        self.page.plain("");
        for (source, count) in came {
            self.page.plain(&format!("in   {source:<12} {count:>2} deliveries"));
        }
        let times = self.number - SCENES.len();
        self.page
            .plain(&format!("in   {:<12} {times:>2} times that came", "the clock"));
        for target in NAMES {
            let count = self.effects.iter().filter(|effect| effect["target"] == target).count();
            let effects = if count == 1 { "effect" } else { "effects" };
            self.page.plain(&format!("out  {target:<12} {count:>2} {effects}"));
        }
        let all = self.effects.len();
        let keys: HashSet<&str> = self
            .effects
            .iter()
            .filter_map(|effect| effect["key"].as_str())
            .collect();
        match all - keys.len() {
            0 => self.page.good(&format!("{all} effects, each once.")),
            again => self
                .page
                .bad(&format!("{all} effects, {again} of them not for the first time.")),
        }
    }

    /// `Fri 9 Apr 10:00`.
    fn shown(&self, at: Time) -> String {
        at.with_timezone(&self.zone).format("%a %-d %b %H:%M").to_string()
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

/// What can be done while the daemon runs on.
pub(super) fn look_around(site: &Site, page: &mut Page<'_>) {
    // Who came here by `cargo run` has no `stayhook` on the path.
    let program = std::env::current_exe().map_or_else(|_| "stayhook".to_owned(), |path| path.display().to_string());
    let stayhook = format!("{program} --config {}", site.folder().join("config.yaml").display());
    let (source, payload) = (SCENES[0].source, site.payload(&SCENES[0]));
    page.plain("");
    page.paragraph(
        BOLD,
        "The daemon runs on; Ctrl-C ends it and removes its files. Look around (`send` posts once more):",
    );
    for line in [
        format!("curl http://{}/api/v1/upcoming", site.admin),
        format!("{stayhook} runs list"),
        format!("{stayhook} reservations timeline hospitable HMQ4KD7RZB"),
        format!("{stayhook} send {source} {}", payload.display()),
    ] {
        page.plain(&format!("  {line}"));
    }
    page.paragraph(
        DIM,
        &format!("The admin API is at http://{}/api/v1/openapi.json", site.admin),
    );
}
