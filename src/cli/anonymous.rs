//! A body without anybody in it: for tests. What says who somebody is, or which stay, property or account is meant, is
//! replaced, the same by the same everywhere in the body; dates, amounts, counts and the sender's own words stay. Replacements
//! are numbered in the order of appearance: nothing of the original can be computed from them.

mod class;
mod names;
mod text;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Number, Value};

use self::class::{Class, class_of};
use self::names::Names;
use super::map::words::words;
use crate::source::Source;

/// A value of the body, what it is called, and what it is.
struct Leaf<'v> {
    value: &'v Value,
    class: Class,
}

/// The body and its kept headers without anybody in them. Without a source names and looks alone say what is what.
pub fn anonymous(
    body: &Value,
    headers: &BTreeMap<String, String>,
    source: Option<&Source>,
) -> (Value, BTreeMap<String, String>) {
    let mut roles: HashMap<*const Value, String> = HashMap::new();
    for (name, value) in source.map(|source| source.places(body)).unwrap_or_default() {
        // A list in the place of one value: each of its entries is one.
        for item in value.as_array().into_iter().flatten() {
            roles.entry(std::ptr::from_ref(item)).or_insert_with(|| name.clone());
        }
        let known = roles.entry(std::ptr::from_ref(value)).or_insert_with(|| name.clone());
        // What decides how it is read gives way to what it is.
        if known == "condition" {
            *known = name;
        }
    }
    let mut leaves = Vec::new();
    let mut keys = Vec::new();
    collect(body, &mut Vec::new(), &roles, &mut leaves, &mut keys);
    let head: Vec<(&String, Value, Class)> = headers
        .iter()
        .map(|(name, text)| {
            let value = Value::from(text.as_str());
            let class = match name.as_str() {
                "content-type" => Class::Kept,
                _ => class_of(Some("condition"), &[words(name)], &value),
            };
            (name, value, class)
        })
        .collect();
    let of_head = head.iter().map(|(_, value, class)| (value, *class));
    let mut names = Names::of(leaves.iter().map(|leaf| (leaf.value, leaf.class)).chain(of_head), &keys);
    let classes: HashMap<*const Value, Class> = leaves
        .iter()
        .map(|leaf| (std::ptr::from_ref(leaf.value), leaf.class))
        .collect();
    let body = rebuilt(body, &classes, &mut names);
    let headers = head.iter().map(|(name, value, class)| {
        let text = replaced(value, *class, &mut names)
            .as_str()
            .unwrap_or_default()
            .to_owned();
        ((*name).clone(), text)
    });
    (body, headers.collect())
}

fn collect<'v>(
    value: &'v Value,
    above: &mut Vec<Vec<String>>,
    roles: &HashMap<*const Value, String>,
    leaves: &mut Vec<Leaf<'v>>,
    keys: &mut Vec<&'v str>,
) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                if class::is_id_key(name) {
                    keys.push(name);
                }
                above.push(words(name));
                collect(value, above, roles, leaves, keys);
                above.pop();
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, above, roles, leaves, keys)),
        value => {
            let role = roles.get(&std::ptr::from_ref(value)).map(String::as_str);
            let class = class_of(role, above, value);
            leaves.push(Leaf { value, class });
        }
    }
}

fn rebuilt(value: &Value, classes: &HashMap<*const Value, Class>, names: &mut Names) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| {
                let key = if class::is_id_key(name) {
                    names.id(name)
                } else {
                    name.clone()
                };
                (key, rebuilt(value, classes, names))
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| rebuilt(item, classes, names)).collect(),
        leaf => {
            let class = classes.get(&std::ptr::from_ref(leaf)).copied();
            replaced(leaf, class.unwrap_or(Class::Text), names)
        }
    }
}

fn replaced(value: &Value, class: Class, names: &mut Names) -> Value {
    if class == Class::Kept {
        return value.clone();
    }
    match value {
        Value::String(text) => Value::from(names.replaced(text, class)),
        Value::Number(number) => {
            let text = names.replaced(&number.to_string(), class);
            // What is no number any more would change the type of the place.
            text.parse::<Number>().map_or_else(|_| Value::from(0), Value::Number)
        }
        other => other.clone(),
    }
}
