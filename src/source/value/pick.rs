//! One value out of several.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::moment::decimal;
use super::{Found, scalar_text};

/// Which of several values, or what of all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pick {
    First,
    Last,
    Min,
    Max,
    Sum,
    Count,
}

impl Pick {
    /// As it is written.
    pub(super) fn of_word(word: &str) -> Pick {
        match word {
            "last" => Pick::Last,
            "min" => Pick::Min,
            "max" => Pick::Max,
            "sum" => Pick::Sum,
            "count" => Pick::Count,
            _ => Pick::First,
        }
    }
}

/// One value of what a path found, as `pick` says; the first where it says nothing.
pub(super) fn choose<'v>(pick: Option<Pick>, found: &[&'v Value], path: &str) -> Found<'v> {
    let there: Vec<&'v Value> = found
        .iter()
        .copied()
        .filter(|value| !value.is_null() && !is_empty(value))
        .collect();
    let Some(first) = there.first().copied() else {
        return match found.first() {
            None => Found::Absent,
            Some(value) if value.is_null() => Found::Null,
            Some(_) => Found::Empty,
        };
    };
    let Some(pick) = pick else {
        return Found::Value(Cow::Borrowed(first));
    };
    // A path to one list means its items: `$.nights` is as good as `$.nights[*]`.
    let items: Vec<&'v Value> = match there.as_slice() {
        [Value::Array(items)] => items.iter().filter(|item| !item.is_null()).collect(),
        _ => there,
    };
    let numbers = || {
        items
            .iter()
            .map(|item| scalar_text(item).and_then(|t| decimal(&t)))
            .collect::<Option<Vec<_>>>()
    };
    let (Some(first), Some(last)) = (items.first().copied(), items.last().copied()) else {
        return match pick {
            Pick::Count => Found::Value(Cow::Owned(Value::from(0))),
            _ => Found::Absent,
        };
    };
    match pick {
        Pick::First => Found::Value(Cow::Borrowed(first)),
        Pick::Last => Found::Value(Cow::Borrowed(last)),
        Pick::Count => Found::Value(Cow::Owned(Value::from(items.len()))),
        Pick::Sum => {
            let sum = numbers().and_then(|n| n.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add));
            match sum.and_then(|sum| sum.to_string().parse().ok()) {
                Some(sum) => Found::Value(Cow::Owned(Value::Number(sum))),
                None => Found::Odd(format!("`{path}` cannot be added up: not all of it is a number")),
            }
        }
        Pick::Min | Pick::Max => {
            let texts: Option<Vec<String>> = items.iter().map(|item| scalar_text(item)).collect();
            let Some(texts) = texts else {
                return Found::Odd(format!(
                    "`{path}` cannot be compared: not all of it is a text or number"
                ));
            };
            let numbers = numbers();
            let order = |a: &usize, b: &usize| match &numbers {
                Some(numbers) => numbers[*a].cmp(&numbers[*b]),
                None => texts[*a].cmp(&texts[*b]),
            };
            let at = match pick {
                Pick::Min => (0..items.len()).min_by(order),
                _ => (0..items.len()).max_by(order),
            };
            at.map_or(Found::Absent, |at| Found::Value(Cow::Borrowed(items[at])))
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}
