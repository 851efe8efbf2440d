//! The beginning of an answer, fit to be kept and shown.

use crate::lang::line::is_control;

/// This many characters are kept.
pub const CHARS_MAX: usize = 2000;

/// The first [`CHARS_MAX`] characters; what is not text or would steer a terminal becomes `�`. `None` for nothing.
pub fn of(body: &[u8]) -> Option<String> {
    // Four bytes a character at the most: no need to look at more.
    let head = &body[..body.len().min(CHARS_MAX * 4)];
    let text: String = String::from_utf8_lossy(head)
        .chars()
        .map(shown)
        .take(CHARS_MAX)
        .collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn shown(char: char) -> char {
    match char {
        '\n' | '\t' => char,
        '\r' => ' ',
        _ if is_control(char) => '\u{fffd}',
        _ => char,
    }
}

#[cfg(test)]
mod tests;
