//! `reservations timeline`: everything about one stay in one column, with a line where now is.

use serde_json::{Value, json};

use crate::model::clock::Clock;
use crate::web::{Entry, Kind, tell};

use super::super::print::{sayln, wrapped};
use super::super::{FINE, Failure, Global, Output, print, store_to_read};

/// How wide the text gets, in characters.
const WIDTH: usize = 100;
/// How wide the word for the sort of thing is.
const LABEL: usize = 10;

pub async fn run(global: &Global, source: &str, code: &str) -> Result<u8, Failure> {
    let (config, store) = store_to_read(global).await?;
    let stay = super::one(&store, &config, global.output, source, code).await?;
    let history = store.history(stay).await?;
    let now = Clock::System.now();
    let told = tell(&history, &config.properties, now);
    if global.output == Output::Json {
        let items: Vec<Value> = told.entries.iter().map(|entry| entry.json(&told.local)).collect();
        print::print_json(&json!({"items": items, "next": null}));
        return Ok(FINE);
    }
    sayln!("{}", told.head);
    sayln!("all times are those of {}\n", told.local.zone.name());
    let time = |entry: &Entry| told.local.whole(entry.at);
    let today = told.local.whole(now);
    let widths = told.entries.iter().map(|entry| time(entry).chars().count());
    let width = widths.chain([today.chars().count()]).max().unwrap_or_default();
    let mut before = String::new();
    let mut ahead = false;
    for entry in &told.entries {
        if entry.kind == Kind::Ahead && !std::mem::replace(&mut ahead, true) {
            line_of_now(&today);
            before.clear();
        }
        let at = time(entry);
        // What happens in the same minute stands together.
        let shown = if at == before { "" } else { at.as_str() };
        for (n, line) in lines(entry, WIDTH.saturating_sub(width + LABEL + 4)).iter().enumerate() {
            let (shown, label) = if n == 0 { (shown, entry.kind.label()) } else { ("", "") };
            sayln!("{shown:<width$}  {label:<LABEL$}  {line}");
        }
        before = at;
    }
    if !ahead {
        line_of_now(&today);
        sayln!("nothing is ahead");
    }
    Ok(FINE)
}

fn line_of_now(today: &str) {
    sayln!("{today}  ──── now ────");
}

/// An entry's lines, none wider than `width`; what belongs to it stands further in.
fn lines(entry: &Entry, width: usize) -> Vec<String> {
    let mut lines = wrapped(&entry.text, width, "");
    for more in &entry.more {
        let more = wrapped(more, width - 2, "  ");
        lines.extend(more.into_iter().map(|line| format!("  {line}")));
    }
    lines
}
