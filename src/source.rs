//! A configured inbound endpoint: who may post to it, what recognises a delivery that comes again, and how a body
//! becomes facts. Compiled once from the configuration; everything here is pure.

mod about;
mod address;
mod allowed;
mod auth;
mod authenticate;
mod check;
mod facts;
mod incoming;
mod look;
mod mapping;
mod moment;
mod path;
mod predicate;
mod preset;
mod read;
mod receipt;
mod secrets;
mod settings;
mod shape;
mod value;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use chrono::TimeDelta;
use serde_json::Value;

use self::authenticate::Scheme;
use self::mapping::Mapping;
use self::path::{Input, Lookup};
use self::predicate::Predicate;
use self::receipt::Keys;
use self::secrets::Secrets;
use self::value::{Expr, scalar_text};
use crate::model::body::guess_type;
use crate::model::clock::Time;
use crate::model::delivery::{ReceiptKey, Weak};
use crate::model::fact::Fact;

pub use self::about::{About, about, preset_file};
pub use self::allowed::Allowed;
pub(crate) use self::auth::guessable;
pub use self::authenticate::{Denied, Proof, Seen, UNPROVEN_MAX};
pub use self::incoming::CHALLENGE_MAX;
pub use self::look::Reading;
pub use self::preset::PRESETS;
pub use self::settings::compile;
pub use self::shape::{PRESET_FILE, SOURCE};

/// A kept header is cut to this many characters.
const HEADER_MAX: usize = 500;

/// A configured inbound endpoint.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    preset: Option<&'static str>,
    stays_of: String,
    live_from: Option<Time>,
    learn: bool,
    emits: Vec<String>,
    by_post: bool,
    by_get: bool,
    body_max: usize,
    any_content_type: bool,
    duplicate_window: TimeDelta,
    respond: Option<Respond>,
    challenge: Option<Lookup>,
    ping: Vec<Predicate>,
    reads_path: bool,
    secrets: Secrets,
    auth: Scheme,
    keys: Keys,
    ignore: Vec<(Predicate, String)>,
    mappings: Vec<Mapping>,
    headers: BTreeSet<String>,
}

/// The answer that a sender insists on for a stored delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respond {
    /// From 200 to 299.
    pub status: u16,
    /// The body; `None` for the usual one.
    pub body: Option<String>,
}

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What may be a token in the path, decoded. Where several parts of the path may be, each is tried.
    pub path_token: Option<&'a str>,
    /// The query as it stands in the URL, without `?`.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a http::HeaderMap,
    /// The bytes on the wire.
    pub raw: &'a [u8],
    /// The bytes after removal of a transport compression; a signature over either counts.
    pub decoded: &'a [u8],
    /// The sender's address as the trusted proxies say.
    pub client_ip: Option<IpAddr>,
    /// The time of receipt.
    pub now: Time,
}

/// What could be read from a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped {
    /// What it says, in the body's order; warnings stand with the facts.
    Facts {
        /// The facts.
        facts: Vec<Fact>,
        /// What was left out on purpose, in words.
        left_out: Vec<String>,
    },
    /// There is nothing in it for us; why.
    Ignored(String),
    /// Nothing could be read; what was looked for and where.
    Unmapped(String),
}

/// A request as the sender would make it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// Whether it is a GET without a body, else a POST.
    pub by_get: bool,
    /// Path and query, with the token where that is how the sender signs in.
    pub path_and_query: String,
    /// Names in lower case, with credentials.
    pub headers: Vec<(String, String)>,
}

/// Shows neither the query nor the headers, which hold credentials.
impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signed(***)")
    }
}

impl Source {
    /// For how long an old body that is sent again may look like news: where nothing but the body tells deliveries apart.
    pub fn echo(&self) -> TimeDelta {
        match self.keys.are_bare() {
            true => self.duplicate_window,
            false => TimeDelta::zero(),
        }
    }

    /// Its name in the configuration, which is also its path: `/hooks/NAME`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The preset it was made from.
    pub fn preset(&self) -> Option<&'static str> {
        self.preset
    }

    /// The source whose stays it speaks of: itself, or what `stays_of` names.
    pub fn stays_of(&self) -> &str {
        &self.stays_of
    }

    /// Stays created before it are adopted, not announced.
    pub fn live_from(&self) -> Option<Time> {
        self.live_from
    }

    /// Whether it only stores, maps and shows.
    pub fn learn(&self) -> bool {
        self.learn
    }

    /// The event types this sender can ever cause; empty where nobody has said so.
    pub fn emits(&self) -> &[String] {
        &self.emits
    }

    /// Whether its mapping fills this canonical field.
    pub fn maps(&self, field: &str) -> bool {
        let mut fields = self.mappings.iter().flat_map(|mapping| &mapping.fields);
        fields.any(|(known, _)| known.name == field)
    }

    /// The event types that its mapping takes from the sender's own types, whatever the stay says.
    pub fn hints(&self) -> impl Iterator<Item = String> {
        let hints = self.mappings.iter().filter_map(|mapping| mapping.hint.as_ref());
        hints.flat_map(Expr::constants).filter_map(scalar_text)
    }

    /// The sender's words for a status as its mapping knows them; `None` where any word may come.
    pub fn status_words(&self) -> Option<Vec<String>> {
        let mut words = Vec::new();
        for (field, expr) in self.mappings.iter().flat_map(|mapping| &mapping.fields) {
            match field.name {
                "status" => words.extend(expr.known_words()?),
                "source_status" => return None,
                _ => {}
            }
        }
        Some(words)
    }

    /// The largest body in bytes, after removal of a transport compression.
    pub fn body_max(&self) -> usize {
        self.body_max
    }

    /// Whether its deliveries come by POST.
    pub fn by_post(&self) -> bool {
        self.by_post
    }

    /// Whether its deliveries come by GET.
    pub fn by_get(&self) -> bool {
        self.by_get
    }

    /// The answer the sender insists on; `None` for the usual one.
    pub fn respond(&self) -> Option<&Respond> {
        self.respond.as_ref()
    }

    /// What a sender has to show, in words for `check`: "a token in the path, the query or as bearer and an address in …".
    pub fn asks_for(&self) -> String {
        self.auth.says()
    }

    /// Whether a user and password are asked for, perhaps among others.
    pub fn takes_basic(&self) -> bool {
        self.auth.takes_basic()
    }

    /// Whether the request comes from the sender it claims to come from.
    pub fn authenticate(&self, request: &Request<'_>) -> Result<(), Denied> {
        match self.proof(request, Seen::Whole)? {
            Proof::Shown => Ok(()),
            Proof::Pending => Err(Denied { reason: "not shown" }),
        }
    }

    /// The same as far as the request is there: what needs no body is asked for before a body is read.
    pub fn proof(&self, request: &Request<'_>, seen: Seen) -> Result<Proof, Denied> {
        self.auth.proof(request, seen)
    }

    /// Whether JSON is taken whatever content type it comes with.
    pub fn any_content_type(&self) -> bool {
        self.any_content_type
    }

    /// What recognises this delivery when it comes again.
    pub fn receipt_key(&self, raw_body: &[u8], body: &Value, headers: &dyn Fn(&str) -> Option<String>) -> ReceiptKey {
        let text;
        let body = if body.is_null() && !raw_body.is_empty() {
            // Nothing was read from it, so it is known by its bytes.
            text = Value::String(String::from_utf8_lossy(raw_body).into_owned());
            &text
        } else {
            body
        };
        let input = Input {
            body,
            item: body,
            headers,
        };
        let found = self.keys.of(&input);
        ReceiptKey {
            key: found.key,
            scope: facts::first_name(&self.mappings, &input).map(|name| receipt::scope(&name)),
            weak: found.bare.then(|| Weak {
                window_ms: self.duplicate_window.num_milliseconds(),
            }),
        }
    }

    /// What the body says. `headers` are those that [`Source::kept_headers`] kept, or all; they are asked for `?NAME` and
    /// `/` too.
    pub fn map(&self, body: &Value, headers: &dyn Fn(&str) -> Option<String>) -> Mapped {
        if is_empty(body) {
            return Mapped::Ignored("the body is empty".to_owned());
        }
        let body = without_nul(body);
        let input = Input {
            body: &body,
            item: &body,
            headers,
        };
        let (of_items, of_all): (Vec<_>, Vec<_>) =
            self.ignore.iter().partition(|(predicate, _)| predicate.reads_item());
        if let Some((_, because)) = of_all.iter().find(|(predicate, _)| predicate.holds(&input)) {
            return Mapped::Ignored(because.clone());
        }
        match facts::read(&self.mappings, &of_items, &self.stays_of, &input) {
            facts::Read::Facts(mut facts, left_out) => {
                if self.stays_of != self.name {
                    // Whose stays they are knows which of its names are own ones.
                    let names = facts.iter_mut().map(|fact| &mut fact.stay);
                    names.for_each(|names| names.references.splice(..0, names.ids.drain(..)).for_each(drop));
                }
                if let (Cow::Owned(_), Some(first)) = (&body, facts.first_mut()) {
                    first.warnings.push("NUL characters in texts were replaced".to_owned());
                }
                Mapped::Facts { facts, left_out }
            }
            facts::Read::Nothing(because) => Mapped::Ignored(because),
            facts::Read::Unmapped(because) => Mapped::Unmapped(because),
        }
    }

    /// The headers that are stored with a delivery, in lower case: what the mapping reads, and what says what and from
    /// whom the body is. Among them is what it reads of the address, under names that no header can have: `?NAME` for a
    /// parameter of the query, `/` for the path. Never a credential.
    pub fn kept_headers(&self, headers: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
        ["content-type", "user-agent"]
            .into_iter()
            .chain(self.headers.iter().map(String::as_str))
            .filter_map(|name| Some((name.to_owned(), headers(name)?.chars().take(HEADER_MAX).collect())))
            .collect()
    }

    /// The request in which this sender would send `body`: JSON, or a form where it looks like one. Of a source whose
    /// deliveries come by GET only it is the query, and the request has none.
    pub fn sign(&self, body: &[u8], now: Time) -> Signed {
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        if self.by_post {
            let kind = guess_type(body).unwrap_or("application/json");
            headers.push(("content-type".to_owned(), kind.to_owned()));
            self.auth.sign(body, now, &mut query, &mut headers);
        } else {
            query.push(String::from_utf8_lossy(body.trim_ascii()).into_owned());
            self.auth.sign(b"", now, &mut query, &mut headers);
        }
        let mark = if query.is_empty() { "" } else { "?" };
        let name = percent_encoding::utf8_percent_encode(&self.name, PATH);
        Signed {
            by_get: !self.by_post,
            path_and_query: format!("/hooks/{name}{mark}{}", query.join("&")),
            headers,
        }
    }
}

/// What is encoded in a segment of a path.
const PATH: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn is_empty(body: &Value) -> bool {
    match body {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// NUL cannot be stored by every database and means nothing in a text.
fn without_nul(body: &Value) -> Cow<'_, Value> {
    fn has(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(has),
            Value::Object(entries) => entries.values().any(has),
            _ => false,
        }
    }
    fn replace(value: &mut Value) {
        match value {
            Value::String(text) => *text = text.replace('\0', "\u{FFFD}"),
            Value::Array(items) => items.iter_mut().for_each(replace),
            Value::Object(entries) => entries.values_mut().for_each(replace),
            _ => {}
        }
    }
    if !has(body) {
        return Cow::Borrowed(body);
    }
    let mut body = body.clone();
    replace(&mut body);
    Cow::Owned(body)
}

#[cfg(test)]
mod tests;
