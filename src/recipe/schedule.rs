//! Times of the calendar: words and the five fields of cron, with the meaning that Unix gives them.

mod cron;

use chrono::{DateTime, FixedOffset, TimeZone};
use chrono_tz::Tz;

use crate::model::clock::{Time, local_in};

use cron::Line;
pub(super) use cron::Wrong;

/// How many times of the wall clock are tried for the next instant; more than one only where clocks are put forward or back.
const TRIES: usize = 500;

/// The days of a week, Monday first.
pub(super) const DAY_NAMES: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// A time of the calendar that comes again and again.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What it is called in run keys and sentences, without its zone: `0 9 * * 1`.
    pub says: String,
    /// Its own zone; the configured one where it names none.
    pub timezone: Option<Tz>,
    /// When the wall clock is right.
    line: Line,
}

impl Schedule {
    /// From the five fields of cron: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday).
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn cron(text: &str, timezone: Option<Tz>) -> Result<Schedule, String> {
        Schedule::read(text, timezone).map_err(|wrong| {
            let all: Vec<String> = wrong
                .iter()
                .map(|one| format!("{} ({})", one.title, one.help))
                .collect();
            all.join("; ")
        })
    }

    /// The same, with everything that is wrong and what to write instead.
    pub(super) fn read(text: &str, timezone: Option<Tz>) -> Result<Schedule, Vec<Wrong>> {
        let line = Line::read(text)?;
        let fields: Vec<&str> = text.split_whitespace().collect();
        Ok(Schedule {
            says: fields.join(" "),
            timezone,
            line,
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
            wall = self.line.next(wall)?;
            let at = local_in(zone, wall);
            if at > after {
                return Some(at);
            }
        }
        None
    }

    /// It in plain words, where they are short: "every Monday at 09:00", else "at `0 9 1-7 * *`".
    pub(super) fn words(&self) -> String {
        let words = self.line.words().unwrap_or_else(|| format!("at `{}`", self.says));
        match self.timezone {
            Some(zone) => format!("{words}, {}", zone.name()),
            None => words,
        }
    }
}
