//! Clocks in words.

mod entry;

use chrono::TimeDelta;

use crate::recipe::{Anchor, Gather, Mark, Shift, StatusClock, StayClock, Trigger};

use super::any;

pub use entry::{entry_words, entry_zone};

/// When an entry of a clock starts its recipe: "2 days BEFORE check-in at 10:00, the property's time".
pub(super) fn says(trigger: &Trigger) -> Option<String> {
    match trigger {
        Trigger::Event { .. } => None,
        Trigger::Stay(clock) => Some(stay(clock)),
        Trigger::Status(clock) => Some(status(clock)),
        Trigger::Schedule(schedule) => Some(schedule.words()),
    }
}

fn stay(clock: &StayClock) -> String {
    let Some(every) = clock.every else {
        let moment = moment(clock.mark, true);
        return match clock.mark.at {
            Some(_) => format!("{moment}, the property's time"),
            None => moment,
        };
    };
    let period = amount(every);
    let period = period.strip_prefix("1 ").unwrap_or(&period);
    let bare = Mark { at: None, ..clock.mark };
    let mut out = match clock.mark.shift.is_none() {
        true => format!("every {period} after {}", anchor(clock.mark.anchor)),
        false => format!("every {period}, counted from {}", moment(bare, false)),
    };
    if let Some(at) = clock.mark.at {
        out += &format!(" at {}", at.format("%H:%M"));
    }
    out + &match clock.until {
        Some(until) => format!(", until {}", moment(until, false).trim_start_matches("at ")),
        None => ", until check-out".to_owned(),
    }
}

/// "2 days BEFORE check-in at 10:00", "at check-out", "on the day of check-in at 10:00".
pub(super) fn moment(mark: Mark, loud: bool) -> String {
    let anchor = anchor(mark.anchor);
    let side = match (mark.shift.is_before(), loud) {
        (true, true) => "BEFORE",
        (true, false) => "before",
        (false, true) => "AFTER",
        (false, false) => "after",
    };
    let shifted = (!mark.shift.is_none()).then(|| format!("{} {side} {anchor}", amount(mark.shift)));
    match (shifted, mark.at) {
        (Some(shifted), Some(at)) => format!("{shifted} at {}", at.format("%H:%M")),
        (Some(shifted), None) => shifted,
        (None, Some(at)) => format!("on the day of {anchor} at {}", at.format("%H:%M")),
        (None, None) => format!("at {anchor}"),
    }
}

fn anchor(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::CheckIn => "check-in",
        Anchor::CheckOut => "check-out",
        Anchor::Created => "booking",
    }
}

fn status(clock: &StatusClock) -> String {
    let words: Vec<String> = clock
        .says
        .split(',')
        .map(|word| match word.trim().strip_prefix("!=") {
            Some(word) => format!("other than {}", word.trim().replace('_', " ")),
            None => word.trim().replace('_', " "),
        })
        .collect();
    format!("when the status has been {} for {}", any(&words), amount(clock.lasts))
}

/// What a list of stays is about, with its conditions in words.
pub(super) fn gathers(list: &Gather, conditions: &str) -> String {
    let what = match list.anchor {
        Anchor::CheckIn => "arrive",
        Anchor::CheckOut => "leave",
        Anchor::Created => "are booked",
    };
    let within = match list.within {
        Shift::Days(1) => "today".to_owned(),
        Shift::Days(days) => format!("within {days} days, today the first"),
        Shift::Seconds(_) => format!("within {}", amount(list.within)),
    };
    let conditions = match conditions {
        "" => String::new(),
        conditions => format!(", if {conditions}"),
    };
    format!(
        "`gathered.{}` are the stays that {what} {within}{conditions}.",
        list.name
    )
}

/// "2 days", "36 hours", "1 hour": days of the calendar and hours that pass are told apart.
fn amount(shift: Shift) -> String {
    match shift {
        Shift::Days(days) => count(days.abs(), "day"),
        Shift::Seconds(seconds) => match seconds.abs() {
            n if n % 3600 == 0 => count(n / 3600, "hour"),
            n if n % 60 == 0 => count(n / 60, "minute"),
            n => count(n, "second"),
        },
    }
}

/// A span in words: "60 seconds", "12 hours".
pub(super) fn span(span: TimeDelta) -> String {
    match span.num_seconds() {
        n if n > 0 && n % 86_400 == 0 => count(n / 86_400, "day"),
        60 => "60 seconds".to_owned(),
        n => amount(Shift::Seconds(n)),
    }
}

fn count(n: i64, word: &str) -> String {
    match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    }
}
