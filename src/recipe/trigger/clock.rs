//! Reading the entries of `on` that wait for a clock, and the keys of a recipe that hold for all of them.

use chrono::NaiveTime;

use crate::lang::diag::Report;
use crate::lang::duration;
use crate::lang::fields::{Fields, quoted, text};
use crate::lang::shape::{EMPTY, Entry, Form, Like, More, Own, Rule, Shape, TIME_OF_DAY, key};
use crate::lang::yaml::Node;
use crate::lang::zone::{ZONE, timezone};
use crate::recipe::clock::{Anchor, Gather, Late, Mark, Shift, StatusClock, StayClock};
use crate::recipe::conditions::{MATCH, Match, status_words};
use crate::recipe::schedule::Schedule;

/// The words of [`Anchor`].
pub(in crate::recipe) const ANCHORS: &[&str] = &["check_in", "check_out", "created"];
/// The least time between two repetitions, in seconds.
const EVERY_MIN: i64 = 3600;

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
    "The time of day, in the property's zone; without it the time of the arrival or departure itself.",
    "at: \"10:00\"",
);

/// The keys of an entry of `on` that wait for a clock.
pub(in crate::recipe) static KEYS: &[Entry] = &[
    key(
        "stay",
        Form::Word(ANCHORS),
        "A moment of a stay's life: its arrival, its departure, when it was booked, or a time before or after that.",
        "stay: check_in",
    ),
    BEFORE,
    AFTER,
    AT,
    key(
        "every",
        Form::Duration,
        "Again and again, the first time so long after that moment.",
        "every: 7d",
    ),
    key(
        "until",
        Form::Settings(&UNTIL),
        "The end of `every`; the departure where nothing is said.",
        "until: {stay: check_out, before: 2d}",
    ),
    key(
        "status",
        Form::OneOrMore(&Form::Text),
        "A status that has lasted for some time.",
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
static UNTIL: Shape = Shape {
    what: "`until`",
    about: "The moment of a stay's life after which nothing is repeated.",
    keys: &[
        key(
            "stay",
            Form::Word(ANCHORS),
            "What it is counted from.",
            "stay: check_out",
        )
        .needed(),
        BEFORE,
        AFTER,
        AT,
    ],
    rules: &[Rule::AtMostOne(&["before", "after"])],
    ..EMPTY
};

const DAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Five fields.
static CRON: Like = Like {
    what: "a cron line",
    pattern: r"^\s*(\S+\s+){4}\S+\s*$",
    numbers: false,
};

/// `schedule`.
static SCHEDULE: Shape = Shape {
    what: "`schedule`",
    about: "A time of the calendar.",
    keys: &[
        key("daily", Form::Flag, "Every day at this time.", "daily: true"),
        key(
            "weekly",
            Form::OneOrMore(&Form::AnyCase(DAYS)),
            "Every week on this day, or on these.",
            "weekly: [monday, thursday]",
        ),
        key(
            "monthly",
            Form::Count(1, 31),
            "Every month on this day; months without it are left out.",
            "monthly: 1",
        ),
        key("at", Form::Like(&TIME_OF_DAY), "The time of day.", "at: \"09:00\""),
        key(
            "cron",
            Form::Like(&CRON),
            "The five fields of cron: minute, hour, day of the month, month, day of the week.",
            "cron: \"0 9 * * MON\"",
        ),
        key(
            "timezone",
            Form::Like(&ZONE),
            "Its time zone; that of the configuration where nothing is said.",
            "timezone: Europe/Lisbon",
        ),
    ],
    rules: &[
        Rule::One(&["daily", "weekly", "monthly", "cron"]),
        Rule::AtMostOne(&["at", "cron"]),
    ],
    ..EMPTY
};

/// `gather`.
pub(in crate::recipe) static GATHER: Shape = Shape {
    what: "`gather`",
    about: "With a schedule: lists of stays for the templates, which read them as `gathered.NAME`.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
        form: Form::Settings(&GATHERED),
        about: "One list of stays, the first in time first; what templates call it.",
        example: "arrivals: {stay: check_in, within: 7d}",
    })],
    ..EMPTY
};

static GATHERED: Shape = Shape {
    what: "an entry of `gather`",
    about: "Which stays are on the list.",
    keys: &[
        key(
            "stay",
            Form::Word(ANCHORS),
            "What has to lie ahead: the arrival, or the departure.",
            "stay: check_in",
        )
        .needed(),
        key(
            "within",
            Form::Duration,
            "How far ahead at most: days are days of the calendar, today the first of them.",
            "within: 7d",
        )
        .needed(),
        key(
            "match",
            Form::Settings(&MATCH),
            "For which stays; booked ones of guests unless it says otherwise.",
            "match: {property: \"tag:downtown\"}",
        ),
    ],
    ..EMPTY
};

/// `late`.
pub(in crate::recipe) static LATE: Like = Like {
    what: "`skip`, or `run within` and a duration",
    pattern: r"^\s*(skip|run within [0-9]+ ?[smhd])\s*$",
    numbers: false,
};

fn shift(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Option<Shift> {
    let written = fields.get(key).and_then(Node::scalar).and_then(Shift::read);
    fields.duration(key, report).and(written)
}

fn time_of_day(fields: &mut Fields<'_>, report: &mut Report) -> Option<NaiveTime> {
    let node = fields.get("at")?;
    let found = node
        .scalar()
        .and_then(|written| NaiveTime::parse_from_str(written.trim(), "%H:%M").ok());
    if found.is_none() {
        report
            .mistake("expected-time", &node.place, "`at` is a time of day")
            .help("such as \"10:00\"; \"00:00\" to \"23:59\"");
    }
    found
}

/// `stay`, `before`, `after` and `at`.
fn mark(fields: &mut Fields<'_>, report: &mut Report) -> Option<Mark> {
    let anchor = fields.word("stay", report).and_then(Anchor::from_word);
    let (before, after) = (shift(fields, "before", report), shift(fields, "after", report));
    let at = time_of_day(fields, report);
    if before.is_some() && after.is_some() {
        report.mistake("trigger", fields.place(), "either `before` or `after`, not both");
    }
    let shift = before.map(Shift::before).or(after).unwrap_or(Shift::NONE);
    if at.is_some() && matches!(shift, Shift::Seconds(_)) {
        report
            .mistake(
                "trigger",
                fields.place(),
                "`at` goes with days, not with hours or minutes",
            )
            .help("such as `before: 2d, at: \"10:00\"`; without `at` hours are counted from the moment itself");
    }
    Some(Mark {
        anchor: anchor?,
        shift,
        at,
    })
}

/// `stay: …`.
pub(super) fn stay(fields: &mut Fields<'_>, report: &mut Report) -> Option<StayClock> {
    let mark = mark(fields, report);
    let every = shift(fields, "every", report);
    let until = fields.get("until").and_then(|node| {
        let mut fields = Fields::of(node, &UNTIL, report)?;
        let mark = self::mark(&mut fields, report);
        if fields.get("stay").is_none() {
            report.mistake("missing-key", fields.place(), "`until` needs `stay`");
        }
        fields.finish(report);
        mark
    });
    if let Some(every) = every {
        if every.span().num_seconds() < EVERY_MIN {
            report.mistake("trigger", fields.place(), "`every` is an hour at least");
        }
    } else if until.is_some() {
        report.mistake("trigger", fields.place(), "`until` goes with `every`");
    }
    let mark = mark?;
    if every.is_some() && until.is_none() && mark.anchor == Anchor::CheckOut {
        report
            .mistake("trigger", fields.place(), "`every` after the departure needs `until`")
            .help("such as `until: {stay: check_out, after: 30d}`");
    }
    Some(StayClock { mark, every, until })
}

/// `status: …, for: …`.
pub(super) fn status(fields: &mut Fields<'_>, report: &mut Report) -> Option<StatusClock> {
    let node = fields.get("status");
    let lasts = shift(fields, "for", report);
    let node = node?;
    let words = status_words(node, report);
    let says: Vec<&str> = node.items().iter().filter_map(Node::scalar).map(str::trim).collect();
    let says = says.join(",");
    if fields.get("for").is_none() {
        report
            .mistake("missing-key", fields.place(), "a trigger on a status needs `for`")
            .help("such as `{status: awaiting_payment, for: 24h}`; for the change itself: `event: reservation.status_changed`");
    }
    Some(StatusClock {
        words: words?,
        says,
        lasts: lasts?,
    })
}

/// `schedule: …`.
pub(super) fn schedule(node: &Node, report: &mut Report) -> Option<Schedule> {
    let mut fields = Fields::of(node, &SCHEDULE, report)?;
    let daily = fields.flag("daily", false, report);
    let weekly = fields.texts("weekly", report);
    let monthly = fields.count("monthly", report);
    let at = time_of_day(&mut fields, report);
    let cron = fields.text("cron", report).map(str::to_owned);
    let zone = fields
        .get("timezone")
        .and_then(|node| timezone(node, "timezone", report));
    let place = fields.place().clone();
    fields.finish(report);
    let time = at.map(|at| at.format("%-M %-H").to_string());
    let line = match (cron, daily, weekly.as_slice(), monthly) {
        (Some(line), false, [], None) => line,
        (None, true, [], None) => format!("{} * * *", time?),
        (None, false, days, None) if !days.is_empty() => {
            let short: Vec<String> = days.iter().map(|day| day.trim().chars().take(3).collect()).collect();
            format!("{} * * {}", time?, short.join(",").to_lowercase())
        }
        (None, false, [], Some(day)) => format!("{} {day} * *", time?),
        _ => {
            report.mistake(
                "trigger",
                &place,
                format!(
                    "`schedule` needs one of {}",
                    quoted(&["daily", "weekly", "monthly", "cron"])
                ),
            );
            return None;
        }
    };
    Schedule::read(&line, zone)
        .map_err(|wrong| {
            for one in wrong {
                report.mistake("cron", &place, one.title).help(one.help);
            }
        })
        .ok()
}

/// `late`.
pub(in crate::recipe) fn late(node: &Node, report: &mut Report) -> Option<Late> {
    let written = text(node, "late", report)?.trim();
    if written == "skip" {
        return Some(Late::Skip);
    }
    let within = written
        .strip_prefix("run within")
        .map(str::trim)
        .and_then(duration::parse);
    if within.is_none() {
        report
            .mistake(
                "expected-word",
                &node.place,
                "`late` is `skip`, or `run within` and a duration",
            )
            .help("such as `late: run within 12h`");
    }
    within.map(Late::Within)
}

/// `gather`.
pub(in crate::recipe) fn gather(node: &Node, report: &mut Report) -> Vec<Gather> {
    let Some(mut fields) = Fields::of(node, &GATHER, report) else {
        return Vec::new();
    };
    let entries = fields.rest();
    fields.finish(report);
    entries
        .into_iter()
        .filter_map(|(name, node)| {
            let mut fields = Fields::of(node, &GATHERED, report)?;
            let anchor = fields.word("stay", report).and_then(Anchor::from_word);
            let within = shift(&mut fields, "within", report);
            let conditions = fields
                .get("match")
                .map_or_else(Match::default_for_stays, |node| Match::read(node, report));
            fields.finish(report);
            Some(Gather {
                name: name.text.clone(),
                anchor: anchor?,
                within: within?,
                conditions: conditions.or_booked(),
            })
        })
        .collect()
}
