//! Recorded requests of the senders that have a preset, one after the other over the wire.

use super::*;

#[tokio::test]
async fn recorded_requests_are_stored_and_repetitions_recognised() {
    let lab = Lab::start().await;
    let cases: [(&str, &[&str], &str, &str); 2] = [
        (
            "hospitable-v1",
            &[
                "01-create",
                "02-status-change",
                "03-date-change",
                "04-guest-count-change",
                "05-cancelled",
                "07-out-of-order-a-newer",
                "07-out-of-order-b-older",
            ],
            "06-duplicate-of-02",
            "02-status-change",
        ),
        (
            "hostelmate",
            &[
                "01-booking-created",
                "02-booking-updated-status-only",
                "03-booking-updated-dates",
                "04-payment-created",
                "05-booking-cancelled",
                "06-message-received",
            ],
            "07-duplicate-of-04",
            "04-payment-created",
        ),
    ];
    let mut all = 0;
    for (sender, new, duplicate, first) in cases {
        let mut ids = std::collections::BTreeMap::new();
        for case in new {
            let (id, known) = lab.send(&Sent::recorded(sender, case)).await.stored();
            assert!(!known, "{sender} {case}");
            ids.insert(*case, id);
        }
        all += new.len();
        let answer = lab.send(&Sent::recorded(sender, duplicate)).await.stored();
        assert_eq!(answer, (ids[first].clone(), true), "{sender} {duplicate}");
    }
    assert_eq!(lab.deliveries().await, all as u64);
    assert_eq!(lab.woken.load(Ordering::SeqCst), all);
}

#[tokio::test]
async fn what_is_stored_is_the_body_and_no_credential() {
    let lab = Lab::start().await;
    let sent = Sent::recorded("hostelmate", "04-payment-created")
        .header("Authorization", "Bearer SECRET")
        .header("Cookie", "a=SECRET")
        .header("User-Agent", "hostelmate/1");
    lab.send(&sent).await.stored();
    let mut conn = lab.second_connection().await;
    let (headers, body): (String, Vec<u8>) = sqlx::query_as("SELECT headers, body FROM deliveries")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(body, sent.body);
    let headers: Value = serde_json::from_str(&headers).unwrap();
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["user-agent"], "hostelmate/1");
    assert!(!headers.to_string().contains("SECRET") && headers.get("x-hm-signature").is_none());
}

#[tokio::test]
async fn copies_at_the_same_moment_make_one_delivery() {
    let lab = Lab::start().await;
    for (sender, case) in [("hospitable-v1", "01-create"), ("hostelmate", "01-booking-created")] {
        let sent = Sent::recorded(sender, case);
        let answers = futures::future::join_all((0..64).map(|_| lab.send(&sent))).await;
        let stored: Vec<_> = answers.iter().map(Answer::stored).collect();
        assert_eq!(stored.iter().filter(|(_, duplicate)| !duplicate).count(), 1);
        assert!(stored.iter().all(|(id, _)| *id == stored[0].0));
    }
    assert_eq!(lab.deliveries().await, 2);
    let mut conn = lab.second_connection().await;
    let seen: i64 = sqlx::query_scalar("SELECT sum(duplicates) FROM deliveries")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(seen, 126);
}
