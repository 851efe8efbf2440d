//! From moments of a stay's life, as recipes write them, to instants.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use serde_json::Value;

use crate::model::clock::{Time, from_ms, local_in};
use crate::model::reservation::Stay;
use crate::recipe::{Anchor, Late, Mark, Recipe, Shift, StatusClock, StayClock, Trigger};

use super::view::View;

/// The most repetitions of one entry for one stay.
const REPEATS_MAX: i64 = 1000;
/// For how long after its time a run may still be late, where its recipe says nothing and nothing else ends it.
pub const LATE: TimeDelta = TimeDelta::hours(12);
/// How late a run may be that is not to be late: a restart takes a moment.
const PROMPT: TimeDelta = TimeDelta::minutes(1);

type Local = DateTime<FixedOffset>;

/// A time that a recipe's entry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The entry and its occurrence: `check_in-2d@10:00#0`.
    pub entry: String,
    /// The entry without its occurrence.
    pub label: String,
    /// What it is counted from, for a person and for entries that were edited: `check_in`, `status`.
    pub anchor: &'static str,
    /// When.
    pub at: Time,
    /// Until when it may still run if it is late.
    pub last: Time,
}

/// Everything that the clock entries of a recipe ask for of a stay, the soonest first.
pub fn moments(recipe: &Recipe, stay: &Stay, view: &View) -> Vec<Moment> {
    let mut found = Vec::new();
    for entry in recipe.clock() {
        match entry {
            Trigger::Stay(clock) => of_stay(clock, recipe.late, stay, view, &mut found),
            Trigger::Status(clock) => found.extend(of_status(clock, recipe.late, stay, view)),
            Trigger::Schedule(_) | Trigger::Event { .. } => {}
        }
    }
    found.sort_by(|a, b| (a.at, &a.entry).cmp(&(b.at, &b.entry)));
    found.dedup_by(|a, b| a.entry == b.entry);
    found
}

fn of_stay(clock: &StayClock, late: Late, stay: &Stay, view: &View, found: &mut Vec<Moment>) {
    let (Some(anchor), Some(base)) = (anchor(clock.mark.anchor, stay, view), instant(&clock.mark, stay, view)) else {
        return;
    };
    let label = clock.label();
    let mut add = |n: i64, at: Local| {
        let at = at.to_utc();
        let mut last = latest(late, at);
        if late == Late::Usual && clock.mark.shift.is_before() && clock.every.is_none() {
            last = anchor.to_utc().max(at.checked_add_signed(PROMPT).unwrap_or(at));
        }
        if clock.mark.anchor == Anchor::CheckIn
            && let Some(departure) = view.check_out
        {
            last = last.min(departure.to_utc());
        }
        found.push(Moment {
            entry: format!("{label}#{n}"),
            label: label.clone(),
            anchor: clock.mark.anchor.word(),
            at,
            last,
        });
    };
    let Some(every) = clock.every else {
        add(0, base);
        return;
    };
    let end = match &clock.until {
        Some(mark) => instant(mark, stay, view),
        None => view.check_out,
    };
    let Some(end) = end else { return };
    for n in 1..=REPEATS_MAX {
        let at = match every {
            Shift::Seconds(_) => base.checked_add_signed(every.times(n).span()),
            Shift::Days(days) => {
                let day = plus_days(base.date_naive(), days.saturating_mul(n));
                day.map(|day| on_clock(view.zone, &base, day.and_time(clock.mark.at.unwrap_or(base.time()))))
            }
        };
        match at.filter(|at| *at <= end) {
            Some(at) => add(n, at),
            None => break,
        }
    }
}

fn of_status(clock: &StatusClock, late: Late, stay: &Stay, view: &View) -> Option<Moment> {
    let since = from_ms(stay.status_since(|status, own| clock.holds(status, own))?);
    let since = since.with_timezone(&view.zone).fixed_offset();
    let at = shifted(view.zone, &since, since.date_naive(), clock.lasts, None)?.to_utc();
    let label = clock.label();
    Some(Moment {
        entry: format!("{label}#0"),
        label,
        anchor: "status",
        at,
        last: latest(late, at),
    })
}

/// Until when a run may be late by its recipe alone.
pub fn latest(late: Late, at: Time) -> Time {
    let span = match late {
        Late::Usual => LATE,
        Late::Within(span) => span,
        Late::Skip => PROMPT,
    };
    at.checked_add_signed(span.max(PROMPT)).unwrap_or(at)
}

/// The anchor's own instant.
fn anchor(anchor: Anchor, stay: &Stay, view: &View) -> Option<Local> {
    match anchor {
        Anchor::CheckIn => view.check_in,
        Anchor::CheckOut => view.check_out,
        Anchor::Created => {
            let sent = view.json["created_at"].as_str();
            let sent = sent.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
            let first_seen = || from_ms(stay.first_seen_ms).with_timezone(&view.zone).fixed_offset();
            Some(sent.unwrap_or_else(first_seen))
        }
    }
}

/// When a moment is.
pub fn instant(mark: &Mark, stay: &Stay, view: &View) -> Option<Local> {
    let days = (view.check_in_date, view.check_out_date);
    marked(mark, anchor(mark.anchor, stay, view)?, days, view.zone)
}

/// The same of a reservation as recipes see it; `None` where it does not say.
pub fn instant_of(mark: &Mark, reservation: &Value, zone: Tz) -> Option<Time> {
    let text = |name: &str| reservation.pointer(name).and_then(Value::as_str);
    let name = match mark.anchor {
        Anchor::CheckIn => "/check_in",
        Anchor::CheckOut => "/check_out",
        Anchor::Created => "/created_at",
    };
    let anchor = DateTime::parse_from_rfc3339(text(name)?).ok()?;
    let day = |name: &str| text(name).and_then(|day| day.parse().ok());
    let own = text("/property/timezone").and_then(|name| name.parse().ok());
    let days = (day("/check_in_date"), day("/check_out_date"));
    marked(mark, anchor, days, own.unwrap_or(zone)).map(|at| at.to_utc())
}

/// `days`: the local days of arrival and departure.
fn marked(mark: &Mark, anchor: Local, days: (Option<NaiveDate>, Option<NaiveDate>), zone: Tz) -> Option<Local> {
    // Without a time of day it is the clock on the wall that is counted from, with one the day as it was booked.
    let booked = match mark.anchor {
        Anchor::CheckIn => days.0,
        Anchor::CheckOut => days.1,
        Anchor::Created => None,
    };
    let day = match mark.at {
        Some(_) => booked.unwrap_or(anchor.date_naive()),
        None => anchor.date_naive(),
    };
    shifted(zone, &anchor, day, mark.shift, mark.at)
}

fn shifted(zone: Tz, from: &Local, day: NaiveDate, shift: Shift, at: Option<chrono::NaiveTime>) -> Option<Local> {
    match (shift, at) {
        (Shift::Seconds(_), _) => from.checked_add_signed(shift.span()),
        (Shift::Days(0), None) => Some(*from),
        (Shift::Days(days), at) => {
            let day = plus_days(day, days)?;
            Some(on_clock(zone, from, day.and_time(at.unwrap_or(from.time()))))
        }
    }
}

fn plus_days(day: NaiveDate, days: i64) -> Option<NaiveDate> {
    day.checked_add_signed(TimeDelta::try_days(days)?)
}

/// A time of the clock on the wall: in the stay's zone; where only the sender's offset is known, with that.
fn on_clock(zone: Tz, like: &Local, at: NaiveDateTime) -> Local {
    let of_zone = zone.offset_from_utc_datetime(&like.naive_utc()).fix() == *like.offset();
    if of_zone {
        return local_in(zone, at);
    }
    let found = like.offset().from_local_datetime(&at).single();
    found.unwrap_or_else(|| local_in(zone, at))
}
