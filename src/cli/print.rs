//! Tables and JSON on standard output.

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::clock::{Clock, Time, from_ms};
use crate::store::Page;

use super::{Failure, Output, USAGE};

/// The widest a column gets, in characters.
const COLUMN_MAX: usize = 60;

/// Prints a page: as `{"items": …, "next": …}` or as a table with these columns.
pub fn page<T: Serialize>(output: Output, page: &Page<T>, heads: &[&str], row: impl Fn(&T) -> Vec<String>) {
    match output {
        Output::Json => print_json(&json!({"items": page.items, "next": page.next})),
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
    println!("{value:#}");
}

/// Prints a table, columns as wide as they need to be.
pub fn table(heads: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        println!("nothing");
        return;
    }
    let clean = |text: &str| {
        // What came from outside must not steer the terminal.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match text.chars().count() {
            n if n > COLUMN_MAX => text.chars().take(COLUMN_MAX - 1).chain(['…']).collect(),
            _ => text,
        }
    };
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| clean(cell)).collect())
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

/// `--since`: a duration back from now, a date, or a time with offset.
pub fn since(text: &str) -> Result<Time, Failure> {
    if let Some(span) = crate::lang::duration::parse(text) {
        return Ok(Clock::System.now() - span);
    }
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    if let Some(at) = text
        .parse::<chrono::NaiveDate>()
        .ok()
        .and_then(|date| date.and_hms_opt(0, 0, 0))
    {
        return Ok(at.and_utc());
    }
    Err(Failure::new(
        USAGE,
        format!("--since takes `24h`, `2026-11-22` or `2026-11-22T09:00:00Z`, not `{text}`"),
    ))
}
