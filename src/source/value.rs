//! Value expressions: how a mapping says where a value comes from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::moment::decimal;
use super::path::{Compiling, Input, Lookup};
use crate::lang::fields::Fields;
use crate::lang::shape::Shape;
use crate::lang::yaml::{Kind, Node};
use crate::model::reservation::fold_word;

mod shapes;

pub(super) use shapes::{EVENT_VALUE, VALUE, form_of, shape_of};

/// The most values of one list that are taken; no stay has as many names or rooms, and each costs work wherever it goes.
pub(super) const LIST_MAX: usize = 200;

/// A compiled value expression.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    from: From,
    words: Option<BTreeMap<String, Value>>,
    other: Option<Value>,
    pick: Option<Pick>,
    /// The amount is in the currency's smallest unit.
    pub(super) minor: bool,
    /// Days to add to a date.
    pub(super) plus_days: i64,
}

#[derive(Clone, Debug)]
enum From {
    Lookups(Vec<Lookup>),
    Constant(Value),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Pick {
    First,
    Last,
    Min,
    Max,
    Sum,
    Count,
}

/// What an expression finds in a body.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found<'v> {
    /// None of its paths is there.
    Absent,
    /// An explicit null.
    Null,
    /// An empty text.
    Empty,
    /// A value.
    Value(Cow<'v, Value>),
    /// Values that cannot be picked from: the path and what is wrong.
    Odd(String),
}

impl Expr {
    /// Reads a path, a list of paths (the first that is there) or settings.
    pub(super) fn compile(node: &Node, what: &str, cx: &mut Compiling<'_>) -> Option<Expr> {
        Expr::compile_as(node, what, &VALUE, cx)
    }

    /// The same, for a value of which only certain words are known.
    pub(super) fn compile_as(node: &Node, what: &str, shape: &'static Shape, cx: &mut Compiling<'_>) -> Option<Expr> {
        let Kind::Map(_) = &node.kind else {
            return Some(Expr::plain(From::Lookups(lookups(node, cx)?)));
        };
        let mut fields = Fields::called(node, shape, format!("`{what}`"), cx.report)?;
        let from = fields.get("from");
        let constant = fields.get("value");
        let words = fields.get("map");
        let other = fields.get("else").map(Node::value);
        let minor = fields.flag("minor", false, cx.report);
        let pick = fields.word("pick", cx.report);
        let plus_days = fields.count("plus_days", cx.report);
        fields.finish(cx.report);
        let from = match (from, constant) {
            (Some(from), None) => From::Lookups(lookups(from, cx)?),
            (None, Some(constant)) => From::Constant(constant.value()),
            (Some(_), Some(constant)) => {
                let title = format!("`{what}` has both `from` and `value`");
                cx.report
                    .mistake("two-values", &constant.place, title)
                    .help("leave one of them out");
                return None;
            }
            (None, None) => {
                cx.report
                    .mistake("missing-key", &node.place, format!("`{what}` needs `from` or `value`"))
                    .help("for example `{from: $.status, map: {accepted: confirmed}}`");
                return None;
            }
        };
        let pick = pick.map(|word| match word {
            "last" => Pick::Last,
            "min" => Pick::Min,
            "max" => Pick::Max,
            "sum" => Pick::Sum,
            "count" => Pick::Count,
            _ => Pick::First,
        });
        Some(Expr {
            words: match words {
                Some(node) => Some(words_of(node, what, cx)?),
                None => None,
            },
            other,
            pick,
            minor,
            plus_days: plus_days.and_then(|days| i64::try_from(days).ok()).unwrap_or(0),
            from,
        })
    }

    fn plain(from: From) -> Expr {
        Expr {
            from,
            words: None,
            other: None,
            pick: None,
            minor: false,
            plus_days: 0,
        }
    }

    /// The first of its paths that is there, before any `map`.
    pub(super) fn find<'v>(&'v self, input: &Input<'v>) -> Found<'v> {
        let lookups = match &self.from {
            From::Constant(value) => return Found::Value(Cow::Borrowed(value)),
            From::Lookups(lookups) => lookups,
        };
        let mut best = Found::Absent;
        for lookup in lookups {
            let found = match lookup {
                Lookup::Header(name) => match (input.headers)(name) {
                    Some(text) if text.trim().is_empty() => Found::Empty,
                    Some(text) => Found::Value(Cow::Owned(Value::String(text))),
                    None => Found::Absent,
                },
                Lookup::Path(path) => self.choose(&path.all(input), path.text()),
            };
            match found {
                Found::Value(_) | Found::Odd(_) => return found,
                Found::Absent => {}
                Found::Null | Found::Empty if best == Found::Absent => best = found,
                Found::Null | Found::Empty => {}
            }
        }
        best
    }

    /// Every scalar that any of its paths finds, as text, each once; `Err` with the path where there was something else
    /// only. Explicitly null or empty is an empty list, `None` is nothing at all. No more than [`LIST_MAX`] and one.
    pub(super) fn find_all(&self, input: &Input<'_>) -> Result<Option<Vec<String>>, String> {
        let mut texts: Vec<String> = Vec::new();
        let mut odd = None;
        let mut there = false;
        let mut add = |text: Option<String>, odd_at: &mut Option<String>, path: String| match text {
            // One more than is taken, so that it shows.
            Some(_) if texts.len() > LIST_MAX => {}
            Some(text) if text.is_empty() || texts.contains(&text) => {}
            Some(text) => texts.push(text),
            None => *odd_at = Some(path),
        };
        match &self.from {
            From::Constant(Value::Array(values)) => {
                for value in values {
                    add(scalar_text(value), &mut odd, "its `value`".to_owned());
                }
            }
            From::Constant(value) => add(scalar_text(value), &mut odd, "its `value`".to_owned()),
            From::Lookups(lookups) => {
                for lookup in lookups {
                    match lookup {
                        Lookup::Header(name) => {
                            let text = (input.headers)(name);
                            there |= text.is_some();
                            if text.is_some() {
                                add(text.map(|t| t.trim().to_owned()), &mut odd, lookup.text());
                            }
                        }
                        Lookup::Path(path) => {
                            for found in path.all(input) {
                                there = true;
                                match found {
                                    Value::Null => {}
                                    // A list in the place of one value is what many senders send for one field.
                                    Value::Array(items) => {
                                        for item in items.iter().filter(|item| !item.is_null()) {
                                            add(scalar_text(item), &mut odd, lookup.text());
                                        }
                                    }
                                    other => add(scalar_text(other), &mut odd, lookup.text()),
                                }
                            }
                        }
                    }
                }
            }
        }
        match odd {
            Some(path) if texts.is_empty() => Err(path),
            _ => Ok((there || !texts.is_empty()).then_some(texts)),
        }
    }

    /// What its `map` and `else` make of a value; `None` where there is no `map`, or the word is in neither.
    pub(super) fn translate(&self, value: &Value) -> Option<&Value> {
        let words = self.words.as_ref()?;
        let word = fold_word(&scalar_text(value)?);
        words.get(&word).or(self.other.as_ref())
    }

    /// The words that its `map` knows; `None` where there is no `map`.
    pub(super) fn known_words(&self) -> Option<Vec<String>> {
        match (&self.words, &self.from) {
            (Some(words), _) => Some(words.keys().cloned().collect()),
            (None, From::Constant(_)) => Some(Vec::new()),
            (None, From::Lookups(_)) => None,
        }
    }

    /// Whether it has a `map`.
    pub(super) fn has_words(&self) -> bool {
        self.words.is_some()
    }

    /// Everything its `map` and `else` can make, and its constant, for checking against what the field can hold.
    pub(super) fn constants(&self) -> impl Iterator<Item = &Value> {
        let constant = match &self.from {
            From::Constant(value) if self.words.is_none() => Some(value),
            _ => None,
        };
        self.words
            .iter()
            .flat_map(BTreeMap::values)
            .chain(&self.other)
            .chain(constant)
    }

    /// Whether the value stands in the mapping and not in the body.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self.from, From::Constant(_))
    }

    /// The paths as written.
    pub(super) fn paths(&self) -> Vec<String> {
        match &self.from {
            From::Constant(_) => Vec::new(),
            From::Lookups(lookups) => lookups.iter().map(Lookup::text).collect(),
        }
    }

    /// Whether any of its paths reads the item (`@`), or it needs none.
    pub(super) fn reads_item(&self) -> bool {
        match &self.from {
            From::Constant(_) => true,
            From::Lookups(lookups) => lookups
                .iter()
                .any(|l| matches!(l, Lookup::Path(path) if path.of_item())),
        }
    }

    fn choose<'v>(&self, found: &[&'v Value], path: &str) -> Found<'v> {
        let there: Vec<&'v Value> = found
            .iter()
            .copied()
            .filter(|value| !value.is_null() && !is_empty(value))
            .collect();
        let Some(first) = there.first().copied() else {
            return match found.first() {
                None => Found::Absent,
                Some(value) if value.is_null() => Found::Null,
                Some(_) => Found::Empty,
            };
        };
        let Some(pick) = self.pick else {
            return Found::Value(Cow::Borrowed(first));
        };
        // A path to one list means its items: `$.nights` is as good as `$.nights[*]`.
        let items: Vec<&'v Value> = match there.as_slice() {
            [Value::Array(items)] => items.iter().filter(|item| !item.is_null()).collect(),
            _ => there,
        };
        let numbers = || {
            items
                .iter()
                .map(|item| scalar_text(item).and_then(|t| decimal(&t)))
                .collect::<Option<Vec<_>>>()
        };
        let (Some(first), Some(last)) = (items.first().copied(), items.last().copied()) else {
            return match pick {
                Pick::Count => Found::Value(Cow::Owned(Value::from(0))),
                _ => Found::Absent,
            };
        };
        match pick {
            Pick::First => Found::Value(Cow::Borrowed(first)),
            Pick::Last => Found::Value(Cow::Borrowed(last)),
            Pick::Count => Found::Value(Cow::Owned(Value::from(items.len()))),
            Pick::Sum => {
                let sum = numbers().and_then(|n| n.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add));
                match sum.and_then(|sum| sum.to_string().parse().ok()) {
                    Some(sum) => Found::Value(Cow::Owned(Value::Number(sum))),
                    None => Found::Odd(format!("`{path}` cannot be added up: not all of it is a number")),
                }
            }
            Pick::Min | Pick::Max => {
                let texts: Option<Vec<String>> = items.iter().map(|item| scalar_text(item)).collect();
                let Some(texts) = texts else {
                    return Found::Odd(format!(
                        "`{path}` cannot be compared: not all of it is a text or number"
                    ));
                };
                let numbers = numbers();
                let order = |a: &usize, b: &usize| match &numbers {
                    Some(numbers) => numbers[*a].cmp(&numbers[*b]),
                    None => texts[*a].cmp(&texts[*b]),
                };
                let at = match pick {
                    Pick::Min => (0..items.len()).min_by(order),
                    _ => (0..items.len()).max_by(order),
                };
                at.map_or(Found::Absent, |at| Found::Value(Cow::Borrowed(items[at])))
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn lookups(node: &Node, cx: &mut Compiling<'_>) -> Option<Vec<Lookup>> {
    if node.items().is_empty() {
        cx.report.mistake("missing-path", &node.place, "a path is missing here");
        return None;
    }
    // Every path is looked at, so that all mistakes are found at once.
    let all: Vec<Option<Lookup>> = node.items().iter().map(|item| Lookup::compile(item, cx)).collect();
    all.into_iter().collect()
}

fn words_of(node: &Node, what: &str, cx: &mut Compiling<'_>) -> Option<BTreeMap<String, Value>> {
    let Kind::Map(entries) = &node.kind else {
        let title = format!(
            "`map` of `{what}` is written as settings (`word: value`), this is {}",
            node.what()
        );
        cx.report.mistake("expected-settings", &node.place, title);
        return None;
    };
    let mut words: BTreeMap<String, Value> = BTreeMap::new();
    for (key, value) in entries {
        let value = value.value();
        let word = fold_word(&key.text);
        match words.get(&word) {
            Some(before) if *before != value => {
                let title = format!(
                    "`{}` is the same word as one before it and means something else",
                    key.text
                );
                cx.report
                    .mistake("duplicate-word", &key.place, title)
                    .help("words are compared in any case, with space, `_` and `-` alike");
            }
            _ => {
                words.insert(word, value);
            }
        }
    }
    Some(words)
}

/// A scalar as text with all its digits, trimmed; `None` for lists and objects. Null is empty.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
