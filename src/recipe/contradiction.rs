//! Conditions that can never hold together: what is said here is certain, everything else is left alone.

use std::collections::BTreeSet;

use crate::model::reservation::Status;

use super::conditions::{Match, StatusMeans, StatusWord, Subject, Test};
use super::{Recipe, Trigger};

/// What the configuration's sources can do beyond what a stay shows.
#[derive(Clone, Copy, Debug)]
pub struct Senders<'a> {
    /// Whether one of them turns stays into blocks, which ends the guest's stay without a status.
    pub blocks: bool,
    /// Event types that they name themselves, whatever the status.
    pub hints: &'a [String],
}

/// Why a recipe, or one of its events, never leads to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// The keys that lead to it in the file, such as `match` and `status`.
    pub keys: Vec<&'static str>,
    /// What is so.
    pub because: String,
    /// What to do.
    pub help: String,
}

impl Never {
    fn new(keys: &[&'static str], because: impl Into<String>, help: impl Into<String>) -> Never {
        Never {
            keys: keys.to_vec(),
            because: because.into(),
            help: help.into(),
        }
    }
}

impl Recipe {
    /// Every reason why this recipe, or an event it waits for, can never lead to a run.
    pub fn never_runs(&self, senders: Senders<'_>) -> Vec<Never> {
        let mut found = Vec::new();
        let allowed = statuses(&self.conditions);
        if allowed.is_empty() {
            found.push(Never::new(
                &["match", "status"],
                "`status` and `not` leave no status over, so this never runs",
                "what `not` excludes cannot be asked for at the same time: take one of them away",
            ));
        } else {
            self.event_and_status(&allowed, senders, &mut found);
            self.clock_and_status(&allowed, &mut found);
        }
        self.event_and_fact(&mut found);
        self.clock_and_before(&mut found);
        within(&self.conditions, &["match"], &mut found);
        if self.when.as_ref().is_some_and(|when| when.source().trim() == "false") {
            let help = "to switch a recipe off write `enabled: false`";
            found.push(Never::new(
                &["when"],
                "`when: false` never holds, so this never runs",
                help,
            ));
        }
        found
    }

    fn types(&self) -> impl Iterator<Item = &String> {
        self.on.iter().flat_map(Trigger::types)
    }

    /// `on: reservation.cancelled` with `status: booked`.
    fn event_and_status(&self, allowed: &BTreeSet<Status>, senders: Senders<'_>, found: &mut Vec<Never>) {
        let several = self.types().count() > 1;
        for kind in self.types() {
            let Some(after) = after(kind) else { continue };
            if senders.hints.contains(kind) || after.iter().any(|status| allowed.contains(status)) {
                continue;
            }
            let so = match kind == "reservation.cancelled" && senders.blocks {
                true => "so this runs only where a stay turns into a block",
                false if several || self.on.len() > 1 => "so this never runs for it",
                false => "so this never runs",
            };
            let word = match after.as_slice() {
                [status] => status.word(),
                _ => "booked",
            };
            let write = match several {
                false => format!("write `status: {word}`"),
                true => format!("name it in the list too, such as `status: [booked, {word}]`"),
            };
            found.push(Never::new(
                &["match", "status"],
                format!("with `{kind}` the status is {}, {so}", any(&after)),
                format!("{write}; how it was before is asked in `was: {{status: …}}`"),
            ));
        }
    }

    /// `stay: check_in` with `status: cancelled`: what is planned for a stay that is gone never runs. And `status: pending,
    /// for: 24h` with `status: booked`.
    fn clock_and_status(&self, allowed: &BTreeSet<Status>, found: &mut Vec<Never>) {
        let clocks = self.clocks_of_stays().count();
        if clocks > 0 && allowed.iter().all(|status| status.is_gone()) {
            let for_them = match self.on.len() == clocks {
                true => "",
                false => " for the entries with `stay` and `status`",
            };
            let words: Vec<Status> = allowed.iter().copied().collect();
            let events: Vec<String> = words
                .iter()
                .map(|status| format!("reservation.{}", status.word()))
                .collect();
            let events = match events.as_slice() {
                [one] => one.clone(),
                more => format!("[{}]", more.join(", ")),
            };
            found.push(Never::new(
                &["match", "status"],
                format!(
                    "nothing that is planned for a stay runs once it is {}, so this never runs{for_them}",
                    any(&words)
                ),
                format!("for the change itself write `on: {{event: {events}}}`"),
            ));
            return;
        }
        for trigger in &self.on {
            let Trigger::Status(clock) = trigger else { continue };
            let lasting = named(&clock.words);
            if lasting.is_disjoint(allowed) {
                let for_it = if self.on.len() > 1 { " for it" } else { "" };
                let words = any(&lasting.into_iter().collect::<Vec<_>>());
                found.push(Never::new(
                    &["match", "status"],
                    format!(
                        "while `status: {}` lasts the status is {words}, so this never runs{for_it}",
                        clock.says
                    ),
                    "the entry of `on` says the status already: take it out of `match`",
                ));
            }
        }
    }

    /// `was` where a clock starts the recipe: there is nothing before.
    fn clock_and_before(&self, found: &mut Vec<Never>) {
        let was = |test: &Test| matches!(test.of, Subject::Was(_));
        let clocks = self.clocks_of_stays().count();
        if clocks == 0 || !self.conditions.tests.iter().any(was) {
            return;
        }
        let (so, help) = match clocks < self.on.len() {
            false => (
                "and no event starts this recipe, so this never runs",
                "how the stay is then is asked without `was`, such as `match: {status: booked}`",
            ),
            true => (
                "so this never runs for the entries with `stay` and `status`",
                "make two recipes of it, one for events and one for the clock",
            ),
        };
        let because = format!("`was` asks for the stay before an event, {so}");
        found.push(Never::new(&["match", "was"], because, help));
    }

    /// `payment.amount` where no event carries a payment.
    fn event_and_fact(&self, found: &mut Vec<Never>) {
        for test in &self.conditions.tests {
            let Subject::Field(name, wanted) = &test.of else {
                continue;
            };
            let (what, event) = match name.split_once('.') {
                Some(("payment", _)) => ("payment", "payment.created"),
                Some(("message", _)) => ("message", "message.received"),
                _ => continue,
            };
            // A sender's own event may carry anything.
            let carries = |kind: &String| {
                kind.split('.')
                    .next()
                    .is_some_and(|first| first == "other" || first == what)
            };
            if !wanted.holds(&serde_json::Value::Null) && !self.types().any(carries) {
                found.push(Never::new(
                    &["match", what],
                    format!("no event of this recipe carries a {what}, so `{name}` is never there"),
                    format!("such as `on: {{event: {event}}}`"),
                ));
            }
        }
    }
}

/// The statuses that a stay can have after an event of this type; `None` where it can be any.
fn after(kind: &str) -> Option<Vec<Status>> {
    let active = || Status::ALL.into_iter().filter(|status| status.is_active()).collect();
    match kind.strip_prefix("reservation.")? {
        "confirmed" | "reinstated" => Some(active()),
        "marked_in_house" => Some(vec![Status::InHouse]),
        "marked_completed" => Some(vec![Status::Completed]),
        "cancelled" => Some(vec![Status::Cancelled]),
        "declined" => Some(vec![Status::Declined]),
        "expired" => Some(vec![Status::Expired]),
        "no_show" => Some(vec![Status::NoShow]),
        _ => None,
    }
}

/// The statuses that the conditions on the status leave.
fn statuses(conditions: &Match) -> BTreeSet<Status> {
    let mut left: BTreeSet<Status> = Status::ALL.into_iter().collect();
    for test in &conditions.tests {
        match &test.of {
            Subject::Status(words) => {
                let wanted = named(words);
                left.retain(|status| wanted.contains(status));
            }
            Subject::Not(inner) => {
                if let [
                    Test {
                        of: Subject::Status(words),
                        ..
                    },
                ] = inner.tests.as_slice()
                    && words.iter().all(|word| matches!(word.means, StatusMeans::Canonical(_)))
                {
                    let excluded = named(words);
                    left.retain(|status| !excluded.contains(status));
                }
            }
            _ => {}
        }
    }
    left
}

/// Every status with which one of these words may hold.
fn named(words: &[StatusWord]) -> BTreeSet<Status> {
    let may = |status: &Status| {
        words.iter().any(|word| match &word.means {
            StatusMeans::Canonical(wanted) => wanted.contains(status) != word.other,
            // Whatever the sender's word, and where nothing was sent, nothing is certain.
            StatusMeans::Own(_) | StatusMeans::Nothing => true,
        })
    };
    Status::ALL.into_iter().filter(may).collect()
}

/// What is asked for and excluded in the same words.
fn within(conditions: &Match, keys: &[&'static str], found: &mut Vec<Never>) {
    for test in &conditions.tests {
        match &test.of {
            Subject::Was(inner) => within(inner, &[keys, &["was"]].concat(), found),
            Subject::Not(inner) => {
                let [excluded] = inner.tests.as_slice() else { continue };
                // Statuses are looked at by themselves.
                let apart = matches!(excluded.of, Subject::Status(_));
                if !apart && conditions.tests.iter().any(|other| other.says == excluded.says) {
                    found.push(Never::new(
                        &[keys, &["not"]].concat(),
                        format!(
                            "`not` excludes `{}`, which `match` asks for, so this never runs",
                            excluded.says
                        ),
                        "a condition and its opposite never hold together: take one of them away",
                    ));
                }
            }
            _ => {}
        }
    }
}

/// "`confirmed`, `in_house` or `completed`".
fn any(statuses: &[Status]) -> String {
    let words: Vec<&str> = statuses.iter().map(|status| status.word()).collect();
    crate::lang::fields::quoted(&words)
}
