//! `serve`: the daemon.

mod watch;
mod watchdog;

use std::io::IsTerminal as _;
use std::sync::Arc;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::app::{self, App, Ports, StartError};
use crate::config::Config;
use crate::lang::diag::{Report, Severity, Texts};
use crate::lifecycle::notify::Notify;
use crate::lifecycle::{Ended, Signal, Signals};
use crate::model::clock::Clock;

use super::{CONFIGURATION, FINDINGS, FINE, Failure, Global, TEMPORARY};

pub async fn run(global: &Global) -> Result<u8, Failure> {
    let _log = crate::telemetry::init(
        super::environment("RUST_LOG").as_deref(),
        super::environment("NO_COLOR").as_deref(),
    );
    if let Some(point) = super::environment("STAYHOOK_FAULT") {
        crate::model::fault::arm(&point);
    }
    let notify = Arc::new(Notify::open(&super::environment, std::process::id()));
    let (config, report) = super::drafted(global);
    tell(&report);
    let config = config
        .filter(|_| !report.has_mistakes())
        .ok_or_else(|| Failure::new(CONFIGURATION, "the configuration has mistakes; nothing is started"))?;
    let mut signals = Signals::listen().map_err(|error| Failure::new(TEMPORARY, error.to_string()))?;
    tracing::info!("starting");
    crate::lifecycle::raise_open_files();
    let mut report = Report::new();
    let mut reload_asked = false;
    let app = tokio::select! {
        app = App::build(&config, Ports::machine(), &mut report) => app,
        // Nothing has begun; it may be waiting for room on the disk.
        () = async { while signals.next().await != Signal::Stop { reload_asked = true } } => return Ok(FINE),
    };
    tell(&report);
    let app = app.map_err(failure)?;
    let address = |address: Option<std::net::SocketAddr>| address.map_or_else(String::new, |at| at.to_string());
    tracing::info!(
        hooks = address(app.hooks_address()),
        admin = address(app.admin_address()),
        sources = config.sources.len(),
        recipes = app.engine.setup().book.all().len(),
        broken = app.engine.setup().book.broken().len(),
        dry_run = config.dry_run,
        "stayhook {} is up",
        env!("CARGO_PKG_VERSION"),
    );
    let stop = CancellationToken::new();
    let engine = app.engine.clone();
    // A task of its own: a reload may come before it has begun, and waits for the writer that it starts.
    let mut running = tokio::task::JoinSet::new();
    let (live, up) = (app.live(), app.up());
    let mut watch = watch::Watch::new(config.recipes.clone(), Clock::System, app.recipes_stamp());
    running.spawn(app.run(stop.clone()));
    let mut watching = tokio::task::JoinSet::new();
    let mut config = config;
    let mut ready = false;
    let ended = loop {
        tokio::select! {
            Some(ended) = running.join_next() => break ended,
            () = up.cancelled(), if !ready => {
                ready = true;
                notify.ready(&line(&engine));
                if let Some(every) = notify.every().and_then(|every| chrono::TimeDelta::from_std(every).ok()) {
                    watching.spawn(watchdog::run(notify.clone(), live.clone(), Clock::System, every));
                }
            }
            () = watch.changed(), if ready => {
                tracing::info!("the recipes have changed");
                let taken = take(&engine, &config).await;
                watch.taken(taken);
                let kept = if taken.is_some() { "" } else { KEPT };
                notify.ready(&format!("{}{kept}", line(&engine)));
            }
            // What was asked for while it started is done now.
            signal = async { if std::mem::take(&mut reload_asked) { Signal::Reload } else { signals.next().await } } => match signal {
                Signal::Stop => {
                    tracing::info!("stopping");
                    notify.stopping();
                    stop.cancel();
                }
                Signal::Reload => {
                    if ready {
                        notify.reloading();
                    }
                    let taken = reload(global, &engine, &mut config).await;
                    watch.folder.clone_from(&config.recipes);
                    watch.taken(taken);
                    if ready {
                        let kept = if taken.is_some() { "" } else { KEPT };
                        notify.ready(&format!("{}{kept}", line(&engine)));
                    }
                }
            },
        }
    };
    drop(watching);
    // What the panic said may quote a guest; the log has where it was.
    let died = |_| Failure::new(FINDINGS, "a fault of Stayhook; the log says where");
    match ended.map_err(died)?.map_err(failure)? {
        Ended::Stopped => {
            tracing::info!("stopped");
            Ok(FINE)
        }
        Ended::Late => {
            tracing::warn!("stopped; what did not end in time is taken up after the next start");
            Ok(FINE)
        }
        Ended::Died(what) => Err(Failure::new(FINDINGS, format!("a fault of Stayhook: {what}"))),
    }
}

/// What the service manager is told where a reload was not taken over.
const KEPT: &str = "; the last reload was refused, see the log";

/// How often a configuration with a mistake is read once more at a reload, and how long after.
const AGAIN_MAX: usize = 3;
const AGAIN: TimeDelta = TimeDelta::milliseconds(300);

/// How the daemon is set up, in one line for the service manager.
fn line(engine: &crate::worker::Engine) -> String {
    let setup = engine.setup();
    let broken = match setup.book.broken().len() {
        0 => String::new(),
        broken => format!(" and {broken} with a mistake"),
    };
    let dry = if setup.dry_run {
        ", dry run: nothing is sent"
    } else {
        ""
    };
    let (sources, recipes) = (setup.sources.len(), setup.book.all().len());
    format!("sources: {sources}, recipes: {recipes}{broken}{dry}")
}

/// Reads the configuration and the recipes again, and says how the recipes stood on the disk where they were taken over;
/// where the configuration has a mistake, everything stays as it is.
async fn reload(global: &Global, engine: &crate::worker::Engine, before: &mut Config) -> Option<u64> {
    let (mut config, mut report) = super::drafted(global);
    for _ in 0..AGAIN_MAX {
        // A file that is being replaced is away for a moment, or half of it is there.
        if !report.has_mistakes() {
            break;
        }
        engine.clock.sleep(AGAIN).await;
        (config, report) = super::drafted(global);
    }
    tell(&report);
    match config.filter(|_| !report.has_mistakes()) {
        None => {
            tracing::error!("the configuration has mistakes and was not taken over; everything stays as it is");
            None
        }
        Some(config) => {
            let taken = take(engine, &config).await;
            if taken.is_some() {
                let waiting = after_restart(before, &config);
                if !waiting.is_empty() {
                    tracing::warn!(
                        settings = waiting.join(", "),
                        "these settings have changed and take effect at the next start only"
                    );
                }
                // What takes effect at the next start only is held against what it started with.
                let started = std::mem::replace(before, config);
                before.listen = started.listen;
                before.database = started.database;
                before.trusted_proxies = started.trusted_proxies;
                before.admin = started.admin;
            }
            taken
        }
    }
}

/// Takes over the recipes as they are on the disk, under this configuration; says how they stood there, where they were.
async fn take(engine: &crate::worker::Engine, config: &Config) -> Option<u64> {
    let mut report = Report::new();
    let taken = app::reload(engine, config, &mut report).await;
    match &taken {
        Ok(_) => tracing::info!(recipes = engine.setup().book.all().len(), "reloaded"),
        Err(error) => tracing::error!(%error, "not reloaded; everything stays as it is"),
    }
    tell(&report);
    taken.ok()
}

/// The settings that differ and that a running daemon does not take over.
fn after_restart(before: &Config, now: &Config) -> Vec<&'static str> {
    let token = |config: &Config| config.admin.token.as_ref().map(|token| token.reveal().to_owned());
    [
        ("listen", before.listen != now.listen),
        ("database", before.database != now.database),
        ("trusted_proxies", before.trusted_proxies != now.trusted_proxies),
        (
            "admin",
            before.admin.listen != now.admin.listen
                || before.admin.hosts != now.admin.hosts
                || before.admin.metrics_open != now.admin.metrics_open
                || token(before) != token(now),
        ),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

/// Says mistakes and warnings as `check` does; off a terminal each is one line of the log.
fn tell(report: &Report) {
    if std::io::stderr().is_terminal() {
        eprint!("{}", super::told(report));
        return;
    }
    let mut texts = Texts::new(report, &crate::config::text_of);
    for item in report.sorted() {
        let text = item.text(&mut texts);
        let place = item.place.as_ref();
        let (file, line, column) = (
            place.map(|place| &*place.file),
            place.map(|place| place.line),
            place.map(|place| place.column),
        );
        let (code, help, title) = (item.code, item.help.as_deref(), &item.title);
        match item.severity {
            Severity::Mistake => tracing::error!(code, file, line, column, help, text, "{title}"),
            Severity::Warning => tracing::warn!(code, file, line, column, help, text, "{title}"),
        }
    }
}

/// Why a daemon does not start, as an exit code and words.
pub(super) fn failure(error: StartError) -> Failure {
    match error {
        StartError::Store(error) => error.into(),
        StartError::Listen(..) | StartError::Outbound(_) => Failure::new(TEMPORARY, error.to_string()),
        StartError::Recipes(..) => Failure::new(CONFIGURATION, error.to_string()),
    }
}
