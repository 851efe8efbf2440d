//! Value expressions: how a mapping says where a value comes from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::Value;

use super::path::{Compiling, Input, Lookup};
use crate::lang::fields::Fields;
use crate::lang::shape::Shape;
use crate::lang::yaml::{Kind, Node};
use crate::lang::zone::timezone;
use crate::model::reservation::fold_word;
use pick::Pick;
use refine::Refine;
use settings::{digits_of, lookups, parts_of, words_of};

mod pick;
mod refine;
mod settings;
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
    refine: Refine,
    /// The amount is in the currency's smallest unit.
    pub(super) minor: bool,
    /// The digits behind the point of currencies that the sender counts otherwise than usual.
    pub(super) digits: BTreeMap<String, u32>,
    /// Days to add to a date.
    pub(super) plus_days: i64,
    /// The zone of a time that is sent without one.
    pub(super) zone: Option<Tz>,
}

#[derive(Clone, Debug)]
enum From {
    Lookups(Vec<Lookup>),
    Constant(Value),
    Join(Join),
}

/// Texts put together.
#[derive(Clone, Debug)]
struct Join {
    parts: Vec<Expr>,
    with: String,
    /// Whether a part that is not there is left out; else there is nothing at all.
    skip: bool,
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
        let join = fields.get("join");
        let with_at = fields.get("with");
        let with = fields.text("with", cx.report);
        let skip = fields.flag("skip_missing", false, cx.report);
        let words = fields.get("map");
        let other = fields.get("else").map(Node::value);
        let minor = fields.flag("minor", false, cx.report);
        let digits = fields
            .get("digits")
            .map(|node| digits_of(node, minor, cx))
            .unwrap_or_default();
        let pick = fields.word("pick", cx.report).map(Pick::of_word);
        let plus_days = fields.count("plus_days", cx.report);
        let zone = fields.get("zone").and_then(|node| timezone(node, "zone", cx.report));
        let refine = Refine::compile(&mut fields, cx);
        fields.finish(cx.report);
        if let (Some(with), None) = (with_at, join) {
            let title = format!("`with` of `{what}` stands between the parts of a `join`, and there is none");
            cx.report.mistake("odd-setting", &with.place, title);
        }
        let from = match (from, constant, join) {
            (Some(from), None, None) => From::Lookups(lookups(from, cx)?),
            (None, Some(constant), None) => From::Constant(constant.value()),
            (None, None, Some(join)) => From::Join(Join {
                parts: parts_of(join, what, cx)?,
                with: with.unwrap_or(" ").to_owned(),
                skip,
            }),
            (None, None, None) => {
                let title = format!("`{what}` needs `from`, `value` or `join`");
                cx.report
                    .mistake("missing-key", &node.place, title)
                    .help("for example `{from: $.status, map: {accepted: confirmed}}`");
                return None;
            }
            (from, constant, join) => {
                let both: Vec<String> = [("from", from), ("value", constant), ("join", join)]
                    .iter()
                    .filter_map(|(name, node)| node.map(|_| format!("`{name}`")))
                    .collect();
                let place = join.or(constant).map_or(&node.place, |node| &node.place);
                cx.report
                    .mistake("two-values", place, format!("`{what}` has both {}", both.join(" and ")))
                    .help("leave one of them out");
                return None;
            }
        };
        Some(Expr {
            words: match words {
                Some(node) => Some(words_of(node, what, cx)?),
                None => None,
            },
            other,
            pick,
            minor,
            digits,
            refine,
            plus_days: plus_days.and_then(|days| i64::try_from(days).ok()).unwrap_or(0),
            zone,
            from,
        })
    }

    fn plain(from: From) -> Expr {
        Expr {
            from,
            words: None,
            other: None,
            pick: None,
            refine: Refine::default(),
            minor: false,
            digits: BTreeMap::new(),
            plus_days: 0,
            zone: None,
        }
    }

    /// The first of its paths that is there, before any `map`.
    pub(super) fn find<'v>(&'v self, input: &Input<'v>) -> Found<'v> {
        let lookups = match &self.from {
            From::Constant(value) => return Found::Value(Cow::Borrowed(value)),
            From::Join(join) => return self.refine.found(join.find(input)),
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
                Lookup::Path(path) => pick::choose(self.pick, &path.all(input), path.text()),
            };
            match self.refine.found(found) {
                found @ (Found::Value(_) | Found::Odd(_)) => return found,
                Found::Absent => {}
                found @ (Found::Null | Found::Empty) if best == Found::Absent => best = found,
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
            Some(text) => {
                let text = self.refine.text(&text).unwrap_or_default();
                if !text.is_empty() && !texts.contains(&text) {
                    texts.push(text);
                }
            }
            None => *odd_at = Some(path),
        };
        match &self.from {
            From::Constant(Value::Array(values)) => {
                for value in values {
                    add(scalar_text(value), &mut odd, "its `value`".to_owned());
                }
            }
            From::Constant(value) => add(scalar_text(value), &mut odd, "its `value`".to_owned()),
            From::Join(join) => match join.find(input) {
                Found::Value(value) => add(scalar_text(&value), &mut odd, join.paths().join(", ")),
                Found::Odd(path) => odd = Some(path),
                Found::Null | Found::Empty => there = true,
                Found::Absent => {}
            },
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

    /// What its `map` makes of a word, `else` aside.
    pub(super) fn word(&self, word: &str) -> Option<String> {
        self.words.as_ref()?.get(&fold_word(word)).and_then(scalar_text)
    }

    /// The words that its `map` knows, with what they mean.
    pub(super) fn meanings(&self) -> Vec<(String, String)> {
        let words = self.words.iter().flatten();
        words
            .filter_map(|(word, meaning)| Some((word.clone(), scalar_text(meaning)?)))
            .collect()
    }

    /// The words that its `map` knows; `None` where there is no `map`.
    pub(super) fn known_words(&self) -> Option<Vec<String>> {
        match (&self.words, &self.from) {
            (Some(words), _) => Some(words.keys().cloned().collect()),
            (None, From::Constant(_)) => Some(Vec::new()),
            (None, From::Lookups(_) | From::Join(_)) => None,
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
            From::Join(join) => join.paths(),
        }
    }

    /// The places it looks at itself.
    pub(super) fn lookups(&self) -> &[Lookup] {
        match &self.from {
            From::Lookups(lookups) => lookups,
            From::Constant(_) | From::Join(_) => &[],
        }
    }

    /// What it is put together from.
    pub(super) fn parts(&self) -> &[Expr] {
        match &self.from {
            From::Join(join) => &join.parts,
            From::Constant(_) | From::Lookups(_) => &[],
        }
    }

    /// Whether any of its paths reads the item (`@`), or it needs none.
    pub(super) fn reads_item(&self) -> bool {
        match &self.from {
            From::Constant(_) => true,
            From::Lookups(lookups) => lookups
                .iter()
                .any(|l| matches!(l, Lookup::Path(path) if path.of_item())),
            From::Join(join) => join.parts.iter().any(|part| !part.is_constant() && part.reads_item()),
        }
    }
}

impl Join {
    /// The parts with what stands between them.
    fn find<'v>(&'v self, input: &Input<'v>) -> Found<'v> {
        let mut texts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let text = match part.find(input) {
                Found::Value(value) => scalar_text(part.translate(&value).unwrap_or(&value)),
                Found::Odd(why) => return Found::Odd(why),
                Found::Absent | Found::Null | Found::Empty => Some(String::new()),
            };
            match text {
                Some(text) if !text.is_empty() => texts.push(text),
                Some(_) if self.skip => {}
                Some(_) => return Found::Absent,
                None => return Found::Odd(format!("{} holds no text or number", part.paths().join(", "))),
            }
        }
        if texts.is_empty() {
            return Found::Absent;
        }
        Found::Value(Cow::Owned(Value::String(texts.join(&self.with))))
    }

    fn paths(&self) -> Vec<String> {
        self.parts.iter().flat_map(Expr::paths).collect()
    }
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
