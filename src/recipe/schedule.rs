//! Times of the calendar: words and the five fields of cron, with the meaning that Unix gives them.

use std::str::FromStr as _;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::model::clock::{Time, local_in};

/// How many times of the wall clock are tried for the next instant; more than one only where clocks are put forward or back.
const TRIES: usize = 500;

/// A time of the calendar that comes again and again.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What it is called in run keys and sentences, without its zone: `0 9 * * 1`.
    pub says: String,
    /// Its own zone; the configured one where it names none.
    pub timezone: Option<Tz>,
    /// The wall clock is right where any of these is: where both a day of the month and a day of the week are given, Unix
    /// takes either, and the crate underneath both.
    rules: Vec<cron::Schedule>,
}

impl Schedule {
    /// From the five fields of cron: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday).
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn cron(text: &str, timezone: Option<Tz>) -> Result<Schedule, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(format!("a cron line has five fields, this has {}", fields.len()));
        };
        let week = weekdays(weekday)?;
        let line = |day: &str, week: &str| format!("0 {minute} {hour} {day} {month} {week}");
        let any = |field: &str| field.starts_with('*');
        let lines = match any(day) || any(weekday) {
            true => vec![line(day, &week)],
            false => vec![line(day, "*"), line("*", &week)],
        };
        let rules = lines
            .iter()
            .map(|line| cron::Schedule::from_str(line).map_err(|error| error.to_string()))
            .collect::<Result<_, _>>()?;
        Ok(Schedule {
            says: fields.join(" "),
            timezone,
            rules,
        })
    }

    /// Its zone, where `default` is the configured one.
    pub fn zone(&self, default: Tz) -> Tz {
        self.timezone.unwrap_or(default)
    }

    /// What it is called in run keys: the same words in the same zone, the same times.
    pub fn label(&self, default: Tz) -> String {
        format!("schedule:{} {}", self.says, self.zone(default).name())
    }

    /// The first time after `after`; `None` where there is none any more. A time of the wall clock that does not exist is
    /// the next that does, one that exists twice the first.
    pub fn next(&self, after: Time, default: Tz) -> Option<DateTime<FixedOffset>> {
        let zone = self.zone(default);
        let mut wall = zone.from_utc_datetime(&after.naive_utc()).naive_local();
        for _ in 0..TRIES {
            wall = self.rules.iter().filter_map(|rule| next_on_wall(rule, wall)).min()?;
            let at = local_in(zone, wall);
            if at > after {
                return Some(at);
            }
        }
        None
    }
}

/// The next time of the wall clock, which knows no zones here.
fn next_on_wall(rule: &cron::Schedule, wall: NaiveDateTime) -> Option<NaiveDateTime> {
    let next = rule.after(&Utc.from_utc_datetime(&wall)).next();
    next.map(|next| next.naive_utc())
}

/// Days of the week as the crate underneath counts them: Sunday is its 1, ours are 0 and 7.
fn weekdays(field: &str) -> Result<String, String> {
    if field.starts_with('*') && !field.contains('/') {
        return Ok(field.to_owned());
    }
    let mut days = [false; 7];
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|n| (1..=7).contains(n))),
            None => (part, Some(1)),
        };
        let bad = || format!("`{part}` is no day of the week: 0 to 7 (0 and 7 are Sunday), or mon to sun");
        let step: usize = step.ok_or_else(bad)?;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (0, 6),
            Some((from, to)) => (weekday(from).ok_or_else(bad)?, weekday(to).ok_or_else(bad)?),
            None if part.contains('/') => (weekday(range).ok_or_else(bad)?, 7),
            None => weekday(range).map(|day| (day, day)).ok_or_else(bad)?,
        };
        // Friday to Sunday, with Sunday as 0.
        let to = if to < from { to + 7 } else { to };
        for day in (from..=to).step_by(step) {
            days[day % 7] = true;
        }
    }
    let names: Vec<String> = (0..7)
        .filter(|day| days[*day])
        .map(|day| (day + 1).to_string())
        .collect();
    Ok(names.join(","))
}

/// 0 for Sunday to 7 for Sunday again.
fn weekday(word: &str) -> Option<usize> {
    const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let lower = word.to_ascii_lowercase();
    let by_name = DAYS.iter().position(|day| *day == lower);
    by_name.or_else(|| word.parse().ok().filter(|day| *day <= 7))
}
