//! `{$.type: "booking.*"}`: whether a body is of a certain sort.

use std::ops::Range;

use serde_json::Value;

use super::path::{Compiling, Input, Lookup};
use crate::lang::diag::Place;
use crate::lang::shape::{EMPTY, Form, More, Own, Shape};
use crate::lang::yaml::{Key, Kind, Node};

/// The most places that are named where no mapping applies.
const LOOKED_AT_MAX: usize = 12;

/// Paths and what has to stand there.
pub(super) static PATHS: Own = Own {
    name: "$.path",
    pattern: r"^(\$|@|header\.|query\.|path$)",
    form: Form::Several(&Form::Either(&[Form::Value, Form::Nothing])),
    about: "A path, header, parameter of the address or `path`, and a value or a list of values of which one has to stand there. Texts compare in any case, \
            `*` stands for anything; `~` for what is not there.",
    example: "$.type: [booking.updated, \"payment.*\"]",
};

/// `applies_to`, and `partial` where it depends.
pub(super) static PREDICATE: Shape = Shape {
    what: "`applies_to` or `partial`",
    about: "For which bodies something holds: all conditions have to hold.",
    more: &[More::Own(&PATHS)],
    ..EMPTY
};

/// All of its conditions must hold.
#[derive(Clone, Debug)]
pub(super) struct Predicate(Vec<Condition>);

#[derive(Clone, Debug)]
struct Condition {
    at: Lookup,
    any_of: Vec<Pattern>,
}

#[derive(Clone, Debug)]
enum Pattern {
    /// Written as nothing (`~`): the value is null or not there.
    Absent,
    /// A text, in lower case, where `*` stands for any run of characters.
    Text(String),
}

impl Predicate {
    /// Reads `path: pattern` entries; a list of patterns means any of them.
    pub(super) fn compile<'n>(
        entries: impl IntoIterator<Item = &'n (Key, Node)>,
        place: &Place,
        what: &str,
        cx: &mut Compiling<'_>,
    ) -> Option<Predicate> {
        let mut conditions = Vec::new();
        let mut fine = true;
        for (key, node) in entries {
            let spot = Node {
                place: key.place.clone(),
                kind: node.kind.clone(),
            };
            let at = Lookup::of_text(&key.text, &spot, cx);
            let mut any_of = Vec::new();
            let patterns = match &node.kind {
                Kind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(node),
            };
            for pattern in patterns {
                match pattern.scalar() {
                    _ if pattern.is_null() => any_of.push(Pattern::Absent),
                    Some(text) => any_of.push(Pattern::Text(text.to_lowercase())),
                    None => {
                        let title = format!("{what} compares a path with a text, this is {}", pattern.what());
                        cx.report.mistake("expected-text", &pattern.place, title);
                        fine = false;
                    }
                }
            }
            match at {
                Some(at) => conditions.push(Condition { at, any_of }),
                None => fine = false,
            }
        }
        if fine && conditions.is_empty() {
            cx.report
                .mistake(
                    "empty-condition",
                    place,
                    format!("{what} needs at least one path to look at"),
                )
                .help("for example `{$.type: \"booking.*\"}`");
            fine = false;
        }
        fine.then_some(Predicate(conditions))
    }

    /// Whether all conditions hold.
    pub(super) fn holds(&self, input: &Input<'_>) -> bool {
        self.0.iter().all(|condition| condition.holds(input))
    }

    /// Whether any condition reads the item (`@`).
    pub(super) fn reads_item(&self) -> bool {
        let of_item = |condition: &Condition| matches!(&condition.at, Lookup::Path(path) if path.of_item());
        self.0.iter().any(of_item)
    }

    /// The places it looks at, each with which bytes of a text its patterns write out; none where no pattern fits.
    pub(super) fn named(&self) -> impl Iterator<Item = (&Lookup, impl Fn(&str) -> Option<Vec<bool>>)> {
        self.0.iter().map(|condition| {
            let named = |text: &str| {
                let low = text.to_lowercase();
                let mut bytes = vec![false; text.len()];
                let mut fits = false;
                for pattern in &condition.any_of {
                    // Where letters get longer or shorter, bytes do not stand where they stood.
                    if let Pattern::Text(pattern) = pattern
                        && let Some(parts) = glob(pattern, &low).filter(|_| low.len() == text.len())
                    {
                        fits = true;
                        parts.into_iter().for_each(|part| bytes[part].fill(true));
                    }
                }
                fits.then_some(bytes)
            };
            (&condition.at, named)
        })
    }

    /// What it looks at, with what stands there where that is a plain word: `$.type (room.created)`.
    pub(super) fn looked_at(&self, input: &Input<'_>) -> Vec<String> {
        let one = |condition: &Condition| {
            let at = condition.at.text();
            match condition.values(input).first().and_then(plain_word) {
                Some(word) => format!("{at} ({word})"),
                None => at,
            }
        };
        self.0.iter().map(one).collect()
    }
}

impl Condition {
    fn values(&self, input: &Input<'_>) -> Vec<Value> {
        match &self.at {
            Lookup::Path(path) => path.all(input).into_iter().filter(|v| !v.is_null()).cloned().collect(),
            Lookup::Header(name) => (input.headers)(name).map(Value::String).into_iter().collect(),
        }
    }

    fn holds(&self, input: &Input<'_>) -> bool {
        let values = match &self.at {
            // The common case, without copying.
            Lookup::Path(path) => {
                let found: Vec<&Value> = path.all(input).into_iter().filter(|v| !v.is_null()).collect();
                return self.any_of.iter().any(|pattern| pattern.fits(&found));
            }
            Lookup::Header(_) => self.values(input),
        };
        let values: Vec<&Value> = values.iter().collect();
        self.any_of.iter().any(|pattern| pattern.fits(&values))
    }
}

impl Pattern {
    fn fits(&self, values: &[&Value]) -> bool {
        match self {
            Pattern::Absent => values.is_empty(),
            Pattern::Text(pattern) if pattern == "*" => !values.is_empty(),
            Pattern::Text(pattern) => values.iter().any(|value| match value {
                Value::String(text) => glob(pattern, &text.to_lowercase()).is_some(),
                Value::Number(number) => glob(pattern, &number.to_string().to_lowercase()).is_some(),
                Value::Bool(flag) => glob(pattern, if *flag { "true" } else { "false" }).is_some(),
                _ => false,
            }),
        }
    }
}

/// A value that can be shown without showing anything of a guest: one short word of a program.
fn plain_word(value: &Value) -> Option<&str> {
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    value
        .as_str()
        .filter(|text| text.len() <= 60 && !text.is_empty() && text.chars().all(ok))
}

/// The parts of `text` that `pattern` writes out, where it fits the whole of it; `*` stands for any run of characters.
fn glob(pattern: &str, text: &str) -> Option<Vec<Range<usize>>> {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let mut at = text.starts_with(first).then_some(first.len())?;
    let mut found = Vec::new();
    found.push(0..at);
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return (at == text.len()).then_some(found);
    };
    for part in parts {
        let from = at + text[at..].find(part)?;
        at = from + part.len();
        found.push(from..at);
    }
    found.push(text.len().checked_sub(last.len())?..text.len());
    text[at..].ends_with(last).then_some(found)
}

/// Where mappings looked that do not apply to some item, each place and word once.
pub(super) fn looked_at(passed_over: &[(&Predicate, &Value)], input: &Input<'_>) -> String {
    let mut places = Vec::new();
    for (predicate, item) in passed_over {
        for place in predicate.looked_at(&Input { item, ..*input }) {
            if places.len() < LOOKED_AT_MAX && !places.contains(&place) {
                places.push(place);
            }
        }
        if places.len() == LOOKED_AT_MAX {
            break;
        }
    }
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, fits) in [
            ("booking.*", "booking.created", true),
            ("booking.*", "payment.created", false),
            ("*.created", "booking.created", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "x", false),
            ("true", "true", true),
            ("*é*", "caféx", true),
        ] {
            assert_eq!(glob(pattern, text).is_some(), fits, "{pattern} {text}");
        }
    }
}
