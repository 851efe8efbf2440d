//! Moments and dates. A moment carries the offset of its property already, so nothing here knows zones.

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta};

use super::catalog::Call;
use super::fault::{Fault, Outcome};
use super::number::Number;
use super::value::Value;

/// What a text says about time. Adding to it gives the same kind again.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Instant(DateTime<FixedOffset>),
    /// Without an offset, as some senders write it.
    Local(NaiveDateTime),
    Day(NaiveDate),
}

impl Moment {
    fn read(text: &str) -> Option<Moment> {
        let text = text.trim();
        let instant = DateTime::parse_from_rfc3339(text).ok().map(Moment::Instant);
        let day = || text.parse().ok().map(Moment::Day);
        let local = |format| NaiveDateTime::parse_from_str(text, format).ok().map(Moment::Local);
        let local = || {
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f"]
                .into_iter()
                .find_map(local)
        };
        instant.or_else(day).or_else(local)
    }

    fn day(self) -> NaiveDate {
        match self {
            Moment::Instant(instant) => instant.date_naive(),
            Moment::Local(local) => local.date(),
            Moment::Day(day) => day,
        }
    }

    fn written(self) -> String {
        match self {
            Moment::Instant(instant) => instant.to_rfc3339_opts(SecondsFormat::AutoSi, false),
            Moment::Local(local) => local.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
            Moment::Day(day) => day.format("%Y-%m-%d").to_string(),
        }
    }

    fn later(self, by: TimeDelta) -> Option<Moment> {
        match self {
            Moment::Instant(instant) => instant.checked_add_signed(by).map(Moment::Instant),
            Moment::Local(local) => local.checked_add_signed(by).map(Moment::Local),
            Moment::Day(day) => day.checked_add_signed(by).map(Moment::Day),
        }
        // What has more than four digits in its year cannot be read again.
        .filter(|moment| (0..=9999).contains(&chrono::Datelike::year(&moment.day())))
    }
}

fn moment(call: &Call<'_>, value: &Value) -> Outcome<Moment> {
    let read = match value {
        Value::Text(text) => Moment::read(&text.text),
        _ => None,
    };
    read.ok_or_else(|| {
        Fault::new(format!(
            "`{}` needs a date such as 2027-03-27 or 2027-03-27T16:00:00+00:00",
            call.doc.name
        ))
        .help(format!("for example `{}`", call.doc.example))
    })
}

/// Refuses a format that chrono would give up on when it prints.
pub(super) fn check_format(format: &str) -> Outcome<()> {
    if StrftimeItems::new(format).any(|item| matches!(item, Item::Error)) {
        return Err(
            Fault::new(format!("`{format}` is not a format of a date")).help("for example `%d %b %Y` or `%H:%M`")
        );
    }
    if !format.contains('%') && format.chars().any(char::is_alphabetic) {
        let meant = of_letters(format);
        let fault = Fault::new(format!("`{format}` prints these letters and no date"));
        return Err(match meant {
            Some(meant) => fault.help(format!("did you mean `{meant}`?")),
            None => fault.help("for example `%d %b %Y` or `%H:%M`"),
        });
    }
    Ok(())
}

/// Whether a format ends a time with the `Z` of UTC.
pub(super) fn claims_utc(format: &str) -> bool {
    let mut after_time = false;
    StrftimeItems::new(format).any(|item| match item {
        Item::Literal(text) => {
            let rest = text.strip_prefix('Z');
            std::mem::take(&mut after_time) && rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        }
        item => {
            after_time = matches!(item, Item::Numeric(..) | Item::Fixed(_));
            false
        }
    })
}

/// `DD.MM.YYYY`, as spreadsheets write it, in our signs; `None` where a letter means something else.
fn of_letters(format: &str) -> Option<String> {
    const SIGNS: [(&str, &str); 14] = [
        ("YYYY", "%Y"),
        ("yyyy", "%Y"),
        ("YY", "%y"),
        ("yy", "%y"),
        ("MMMM", "%B"),
        ("MMM", "%b"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("dddd", "%A"),
        ("ddd", "%a"),
        ("dd", "%d"),
        ("HH", "%H"),
        ("hh", "%H"),
        ("mm", "%M"),
    ];
    let mut out = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        if let Some((letters, sign)) = SIGNS.iter().find(|(letters, _)| rest.starts_with(letters)) {
            out.push_str(sign);
            rest = &rest[letters.len()..];
        } else if c.is_alphabetic() {
            return None;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(out)
}

pub(super) fn date(call: &mut Call<'_>) -> Outcome<Value> {
    printed(call, "%Y-%m-%d")
}

pub(super) fn time(call: &mut Call<'_>) -> Outcome<Value> {
    printed(call, "%H:%M")
}

fn printed(call: &mut Call<'_>, usual: &str) -> Outcome<Value> {
    let format = call.text_arg(0)?.unwrap_or_else(|| usual.to_owned());
    check_format(&format)?;
    let moment = moment(call, &call.input)?;
    // A day has no hours: printing them is an error here, and `to_string` would panic.
    let mut text = String::new();
    let written = match moment {
        Moment::Instant(instant) => write!(text, "{}", instant.format(&format)),
        Moment::Local(local) => write!(text, "{}", local.format(&format)),
        Moment::Day(day) => write!(text, "{}", day.format(&format)),
    };
    written.map_err(|_| {
        Fault::new(format!("This date has nothing to print for `{format}`"))
            .help("a date without a time has days, months and years only")
    })?;
    Ok(Value::text(text))
}

pub(super) fn utc(call: &mut Call<'_>) -> Outcome<Value> {
    match moment(call, &call.input)? {
        Moment::Instant(instant) => Ok(Value::text(Moment::Instant(instant.to_utc().fixed_offset()).written())),
        _ => Err(
            Fault::new("`utc` needs a time with its offset: without one nobody knows when it is")
                .help("for example `{{ reservation.check_in | utc }}`"),
        ),
    }
}

pub(super) fn plus(call: &mut Call<'_>) -> Outcome<Value> {
    moved(call, 1)
}

pub(super) fn minus(call: &mut Call<'_>) -> Outcome<Value> {
    moved(call, -1)
}

fn moved(call: &mut Call<'_>, sign: i64) -> Outcome<Value> {
    let moment = moment(call, &call.input)?;
    let mut by = TimeDelta::zero();
    for (unit, value) in &call.named {
        let count = match value {
            Value::Number(Number::Int(count)) => i64::try_from(*count).ok(),
            value if value.is_missing() => {
                call.meter.used(value);
                return Ok(value.clone());
            }
            _ => None,
        };
        let count = count.ok_or_else(|| Fault::new(format!("`{unit}` needs a whole number, not {}", value.kind())))?;
        if matches!(moment, Moment::Day(_)) && matches!(*unit, "hours" | "minutes") {
            return Err(Fault::new(format!("A date without a time has no {unit}")).help("write `days=`"));
        }
        let part = match *unit {
            "weeks" => TimeDelta::try_weeks(count),
            "days" => TimeDelta::try_days(count),
            "hours" => TimeDelta::try_hours(count),
            _ => TimeDelta::try_minutes(count),
        };
        by = part.and_then(|part| by.checked_add(&part)).ok_or_else(too_far)?;
    }
    if call.named.is_empty() {
        return Err(Fault::new(format!("`{}` needs to be told by how much", call.doc.name))
            .help(format!("for example `{}`", call.doc.example)));
    }
    let by = if sign < 0 { -by } else { by };
    Ok(Value::text(moment.later(by).ok_or_else(too_far)?.written()))
}

fn too_far() -> Fault {
    Fault::new("This date is too far away")
}

pub(super) fn days_until(call: &mut Call<'_>) -> Outcome<Value> {
    let Some(other) = call.args.first() else {
        return Ok(Value::Missing(None));
    };
    if other.is_missing() {
        call.meter.used(other);
        return Ok(other.clone());
    }
    let days = moment(call, other)?.day() - moment(call, &call.input)?.day();
    Ok(Value::Number(Number::Int(days.num_days().into())))
}
