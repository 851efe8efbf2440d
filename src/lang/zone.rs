//! Time zones as people write them.

use chrono::{NaiveDate, NaiveTime, Offset as _, TimeZone as _};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::diag::{Report, did_you_mean};
use super::fields::text;
use super::shape::Like;
use super::yaml::Node;

/// The name of a time zone.
pub static ZONE: Like = Like {
    what: "a time zone",
    pattern: "^[A-Za-z0-9_+/-]+$",
    numbers: false,
};

/// The zone that a text names.
pub fn timezone(node: &Node, key: &str, report: &mut Report) -> Option<Tz> {
    let name = text(node, key, report)?;
    let found: Option<Tz> = name.parse().ok();
    if found.is_none() {
        let title = format!("there is no time zone `{name}`");
        let diagnostic = report.mistake("timezone", &node.place, title);
        match (offset_of(name), zone_meant(name)) {
            (Some(minutes), _) => diagnostic.help(zones_at(minutes)),
            (None, Some(near)) => diagnostic.help(format!("did you mean `{near}`?")),
            (None, None) => diagnostic.help("zones are written as in `America/Los_Angeles` or `Europe/Lisbon`"),
        }
    }
    if let Some((_, whole)) = WINTER_ONLY.iter().find(|(short, _)| *short == name) {
        let title = format!("`{name}` has no summer time");
        report
            .warning("timezone", &node.place, title)
            .help(format!("with summer time it is `{whole}`"));
    }
    // In these names the sign is turned round.
    if found.is_some()
        && let Some(minutes) = offset_of(name).filter(|minutes| *minutes != 0)
    {
        let title = format!(
            "`{name}` is {}: in these names the sign is turned round",
            in_words(-minutes)
        );
        report.warning("timezone", &node.place, title).help(zones_at(minutes));
    }
    found
}

/// The offset that `GMT+2`, `UTC-03:30` or `Etc/GMT+2` seem to say, in minutes east of Greenwich, with the sign as written.
fn offset_of(name: &str) -> Option<i32> {
    let upper = name.to_uppercase();
    let rest = upper.strip_prefix("ETC/").unwrap_or(&upper);
    let rest = rest
        .strip_prefix("UTC")
        .or_else(|| rest.strip_prefix("GMT"))
        .unwrap_or(rest)
        .trim();
    let (sign, digits) = match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
        (Some(rest), _) => (-1, rest),
        (_, Some(rest)) => (1, rest),
        // `UTC2`, but no bare number.
        (None, None) if rest.len() < upper.len() => (1, rest),
        (None, None) => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 60 + minutes))
}

fn in_words(minutes: i32) -> String {
    let (sign, hours, rest) = (
        if minutes < 0 { '-' } else { '+' },
        minutes.abs() / 60,
        minutes.abs() % 60,
    );
    match rest {
        0 => format!("UTC{sign}{hours}"),
        rest => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

/// Zones of an offset by name, for an offset alone says nothing of summer time.
fn zones_at(minutes: i32) -> String {
    let at = |zone: Tz, month: u32| {
        let day = NaiveDate::from_ymd_opt(2026, month, 15)
            .unwrap_or_default()
            .and_time(NaiveTime::MIN);
        zone.offset_from_utc_datetime(&day).fix().local_minus_utc() / 60
    };
    let named = |when: &str, fits: fn(bool, bool) -> bool| {
        let regions = [
            "Europe/",
            "America/",
            "Africa/",
            "Asia/",
            "Australia/",
            "Pacific/",
            "Atlantic/",
        ];
        let others = TZ_VARIANTS
            .iter()
            .copied()
            .filter(|zone| regions.iter().any(|region| zone.name().starts_with(region)));
        let fits = |zone: &Tz| fits(at(*zone, 1) == minutes, at(*zone, 7) == minutes);
        let large = LARGE.into_iter().filter(fits).take(2).map(|zone| format!("`{zone}`"));
        let mut names: Vec<String> = large.collect();
        if names.is_empty() {
            names.extend(others.into_iter().find(fits).map(|zone| format!("`{zone}`")));
        }
        (!names.is_empty()).then(|| format!("{} ({when})", names.join(", ")))
    };
    let found: Vec<String> = [
        named("all year", |january, july| january && july),
        named("from autumn to spring in Europe", |january, july| january && !july),
        named("from spring to autumn in Europe", |january, july| !january && july),
    ]
    .into_iter()
    .flatten()
    .collect();
    match found.is_empty() {
        true => "zones are written as in `America/Los_Angeles` or `Europe/Lisbon`".to_owned(),
        false => format!(
            "name a place, so that summer time is known. At {}: {}",
            in_words(minutes),
            found.join("; ")
        ),
    }
}

/// Places that most people know.
#[rustfmt::skip]
const LARGE: [Tz; 24] = [
    Tz::Europe__London, Tz::Europe__Berlin, Tz::Europe__Paris, Tz::Europe__Athens, Tz::Europe__Istanbul, Tz::Europe__Moscow,
    Tz::Africa__Johannesburg, Tz::Africa__Cairo, Tz::Africa__Lagos, Tz::Africa__Nairobi,
    Tz::America__New_York, Tz::America__Chicago, Tz::America__Denver, Tz::America__Phoenix, Tz::America__Los_Angeles,
    Tz::America__Sao_Paulo, Tz::America__Bogota,
    Tz::Asia__Dubai, Tz::Asia__Kolkata, Tz::Asia__Bangkok, Tz::Asia__Shanghai, Tz::Asia__Tokyo,
    Tz::Australia__Brisbane, Tz::Australia__Sydney,
];

/// Zones that exist and stay on winter time all year, which hardly anybody means.
const WINTER_ONLY: [(&str, &str); 2] = [("EST", "America/New_York"), ("MST", "America/Denver")];

/// The zone of a place that goes by such letters, where they mean no other place too.
const LETTERS: [(&[&str], &str); 7] = [
    (&["PT", "PST", "PDT"], "America/Los_Angeles"),
    (&["MT", "MDT"], "America/Denver"),
    (&["CT", "CDT"], "America/Chicago"),
    (&["ET", "EDT"], "America/New_York"),
    (&["BST"], "Europe/London"),
    (&["CEST"], "Europe/Berlin"),
    (&["AEST", "AEDT"], "Australia/Sydney"),
];

/// The zone that is probably meant: by its letters, by its city, by a slip of the pen. Of letters there is no slip of the
/// pen: `PST` is no misspelt `EST`.
fn zone_meant(name: &str) -> Option<&'static str> {
    let upper = name.to_uppercase();
    if let Some((_, zone)) = LETTERS.iter().find(|(letters, _)| letters.contains(&upper.as_str())) {
        return Some(zone);
    }
    let city = name.replace(' ', "_");
    let zones = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let of_city = |zone: &&str| {
        let place = zone.rsplit_once('/').map(|(_, place)| place);
        place.is_some_and(|place| place.eq_ignore_ascii_case(&city))
    };
    zones()
        .find(of_city)
        .or_else(|| did_you_mean(name, zones()).filter(|_| name.len() > 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::yaml;

    fn told(zone: &str) -> String {
        let text = format!("timezone: \"{zone}\"\n");
        let mut report = Report::new();
        let node = yaml::parse("config.yaml", &text, &mut report).expect("YAML");
        timezone(&node.entries()[0].1, "timezone", &mut report);
        report.render(|_| Some(text.clone()))
    }

    #[test]
    fn an_offset_is_answered_with_places_of_that_offset() {
        for (zone, said, never) in [
            (
                "GMT+2",
                "`Africa/Johannesburg` (all year); `Europe/Athens`, `Africa/Cairo` (from autumn",
                "Etc/",
            ),
            ("UTC+2", "`Europe/Berlin`, `Europe/Paris` (from spring", "`UTC`"),
            ("utc+02:00", "At UTC+2: ", "Etc/"),
            ("UTC-0330", "`America/St_Johns`", "Etc/"),
            ("+05:30", "`Asia/Kolkata`", "Etc/"),
            ("GMT-5", "`America/New_York`", "Etc/"),
            ("Etc/UTC+1", "`Africa/Lagos`", "did you mean"),
            ("CET+1", "zones are written as", "did you mean"),
            ("UTC+99", "zones are written as", "did you mean"),
            (
                "Etc/GMT+2",
                "warning[timezone] config.yaml, line 1, column 11: `Etc/GMT+2` is UTC-2: in these names",
                "mistake",
            ),
            ("Etc/GMT-3", "`Etc/GMT-3` is UTC+3", "mistake"),
        ] {
            let told = told(zone);
            assert!(told.contains(said) && !told.contains(never), "{zone}: {told}");
        }
        for zone in [
            "UTC",
            "Etc/UTC",
            "Etc/GMT",
            "GMT",
            "GMT+0",
            "Etc/GMT-0",
            "Europe/Berlin",
        ] {
            assert_eq!(told(zone), "", "{zone}");
        }
    }
}
