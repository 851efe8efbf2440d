//! Where the story plays: a temporary folder, the real daemon in it, and stand-ins for its targets.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;

use crate::app::{App, Ports};
use crate::case::{HttpStandin, SmtpStandin};
use crate::lang::diag::Report;
use crate::model::clock::Clock;
use crate::model::id::Ids;
use crate::outbound::Names;
use crate::worker::Engine;

use super::super::{CONFIGURATION, FINDINGS, Failure, remote, serve};
use super::cannot;
use super::scene::{CONFIG, RECIPES, SCENES, Scene};

/// Where chance begins, so that ids are the same every time.
const SEED: u64 = 20_270_301;
/// How long a scene may take to come to rest; it needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The stand-ins.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) cleaning: HttpStandin,
    pub(super) locks: HttpStandin,
    pub(super) books: HttpStandin,
    pub(super) mail: SmtpStandin,
}

impl Targets {
    pub(super) async fn start() -> io::Result<Targets> {
        Ok(Targets {
            cleaning: HttpStandin::start().await?,
            locks: HttpStandin::start().await?,
            books: HttpStandin::start().await?,
            mail: SmtpStandin::start().await?,
        })
    }

    /// The configuration with its ports filled in.
    fn configuration(&self, hooks: u16, admin: u16) -> String {
        let port = |standin: &HttpStandin| standin.base_url().rsplit(':').next().unwrap_or_default().to_owned();
        let ports = [
            ("${HOOKS_PORT}", hooks.to_string()),
            ("${ADMIN_PORT}", admin.to_string()),
            ("${CLEANING_PORT}", port(&self.cleaning)),
            ("${LOCKS_PORT}", port(&self.locks)),
            ("${BOOKS_PORT}", port(&self.books)),
            ("${MAIL_PORT}", self.mail.port().to_string()),
        ];
        let fill = |text: String, (name, port): &(&str, String)| text.replace(name, port);
        ports.iter().fold(CONFIG.to_owned(), fill)
    }
}

/// The daemon and its folder; the folder goes with it.
#[derive(Debug)]
pub(super) struct Site {
    folder: tempfile::TempDir,
    pub(super) engine: Engine,
    hooks: SocketAddr,
    /// Where the admin API is.
    pub(super) admin: SocketAddr,
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
        let text = targets.configuration(0, 0);
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
        let text = targets.configuration(hooks.port(), admin.port());
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

    pub(super) fn clock(&self) -> &Clock {
        &self.engine.clock
    }

    /// The configuration that the other commands work with.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.path().join("config.yaml")
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
        let signed = source.sign(scene.body, self.clock().now());
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
                let counts = store.counts(self.clock().now()).await?;
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

    /// Removes the folder.
    pub(super) fn remove(self) -> Result<(), Failure> {
        let Site { folder, engine, .. } = self;
        drop(engine);
        folder.close().map_err(cannot)
    }
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
