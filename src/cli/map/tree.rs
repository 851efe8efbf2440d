//! A body taken apart: every place in it with its JSONPath.

use std::fmt::Write as _;

use serde_json::Value;

use super::names::fold;

/// Places of one body that are looked at; what comes after is counted.
const PLACES_MAX: usize = 400;
/// How deep it is looked into.
const DEPTH_MAX: usize = 12;
/// Entries of an object that are looked at: it may be a list in disguise.
const WIDTH_MAX: usize = 60;
/// Different values of one place that are kept.
const VALUES_MAX: usize = 12;
/// Characters of a value that are shown.
const SHOWN_MAX: usize = 60;

/// A step from a value to what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A name in an object.
    Name(String),
    /// Whatever stands in a list.
    Every,
}

impl Step {
    /// The name, where it is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Step::Name(name) => Some(name),
            Step::Every => None,
        }
    }
}

/// A place in a body, and what stands there.
#[derive(Clone, Debug)]
pub struct Place {
    /// The way to it.
    pub steps: Vec<Step>,
    /// The different values that were seen, in order, the first few of them.
    pub values: Vec<Value>,
    /// How often it was there; more than once below a `[*]`.
    pub count: usize,
}

/// Every place of a body, or of several.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// In the body's order.
    pub places: Vec<Place>,
    /// Places that are beyond the bounds.
    pub left_out: usize,
}

impl Tree {
    /// Takes bodies apart; a place that several have gets the values of all.
    pub fn of<'v>(bodies: impl IntoIterator<Item = &'v Value>) -> Tree {
        let mut tree = Tree::default();
        bodies.into_iter().for_each(|body| tree.walk(&mut Vec::new(), body));
        tree
    }

    /// The place with these steps.
    pub fn at(&self, steps: &[Step]) -> Option<&Place> {
        self.places.iter().find(|place| place.steps == steps)
    }

    fn walk(&mut self, steps: &mut Vec<Step>, value: &Value) {
        let within: Vec<(Step, &Value)> = match value {
            _ if steps.len() >= DEPTH_MAX => Vec::new(),
            Value::Object(entries) => {
                self.left_out += entries.len().saturating_sub(WIDTH_MAX);
                let named = entries.iter().take(WIDTH_MAX);
                named.map(|(name, value)| (Step::Name(name.clone()), value)).collect()
            }
            Value::Array(items) => {
                // All are looked at: together they say which names there may be.
                self.left_out += items.len().saturating_sub(PLACES_MAX);
                items.iter().take(PLACES_MAX).map(|item| (Step::Every, item)).collect()
            }
            _ => Vec::new(),
        };
        if within.is_empty() {
            self.add(steps, value);
        }
        for (step, value) in within {
            steps.push(step);
            self.walk(steps, value);
            steps.pop();
        }
    }

    fn add(&mut self, steps: &[Step], value: &Value) {
        let known = self.places.iter().position(|place| place.steps == steps);
        match known {
            Some(at) => {
                let place = &mut self.places[at];
                place.count += 1;
                if place.values.len() < VALUES_MAX && !place.values.contains(value) {
                    place.values.push(value.clone());
                }
            }
            None if self.places.len() >= PLACES_MAX => self.left_out += 1,
            None => self.places.push(Place {
                steps: steps.to_vec(),
                values: vec![value.clone()],
                count: 1,
            }),
        }
    }
}

impl Place {
    /// Its JSONPath.
    pub fn path(&self) -> String {
        path("$", &self.steps)
    }

    /// The first value that is not null or empty, else what there is.
    pub fn value(&self) -> &Value {
        static NOTHING: Value = Value::Null;
        let said = self.values.iter().find(|value| !is_nothing(value));
        said.or(self.values.first()).unwrap_or(&NOTHING)
    }

    /// Its last name.
    pub fn last_name(&self) -> &str {
        self.steps.iter().rev().find_map(Step::name).unwrap_or_default()
    }

    /// Its last two names, folded, with `.` between them.
    pub fn tail(&self) -> String {
        let names: Vec<&str> = self.steps.iter().filter_map(Step::name).collect();
        let last = names[names.len().saturating_sub(2)..].iter().map(|name| fold(name));
        last.collect::<Vec<_>>().join(".")
    }

    /// What is seen there: a few values, and how often.
    pub fn shown(&self) -> String {
        let others = self.values.iter().filter(|one| *one != self.value()).take(2);
        let values: Vec<String> = [self.value()].into_iter().chain(others).map(shown).collect();
        match self.count {
            1 => values.join(", "),
            times => format!("{}  ({times} times)", values.join(", ")),
        }
    }
}

/// Null, or an empty text, list or object.
pub fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value as it is shown: a text in quotes, cut where it is long.
pub fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text,
    }
}

/// A JSONPath from `root` (`$` or `@`); names that hold anything but letters, digits and `_` in quotes.
pub fn path(root: &str, steps: &[Step]) -> String {
    let mut out = root.to_owned();
    for step in steps {
        match step {
            Step::Every => out.push_str("[*]"),
            Step::Name(name) if is_plain(name) => _ = write!(out, ".{name}"),
            // As JSON has it, in the other quotes.
            Step::Name(name) => {
                let text = Value::from(name.as_str())
                    .to_string()
                    .replace("\\\"", "\"")
                    .replace('\'', "\\'");
                _ = write!(out, "['{}']", &text[1..text.len() - 1]);
            }
        }
    }
    out
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
