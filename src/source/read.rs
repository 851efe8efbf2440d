//! From what a sender sent to what a canonical field holds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::moment::{self, Moment, decimal};
use super::path::Input;
use super::value::{Expr, Found, LIST_MAX, scalar_text};
use crate::model::field::{FieldKind, STAY_KINDS};
use crate::model::reservation::{Status, fold_word};

/// More digits than these are not an amount of money that anybody can compute with.
const DIGITS_MAX: usize = 28;

/// What became of one field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    /// The body does not speak of it.
    Absent,
    /// The body says that there is none.
    Cleared,
    /// The canonical value.
    Value(Value),
    /// It is there and cannot be read; why, without the value itself, which may be a guest's.
    Unreadable(String),
}

/// Reads a field of this kind. `currency` says how many digits an amount in minor units has.
///
/// An empty text is no value: for the names of a stay, addresses, numbers and dates it counts as absent, for free text
/// (a name, a place, a language) as explicitly nothing.
pub(super) fn field(name: &str, kind: FieldKind, expr: &Expr, input: &Input<'_>, currency: Option<&str>) -> Reading {
    if kind == FieldKind::List {
        return match expr.find_all(input) {
            Ok(None) => Reading::Absent,
            Ok(Some(texts)) if texts.len() > LIST_MAX => {
                Reading::Unreadable(format!("`{name}`: more than {LIST_MAX} values"))
            }
            Ok(Some(texts)) => Reading::Value(texts.into()),
            Err(path) => Reading::Unreadable(format!("`{name}`: `{path}` holds no text or number")),
        };
    }
    let raw = match expr.find(input) {
        Found::Absent => return Reading::Absent,
        Found::Null => return Reading::Cleared,
        Found::Empty if kind == FieldKind::Text && !strict_text(name) => return Reading::Cleared,
        Found::Empty => return Reading::Absent,
        Found::Odd(why) => return Reading::Unreadable(format!("`{name}`: {why}")),
        Found::Value(raw) => raw,
    };
    let value = match expr.translate(&raw) {
        Some(Value::Null) => return Reading::Cleared,
        Some(mapped) => Cow::Borrowed(mapped),
        None => raw,
    };
    if expr.minor && currency.is_some_and(|code| !is_currency(code)) {
        let why = "its currency cannot be read, and that says how many digits stand behind the point";
        return Reading::Unreadable(format!("`{name}` is not readable: {why}"));
    }
    match typed(name, kind, expr, &value, currency) {
        Some(value) => Reading::Value(value),
        None => Reading::Unreadable(unreadable(name, kind, expr, &value)),
    }
}

/// What to tell about a value that is no such field.
fn unreadable(name: &str, kind: FieldKind, expr: &Expr, value: &Value) -> String {
    let paths: Vec<String> = expr.paths().iter().map(|path| format!("`{path}`")).collect();
    let expected = match kind {
        FieldKind::Text | FieldKind::Status => "a text",
        FieldKind::Count => "a whole number",
        FieldKind::Money => "an amount",
        FieldKind::Date => "a date",
        FieldKind::Time => "a time",
        FieldKind::Kind => "`guest`, `owner` or `block`",
        FieldKind::List => "a list",
    };
    let found = type_of(value);
    format!(
        "`{name}` is not readable: {} holds {found} that is not {expected}",
        paths.join(", ")
    )
}

/// The type of a value, never the value.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Fields of text that are nothing when empty, even where the sender sends them so.
fn strict_text(name: &str) -> bool {
    matches!(
        name,
        "guest.email"
            | "guest.phone"
            | "guest.phone_last4"
            | "money.currency"
            | "parent"
            | "source_status"
            | "property.name"
    )
}

fn typed(name: &str, kind: FieldKind, expr: &Expr, value: &Value, currency: Option<&str>) -> Option<Value> {
    match kind {
        FieldKind::Text if name == "guest.phone_last4" => last4(value).map(Value::String),
        FieldKind::Text if matches!(name, "money.currency" | "payment.currency") => {
            text(value).map(currency_code).map(Value::String)
        }
        FieldKind::Text => text(value).map(Value::String),
        FieldKind::Count => count(value).map(Value::from),
        FieldKind::Money if expr.minor => minor(value, currency, &expr.digits).map(Value::Number),
        FieldKind::Money => money(value).map(Value::Number),
        FieldKind::Date => {
            let date = match value {
                // A number is an instant, and its local date is not known here.
                Value::String(_) if !moment::is_epoch(value) => Moment::of(value)?.date(),
                _ => return None,
            };
            Some(Moment::Date(moment::plus_days(date, expr.plus_days)?).text().into())
        }
        FieldKind::Time => {
            let at = Moment::of(value)?;
            let text = match (at, expr.zone) {
                (Moment::Local(at), Some(zone)) => Moment::in_zone(zone, at)?.text(),
                // Seconds since 1970 name no day: a stay's is that of its property.
                (Moment::Instant(..), _) if moment::is_epoch(value) && name.starts_with("check_") => {
                    at.text().replace('Z', "-00:00")
                }
                (at, _) => at.text(),
            };
            Some(text.into())
        }
        FieldKind::Status => scalar_text(value)
            .and_then(|word| Status::from_word(&word))
            .map(|status| status.word().into()),
        FieldKind::Kind => {
            let word = fold_word(&scalar_text(value)?);
            let found = STAY_KINDS.iter().find(|kind| **kind == word);
            found.map(|kind| Value::from(*kind))
        }
        FieldKind::List => None,
    }
}

/// A text or a number with all its digits.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Four digits: senders that write them as a number lose the zeros in front.
fn last4(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number.as_u64().map(|number| format!("{number:04}")),
        other => text(other),
    }
}

/// `EUR`, also where a sender writes `eur`: recipes compare and print it. What is no code of three letters stays as it is.
fn currency_code(text: String) -> String {
    let code = text.trim();
    if code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic()) {
        return code.to_ascii_uppercase();
    }
    text
}

fn count(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(_) | Value::String(_) => scalar_text(value)?,
        _ => return None,
    };
    let number = decimal(&text)?.normalize();
    (number.scale() == 0)
        .then(|| u32::try_from(number).ok().map(u64::from))
        .flatten()
}

/// A number or a numeric text, with the digits as written.
pub(super) fn money(value: &Value) -> Option<Number> {
    let text = match value {
        Value::Number(_) | Value::String(_) => scalar_text(value)?,
        _ => return None,
    };
    if text.contains(['e', 'E']) {
        return matches!(value, Value::Number(_))
            .then(|| decimal(&text)?.to_string().parse().ok())
            .flatten();
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let size = whole.len() + fraction.len();
    if size == 0 || size > DIGITS_MAX || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}").parse().ok()
}

/// Whether a text is the code of a currency by its looks (ISO 4217).
pub(super) fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic())
}

/// An amount in the smallest unit of its currency, exactly.
pub(super) fn minor(value: &Value, currency: Option<&str>, digits: &BTreeMap<String, u32>) -> Option<Number> {
    let mut amount = decimal(&money(value)?.to_string())?;
    let own = currency.and_then(|code| digits.get(&code.to_ascii_uppercase()).copied());
    amount
        .set_scale(amount.scale() + own.unwrap_or_else(|| exponent(currency)))
        .ok()?;
    amount.to_string().parse().ok()
}

/// How many digits a currency has after the point (ISO 4217, "minor unit"); 2 where none is named.
fn exponent(currency: Option<&str>) -> u32 {
    match currency.map(str::to_ascii_uppercase).as_deref() {
        Some(
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF",
        ) => 0,
        Some("BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND") => 3,
        _ => 2,
    }
}

/// The canonical status and the sender's own word for it. The two are always written together, so that a recipe that
/// asks for the sender's word never sees one of another status.
pub(super) enum StatusReading {
    /// The body does not speak of it.
    Absent,
    /// Both words.
    Words {
        /// `confirmed`, …; `unknown` for a word that is not in the map.
        canonical: Status,
        /// The sender's word; the canonical one where the mapping says a constant.
        sent: String,
    },
    /// It is there and is no word.
    Unreadable(String),
}

/// Reads the status.
pub(super) fn status(expr: &Expr, input: &Input<'_>) -> StatusReading {
    let raw = match expr.find(input) {
        Found::Absent | Found::Null | Found::Empty => return StatusReading::Absent,
        Found::Odd(why) => return StatusReading::Unreadable(format!("`status`: {why}")),
        Found::Value(raw) => raw,
    };
    let Some(sent) = scalar_text(&raw) else {
        return StatusReading::Unreadable(unreadable("status", FieldKind::Status, expr, &raw));
    };
    let canonical = match expr.translate(&raw) {
        Some(mapped) => scalar_text(mapped).and_then(|word| Status::from_word(&word)),
        None => Status::from_word(&sent),
    };
    StatusReading::Words {
        canonical: canonical.unwrap_or(Status::Unknown),
        sent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_keep_their_digits() {
        for (sent, kept) in [
            (json!("54.60"), Some("54.60")),
            (json!(1003.2), Some("1003.2")),
            (json!(812), Some("812")),
            (json!(" 0.00 "), Some("0.00")),
            (json!("-12.5"), Some("-12.5")),
            (json!("+1"), Some("1")),
            (json!(".5"), Some("0.5")),
            (json!("007"), Some("7")),
            (json!("1,003.20"), None),
            (json!("€5"), None),
            (json!("1e3"), None),
            (json!("."), None),
            (json!(true), None),
            (json!("12345678901234567890123456789"), None),
        ] {
            assert_eq!(money(&sent).map(|n| n.to_string()).as_deref(), kept, "{sent}");
        }
        assert_eq!(
            money(&serde_json::from_str("1e3").unwrap()).unwrap().to_string(),
            "1000"
        );
    }

    #[test]
    fn minor_units_follow_the_currency() {
        for (sent, currency, amount) in [
            (json!(77500), None, "775.00"),
            (json!("77500"), Some("eur"), "775.00"),
            (json!(77500), Some("JPY"), "77500"),
            (json!(77500), Some("KWD"), "77.500"),
            (json!(-5), Some("USD"), "-0.05"),
            (json!(1234567890123456_i64), Some("XYZ"), "12345678901234.56"),
        ] {
            assert_eq!(
                minor(&sent, currency, &BTreeMap::new()).unwrap().to_string(),
                amount,
                "{sent} {currency:?}"
            );
        }
    }

    #[test]
    fn currencies_are_written_in_capitals() {
        for (sent, kept) in [
            ("eur", "EUR"),
            (" Jpy ", "JPY"),
            ("KWD", "KWD"),
            ("€", "€"),
            ("euro", "euro"),
            ("", ""),
        ] {
            assert_eq!(currency_code(sent.to_owned()), kept, "{sent:?}");
        }
    }

    #[test]
    fn counts_are_whole() {
        for (sent, kept) in [
            (json!(3), Some(3)),
            (json!("3"), Some(3)),
            (json!("3.0"), Some(3)),
            (json!(2.5), None),
            (json!(-1), None),
            (json!("many"), None),
            (json!([3]), None),
            (json!(99999999999_i64), None),
        ] {
            assert_eq!(count(&sent), kept, "{sent}");
        }
    }
}
