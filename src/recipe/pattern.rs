//! The values of `match`: texts with `*`, numbers, comparisons, and what they hold against.

mod order;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::lang::diag::Report;
use crate::lang::glob::glob;
use crate::lang::yaml::{Kind, Node};
use crate::model::field::FieldKind;

use super::conditions::listed;
use order::{Bound, ORDERS, Order, bound, date, number};

/// What a pattern will be held against, so that one that can never hold is found when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// A value of the sender's or of the user's own vars: anything.
    Anything,
    /// Text.
    Text,
    /// A number.
    Number,
    /// A local date.
    Date,
    /// An instant.
    Time,
    /// A span of time.
    Span,
}

impl From<FieldKind> for Against {
    fn from(kind: FieldKind) -> Against {
        match kind {
            FieldKind::Text | FieldKind::List | FieldKind::Status | FieldKind::Kind => Against::Text,
            FieldKind::Count | FieldKind::Money => Against::Number,
            FieldKind::Date => Against::Date,
            FieldKind::Time => Against::Time,
        }
    }
}

/// One or more patterns, of which one has to hold.
#[derive(Clone, Debug)]
pub(super) struct AnyOf(Vec<Pattern>);

#[derive(Clone, Debug)]
enum Pattern {
    /// Not sent.
    Nothing,
    Flag(bool),
    /// A number as it was written, and its value.
    Number(String, Decimal),
    /// A text in lower case; `*` stands for anything.
    Text(String),
    Not(Box<Pattern>),
    Order(Order, Bound),
}

impl AnyOf {
    /// Reads the value of a key of `match`.
    pub(super) fn read(key: &str, node: &Node, against: Against, report: &mut Report) -> Option<AnyOf> {
        let items = listed(node, key, report)?;
        let read: Vec<_> = items.iter().map(|item| one(key, item, against, report)).collect();
        let patterns = read.into_iter().collect::<Option<Vec<_>>>()?;
        if cover_all(&patterns) {
            let written: Vec<&str> = items.iter().filter_map(Node::scalar).collect();
            let (first, second) = (written[0], opposite(written[1]));
            let title = format!("this holds for every value of `{key}`: a list means any of them");
            report.warning("always-holds", &node.place, title).help(format!(
                "for all of them at once write `{key}: \"{first}\"` and `not: {{{key}: \"{second}\"}}`"
            ));
        }
        Some(AnyOf(patterns))
    }

    /// Whether one of them holds for a value; null is "not sent".
    pub(super) fn holds(&self, value: &Value) -> bool {
        self.0.iter().any(|pattern| pattern.holds(value))
    }

    /// Whether one of them holds for a span of time.
    pub(super) fn holds_for_span(&self, span: TimeDelta) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Order(order, Bound::Span(bound)) => order.holds(span.cmp(bound)),
            _ => false,
        })
    }
}

fn one(key: &str, node: &Node, against: Against, report: &mut Report) -> Option<Pattern> {
    let Kind::Scalar(scalar) = &node.kind else {
        let title = format!("`{key}` is a value or a list of values, this is {}", node.what());
        report.mistake("expected-value", &node.place, title);
        return None;
    };
    let text = scalar.text.trim();
    if scalar.plain && against == Against::Text && text.contains(", ") {
        let help = format!("several are a list: `{key}: [{text}]`; for the one text put it in quotes");
        report
            .warning(
                "one-text",
                &node.place,
                format!("`{text}` is one text with a comma in it"),
            )
            .help(help);
    }
    if let Some(rest) = text.strip_prefix("!=") {
        let inner = plain(key, rest.trim(), None, node, against, report)?;
        return Some(Pattern::Not(Box::new(inner)));
    }
    for (sign, order) in ORDERS {
        if let Some(rest) = text.strip_prefix(sign) {
            return bound(key, sign, rest.trim(), node, against, report).map(|bound| Pattern::Order(*order, bound));
        }
    }
    if let Some((sign, rest)) = [(">=", "=>"), ("<=", "=<")]
        .into_iter()
        .find_map(|(sign, slip)| Some((sign, text.strip_prefix(slip)?)))
    {
        report
            .mistake(
                "unknown-comparison",
                &node.place,
                "the sign is written the other way round",
            )
            .help(format!("write `{key}: \"{sign} {}\"`", rest.trim()));
        return None;
    }
    if text.starts_with('=') {
        let value = text.trim_start_matches('=').trim();
        report
            .mistake("unknown-comparison", &node.place, "equal is written without a sign")
            .help(format!("write `{key}: {value}`"));
        return None;
    }
    plain(key, text, Some(node.value()), node, against, report)
}

/// A value without a sign. `typed` is what YAML takes it for; behind `!=` the text alone says.
fn plain(
    key: &str,
    text: &str,
    typed: Option<Value>,
    node: &Node,
    against: Against,
    report: &mut Report,
) -> Option<Pattern> {
    let typed = typed.unwrap_or_else(|| match text {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => serde_json::from_str(text)
            .ok()
            .filter(Value::is_number)
            .unwrap_or_else(|| text.into()),
    });
    let mut wrong = |what: &str, example: &str| {
        report
            .mistake(
                "expected-value",
                &node.place,
                format!("`{key}` is {what}, not `{text}`"),
            )
            .help(format!("such as `{key}: {example}`"));
        None
    };
    match (against, typed) {
        (Against::Span, _) => wrong("compared with a duration", "\"> 24h\""),
        (_, Value::Null) => Some(Pattern::Nothing),
        (Against::Number, typed) => match number(text) {
            Some(number) if !typed.is_boolean() => Some(Pattern::Number(text.to_owned(), number)),
            _ => wrong("a number", "\">= 2\""),
        },
        (Against::Date, _) if date(text).is_none() && !text.contains('*') => wrong("a date", "2027-03-27"),
        (Against::Time, _) if date(text).is_none() && !text.contains('*') => wrong("a time", "\"> 2027-03-27\""),
        (Against::Anything, Value::Bool(flag)) => Some(Pattern::Flag(flag)),
        (Against::Anything, Value::Number(_)) => Some(match number(text) {
            Some(number) => Pattern::Number(text.to_owned(), number),
            None => Pattern::Text(text.to_lowercase()),
        }),
        // A local date stands at the beginning of an instant.
        (Against::Time, _) if text.len() == 10 => Some(Pattern::Text(format!("{}*", text.to_lowercase()))),
        _ => Some(Pattern::Text(text.to_lowercase())),
    }
}

/// The comparison that holds where this one does not: `> 5` for `<= 5`.
fn opposite(text: &str) -> String {
    let signs = [(">=", "<"), ("<=", ">"), (">", "<="), ("<", ">=")];
    let mut found = signs
        .iter()
        .filter_map(|(sign, other)| Some((text.trim().strip_prefix(sign)?, other)));
    found
        .next()
        .map_or_else(|| text.to_owned(), |(rest, other)| format!("{other} {}", rest.trim()))
}

/// Whether two comparisons leave nothing out between them: `>= 2` and `<= 5`.
fn cover_all(patterns: &[Pattern]) -> bool {
    let orders = || {
        patterns.iter().filter_map(|pattern| match pattern {
            Pattern::Order(order, bound) => Some((order, bound)),
            _ => None,
        })
    };
    let upwards = |order: &Order| matches!(order, Order::More | Order::AtLeast);
    orders().any(|(up, low)| {
        upwards(up)
            && orders().any(|(down, high)| {
                let met = *up == Order::AtLeast || *down == Order::AtMost;
                !upwards(down) && low.to(high).is_some_and(|order| order.is_lt() || order.is_eq() && met)
            })
    })
}

impl Pattern {
    fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            (Pattern::Nothing, value) => is_missing(value),
            (_, Value::Null) => false,
            (Pattern::Not(inner), value) => !inner.holds(value),
            (pattern, Value::Array(items)) => items.iter().any(|item| pattern.holds(item)),
            (Pattern::Flag(flag), Value::Bool(value)) => flag == value,
            (Pattern::Flag(flag), Value::String(value)) => value.eq_ignore_ascii_case(&flag.to_string()),
            (Pattern::Number(_, wanted), Value::Number(value)) => number(&value.to_string()) == Some(*wanted),
            (Pattern::Number(written, wanted), Value::String(value)) => {
                // `0042` is an id, not a number: only what JSON would call one is compared as one.
                value == written
                    || serde_json::from_str::<Value>(value).is_ok_and(|value| value.is_number())
                        && number(value) == Some(*wanted)
            }
            (Pattern::Text(wanted), Value::String(value)) => glob(wanted, &value.to_lowercase()),
            (Pattern::Text(wanted), Value::Number(value)) => {
                let value = value.to_string();
                glob(wanted, &value) || number(&value).is_some_and(|value| number(wanted) == Some(value))
            }
            (Pattern::Text(wanted), Value::Bool(value)) => glob(wanted, &value.to_string()),
            (Pattern::Order(order, bound), value) => bound.compare(value).is_some_and(|found| order.holds(found)),
            _ => false,
        }
    }
}

/// Whether a value was not sent: null, or a list without items.
pub(super) fn is_missing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
