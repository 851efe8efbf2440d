//! What a delivery says in its address: the parameters of the query, and what stands after the name of the source.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::authenticate::{Place, Scheme};

/// `path` among the headers that are kept; no header can have this name.
pub(super) const PATH: &str = "/";
/// What comes before the name of a parameter among the headers that are kept; no header's name has it.
pub(super) const PARAMETER: char = '?';

/// Among how many parameters of a query one is looked for.
const PARAMETERS_MAX: usize = 1_000;
/// How long a `path` is at the most, in characters.
const PATH_MAX: usize = 60;

/// The first parameter of this name. What is not UTF-8 is not there.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let found = pairs(query)
        .take(PARAMETERS_MAX)
        .find(|(known, _)| plain(known).is_some_and(|known| known == name));
    plain(found?.1).map(Cow::into_owned)
}

/// How long the name of a parameter is at the most, in bytes.
const NAME_MAX: usize = 100;

/// Whether a parameter can have this name, written as it is meant.
pub(super) fn is_parameter(name: &str) -> bool {
    let as_it_is = |c: char| !c.is_control() && !matches!(c, '&' | '=' | '#' | '?' | '%' | '+');
    !name.is_empty() && name.len() <= NAME_MAX && name.chars().all(as_it_is)
}

/// What stands in the path after the name of the source, any token aside: a short word, or two with a slash between
/// them. Whatever else stands there may be meant for nobody, and is not there.
pub(super) fn path<'s>(segments: impl IntoIterator<Item = &'s str>, scheme: &Scheme) -> Option<String> {
    let segments = segments.into_iter().filter(|segment| !is_token(scheme, segment));
    let path = segments.collect::<Vec<_>>().join(PATH);
    let of_a_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    (!path.is_empty() && path.len() <= PATH_MAX && path.chars().all(of_a_word)).then_some(path)
}

/// The query without the parameters of which `hides` holds, otherwise as it stands there.
pub(super) fn without(query: &str, hides: impl Fn(&str) -> bool) -> String {
    // A name that cannot be read is left to the form to complain about.
    let stays = |(name, _): &(&str, &str)| plain(name).is_none_or(|name| !hides(&name));
    let mut kept = String::with_capacity(query.len());
    for (name, value) in pairs(query).filter(stays) {
        if !kept.is_empty() {
            kept.push('&');
        }
        kept.push_str(name);
        kept.push('=');
        kept.push_str(value);
    }
    kept
}

/// The names of its parameters, as they are meant; what is not UTF-8 is not among them.
pub(super) fn names(query: &str) -> Vec<String> {
    let names = pairs(query).take(PARAMETERS_MAX).filter_map(|(name, _)| plain(name));
    names.filter(|name| is_parameter(name)).map(Cow::into_owned).collect()
}

/// Names and values as they stand in the query.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// A name or value as it is meant.
fn plain(written: &str) -> Option<Cow<'_, str>> {
    if !written.contains(['%', '+']) {
        return Some(Cow::Borrowed(written));
    }
    let spaced = written.replace('+', " ");
    let plain = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(plain.into_owned()))
}

/// Whether a text is one of the tokens that are asked for.
fn is_token(scheme: &Scheme, text: &str) -> bool {
    match scheme {
        Scheme::Token(Place::Address, tokens) => tokens.iter().any(|token| token.reveal() == text),
        Scheme::All(all) | Scheme::Any(all) => all.iter().any(|scheme| is_token(scheme, text)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use super::*;
    use crate::model::secret::Secret;

    #[test]
    fn parameters_are_read_as_they_are_meant() {
        let query = "event=booking+created&&a%20b=Zo%C3%AB&flag&event=other&bad=%ff&=x";
        for (name, found) in [
            ("event", Some("booking created")),
            ("a b", Some("Zoë")),
            ("flag", Some("")),
            ("bad", None),
            ("EVENT", None),
            ("", Some("x")),
        ] {
            assert_eq!(parameter(query, name).as_deref(), found, "{name}");
        }
        let many = "a=1&".repeat(PARAMETERS_MAX);
        assert_eq!(parameter(&format!("{many}b=2"), "b"), None);
    }

    #[test]
    fn what_is_hidden_is_not_in_the_query() {
        let hides = |name: &str| name == "token" || name == "a b";
        for (query, left) in [
            ("", ""),
            ("token=x", ""),
            ("token", ""),
            ("x=1&t%6Fken=y&&a+b=2&token=z&y=%20&flag", "x=1&y=%20&flag="),
            ("tokens=1", "tokens=1"),
        ] {
            assert_eq!(without(query, hides), left, "{query}");
        }
    }

    #[test]
    fn a_path_is_a_short_word_and_never_a_token() {
        let tokens = vec![Secret::new("open-7f2c9d1e".to_owned())];
        let token = Scheme::Token(Place::Address, tokens);
        let scheme = Scheme::Any(vec![Scheme::Open, Scheme::All(vec![token])]);
        let long = "x".repeat(PATH_MAX + 1);
        for (segments, found) in [
            (vec!["booking_created"], Some("booking_created")),
            (vec!["open-7f2c9d1e", "booking.created"], Some("booking.created")),
            (vec!["booking.created", "open-7f2c9d1e"], Some("booking.created")),
            (vec!["v2", "booking-created"], Some("v2/booking-created")),
            (vec!["open-7f2c9d1e"], None),
            (vec![], None),
            (vec!["Zoë"], None),
            (vec!["zoe@example.com"], None),
            (vec![&long], None),
            (vec![&long[1..]], Some(&long[1..])),
        ] {
            assert_eq!(path(segments.clone(), &scheme).as_deref(), found, "{segments:?}");
        }
    }
}
