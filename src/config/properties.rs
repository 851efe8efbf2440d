//! `defaults` and `properties`: the units that are let.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::Value;

use crate::lang::diag::{Place, Report};
use crate::lang::fields::{self, Fields, text};
use crate::lang::shape::{EMPTY, Entry, Form, More, Own, Shape, TIME_OF_DAY, key};
use crate::lang::yaml::{Key, Kind, Node};
use crate::lang::zone::{ZONE, timezone};
use crate::model::property::{Properties, Property};

use super::below::below;
use super::sources;

/// The longest key of a property, in characters.
const KEY_MAX: usize = 64;

const CHECK_IN: Entry = key(
    "default_check_in",
    Form::Like(&TIME_OF_DAY),
    "The time of arrival where the PMS sends a date only.",
    "default_check_in: \"15:00\"",
);

const CHECK_OUT: Entry = key(
    "default_check_out",
    Form::Like(&TIME_OF_DAY),
    "The time of departure where the PMS sends a date only.",
    "default_check_out: \"11:00\"",
);

/// `defaults`.
pub(super) static DEFAULTS: Shape = Shape {
    what: "`defaults`",
    about: "What holds for every property that does not say otherwise.",
    keys: &[
        key(
            "vars",
            Form::Settings(&VARS),
            "Values of your own for recipes, as `property.vars.NAME`.",
            "vars: {cleaner: ana@example.com}",
        ),
        CHECK_IN,
        CHECK_OUT,
    ],
    ..EMPTY
};

/// `properties`.
pub static PROPERTIES: Shape = Shape {
    what: "`properties`",
    about: "What you let.",
    more: &[More::Own(&Own {
        name: "KEY",
        pattern: "^[^ \\t:.,;/\\\\{}()\\[\\]]{1,64}$",
        form: Form::Settings(&PROPERTY),
        about: "What recipes call it: 1 to 64 letters, digits, `-` and `_`.",
        example: "brannan: {match: [12346789], name: Brannan Street}",
    })],
    ..EMPTY
};

/// An entry of `properties`.
static PROPERTY: Shape = Shape {
    what: "a property",
    about: "One place that you let: how the PMS calls it, and what recipes need to know of it.",
    keys: &[
        key(
            "match",
            Form::OneOrMore(&Form::Either(&[Form::Text, Form::Settings(&BY_SOURCE)])),
            "Its ids and names as the PMS sends them; with the name of a source where two of them could mean different \
             things.",
            "match: [12346789, {hospitable: Brannan St Room}]",
        )
        .needed(),
        key(
            "name",
            Form::Text,
            "What you call it; its key where nothing is said.",
            "name: Brannan Street",
        ),
        key(
            "timezone",
            Form::Like(&ZONE),
            "Its time zone.",
            "timezone: America/Los_Angeles",
        ),
        CHECK_IN,
        CHECK_OUT,
        key(
            "tags",
            Form::Several(&Form::Text),
            "Words by which recipes choose properties: `match: {property: \"tag:downtown\"}`.",
            "tags: [downtown, self-check-in]",
        ),
        key(
            "vars",
            Form::Settings(&VARS),
            "Values of your own for recipes, as `property.vars.NAME`; they stand before those of `defaults`.",
            "vars: {lock: dev_1, cleaners: {sat: bo@example.com}}",
        ),
    ],
    ..EMPTY
};

static BY_SOURCE: Shape = Shape {
    what: "an entry of `match`",
    about: "Ids and names that hold for one source.",
    more: &[More::Own(&Own {
        name: "SOURCE",
        pattern: "",
        form: Form::Either(&[Form::Several(&Form::Text), Form::Nothing]),
        about: "An id or name as this source sends it, or a list of them.",
        example: "hospitable: Brannan St Room",
    })],
    ..EMPTY
};

static VARS: Shape = Shape {
    what: "`vars`",
    about: "Values of your own. Recipes read them as `property.vars.NAME`.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "",
        form: Form::Anything,
        about: "Any value, as it is written.",
        example: "cleaner: ana@example.com",
    })],
    ..EMPTY
};

pub(super) fn read(
    defaults: Option<&Node>,
    properties: Option<&Node>,
    timezone: Tz,
    sources: &[String],
    report: &mut Report,
) -> Properties {
    let mut all = Properties {
        timezone,
        ..Properties::none()
    };
    if let Some(mut fields) = defaults.and_then(|node| Fields::of(node, &DEFAULTS, report)) {
        all.vars = fields.get("vars").map(|node| vars(node, report)).unwrap_or_default();
        all.check_in = fields.time_of_day("default_check_in", report).unwrap_or(all.check_in);
        all.check_out = fields.time_of_day("default_check_out", report).unwrap_or(all.check_out);
        fields.finish(report);
    }
    let Some(mut fields) = properties.and_then(|node| Fields::of(node, &PROPERTIES, report)) else {
        return all;
    };
    let mut taken = Vec::new();
    let entries = below(fields.rest(), &PROPERTY, report);
    fields.close();
    for (key, node) in entries {
        let found = property(key, node, &all, sources, &mut taken, report);
        all.all.extend(found);
    }
    all
}

/// An id or name that means a property, for one source or for all.
struct Taken {
    source: Option<String>,
    text: String,
    property: String,
    place: Place,
}

fn property(
    key: &Key,
    node: &Node,
    defaults: &Properties,
    sources: &[String],
    taken: &mut Vec<Taken>,
    report: &mut Report,
) -> Option<Property> {
    let fine = (1..=KEY_MAX).contains(&key.text.chars().count())
        && key.text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    if !fine {
        let (key, place) = (&key.text, &key.place);
        let title = format!("the key of a property is 1 to {KEY_MAX} letters, digits, `-` and `_`, not `{key}`");
        report.mistake("bad-name", place, title);
    }
    let mut fields = Fields::called(node, &PROPERTY, format!("the property `{}`", key.text), report)?;
    let matches = match fields.get("match") {
        Some(node) => names(&key.text, node, sources, taken, report),
        None => {
            let title = format!("the property `{}` needs `match`", key.text);
            report
                .mistake("missing-key", &key.place, title)
                .help("the ids or names that the PMS sends for it: `match: [12346789, \"Brannan St Room\"]`");
            Vec::new()
        }
    };
    let name = fields.text("name", report).unwrap_or(&key.text).to_owned();
    let zone = fields
        .get("timezone")
        .and_then(|node| timezone(node, "timezone", report));
    let check_in = fields.time_of_day("default_check_in", report);
    let check_out = fields.time_of_day("default_check_out", report);
    let tags = fields.texts("tags", report);
    let mut merged = defaults.vars.clone();
    merged.extend(fields.get("vars").map(|node| vars(node, report)).unwrap_or_default());
    fields.finish(report);
    Some(Property {
        key: key.text.clone(),
        name,
        matches,
        timezone: zone,
        check_in: check_in.unwrap_or(defaults.check_in),
        check_out: check_out.unwrap_or(defaults.check_out),
        tags,
        vars: merged,
    })
}

/// `match`: texts that hold for every source, and `{source: text}`.
fn names(
    property: &str,
    node: &Node,
    sources: &[String],
    taken: &mut Vec<Taken>,
    report: &mut Report,
) -> Vec<(Option<String>, String)> {
    let mut found = Vec::new();
    for item in node.items() {
        let Kind::Map(entries) = &item.kind else {
            found.extend(one(property, None, item, taken, report));
            continue;
        };
        for (source, value) in entries {
            if !sources.contains(&source.text) {
                let known: Vec<&str> = sources.iter().map(String::as_str).collect();
                let title = format!("there is no source `{}`", source.text);
                sources::unknown(&source.text, &known, &source.place, title, report);
            }
            for value in value.items() {
                found.extend(one(property, Some(&source.text), value, taken, report));
            }
        }
    }
    if node.items().is_empty() {
        report.mistake("expected-list", &node.place, "`match` needs at least one id or name");
    }
    found
}

fn one(
    property: &str,
    source: Option<&str>,
    node: &Node,
    taken: &mut Vec<Taken>,
    report: &mut Report,
) -> Option<(Option<String>, String)> {
    let written = text(node, "match", report)?.trim();
    if written.is_empty() || node.is_null() {
        report.mistake("expected-text", &node.place, "`match` needs an id or a name here");
        return None;
    }
    let both = |other: &Option<String>| match (other.as_deref(), source) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => true,
    };
    let other = taken
        .iter()
        .find(|one| one.text == written && one.property != property && both(&one.source));
    if let Some(other) = other {
        let title = format!(
            "`{written}` means the property `{}` already, in line {}",
            other.property, other.place.line
        );
        report
            .mistake("duplicate-match", &node.place, title)
            .help("where two senders use the same id, say which is whose: `{SOURCE: id}`");
    }
    taken.push(Taken {
        source: source.map(str::to_owned),
        text: written.to_owned(),
        property: property.to_owned(),
        place: node.place.clone(),
    });
    Some((source.map(str::to_owned), written.to_owned()))
}

fn vars(node: &Node, report: &mut Report) -> BTreeMap<String, Value> {
    let entries = fields::own(node, &VARS, report).into_iter();
    entries.map(|(key, node)| (key.text.clone(), node.value())).collect()
}
