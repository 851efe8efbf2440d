//! Where a sender says an order, any order of arrival ends in the same stay; what comes twice changes nothing anywhere.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use stayhook::model::body;
use stayhook::model::fact::{Fact, Says};
use stayhook::source::Mapped;

use super::{Recorded, Sender, senders};
use crate::order::left_by;
use crate::support::source;

/// The facts about reservations in a request that opens or changes one.
pub fn facts(sender: &Sender, request: &Recorded) -> Vec<Fact> {
    if sender.expected[&request.name]["answer"] != Value::Null {
        return Vec::new();
    }
    let source = source(&sender.preset, &sender.settings);
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let kept = |name: &str| match name {
        "/" => path.split('/').nth(3).map(str::to_owned),
        name if name.starts_with('?') => query
            .split('&')
            .find_map(|pair| pair.strip_prefix(&name[1..])?.strip_prefix('=').map(str::to_owned)),
        name => request
            .headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone()),
    };
    let (kind, bytes) = match request.method.as_str() {
        "GET" => (Some(body::FORM.to_owned()), query.as_bytes()),
        _ => (kept("content-type"), request.body.as_slice()),
    };
    let value = body::decode(kind.as_deref(), bytes).unwrap_or_default();
    match source.map(&value, &kept) {
        Mapped::Facts { facts, .. } => facts
            .into_iter()
            .filter(|fact| matches!(fact.says, Says::Reservation { .. }))
            .collect(),
        _ => Vec::new(),
    }
}

/// What is left of the stays after these facts came in this order, as recipes see them, by one of their names.
fn told(sender: &Sender, facts: &[&Fact]) -> Vec<Value> {
    let mut left = left_by(&sender.preset, facts.iter().map(|fact| vec![(*fact).clone()]));
    left.sort_by_key(|stay| stay["code"].to_string());
    left
}

#[test]
fn order_does_not_matter_where_the_sender_says_one() {
    let mut versioned = Vec::new();
    for sender in senders() {
        let all: Vec<Fact> = sender
            .requests
            .iter()
            .flat_map(|request| facts(&sender, request))
            .collect();
        if !sender.versioned || all.is_empty() {
            continue;
        }
        assert!(
            all.iter().all(|fact| fact.version.is_some()),
            "{}: a fact without a version",
            sender.preset
        );
        versioned.push(sender.preset.clone());
        let expected = told(&sender, &all.iter().collect::<Vec<_>>());
        let order = Just((0..all.len()).chain(0..all.len()).collect::<Vec<usize>>()).prop_shuffle();
        let mut runner = TestRunner::new(Config {
            cases: 64,
            failure_persistence: None,
            ..Config::default()
        });
        let run = runner.run(&order, |order| {
            let facts: Vec<&Fact> = order.iter().map(|at| &all[*at]).collect();
            prop_assert_eq!(&told(&sender, &facts), &expected);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{}: {error}", sender.preset));
    }
    assert!(versioned.len() >= 10, "{versioned:?}");
}

#[test]
fn what_comes_twice_changes_nothing() {
    for sender in senders() {
        let all: Vec<Fact> = sender
            .requests
            .iter()
            .flat_map(|request| facts(&sender, request))
            .collect();
        let once = told(&sender, &all.iter().collect::<Vec<_>>());
        let twice: Vec<&Fact> = all.iter().flat_map(|fact| [fact, fact]).collect();
        assert_eq!(told(&sender, &twice), once, "{}", sender.preset);
    }
}

/// No two requests of different meaning have one receipt key, and every request that is expected to be a duplicate has
/// that of one before it.
#[test]
fn receipt_keys_tell_deliveries_apart() {
    for sender in senders() {
        let source = source(&sender.preset, &sender.settings);
        let mut seen: BTreeMap<[u8; 16], &str> = BTreeMap::new();
        for request in &sender.requests {
            let expected = &sender.expected[&request.name];
            if expected["answer"] != Value::Null || expected["outcome"] == "ping" {
                continue;
            }
            let kept = |name: &str| {
                request
                    .headers
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, v)| v.clone())
            };
            let value = body::decode(kept("content-type").as_deref(), &request.body).unwrap_or_default();
            let key = source.receipt_key(&request.body, &value, &kept);
            let first = seen.insert(key.key, &request.name);
            let duplicate = expected["outcome"] == "duplicate";
            // A sender without ids may say the same twice and mean it.
            if key.weak.is_none() {
                assert_eq!(
                    first.is_some(),
                    duplicate,
                    "{}/{} and {first:?}",
                    sender.preset,
                    request.name
                );
            }
        }
    }
}
