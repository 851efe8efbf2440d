//! Excerpts are bounded and harmless.

use super::*;

#[test]
fn an_excerpt_is_bounded_and_harmless() {
    assert_eq!(of(b""), None);
    assert_eq!(of(b" \r\n "), None);
    assert_eq!(
        of(b"no \x1b[31m\0\xff").as_deref(),
        Some("no \u{fffd}[31m\u{fffd}\u{fffd}")
    );
    assert_eq!(of("a\u{202e}b".as_bytes()).as_deref(), Some("a\u{fffd}b"));
    for long in ["x".repeat(100_000), "ü".repeat(50_000), "😀".repeat(9_000)] {
        assert_eq!(of(long.as_bytes()).map(|text| text.chars().count()), Some(CHARS_MAX));
    }
}
