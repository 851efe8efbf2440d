//! `{ … }` and `[ … ]`: what has to stand in quotes inside them, and brackets that do not fit together.

use super::comment::end_of_quotes;
use super::quote::quoted;
use super::{Mend, Said, Trouble, column_of, indent_of, parts, write};

/// What is found in the brackets of one line.
#[derive(Default)]
struct Scan {
    /// The line with quotes where they are needed.
    new: String,
    /// Where each value begins (byte of the old line) that needs quotes, and the value.
    bare: Vec<(usize, String)>,
    /// The brackets still open at the end of the line.
    open: Vec<char>,
    /// Where what was opened first is closed (byte behind it).
    end: Option<usize>,
    /// A bracket that closes nothing, or not what was opened (byte).
    extra: Option<usize>,
    /// A bracket before which another one should have been closed (byte).
    missing: Option<usize>,
    /// A comma with nothing before it (byte).
    comma: Option<usize>,
}

fn scan(line: &str, start: usize) -> Scan {
    let mut found = Scan {
        new: line[..start].to_owned(),
        ..Scan::default()
    };
    let mut at = start;
    let mut fresh = true;
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        let mut step = c.len_utf8();
        let template = rest.starts_with("{{") || rest.starts_with("{%");
        match c {
            ' ' | '\t' => {}
            '#' if line[..at].ends_with(' ') => {
                found.new.push_str(rest);
                return found;
            }
            '"' | '\'' if fresh => {
                step = end_of_quotes(rest).unwrap_or(rest.len());
                fresh = false;
            }
            '{' | '[' if fresh && !template => found.open.push(c),
            '}' | ']' => {
                let opener = if c == '}' { '{' } else { '[' };
                // What was opened inside and is still open comes first.
                if found.open.last().is_some_and(|last| *last != opener) && found.open.contains(&opener) {
                    found.missing.get_or_insert(at);
                    while found.open.last().is_some_and(|last| *last != opener) {
                        found.open.pop();
                        found.new.push(if opener == '{' { ']' } else { '}' });
                    }
                }
                if found.open.pop() != Some(opener) {
                    found.extra.get_or_insert(at);
                }
                fresh = false;
                if found.open.is_empty() {
                    found.new.push_str(rest);
                    found.end = Some(at + 1);
                    let after = rest[1..].trim();
                    if after.starts_with(['}', ']']) {
                        found.extra.get_or_insert(line.len() - rest[1..].trim_start().len());
                    }
                    return found;
                }
            }
            ',' => {
                if fresh {
                    found.comma.get_or_insert(at);
                }
                fresh = true;
            }
            ':' if rest[1..].starts_with([' ', ',', '}', ']']) || rest.len() == 1 => fresh = true,
            _ if fresh => {
                let (end, needs) = bare(rest);
                step = end.max(step);
                if needs {
                    let value = rest[..step].trim_end();
                    found.bare.push((at, value.to_owned()));
                    found.new.push_str(&quoted(value));
                    found.new.push_str(&rest[value.len()..step]);
                    at += step;
                    fresh = false;
                    continue;
                }
                fresh = false;
            }
            _ => {}
        }
        found.new.push_str(&rest[..step]);
        at += step;
    }
    found
}

/// How far a value without quotes was meant to reach, and whether it needs them.
fn bare(rest: &str) -> (usize, bool) {
    let path = rest.starts_with(['$', '@']) && !rest.starts_with("${");
    let mut needs = rest.starts_with(['*', '&', '!', '%', '@', '`']);
    let mut at = 0;
    while let Some(c) = rest[at..].chars().next() {
        let here = &rest[at..];
        let chunk = [("{{", "}}"), ("{%", "%}"), ("${", "}")]
            .into_iter()
            .find(|(open, _)| here.starts_with(open))
            .and_then(|(_, close)| here.find(close).map(|end| end + close.len()));
        let chunk = chunk.or_else(|| (path && c == '[').then(|| here.find(']').map(|end| end + 1)).flatten());
        if let Some(end) = chunk {
            needs = true;
            at += end;
            continue;
        }
        let colon = c == ':' && (here.len() == 1 || here[1..].starts_with([' ', ',', '}', ']']));
        if matches!(c, ',' | '}' | ']' | '{') || colon || here.starts_with(" #") {
            break;
        }
        at += c.len_utf8();
    }
    (rest[..at].trim_end().len(), needs)
}

/// Values inside brackets that need quotes, and brackets and commas too many.
pub(super) fn inside(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let line = lines.get(at)?;
    let parts = parts(line);
    let value = parts.value;
    if !value.starts_with(['{', '[']) || value.starts_with("{{") || value.starts_with("{%") {
        return None;
    }
    let found = scan(line, parts.value_at);
    if let Some((byte, bare)) = found.bare.first() {
        let title = match bare.starts_with('$') && !bare.contains("${") {
            true => format!("inside `{{ }}` and `[ ]` a path with brackets stands in quotes: `{bare}`"),
            false if bare.contains("${") => {
                format!("inside `{{ }}` and `[ ]` a value with a variable stands in quotes: `{bare}`")
            }
            false => format!("inside `{{ }}` and `[ ]` this value has to stand in quotes: `{bare}`"),
        };
        let mut mend = Mend::new(at, column_of(line, *byte), title)
            .help(write(&found.new))
            .with(at, found.new);
        if !found.open.is_empty() {
            mend = mend.unsure();
        }
        return Some(mend);
    }
    if let Some(end) = found
        .end
        .filter(|_| value.starts_with('{') && trouble.said.has(&["did not find expected key"]))
    {
        let new = line[..end].to_owned();
        let mend = Mend::new(at, trouble.column, "something follows behind the closing `}`");
        return Some(
            mend.help(format!(
                "{}; an expression has a line of its own: `when: …`",
                write(&new)
            ))
            .with(at, new)
            .unsure(),
        );
    }
    if trouble.said == Said::Tag || trouble.said == Said::OddKey {
        return None;
    }
    if let Some(byte) = found.comma.filter(|_| trouble.said.has(&["node content"])) {
        let rest = match line[..byte].ends_with(['{', '[']) {
            true => line[byte + 1..].trim_start(),
            false => &line[byte + 1..],
        };
        let new = format!("{}{rest}", &line[..byte]);
        let mend = Mend::new(at, column_of(line, byte), "there is nothing before this comma");
        return Some(mend.help(write(&new)).with(at, new));
    }
    if let Some(byte) = found.missing {
        let bracket = &line[byte..=byte];
        let other = if bracket == "}" { "]" } else { "}" };
        let title = format!("a `{other}` is missing before this `{bracket}`");
        let mend = Mend::new(at, column_of(line, byte), title);
        return Some(mend.help(write(&found.new)).with(at, found.new));
    }
    if let Some(byte) = found.extra {
        let bracket = &line[byte..=byte];
        let new = format!("{}{}", &line[..byte], &line[byte + 1..]);
        let mend = Mend::new(at, column_of(line, byte), format!("this `{bracket}` closes nothing"));
        return Some(mend.help(write(&new)).with(at, new));
    }
    None
}

/// `match: {status: booked`, and the next line goes on as if it were closed.
pub(super) fn never_closed(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let flow = trouble.said.has(&[
        "flow",
        "illegal placement",
        "unexpected eof",
        "node content",
        "simple key",
        "unexpected end",
    ]);
    if !flow {
        return None;
    }
    let last = lines.len().checked_sub(1)?;
    for opener in (0..=at.min(last)).rev() {
        let line = &lines[opener];
        let parts = parts(line);
        if !parts.value.starts_with(['{', '[']) || parts.value.starts_with("{{") {
            continue;
        }
        let found = scan(line, parts.value_at);
        if found.open.is_empty() {
            return None;
        }
        let next = lines.iter().skip(opener + 1).find(|line| !line.trim().is_empty());
        if next.is_some_and(|next| indent_of(next) > indent_of(line) && opener < at) {
            return None;
        }
        let closing: String = found
            .open
            .iter()
            .rev()
            .map(|open| if *open == '{' { '}' } else { ']' })
            .collect();
        let new = format!("{}{closing}", line.trim_end().trim_end_matches(','));
        let first = &parts.value[..1];
        let title = format!("the `{first}` that opens here is never closed");
        return Some(
            Mend::new(opener, column_of(line, parts.value_at), title)
                .help(write(&new))
                .with(opener, new),
        );
    }
    None
}
