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
    assert_eq!(reservation["ids"], serde_json::json!(["7", "channel-9"]));
    assert_eq!(reservation["references"], serde_json::json!(["A2"]));
    assert_eq!(reservation["key"], "7");
    assert_eq!(house.states().await, ["booked: succeeded"]);
    // The same name at another source is another stay.
    house.tell("shed", &stay(r#""code": "A1""#, 1, "")).await;
    assert_eq!(stays(&house).await, 2);
}

/// The ids of the stays that carry a name.
async fn called(house: &House, source: &str, name: &str) -> Vec<String> {
    let rows = house.engine.store.called(source, name).await.unwrap();
    rows.into_iter().map(|row| row.stay.id.0).collect()
}

#[tokio::test]
async fn what_was_known_only_by_a_payment_becomes_part_of_the_stay() {
    let house = house().await;
    // The message knows the id, the bank the code alone: two stays without dates.
    let message = r#"{"id": "x1", "message": {"id": "m1", "text": "hello"}}"#;
    house.tell("lab", message).await;
    let paid = r#"{"code": "A1", "payment": {"id": "p1", "amount": 5}}"#;
    house.tell("bank", paid).await;
    house.tell("bank", &paid.replace('5', "6")).await;
    house.tell("bank", &paid.replace("5}", "6}, \"n\": 1")).await;
    assert_eq!(stays(&house).await, 2);
    house.tell("lab", &stay(r#""code": "A1", "id": "x1""#, 1, "")).await;
    assert_eq!(stays(&house).await, 1);
    assert_eq!(
        house.event_types().await,
        [
            "message.received",
            "payment.created",
            "payment.updated",
            "created confirmed"
        ]
    );
    // Events and runs went along, and so did what the deliveries say and what is known of the payment.
    let id = house.stay("lab", "x1").await.stay.id.0;
    assert_eq!(called(&house, "lab", "A1").await, [id.as_str()]);
    for n in 0..4 {
        assert_eq!(house.event(n).await.stay, id);
    }
    for n in 0..5 {
        assert_eq!(house.delivery(n).await.detail["facts"][0]["stay"], id.as_str(), "{n}");
    }
    let row = house.stay("lab", "x1").await;
    assert_eq!(house.engine.store.history(row).await.unwrap().deliveries.len(), 5);
    house.tell("bank", &paid.replace("5}", "6}, \"n\": 2")).await;
    assert_eq!(house.outcomes().await[5], "unchanged");
    // A stored event of the one that went meets recipes as an event of the stay it became.
    let late = "name: late\non: {event: payment.created}\nactions:\n  - http: {connection: cleaning, url: /late}\n";
    let house = house.restart_with(|plan| plan.recipe(late)).await;
    house.replay(1, false, None).await;
    let run = house.runs().await.pop().unwrap();
    assert_eq!((run.recipe.as_str(), run.stay.as_deref()), ("late", Some(id.as_str())));
}

#[tokio::test]
async fn a_stay_without_an_own_name_is_given_one_and_stays_what_it_was() {
    let house = house().await;
    house.tell("lab", &stay(r#""code": "A1""#, 1, "")).await;
    house
        .tell("lab", r#"{"code": "A1", "payment": {"id": "p1", "amount": 5}}"#)
        .await;
    let before = house.stay("lab", "A1").await.stay;
    let named = stay(r#""code": "A1", "id": 7"#, 2, r#", "guests": 2"#);
    house.tell("lab", &named).await;
    let after = house.stay("lab", "7").await.stay;
    assert_eq!(before.id, after.id);
    let reservation = house.reservation("lab", "A1").await;
    assert_eq!(reservation["ids"], serde_json::json!(["7"]));
    // It was complete before, and things are named by its code.
    assert_eq!(reservation["key"], "A1");
    // Whoever comes next with the same code is somebody else.
    house
        .tell("lab", &named.replace(": 7", ": 8").replace("05-01", "06-01"))
        .await;
    assert_eq!(stays(&house).await, 2);
    assert_eq!(house.reservation("lab", "8").await["key"], "8");
    assert_eq!(
        house.event_types().await,
        ["created confirmed", "payment.created", "updated", "created confirmed"]
    );
}

#[tokio::test]
async fn a_code_that_two_stays_carry_decides_nothing() {
    let house = house().await;
    for id in [7, 8] {
        house
            .tell("lab", &stay(&format!(r#""code": "A1", "id": {id}"#), 1, ""))
            .await;
    }
    house.tell("lab", &stay(r#""code": "A1""#, 2, r#", "guests": 9"#)).await;
    let delivery = house.delivery(2).await;
    assert_eq!(
        (delivery.outcome.as_str(), delivery.because.as_str()),
        ("unmapped", "2 stays are called A1, send the id")
    );
    // Money has come in all the same.
    house
        .tell("bank", r#"{"code": "A1", "payment": {"id": "p1", "amount": 5}}"#)
        .await;
    let event = house.event(2).await;
    assert_eq!(event.types, ["payment.created"]);
    let reservation = &event.event.unwrap()["reservation"];
    assert_eq!(
        (&reservation["code"], &reservation["key"]),
        (&"A1".into(), &serde_json::Value::Null)
    );
    assert!(reservation["check_in_date"].is_null());
    let warnings = house.warnings(3).await;
    assert!(
        warnings[0].contains("2 stays are called A1, send the id"),
        "{warnings:?}"
    );
    assert_eq!(stays(&house).await, 2);
    assert!(house.reservation("lab", "7").await["guests"].is_null());
}

#[tokio::test]
async fn a_code_that_a_whole_business_carries_names_nobody_and_costs_little() {
    let house = house().await;
    for id in 0..40 {
        house
            .deliver("lab", &stay(&format!(r#""code": "Direct", "id": "x{id}""#), 1, ""))
            .await;
    }
    house.idle().await;
    assert_eq!(stays(&house).await, 40);
    house.tell("lab", &stay(r#""code": "Direct""#, 2, "")).await;
    assert_eq!(
        house.delivery(40).await.because,
        "20 or more stays are called Direct, send the id"
    );
    assert_eq!(called(&house, "lab", "Direct").await.len(), 20);
}

#[tokio::test]
async fn a_stay_that_lists_two_properties_says_so_on_its_delivery() {
    let house = Plan::default()
        .source("lab", OPEN)
        .properties(crate::clock::brannan())
        .recipe(BOOKED)
        .build()
        .await;
    let both = stay(
        r#""id": 1"#,
        1,
        r#", "property": {"ids": ["brannan", "elsewhere", "alfama"]}"#,
    );
    house.tell("lab", &both).await;
    let warnings = house.warnings(0).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("two properties of the configuration, `brannan` and `alfama`"),
        "{warnings:?}"
    );
    assert_eq!(house.reservation("lab", "1").await["property"]["key"], "brannan");
    // One under two of its names is one.
    let one = stay(
        r#""id": 2"#,
        1,
        r#", "property": {"ids": ["brannan"], "name": "brannan"}"#,
    );
    house.tell("lab", &one).await;
    assert!(house.warnings(1).await.is_empty());
}

#[tokio::test]
async fn own_names_of_two_stays_count_for_the_first() {
    let house = house().await;
    house.tell("lab", &stay(r#""id": "x1""#, 1, "")).await;
    house.tell("lab", &stay(r#""id": "x2""#, 1, "")).await;
    house
        .tell("lab", &stay(r#""ids": ["x2", "x1", "x3"]"#, 2, r#", "guests": 4"#))
        .await;
    let warnings = house.warnings(2).await;
    assert!(
        warnings[0].contains("own names of two stays, x2 and x1"),
        "{warnings:?}"
    );
    assert_eq!(stays(&house).await, 2);
    assert_eq!(
        house.reservation("lab", "x3").await["ids"],
        serde_json::json!(["x2", "x3"])
    );
    assert_eq!(house.reservation("lab", "x2").await["guests"], 4);
    assert!(house.reservation("lab", "x1").await["guests"].is_null());
}

#[tokio::test]
async fn another_source_looks_among_own_names_first_and_in_every_hotel() {
    let map = r#"{auth: none, map: {version: {by: $.v}, reservation: {code: $.code, ids: $.id, scope: $.hotel,
        status: {value: confirmed}, check_in: $.from, check_out: $.to}}}"#;
    let house = Plan::default()
        .source("lab", map)
        .source("bank", "{preset: generic, auth: none, stays_of: lab}")
        .build()
        .await;
    let body = |hotel: &str, id: i64, code: &str| {
        format!(
            r#"{{"id": {id}, "code": "{code}", "hotel": "{hotel}", "from": "2027-05-01", "to": "2027-05-04", "v": 1}}"#
        )
    };
    let pay = |n: i64, name: &str| format!(r#"{{"code": "{name}", "payment": {{"id": "p{n}", "amount": 5}}}}"#);
    house.tell("bank", &pay(0, "C3")).await;
    house.tell("lab", &body("north", 7, "C1")).await;
    house.tell("lab", &body("north", 9, "7")).await;
    house.tell("lab", &body("south", 8, "C2")).await;
    house.tell("lab", &body("south", 9, "C3")).await;
    for (n, (name, stays)) in [("7", 1), ("C1", 1), ("C2", 1), ("8", 1), ("9", 2)]
        .into_iter()
        .enumerate()
    {
        house.tell("bank", &pay(n as i64 + 1, name)).await;
        assert_eq!(called(&house, "lab", name).await.len(), stays);
        let event = house.event(n + 5).await.event.unwrap();
        assert_eq!(event["reservation"]["key"].is_null(), stays > 1, "{name}: {event}");
    }
    let key = |n: usize| {
        let house = &house;
        async move { house.event(n).await.event.unwrap()["reservation"]["key"].clone() }
    };
    assert_eq!(key(5).await, "north:7");
    assert_eq!(key(8).await, "south:8");
    // What came before its stay has found it, and a key is a name too.
    assert_eq!(called(&house, "lab", "C3").await, [house.event(0).await.stay]);
    assert_eq!(
        called(&house, "lab", "south:9").await,
        called(&house, "lab", "C3").await
    );
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
    assert_eq!(requests.len(), 3);
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
    assert_eq!(requests.len(), 3);
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
