//! A recipe as a sentence.

mod clocks;

use crate::model::event::EVENTS;
use crate::model::run::Mode;

use super::conditions::{Match, Subject, Test};
use super::{Late, Recipe, Step, Trigger};

pub use clocks::{entry_words, entry_zone};

impl Recipe {
    /// What it does, in plain words: "Tell the cleaner: when the dates of a stay change, if the status is booked, send an
    /// e-mail to `ana@example.com` over `mail`."
    pub fn sentence(&self) -> String {
        self.sentence_with(&|_| None, None)
    }

    /// The same, with the connection of every step that does not name its own as far as `connection` knows it, and with when
    /// it fires next: "…; next: Brannan, Fri 3 Apr 10:00."
    pub fn sentence_with(&self, connection: &dyn Fn(&Step) -> Option<String>, next: Option<&str>) -> String {
        let mut out = format!("{}: {}", self.name, self.waits_for());
        // The default kind goes without saying.
        let said = self.conditions.tests.iter();
        let said = said.filter(|test| !matches!(&test.of, Subject::Kind(kinds) if kinds[..] == ["guest"]));
        let mut conditions: Vec<String> = said.map(|test| phrase(test, "is")).collect();
        let of_stays = self.on.iter().filter(|trigger| matches!(trigger, Trigger::Stay(_)));
        let of_stays = of_stays.count();
        let booked = of_stays > 0 && !self.conditions.names_status();
        if booked && of_stays == self.on.len() {
            conditions.insert(0, "the status is booked".to_owned());
        }
        conditions.extend(self.when.as_ref().map(|when| format!("`{}`", when.source().trim())));
        if !conditions.is_empty() {
            out += &format!(", if {}", conditions.join(", and "));
        }
        let steps: Vec<String> = self.steps.iter().map(|step| does(step, connection(step))).collect();
        out += &format!(", {}", steps.join(", then "));
        if let Some(next) = next {
            out += &format!("; next: {next}");
        }
        out.push('.');
        if booked && of_stays < self.on.len() {
            out += " At the moments of a stay it is for booked ones.";
        }
        out += &self.asides();
        out += match self.mode {
            Mode::Queued => "",
            Mode::Newest => " A newer run for the same stay takes the place of one that still waits.",
            Mode::Parallel => " Runs for the same stay wait for nothing.",
        };
        if self.queue != self.name {
            out += &format!(" Its runs stand in the queue `{}`.", self.queue);
        }
        if !self.enabled {
            out += " It is switched off.";
        } else if self.dry_run {
            out += " Nothing is really sent (dry run).";
        }
        out
    }

    /// What starts it, in plain words: "when a stay is confirmed or 2 days BEFORE check-in at 10:00, the property's time".
    pub fn waits_for(&self) -> String {
        let events: Vec<String> = self.on.iter().flat_map(Trigger::types).map(event).collect();
        let mut starts: Vec<String> = Vec::new();
        if !events.is_empty() {
            starts.push(format!("when {}", any(&events)));
        }
        starts.extend(self.on.iter().filter_map(clocks::says));
        any(&starts)
    }
}

impl Recipe {
    /// What it says of clocks beside its triggers.
    fn asides(&self) -> String {
        let mut out = String::new();
        // What has nothing to work on says nothing.
        let mut types = self.on.iter().flat_map(Trigger::types);
        let of_changes = types.any(|kind| kind.starts_with("reservation."));
        let of_stays = self.follows_stays();
        if of_changes && !self.settle.is_zero() {
            out += &format!(" It waits {} for further changes.", clocks::span(self.settle));
        }
        for list in &self.gather {
            let conditions = phrases(&list.conditions.without_defaults(), "is");
            out += &format!(" {}", clocks::gathers(list, &conditions));
        }
        match self.late {
            Late::Usual => {}
            _ if self.clock().next().is_none() => {}
            Late::Within(span) => out += &format!(" Where its time has passed it runs within {}.", clocks::span(span)),
            Late::Skip => out += " Where its time has passed it does not run.",
        }
        if of_stays {
            out += match self.again {
                None => "",
                Some(true) => " It runs again for a date that moves after it has run.",
                Some(false) => {
                    " It never runs again for a stay, not even for one that was cancelled and is booked again."
                }
            };
        }
        out
    }
}

/// A step in words, with its connection.
fn does(step: &Step, connection: Option<String>) -> String {
    let mut out = step.effect.says();
    if out.is_empty() {
        out.clone_from(&step.kind);
    }
    if let Some(name) = step.effect.connection().map(str::to_owned).or(connection) {
        out += &format!(" over `{name}`");
    }
    let mut asides = Vec::new();
    if let Some(when) = &step.when {
        asides.push(format!("only if `{}`", when.source().trim()));
    }
    if let Some(until) = &step.until {
        let until = clocks::moment(*until, false);
        asides.push(format!("not after {}", until.trim_start_matches("at ")));
    }
    if step.policy.at_most_once {
        asides.push("never twice".to_owned());
    }
    if step.policy.go_on {
        asides.push("the rest goes on if it fails".to_owned());
    }
    if !asides.is_empty() {
        out += &format!(" ({})", asides.join("; "));
    }
    out
}

/// When an event comes, in words.
fn event(kind: &String) -> String {
    match EVENTS.iter().find(|event| event.name == kind) {
        Some(event) => event.says.to_owned(),
        None => format!("the sender reports `{}`", kind.strip_prefix("other.").unwrap_or(kind)),
    }
}

fn any(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn phrases(conditions: &Match, verb: &str) -> String {
    let phrases: Vec<String> = conditions.tests.iter().map(|test| phrase(test, verb)).collect();
    phrases.join(" and ")
}

fn phrase(test: &Test, verb: &str) -> String {
    let (name, value) = test.says.split_once(": ").unwrap_or((&test.says, ""));
    let values = any(&values(value));
    match &test.of {
        Subject::Was(inner) => format!("before that {}", phrases(inner, "was")),
        Subject::Not(inner) => format!("it is not so that {}", phrases(inner, verb)),
        Subject::Notice(_) => format!("check-in is {values} away"),
        Subject::Weekday(field, _) => {
            let what = field.strip_suffix("_date").unwrap_or(field).replace('_', "-");
            format!("{what} {verb} on {values}")
        }
        Subject::Payload(..) => {
            let path = name.strip_prefix("payload ").unwrap_or(name);
            format!("`{path}` in the body {verb} {values}")
        }
        Subject::Property(_) => format!("the property {verb} {}", values.replace("tag:", "one with the tag ")),
        Subject::Status(_) | Subject::Kind(_) => format!("the {name} {verb} {values}"),
        Subject::Field(..) => format!("{name} {verb} {values}"),
    }
}

/// The values of a condition as they are written, with signs as words.
fn values(value: &str) -> Vec<String> {
    let values: Vec<&str> = match value.strip_prefix('[').and_then(|value| value.strip_suffix(']')) {
        Some(list) => list.split(", ").collect(),
        None => vec![value],
    };
    let signs = [
        ("!=", "not"),
        (">=", "at least"),
        ("<=", "at most"),
        (">", "more than"),
        ("<", "less than"),
    ];
    let words = |value: &str| {
        let signed = signs
            .iter()
            .find_map(|(sign, words)| value.strip_prefix(sign).map(|rest| (*words, rest.trim())));
        match signed {
            Some((words, "null")) => format!("{words} missing"),
            Some((words, rest)) => format!("{words} {rest}"),
            None if value == "null" => "not sent".to_owned(),
            None if value.is_empty() => "empty".to_owned(),
            None => value.to_owned(),
        }
    };
    values.into_iter().map(words).collect()
}
