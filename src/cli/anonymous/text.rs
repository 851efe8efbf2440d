//! Texts of the same form: the same number of digits, the same letters large and small.

/// Words that stand for words, by how long these are.
const FILLERS: &[&[&str]] = &[
    &["of", "to", "in", "at", "by", "on"],
    &["the", "and", "for", "day", "sun", "old", "red"],
    &[
        "room", "house", "green", "river", "table", "quiet", "north", "light", "stone", "field", "lamp", "wood",
    ],
    &[
        "garden", "window", "morning", "harbour", "village", "kitchen", "meadow", "balcony", "evening", "orchard",
        "terrace", "lantern",
    ],
    &[
        "afternoon",
        "lighthouse",
        "staircase",
        "riverbank",
        "beautiful",
        "comfortable",
        "neighbourhood",
    ],
];

/// Words of about this length.
pub(super) fn fillers(length: usize) -> &'static [&'static str] {
    let at = match length {
        0..=2 => 0,
        3 => 1,
        4..=5 => 2,
        6..=8 => 3,
        _ => 4,
    };
    FILLERS[at]
}

/// Whether it stands within a word: letters, digits, and the marks of names.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '’') || matches!(c, '\u{300}'..='\u{36f}')
}

/// The words of a text.
pub(super) fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_of_word(c))
        .filter(|word| word.chars().any(char::is_alphanumeric))
}

/// Runs of letters and digits, and where they begin.
pub(super) fn runs(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut from = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (from, c.is_ascii_alphanumeric()) {
            (None, true) => from = Some(at),
            (Some(begin), false) => {
                found.push((begin, &text[begin..at]));
                from = None;
            }
            _ => {}
        }
    }
    found
}

/// Replaces each word, and leaves what stands between them.
pub(super) fn each_word(text: &str, mut name: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.chars().any(char::is_alphanumeric) {
            out.push_str(&name(word));
        } else {
            out.push_str(word);
        }
        let mark = after.chars().next();
        out.extend(mark);
        rest = &after[mark.map_or(0, char::len_utf8)..];
    }
    out
}

/// The digits of a text.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The text with these digits in the place of its own.
pub(super) fn with_digits(text: &str, digits: &str) -> String {
    let mut new = digits.chars();
    text.chars()
        .map(|c| {
            if c.is_ascii_digit() {
                new.next().unwrap_or('0')
            } else {
                c
            }
        })
        .collect()
}

/// A replacement written as the original is: all capitals, or a small letter first.
pub(super) fn in_case_of(original: &str, new: &str) -> String {
    let letters: Vec<char> = original.chars().filter(|c| c.is_alphabetic()).collect();
    let mixed = new.chars().any(|c| c.is_ascii_digit()) || new.contains('@');
    match letters.first() {
        _ if mixed => new.to_owned(),
        Some(_) if letters.len() > 1 && letters.iter().all(|c| c.is_uppercase()) => new.to_uppercase(),
        Some(first) if first.is_uppercase() => {
            let mut chars = new.chars();
            chars
                .next()
                .map(|c| c.to_uppercase().chain(chars).collect())
                .unwrap_or_default()
        }
        Some(_) => new.to_lowercase(),
        None => new.to_owned(),
    }
}

/// Whether a text begins with another in any case, and how long that is in it.
pub(super) fn begins_with(text: &str, low: &str) -> Option<usize> {
    let mut wanted = low.chars();
    let mut length = 0;
    for c in text.chars() {
        if wanted.as_str().is_empty() {
            break;
        }
        for small in c.to_lowercase() {
            if wanted.next() != Some(small) {
                return None;
            }
        }
        length += c.len_utf8();
    }
    wanted.as_str().is_empty().then_some(length)
}

/// A text of the same form, made of a number: digits become digits, letters letters of the same case, and hex digits stay
/// such. `parts` are put in as they are. What stands in front of `_` or `-` as the sort of an id (`evt_`) stays, as does a
/// single letter before digits, and what makes a UUID of its version.
pub(super) fn filled(original: &str, number: usize, fill: usize, parts: &[(usize, String)]) -> String {
    let chars: Vec<char> = original.chars().collect();
    let letters: Vec<char> = chars.iter().copied().filter(char::is_ascii_alphabetic).collect();
    let hex = chars.len() >= 16 && letters.iter().all(char::is_ascii_hexdigit);
    let uuid = super::super::map::shape::is_uuid(original);
    let head = chars.iter().position(|c| !c.is_alphabetic()).unwrap_or(0);
    let sort = head > 0
        && head <= 5
        && head < chars.len()
        && matches!(chars[head], '_' | '-')
        && chars[..head].iter().all(|c| c.is_ascii_alphabetic());
    let lone = head == 1 && chars.len() > 1 && chars[1..].iter().all(char::is_ascii_digit);
    let kept = if sort || lone { head } else { 0 };
    let mut out = chars.clone();
    let mut rest = number;
    for at in (0..chars.len()).rev() {
        let c = chars[at];
        if at < kept || uuid && (at == 14 || at == 19) {
            continue;
        }
        let base = match c {
            '0'..='9' => 10,
            'a'..='z' | 'A'..='Z' if hex => 6,
            'a'..='z' | 'A'..='Z' => 26,
            // Letters of other alphabets say who somebody is too.
            c if c.is_alphanumeric() => {
                out[at] = 'x';
                continue;
            }
            _ => continue,
        };
        let here = (rest + fill - 1) % base;
        rest /= base;
        out[at] = match c {
            '0'..='9' => digit(here),
            c if c.is_uppercase() => letter(b'A', here),
            _ => letter(b'a', here),
        };
    }
    // A number has no nought in front that was not there.
    let first = chars.iter().position(char::is_ascii_digit);
    if let Some(at) = first
        && out[at] == '0'
        && chars[at] != '0'
        && at >= kept
    {
        out[at] = digit(1 + (fill - 1) % 9);
    }
    let mut out: String = out.into_iter().collect();
    for (at, part) in parts {
        if out.is_char_boundary(*at) && out.is_char_boundary(at + part.len()) && at + part.len() <= out.len() {
            out.replace_range(*at..at + part.len(), part);
        }
    }
    out
}

fn digit(n: usize) -> char {
    letter(b'0', n % 10)
}

fn letter(base: u8, n: usize) -> char {
    char::from(base + u8::try_from(n % 26).unwrap_or_default())
}
