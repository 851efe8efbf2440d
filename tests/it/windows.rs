//! The time for retries ends by the clock, whatever holds a run up; and nothing is sent after the moment that ends it.

use crate::standin::Reply;
use chrono::TimeDelta;

use crate::clock::{booked, go_to, house, planned};
use crate::sender::{asked, plan, stay};
use crate::support::at;

const NEXT: &str = "  - http: {connection: books, url: /next}\n";

fn tell(policy: &str, more: &str) -> String {
    format!(
        "name: Tell\non: {{event: reservation.confirmed}}\nactions:\n  - {policy}\n    \
         http: {{connection: cleaning, url: '/tasks/{{{{ reservation.code }}}}'}}\n{more}"
    )
}

#[tokio::test]
async fn days_off_end_the_time_for_retries() {
    for (policy, reply, off, state, reason) in [
        (
            "retry: {for: 24h}",
            Reply::status(503),
            6 * 24 * 60,
            "dead",
            "its 24 hours were over",
        ),
        (
            "retry: {for: 24h}",
            Reply::status(503),
            24 * 60 + 1,
            "dead",
            "its 24 hours were over",
        ),
        (
            "retry: {for: 24h}",
            Reply::status(503),
            24 * 60 - 1,
            "succeeded",
            "200 OK",
        ),
        (
            "retry: {for: 3d}",
            Reply::status(503),
            6 * 24 * 60,
            "dead",
            "its 3 days were over",
        ),
        (
            "retry: {schedule: [30m, 30m]}",
            Reply::status(503),
            121,
            "dead",
            "its 2 hours were over",
        ),
        (
            "retry: {schedule: [30m, 30m]}",
            Reply::status(503),
            119,
            "succeeded",
            "200 OK",
        ),
        (
            "retry: {for: 24h}",
            Reply::Close,
            6 * 24 * 60,
            "parked",
            "its 24 hours were over; it may have arrived: a person has to look",
        ),
        (
            "retry: {for: 1h}\n    on_error: continue",
            Reply::status(503),
            90,
            "succeeded",
            "done, 1 step failed: its hour was over",
        ),
    ] {
        let more = if policy.contains("on_error") { NEXT } else { "" };
        let house = plan().recipe(&tell(policy, more)).build().await;
        house.cleaning.then([reply]);
        house.decide(&stay("A", "confirmed", 1)).await;
        house.come_to(&["Tell: retrying"]).await;
        let clock = house.clock.clone();
        let house = house
            .restart_with(|plan| {
                clock.advance(TimeDelta::minutes(off));
                plan
            })
            .await;
        let state = format!("Tell: {state}");
        let runs = house.come_to(&[&state]).await;
        assert_eq!(runs[0].reason, reason, "{policy} {off}");
        let more_than_one = if reason == "200 OK" { 2 } else { 1 };
        assert_eq!(house.cleaning.requests().len(), more_than_one, "{policy} {off}");
        assert_eq!(house.books.requests().len(), usize::from(!more.is_empty()));
    }
}

#[tokio::test]
async fn what_nobody_can_try_is_given_up_in_time() {
    let slow = "slow: {http: {base_url: \"http://127.0.0.1:1\", rate: 1/m}}\n";
    let recipe = tell("retry: {for: 20s}", "").replace("connection: cleaning", "connection: slow");
    let house = plan().connections(slow).recipe(&recipe).build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: retrying"]).await;
    house.advance(TimeDelta::seconds(40));
    let runs = house.come_to(&["Tell: dead"]).await;
    assert_eq!(runs[0].reason, "its 20 seconds were over");
    assert_eq!(runs[0].attempts, 1);
}

#[tokio::test]
async fn while_a_connection_is_paused_the_time_for_retries_stands_still() {
    let house = plan().recipe(&tell("retry: {for: 1h}", "")).build().await;
    house
        .cleaning
        .decide(|request, _| match request.path_and_query.as_str() {
            "/tasks/A" => Reply::status(503),
            _ => Reply::status(401),
        });
    for code in ["A", "B", "C", "D"] {
        house.decide(&stay(code, "confirmed", 1)).await;
        house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
    }
    assert_eq!(house.engine.store.paused().await.unwrap().len(), 1);
    for _ in 0..3 {
        house.advance(TimeDelta::days(1));
        let before = house.cleaning.requests().len();
        house.cleaning.wait_for(before.max(5)).await;
        house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
    }
    assert_eq!(house.states().await, ["Tell: retrying"; 4]);
    house.cleaning.decide(|_, _| Reply::status(200));
    house.advance(TimeDelta::minutes(5));
    house.come_to(&["Tell: succeeded"; 4]).await;
}

/// A door code two days before the arrival, tried for a month.
fn door(until: &str) -> String {
    format!(
        "name: Door\non: {{stay: check_in, before: 2d}}\nactions:\n  - retry: {{for: 30d}}\n    {until}\n    \
         http: {{connection: cleaning, url: '/door/{{{{ reservation.code }}}}'}}\n"
    )
}

#[tokio::test]
async fn nothing_of_the_check_in_clock_is_sent_after_check_out_not_by_a_retry_either() {
    // Check-out is at 18:00 UTC.
    for (until, extended, back, sent) in [
        ("", false, "2027-04-12T17:59:00Z", true),
        ("", false, "2027-04-12T18:01:00Z", false),
        ("", true, "2027-04-12T18:01:00Z", true),
        ("until: {stay: check_in}", false, "2027-04-09T23:01:00Z", false),
        ("until: {stay: check_in}", false, "2027-04-09T22:59:00Z", true),
    ] {
        let house = house(&door(until)).build().await;
        house
            .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
            .await;
        house.cleaning.decide(|_, _| Reply::status(503));
        go_to(&house, "2027-04-07T23:00:00Z").await;
        if extended {
            house
                .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-13", 2))
                .await;
        }
        house.cleaning.decide(|_, _| Reply::status(200));
        let before = house.cleaning.requests().len();
        let clock = house.clock.clone();
        let house = house
            .restart_with(|plan| {
                clock.set(at(back));
                plan
            })
            .await;
        house.idle().await;
        let runs = house.runs().await;
        let state = if sent { "succeeded" } else { "dead" };
        assert_eq!(runs[0].state, state, "{until} {back}: {:#?}", planned(&house).await);
        assert_eq!(
            house.cleaning.requests().len() - before,
            usize::from(sent),
            "{until} {back}"
        );
        if !sent {
            let reason = if until.is_empty() {
                "the guest has left"
            } else {
                "its `until` has passed"
            };
            assert_eq!(runs[0].reason, reason);
        }
    }
}

#[tokio::test]
async fn an_action_whose_until_has_passed_is_passed_over() {
    let policy = "until: {stay: check_out, before: 1d, at: '10:00'}";
    let house = plan().recipe(&tell(policy, NEXT)).build().await;
    // Check-out is on 2 April, at 11:00 UTC.
    house.clock.set(at("2027-04-01T09:59:00Z"));
    house.tell("ours", &stay("A", "confirmed", 1)).await;
    house.clock.set(at("2027-04-01T10:00:01Z"));
    house.tell("ours", &stay("B", "confirmed", 1)).await;
    assert_eq!(house.states().await, ["Tell: succeeded", "Tell: succeeded"]);
    assert_eq!(asked(&house.cleaning.requests()), ["POST /tasks/A"]);
    assert_eq!(house.books.requests().len(), 2);
    let run = house.nth(1).await;
    assert_eq!(run.steps[0].output["skipped"], "its `until` has passed");
}
