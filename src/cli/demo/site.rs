//! Where the story plays: a temporary folder, the real daemon in it, and what its store says.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use serde_json::Value;

use crate::app::{App, Ports};
use crate::lang::diag::Report;
use crate::model::clock::{Clock, Time};
use crate::model::id::Ids;
use crate::outbound::Names;
use crate::store::{Ahead, Filter};
use crate::web::Coming;
use crate::worker::Engine;

use super::super::{CONFIGURATION, FINDINGS, Failure, remote, serve};
use super::cannot;
use super::scene::{CONFIG, RECIPES, SCENES, Scene};
use super::targets::Targets;

/// Where chance begins, so that ids are the same every time.
const SEED: u64 = 20_270_301;
/// How many runs are looked at: there are fewer.
const RUNS_MAX: usize = 500;
/// How long a scene may take to come to rest; it needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The daemon and its folder; the folder goes with it.
#[derive(Debug)]
pub(super) struct Site {
    folder: tempfile::TempDir,
    pub(super) engine: Engine,
    hooks: SocketAddr,
    /// Where the admin API is.
    pub(super) admin: SocketAddr,
}

/// A run that waits for its time.
#[derive(Debug)]
pub(super) struct Planned {
    run: String,
    recipe: String,
    /// The stay's code; `None` for what the calendar asks for.
    pub(super) code: Option<String>,
    /// When it is due, in milliseconds since 1970.
    pub(super) due_at_ms: i64,
    /// The same by the property's clock: `Fri 9 Apr 10:00`.
    when: String,
}

/// What ran.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// Every step by its key.
    pub(super) steps: HashMap<String, Step>,
    /// Runs that did not end well, in words.
    pub(super) failed: Vec<String>,
}

/// A step that ran.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) recipe: String,
    /// What its recipe waits for.
    pub(super) because: String,
    /// What it asked for, as rendered.
    pub(super) request: Value,
}

/// The answer to a posted request.
#[derive(Debug)]
pub(super) struct Receipt {
    /// The delivery's id, or the first one's where it is a duplicate.
    pub(super) delivery: String,
    pub(super) duplicate: bool,
}

impl Site {
    /// Writes the files, starts nothing yet: the daemon is to be run.
    pub(super) async fn build(targets: &Targets, clock: Clock) -> Result<(Site, App), Failure> {
        let folder = tempfile::Builder::new()
            .prefix("stayhook-demo-")
            .tempdir()
            .map_err(cannot)?;
        write(folder.path()).map_err(cannot)?;
        let mut report = Report::new();
        let text = configuration(targets, 0, 0);
        let config = crate::config::parse("demo/config.yaml", &text, folder.path(), &|_| None, &mut report);
        let app = match &config {
            Some(config) => {
                let ports = Ports {
                    clock,
                    ids: Ids::seeded(SEED),
                    names: Names::System,
                    room: None,
                };
                Some(App::build(config, ports, &mut report).await.map_err(serve::failure)?)
            }
            None => None,
        };
        if !report.items.is_empty() {
            let read = |file: &str| crate::config::text_of(file).or_else(|| Some(text.clone()));
            return Err(Failure::new(CONFIGURATION, report.render(read)));
        }
        let addresses = app
            .as_ref()
            .and_then(|app| app.hooks_address().zip(app.admin_address()));
        let (Some(app), Some((hooks, admin))) = (app, addresses) else {
            return Err(cannot("the daemon has no address"));
        };
        // Written only now that the ports are known: the other commands work with this file.
        let text = configuration(targets, hooks.port(), admin.port());
        std::fs::write(folder.path().join("config.yaml"), text).map_err(cannot)?;
        let engine = app.engine.clone();
        Ok((
            Site {
                folder,
                engine,
                hooks,
                admin,
            },
            app,
        ))
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A payload's file.
    pub(super) fn payload(&self, scene: &Scene) -> PathBuf {
        self.folder.path().join("payloads").join(scene.file)
    }

    /// Posts a body as its sender would.
    pub(super) async fn post(&self, scene: &Scene) -> Result<Receipt, Failure> {
        let setup = self.engine.setup();
        let source = setup.sources.get(scene.source);
        let source = source.ok_or_else(|| cannot(format!("no source `{}`", scene.source)))?;
        let signed = source.sign(scene.body, self.engine.clock.now());
        let headers = remote::headers(&signed.headers)?;
        let body = scene.body.to_vec();
        let reply = remote::ask(self.hooks, Method::POST, &signed.path_and_query, headers, body).await?;
        let reply = reply.ok_or_else(|| cannot("nobody answers at the daemon's own address"))?;
        match (reply.status, reply.body["delivery"].as_str()) {
            (200, Some(id)) => Ok(Receipt {
                delivery: id.to_owned(),
                duplicate: reply.body["duplicate"] == true,
            }),
            _ => Err(remote::refusal(&reply)),
        }
    }

    /// Returns once the recipes are planned, every delivery is decided, and nothing is due or under way. Only then may the
    /// clock be moved: leases and time-outs go by it.
    pub(super) async fn settle(&self) -> Result<(), Failure> {
        let store = &self.engine.store;
        let mut commits = store.commits();
        let rest = async {
            self.engine.clockwork.until_planned().await;
            loop {
                commits.borrow_and_update();
                let counts = store.counts(self.engine.clock.now()).await?;
                let running = counts
                    .runs
                    .iter()
                    .any(|(state, count)| state == "running" && *count > 0);
                let due = counts.undecided > 0 || counts.due > 0 || counts.timers_due > 0 || running;
                if !due {
                    return Ok::<(), Failure>(());
                }
                commits.changed().await.map_err(cannot)?;
            }
        };
        match tokio::time::timeout(PATIENCE, rest).await {
            Ok(done) => done,
            Err(_) => Err(Failure::new(
                FINDINGS,
                format!("something is still under way after {} seconds", PATIENCE.as_secs()),
            )),
        }
    }

    /// What became of a delivery, and why.
    pub(super) async fn outcome(&self, delivery: &str) -> Result<(String, String), Failure> {
        let found = self.engine.store.delivery(delivery).await?;
        let row = found.ok_or_else(|| Failure::new(FINDINGS, "an acknowledged delivery is not in the store"))?;
        Ok((row.outcome, row.because))
    }

    /// What ran at this very moment of the demo's clock.
    pub(super) async fn ran(&self, at: Time) -> Result<Ran, Failure> {
        let (store, setup) = (&self.engine.store, self.engine.setup());
        let mut ran = Ran::default();
        let all = Filter {
            limit: Some(RUNS_MAX),
            ..Filter::default()
        };
        let runs = store.runs(&all).await?.items;
        for run in runs.iter().filter(|run| run.updated_at_ms == at.timestamp_millis()) {
            let recipe = setup.book.get(&run.recipe, None);
            for step in store.run(&run.id).await?.into_iter().flat_map(|detail| detail.steps) {
                let step_run = Step {
                    recipe: run.recipe.clone(),
                    because: recipe.map(|recipe| recipe.waits_for()).unwrap_or_default(),
                    request: step.request["request"].clone(),
                };
                ran.steps.insert(step.key, step_run);
            }
            // What is ahead, was called off or was not wanted when its time came is no failure.
            if !["succeeded", "scheduled", "cancelled", "skipped"].contains(&run.state.as_str()) {
                ran.failed.push(format!("{}: {} {}", run.recipe, run.state, run.reason));
            }
        }
        Ok(ran)
    }

    /// Everything that waits for its time, the soonest first.
    pub(super) async fn planned(&self) -> Result<Vec<Planned>, Failure> {
        let setup = self.engine.setup();
        let all = Ahead {
            limit: Some(RUNS_MAX),
            ..Ahead::default()
        };
        let (rows, _) = self.engine.store.upcoming(&all).await?;
        let scheduled = rows.iter().filter(|row| row.run.state == "scheduled");
        let planned = scheduled.map(|row| {
            let coming = Coming::of(row, &setup.properties, self.engine.clock.now());
            Planned {
                run: row.run.id.clone(),
                recipe: row.run.recipe.clone(),
                code: row.run.stay.as_ref().and(row.run.code.clone()),
                due_at_ms: row.run.due_at_ms,
                when: coming.local.short(coming.at),
            }
        });
        Ok(planned.collect())
    }

    /// What has changed of what is planned for stays, as a word and a text each.
    pub(super) async fn replanned(
        &self,
        before: &[Planned],
        after: &[Planned],
    ) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut told = Vec::new();
        for now in after.iter().filter(|planned| planned.code.is_some()) {
            match before.iter().find(|one| one.run == now.run) {
                None => told.push(("planned", format!("{}: {}", now.recipe, now.when))),
                Some(then) if then.due_at_ms != now.due_at_ms => {
                    let moved = format!("{}: from {} to {}", now.recipe, then.when, now.when);
                    told.push(("moved", moved));
                }
                Some(_) => {}
            }
        }
        for then in before.iter().filter(|one| after.iter().all(|now| now.run != one.run)) {
            let run = self.engine.store.run(&then.run).await?;
            if run.is_some_and(|detail| detail.run.state == "cancelled") {
                told.push(("cancelled", format!("{}: {}", then.recipe, then.when)));
            }
        }
        Ok(told)
    }

    /// Removes the folder.
    pub(super) fn remove(self) -> Result<(), Failure> {
        let Site { folder, engine, .. } = self;
        drop(engine);
        folder.close().map_err(cannot)
    }
}

/// The configuration with its ports filled in.
fn configuration(targets: &Targets, hooks: u16, admin: u16) -> String {
    let own = [("${HOOKS_PORT}", hooks), ("${ADMIN_PORT}", admin)];
    let own = own.map(|(name, port)| (name.to_owned(), port));
    let fill = |text: String, (name, port): &(String, u16)| text.replace(name, &port.to_string());
    own.iter().chain(&targets.ports).fold(CONFIG.to_owned(), fill)
}

fn write(folder: &Path) -> io::Result<()> {
    let (recipes, payloads) = (folder.join("recipes"), folder.join("payloads"));
    std::fs::create_dir(&recipes)?;
    std::fs::create_dir(&payloads)?;
    for (name, text) in RECIPES {
        std::fs::write(recipes.join(name), text)?;
    }
    for scene in SCENES {
        std::fs::write(payloads.join(scene.file), scene.body)?;
    }
    Ok(())
}
