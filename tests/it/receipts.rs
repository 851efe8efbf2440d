//! What recognises a delivery that comes again.

use chrono::TimeDelta;
use futures::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

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

/// What happens to a source: a group of deliveries at one moment, time that passes, a crash.
#[derive(Clone, Debug)]
enum Happens {
    Come(Vec<Body>),
    Wait(i64),
    Crash,
}

/// A body, with an id or without, for a stay or for none.
#[derive(Clone, Debug, PartialEq)]
struct Body {
    source: &'static str,
    id: Option<u32>,
    code: Option<u32>,
    guests: u32,
}

impl Body {
    fn text(&self) -> String {
        let id = self.id.map_or(String::new(), |id| format!(r#""event_id": "e{id}", "#));
        let code = self
            .code
            .map_or(String::new(), |code| format!(r#""code": "A{code}", "#));
        format!(
            r#"{{{id}{code}"status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04", "guests": {}}}"#,
            self.guests
        )
    }

    fn is_same(&self, other: &Body) -> bool {
        match (self.id, other.id) {
            (None, None) => self == other,
            (mine, theirs) => mine == theirs && self.source == other.source,
        }
    }
}

/// The rule in the plainest words: which earlier delivery makes this one a duplicate.
fn duplicate_of(before: &[(Body, i64)], now: i64, body: &Body) -> Option<usize> {
    let first = before.iter().rposition(|(earlier, _)| earlier.is_same(body))?;
    if body.id.is_some() {
        return Some(first);
    }
    let in_time = now - before[first].1 <= 600;
    let other = |(later, _): &(Body, i64)| later.source == body.source && later.code == body.code;
    let news = body.code.is_some() && before[first + 1..].iter().any(other);
    (in_time && !news).then_some(first)
}

fn happens() -> impl Strategy<Value = Happens> {
    let body = (
        prop::sample::select(vec!["lab", "lab", "shed"]),
        prop::option::of(0..3_u32),
        prop::option::weighted(0.8, 0..2_u32),
        0..2_u32,
    );
    let body = body.prop_map(|(source, id, code, guests)| Body {
        source,
        id,
        // An id is that of one stay.
        code: id.map_or(code, |id| Some(id % 2)),
        guests,
    });
    prop_oneof![
        6 => prop::collection::vec(body, 1..6).prop_map(Happens::Come),
        2 => prop::sample::select(vec![1, 300, 599, 601]).prop_map(Happens::Wait),
        1 => Just(Happens::Crash),
    ]
}

#[test]
fn whatever_comes_together_or_after_a_restart_is_told_apart_by_the_same_rule() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    });
    let story = prop::collection::vec(happens(), 1..14);
    let told = runner.run(&story, |story| {
        runtime.block_on(async {
            let mut house = house().await;
            let (mut now, mut stored) = (0, Vec::<(Body, i64)>::new());
            let mut ids = Vec::new();
            for happens in story {
                match happens {
                    Happens::Wait(seconds) => {
                        house.advance(TimeDelta::seconds(seconds));
                        now += seconds;
                    }
                    Happens::Crash => house = house.crash(|plan| plan).await,
                    Happens::Come(bodies) => {
                        let coming = bodies.iter().map(|body| {
                            let (house, text) = (&house, body.text());
                            async move { house.deliver(body.source, &text).await }
                        });
                        for (body, receipt) in bodies.iter().zip(join_all(coming).await) {
                            let expected = duplicate_of(&stored, now, body);
                            prop_assert_eq!(receipt.duplicate, expected.is_some(), "{:?} after {:?}", body, stored);
                            match expected {
                                Some(first) => prop_assert_eq!(&receipt.delivery, &ids[first]),
                                None => {
                                    stored.push((body.clone(), now));
                                    ids.push(receipt.delivery);
                                }
                            }
                        }
                    }
                }
            }
            Ok(())
        })
    });
    told.unwrap();
}
