//! Entries of `on` that wait for a moment of a stay's life, or for a status that lasts.

use crate::lang::diag::Report;
use crate::lang::fields::Fields;
use crate::lang::shape::{EMPTY, Entry, Form, Rule, Shape, TIME_OF_DAY, key};
use crate::lang::yaml::Node;
use crate::model::reservation::Status;
use crate::recipe::clock::{Anchor, Mark, Shift, StatusClock, StayClock};
use crate::recipe::conditions::{STATUS_WORD, StatusMeans, StatusWord, status_words};

use super::schedule::SCHEDULE;

/// The words of [`Anchor`].
const ANCHORS: &[&str] = &["check_in", "check_out", "created"];
/// The least time between two repetitions, in seconds.
const EVERY_MIN: i64 = 3600;
/// The keys that go with `stay`.
pub(super) const OF_STAY: &[&str] = &["before", "after", "at", "every", "until"];

const BEFORE: Entry = key(
    "before",
    Form::Duration,
    "So long before it: days are days of the calendar, hours and minutes are time that passes.",
    "before: 2d",
);
const AFTER: Entry = key("after", Form::Duration, "So long after it.", "after: 1d");
const AT: Entry = key(
    "at",
    Form::Like(&TIME_OF_DAY),
    "The time of day, in the property's zone, with days only; without it the time of the arrival, departure or booking \
     itself.",
    "at: \"10:00\"",
);

/// The keys of an entry of `on` that wait for a clock.
pub(super) static KEYS: &[Entry] = &[
    key(
        "stay",
        Form::Word(ANCHORS),
        "A moment of a stay's life: its arrival, its departure, when it was booked, or a time before or after that. For \
         booked stays, unless `match` says another `status`.",
        "stay: check_in",
    ),
    BEFORE,
    AFTER,
    AT,
    key(
        "every",
        Form::Duration,
        "Again and again, an hour or more apart: the first time so long after that moment, the last not after `until`; at \
         most 1000 times a stay.",
        "every: 7d",
    ),
    key(
        "until",
        Form::Settings(&UNTIL),
        "The end of `every`, that moment included; the departure where nothing is said.",
        "until: {stay: check_out, before: 2d}",
    ),
    key(
        "status",
        Form::OneOrMore(&STATUS_WORD),
        "A status that has lasted for some time, counted from when the stay came into it; none that ends a stay.",
        "status: awaiting_payment",
    ),
    key("for", Form::Duration, "For how long the status has lasted.", "for: 24h"),
    key(
        "schedule",
        Form::Settings(&SCHEDULE),
        "A time of the calendar, whatever stays there are.",
        "schedule: {weekly: monday, at: \"09:00\"}",
    ),
];

/// `until`.
static UNTIL: Shape = until(
    "The moment of a stay's life after which nothing is repeated.",
    &[FROM, BEFORE, AFTER, AT],
);

/// `until` of an action.
pub(in crate::recipe) static SENT_UNTIL: Shape = until(
    "The moment of a stay's life after which an action is not sent any more, not by a retry either.",
    &[
        Entry {
            form: Form::Word(&["check_in", "check_out"]),
            ..FROM
        },
        BEFORE,
        AFTER,
        AT,
    ],
);

const FROM: Entry = key(
    "stay",
    Form::Word(ANCHORS),
    "What it is counted from.",
    "stay: check_out",
)
.needed();

const fn until(about: &'static str, keys: &'static [Entry]) -> Shape {
    Shape {
        what: "`until`",
        about,
        keys,
        rules: &[Rule::AtMostOne(&["before", "after"])],
        ..EMPTY
    }
}

/// Asks for every key of a clock, so that each counts as read whatever the entry is.
pub(super) fn ask(fields: &mut Fields<'_>) {
    for entry in KEYS {
        fields.get(entry.name);
    }
}

/// Reports the keys that go with another sort of entry than this one.
pub(super) fn strangers(fields: &mut Fields<'_>, kind: &str, report: &mut Report) {
    let of_others = OF_STAY
        .iter()
        .map(|key| (*key, "stay"))
        .chain([("for", "status")])
        .filter(|(_, owner)| *owner != kind);
    for (key, owner) in of_others {
        let Some(node) = fields.get(key) else { continue };
        let title = format!("`{key}` goes with `{owner}`, not with `{kind}`");
        let help = match (kind, key) {
            ("schedule", "at") => "it stands below `schedule`: `schedule: {weekly: monday, at: \"09:00\"}`",
            ("status", "after") => "how long the status has lasted is `for`, such as `for: 24h`",
            ("event", "after") => {
                "an event is acted on at once; so long after the booking is `{stay: created, after: 2h}`"
            }
            ("stay", "for") => "so long after that moment is `after`, such as `after: 24h`",
            (_, "for") => "such as `{status: awaiting_payment, for: 24h}`",
            _ => "such as `{stay: check_in, before: 2d}`",
        };
        report.mistake("trigger", &node.place, title).help(help);
    }
}

/// A duration as it is written, in days of the calendar or in time that passes.
pub(super) fn shift(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Option<Shift> {
    let written = fields.get(key).and_then(Node::scalar).and_then(Shift::read);
    fields.duration(key, report).and(written)
}

/// How so many hours are written as days, if they are whole ones.
fn as_days(shift: Shift) -> Option<i64> {
    let Shift::Seconds(seconds) = shift else { return None };
    (seconds != 0 && seconds % 86_400 == 0).then_some((seconds / 86_400).abs())
}

/// `stay`, `before`, `after` and `at`.
fn mark(fields: &mut Fields<'_>, report: &mut Report) -> Option<Mark> {
    let anchor = fields.word("stay", report).and_then(Anchor::from_word);
    let (before, after) = (shift(fields, "before", report), shift(fields, "after", report));
    let at = fields.time_of_day("at", report);
    if let (Some(_), Some(node)) = (fields.get("before"), fields.get("after")) {
        report
            .mistake("trigger", &node.place, "either `before` or `after`, not both")
            .help("take one of them away; two moments are two entries of `on`");
    }
    let key = if before.is_some() { "before" } else { "after" };
    let shift = before.map(Shift::before).or(after).filter(|shift| !shift.is_none());
    let shift = shift.unwrap_or(Shift::NONE);
    if let (Some(node), Shift::Seconds(_)) = (fields.get("at"), shift) {
        let title = "`at` goes with days, not with hours or minutes";
        let diagnostic = report.mistake("trigger", &node.place, title);
        diagnostic.help(match as_days(shift) {
            Some(days) => format!("write `{key}: {days}d`"),
            None => {
                format!("such as `{key}: 2d, at: \"10:00\"`; without `at` hours are counted from the moment itself")
            }
        });
    }
    if let (Some(Anchor::Created), true, Some(node)) = (anchor, shift.is_before(), fields.get("before")) {
        let title = "nobody knows of a stay before it is booked: `before` does not go with `created`";
        report
            .mistake("trigger", &node.place, title)
            .help("such as `stay: created, after: 2h` or `stay: check_in, before: 2d`");
    }
    Some(Mark {
        anchor: anchor?,
        shift,
        at,
    })
}

/// `until`, of repetitions or of an action.
pub(in crate::recipe) fn moment(node: &Node, shape: &'static Shape, report: &mut Report) -> Option<Mark> {
    let mut fields = Fields::of(node, shape, report)?;
    fields.required("stay", report);
    let mark = mark(&mut fields, report);
    fields.finish(report);
    mark
}

/// `stay: …`.
pub(super) fn stay(fields: &mut Fields<'_>, report: &mut Report) -> Option<StayClock> {
    let mark = mark(fields, report);
    let every_node = fields.get("every");
    let every = shift(fields, "every", report);
    let until_node = fields.get("until");
    let until = until_node.and_then(|node| moment(node, &UNTIL, report));
    if let (Some(node), None) = (until_node, every_node) {
        report
            .mistake("trigger", &node.place, "`until` goes with `every`")
            .help("such as `every: 7d, until: {stay: check_out, before: 2d}`");
    }
    if let (Some(every), Some(node)) = (every, every_node) {
        if every.span().num_seconds() < EVERY_MIN {
            report
                .mistake("trigger", &node.place, "`every` is an hour at least")
                .help("such as `every: 7d`");
        } else if let (true, Shift::Seconds(_)) = (mark.is_some_and(|mark| mark.at.is_some()), every) {
            let title = "with `at`, `every` is days, not hours or minutes";
            let diagnostic = report.mistake("trigger", &node.place, title);
            match as_days(every) {
                Some(days) => diagnostic.help(format!("write `every: {days}d`")),
                None => diagnostic.help("without `at` hours are counted from the moment itself"),
            }
        }
    }
    let mark = mark?;
    if let (Some(every), Some(node)) = (every, every_node)
        && (until.is_some() || until_node.is_none())
    {
        let end = until.unwrap_or(Mark::of(Anchor::CheckOut));
        let first = mark.shift.span().checked_add(&every.span());
        // The first repetition lies behind the end.
        if mark.anchor == end.anchor && first.is_none_or(|first| first > end.shift.span()) {
            let title = match until_node {
                Some(_) => "`until` lies before the first repetition, so nothing ever happens",
                None => "`every` ends with the departure, before the first repetition, so nothing ever happens",
            };
            report
                .mistake("trigger", &until_node.unwrap_or(node).place, title)
                .help("the first lies one `every` after the moment; such as `until: {stay: check_out, after: 30d}`");
        }
    }
    Some(StayClock { mark, every, until })
}

/// `status: …, for: …`.
pub(super) fn status(fields: &mut Fields<'_>, report: &mut Report) -> Option<StatusClock> {
    let node = fields.get("status")?;
    let words = status_words(node, report);
    let lasts_node = fields.get("for");
    let lasts = shift(fields, "for", report);
    match lasts_node {
        None => {
            report
                .mistake("missing-key", fields.place(), "a trigger on a status needs `for`")
                .help(
                    "such as `{status: awaiting_payment, for: 24h}`; the change itself is `event: \
                     reservation.status_changed`",
                );
        }
        Some(node) if lasts.is_some_and(Shift::is_none) => {
            report
                .mistake("trigger", &node.place, "`for` is more than nothing")
                .help("such as `for: 24h`; the change itself is `event: reservation.status_changed`");
        }
        Some(_) => {}
    }
    let words = words?;
    for (item, word) in node.items().iter().zip(&words) {
        if item.is_null() {
            let title = "a status that was never sent does not last";
            report
                .mistake("expected-text", &item.place, title)
                .help("such as `status: awaiting_payment`");
        } else if let Some(gone) = gone(word) {
            let event = |status: &Status| format!("reservation.{}", status.word());
            let events: Vec<String> = gone.iter().map(event).collect();
            let title = format!(
                "`{}` ends a stay, and nothing that is planned for a stay runs once it is gone",
                item.scalar().unwrap_or_default().trim()
            );
            let help = format!("for the change itself write `event: {}`", events.join(" or "));
            report.mistake("trigger", &item.place, title).help(help);
        }
    }
    let says: Vec<&str> = node.items().iter().filter_map(Node::scalar).map(str::trim).collect();
    Some(StatusClock {
        says: says.join(","),
        words,
        lasts: lasts?,
    })
}

/// The statuses of a word, where each of them ends a stay.
fn gone(word: &StatusWord) -> Option<&[Status]> {
    match &word.means {
        StatusMeans::Canonical(means) if !word.other && means.iter().all(|status| status.is_gone()) => Some(means),
        _ => None,
    }
}
