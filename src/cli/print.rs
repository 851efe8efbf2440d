//! Tables and JSON on standard output.

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Config;
use crate::lang::diag::did_you_mean;
use crate::model::clock::{Clock, Time, from_ms};
use crate::store::Page;

use super::{Failure, Output, USAGE};

/// The widest a column gets, in characters; the last one, a reason in most lists, has more room.
const COLUMN_MAX: usize = 60;
const LAST_MAX: usize = 200;
/// The longest page.
const LIMIT_MAX: usize = 500;

/// Prints a page: as `{"items": …, "next": …}` or as a table with these columns.
pub fn page<T: Serialize>(output: Output, page: &Page<T>, heads: &[&str], row: impl Fn(&T) -> Vec<String>) {
    match output {
        Output::Json => {
            let next = page.next.map(|next| next.to_string());
            print_json(&json!({"items": page.items, "next": next}));
        }
        Output::Table => {
            table(heads, page.items.iter().map(row).collect());
            if let Some(next) = page.next {
                println!("\nmore with --cursor {next}");
            }
        }
    }
}

/// Prints JSON over several lines.
pub fn print_json(value: &Value) {
    let mut value = value.clone();
    crate::web::with_readable_times(&mut value);
    println!("{value:#}");
}

/// A word that a filter takes, or a refusal with what it could be.
pub fn word(option: &str, given: Option<String>, words: &[&str]) -> Result<Option<String>, Failure> {
    match given {
        Some(given) if !words.contains(&given.as_str()) => {
            let instead = match did_you_mean(&given, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it is one of {}", words.join(", ")),
            };
            Err(Failure::new(
                USAGE,
                format!("{option} does not take `{given}`; {instead}"),
            ))
        }
        given => Ok(given),
    }
}

/// Reads `--limit`: 1 to 500.
pub fn limit(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    number.ok_or_else(|| format!("it is a number from 1 to {LIMIT_MAX}"))
}

/// Reads `--cursor`.
pub fn cursor(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|cursor| *cursor > 0);
    number.ok_or_else(|| "it is what the page before ends with".to_owned())
}

/// "1 delivery", "3 deliveries".
pub fn deliveries(n: u64) -> String {
    if n == 1 {
        "1 delivery".to_owned()
    } else {
        format!("{n} deliveries")
    }
}

/// Prints a table, columns as wide as they need to be.
pub fn table(heads: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        println!("nothing");
        return;
    }
    let last = heads.len() - 1;
    let clean = |column: usize, text: &str| {
        let most = if column == last { LAST_MAX } else { COLUMN_MAX };
        // What came from outside must not steer the terminal.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match text.chars().count() {
            n if n > most => text.chars().take(most - 1).chain(['…']).collect(),
            _ => text,
        }
    };
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().enumerate().map(|(at, cell)| clean(at, cell)).collect())
        .collect();
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(heads.to_vec());
    for row in &rows {
        line(row.iter().map(String::as_str).collect());
    }
}

/// A stored time for people, in UTC.
pub fn time(ms: i64) -> String {
    from_ms(ms).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `--since`, as the API reads it: a duration back from now, a date (its first moment in the configured zone), or a time
/// with offset.
pub fn since(text: &str, config: &Config) -> Result<Time, Failure> {
    crate::web::read_since(text, Clock::System.now(), &config.properties).ok_or_else(|| {
        let title = format!("--since takes `24h`, `2026-11-22` or `2026-11-22T09:00:00Z`, not `{text}`");
        Failure::new(USAGE, title)
    })
}
