//! The words of `status`, `kind`, `property` and of the days of the week.

use chrono::Weekday;

use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::{quoted, text};
use crate::lang::yaml::{Kind, Node};
use crate::model::field::STAY_KINDS;
use crate::model::reservation::{Status, fold_word};
use crate::recipe::schedule::DAY_NAMES;

/// A word of `status`.
#[derive(Clone, Debug)]
pub(in crate::recipe) struct StatusWord {
    /// Whether it is to be another one: `!= cancelled`.
    pub(in crate::recipe) other: bool,
    pub(in crate::recipe) means: StatusMeans,
}

#[derive(Clone, Debug)]
pub(in crate::recipe) enum StatusMeans {
    /// No status was ever sent.
    Nothing,
    /// One of these canonical ones.
    Canonical(Vec<Status>),
    /// The sender's own word, folded; `*` stands for anything.
    Own(String),
}

impl StatusMeans {
    /// Any status of a stay that takes place.
    pub(in crate::recipe) fn booked() -> StatusMeans {
        StatusMeans::Canonical(Status::ALL.into_iter().filter(|status| status.is_active()).collect())
    }
}

/// A word of `property`.
#[derive(Clone, Debug)]
pub(in crate::recipe) struct PropertyWord {
    pub(in crate::recipe) other: bool,
    pub(in crate::recipe) tag: bool,
    /// In lower case; `*` stands for anything.
    pub(in crate::recipe) text: String,
}

/// The value of a condition, or those of its list, of which one has to be there.
pub(in crate::recipe) fn listed<'n>(node: &'n Node, key: &str, report: &mut Report) -> Option<&'n [Node]> {
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.is_empty() {
        report.mistake(
            "empty-list",
            &node.place,
            format!("an empty list for `{key}` never holds"),
        );
        return None;
    }
    let other = |item: &&Node| item.scalar().is_some_and(|word| word.trim().starts_with("!="));
    if items.iter().filter(other).count() > 1 {
        let title = format!("one of these for `{key}` always holds: a list means any of them");
        report
            .warning("always-holds", &node.place, title)
            .help(format!("for none of them write `not: {{{key}: [a, b]}}`"));
    }
    Some(items)
}

/// One word or a list of words, each read by `one`.
pub(super) fn words<T>(
    node: &Node,
    key: &str,
    report: &mut Report,
    one: fn(&Node, &str, &mut Report) -> Option<T>,
) -> Option<Vec<T>> {
    let items = listed(node, key, report)?;
    let read: Vec<Option<T>> = items
        .iter()
        .map(|item| {
            let word = match item.scalar() {
                // What was not sent.
                Some(word) if item.is_null() => Some(word),
                _ => text(item, key, report),
            };
            one(item, word?.trim(), report)
        })
        .collect();
    read.into_iter().collect()
}

/// The word without `!=`, and whether that stood before it.
fn negated(word: &str) -> (bool, &str) {
    word.strip_prefix("!=")
        .map_or((false, word), |rest| (true, rest.trim()))
}

pub(super) fn status_word(node: &Node, word: &str, report: &mut Report) -> Option<StatusWord> {
    let (other, word) = negated(word);
    if word.starts_with(['<', '>', '=']) {
        let title = "`status` is a word: there is nothing to compare";
        report
            .mistake("no-order", &node.place, title)
            .help("write the words that it may be, such as `status: [booked, pending]`");
        return None;
    }
    let folded = fold_word(word);
    let means = if node.is_null() || (other && word == "null") {
        StatusMeans::Nothing
    } else if folded == "booked" {
        StatusMeans::booked()
    } else if let Some(status) = Status::from_word(word) {
        StatusMeans::Canonical(vec![status])
    } else {
        let canonical = Status::ALL.iter().map(|status| status.word());
        if let Some(near) = did_you_mean(&folded.replace(' ', "_"), canonical.chain(["booked"])) {
            let title = format!("`{word}` is compared with the sender's own word; it is none of ours");
            report
                .warning("own-status", &node.place, title)
                .help(format!("did you mean `{near}`?"));
        }
        StatusMeans::Own(folded)
    };
    Some(StatusWord { other, means })
}

pub(super) fn kind_word(node: &Node, word: &str, report: &mut Report) -> Option<&'static str> {
    let found = STAY_KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(word)).copied();
    if found.is_none() {
        let title = format!("`kind` is one of {}", quoted(STAY_KINDS));
        let near = did_you_mean(word, STAY_KINDS.iter().copied());
        report.mistake("expected-word", &node.place, title).meant(near, "");
    }
    found
}

pub(super) fn property_word(node: &Node, word: &str, report: &mut Report) -> Option<PropertyWord> {
    let (other, word) = negated(word);
    let (tag, name) = word
        .strip_prefix("tag:")
        .map_or((false, word), |tag| (true, tag.trim()));
    if name.is_empty() || node.is_null() {
        let title = "`property` is the key of a property, or `tag:` and a tag";
        let help =
            "such as `property: [brannan, \"tag:downtown\"]`; `property.key: null` for stays of no known property";
        report.mistake("expected-text", &node.place, title).help(help);
        return None;
    }
    Some(PropertyWord {
        other,
        tag,
        text: name.to_lowercase(),
    })
}

pub(super) fn weekday(node: &Node, word: &str, report: &mut Report) -> Option<Weekday> {
    let found = word.parse().ok();
    if found.is_none() {
        let title = format!("`{word}` is no day: they are `mon`, `tue`, `wed`, `thu`, `fri`, `sat` and `sun`");
        let near = did_you_mean(word, DAY_NAMES.iter().copied());
        report.mistake("expected-word", &node.place, title).meant(near, "");
    }
    found
}
