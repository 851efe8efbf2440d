//! Time zones as people write them.

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
    let found = name.parse().ok();
    if found.is_none() {
        let title = format!("there is no time zone `{name}`");
        let diagnostic = report.mistake("timezone", &node.place, title);
        match zone_meant(name) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("zones are written as in `America/Los_Angeles` or `Europe/Lisbon`"),
        }
    }
    if let Some((_, whole)) = WINTER_ONLY.iter().find(|(short, _)| *short == name) {
        let title = format!("`{name}` has no summer time");
        report
            .warning("timezone", &node.place, title)
            .help(format!("with summer time it is `{whole}`"));
    }
    found
}

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
