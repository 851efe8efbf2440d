#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use serde_json::json;

use super::*;

fn utf_16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn json_is_read_in_the_charset_it_comes_in() {
    let body = r#"{"guest": "Zoë Żak", "total": 120.50}"#;
    let expected = json::read(body.as_bytes()).unwrap();
    let marked = |mark: &[u8], bytes: Vec<u8>| [mark, bytes.as_slice()].concat();
    for (kind, bytes) in [
        (None, body.as_bytes().to_vec()),
        (Some(""), body.as_bytes().to_vec()),
        (Some("application/json"), body.as_bytes().to_vec()),
        (Some("Application/JSON ; charset=\"UTF-8\""), body.as_bytes().to_vec()),
        (Some("text/json;charset=utf8"), body.as_bytes().to_vec()),
        (Some("application/vnd.pms+JSON; v=2"), body.as_bytes().to_vec()),
        (Some("application/json; charset=us-ascii"), body.as_bytes().to_vec()),
        (Some("application/json; charset="), body.as_bytes().to_vec()),
        (None, marked(b"\xEF\xBB\xBF", body.as_bytes().to_vec())),
        // The mark counts more than what is said.
        (
            Some("application/json; charset=iso-8859-1"),
            marked(b"\xEF\xBB\xBF", body.as_bytes().to_vec()),
        ),
        (None, marked(b"\xFF\xFE", utf_16(body, false))),
        (
            Some("application/json; charset=utf-16"),
            marked(b"\xFE\xFF", utf_16(body, true)),
        ),
        (Some("application/json; charset=utf-16"), utf_16(body, false)),
        (Some("application/json; charset=utf-16be"), utf_16(body, true)),
        (
            Some("application/json; charset=iso-8859-2"),
            "{\"guest\": \"Zo\u{eb} \u{af}ak\", \"total\": 120.50}"
                .chars()
                .map(|c| c as u8)
                .collect(),
        ),
    ] {
        let (value, text) = decode_with_text(kind, &bytes).unwrap();
        assert_eq!(value, expected, "{kind:?}");
        assert_eq!(text.unwrap(), body, "{kind:?}");
    }
    assert!(matches!(
        decode_with_text(None, b"{}"),
        Ok((_, Some(Cow::Borrowed("{}"))))
    ));
}

#[test]
fn a_form_is_an_object_of_texts() {
    let form = Some(FORM);
    for (bytes, expected) in [
        (
            "code=R1&guest=Zo%C3%AB+%C5%BBak%2B",
            json!({"code": "R1", "guest": "Zoë Żak+"}),
        ),
        ("a=1&a=2&b=&c&a=3", json!({"a": ["1", "2", "3"], "b": "", "c": ""})),
        ("guest%5Bname%5D=A&&x==y&\r\n", json!({"guest[name]": "A", "x": "=y"})),
        ("", json!({})),
        ("payload=%7B%22a%22%3A1%7D", json!({"payload": "{\"a\":1}"})),
        ("bad=%zz%", json!({"bad": "%zz%"})),
        // `curl -d` says form and sends JSON.
        (" {\"a\": \"b=c\"}", json!({"a": "b=c"})),
        ("[1.50]", json!([json::read(b"1.50").unwrap()])),
        ("[0]=x", json!({"[0]": "x"})),
        ("\u{feff}a=1", json!({"a": "1"})),
        ("$serde_json::private::Number=1&a=1", json!({"a": "1"})),
    ] {
        assert_eq!(decode(form, bytes.as_bytes()), Ok(expected), "{bytes}");
    }
    let latin = Some("application/x-www-form-urlencoded; charset=iso-8859-1");
    assert_eq!(decode(latin, b"guest=Zo%EB+Zo\xEB"), Ok(json!({"guest": "Zoë Zoë"})));
    let wide = Some("application/x-www-form-urlencoded; charset=utf-16le");
    assert_eq!(
        decode(wide, &utf_16("guest=Zo%C3%AB", false)),
        Ok(json!({"guest": "Zoë"}))
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let pairs = |n: usize| vec!["a=1"; n].join("&").into_bytes();
    assert!(decode(Some(FORM), &pairs(PAIRS_MAX)).is_ok());
    for (kind, bytes, why) in [
        (Some(FORM), pairs(PAIRS_MAX + 1), Unreadable::TooManyPairs),
        (Some(FORM), b"a=%ff".to_vec(), Unreadable::NotUtf8),
        (Some(FORM), b"\xff=1".to_vec(), Unreadable::NotUtf8),
        (Some(FORM), b"{\"a\": ".to_vec(), Unreadable::NotJson),
        (Some(FORM), "[".repeat(200).into_bytes(), Unreadable::TooDeep),
        (
            Some("application/x-www-form-urlencoded; charset=shift_jis"),
            b"a=%81".to_vec(),
            Unreadable::NotInCharset,
        ),
        (None, b"a=1".to_vec(), Unreadable::NotJson),
        (None, b"{\"a\": \"\xff\"}".to_vec(), Unreadable::NotUtf8),
        (None, b"\xFF\xFE{".to_vec(), Unreadable::NotInCharset),
        (
            Some("application/json; charset=klingon"),
            b"{}".to_vec(),
            Unreadable::Charset,
        ),
        // A name that stands for "do not read this".
        (
            Some("application/json; charset=iso-2022-kr"),
            b"{}".to_vec(),
            Unreadable::Charset,
        ),
        (Some("application/xml"), b"{}".to_vec(), Unreadable::ContentType),
        (
            Some("multipart/form-data; boundary=x"),
            b"{}".to_vec(),
            Unreadable::ContentType,
        ),
        (Some("x\u{e9}+jso"), b"{}".to_vec(), Unreadable::ContentType),
        (Some("é+json"), b"{}".to_vec(), Unreadable::ContentType),
    ] {
        assert_eq!(decode(kind, &bytes), Err(why), "{kind:?}");
    }
}

#[test]
fn what_is_stored_is_read_as_it_came() {
    let headers = r#"{"content-type": "application/x-www-form-urlencoded", "x": "y"}"#;
    assert_eq!(decode_stored(headers, b"a=1"), Ok(json!({"a": "1"})));
    assert_eq!(decode_stored("{}", br#"{"a": "1"}"#), Ok(json!({"a": "1"})));
    assert_eq!(decode_stored("", br#"{"a": "1"}"#), Ok(json!({"a": "1"})));
    assert_eq!(
        shown(r#"{"content-type": "application/json; charset=latin1"}"#, b"\"Zo\xEB\""),
        "\"Zoë\""
    );
    assert_eq!(shown("{}", b"\"Zo\xEB\""), "\"Zo\u{fffd}\"");
}

#[test]
fn what_was_read_can_be_written_and_read_again() {
    let latin = "application/x-www-form-urlencoded; charset=latin1";
    for (kind, bytes) in [
        (FORM, &b"b=1&a=Zo%C3%AB+%26%3D%25&a=2&a=&c%5B%5D==&d"[..]),
        (FORM, b"{\"a\": {\"b\": [1.50, \"=&\"]}}"),
        (latin, b"a=Zo\xEB&b=***"),
        ("application/json; charset=utf-16le", b"\"\0\xeb\0\"\0"),
        ("application/json", b"{\"n\": 12345678901234567890.10}"),
    ] {
        let (value, text) = decode_with_text(Some(kind), bytes).unwrap();
        let written = write(&value, text.is_none());
        assert_eq!(decode(Some(without_charset(kind)), &written), Ok(value), "{kind}");
    }
    assert_eq!(write(&json!({"a": ["1 2", "***"], "b": ""}), true), b"a=1%202&a=***&b=");
}

#[test]
fn a_file_that_looks_like_a_form_is_taken_for_one() {
    for (bytes, form) in [
        (&b"a=1&b=2"[..], true),
        (b"\xEF\xBB\xBF\n code=R1", true),
        (b"{\"a\": \"b=c\"}", false),
        (b" [1]", false),
        (b"hello", false),
        (b"", false),
        (b"\xFF\xFE{\0=\0", false),
    ] {
        assert_eq!(guess_type(bytes).is_some(), form, "{bytes:?}");
    }
}

#[test]
fn of_a_content_type_the_same_part_is_always_read() {
    for long in [
        format!("application/json{}x", " ".repeat(500)),
        format!("application/json{}; charset=utf-16le", " ".repeat(500)),
        format!("{}é", "\r".repeat(500)),
    ] {
        assert_eq!(
            decode(Some(&long), b"[1]"),
            decode(Some(without_charset(&long)), b"[1]")
        );
        assert!(decode(Some(&long), b"[1]").is_ok());
    }
}
