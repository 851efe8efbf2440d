//! Newer wins, field by field, in whatever order deliveries arrive.

use proptest::prelude::*;
use serde_json::{Value, json};
use stayhook::decide::{Known, Origin, Rules, decide, view};
use stayhook::model::fact::Fact;
use stayhook::model::id::DeliveryId;
use stayhook::model::property::Properties;
use stayhook::model::reservation::Stay;
use stayhook::source::{Mapped, Source};

use crate::support::{House, Plan, at, fixture, source};

const OPEN: &str = "{preset: generic, auth: none}";
const HOSPITABLE: &str = "{preset: hospitable-v1, token: open-7f2c9d1e}";
const HOSTELMATE: &str = "{preset: hostelmate, secret: hm_open_9f0c2b7d41}";

/// Decides bodies one after the other without a store; the stays that are left, as recipes see them.
fn told(source: &Source, bodies: &[Value]) -> Vec<Value> {
    let facts = |body: &Value| match source.map(body, &|_| None) {
        Mapped::Facts { facts, .. } => facts,
        other => panic!("not mapped: {body}: {other:?}"),
    };
    left_by(source.name(), bodies.iter().map(facts))
}

/// The stays that are left, as recipes see them, after deliveries with these facts were decided one after the other.
pub fn left_by(source: &str, deliveries: impl IntoIterator<Item = Vec<Fact>>) -> Vec<Value> {
    let deliveries = deliveries.into_iter().map(|facts| (source, facts));
    played(deliveries).0
}

/// The stays that are left, and the types of all events, after deliveries of these sources.
pub fn played<'s>(deliveries: impl IntoIterator<Item = (&'s str, Vec<Fact>)>) -> (Vec<Value>, Vec<String>) {
    let properties = Properties::none();
    let rules = Rules {
        in_force: stayhook::model::plan::InForce::default(),
        echo: chrono::TimeDelta::zero(),
        live_from: None,
        learn: false,
        dry_run: false,
        properties: &properties,
        recipes: &[],
        broken: &[],
    };
    let mut stays: Vec<Stay> = Vec::new();
    let mut types = Vec::new();
    for (n, (source, facts)) in deliveries.into_iter().enumerate() {
        let n = i64::try_from(n).unwrap();
        let now = at("2027-01-01T00:00:00Z") + chrono::TimeDelta::seconds(n);
        let delivery = DeliveryId(format!("d_{n:05}"));
        for (position, fact) in facts.iter().enumerate() {
            let known = Known {
                stays: stays.clone(),
                ..Known::default()
            };
            let origin = Origin {
                delivery: &delivery,
                seq: n,
                source,
                received_at: now,
                payload: &Value::Null.into(),
                replay: None,
                position,
            };
            let decision = decide(known, fact, &origin, &rules, now);
            types.extend(decision.event.into_iter().flat_map(|event| event.types));
            stays.retain(|stay| !decision.absorbed.contains(&stay.id));
            if let Some(mut stay) = decision.stay {
                stay.revision += 1;
                match stays.iter_mut().find(|known| known.id == stay.id) {
                    Some(known) => *known = stay,
                    None => stays.push(stay),
                }
            }
        }
    }
    let views = stays.iter().map(|stay| view(stay, &properties).json).collect();
    (views, types)
}

fn optional(name: &'static str, values: Vec<Value>) -> impl Strategy<Value = Option<(&'static str, Value)>> {
    prop_oneof![3 => Just(None), 4 => prop::sample::select(values).prop_map(move |value| Some((name, value)))]
}

/// Bodies with few versions, so that ties are common.
fn body() -> impl Strategy<Value = Value> {
    let fields = (
        optional(
            "status",
            vec![
                json!("confirmed"),
                json!("cancelled"),
                json!("pending"),
                json!("wobbling"),
                json!("no show"),
                json!("Booked"),
                Value::Null,
            ],
        ),
        optional("code", vec![json!("A1"), json!("A2")]),
        optional("ids", vec![json!(["8"]), json!(["9", "10"])]),
        optional(
            "check_in",
            vec![
                json!("2027-05-01T15:00:00Z"),
                json!("2027-05-02T16:00:00+02:00"),
                json!("2027-05-03T10:00:00"),
                Value::Null,
            ],
        ),
        optional(
            "check_in_date",
            vec![json!("2027-05-01"), json!("2027-05-02"), json!("nonsense"), Value::Null],
        ),
        optional("check_out_date", vec![json!("2027-05-07"), json!("2027-05-08")]),
        optional("guests", vec![json!(1), json!(2), json!("many"), Value::Null]),
        optional("kind", vec![json!("guest"), json!("block"), Value::Null]),
        optional(
            "guest",
            vec![
                json!({"email": "a@x.example"}),
                json!({"first_name": "Ana", "last_name": "Li"}),
                json!({"first_name": null}),
            ],
        ),
        optional(
            "money",
            vec![json!({"total": "10.00"}), json!({"total": 10, "currency": "EUR"})],
        ),
    );
    (1..4i64, prop::option::of(0..2i64), any::<bool>(), fields).prop_map(|(version, sent, partial, fields)| {
        let mut body = json!({"id": 7, "updated_at": 1_800_000_000 + version});
        if let Some(sent) = sent {
            body["sent_at"] = json!(1_800_000_000 + sent);
        }
        if partial {
            body["partial"] = json!(true);
        }
        let (a, b, c, d, e, f, g, h, i, j) = fields;
        for (name, value) in [a, b, c, d, e, f, g, h, i, j].into_iter().flatten() {
            body[name] = value;
        }
        body
    })
}

/// The bodies in two orders, each with some of them again.
fn orders(bodies: Vec<Value>) -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
    let again = prop::collection::vec(prop::sample::select(bodies.clone()), 0..4);
    again.prop_flat_map(move |again| {
        let more: Vec<Value> = bodies.iter().cloned().chain(again).collect();
        (Just(bodies.clone()).prop_shuffle(), Just(more).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_a_sender_with_versions_ends_the_same((one, two) in prop::collection::vec(body(), 1..7).prop_flat_map(orders)) {
        let sender = source("lab", OPEN);
        let (one, two) = (told(&sender, &one), told(&sender, &two));
        prop_assert_eq!(one.len(), 1);
        prop_assert_eq!(one, two);
    }

    #[test]
    fn any_order_of_hospitable_ends_the_same((one, two) in Just(recorded(&HOSPITABLE_CASES)).prop_flat_map(orders)) {
        let sender = source("hospitable", HOSPITABLE);
        let (one, two) = (told(&sender, &one), told(&sender, &two));
        let find = |all: &[Value], code: &str| all.iter().find(|stay| stay["code"] == code).cloned();
        for code in ["HMQX7KP2ZD", "HMQX7KP2ZE"] {
            prop_assert!(find(&one, code).is_some());
            prop_assert_eq!(find(&one, code), find(&two, code));
        }
    }

    #[test]
    fn any_order_of_hostelmate_ends_the_same((one, two) in Just(recorded(&HOSTELMATE_CASES)).prop_flat_map(orders)) {
        let sender = source("hostelmate", HOSTELMATE);
        let (one, two) = (told(&sender, &one), told(&sender, &two));
        prop_assert_eq!(one.len(), 1);
        prop_assert_eq!(one, two);
    }
}

const HOSPITABLE_CASES: [&str; 8] = [
    "hospitable-v1/01-create",
    "hospitable-v1/02-status-change",
    "hospitable-v1/03-date-change",
    "hospitable-v1/04-guest-count-change",
    "hospitable-v1/05-cancelled",
    "hospitable-v1/06-duplicate-of-02",
    "hospitable-v1/07-out-of-order-a-newer",
    "hospitable-v1/07-out-of-order-b-older",
];
const HOSTELMATE_CASES: [&str; 7] = [
    "hostelmate/01-booking-created",
    "hostelmate/02-booking-updated-status-only",
    "hostelmate/03-booking-updated-dates",
    "hostelmate/04-payment-created",
    "hostelmate/05-booking-cancelled",
    "hostelmate/06-message-received",
    "hostelmate/07-duplicate-of-04",
];

fn recorded(cases: &[&str]) -> Vec<Value> {
    cases
        .iter()
        .map(|case| serde_json::from_str(&fixture(&format!("{case}.json"))).unwrap())
        .collect()
}

#[tokio::test]
async fn any_order_ends_the_same_in_the_house() {
    let orders: [&[usize]; 4] = [
        &[0, 1, 2, 3, 4, 5, 6],
        &[6, 5, 4, 3, 2, 1, 0],
        &[4, 0, 4, 2, 5, 1, 6, 3, 0],
        &[2, 1, 3, 0, 6, 5, 4, 4, 2],
    ];
    for (name, yaml, code, cases) in [
        ("hospitable", HOSPITABLE, "HMQX7KP2ZD", &HOSPITABLE_CASES[..7]),
        (
            "hostelmate",
            HOSTELMATE,
            "dcadcd4c-cb13-553d-8748-6b8cb7c588e6",
            &HOSTELMATE_CASES[..],
        ),
    ] {
        let mut ends = Vec::new();
        for order in orders {
            for wait in [true, false] {
                let house = Plan::default().source(name, yaml).build().await;
                for n in order {
                    house.deliver(name, &fixture(&format!("{}.json", cases[*n]))).await;
                    if wait {
                        house.idle().await;
                    }
                }
                house.idle().await;
                ends.push(house.reservation(name, code).await);
            }
        }
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
    }
}

async fn house() -> House {
    Plan::default().source("lab", OPEN).build().await
}

fn whole(version: i64, rest: Value) -> String {
    let mut body = json!({
        "code": "A1", "status": "confirmed", "kind": "owner", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04",
        "property": {"id": "p1", "name": "One"}, "updated_at": 1_800_000_000 + version,
    });
    for (name, value) in rest.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

#[tokio::test]
async fn each_field_keeps_the_version_that_wrote_it() {
    let house = house().await;
    house
        .tell("lab", &whole(5, json!({"guests": 2, "channel": "direct"})))
        .await;
    // A newer partial, then an older one about other fields and an older one about the same.
    house
        .tell("lab", &whole(9, json!({"partial": true, "guests": 4})))
        .await;
    house
        .tell("lab", &whole(7, json!({"partial": true, "guests": 3, "pets": 1})))
        .await;
    house
        .tell("lab", &whole(6, json!({"partial": true, "guests": 1})))
        .await;
    let stay = house.reservation("lab", "A1").await;
    assert_eq!(
        (&stay["guests"], &stay["pets"], &stay["channel"]),
        (&json!(4), &json!(1), &json!("direct"))
    );
    assert_eq!(house.outcomes().await, ["processed", "processed", "processed", "stale"]);
    assert_eq!(
        house.event_types().await,
        ["created confirmed", "guests_changed", "updated"]
    );
}

#[tokio::test]
async fn a_snapshot_clears_a_partial_keeps_and_null_clears() {
    let house = house().await;
    house
        .tell("lab", &whole(1, json!({"guests": 2, "pets": 1, "channel": "direct"})))
        .await;
    house
        .tell("lab", &whole(2, json!({"partial": true, "pets": null})))
        .await;
    let stay = house.reservation("lab", "A1").await;
    assert_eq!((&stay["guests"], &stay["pets"]), (&json!(2), &Value::Null));
    house.tell("lab", &whole(3, json!({"guests": 2}))).await;
    let stay = house.reservation("lab", "A1").await;
    assert_eq!((&stay["guests"], &stay["channel"]), (&json!(2), &Value::Null));
    // What cannot be read is as it was, and is said.
    house.tell("lab", &whole(4, json!({"guests": "a few"}))).await;
    assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
    let warnings = house.warnings(3).await;
    assert!(warnings[0].contains("`guests` is not readable"), "{warnings:?}");
}

#[tokio::test]
async fn status_dates_property_kind_and_code_are_never_cleared() {
    let house = house().await;
    house.tell("lab", &whole(1, json!({}))).await;
    let before = house.reservation("lab", "A1").await;
    for (n, body) in [
        json!({"code": "A1"}),
        json!({"code": "A1", "status": null, "kind": null, "check_in_date": null, "check_out_date": null, "property": null}),
        json!({"code": "A1", "status": "", "kind": "spaceship", "check_in_date": "soon", "check_out_date": 7, "property": {"id": {}, "name": ""}}),
        json!({"code": "A1", "partial": true, "status": null, "property": {"id": null, "name": null}}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = body;
        body["updated_at"] = json!(1_800_000_100 + n);
        house.tell("lab", &body.to_string()).await;
        let mut after = house.reservation("lab", "A1").await;
        after["updated_at"] = before["updated_at"].clone();
        assert_eq!(after, before, "{body}");
    }
    assert_eq!(house.event_types().await.len(), 1);
}

#[tokio::test]
async fn ties_are_settled_by_what_is_said() {
    // Of two facts with one version: the status that wins, and the guests.
    for (one, two, status) in [
        (
            json!({"status": "confirmed", "guests": 9}),
            json!({"status": "cancelled", "guests": 1}),
            "cancelled",
        ),
        (
            json!({"status": "pending", "guests": 9}),
            json!({"status": "in_house", "guests": 1}),
            "in_house",
        ),
        (json!({"status": "no_show"}), json!({"status": "completed"}), "no_show"),
        (
            json!({"status": "confirmed"}),
            json!({"status": "wobbling"}),
            "confirmed",
        ),
    ] {
        let mut ends = Vec::new();
        for order in [[&one, &two], [&two, &one]] {
            let house = house().await;
            for rest in order {
                house.tell("lab", &whole(1, rest.clone())).await;
            }
            ends.push(house.reservation("lab", "A1").await);
        }
        assert_eq!(ends[0]["status"], status);
        assert_eq!(ends[0], ends[1]);
    }
    // The greater text wins as a whole: never a mixture.
    for order in [[1, 2], [2, 1]] {
        let house = house().await;
        for n in order {
            let other = 3 - n;
            house
                .tell(
                    "lab",
                    &whole(1, json!({"adults": n, "children": other, "channel": format!("c{n}")})),
                )
                .await;
        }
        let stay = house.reservation("lab", "A1").await;
        let n = stay["adults"].as_i64().unwrap();
        assert_eq!(
            (&stay["children"], &stay["channel"]),
            (&json!(3 - n), &json!(format!("c{n}")))
        );
        assert_eq!(n, 2);
    }
}

#[tokio::test]
async fn without_a_version_the_last_arrival_wins() {
    let house = house().await;
    let body = |guests: i64| {
        let mut body: Value = serde_json::from_str(&whole(0, json!({"guests": guests}))).unwrap();
        body.as_object_mut().unwrap().remove("updated_at");
        body.to_string()
    };
    for guests in [2, 3, 1] {
        house.tell("lab", &body(guests)).await;
        assert_eq!(house.reservation("lab", "A1").await["guests"], guests);
    }
}

#[tokio::test]
async fn without_a_version_the_last_arrival_wins_though_the_clock_was_set_back() {
    let house = house().await;
    let body = |guests: i64| {
        let mut body: Value = serde_json::from_str(&whole(0, json!({"guests": guests}))).unwrap();
        body.as_object_mut().unwrap().remove("updated_at");
        body.to_string()
    };
    for guests in [2, 3, 1] {
        house.tell("lab", &body(guests)).await;
        assert_eq!(house.reservation("lab", "A1").await["guests"], guests);
        house.advance(chrono::TimeDelta::hours(-2));
    }
    // Decided once more it is no newer than it was.
    house.replay(0, false, None).await;
    assert_eq!(house.reservation("lab", "A1").await["guests"], 1);
}
