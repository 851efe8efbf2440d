//! `reservations`: the stays as they are now.

mod timeline;

use serde_json::{Value, json};

use crate::config::Config;
use crate::decide::view;
use crate::model::reservation::Status;
use crate::store::{Filter, Page, StayRow, Store};
use crate::web::candidates;

use super::print::sayln;
use super::select::Select;
use super::{FINDINGS, FINE, Failure, Global, Output, print};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The newest first.
    List {
        #[command(flatten)]
        select: Select,
        /// With this canonical status.
        #[arg(long)]
        status: Option<String>,
    },
    /// One, with everything recipes see of it.
    Show {
        /// Its source.
        source: String,
        /// Its code or another name.
        code: String,
    },
    /// Everything about one, oldest first: what came in, what changed, what went out and why not, what is ahead.
    Timeline {
        /// Its source.
        source: String,
        /// Its code or another name.
        code: String,
    },
}

pub async fn run(global: &Global, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Timeline { source, code } => timeline::run(global, &source, &code).await,
        Command::List { select, status } => {
            let status = print::word("--status", status, &Status::ALL.map(Status::word))?;
            let (config, store) = super::store_to_read(global).await?;
            let filter = select.filter(status, None, &config, &store).await?;
            let found = store.reservations(&filter).await?;
            let items: Vec<Value> = found
                .items
                .iter()
                .map(|row| view(&row.stay, &config.properties).json)
                .collect();
            let page = Page {
                items,
                next: found.next,
            };
            let heads = [
                "code",
                "source",
                "status",
                "check-in",
                "check-out",
                "property",
                "guests",
            ];
            print::page(global.output, &page, &heads, |stay| {
                let property = &stay["property"];
                let property = if property["name"].is_null() {
                    &property["ids"]
                } else {
                    &property["name"]
                };
                let cells = [
                    &stay["code"],
                    &stay["source"],
                    &stay["status"],
                    &stay["check_in_date"],
                    &stay["check_out_date"],
                    property,
                    &stay["guests"],
                ];
                cells.into_iter().map(plain).collect()
            });
            Ok(FINE)
        }
        Command::Show { source, code } => {
            let (config, store) = super::store_to_read(global).await?;
            let row = one(&store, &config, global.output, &source, &code).await?;
            let stay = view(&row.stay, &config.properties).json;
            let filter = Filter {
                stay: Some(row.stay.id.0.clone()),
                ..Filter::default()
            };
            let (events, runs) = (store.events(&filter).await?.items, store.runs(&filter).await?.items);
            if global.output == Output::Json {
                print::print_json(
                    &json!({"reservation": stay, "adopted": row.stay.adopted, "events": events, "runs": runs}),
                );
                return Ok(FINE);
            }
            if row.stay.adopted {
                let event = events
                    .iter()
                    .find(|event| event.types.iter().any(|kind| kind == "reservation.adopted"));
                let why = event.map_or_else(String::new, |event| {
                    format!(", `stayhook deliveries show {}` says why", event.delivery)
                });
                sayln!("adopted: taken over in silence{why}\n");
            }
            leaves("", &stay);
            sayln!("");
            for event in events.iter().rev() {
                sayln!("{}  event  {}", print::time(event.at_ms), event.types.join(", "));
            }
            for run in runs.iter().rev() {
                sayln!(
                    "{}  run    {}: {} {}",
                    print::time(run.created_at_ms),
                    run.recipe,
                    run.state,
                    run.reason
                );
            }
            Ok(FINE)
        }
    }
}

/// The stay that a source means by a name; where several carry it, each of them is told.
async fn one(store: &Store, config: &Config, output: Output, source: &str, name: &str) -> Result<StayRow, Failure> {
    let mut rows = store.called(source, name).await?;
    if rows.len() > 1 {
        let candidates = candidates(&rows, &config.properties);
        if output == Output::Json {
            print::print_json(&json!({"candidates": candidates}));
        }
        let stays = candidates.as_array().into_iter().flatten();
        let stays = stays.map(|stay| {
            ["key", "property", "check_in"]
                .map(|name| plain(&stay[name]))
                .join("  ")
        });
        let stays: Vec<String> = stays.collect();
        let title = format!("several stays of {source} are called `{name}`; ask for one of them by its key:");
        return Err(Failure::new(FINDINGS, format!("{title}\n  {}", stays.join("\n  "))));
    }
    let none = || Failure::new(FINDINGS, format!("{source} has told of no stay `{name}`"));
    rows.pop().ok_or_else(none)
}

/// Everything in it that has a value, a line each: `guest.email   ana@example.com`.
fn leaves(name: &str, value: &Value) {
    match value {
        Value::Object(inner) => {
            let dot = if name.is_empty() { "" } else { "." };
            inner
                .iter()
                .for_each(|(key, value)| leaves(&format!("{name}{dot}{key}"), value));
        }
        Value::Null => {}
        value => sayln!("{name:<24} {}", plain(value)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}
