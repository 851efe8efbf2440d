//! The machine's clock is set, in either direction: nothing stands still, nothing is ended for ever, nothing goes twice.

use std::path::Path;

use crate::standin::{HttpStandin, Reply};
use chrono::TimeDelta;

use crate::clock::{booked, go_to, house, planned, recipe};
use stayhook::store::RunRow;

use crate::daemon::Site;
use crate::sender::{plan, stay};
use crate::support::{House, at};

const TELL: &str = "
name: Tell
on: {event: reservation.confirmed}
actions: [{http: {connection: cleaning, url: '/{{ reservation.code }}'}}]
";

/// Door two days before the arrival of a stay on 9 April; the clock stands at a day before that.
async fn before_the_door() -> House {
    let house = house(&recipe("Door", "{stay: check_in, before: 2d, at: '10:00'}", ""))
        .build()
        .await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    go_to(&house, "2027-04-06T17:00:00Z").await;
    house
}

/// Sets the clock, and has it looked at: the few seconds that may take are none of a test that moves time by hand.
fn leap(house: &House, by: TimeDelta) {
    house.clock.leap(by);
    house.engine.clockwork.wake.notify_one();
}

/// Lets the first run's next attempt come within its delay from now.
async fn tried_again(house: &House) {
    let delay = TimeDelta::seconds(6);
    let most = (house.clock.now() + delay).timestamp_millis();
    house
        .when(|runs| runs[0].state == "retrying" && runs[0].due_at_ms <= most)
        .await;
    house.advance(delay);
    house.come_to(&["Tell: succeeded"]).await;
    assert_eq!(house.cleaning.requests().len(), 2);
}

#[tokio::test]
async fn a_retry_goes_out_within_its_delay_when_the_clock_is_put_back() {
    for back in [TimeDelta::minutes(1), TimeDelta::hours(1), TimeDelta::days(400)] {
        let house = plan().recipe(TELL).build().await;
        house.cleaning.then([Reply::status(503)]);
        house.tell("ours", &stay("A", "confirmed", 1)).await;
        leap(&house, -back);
        tried_again(&house).await;
    }
}

#[tokio::test]
async fn a_retry_goes_out_within_its_delay_when_the_clock_is_put_back_while_nobody_is_there() {
    let house = plan().recipe(TELL).build().await;
    house.cleaning.then([Reply::status(503)]);
    house.tell("ours", &stay("A", "confirmed", 1)).await;
    leap(&house, -TimeDelta::days(3));
    let house = house.restart().await;
    tried_again(&house).await;
}

#[tokio::test]
async fn an_attempt_under_way_keeps_its_lease_whatever_the_clock_is_set_to() {
    for by in [TimeDelta::days(30), -TimeDelta::days(30)] {
        let recipe = TELL.replace("[{http", "[{at_most_once: true, http");
        let house = plan().recipe(&recipe).build().await;
        house.cleaning.then([Reply::status(200).held()]);
        house.deliver("ours", &stay("A", "confirmed", 1)).await;
        house.cleaning.wait_for(1).await;
        leap(&house, by);
        for _ in 0..20 {
            house.advance(TimeDelta::milliseconds(2500));
            let counts = house.engine.store.counts(house.clock.now()).await.unwrap();
            assert!(
                counts.runs.iter().any(|(state, n)| state == "running" && *n == 1),
                "{counts:?}"
            );
            assert_eq!(house.engine.stalled(), None);
        }
        assert_eq!(house.cleaning.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_week_ahead_for_a_minute_fires_nothing_and_passes_nothing_over() {
    let house = before_the_door().await;
    let week = TimeDelta::days(7);
    leap(&house, week);
    for _ in 0..10 {
        house.advance(TimeDelta::seconds(6));
        assert_eq!(planned(&house).await, ["Door scheduled 04-07T17:00"]);
    }
    // Events go on.
    house
        .tell("pms", &booked("B", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    leap(&house, -week);
    house.advance(TimeDelta::seconds(6));
    assert_eq!(
        planned(&house).await,
        ["Door scheduled 04-07T17:00", "Door scheduled 04-07T17:00"]
    );
    go_to(&house, "2027-04-07T17:00:00Z").await;
    assert_eq!(
        planned(&house).await,
        ["Door succeeded 04-07T17:00", "Door succeeded 04-07T17:00"]
    );
}

#[tokio::test]
async fn what_was_passed_over_by_a_clock_that_was_ahead_is_asked_once_more() {
    let house = before_the_door().await;
    leap(&house, TimeDelta::days(7));
    assert!(!house.clock.is_trusted());
    // It has stood for two minutes: it is believed.
    house.advance(TimeDelta::seconds(119));
    assert_eq!(planned(&house).await, ["Door scheduled 04-07T17:00"]);
    house.advance(TimeDelta::seconds(6));
    house.engine.clockwork.wake.notify_one();
    house.when(|runs| runs[0].state == "skipped").await;
    assert!(planned(&house).await[0].contains("came due while down"));
    leap(&house, -TimeDelta::days(7));
    house.when(|runs| runs[0].state == "scheduled").await;
    go_to(&house, "2027-04-07T17:00:00Z").await;
    assert_eq!(planned(&house).await, ["Door succeeded 04-07T17:00"]);
    assert_eq!(house.cleaning.requests().len(), 1);
}

#[tokio::test]
async fn a_change_that_settles_and_a_status_that_lasts_wait_no_longer_than_they_say() {
    let recipe = recipe("Pay", "{status: pending, for: 24h}", "late: run within 12h");
    let house = house(&recipe).build().await;
    leap(&house, TimeDelta::days(400));
    house.advance(TimeDelta::minutes(3));
    let told = crate::clock::with("A", "brannan", "2027-04-09", "2027-04-12", "pending", 1);
    house.tell("pms", &told).await;
    leap(&house, -TimeDelta::days(400));
    let soon = at("2027-01-02T00:10:00Z").timestamp_millis();
    house
        .when(|runs| runs[0].state == "scheduled" && runs[0].due_at_ms < soon)
        .await;
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_gave_up_is_tried_again_until_its_time_is_over() {
    let tell = TELL.replace(
        "/{{ reservation.code }}'}",
        "/{{ reservation.code }}'}, retry: {for: 2h}",
    );
    for tried_before in [true, false] {
        let house = plan().recipe(&tell).build().await;
        house.cleaning.decide(|_, _| Reply::status(503));
        if tried_before {
            house.decide(&stay("A", "confirmed", 1)).await;
            house.come_to(&["Tell: retrying"]).await;
        }
        leap(&house, TimeDelta::days(7));
        assert!(!house.clock.is_trusted());
        house.advance(TimeDelta::seconds(119));
        assert!(!house.clock.is_trusted());
        house.advance(TimeDelta::seconds(15));
        assert!(house.clock.is_trusted());
        if !tried_before {
            house.decide(&stay("A", "confirmed", 1)).await;
            house.come_to(&["Tell: retrying"]).await;
            house.advance(TimeDelta::hours(3));
        }
        let over = |runs: &[RunRow]| ["dead", "parked"].contains(&runs[0].state.as_str());
        house.when(over).await;
        let before = house.cleaning.requests().len();
        leap(&house, -TimeDelta::days(8));
        house.cleaning.wait_for(before + 1).await;
        // And its time is over when it is over.
        house.advance(TimeDelta::hours(3));
        house.when(over).await;
    }
}

/// The library that `faketime` puts before a program; none where it is not installed, which is loud, and wrong in CI.
#[expect(clippy::disallowed_methods, reason = "whether this is CI is said there")]
fn faketime() -> Option<String> {
    let asked = std::process::Command::new("faketime")
        .args(["-f", "+0", "printenv", "LD_PRELOAD"])
        .output();
    let library = asked.ok().filter(|asked| asked.status.success());
    let library = library.map(|asked| String::from_utf8(asked.stdout).unwrap().trim().to_owned());
    if library.is_none() {
        assert!(std::env::var("CI").is_err(), "`faketime` has to be installed");
        eprintln!("NOT TESTED: `faketime` is not installed, so the real program's clock cannot be set");
    }
    library
}

/// Sets the clock of the program that reads this file.
fn set(file: &Path, offset: &str) {
    let beside = file.with_extension("new");
    std::fs::write(&beside, offset).unwrap();
    std::fs::rename(&beside, file).unwrap();
}

#[tokio::test]
async fn the_real_program_goes_on_when_the_clock_is_put_back() {
    let Some(library) = faketime() else { return };
    let target = HttpStandin::start().await.unwrap();
    target.decide(|_, _| Reply::status(503));
    let config = format!(
        "sources: {{lab: {{preset: generic, auth: none}}}}\nconnections: {{cleaning: {{http: {{base_url: '{}'}}}}}}\n",
        target.base_url()
    );
    let site = Site::new(&config, &[TELL]);
    let offset = site.path().join("offset");
    set(&offset, "+3600");
    let mut command = site.command(&["serve"]);
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &offset)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env_remove("FAKETIME")
        .env_remove("FAKETIME_SHARED");
    let daemon = site.start(&mut command).await;
    for code in ["A", "B", "C"] {
        let body = format!(
            r#"{{"event_id": "{code}", "code": "{code}", "status": "confirmed", "check_in": "2090-04-09T15:00:00Z", "check_out": "2090-04-12T11:00:00Z"}}"#
        );
        assert_eq!(daemon.post("lab", &body).await.unwrap().0, 200);
    }
    // Not only asked: an answer that comes after the target is well would be no failure.
    let refused = async {
        loop {
            let (_, list) = daemon.get("/api/v1/runs?state=retrying").await.unwrap();
            let list: serde_json::Value = serde_json::from_str(&list).unwrap();
            if list["items"].as_array().unwrap().len() == 3 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let most = std::time::Duration::from_secs(25);
    tokio::time::timeout(most, refused).await.unwrap();
    target.decide(|_, _| Reply::status(200));
    let before = target.requests().len();
    set(&offset, "+0");
    let gone = tokio::time::timeout(most, target.wait_for(before + 3)).await;
    assert!(gone.is_ok(), "retries stand still: {:?}", target.requests().len());
    // The watch over the recipes' files goes on too, and it is well.
    std::fs::write(site.path().join("recipes/1.yaml"), TELL.replace("Tell", "Told")).unwrap();
    daemon.says("\"message\":\"reloaded\"").await;
    assert_eq!(daemon.get("/healthz").await.unwrap().0, 200);
    daemon.kill().await;
}
