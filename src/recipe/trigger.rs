//! `on`: what a recipe waits for.

use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::{self, Fields, quoted, text};
use crate::lang::shape::{EMPTY, EVENT, Form, Shape, key, later};
use crate::lang::yaml::{Kind, Node};
use crate::model::event::{Event, TYPES, is_type};

/// An entry of `on`, as it is written.
pub(super) static TRIGGER: Shape = Shape {
    what: "a trigger",
    about: "What a recipe waits for.",
    keys: &[
        key(
            "event",
            Form::OneOrMore(&EVENT),
            "An event of this type, or of one of these.",
            "event: [reservation.dates_changed, reservation.cancelled]",
        )
        .needed(),
        later("stay", "A time before or after arrival or departure.", "stay: check_in"),
        later("status", "A status that lasts.", "status: awaiting_payment"),
        later("schedule", "A time of the week.", "schedule: {weekly: monday}"),
    ],
    ..EMPTY
};

/// An entry of `on`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// An event of one of these types; never empty.
    Event {
        /// The types as written.
        types: Vec<String>,
    },
}

impl Trigger {
    /// Whether this event is what it waits for.
    pub fn wants(&self, event: &Event) -> bool {
        match self {
            Trigger::Event { types } => types.iter().any(|kind| event.types.contains(kind)),
        }
    }

    /// The event types it waits for.
    pub fn types(&self) -> &[String] {
        match self {
            Trigger::Event { types } => types,
        }
    }
}

/// Reads `on`: one entry or a list of them.
pub(super) fn read(node: &Node, report: &mut Report) -> Vec<Trigger> {
    if node.items().is_empty() {
        report
            .mistake("expected-trigger", &node.place, "`on` needs at least one trigger")
            .help("such as `on: {event: reservation.confirmed}`");
    }
    node.items().iter().filter_map(|item| entry(item, report)).collect()
}

fn entry(node: &Node, report: &mut Report) -> Option<Trigger> {
    if let Some(word) = node.scalar() {
        let meant = meant(word).unwrap_or_else(|| vec!["reservation.confirmed"]);
        let event = if is_type(word) {
            word
        } else {
            meant.first().copied().unwrap_or(word)
        };
        report
            .mistake(
                "expected-trigger",
                &node.place,
                format!("a trigger says what `{word}` is"),
            )
            .help(format!("write `on: {{event: {event}}}`"));
        return None;
    }
    let mut fields = Fields::of(node, &TRIGGER, report)?;
    let clock = fields.given_later();
    if !clock.is_empty() {
        // Their further keys are known to the version that has them.
        clock.into_iter().for_each(|key| fields::not_yet(key, report));
        return None;
    }
    let events = fields.get("event");
    fields.finish(report);
    let Some(events) = events else {
        let known: Vec<&str> = TRIGGER.keys.iter().map(|entry| entry.name).collect();
        report.mistake(
            "expected-trigger",
            &node.place,
            format!("a trigger needs one of {}", quoted(&known)),
        );
        return None;
    };
    if events.items().is_empty() {
        report.mistake("expected-event", &events.place, "`event` needs at least one event type");
    }
    let read: Vec<_> = events.items().iter().map(|item| event(item, report)).collect();
    let types = read.into_iter().collect::<Option<Vec<_>>>()?;
    (!types.is_empty()).then_some(Trigger::Event { types })
}

fn event(node: &Node, report: &mut Report) -> Option<String> {
    let name = text(node, "event", report)?;
    if matches!(&node.kind, Kind::Scalar(_)) && is_type(name) {
        return Some(name.to_owned());
    }
    let diagnostic = report.mistake("unknown-event", &node.place, format!("there is no event `{name}`"));
    match meant(name) {
        Some(found) => diagnostic.help(format!("did you mean {}?", quoted(&found))),
        None => diagnostic.help(format!(
            "events are {}, and the sender's own as `other.…`",
            quoted(TYPES).replace(" or ", ", ")
        )),
    }
    None
}

/// The types that a wrong word probably means: a short form without its prefix, or a slip.
fn meant(word: &str) -> Option<Vec<&'static str>> {
    let short = |word: &str| -> Vec<&'static str> {
        TYPES
            .iter()
            .filter(|kind| {
                kind.split_once('.')
                    .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(word))
            })
            .copied()
            .collect()
    };
    let found = short(word.trim_start_matches('.'));
    if !found.is_empty() {
        return Some(found);
    }
    if let Some(near) = did_you_mean(word, TYPES.iter().copied()) {
        return Some(vec![near]);
    }
    let rests = TYPES
        .iter()
        .filter_map(|kind| kind.split_once('.').map(|(_, rest)| rest));
    did_you_mean(word, rests).map(short).filter(|found| !found.is_empty())
}
