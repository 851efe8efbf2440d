//! Conditions that can never hold together: what is said here is certain, everything else is left alone.

use std::collections::BTreeSet;

use crate::model::field::FieldKind;
use crate::model::reservation::Status;

use super::conditions::{Match, StatusMeans, StatusWord, Subject, Test};
use super::names::canonical;
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

impl Recipe {
    /// Every reason why this recipe, or an event it waits for, can never lead to a run.
    pub fn never_runs(&self, senders: Senders<'_>) -> Vec<Never> {
        let mut found = Vec::new();
        self.event_and_status(senders, &mut found);
        self.event_and_before(senders, &mut found);
        self.event_and_fact(&mut found);
        self.clock_and_status(&mut found);
        self.clock_and_before(&mut found);
        within(&self.conditions, &["match"], &mut found);
        if let Some(when) = self.when.as_ref().filter(|when| when.source().trim() == "false") {
            found.push(Never {
                keys: vec!["when"],
                because: format!("`when: {}` never holds, so this never runs", when.source().trim()),
                help: "to switch a recipe off write `enabled: false`".to_owned(),
            });
        }
        found
    }

    fn types(&self) -> impl Iterator<Item = &String> {
        self.on.iter().flat_map(Trigger::types)
    }

    /// `on: reservation.cancelled` with `status: booked`.
    fn event_and_status(&self, senders: Senders<'_>, found: &mut Vec<Never>) {
        let allowed = statuses(&self.conditions);
        if allowed.is_empty() {
            found.push(Never {
                keys: vec!["match", "status"],
                because: "`status` and `not` leave no status over, so this never runs".to_owned(),
                help: "what `not` excludes cannot be asked for at the same time: take one of them away".to_owned(),
            });
            return;
        }
        for kind in self.types() {
            let Some(after) = after(kind) else { continue };
            if senders.hints.contains(kind) || after.iter().any(|status| allowed.contains(status)) {
                continue;
            }
            let words = any(&after);
            let alone = self.on.len() == 1 && self.types().count() == 1;
            let for_it = if alone { "" } else { " for it" };
            let by_block = kind == "reservation.cancelled" && senders.blocks;
            found.push(Never {
                keys: vec!["match", "status"],
                because: match by_block {
                    true => format!(
                        "with `{kind}` the status is {words}, so this runs only where a stay turns into a block"
                    ),
                    false => format!("with `{kind}` the status is {words}, so this never runs{for_it}"),
                },
                help: {
                    let word = match after.as_slice() {
                        [status] => status.word(),
                        _ => "booked",
                    };
                    let write = match self.types().count() {
                        1 => format!("write `status: {word}`"),
                        _ => format!("name it in the list too, such as `status: [booked, {word}]`"),
                    };
                    format!("{write}; how it was before is asked in `was: {{status: …}}`")
                },
            });
        }
    }

    /// `on: reservation.cancelled` with `was: {status: cancelled}`: an event is a change.
    fn event_and_before(&self, senders: Senders<'_>, found: &mut Vec<Never>) {
        let befores = self.conditions.tests.iter().filter_map(|test| match &test.of {
            Subject::Was(inner) => Some(statuses(inner)),
            _ => None,
        });
        for before in befores.filter(|before| !before.is_empty()) {
            for kind in self.types() {
                let Some(after) = after(kind).filter(|after| after.len() == 1) else {
                    continue;
                };
                let blocked = kind == "reservation.cancelled" && senders.blocks;
                let same = before.iter().all(|status| after.contains(status));
                if same && !blocked && !senders.hints.contains(kind) {
                    let word = after[0].word();
                    found.push(Never {
                        keys: vec!["match", "was", "status"],
                        because: format!(
                            "`{kind}` comes when the status becomes `{word}`; before it was something else, so this never \
                             runs for it"
                        ),
                        help: "`was` asks for the stay before the event".to_owned(),
                    });
                }
            }
        }
    }

    /// `stay: check_in` with `status: cancelled`: what is planned for a stay that is gone never runs. And `status: pending,
    /// for: 24h` with `status: booked`.
    fn clock_and_status(&self, found: &mut Vec<Never>) {
        let allowed = statuses(&self.conditions);
        if allowed.is_empty() {
            return;
        }
        let clocks = || {
            self.on
                .iter()
                .filter(|trigger| matches!(trigger, Trigger::Stay(_) | Trigger::Status(_)))
        };
        let for_them = match self.on.len() {
            1 => "",
            n if n == clocks().count() => "",
            _ => " for the entries with `stay` and `status`",
        };
        if clocks().next().is_some() && allowed.iter().all(|status| status.is_gone()) {
            let words: Vec<Status> = allowed.iter().copied().collect();
            let events: Vec<String> = words
                .iter()
                .map(|status| format!("reservation.{}", status.word()))
                .collect();
            found.push(Never {
                keys: vec!["match", "status"],
                because: format!(
                    "nothing that is planned for a stay runs once it is {}, so this never runs{for_them}",
                    any(&words)
                ),
                help: format!("for the change itself write `on: {{event: {}}}`", list(&events)),
            });
            return;
        }
        for trigger in clocks() {
            let Trigger::Status(clock) = trigger else { continue };
            let lasting = named(&clock.words);
            if lasting.is_disjoint(&allowed) {
                let for_it = if self.on.len() > 1 { " for it" } else { "" };
                let lasting: Vec<Status> = lasting.into_iter().collect();
                found.push(Never {
                    keys: vec!["match", "status"],
                    because: format!(
                        "while `status: {}` lasts the status is {}, so this never runs{for_it}",
                        clock.says,
                        any(&lasting)
                    ),
                    help: "the entry of `on` says the status already: take it out of `match`".to_owned(),
                });
            }
        }
    }

    /// `was` where a clock starts the recipe: there is nothing before.
    fn clock_and_before(&self, found: &mut Vec<Never>) {
        let was = self
            .conditions
            .tests
            .iter()
            .any(|test| matches!(test.of, Subject::Was(_)));
        let clocks = self
            .on
            .iter()
            .filter(|trigger| matches!(trigger, Trigger::Stay(_) | Trigger::Status(_)));
        let clocks = clocks.count();
        if !was || clocks == 0 {
            return;
        }
        let events = clocks < self.on.len();
        found.push(Never {
            keys: vec!["match", "was"],
            because: match events {
                false => "`was` asks for the stay before an event, and no event starts this recipe, so this never runs",
                true => {
                    "`was` asks for the stay before an event, so this never runs for the entries with `stay` and `status`"
                }
            }
            .to_owned(),
            help: match events {
                false => "how the stay is then is asked without `was`, such as `match: {status: booked}`",
                true => "make two recipes of it, one for events and one for the clock",
            }
            .to_owned(),
        });
    }

    /// `payment.amount` where no event carries a payment.
    fn event_and_fact(&self, found: &mut Vec<Never>) {
        for test in &self.conditions.tests {
            let Subject::Field(name, wanted) = &test.of else {
                continue;
            };
            let (what, key): (_, &'static str) = match name.split_once('.') {
                Some(("payment", _)) => ("payment", "payment"),
                Some(("message", _)) => ("message", "message"),
                _ => continue,
            };
            // A sender's own event may carry anything.
            let own = |kind: &String| kind.starts_with("other.");
            let carries = |kind: &String| own(kind) || kind.starts_with(what) && kind[what.len()..].starts_with('.');
            if !wanted.holds(&serde_json::Value::Null) && !self.types().any(carries) {
                let event = if what == "payment" {
                    "payment.created"
                } else {
                    "message.received"
                };
                found.push(Never {
                    keys: vec!["match", key],
                    because: format!("no event of this recipe carries a {what}, so `{name}` is never there"),
                    help: format!("such as `on: {{event: {event}}}`"),
                });
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

/// What contradicts itself whatever the event is.
fn within(conditions: &Match, keys: &[&'static str], found: &mut Vec<Never>) {
    for test in &conditions.tests {
        match &test.of {
            Subject::Was(inner) => within(inner, &[keys, &["was"]].concat(), found),
            Subject::Field(name, wanted) => {
                let count = canonical().any(|(known, kind)| known == name && kind == FieldKind::Count);
                let key = canonical().find(|(known, _)| known == name);
                if let Some((key, _)) = key.filter(|_| count && wanted.is_no_count()) {
                    found.push(Never {
                        keys: [keys, &[key]].concat(),
                        because: format!("`{name}` is a whole number and never below 0, so this never runs"),
                        help: format!("such as `{name}: \">= 2\"`"),
                    });
                }
            }
            Subject::Not(inner) => {
                let [excluded] = inner.tests.as_slice() else { continue };
                let contradicts = conditions.tests.iter().any(|other| implies(&other.of, &excluded.of));
                if contradicts {
                    let name = excluded.says.split(": ").next().unwrap_or_default();
                    found.push(Never {
                        keys: [keys, &["not"]].concat(),
                        because: format!(
                            "`not` excludes everything that `{name}` asks for in `match`, so this never runs"
                        ),
                        help: "a condition and its opposite never hold together: take one of them away".to_owned(),
                    });
                }
            }
            _ => {}
        }
    }
}

/// Whether wherever the one condition holds, the other does too. Statuses are looked at by themselves.
fn implies(one: &Subject, other: &Subject) -> bool {
    match (one, other) {
        (Subject::Kind(a), Subject::Kind(b)) => a.iter().all(|kind| b.contains(kind)),
        (Subject::Notice(a), Subject::Notice(b)) => a.implies(b),
        (Subject::Weekday(a, days), Subject::Weekday(b, others)) => {
            a == b && days.iter().all(|day| others.contains(day))
        }
        (Subject::Field(a, wanted), Subject::Field(b, others)) => a == b && wanted.implies(others),
        (Subject::Property(a), Subject::Property(b)) => a.iter().all(|word| {
            b.iter()
                .any(|other| word.tag == other.tag && word.other == other.other && word.text == other.text)
        }),
        _ => false,
    }
}

/// One word, or a list of them as YAML has it.
fn list(words: &[String]) -> String {
    match words {
        [one] => one.clone(),
        more => format!("[{}]", more.join(", ")),
    }
}

/// "`confirmed`, `in_house` or `completed`".
fn any(statuses: &[Status]) -> String {
    let words: Vec<&str> = statuses.iter().map(|status| status.word()).collect();
    crate::lang::fields::quoted(&words)
}
