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
    let many = gzip(body(100 << 10).as_bytes());
    for round in 0..3 {
        let answer = lab.post("/hooks/lab", &body(150 << 10)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (503, "overloaded"));
        assert_eq!(answer.header("retry-after"), "1");
        // More than half of it each time: what the one before held has been given back.
        assert_eq!(lab.post("/hooks/lab", &body(105 << 10)).await.stored().1, round > 0);
        let packed = Sent::post("/hooks/lab", many.clone()).header("Content-Encoding", "gzip");
        // It says the same.
        assert!(lab.send(&packed).await.stored().1);
        assert_eq!(lab.post("/hooks/lab", &"{".repeat(105 << 10)).await.status, 400);
    }
}

/// A request whose body never ends, after so many bytes of it were sent.
async fn begun(lab: &Lab, path: &str, header: &str, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(lab.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\n{header}Content-Length: {}\r\n\r\n",
        bytes + 1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Where it is answered before, the other side stops reading.
    let _ = stream.write_all(&vec![b' '; bytes]).await;
    stream
}

fn signed(body: &str) -> Sent {
    let source = source(
        "signed",
        "auth: {hmac: {header: X-Sig}}\nsecret: a-secret-of-some-length\nlearn: true",
    );
    let at = DateTime::from_timestamp(1_801_126_803, 0).unwrap();
    let headers = source.sign(body.as_bytes(), at).headers;
    let sent = Sent::post("/hooks/signed", body);
    headers
        .iter()
        .fold(sent, |sent, (name, value)| sent.header(name, value))
}

#[tokio::test]
async fn nobody_keeps_the_memory_from_others() {
    let lab = Lab::with(Limits {
        held_bytes: 8 << 20,
        ..Limits::default()
    })
    .await;
    // Unsigned, to a source that signs: nothing of the head is wrong, so the body is read.
    let mut greedy = Vec::new();
    for _ in 0..2 {
        greedy.push(begun(&lab, "/hooks/signed", "X-Sig: 00\r\n", 6 << 20).await);
    }
    // What everybody sends goes through, by the same source too, and from the same address.
    lab.send(&signed(r#"{"small": 1}"#)).await.stored();
    lab.post("/hooks/lab", r#"{"small": 2}"#).await.stored();
    lab.post("/hooks/large/open-7f2c9d1e", r#"{"small": 3}"#).await.stored();
    // A long one of another address, and of a sender who is known.
    let long = format!("[{}1]", " ".repeat(300 << 10));
    lab.send(&signed(&long).header("X-Forwarded-For", "203.0.113.7"))
        .await
        .stored();
    lab.post("/hooks/large/open-7f2c9d1e", &long).await.stored();
}

#[tokio::test]
async fn without_the_token_of_the_head_no_body_is_read() {
    let lab = Lab::with(Limits {
        held_bytes: 1 << 20,
        ..Limits::default()
    })
    .await;
    let gzip = "Content-Encoding: gzip\r\n";
    for (path, header) in [
        ("/hooks/large", ""),
        ("/hooks/large/wrong", gzip),
        ("/hooks/hospitable-v1?token=wrong", gzip),
        ("/hooks/old-pms", "Authorization: Basic cG1zOndyb25n\r\n"),
        ("/hooks/fenced", gzip),
        // No signature at all, or one that is none.
        ("/hooks/hostelmate", gzip),
        ("/hooks/signed", ""),
        ("/hooks/signed", "X-Sig: sha256\r\n"),
    ] {
        // Announced and not sent: whoever waited for it would wait for ever.
        let mut stream = TcpStream::connect(lab.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{header}Content-Length: 900000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(Answer::parse(&answer).status, 401, "{path} {header}");
    }
    assert_eq!(lab.deliveries().await, 0);
}

#[tokio::test]
async fn gzip_of_strangers_and_out_of_bounds_is_refused_cheaply() {
    use std::io::Write as _;
    let lab = Lab::start().await;
    let packed = |path: &str, body: Vec<u8>| Sent::post(path, body).header("Content-Encoding", "gzip");
    let empty = gzip(b"").repeat(52_000);
    assert!(empty.len() > 1_000_000);
    let zeros = |mib: usize| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        (0..mib).for_each(|_| writer.write_all(&vec![b' '; 1 << 20]).unwrap());
        writer.finish().unwrap()
    };
    let pieces = |count: usize| [gzip(b"").repeat(count - 1), gzip(format!("[{count}]").as_bytes())].concat();
    for (what, sent, status, problem) in [
        (
            "no token",
            packed("/hooks/large", empty.clone()),
            401,
            "unauthenticated",
        ),
        (
            "wrong signature",
            packed("/hooks/signed", empty.clone()).header("X-Sig", "00"),
            413,
            "packed",
        ),
        ("anybody", packed("/hooks/open", empty), 413, "packed"),
        ("65 pieces", packed("/hooks/open", pieces(65)), 413, "packed"),
        ("32 MiB of nothing", packed("/hooks/open", zeros(32)), 413, "packed"),
        (
            "2 MiB of nothing, unproven",
            packed("/hooks/signed", zeros(2)).header("X-Sig", "00"),
            413,
            "too-large",
        ),
    ] {
        let answer = lab.send(&sent).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{what}");
    }
    assert_eq!(lab.deliveries().await, 0);
    assert!(!lab.send(&packed("/hooks/open", pieces(64))).await.stored().1);
    // A signature over the bytes as they came, or over what they unpack to.
    let plain = signed(r#"{"signed": 1}"#);
    let mut over_plain = plain.clone().header("Content-Encoding", "gzip");
    over_plain.body = gzip(&plain.body);
    assert!(!lab.send(&over_plain).await.stored().1);
    let source = source(
        "signed",
        "auth: {hmac: {header: X-Sig}}\nsecret: a-secret-of-some-length\nlearn: true",
    );
    let raw = gzip(br#"{"signed": 2}"#);
    let at = DateTime::from_timestamp(1_801_126_803, 0).unwrap();
    let headers = source.sign(&raw, at).headers;
    let (_, mac) = headers.iter().find(|(name, _)| name == "x-sig").unwrap();
    assert!(
        !lab.send(&packed("/hooks/signed", raw).header("X-Sig", mac))
            .await
            .stored()
            .1
    );
}

#[tokio::test]
async fn a_token_in_the_body_comes_last_and_within_its_own_bounds() {
    let lab = Lab::start().await;
    let body = |filler: usize| format!(r#"{{"key": "{TOKEN}", "f": "{}"}}"#, "x".repeat(filler));
    assert!(!lab.post("/hooks/in-body", &body(1)).await.stored().1);
    let packed = Sent::post("/hooks/in-body", gzip(body(2).as_bytes())).header("Content-Encoding", "gzip");
    assert!(!lab.send(&packed).await.stored().1);
    assert_eq!(lab.post("/hooks/in-body", r#"{"key": "wrong"}"#).await.status, 401);
    assert_eq!(lab.post("/hooks/in-body", "{").await.status, 401);
}
