//! One e-mail address, read strictly: what is not plainly one address is refused, never repaired.

use crate::action::excerpt::is_control;

/// The longest address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const ADDRESS_MAX: usize = 254;
/// The longest part before `@` (RFC 5321, section 4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// The longest display name, in characters.
const NAME_MAX: usize = 100;

/// A mailbox: an address and perhaps the name to show with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The name to show.
    pub name: Option<String>,
    /// Before the `@`.
    pub local: String,
    /// After the `@`, in lower case.
    pub domain: String,
}

impl Address {
    /// Reads `ana@example.com` or `Ana Ruiz <ana@example.com>`.
    ///
    /// # Errors
    ///
    /// Why it is not exactly one address, as the end of a sentence: "is not one address". The text itself is not repeated
    /// in it: it may be a guest's.
    pub fn parse(text: &str) -> Result<Address, &'static str> {
        if text.chars().any(is_control) {
            return Err("holds a line break or another control character");
        }
        let text = text.trim();
        let (name, spec) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, spec)) => (name.trim(), spec),
            None => ("", text),
        };
        let name = match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
            Some(quoted) => quoted.trim(),
            None if name.contains([',', ';', ':']) => return Err("is more than one address, or none"),
            None => name,
        };
        if name.contains(['<', '>', '@', '"', '\\']) || name.chars().count() > NAME_MAX {
            return Err("has a name that cannot stand beside an address");
        }
        let Some((local, domain)) = spec.split_once('@') else {
            return Err("is no address: it has no `@`");
        };
        if spec.contains([',', ';', ' ']) || domain.contains('@') {
            return Err("is more than one address, or none");
        }
        if !spec.is_ascii() {
            return Err("holds letters that most mail servers do not take in an address");
        }
        if spec.len() > ADDRESS_MAX || !is_local(local) || !is_domain(domain) {
            return Err("is not a usable address");
        }
        Ok(Address {
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            local: local.to_owned(),
            domain: domain.to_ascii_lowercase(),
        })
    }

    /// `ana@example.com`.
    pub fn spec(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "\"{name}\" <{}@{}>", self.local, self.domain),
            None => write!(f, "{}@{}", self.local, self.domain),
        }
    }
}

/// A dot-atom of RFC 5322; the quoted form is not taken.
fn is_local(local: &str) -> bool {
    local.len() <= LOCAL_MAX
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
        })
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    })
}

#[cfg(test)]
mod tests {
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
            "\"><script>\" <a@b>",
            "\\\" <a@b>",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert!(Address::parse(&format!("{}@b", "a".repeat(65))).is_err());
        assert!(Address::parse(&format!("a@{}", "b.".repeat(150))).is_err());
    }
}
