//! A store that cannot take it: locked, full, behind. Senders are told to come back, and it recovers by itself.

use futures::FutureExt as _;

use super::*;
use crate::model::delivery::{ReceiptKey, Weak};
use crate::store::{RECEIPTS_WAITING_BYTES, RECEIPTS_WAITING_MAX};

const SOON: Duration = Duration::from_secs(2);

fn come_back(answer: &Answer, reason: &str, after: &str) {
    assert_eq!((answer.status, answer.problem().as_str()), (503, reason));
    assert_eq!(answer.header("retry-after"), after);
}

#[tokio::test]
async fn a_locked_store_is_said_within_two_seconds_and_gets_over_it() {
    let lab = Lab::start().await;
    let mut other = lab.second_connection().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let began = Instant::now();
    let bodies: Vec<String> = (0..8).map(|n| format!(r#"{{"n": {n}}}"#)).collect();
    let posts = bodies.iter().map(|body| lab.post("/hooks/lab", body));
    for answer in futures::future::join_all(posts).await {
        come_back(&answer, "not-stored", "5");
    }
    assert!(began.elapsed() < SOON);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    for body in &bodies {
        lab.post("/hooks/lab", body).await.stored();
    }
    assert_eq!(lab.deliveries().await, 8);
    let counts = lab.rejections.counts();
    let counted: u64 = counts.values().sum();
    assert_eq!(counted, 8);
    let expected = ["store locked", "store too slow"];
    assert!(counts.keys().all(|(_, reason)| expected.contains(reason)), "{counts:?}");
}

#[tokio::test]
async fn a_store_that_takes_too_long_is_not_waited_for() {
    let mut lab = Lab::without_writer(Limits {
        store: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    come_back(&lab.post("/hooks/lab", "[1]").await, "not-stored", "5");
    assert_eq!(lab.rejections.last("lab")[0].reason, "store too slow");
    let mut commits = lab.store.commits();
    lab.run_writer();
    commits.changed().await.unwrap();
    // It was stored in the end, though nobody had been told; sent again, as asked, it is the same delivery.
    assert!(lab.post("/hooks/lab", "[1]").await.stored().1);
    assert_eq!(lab.deliveries().await, 1);
}

#[tokio::test]
async fn a_full_disk_is_said_at_once_and_gets_over_it() {
    let lab = Lab::start().await;
    let small = lab.post("/hooks/lab", r#"{"n": 1}"#).await.stored().0;
    lab.store.fill_disk(true).await.unwrap();
    let long = format!(r#"{{"long": "{}"}}"#, "x".repeat(200_000));
    for _ in 0..3 {
        let began = Instant::now();
        come_back(&lab.post("/hooks/lab", &long).await, "not-stored", "5");
        assert!(began.elapsed() < SOON);
    }
    let counted = lab.rejections.counts();
    assert_eq!(counted.get(&("lab".to_owned(), "disk full")), Some(&3), "{counted:?}");
    lab.store.fill_disk(false).await.unwrap();
    assert!(!lab.post("/hooks/lab", &long).await.stored().1);
    assert_eq!(lab.post("/hooks/lab", r#"{"n": 1}"#).await.stored(), (small, true));
}

fn arrival(n: usize, body: Vec<u8>) -> Arrival {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&n.to_be_bytes());
    Arrival {
        id: format!("d_{n}").into(),
        source: "lab".to_owned(),
        receipt: ReceiptKey {
            key,
            scope: None,
            weak: Some(Weak { window_ms: 600_000 }),
        },
        received_at: Clock::System.now(),
        headers: "{}".to_owned(),
        body,
    }
}

#[tokio::test]
async fn when_too_much_waits_already_the_answer_comes_at_once() {
    let many = (RECEIPTS_WAITING_MAX, 2);
    let large = (RECEIPTS_WAITING_BYTES >> 20, 1 << 20);
    for (count, bytes) in [many, large] {
        let mut lab = Lab::without_writer(Limits::default()).await;
        for n in 0..count {
            // The place is taken when it is first asked for; nobody waits for the answer.
            let waiting = lab.store.receive(arrival(n, vec![b'1'; bytes])).now_or_never();
            assert_eq!(waiting, None);
        }
        let began = Instant::now();
        come_back(&lab.post("/hooks/lab", "[1]").await, "overloaded", "1");
        assert!(began.elapsed() < SOON / 4);
        lab.run_writer();
        let mut commits = lab.store.commits();
        commits.changed().await.unwrap();
        lab.post("/hooks/lab", "[1]").await.stored();
    }
}
