//! JSON as senders write it: their own keys with other values, their bodies with parts that are something else.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::seeds;

/// Every key of the recorded bodies, and some that mappings of our own read.
fn keys() -> Vec<String> {
    fn of(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| of(item, found)),
            Value::Object(entries) => {
                found.extend(entries.keys().cloned());
                entries.values().for_each(|value| of(value, found));
            }
            _ => {}
        }
    }
    let mut found: BTreeSet<String> = [
        "code",
        "ids",
        "status",
        "guest",
        "name",
        "property",
        "money",
        "total",
        "check_in",
        "check_out_date",
        "kind",
        "partial",
        "payment",
        "message",
        "updated_at",
        "created_at",
        "items",
        "id",
        "type",
        "data",
    ]
    .map(str::to_owned)
    .into();
    for (_, body) in seeds::bodies() {
        if let Ok(body) = serde_json::from_slice(&body) {
            of(&body, &mut found);
        }
    }
    found.into_iter().collect()
}

/// Values of no depth, most of which somebody has sent once.
pub fn leaf() -> impl Strategy<Value = Value> {
    let told = vec![
        json!(null),
        json!(true),
        json!(false),
        json!(""),
        json!(" "),
        json!([]),
        json!({}),
        json!(0),
        json!(-1),
        json!(7),
        json!("7"),
        json!("A1"),
        json!("confirmed"),
        json!("cancelled"),
        json!("Booked"),
        json!("no show"),
        json!("guest"),
        json!("block"),
        json!("2027-05-01"),
        json!("2027-05-07"),
        json!("2027-05-01T15:00:00Z"),
        json!("2027-05-01 15:00"),
        json!("2027-05-01T15:00:00+05:45"),
        json!("9999-12-31"),
        json!("0000-01-01"),
        json!("-0001-12-31"),
        json!("2027-02-30"),
        json!(1_801_126_800),
        json!(1_801_126_800_123_i64),
        json!("1801126800"),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!("12,50"),
        json!("1.234,56"),
        json!("€ 12.50"),
        json!("-3.5"),
        json!("1e5"),
        json!("ana@guest.example"),
        json!("+351 *** *** 0142"),
        json!("\0"),
        json!("{{ 7*7 }}"),
        json!("İ"),
        json!("\u{202e}x"),
        json!("x".repeat(201)),
        json!(["7", "x"]),
        json!([null]),
        json!([[1]]),
        json!({"id": 1}),
    ];
    prop_oneof![
        6 => prop::sample::select(told),
        1 => any::<i64>().prop_map(Value::from),
        1 => "-?[1-9][0-9]{0,40}(\\.[0-9]{1,30})?(e-?[0-9]{1,4})?".prop_map(|text| serde_json::from_str(&text).unwrap()),
        1 => "20[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-9]{2})?(Z|[+-][0-9]{2}:?[0-9]{2})?)?".prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ]
}

/// Any value with the keys that senders use.
pub fn any_value() -> BoxedStrategy<Value> {
    let key = prop::sample::select(keys());
    leaf()
        .prop_recursive(5, 80, 12, move |inner| {
            prop_oneof![
                1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                3 => prop::collection::vec((key.clone(), inner), 0..14).prop_map(|all| all.into_iter().collect()),
            ]
        })
        .boxed()
}

/// One of the bodies with some of its parts replaced, taken out, or made a list of many.
pub fn spoiled(bodies: Vec<Value>) -> BoxedStrategy<Value> {
    let part = prop_oneof![4 => leaf().boxed(), 1 => any_value()];
    let spoil = (
        any::<prop::sample::Index>(),
        prop_oneof![5 => Just(0), 1 => Just(1), 1 => 2_usize..300],
        part,
    );
    (prop::sample::select(bodies), prop::collection::vec(spoil, 0..5))
        .prop_map(|(mut body, spoils)| {
            for (at, how, part) in spoils {
                let mut left = at.index(count(&body));
                let there = nth(&mut body, &mut left).expect("there are as many as were counted");
                *there = match how {
                    0 => part,
                    1 => Value::Null,
                    times => Value::Array(vec![there.take(); times]),
                };
            }
            body
        })
        .boxed()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

fn nth<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Object(entries) => entries.values_mut().find_map(|item| nth(item, left)),
        _ => None,
    }
}

/// How deep it is: 0 where it is neither a list nor an object.
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// How many bytes of text are in it, keys among them.
pub fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Number(number) => number.to_string().len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.iter().map(|(key, value)| key.len() + size(value)).sum(),
        Value::Null | Value::Bool(_) => 0,
    }
}

/// The same JSON with the members of every object the other way round.
pub fn the_other_way_round(value: &Value) -> String {
    match value {
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(the_other_way_round).collect::<Vec<_>>().join(",")
        ),
        Value::Object(entries) => {
            let member = |(key, value): (&String, &Value)| format!("{}:{}", json!(key), the_other_way_round(value));
            format!("{{{}}}", entries.iter().rev().map(member).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
