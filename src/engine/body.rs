//! Reading a stored body once more: the values, and what about it deserves a warning.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::model::body::decode_with_text;
use crate::model::json;

/// The body as a value, with a warning where a key is there twice in one object of JSON (the last one wins).
pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<(Value, Vec<String>), String> {
    let read = decode_with_text(content_type, body);
    let (value, text) = read.map_err(|why| format!("the body {}", why.says()))?;
    let Some(text) = text.filter(|text| !json::keys_are_single(text.as_bytes(), &value)) else {
        return Ok((value, Vec::new()));
    };
    let twice = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_str(&text);
    reader.disable_recursion_limit();
    // It has parsed once, so its depth is bounded; the second reading looks at keys only.
    let _ = Keys(&twice).deserialize(&mut reader);
    let warnings = if twice.get() {
        vec!["a key is there twice in one object; the last one counts".to_owned()]
    } else {
        Vec::new()
    };
    Ok((value, warnings))
}

struct Keys<'c>(&'c Cell<bool>);

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            // Numbers arrive here as a map with one private key; that is never there twice.
            if !seen.insert(key) {
                self.0.set(true);
            }
            map.next_value_seed(Keys(self.0))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Keys(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_key_that_is_there_twice_is_said() {
        let twice = br#"{"a": 1, "b": [{"c": 1.50, "c": 12345678901234567890123}]}"#;
        let (value, warnings) = read(None, twice).unwrap();
        assert_eq!(value["b"][0]["c"].to_string(), "12345678901234567890123");
        assert_eq!(warnings.len(), 1);
        assert!(read(None, br#"{"a": {"x": 1}, "b": {"x": 1.5}}"#).unwrap().1.is_empty());
        assert!(
            read(Some("application/x-www-form-urlencoded"), b"a=:1&b=2")
                .unwrap()
                .1
                .is_empty()
        );
        assert_eq!(read(None, b"{").unwrap_err(), "the body is not JSON");
    }
}
