//! A line of a file as it may be shown: a password that is typed directly into it is not.

use std::ops::Range;

/// Settings whose value is a secret, as parts of their names.
const SECRET: &[&str] = &[
    "password",
    "passwort",
    "passwd",
    "token",
    "secret",
    "api_key",
    "apikey",
    "api-key",
    "authorization",
    "cookie",
    "pasword",
    "passwrd",
    "credential",
    "signature",
    "private_key",
    "access_key",
    "x-key",
];
/// Settings that only sound like it.
const NOT_SECRET: &[&str] = &["header", "tokens_of"];
/// What stands in the place of a secret.
const MASK: &str = "•••";
/// A secret with fewer characters is a word wherever else it is found.
const SHORTEST: usize = 3;

/// A line as it is shown.
pub(super) struct Shown {
    pub(super) text: String,
    /// The secrets that are not in it.
    hidden: Vec<(Range<usize>, String)>,
}

impl Shown {
    /// The column, in what is shown, of a column of the line (both from 1, in characters).
    pub(super) fn column(&self, column: usize) -> usize {
        let mask = MASK.chars().count();
        let mut shown = column;
        for (place, _) in &self.hidden {
            if column > place.end {
                shown = shown + mask - (place.end - place.start);
            } else if column > place.start + 1 {
                shown -= column - place.start - 1;
            }
        }
        shown
    }
}

/// A text without the secrets of the line it is about.
pub(in crate::lang) fn without_secrets_of(line: &str, text: &str) -> String {
    let mut text = text.to_owned();
    for (_, secret) in shown(&[line], 0).map(|shown| shown.hidden).unwrap_or_default() {
        let bare = secret.trim_matches(['"', '\'', ' ', '}', ']']);
        if bare.chars().count() >= SHORTEST {
            text = text.replace(bare, MASK);
        }
    }
    text
}

/// The line (from 0) with every secret in it masked; `None` where there is no such line.
pub(super) fn shown(lines: &[impl AsRef<str>], at: usize) -> Option<Shown> {
    let line = lines.get(at)?.as_ref();
    let mut shown = Shown {
        text: String::new(),
        hidden: Vec::new(),
    };
    let mut done = 0;
    let mut hide = |from: usize, to: usize, shown: &mut Shown| {
        shown.text.push_str(&line[done..from]);
        done = to;
        if tells(&line[from..to]) {
            let count = |end: usize| line[..end].chars().count();
            shown.hidden.push((count(from)..count(to), line[from..to].to_owned()));
            shown.text.push_str(MASK);
        } else {
            shown.text.push_str(&line[from..to]);
        }
    };
    let mut from = 0;
    if below_a_secret(lines, at) {
        from = line.len() - line.trim_start().len();
        from += if line[from..].starts_with("- ") { 2 } else { 0 };
        hide(from, line.len(), &mut shown);
        from = line.len();
    }
    while let Some((key_end, value_at)) = next_secret(&line[from..]) {
        let flow = line[..from + key_end].contains(['{', '[']);
        let end = from + value_at + end_of_value(&line[from + value_at..], flow);
        hide(from + value_at, end, &mut shown);
        from = end;
    }
    shown.text.push_str(&line[done..]);
    Some(shown)
}

/// The next key of a secret: where it ends, and where its value begins.
fn next_secret(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find(':') {
        let colon = from + at;
        let before = text[..colon].trim_end_matches(['"', '\'', ' ']);
        let start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let value = &text[colon + 1..];
        let value_at = text.len() - value.trim_start().len();
        if is_secret(&before[start..]) && !value.trim().is_empty() {
            return Some((colon, value_at));
        }
        from = colon + 1;
    }
    None
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET.iter().any(|word| key.contains(word)) && !NOT_SECRET.iter().any(|word| key == *word)
}

/// Where a value ends: at its closing quotes, at the comma or bracket of the settings around it, or with the line.
fn end_of_value(value: &str, flow: bool) -> usize {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        return value[1..].find(quote).map_or(value.len(), |at| at + 2);
    }
    if value.starts_with('[') {
        return end_of_list(value);
    }
    if value.starts_with('{') && !value.starts_with("{{") {
        // What stands inside is looked at key by key.
        return 1;
    }
    let mut depth = 0;
    for (at, c) in value.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' | ']' if flow => return value[..at].trim_end().len(),
            _ => {}
        }
    }
    value.trim_end().len()
}

/// Where a list ends: at its own bracket, not at one inside of it, nor at the brace of a variable.
fn end_of_list(value: &str) -> usize {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in value.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    value.len()
}

/// Whether a value is a secret: not what only says where the secret is, nor settings with secrets below their own keys.
fn tells(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'', ' ']);
    let variable = |text: &str| {
        text.starts_with("${") && text.find('}').is_none_or(|at| at == text.len() - 1) && !text.contains(":-")
    };
    let scheme = ["Bearer ", "Basic ", "Token "];
    let scheme = scheme.into_iter().find_map(|scheme| bare.strip_prefix(scheme));
    let settings = value.starts_with('{') && !value.starts_with("{{");
    let block = bare.starts_with(['|', '>', '&']) && bare.len() < 4;
    let nothing = bare.is_empty() || block || matches!(bare, "true" | "false" | "null");
    !(nothing || settings || variable(bare) || scheme.is_some_and(variable))
}

/// Whether the line is the value, or an item of it, of a secret's key on a line above.
fn below_a_secret(lines: &[impl AsRef<str>], at: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let line = lines[at].as_ref();
    let own = indent(line);
    let is_item = line.trim_start().starts_with("- ");
    let key_of = |line: &str| {
        line.trim_end()
            .rsplit_once(':')
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
    };
    let above = lines[..at].iter().rev().map(AsRef::as_ref);
    for above in above.filter(|above| !above.trim().is_empty()) {
        let deeper = indent(above) < own || is_item && indent(above) == own && !above.trim_start().starts_with("- ");
        if !deeper {
            continue;
        }
        let Some((key, value)) = key_of(above) else {
            return false;
        };
        let key = key
            .rsplit([' ', '{', '"', '\''])
            .find(|part| !part.is_empty())
            .unwrap_or_default()
            .to_owned();
        let opens = value.is_empty() || value.starts_with(['|', '>', '&']);
        // `token:` with settings below it has its secrets below their own keys.
        let text = is_item || !line.contains(": ");
        return opens && is_secret(&key) && text;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (line, shown) in [
            ("token: abc", "token: •••"),
            ("  password: \"a b, c\"  # mine", "  password: •••  # mine"),
            ("a: {token: abc, preset: x}", "a: {token: •••, preset: x}"),
            (
                "m: {smtp: {username: u, password: 'p', from: x}}",
                "m: {smtp: {username: u, password: •••, from: x}}",
            ),
            (
                "headers: {Authorization: Bearer abc, X-Api-Key: k}",
                "headers: {Authorization: •••, X-Api-Key: •••}",
            ),
            ("secret: [one, two]", "secret: •••"),
            ("secret: [\"${ONE}\", two] # x", "secret: ••• # x"),
            ("a: {secret: [${ONE}, [two], 'th]ree'], b: c}", "a: {secret: •••, b: c}"),
            (
                "token: {header: X-Token, secret: abc}",
                "token: {header: X-Token, secret: •••}",
            ),
            ("token: \"${TOKEN}\"", "token: \"${TOKEN}\""),
            ("token: ${TOKEN}", "token: ${TOKEN}"),
            ("token: \"${TOKEN:-abcdef}\"", "token: •••"),
            (
                "Authorization: \"Bearer ${TOKEN}\"",
                "Authorization: \"Bearer ${TOKEN}\"",
            ),
            ("auth: {token: {header: X-Token}}", "auth: {token: {header: X-Token}}"),
            ("name: Tell: the token", "name: Tell: the token"),
            ("token: {{ x }}", "token: •••"),
            ("pasword: x", "pasword: •••"),
            ("\"password\": x", "\"password\": •••"),
            ("client_secret: é", "client_secret: •••"),
            ("", ""),
        ] {
            assert_eq!(super::shown(&[line], 0).map(|one| one.text).as_deref(), Some(shown));
        }
        let lines = [
            "a:",
            "  secret:",
            "    - one",
            "    - two",
            "  b: c",
            "  token: |",
            "    text",
        ];
        let shown: Vec<String> = (0..lines.len())
            .filter_map(|at| super::shown(&lines, at))
            .map(|one| one.text)
            .collect();
        assert_eq!(
            shown,
            [
                "a:",
                "  secret:",
                "    - •••",
                "    - •••",
                "  b: c",
                "  token: |",
                "    •••"
            ]
        );
        assert!(super::shown(&[""; 0], 0).is_none());
        let line = super::shown(&["a: {token: abcdefgh, b: c}"], 0).expect("there is a line");
        assert_eq!([4, 12, 15, 22].map(|column| line.column(column)), [4, 12, 12, 17]);
        assert_eq!(
            without_secrets_of("token: \"abcd", "write `token: \"abcd\"`"),
            "write `token: \"•••\"`"
        );
    }
}
