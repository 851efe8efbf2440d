//! What is done to a value once it is found, before words are translated: parts of texts, and texts that say nothing.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::super::path::Compiling;
use super::{Found, scalar_text};
use crate::lang::fields::Fields;
use crate::lang::yaml::Node;

/// The largest compiled expression in bytes; what people write for an id stays far below it.
const REGEX_MAX: usize = 1 << 16;

/// The steps, in the order in which they are taken.
#[derive(Clone, Debug, Default)]
pub(in crate::source) struct Refine {
    absent: Vec<String>,
    strip: Option<String>,
    pattern: Option<Regex>,
    part: Option<Part>,
}

/// Half of a name that is sent whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    First,
    Last,
}

impl Refine {
    /// Reads its settings from those of a value.
    pub(super) fn compile(fields: &mut Fields<'_>, cx: &mut Compiling<'_>) -> Refine {
        let absent = fields.get("absent").map(|node| words(node, cx)).unwrap_or_default();
        let strip = fields.text("strip", cx.report).map(str::to_owned);
        let written = fields.text("match", cx.report).map(str::to_owned);
        let pattern = written.and_then(|written| {
            let built = RegexBuilder::new(&written).size_limit(REGEX_MAX).build();
            if let (Err(why), Some(node)) = (&built, fields.get("match")) {
                let why = why.to_string();
                let why = why
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim()
                    .trim_start_matches("error: ");
                let title = format!("`match` is not readable as a regular expression: {why}");
                cx.report
                    .mistake("bad-pattern", &node.place, title)
                    .help("for example `match: \"^B([0-9]+)$\"`: the first group counts, else all that fits");
            }
            built.ok()
        });
        let part = fields.word("part", cx.report).map(|word| match word {
            "last_name" => Part::Last,
            _ => Part::First,
        });
        Refine {
            absent,
            strip,
            pattern,
            part,
        }
    }

    fn idle(&self) -> bool {
        self.absent.is_empty() && self.strip.is_none() && self.pattern.is_none() && self.part.is_none()
    }

    /// What is left of a value that was found.
    pub(super) fn found<'v>(&self, found: Found<'v>) -> Found<'v> {
        match found {
            Found::Empty if self.absent.iter().any(String::is_empty) => Found::Absent,
            Found::Value(value) if !self.idle() => {
                let Some(text) = scalar_text(&value) else {
                    return Found::Value(value);
                };
                match self.text(&text) {
                    None => Found::Absent,
                    Some(left) if left == text => Found::Value(value),
                    Some(left) if left.is_empty() => Found::Empty,
                    Some(left) => Found::Value(Cow::Owned(Value::String(left))),
                }
            }
            other => other,
        }
    }

    /// What is left of a text; `None` where it says nothing.
    pub(super) fn text(&self, text: &str) -> Option<String> {
        if self.absent.iter().any(|absent| absent == text) {
            return None;
        }
        let mut text = match &self.strip {
            Some(prefix) => text.strip_prefix(prefix.as_str()).unwrap_or(text),
            None => text,
        };
        if let Some(pattern) = &self.pattern {
            let fits = pattern.captures(text)?;
            // Of several groups the one that took part: `^B(\d+)$|^#(\d+)$`.
            text = fits.iter().skip(1).flatten().next().or_else(|| fits.get(0))?.as_str();
        }
        Some(match self.part {
            Some(part) => half(text, part),
            None => text.trim().to_owned(),
        })
    }
}

fn words(node: &Node, cx: &mut Compiling<'_>) -> Vec<String> {
    if node.items().is_empty() {
        cx.report
            .mistake("empty-list", &node.place, "`absent` needs at least one text");
    }
    let mut words = Vec::new();
    for item in node.items() {
        let title = || format!("`absent` names texts, this is {}", item.what());
        match scalar_text(&item.value()) {
            Some(word) if !item.is_null() => words.push(word),
            _ => _ = cx.report.mistake("expected-text", &item.place, title()),
        }
    }
    words
}

/// The first or last name in `Chiara De Luca` or `De Luca, Chiara`: a single word is a first name.
fn half(name: &str, part: Part) -> String {
    let name = name.trim();
    let (first, last) = match name.split_once(',') {
        Some((last, first)) => (first, last),
        None => name.split_once(char::is_whitespace).unwrap_or((name, "")),
    };
    let half = match part {
        Part::First => first,
        Part::Last => last,
    };
    half.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_halves() {
        for (whole, first, last) in [
            ("Chiara De Luca", "Chiara", "De Luca"),
            ("De Luca, Chiara", "Chiara", "De Luca"),
            ("Cher", "Cher", ""),
            ("  Ana   Lopez ", "Ana", "Lopez"),
            ("", "", ""),
            (", Ana", "Ana", ""),
        ] {
            assert_eq!(half(whole, Part::First), first, "{whole}");
            assert_eq!(half(whole, Part::Last), last, "{whole}");
        }
    }
}
