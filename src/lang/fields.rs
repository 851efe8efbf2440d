//! Typed reading of settings: every key is asked for by name, what is left over at the end is a mistake.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::diag::{Place, Report, did_you_mean};
use super::duration;
use super::yaml::{Key, Kind, Node};

/// A cursor over the keys of one map.
#[derive(Debug)]
pub struct Fields<'n> {
    what: String,
    place: Place,
    entries: &'n [(Key, Node)],
    known: BTreeSet<&'static str>,
    taken: BTreeSet<usize>,
}

impl<'n> Fields<'n> {
    /// Begins reading; `what` names the thing in messages: "a connection", "an `email` step".
    pub fn of(node: &'n Node, what: &str, report: &mut Report) -> Option<Fields<'n>> {
        let entries = match &node.kind {
            Kind::Map(entries) => entries.as_slice(),
            Kind::Scalar(_) if node.is_null() => &[],
            _ => {
                let found = node.what();
                report.mistake(
                    "expected-settings",
                    &node.place,
                    format!("{what} is written as settings (`key: value`), this is {found}"),
                );
                return None;
            }
        };
        Some(Fields {
            what: what.to_owned(),
            place: node.place.clone(),
            entries,
            known: BTreeSet::new(),
            taken: BTreeSet::new(),
        })
    }

    /// Where the settings begin.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The value of a key that may be left out; nothing counts as left out.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.insert(key);
        let at = self.entries.iter().position(|(found, _)| found.text == key)?;
        self.taken.insert(at);
        Some(&self.entries[at].1).filter(|node| !node.is_null())
    }

    /// The value of a key that has to be there.
    pub fn required(&mut self, key: &'static str, report: &mut Report) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            report.mistake("missing-key", &self.place, format!("{} needs `{key}`", self.what));
        }
        found
    }

    /// A text that may be left out.
    pub fn text(&mut self, key: &'static str, report: &mut Report) -> Option<&'n str> {
        self.get(key).and_then(|node| text(node, key, report))
    }

    /// `true` or `false`, with what holds where it is left out.
    pub fn flag(&mut self, key: &'static str, default: bool, report: &mut Report) -> bool {
        match self.get(key).map(|node| (node, node.scalar())) {
            None => default,
            Some((_, Some("true"))) => true,
            Some((_, Some("false"))) => false,
            Some((node, _)) => {
                report.mistake("expected-flag", &node.place, format!("`{key}` is `true` or `false`"));
                default
            }
        }
    }

    /// A whole number between `min` and `max` that may be left out.
    pub fn count(&mut self, key: &'static str, min: u64, max: u64, report: &mut Report) -> Option<u64> {
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
        let node = self.get(key)?;
        let found = node.scalar().and_then(duration::parse);
        if found.is_none() {
            report.mistake(
                "expected-duration",
                &node.place,
                format!("`{key}` is a duration such as `90s`, `15m`, `2h` or `3d`"),
            );
        }
        found
    }

    /// One of a few words that may be left out.
    pub fn word(&mut self, key: &'static str, words: &[&'static str], report: &mut Report) -> Option<&'static str> {
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

    /// Keys that the contract knows and this version does not do yet: said, never ignored.
    pub fn later(&mut self, keys: &[&'static str], report: &mut Report) {
        for key in keys {
            if self.get(key).is_some()
                && let Some((found, _)) = self.entries.iter().find(|(found, _)| found.text == *key)
            {
                report.mistake("not-yet", &found.place, format!("`{key}` is not in this version yet"));
            }
        }
    }

    /// The entries nobody has asked for, for maps whose keys are the user's own; they count as read.
    pub fn rest(&mut self) -> Vec<&'n (Key, Node)> {
        let rest = (0..self.entries.len())
            .filter(|at| !self.taken.contains(at))
            .collect::<Vec<_>>();
        self.taken.extend(&rest);
        rest.into_iter().map(|at| &self.entries[at]).collect()
    }

    /// Ends reading: every key that nobody asked for is a mistake at its own place.
    pub fn finish(self, report: &mut Report) {
        for (at, (key, _)) in self.entries.iter().enumerate() {
            if self.taken.contains(&at) {
                continue;
            }
            let title = format!("{} has no setting called `{}`", self.what, key.text);
            let diagnostic = report.mistake("unknown-key", &key.place, title);
            match did_you_mean(&key.text, self.known.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => {
                    let known: Vec<_> = self.known.iter().copied().collect();
                    diagnostic.help(format!("its settings are {}", quoted(&known)));
                }
            }
        }
    }
}

/// The node's text; a list or settings in its place is a mistake.
pub fn text<'n>(node: &'n Node, key: &str, report: &mut Report) -> Option<&'n str> {
    let found = node.scalar();
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
