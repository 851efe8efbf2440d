//! What a value looks like, whatever it is called.

use chrono::{DateTime, NaiveDate};
use serde_json::Value;

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Null, or an empty text, list or object.
    Nothing,
    /// True or false.
    Flag,
    /// A whole number, also as text.
    Whole,
    /// A number with a fraction, also as text.
    Fraction,
    /// `2027-03-27`.
    Date,
    /// A date with a time of day and no zone.
    Local,
    /// A date with a time of day and its zone.
    Instant,
    /// A time of day: `16:00`.
    Clock,
    /// A date in another order, `27.03.2027`, which a mapping cannot read.
    OddDate,
    /// An e-mail address.
    Email,
    /// The address of a page or file.
    Url,
    /// `68d1f234-912c-5e65-b8f5-485928d317e1`
    Uuid,
    /// Letters and digits in one word, as in a confirmation code or an id.
    Code,
    /// Begins with `+` and holds digits only.
    Phone,
    /// One word, as programs write statuses and types.
    Word,
    /// Anything else.
    Text,
}

impl Shape {
    /// What a value looks like.
    pub fn of(value: &Value) -> Shape {
        match value {
            Value::Null => Shape::Nothing,
            Value::Bool(_) => Shape::Flag,
            Value::Number(number) => of_number(&number.to_string()),
            Value::String(text) => of_text(text.trim()),
            Value::Array(items) if items.is_empty() => Shape::Nothing,
            Value::Object(entries) if entries.is_empty() => Shape::Nothing,
            Value::Array(_) | Value::Object(_) => Shape::Text,
        }
    }

    /// Whether it says a day that a mapping can read.
    pub fn is_day(self) -> bool {
        matches!(self, Shape::Date | Shape::Local | Shape::Instant)
    }

    /// Whether it is a number, also as text.
    pub fn is_number(self) -> bool {
        matches!(self, Shape::Whole | Shape::Fraction)
    }

    /// Whether it may name something: an id or a code.
    pub fn is_name(self) -> bool {
        matches!(self, Shape::Whole | Shape::Uuid | Shape::Code | Shape::Word)
    }
}

fn of_number(text: &str) -> Shape {
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        Shape::Whole
    } else {
        Shape::Fraction
    }
}

fn of_text(text: &str) -> Shape {
    let all = |ok: fn(char) -> bool| text.chars().all(ok);
    let any = |is: fn(char) -> bool| text.chars().any(is);
    if text.is_empty() {
        return Shape::Nothing;
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.bytes().all(|b| b.is_ascii_digit()) && !unsigned.is_empty() {
        return Shape::Whole;
    }
    if let Some((whole, fraction)) = unsigned.split_once('.')
        && [whole, fraction]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    {
        return Shape::Fraction;
    }
    if let Some(found) = of_time(text) {
        return found;
    }
    if matches!(text, "true" | "false") {
        return Shape::Flag;
    }
    let spaced = any(char::is_whitespace);
    if text.contains("://") && !spaced {
        return Shape::Url;
    }
    if !spaced
        && let Some((before, host)) = text.split_once('@')
        && !before.is_empty()
        && host.contains('.')
    {
        return Shape::Email;
    }
    if is_uuid(text) {
        return Shape::Uuid;
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if text.starts_with('+') && digits >= 6 && all(|c| c.is_ascii_digit() || " +()-./*".contains(c)) {
        return Shape::Phone;
    }
    let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    if spaced || !text.chars().all(token) || text.len() > 80 {
        return Shape::Text;
    }
    match any(|c| c.is_ascii_alphabetic()) || text.contains('-') {
        // `reservation.updated.v2` and `airbnb2` are words for all their digits.
        true if digits >= 2 => Shape::Code,
        _ => Shape::Word,
    }
}

/// A time or date that stands at the beginning of the text and fills it.
fn of_time(text: &str) -> Option<Shape> {
    let clock = |text: &str| {
        let parts: Vec<&str> = text.split(':').collect();
        let fine = |part: &&str| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        (2..=3).contains(&parts.len()) && parts[0].len() <= 2 && parts.iter().all(fine)
    };
    if clock(text) {
        return Some(Shape::Clock);
    }
    if let Some(day) = text.get(..10)
        && NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok()
        && day.bytes().filter(u8::is_ascii_digit).count() == 8
    {
        let rest = &text[10..];
        let Some(rest) = rest.strip_prefix(['T', 't', ' ']) else {
            return rest.is_empty().then_some(Shape::Date);
        };
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.')))
            .unwrap_or(rest.len());
        let (time, zone) = rest.split_at(end);
        let zone = zone.trim();
        return match (time.contains(':'), zone) {
            (false, _) => None,
            (true, "") => Some(Shape::Local),
            (true, "Z" | "z" | "UTC" | "GMT") => Some(Shape::Instant),
            (true, zone) => (zone.starts_with(['+', '-']) && zone.len() <= 6).then_some(Shape::Instant),
        };
    }
    // 27.03.2027, 03/27/2027, 2027/03/27
    for mark in ['.', '/', '-'] {
        let parts: Vec<&str> = text.split(mark).collect();
        if parts.len() == 3 {
            let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            let digits = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
            if digits && matches!(lengths.as_slice(), [1 | 2, 1 | 2, 2 | 4] | [4, 1 | 2, 1 | 2]) {
                return Some(Shape::OddDate);
            }
        }
    }
    DateTime::parse_from_rfc2822(text).ok().map(|_| Shape::OddDate)
}

/// `8-4-4-4-12` hex digits.
pub fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// Whether a number may be a time: seconds from 2001 to 2036, or milliseconds.
pub fn may_be_epoch(value: &Value) -> bool {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return false,
    };
    let number: Option<f64> = text.parse().ok();
    number.is_some_and(|n| (1.0e9..2.1e9).contains(&n) || (1.0e12..2.1e12).contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_known_by_their_looks() {
        for (value, shape) in [
            (json!(null), Shape::Nothing),
            (json!(""), Shape::Nothing),
            (json!([]), Shape::Nothing),
            (json!(true), Shape::Flag),
            (json!(-3), Shape::Whole),
            (json!("0815"), Shape::Whole),
            (json!("54.60"), Shape::Fraction),
            (json!("2027-03-27"), Shape::Date),
            (json!("2027-03-27 16:00"), Shape::Local),
            (json!("2027-08-14T00:00:00"), Shape::Local),
            (json!("2027-03-27T16:00:00+01:00"), Shape::Instant),
            (json!("2027-12-24T00:00:00.0000Z"), Shape::Instant),
            (json!("16:00"), Shape::Clock),
            (json!("15:00:00"), Shape::Clock),
            (json!("27.03.2027"), Shape::OddDate),
            (json!("3/27/2027"), Shape::OddDate),
            (json!("ana@guest.example"), Shape::Email),
            (json!("https://x.example/a"), Shape::Url),
            (json!("68d1f234-912c-5e65-b8f5-485928d317e1"), Shape::Uuid),
            (json!("HMQX7KP2ZD"), Shape::Code),
            (json!("10450-310442-HMZ5B2NQ8T"), Shape::Code),
            (json!("66d4f1a2c9b8e70041aa50c3"), Shape::Code),
            (json!("+32 470 12 34 56"), Shape::Phone),
            (json!("reservation.updated.v2"), Shape::Word),
            (json!("NEW_BOOKING"), Shape::Word),
            (json!("Ana Peeters"), Shape::Text),
            (json!("Liège"), Shape::Text),
        ] {
            assert_eq!(Shape::of(&value), shape, "{value}");
        }
    }
}
