//! Tables and JSON on standard output.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Config;
use crate::lang::diag::did_you_mean;
use crate::model::clock::{Clock, Time, from_ms};
use crate::recipe::Book;
use crate::store::Page;

use super::{Failure, Output, USAGE};

/// The widest a column gets, in characters; the last one, a reason in most lists, has more room.
const COLUMN_MAX: usize = 60;
const LAST_MAX: usize = 200;
/// The longest page.
const LIMIT_MAX: usize = 500;

/// Writes a line as `println!` does, with two differences: nothing in it steers the terminal, and a reader that has gone
/// away (`| head`) is no failure.
macro_rules! sayln {
    ($($argument:tt)*) => {
        $crate::cli::print::line(&format!($($argument)*))
    };
}
pub(crate) use sayln;

/// What `sayln!` does.
pub fn line(text: &str) {
    let written = writeln!(std::io::stdout(), "{}", harmless(text));
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("standard output: {error}");
    }
}

/// Whether a terminal would do something else with it than show it: control characters, and those that turn the
/// direction of the text around (<https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>).
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What came from outside must not steer the terminal; lines and tabs stay.
pub fn harmless(text: &str) -> String {
    let keep = |c: char| !steers(c) || matches!(c, '\n' | '\t');
    text.chars().map(|c| if keep(c) { c } else { '\u{fffd}' }).collect()
}

/// The same for JSON, where such characters can only stand in texts and are written as escapes.
pub fn harmless_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(c),
            c if steers(c) => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

/// Prints a page: as `{"items": …, "next": …}` or as a table with these columns.
pub fn page<T: Serialize>(output: Output, page: &Page<T>, heads: &[&str], row: impl Fn(&T) -> Vec<String>) {
    let rows = page.items.iter().map(row).collect();
    list(
        output,
        json!(page.items),
        page.next.map(|next| next.to_string()),
        heads,
        rows,
    );
}

/// The same of what is a page already, as JSON and as rows.
pub fn list(output: Output, items: Value, next: Option<String>, heads: &[&str], rows: Vec<Vec<String>>) {
    match output {
        Output::Json => print_json(&json!({"items": items, "next": next})),
        Output::Table => {
            table(heads, rows);
            if let Some(next) = next {
                sayln!("\nmore with --cursor {next}");
            }
        }
    }
}

/// Prints JSON over several lines.
pub fn print_json(value: &Value) {
    let mut value = value.clone();
    crate::web::with_readable_times(&mut value);
    line(&harmless_json(&format!("{value:#}")));
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

/// "1 delivery", "3 deliveries", "2 runs".
pub fn count(n: u64, word: &str) -> String {
    match (n, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (n, Some(stem)) => format!("{n} {stem}ies"),
        (n, None) => format!("{n} {word}s"),
    }
}

/// Refuses the name of a recipe that no file has, also none with a mistake.
pub fn known_recipe(book: &Book, name: &str) -> Result<(), Failure> {
    let whole = book.all().iter().map(|recipe| recipe.name.as_str());
    let broken = book.broken().iter().filter_map(|broken| broken.name.as_deref());
    let names: Vec<&str> = whole.chain(broken).collect();
    word("--recipe", Some(name.to_owned()), &names).map(drop)
}

/// Prints a table, columns as wide as they need to be.
pub fn table(heads: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        sayln!("nothing");
        return;
    }
    let last = heads.len() - 1;
    let clean = |column: usize, text: &str| {
        let most = if column == last { LAST_MAX } else { COLUMN_MAX };
        let text: String = text.chars().map(|c| if steers(c) { ' ' } else { c }).collect();
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
    let row = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        sayln!("{}", padded.join("  ").trim_end());
    };
    row(heads.to_vec());
    for cells in &rows {
        row(cells.iter().map(String::as_str).collect());
    }
}

/// Asks whether to go on.
///
/// # Errors
///
/// Where nobody is there to ask.
pub fn confirmed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            USAGE,
            "nobody is there to ask; --yes does it without asking",
        ));
    }
    print!("Go on? [y/N] ");
    let failed = |error: std::io::Error| Failure::new(USAGE, error.to_string());
    std::io::stdout().flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
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

/// A text in lines of at most `width` characters; those after the first begin with `hang`. A longer word stays whole.
pub fn wrapped(text: &str, width: usize, hang: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let length = line.chars().count() + 1 + word.chars().count();
        if !line.trim().is_empty() && length > width {
            lines.push(std::mem::replace(&mut line, hang.to_owned()));
        } else if !line.trim().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_steers_the_terminal() {
        for (text, shown) in [
            ("Ana\nB\tÜ é 家 👩\u{200d}👧", "Ana\nB\tÜ é 家 👩\u{200d}👧"),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "\u{fffd}[2J\u{fffd}]0;x\u{fffd}"),
            ("a\rb\u{8}c\u{7f}", "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("\u{9b}31m", "\u{fffd}31m"),
            ("\u{202e}gnp.exe\u{2066}", "\u{fffd}gnp.exe\u{fffd}"),
        ] {
            assert_eq!(harmless(text), shown);
            let value = json!({"a": [text]});
            let printed = harmless_json(&format!("{value:#}"));
            assert!(!printed.chars().any(|c| steers(c) && c != '\n'), "{printed:?}");
            assert_eq!(serde_json::from_str::<Value>(&printed).ok(), Some(value));
        }
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7, ""), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 7, "  "), ["one two", "  three"]);
        assert_eq!(wrapped("incomprehensible", 4, ""), ["incomprehensible"]);
        assert_eq!(wrapped("", 4, ""), [""]);
    }
}
