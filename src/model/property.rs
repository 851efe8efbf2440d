//! The units that are let, as the configuration describes them.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde_json::Value;

/// One unit that is let.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Its key in the configuration.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// Ids and names as senders send them; with a source where they hold for that one only.
    pub matches: Vec<(Option<String>, String)>,
    /// Its zone; `None` takes the configured `timezone`.
    pub timezone: Option<Tz>,
    /// The time of day of arrivals where a sender gives a date only.
    pub check_in: NaiveTime,
    /// The time of day of departures where a sender gives a date only.
    pub check_out: NaiveTime,
    /// Free tags.
    pub tags: Vec<String>,
    /// Free values for templates; the defaults' vars are merged in already.
    pub vars: BTreeMap<String, Value>,
}

/// All properties, and what holds where none is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Properties {
    /// Every configured property.
    pub all: Vec<Property>,
    /// The configured `timezone`.
    pub timezone: Tz,
    /// Arrival where neither sender nor property says a time.
    pub check_in: NaiveTime,
    /// Departure where neither sender nor property says a time.
    pub check_out: NaiveTime,
    /// `defaults.vars`: the vars of a stay whose property is not configured.
    pub vars: BTreeMap<String, Value>,
}

impl Properties {
    /// No property, UTC, 15:00 and 11:00.
    pub fn none() -> Properties {
        Properties {
            all: Vec::new(),
            timezone: Tz::UTC,
            check_in: NaiveTime::from_hms_opt(15, 0, 0).unwrap_or_default(),
            check_out: NaiveTime::from_hms_opt(11, 0, 0).unwrap_or_default(),
            vars: BTreeMap::new(),
        }
    }

    /// The property that this id or name means for this source.
    pub fn find(&self, source: &str, name: &str) -> Option<&Property> {
        let means = |(of, text): &(Option<String>, String)| of.as_deref().is_none_or(|of| of == source) && text == name;
        self.all.iter().find(|property| property.matches.iter().any(means))
    }
}
