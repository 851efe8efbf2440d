//! `upcoming`: what will go out, the soonest first.

use crate::model::clock::Clock;
use crate::store::Ahead;
use crate::web::{Coming, cursor, place, within};

use super::select::heard_of;
use super::{FINE, Failure, Global, USAGE, print};

/// `stayhook upcoming`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of this recipe.
    #[arg(long)]
    recipe: Option<String>,
    /// Of stays of this source.
    #[arg(long)]
    source: Option<String>,
    /// Of the stay with this code or other name.
    #[arg(long)]
    code: Option<String>,
    /// From now on for so long: `24h`, `7d`.
    #[arg(long, value_name = "SPAN")]
    within: Option<String>,
    /// At most so many, from 1 to 500; 50 where nothing is said.
    #[arg(long, value_parser = print::limit)]
    limit: Option<usize>,
    /// Where the last page ended.
    #[arg(long)]
    cursor: Option<String>,
}

pub async fn run(global: &Global, args: Args) -> Result<u8, Failure> {
    let now = Clock::System.now();
    let before = args.within.as_deref().map(|text| {
        let title = || Failure::new(USAGE, format!("--within takes `24h` or `7d`, not `{text}`"));
        within(text, now).ok_or_else(title)
    });
    let after = args.cursor.as_deref().map(|text| {
        let title = || Failure::new(USAGE, "--cursor takes what the page before ends with");
        place(text).ok_or_else(title)
    });
    let ahead = Ahead {
        recipe: args.recipe,
        source: args.source,
        code: args.code,
        before: before.transpose()?,
        after: after.transpose()?,
        limit: args.limit,
    };
    let (config, store) = super::store_to_read(global).await?;
    heard_of(ahead.source.as_deref(), ahead.recipe.as_deref(), &config, &store).await?;
    let (rows, next) = store.upcoming(&ahead).await?;
    let coming: Vec<Coming<'_>> = rows
        .iter()
        .map(|row| Coming::of(row, &config.properties, now))
        .collect();
    let heads = ["when", "", "recipe", "code", "property", "state", "what"];
    let row = |(coming, row): (&Coming<'_>, &crate::store::AheadRow)| {
        vec![
            coming.local.whole(coming.at),
            coming.local.distance(coming.at),
            row.run.recipe.clone(),
            row.run.code.clone().unwrap_or_default(),
            coming.property.clone().unwrap_or_default(),
            row.run.state.clone(),
            coming.entry.clone(),
        ]
    };
    let items = coming.iter().map(Coming::json).collect();
    let rows = coming.iter().zip(&rows).map(row).collect();
    print::list(global.output, items, next.map(cursor), &heads, rows);
    Ok(FINE)
}
