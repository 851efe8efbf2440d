//! Whether what a recipe says and what it waits for go together.

use crate::lang::diag::Report;
use crate::lang::yaml::Node;
use crate::recipe::Trigger;

use super::Waits;

/// Keys of a recipe that go with some sorts of triggers only; those that are there.
#[derive(Debug, Default)]
pub(in crate::recipe) struct Keys<'n> {
    pub(in crate::recipe) conditions: Option<&'n Node>,
    pub(in crate::recipe) settle: Option<&'n Node>,
    pub(in crate::recipe) gather: Option<&'n Node>,
    pub(in crate::recipe) late: Option<&'n Node>,
    /// Only where it is `true`.
    pub(in crate::recipe) again: Option<&'n Node>,
}

/// Reports what has nothing to work on, and entries that are there twice.
pub(in crate::recipe) fn check(waits: &Waits, keys: &Keys<'_>, report: &mut Report) {
    twice(waits, report);
    let sorts = waits.sorts;
    if !sorts.is_clear() {
        return;
    }
    if let Some(node) = keys.conditions.filter(|_| sorts.schedule) {
        let help =
            "for which stays a list is stands in it: `gather: {arrivals: {stay: check_in, within: 7d, match: {…}}}`";
        if sorts.event || sorts.stay {
            let title = "`schedule` has no stay that `match` could look at, so it never starts this recipe";
            report
                .warning("no-stay", &node.place, title)
                .help(format!("make it a recipe of its own; {help}"));
        } else {
            let title = "a schedule has no stay that `match` could look at";
            report.mistake("no-stay", &node.place, title).help(help);
        }
    }
    if let Some(node) = keys.gather.filter(|_| !sorts.schedule) {
        report
            .mistake("gather", &node.place, "`gather` goes with `schedule`")
            .help("such as `on: {schedule: {weekly: monday, at: \"09:00\"}}`; elsewhere the stay is `reservation`");
    }
    let mut idle = |node: Option<&Node>, title: &str, help: &str| {
        if let Some(node) = node {
            report.warning("no-effect", &node.place, title).help(help);
        }
    };
    let clock = "it is for entries of `on` with `stay`, `status` or `schedule`";
    if !sorts.stay && !sorts.schedule {
        idle(
            keys.late,
            "`late` has no effect: an event is acted on when it comes",
            clock,
        );
        idle(
            keys.again,
            "`again` has no effect: every event starts the recipe",
            clock,
        );
    } else if !sorts.stay {
        idle(
            keys.again,
            "`again` has no effect: a schedule comes again by itself, and has no date that moves",
            "it is for entries of `on` with `stay` or `status`",
        );
    }
    let changes = |trigger: &Trigger| trigger.types().iter().any(|kind| kind.starts_with("reservation."));
    let read = waits.entries.iter().any(|(trigger, _)| changes(trigger));
    // An event that could not be read may be one.
    let unread = sorts.event && !waits.entries.iter().any(|(trigger, _)| !trigger.types().is_empty());
    if !read && !unread {
        idle(
            keys.settle,
            "`settle` has no effect: only changes of a stay are waited for, payments and messages are not",
            "it is for entries of `on` with events such as `reservation.dates_changed`",
        );
    }
}

/// Entries of clocks that are called the same.
fn twice(waits: &Waits, report: &mut Report) {
    // Two schedules without a zone are in the same one, whichever that is.
    let label = |trigger: &Trigger| match trigger {
        Trigger::Schedule(schedule) => Some(format!("{} {:?}", schedule.says.to_lowercase(), schedule.timezone)),
        other => other.label(),
    };
    let mut seen: Vec<(String, usize)> = Vec::new();
    for (trigger, place) in &waits.entries {
        let Some(label) = label(trigger) else { continue };
        match seen.iter().find(|(known, _)| *known == label) {
            Some((_, line)) => {
                let title = format!("this is twice the same: it stands in line {line} too");
                report
                    .warning("twice", place, title)
                    .help("moments that are the same start the recipe once; take one of them away");
            }
            None => seen.push((label, place.line)),
        }
    }
}
