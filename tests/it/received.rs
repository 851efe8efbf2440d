//! What comes in and how it is read, through the real program: forms and charsets, what the address says.

use serde_json::Value;

use crate::daemon::{Daemon, Site, request_of};

const FORM: &str = "application/x-www-form-urlencoded";

/// A source `pms` with these settings beside its preset and token.
fn config(settings: &str) -> String {
    format!(
        "sources:\n  pms:\n    preset: generic\n    live_from: 2020-01-01T00:00:00Z\n    token: open-7f2c9d1e\n{settings}"
    )
}

/// Posts to `/hooks/pms` and waits until it is decided; the delivery as the admin API shows it.
async fn told(daemon: &Daemon, rest: &str, kind: &str, body: &str) -> Value {
    let path = format!("/hooks/pms{rest}");
    let (head, answer) = request_of(&daemon.hooks, "POST", &path, kind, body).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let id = answer["delivery"].as_str().unwrap().to_owned();
    decided(daemon, &id).await
}

/// The delivery once it is decided.
async fn decided(daemon: &Daemon, id: &str) -> Value {
    let asked = async {
        loop {
            let (_, body) = daemon.get(&format!("/api/v1/deliveries/{id}")).await.unwrap();
            let shown: Value = serde_json::from_str(&body).unwrap();
            if shown["outcome"] != "undecided" {
                return shown;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), asked)
        .await
        .expect("decided soon")
}

async fn reservation(daemon: &Daemon, code: &str) -> Value {
    let (status, body) = daemon.get(&format!("/api/v1/reservations/pms/{code}")).await.unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn a_form_is_read_like_json_and_again_from_the_store() {
    let target = stayhook::case::HttpStandin::start().await.unwrap();
    let config = config("")
        + &format!(
            "connections: {{books: {{http: {{base_url: \"{}\"}}}}}}\n",
            target.base_url()
        );
    let recipe = "name: Tell\non: {event: reservation.confirmed}\nactions:\n  \
                  - http: {connection: books, url: /a, json: {note: '{{ payload.note }}'}}\n  \
                  - http: {connection: books, url: /b, json: {note: '{{ payload.note }}'}}";
    let site = Site::new(&config, &[recipe]);
    let daemon = site.serve(None).await;
    let form = "code=F1&status=confirmed&check_in_date=2027-03-27&check_out_date=2027-04-02&note=Zo%C3%AB+%26+co";
    let shown = told(&daemon, "?token=open-7f2c9d1e", FORM, form).await;
    assert_eq!((&shown["outcome"], &shown["body"]), (&"processed".into(), &form.into()));
    let stay = reservation(&daemon, "F1").await;
    assert_eq!(stay["reservation"]["check_in_date"], "2027-03-27", "{stay}");
    target.wait_for(2).await;
    for request in target.requests() {
        assert_eq!(request.json()["note"], "Zoë & co");
    }
    let latin = "application/json; charset=utf-16";
    let text = r#"{"code": "U1", "status": "confirmed"}"#;
    let wide: String = text.chars().flat_map(|c| [c, '\0']).collect();
    let shown = told(&daemon, "?token=open-7f2c9d1e", latin, &wide).await;
    assert_eq!((&shown["outcome"], &shown["body"]), (&"processed".into(), &text.into()));
    daemon.stop().await;
}

#[tokio::test]
async fn the_address_is_kept_with_the_delivery_and_read_from_it() {
    let site = Site::new(
        &config("    reservation: {code: query.code, guest: {name: path}}\n"),
        &[],
    );
    let daemon = site.serve(None).await;
    let body = r#"{"status": "confirmed"}"#;
    let shown = told(
        &daemon,
        "/booking_created/open-7f2c9d1e?code=Q%2D1&x=y",
        "application/json",
        body,
    )
    .await;
    assert_eq!(shown["headers"]["?code"], "Q-1", "{shown}");
    assert_eq!(shown["headers"]["/"], "booking_created", "{shown}");
    assert!(!shown.to_string().contains("open-7f2c9d1e"), "{shown}");
    let stay = reservation(&daemon, "Q-1").await;
    assert_eq!(stay["reservation"]["guest"]["name"], "booking_created", "{stay}");
    daemon.stop().await;
}
