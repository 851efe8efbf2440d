//! What is equal, smaller and contained: rules that a person who reads "pets > 0" would expect.

use std::cmp::Ordering;

use chrono::DateTime;

use super::fault::{Fault, Outcome};
use super::meter::Meter;
use super::number::Number;
use super::value::Value;

/// A comparison as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

impl Comparison {
    /// Whether it holds. With a value that was not sent nothing holds, except the question for it.
    pub(super) fn holds(self, left: &Value, right: &Value, meter: &mut Meter) -> Outcome<bool> {
        meter.charge(left.size().min(right.size()))?;
        let asks_for_nothing = matches!(left, Value::Nothing) || matches!(right, Value::Nothing);
        if asks_for_nothing && matches!(self, Comparison::Equal | Comparison::Different) {
            return Ok((left.is_missing() && right.is_missing()) == (self == Comparison::Equal));
        }
        if left.is_missing() || right.is_missing() {
            meter.used(left);
            meter.used(right);
            return Ok(false);
        }
        let order = || order(left, right);
        Ok(match self {
            Comparison::Equal => equal(left, right),
            Comparison::Different => !equal(left, right),
            Comparison::Less => order() == Some(Ordering::Less),
            Comparison::LessOrEqual => order().is_some_and(Ordering::is_le),
            Comparison::Greater => order() == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
            Comparison::In => contains(right, left, meter)?,
            Comparison::NotIn => !contains(right, left, meter)?,
        })
    }
}

/// Which of two values comes first; `None` where that is no question.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => Some(a.compare(b)),
        (Value::Number(a), Value::Text(b)) => Number::parse(b.text.trim()).map(|b| a.compare(&b)),
        (Value::Text(a), Value::Number(b)) => Number::parse(a.text.trim()).map(|a| a.compare(b)),
        (Value::Text(a), Value::Text(b)) => Some(match (instant(&a.text), instant(&b.text)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.text.cmp(&b.text),
        }),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::List(a), Value::List(b)) => {
            a.items.len() == b.items.len() && a.items.iter().zip(&b.items).all(|(a, b)| equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let pairs = a.entries.iter().zip(&b.entries);
            a.entries.len() == b.entries.len() && { pairs }.all(|((ka, a), (kb, b))| ka == kb && equal(a, b))
        }
        _ => (left.is_missing() && right.is_missing()) || order(left, right) == Some(Ordering::Equal),
    }
}

/// Whether a list has an entry, a text has a part, or a map has a key.
pub(super) fn contains(whole: &Value, part: &Value, meter: &mut Meter) -> Outcome<bool> {
    meter.charge(whole.size())?;
    match whole {
        Value::List(list) => {
            // Each entry is compared with the whole of `part`.
            meter.charge(list.items.len().saturating_mul(part.size()).min(whole.size()))?;
            Ok(list.items.iter().any(|item| equal(item, part)))
        }
        Value::Map(map) => Ok(map.entries.contains_key(part.printed().as_str())),
        Value::Text(text) => match part {
            Value::List(_) | Value::Map(_) => Ok(false),
            _ => Ok(text.text.contains(&part.printed())),
        },
        _ => Err(Fault::new(format!("`in` cannot look into {}", whole.kind()))
            .help("put a list or a text on its right, as in `reservation.status in ['booked', 'blocked']`")),
    }
}

fn instant(text: &str) -> Option<DateTime<chrono::FixedOffset>> {
    // Shorter than any instant and longer than any instant: most texts need no closer look.
    (20..=40)
        .contains(&text.len())
        .then(|| DateTime::parse_from_rfc3339(text).ok())
        .flatten()
}
