//! One stay under several names.

use stayhook::model::property::Properties;

use crate::support::{House, Plan};

const OPEN: &str = "{preset: generic, auth: none}";
const BOOKED: &str = "name: booked\non: {event: reservation.confirmed}\nactions:\n  - http: {connection: cleaning, url: /booked, json: {code: \"{{ reservation.code }}\"}}\n";

fn stay(names: &str, version: i64, rest: &str) -> String {
    format!(
        r#"{{{names}, "status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04", "updated_at": {}{rest}}}"#,
        1_800_000_000 + version
    )
}

async fn house() -> House {
    Plan::default()
        .source("lab", OPEN)
        .source("shed", OPEN)
        .source("bank", "{preset: generic, auth: none, stays_of: lab}")
        .recipe(BOOKED)
        .build()
        .await
}

async fn stays(house: &House) -> usize {
    house
        .engine
        .store
        .reservations(&Default::default())
        .await
        .unwrap()
        .items
        .len()
}

#[tokio::test]
async fn any_name_means_the_stay() {
    let house = house().await;
    house
        .tell("lab", &stay(r#""code": "A1", "id": 7"#, 1, r#", "guests": 1"#))
        .await;
    house.tell("lab", &stay(r#""id": "7""#, 2, r#", "guests": 2"#)).await;
    // A name that is learnt later, and a code that changed.
    house
        .tell(
            "lab",
            &stay(r#""code": "A2", "ids": ["7", "channel-9"]"#, 3, r#", "guests": 3"#),
        )
        .await;
    house
        .tell("lab", &stay(r#""ids": ["channel-9"]"#, 4, r#", "guests": 4"#))
        .await;
    house.tell("lab", &stay(r#""code": "A1""#, 5, r#", "guests": 5"#)).await;
    assert_eq!(stays(&house).await, 1);
    let reservation = house.reservation("lab", "channel-9").await;
    assert_eq!(reservation["guests"], 5);
    assert_eq!(reservation["code"], "A1");
    assert_eq!(reservation["ids"], serde_json::json!(["7", "A2", "channel-9"]));
    assert_eq!(house.states().await, ["booked: succeeded"]);
    // The same name at another source is another stay.
    house.tell("shed", &stay(r#""code": "A1""#, 1, "")).await;
    assert_eq!(stays(&house).await, 2);
}

#[tokio::test]
async fn two_stays_that_turn_out_to_be_one_are_merged() {
    let house = house().await;
    let older = stay(
        r#""id": "x1""#,
        5,
        r#", "guests": 2, "guest": {"email": "old@x.example"}"#,
    );
    house.tell("lab", &older).await;
    let newer = stay(r#""code": "A1""#, 3, r#", "partial": true, "guests": 3, "pets": 1"#);
    house.tell("lab", &newer).await;
    house
        .tell("lab", r#"{"code": "A1", "payment": {"id": "p1", "amount": 5}}"#)
        .await;
    let first = house.stay("lab", "x1").await.stay.id;
    assert_ne!(house.stay("lab", "A1").await.stay.id, first);
    house
        .tell(
            "lab",
            r#"{"code": "A1", "id": "x1", "partial": true, "channel": "direct", "updated_at": 1800000009}"#,
        )
        .await;
    // What either had said is said: nobody is told twice.
    assert_eq!(
        house.event_types().await,
        ["created confirmed", "created confirmed", "payment.created", "updated"]
    );
    let reservation = house.reservation("lab", "A1").await;
    assert_eq!(house.stay("lab", "A1").await.stay.id, first);
    assert_eq!(reservation["guests"], 2);
    assert_eq!(
        reservation["pets"],
        serde_json::Value::Null,
        "the newer snapshot had no pets"
    );
    assert_eq!(reservation["guest"]["email"], "old@x.example");
    assert_eq!(reservation["channel"], "direct");
    assert_eq!(stays(&house).await, 1);
    // Runs and events went along, and the payment is known under its new stay.
    assert!(
        house
            .runs()
            .await
            .iter()
            .all(|run| run.stay.as_deref() == Some(first.as_str()))
    );
    for n in 0..4 {
        assert_eq!(house.event(n).await.stay, first.as_str());
    }
    house
        .tell("lab", r#"{"id": "x1", "payment": {"id": "p1", "amount": 5}}"#)
        .await;
    assert_eq!(house.outcomes().await[4], "unchanged");
    // A stored event of the merged one meets recipes as an event of the stay it became.
    let house = house
        .restart_with(|plan| plan.recipe(&BOOKED.replace("booked", "late")))
        .await;
    house.replay(1, false, None).await;
    let run = house.runs().await.pop().unwrap();
    assert_eq!(
        (run.recipe.as_str(), run.stay.as_deref()),
        ("late", Some(first.as_str()))
    );
}

#[tokio::test]
async fn what_was_known_only_by_a_payment_becomes_part_of_the_stay() {
    let house = house().await;
    house
        .tell("lab", r#"{"id": "x1", "payment": {"id": "p1", "amount": 5}}"#)
        .await;
    house.tell("lab", &stay(r#""code": "A1""#, 1, "")).await;
    // Here a payment is what brings the two names together.
    house
        .tell(
            "lab",
            r#"{"code": "A1", "id": "x1", "payment": {"id": "p2", "amount": 5}}"#,
        )
        .await;
    assert_eq!(stays(&house).await, 1);
    house.tell("lab", &stay(r#""id": "x1""#, 2, "")).await;
    assert_eq!(
        house.event_types().await,
        ["payment.created", "created confirmed", "payment.created"]
    );
    assert_eq!(house.states().await, ["booked: succeeded"]);
}

#[tokio::test]
async fn a_merge_with_a_stay_that_is_gone_is_gone() {
    let house = house().await;
    house.tell("lab", &stay(r#""id": "x1""#, 1, "")).await;
    house
        .tell(
            "lab",
            &stay(r#""code": "A1""#, 2, "").replace("\"confirmed\"", "\"cancelled\""),
        )
        .await;
    house
        .tell(
            "lab",
            r#"{"code": "A1", "id": "x1", "partial": true, "updated_at": 1800000003}"#,
        )
        .await;
    assert_eq!(house.event_types().await, ["created confirmed", "created cancelled"]);
    assert_eq!(house.reservation("lab", "x1").await["status"], "cancelled");
}

#[tokio::test]
async fn two_complete_stays_with_different_dates_stay_two() {
    let house = house().await;
    house.tell("lab", &stay(r#""id": "x1""#, 1, "")).await;
    house
        .tell("lab", &stay(r#""code": "A1""#, 1, "").replace("05-04", "05-06"))
        .await;
    let both = stay(r#""code": "A1", "id": "x1""#, 2, r#", "guests": 4"#).replace("05-04", "05-06");
    house.tell("lab", &both).await;
    assert_eq!(stays(&house).await, 2);
    let warnings = house.warnings(2).await;
    assert!(
        warnings.iter().any(|warning| warning.contains("not merged")),
        "{warnings:?}"
    );
    // It is about the one that the code means, and takes no name away from the other.
    assert_eq!(house.reservation("lab", "A1").await["guests"], 4);
    assert_eq!(house.reservation("lab", "A1").await["ids"], serde_json::json!([]));
    assert_eq!(house.reservation("lab", "x1").await["guests"], serde_json::Value::Null);
    house.tell("lab", &stay(r#""id": "x1""#, 3, r#", "guests": 1"#)).await;
    assert_eq!(house.reservation("lab", "x1").await["guests"], 1);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 4);
}

#[tokio::test]
async fn a_bank_speaks_of_the_stays_of_another_source() {
    let house = house().await;
    house.tell("lab", &stay(r#""code": "A1""#, 1, "")).await;
    let paid = r#"{"code": "A1", "payment": {"id": "p1", "amount": 5}}"#;
    house.tell("bank", paid).await;
    // The same id at the source itself is another payment.
    house.tell("lab", paid).await;
    assert_eq!(stays(&house).await, 1);
    assert_eq!(
        house.event_types().await,
        ["created confirmed", "payment.created", "payment.created"]
    );
    let event = house.event(1).await.event.unwrap();
    assert_eq!(
        (&event["source"], &event["reservation"]["source"]),
        (&"bank".into(), &"lab".into())
    );
    assert_eq!(event["reservation"]["check_in_date"], "2027-05-01");
    // A payment that is there before its stay waits under the right source.
    house
        .tell("bank", r#"{"code": "B1", "payment": {"id": "p2", "amount": 5}}"#)
        .await;
    house.tell("lab", &stay(r#""code": "B1""#, 1, "")).await;
    assert_eq!(stays(&house).await, 2);
}

#[tokio::test]
async fn several_facts_of_one_delivery_are_decided_in_order() {
    let source = r#"
auth: none
receipt_key: [$.n]
version: {by: [$.n]}
items: $.stays[*]
partial: true
reservation: {code: "@.code", status: "@.status", check_in_date: "@.from", check_out_date: "@.to", guests: "@.guests"}
"#;
    let house = Plan::default().source("lab", source).recipe(BOOKED).build().await;
    house
        .tell(
            "lab",
            r#"{"n": 1, "stays": [
            {"code": "A1", "status": "confirmed", "from": "2027-05-01", "to": "2027-05-04"},
            {"code": "A1", "guests": 2},
            {"code": "B1", "status": "pending"}]}"#,
        )
        .await;
    assert_eq!(house.event_types().await, ["created confirmed", "updated"]);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
    assert_eq!(stays(&house).await, 2);
    assert_eq!(house.states().await, ["booked: succeeded"]);
    let detail = house.delivery(0).await.detail;
    assert_eq!(detail["facts"].as_array().unwrap().len(), 3);
}

const HOTELS: &str = "{auth: none, map: [{applies_to: {$.paid: \"*\"}, payment: {id: $.paid, amount: $.amount}}, \
    {version: {by: $.v}, reservation: {ids: $.id, scope: $.hotel, status: {value: confirmed}, check_in: $.from, check_out: $.to}}]}";

#[tokio::test]
async fn the_same_number_in_two_hotels_is_two_stays() {
    let house = Plan::default().source("lab", HOTELS).recipe(BOOKED).build().await;
    for (hotel, v) in [("north", 1), ("south", 1), ("north", 2)] {
        let body = format!(
            r#"{{"id": 7, "hotel": "{hotel}", "from": "2027-05-01T15:00", "to": "2027-05-0{}T10:00", "v": {v}}}"#,
            v + 3
        );
        house.tell("lab", &body).await;
    }
    assert_eq!(stays(&house).await, 2);
    assert_eq!(house.states().await, ["booked: succeeded", "booked: succeeded"]);
}

#[tokio::test]
async fn the_same_payment_number_in_two_hotels_is_two_payments() {
    let paid = "name: paid\non: {event: [payment.created, payment.updated]}\nactions:\n  - http: {connection: cleaning, url: /paid, json: {id: \"{{ payment.id }}\"}}\n";
    let source = "{auth: none, receipt_key: [$.n], reservation: {code: $.stay, scope: $.hotel}, payment: {id: $.paid, amount: $.amount}}";
    let house = Plan::default().source("lab", source).recipe(paid).build().await;
    for (n, (hotel, amount)) in [("north", 5), ("south", 8), ("north", 6), ("south", 8)]
        .into_iter()
        .enumerate()
    {
        let body = format!(r#"{{"stay": "7", "paid": "p1", "hotel": "{hotel}", "amount": {amount}, "n": {n}}}"#);
        house.tell("lab", &body).await;
    }
    assert_eq!(
        house.event_types().await,
        ["payment.created", "payment.created", "payment.updated"]
    );
    assert_eq!(
        house.outcomes().await,
        ["processed", "processed", "processed", "unchanged"]
    );
    let requests = house.cleaning.requests();
    assert!(requests.iter().all(|request| request.json()["id"] == "p1"));
}

#[tokio::test]
async fn a_payment_that_names_no_stay_makes_its_event_and_no_stay() {
    let paid = "name: paid\non: {event: [payment.created, payment.updated]}\nactions:\n  - http: {connection: cleaning, url: /paid, json: {id: \"{{ payment.id }}\", code: \"{{ reservation.code }}\", to: \"{{ property.name }}\"}}\n";
    let house = Plan::default().source("lab", HOTELS).recipe(paid).build().await;
    for amount in [5, 5, 6] {
        house
            .tell(
                "lab",
                &format!(r#"{{"paid": "p1", "amount": {amount}, "at": {amount}}}"#),
            )
            .await;
    }
    house.tell("lab", r#"{"paid": "p2", "amount": 5}"#).await;
    assert_eq!(stays(&house).await, 0);
    assert_eq!(
        house.states().await,
        ["paid: succeeded", "paid: succeeded", "paid: succeeded"]
    );
    let requests = house.cleaning.requests();
    assert!(requests.iter().all(|request| request.json()["code"].is_null()));
}

#[tokio::test]
async fn a_count_of_seconds_takes_its_day_from_the_zone_of_the_property() {
    let properties = Properties {
        timezone: "Europe/Berlin".parse().unwrap(),
        ..Properties::none()
    };
    let house = Plan::default()
        .source("lab", HOTELS)
        .properties(properties)
        .build()
        .await;
    // 2027-05-01 23:30 and 2027-05-04 22:10 in Universal Time.
    house
        .tell("lab", r#"{"id": 7, "from": 1809214200, "to": 1809468600000, "v": 1}"#)
        .await;
    let reservation = house.reservation("lab", "7").await;
    assert_eq!(reservation["check_in_date"], "2027-05-02", "{reservation}");
    assert_eq!(reservation["check_in"], "2027-05-02T01:30:00+02:00");
    assert_eq!(reservation["check_out_date"], "2027-05-05");
    assert_eq!(reservation["nights"], 3);
}
