//! A file with a body: JSON, or what a form sends.

use serde_json::{Map, Value};

use crate::model::json::{self, Unreadable};

/// The body as a value. A form becomes an object of texts, a name that is there several times a list of them.
///
/// # Errors
///
/// In words, where it is neither.
pub fn read(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    match json::read(bytes) {
        Ok(value) => Ok(value),
        Err(Unreadable::NotUtf8) => Err("it is not UTF-8".to_owned()),
        Err(Unreadable::TooDeep) => Err(format!("it lies more than {} levels deep", json::DEPTH_MAX)),
        Err(Unreadable::NotJson) => {
            let text = String::from_utf8_lossy(bytes);
            let text = text.trim();
            if text.starts_with('<') {
                return Err("it looks like XML; bodies are JSON or a form".to_owned());
            }
            form(text).ok_or_else(|| "it is neither JSON nor a form (`a=1&b=2`)".to_owned())
        }
    }
}

/// `application/x-www-form-urlencoded`; `None` for what is not.
fn form(text: &str) -> Option<Value> {
    let shaped = |c: char| c.is_ascii_graphic() && !matches!(c, '{' | '<' | '"');
    if !text.contains('=') || !text.chars().all(shaped) {
        return None;
    }
    let mut fields = Map::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text)
                .decode_utf8_lossy()
                .into_owned()
        };
        let value = Value::String(decoded(value));
        match fields.get_mut(&decoded(name)) {
            None => _ = fields.insert(decoded(name), value),
            Some(Value::Array(all)) => all.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_become_objects_of_texts() {
        let read = |text: &str| read(text.as_bytes());
        assert_eq!(
            read("code=A%201&guest=Ana+B&room=1&room=2&room=3&x=\n"),
            Ok(json!({"code": "A 1", "guest": "Ana B", "room": ["1", "2", "3"], "x": ""}))
        );
        assert_eq!(
            read("\u{feff}{\"a\": 1.50}").map(|v| v.to_string()),
            Ok("{\"a\":1.50}".to_owned())
        );
        for (wrong, said) in [
            ("", "empty"),
            (" \n", "empty"),
            ("<a/>", "XML"),
            ("{\"a\"", "neither"),
            ("hello", "neither"),
        ] {
            assert!(read(wrong).unwrap_err().contains(said), "{wrong}");
        }
    }
}
