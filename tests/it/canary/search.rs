//! Looking for a word in whatever form it may have been written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The word as it is, in hexadecimal, as in a URL, and in base64 wherever in a longer text it stands.
fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![
        word.to_owned(),
        hex::encode(word),
        hex::encode_upper(word),
        utf8_percent_encode(word, NON_ALPHANUMERIC).to_string(),
    ];
    for shift in 0..3 {
        let shifted = [vec![0; shift], word.as_bytes().to_vec()].concat();
        // What shares a character with what stands before or after it is left out.
        let first = (shift * 8).div_ceil(6);
        let last = shifted.len() * 8 / 6;
        forms.push(STANDARD_NO_PAD.encode(&shifted)[first..last].to_owned());
        forms.push(URL_SAFE_NO_PAD.encode(&shifted)[first..last].to_owned());
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Fails where one of these words stands in it in any form.
pub fn without(what: &str, bytes: &[u8], words: &[&str]) {
    // All forms are ASCII, which stays what it is.
    let text = String::from_utf8_lossy(bytes);
    for word in words {
        for form in forms(word) {
            if let Some(at) = text.find(&form) {
                let around: String = text[..at].chars().rev().take(300).collect();
                let around: String = around.chars().rev().collect();
                panic!("{word} stands in {what} as {form}, behind:\n{around}");
            }
        }
    }
}

#[test]
fn every_form_is_found() {
    for shift in 0..3 {
        let before = "x".repeat(shift);
        let text = STANDARD_NO_PAD.encode(format!("{before}canary-word-01234 and more"));
        let found = std::panic::catch_unwind(|| without("it", text.as_bytes(), &["canary-word-01234"]));
        assert!(found.is_err(), "{shift}");
    }
    without("it", b"nothing of the kind", &["canary-word-01234"]);
}
