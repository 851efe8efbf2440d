//! What usually stands behind a line that YAML cannot read, and how to write it.

/// A correction for the line at which the parser gave up with the words `said`.
pub(super) fn on(said: &str, line: &str) -> Option<String> {
    let indent = line.len() - line.trim_start().len();
    if line[..indent].contains('\t') || said.contains("tabs disallowed") {
        return Some("lines are indented with spaces, never with tabs".to_owned());
    }
    if let Some((before, value)) = value(line) {
        let first = value.chars().next().unwrap_or_default();
        let special = matches!(first, '>' | '|' | '*' | '&' | '!' | '%' | '@' | '`');
        if special || said.contains("mapping values are not allowed") && value.contains(": ") {
            let value = value.replace('"', "'");
            let why = match special {
                true => format!("a value that begins with `{first}`"),
                false => "a value with `: ` in it".to_owned(),
            };
            return Some(format!("{why} has to stand in quotes: {before} \"{value}\""));
        }
    }
    if said.contains("flow") {
        return Some(
            "every `{` and `[` needs its `}` or `]`, and a comma after each entry; a text with one of these in it stands \
             in quotes"
                .to_owned(),
        );
    }
    let indented = [
        "mapping values are not allowed",
        "block mapping",
        "block collection",
        "simple key",
    ];
    indented.iter().any(|words| said.contains(words)).then(|| {
        "keys of the same settings begin in the same column, and a key is followed by `:` and a space".to_owned()
    })
}

/// `key:` and the value after it, where a line has both and the value stands without quotes.
fn value(line: &str) -> Option<(&str, &str)> {
    let line = line.trim().trim_start_matches("- ");
    let (key, value) = line.split_once(": ")?;
    let value = value.split(" #").next().unwrap_or_default().trim();
    let quoted = value.starts_with(['"', '\'', '{', '[']);
    (!value.is_empty() && !quoted).then_some((&line[..=key.len()], value))
}

#[cfg(test)]
mod tests {
    use crate::lang::diag::Report;

    #[test]
    fn the_usual_slips_come_with_their_correction() {
        for (text, line, help) in [
            (
                "match:\n  nights: >= 2\n",
                2,
                "a value that begins with `>` has to stand in quotes: nights: \">= 2\"",
            ),
            (
                "match:\n  channel: *bnb\n",
                2,
                "a value that begins with `*` has to stand in quotes: channel: \"*bnb\"",
            ),
            (
                "name: Tell: the cleaner\n",
                1,
                "a value with `: ` in it has to stand in quotes: name: \"Tell: the cleaner\"",
            ),
            (
                "on:\n\tevent: x\n",
                2,
                "lines are indented with spaces, never with tabs",
            ),
            ("on: {event: x\nname: y\n", 2, "every `{` and `[` needs its `}` or `]`"),
            ("name: x\n  on: y\n", 2, "begin in the same column"),
        ] {
            let mut report = Report::new();
            assert!(super::super::parse("a.yaml", text, &mut report).is_none(), "{text}");
            let item = &report.items[0];
            assert_eq!(
                item.place.as_ref().map(|place| place.line),
                Some(line),
                "{text}: {item:?}"
            );
            assert!(
                item.help.as_deref().unwrap_or_default().contains(help),
                "{text}: {item:?}"
            );
        }
    }
}
