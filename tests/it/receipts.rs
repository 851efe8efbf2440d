//! What recognises a delivery that comes again.

use chrono::TimeDelta;
use futures::future::join_all;

use crate::support::{House, Plan};

const OPEN: &str = "{preset: generic, auth: none}";

fn body(guests: u32) -> String {
    format!(
        r#"{{"code": "A1", "status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04", "guests": {guests}}}"#
    )
}

fn with_id(id: &str, guests: u32) -> String {
    body(guests).replacen('{', &format!(r#"{{"event_id": "{id}", "#), 1)
}

async fn house() -> House {
    Plan::default().source("lab", OPEN).source("shed", OPEN).build().await
}

async fn duplicates(house: &House) -> Vec<i64> {
    house.deliveries().await.iter().map(|row| row.duplicates).collect()
}

#[tokio::test]
async fn a_strong_key_counts_for_ever() {
    let house = house().await;
    let first = house.tell("lab", &with_id("e1", 2)).await;
    house.tell("lab", &with_id("e2", 3)).await;
    house.advance(TimeDelta::days(365));
    let second = house.tell("lab", &with_id("e1", 2)).await;
    assert!(second.duplicate);
    assert_eq!(second.delivery, first.delivery);
    assert_eq!(duplicates(&house).await, [1, 0]);
    let row = house.delivery(0).await;
    assert_eq!(row.last_seen_at_ms, house.clock.now().timestamp_millis());
    assert_eq!(house.reservation("lab", "A1").await["guests"], 3);
    // What a strong key means is what the sender named, not what it said.
    assert!(house.tell("lab", &with_id("e2", 7)).await.duplicate);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 3);
}

#[tokio::test]
async fn a_weak_key_counts_for_its_window() {
    let house = house().await;
    assert!(!house.tell("lab", &body(2)).await.duplicate);
    house.advance(TimeDelta::minutes(10));
    assert!(house.tell("lab", &body(2)).await.duplicate);
    // The window is that of the first receipt: a retry does not stretch it.
    house.advance(TimeDelta::milliseconds(1));
    assert!(!house.tell("lab", &body(2)).await.duplicate);
    assert_eq!(house.outcomes().await, ["processed", "unchanged"]);
    assert_eq!(duplicates(&house).await, [1, 0]);
    house.advance(TimeDelta::minutes(9));
    assert!(house.tell("lab", &body(2)).await.duplicate);
    assert_eq!(duplicates(&house).await, [1, 1]);
    assert_eq!(house.event_types().await, ["created confirmed"]);
}

#[tokio::test]
async fn there_and_back_again_is_three_deliveries() {
    for wait in [true, false] {
        let house = house().await;
        for guests in [2, 3, 2] {
            house.deliver("lab", &body(guests)).await;
            if wait {
                house.idle().await;
            }
        }
        house.idle().await;
        assert_eq!(duplicates(&house).await, [0, 0, 0]);
        assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
        assert_eq!(
            house.event_types().await,
            ["created confirmed", "guests_changed", "guests_changed"]
        );
        // And the last of them is recognised again, while the one in between is news.
        assert!(house.tell("lab", &body(2)).await.duplicate);
        assert!(!house.tell("lab", &body(3)).await.duplicate);
    }
}

#[tokio::test]
async fn a_delivery_with_an_id_in_between_ends_a_weak_key_too() {
    let house = house().await;
    house.tell("lab", &body(2)).await;
    house.tell("lab", &with_id("e1", 3)).await;
    assert!(!house.tell("lab", &body(2)).await.duplicate);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
    // Something of another stay does not.
    house.tell("lab", &with_id("e2", 2).replace("A1", "B1")).await;
    assert!(house.tell("lab", &body(2)).await.duplicate);
}

#[tokio::test]
async fn which_sources_send_weak_keys_is_known_after_a_restart() {
    let house = house().await;
    house.tell("lab", &with_id("e0", 1)).await;
    house.tell("lab", &body(2)).await;
    let house = house.crash(|plan| plan).await;
    house.tell("lab", &with_id("e1", 3)).await;
    assert!(!house.tell("lab", &body(2)).await.duplicate);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
    assert!(house.tell("lab", &body(2)).await.duplicate);
}

#[tokio::test]
async fn the_keys_of_two_sources_do_not_collide() {
    let house = house().await;
    for body in [with_id("e1", 2), body(2)] {
        for source in ["lab", "shed"] {
            assert!(!house.tell(source, &body).await.duplicate, "{source} {body}");
        }
    }
    assert_eq!(house.event_types().await, ["created confirmed", "created confirmed"]);
}

#[tokio::test]
async fn many_at_the_same_moment_are_one() {
    for body in [with_id("e1", 2), body(2), r#"{"hello": "there"}"#.to_owned()] {
        let house = house().await;
        let receipts = join_all((0..64).map(|_| house.deliver("lab", &body))).await;
        house.idle().await;
        assert_eq!(receipts.iter().filter(|receipt| !receipt.duplicate).count(), 1);
        assert!(receipts.iter().all(|receipt| receipt.delivery == receipts[0].delivery));
        assert_eq!(duplicates(&house).await, [63], "{body}");
    }
}

#[tokio::test]
async fn one_commit_sorts_out_the_bodies_of_one_stay() {
    let house = house().await;
    let bodies = [
        body(2),
        body(2),
        body(3),
        with_id("e1", 4),
        body(3),
        body(3),
        with_id("e1", 4),
        body(2),
        body(2),
    ];
    let receipts = join_all(bodies.iter().map(|body| house.deliver("lab", body))).await;
    house.idle().await;
    let duplicate: Vec<bool> = receipts.iter().map(|receipt| receipt.duplicate).collect();
    assert_eq!(duplicate, [false, true, false, false, false, true, true, false, true]);
    assert_eq!(duplicates(&house).await, [1, 0, 1, 1, 1]);
    assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
}

#[tokio::test]
async fn a_key_that_is_there_twice_is_said() {
    let house = house().await;
    let twice = body(2).replacen('{', r#"{"guests": 9, "#, 1);
    house.tell("lab", &twice).await;
    assert_eq!(house.reservation("lab", "A1").await["guests"], 2);
    let warnings = house.warnings(0).await;
    assert!(warnings.iter().any(|warning| warning.contains("twice")), "{warnings:?}");
}

#[tokio::test]
async fn what_comes_after_a_retry_in_one_commit_makes_it_no_news() {
    let house = house().await;
    house.tell("lab", &body(2)).await;
    let news = with_id("e2", 3);
    let (retry, later) = futures::future::join(house.deliver("lab", &body(2)), house.deliver("lab", &news)).await;
    house.idle().await;
    assert!(retry.duplicate && !later.duplicate, "{retry:?} {later:?}");
    assert_eq!(house.reservation("lab", "A1").await["guests"], 3);
}
