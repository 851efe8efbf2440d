//! Entries of planned runs in words: `check_in-2d@10:00#0` is "2 days before check-in at 10:00". Made from the entry alone,
//! since the recipe that asked for it may be another one by now.

use chrono::NaiveTime;
use chrono_tz::Tz;

use crate::model::plan::SETTLE;
use crate::recipe::{Anchor, Mark, Schedule, Shift, StatusClock};

use super::{amount, moment, status};

/// The entries that a planned run stands for, in words; one that nobody can read stays as it is written.
pub fn entry_words(entries: &[String]) -> String {
    let mut words: Vec<String> = Vec::new();
    for entry in entries {
        let said = read(entry).unwrap_or_else(|| entry.clone());
        if !words.contains(&said) {
            words.push(said);
        }
    }
    words.join(" and ")
}

/// The zone of a schedule's run, by its entry; `None` for all else.
pub fn entry_zone(entries: &[String]) -> Option<Tz> {
    let (label, _) = entries.first()?.rsplit_once('#')?;
    let (_, zone) = label.strip_prefix("schedule:")?.rsplit_once(' ')?;
    zone.parse().ok()
}

fn read(entry: &str) -> Option<String> {
    if entry == SETTLE {
        return Some("waits for further changes".to_owned());
    }
    let (label, occurrence) = entry.rsplit_once('#')?;
    if let Some(schedule) = label.strip_prefix("schedule:") {
        let (says, _) = schedule.rsplit_once(' ')?;
        return Some(Schedule::cron(says, None).ok()?.words());
    }
    if let Some(clock) = label.strip_prefix("status:") {
        // The last sign: words of a sender may have one in them.
        let at = clock.rfind('+')?;
        return Some(status(&StatusClock {
            words: Vec::new(),
            says: clock[..at].to_owned(),
            lasts: shift(&clock[at..])?,
        }));
    }
    let Some((of_mark, every)) = label.split_once('*') else {
        return Some(moment(mark(label)?, false));
    };
    let (mark, every) = (mark(of_mark)?, shift(&format!("+{every}"))?);
    let from = Mark { at: None, ..mark };
    let mut said = format!(
        "every {} from {} on",
        amount(every).trim_start_matches("1 "),
        moment(from, false).trim_start_matches("at ")
    );
    if let Some(at) = mark.at {
        said += &format!(" at {}", at.format("%H:%M"));
    }
    Some(format!("{said} (no. {occurrence})"))
}

/// `check_in-2d@10:00`.
fn mark(text: &str) -> Option<Mark> {
    let (text, at) = match text.split_once('@') {
        Some((text, at)) => (text, Some(NaiveTime::parse_from_str(at, "%H:%M").ok()?)),
        None => (text, None),
    };
    let sign = text.find(['+', '-'])?;
    Some(Mark {
        anchor: Anchor::from_word(&text[..sign])?,
        shift: shift(&text[sign..])?,
        at,
    })
}

/// `-2d`, `+36h`, `+0`.
fn shift(text: &str) -> Option<Shift> {
    if text == "+0" {
        return Some(Shift::NONE);
    }
    match text.strip_prefix('-') {
        Some(length) => Shift::read(length).map(Shift::before),
        None => Shift::read(text.strip_prefix('+')?),
    }
}

#[cfg(test)]
mod tests;
