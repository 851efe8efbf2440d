//! From the bytes of a body to its values. What comes in and what is stored is read here and nowhere else, so that a
//! delivery says tomorrow what it said today.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::json;

/// The content type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// How many pairs a form may have.
pub const PAIRS_MAX: usize = 5_000;

/// So much of a content type is looked at; as much is kept with a delivery.
const TYPE_MAX: usize = 500;

/// What is encoded in a form: everything but letters, digits and what needs it nowhere.
const FORM_TEXT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// Why a body is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The content type is neither JSON nor a form.
    ContentType,
    /// The content type names a charset that nobody knows.
    Charset,
    /// No charset is named, and the bytes are not UTF-8.
    NotUtf8,
    /// The bytes are not text in the charset that is named.
    NotInCharset,
    /// Nested deeper than [`json::DEPTH_MAX`].
    TooDeep,
    /// Not one whole JSON value.
    NotJson,
    /// A form of more than [`PAIRS_MAX`] pairs.
    TooManyPairs,
}

impl Unreadable {
    /// What is the matter, as the end of a sentence about the body.
    pub fn says(self) -> &'static str {
        match self {
            Unreadable::ContentType => "is neither JSON nor a form by its content type",
            Unreadable::Charset => "is in a charset that is not known",
            Unreadable::NotUtf8 => "is not UTF-8",
            Unreadable::NotInCharset => "is not in the charset that its content type names",
            Unreadable::TooDeep => "is nested too deeply",
            Unreadable::NotJson => "is not JSON",
            Unreadable::TooManyPairs => "is a form with too many fields",
        }
    }
}

impl From<json::Unreadable> for Unreadable {
    fn from(why: json::Unreadable) -> Unreadable {
        match why {
            json::Unreadable::NotUtf8 => Unreadable::NotUtf8,
            json::Unreadable::TooDeep => Unreadable::TooDeep,
            json::Unreadable::NotJson => Unreadable::NotJson,
        }
    }
}

/// What a content type says of a body.
#[derive(Clone, Copy, Debug)]
struct Sort {
    form: bool,
    /// The charset that is named; a byte order mark has the last word.
    charset: Option<&'static Encoding>,
}

/// The body as a value: JSON, or a form as an object of texts, in which a name that is there several times is a list of
/// texts. Without a content type it is JSON. Of a key of JSON that is there twice the last counts.
///
/// # Errors
///
/// Where it cannot be read, or goes beyond a bound.
pub fn decode(content_type: Option<&str>, bytes: &[u8]) -> Result<Value, Unreadable> {
    Ok(decode_with_text(content_type, bytes)?.0)
}

/// The same of a body as it is stored, with the `headers` that were kept with it, a JSON object.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_stored(headers: &str, bytes: &[u8]) -> Result<Value, Unreadable> {
    decode(kept_type(headers).as_deref(), bytes)
}

/// The body as [`decode`] reads it, and the text of the JSON; no text where it is a form.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_with_text<'b>(
    content_type: Option<&str>,
    bytes: &'b [u8],
) -> Result<(Value, Option<Cow<'b, str>>), Unreadable> {
    let sort = sort(content_type)?;
    if !sort.form {
        let text = text(sort.charset, bytes)?;
        return Ok((json::read_text(&text)?, Some(text)));
    }
    // `curl -d '{…}'` says that it is a form.
    if let Ok(text) = text(sort.charset, bytes)
        && text.trim_start().starts_with(['{', '['])
    {
        match json::read_text(&text) {
            Ok(value) => return Ok((value, Some(text))),
            // A name may begin like that, but a form has a `=` in it.
            Err(json::Unreadable::NotJson) if text.contains('=') => {}
            Err(why) => return Err(why.into()),
        }
    }
    form(sort.charset, bytes).map(|value| (value, None))
}

/// The content type among the headers that are kept with a delivery, a JSON object.
fn kept_type(headers: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Kept {
        #[serde(rename = "content-type")]
        content_type: Option<String>,
    }
    serde_json::from_str::<Kept>(headers).ok()?.content_type
}

/// The text of a body for people to read; what is no text is replaced.
pub fn shown(headers: &str, bytes: &[u8]) -> String {
    let charset = sort(kept_type(headers).as_deref()).ok().and_then(|sort| sort.charset);
    match text(charset, bytes) {
        Ok(text) => text.into_owned(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The content type of a body that comes without one, from a file: a form, or nothing where it looks like JSON.
pub fn guess_type(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii();
    let marked = Encoding::for_bom(bytes).is_some_and(|(charset, _)| charset != UTF_8);
    let begins_as_json = text.first().is_none_or(|byte| b"{[\"".contains(byte));
    (!marked && !begins_as_json && text.contains(&b'=')).then_some(FORM)
}

/// A value as [`decode_with_text`] read it, written down once more in UTF-8; with every digit, in another order. `form`
/// where it gave no text.
pub fn write(value: &Value, form: bool) -> Vec<u8> {
    match value {
        Value::Object(fields) if form => form_of(fields),
        other => other.to_string().into_bytes(),
    }
}

/// The content type without what it says of a charset: that of a body that was written down in UTF-8.
pub fn without_charset(content_type: &str) -> &str {
    looked_at(content_type).split(';').next().unwrap_or_default().trim()
}

/// What of a content type is read.
fn looked_at(content_type: &str) -> &str {
    let end = content_type.char_indices().nth(TYPE_MAX);
    end.map_or(content_type, |(end, _)| &content_type[..end])
}

fn form_of(fields: &Map<String, Value>) -> Vec<u8> {
    let mut out = String::new();
    let mut pair = |name: &str, value: &Value| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        for (mark, text) in [(if out.is_empty() { "" } else { "&" }, name), ("=", value.as_str())] {
            out.push_str(mark);
            out.extend(utf8_percent_encode(text, FORM_TEXT));
        }
    };
    for (name, value) in fields {
        match value {
            Value::Array(values) => values.iter().for_each(|value| pair(name, value)),
            one => pair(name, one),
        }
    }
    out.into_bytes()
}

/// Whether a content type says what a body is: JSON or a form.
pub fn is_known(content_type: &str) -> bool {
    !matches!(sort(Some(content_type)), Err(Unreadable::ContentType))
}

fn sort(content_type: Option<&str>) -> Result<Sort, Unreadable> {
    let json = Sort {
        form: false,
        charset: None,
    };
    let Some(whole) = content_type else { return Ok(json) };
    let mut parts = looked_at(whole).split(';');
    let kind = parts.next().unwrap_or_default().trim();
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    let form = is(FORM);
    // Of no type of more than ASCII a slice from the end could split a character.
    let plus_json = kind.is_ascii() && kind.len() >= 5 && kind[kind.len() - 5..].eq_ignore_ascii_case("+json");
    if !(form || kind.is_empty() || is("application/json") || is("text/json") || plus_json) {
        return Err(Unreadable::ContentType);
    }
    let mut charset = None;
    for part in parts {
        let Some((name, label)) = part.split_once('=') else {
            continue;
        };
        let label = label.trim().trim_matches(['"', '\'']).trim();
        if !name.trim().eq_ignore_ascii_case("charset") || label.is_empty() {
            continue;
        }
        // Beyond ASCII it is not what it says; UTF-8 is the guess that shows where it is wrong.
        let ascii = label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii");
        let known = Encoding::for_label_no_replacement(label.as_bytes());
        charset = Some(if ascii {
            UTF_8
        } else {
            known.ok_or(Unreadable::Charset)?
        });
        break;
    }
    Ok(Sort { form, charset })
}

/// The text without a byte order mark; borrowed where it is UTF-8.
fn text<'b>(charset: Option<&'static Encoding>, bytes: &'b [u8]) -> Result<Cow<'b, str>, Unreadable> {
    let (encoding, rest) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, &bytes[mark..]),
        None => (charset.unwrap_or(UTF_8), bytes),
    };
    if encoding == UTF_8 {
        let text = std::str::from_utf8(rest).map_err(|_| Unreadable::NotUtf8)?;
        return Ok(Cow::Borrowed(text));
    }
    encoding
        .decode_without_bom_handling_and_without_replacement(rest)
        .ok_or(Unreadable::NotInCharset)
}

fn form(charset: Option<&'static Encoding>, bytes: &[u8]) -> Result<Value, Unreadable> {
    let wide = Encoding::for_bom(bytes).map_or(charset, |(encoding, _)| Some(encoding));
    if wide.is_some_and(|encoding| !encoding.is_ascii_compatible()) {
        return pairs(None, text(charset, bytes)?.as_bytes());
    }
    pairs(charset, bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
}

fn pairs(charset: Option<&'static Encoding>, bytes: &[u8]) -> Result<Value, Unreadable> {
    let mut found = Map::new();
    let mut left = PAIRS_MAX;
    for pair in bytes.trim_ascii().split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        left = left.checked_sub(1).ok_or(Unreadable::TooManyPairs)?;
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let name = piece(charset, &pair[..at])?;
        let value = Value::String(piece(charset, pair.get(at + 1..).unwrap_or_default())?);
        if json::is_own_key(&name) {
            continue;
        }
        match found.get_mut(&name) {
            None => {
                found.insert(name, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Ok(Value::Object(found))
}

/// A name or a value of a form. Its bytes are in the charset only once they are decoded.
fn piece(charset: Option<&'static Encoding>, bytes: &[u8]) -> Result<String, Unreadable> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let plain: Vec<u8> = percent_decode(&spaced).collect();
    match charset.filter(|charset| *charset != UTF_8) {
        None => String::from_utf8(plain).map_err(|_| Unreadable::NotUtf8),
        Some(charset) => charset
            .decode_without_bom_handling_and_without_replacement(&plain)
            .map(Cow::into_owned)
            .ok_or(Unreadable::NotInCharset),
    }
}

#[cfg(test)]
mod tests;
