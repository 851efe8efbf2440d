//! The last four digits of a telephone number, as people know them: one function for mappings and templates, so that a mail
//! and a lock never name two codes.

/// What senders put where they hide digits; `xx` too.
const MASKS: &[char] = &['*', '•', '●', '…'];
/// So many digits make a code.
const DIGITS: usize = 4;
/// After so many digits words are those of an extension; before, they say what the number is.
const BEFORE_EXTENSION: usize = 3;

/// Whether the sender has hidden a part of the number.
pub fn is_masked(number: &str) -> bool {
    mask_end(number).is_some()
}

/// The last four digits; an extension is no part of them, and of a masked number only what stands after the mask counts.
/// `None` where there are fewer.
pub fn last4(number: &str) -> Option<String> {
    let shown = mask_end(number).and_then(|at| number.get(at..)).unwrap_or(number);
    let mut digits = String::new();
    for char in shown.chars() {
        match char {
            '0'..='9' => digits.push(char),
            // `ext. 4`, `x12`, `#5`, `;ext=7`, and what a telephone dials after a pause.
            '#' | ';' | ',' if digits.len() >= BEFORE_EXTENSION => break,
            _ if char.is_alphabetic() && digits.len() >= BEFORE_EXTENSION => break,
            _ => {}
        }
    }
    let from = digits.len().checked_sub(DIGITS)?;
    digits.get(from..).map(str::to_owned)
}

/// Where the mask ends, in bytes.
fn mask_end(number: &str) -> Option<usize> {
    let sign = number
        .rfind(MASKS)
        .and_then(|at| Some(at + number.get(at..)?.chars().next()?.len_utf8()));
    let crosses = number.to_ascii_lowercase().rfind("xx").map(|at| at + 2);
    sign.max(crosses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last4_is_without_extension_and_mask() {
        for (number, end) in [
            ("+1 (415) 555-0123 ext. 4", Some("0123")),
            ("+1 (415) 555-0123 EXT 4567", Some("0123")),
            ("+1 415 555 0123 x12", Some("0123")),
            ("+1 415 555 0123 #12", Some("0123")),
            ("tel:+1-415-555-0123;ext=99", Some("0123")),
            ("+1 415 555 0123,,4567#", Some("0123")),
            ("Phone: 0911 223344 Durchwahl 5", Some("3344")),
            ("+49 30 901820", Some("1820")),
            ("0417", Some("0417")),
            ("+1 415 *** 0142", Some("0142")),
            ("+1 415 xxx 0142 ext 3", Some("0142")),
            ("•••• 0142", Some("0142")),
            ("+1 415 555 ****", None),
            ("4155•••123", None),
            ("911", None),
            ("911 ext 45", None),
            ("", None),
        ] {
            assert_eq!(last4(number).as_deref(), end, "{number}");
        }
        assert!(is_masked("+1 *** 0142") && is_masked("xx-0142") && !is_masked("+1 415 555 0123 x12"));
    }
}
