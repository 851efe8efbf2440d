//! A configured inbound endpoint: who may post to it, what recognises a delivery that comes again, and how a body
//! becomes facts. Compiled once from the configuration; everything here is pure.

mod auth;
mod authenticate;
mod facts;
mod mapping;
mod moment;
mod path;
mod predicate;
mod preset;
mod read;
mod receipt;
mod value;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use self::authenticate::Scheme;
use self::mapping::Mapping;
use self::path::{Compiling, Input};
use self::predicate::Predicate;
use self::receipt::Keys;
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::{Fields, text};
use crate::lang::yaml::Node;
use crate::model::clock::Time;
use crate::model::delivery::{ReceiptKey, Weak};
use crate::model::event;
use crate::model::fact::Fact;

pub use self::authenticate::Denied;
pub use self::preset::PRESETS;

/// The largest body where the source does not say: the longest known ones, with all listing texts, stay below it.
const BODY_MAX: usize = 1 << 20;
/// How long the same body counts as a duplicate where nothing in it tells deliveries apart.
const DUPLICATE_WINDOW: TimeDelta = TimeDelta::minutes(10);
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
    body_max: usize,
    duplicate_window: TimeDelta,
    respond: Option<Respond>,
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
    /// The token in the path, decoded.
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
    Facts(Vec<Fact>),
    /// There is nothing in it for us; why.
    Ignored(String),
    /// Nothing could be read; what was looked for and where.
    Unmapped(String),
}

/// A request as the sender would make it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
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

/// Reads a source's entry in the configuration; what is wrong goes to the report, and then there is no source.
pub fn compile(name: &str, settings: &Node, report: &mut Report) -> Option<Source> {
    let before = report.items.len();
    let mistakes = report.mistakes();
    let source = compiled(name, settings, report);
    // What stands beside a list of mappings is read once for each of them.
    let mut at = before;
    while at < report.items.len() {
        if report.items[before..at].contains(&report.items[at]) {
            report.items.remove(at);
        } else {
            at += 1;
        }
    }
    source.filter(|_| report.mistakes() == mistakes)
}

fn compiled(name: &str, settings: &Node, report: &mut Report) -> Option<Source> {
    let layers = preset::layered(settings, report)?;
    let mut fields = Fields::of(&layers.settings, &format!("the source `{name}`"), report)?;
    // `preset`, `map` and the keys of mappings have been read already.
    fields.get("preset");
    fields.get("map");
    for key in mapping::KEYS {
        fields.get(key);
    }
    let scheme = auth::compile(name, &mut fields, layers.preset, report);
    let live_from = fields.text("live_from", report).map(str::to_owned);
    let live_from = live_from.and_then(|text| instant(&text, fields.get("live_from"), report));
    let learn = fields.flag("learn", false, report);
    let stays_of = fields.text("stays_of", report).unwrap_or(name).to_owned();
    let duplicate_window = fields.duration("duplicate_window", report).unwrap_or(DUPLICATE_WINDOW);
    let body_max = fields.get("body_max").map_or(Some(BODY_MAX), |node| size(node, report));
    let emits = emits(fields.get("emits"), report);
    let respond = fields.get("respond").and_then(|node| respond(node, report));
    let ignore_node = fields.get("ignore");
    let keys_node = fields.get("receipt_key");
    let place = fields.place().clone();
    fields.finish(report);

    let mut cx = Compiling {
        report,
        headers: BTreeSet::new(),
        items: false,
    };
    let what = |at: usize| match layers.mappings.len() {
        1 => format!("the mapping of the source `{name}`"),
        _ => format!("mapping {} of the source `{name}`", at + 1),
    };
    let mappings: Vec<Mapping> = layers
        .mappings
        .iter()
        .enumerate()
        .filter_map(|(at, node)| Mapping::compile(node, &what(at), &mut cx))
        .collect();
    let ignore = ignore_node.map(|node| ignore(node, &mut cx)).unwrap_or_default();
    let signed = scheme.as_ref().is_some_and(Scheme::signs_body);
    let keys = keys_node
        .map(|node| Keys::compile(node, signed, &mappings, &mut cx))
        .unwrap_or_default();
    let headers = cx.headers;
    if layers.mappings.is_empty() && !learn {
        let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
        report
            .mistake(
                "no-mapping",
                &place,
                format!("nothing says how the bodies of the source `{name}` are read"),
            )
            .help(format!(
                "add `preset:` ({}) or `map:`; `learn: true` only stores and shows what comes",
                crate::lang::fields::quoted(&names)
            ));
    }
    Some(Source {
        name: name.to_owned(),
        preset: layers.preset,
        stays_of,
        live_from,
        learn,
        emits,
        body_max: body_max?,
        duplicate_window,
        respond,
        auth: scheme?,
        keys,
        ignore,
        mappings,
        headers,
    })
}

impl Source {
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

    /// The largest body in bytes, after removal of a transport compression.
    pub fn body_max(&self) -> usize {
        self.body_max
    }

    /// Whether its deliveries come by GET; none do in this version.
    pub fn by_get(&self) -> bool {
        false
    }

    /// The answer the sender insists on; `None` for the usual one.
    pub fn respond(&self) -> Option<&Respond> {
        self.respond.as_ref()
    }

    /// Whether the request comes from the sender it claims to come from.
    pub fn authenticate(&self, request: &Request<'_>) -> Result<(), Denied> {
        self.auth.holds(request)
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
        let weak = found.bare.then(|| Weak {
            scope: facts::first_name(&self.mappings, &input).map(|name| receipt::scope(&name)),
            window_ms: self.duplicate_window.num_milliseconds(),
        });
        ReceiptKey { key: found.key, weak }
    }

    /// What the body says. `headers` are those that [`Source::kept_headers`] kept, or all.
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
        if let Some((_, because)) = self.ignore.iter().find(|(predicate, _)| predicate.holds(&input)) {
            return Mapped::Ignored(because.clone());
        }
        match facts::read(&self.mappings, &self.stays_of, &input) {
            facts::Read::Facts(mut facts) => {
                if let (Cow::Owned(_), Some(first)) = (&body, facts.first_mut()) {
                    first.warnings.push("NUL characters in texts were replaced".to_owned());
                }
                Mapped::Facts(facts)
            }
            facts::Read::Nothing(because) => Mapped::Ignored(because),
            facts::Read::Unmapped(because) => Mapped::Unmapped(because),
        }
    }

    /// The headers that are stored with a delivery, in lower case: what the mapping reads, and what says what and from
    /// whom the body is. Never a credential.
    pub fn kept_headers(&self, headers: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
        ["content-type", "user-agent"]
            .into_iter()
            .chain(self.headers.iter().map(String::as_str))
            .filter_map(|name| Some((name.to_owned(), headers(name)?.chars().take(HEADER_MAX).collect())))
            .collect()
    }

    /// The request in which this sender would post `body`.
    pub fn sign(&self, body: &[u8], now: Time) -> Signed {
        let mut query = Vec::new();
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        self.auth.sign(body, now, &mut query, &mut headers);
        let mark = if query.is_empty() { "" } else { "?" };
        let name = percent_encoding::utf8_percent_encode(&self.name, PATH);
        Signed {
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

fn instant(text: &str, node: Option<&Node>, report: &mut Report) -> Option<Time> {
    let found = DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
    if let (None, Some(node)) = (found, node) {
        report
            .mistake(
                "expected-time",
                &node.place,
                format!("`live_from` is a time with its zone, `{text}` is not"),
            )
            .help("for example `2026-11-22T12:00:00Z`");
    }
    found
}

/// `1048576`, `512KiB`, `2MiB`; from 1 KiB to 64 MiB.
fn size(node: &Node, report: &mut Report) -> Option<usize> {
    let written = text(node, "body_max", report)?;
    let end = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(end);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        _ => None,
    };
    let found = number
        .parse::<usize>()
        .ok()
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .filter(|size| (1 << 10..=64 << 20).contains(size));
    if found.is_none() {
        report.mistake(
            "expected-size",
            &node.place,
            "`body_max` is a size such as `512KiB` or `2MiB`, 64 MiB at the most",
        );
    }
    found
}

fn emits(node: Option<&Node>, report: &mut Report) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in node.map(Node::items).unwrap_or_default() {
        let Some(name) = text(item, "emits", report) else {
            continue;
        };
        if !event::is_type(name) {
            let diagnostic = report.mistake("unknown-event", &item.place, format!("`{name}` is no event type"));
            if let Some(near) = did_you_mean(name, event::TYPES.iter().copied()) {
                diagnostic.help(format!("did you mean `{near}`?"));
            }
        } else if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    found
}

fn respond(node: &Node, report: &mut Report) -> Option<Respond> {
    let mut fields = Fields::of(node, "`respond`", report)?;
    let status = fields.count("status", 200, 299, report).unwrap_or(200);
    let body = fields.text("body", report).map(str::to_owned);
    fields.later(&["challenge"], report);
    fields.finish(report);
    Some(Respond {
        status: u16::try_from(status).unwrap_or(200),
        body,
    })
}

fn ignore(node: &Node, cx: &mut Compiling<'_>) -> Vec<(Predicate, String)> {
    let mut rules = Vec::new();
    for item in node.items() {
        let Some(mut fields) = Fields::of(item, "a rule of `ignore`", cx.report) else {
            continue;
        };
        let because = fields
            .required("because", cx.report)
            .and_then(|node| text(node, "because", cx.report));
        let conditions = fields.rest();
        let predicate = Predicate::compile(conditions, &item.place, "a rule of `ignore`", cx);
        if let (Some(predicate), Some(because)) = (predicate, because) {
            rules.push((predicate, because.to_owned()));
        }
    }
    rules
}

#[cfg(test)]
mod tests;
