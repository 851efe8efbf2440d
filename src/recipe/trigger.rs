//! `on`: what a recipe waits for.

pub(super) mod clock;
pub(super) mod fit;
pub(super) mod gather;
pub(super) mod late;
mod schedule;

use crate::lang::diag::{Place, Report, did_you_mean};
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
    also: &[&CLOCK, &schedule::BESIDE],
    rules: &[
        Rule::One(KINDS),
        Rule::AtMostOne(&["before", "after"]),
        Rule::Together(&["status", "for"]),
    ],
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
        // The runs of all others are planned, not started by events.
        self.types().iter().any(|kind| event.types.contains(kind))
    }

    /// What an entry that waits for a stay's clock is called in run keys; `None` for all else.
    pub fn label(&self) -> Option<String> {
        match self {
            Trigger::Stay(clock) => Some(clock.label()),
            Trigger::Status(clock) => Some(clock.label()),
            Trigger::Event { .. } | Trigger::Schedule(_) => None,
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

/// What a recipe waits for, as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// The entries that are right, with their places.
    pub(super) entries: Vec<(Trigger, Place)>,
    /// Of which sorts there are entries.
    pub(super) sorts: Sorts,
}

/// Of which sorts a recipe has entries, those with a mistake among them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sorts {
    /// Entries for events.
    pub(super) event: bool,
    /// Entries for a stay's moments and for a status that lasts.
    pub(super) stay: bool,
    /// Entries for times of the calendar.
    pub(super) schedule: bool,
    /// Whether there is an entry of which nobody knows of which sort it is.
    pub(super) unclear: bool,
}

impl Sorts {
    fn add(&mut self, kind: &str) {
        match kind {
            "event" => self.event = true,
            "stay" | "status" => self.stay = true,
            _ => self.schedule = true,
        }
    }

    /// Whether it is certain what there is.
    pub(super) fn is_clear(self) -> bool {
        !self.unclear && (self.event || self.stay || self.schedule)
    }
}

/// Reads `on`: one entry or a list of them.
pub(super) fn read(node: &Node, report: &mut Report) -> Waits {
    if node.items().is_empty() {
        report
            .mistake("expected-trigger", &node.place, "`on` needs at least one trigger")
            .help("such as `on: {event: reservation.confirmed}`");
    }
    let mut waits = Waits::default();
    for item in node.items() {
        if let Some(trigger) = entry(item, &mut waits.sorts, report) {
            waits.entries.push((trigger, item.place.clone()));
        }
    }
    waits
}

fn entry(node: &Node, sorts: &mut Sorts, report: &mut Report) -> Option<Trigger> {
    if let Some(word) = node.scalar() {
        sorts.unclear = true;
        bare(word, node, report);
        return None;
    }
    let Some(mut fields) = Fields::of(node, &TRIGGER, report) else {
        sorts.unclear = true;
        return None;
    };
    let given: Vec<&'static str> = KINDS
        .iter()
        .copied()
        .filter(|kind| fields.get(kind).is_some())
        .collect();
    given.iter().for_each(|kind| sorts.add(kind));
    let found = match given.as_slice() {
        [kind] => {
            let at = fields.get("at").is_some();
            clock::strangers(&mut fields, kind, report);
            match *kind {
                "event" => events(&mut fields, report),
                "stay" => clock::stay(&mut fields, report).map(Trigger::Stay),
                "status" => clock::status(&mut fields, report).map(Trigger::Status),
                _ => schedule::read(&mut fields, at, report).map(Trigger::Schedule),
            }
        }
        [] => {
            nothing(&mut fields, sorts, report);
            None
        }
        more => {
            let title = format!("{} are triggers of their own", quoted(more).replace(" or ", " and "));
            let help = match more.contains(&"status") {
                true => "for which stays stands in `match: {status: …}`, beside `on`; `status` here goes with `for`",
                false => "several are a list, each with `- ` before it",
            };
            report.mistake("expected-trigger", &node.place, title).help(help);
            None
        }
    };
    clock::ask(&mut fields);
    schedule::beside(&mut fields, &given, report);
    fields.finish(report);
    found
}

/// A word where an entry should be.
fn bare(word: &str, node: &Node, report: &mut Report) {
    let title = format!("a trigger says what `{word}` is");
    let write = match word.trim() {
        anchor @ ("check_in" | "check_out") => format!("stay: {anchor}"),
        "schedule" | "daily" | "weekly" => "schedule: {weekly: monday, at: \"09:00\"}".to_owned(),
        word if is_type(word) => format!("event: {word}"),
        word => {
            let meant = meant(word).unwrap_or_else(|| vec!["reservation.confirmed"]);
            format!("event: {}", meant.first().copied().unwrap_or(word))
        }
    };
    report
        .mistake("expected-trigger", &node.place, title)
        .help(format!("write `on: {{{write}}}`"));
}

/// An entry that does not say of which sort it is.
fn nothing(fields: &mut Fields<'_>, sorts: &mut Sorts, report: &mut Report) {
    if schedule::is_beside(fields) {
        sorts.schedule = true;
        return;
    }
    sorts.unclear = true;
    let of_stay = clock::OF_STAY.iter().any(|key| fields.get(key).is_some());
    let of_status = fields.get("for").is_some();
    let title = format!("a trigger needs one of {}", quoted(KINDS));
    let diagnostic = report.mistake("expected-trigger", fields.place(), title);
    if of_status {
        diagnostic.help("such as `{status: awaiting_payment, for: 24h}`");
    } else if of_stay {
        diagnostic.help("such as `{stay: check_in, before: 2d}`");
    }
}

/// `event: …`.
fn events(fields: &mut Fields<'_>, report: &mut Report) -> Option<Trigger> {
    let events = fields.get("event")?;
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
    let help = match meant(name) {
        Some(found) => format!("did you mean {}?", quoted(&found)),
        None => {
            let all = quoted(TYPES).replace(" or ", ", ");
            format!("events are {all}, and the sender's own as `other.…`")
        }
    };
    report
        .mistake("unknown-event", &node.place, format!("there is no event `{name}`"))
        .help(help);
    None
}

/// The types that a wrong word probably means: a short form without its prefix, or a slip.
fn meant(word: &str) -> Option<Vec<&'static str>> {
    let rest = |kind: &'static str| kind.split_once('.').map_or(kind, |(_, rest)| rest);
    let types = || TYPES.iter().copied();
    let short = |word: &str| -> Option<Vec<&'static str>> {
        let found: Vec<&str> = types().filter(|kind| rest(kind).eq_ignore_ascii_case(word)).collect();
        (!found.is_empty()).then_some(found)
    };
    short(word.trim_start_matches('.'))
        .or_else(|| did_you_mean(word, types()).map(|near| vec![near]))
        .or_else(|| short(did_you_mean(word, types().map(rest))?))
}
