//! Taking recipes from the disk, at the start and when they have changed. What cannot be read is not gone.

use std::sync::Arc;

use chrono::TimeDelta;

use super::StartError;
use crate::action;
use crate::config::{self, Config};
use crate::engine::Setup;
use crate::lang::diag::Report;
use crate::model::clock::Clock;
use crate::recipe::{self, Book, Recipe};
use crate::store::{Revision, Store, StoreError};
use crate::worker::Engine;

/// For how long a recipe's file has to be away before it is gone: folders are moved, and git replaces file by file.
const AWAY: TimeDelta = TimeDelta::seconds(5);
/// How often recipes are looked at before it is said that they do not stand still.
const LOOKS_MAX: usize = 5;

/// Reads the recipes, compiles what the configuration says, and tells every mistake. A recipe with a mistake stops no
/// other; its last good revision, where the store has one, runs on. Returns what the recipes' folder was like too.
///
/// A file that is away may be on its way: with a clock it is gone only where it is still away a moment later.
pub async fn load(
    config: &Config,
    store: Option<&Store>,
    clock: Option<&Clock>,
    report: &mut Report,
) -> Result<(Setup, u64), StartError> {
    let in_use = match store {
        Some(store) => store.revisions_in_use().await?,
        None => Vec::new(),
    };
    let mut before = None;
    for _ in 0..LOOKS_MAX {
        let (found, mut told) = (config::recipe_files(&config.recipes), Report::new());
        let found = found.map(|files| (files.book(&mut told), files.stamp));
        let whole = match &found {
            Ok((book, _)) => in_use.iter().all(|known| book.has(&known.recipe, &known.file)),
            Err(_) => in_use.is_empty(),
        };
        let now = found.as_ref().map_or(0, |(_, stamp)| *stamp);
        match clock {
            Some(clock) if !whole && before != Some(now) => {
                before = Some(now);
                clock.sleep(AWAY).await;
            }
            _ => {
                let (mut book, stamp) = found.map_err(|error| unread(config, error))?;
                report.items.append(&mut told.items);
                run_on(&mut book, &in_use, store).await?;
                return Ok((config::setup(config, book), stamp));
            }
        }
    }
    Err(unread(config, std::io::Error::other("its files come and go")))
}

fn unread(config: &Config, error: std::io::Error) -> StartError {
    StartError::Recipes(config.recipes.display().to_string(), error)
}

/// Lets the last good revisions of broken recipes run on.
async fn run_on(book: &mut Book, in_use: &[Revision], store: Option<&Store>) -> Result<(), StoreError> {
    // A file that is half written may not even say its name, and a folder does not say what is in it: they are the recipes
    // that stood there last.
    let nameless = book.broken().iter().filter(|broken| broken.name.is_none());
    for broken in nameless.cloned().collect::<Vec<_>>() {
        for stored in in_use.iter().filter(|stored| broken.holds(&stored.file)) {
            book.was_called(&broken, &stored.recipe, &stored.file);
        }
    }
    let Some(store) = store else { return Ok(()) };
    let broken: Vec<String> = book.broken().iter().filter_map(|broken| broken.name.clone()).collect();
    for name in broken {
        if let Some(stored) = store.revision(&name, None).await?
            && let Some(recipe) =
                recipe::compile(&stored.file, &stored.text, &action::effect_kinds(), &mut Report::new())
        {
            let ran_on = book.run_on(Arc::new(recipe));
            tracing::warn!(
                recipe = name,
                revision = stored.hash,
                ran_on,
                "the recipe's file has a mistake; its last good revision runs on"
            );
        }
    }
    Ok(())
}

/// Takes a new configuration and new recipes into a running daemon. Addresses and the database stay as they are. Returns
/// what the recipes' folder was like.
///
/// # Errors
///
/// Where the folder of recipes or the store cannot be read; then everything stays as it was.
pub async fn reload(engine: &Engine, config: &Config, report: &mut Report) -> Result<u64, StartError> {
    let (setup, stamp) = load(config, Some(&engine.store), Some(&engine.clock), report).await?;
    config::check_together(config, &setup, report);
    let book = &setup.book;
    let gone: Vec<String> = engine
        .setup()
        .book
        .all()
        .iter()
        .map(|recipe| recipe.name.clone())
        .collect();
    let gone: Vec<String> = gone.into_iter().filter(|name| book.get(name, None).is_none()).collect();
    keep_revisions(engine, book.all()).await?;
    engine.adopt(setup).await?;
    if !gone.is_empty() {
        tracing::warn!(
            recipes = gone.join(", "),
            "these recipes are gone; what was planned for them is called off"
        );
    }
    Ok(stamp)
}

pub(super) async fn keep_revisions(engine: &Engine, recipes: &[Arc<Recipe>]) -> Result<(), StoreError> {
    let revision = |recipe: &Arc<Recipe>| Revision {
        recipe: recipe.name.clone(),
        hash: recipe.revision.clone(),
        file: recipe.file.clone(),
        text: recipe.text.clone(),
    };
    engine
        .store
        .keep_revisions(recipes.iter().map(revision).collect(), engine.clock.now())
        .await
}
