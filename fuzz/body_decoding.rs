//! Bodies of any content type and charset: a value or a known reason, and always the same.
//!
//! An input is the content type in the first line (`-` for none), then the body.

use proptest::prelude::*;
use serde_json::Value;
use stayhook::model::body::{self, FORM, PAIRS_MAX, Unreadable};
use stayhook::model::json::{self, DEPTH_MAX};

use crate::rounds::{Target, run};
use crate::{seeds, values};

const TYPES: &[&str] = &[
    "-",
    "application/json",
    "application/json; charset=utf-8",
    "application/vnd.pms+json; charset=\"UTF-16LE\"",
    "text/json; charset=windows-1252",
    "application/json;charset=iso-2022-jp",
    "application/json; charset=gb18030",
    "application/json; charset=utf-7",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=Shift_JIS",
    "application/x-www-form-urlencoded; charset=utf-16be",
    "APPLICATION/X-WWW-FORM-URLENCODED;charset=big5",
];

fn input(kind: &str, body: &[u8]) -> Vec<u8> {
    [kind.as_bytes(), b"\n", body].concat()
}

fn forms() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[a-z\\[\\]%+=]{0,6}",
        1 => any::<String>(),
        1 => Just("%E4%F6".to_owned()),
        1 => Just("%83%6F".to_owned()),
        1 => Just("%24serde_json::private::Number".to_owned()),
    ];
    prop::collection::vec((piece.clone(), piece), 0..30).prop_map(|pairs| {
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&").into_bytes()
    })
}

/// Text in one of the charsets that senders name, as far as it has the characters.
fn encoded() -> impl Strategy<Value = Vec<u8>> {
    let charset = prop::sample::select(vec![
        "utf-16le",
        "utf-16be",
        "windows-1252",
        "iso-2022-jp",
        "gb18030",
        "shift_jis",
        "big5",
        "utf-8",
    ]);
    (charset, values::any_value(), any::<bool>(), any::<bool>()).prop_map(|(charset, value, named, marked)| {
        let text = format!("{}{value}", if marked { "\u{feff}" } else { "" });
        let bytes = match charset {
            "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            label => encoding_rs::Encoding::for_label(label.as_bytes())
                .unwrap()
                .encode(&text)
                .0
                .into_owned(),
        };
        let kind = if named {
            format!("application/json; charset={charset}")
        } else {
            "application/json".to_owned()
        };
        input(&kind, &bytes)
    })
}

#[test]
fn body_decoding() {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for (at, (_, body)) in seeds::bodies().into_iter().enumerate() {
        all.push(input(TYPES[at % TYPES.len()], &body));
        all.push(input("-", &body));
    }
    let kind = || prop::sample::select(TYPES);
    let made = prop_oneof![
        2 => (kind(), values::any_value()).prop_map(|(kind, value)| input(kind, value.to_string().as_bytes())),
        2 => (kind(), forms()).prop_map(|(kind, body)| input(kind, &body)),
        2 => encoded(),
        1 => (kind(), prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(kind, body)| input(kind, &body)),
        1 => (120_usize..140, any::<bool>()).prop_map(|(deep, closed)| {
            let closing = if closed { "]".repeat(deep) } else { String::new() };
            input("-", format!("{}{closing}", "[".repeat(deep)).as_bytes())
        }),
    ];
    run(Target {
        name: "body_decoding",
        seeds: all,
        tokens: &[
            "; charset=utf-16le",
            "charset=",
            "+json",
            "application/x-www-form-urlencoded\n",
            "\u{feff}",
            "a=1&",
            "a=",
            "[0]=x&",
            "%24serde_json::private::Number=1",
            "{\"$serde_json::private::RawValue\":1}",
            "\\u0024serde_json",
            "\"\\ud83d\\ude00\"",
        ],
        made: made.boxed(),
        cases: 400,
        check: Box::new(holds),
    });
}

fn holds(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let kind = String::from_utf8_lossy(&input[..end]).into_owned();
    let kind = Some(kind.as_str()).filter(|kind| *kind != "-");
    let bytes = input.get(end + 1..).unwrap_or_default();

    let _ = body::guess_type(bytes);
    let headers = serde_json::json!({"content-type": kind}).to_string();
    assert!(
        body::shown(&headers, bytes).len() <= 4 * bytes.len() + 4,
        "what is shown is larger than the body"
    );
    let read = body::decode_with_text(kind, bytes);
    if kind.is_none() {
        as_serde_reads(bytes, &read);
    }
    let stored = body::decode_stored(&headers, bytes);
    let Ok((value, text)) = read else {
        assert_eq!(stored.err(), read.err(), "stored it is read otherwise");
        return;
    };
    assert_eq!(stored.as_ref(), Ok(&value), "stored it is read otherwise");
    assert!(values::depth(&value) <= DEPTH_MAX, "deeper than it may be");
    assert!(
        values::size(&value) <= 4 * bytes.len() + 4,
        "the value is larger than the body"
    );
    assert!(
        text.as_ref().is_none_or(|text| text.len() <= 4 * bytes.len() + 4),
        "the text is larger than the body"
    );
    assert!(!has_own_key(&value), "a key of the parser came through");
    if let Some(text) = &text {
        json::keys_are_single(text.as_bytes(), &value);
    } else {
        of_a_form(&value);
    }
    // Written down it is the same delivery.
    let written = body::write(&value, text.is_none());
    let kind = kind.map(body::without_charset);
    assert_eq!(
        body::decode(kind, &written).as_ref(),
        Ok(&value),
        "written down it reads otherwise"
    );
    assert!(written.len() <= 24 * bytes.len() + 4, "written down it is much larger");
}

/// A body that says nothing of itself is JSON, and is read as the parser reads it.
fn as_serde_reads(bytes: &[u8], ours: &Result<(Value, Option<std::borrow::Cow<'_, str>>), Unreadable>) {
    if encoding_rs::Encoding::for_bom(bytes).is_some() {
        return;
    }
    match (serde_json::from_slice::<Value>(bytes), ours) {
        (Ok(theirs), Ok((ours, _))) if !has_own_key(&theirs) => assert_eq!(*ours, theirs, "it is read otherwise"),
        (Ok(theirs), Err(why)) => panic!("{why:?}, but it is read as {theirs}"),
        // Their bound is one level below ours.
        (Err(why), Ok((ours, _))) => assert!(values::depth(ours) >= 127 || why.is_data(), "{why}, but it was read"),
        _ => {}
    }
}

fn has_own_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_own_key),
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| json::is_own_key(key) || has_own_key(value)),
        _ => false,
    }
}

/// A form is an object of texts and lists of texts.
fn of_a_form(value: &Value) {
    let Value::Object(entries) = value else {
        panic!("a form is no object: {FORM}")
    };
    let mut pairs = 0;
    for value in entries.values() {
        match value {
            Value::String(_) => pairs += 1,
            Value::Array(items) => {
                assert!(
                    items.len() > 1 && items.iter().all(Value::is_string),
                    "a list in a form is of several texts"
                );
                pairs += items.len();
            }
            _ => panic!("a form holds a {value}"),
        }
    }
    assert!(pairs <= PAIRS_MAX, "{pairs} pairs");
}
