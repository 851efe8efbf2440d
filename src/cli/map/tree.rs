//! A body taken apart: every place in it with its JSONPath.

use std::fmt::Write as _;

use serde_json::Value;

use super::names::fold;

/// Places of one body that are looked at; what comes after is counted.
const PLACES_MAX: usize = 400;
/// How deep it is looked into.
const DEPTH_MAX: usize = 12;
/// Entries of a list of unlike things, and of an object that is a list in disguise, that are looked at.
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
    /// A position in a list of unlike things.
    At(usize),
    /// Whatever stands in a list of like things.
    Every,
}

impl Step {
    /// The name, where it is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Step::Name(name) => Some(name),
            Step::At(_) | Step::Every => None,
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

/// Every place of a body.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// In the body's order.
    pub places: Vec<Place>,
    /// Places that are beyond the bounds.
    pub left_out: usize,
}

impl Tree {
    /// Takes a body apart.
    pub fn of(body: &Value) -> Tree {
        let mut tree = Tree::default();
        tree.walk(&mut Vec::new(), body);
        tree
    }

    /// The place with these steps.
    pub fn at(&self, steps: &[Step]) -> Option<&Place> {
        self.places.iter().find(|place| place.steps == steps)
    }

    /// Adds what another body has; a place that both have gets the values of both.
    pub fn join(&mut self, other: &Tree) {
        for place in &other.places {
            place.values.iter().for_each(|value| self.add(&place.steps, value));
            if let Some(known) = self.places.iter_mut().find(|known| known.steps == place.steps) {
                known.count += place.count - place.values.len().min(place.count);
            }
        }
        self.left_out += other.left_out;
    }

    fn walk(&mut self, steps: &mut Vec<Step>, value: &Value) {
        let deep = steps.len() >= DEPTH_MAX;
        match value {
            Value::Object(entries) if !entries.is_empty() && !deep => {
                for (name, value) in entries.iter().take(WIDTH_MAX) {
                    steps.push(Step::Name(name.clone()));
                    self.walk(steps, value);
                    steps.pop();
                }
                self.left_out += entries.len().saturating_sub(WIDTH_MAX);
            }
            Value::Array(items) if !items.is_empty() && !deep => {
                let alike = alike(items);
                // Of like things all are looked at: together they say which names there may be.
                let most = if alike { PLACES_MAX } else { WIDTH_MAX };
                for (at, item) in items.iter().enumerate().take(most) {
                    steps.push(if alike { Step::Every } else { Step::At(at) });
                    self.walk(steps, item);
                    steps.pop();
                }
                self.left_out += items.len().saturating_sub(most);
            }
            value => self.add(steps, value),
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

    /// One line a place, its path first, indented as deep as it lies, with a note behind it.
    pub fn text(&self, note: impl Fn(&Place) -> String) -> String {
        let head = |place: &Place| format!("{}{}", "  ".repeat(place.steps.len().saturating_sub(1)), place.path());
        let widths = self.places.iter().map(|place| head(place).chars().count());
        let width = widths.max().unwrap_or_default().min(64);
        let mut out = String::new();
        for place in &self.places {
            // Writing into a String cannot fail.
            let _ = writeln!(out, "{:<width$}  {}{}", head(place), place.shown(), note(place));
        }
        if self.left_out > 0 {
            let _ = writeln!(out, "… and {} more places", self.left_out);
        }
        out
    }
}

/// Whether all things in a list have the same form: no objects at all, or objects that share most of their names.
fn alike(items: &[Value]) -> bool {
    let mut objects = items.iter().filter_map(Value::as_object);
    let Some(first) = objects.next() else {
        return !items.iter().any(Value::is_array) || items.iter().all(Value::is_array);
    };
    items.iter().all(Value::is_object)
        && objects.all(|other| {
            let shared = other.keys().filter(|key| first.contains_key(*key)).count();
            2 * shared >= first.len().min(other.len())
        })
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

    /// The steps to it from an object that it lies in.
    pub fn inside(&self, scope: &[Step]) -> Option<&[Step]> {
        self.steps.strip_prefix(scope)
    }

    fn shown(&self) -> String {
        let others = self.values.iter().filter(|one| *one != self.value()).take(2);
        let values: Vec<String> = [self.value()].into_iter().chain(others).map(shown).collect();
        let times = if self.count > 1 {
            format!("  ({} times)", self.count)
        } else {
            String::new()
        };
        values.join(", ") + &times
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
            Step::At(at) => _ = write!(out, "[{at}]"),
            Step::Name(name) if is_plain(name) => _ = write!(out, ".{name}"),
            Step::Name(name) => _ = write!(out, "[{}]", in_quotes(name)),
        }
    }
    out
}

/// A name as a path has it in brackets.
fn in_quotes(name: &str) -> String {
    let mut out = "'".to_owned();
    for c in name.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(body: &Value) -> Vec<(String, String)> {
        let tree = Tree::of(body);
        tree.places.iter().map(|place| (place.path(), place.shown())).collect()
    }

    #[test]
    fn every_place_has_its_path() {
        let body = json!({
            "a": 1, "guest-name": "Ana", "it's": [], "n": null, "é": 2,
            "nights": [{"date": "x", "p": 1}, {"date": "y", "p": 1}, {"date": "z", "q": 1}],
            "unlike": [{"a": 1}, {"b": 2}], "texts": ["x", "x"],
        });
        let expected = [
            ("$.a", "1"),
            ("$['guest-name']", "\"Ana\""),
            ("$['it\\'s']", "[]"),
            ("$.n", "null"),
            ("$.nights[*].date", "\"x\", \"y\", \"z\"  (3 times)"),
            ("$.nights[*].p", "1  (2 times)"),
            ("$.nights[*].q", "1"),
            ("$.texts[*]", "\"x\"  (2 times)"),
            ("$.unlike[0].a", "1"),
            ("$.unlike[1].b", "2"),
            ("$['é']", "2"),
        ];
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        assert_eq!(paths(&body), expected);
    }

    #[test]
    fn what_is_large_is_bounded_and_said() {
        let wide: Value = (0..1000)
            .map(|n| (format!("k{n:04}"), json!(n)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let tree = Tree::of(&wide);
        assert_eq!((tree.places.len(), tree.left_out), (WIDTH_MAX, 1000 - WIDTH_MAX));
        assert!(tree.text(|_| String::new()).contains("940 more"));
        let mut deep = json!("x");
        for _ in 0..100 {
            deep = json!({ "a": deep });
        }
        assert_eq!(Tree::of(&deep).places.len(), 1);
        let long = shown(&json!("é".repeat(500)));
        assert!(long.contains("… (502 characters)"), "{long}");
    }
}
