//! The values of a template, and their way from and to JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::fault::{Fault, Outcome};
use super::number::Number;

/// The most that a list or a map built by a template may hold, texts counted by their bytes. A few
/// doublings of a list would otherwise describe more than memory can hold.
const BUILT_SIZE: usize = 4 << 20;
/// How deep a list or a map built by a template may nest.
const BUILT_DEPTH: usize = 64;

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A known name without a value, with its dotted name where it has one.
    Missing(Option<Arc<str>>),
    /// The literal `none`.
    Nothing,
    Bool(bool),
    Number(Number),
    Text(Text),
    List(Arc<List>),
    Map(Arc<Map>),
}

/// A text; `ready` when it is already in the form of the output and must not be escaped again.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) text: Arc<str>,
    pub(super) ready: bool,
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) items: Vec<Value>,
    pub(super) path: Option<Arc<str>>,
    size: usize,
    depth: usize,
}

#[derive(Debug)]
pub(super) struct Map {
    pub(super) entries: BTreeMap<Arc<str>, Value>,
    pub(super) path: Option<Arc<str>>,
    /// Any key may be asked for; one that is not there is missing, not a mistake.
    pub(super) loose: bool,
    size: usize,
    depth: usize,
}

impl Value {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(Text {
            text: text.into(),
            ready: false,
        })
    }

    pub(super) fn ready(text: impl Into<Arc<str>>) -> Value {
        Value::Text(Text {
            text: text.into(),
            ready: true,
        })
    }

    pub(super) fn int(int: usize) -> Value {
        Value::Number(Number::Int(i128::try_from(int).unwrap_or(i128::MAX)))
    }

    pub(super) fn list(items: Vec<Value>) -> Outcome<Value> {
        let list = measured_list(items, None);
        bounded(list.size, list.depth)?;
        Ok(Value::List(Arc::new(list)))
    }

    pub(super) fn map(entries: BTreeMap<Arc<str>, Value>) -> Outcome<Value> {
        let map = measured_map(entries, None, false);
        bounded(map.size, map.depth)?;
        Ok(Value::Map(Arc::new(map)))
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Value::Missing(_) | Value::Nothing)
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Missing(_) | Value::Nothing => false,
            Value::Bool(bool) => *bool,
            Value::Number(number) => !number.is_zero(),
            Value::Text(text) => !text.text.is_empty(),
            Value::List(list) => !list.items.is_empty(),
            Value::Map(map) => !map.entries.is_empty(),
        }
    }

    /// How much work it is to go through this value.
    pub(super) fn size(&self) -> usize {
        match self {
            Value::Text(text) => text.text.len().saturating_add(1),
            Value::List(list) => list.size,
            Value::Map(map) => map.size,
            Value::Number(Number::Digits(digits)) => digits.len(),
            _ => 1,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Value::List(list) => list.depth,
            Value::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Missing(_) | Value::Nothing => "nothing",
            Value::Bool(_) => "a yes or no",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a group of values",
        }
    }

    /// As it is printed: nothing as nothing, lists and maps as JSON.
    pub(super) fn printed(&self) -> String {
        match self {
            Value::Missing(_) | Value::Nothing => String::new(),
            Value::Bool(bool) => bool.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.text.to_string(),
            Value::List(_) | Value::Map(_) => self.to_json().to_string(),
        }
    }

    pub(super) fn to_json(&self) -> Json {
        match self {
            Value::Missing(_) | Value::Nothing => Json::Null,
            Value::Bool(bool) => Json::Bool(*bool),
            // The digits go over as they are; a text is the answer nobody expects to need.
            Value::Number(number) => {
                let digits = number.to_string();
                digits.parse().map_or(Json::String(digits), Json::Number)
            }
            Value::Text(text) => Json::String(text.text.to_string()),
            Value::List(list) => Json::Array(list.items.iter().map(Value::to_json).collect()),
            Value::Map(map) => Json::Object(
                map.entries
                    .iter()
                    .map(|(key, value)| (key.to_string(), value.to_json()))
                    .collect(),
            ),
        }
    }
}

fn bounded(size: usize, depth: usize) -> Outcome<()> {
    if size > BUILT_SIZE {
        return Err(Fault::new("This template builds a list that is too large"));
    }
    if depth > BUILT_DEPTH {
        return Err(Fault::new("This template nests lists too deeply"));
    }
    Ok(())
}

fn measured_list(items: Vec<Value>, path: Option<Arc<str>>) -> List {
    let size = items
        .iter()
        .fold(1, |size: usize, item| size.saturating_add(item.size()));
    let depth = items.iter().map(Value::depth).max().unwrap_or(0) + 1;
    List {
        items,
        path,
        size,
        depth,
    }
}

fn measured_map(entries: BTreeMap<Arc<str>, Value>, path: Option<Arc<str>>, loose: bool) -> Map {
    let size = entries.iter().fold(1, |size: usize, (key, item)| {
        size.saturating_add(key.len() + item.size())
    });
    let depth = entries.values().map(Value::depth).max().unwrap_or(0) + 1;
    Map {
        entries,
        path,
        loose,
        size,
        depth,
    }
}

/// `reservation` and `guest` make `reservation.guest`; a key that is no plain word is quoted.
pub(super) fn dotted(path: &str, key: &str) -> String {
    let plain = key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') && !key.is_empty();
    match (path.is_empty(), plain) {
        (true, _) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (false, false) => format!("{path}[{}]", Json::String(key.to_owned())),
    }
}

/// Values with the dotted names they have, so that a missing one can be named.
pub(super) fn from_json(json: &Json, path: &str, is_loose: &dyn Fn(&str) -> bool) -> Value {
    match json {
        Json::Null => Value::Missing(Some(path.into())),
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => {
            let digits = number.to_string();
            Number::parse(&digits).map_or_else(|| Value::text(digits), Value::Number)
        }
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => {
            let items = items.iter().enumerate();
            let items = items
                .map(|(index, item)| from_json(item, &format!("{path}[{index}]"), is_loose))
                .collect();
            Value::List(Arc::new(measured_list(items, Some(path.into()))))
        }
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let value = from_json(value, &dotted(path, key), is_loose);
                (key.as_str().into(), value)
            });
            Value::Map(Arc::new(measured_map(
                entries.collect(),
                Some(path.into()),
                is_loose(path),
            )))
        }
    }
}
