//! Times as the clock on the wall of a property shows them.

use chrono::{Datelike, TimeDelta};
use chrono_tz::Tz;

use crate::model::clock::{Time, from_ms};

/// The clock of one property, and the time by which years are left out.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// The property's zone.
    pub zone: Tz,
    /// Now.
    pub now: Time,
}

impl Local {
    /// "Fri 3 Apr 10:00"; with the year where that is another one than today's.
    pub fn short(&self, at: Time) -> String {
        let at = at.with_timezone(&self.zone);
        let this = self.now.with_timezone(&self.zone).year() == at.year();
        let form = if this { "%a %-d %b %H:%M" } else { "%a %-d %b %Y %H:%M" };
        at.format(form).to_string()
    }

    /// "Fri 3 Apr 10:00 PDT": with what the zone is called at that time, or its name where it has no such word.
    pub fn whole(&self, at: Time) -> String {
        format!("{} {}", self.short(at), self.word(at))
    }

    /// "PDT", "Africa/Casablanca".
    pub fn word(&self, at: Time) -> String {
        let word = at.with_timezone(&self.zone).format("%Z").to_string();
        match word.starts_with(['+', '-']) {
            true => self.zone.name().to_owned(),
            false => word,
        }
    }

    /// As JSON has it: with the offset that holds then.
    pub fn json(&self, at: Time) -> String {
        let at = at.with_timezone(&self.zone).fixed_offset();
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
    }

    /// The same of milliseconds since 1970.
    pub fn json_ms(&self, ms: i64) -> String {
        self.json(from_ms(ms))
    }

    /// "in 2 days", "in 3h 5m", "now", "5m ago".
    pub fn distance(&self, at: Time) -> String {
        let left = at - self.now;
        match left < TimeDelta::zero() {
            _ if left.abs() < TimeDelta::minutes(1) => "now".to_owned(),
            true => format!("{} ago", span(-left)),
            false => format!("in {}", span(left)),
        }
    }
}

/// `2d 3h`, `3h 5m`, `40m`; nothing smaller than a minute.
fn span(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, m) => format!("{m}m"),
        (0, h, 0) => format!("{h}h"),
        (0, h, m) => format!("{h}h {m}m"),
        (d, 0, _) => format!("{d}d"),
        (d, h, _) if d < 10 => format!("{d}d {h}h"),
        (d, ..) => format!("{d}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_wall() {
        let now: Time = "2027-03-01T12:00:00Z".parse().unwrap();
        let local = |zone: &str| Local {
            zone: zone.parse().unwrap(),
            now,
        };
        for (zone, at, said, distance) in [
            (
                "America/Los_Angeles",
                "2027-03-02T17:00:00Z",
                "Tue 2 Mar 09:00 PST",
                "in 1d 5h",
            ),
            (
                "America/Los_Angeles",
                "2027-04-02T17:00:00Z",
                "Fri 2 Apr 10:00 PDT",
                "in 32d",
            ),
            (
                "America/Los_Angeles",
                "2028-01-01T07:59:00Z",
                "Fri 31 Dec 23:59 PST",
                "in 305d",
            ),
            (
                "America/Los_Angeles",
                "2028-01-01T08:00:00Z",
                "Sat 1 Jan 2028 00:00 PST",
                "in 305d",
            ),
            (
                "America/Sao_Paulo",
                "2027-03-01T11:20:00Z",
                "Mon 1 Mar 08:20 America/Sao_Paulo",
                "40m ago",
            ),
            ("Europe/Lisbon", "2027-03-01T12:00:30Z", "Mon 1 Mar 12:00 WET", "now"),
            (
                "Europe/Lisbon",
                "2027-03-01T15:05:00Z",
                "Mon 1 Mar 15:05 WET",
                "in 3h 5m",
            ),
            ("UTC", "2027-03-03T12:00:00Z", "Wed 3 Mar 12:00 UTC", "in 2d"),
        ] {
            let at: Time = at.parse().unwrap();
            assert_eq!(local(zone).whole(at), said);
            assert_eq!(local(zone).distance(at), distance, "{said}");
        }
        let lisbon = local("Europe/Lisbon");
        assert_eq!(lisbon.json(now), "2027-03-01T12:00:00+00:00");
        assert_eq!(local("America/Los_Angeles").json(now), "2027-03-01T04:00:00-08:00");
    }
}
