//! Reading JSON that came from outside, whole and within bounds.

use serde_json::Value;

/// How deep lists and objects may lie within one another.
pub const DEPTH_MAX: usize = 128;

/// Keys that begin like this are the parser's own: it hands numbers on as an object with such a key
/// (<https://docs.rs/serde_json/latest/src/serde_json/number.rs.html>).
const OWN: &str = "$serde_json::private::";

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not UTF-8.
    NotUtf8,
    /// Deeper than [`DEPTH_MAX`].
    TooDeep,
    /// Not one whole JSON value.
    NotJson,
}

/// One whole JSON value, of which nothing stands deeper than [`DEPTH_MAX`]. Of a key that is there twice the last counts.
///
/// Keys with the parser's own prefix are left out: written down and read once more, they would be taken for numbers, and
/// what they stand in could not be read any more.
///
/// # Errors
///
/// Where it is no JSON, or too deep.
pub fn read(bytes: &[u8]) -> Result<Value, Unreadable> {
    read_text(std::str::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8)?)
}

/// The same of bytes that are known to be UTF-8.
///
/// # Errors
///
/// Where it is no JSON, or too deep.
pub fn read_text(text: &str) -> Result<Value, Unreadable> {
    if depth(text.as_bytes()) > DEPTH_MAX {
        return Err(Unreadable::TooDeep);
    }
    let mut value = unbounded(text).map_err(|_| Unreadable::NotJson)?;
    if text.contains("serde_json") {
        clean(&mut value);
    }
    Ok(value)
}

/// Whether a key is one of the parser's own, of which nothing may be kept.
pub fn is_own_key(key: &str) -> bool {
    key.starts_with(OWN)
}

/// Any type from a text whose depth is known to be bounded. The parser's own bound is 127 levels, which is less than what
/// may come in, and much less than what stands around it once it is stored.
///
/// # Errors
///
/// The parser's.
pub fn unbounded<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Whether no key is there twice within one object of the text that `value` was read from: as many members were read as
/// there are colons outside of texts.
pub fn keys_are_single(text: &[u8], value: &Value) -> bool {
    let (mut colons, mut inside, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b':' if !inside => colons += 1,
            _ => {}
        }
    }
    colons == members(value)
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(entries) => entries.len() + entries.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

/// The deepest point of what may be JSON; what is none is found to be none by the parser.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut most, mut text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'[' | b'{' if !text => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

fn clean(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(members) => {
            members.retain(|key, _| !is_own_key(key));
            members.values_mut().for_each(clean);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use serde_json::json;

    use super::*;

    #[test]
    fn depth_is_bounded_at_exactly_what_is_said() {
        let lists = |n: usize| "[".repeat(n) + &"]".repeat(n);
        let objects = |n: usize| r#"{"a":"#.repeat(n) + "1" + &"}".repeat(n);
        for (text, fine) in [
            (lists(127), true),
            (lists(128), true),
            (lists(129), false),
            (objects(128), true),
            (objects(129), false),
            ("[".repeat(500_000), false),
            (format!(r#""\"{}""#, "[".repeat(5_000)), true),
            (format!(r#"["\\",{}]"#, lists(127)), true),
            (format!(r#"["\\",{}]"#, lists(128)), false),
        ] {
            let got = read(text.as_bytes());
            match fine {
                true => assert!(got.is_ok(), "{got:?}"),
                false => assert_eq!(got, Err(Unreadable::TooDeep)),
            }
        }
        for text in ["]]]]", "[\"", "{}{}", "[1] x", "", "\u{feff}{}"] {
            assert_eq!(read(text.as_bytes()), Err(Unreadable::NotJson), "{text}");
        }
        assert_eq!(read(b"\"\xff\""), Err(Unreadable::NotUtf8));
    }

    #[test]
    fn what_was_read_can_be_written_and_read_again() {
        for text in [
            r#"{"a": 1, "$serde_json::private::Number": "x"}"#,
            r#"{"a": 1, "\u0024serde_json::private::Number": {"b": 1}}"#,
            r#"{"a": [{"a": 1, "$serde_json::private::Number": "1"}]}"#,
            r#"{"a": 1e999999, "b": 123456789012345678901234567890}"#,
        ] {
            let value = read(text.as_bytes()).unwrap();
            assert_eq!(unbounded::<Value>(&value.to_string()).unwrap(), value, "{text}");
        }
        let value = read(br#"{"a": 1, "$serde_json::private::Number": "x"}"#).unwrap();
        assert_eq!(value, json!({"a": 1}));
    }
}
