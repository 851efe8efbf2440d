//! Slips of the hand: a space or a colon that is missing, characters that cannot be seen, a second document.

use super::{Mend, Said, Trouble, before, children, column_of, indent_of, is_blank, parts, write};

/// Spaces that look like one and are none, as text programs make them.
const ODD_SPACES: &[char] = &['\u{a0}', '\u{2007}', '\u{202f}', '\u{3000}', '\u{200b}', '\u{feff}'];

/// A space that YAML does not take for one.
pub(super) fn odd_space(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let line = lines.get(at)?;
    let key = line.split(": ").next().unwrap_or_default();
    let byte = key.find(ODD_SPACES)?;
    let column = column_of(line, byte);
    if trouble.said != Said::KeyOfNoKind && column > indent_of(line) + 1 {
        return None;
    }
    let new = line.replace(ODD_SPACES, " ");
    Some(
        Mend::new(
            at,
            column,
            "there is a special space here, as text programs make them, and YAML takes it for a letter",
        )
        .help("delete it and type a usual space")
        .with(at, new)
        .unsure(),
    )
}

/// `on:{event: x}`, `name:Tell`, `{b:1}`.
pub(super) fn no_space(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    if trouble.said == Said::KeyOfNoKind {
        let line = lines.get(at)?;
        let start = line.char_indices().map(|(byte, _)| byte).nth(trouble.column - 1)?;
        return spaced(line, at, start);
    }
    if !trouble
        .said
        .has(&["mapping values", "simple key", "did not find expected key"])
    {
        return None;
    }
    let glued = |at: usize| {
        let line = lines.get(at)?;
        let start = parts(line).start;
        let rest = &line[start..];
        let word = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .count();
        let after = rest[word..].strip_prefix(':')?;
        let glued = word > 0 && !after.is_empty() && !after.starts_with([' ', '/', '\t']);
        if glued { spaced(line, at, start) } else { None }
    };
    // Where it is noticed, the line before is often the one.
    glued(at).or_else(|| glued(before(lines, at)?))
}

fn spaced(line: &str, at: usize, start: usize) -> Option<Mend> {
    let colon = start + line[start..].find(':')?;
    let key = line[start..colon].trim();
    let new = format!("{}: {}", &line[..colon], &line[colon + 1..]);
    Some(
        Mend::new(at, column_of(line, colon), format!("a space is missing after `{key}:`"))
            .help(write(&new))
            .with(at, new),
    )
}

/// `name Tell`, or `on` alone.
pub(super) fn word_without_colon(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    if !trouble
        .said
        .has(&["simple key", "mapping values", "did not find expected key"])
    {
        return None;
    }
    let without = |at: usize| {
        let line = lines.get(at)?;
        let parts = parts(line);
        let text = parts.value;
        let word = text
            .find(|c: char| !(c.is_ascii_lowercase() || c == '_'))
            .unwrap_or(text.len());
        let fits = parts.key.is_empty() && word > 0 && matches!(text[word..].chars().next(), None | Some(' '));
        fits.then_some((line, parts.start, word, text.len() > word))
    };
    if lines.get(at)?.trim_start().starts_with("- ") {
        return None;
    }
    // It is noticed at what follows.
    let at = [before(lines, at), Some(at)]
        .into_iter()
        .flatten()
        .find(|at| without(*at).is_some())?;
    // A text over several lines has words that no colon is missing after.
    let above = before(lines, at);
    let continues = above.is_some_and(|above| {
        indent_of(&lines[above]) < indent_of(&lines[at]) && !parts(&lines[above]).value.is_empty()
    });
    let (line, start, len, more) = without(at).filter(|_| !continues)?;
    let end = start + len;
    let word = &line[start..end];
    let rest = &line[end..];
    let rest = rest.strip_prefix(" =").unwrap_or(rest);
    let new = format!("{}:{rest}", &line[..end]);
    let help = if more {
        write(&new)
    } else {
        format!("write `{word}:` and its value behind or below it")
    };
    Some(
        Mend::new(at, column_of(line, end), format!("a colon is missing after `{word}`"))
            .help(help)
            .with(at, new)
            .unsure(),
    )
}

/// Characters that no text may hold.
pub(super) fn invisible(lines: &[String], at: usize, trouble: &Trouble) -> Option<Mend> {
    let line = lines.get(at)?;
    if !trouble.said.has(&["unprintable", "byte order mark"]) {
        return None;
    }
    let odd = |c: char| c.is_control() && c != '\t' || c == '\u{feff}';
    let byte = line.find(odd)?;
    let new = line.replace(odd, " ");
    Some(
        Mend::new(
            at,
            column_of(line, byte),
            "there is an invisible character here that no file may hold",
        )
        .help("delete it; saving the file once more as plain text in UTF-8 may be enough")
        .with(at, new),
    )
}

/// What stands below a second `---`.
pub(super) fn second_document(lines: &[String], at: usize) -> Mend {
    let marker = (0..=at.min(lines.len().saturating_sub(1)))
        .rev()
        .find(|line| lines[*line].starts_with("---") || lines[*line].starts_with("..."))
        .unwrap_or(at);
    let mut mend = Mend::new(marker, 1, "a file holds one document; a second one begins here")
        .code("second-document")
        .help("take this line away; each recipe has a file of its own");
    for line in marker..lines.len() {
        mend = mend.with(line, "");
    }
    mend.unsure()
}

/// A line with a directive, or anything else that has no name.
pub(super) fn unknown(lines: &[String], at: usize, trouble: &Trouble) -> Mend {
    let directive = (0..=at.min(lines.len().saturating_sub(1)))
        .rev()
        .find(|line| lines.get(*line).is_some_and(|line| line.starts_with('%')))
        .filter(|_| trouble.said.has(&["directive", "document start", "document-start"]));
    if let Some(line) = directive {
        return Mend::new(line, 1, "a line cannot begin with `%`")
            .help("put the text in quotes")
            .with(line, "")
            .unsure();
    }
    let mut mend = without(lines, at);
    if mend.line == at {
        mend.column = trouble.column;
    }
    if trouble.said.has(&["anchor"]) {
        mend.title = "a `*` before a word means something that was named with `&` before, and nothing was".to_owned();
        mend.help = Some("for the `*` itself put the text in quotes".to_owned());
    } else if trouble.said.has(&["flow", "bracket", "eof"]) {
        mend.title = "the brackets do not fit together here".to_owned();
        mend.help = Some(
            "every `{` and `[` needs its `}` or `]`, and a comma after each entry; a text with one of these in it stands \
             in quotes"
                .to_owned(),
        );
    }
    mend
}

/// The file without a line and what stands below it.
pub(super) fn without(lines: &[String], at: usize) -> Mend {
    let at = match lines.get(at) {
        Some(line) if !is_blank(line) => at,
        _ => before(lines, at).unwrap_or(at),
    };
    let indent = lines.get(at).map_or(0, |line| indent_of(line));
    let mut mend = Mend::new(at, indent + 1, "this line does not fit to the lines above it")
        .help(
            "keys of the same settings begin in the same column, and each is followed by `:` and a space; a text with \
             special characters stands in quotes",
        )
        .with(at, "");
    for child in children(lines, at) {
        mend = mend.with(child, "");
    }
    mend.unsure()
}
