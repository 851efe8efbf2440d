//! `match` held against a stay: what each condition saw, and whether it holds.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, TimeDelta};
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use crate::lang::glob::glob;
use crate::model::decision::Check;
use crate::model::reservation::{Status, fold_word};

use super::conditions::{Match, PropertyWord, StatusMeans, StatusWord, Subject, Test, short};
use super::pattern::is_missing;

/// What conditions look at.
pub(super) struct View<'a> {
    pub(super) stay: &'a Value,
    /// The stay's kind, or what stands for it.
    pub(super) kind: &'a Value,
    pub(super) previous: &'a Value,
    pub(super) payload: &'a Value,
    pub(super) payment: &'a Value,
    pub(super) message: &'a Value,
    pub(super) now: DateTime<FixedOffset>,
}

const NOT_SENT: &str = "not sent";

impl<'a> View<'a> {
    /// A stay by itself, with no event.
    pub(super) fn of_stay(stay: &'a Value, now: DateTime<FixedOffset>) -> View<'a> {
        View {
            stay,
            kind: at(stay, "kind"),
            previous: &Value::Null,
            payload: &Value::Null,
            payment: &Value::Null,
            message: &Value::Null,
            now,
        }
    }
}

impl Match {
    /// Holds every condition against what is there; nothing is left out because another one is false.
    pub(super) fn check(&self, view: &View) -> Vec<Check> {
        self.tests.iter().flat_map(|test| test.check(view)).collect()
    }

    /// Whether every condition holds.
    pub(super) fn holds(&self, view: &View) -> bool {
        self.check(view).iter().all(|check| check.held)
    }
}

impl Test {
    fn check(&self, view: &View) -> Vec<Check> {
        let (held, saw) = match &self.of {
            Subject::Was(inner) => return self.was(inner, view),
            Subject::Not(inner) => {
                let checks = inner.check(view);
                let saw: Vec<String> = checks.iter().map(saw_of).collect();
                (!checks.iter().all(|check| check.held), saw.join(", "))
            }
            Subject::Status(words) => status(words, view.stay),
            Subject::Kind(kinds) => {
                let kind = view.kind.as_str().unwrap_or("guest");
                (kinds.contains(&kind), kind.to_owned())
            }
            Subject::Property(words) => property(words, view.stay),
            Subject::Notice(wanted) => match at(view.stay, "check_in").as_str().map(DateTime::parse_from_rfc3339) {
                Some(Ok(check_in)) => {
                    let notice = check_in.signed_duration_since(view.now);
                    (wanted.holds_for_span(notice), span(notice))
                }
                _ => (false, NOT_SENT.to_owned()),
            },
            Subject::Weekday(field, days) => match at(view.stay, field).as_str().map(str::parse::<NaiveDate>) {
                Some(Ok(date)) => (days.contains(&date.weekday()), date.format("%a, %-d %b %Y").to_string()),
                _ => (false, NOT_SENT.to_owned()),
            },
            Subject::Field(name, wanted) => {
                let value = match name.split_once('.') {
                    Some(("payment", rest)) => at(view.payment, rest),
                    Some(("message", rest)) => at(view.message, rest),
                    _ => at(view.stay, name),
                };
                (wanted.holds(value), words_of(value))
            }
            Subject::Payload(path, wanted) => match js_path_process(path, view.payload) {
                Ok(found) if found.is_empty() => (wanted.holds(&Value::Null), NOT_SENT.to_owned()),
                Ok(found) => {
                    let values: Vec<&Value> = found.into_iter().map(|found| found.val()).collect();
                    let saw: Vec<String> = values.iter().take(10).map(|value| words_of(value)).collect();
                    (values.iter().any(|value| wanted.holds(value)), saw.join(", "))
                }
                Err(error) => (false, format!("the path cannot be followed: {error}")),
            },
        };
        vec![Check {
            condition: self.says.clone(),
            saw: short(&saw),
            held,
        }]
    }

    fn was(&self, inner: &Match, view: &View) -> Vec<Check> {
        if is_blank(view.previous) {
            return vec![Check {
                condition: self.says.clone(),
                saw: "there was no stay before".to_owned(),
                held: false,
            }];
        }
        let mut checks = inner.check(&View::of_stay(view.previous, view.now));
        for check in &mut checks {
            check.condition = format!("was {}", check.condition);
        }
        checks
    }
}

/// What a condition saw, with the name of what it looked at.
fn saw_of(check: &Check) -> String {
    let name = check.condition.split(": ").next().unwrap_or_default();
    format!("{name}: {}", check.saw)
}

/// Whether a status and the sender's own word for it are among these.
pub(super) fn is_status(words: &[StatusWord], status: Option<&str>, own: Option<&str>) -> bool {
    let canonical = status.and_then(Status::from_word);
    words.iter().any(|word| match &word.means {
        StatusMeans::Nothing => status.is_none() != word.other,
        StatusMeans::Canonical(wanted) => canonical.is_some_and(|status| wanted.contains(&status) != word.other),
        StatusMeans::Own(wanted) => own.is_some_and(|own| glob(wanted, &fold_word(own)) != word.other),
    })
}

fn status(words: &[StatusWord], stay: &Value) -> (bool, String) {
    let status = at(stay, "status").as_str();
    let own = at(stay, "source_status").as_str();
    let held = is_status(words, status, own);
    let saw = match (status, own) {
        (None, None) => NOT_SENT.to_owned(),
        (Some(status), None) => status.to_owned(),
        (Some(status), Some(own)) if fold_word(status) == fold_word(own) => status.to_owned(),
        (Some(status), Some(own)) => format!("{status} (the sender says `{own}`)"),
        (None, Some(own)) => format!("the sender says `{own}`"),
    };
    (held, saw)
}

fn property(words: &[PropertyWord], stay: &Value) -> (bool, String) {
    let property = at(stay, "property");
    let Some(key) = at(property, "key").as_str() else {
        let unknown = |name| format!("no known property (the sender says `{name}`)");
        return (
            false,
            at(property, "name").as_str().map_or(NOT_SENT.to_owned(), unknown),
        );
    };
    let tags = at(property, "tags").as_array().into_iter().flatten();
    let tags: Vec<&str> = tags.filter_map(Value::as_str).collect();
    let held = words.iter().any(|word| {
        let is = |known: &&str| glob(&word.text, &known.to_lowercase());
        let held = if word.tag { tags.iter().any(is) } else { is(&key) };
        held != word.other
    });
    let saw = match (words.iter().any(|word| word.tag), tags.is_empty()) {
        (false, _) => key.to_owned(),
        (true, true) => format!("{key} (tags: none)"),
        (true, false) => format!("{key} (tags: {})", tags.join(", ")),
    };
    (held, saw)
}

/// The value of a dotted name; null where there is none.
pub(super) fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    name.split('.')
        .fold(value, |value, part| value.get(part).unwrap_or(&Value::Null))
}

/// A value in words.
fn words_of(value: &Value) -> String {
    let text = match value {
        Value::Null => NOT_SENT.to_owned(),
        value if is_missing(value) => "none".to_owned(),
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().take(20).map(words_of).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    short(&text)
}

/// Whether nothing at all is known: no value but null, empty lists and empty settings.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_blank),
        _ => false,
    }
}

/// A span in words: `2d 3h`, `40m`, `3h ago`.
fn span(span: TimeDelta) -> String {
    let minutes = span.num_minutes().abs();
    let (days, hours, left) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let text = match (days, hours) {
        (0, 0) => format!("{left}m"),
        (0, _) => format!("{hours}h {left}m"),
        _ => format!("{days}d {hours}h"),
    };
    if span < TimeDelta::zero() {
        format!("{text} ago")
    } else {
        text
    }
}
