//! Typed reading of settings against their declared shape: what is not declared is a mistake of the user, and what is
//! declared and not read, or read and not declared, one of ours.

use std::collections::BTreeSet;

use chrono::{NaiveTime, TimeDelta};

use super::diag::{Diagnostic, Place, Report, did_you_mean};
use super::duration;
use super::shape::{Entry, Form, Shape, Standing};
use super::yaml::{Key, Kind, Node};

/// A cursor over the keys of one map, held against the shape that declares them.
///
/// A reader that asks for what is not declared, or ends without having asked for all that is, is a fault of ours: debug
/// builds stop there.
#[derive(Debug)]
pub struct Fields<'n> {
    shape: &'static Shape,
    what: String,
    place: Place,
    entries: &'n [(Key, Node)],
    declared: Vec<Entry>,
    asked: BTreeSet<&'static str>,
    taken: BTreeSet<usize>,
}

impl<'n> Fields<'n> {
    /// Begins reading; messages call the settings what their shape calls them.
    pub fn of(node: &'n Node, shape: &'static Shape, report: &mut Report) -> Option<Fields<'n>> {
        Fields::called(node, shape, shape.what, report)
    }

    /// The same, called something more precise: "the source `old-pms`".
    pub fn called(
        node: &'n Node,
        shape: &'static Shape,
        what: impl Into<String>,
        report: &mut Report,
    ) -> Option<Fields<'n>> {
        let what = what.into();
        let entries = match &node.kind {
            Kind::Map(entries) => entries.as_slice(),
            Kind::Scalar(_) if node.is_null() => &[],
            _ => {
                let found = node.what();
                let diagnostic = report.mistake(
                    "expected-settings",
                    &node.place,
                    format!("{what} is written as settings (`key: value`), this is {found}"),
                );
                if matches!(node.kind, Kind::List(_)) {
                    diagnostic.help("settings have no `- ` before them and stand in no `[ ]`");
                }
                return None;
            }
        };
        Some(Fields {
            shape,
            what,
            place: node.place.clone(),
            entries,
            declared: shape.entries(),
            asked: BTreeSet::new(),
            taken: BTreeSet::new(),
        })
    }

    /// What is declared of a key.
    fn declared(&self, key: &str) -> Option<&Entry> {
        let found = self.declared.iter().find(|entry| entry.name == key);
        debug_assert!(found.is_some(), "{} declares no `{key}`", self.shape.what);
        found
    }

    /// Where the settings begin.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The value of a key that may be left out; nothing counts as left out.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.declared(key);
        self.asked.insert(key);
        let at = self.entries.iter().position(|(found, _)| found.text == key)?;
        self.taken.insert(at);
        Some(&self.entries[at].1).filter(|node| !node.is_null())
    }

    /// The value of a key that has to be there.
    pub fn required(&mut self, key: &'static str, report: &mut Report) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            report
                .mistake("missing-key", &self.place, format!("{} needs `{key}`", self.what))
                .help(format!("add `{key}: …`"));
        }
        found
    }

    /// The settings below a key, to be read against the shape that is declared for them.
    pub fn settings(&mut self, key: &'static str, report: &mut Report) -> Option<Fields<'n>> {
        let node = self.get(key)?;
        let shape = self.declared(key).and_then(|entry| entry.form.settings());
        debug_assert!(shape.is_some(), "`{key}` of {} takes no settings", self.shape.what);
        Fields::of(node, shape?, report)
    }

    /// The entries of the settings below a key, all of whose keys are the user's own; none where it is left out.
    pub fn own(&mut self, key: &'static str, report: &mut Report) -> Vec<&'n (Key, Node)> {
        self.settings(key, report).map(Fields::all).unwrap_or_default()
    }

    /// Its entries, all of whose keys are the user's own.
    fn all(mut self) -> Vec<&'n (Key, Node)> {
        let entries = self.rest();
        self.close();
        entries
    }

    /// A text that may be left out.
    pub fn text(&mut self, key: &'static str, report: &mut Report) -> Option<&'n str> {
        self.get(key).and_then(|node| text(node, key, report))
    }

    /// `true` or `false`, with what holds where it is left out.
    pub fn flag(&mut self, key: &'static str, default: bool, report: &mut Report) -> bool {
        self.form(key, |form| matches!(form, Form::Flag).then_some(()));
        match self.get(key).map(|node| (node, node.scalar())) {
            None => default,
            Some((_, Some("true"))) => true,
            Some((_, Some("false"))) => false,
            Some((node, written)) => {
                let diagnostic = report.mistake("expected-flag", &node.place, format!("`{key}` is `true` or `false`"));
                match written.unwrap_or_default().to_lowercase().as_str() {
                    "yes" | "on" | "y" | "1" | "true" => diagnostic.help(format!("write `{key}: true`")),
                    "no" | "off" | "n" | "0" | "false" => diagnostic.help(format!("write `{key}: false`")),
                    _ => {}
                }
                default
            }
        }
    }

    /// The form that a getter is for, out of what is declared.
    fn form<T>(&self, key: &str, wanted: fn(&Form) -> Option<T>) -> Option<T> {
        let found = self.declared(key)?.form.pick(wanted);
        debug_assert!(
            found.is_some(),
            "`{key}` of {} is declared as another form",
            self.shape.what
        );
        found
    }

    /// A whole number in its range that may be left out.
    pub fn count(&mut self, key: &'static str, report: &mut Report) -> Option<u64> {
        let (min, max) = self.form(key, |form| match form {
            Form::Count(min, max) => Some((*min, *max)),
            _ => None,
        })?;
        let node = self.get(key)?;
        let found = node
            .scalar()
            .and_then(|text| text.parse().ok())
            .filter(|n| (min..=max).contains(n));
        if found.is_none() {
            report.mistake(
                "expected-number",
                &node.place,
                format!("`{key}` is a whole number from {min} to {max}"),
            );
        }
        found
    }

    /// A duration (`90s`, `15m`, `2h`, `3d`) that may be left out.
    pub fn duration(&mut self, key: &'static str, report: &mut Report) -> Option<TimeDelta> {
        self.form(key, |form| matches!(form, Form::Duration).then_some(()));
        let node = self.get(key)?;
        let found = node.scalar().and_then(duration::parse);
        if found.is_none() {
            let diagnostic = report.mistake(
                "expected-duration",
                &node.place,
                format!("`{key}` is a duration such as `90s`, `15m`, `2h` or `3d`"),
            );
            if let Some(near) = node.scalar().and_then(duration::meant) {
                diagnostic.help(format!("did you mean `{near}`?"));
            }
        }
        found
    }

    /// A time of day (`15:00`) that may be left out.
    pub fn time_of_day(&mut self, key: &'static str, report: &mut Report) -> Option<NaiveTime> {
        let node = self.get(key)?;
        let written = node.scalar().unwrap_or_default().trim();
        let found = NaiveTime::parse_from_str(written, "%H:%M").ok();
        if found.is_none() {
            report
                .mistake("expected-time", &node.place, format!("`{key}` is a time of day"))
                .help("such as \"15:00\"; \"00:00\" to \"23:59\"");
        }
        found
    }

    /// One of a few words that may be left out.
    pub fn word(&mut self, key: &'static str, report: &mut Report) -> Option<&'static str> {
        let words = self.form(key, |form| match form {
            Form::Word(words) => Some(*words),
            _ => None,
        })?;
        let node = self.get(key)?;
        let found = node
            .scalar()
            .and_then(|text| words.iter().find(|word| **word == text))
            .copied();
        if found.is_none() {
            let diagnostic = report.mistake(
                "expected-word",
                &node.place,
                format!("`{key}` is one of {}", quoted(words)),
            );
            if let Some(near) = node.scalar().and_then(|text| did_you_mean(text, words.iter().copied())) {
                diagnostic.help(format!("did you mean `{near}`?"));
            }
        }
        found
    }

    /// A list of texts, or one text; empty where left out.
    pub fn texts(&mut self, key: &'static str, report: &mut Report) -> Vec<String> {
        let items = self.get(key).map(Node::items).unwrap_or_default();
        items
            .iter()
            .filter_map(|node| text(node, key, report))
            .map(str::to_owned)
            .collect()
    }

    /// The entries nobody has asked for, for settings with keys of the user's own; they count as read.
    pub fn rest(&mut self) -> Vec<&'n (Key, Node)> {
        debug_assert!(self.shape.is_open(), "{} has no keys but its own", self.shape.what);
        let rest = (0..self.entries.len())
            .filter(|at| !self.taken.contains(at))
            .collect::<Vec<_>>();
        self.taken.extend(&rest);
        rest.into_iter().map(|at| &self.entries[at]).collect()
    }

    /// The keys that are there and that a later version brings.
    pub fn given_later(&self) -> Vec<&'n Key> {
        let later = |key: &Key| {
            let mut declared = self.declared.iter();
            declared.any(|entry| entry.name == key.text && entry.standing == Standing::Later)
        };
        let given = self.entries.iter().filter(|(_, value)| !value.is_null());
        given.map(|(key, _)| key).filter(|key| later(key)).collect()
    }

    /// Keys that a later version brings: said, never ignored.
    fn later(&mut self, report: &mut Report) {
        for entry in &self.declared {
            let Some(at) = self.entries.iter().position(|(found, _)| found.text == entry.name) else {
                continue;
            };
            let (key, value) = &self.entries[at];
            let name = entry.name;
            match entry.standing {
                _ if value.is_null() => {}
                Standing::Later => not_yet(key, report),
                Standing::Idle(meanwhile) => {
                    let title = format!("`{name}` has no effect in this version yet");
                    report.warning("not-yet", &key.place, title).help(meanwhile);
                }
                Standing::Read | Standing::Never => continue,
            }
            self.taken.insert(at);
        }
    }

    /// Ends reading: what a later version brings is said, and every key that is not declared is a mistake at its own
    /// place.
    pub fn finish(mut self, report: &mut Report) {
        self.later(report);
        for (at, (key, _)) in self.entries.iter().enumerate() {
            if self.taken.contains(&at) {
                continue;
            }
            if let Some(near) = did_you_mean(&key.text, self.shape.names()) {
                // What is misspelt is not missing as well.
                let missing = format!("{} needs `{near}`", self.what);
                let here = |item: &Diagnostic| item.title == missing && item.place.as_ref() == Some(&self.place);
                report.items.retain(|item| !here(item));
            }
            unknown(&key.text, &key.place, &self.what, &self.shape.names(), report);
        }
        self.close();
    }

    /// Ends reading where every key has been judged already.
    pub fn close(self) {
        if cfg!(debug_assertions) {
            let mut unread = self.declared.iter().filter(|entry| entry.is_read());
            let unread = unread.find(|entry| !self.asked.contains(entry.name));
            debug_assert!(unread.is_none(), "nobody reads {unread:?} of {}", self.shape.what);
        }
        #[cfg(test)]
        READ.with_borrow_mut(|read| read.push(self.shape));
    }
}

#[cfg(test)]
thread_local! {
    /// The shapes that were read to their end on this thread.
    pub static READ: std::cell::RefCell<Vec<&'static Shape>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// The entries of settings whose keys are all the user's own.
pub fn own<'n>(node: &'n Node, shape: &'static Shape, report: &mut Report) -> Vec<&'n (Key, Node)> {
    Fields::of(node, shape, report).map(Fields::all).unwrap_or_default()
}

/// Whether templates can call something so: letters, digits and `_`, and no digit first.
pub fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

/// Reads such a name; `what` says of what.
pub fn name(key: &Key, what: &str, report: &mut Report) {
    if !is_name(&key.text) {
        report
            .mistake(
                "bad-name",
                &key.place,
                format!("`{}` cannot be the name of {what}", key.text),
            )
            .help("letters, digits and `_`, not beginning with a digit");
    }
}

/// Reports a key that a later version brings.
pub fn not_yet(key: &Key, report: &mut Report) {
    let title = format!("`{}` is not in this version yet", key.text);
    report.mistake("not-yet", &key.place, title);
}

/// Reports settings that stand beside the name they belong to instead of below it, as one mistake; says whether there are
/// any.
pub fn beside(name: &str, misplaced: &[&Key], report: &mut Report) -> bool {
    let Some(first) = misplaced.first() else { return false };
    let which = match misplaced.len() {
        1 => format!("`{}` stands", first.text),
        more => format!("`{}` and {} more stand", first.text, more - 1),
    };
    report
        .mistake(
            "indentation",
            &first.place,
            format!("{which} beside `{name}` instead of below it"),
        )
        .help(format!("indent what belongs to `{name}:` by two more spaces"));
    true
}

/// Reports a key that `what` does not have.
pub fn unknown(key: &str, place: &Place, what: &str, known: &[&'static str], report: &mut Report) {
    let diagnostic = report.mistake("unknown-key", place, format!("{what} has no setting called `{key}`"));
    match did_you_mean(key, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => {
            let mut known = known.to_vec();
            known.sort_unstable();
            diagnostic.help(format!("its settings are {}", quoted(&known)));
        }
    }
}

/// The node's text; a list or settings in its place is a mistake.
pub fn text<'n>(node: &'n Node, key: &str, report: &mut Report) -> Option<&'n str> {
    let found = node.scalar().filter(|_| !node.is_null());
    if found.is_none() {
        let diagnostic = report.mistake(
            "expected-text",
            &node.place,
            format!("`{key}` is a text, this is {}", node.what()),
        );
        if matches!(node.kind, Kind::Map(_)) {
            diagnostic.help("a value that begins with `{` has to stand in quotes: \"{{ … }}\"");
        }
    }
    found
}

/// "`a`, `b` or `c`".
pub fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
