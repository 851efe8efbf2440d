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
fn headers_count_where_nothing_is_signed() {
    let source = mapping("receipt_key: [header.X-Delivery]\nreservation: {code: $.code}");
    let with = |id: &'static str| source.receipt_key(b"", &json("{}"), &move |_| Some(id.to_owned()));
    assert_eq!(with("1").weak, None);
    assert_ne!(with("1").key, with("2").key);
}
