//! `plan --backfill`: what was passed over runs all the same; through the running daemon where there is one.

use std::sync::{Arc, RwLock};

use serde_json::json;

use crate::app;
use crate::config::Config;
use crate::lang::diag::Report;
use crate::model::clock::Clock;
use crate::model::meter::Meter;
use crate::outbound::Outbound;
use crate::store::Store;
use crate::worker::{Clockwork, Engine, Lanes};

use super::super::print::sayln;
use super::super::{FINDINGS, FINE, Failure, Global, TEMPORARY, configuration, print, remote};
use super::compare::Differences;
use super::{Args, Passed};

pub async fn run(global: &Global, args: &Args, differences: &Differences, passed: &Passed) -> Result<u8, Failure> {
    let config = configuration(global)?;
    let daemon = remote::health(&config).await?.is_some();
    // Alone the recipes on disk are taken over first, and what that passes over runs too.
    let new = differences.past() as u64;
    let meant = if daemon { passed.all() } else { passed.all() + new };
    if daemon && new > 0 {
        sayln!(
            "{} more would be passed over once the daemon has taken the recipes on disk over; reload it first",
            print::count(new, "run")
        );
    }
    if meant == 0 {
        sayln!("nothing was passed over");
        return Ok(FINE);
    }
    sayln!(
        "{} whose time had passed when {} planned: {} out {}, if the stay is still one for the recipe. `stayhook plan` lists \
         what is meant.",
        print::count(meant, "run"),
        if meant == 1 { "it was" } else { "they were" },
        if meant == 1 { "it goes" } else { "they go" },
        if daemon { "now" } else { "when the daemon runs" },
    );
    if !args.yes && !print::confirmed()? {
        sayln!("left as it is");
        return Ok(FINDINGS);
    }
    let body = json!({"recipe": args.recipe});
    let count = match remote::post(&config, "plan/backfill", &body).await? {
        Some(reply) if reply.status < 300 => reply.body["due"].as_u64().unwrap_or_default(),
        Some(reply) => return Err(remote::refusal(&reply)),
        None => alone(&config, args.recipe.clone()).await?,
    };
    sayln!(
        "{} due {}",
        print::count(count, "run"),
        if daemon { "now" } else { "when the daemon runs" }
    );
    Ok(FINE)
}

/// On the store itself: first what is planned becomes what the recipes on disk say.
async fn alone(config: &Config, recipe: Option<String>) -> Result<u64, Failure> {
    let (store, _writer) = remote::store_alone(config).await?;
    let engine = engine(config, store).await?;
    app::reload(&engine, config, &mut Report::new())
        .await
        .map_err(|error| Failure::new(TEMPORARY, error.to_string()))?;
    engine.catch_up().await?;
    let due = engine.store.backfill(recipe, engine.clock.now()).await?;
    engine.store.close().await;
    Ok(due.len() as u64)
}

/// What plans, without anything that receives or sends.
async fn engine(config: &Config, store: Store) -> Result<Engine, Failure> {
    let failed = |because: String| Failure::new(TEMPORARY, because);
    crate::outbound::install_crypto();
    let (setup, _) = app::load(config, Some(&store), None, &mut Report::new())
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok(Engine {
        store,
        clock: Clock::System,
        setup: Arc::new(RwLock::new(Arc::new(setup))),
        outbound: Outbound::new().map_err(failed)?,
        lanes: Lanes::default(),
        owner: "plan".into(),
        inbox: Arc::default(),
        outbox: Arc::default(),
        clockwork: Clockwork::default(),
        meter: Arc::new(Meter::new(env!("CARGO_PKG_VERSION"))),
        pulse: Arc::default(),
    })
}
