//! Entries of `on` for times of the calendar.

use chrono::Weekday;

use crate::lang::diag::Report;
use crate::lang::fields::{Fields, quoted};
use crate::lang::shape::{EMPTY, Entry, Form, Like, Rule, Shape, TIME_OF_DAY, key};
use crate::lang::yaml::Node;
use crate::lang::zone::{ZONE, timezone};
use crate::recipe::conditions::{DAYS, day};
use crate::recipe::schedule::Schedule;

/// Five fields.
static CRON: Like = Like {
    what: "a cron line",
    pattern: r"^\s*([^\s@]\S*\s+)(\S+\s+){3}\S+\s*$",
    numbers: false,
};

const WEEKLY: Entry = key(
    "weekly",
    DAYS,
    "Every week on this day, or on these.",
    "weekly: [monday, thursday]",
);
const DAILY: Entry = key("daily", Form::Flag, "Every day at this time.", "daily: true");
const MONTHLY: Entry = key(
    "monthly",
    Form::Count(1, 31),
    "Every month on this day; months without it are left out.",
    "monthly: 1",
);
const LINE: Entry = key(
    "cron",
    Form::Like(&CRON),
    "The five fields of cron with the meaning that Unix gives them: minute, hour, day of the month, month, day of the week \
     (0 and 7 are Sunday). Where both kinds of days are given, one of them is enough.",
    "cron: \"0 9 * * mon\"",
);
const TIMEZONE: Entry = key(
    "timezone",
    Form::Like(&ZONE),
    "Its time zone; that of the configuration where nothing is said.",
    "timezone: Europe/Lisbon",
);

/// `schedule`.
pub(super) static SCHEDULE: Shape = Shape {
    what: "`schedule`",
    about: "A time of the calendar. A time that the clocks leave out comes when they go on; one that they show twice comes \
            once, the first time.",
    keys: &[
        DAILY,
        WEEKLY,
        MONTHLY,
        key(
            "at",
            Form::Like(&TIME_OF_DAY),
            "The time of day, with `daily`, `weekly` and `monthly`.",
            "at: \"09:00\"",
        ),
        LINE,
        TIMEZONE,
    ],
    rules: &[Rule::One(KINDS), Rule::One(&["at", "cron"])],
    ..EMPTY
};

/// What says when.
const KINDS: &[&str] = &["daily", "weekly", "monthly", "cron"];

/// What people write beside `schedule`, or without it.
pub(super) static BESIDE: Shape = Shape {
    what: "a trigger",
    about: "A clock.",
    keys: &[
        DAILY.never(),
        WEEKLY.never(),
        MONTHLY.never(),
        LINE.never(),
        TIMEZONE.never(),
    ],
    ..EMPTY
};

/// Whether a key of `schedule` stands in the entry itself.
pub(super) fn is_beside(fields: &mut Fields<'_>) -> bool {
    KINDS.iter().any(|key| fields.get(key).is_some())
}

/// Reports the keys of `schedule` that stand in the entry itself.
pub(super) fn beside(fields: &mut Fields<'_>, kinds: &[&str], report: &mut Report) {
    for entry in BESIDE.keys {
        let Some(node) = fields.get(entry.name) else { continue };
        let title = match kinds.contains(&"schedule") {
            true => format!("`{}` stands below `schedule`, not beside it", entry.name),
            false => format!("`{}` stands below `schedule`", entry.name),
        };
        let written = node.scalar().unwrap_or("…").trim();
        let help = match entry.name {
            "cron" => format!("write `schedule: {{cron: \"{written}\"}}`"),
            "timezone" => "such as `schedule: {daily: true, at: \"09:00\", timezone: Europe/Lisbon}`".to_owned(),
            name => format!("write `schedule: {{{name}: {written}, at: \"09:00\"}}`"),
        };
        report.mistake("trigger", &node.place, title).help(help);
    }
}

/// A text where settings should be.
fn bare(node: &Node, written: &str, report: &mut Report) {
    let place = &node.place;
    let title = "`schedule` is written as settings (`key: value`), this is a text";
    let help = match written.split_whitespace().count() {
        5 => format!("write `schedule: {{cron: \"{}\"}}`", written.trim()),
        1 if written.parse::<Weekday>().is_ok() => format!("write `schedule: {{weekly: {written}, at: \"09:00\"}}`"),
        _ => "such as `schedule: {weekly: monday, at: \"09:00\"}`".to_owned(),
    };
    report.mistake("expected-settings", place, title).help(help);
}

/// `schedule: …`; with `at` a time of day stands beside it, which has been told.
pub(super) fn read(fields: &mut Fields<'_>, at_beside: bool, report: &mut Report) -> Option<Schedule> {
    let node = fields.get("schedule")?;
    if let Some(written) = node.scalar() {
        bare(node, written, report);
        return None;
    }
    let mut fields = Fields::of(node, &SCHEDULE, report)?;
    let daily_node = fields.get("daily");
    let daily = fields.flag("daily", false, report);
    let weekly_node = fields.get("weekly");
    let weekly = weekly_node.and_then(|node| days(node, report));
    let monthly_node = fields.get("monthly");
    let monthly = fields.count("monthly", report);
    let cron_node = fields.get("cron");
    let cron = fields.text("cron", report);
    let at_node = fields.get("at");
    let at = fields.time_of_day("at", report);
    let zone_node = fields.get("timezone");
    let zone = zone_node.and_then(|node| timezone(node, "timezone", report));
    let place = fields.place().clone();
    fields.finish(report);

    let given = [daily_node, weekly_node, monthly_node, cron_node];
    if given.iter().flatten().count() != 1 || (daily_node.is_some() && !daily) {
        report
            .mistake("trigger", &place, format!("`schedule` needs one of {}", quoted(KINDS)))
            .help("such as `{weekly: monday, at: \"09:00\"}`; several times are several entries of `on`");
        return None;
    }
    let time = at.map(|at| at.format("%-M %-H"));
    match (cron_node, at_node) {
        (Some(_), Some(node)) => {
            let title = "a cron line says the time itself: `at` does not go with it";
            report
                .mistake("trigger", &node.place, title)
                .help("its first two fields are minute and hour: `0 9 * * mon` is every Monday at 09:00");
        }
        (None, None) if !at_beside => {
            report
                .mistake("missing-key", &place, "`schedule` needs `at`")
                .help("such as `at: \"09:00\"`");
        }
        _ => {}
    }
    let (line, place) = match (cron, weekly, monthly) {
        (Some(line), ..) => (line.to_owned(), &cron_node?.place),
        (None, Some(days), _) => (format!("{} * * {}", time?, days.join(",")), &place),
        (None, None, Some(day)) => (format!("{} {day} * *", time?), &place),
        _ if daily => (format!("{} * * *", time?), &place),
        _ => return None,
    };
    let found = Schedule::read(&line, zone);
    for wrong in found.as_ref().err().into_iter().flatten() {
        report.mistake("cron", place, &wrong.title).help(&wrong.help);
    }
    // A zone that could not be read has been told.
    found.ok().filter(|_| zone.is_some() || zone_node.is_none())
}

/// The days of `weekly`, as cron calls them, from Monday on.
fn days(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    if node.items().is_empty() {
        report.mistake("empty-list", &node.place, "`weekly` needs at least one day");
        return None;
    }
    let read: Vec<Option<Weekday>> = node.items().iter().map(|item| day(item, "weekly", report)).collect();
    let mut days = read.into_iter().collect::<Option<Vec<_>>>()?;
    days.sort_by_key(Weekday::num_days_from_monday);
    days.dedup();
    Some(days.iter().map(|day| day.to_string().to_lowercase()).collect())
}
