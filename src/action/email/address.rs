//! One e-mail address, read strictly: what is not plainly one address is refused, never repaired.

use crate::lang::diag::Report;
use crate::lang::fields::text;
use crate::lang::line::{is_control, unshielded};
use crate::lang::yaml::Node;

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
        Address::of(split(text)?)
    }

    /// Reads the one address that stands at `node`; what it is not goes to the report, with an example.
    pub fn read(node: &Node, key: &str, example: &str, report: &mut Report) -> Option<Address> {
        let found = Address::parse(text(node, key, report)?);
        if let Err(why) = found {
            report
                .mistake("address", &node.place, format!("`{key}` {why}"))
                .help(format!("one address, such as `{example}`"));
        }
        found.ok()
    }

    /// Reads an address that a template filled in ([`Template::address`](crate::lang::template::Template::address)); `None`
    /// where there is nothing, or a name without an address.
    ///
    /// # Errors
    ///
    /// As [`Address::parse`].
    pub fn filled_in(text: &str) -> Result<Option<Address>, &'static str> {
        let (name, spec) = split(text)?;
        let (mut name, spec) = (unshielded(&name), unshielded(spec));
        if spec.trim().is_empty() {
            return Ok(None);
        }
        if let Some((end, _)) = name.char_indices().nth(NAME_MAX) {
            name.replace_range(end.., "…");
        }
        // What is left of line breaks was written by the author.
        if [&name, &spec].iter().any(|part| part.chars().any(is_control)) {
            return Err("holds a line break or another control character");
        }
        Address::of((name, spec.trim())).map(Some)
    }

    fn of((name, spec): (String, &str)) -> Result<Address, &'static str> {
        if name.chars().count() > NAME_MAX + 1 {
            return Err("has a name that is too long");
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
            name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
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
            Some(name) => write!(f, "{} <{}@{}>", quoted(name), self.local, self.domain),
            None => write!(f, "{}@{}", self.local, self.domain),
        }
    }
}

/// A name as a quoted text of RFC 5322.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Name and address, by the signs that are there as such.
fn split(text: &str) -> Result<(String, &str), &'static str> {
    let text = text.trim();
    let (name, rest) = match text.strip_prefix('"') {
        Some(rest) => unquoted(rest).ok_or("has a name with a quote that is not closed")?,
        None => match text.split_once('<') {
            None => return Ok((String::new(), text)),
            Some((name, _)) if name.contains([',', ';', ':']) => {
                return Err("is more than one address, or a name that needs quotes");
            }
            Some((name, _)) if name.contains(['>', '@', '"', '\\']) => {
                return Err("has a name that needs quotes to stand beside an address");
            }
            Some((name, _)) => (name.trim().to_owned(), &text[name.len()..]),
        },
    };
    let spec = rest.trim().strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    match spec.filter(|spec| !spec.contains(['<', '>'])) {
        Some(spec) => Ok((name, spec)),
        None => Err("is more than one address, or none"),
    }
}

/// What stands before the closing quote, without the backslashes of its own, and what comes after it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((name.trim().to_owned(), &text[at + 1..])),
            (_, '\\') => name.push(chars.next()?.1),
            (_, char) => name.push(char),
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
mod tests;
