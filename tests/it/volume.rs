//! Much at once, and what one row that cannot be read may cost.

use crate::standin::Reply;
use futures::future::join_all;
use serde_json::{Value, json};
use stayhook::model::clock::from_ms;
use stayhook::model::decision::Decision;
use stayhook::model::delivery::{Arrival, Outcome, ReceiptKey};
use stayhook::model::id::DeliveryId;
use stayhook::store::{Filter, Lease, ReplayWhich, Store};

use crate::sender::{plan, stay};
use crate::support::{House, Plan};

const NAMES: usize = 20;

/// A source whose deliveries speak of many stays, each under many names.
fn crowd() -> Plan {
    let ids: Vec<String> = (0..NAMES).map(|n| format!("\"@.i{n}\"")).collect();
    let source = format!(
        "auth: none\nreceipt_key: [$.n]\nversion: {{by: [$.at]}}\nitems: $.stays[*]\nreservation: {{code: \"@.code\", ids: [{}], \
         status: \"@.status\", check_in_date: \"@.from\", check_out_date: \"@.to\"}}",
        ids.join(", ")
    );
    Plan::default().source("lab", &source)
}

fn delivery(n: usize, stays: usize, names: usize) -> String {
    let one = |k: usize| {
        let mut stay =
            json!({"code": format!("C{n}-{k}"), "status": "confirmed", "from": "2027-05-01", "to": "2027-05-04"});
        for name in 0..names {
            stay[format!("i{name}")] = format!("{n}-{k}-{name}").into();
        }
        stay
    };
    json!({"n": n, "at": 1_800_000_000 + n, "stays": (0..stays).map(one).collect::<Vec<Value>>()}).to_string()
}

#[tokio::test]
async fn many_names_at_once_are_looked_up_all_the_same() {
    let house = crowd().build().await;
    let bodies: Vec<String> = (0..20).map(|n| delivery(n, 42, NAMES)).collect();
    join_all(bodies.iter().map(|body| house.deliver("lab", body))).await;
    house.idle().await;
    assert_eq!(house.outcomes().await, vec!["processed"; 20]);
    assert_eq!(house.reservation("lab", "C19-41").await["status"], "confirmed");
}

#[tokio::test]
async fn one_delivery_may_start_many_runs() {
    let recipe = "name: Many\ndry_run: true\non: {event: reservation.created}\nactions: [{http: {connection: cleaning, url: /x}}]";
    let house = crowd().recipe(recipe).build().await;
    house.deliver("lab", &delivery(0, 1200, 0)).await;
    house.until(|counts| counts.undecided == 0).await;
    assert_eq!(house.outcomes().await, ["processed"]);
    let (mut filter, mut made) = (
        Filter {
            limit: Some(500),
            ..Filter::default()
        },
        0,
    );
    loop {
        let page = house.engine.store.runs(&filter).await.unwrap();
        made += page.items.len();
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_eq!(made, 1200);
}

#[tokio::test]
async fn a_run_that_cannot_be_read_costs_no_other() {
    let recipe = "name: Tell\non: {event: reservation.confirmed}\nactions: [{http: {connection: cleaning, url: '/{{ reservation.code }}'}}, {http: {connection: cleaning, url: '/{{ reservation.code }}/2'}}]";
    let house = plan().recipe(recipe).build().await;
    // What is rendered goes out without its event; the step after it cannot be rendered.
    for (damage, because) in [
        (
            "UPDATE events SET body = '{' WHERE seq = (SELECT MIN(seq) FROM events WHERE body <> '{' AND id IN (SELECT event_id FROM runs WHERE state = 'retrying'))",
            "event",
        ),
        (
            "UPDATE steps SET request = '{' WHERE run_id IN (SELECT id FROM runs WHERE state = 'retrying' ORDER BY seq LIMIT 1)",
            "step",
        ),
    ] {
        house.cleaning.then([Reply::status(503), Reply::status(503)]);
        house.decide(&stay(&format!("A-{because}"), "confirmed", 1)).await;
        house.decide(&stay(&format!("B-{because}"), "confirmed", 1)).await;
        house
            .when(|runs| runs.iter().filter(|run| run.state == "retrying").count() == 2)
            .await;
        assert_eq!(house.damage(damage).await, 1, "{because}");
        house.advance(chrono::TimeDelta::minutes(1));
        house.engine.wake_outbox();
        house.idle().await;
        let runs = house.runs().await;
        let last: Vec<&str> = runs[runs.len() - 2..].iter().map(|run| run.state.as_str()).collect();
        assert_eq!(last, ["dead", "succeeded"], "{because}");
        assert!(
            runs[runs.len() - 2].reason.contains("not readable"),
            "{}",
            runs[runs.len() - 2].reason
        );
    }
}

#[tokio::test]
async fn whoever_stops_reading_half_way_leaves_nothing_open() {
    let house = plan().build().await;
    house.tell("ours", &stay("A", "confirmed", 1)).await;
    for polls in 0..300 {
        let now = house.clock.now();
        let mut counts = Box::pin(house.engine.store.counts(now));
        for _ in 0..polls {
            if futures::poll!(&mut counts).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    house.tell("ours", &stay("B", "confirmed", 1)).await;
    for _ in 0..20 {
        let all = join_all((0..4).map(|_| house.engine.store.counts(house.clock.now()))).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
    }
    assert_eq!(house.outcomes().await, ["processed", "processed"]);
}

#[tokio::test]
async fn a_replay_asked_for_in_the_meantime_is_not_forgotten() {
    // A store alone: nobody decides but this test.
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("x.db").display());
    let (store, writer) = Store::open(&address).await.unwrap();
    let mut writing = tokio::task::JoinSet::new();
    let own = store.clone();
    writing.spawn(async move { Store::run_writer(writer, &own).await });
    let now = from_ms(1_800_000_000_000);
    let lease = || Lease {
        owner: "test".to_owned(),
        now,
        steady: now,
        until: now,
        neighbours: false,
    };
    let id = DeliveryId("d_1".to_owned());
    let arrival = Arrival {
        id: id.clone(),
        source: "ours".to_owned(),
        receipt: ReceiptKey {
            key: [1; 16],
            scope: None,
            weak: None,
        },
        received_at: now,
        headers: "{}".to_owned(),
        body: stay("A", "confirmed", 1).to_string().into_bytes(),
    };
    store.receive(arrival).await.unwrap();
    let which = || ReplayWhich {
        ids: vec![id.clone()],
        ..ReplayWhich::default()
    };
    let decision = |pending: &stayhook::model::delivery::Pending| Decision {
        delivery: pending.id.clone(),
        replay: pending.replay.clone(),
        outcome: Outcome::Unchanged,
        because: String::new(),
        trace: None,
        warnings: Vec::new(),
        facts: Vec::new(),
        at: now,
    };
    let first = store.undecided(10, 1 << 20).await.unwrap().remove(0);
    store.apply(vec![decision(&first)], lease()).await.unwrap();
    store.replay(which(), false, None).await.unwrap();
    let seen = store.undecided(10, 1 << 20).await.unwrap().remove(0);
    store.replay(which(), true, None).await.unwrap();
    store.apply(vec![decision(&seen)], lease()).await.unwrap();
    let left = store.undecided(10, 1 << 20).await.unwrap();
    assert!(
        left.iter()
            .any(|pending| pending.replay.as_ref().is_some_and(|replay| replay.again)),
        "{left:?}"
    );
    store.apply(vec![decision(&left[0])], lease()).await.unwrap();
    assert!(store.undecided(10, 1 << 20).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_delivery_that_names_another_stay_by_now_is_decided_once() {
    let source = |code: &str| {
        format!(
            "{{auth: none, receipt_key: [$.n], version: {{by: [$.n]}}, map: {{reservation: {{code: $.{code}, status: $.status, check_in_date: $.from, check_out_date: $.to}}}}}}"
        )
    };
    let house = Plan::default().source("lab", &source("id")).build().await;
    let body = r#"{"n": 1, "id": "7", "code": "A1", "status": "confirmed", "from": "2027-05-01", "to": "2027-05-04"}"#;
    house.tell("lab", body).await;
    let house: House = house
        .restart_with(|plan| plan.source_changed("lab", &source("code")))
        .await;
    house.replay(0, false, None).await;
    assert_eq!(house.outcomes().await, ["processed"]);
    assert_eq!(house.reservation("lab", "A1").await["status"], "confirmed");
    assert_eq!(house.reservation("lab", "7").await["status"], "confirmed");
}

#[tokio::test]
async fn a_stay_that_turns_out_to_be_another_within_a_delivery_is_spoken_of_no_more() {
    let house = crowd().build().await;
    let stay = |code: &str, ids: &[&str]| {
        let mut stay = json!({"code": code, "status": "confirmed", "from": "2027-05-01", "to": "2027-05-04"});
        for (n, id) in ids.iter().enumerate() {
            stay[format!("i{n}")] = json!(id);
        }
        stay
    };
    let body = |n: usize, stays: Vec<Value>| json!({"n": n, "at": 1_800_000_000 + n, "stays": stays}).to_string();
    house.tell("lab", &body(0, vec![stay("A", &["K1"])])).await;
    let known = house.stay("lab", "K1").await.stay.id;
    // One known by its code alone, before this delivery and within it; then two that carry the code.
    house.tell("lab", &body(1, vec![json!({"code": "B"})])).await;
    for (n, code) in [(2, "B"), (3, "C")] {
        let nameless = json!({"code": code, "status": "confirmed"});
        let stays = vec![nameless, stay(code, &["K1"]), stay(code, &[&format!("L{n}")])];
        house.tell("lab", &body(n, stays)).await;
        let called = house.engine.store.called("lab", code).await.unwrap();
        assert_eq!(called.len(), 2, "{code}");
        assert_eq!(called[0].stay.id, known);
        assert_eq!(called[1].stay.ids, [format!("L{n}")]);
    }
    assert_eq!(house.stay("lab", "K1").await.stay.ids, ["K1"]);
    let all = house.engine.store.reservations(&Default::default()).await.unwrap();
    assert_eq!(all.items.len(), 3);
}

#[tokio::test]
async fn every_mapping_that_says_something_else_makes_its_own_event() {
    let source = |guests: &str| {
        format!(
            "{{auth: none, receipt_key: [$.n], version: {{by: [$.n]}}, map: {{reservation: {{code: $.code, status: $.status, check_in_date: $.from, check_out_date: $.to, guests: {guests}}}}}}}"
        )
    };
    let recipe =
        "name: Tell\non: {event: reservation.guests_changed}\nactions: [{http: {connection: cleaning, url: /tell}}]";
    let house = Plan::default()
        .source("lab", &source("$.a"))
        .recipe(recipe)
        .build()
        .await;
    let body = r#"{"n": 1, "code": "A1", "status": "confirmed", "from": "2027-05-01", "to": "2027-05-04", "a": 1, "b": 2, "c": 3}"#;
    house.tell("lab", body).await;
    let mut house: House = house;
    for guests in ["$.b", "$.c"] {
        house = house
            .restart_with(|plan| plan.source_changed("lab", &source(guests)))
            .await;
        house.replay(0, false, None).await;
        house.replay(0, false, None).await;
    }
    assert_eq!(
        house.event_types().await,
        ["created confirmed", "guests_changed", "guests_changed"]
    );
    assert_eq!(house.cleaning.effects().len(), 2);
}

/// What a stay is costs no more however often it is told of: nothing in it grows with the deliveries.
#[tokio::test]
async fn a_thousand_deliveries_of_one_stay_leave_a_stay_of_the_same_size() {
    let house = Plan::default()
        .source("lab", "{preset: generic, auth: none}")
        .build()
        .await;
    let told = |n: usize| {
        format!(
            r#"{{"code": "A1", "id": 7, "status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-06-01",
                "guests": {}, "guest": {{"email": "g{n:04}@guest.example"}}, "updated_at": {}}}"#,
            n % 9 + 1,
            1_800_000_000 + (n * 7919) % 1000
        )
    };
    let mut sizes = Vec::new();
    for n in 0..1000 {
        house.deliver("lab", &told(n)).await;
        if n == 9 || n == 999 {
            house.idle().await;
            let row = house.stay("lab", "A1").await;
            sizes.push(serde_json::to_string(&row.stay).unwrap().len());
        }
    }
    house.until(|counts| counts.undecided == 0).await;
    assert!(sizes[1] < sizes[0] * 2, "{sizes:?}");
    // The newest by the sender's own order, wherever it came.
    let newest = (0..1000).max_by_key(|n| (n * 7919) % 1000).unwrap();
    let reservation = house.reservation("lab", "A1").await;
    assert_eq!(reservation["guest"]["email"], format!("g{newest:04}@guest.example"));
}
