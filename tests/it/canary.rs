//! Promise 10 on the real program: whatever it does, at its most talkative, no secret and nothing of a guest stands where
//! nobody has asked for it, and no secret on the disk.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::daemon::Site;

/// Every secret of the configuration, and what `pms:<password>` becomes on the wire.
const SECRETS: &[&str] = &[
    "canary-admin-0123456789abcdef",
    "canary-token-0123456789abcdef",
    "canary-signing-0123456789abcdef",
    "canary-password-0123456789",
    "cG1zOmNhbmFyeS1wYXNzd29yZC0wMTIzNDU2Nzg5",
    "canary-connection-0123456789",
    "canary-refused-0123456789",
    "canary-mail-0123456789",
];

/// What a sender got wrong; some senders send one source's secret to another, or the right one with a letter too many.
const WRONG: &str = "canary-wrong-0123456789abcdef";

/// Everything of the guest, and of what their stay is called.
const GUEST: &[&str] = &[
    "CanaryAnna",
    "CanaryBern",
    "canary.guest",
    "555-0199",
    "CanaryTown",
    "CANARYCODE",
    "CanaryWord",
];

fn config(cleaning: SocketAddr, mail: SocketAddr) -> String {
    format!(
        r#"
sources:
  tokened: {{preset: generic, live_from: 2020-01-01T00:00:00Z, token: "{}"}}
  signed: {{preset: hostelmate, live_from: 2020-01-01T00:00:00Z, secret: "{}"}}
  basic: {{preset: generic, live_from: 2020-01-01T00:00:00Z, basic: {{username: pms, password: "{}"}}}}
connections:
  cleaning: {{http: {{base_url: "http://{cleaning}", headers: {{Authorization: "Bearer {}"}}, timeout: 2s}}}}
  refused: {{http: {{base_url: "http://127.0.0.1:1", headers: {{X-Key: "{}"}}, timeout: 2s}}}}
  mail: {{smtp: {{host: "{}", port: {}, tls: none, username: stays, password: "{}", from: "Stays <stays@example.com>"}}}}
"#,
        SECRETS[1],
        SECRETS[2],
        SECRETS[3],
        SECRETS[5],
        SECRETS[6],
        mail.ip(),
        mail.port(),
        SECRETS[7],
    )
}

/// One recipe a fate: taken, rejected with an answer that says everything back, unreachable, mailed, not renderable.
const RECIPES: &[&str] = &[
    "name: Taken\non: {event: reservation.confirmed}\nactions: [{http: {connection: cleaning, url: '/tasks/{{ reservation.code }}?name={{ reservation.guest.name }}', json: {mail: '{{ reservation.guest.email }}'}}}]",
    "name: Rejected\non: {event: reservation.confirmed}\nactions: [{http: {connection: cleaning, url: '/reject/{{ reservation.guest.first_name }}', json: {all: '{{ payload }}'}}}]",
    "name: Refused\non: {event: reservation.confirmed}\nactions:\n  - http: {connection: refused, url: '/x/{{ reservation.guest.last_name }}', json: {n: '{{ reservation.guest.phone }}'}}\n    retry: never",
    "name: Mailed\non: {event: reservation.confirmed}\nactions:\n  - email: {connection: mail, to: '{{ reservation.guest.email }}', subject: 'Hello {{ reservation.guest.name }}', text: '{{ reservation.guest.location }}'}\n    retry: never",
    "name: Unrendered\non: {event: reservation.confirmed}\nwhen: reservation.guest.location == 'CanaryTown'\nactions: [{http: {connection: cleaning, url: '/x', headers: {X-Name: \"{{ reservation.guest.name }}\\n\"}}}]",
];

/// Answers every HTTP request with the request itself, as a target might: 422 where the path says so.
async fn echo(listener: TcpListener) {
    let mut talks = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        talks.spawn(async move {
            let mut all = Vec::new();
            let mut piece = [0_u8; 4096];
            while let Ok(n) = stream.read(&mut piece).await
                && n > 0
            {
                all.extend_from_slice(&piece[..n]);
                let text = String::from_utf8_lossy(&all).to_string();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let lower = head.to_lowercase();
                let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                if body.len() < length.unwrap_or(0) {
                    continue;
                }
                let status = if head.contains("/reject/") { "422 No" } else { "200 OK" };
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n{text}",
                    text.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
                return;
            }
        });
    }
}

/// A mail server that lets nobody in, and repeats what it was told.
async fn refusing_mail(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let _ = stream.write_all(b"220 mail\r\n").await;
        let mut piece = [0_u8; 4096];
        while let Ok(n) = stream.read(&mut piece).await
            && n > 0
        {
            let said = String::from_utf8_lossy(&piece[..n]).trim().to_owned();
            let answer = match said.get(..4) {
                Some("EHLO") => "250-mail\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
                _ => format!("535 5.7.8 not with {said}\r\n"),
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
}

/// One request with these headers; the whole answer.
async fn ask(address: &str, line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn stay(code: &str) -> String {
    serde_json::json!({
        "code": code, "status": "confirmed", "updated_at": "2027-01-28T09:00:00Z",
        "check_in": "2027-03-27T16:00:00+01:00", "check_out": "2027-04-02T11:00:00+02:00",
        "guest": {"first_name": "CanaryAnna", "last_name": "CanaryBern", "email": "canary.guest@guest.example",
                  "phone": "+1 555-0199", "location": "CanaryTown"},
        "note": "CanaryWord",
    })
    .to_string()
}

fn without(what: &str, text: &str, words: &[&str]) {
    for word in words {
        assert!(!text.contains(word), "{word} stands in {what}:\n{text}");
    }
}

#[tokio::test]
async fn no_secret_and_no_guest_stands_where_nobody_asked() {
    let cleaning = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mail = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config(cleaning.local_addr().unwrap(), mail.local_addr().unwrap());
    let mut standins = JoinSet::new();
    standins.spawn(echo(cleaning));
    standins.spawn(refusing_mail(mail));
    let site = Site::new(&config, RECIPES);
    // The token of the dashboard goes where the head of the file has its address.
    let file = site.path().join("config.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let admin = format!("admin: {{token: \"{}\", ", SECRETS[0]);
    std::fs::write(&file, text.replacen("admin: {", &admin, 1)).unwrap();

    let daemon = site.serve_logging("trace", None).await;
    let right = format!("POST /hooks/tokened/{}", SECRETS[1]);
    let basic = format!("Authorization: Basic {}\r\n", SECRETS[4]);
    let body = stay("CANARYCODE");
    let mut problems = String::new();
    for (line, headers, body, status) in [
        (right.as_str(), "", body.as_str(), "200"),
        (right.as_str(), "", body.as_str(), "200"),
        ("POST /hooks/basic", basic.as_str(), &stay("CANARYCODE2"), "200"),
        (
            "POST /hooks/tokened",
            &format!("Authorization: Bearer {}\r\n", SECRETS[1]),
            &stay("CANARYCODE3"),
            "200",
        ),
        (
            &format!("POST /hooks/tokened?token={}", SECRETS[1]),
            "",
            "{\"note\": \"CanaryWord\"}",
            "200",
        ),
        // Turned away: wrong, in the wrong place, unreadable, too deep, too large, of another kind, for nobody.
        (&format!("POST /hooks/tokened/{WRONG}?token={WRONG}"), "", &body, "401"),
        (&format!("POST /hooks/tokened/{}x", SECRETS[1]), "", &body, "401"),
        (&format!("POST /hooks/signed/{}", SECRETS[2]), "", &body, "401"),
        (
            "POST /hooks/signed",
            &format!("X-HM-Signature: sha256={WRONG}\r\n"),
            &body,
            "401",
        ),
        (
            "POST /hooks/basic",
            &format!("Authorization: Basic {WRONG}\r\n"),
            &body,
            "401",
        ),
        (
            "POST /hooks/basic",
            &format!("Authorization: Bearer {}\r\n", SECRETS[3]),
            &body,
            "401",
        ),
        (&right, "", "{\"guest\": \"CanaryAnna\"", "400"),
        (
            &right,
            "",
            &format!("[\"CanaryAnna\",{}{}]", "[".repeat(128), "]".repeat(128)),
            "400",
        ),
        (&right, "", &format!("\"CanaryAnna{}\"", "x".repeat(1 << 20)), "413"),
        (&right, "Content-Encoding: CanaryWord\r\n", &body, "415"),
        (&format!("PUT /hooks/tokened/{}", SECRETS[1]), "", &body, "405"),
        (&format!("POST /hooks/CanaryAnna/{}", SECRETS[1]), "", &body, "404"),
        (&format!("POST /CanaryAnna/{}", SECRETS[1]), "", &body, "404"),
    ] {
        let answer = ask(&daemon.hooks, line, headers, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {answer}");
        problems.push_str(&answer);
    }
    let token = format!("Authorization: Bearer {}\r\n", SECRETS[0]);
    for (line, headers, body) in [
        ("GET /api/v1/reservations/CanaryAnna/CANARYCODE9", token.as_str(), ""),
        ("GET /api/v1/runs?state=CanaryAnna&guest=CanaryBern", &token, ""),
        ("GET /api/v1/runs?since=CanaryAnna", &token, ""),
        ("POST /api/v1/runs/CanaryAnna/retry", &token, "{\"CanaryBern\": 1}"),
        (
            "GET /api/v1/reservations/tokened/CANARYCODE",
            &format!("Authorization: Bearer {WRONG}\r\n"),
            "",
        ),
        (&format!("GET /api/v1/runs?token={}", SECRETS[0]), "", ""),
    ] {
        let answer = ask(&daemon.admin, line, headers, body).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{line}: {answer}");
        problems.push_str(&answer);
    }
    // Three stays meet five recipes each. A mail server that lets nobody in is asked again for as long as it takes; all
    // others have ended when nothing is open.
    let mut runs = String::new();
    let ended = async {
        loop {
            runs = ask(&daemon.admin, "GET /api/v1/runs?limit=500", &token, "").await;
            let rows: Value = serde_json::from_str(runs.split_once("\r\n\r\n").unwrap().1).unwrap();
            let rows = rows["items"].as_array().unwrap();
            let settled = |row: &Value| {
                let open = ["scheduled", "ready", "running", "retrying"].contains(&row["state"].as_str().unwrap());
                !open || (row["recipe"] == "Mailed" && row["attempts"].as_i64() > Some(0))
            };
            if rows.len() == 15 && rows.iter().all(settled) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), ended).await;
    assert!(ended.is_ok(), "{runs}");
    assert!(
        runs.contains("\"state\":\"succeeded\"") && runs.contains("\"state\":\"dead\""),
        "{runs}"
    );
    without("the list of runs", &runs, SECRETS);
    let metrics = ask(&daemon.admin, "GET /metrics", "", "").await;
    assert!(metrics.contains("stayhook_"), "{metrics}");
    // While it runs, most of what was written stands in the WAL.
    let kept = |when: &str| {
        for entry in std::fs::read_dir(site.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("stayhook.db") {
                let bytes = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                for secret in SECRETS.iter().chain(&[WRONG]) {
                    assert!(!bytes.contains(secret), "{secret} stands in {name} {when}");
                }
            }
        }
    };
    kept("while it runs");
    let (status, log) = daemon.stop().await;
    kept("after it");
    assert!(status.success());
    assert!(
        log.contains("\"level\":\"DEBUG\"") && log.contains("turned away"),
        "{log}"
    );
    for (what, text) in [("the log", &log), ("an answer", &problems), ("the metrics", &metrics)] {
        without(what, text, SECRETS);
        without(what, text, &[WRONG]);
        without(what, text, GUEST);
    }
}
