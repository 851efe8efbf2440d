//! What templates see, and what becomes of what was not sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stayhook::model::property::{Properties, Property};

use crate::support::{House, Plan, at};

const STAY: &str = r#"{"code": "A1", "status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04",
    "guests": 2, "property": {"id": "berlin"}, "money": {"currency": "EUR", "total": "812.50"}, "extra": {"deep": [1, "two"]}}"#;

fn properties() -> Properties {
    let mut all = Properties::none();
    all.all.push(Property {
        key: "berlin".into(),
        name: "Berlin".into(),
        matches: vec![(None, "berlin".into())],
        timezone: Some("Europe/Berlin".parse().unwrap()),
        check_in: all.check_in,
        check_out: all.check_out,
        tags: vec!["city".into()],
        vars: BTreeMap::from([("lock".to_owned(), json!("dev_1"))]),
    });
    all
}

async fn house(recipes: &[&str]) -> House {
    let plan = Plan::default()
        .source("lab", "{preset: generic, auth: none}")
        .properties(properties());
    let house = recipes
        .iter()
        .fold(plan, |plan, recipe| plan.recipe(recipe))
        .build()
        .await;
    house.clock.set(at("2027-04-01T22:30:00Z"));
    house
}

fn see(on: &str, name: &str) -> String {
    format!(
        "name: see\non: {{event: {on}}}\nactions:\n  - http: {{connection: cleaning, url: /see, json: {{value: \"{{{{ {name} }}}}\"}}}}\n"
    )
}

#[tokio::test]
async fn every_name_has_its_value() {
    for (name, value) in [
        ("reservation.code", json!("A1")),
        ("reservation.guests", json!(2)),
        ("reservation.money.total", serde_json::from_str("812.50").unwrap()),
        ("reservation.check_in", json!("2027-05-01T15:00:00+02:00")),
        ("reservation.check_out | date('%d %b %H:%M')", json!("04 May 11:00")),
        ("now", json!("2027-04-02T00:30:00+02:00")),
        ("now | date('%d %b')", json!("02 Apr")),
        ("event.type", json!("reservation.created")),
        ("event.types", json!(["reservation.created", "reservation.confirmed"])),
        ("event.source", json!("lab")),
        ("property.vars.lock", json!("dev_1")),
        ("property.name", json!("Berlin")),
        ("payload.extra.deep", json!([1, "two"])),
        ("previous.status", Value::Null),
        ("changes.guests.to", json!(2)),
        ("stay.code", json!("A1")),
        // Known names without a value are null, and text of them is empty.
        ("reservation.pets", Value::Null),
        ("reservation.guest.email", Value::Null),
        ("payload.nothing.there", Value::Null),
        ("reservation.pets is known", json!(false)),
        ("reservation.guests is known", json!(true)),
        ("reservation.pets > 1", json!(false)),
        ("reservation.pets < 1", json!(false)),
    ] {
        let house = house(&[&see("reservation.created", name)]).await;
        house.tell("lab", STAY).await;
        let requests = house.cleaning.requests();
        assert_eq!(requests.len(), 1, "{name}: {:#?}", house.runs().await);
        assert_eq!(requests[0].json()["value"], value, "{name}");
    }
    let house = house(&[&see(
        "reservation.created",
        "reservation.pets }} pets and {{ reservation.guests",
    )])
    .await;
    house.tell("lab", STAY).await;
    assert_eq!(house.cleaning.requests()[0].json()["value"], " pets and 2");
    let run = house.run(&house.runs().await[0].id).await;
    assert_eq!(run.steps[0].request["missing"], json!(["reservation.pets"]));
    // Of the two, only the one that the event is about.
    let either = see("[reservation.created, payment.created]", "payment");
    let house = self::house(&[&either]).await;
    house.tell("lab", STAY).await;
    assert_eq!(house.cleaning.requests()[0].json()["value"], Value::Null);
}

#[tokio::test]
async fn payments_and_messages_bring_their_own() {
    for (on, name, body, value) in [
        (
            "payment.created",
            "payment.amount",
            r#"{"code": "A1", "payment": {"id": "p", "amount": "10.50"}}"#,
            serde_json::from_str("10.50").unwrap(),
        ),
        (
            "payment.created",
            "payment.kind",
            r#"{"code": "A1", "payment": {"id": "p", "amount": "10.50"}}"#,
            json!("guest"),
        ),
        (
            "payment.created",
            "reservation.guests",
            r#"{"code": "A1", "payment": {"id": "p", "amount": 1}}"#,
            json!(2),
        ),
        (
            "payment.created",
            "previous.guests",
            r#"{"code": "A1", "payment": {"id": "p", "amount": 1}}"#,
            json!(2),
        ),
        (
            "message.received",
            "message.text",
            r#"{"code": "A1", "message": {"id": "m", "text": "{{ now }}"}}"#,
            json!("{{ now }}"),
        ),
    ] {
        let house = house(&[&see(on, name)]).await;
        house.tell("lab", STAY).await;
        house.tell("lab", body).await;
        assert_eq!(house.cleaning.requests()[0].json()["value"], value, "{name}");
    }
}

#[tokio::test]
async fn what_is_required_and_was_not_sent_ends_its_own_run_only() {
    let letter = "name: letter\non: {event: reservation.created}\nactions:\n  - email: {to: \"{{ reservation.guest.email }}\", subject: Hi, text: Hi}\n";
    let required = see("reservation.created", "reservation.guest.phone | required").replace("name: see", "name: needs");
    let picky = "name: picky\non: {event: reservation.created}\nwhen: reservation.pets >= 1\nactions:\n  - http: {connection: cleaning, url: /picky}\n";
    let house = house(&[
        letter,
        &required,
        picky,
        &see("reservation.created", "reservation.code"),
    ])
    .await;
    house.tell("lab", STAY).await;
    let states: Vec<(String, String, String)> = house
        .runs()
        .await
        .into_iter()
        .map(|run| (run.recipe, run.state, run.reason))
        .collect();
    let of = |name: &str| states.iter().find(|(recipe, ..)| recipe == name).unwrap();
    assert_eq!(of("see").1, "succeeded");
    assert_eq!(of("needs").1, "dead");
    assert!(of("needs").2.contains("phone"), "{states:?}");
    assert_eq!(of("letter").1, "skipped");
    assert!(of("letter").2.contains("no address"), "{states:?}");
    assert!(house.mail.letters().is_empty());
    assert_eq!(house.outcomes().await, ["processed"]);
    let all = house.event(0).await.explanation.unwrap();
    let picky = all
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["recipe"] == "picky")
        .unwrap();
    assert_eq!(picky["result"], "not_wanted");
    assert!(picky["because"].as_str().unwrap().contains("pets: not sent"), "{picky}");
}
