//! A body without anybody in it: for tests. What the mapping knows as a status, date, amount, currency or count keeps its
//! value, and so do the words that the mapping itself names; everything else becomes a placeholder of the same shape. What is
//! not known is replaced, so a field that nobody has thought of is never given away.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use serde_json::{Map, Number, Value};

use crate::source::{Allowed, Source};

/// How often another placeholder is tried before two originals share one.
const TRIES: usize = 1000;
/// The longest name of a field in characters, and the digits it may have; other names are somebody's id.
const NAME_MAX: usize = 60;
const NAME_DIGITS_MAX: usize = 2;

/// The body and its kept headers without anybody in them. Without a source nothing is known, and everything is replaced.
pub fn anonymous(
    body: &Value,
    headers: &BTreeMap<String, String>,
    source: Option<&Source>,
) -> (Value, BTreeMap<String, String>) {
    let head = |(name, text): (&String, &String)| (name.clone(), Value::from(text.as_str()));
    let head: BTreeMap<String, Value> = headers.iter().map(head).collect();
    let mut placeholders = Placeholders {
        allowed: source.map(|source| source.allowed(body, &head)).unwrap_or_default(),
        ..Placeholders::default()
    };
    let body = placeholders.value(body);
    let headers = head.iter().map(|(name, value)| match placeholders.value(value) {
        _ if name == "content-type" => (name.clone(), headers[name].clone()),
        new => (name.clone(), new.as_str().unwrap_or_default().to_owned()),
    });
    (body, headers.collect())
}

/// What stands for what, in one body: the same for the same.
#[derive(Default)]
struct Placeholders {
    allowed: Allowed,
    known: HashMap<(String, Vec<bool>), String>,
    given: HashSet<String>,
    /// The number to go on with, by the first text of its shape.
    next: HashMap<String, usize>,
}

impl Placeholders {
    fn value(&mut self, value: &Value) -> Value {
        let allowed = self
            .allowed
            .get(&std::ptr::from_ref(value))
            .cloned()
            .unwrap_or_default();
        let whole = !allowed.is_empty() && allowed.iter().all(|allowed| *allowed);
        match value {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::from(*flag && whole),
            Value::Number(_) if whole => value.clone(),
            // What is no number any more would change the type of the place.
            Value::Number(number) => self
                .text(&number.to_string(), &[])
                .parse()
                .map_or_else(|_| Value::from(0), |number: Number| number.into()),
            Value::String(text) if whole || text.trim().is_empty() => text.as_str().into(),
            Value::String(text) => self.text(text, &allowed).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(entries) => {
                let mut new = Map::new();
                for (name, value) in entries {
                    let mut name = if is_field_name(name) {
                        name.clone()
                    } else {
                        self.text(name, &[])
                    };
                    while new.contains_key(&name) {
                        name.push('_');
                    }
                    let value = self.value(value);
                    new.insert(name, value);
                }
                Value::Object(new)
            }
        }
    }

    /// The text with a placeholder for every byte that is not allowed.
    fn text(&mut self, text: &str, allowed: &[bool]) -> String {
        let original = (text.to_owned(), allowed.to_vec());
        if let Some(known) = self.known.get(&original) {
            return known.clone();
        }
        // Hundreds of one shape: the search goes on where it ended.
        let from = self.next.entry(shaped(text, allowed, 0)).or_default();
        let mut tries = (*from..*from + TRIES).map(|number| (number + 1, shaped(text, allowed, number)));
        let found = tries.find(|(_, new)| !self.given.contains(new));
        let (next, new) = found.unwrap_or_else(|| (*from, shaped(text, allowed, *from)));
        *from = next;
        self.given.insert(new.clone());
        self.known.insert(original, new.clone());
        new
    }
}

/// A text of the same shape: digits for digits, letters for letters, marks as they are. `number` tells those of one shape
/// apart; all days are the same one.
fn shaped(text: &str, allowed: &[bool], number: usize) -> String {
    let day = text
        .get(..10)
        .filter(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok());
    let mut first = true;
    let mut new: Vec<char> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (at, c) in text.char_indices() {
        if allowed.get(at) == Some(&true) {
            new.push(c);
            continue;
        }
        open.push(new.len());
        new.push(match c {
            _ if day.is_some() && at < 10 => char::from(b"2000-01-01"[at]),
            '0'..='9' => {
                if std::mem::take(&mut first) && day.is_none() {
                    '1'
                } else {
                    '0'
                }
            }
            'T' | 'Z' if day.is_some() => c,
            c if c.is_ascii_uppercase() => 'A',
            c if c.is_ascii_lowercase() || !c.is_ascii() => 'a',
            c if c.is_control() => ' ',
            c => c,
        });
    }
    // The number is counted up in the digits, from the right; in the letters where there are none.
    let digits = open.iter().any(|at| new[*at].is_ascii_digit());
    let mut rest = if day.is_some() { 0 } else { number };
    for at in open.into_iter().rev() {
        let (zero, base) = match new[at] {
            c if c.is_ascii_digit() == digits && c.is_ascii_digit() => (b'0', 10),
            c if !digits && c.is_ascii_uppercase() => (b'A', 26),
            c if !digits && c.is_ascii_lowercase() => (b'a', 26),
            _ => continue,
        };
        let sum = usize::from(u8::try_from(new[at]).unwrap_or(zero) - zero) + rest;
        new[at] = char::from(zero + u8::try_from(sum % base).unwrap_or_default());
        rest = sum / base;
    }
    new.into_iter().collect()
}

/// Whether the name of an entry is one that a program gives, and no id that stands for somebody: `{"618340": {…}}`.
fn is_field_name(name: &str) -> bool {
    name.chars().count() <= NAME_MAX
        && name.chars().all(|c| c.is_alphanumeric() || "_-.:/$# ".contains(c))
        && name.chars().filter(|c| c.is_numeric()).count() <= NAME_DIGITS_MAX
}
