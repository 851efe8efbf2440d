//! Values that have to stand in quotes, and quotes that go wrong.

use super::comment::end_of_quotes;
use super::{Mend, Trouble, before, children, column_of, parts, write};

/// Characters with which a value without quotes cannot begin.
const SPECIAL: &[char] = &['>', '|', '*', '&', '!', '%', '@', '`', ',', ']', '}'];

/// Settings whose value is one text, so that `word: …` in it is no setting.
const TEXTS: &[&str] = &[
    "name", "subject", "text", "html", "because", "to", "from", "reply_to", "url", "when",
];

/// A text in quotes that keep it as it is; curly ones around the whole of it are taken for those that were meant.
pub(super) fn quoted(text: &str) -> String {
    let text = text
        .strip_prefix(['“', '„', '‘'])
        .and_then(|text| text.strip_suffix(['”', '“', '’']))
        .unwrap_or(text);
    if !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else if !text.contains('\'') {
        format!("'{text}'")
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// A value without its comment, and the comment with the spaces before it.
fn split_comment(value: &str) -> (&str, &str) {
    match value.find(" # ") {
        Some(at) => (value[..at].trim_end(), &value[value[..at].trim_end().len()..]),
        None => (value, ""),
    }
}

/// `to: {{ x }` with a bracket missing: noticed further down only.
pub(super) fn value_above(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    if !trouble.said.has(&["flow", "illegal placement", "bracket", "eof"]) {
        return None;
    }
    let template = |line: &str| parts(line).value.starts_with("{{") || parts(line).value.starts_with("{%");
    let above = (at.saturating_sub(3)..at)
        .rev()
        .find(|above| template(&lines[*above]))?;
    value(lines, above, trouble)
}

/// `nights: >= 2`, `to: {{ x }}`, `subject: Moved: {{ x }}`.
pub(super) fn value(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let line = lines.get(at)?;
    let parts = parts(line);
    let (bare, comment) = split_comment(parts.value);
    let first = bare.chars().next()?;
    if first == '|' || first == '>' && ["text", "html"].contains(&parts.key) {
        return bar(line, at);
    }
    let template = ["{{", "{%"].into_iter().find(|start| bare.starts_with(start));
    let why = if let Some(start) = template {
        format!("a value that begins with `{start}` has to stand in quotes")
    } else if SPECIAL.contains(&first) {
        let rest = bare.trim_start_matches(['>', '|', '+', '-']);
        if matches!(first, '>' | '|') && rest.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        format!("a value that begins with `{first}` has to stand in quotes")
    } else if bare.starts_with("? ") {
        "a value that begins with `?` has to stand in quotes".to_owned()
    } else if bare.starts_with("- ") || bare == "-" {
        "a value that begins with `- ` has to stand in quotes; a list begins on the next line".to_owned()
    } else if matches!(first, '[' | '{') {
        // Something follows behind what was closed.
        if trouble
            .said
            .has(&["did not find expected key", "expected '-'", "misplaced bracket"])
        {
            format!("a text that begins with `{first}` has to stand in quotes")
        } else {
            return None;
        }
    } else if bare.contains(": ")
        && trouble.said.has(&["mapping values"])
        && trouble.column >= column_of(line, parts.value_at)
        && !first.is_ascii_punctuation()
    {
        return Some(colon(line, at, trouble));
    } else {
        return None;
    };
    // In a list or settings over several lines the comma is none of the value's.
    let (bare, comma) = match bare.strip_suffix("}},") {
        Some(_) => (&bare[..bare.len() - 1], ","),
        None => (bare, ""),
    };
    let new = format!("{}{}{comma}{comment}", &line[..parts.value_at], quoted(bare));
    let help = write(new.trim_end_matches(comment));
    Some(
        Mend::new(at, column_of(line, parts.value_at), why)
            .help(help)
            .with(at, new),
    )
}

/// `text: | Hello`: the bar is for a text on the lines below.
fn bar(line: &str, at: usize) -> Option<Mend> {
    let parts = parts(line);
    let text = parts.value.trim_start_matches(['|', '>', '+', '-', ' ']);
    if text.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let new = format!("{}{}", &line[..parts.value_at], quoted(text));
    let first = &parts.value[..1];
    let title = format!("behind `{first}` the text begins on the next line");
    Some(
        Mend::new(at, column_of(line, parts.value_at), title)
            .help(format!(
                "begin a new line behind the `{first}` and indent the text, or {}",
                write(&new)
            ))
            .with(at, new),
    )
}

/// `a: b: c`: a text, or settings that want their own line.
fn colon(line: &str, at: usize, trouble: &Trouble) -> Mend {
    let parts = parts(line);
    let (bare, comment) = split_comment(parts.value);
    let inner = bare.split(": ").next().unwrap_or_default();
    let settings = !TEXTS.contains(&parts.key)
        && !inner.is_empty()
        && inner.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.')
        && bare.matches(": ").count() == 1;
    if settings {
        let new = format!("{}{{{bare}}}{comment}", &line[..parts.value_at]);
        let title = format!("`{}` and `{inner}` are two settings in one line", parts.key);
        return Mend::new(at, trouble.column, title)
            .help(format!(
                "{}, or begin a new line after `{}:` and indent it",
                write(new.trim_end_matches(comment)),
                parts.key
            ))
            .with(at, new)
            .unsure();
    }
    let new = format!("{}{}{comment}", &line[..parts.value_at], quoted(bare));
    let help = write(new.trim_end_matches(comment));
    Mend::new(at, trouble.column, "a value with `: ` in it has to stand in quotes")
        .help(help)
        .with(at, new)
}

/// `name: "Tell`.
pub(super) fn unclosed(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let never = [
        "invalid indentation in quoted scalar",
        "unexpected end of stream",
        "unexpected document indicator",
    ];
    let line = lines.get(at)?;
    if trouble.said.has(&never) {
        let start = line.char_indices().map(|(byte, _)| byte).nth(trouble.column - 1)?;
        return closed(lines, at, start);
    }
    // The quotes of this line may be the end of those that a line above has opened.
    if !trouble.said.has(&["invalid trailing content"]) {
        return None;
    }
    let own = parts(line);
    let whole = own.value.starts_with(['"', '\'']) && end_of_quotes(own.value) == Some(own.value.len());
    if !whole && trouble.column > column_of(line, own.value_at) {
        return None;
    }
    let above = before(lines, at)?;
    let other = parts(&lines[above]);
    let open = other.value.starts_with(['"', '\'']) && end_of_quotes(other.value).is_none();
    if open {
        closed(lines, above, other.value_at)
    } else {
        None
    }
}

/// The line with the quotes closed that open at a byte.
fn closed(lines: &[String], at: usize, start: usize) -> Option<Mend> {
    let line = &lines[at];
    let quote = line[start..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mend = Mend::new(
        at,
        column_of(line, start),
        format!("the quotes that open here (`{quote}`) are never closed"),
    );
    let flow = parts(line).value.starts_with(['{', '[']);
    let last = children(lines, at)
        .filter(|below| !lines[*below].trim().is_empty())
        .last();
    let keys = children(lines, at).any(|below| !parts(&lines[below]).key.is_empty());
    if let Some(last) = last.filter(|_| !flow && !keys) {
        let mend = mend.help(format!("close them with `{quote}` at the end of the text"));
        return Some(mend.with(last, format!("{}{quote}", lines[last].trim_end())));
    }
    let trimmed = line.trim_end();
    let end = match flow {
        true => trimmed.trim_end_matches(['}', ']', ',', ' ']).len().max(start + 1),
        false => trimmed.len(),
    };
    let new = format!("{}{quote}{}", &line[..end], &line[end..]);
    Some(mend.help(write(&new)).with(at, new))
}

/// `'Guest's name'`, `"Moved" {{ x }}`, `"a" == x`, `"a", "b"`.
pub(super) fn after_quotes(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    if !trouble.said.has(&["invalid trailing content"]) {
        return None;
    }
    let line = lines.get(at)?;
    let parts = parts(line);
    let (bare, comment) = split_comment(parts.value);
    let quote = bare.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let end = end_of_quotes(bare)?;
    let inner = bare[1..].strip_suffix(quote);
    let expression = parts.key == "when"
        || [" == ", " != ", " in ", " and ", " or "]
            .iter()
            .any(|sign| bare[end..].starts_with(sign));
    let list: Vec<&str> = bare.split(", ").collect();
    let (title, value) = if list.len() > 1 && list.iter().all(|one| end_of_quotes(one) == Some(one.len())) {
        ("several texts are written as a list".to_owned(), format!("[{bare}]"))
    } else if let Some(inner) = inner.filter(|inner| inner.contains("{{") || inner.contains("{%")) {
        (
            format!("the quotes end at this `{quote}`, because inside them stand the same ones"),
            quoted(inner),
        )
    } else if expression {
        (
            "an expression that begins with quotes has to stand in quotes as a whole, of the other kind".to_owned(),
            quoted(bare),
        )
    } else if let Some(inner) = inner.filter(|inner| inner.len() >= end - 1) {
        (
            format!("the text ends at the second `{quote}`, and more follows"),
            quoted(inner),
        )
    } else {
        let text = format!("{}{}", &bare[1..end - 1], &bare[end..]);
        ("the quotes end before the text does".to_owned(), quoted(&text))
    };
    let new = format!("{}{value}{comment}", &line[..parts.value_at]);
    let help = write(new.trim_end_matches(comment));
    Some(Mend::new(at, trouble.column, title).help(help).with(at, new))
}

/// `"C:\path"`.
pub(super) fn backslash(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let line = lines.get(at)?;
    let odd = trouble
        .said
        .has(&["escape character", "escape code", "hexadecimal number"]);
    if !odd || !line.contains('\\') {
        return None;
    }
    let new = line.replace('\\', "\\\\");
    let single = parts(line).value.trim_matches('"').to_owned();
    let help = match single.contains(['"', '\'']) {
        false => format!(
            "write {} in single quotes: '{single}'",
            if single.len() > 40 { "it" } else { "the text" }
        ),
        true => write(&new),
    };
    let column = line.find('\\').map_or(1, |byte| column_of(line, byte));
    Some(
        Mend::new(
            at,
            column,
            "inside \"…\" a backslash has a meaning of its own, and this one has none",
        )
        .help(help)
        .with(at, new),
    )
}
