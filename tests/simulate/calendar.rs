//! The calendar of the model: when a rule wants something of a stay, by dates, zones and hours alone. It knows nothing of
//! how the daemon plans.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use stayhook::model::clock::Time;
use stayhook::model::property::{Properties, Property};

use crate::rules::{Entry, From, Late, Rule, Span};

/// Where nothing else is said: half an hour off the others, and never another time in summer.
const DEFAULT: Tz = chrono_tz::Asia::Kolkata;
/// Arrival and departure in configured properties, and elsewhere.
const HOURS: [(u32, u32); 2] = [(16, 11), (15, 11)];

/// The properties: clocks that change by an hour, by half an hour, on other days of the year, and none of its own.
const PROPERTIES: [(&str, Option<Tz>); 4] = [
    ("brannan", Some(chrono_tz::America::Los_Angeles)),
    ("alfama", Some(chrono_tz::Europe::Lisbon)),
    ("howe", Some(chrono_tz::Australia::Lord_Howe)),
    ("plain", None),
];

/// What senders call properties; of the last one nobody has heard.
pub const PLACES: [&str; 5] = ["brannan", "alfama", "howe", "plain", "elsewhere"];

/// The same for the daemon.
pub fn properties() -> Properties {
    let hour = |hour: u32| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let mut properties = Properties::none();
    properties.timezone = DEFAULT;
    (properties.check_in, properties.check_out) = (hour(HOURS[1].0), hour(HOURS[1].1));
    for (key, timezone) in PROPERTIES {
        properties.all.push(Property {
            key: key.to_owned(),
            name: key.to_owned(),
            matches: vec![(None, key.to_owned())],
            timezone,
            check_in: hour(HOURS[0].0),
            check_out: hour(HOURS[0].1),
            tags: Vec::new(),
            vars: BTreeMap::new(),
        });
    }
    properties
}

/// A time of the clock on the wall: one that there is not is the next there is, one that there is twice the first.
fn wall(zone: Tz, at: NaiveDateTime) -> Time {
    let mut at = at;
    loop {
        if let Some(found) = zone.from_local_datetime(&at).earliest() {
            return found.to_utc();
        }
        at += TimeDelta::minutes(1);
    }
}

/// A stay as its sender means it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    pub status: String,
    /// Local days of arrival and departure; none while it is not complete.
    pub days: Option<(NaiveDate, NaiveDate)>,
    pub property: Option<String>,
    pub created: Time,
    /// Whether its sender said when it was booked.
    pub created_said: bool,
    /// Since when it is pending, where it is.
    pub pending_since: Option<Time>,
}

impl Stay {
    /// From the fields of its fold.
    pub fn of(fields: &BTreeMap<&'static str, Value>, first_seen: Time, pending_since: Option<Time>) -> Stay {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let day = |name: &str| text(name).and_then(|text| text.parse::<NaiveDate>().ok());
        let said = text("created_at").map(|text| text.parse::<Time>().unwrap());
        Stay {
            status: text("status").unwrap_or_default().to_owned(),
            days: day("check_in_date").zip(day("check_out_date")),
            property: text("property").map(str::to_owned),
            created: said.unwrap_or(first_seen),
            created_said: said.is_some(),
            pending_since,
        }
    }

    pub fn is_gone(&self) -> bool {
        self.status == "cancelled"
    }

    pub fn is_booked(&self) -> bool {
        self.status == "confirmed"
    }

    /// Whether it has a clock at all.
    pub fn lives(&self) -> bool {
        !self.status.is_empty() && !self.is_gone() && self.days.is_some()
    }

    fn known(&self) -> Option<&(&'static str, Option<Tz>)> {
        PROPERTIES
            .iter()
            .find(|(key, _)| self.property.as_deref() == Some(*key))
    }

    fn zone(&self) -> Tz {
        self.known().and_then(|(_, zone)| *zone).unwrap_or(DEFAULT)
    }

    fn moment(&self, from: From) -> Option<Time> {
        let (arrives, leaves) = self.days?;
        let hours = HOURS[usize::from(self.known().is_none())];
        let at = |day: NaiveDate, hour: u32| wall(self.zone(), day.and_hms_opt(hour, 0, 0).unwrap());
        Some(match from {
            From::CheckIn => at(arrives, hours.0),
            From::CheckOut => at(leaves, hours.1),
            From::Created => self.created,
        })
    }

    pub fn arrives(&self) -> Option<Time> {
        self.moment(From::CheckIn)
    }

    pub fn leaves(&self) -> Option<Time> {
        self.moment(From::CheckOut)
    }

    /// So many days after an instant, at its own time of day: by its property's clock, or by the offset it was sent with.
    fn days_after(&self, from: Time, days: i64) -> Time {
        let days = TimeDelta::days(days);
        if self.known().is_none() && self.created_said && from == self.created {
            return from + days;
        }
        wall(self.zone(), from.with_timezone(&self.zone()).naive_local() + days)
    }
}

/// A time at which a rule wants something of a stay.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The entry and its occurrence.
    pub entry: String,
    pub kind: &'static str,
    pub at: Time,
    /// Until when it may be late.
    pub last: Time,
}

/// Every time at which the rule wants something of the stay.
pub fn moments(rule: &Rule, stay: &Stay) -> Vec<Moment> {
    let mut found = Vec::new();
    if !rule.enabled || !stay.lives() {
        return found;
    }
    let leaves = stay.leaves().unwrap();
    for entry in &rule.entries {
        let mut add = |n: usize, at: Time, before: Option<Time>, arrival: bool| {
            let mut last = match (rule.late, before) {
                (Late::Usual, Some(anchor)) => anchor.max(at + TimeDelta::minutes(1)),
                (late, _) => latest(late, at),
            };
            if arrival {
                last = last.min(leaves);
            }
            let entry_name = format!("{}#{n}", entry.label());
            found.push(Moment {
                entry: entry_name,
                kind: entry.kind(),
                at,
                last,
            });
        };
        match entry {
            Entry::Stay(from, span, at) => {
                let anchor = stay.moment(*from).unwrap();
                let when = match (span, at) {
                    (Span::Hours(hours), _) => anchor + TimeDelta::hours(*hours),
                    (Span::Days(0), None) => anchor,
                    (Span::Days(days), None) => stay.days_after(anchor, *days),
                    (Span::Days(days), Some((h, m))) => {
                        let (arrives, departs) = stay.days.unwrap();
                        let day = if *from == From::CheckIn { arrives } else { departs };
                        wall(
                            stay.zone(),
                            (day + TimeDelta::days(*days)).and_hms_opt(*h, *m, 0).unwrap(),
                        )
                    }
                };
                add(0, when, span.is_before().then_some(anchor), *from == From::CheckIn);
            }
            Entry::Every(days, (h, m), before) => {
                let end = stay.days_after(leaves, -before);
                for n in 1.. {
                    let day = stay.days.unwrap().0 + TimeDelta::days(days * n);
                    let at = wall(stay.zone(), day.and_hms_opt(*h, *m, 0).unwrap());
                    if at > end {
                        break;
                    }
                    add(usize::try_from(n).unwrap(), at, None, true);
                }
            }
            Entry::Pending(hours) => {
                if let Some(since) = stay.pending_since {
                    add(0, since + TimeDelta::hours(*hours), None, false);
                }
            }
        }
    }
    found
}

/// Until when a time may be late by its rule alone.
pub fn latest(late: Late, at: Time) -> Time {
    at + match late {
        Late::Usual => TimeDelta::hours(12),
        Late::Skip => TimeDelta::minutes(1),
        Late::Hours(hours) => TimeDelta::hours(hours),
    }
}

/// Every time of a daily rule after `from`, up to and with `to`.
pub fn daily(((h, m), zone): ((u32, u32), Tz), from: Time, to: Time) -> Vec<Time> {
    let mut day = (from - TimeDelta::days(2)).date_naive();
    let mut found = Vec::new();
    while day <= to.date_naive() + Days::new(2) {
        let at = wall(zone, day.and_hms_opt(h, m, 0).unwrap());
        if at > from && at <= to {
            found.push(at);
        }
        day = day + Days::new(1);
    }
    found
}

/// Whether somebody arrives in the same property on the day this stay leaves: of those that arrive after it the first.
pub fn same_day_turn(own: &str, stays: &BTreeMap<String, (&'static str, Stay)>) -> bool {
    let place = |(source, stay): &(&'static str, Stay)| {
        let id = stay.property.clone()?;
        Some(if stay.known().is_some() {
            id
        } else {
            format!("{source} {id}")
        })
    };
    let stay = &stays[own];
    let (Some(here), Some(mine)) = (place(stay), stay.1.arrives()) else {
        return false;
    };
    let others = stays
        .iter()
        .filter(|(id, other)| id.as_str() != own && other.1.is_booked() && place(other).as_ref() == Some(&here));
    let later = others.filter_map(|(id, other)| {
        let arrives = other.1.arrives()?;
        let after = arrives > mine || (arrives == mine && id.as_str() > own);
        after.then_some((arrives, id, other.1.days?.0))
    });
    let next = later.min();
    next.is_some_and(|(_, _, day)| stay.1.days.is_some_and(|(_, leaves)| leaves == day))
}

/// For messages.
pub fn shown(at: Time) -> String {
    let at: DateTime<FixedOffset> = at.with_timezone(&Utc).fixed_offset();
    at.format("%m-%dT%H:%M:%S").to_string()
}
