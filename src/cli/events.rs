//! `events`: what changed.

use serde_json::json;

use crate::model::event::{TYPES, is_type};

use super::print::sayln;
use super::select::Select;
use super::{FINDINGS, FINE, Failure, Global, Output, print};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The newest first.
    List {
        #[command(flatten)]
        select: Select,
        /// Of this type: `reservation.confirmed`.
        #[arg(long = "type")]
        kind: Option<String>,
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
        Command::List { select, kind } => {
            let filter = select.filter(kind, None, &config, &store).await?;
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
