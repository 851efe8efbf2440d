//! `events`: what changed.

use serde_json::json;

use crate::model::event::{TYPES, is_type};
use crate::store::Filter;

use super::print::sayln;
use super::{FINDINGS, FINE, Failure, Global, Output, print};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The newest first.
    List {
        /// Of this source.
        #[arg(long)]
        source: Option<String>,
        /// Of the stay with this code.
        #[arg(long)]
        code: Option<String>,
        /// Of this type: `reservation.confirmed`.
        #[arg(long = "type")]
        kind: Option<String>,
        /// Since: `24h`, a date or a time.
        #[arg(long)]
        since: Option<String>,
        /// At most so many, from 1 to 500; 50 where nothing is said.
        #[arg(long, value_parser = print::limit)]
        limit: Option<usize>,
        /// Where the last page ended.
        #[arg(long, value_parser = print::cursor)]
        cursor: Option<i64>,
    },
    /// One, with what changed and why each recipe did or did not run.
    Show {
        /// Its id.
        id: String,
    },
}

pub async fn run(global: &Global, command: Command) -> Result<u8, Failure> {
    if let Command::List { kind: Some(kind), .. } = &command
        && !is_type(kind)
    {
        print::word("--type", Some(kind.clone()), TYPES)?;
    }
    let (config, store) = super::store_to_read(global).await?;
    match command {
        Command::List {
            source,
            code,
            kind,
            since,
            limit,
            cursor,
        } => {
            let since = since.as_deref().map(|since| print::since(since, &config)).transpose()?;
            let filter = Filter {
                source,
                code,
                state: kind,
                since,
                limit,
                cursor,
                ..Filter::default()
            };
            let page = store.events(&filter).await?;
            print::page(global.output, &page, &["event", "at", "source", "types"], |event| {
                vec![
                    event.id.clone(),
                    print::time(event.at_ms),
                    event.source.clone(),
                    event.types.join(", "),
                ]
            });
            Ok(FINE)
        }
        Command::Show { id } => {
            let Some(event) = store.event(&id).await? else {
                return Err(Failure::new(FINDINGS, format!("there is no event {id}")));
            };
            if global.output == Output::Json {
                print::print_json(&json!(event));
                return Ok(FINE);
            }
            sayln!("{}  {}  {}", event.id, print::time(event.at_ms), event.types.join(", "));
            if let Some(whole) = &event.event {
                sayln!("\nchanges: {:#}", whole["changes"]);
            }
            for recipe in event
                .explanation
                .iter()
                .flat_map(|all| all.as_array().into_iter().flatten())
            {
                let text = |name: &str| recipe[name].as_str().unwrap_or_default().to_owned();
                sayln!(
                    "\n{}: {} ({})",
                    text("recipe"),
                    text("result").replace('_', " "),
                    text("because")
                );
                for check in recipe["conditions"].as_array().into_iter().flatten() {
                    let mark = if check["held"] == true { "yes" } else { "NO " };
                    sayln!(
                        "  {mark} {}  saw {}",
                        check["condition"].as_str().unwrap_or_default(),
                        check["saw"].as_str().unwrap_or_default()
                    );
                }
            }
            Ok(FINE)
        }
    }
}
