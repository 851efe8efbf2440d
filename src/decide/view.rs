//! What recipes see of a stay: the canonical reservation, derived from the fields as sent and the configured property.

use std::collections::BTreeSet;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::model::blank::blank;
use crate::model::clock::{Time, local_in};
use crate::model::field::{FIELDS, Field, FieldKind};
use crate::model::plan::Place;
use crate::model::property::{Properties, Property};
use crate::model::reservation::{Status, Stay};

/// A stay as recipes see it.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The canonical reservation; every canonical name is there, null where it is not known.
    pub json: Value,
    /// Its status; `None` before a known word was said.
    pub status: Option<Status>,
    /// Whether status and both dates are known.
    pub complete: bool,
    /// `guest`, `owner` or `block`.
    pub kind: String,
    /// When the guest arrives.
    pub check_in: Option<DateTime<FixedOffset>>,
    /// When the guest leaves.
    pub check_out: Option<DateTime<FixedOffset>>,
    /// The local day of the arrival.
    pub check_in_date: Option<NaiveDate>,
    /// The local day of the departure.
    pub check_out_date: Option<NaiveDate>,
    /// The zone that holds for the stay's clock.
    pub zone: Tz,
    /// The configured property's key.
    pub property: Option<String>,
    /// The same, or what the sender calls a property that nobody configured, so that stays of one place can be told.
    pub place: Option<String>,
    /// What does not fit together in what the sender said.
    pub warnings: Vec<String>,
}

impl View {
    /// Where and when it is, for its neighbours.
    pub fn place(&self) -> Place {
        Place {
            property: self.place.clone(),
            arrives_at: self.check_in.map(|at| at.to_utc()),
            leaves_at: self.check_out.map(|at| at.to_utc()),
            taken: self.complete && self.kind != "block" && self.status.is_some_and(Status::is_active),
        }
    }
}

/// Derives the view of a stay.
pub fn view(stay: &Stay, properties: &Properties) -> View {
    let ids: Vec<&str> = list(stay, "property.ids");
    let name = stay.text("property.name");
    let configured = ids.iter().copied().chain(name);
    let mut configured = configured.filter_map(|name| properties.find(&stay.source, name));
    let property = configured.next();
    let zone = Zone::of(property, properties);
    let mut warnings = Vec::new();
    if let Some((first, other)) = property.and_then(|first| Some((first, configured.find(|one| one.key != first.key)?)))
    {
        warnings.push(format!(
            "it lists two properties of the configuration, `{}` and `{}`; it counts for `{}` alone",
            first.key, other.key, first.key
        ));
    }
    let arrival = moment(
        stay,
        "check_in",
        &zone,
        property.map_or(properties.check_in, |p| p.check_in),
        &mut warnings,
    );
    let departure = moment(
        stay,
        "check_out",
        &zone,
        property.map_or(properties.check_out, |p| p.check_out),
        &mut warnings,
    );
    let nights = match (arrival.date, departure.date) {
        (Some(from), Some(to)) => Value::from((to - from).num_days()),
        _ => Value::Null,
    };
    let status = stay.status();
    let kind = stay.text("kind").unwrap_or("guest").to_owned();

    let mut root = blank().as_object().cloned().unwrap_or_default();
    for Field { name, kind, .. } in FIELDS {
        if let Some(value) = stay.value(name) {
            let value = match kind {
                FieldKind::Time => value
                    .as_str()
                    .and_then(|text| zone.instant(text))
                    .map_or(value.clone(), |at| at.to_rfc3339().into()),
                _ => value.clone(),
            };
            put(&mut root, name, value);
        }
    }
    put(&mut root, "code", json!(stay.code()));
    put(&mut root, "key", json!(stay.key()));
    // In one order, whatever came first.
    put(&mut root, "ids", json!(stay.ids.iter().collect::<BTreeSet<_>>()));
    let other = |name: &&String| Some(name.as_str()) != stay.code() && !stay.ids.contains(name);
    let others: Vec<&String> = stay.references.iter().filter(other).collect();
    put(&mut root, "references", json!(others));
    put(&mut root, "source", json!(stay.source));
    put(&mut root, "kind", json!(kind));
    let unknown = stay.text("source_status").map(|_| Status::Unknown);
    put(&mut root, "status", json!(status.or(unknown).map(Status::word)));
    put(&mut root, "check_in", json!(arrival.at.map(|at| at.to_rfc3339())));
    put(&mut root, "check_out", json!(departure.at.map(|at| at.to_rfc3339())));
    put(&mut root, "check_in_date", json!(arrival.date));
    put(&mut root, "check_out_date", json!(departure.date));
    put(&mut root, "nights", nights);
    put(&mut root, "labels", json!(stay.labels));
    let zone_name = property
        .and_then(|property| property.timezone)
        .unwrap_or(properties.timezone)
        .name();
    put(&mut root, "property.timezone", json!(zone_name));
    match property {
        Some(property) => {
            put(&mut root, "property.key", json!(property.key));
            put(&mut root, "property.name", json!(property.name));
            put(&mut root, "property.tags", json!(property.tags));
            put(&mut root, "property.vars", json!(property.vars));
        }
        None => {
            put(&mut root, "property.tags", json!([]));
            put(&mut root, "property.vars", json!(properties.vars));
        }
    }
    View {
        complete: status.is_some() && arrival.date.is_some() && departure.date.is_some(),
        json: Value::Object(root),
        status,
        kind,
        check_in: arrival.at,
        check_out: departure.at,
        check_in_date: arrival.date,
        check_out_date: departure.date,
        zone: zone.zone,
        place: match property {
            Some(property) => Some(property.key.clone()),
            // Within one source, so that it is no key of the configuration's.
            None => ids
                .first()
                .copied()
                .or(name)
                .map(|id| format!("{}\u{1f}{id}", stay.source)),
        },
        property: property.map(|property| property.key.clone()),
        warnings,
    }
}

/// The time in the zone of this reservation's property, as templates print `now`.
pub fn local_now(reservation: &Value, properties: &Properties, now: Time) -> DateTime<FixedOffset> {
    let zone = reservation
        .pointer("/property/timezone")
        .and_then(Value::as_str)
        .and_then(|name| name.parse::<Tz>().ok());
    now.with_timezone(&zone.unwrap_or(properties.timezone)).fixed_offset()
}

fn put(root: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => set(root, name, value),
        Some((group, inner)) => {
            if !root.contains_key(group) {
                root.insert(group.to_owned(), Value::Object(Map::new()));
            }
            if let Some(Value::Object(group)) = root.get_mut(group) {
                set(group, inner, value);
            }
        }
    }
}

/// Nearly every name is there already, with nothing in it.
fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    match map.get_mut(name) {
        Some(place) => *place = value,
        None => _ = map.insert(name.to_owned(), value),
    }
}

fn list<'s>(stay: &'s Stay, field: &str) -> Vec<&'s str> {
    stay.value(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// How times without an offset are read, and how all are shown.
struct Zone {
    /// The zone that holds for the stay's clock.
    zone: Tz,
    /// Whether an offset that the sender wrote goes before it: only where nobody configured the property.
    sent_first: bool,
}

impl Zone {
    fn of(property: Option<&Property>, properties: &Properties) -> Zone {
        Zone {
            zone: property
                .and_then(|property| property.timezone)
                .unwrap_or(properties.timezone),
            sent_first: property.is_none(),
        }
    }

    /// A time as a mapping leaves it: with offset, without, or a date only (which is no instant).
    fn instant(&self, text: &str) -> Option<DateTime<FixedOffset>> {
        match Written::read(text, self.zone)? {
            Written::Offset(at) => Some(self.show(at)),
            Written::Local(at) => Some(self.local(at)),
            Written::Date(_) => None,
        }
    }

    fn show(&self, at: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
        if self.sent_first {
            at
        } else {
            at.with_timezone(&self.zone).fixed_offset()
        }
    }

    /// A local time in the zone: one that does not exist is the next that does, one that exists twice the first.
    fn local(&self, at: NaiveDateTime) -> DateTime<FixedOffset> {
        local_in(self.zone, at)
    }
}

/// A time as it was written.
enum Written {
    Offset(DateTime<FixedOffset>),
    Local(NaiveDateTime),
    Date(NaiveDate),
}

impl Written {
    fn read(text: &str, zone: Tz) -> Option<Written> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            // Offset unknown (RFC 3339, 4.3): an instant without a local day of its own, which is the property's then.
            if text.ends_with("-00:00") {
                return Some(Written::Offset(at.with_timezone(&zone).fixed_offset()));
            }
            return Some(Written::Offset(at));
        }
        if let Ok(at) = text.parse::<NaiveDateTime>() {
            return Some(Written::Local(at));
        }
        text.parse::<NaiveDate>().ok().map(Written::Date)
    }

    fn date(&self) -> NaiveDate {
        match self {
            Written::Offset(at) => at.date_naive(),
            Written::Local(at) => at.date(),
            Written::Date(date) => *date,
        }
    }

    /// The clock on the wall: what is sent in UTC is an instant, and its clock is that of the zone.
    fn time_of_day(&self, zone: Tz) -> Option<NaiveTime> {
        match self {
            Written::Offset(at) if at.offset().local_minus_utc() == 0 => Some(at.with_timezone(&zone).time()),
            Written::Offset(at) => Some(at.time()),
            Written::Local(at) => Some(at.time()),
            Written::Date(_) => None,
        }
    }
}

#[derive(Default)]
struct Moment {
    date: Option<NaiveDate>,
    at: Option<DateTime<FixedOffset>>,
}

/// Arrival or departure from what the sender gave: a date, a time, or both.
fn moment(stay: &Stay, field: &str, zone: &Zone, default: NaiveTime, warnings: &mut Vec<String>) -> Moment {
    let date_field = format!("{field}_date");
    let sent_date = stay.text(&date_field).and_then(|text| text.parse::<NaiveDate>().ok());
    let sent_time = stay.text(field).and_then(|text| Written::read(text, zone.zone));
    let (mut date, mut time) = (sent_date, sent_time);
    if let (Some(day), Some(written)) = (&date, &time)
        && written.date() != *day
    {
        // They were said by different facts: the newer one is right about the day.
        let (of_day, of_time) = (stay.writer(&date_field), stay.writer(field));
        match of_day.map(|w| w.stamp).cmp(&of_time.map(|w| w.stamp)) {
            std::cmp::Ordering::Greater => {
                time = written
                    .time_of_day(zone.zone)
                    .map(|time| Written::Local(day.and_time(time)));
            }
            std::cmp::Ordering::Less => date = Some(written.date()),
            std::cmp::Ordering::Equal => {}
        }
    }
    let date = date.or_else(|| time.as_ref().map(Written::date));
    let at = match time {
        Some(Written::Offset(at)) => {
            if !zone.sent_first && zone.zone.offset_from_utc_datetime(&at.naive_utc()).fix() != *at.offset() {
                warnings.push(format!(
                    "{field} came with the offset {}, which is not that of {}; the instant stands",
                    at.offset(),
                    zone.zone
                ));
            }
            Some(zone.show(at))
        }
        Some(Written::Local(at)) => Some(zone.local(at)),
        Some(Written::Date(day)) => Some(zone.local(date.unwrap_or(day).and_time(default))),
        None => date.map(|day| zone.local(day.and_time(default))),
    };
    Moment { date, at }
}
