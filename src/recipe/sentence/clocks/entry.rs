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
mod tests {
    use super::*;

    #[test]
    fn entries_are_said_as_recipes_say_them() {
        for (entry, said) in [
            ("check_in-2d@10:00#0", "2 days before check-in at 10:00"),
            ("check_in-36h#0", "36 hours before check-in"),
            ("check_in+0@10:00#0", "on the day of check-in at 10:00"),
            ("check_out+0#0", "at check-out"),
            ("created+45m#0", "45 minutes after booking"),
            (
                "check_in+0@11:00*7d#3",
                "every 7 days from check-in on at 11:00 (no. 3)",
            ),
            (
                "check_in+1d*24h#2",
                "every 24 hours from 1 day after check-in on (no. 2)",
            ),
            ("check_out-3d*1d#1", "every day from 3 days before check-out on (no. 1)"),
            (
                "status:awaiting_payment+24h#0",
                "when the status has been awaiting payment for 24 hours",
            ),
            (
                "status:on-hold,wait+list+1d#0",
                "when the status has been on-hold or wait+list for 1 day",
            ),
            (
                "schedule:0 9 * * 1 America/Los_Angeles#1775000000",
                "every Monday at 09:00",
            ),
            ("settle", "waits for further changes"),
            ("of another version", "of another version"),
            ("check_in~2d#0", "check_in~2d#0"),
        ] {
            assert_eq!(entry_words(&[entry.to_owned()]), said, "{entry}");
        }
        let two = ["check_in-2d@10:00#0", "check_out+0#0", "check_out+0#0"].map(str::to_owned);
        assert_eq!(entry_words(&two), "2 days before check-in at 10:00 and at check-out");
        let zone = |entry: &str| entry_zone(&[entry.to_owned()]).map(Tz::name);
        assert_eq!(
            zone("schedule:0 9 * * 1 Europe/Lisbon#1775000000"),
            Some("Europe/Lisbon")
        );
        assert_eq!(zone("check_in-2d@10:00#0"), None);
    }
}
