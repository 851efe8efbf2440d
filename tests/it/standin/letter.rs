//! A mail that reached the stand-in, and how it reads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A mail as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The envelope's sender, without angle brackets.
    pub from: String,
    /// The envelope's recipients, in order.
    pub to: Vec<String>,
    /// Headers and body, lines as they came, dots unescaped.
    pub raw: Vec<u8>,
}

impl Letter {
    /// The raw mail as text, what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// A header's value, unfolded; encoded words (RFC 2047, base64 and UTF-8) are decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (head, _) = text.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let value = unfolded.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })?;
        Some(decode_words(&value))
    }

    /// Every body part, decoded: its `Content-Type` and its text.
    pub fn parts(&self) -> Vec<(String, String)> {
        let text = self.text();
        let kind = self.header("content-type").unwrap_or_default();
        let boundary = kind
            .split_once("boundary=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(boundary, _)| format!("--{boundary}"));
        match boundary {
            None => part(&text).into_iter().collect(),
            Some(boundary) => text
                .split(&boundary)
                .skip(1)
                .filter(|piece| !piece.starts_with("--"))
                .filter_map(part)
                .collect(),
        }
    }
}

/// Base64 as text; what is neither is nothing.
pub(super) fn decoded(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    String::from_utf8_lossy(&STANDARD.decode(clean).unwrap_or_default()).into_owned()
}

/// Encoded words of a header; the space between two of them does not count.
fn decode_words(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some(start) = rest.find("=?utf-8?b?") {
        let (before, word) = (&rest[..start], &rest[start + 10..]);
        let Some((word, tail)) = word.split_once("?=") else {
            break;
        };
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&decoded(word));
        rest = tail;
        after_word = true;
    }
    out.push_str(rest);
    out
}

/// A part of a mail: its kind and its decoded text; `None` for what stands around the parts.
fn part(text: &str) -> Option<(String, String)> {
    let (head, body) = text.trim_start().split_once("\r\n\r\n")?;
    let field = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_ascii_lowercase())
            .unwrap_or_default()
    };
    let body = match field("content-transfer-encoding").as_str() {
        "base64" => decoded(body),
        _ => body.to_owned(),
    };
    Some((field("content-type"), body))
}
