//! The composition root: from a configuration to a running daemon.

mod recipes;
mod start;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config};
use crate::lang::diag::Report;
use crate::lifecycle::{Ended, Tasks};
use crate::listener::{self, Limits};
use crate::model::clock::Clock;
use crate::model::id::Ids;
use crate::model::meter::Meter;
use crate::model::property::Properties;
use crate::outbound::{Names, Outbound};
use crate::receive::{self, Receiver, Rejections, Tally};
use crate::recipe::{self, Recipe};
use crate::store::{Store, StoreError};
use crate::web::{self, Console, Live};
use crate::worker::{Clockwork, Engine, Lanes};

use recipes::keep_revisions;
pub use recipes::{load, reload};

/// What the outside world is made of; tests and the demo bring their own.
#[derive(Debug)]
pub struct Ports {
    /// The time.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// Who looks up host names.
    pub names: Names,
    /// How many attempts there is room for at once, where that is bounded.
    pub room: Option<usize>,
}

impl Ports {
    /// The machine itself.
    pub fn machine() -> Ports {
        Ports {
            clock: Clock::machine(),
            ids: Ids::random(),
            names: Names::System,
            room: crate::lifecycle::room_for_attempts(),
        }
    }
}

/// Why a daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// An address.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The folder of recipes.
    #[error("cannot read the recipes in {0}: {1}")]
    Recipes(String, std::io::Error),
    /// The HTTP client.
    #[error("the HTTP client: {0}")]
    Outbound(String),
}

/// A daemon that has recovered and is about to run.
#[derive(Debug)]
pub struct App {
    /// The engine behind the receive path.
    pub engine: Engine,
    hooks: TcpListener,
    admin: TcpListener,
    hooks_router: axum::Router,
    admin_router: axum::Router,
    limits: Limits,
    writer: crate::store::Writer,
    stopping: Arc<AtomicBool>,
    live: Arc<Present>,
    up: CancellationToken,
    recipes_stamp: u64,
}

impl App {
    /// Opens everything and recovers; nothing is received and nothing sent before [`App::run`].
    ///
    /// # Errors
    ///
    /// Where the store, an address or the folder of recipes cannot be used.
    pub async fn build(config: &Config, ports: Ports, report: &mut Report) -> Result<App, StartError> {
        crate::outbound::install_crypto();
        let Ports {
            clock,
            ids,
            names,
            room,
        } = ports;
        let (store, writer, hooks, admin) = start::open(config, &clock).await?;
        let (setup, recipes_stamp) = load(config, Some(&store), Some(&clock), report).await?;
        config::check_together(config, &setup, report);
        let outbound = Outbound::with_names(names).map_err(StartError::Outbound)?;
        let meter = Arc::new(Meter::new(env!("CARGO_PKG_VERSION")));
        if let Some(text) = config::crowded(config, room) {
            tracing::warn!("{text}");
        }
        let lanes = Lanes::within(room);
        lanes.configure(setup.connections.values().map(|one| &**one));
        let engine = Engine {
            store,
            clock: clock.clone(),
            setup: Arc::new(RwLock::new(Arc::new(setup))),
            outbound,
            lanes,
            owner: format!("{}-{}", std::process::id(), clock.now().timestamp_millis()).into(),
            inbox: Arc::default(),
            outbox: Arc::default(),
            clockwork: Clockwork::default(),
            meter: meter.clone(),
            pulse: Arc::default(),
        };
        let stopping = Arc::new(AtomicBool::new(false));
        let up = CancellationToken::new();
        let rejections = Arc::new(Rejections::new());
        let live = Arc::new(Present {
            engine: engine.clone(),
            rejections: rejections.clone(),
            stopping: stopping.clone(),
            up: up.clone(),
        });
        let lookup = engine.clone();
        let wake = engine.inbox.clone();
        let receiver = Receiver {
            store: engine.store.clone(),
            clock: clock.clone(),
            ids: Arc::new(ids),
            sources: Arc::new(move |name: &str| lookup.setup().sources.get(name).cloned()),
            on_stored: Arc::new(move || wake.notify_one()),
            rejections,
            tally: Arc::new(Counted {
                meter: meter.clone(),
                clock: clock.clone(),
            }),
            limits: receive::Limits::default(),
        };
        let console = Console {
            store: engine.store.clone(),
            clock,
            token: config.admin.token.clone(),
            hosts: config.admin.hosts.clone(),
            metrics_open: config.admin.metrics_open,
            meter,
            live: live.clone(),
        };
        Ok(App {
            hooks_router: receive::router(receiver),
            admin_router: web::router(console),
            limits: Limits::behind(&config.trusted_proxies),
            engine,
            hooks,
            admin,
            writer,
            stopping,
            live,
            up,
            recipes_stamp,
        })
    }

    /// What `config::recipes_stamp` said of the recipes as they were read.
    pub fn recipes_stamp(&self) -> u64 {
        self.recipes_stamp
    }

    /// Where webhooks are received.
    pub fn hooks_address(&self) -> Option<SocketAddr> {
        self.hooks.local_addr().ok()
    }

    /// Where the admin API is.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.local_addr().ok()
    }

    /// What the admin API asks the daemon, `/healthz` and `/readyz` among it.
    pub fn live(&self) -> Arc<dyn Live> {
        self.live.clone()
    }

    /// Cancelled once it has recovered and answers: from then on `/readyz` says ready.
    pub fn up(&self) -> CancellationToken {
        self.up.clone()
    }

    /// Runs until `stop` is cancelled and everything has ended, or until a background task dies.
    ///
    /// The order of the end: no new requests, then no new decisions and attempts, what is under way ends or is given back,
    /// last the writer.
    ///
    /// # Errors
    ///
    /// Where the store cannot be recovered.
    pub async fn run(self, stop: CancellationToken) -> Result<Ended, StartError> {
        let App {
            engine,
            hooks,
            admin,
            hooks_router,
            admin_router,
            limits,
            writer,
            stopping,
            live: _,
            up,
            recipes_stamp: _,
        } = self;
        let store = engine.store.clone();
        let mut tasks = Tasks::new(stop.clone());
        // The writer ends last: it has its own token, cancelled when everything else has ended.
        let mut writing = tokio::task::JoinSet::new();
        let own = store.clone();
        writing.spawn(async move { Store::run_writer(writer, &own).await });
        let own = (limits.clone(), stop.clone());
        tasks.spawn("hooks", listener::serve(hooks, hooks_router, own.0, own.1));
        tasks.spawn("admin", listener::serve(admin, admin_router, limits, stop.clone()));
        let own = (store.clone(), engine.clock.clone(), stop.clone());
        tasks.spawn("store", async move { own.0.keep_up(own.1, own.2).await });
        let flag = stop.clone();
        tasks.spawn("stopping", async move {
            flag.cancelled().await;
            stopping.store(true, Ordering::Relaxed);
        });
        if start::recover(&engine, &stop).await? {
            for (name, task) in engine.tasks(&stop) {
                tasks.spawn(name, task);
            }
            up.cancel();
        }
        let ended = tokio::select! {
            ended = tasks.ended() => ended,
            Some(_) = writing.join_next() => Ended::Died("the writer died".to_owned()),
        };
        let gone = store.health().not_gone();
        store.close().await;
        writing.shutdown().await;
        gone?;
        Ok(ended)
    }
}

/// Counts what the receive path does.
struct Counted {
    meter: Arc<Meter>,
    clock: Clock,
}

impl Tally for Counted {
    fn stored(&self, source: &str, duplicate: bool, took: Duration) {
        self.meter.stored(source, duplicate, took, self.clock.now());
    }

    fn pinged(&self, source: &str) {
        self.meter.pinged(source);
    }

    fn rejected(&self, source: &str, reason: &'static str) {
        self.meter.rejected(source, reason);
    }
}

/// What the admin API asks the living process.
struct Present {
    engine: Engine,
    rejections: Arc<Rejections>,
    stopping: Arc<AtomicBool>,
    up: CancellationToken,
}

impl std::fmt::Debug for Present {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Present").finish_non_exhaustive()
    }
}

impl Live for Present {
    fn properties(&self) -> Arc<Properties> {
        Arc::new(self.engine.setup().properties.clone())
    }

    fn recognised_by(&self, source: &str, headers: &Value, body: &str) -> Option<String> {
        let setup = self.engine.setup();
        setup.sources.get(source)?.recognised_by(headers, body)
    }

    fn recipes(&self) -> Value {
        let setup = self.engine.setup();
        let recipe = |recipe: &Arc<Recipe>| {
            json!({
                "name": recipe.name,
                "file": recipe.file,
                "revision": recipe.revision,
                "enabled": recipe.enabled,
                "dry_run": recipe.dry_run || setup.dry_run,
                "sentence": config::sentence(&setup, recipe),
                "broken": setup.book.broken().iter().filter(|broken| broken.name.as_ref() == Some(&recipe.name)).map(|broken| &broken.because).collect::<Vec<_>>(),
                "mistakes": setup.book.broken().iter().filter(|broken| broken.name.as_ref() == Some(&recipe.name)).flat_map(|broken| &broken.told).collect::<Vec<_>>(),
            })
        };
        let runs_on = |broken: &recipe::Broken| {
            let all = setup.book.all();
            broken
                .name
                .as_ref()
                .is_some_and(|name| all.iter().any(|recipe| recipe.name == *name))
        };
        let broken = |broken: &recipe::Broken| json!({"name": broken.name, "file": broken.file, "enabled": false, "broken": [broken.because], "mistakes": broken.told});
        setup
            .book
            .all()
            .iter()
            .map(recipe)
            .chain(setup.book.broken().iter().filter(|one| !runs_on(one)).map(broken))
            .collect()
    }

    fn sources(&self) -> Value {
        let setup = self.engine.setup();
        let mut names: Vec<&String> = setup.sources.keys().collect();
        names.sort();
        let source = |name: &&String| {
            let source = &setup.sources[*name];
            json!({
                "name": name,
                "preset": source.preset(),
                "learn": source.learn(),
                "live_from": source.live_from().map(|at| at.to_rfc3339()),
                "asks_for": source.asks_for(),
                "emits": source.emits(),
                "rejections": self.rejections.told(name),
            })
        };
        let unknown = self.rejections.told(receive::UNKNOWN);
        let unknown = (!unknown.is_empty()).then(|| json!({"name": receive::UNKNOWN, "rejections": unknown}));
        names.iter().map(source).chain(unknown).collect()
    }

    fn connections(&self) -> Value {
        json!(self.engine.lanes.states())
    }

    fn ready(&self) -> Result<(), String> {
        match (self.stopping.load(Ordering::Relaxed), self.up.is_cancelled()) {
            (true, _) => Err("stopping".to_owned()),
            (false, false) => Err("recovering".to_owned()),
            (false, true) => Ok(()),
        }
    }

    fn store(&self) -> Result<(), String> {
        let writable = self.engine.store.health().writable();
        writable.map_err(|error| format!("nothing can be stored: {error}"))
    }

    fn alive(&self) -> Result<(), String> {
        match self.engine.stalled() {
            None => Ok(()),
            Some(since) => Err(format!("the store has taken nothing since {}", since.to_rfc3339())),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let setup = self.engine.setup();
        let mut warnings = self.engine.store.health().warnings();
        match setup.book.broken().len() {
            0 => {}
            1 => warnings.push("a recipe has a mistake; its last good revision runs on, where there is one".to_owned()),
            n => warnings.push(format!(
                "{n} recipes have mistakes; their last good revisions run on, where there are any"
            )),
        }
        warnings
    }

    fn wake_inbox(&self) {
        self.engine.inbox.notify_one();
    }

    fn wake_outbox(&self) {
        self.engine.wake_outbox();
    }

    fn wake_timers(&self) {
        self.engine.clockwork.wake.notify_one();
    }
}
