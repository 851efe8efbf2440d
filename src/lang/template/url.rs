//! Values in addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::fault::{Fault, Outcome};

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one path segment or query value.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Refuses a path that would climb: what a value says must not choose another endpoint.
pub(super) fn check(url: &str) -> Outcome<()> {
    // What reads addresses drops tabs and line breaks and takes `\` for `/`.
    let read: String = url.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
    let path = read.split(['?', '#']).next().unwrap_or_default();
    for segment in path.split(['/', '\\']) {
        let decoded = percent_decode_str(segment.trim_matches(|c| c <= ' ')).decode_utf8_lossy();
        if matches!(decoded.as_ref(), "." | "..") {
            return Err(
                Fault::new(format!("`{decoded}` cannot be a part of the path of an address"))
                    .help("look at the values this address is made of"),
            );
        }
    }
    Ok(())
}
