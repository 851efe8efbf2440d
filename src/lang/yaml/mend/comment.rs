//! Comments that were hardly meant as comments.

use super::quote::quoted;

/// A `#` with a text right behind it, where a value stands before it.
pub(in crate::lang::yaml) struct Comment {
    /// Where the `#` stands, from 1 in characters.
    pub(in crate::lang::yaml) column: usize,
    /// The comment, from the `#` on.
    pub(in crate::lang::yaml) text: String,
    /// The whole value in quotes, with the comment as a part of it.
    pub(in crate::lang::yaml) write: String,
}

/// The comment behind a value that begins at a character (from 0).
pub(super) fn after_value(line: &str, at: usize, text: &str, is_quoted: bool) -> Option<Comment> {
    if text.is_empty() && !is_quoted {
        return None;
    }
    let start = byte_of(line, at)?;
    let written = &line[start..];
    let end = if is_quoted {
        end_of_quotes(written)?
    } else {
        written.strip_prefix(text).map(|_| text.len())?
    };
    found(line, start, start + end, text)
}

/// The comment behind a key without a value.
pub(super) fn after_key(line: &str, at: usize, key: &str) -> Option<Comment> {
    let start = byte_of(line, at)?;
    let rest = line[start..].strip_prefix(key)?.strip_prefix(':')?;
    let at = line.len() - rest.len();
    found(line, at, at, "")
}

/// `start` is where the value begins, `end` where it ends: bytes of the line.
fn found(line: &str, start: usize, end: usize, value: &str) -> Option<Comment> {
    let rest = line.get(end..)?;
    let comment = rest.trim_start();
    let gap = rest.len() - comment.len();
    let next = comment.strip_prefix('#')?.chars().next()?;
    // Who writes a comment puts a space behind the `#`, or more of them; and has no template in it.
    let template = comment.contains("{{") || comment.contains("{%");
    if gap == 0 || !template && matches!(next, ' ' | '#' | '!' | '-' | '=' | '\t') {
        return None;
    }
    let comment = comment.trim_end();
    let whole = if value.is_empty() {
        comment.to_owned()
    } else {
        format!("{value}{}{comment}", &rest[..gap])
    };
    Some(Comment {
        column: line[..end + gap].chars().count() + 1,
        text: comment.to_owned(),
        write: format!(
            "{}{}",
            line[..start].trim_start().trim_start_matches("- "),
            quoted(&whole)
        ),
    })
    .map(|found| Comment {
        write: if found.write.starts_with(['"', '\'']) || found.write.contains(": ") {
            found.write
        } else {
            found.write.replacen(':', ": ", 1)
        },
        ..found
    })
}

fn byte_of(line: &str, at: usize) -> Option<usize> {
    line.char_indices().map(|(byte, _)| byte).chain([line.len()]).nth(at)
}

/// Where a text in quotes ends that begins here and ends on this line.
pub(super) fn end_of_quotes(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote == '"' => _ = chars.next(),
            c if c == quote && quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') => _ = chars.next(),
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
