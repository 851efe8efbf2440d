//! What comes in and how it is read, through the real program: forms and charsets, what the address says, and what of it
//! is kept.

use serde_json::Value;

use crate::canary::search;
use crate::daemon::{Daemon, Site, request, request_of};

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
    let target = crate::standin::HttpStandin::start().await.unwrap();
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

#[tokio::test]
async fn a_get_is_a_delivery_of_what_its_query_says() {
    let site = Site::new(&config("    methods: GET\n"), &[]);
    let daemon = site.serve(None).await;
    let path = "/hooks/pms/open-7f2c9d1e?code=G1&status=confirmed&check_in_date=2027-03-27&check_out_date=2027-04-02";
    let (status, answer) = request(&daemon.hooks, "GET", path, "").await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let shown = decided(&daemon, answer["delivery"].as_str().unwrap()).await;
    assert_eq!(shown["outcome"], "processed", "{shown}");
    let stay = reservation(&daemon, "G1").await;
    assert_eq!(stay["reservation"]["check_out_date"], "2027-04-02", "{stay}");
    daemon.stop().await;
}

#[tokio::test]
async fn a_secret_in_a_delivery_is_kept_nowhere() {
    const SECRET: &str = "canary-inbound-0123456789abcdef";
    let target = crate::standin::HttpStandin::start().await.unwrap();
    let config = config("    methods: [POST, GET]\n    secrets: [$.data.access_token, $.key, query.key]\n")
        + &format!(
            "connections: {{books: {{http: {{base_url: \"{}\"}}}}}}\n",
            target.base_url()
        );
    let recipe = "name: Tell\non: {event: reservation.confirmed}\nactions:\n  \
                  - http: {connection: books, url: /a, json: {all: '{{ payload | json }}'}}";
    let site = Site::new(&config, &[recipe]);
    let daemon = site.serve_logging("trace").await;
    let json = "application/json";
    let stay = |code: &str, more: &str| {
        format!(
            r#"{{"code": "{code}", "status": "confirmed", "check_in_date": "2027-03-27", "check_out_date": "2027-04-02", "n": 1.50{more}}}"#
        )
    };
    let plain = stay("P", "");
    let token = "?token=open-7f2c9d1e";
    let with_key = format!("{token}&key={SECRET}");
    let nested = stay("N", &format!(r#", "data": {{"access_token": "{SECRET}"}}"#));
    let twice = stay("T", &format!(r#", "key": "{SECRET}", "key": null"#));
    let form = format!("key={SECRET}&code=F&status=confirmed&check_in_date=2027-03-27&check_out_date=2027-04-02&key=x");
    for (rest, kind, body, kept) in [
        (with_key.as_str(), json, plain.as_str(), None),
        (token, json, &nested, Some("\"access_token\":\"***\"")),
        (token, FORM, &nested.replace("\"N\"", "\"M\""), Some("\"n\":1.50")),
        (token, json, &twice, Some("\"key\":null")),
        (token, FORM, &form, Some("key=***")),
    ] {
        let shown = told(&daemon, rest, kind, body).await;
        assert_eq!(shown["outcome"], "processed", "{shown}");
        match kept {
            None => assert_eq!(shown["body"], body),
            Some(kept) => assert!(shown["body"].as_str().unwrap().contains(kept), "{shown}"),
        }
    }
    // The same with another secret is the same delivery.
    let again = nested.replace(SECRET, "another-one");
    let path = format!("/hooks/pms{token}");
    let (_, answer) = request(&daemon.hooks, "POST", &path, &again).await.unwrap();
    assert!(answer.contains("\"duplicate\":true"), "{answer}");
    let get = format!("/hooks/pms{with_key}&{}", form.replace("code=F", "code=G"));
    let (status, answer) = request(&daemon.hooks, "GET", &get, "").await.unwrap();
    assert_eq!(status, 200, "{answer}");
    target.wait_for(6).await;
    for request in target.requests() {
        search::without("a request", request.text().as_bytes(), &[SECRET]);
    }
    for page in ["deliveries", "events", "runs", "reservations", "sources"] {
        let (_, shown) = daemon.get(&format!("/api/v1/{page}")).await.unwrap();
        search::without(page, shown.as_bytes(), &[SECRET]);
    }
    // While it runs: the write-ahead log too.
    let mut files = 0;
    for file in std::fs::read_dir(site.path()).unwrap().map(|file| file.unwrap().path()) {
        if file.is_file() {
            files += 1;
            search::without(&file.display().to_string(), &std::fs::read(&file).unwrap(), &[SECRET]);
        }
    }
    assert!(files >= 3, "{files}");
    let (_, log) = daemon.stop().await;
    assert!(log.contains("\"stored\""), "{log}");
    search::without("the log", log.as_bytes(), &[SECRET]);
}

/// Which key, which older version, which rule: in the API and on the command line.
#[tokio::test]
async fn every_outcome_says_why() {
    let settings = "    ignore: [{$.kind: weather, because: no stay in it}]\n";
    let site = Site::new(&config(settings), &[]);
    let daemon = site.serve(None).await;
    let stay = |more: &str| {
        format!(
            r#"{{"code": "W", "status": "confirmed", "check_in_date": "2027-03-27", "check_out_date": "2027-04-02"{more}}}"#
        )
    };
    let new = stay(r#", "guests": 2, "updated_at": "2027-01-02T00:00:00Z""#);
    let old = stay(r#", "guests": 3, "updated_at": "2027-01-01T00:00:00Z""#);
    let named = stay(r#", "guests": 2, "event_id": "e1", "updated_at": "2027-01-02T00:00:00Z""#);
    let bare = r#"{"kind": "weather"}"#;
    for (body, outcome, because, key) in [
        (
            new.as_str(),
            "processed",
            "reservation.created, reservation.confirmed",
            "entry 2 of 3: $.updated_at and the body without $.sent_at",
        ),
        (
            &old,
            "stale",
            "older (2027-01-01T00:00:00+00:00) than what is known (2027-01-02T00:00:00+00:00)",
            "entry 2 of 3",
        ),
        (&named, "unchanged", "known already", "entry 1 of 3: $.event_id"),
        (
            bare,
            "ignored",
            "no stay in it",
            "entry 3 of 3: the body without $.sent_at",
        ),
        (
            r#"{"x": 1}"#,
            "unmapped",
            "looked at $.code, $.id, $.ids[*]",
            "entry 3 of 3",
        ),
    ] {
        let shown = told(&daemon, "?token=open-7f2c9d1e", "application/json", body).await;
        let said = |key: &str| shown[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(said("outcome"), outcome, "{shown}");
        assert!(said("because").contains(because), "{shown}");
        assert!(said("recognised_by").contains(key), "{shown}");
        let output = site
            .command(&["deliveries", "show", &said("id")])
            .output()
            .await
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        for part in [outcome, because, key] {
            assert!(printed.contains(part), "{part}: {printed}");
        }
    }
    daemon.stop().await;
}

/// A mapping that is written later finds what says which event it is, where that does not stand in the body.
#[tokio::test]
async fn a_source_that_learns_keeps_what_says_what_it_is_about() {
    let learning = "sources:\n  pms:\n    learn: true\n    token: open-7f2c9d1e\n";
    let site = Site::new(learning, &[]);
    let daemon = site.serve(None).await;
    let body = r#"{"id": 7, "from": "2027-03-27", "to": "2027-04-02"}"#;
    let rest = "/booked?token=open-7f2c9d1e&event=made&key=abc&event_token=x";
    let kind = "application/json\r\nX-Event: stay.made\r\nX-Event-Signature: 0123\r\nX-Other: y";
    let shown = told(&daemon, rest, kind, body).await;
    let kept: Vec<&str> = shown["headers"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(kept, ["/", "?event", "content-type", "x-event"], "{shown}");
    let id = shown["id"].as_str().unwrap().to_owned();
    let printed = site.command(&["deliveries", "show", &id]).output().await.unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    for line in ["header.x-event: stay.made", "query.event: made", "path: booked"] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    daemon.stop().await;
    let mapped = "sources:\n  pms:\n    token: open-7f2c9d1e\n    map:\n      applies_to: {header.X-Event: \"stay.*\", query.event: made, path: booked}\n      \
                  reservation: {ids: $.id, status: {value: confirmed}, check_in_date: $.from, check_out_date: $.to}\n";
    site.configure(mapped);
    let daemon = site.serve(None).await;
    let replay = format!("/api/v1/deliveries/{id}/replay");
    let (status, answer) = request(&daemon.admin, "POST", &replay, "{}").await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let again = async {
        loop {
            let shown = decided(&daemon, &id).await;
            if shown["outcome"] == "processed" {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), again)
        .await
        .expect("it is read");
    daemon.stop().await;
}
