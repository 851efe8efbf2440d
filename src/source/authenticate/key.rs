//! What something is signed with.

use std::fmt;

use base64::Engine as _;
use zeroize::Zeroizing;

use super::BASE64;
use crate::model::secret::Secret;

/// The bytes of a key. They print as `***` and are wiped when dropped.
#[derive(Clone)]
pub(in crate::source) struct Key(Zeroizing<Vec<u8>>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a key is written in a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source) enum Written {
    /// It is the text itself.
    #[default]
    Text,
    Base64,
    Hex,
}

impl Key {
    /// The key in what stands behind `after` in the secret, or in all of it where it does not begin so; `None` where it is
    /// not written like this, or empty.
    pub(in crate::source) fn of(secret: &Secret, after: &str, written: Written) -> Option<Key> {
        let text = match written {
            Written::Text => secret.reveal(),
            // A file ends with a line break.
            Written::Base64 | Written::Hex => secret.reveal().trim(),
        };
        let text = text.strip_prefix(after).unwrap_or(text);
        let bytes = match written {
            Written::Text => text.as_bytes().to_vec(),
            Written::Base64 => BASE64.decode(text).ok()?,
            Written::Hex => hex::decode(text).ok()?,
        };
        let key = Key(Zeroizing::new(bytes));
        (!key.0.is_empty()).then_some(key)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written_and_never_shown() {
        for (secret, after, written, bytes) in [
            ("whsec_YWJj", "whsec_", Written::Base64, Some("abc")),
            ("YWJj", "whsec_", Written::Base64, Some("abc")),
            (" whsec_YWI\n", "whsec_", Written::Base64, Some("ab")),
            ("whsec_YWI=", "", Written::Base64, None),
            ("whsec_", "whsec_", Written::Base64, None),
            ("Y", "", Written::Base64, None),
            ("616263", "", Written::Hex, Some("abc")),
            ("6162F", "", Written::Hex, None),
            ("whsec_a", "", Written::Text, Some("whsec_a")),
            (" a b ", "", Written::Text, Some(" a b ")),
            ("k:a", "k:", Written::Text, Some("a")),
            ("k:", "k:", Written::Text, None),
        ] {
            let key = Key::of(&Secret::new(secret), after, written);
            assert_eq!(
                key.as_ref().map(Key::bytes),
                bytes.map(str::as_bytes),
                "{secret:?} {after} {written:?}"
            );
            assert!(key.is_none_or(|key| format!("{key:?}") == "***"));
        }
    }
}
