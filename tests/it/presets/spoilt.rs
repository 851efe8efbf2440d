//! One field that cannot be read never costs the event: every leaf of every recorded body, spoilt in every way.

use std::collections::HashSet;

use serde_json::{Value, json};
use stayhook::model::fact::{Fact, Says};
use stayhook::source::{Mapped, Source};

use super::senders;
use crate::support::source;

/// What stands in a field that nobody expects there.
fn spoils() -> Vec<Value> {
    vec![
        json!({"zz": 1}),
        json!([["zz"]]),
        json!("zz zz"),
        json!(-1.5e300),
        json!(true),
        json!(""),
        Value::Null,
        json!("\u{0}\u{fffd}'\"<>{{ 7*7 }}"),
        json!("9".repeat(500)),
    ]
}

/// Pointers to everything that is no list and no object.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                leaves(
                    value,
                    &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                leaves(value, &format!("{at}/{n}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

fn facts(source: &Source, body: &Value, kept: &dyn Fn(&str) -> Option<String>) -> Option<Vec<Fact>> {
    match source.map(body, kept) {
        Mapped::Facts { facts, .. } => Some(facts),
        _ => None,
    }
}

/// What decides whom and what a body is about, and not what it says.
fn decides(name: &str) -> bool {
    matches!(name, "condition" | "event" | "code" | "ids" | "references" | "scope")
}

#[test]
fn one_unreadable_field_never_costs_the_event() {
    let mut tried = 0;
    for sender in senders() {
        let source = source(&sender.preset, &sender.settings);
        for request in sender.requests.iter().filter(|request| request.method == "POST") {
            let kept = |name: &str| match name {
                "/" => request
                    .path
                    .split('?')
                    .next()
                    .and_then(|path| path.split('/').nth(3))
                    .map(str::to_owned),
                name => request
                    .headers
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone()),
            };
            // Hundreds of items are all alike.
            let Some(body) = serde_json::from_slice::<Value>(&request.body)
                .ok()
                .filter(|_| request.body.len() < 8_000)
            else {
                continue;
            };
            let Some(before) = facts(&source, &body, &kept) else {
                continue;
            };
            let places = source.places(&body);
            let deciding: HashSet<*const Value> = places
                .iter()
                .filter(|(name, _)| decides(name))
                .map(|(_, value)| std::ptr::from_ref(*value))
                .collect();
            let mut all = Vec::new();
            leaves(&body, "", &mut all);
            for leaf in all {
                if deciding.contains(&std::ptr::from_ref(body.pointer(&leaf).unwrap())) {
                    continue;
                }
                let currency = leaf.ends_with("/currency");
                for spoil in spoils() {
                    // Nothing is readable, and means hundredths.
                    if currency && (spoil.is_null() || spoil == "") {
                        continue;
                    }
                    tried += 1;
                    let mut spoilt = body.clone();
                    *spoilt.pointer_mut(&leaf).unwrap() = spoil.clone();
                    let what = format!("{}/{} {leaf} {spoil:.40}", sender.preset, request.name);
                    let after = facts(&source, &spoilt, &kept).unwrap_or_else(|| panic!("{what}: nothing is read"));
                    assert_eq!(after.len(), before.len(), "{what}");
                    for (before, after) in before.iter().zip(&after) {
                        assert_eq!(before.stay, after.stay, "{what}");
                        let (Says::Reservation { fields: old }, Says::Reservation { fields: new }) =
                            (&before.says, &after.says)
                        else {
                            continue;
                        };
                        // The other fields are what they were; a few follow from two places.
                        let changed: Vec<&String> = old
                            .iter()
                            .filter(|(name, value)| new.get(*name) != Some(value))
                            .map(|(name, _)| name)
                            .collect();
                        // Without its currency an amount in cents is none: better nothing new than a hundred times too much.
                        let unread = |name: &&String| name.starts_with("money.") && !new.contains_key(*name);
                        let changed: Vec<&String> = changed.into_iter().filter(|name| !unread(name)).collect();
                        assert!(changed.len() <= 4, "{what}: {changed:?}");
                    }
                }
            }
        }
    }
    assert!(tried > 20_000, "{tried}");
}
