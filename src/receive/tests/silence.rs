//! What a sender is not told, and what is not written down.

use super::*;

fn basic(pair: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

#[tokio::test]
async fn nothing_says_which_part_of_the_proof_was_wrong() {
    let lab = Lab::start().await;
    let body = r#"{"code": "SECRETBODY"}"#;
    let stay = |path: &str| Sent::post(path, body);
    let good = Sent::recorded("hostelmate", "04-payment-created");
    let mut forged = good.clone();
    forged.body.push(b' ');
    let mut unsigned = good.clone();
    unsigned.headers.retain(|(name, _)| name != "X-HM-Signature");
    let from = |ip: &str| stay("/hooks/fenced").header("X-Forwarded-For", ip);
    let pms = |pair: &str| stay("/hooks/old-pms").header("Authorization", &basic(pair));
    let denied = [
        ("no token", stay("/hooks/hospitable-v1"), "no token"),
        (
            "wrong in the path",
            stay("/hooks/hospitable-v1/SECRETTOKEN"),
            "wrong token",
        ),
        (
            "not UTF-8 in the path",
            stay("/hooks/hospitable-v1/%ff%00"),
            "wrong token",
        ),
        (
            "wrong in the query",
            stay("/hooks/hospitable-v1?token=SECRETTOKEN"),
            "wrong token",
        ),
        ("no signature", unsigned, "no signature"),
        ("forged", forged, "wrong signature"),
        ("no password", stay("/hooks/old-pms"), "no user and password"),
        ("wrong password", pms("pms:SECRETWORD"), "wrong user or password"),
        ("wrong user", pms("SECRETUSER:pa55phrase"), "wrong user or password"),
        ("no proxy", stay("/hooks/fenced"), "address not allowed"),
        ("another address", from("198.51.100.7"), "address not allowed"),
        (
            "an address made up by the client",
            from("203.0.113.7, 198.51.100.7"),
            "address not allowed",
        ),
        ("no address", from("SECRETADDRESS"), "address not allowed"),
        // Whoever is not authenticated learns nothing of how bodies are read.
        ("empty", Sent::post("/hooks/hospitable-v1", ""), "no token"),
        ("not JSON", Sent::post("/hooks/hospitable-v1", "{"), "no token"),
        (
            "wrong type",
            stay("/hooks/hospitable-v1").header("Content-Type", "text/plain"),
            "no token",
        ),
    ];
    let mut bodies = std::collections::BTreeSet::new();
    for (what, sent, reason) in &denied {
        let answer = lab.send(sent).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (401, "unauthenticated"),
            "{what}"
        );
        let asks = answer.header("www-authenticate").starts_with("Basic");
        assert_eq!(asks, sent.path == "/hooks/old-pms", "{what}");
        let counted = lab.counted.rejected.lock().unwrap().pop().unwrap();
        assert_eq!(counted.1, *reason, "{what}");
        bodies.insert(answer.body);
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(lab.deliveries().await, 0);
    let believed = [
        stay("/hooks/hospitable-v1/open%2D7f2c9d1e"),
        stay("/hooks/hospitable-v1?x=1&token=open-7f2c9d1e"),
        stay("/hooks/hospitable-v1").header("Authorization", &format!("Bearer {TOKEN}")),
        pms("pms:pa55phrase"),
        from("203.0.113.7"),
        from("192.0.2.1, 203.0.113.7, 127.0.0.9"),
        good,
    ];
    for sent in &believed {
        lab.send(sent).await.stored();
    }
}

/// What the program writes down, gathered.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_of_a_request_is_written_to_the_log_or_sent_back() {
    let written = Written::default();
    let to = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || to.clone())
        .finish();
    // With a single subscriber in the process, other tests' threads, which have none, would decide what is worth telling.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let lab = Lab::start().await;
    let mut answers = String::new();
    for path in [
        "/hooks/lab?q=SECRETQUERY",
        "/hooks/nobody",
        // A token where the name belongs.
        "/hooks/xx-1234567-SECRETTOKEN",
        "/hooks/lab/SECRETTOKEN",
        "/hooks/hospitable-v1/SECRETTOKEN",
        "/hooks/hospitable-v1?token=SECRETTOKEN",
        "/SECRETPAGE",
    ] {
        for body in [r#"{"name": "SECRETBODY"}"#, "SECRETBODY", "[\"SECRETBODY"] {
            let sent = Sent::post(path, body).header("X-Forwarded-For", "SECRETADDRESS");
            answers += &lab.send(&sent.header("User-Agent", "SECRETAGENT")).await.body;
        }
    }
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "/hooks/{source}/{token}",
        "source=\"lab\"",
        "delivery.id=d_",
        "not authenticated",
        "name=\"nobody\"",
        "reason=\"wrong token\"",
    ] {
        let place = if expected.starts_with("not") { &answers } else { &log };
        assert!(place.contains(expected), "{expected} is not in {place}");
    }
    for text in [&log, &answers] {
        assert!(!text.contains("SECRET"), "{text}");
    }
}

#[tokio::test]
async fn the_log_is_told_of_a_few_and_all_are_counted() {
    let written = Written::default();
    let to = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || to.clone())
        .finish();
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let lab = Lab::start().await;
    for n in 0..40 {
        assert_eq!(
            lab.post(&format!("/hooks/hospitable-v1/wrong-{n}"), "{}").await.status,
            401
        );
        assert_eq!(lab.post(&format!("/hooks/nobody-{n}"), "{}").await.status, 404);
    }
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    for line in ["wrong token", "no source has this name"] {
        assert_eq!(log.matches(line).count(), 10, "{log}");
    }
    let counts = lab.rejections.counts();
    assert_eq!(counts[&("hospitable-v1".to_owned(), "wrong token")], 40);
    assert_eq!(counts[&(UNKNOWN.to_owned(), "unknown source")], 40);
}
