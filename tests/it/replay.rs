//! What was kept is decided once more.

use std::collections::BTreeSet;

use stayhook::model::fault;

use crate::support::{House, Plan};

const OPEN: &str = "{preset: generic, auth: none}";

fn recipe(name: &str, on: &str) -> String {
    format!(
        "name: {name}\non: {{event: {on}}}\nactions:\n  - http: {{connection: cleaning, url: /{name}, json: {{code: \"{{{{ reservation.code }}}}\", guests: \"{{{{ reservation.guests }}}}\"}}}}\n"
    )
}

fn stay(code: &str, version: i64, rest: &str) -> String {
    let comma = if rest.is_empty() { "" } else { ", " };
    format!(
        r#"{{"code": "{code}", "status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04", "updated_at": {}{comma}{rest}}}"#,
        1_800_000_000 + version
    )
}

async fn keys(house: &House) -> Vec<String> {
    let requests = house.cleaning.requests();
    requests
        .iter()
        .map(|request| request.header("Idempotency-Key").unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_with_its_reason() {
    let house = Plan::default()
        .source("lab", OPEN)
        .source("new", "{auth: none, learn: true}")
        .build()
        .await;
    for (source, body, outcome, because) in [
        ("lab", r#"{"hello": "there"}"#, "unmapped", "$.code"),
        ("lab", r#"{"event": "ping"}"#, "ignored", "a test of the connection"),
        ("lab", "{}", "ignored", "empty"),
        ("new", r#"{"a": 1}"#, "unmapped", "no mapping"),
    ] {
        house.tell(source, body).await;
        let row = house.deliveries().await.pop().unwrap();
        assert_eq!(row.outcome, outcome, "{body}");
        assert!(row.because.contains(because), "{}", row.because);
        let whole = house.engine.store.delivery(&row.id).await.unwrap().unwrap();
        assert_eq!(whole.body.unwrap(), body);
    }
    assert!(house.event_types().await.is_empty());
}

#[tokio::test]
async fn what_was_not_mapped_is_decided_by_its_own_version_once_it_is() {
    let before = "{auth: none, receipt_key: [$.n], version: {by: [$.n]}, map: {reservation: {code: $.nowhere, status: $.status}}}";
    let after = "{auth: none, receipt_key: [$.n], version: {by: [$.n]}, map: {reservation: {code: $.code, status: $.status, guests: $.guests, check_in_date: $.from, check_out_date: $.to}}}";
    let house = Plan::default()
        .source("lab", before)
        .recipe(&recipe("new", "reservation.created"))
        .build()
        .await;
    let body = |n: i64| {
        format!(
            r#"{{"n": {n}, "code": "A1", "status": "confirmed", "from": "2027-05-01", "to": "2027-05-04", "guests": {n}}}"#
        )
    };
    house.tell("lab", &body(1)).await;
    house.tell("lab", &body(2)).await;
    assert_eq!(house.outcomes().await, ["unmapped", "unmapped"]);
    let house = house.restart_with(|plan| plan.source_changed("lab", after)).await;
    house.tell("lab", &body(3)).await;
    house.replay(1, false, None).await;
    house.replay(0, false, None).await;
    assert_eq!(house.outcomes().await, ["stale", "stale", "processed"]);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 3);
    assert_eq!(house.states().await, ["new: succeeded"]);
}

#[tokio::test]
async fn a_bug_of_ours_costs_one_delivery_and_no_other() {
    for place in ["map", "decide"] {
        let house = Plan::default()
            .source("lab", OPEN)
            .recipe(&recipe("new", "reservation.created"))
            .build()
            .await;
        let mark = format!("POISON-{place}");
        let bug = fault::break_for(place, &mark);
        house
            .deliver("lab", &stay("A1", 1, &format!(r#""id": "{mark}", "guests": 1"#)))
            .await;
        house.deliver("lab", &stay("B1", 1, "")).await;
        house.deliver("lab", &stay("A1", 2, r#""guests": 2"#)).await;
        house.idle().await;
        assert_eq!(house.outcomes().await, ["failed", "processed", "processed"], "{place}");
        let row = house.delivery(0).await;
        assert!(row.because.contains("fault of Stayhook"), "{}", row.because);
        let trace = row.detail["trace"].as_str().unwrap().to_owned();
        assert!(trace.contains("broken by a test") && trace.contains(".rs:"), "{trace}");
        assert!(!row.because.contains("broken by a test"));
        // It stays as it is over a restart: no crash loop.
        let house = house.restart().await;
        house.idle().await;
        assert_eq!(house.outcomes().await, ["failed", "processed", "processed"]);
        drop(bug);
        house.replay(0, false, None).await;
        // By its own version it is the older one; what only it knows is taken.
        assert_eq!(house.outcomes().await, ["processed", "processed", "processed"]);
        let reservation = house.reservation("lab", &mark).await;
        assert_eq!(
            (&reservation["code"], &reservation["guests"]),
            (&"A1".into(), &2.into())
        );
        assert_eq!(house.states().await, ["new: succeeded", "new: succeeded"]);
    }
}

#[tokio::test]
async fn a_bug_in_one_recipe_is_its_own() {
    let house = Plan::default()
        .source("lab", OPEN)
        .recipe(&recipe("good", "reservation.created"))
        .recipe(&recipe("POISON-recipe", "reservation.created"))
        .build()
        .await;
    let bug = fault::break_for("recipe", "POISON-recipe");
    house.tell("lab", &stay("A1", 1, "")).await;
    assert_eq!(house.outcomes().await, ["processed"]);
    assert_eq!(house.explanations(0).await, ["POISON-recipe: failed", "good: ran"]);
    assert_eq!(house.states().await, ["good: succeeded"]);
    drop(bug);
    house.replay(0, false, None).await;
    assert_eq!(house.explanations(0).await, ["POISON-recipe: ran", "good: ran"]);
    assert_eq!(house.states().await, ["good: succeeded", "POISON-recipe: succeeded"]);
}

#[tokio::test]
async fn a_stored_event_meets_todays_recipes() {
    let house = Plan::default()
        .source("lab", OPEN)
        .recipe(&recipe("old", "reservation.confirmed"))
        .build()
        .await;
    house.tell("lab", &stay("A1", 1, r#""guests": 2"#)).await;
    house.tell("lab", &stay("A1", 2, r#""guests": 3"#)).await;
    let house = house
        .restart_with(|plan| {
            plan.recipe(&recipe("late", "reservation.confirmed"))
                .recipe(&recipe("later", "reservation.confirmed"))
        })
        .await;
    house.replay(0, false, Some("late")).await;
    assert_eq!(house.states().await, ["old: succeeded", "late: succeeded"]);
    // What was explained of the others stands.
    assert_eq!(house.explanations(0).await, ["old: ran", "late: ran"]);
    house.replay(0, false, None).await;
    house.replay(0, false, None).await;
    assert_eq!(
        house.states().await,
        ["old: succeeded", "late: succeeded", "later: succeeded"]
    );
    assert_eq!(house.explanations(0).await, ["late: ran", "later: ran", "old: ran"]);
    // The event is that of then, the stay that of now.
    assert_eq!(house.cleaning.requests()[1].json()["guests"], 2);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 3);
    assert_eq!(house.deliveries().await.len(), 2);
    assert_eq!(house.event_types().await, ["created confirmed", "guests_changed"]);
    assert_eq!(house.outcomes().await, ["processed", "processed"]);
}

#[tokio::test]
async fn again_makes_a_further_occurrence_with_new_keys() {
    let house = Plan::default()
        .source("lab", OPEN)
        .recipe(&recipe("one", "reservation.confirmed"))
        .recipe(&recipe("two", "reservation.confirmed"))
        .build()
        .await;
    house.tell("lab", &stay("A1", 1, "")).await;
    house.replay(0, true, None).await;
    assert_eq!(house.runs().await.len(), 4);
    house.replay(0, true, Some("two")).await;
    house.replay(0, true, Some("two")).await;
    assert_eq!(house.runs().await.len(), 6);
    let twos = house.runs().await.iter().filter(|run| run.recipe == "two").count();
    assert_eq!(twos, 4);
    let keys = keys(&house).await;
    assert_eq!(keys.len(), 6);
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 6, "{keys:?}");
    assert_eq!(house.deliveries().await.len(), 1);
    assert_eq!(house.event_types().await.len(), 1);
}

#[tokio::test]
async fn money_and_words_are_decided_once_more_as_they_were() {
    let house = Plan::default()
        .source("lab", OPEN)
        .recipe(&recipe("paid", "[payment.created, payment.updated, payment.refunded]"))
        .recipe(&recipe("said", "message.received"))
        .build()
        .await;
    for body in [
        r#"{"code": "A1", "event_id": "1", "payment": {"id": "p1", "amount": 10}}"#,
        r#"{"code": "A1", "event_id": "2", "payment": {"id": "p1", "amount": 20}}"#,
        r#"{"code": "A1", "event_id": "3", "payment": {"amount": 30}}"#,
        r#"{"code": "A1", "event_id": "4", "message": {"text": "no id"}}"#,
    ] {
        house.tell("lab", body).await;
    }
    let before = house.event_types().await;
    assert_eq!(
        before,
        [
            "payment.created",
            "payment.updated",
            "payment.created",
            "message.received"
        ]
    );
    for n in 0..4 {
        house.replay(n, false, None).await;
    }
    assert_eq!(house.event_types().await, before);
    assert_eq!(house.runs().await.len(), 4);
    assert_eq!(house.outcomes().await, ["processed"; 4]);
    // The newest content still stands: the same content once more is no news.
    house
        .tell(
            "lab",
            r#"{"code": "A1", "event_id": "5", "payment": {"id": "p1", "amount": 20}}"#,
        )
        .await;
    assert_eq!(house.outcomes().await[4], "unchanged");
}

#[tokio::test]
async fn what_a_gone_stay_did_before_is_not_done_by_replay() {
    let house = Plan::default().source("lab", OPEN).build().await;
    house.tell("lab", &stay("A1", 1, "")).await;
    house
        .tell(
            "lab",
            r#"{"code": "A1", "event_id": "p", "payment": {"id": "p1", "amount": 10}}"#,
        )
        .await;
    house
        .tell("lab", &stay("A1", 2, "").replace("\"confirmed\"", "\"cancelled\""))
        .await;
    let named = recipe("named", "reservation.confirmed") + "match: {status: [booked, cancelled]}\n";
    let house = house
        .restart_with(|plan| {
            plan.recipe(&recipe("late", "reservation.confirmed"))
                .recipe(&named)
                .recipe(&recipe("paid", "payment.created"))
                .recipe(&recipe("over", "reservation.cancelled"))
        })
        .await;
    for n in 0..3 {
        house.replay(n, false, None).await;
    }
    assert_eq!(
        house.states().await,
        ["named: succeeded", "paid: succeeded", "over: succeeded"]
    );
    let all = house.event(0).await.explanation.unwrap();
    assert!(all[0]["because"].as_str().unwrap().contains("--again"), "{all}");
    house.replay(0, true, Some("late")).await;
    assert_eq!(house.states().await.last().unwrap(), "late: succeeded");
}

#[tokio::test]
async fn a_delivery_that_changed_the_stay_without_an_event_stays_processed() {
    let house = Plan::default().source("lab", OPEN).build().await;
    house.tell("lab", r#"{"code": "A1", "status": "pending"}"#).await;
    house.replay(0, false, None).await;
    assert_eq!(house.outcomes().await, ["processed"]);
}

#[tokio::test]
async fn without_a_senders_version_a_replay_is_as_old_as_its_first_receipt() {
    let house = Plan::default().source("lab", OPEN).build().await;
    let body = |guests: i64| {
        format!(
            r#"{{"code": "A1", "status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04", "guests": {guests}}}"#
        )
    };
    for guests in [2, 3, 4] {
        // All within one millisecond: the order of arrival decides.
        house.tell("lab", &body(guests)).await;
    }
    house.replay(0, false, None).await;
    house.replay(1, true, None).await;
    assert_eq!(house.reservation("lab", "A1").await["guests"], 4);
    assert_eq!(house.event_types().await.len(), 3);
}

#[tokio::test]
async fn a_stay_with_a_thousand_deliveries_is_decided() {
    let house = Plan::default().source("lab", OPEN).build().await;
    for version in 0..1000 {
        house
            .deliver("lab", &stay("A1", version, &format!(r#""guests": {}"#, version + 1)))
            .await;
    }
    house.deliver("lab", &stay("B1", 1, "")).await;
    house.idle().await;
    assert_eq!(house.reservation("lab", "A1").await["guests"], 1000);
    let counts = house.engine.store.events(&Default::default()).await.unwrap();
    assert!(counts.next.is_some());
}

#[tokio::test]
async fn a_damaged_row_costs_only_who_needs_it() {
    let house = Plan::default().source("lab", OPEN).build().await;
    house.tell("lab", &stay("A1", 1, r#""guests": 1"#)).await;
    let damaged = house.damage("UPDATE stays SET state = '{' || state").await;
    assert_eq!(damaged, 1);
    house.deliver("lab", &stay("A1", 2, r#""guests": 2"#)).await;
    house.deliver("lab", &stay("B1", 1, "")).await;
    house.idle().await;
    assert_eq!(house.outcomes().await, ["processed", "failed", "processed"]);
    house
        .damage("UPDATE stays SET state = SUBSTR(state, 2) WHERE state LIKE '{{%'")
        .await;
    house.replay(1, false, None).await;
    assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
}
