//! Texts that stay on one line: headers, subjects, addresses. What a value holds can neither end the line nor pass for
//! the signs that the author of the line wrote.

/// What means something in an address.
const SIGNS: [char; 8] = ['"', '\\', '<', '>', '@', ',', ';', ':'];
/// Stands for the first of [`SIGNS`] where a value holds it. Unicode keeps these characters for use inside programs.
const FIRST: u32 = 0xfdd0;

/// Whether a character ends lines, steers terminals or turns the direction of writing: nothing of it belongs into a
/// header, an address or a page.
pub fn is_control(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fdd0}'..='\u{fdef}')
}

/// A value as it stands on a line: control characters in a row become one space.
///
/// # Errors
///
/// Where it holds NUL, as the end of a sentence.
pub fn one_line(value: &str) -> Result<String, &'static str> {
    if value.contains('\0') {
        return Err("a value holds the character NUL, which cannot be sent");
    }
    let mut line = String::with_capacity(value.len());
    let mut within = false;
    for char in value.chars() {
        let control = is_control(char);
        match control {
            true if within => {}
            true => line.push(' '),
            false => line.push(char),
        }
        within = control;
    }
    Ok(line)
}

/// A value of one line beside what the author of an address wrote: its signs are no syntax until [`unshielded`].
pub fn shielded(line: &str) -> String {
    let shield = |char| {
        let at = SIGNS.iter().position(|sign| *sign == char);
        let stand_in = at.and_then(|at| char::from_u32(FIRST + u32::try_from(at).ok()?));
        stand_in.unwrap_or(char)
    };
    line.chars().map(shield).collect()
}

/// The text with the signs of values as they were.
pub fn unshielded(text: &str) -> String {
    let sign = |char| {
        let at = u32::from(char)
            .checked_sub(FIRST)
            .and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| SIGNS.get(at)).copied().unwrap_or(char)
    };
    text.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_one_line_and_their_signs_come_back() {
        for (value, line) in [
            ("Ana\r\nBcc: x@y", "Ana Bcc: x@y"),
            ("a\u{2028}\u{85}\u{1b}[0m\tb", "a [0m b"),
            ("a\u{fdd2}b", "a b"),
            ("\"O'Neil\\\" <a,b;c:d@e>", "\"O'Neil\\\" <a,b;c:d@e>"),
        ] {
            assert_eq!(one_line(value).as_deref(), Ok(line));
            let hidden = shielded(line);
            assert!(!hidden.contains(SIGNS), "{hidden:?}");
            assert_eq!(unshielded(&hidden), line);
        }
        assert!(one_line("a\0").is_err());
    }
}
