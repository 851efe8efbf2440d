//! `>`, `>=`, `<` and `<=`: what they compare with, and exact numbers, dates and instants to compare.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use serde_json::Value;

use super::Against;
use crate::lang::diag::Report;
use crate::lang::duration;
use crate::lang::yaml::Node;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    Number(Decimal),
    Date(NaiveDate),
    Time(DateTime<FixedOffset>),
    Span(TimeDelta),
}

pub(super) const ORDERS: &[(&str, Order)] = &[
    (">=", Order::AtLeast),
    ("<=", Order::AtMost),
    (">", Order::More),
    ("<", Order::Less),
];

/// What stands behind `>`, `>=`, `<` or `<=`.
pub(super) fn bound(
    key: &str,
    sign: &str,
    text: &str,
    node: &Node,
    against: Against,
    report: &mut Report,
) -> Option<Bound> {
    let found = match against {
        Against::Text => {
            let title = format!("`{key}` is a text: `{sign}` has nothing to compare");
            report
                .mistake("no-order", &node.place, title)
                .help("write the text itself, with `*` for anything");
            return None;
        }
        Against::Span => duration::parse(text).map(Bound::Span),
        Against::Number => number(text).map(Bound::Number),
        Against::Date => day(text).map(Bound::Date),
        Against::Time => instant(text).map(Bound::Time).or_else(|| day(text).map(Bound::Date)),
        Against::Anything => number(text)
            .map(Bound::Number)
            .or_else(|| day(text).map(Bound::Date))
            .or_else(|| instant(text).map(Bound::Time)),
    };
    if found.is_none() {
        let what = match against {
            Against::Span => "a duration such as `24h` or `3d`",
            Against::Date => "a date such as `2027-03-27`",
            Against::Time => "a date, or a time such as `2027-03-27T15:00:00Z`",
            _ => "one number",
        };
        let title = format!("`{key}: {sign}` compares with {what}, not `{text}`");
        report
            .mistake("expected-value", &node.place, title)
            .help("anything more is written in `when`");
    }
    found
}

impl Order {
    pub(super) fn holds(self, found: std::cmp::Ordering) -> bool {
        match self {
            Order::Less => found.is_lt(),
            Order::AtMost => found.is_le(),
            Order::More => found.is_gt(),
            Order::AtLeast => found.is_ge(),
        }
    }
}

impl Bound {
    /// How this bound stands to another one of its kind.
    pub(super) fn to(&self, other: &Bound) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Bound::Number(a), Bound::Number(b)) => Some(a.cmp(b)),
            (Bound::Date(a), Bound::Date(b)) => Some(a.cmp(b)),
            (Bound::Time(a), Bound::Time(b)) => Some(a.cmp(b)),
            (Bound::Span(a), Bound::Span(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// How the value stands to the bound; `None` where it is not of its kind.
    pub(super) fn compare(&self, value: &Value) -> Option<std::cmp::Ordering> {
        let text = match value {
            Value::Number(value) => value.to_string(),
            Value::String(value) => value.trim().to_owned(),
            _ => return None,
        };
        Some(match self {
            Bound::Number(bound) => number(&text)?.cmp(bound),
            Bound::Date(bound) => date(&text)?.cmp(bound),
            Bound::Time(bound) => instant(&text)?.cmp(bound),
            Bound::Span(_) => return None,
        })
    }
}

/// An exact decimal; `None` for what is none or has more digits than can be held.
pub(super) fn number(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|_| text.len() == 10)
}

/// The local date of a date or a time, as it is written.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let rest = text.get(10..)?;
    if !rest.is_empty() && !rest.starts_with(['T', 't', ' ']) {
        return None;
    }
    day(text.get(..10)?)
}

fn instant(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(text).ok()
}
