//! Held against what is expected: every effect with its key, its body and its place.
//!
//! After a wanted change of the story, its recipes or the way keys are made, `stayhook demo --once --write-expected
//! demo/expected.json` writes the file anew; read what `git diff` says of it before it is committed.

use std::path::Path;

use serde_json::{Value, json};

use super::super::{FINDINGS, FINE, Failure, USAGE};
use super::effects::Record;
use super::story::Story;

const BUILT_IN: &str = include_str!("../../../demo/expected.json");
/// The largest file of expectations, in bytes.
const FILE_MAX: u64 = 4 << 20;
/// What the file says of itself.
const ORDER: &str =
    "By scene; within a scene by target (cleaning, locks, books, mail), at one target in order of arrival.";

/// How the file is written anew.
const RENEW: &str = "stayhook demo --once --write-expected demo/expected.json";

/// What is expected, from a file or as built in.
pub(super) fn read(file: Option<&Path>) -> Result<Vec<Value>, Failure> {
    let name = file.map_or("demo/expected.json".to_owned(), |file| file.display().to_string());
    let unusable = |error: &dyn std::fmt::Display| Failure::new(USAGE, format!("{name}: {error}"));
    let text = match file {
        Some(file) => {
            let bytes = crate::config::read_bytes(file, FILE_MAX).map_err(|error| unusable(&error))?;
            String::from_utf8(bytes).map_err(|error| unusable(&error))?
        }
        None => BUILT_IN.to_owned(),
    };
    let mut whole: Value = serde_json::from_str(&text).map_err(|error| unusable(&error))?;
    match whole["effects"].take() {
        Value::Array(effects) => Ok(effects),
        _ => Err(unusable(&"there is no list `effects` in it")),
    }
}

/// Compares what arrived, or writes it down; the exit code.
pub(super) fn settle(
    record: &Record,
    expected: &[Value],
    write: Option<&Path>,
    story: &mut Story<'_>,
) -> Result<u8, Failure> {
    let arrived: Vec<Value> = record.effects.iter().map(|effect| effect.whole.clone()).collect();
    if let Some(file) = write {
        let text = format!("{:#}\n", json!({"order": ORDER, "renew": RENEW, "effects": arrived}));
        std::fs::write(file, text).map_err(|error| Failure::new(USAGE, format!("{}: {error}", file.display())))?;
        story.plain(&format!("Written to {}.", file.display()));
        return Ok(FINE);
    }
    let mut found = differences(expected, &arrived);
    let again = record.repeated().len();
    if again > 0 {
        found.push(format!(
            "{again} effects arrived without a key or under a key that had arrived before"
        ));
    }
    if found.is_empty() {
        story.good(&format!(
            "All {} effects are as expected: key, body and order.",
            arrived.len()
        ));
        return Ok(FINE);
    }
    story.bad("Not as expected:");
    for line in &found {
        story.plain(&format!("  {line}"));
    }
    Ok(FINDINGS)
}

/// In words, what differs; empty where nothing does.
fn differences(expected: &[Value], arrived: &[Value]) -> Vec<String> {
    let mut missing: Vec<&Value> = without(expected, arrived);
    let mut found = Vec::new();
    for extra in without(arrived, expected) {
        // Nearest first: the same key, else something else at the same place.
        let key = |one: &&&Value| one["key"] == extra["key"] && one["target"] == extra["target"];
        let place = |one: &&&Value| one["scene"] == extra["scene"] && one["target"] == extra["target"];
        let meant = missing.iter().find(key).or_else(|| missing.iter().find(place)).copied();
        match meant {
            Some(meant) => {
                missing.retain(|one| !std::ptr::eq(*one, meant));
                found.push(format!("{}:", named(extra)));
                found.extend(members(meant, extra));
            }
            None => found.push(format!("{} arrived and is not expected: {extra}", named(extra))),
        }
    }
    found.extend(
        missing
            .iter()
            .map(|one| format!("{} is expected and did not arrive: {one}", named(one))),
    );
    if found.is_empty()
        && let Some(at) = (0..arrived.len()).find(|at| arrived[*at] != expected[*at])
    {
        let (wanted, is) = (named(&expected[at]), named(&arrived[at]));
        found.push(format!("order, place {}: expected {wanted}, arrived {is}", at + 1));
    }
    found
}

/// What is in `all` more often than in `other`.
fn without<'v>(all: &'v [Value], other: &[Value]) -> Vec<&'v Value> {
    let mut other: Vec<&Value> = other.iter().collect();
    all.iter()
        .filter(|one| match other.iter().position(|theirs| theirs == one) {
            Some(at) => {
                other.swap_remove(at);
                false
            }
            None => true,
        })
        .collect()
}

fn named(effect: &Value) -> String {
    let text = |name: &str| effect[name].as_str().unwrap_or_default();
    let what = match effect["subject"].as_str() {
        Some(subject) => format!("`{subject}`"),
        None => format!("{} {}", text("method"), text("path")),
    };
    format!("scene {}, {}, {what}", effect["scene"], text("target"))
}

/// The members that differ, one line each for what is expected and what arrived.
fn members(expected: &Value, arrived: &Value) -> Vec<String> {
    let names = |value: &Value| {
        value
            .as_object()
            .map(|map| map.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let mut all = names(expected);
    all.extend(names(arrived));
    all.sort();
    all.dedup();
    let differ = all.into_iter().filter(|name| expected[name] != arrived[name]);
    differ
        .flat_map(|name| {
            [
                format!("  - {name}: {}", expected[&name]),
                format!("  + {name}: {}", arrived[&name]),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(key: &str, body: i64) -> Value {
        json!({"scene": 2, "target": "books", "method": "POST", "path": "/entries", "key": key, "body": body})
    }

    #[test]
    fn every_difference_is_told() {
        let (a, b) = (effect("a", 1), effect("b", 2));
        let changed = effect("a", 3);
        for (expected, arrived, told) in [
            (vec![&a, &b], vec![&a, &b], vec![]),
            (
                vec![&a],
                vec![&changed],
                vec!["scene 2, books, POST /entries:", "  - body: 1", "  + body: 3"],
            ),
            (
                vec![&a],
                vec![&b],
                vec![
                    "scene 2, books",
                    "  - body: 1",
                    "  + body: 2",
                    "  - key: \"a\"",
                    "  + key: \"b\"",
                ],
            ),
            (vec![&a, &b], vec![&b, &a], vec!["order, place 1: expected scene 2"]),
            (
                vec![&a, &b],
                vec![&a],
                vec!["scene 2, books, POST /entries is expected and did not arrive"],
            ),
            (
                vec![&a],
                vec![&a, &a],
                vec!["scene 2, books, POST /entries arrived and is not expected"],
            ),
        ] {
            let own = |all: &[&Value]| all.iter().map(|one| (*one).clone()).collect::<Vec<_>>();
            let found = differences(&own(&expected), &own(&arrived));
            assert_eq!(found.len(), told.len(), "{found:#?}");
            for (line, start) in found.iter().zip(told) {
                assert!(line.starts_with(start), "{line}\n{start}");
            }
        }
    }
}
