//! `on`: what a recipe waits for.

pub(super) mod clock;

use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::{Fields, quoted, text};
use crate::lang::shape::{EMPTY, EVENT, Form, Rule, Shape, key};
use crate::lang::yaml::{Kind, Node};
use crate::model::event::{Event, TYPES, is_type};

use super::clock::{StatusClock, StayClock};
use super::schedule::Schedule;

/// An entry of `on`, as it is written.
pub(super) static TRIGGER: Shape = Shape {
    what: "a trigger",
    about: "What a recipe waits for.",
    keys: &[key(
        "event",
        Form::OneOrMore(&EVENT),
        "An event of this type, or of one of these.",
        "event: [reservation.dates_changed, reservation.cancelled]",
    )],
    also: &[&CLOCK],
    rules: &[Rule::One(KINDS), Rule::AtMostOne(&["before", "after"])],
    ..EMPTY
};

/// The entries that wait for a clock.
static CLOCK: Shape = Shape {
    what: "a trigger",
    about: "A clock.",
    keys: clock::KEYS,
    ..EMPTY
};

/// What says of which sort a trigger is.
const KINDS: &[&str] = &["event", "stay", "status", "schedule"];

/// An entry of `on`.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// An event of one of these types; never empty.
    Event {
        /// The types as written.
        types: Vec<String>,
    },
    /// Moments of a stay's life.
    Stay(StayClock),
    /// A status that lasts.
    Status(StatusClock),
    /// Times of the calendar.
    Schedule(Schedule),
}

impl Trigger {
    /// Whether this event is what it waits for.
    pub fn wants(&self, event: &Event) -> bool {
        match self {
            Trigger::Event { types } => types.iter().any(|kind| event.types.contains(kind)),
            // Their runs are planned, not started by events.
            Trigger::Stay(_) | Trigger::Status(_) | Trigger::Schedule(_) => false,
        }
    }

    /// The event types it waits for.
    pub fn types(&self) -> &[String] {
        match self {
            Trigger::Event { types } => types,
            _ => &[],
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
    let given: Vec<&str> = KINDS
        .iter()
        .copied()
        .filter(|kind| fields.get(kind).is_some())
        .collect();
    let events = fields.get("event");
    let stay = clock::stay(&mut fields, report);
    let status = clock::status(&mut fields, report);
    let schedule = fields.get("schedule").and_then(|node| clock::schedule(node, report));
    fields.finish(report);
    match given.as_slice() {
        ["event"] => {}
        ["stay"] => return stay.map(Trigger::Stay),
        ["status"] => return status.map(Trigger::Status),
        ["schedule"] => return schedule.map(Trigger::Schedule),
        [] => {
            report.mistake(
                "expected-trigger",
                &node.place,
                format!("a trigger needs one of {}", quoted(KINDS)),
            );
            return None;
        }
        more => {
            report.mistake(
                "expected-trigger",
                &node.place,
                format!("{} are triggers of their own", quoted(more).replace(" or ", " and ")),
            );
            return None;
        }
    }
    let events = events?;
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
