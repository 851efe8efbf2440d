//! A line as it is written, taken apart without a parser.

/// What a line consists of: indent, `- `, a key, a value.
pub(super) struct Parts<'l> {
    /// Where the key, or the value without one, begins (byte).
    pub(super) start: usize,
    /// The key; empty where there is none.
    pub(super) key: &'l str,
    /// Where the value begins (byte); the end of the line where there is none.
    pub(super) value_at: usize,
    /// The value, without spaces around it.
    pub(super) value: &'l str,
}

pub(super) fn parts(line: &str) -> Parts<'_> {
    let mut start = indent_of(line);
    while line[start..].starts_with("- ") {
        let rest = &line[start + 2..];
        start += 2 + (rest.len() - rest.trim_start().len());
    }
    let rest = &line[start..];
    let key_end = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..]
            .find(quote)
            .map(|at| at + 2)
            .filter(|at| rest[*at..].starts_with(':')),
        // Neither a list nor a template begins a key.
        Some('{' | '[') | None => None,
        _ => rest
            .find(": ")
            .or_else(|| rest.trim_end().strip_suffix(':').map(str::len)),
    };
    let Some(key_end) = key_end else {
        return Parts {
            start,
            key: "",
            value_at: start,
            value: rest.trim_end(),
        };
    };
    let after = &rest[key_end + 1..];
    let value = after.trim_start();
    Parts {
        start,
        key: &rest[..key_end],
        value_at: line.len() - value.len(),
        value: value.trim_end(),
    }
}

/// How many bytes of spaces and tabs a line begins with.
pub(super) fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// Whether there is nothing on the line, or a comment only.
pub(super) fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// The last line before this one with something on it.
pub(super) fn before(lines: &[String], at: usize) -> Option<usize> {
    (0..at.min(lines.len())).rev().find(|line| !is_blank(&lines[*line]))
}

/// The lines below this one that are indented deeper.
pub(super) fn children(lines: &[String], at: usize) -> impl Iterator<Item = usize> {
    let indent = lines.get(at).map_or(0, |line| indent_of(line));
    let below = lines.iter().enumerate().skip(at + 1);
    below
        .take_while(move |(_, line)| is_blank(line) || indent_of(line) > indent)
        .map(|(line, _)| line)
}

/// The column, from 1 in characters, of a byte of a line.
pub(super) fn column_of(line: &str, byte: usize) -> usize {
    line[..byte.min(line.len())].chars().count() + 1
}

/// "write `…`", with the line as it should be.
pub(super) fn write(line: &str) -> String {
    format!("write `{}`", line.trim())
}
