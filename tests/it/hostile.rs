//! What guests and senders may write, and where it must not lead.

use serde_json::json;

use crate::sender::{plan, stay, with};

const TELL: &str = r#"
name: Tell
on: {event: reservation.confirmed}
actions:
  - http:
      connection: cleaning
      method: PUT
      url: '/tasks/{{ reservation.code }}?name={{ reservation.guest.name }}'
      json: {name: '{{ reservation.guest.name }}', code: '{{ reservation.code }}'}
  - email:
      to: '{{ reservation.guest.email }}'
      subject: 'Welcome {{ reservation.guest.name }}'
      text: 'Dear {{ reservation.guest.name }}'
      html: '<p>Dear {{ reservation.guest.name }}</p>'
"#;

#[tokio::test]
async fn names_arrive_as_names_and_nothing_else() {
    for name in [
        "\"><script>alert(1)</script>",
        "{{ 7*7 }}",
        "{% for x in y %}",
        "O'Brien & <Söhne>",
        "a/../b",
        "%2e%2e%2f",
        "nul\u{0}and\u{1b}[31m\u{7}",
        "line\r\nBcc: evil@z.example\r\n\r\nbody",
        "\u{202e}gnp.exe",
        "=cmd|' /C calc'!A0",
    ] {
        let house = plan().recipe(TELL).build().await;
        let body = with(
            "A",
            "confirmed",
            1,
            &json!({"guest": {"name": name, "email": "g@guest.example"}}),
        );
        house.tell("ours", &body).await;
        let runs = house.runs().await;
        assert_eq!(runs.len(), 1, "{name:?} {:#?}", house.deliveries().await);
        let requests = house.cleaning.requests();
        assert_eq!(requests.len(), 1, "{name:?} {runs:#?}");
        let (path, query) = requests[0].path_and_query.split_once('?').unwrap();
        assert_eq!(path, "/tasks/A");
        let clean = |c: char| c.is_ascii_alphanumeric() || "%-._~=".contains(c);
        assert!(query.starts_with("name=") && query.chars().all(clean), "{query}");
        // NUL alone is replaced: no database and no target takes it.
        assert_eq!(requests[0].json()["name"], name.replace('\0', "\u{fffd}"), "{name:?}");
        let letters = house.mail.letters();
        assert_eq!(runs[0].state, "succeeded", "{name:?}: {}", runs[0].reason);
        assert_eq!(letters.len(), 1);
        let raw = letters[0].text();
        let head = raw.split("\r\n\r\n").next().unwrap();
        assert!(!head.to_lowercase().contains("\nbcc:"), "{head}");
        for (kind, text) in letters[0].parts() {
            assert!(kind.contains("plain") || !text.contains("<script>"), "{kind}: {text}");
        }
        for letter in &letters {
            assert_eq!(letter.to, ["g@guest.example"], "{name:?}");
        }
    }
}

const NAMED: &str = r#"
name: Named
on: {event: reservation.confirmed}
actions:
  - http:
      connection: cleaning
      url: /x
      headers: {X-Guest: 'for {{ reservation.guest.name }}', X-Request: '{{ run.key }}'}
  - email:
      to: '{{ reservation.guest.name }} <{{ reservation.guest.email }}>'
      cc: '"{{ reservation.guest.name }}" <copy@b.example>'
      reply_to: '{{ reservation.guest.name }} <{{ reservation.guest.email }}>'
      subject: '{{ reservation.guest.name }}'
      text: t
"#;

/// What a guest calls himself is his name: neither a second address nor a subject of his own making nor a reason to send
/// nothing.
#[tokio::test]
async fn a_name_beside_an_address_is_only_a_name() {
    for (name, line) in [
        ("Berg, Anna", "Berg, Anna"),
        ("Ana:Maria", "Ana:Maria"),
        ("O\"Neil", "O\"Neil"),
        ("a@b", "a@b"),
        ("Ana <evil@z.example>", "Ana <evil@z.example>"),
        ("=?utf-8?q?You_have_won?=", "=?utf-8?q?You_have_won?="),
        ("Ana\r\nBcc: evil@z.example\tRuiz", "Ana Bcc: evil@z.example Ruiz"),
    ] {
        let house = plan().recipe(NAMED).build().await;
        let guest = json!({"guest": {"name": name, "email": "g@guest.example"}});
        house.tell("ours", &with("A", "confirmed", 1, &guest)).await;
        let runs = house.runs().await;
        assert_eq!(
            (runs.len(), runs[0].state.as_str()),
            (1, "succeeded"),
            "{name:?}: {}",
            runs[0].reason
        );
        let request = &house.cleaning.requests()[0];
        assert_eq!(
            request.header("x-guest"),
            Some(format!("for {line}").as_str()),
            "{name:?}"
        );
        // The example of the reference: an id that every attempt shares.
        assert_eq!(request.header("x-request"), Some(runs[0].id.as_str()));
        let letters = house.mail.letters();
        assert_eq!(letters.len(), 1, "{name:?}");
        assert_eq!(letters[0].to, ["g@guest.example", "copy@b.example"], "{name:?}");
        assert_eq!(letters[0].header("subject").unwrap(), line);
        let raw = letters[0].text();
        assert!(
            !raw.to_lowercase().contains("\nbcc:") && !raw.contains("=?utf-8?q?"),
            "{raw}"
        );
        for field in ["to", "cc", "reply-to"] {
            let shown = letters[0].header(field).unwrap();
            assert!(shown.replace("\\\"", "\"").contains(line), "{field}: {shown}");
        }
    }
}

#[tokio::test]
async fn an_address_is_exactly_one_address() {
    for email in [
        "a@b.example, c@d.example",
        "x@y.example\r\nBcc: evil@z.example",
        "x@y.example\nRCPT TO:<evil@z.example>",
        "<evil@z.example> x@y.example",
        "x@y.example\u{0}",
        "\"a\"@b.example; c@d.example",
        "nobody",
    ] {
        let house = plan().recipe(TELL).build().await;
        let body = with("A", "confirmed", 1, &json!({"guest": {"name": "Ana", "email": email}}));
        house.tell("ours", &body).await;
        let runs = house.runs().await;
        assert_eq!(runs.len(), 1, "{email:?}");
        assert_eq!(runs[0].state, "dead", "{email:?}");
        assert!(
            runs[0].reason.contains("`to`") || runs[0].reason.contains("address"),
            "{email:?}: {}",
            runs[0].reason
        );
        assert!(house.mail.letters().is_empty(), "{email:?}");
    }
}

#[tokio::test]
async fn a_code_chooses_no_other_endpoint() {
    for (code, path) in [
        ("../../users/1?x=", Some("/tasks/..%2F..%2Fusers%2F1%3Fx%3D?name=")),
        ("..", None),
        (".", None),
        ("%2e%2e", Some("/tasks/%252e%252e?name=")),
        ("a#b", Some("/tasks/a%23b?name=")),
        ("a\\b", Some("/tasks/a%5Cb?name=")),
        ("@evil.example/", Some("/tasks/%40evil.example%2F?name=")),
        ("{{ 7*7 }}", Some("/tasks/%7B%7B%207%2A7%20%7D%7D?name=")),
    ] {
        let house = plan().recipe(TELL).build().await;
        house.tell("ours", &stay(code, "confirmed", 1)).await;
        let runs = house.runs().await;
        let requests = house.cleaning.requests();
        let paths: Vec<&str> = requests.iter().map(|request| request.path_and_query.as_str()).collect();
        match path {
            Some(path) => assert_eq!(paths, [path], "{runs:#?}"),
            None => {
                assert!(paths.is_empty(), "{code}: {paths:?}");
                assert_eq!(runs[0].state, "dead");
                assert!(
                    runs[0].reason.contains("cannot be a part of the path"),
                    "{}",
                    runs[0].reason
                );
            }
        }
    }
}

#[tokio::test]
async fn an_address_without_its_value_is_not_asked() {
    let recipe = |url: &str| {
        format!(
            "name: Tidy\non: {{event: reservation.confirmed}}\nactions: [{{http: {{connection: cleaning, method: DELETE, url: '{url}'}}}}]"
        )
    };
    for (url, path) in [
        ("/tasks/{{ reservation.pets }}", None),
        ("/tasks/{{ reservation.guest.email }}/", None),
        ("/tasks/{{ reservation.guest.last_name }}", None),
        ("/tasks/{{ reservation.pets | default(\"\") }}", None),
        ("/tasks/{{ reservation.pets }}?all=1", None),
        ("/tasks/{{ reservation.pets | default(\"none\") }}", Some("/tasks/none")),
        (
            "/tasks{% if reservation.pets is known %}/{{ reservation.pets }}{% endif %}",
            Some("/tasks"),
        ),
        (
            "/tasks/{{ reservation.code }}?pets={{ reservation.pets }}&x=1",
            Some("/tasks/A?pets=&x=1"),
        ),
    ] {
        let house = plan().recipe(&recipe(url)).build().await;
        let body = with("A", "confirmed", 1, &json!({"guest": {"last_name": ""}}));
        house.tell("ours", &body).await;
        let runs = house.runs().await;
        let requests = house.cleaning.requests();
        let paths: Vec<&str> = requests.iter().map(|request| request.path_and_query.as_str()).collect();
        match path {
            Some(path) => assert_eq!(paths, [path], "{url} {runs:#?}"),
            None => {
                assert!(paths.is_empty(), "{url}: {paths:?}");
                assert_eq!(runs[0].state, "dead", "{url}");
                assert!(
                    runs[0]
                        .reason
                        .contains("a value in the path of an address has to be there"),
                    "{}",
                    runs[0].reason
                );
            }
        }
    }
}

#[tokio::test]
async fn whatever_was_sent_goes_out_again_as_it_is() {
    const WHOLE: &str = "name: Whole\non: {event: reservation.confirmed}\nactions: [{http: {connection: cleaning, url: /all, json: {all: '{{ payload.extra }}'}}}]";
    let deep = (0..127).fold(json!(1), |inner, _| json!([inner]));
    let own = r#"{"a": 1, "$serde_json::private::Number": "x"}"#;
    for (extra, sent) in [
        (deep.to_string(), deep.clone()),
        // The parser of JSON has a key of its own; read back, what it stands in would be taken for a number.
        (own.to_owned(), json!({"a": 1})),
        (
            "12345678901234567890123".to_owned(),
            serde_json::from_str("12345678901234567890123").unwrap(),
        ),
    ] {
        let house = plan().recipe(WHOLE).build().await;
        let body = stay("A", "confirmed", 1).replacen('{', &format!("{{\"extra\": {extra},"), 1);
        house.tell("ours", &body).await;
        let runs = house.runs().await;
        assert_eq!(runs[0].state, "succeeded", "{runs:#?}");
        let requests = house.cleaning.requests();
        assert_eq!(requests.len(), 1, "{runs:#?}");
        let got: serde_json::Value =
            stayhook::model::json::unbounded(std::str::from_utf8(&requests[0].body).unwrap()).unwrap();
        assert_eq!(got["all"], sent);
    }
}

#[tokio::test]
async fn a_stay_with_very_many_names_holds_nobody_up() {
    let house = plan().build().await;
    let names: Vec<String> = (0..60_000).map(|n| format!("n{n}")).collect();
    let body = with("A", "confirmed", 1, &json!({"ids": names, "property": {"ids": names}}));
    house.deliver("ours", &body).await;
    house.tell("ours", &stay("B", "confirmed", 1)).await;
    assert_eq!(house.outcomes().await, ["processed", "processed"]);
    assert_eq!(
        house.warnings(0).await,
        [
            "`ids`: the first 200 names of a stay count",
            "`property.ids`: more than 200 values"
        ]
    );
}
