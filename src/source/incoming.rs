//! What a source makes of a request before it is stored: what the address says, what is only a try, what is never kept.

use serde_json::Value;

use super::path::{Input, Lookup, is_credential};
use super::{Source, address};

/// The word of a handshake has no more characters.
pub const CHALLENGE_MAX: usize = 1_000;

/// Words in the names of headers and parameters that say what a delivery is about.
const NOTICED: &[&str] = &[
    "event", "type", "topic", "action", "kind", "trigger", "delivery", "resource", "object",
];
/// So many of them are kept at the most.
const NOTICED_MAX: usize = 20;

impl Source {
    /// What the query of a GET says, as a form: without credentials. Empty where nothing is left.
    pub fn said_by(&self, query: &str) -> String {
        address::without(query, |name| self.secrets.hides(name))
    }

    /// Whether a body may hold secrets.
    pub fn has_secrets(&self) -> bool {
        self.secrets.in_bodies()
    }

    /// Replaces the secrets in a body; whether there were any. It comes before everything that keeps the body or any
    /// trace of it.
    pub fn redact(&self, body: &mut Value) -> bool {
        self.secrets.redact(body)
    }

    /// Whether anything of it reads `path`: only then more may stand in the address than the token.
    pub fn reads_path(&self) -> bool {
        self.reads_path
    }

    /// Whether a body is one by which the sender only tries whether anybody is there.
    pub fn is_ping(&self, body: &Value, headers: &dyn Fn(&str) -> Option<String>) -> bool {
        let input = Input {
            body,
            item: body,
            headers,
        };
        self.ping.iter().any(|rule| rule.holds(&input))
    }

    /// The word of a handshake, which goes back as it came: a text or a number of [`CHALLENGE_MAX`] characters at the most.
    pub fn challenge(&self, body: &Value, headers: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let input = Input {
            body,
            item: body,
            headers,
        };
        let word = match self.challenge.as_ref()? {
            Lookup::Header(name) => headers(name)?,
            Lookup::Path(path) => path.all(&input).into_iter().find_map(|found| match found {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })?,
        };
        (!word.is_empty() && word.chars().count() <= CHALLENGE_MAX).then_some(word)
    }

    /// Whether a GET with this query may be a handshake.
    pub fn may_be_challenge(&self, query: &str) -> bool {
        let Some(Lookup::Header(name)) = &self.challenge else {
            return false;
        };
        let parameter = name.strip_prefix(address::PARAMETER);
        parameter.is_some_and(|parameter| address::parameter(query, parameter).is_some())
    }

    /// The names among the kept headers of what its mapping reads of the address.
    pub fn in_address_read(&self) -> impl Iterator<Item = &str> {
        let of_address = |name: &&String| name.starts_with(address::PARAMETER) || *name == address::PATH;
        self.headers.iter().filter(of_address).map(String::as_str)
    }

    /// What a source that learns keeps beside what its mapping reads, so that a mapping that is written later finds it: the
    /// names, among the kept headers, of what may say which event it is. Names by a list of words, so that no credential is
    /// among them.
    pub fn noticed<'h>(&self, headers: impl IntoIterator<Item = &'h str>, query: &str) -> Vec<String> {
        if !self.learn() {
            return Vec::new();
        }
        let tells = |name: &str| {
            let name = name.to_ascii_lowercase();
            NOTICED.iter().any(|word| name.contains(word)) && !is_credential(&name)
        };
        let of_headers = headers.into_iter().filter(|name| tells(name)).map(str::to_owned);
        let parameters = address::names(query).into_iter().filter(|name| tells(name));
        let of_query = parameters.map(|name| format!("{}{name}", address::PARAMETER));
        let path = [address::PATH.to_owned()];
        path.into_iter()
            .chain(of_headers)
            .chain(of_query)
            .take(NOTICED_MAX)
            .collect()
    }

    /// What the address says, by its name among the kept headers (`?NAME`, `/`): `query` as it stands in the URL,
    /// `segments` of the path after the name of the source, decoded. `None` also for every other name.
    pub fn in_address<'s>(
        &self,
        name: &str,
        query: &str,
        segments: impl IntoIterator<Item = &'s str>,
    ) -> Option<String> {
        match name.strip_prefix(address::PARAMETER) {
            Some(parameter) if self.secrets.hides(parameter) => None,
            Some(parameter) => address::parameter(query, parameter),
            None if name == address::PATH => address::path(segments, &self.auth),
            None => None,
        }
    }
}
