//! What recognises a delivery.

use super::*;

fn key(source: &Source, body: &str) -> ReceiptKey {
    source.receipt_key(body.as_bytes(), &json(body), &no_headers)
}

#[test]
fn the_first_entry_that_is_there_counts() {
    let source = mapping(
        "receipt_key: [$.event, [$.updated, {hash: body, without: [$.sent, '$.x[*].at']}], {hash: body, without: [$.sent]}]
duplicate_window: 1h
reservation: {code: $.code}",
    );
    for (one, two, same, weak) in [
        (r#"{"event": 1}"#, r#"{"event": "1", "code": "A"}"#, true, false),
        (r#"{"event": 1}"#, r#"{"event": 2}"#, false, false),
        (
            r#"{"updated": 1, "a": 1, "b": [2]}"#,
            r#"{"b": [2], "a": 1, "updated": 1, "sent": 9}"#,
            true,
            false,
        ),
        (
            r#"{"updated": 1, "x": [{"at": 1}]}"#,
            r#"{"updated": 1, "x": [{"at": 2}]}"#,
            true,
            false,
        ),
        (r#"{"updated": 1, "a": 1}"#, r#"{"updated": 1, "a": 2}"#, false, false),
        (
            r#"{"event": "", "updated": null, "sent": 1}"#,
            r#"{"event": "", "updated": null, "sent": 2}"#,
            true,
            true,
        ),
        (r#"{"code": "A", "n": 1.0}"#, r#"{"code": "A", "n": 1.00}"#, false, true),
        (r#"{"code": "A"}"#, r#"{"code": "B"}"#, false, true),
        ("[]", "{}", false, true),
    ] {
        let (first, second) = (key(&source, one), key(&source, two));
        assert_eq!(first.key == second.key, same, "{one} {two}");
        assert_eq!(first.weak.is_some(), weak, "{one}");
        assert_eq!(second.weak.is_some(), weak, "{two}");
    }
    let first = key(&source, r#"{"code": "A"}"#);
    assert_eq!(first.weak.unwrap().window_ms, 3_600_000);
    assert_eq!(first.scope, key(&source, r#"{"code": "A", "n": 2}"#).scope);
    assert_ne!(first.scope, key(&source, r#"{"code": "B"}"#).scope);
    assert_eq!(key(&source, r#"{"n": 1}"#).scope, None);
}

#[test]
fn without_a_list_the_body_itself_is_the_key() {
    let source = mapping("reservation: {code: $.code}");
    assert_eq!(key(&source, r#"{"a": 1, "b": 2}"#), key(&source, r#"{"b":2,"a":1}"#));
    assert_eq!(key(&source, "{}").weak.unwrap().window_ms, 600_000);
    let empty = |raw: &[u8]| source.receipt_key(raw, &Value::Null, &no_headers).key;
    assert_ne!(empty(b"one"), empty(b"two"));
}

#[test]
fn what_was_replaced_is_neither_a_key_nor_a_name() {
    let source = mapping(
        "secrets: [$..key]\nreceipt_key: [$.key, {hash: body, without: [$.key]}]\nreservation: {code: $.a.key, ids: [$.a.key, $.a.id], status: $.s}",
    );
    let told = |id: &str| {
        let mut body = json(&format!(r#"{{"key": "k1", "a": {{"key": "k2", "id": "{id}"}}}}"#));
        assert!(source.redact(&mut body));
        body.to_string()
    };
    assert_ne!(key(&source, &told("1")).key, key(&source, &told("2")).key);
    assert!(key(&source, &told("1")).weak.is_some());
    let names = facts(&source, &told("1")).remove(0).stay;
    assert_eq!(names.all().collect::<Vec<_>>(), ["1"]);
}

#[test]
fn headers_count_where_nothing_is_signed() {
    let source = mapping("receipt_key: [header.X-Delivery]\nreservation: {code: $.code}");
    let with = |id: &'static str| source.receipt_key(b"", &json("{}"), &move |_| Some(id.to_owned()));
    assert_eq!(with("1").weak, None);
    assert_ne!(with("1").key, with("2").key);
}

#[test]
fn what_would_let_in_or_lose_a_delivery_is_a_mistake() {
    let hmac = |rest: &str| format!("reservation: {{code: $.id}}\nsecret: s\nauth: {{hmac: {{header: X, {rest}}}}}");
    for (settings, code) in [
        (
            hmac("signed: \"{id}{ts}.{body}\", id: {header: Y}, timestamp: {header: T}"),
            "open-ended-id",
        ),
        (hmac("signed: \"{body}{id}\", id: {header: Y}"), "open-ended-id"),
        (
            "auth: none\nsecrets: [\"$['id']\"]\nreceipt_key: [$.id]\nreservation: {code: $.code}".to_owned(),
            "secret-is-read",
        ),
        (
            "auth: {token: {body: $.key}}\ntoken: t\nreservation: {code: $.key}".to_owned(),
            "secret-is-read",
        ),
    ] {
        let (source, report) = tried(&settings);
        assert!(source.is_none(), "{settings}");
        assert!(
            report.items.iter().any(|item| item.code == code),
            "{settings}\n{}",
            report.render(|_| None)
        );
    }
    let left_out = "secrets: [$.key]\nreceipt_key: [{hash: body, without: [$.key]}]\nreservation: {code: $.code}";
    mapping(left_out);
}
