//! A daemon with every kind of secret in its configuration, and targets that repeat whatever they are sent.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// One secret of every kind. What is also known under another name (`pms:<password>` on the wire) is found by its form.
pub const ADMIN: &str = "canary-admin-0123456789abcdef";
pub const TOKEN: &str = "canary-token-0123456789abcdef";
pub const NEXT_TOKEN: &str = "canary-next-token-0123456789ab";
pub const HEADER_TOKEN: &str = "canary-header-token-0123456789";
pub const FILE_TOKEN: &str = "canary-file-token-0123456789ab";
pub const VARIABLE_TOKEN: &str = "canary-variable-0123456789abcd";
pub const SIGNING: &str = "canary-signing-0123456789abcdef";
pub const STAMPED: &str = "canary-stamped-0123456789abcdef";
pub const PASSWORD: &str = "canary-password-0123456789";
pub const EITHER: &str = "canary-either-0123456789abcdef";
pub const BEARER: &str = "canary-bearer-0123456789";
pub const IN_PATH: &str = "canary-path-0123456789abcdef";
pub const TARGET_PASSWORD: &str = "canary-target-password-012345";
pub const KEY: &str = "canary-refused-0123456789";
pub const DENIED: &str = "canary-denied-0123456789";
pub const MAIL: &str = "canary-mail-0123456789";

pub const SECRETS: &[&str] = &[
    ADMIN,
    TOKEN,
    NEXT_TOKEN,
    HEADER_TOKEN,
    FILE_TOKEN,
    VARIABLE_TOKEN,
    SIGNING,
    STAMPED,
    PASSWORD,
    EITHER,
    BEARER,
    IN_PATH,
    TARGET_PASSWORD,
    KEY,
    DENIED,
    MAIL,
];

/// Everything of the guest, of what they write, and of what their stay is called.
pub const GUEST: &[&str] = &[
    "CanaryAnna",
    "CanaryBern",
    "canary.guest",
    "555-0199",
    "Canary Street",
    "CanaryTown",
    "CanaryTongue",
    "CANARYCODE",
    "CanaryWord",
    "CanaryMessage",
    "CanaryPayment",
];

/// The configuration as its user writes it, for targets at these addresses.
pub fn config(target: SocketAddr, mail: SocketAddr) -> String {
    let live = "live_from: 2020-01-01T00:00:00Z";
    format!(
        r#"
sources:
  tokened: {{preset: generic, {live}, token: ["{TOKEN}", "{NEXT_TOKEN}"]}}
  headed: {{preset: generic, {live}, token: "{HEADER_TOKEN}", auth: {{token: {{header: X-Token}}}}}}
  filed: {{preset: generic, {live}, token: "${{file:token.txt}}"}}
  varied: {{preset: generic, {live}, token: "${{CANARY_TOKEN}}"}}
  signed: {{preset: hostelmate, {live}, secret: "{SIGNING}"}}
  stamped:
    preset: generic
    {live}
    secret: "{STAMPED}"
    auth: {{hmac: {{header: X-Signature, algorithm: sha512, encoding: base64, signed: "{{ts}}.{{body}}", timestamp: {{header: X-Time}}}}}}
  basic: {{preset: generic, {live}, basic: {{username: pms, password: "{PASSWORD}"}}}}
  either: {{preset: generic, {live}, token: "{EITHER}", auth: {{any: [{{token: {{}}}}, {{allow_ips: [192.0.2.1]}}]}}}}
connections:
  cleaning: {{http: {{base_url: "http://{target}", headers: {{Authorization: "Bearer {BEARER}"}}, timeout: 2s}}}}
  chat: {{http: {{base_url: "http://{target}/services/{IN_PATH}", timeout: 2s}}}}
  books: {{http: {{base_url: "http://{target}", basic: {{username: stays, password: "{TARGET_PASSWORD}"}}, timeout: 2s}}}}
  denied: {{http: {{base_url: "http://{target}/deny", headers: {{X-Key: "{DENIED}"}}, timeout: 2s}}}}
  refused: {{http: {{base_url: "http://127.0.0.1:1", headers: {{X-Key: "{KEY}"}}, timeout: 2s}}}}
  mail: {{smtp: {{host: "{}", port: {}, tls: none, username: stays, password: "{MAIL}", from: "Stays <stays@example.com>"}}}}
"#,
        mail.ip(),
        mail.port(),
    )
}

/// One recipe a fate.
pub const RECIPES: &[&str] = &[
    // Taken; what comes back is kept and goes into the next step.
    "name: Taken\non: {event: reservation.confirmed}\nactions:\n  - id: first\n    http: {connection: cleaning, url: '/json/{{ reservation.code }}?name={{ reservation.guest.name }}', json: {mail: '{{ reservation.guest.email }}'}, output: {all: $.request, sent: header.X-Sent}}\n  - http: {connection: books, url: '/json', json: {before: '{{ steps.first.output.sent }}'}, output: {all: $.request}}",
    // Refused with an answer that says everything back.
    "name: Rejected\non: {event: reservation.confirmed}\nactions: [{http: {connection: chat, url: '/reject/{{ reservation.guest.first_name }}', json: {all: '{{ payload }}'}}}]",
    "name: Rejected books\non: {event: reservation.confirmed}\nactions: [{http: {connection: books, url: '/reject/{{ reservation.property.address }}', json: {all: '{{ payload }}'}}}]",
    // Broken off in the middle; not reached; our credentials not accepted, until the connection is paused.
    "name: Broken off\non: {event: reservation.confirmed}\nactions:\n  - http: {connection: cleaning, url: '/break/{{ reservation.guest.last_name }}'}\n    retry: never",
    "name: Refused\non: {event: reservation.confirmed}\nactions:\n  - http: {connection: refused, url: '/x/{{ reservation.guest.last_name }}', json: {n: '{{ reservation.guest.phone }}'}}\n    retry: never",
    "name: Denied\non: {event: reservation.confirmed}\nactions: [{http: {connection: denied, url: '/{{ reservation.guest.language }}'}}]",
    "name: Mailed\non: {event: reservation.confirmed}\nactions:\n  - email: {connection: mail, to: '{{ reservation.guest.email }}', subject: 'Hello {{ reservation.guest.name }}', text: '{{ reservation.guest.location }}'}\n    retry: never",
    // Not renderable: a header with a line break, a sum with a name in it.
    "name: Unrendered\non: {event: reservation.confirmed}\nwhen: reservation.guest.location == 'CanaryTown'\nactions: [{http: {connection: cleaning, url: '/x', headers: {X-Name: \"{{ reservation.guest.name }}\\n\"}}}]",
    "name: Miscounted\non: {event: reservation.confirmed}\nactions: [{http: {connection: cleaning, url: '/x', json: {n: '{{ reservation.guest.name * 2 }}'}}}]",
    // A fault of ours while asking whether it is wanted.
    "name: CanaryFaulty\non: {event: reservation.confirmed}\nwhen: reservation.guest.name\nactions: [{http: {connection: cleaning, url: /x}}]",
    "name: Paid\non: {event: payment.created}\nactions: [{http: {connection: books, url: '/reject', json: {what: '{{ payment.description }}'}}}]",
    "name: Written\non: {event: message.received}\nactions: [{http: {connection: chat, url: '/json', json: {text: '{{ message.text }}'}}}]",
];

/// Answers every HTTP request with the request itself, as a target might.
pub async fn echo(listener: TcpListener) {
    let mut talks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        talks.spawn(repeat(stream));
    }
}

async fn repeat(mut stream: TcpStream) {
    let mut all = Vec::new();
    let mut piece = [0_u8; 4096];
    while let Ok(n) = stream.read(&mut piece).await
        && n > 0
    {
        all.extend_from_slice(&piece[..n]);
        let text = String::from_utf8_lossy(&all).to_string();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let lower = head.to_lowercase();
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() < length.unwrap_or(0) {
            continue;
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        let status = match path {
            _ if path.contains("/reject") => "422 No",
            _ if path.contains("/deny") => "401 Not you",
            _ => "200 OK",
        };
        let sent = lower
            .lines()
            .find_map(|line| line.strip_prefix("authorization: "))
            .and_then(|_| {
                head.lines()
                    .find(|line| line.to_lowercase().starts_with("authorization:"))
            })
            .unwrap_or_default();
        let said = match path.contains("/json") {
            true => serde_json::json!({"request": text}).to_string(),
            false => text.clone(),
        };
        let whole = if path.contains("/break") {
            2 * said.len()
        } else {
            said.len()
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {whole}\r\nContent-Type: text/plain\r\nX-Sent: {sent}\r\nConnection: close\r\n\r\n{said}",
        );
        let _ = stream.write_all(answer.as_bytes()).await;
        return;
    }
}

/// A mail server that lets nobody in, and repeats what it was told.
pub async fn refusing_mail(listener: TcpListener) {
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

/// A stay with something of the guest in every field, and `note` beside them.
pub fn stay(code: &str, note: &str) -> String {
    serde_json::json!({
        "code": code, "status": "confirmed", "updated_at": "2027-01-28T09:00:00Z",
        "check_in": "2027-03-27T16:00:00+01:00", "check_out": "2027-04-02T11:00:00+02:00",
        "guest": {"first_name": "CanaryAnna", "last_name": "CanaryBern", "email": "canary.guest@guest.example",
                  "phone": "+1 555-0199", "language": "CanaryTongue", "location": "CanaryTown"},
        "property": {"id": "brannan", "address": "7 Canary Street"},
        "note": note,
    })
    .to_string()
}
