//! The five fields of cron: read as Unix means them, and explained where they cannot be read.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Timelike};

use super::DAY_NAMES;

/// How far ahead a time is looked for. The rarest there is, a 29 February that is a certain day of the week, comes again
/// after 40 years at the most.
const DAYS_AHEAD: u64 = 41 * 366;

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::recipe) struct Wrong {
    /// What is so.
    pub(in crate::recipe) title: String,
    /// What to write instead.
    pub(in crate::recipe) help: String,
}

/// A line as sets of numbers: the bit `n` stands for `n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// 0 is Sunday.
    weekdays: u64,
    /// Whether one of the two kinds of days is enough: where both are given, Unix takes either. A field that begins with
    /// `*` is none that is given, whatever follows.
    either: bool,
}

/// One of the five fields.
struct Field {
    what: &'static str,
    min: u64,
    max: u64,
    /// The first of these stands for `min`.
    names: &'static [&'static str],
    /// How they are told, behind the numbers.
    named: &'static str,
}

const fn field(what: &'static str, min: u64, max: u64) -> Field {
    Field {
        what,
        min,
        max,
        names: &[],
        named: "",
    }
}

const FIELDS: [Field; 5] = [
    field("minute", 0, 59),
    field("hour", 0, 23),
    field("day of the month", 1, 31),
    Field {
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
        named: ", or `jan` to `dec`",
        ..field("month", 1, 12)
    },
    Field {
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        named: " (0 and 7 are Sunday), or `mon` to `sun`",
        ..field("day of the week", 0, 7)
    },
];

const ORDER: &str = "they are minute, hour, day of the month, month and day of the week, such as `0 9 * * mon`";
const PARTS: &str = "a field is `*`, a number, a list `1,15`, a range `1-5`, or a step `*/2`";

fn wrong(title: impl Into<String>, help: impl Into<String>) -> Wrong {
    Wrong {
        title: title.into(),
        help: help.into(),
    }
}

impl Line {
    /// Reads five fields; everything that is wrong with them at once.
    pub(super) fn read(text: &str) -> Result<Line, Vec<Wrong>> {
        let given: Vec<&str> = text.split_whitespace().collect();
        if let Some(word) = given.first().filter(|word| word.starts_with('@')) {
            // Short forms of other programs.
            let help = match word.to_ascii_lowercase().as_str() {
                "@daily" | "@midnight" => "write `daily: true, at: \"00:00\"`",
                "@weekly" => "write `weekly: sunday, at: \"00:00\"`",
                "@monthly" => "write `monthly: 1, at: \"00:00\"`",
                "@hourly" => "write `cron: \"0 * * * *\"`",
                "@yearly" | "@annually" => "write `cron: \"0 0 1 1 *\"`",
                _ => "such as `weekly: monday, at: \"09:00\"`",
            };
            return Err(vec![wrong(format!("`{word}` is no cron line of five fields"), help)]);
        }
        let [minute, hour, day, month, weekday] = given[..] else {
            return Err(vec![count(&given)]);
        };
        let texts = [minute, hour, day, month, weekday];
        let read: Vec<Result<u64, Wrong>> = texts
            .iter()
            .zip(&FIELDS)
            .map(|(text, field)| field.read(text))
            .collect();
        let [Ok(minutes), Ok(hours), Ok(days), Ok(months), Ok(weekdays)] = read[..] else {
            return Err(read.into_iter().filter_map(Result::err).collect());
        };
        let line = Line {
            minutes,
            hours,
            days,
            months,
            // 7 is Sunday too.
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            either: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        if line.never_comes() {
            let title = format!(
                "`{}` never comes: the months it names have no such day",
                given.join(" ")
            );
            let help = "February has 29 days at the most; April, June, September and November have 30";
            return Err(vec![wrong(title, help)]);
        }
        Ok(line)
    }

    /// Whether no date at all is right.
    fn never_comes(&self) -> bool {
        let longest = |month: u64| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let any = (1..=12).any(|month| has(self.months, month) && (1..=longest(month)).any(|day| has(self.days, day)));
        !self.either && !any
    }

    fn is_day(&self, date: NaiveDate) -> bool {
        let day = has(self.days, date.day().into());
        let weekday = has(self.weekdays, date.weekday().num_days_from_sunday().into());
        has(self.months, date.month().into()) && if self.either { day || weekday } else { day && weekday }
    }

    /// The next time of the wall clock, which knows no zones here.
    pub(super) fn next(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut from = after.hour() * 60 + after.minute() + 1;
        for ahead in 0..DAYS_AHEAD {
            let date = after.date().checked_add_days(Days::new(ahead))?;
            if self.is_day(date) {
                let right =
                    |minute: &u32| has(self.hours, u64::from(minute / 60)) && has(self.minutes, u64::from(minute % 60));
                if let Some(minute) = (from..24 * 60).find(right) {
                    return date.and_hms_opt(minute / 60, minute % 60, 0);
                }
            }
            from = 0;
        }
        None
    }

    /// It in plain words, where they are short.
    pub(super) fn words(&self) -> Option<String> {
        let (minute, hour) = (only(self.minutes)?, only(self.hours)?);
        let at = format!("at {hour:02}:{minute:02}");
        let every = |set: u64, min: u64, max: u64| (min..=max).all(|n| has(set, n));
        if self.either || !every(self.months, 1, 12) {
            return None;
        }
        match (every(self.days, 1, 31), every(self.weekdays, 0, 6)) {
            (true, true) => Some(format!("every day {at}")),
            (false, true) => Some(format!("on day {} of every month {at}", only(self.days)?)),
            (true, false) => {
                let days = (1..=7).zip(DAY_NAMES).filter(|(day, _)| has(self.weekdays, day % 7));
                let days: Vec<String> = days.map(|(_, name)| capitalised(name)).collect();
                let (last, rest) = days.split_last()?;
                Some(match rest {
                    [] => format!("every {last} {at}"),
                    rest => format!("every {} and {last} {at}", rest.join(", ")),
                })
            }
            (false, false) => None,
        }
    }
}

fn capitalised(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

fn has(set: u64, n: u64) -> bool {
    set >> n & 1 == 1
}

/// The only number of a set.
fn only(set: u64) -> Option<u32> {
    (set.count_ones() == 1).then(|| set.trailing_zeros())
}

/// What is said where there are not five.
fn count(given: &[&str]) -> Wrong {
    let title = match given.len() {
        6 => "a cron line has five fields, this has six: seconds are no field here".to_owned(),
        7 => "a cron line has five fields, this has seven: neither seconds nor years are fields here".to_owned(),
        1 => "a cron line has five fields, this has one".to_owned(),
        n => format!("a cron line has five fields, this has {n}"),
    };
    let five = match given {
        [_, five @ ..] if five.len() == 5 => five,
        [_, five @ .., _] if five.len() == 5 => five,
        _ => return wrong(title, ORDER),
    };
    let five = five.join(" ").replace('?', "*");
    match Line::read(&five) {
        Ok(_) => wrong(title, format!("without it: `{five}`")),
        Err(_) => wrong(title, ORDER),
    }
}

impl Field {
    fn read(&self, text: &str) -> Result<u64, Wrong> {
        text.split(',').try_fold(0, |set, part| Ok(set | self.part(part)?))
    }

    /// A number, a range, a step.
    fn part(&self, part: &str) -> Result<u64, Wrong> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.min, self.max),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None => {
                let value = self.value(range)?;
                if let Some(step) = step {
                    let last = self.max.min(if self.is_week() { 6 } else { self.max });
                    let title = format!("`{part}` says where it begins and not where it ends");
                    return Err(wrong(title, format!("write `{range}-{last}/{step}`, or `*/{step}`")));
                }
                (value, value)
            }
        };
        // Friday to Sunday, with Sunday as 0.
        let to = if to < from && self.is_week() { to + 7 } else { to };
        if to < from {
            let title = format!("`{range}` runs backwards");
            let (a, b) = range.split_once('-').unwrap_or((range, range));
            let help = format!("write `{a}-{},{}-{b}`", self.max, self.min);
            return Err(wrong(title, help));
        }
        let step = match step {
            None => 1,
            Some(text) => self.step(part, text)?,
        };
        let numbers = (from..=to).step_by(step);
        Ok(numbers.fold(0, |set, n| set | 1 << if self.is_week() && n > 7 { n - 7 } else { n }))
    }

    fn is_week(&self) -> bool {
        self.max == 7
    }

    fn step(&self, part: &str, text: &str) -> Result<usize, Wrong> {
        let found = number(text).filter(|n| (1..=self.max).contains(n));
        let found = found.and_then(|n| usize::try_from(n).ok());
        found.ok_or_else(|| {
            let title = format!("`{part}`: a step of a {} is a number from 1 to {}", self.what, self.max);
            let help = match (self.what, text) {
                ("minute", "60") => "every hour is `0 * * * *`",
                ("hour", "24") => "every day at midnight is `0 0 * * *`",
                ("minute" | "hour", _) => "a step begins anew with each hour, or day",
                _ => PARTS,
            };
            wrong(title, help)
        })
    }

    fn value(&self, word: &str) -> Result<u64, Wrong> {
        let lower = word.to_ascii_lowercase();
        let mut named = (self.min..).zip(self.names);
        let found = number(word).or_else(|| named.find(|(_, name)| **name == lower).map(|(n, _)| n));
        if let Some(found) = found.filter(|n| (self.min..=self.max).contains(n)) {
            return Ok(found);
        }
        let (what, min, max, named) = (self.what, self.min, self.max, self.named);
        let title = format!("`{word}` is no {what}: they go from {min} to {max}{named}");
        let near = lower
            .get(..3)
            .and_then(|short| self.names.iter().find(|name| **name == short));
        Err(match (near, word) {
            (Some(near), _) => wrong(title, format!("write `{near}`")),
            (None, "?") => wrong(title, "for any day write `*`"),
            _ => wrong(title, PARTS),
        })
    }
}

/// One or two digits.
fn number(text: &str) -> Option<u64> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
