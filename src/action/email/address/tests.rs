//! What is exactly one address, and what is not.

use super::*;

#[test]
fn exactly_one_address_or_none() {
    for (text, shown) in [
        ("ana@example.com", "ana@example.com"),
        (" ana@Example.COM ", "ana@example.com"),
        ("<ana@example.com>", "ana@example.com"),
        ("Ana Ruiz <ana@example.com>", "\"Ana Ruiz\" <ana@example.com>"),
        ("\"Ruiz, Ana\" <ana@example.com>", "\"Ruiz, Ana\" <ana@example.com>"),
        ("Zoë <a+b.c@mail.example>", "\"Zoë\" <a+b.c@mail.example>"),
        ("root@localhost", "root@localhost"),
        ("\"><script>\" <a@b>", "\"><script>\" <a@b>"),
        (r#""O\"Neil \\" <a@b>"#, r#""O\"Neil \\" <a@b>"#),
        ("\"a, b@c <d@e>\" <f@g>", "\"a, b@c <d@e>\" <f@g>"),
    ] {
        let address = Address::parse(text).unwrap_or_else(|why| panic!("{text} {why}"));
        assert_eq!(address.to_string(), shown);
        assert_eq!(Address::parse(shown).as_ref(), Ok(&address), "reads what it prints");
    }
    for text in [
        "",
        "ana",
        "@example.com",
        "ana@",
        "a@b, c@d",
        "a@b,c@d",
        "a@b;c@d",
        "a@b c@d",
        "a@b@c",
        "a, b <c@d>",
        "<a@b> <c@d>",
        "x@y <c@d>",
        "Ana <a@b>, Bo <c@d>",
        "a@b\r\nBcc: x@y",
        "a@b\nRCPT TO:<x@y>",
        "a\0@b",
        "a@b\u{85}",
        "a@b\u{2028}c",
        "Ana\r\nBcc: x@y <a@b>",
        "\"a b\"@c",
        "a b@c",
        "a<b@c",
        "a>b@c",
        "a..b@c",
        ".a@c",
        "a.@c",
        "a@-c",
        "a@c..d",
        "a@[127.0.0.1]",
        "ä@c.example",
        "a@ä.example",
        "a@b> SIZE=1 <x@y",
        "\"Ana <a@b>",
        "\"Ana\" Bo <a@b>",
        "\"Ana\", \"Bo\" <a@b>",
        "\\\" <a@b>",
    ] {
        assert!(Address::parse(text).is_err(), "{text:?}");
    }
    assert!(Address::parse(&format!("{}@b", "a".repeat(65))).is_err());
    assert!(Address::parse(&format!("a@{}", "b.".repeat(150))).is_err());
}
