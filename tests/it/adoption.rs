//! Switching on: what existed before is taken over and not announced; learning and dry runs send nothing.

use chrono::TimeDelta;

use crate::support::{House, Plan, at, fixture};

const LIVE: &str = "{preset: generic, auth: none, live_from: 2027-01-01T00:00:00Z}";
const NEW: &str = "name: new\non: {event: [reservation.created, reservation.confirmed]}\nactions:\n  - http: {connection: cleaning, url: /new, json: {code: \"{{ reservation.code }}\"}}\n";
const OVER: &str = "name: over\non: {event: reservation.cancelled}\nactions:\n  - http: {connection: cleaning, url: /over, json: {code: \"{{ reservation.code }}\"}}\n";

fn stay(code: &str, rest: &str) -> String {
    format!(r#"{{"code": "{code}", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04", {rest}}}"#)
}

async fn house(source: &str) -> House {
    Plan::default()
        .source("lab", source)
        .recipe(NEW)
        .recipe(OVER)
        .build()
        .await
}

#[tokio::test]
async fn a_stay_with_a_created_time_is_adopted_by_it() {
    let cases = [
        ("2026-12-31T23:59:59Z", "adopted"),
        ("2027-01-01T00:00:00Z", "created confirmed"),
        ("2027-01-01T01:00:00+02:00", "adopted"),
        ("2026-12-31T23:59:59", "adopted"),
        ("2027-01-01T00:00:01", "created confirmed"),
        ("2026-12-31", "adopted"),
        ("2027-01-02", "created confirmed"),
        // The very day says nothing; like a stay without a created time.
        ("2027-01-01", "adopted"),
    ];
    for (created, types) in cases {
        let house = house(LIVE).await;
        house.advance(TimeDelta::days(20));
        house
            .tell(
                "lab",
                &stay("A1", &format!(r#""status": "confirmed", "created_at": "{created}""#)),
            )
            .await;
        assert_eq!(house.event_types().await, [types], "{created}");
        let adopted = types == "adopted";
        assert_eq!(house.stay("lab", "A1").await.stay.adopted, adopted, "{created}");
        assert_eq!(house.runs().await.is_empty(), adopted, "{created}");
    }
}

#[tokio::test]
async fn a_stay_without_a_created_time_is_adopted_for_thirty_days() {
    let house = house(LIVE).await;
    house.tell("lab", &stay("A1", r#""status": "confirmed""#)).await;
    house
        .tell("lab", &stay("B1", r#""status": "confirmed", "event": "created""#))
        .await;
    house.advance(TimeDelta::days(30) - TimeDelta::milliseconds(1));
    house.tell("lab", &stay("C1", r#""status": "confirmed""#)).await;
    house.advance(TimeDelta::milliseconds(1));
    house.tell("lab", &stay("D1", r#""status": "confirmed""#)).await;
    assert_eq!(
        house.event_types().await,
        ["adopted", "created confirmed", "adopted", "created confirmed"]
    );
    let codes: Vec<_> = house.runs().await.into_iter().map(|run| run.code.unwrap()).collect();
    assert_eq!(codes, ["B1", "D1"]);
    let because = house.delivery(0).await.because;
    assert!(
        because.starts_with("reservation.adopted (the sender does not say when it was booked, and for 30 days"),
        "{because}"
    );
    assert_eq!(
        house.delivery(1).await.because,
        "reservation.created, reservation.confirmed"
    );
}

#[tokio::test]
async fn the_senders_own_created_counts_until_the_stay_is_complete() {
    let house = house(LIVE).await;
    house
        .tell("lab", r#"{"code": "A1", "payment": {"id": "p1", "amount": 5}}"#)
        .await;
    house
        .tell("lab", &stay("A1", r#""status": "confirmed", "event": "created""#))
        .await;
    assert_eq!(house.event_types().await, ["payment.created", "created confirmed"]);
}

#[tokio::test]
async fn what_comes_before_it_is_live_is_adopted() {
    let house = house("{preset: generic, auth: none, live_from: 2027-02-01T00:00:00Z}").await;
    house
        .tell("lab", &stay("A1", r#""status": "confirmed", "event": "created""#))
        .await;
    assert_eq!(house.event_types().await, ["adopted"]);
}

#[tokio::test]
async fn a_gone_status_always_makes_its_event() {
    let house = house(LIVE).await;
    house
        .tell(
            "lab",
            &stay("A1", r#""status": "cancelled", "created_at": "2026-12-01T00:00:00Z""#),
        )
        .await;
    house
        .tell(
            "lab",
            &stay("B1", r#""status": "confirmed", "created_at": "2026-12-01T00:00:00Z""#),
        )
        .await;
    house
        .tell(
            "lab",
            &stay("B1", r#""status": "no_show", "created_at": "2026-12-01T00:00:00Z""#),
        )
        .await;
    assert_eq!(
        house.event_types().await,
        ["adopted cancelled", "adopted", "no_show status_changed"]
    );
    assert_eq!(house.states().await, ["over: succeeded"]);
}

#[tokio::test]
async fn an_adopted_stay_that_is_confirmed_later_is_confirmed() {
    let house = house(LIVE).await;
    house.tell("lab", &stay("A1", r#""status": "pending""#)).await;
    house.tell("lab", &stay("A1", r#""status": "confirmed""#)).await;
    assert_eq!(house.event_types().await, ["adopted", "confirmed status_changed"]);
    assert_eq!(house.states().await, ["new: succeeded"]);
}

#[tokio::test]
async fn a_recorded_stay_is_adopted_by_what_the_sender_says() {
    let house = Plan::default()
        .source(
            "hospitable",
            "{preset: hospitable-v1, token: open-7f2c9d1e, live_from: 2027-12-01T00:00:00Z}",
        )
        .recipe(NEW)
        .build()
        .await;
    house.clock.set(at("2027-12-02T00:00:00Z"));
    house
        .tell("hospitable", &fixture("hospitable-v1/02-status-change.json"))
        .await;
    assert_eq!(house.event_types().await, ["adopted"]);
    assert!(house.runs().await.is_empty());
}

#[tokio::test]
async fn a_replay_again_announces_an_adopted_stay() {
    let house = house(LIVE).await;
    house.tell("lab", &stay("A1", r#""status": "confirmed""#)).await;
    house.replay(0, false, None).await;
    assert!(house.runs().await.is_empty());
    house.replay(0, true, None).await;
    assert_eq!(house.states().await, ["new: succeeded"]);
    assert_eq!(house.cleaning.requests().len(), 1);
    assert_eq!(house.deliveries().await.len(), 1);
}

#[tokio::test]
async fn a_source_that_learns_starts_nothing_and_says_so() {
    let house = house("{preset: generic, auth: none, learn: true}").await;
    house
        .tell("lab", &stay("A1", r#""status": "confirmed", "guests": 2"#))
        .await;
    assert_eq!(house.event_types().await, ["created confirmed"]);
    assert_eq!(house.outcomes().await, ["processed"]);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
    assert_eq!(house.explanations(0).await, ["new: learning", "over: not_wanted"]);
    let all = house.event(0).await.explanation.unwrap();
    assert!(all[0]["because"].as_str().unwrap().contains("learning"), "{all}");
    assert!(house.runs().await.is_empty());
    assert!(house.cleaning.requests().is_empty());
}

#[tokio::test]
async fn a_dry_run_does_everything_up_to_the_sending() {
    let dry = NEW.replacen("name: new\n", "name: new\ndry_run: true\n", 1);
    let plans = [
        Plan::default()
            .source("lab", "{preset: generic, auth: none}")
            .recipe(NEW)
            .dry_run(),
        Plan::default()
            .source("lab", "{preset: generic, auth: none}")
            .recipe(&dry),
    ];
    for plan in plans {
        let house = plan.build().await;
        house.tell("lab", &stay("A1", r#""status": "confirmed""#)).await;
        assert_eq!(house.states().await, ["new: succeeded"]);
        let run = house.run(&house.runs().await[0].id).await;
        assert!(run.run.dry_run);
        assert!(run.steps[0].request.to_string().contains("A1"), "{:#?}", run.steps);
        let summary = run.attempts[0].summary.clone().unwrap();
        assert!(summary.contains("nothing was sent"), "{summary}");
        assert!(house.cleaning.requests().is_empty());
    }
}
