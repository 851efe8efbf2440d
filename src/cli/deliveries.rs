//! `deliveries`: what came in.

mod save;

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::config::Config;
use crate::lang::diag::Report;
use crate::model::delivery::Outcome;
use crate::model::id::DeliveryId;
use crate::store::{DeliveryRow, Filter, ReplayWhich};

use super::print::sayln;
use super::select::Select;
use super::{FINDINGS, FINE, Failure, Global, Output, USAGE, print, remote};

pub use self::save::headers_file;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The newest first.
    List {
        #[command(flatten)]
        select: Select,
        /// With this outcome: processed, stale, unchanged, unmapped, ignored, failed, undecided.
        #[arg(long)]
        outcome: Option<String>,
    },
    /// One, with its body and what became of it.
    Show {
        /// Its id.
        id: String,
        /// Writes its body to a file instead, for tests: names, addresses, codes and ids are replaced.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// Overwrites that file.
        #[arg(long, requires = "save")]
        force: bool,
    },
    /// Once more through today's mapping and recipes.
    Replay {
        /// These.
        ids: Vec<String>,
        /// All received since: `24h`, a date or a time.
        #[arg(long)]
        since: Option<String>,
        /// Only this recipe looks at them.
        #[arg(long)]
        recipe: Option<String>,
        /// Only those with this outcome.
        #[arg(long)]
        outcome: Option<String>,
        /// Also make runs that exist already, under new keys.
        #[arg(long)]
        again: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

pub async fn run(global: &Global, command: Command) -> Result<u8, Failure> {
    match command {
        Command::List { select, outcome } => {
            let outcome = known_outcome(outcome)?;
            let (config, store) = super::store_to_read(global).await?;
            let filter = select.filter(outcome, None, &config, &store).await?;
            let page = store.deliveries(&filter).await?;
            print::page(
                global.output,
                &page,
                &["delivery", "received", "source", "outcome", "dup", "because"],
                row,
            );
            Ok(FINE)
        }
        Command::Show { id, save, force } => show(global, &id, save.as_deref(), force).await,
        Command::Replay {
            ids,
            since,
            recipe,
            outcome,
            again,
            yes,
        } => {
            if ids.is_empty() && since.is_none() && recipe.is_none() && outcome.is_none() {
                return Err(Failure::new(USAGE, "say which: ids, --since, --recipe or --outcome"));
            }
            let outcome = known_outcome(outcome)?;
            let config = super::configuration(global)?;
            let which = ReplayWhich {
                ids: ids.into_iter().map(DeliveryId).collect(),
                since: since.as_deref().map(|since| print::since(since, &config)).transpose()?,
                outcome: outcome.as_deref().and_then(Outcome::from_word),
                source: None,
            };
            replay(global, &config, which, again, recipe, yes).await
        }
    }
}

fn known_outcome(word: Option<String>) -> Result<Option<String>, Failure> {
    print::word("--outcome", word, &Outcome::ALL.map(Outcome::word))
}

fn row(row: &DeliveryRow) -> Vec<String> {
    vec![
        row.id.clone(),
        print::time(row.received_at_ms),
        row.source.clone(),
        row.outcome.clone(),
        row.duplicates.to_string(),
        row.because.clone(),
    ]
}

async fn show(global: &Global, id: &str, save: Option<&Path>, force: bool) -> Result<u8, Failure> {
    let (config, store) = super::store_to_read(global).await?;
    let Some(delivery) = store.delivery(id).await? else {
        return Err(Failure::new(FINDINGS, format!("there is no delivery {id}")));
    };
    if let Some(file) = save {
        return save::save(&config, &delivery, file, force);
    }
    let filter = Filter {
        of: Some(id.to_owned()),
        ..Filter::default()
    };
    let events = store.events(&filter).await?.items;
    let source = config.sources.iter().find(|source| source.name() == delivery.source);
    let recognised_by = match (source, &delivery.headers, &delivery.body) {
        (Some(source), Some(headers), Some(body)) => source.recognised_by(headers, body),
        _ => None,
    };
    if global.output == Output::Json {
        print::print_json(&json!({"delivery": delivery, "events": events, "recognised_by": recognised_by}));
        return Ok(FINE);
    }
    sayln!(
        "{}  {}  {}",
        delivery.id,
        print::time(delivery.received_at_ms),
        delivery.source
    );
    sayln!("{}: {}", delivery.outcome, delivery.because);
    if delivery.duplicates > 0 {
        sayln!(
            "came {} more times, last {}",
            delivery.duplicates,
            print::time(delivery.last_seen_at_ms)
        );
    }
    if let Some(by) = recognised_by {
        sayln!("recognised again by {by}");
    }
    for (name, value) in delivery.headers.iter().filter_map(|kept| kept.as_object()).flatten() {
        let value = value.as_str().unwrap_or_default();
        match name.strip_prefix('?') {
            Some(name) => sayln!("query.{name}: {value}"),
            None if name == "/" => sayln!("path: {value}"),
            None => sayln!("header.{name}: {value}"),
        }
    }
    let texts = |value: &serde_json::Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    for warning in texts(&delivery.detail["warnings"]) {
        sayln!("warning: {warning}");
    }
    let facts = delivery.detail["facts"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, fact) in facts.iter().enumerate() {
        if let (Some(outcome), Some(because), true) =
            (fact["outcome"].as_str(), fact["because"].as_str(), facts.len() > 1)
        {
            sayln!("{} of {}, {outcome}: {because}", at + 1, facts.len());
        }
        for warning in texts(&fact["warnings"]) {
            sayln!("warning: {warning}");
        }
    }
    if let Some(trace) = delivery.detail["trace"].as_str() {
        sayln!("trace: {trace}");
    }
    for event in events {
        sayln!("event {}: {}", event.id, event.types.join(", "));
    }
    if let Some(body) = &delivery.body {
        sayln!("\n{body}");
    }
    Ok(FINE)
}

async fn replay(
    global: &Global,
    config: &Config,
    which: ReplayWhich,
    again: bool,
    recipe: Option<String>,
    yes: bool,
) -> Result<u8, Failure> {
    there_is_a_recipe(config, recipe.as_deref())?;
    let (_, store) = super::store_to_read(global).await?;
    let counts = store.count_replay(&which).await?;
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    if all == 0 {
        sayln!("no stored delivery is meant");
        return Ok(FINDINGS);
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    sayln!(
        "{}: once more through today's mapping and recipes ({}).",
        print::count(all.unsigned_abs(), "delivery"),
        parts.join(", ")
    );
    sayln!(
        "{}",
        match again {
            true => "Runs that exist already are made AGAIN, under new keys: their effects happen twice.",
            false => "Only runs that do not exist yet are made.",
        }
    );
    if !yes && !print::confirmed()? {
        sayln!("left as it is");
        return Ok(FINDINGS);
    }
    let body = json!({
        // An empty list would mean: none.
        "ids": Some(&which.ids).filter(|ids| !ids.is_empty()),
        "since": which.since.map(|at| at.to_rfc3339()),
        "outcome": which.outcome,
        "recipe": recipe,
        "again": again,
    });
    let (marked, when) = match remote::post(config, "deliveries/replay", &body).await? {
        Some(reply) if reply.status < 300 => (reply.body["marked"].as_u64().unwrap_or_default(), "now"),
        Some(reply) => return Err(remote::refusal(&reply)),
        None => {
            let (store, _writer) = remote::store_alone(config).await?;
            (store.replay(which, again, recipe).await?, "when the daemon runs")
        }
    };
    sayln!("{} decided once more {when}", print::count(marked, "delivery"));
    Ok(FINE)
}

/// Refuses the name of a recipe that no file has, also none with a mistake: with a misspelt one nothing would happen.
fn there_is_a_recipe(config: &Config, name: Option<&str>) -> Result<(), Failure> {
    let Some(name) = name else { return Ok(()) };
    let files = crate::config::recipe_files(&config.recipes)
        .map_err(|why| Failure::new(FINDINGS, format!("{}: {why}", config.recipes.display())))?;
    let book = files.book(&mut Report::new());
    print::known_recipe(&book, name)
}
