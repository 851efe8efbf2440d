//! Senders that take their time, and memory.

use super::*;

#[tokio::test]
async fn a_slow_sender_is_told_and_let_go() {
    let lab = Lab::with(Limits {
        body_read: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let mut stream = TcpStream::connect(lab.address).await.unwrap();
    let sent = Sent::post("/hooks/lab", r#"{"a": "never finished"}"#);
    let bytes = sent.bytes();
    stream.write_all(&bytes[..bytes.len() - 5]).await.unwrap();
    let mut answer = Vec::new();
    // Ends, although this side has not closed: the other one does.
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = Answer::parse(&answer);
    assert_eq!((answer.status, answer.problem().as_str()), (408, "slow"));
    assert_eq!(answer.header("connection"), "close");
    assert_eq!(lab.deliveries().await, 0);
}

#[tokio::test]
async fn bodies_share_a_bounded_memory_and_give_it_back() {
    let lab = Lab::with(Limits {
        held_bytes: 64 << 10,
        ..Limits::default()
    })
    .await;
    let body = |bytes: usize| format!("[{}1]", " ".repeat(bytes));
    let many = gzip(body(40 << 10).as_bytes());
    for round in 0..3 {
        let answer = lab.post("/hooks/lab", &body(100 << 10)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (503, "overloaded"));
        assert_eq!(answer.header("retry-after"), "1");
        // More than half of it each time: what the one before held has been given back.
        assert_eq!(lab.post("/hooks/lab", &body(50 << 10)).await.stored().1, round > 0);
        let packed = Sent::post("/hooks/lab", many.clone()).header("Content-Encoding", "gzip");
        assert!(lab.send(&packed).await.stored().1);
        assert_eq!(lab.post("/hooks/lab", &"{".repeat(50 << 10)).await.status, 400);
    }
}
