//! Payments and messages: records of their own beside the stay.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::super::moment::decimal;
use super::super::path::Input;
use super::super::read::{self, Reading};
use super::super::value::Expr;
use crate::model::field::{FieldKind, MESSAGE, PAYMENT, PAYMENT_KINDS};
use crate::model::reservation::fold_word;

/// The currency that the amounts are in; something that is no currency where it is there and cannot be read.
pub(super) fn currency_of(expr: &Expr, input: &Input<'_>) -> Option<String> {
    match read::field("money.currency", FieldKind::Text, expr, input, None) {
        Reading::Value(Value::String(text)) => Some(text.trim().to_owned()),
        Reading::Value(_) | Reading::Unreadable(_) => Some(String::new()),
        Reading::Absent | Reading::Cleared => None,
    }
}

/// A payment or message with all its fields; `None` where the body says nothing of it.
pub(super) fn record(
    what: &str,
    section: &[(&'static str, FieldKind, Expr)],
    input: &Input<'_>,
    warnings: &mut Vec<String>,
) -> Option<Value> {
    let currency = section.iter().find(|(name, ..)| *name == "currency");
    let currency = currency.and_then(|(.., expr)| currency_of(expr, input));
    let mut there = false;
    let mut record = Map::new();
    for (name, kind, expr) in section {
        let value = match read::field(&format!("{what}.{name}"), *kind, expr, input, currency.as_deref()) {
            Reading::Value(value) => {
                there |= !expr.is_constant();
                value
            }
            Reading::Unreadable(why) => {
                there = true;
                warnings.push(why);
                Value::Null
            }
            Reading::Absent | Reading::Cleared => Value::Null,
        };
        record.insert((*name).to_owned(), value);
    }
    let every = if what == "payment" { PAYMENT } else { MESSAGE };
    for field in every {
        record.entry(field.split().1).or_insert(Value::Null);
    }
    for name in ["id", "currency"] {
        // An empty text is no name and no currency.
        if record
            .get(name)
            .and_then(Value::as_str)
            .is_some_and(|text| text.trim().is_empty())
        {
            record.insert(name.to_owned(), Value::Null);
        }
    }
    there.then_some(Value::Object(record))
}

/// A payment with its kind known and a refund's amount positive.
pub(super) fn settled(mut payment: Value) -> (Option<String>, Value) {
    let amount = payment["amount"].as_number().and_then(|n| decimal(&n.to_string()));
    let negative = amount.is_some_and(|amount| amount < Decimal::ZERO);
    let word = fold_word(payment["kind"].as_str().unwrap_or_default());
    let kind = match PAYMENT_KINDS.iter().find(|kind| **kind == word) {
        Some(kind) => kind,
        None if negative => "refund",
        None => "guest",
    };
    payment["kind"] = kind.into();
    if kind == "refund"
        && negative
        && let Some(positive) = amount.and_then(|amount| amount.abs().to_string().parse().ok())
    {
        payment["amount"] = Value::Number(positive);
    }
    (payment["id"].as_str().map(str::to_owned), payment)
}
