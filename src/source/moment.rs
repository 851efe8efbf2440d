//! Times as senders write them.

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

/// No sender writes a longer time; what is longer is not looked at.
const TEXT_MAX: usize = 64;

/// A point in time with as much of it as the sender said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moment {
    /// With an offset; `true` where it was written as `Z` or as a number.
    Instant(DateTime<FixedOffset>, bool),
    /// A time of day without a zone.
    Local(NaiveDateTime),
    /// A date only.
    Date(NaiveDate),
}

impl Moment {
    /// Reads RFC 3339, the same with a space or without seconds or offset, a date, or seconds or milliseconds since 1970.
    pub(super) fn of(value: &Value) -> Option<Moment> {
        match value {
            Value::Number(number) => epoch(&number.to_string()),
            Value::String(text) => parse(text.trim()).or_else(|| is_epoch(value).then(|| epoch(text.trim())).flatten()),
            _ => None,
        }
    }

    /// The normalised text: RFC 3339 with the sender's offset, `YYYY-MM-DDTHH:MM:SS`, or `YYYY-MM-DD`.
    pub(super) fn text(self) -> String {
        match self {
            Moment::Instant(at, z) => at.to_rfc3339_opts(SecondsFormat::AutoSi, z),
            Moment::Local(at) => at.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
            Moment::Date(date) => date.format("%Y-%m-%d").to_string(),
        }
    }

    /// A time without a zone, in this one; `None` where the calendar ends.
    pub(super) fn in_zone(zone: Tz, at: NaiveDateTime) -> Option<Moment> {
        // One that exists twice is the first; one that does not exist is an hour later.
        let found = zone.from_local_datetime(&at).earliest();
        let found = found.or_else(|| zone.from_local_datetime(&(at + TimeDelta::hours(1))).earliest())?;
        Some(Moment::Instant(found.fixed_offset(), zone == Tz::UTC))
    }

    /// The local date as written, never converted.
    pub(super) fn date(self) -> NaiveDate {
        match self {
            Moment::Instant(at, _) => at.date_naive(),
            Moment::Local(at) => at.date(),
            Moment::Date(date) => date,
        }
    }

    /// Milliseconds since 1970 for ordering; what has no zone counts as UTC, which keeps a sender's own order.
    pub(super) fn order_ms(self) -> i64 {
        match self {
            Moment::Instant(at, _) => at.timestamp_millis(),
            Moment::Local(at) => at.and_utc().timestamp_millis(),
            Moment::Date(date) => date.and_time(NaiveTime::MIN).and_utc().timestamp_millis(),
        }
    }
}

/// A number as a decimal, however it is written; `None` where it has more digits than 28.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    if text.len() > TEXT_MAX {
        return None;
    }
    if text.contains(['e', 'E']) {
        Decimal::from_scientific(text).ok()
    } else {
        Decimal::from_str_exact(text).ok()
    }
}

/// The sender's order from a value: a time in any form, or a plain number. One that is too large for a time (a sequence,
/// microseconds) orders as it is, which is right as long as the sender keeps to one form.
pub(super) fn order_ms(value: &Value) -> Option<i64> {
    let number = || {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        epoch_ms(&text).or_else(|| decimal(&text)?.floor().to_i64())
    };
    Moment::of(value).map(Moment::order_ms).or_else(number)
}

/// Seconds up to the year 5138, milliseconds from 1973: the ranges do not meet.
fn epoch_ms(text: &str) -> Option<i64> {
    let number = decimal(text)?;
    let size = number.abs();
    if size < Decimal::from(100_000_000_000_i64) {
        (number * Decimal::from(1000)).floor().to_i64()
    } else if size < Decimal::from(100_000_000_000_000_i64) {
        number.floor().to_i64()
    } else {
        None
    }
}

/// Whether it counts seconds or milliseconds, as a number or as a text of digits.
pub(super) fn is_epoch(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::String(text) => {
            let digits = text.trim().split('.').next().unwrap_or_default();
            // Shorter ones are years, compact dates or numbers of something else.
            digits.len() >= 9 && digits.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

fn epoch(text: &str) -> Option<Moment> {
    let at = Utc.timestamp_millis_opt(epoch_ms(text)?).single()?;
    // A time of before the year 0 is none: RFC 3339 cannot write it, so nobody could read it again.
    let at = Some(at).filter(|at| at.year() >= 0)?;
    Some(Moment::Instant(at.fixed_offset(), true))
}

fn parse(text: &str) -> Option<Moment> {
    if text.len() > TEXT_MAX || !text.is_ascii() || text.len() < 10 {
        return None;
    }
    let (day, rest) = text.split_at(10);
    let shape = day.bytes().enumerate().all(|(at, b)| match at {
        4 | 7 => b == b'-',
        _ => b.is_ascii_digit(),
    });
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().filter(|_| shape)?;
    if rest.is_empty() {
        return Some(Moment::Date(date));
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?.trim_start();
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.')))
        .unwrap_or(rest.len());
    let (time, zone) = rest.split_at(end);
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M"))
        .ok()
        .or_else(|| hour(time))?;
    let at = date.and_time(time);
    match zone.trim_start() {
        "" => Some(Moment::Local(at)),
        "Z" | "z" | "UTC" | "GMT" => Some(Moment::Instant(at.and_utc().fixed_offset(), true)),
        offset => {
            let offset = offset_of(offset)?;
            Some(Moment::Instant(offset.from_local_datetime(&at).single()?, false))
        }
    }
}

/// `16`: some senders name the hour alone.
fn hour(text: &str) -> Option<NaiveTime> {
    (text.len() <= 2)
        .then(|| NaiveTime::from_hms_opt(text.parse().ok()?, 0, 0))
        .flatten()
}

fn offset_of(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits
        .get(2..)
        .filter(|rest| !rest.is_empty())
        .unwrap_or("0")
        .parse()
        .ok()?;
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60)).filter(|_| minutes < 60)
}

/// The date so many days later; `None` outside of what a calendar holds.
pub(super) fn plus_days(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    date.checked_add_signed(TimeDelta::try_days(days)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_as_written() {
        for (sent, text) in [
            (json!("2027-03-27T16:00:00+01:00"), "2027-03-27T16:00:00+01:00"),
            (json!("2027-03-27T16:00:00+00:00"), "2027-03-27T16:00:00+00:00"),
            (json!("2027-03-27T16:00:00Z"), "2027-03-27T16:00:00Z"),
            (json!("2027-03-27t16:00z"), "2027-03-27T16:00:00Z"),
            (json!("2027-03-27 16:00:00 UTC"), "2027-03-27T16:00:00Z"),
            (json!("2027-03-27 16:00:00 -0330"), "2027-03-27T16:00:00-03:30"),
            (json!("2027-03-27T16:00:00+02"), "2027-03-27T16:00:00+02:00"),
            (json!("2027-03-27T16:00:00.250Z"), "2027-03-27T16:00:00.250Z"),
            (json!("2027-03-27 16:00"), "2027-03-27T16:00:00"),
            (json!("2027-03-27T16:00:05"), "2027-03-27T16:00:05"),
            (json!(" 2027-03-27 "), "2027-03-27"),
            (json!(1801126800), "2027-01-28T09:00:00Z"),
            (json!(1801126800123_i64), "2027-01-28T09:00:00.123Z"),
            (json!(1801126800.5), "2027-01-28T09:00:00.500Z"),
            (json!("1801126800"), "2027-01-28T09:00:00Z"),
            (json!(-62_167_219_200_i64), "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(Moment::of(&sent).map(Moment::text).as_deref(), Some(text), "{sent}");
        }
        for wrong in [
            json!("27.03.2027"),
            json!("2027-02-30"),
            json!("2027-3-7"),
            json!("2027-03-27T25:00:00Z"),
            json!("2027-03-27T16:00:00+99:00"),
            json!("2027-03-27é16:00"),
            json!("20270327"),
            json!(""),
            json!(true),
            json!([1]),
            json!(1e300),
            json!(-62_167_219_201_i64),
            json!(-99_000_000_000_000_i64),
        ] {
            assert_eq!(Moment::of(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn any_number_orders() {
        assert_eq!(order_ms(&json!(7)), Some(7000));
        assert_eq!(order_ms(&json!("7")), Some(7000));
        assert_eq!(order_ms(&json!("2027-01-28 09:00:00")), Some(1_801_126_800_000));
        assert_eq!(order_ms(&json!(1_801_126_800_123_456_i64)), Some(1_801_126_800_123_456));
        assert_eq!(order_ms(&json!(-99_000_000_000_000_i64)), Some(-99_000_000_000_000));
        assert_eq!(order_ms(&json!("soon")), None);
        assert_eq!(order_ms(&json!(1e300)), None);
    }
}
