//! Which stay a body means: own names, references, placeholders.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use stayhook::model::fact::Fact;
use stayhook::model::id::Ids;
use stayhook::source::Mapped;

use crate::order::played;
use crate::presets::{Recorded, replay};
use crate::support::{House, Plan, at, source};

const CLEANER: &str = "name: Cleaner\non:\n  - event: [reservation.confirmed, reservation.cancelled]\n\
    match: {status: [booked, cancelled]}\nactions:\n  - http: {connection: cleaning, method: PUT, url: \"/tasks/{{ reservation.key }}\", \
    json: {status: \"{{ reservation.status }}\", name: \"{{ property.ids[0] }}\"}}\n";

/// A body as the sender would send it over HTTP.
async fn post(house: &House, ids: &Arc<Ids>, name: &str, body: &Value) {
    let text = body.to_string();
    let now = at("2027-01-01T00:00:00Z");
    let signed = house.engine.setup().sources[name].sign(text.as_bytes(), now);
    let mut headers = signed.headers;
    if !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let request = Recorded {
        name: name.to_owned(),
        method: "POST".to_owned(),
        path: signed.path_and_query,
        headers,
        body: text.into_bytes(),
        clock: None,
    };
    let answer = replay::send(house, ids, &request, now).await;
    assert_eq!(answer.status(), 200);
    house.idle().await;
}

fn smoobu(action: &str, id: i64, unit: (i64, &str), reference: &str, second: i64) -> Value {
    json!({"action": action, "data": {"id": id, "reference-id": reference, "arrival": "2027-01-15", "departure": "2027-01-18",
        "apartment": {"id": unit.0, "name": unit.1}, "modifiedAt": format!("2026-11-01 10:00:0{second}")}})
}

fn lodgify(status: &str, id: i64, unit: (i64, &str), reference: &str) -> Value {
    let action = if status == "Booked" {
        "booking_new_any_status"
    } else {
        "booking_change"
    };
    json!({"action": action, "booking": {"id": id, "date_arrival": "2027-01-15T00:00:00", "date_departure": "2027-01-18T00:00:00",
        "property_id": unit.0, "property_name": unit.1, "status": status, "source_text": reference}, "guest": {"name": "Ana"}})
}

fn hostaway(status: &str, id: i64, unit: (i64, &str), reference: &str, second: i64) -> Value {
    json!({"object": "reservation", "event": "reservation.updated", "data": {"id": id, "hostawayReservationId": id,
        "confirmationCode": reference, "channelReservationId": reference, "reservationId": reference, "status": status,
        "arrivalDate": "2027-01-15", "departureDate": "2027-01-18", "listingMapId": unit.0, "listingName": unit.1,
        "updatedOn": format!("2026-11-01 10:00:0{second}")}})
}

/// Two units of one booking, then the cancellation of the second, as three senders say it.
fn two_units(reference: &str) -> Vec<(&'static str, &'static str, [Value; 3])> {
    let (gialla, rossa) = ((101, "Gialla"), (102, "Rossa"));
    vec![
        (
            "smoobu",
            "token: tok-1",
            [
                smoobu("newReservation", 60001, gialla, reference, 0),
                smoobu("newReservation", 60002, rossa, reference, 1),
                smoobu("cancelReservation", 60002, rossa, reference, 2),
            ],
        ),
        (
            "lodgify",
            "secret: lodgify-open-secret-1",
            [
                lodgify("Booked", 60001, gialla, reference),
                lodgify("Booked", 60002, rossa, reference),
                lodgify("Declined", 60002, rossa, reference),
            ],
        ),
        (
            "hostaway",
            "token: tok-1",
            [
                hostaway("new", 60001, gialla, reference, 0),
                hostaway("new", 60002, rossa, reference, 1),
                hostaway("cancelled", 60002, rossa, reference, 2),
            ],
        ),
    ]
}

#[tokio::test]
async fn two_units_of_one_booking_are_two_stays_and_one_cancellation_is_one() {
    for reference in ["4455667788", "n/a", "0", "-"] {
        for (preset, settings, bodies) in two_units(reference) {
            let house = Plan::default()
                .source(preset, &format!("{{preset: {preset}, {settings}}}"))
                .recipe(CLEANER)
                .build()
                .await;
            let ids = Arc::new(Ids::seeded(7));
            for body in &bodies {
                post(&house, &ids, preset, body).await;
            }
            let types = house.event_types().await;
            let news = ["created confirmed", "created confirmed", "cancelled status_changed"];
            assert_eq!(types, news, "{preset} {reference}");
            let asked: Vec<(String, Value)> = house
                .cleaning
                .requests()
                .iter()
                .map(|request| (request.path_and_query.clone(), request.json()["status"].clone()))
                .collect();
            let task = |key: &str, status: &str| (format!("/tasks/{key}"), json!(status));
            let wanted = [
                task("60001", "confirmed"),
                task("60002", "confirmed"),
                task("60002", "cancelled"),
            ];
            assert_eq!(asked, wanted, "{preset} {reference}");
            let stay = house.reservation(preset, "60001").await;
            assert_eq!(stay["status"], "confirmed");
            assert_eq!(stay["key"], "60001");
            let called = house.engine.store.called(preset, reference).await.unwrap();
            if reference == "4455667788" {
                assert_eq!((stay["code"].as_str(), called.len()), (Some(reference), 2), "{preset}");
            } else {
                assert_eq!(
                    (stay["code"].as_str(), called.len()),
                    (Some("60001"), 0),
                    "{preset} {reference}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_message_of_hostaway_names_its_stay_by_the_number_of_the_reservation() {
    let house = Plan::default()
        .source("hostaway", "{preset: hostaway, token: tok-1}")
        .build()
        .await;
    let ids = Arc::new(Ids::seeded(7));
    let message = json!({"object": "conversationMessage", "event": "message.received", "data": {"id": 1,
        "reservationId": 60002, "body": "hello", "isIncoming": 1, "date": "2026-11-02 10:00:00"}});
    post(&house, &ids, "hostaway", &message).await;
    for (id, second) in [(60001, 0), (60002, 1)] {
        post(
            &house,
            &ids,
            "hostaway",
            &hostaway("new", id, (id, "Flat"), "HM1", second),
        )
        .await;
    }
    let stay = house.stay("hostaway", "60002").await.stay.id.0;
    assert_eq!(house.event(0).await.stay, stay);
    assert_eq!(
        house.event_types().await,
        ["message.received", "created confirmed", "created confirmed"]
    );
}

/// What deliveries of one source, and of a bank that speaks of its stays, leave behind.
fn told(deliveries: &[(bool, Value)]) -> (Vec<Value>, Vec<String>) {
    let lab = source("lab", "{preset: generic, auth: none}");
    let bank = source("bank", "{preset: generic, auth: none, stays_of: lab}");
    let facts = |(of_bank, body): &(bool, Value)| -> (&str, Vec<Fact>) {
        let source = if *of_bank { &bank } else { &lab };
        let name = if *of_bank { "bank" } else { "lab" };
        match source.map(body, &|_| None) {
            Mapped::Facts { facts, .. } => (name, facts),
            _ => (name, Vec::new()),
        }
    };
    let (mut stays, types) = played(deliveries.iter().map(facts));
    stays.sort_by_key(|stay| (stay["ids"].to_string(), stay["code"].to_string()));
    (stays, types)
}

fn delivery() -> impl Strategy<Value = (bool, Value)> {
    let id = prop::option::of(1..5i64);
    let code = prop::sample::select(vec!["HM1", "HM2", "n/a", "", "0", "-", "Unknown", "1", "2"]);
    let references = prop::sample::subsequence(vec!["G", "HM2", "none", "3"], 0..3);
    let says = prop::sample::select(vec!["whole", "whole", "part", "gone", "payment", "message"]);
    (any::<bool>(), id, code, references, says, 1..6i64).prop_map(|(bank, id, code, references, says, n)| {
        let mut body = json!({"code": code, "references": references, "updated_at": 1_800_000_000 + n});
        if let Some(id) = id {
            body["id"] = json!(id);
        }
        let more = match says {
            "whole" => {
                json!({"status": "confirmed", "check_in_date": format!("2027-05-0{n}"), "check_out_date": "2027-05-09"})
            }
            "part" => json!({"partial": true, "guests": n}),
            "gone" => json!({"partial": true, "status": "cancelled"}),
            "payment" => json!({"payment": {"id": format!("p{n}"), "amount": n}}),
            _ => json!({"message": {"id": format!("m{n}"), "text": "hello"}}),
        };
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        // A bank speaks of money alone.
        (bank && says == "payment", body)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn different_own_names_never_end_in_one_stay(deliveries in prop::collection::vec(delivery(), 1..14)) {
        let (stays, _) = told(&deliveries);
        let mut seen = BTreeSet::new();
        for stay in &stays {
            let own = stay["ids"].as_array().unwrap();
            prop_assert!(own.len() <= 1, "{stay}");
            for name in own {
                prop_assert!(seen.insert(name.to_string()), "{name} twice");
            }
        }
        let sent = deliveries.iter().filter(|(bank, _)| !bank).filter_map(|(_, body)| body["id"].as_i64());
        let sent: BTreeSet<String> = sent.map(|id| format!("\"{id}\"")).collect();
        prop_assert_eq!(seen, sent);
    }
}

/// Bodies in any order, some of them again.
fn shuffled(bodies: &[(bool, Value)]) -> impl Strategy<Value = Vec<(bool, Value)>> + use<> {
    let bodies = bodies.to_vec();
    prop::collection::vec(prop::sample::select(bodies.clone()), 0..4).prop_flat_map(move |again| {
        let all: Vec<_> = bodies.iter().cloned().chain(again).collect();
        Just(all).prop_shuffle()
    })
}

fn whole(names: Value, n: i64, unit: &str, status: &str) -> (bool, Value) {
    let mut body = json!({"status": status, "updated_at": 1_800_000_000 + n, "check_in_date": "2027-05-01",
        "check_out_date": "2027-05-04", "property": {"id": unit}});
    body.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
    (false, body)
}

fn units() -> Vec<(bool, Value)> {
    let names = |id: i64| json!({"id": id, "code": "HM1", "references": ["G"]});
    vec![
        whole(names(1), 1, "a", "confirmed"),
        whole(names(2), 1, "b", "confirmed"),
        whole(names(2), 2, "b", "cancelled"),
        whole(names(3), 1, "c", "confirmed"),
        (false, json!({"id": 3, "payment": {"id": "p1", "amount": 5}})),
    ]
}

fn code_first() -> Vec<(bool, Value)> {
    vec![
        whole(json!({"code": "HM1"}), 1, "a", "confirmed"),
        whole(json!({"code": "HM1", "id": 5}), 2, "a", "confirmed"),
        (true, json!({"code": "HM1", "payment": {"id": "p1", "amount": 5}})),
        (false, json!({"code": "HM1", "message": {"id": "m1", "text": "hello"}})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn units_of_one_code_end_the_same_in_every_order(deliveries in shuffled(&units())) {
        let (stays, _) = told(&deliveries);
        let each: Vec<Value> = stays.iter().map(|stay| json!([stay["key"], stay["status"], stay["property"]["ids"]])).collect();
        let wanted = [json!(["1", "confirmed", ["a"]]), json!(["2", "cancelled", ["b"]]), json!(["3", "confirmed", ["c"]])];
        prop_assert_eq!(each, wanted);
    }

    #[test]
    fn a_code_and_later_its_id_and_what_was_paid_before_are_one_stay(deliveries in shuffled(&code_first())) {
        let (stays, types) = told(&deliveries);
        prop_assert_eq!(stays.len(), 1);
        prop_assert_eq!(&stays[0]["ids"], &json!(["5"]));
        prop_assert_eq!(&stays[0]["code"], "HM1");
        // Nobody is told twice.
        prop_assert_eq!(types.iter().filter(|one| *one == "reservation.created").count(), 1);
    }
}
