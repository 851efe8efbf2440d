//! The `http` action: one request over a connection.

use std::sync::Arc;

use futures::future::BoxFuture;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lang::diag::{Place, Report};
use crate::lang::effect::{Effect, EffectKind, Rendering};
use crate::lang::fields::{self, Fields};
use crate::lang::shape::Shape;
use crate::lang::template::{Context, Format, Name, TemplateError};
use crate::lang::tree::{Tree, note};
use crate::lang::yaml::{Key, Node};
use crate::model::effect::{Answer, Prepared};

use super::connection::Connection;
use super::slot::{Slot, ready, refused};
use super::{Io, Kind};

pub mod header;
mod judge;
mod path;
mod send;
mod shapes;
#[cfg(test)]
mod tests;

use shapes::SHAPE;

pub use judge::{Judge, Verdict, retry_after_s};

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The kind `http`.
#[derive(Clone, Copy, Debug)]
pub struct Http;

/// A rendered request: all of the recipe, nothing of the connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// One of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: String,
    /// Path and query below the connection's `base_url`.
    pub url: String,
    /// The headers that the recipe sets.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// A body of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// A body of form fields, all texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Map<String, Value>>,
    /// A body of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What a body of text is; plain text where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How the answer is read.
    #[serde(default)]
    pub answer: Judge,
}

/// An `http` step, read and checked.
#[derive(Debug)]
struct HttpEffect {
    connection: Option<String>,
    method: &'static str,
    url: Slot,
    query: Vec<(String, Slot)>,
    headers: Vec<(String, Slot)>,
    body: Body,
    content_type: Option<String>,
    answer: Judge,
}

#[derive(Debug)]
enum Body {
    None,
    Json(Tree),
    Form(Vec<(String, Slot)>),
    Text(Slot),
}

impl EffectKind for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn shape(&self) -> &'static Shape {
        &SHAPE
    }

    fn compile(&self, settings: &Node, report: &mut Report) -> Option<Arc<dyn Effect>> {
        let before = report.mistakes();
        let mut fields = Fields::of(settings, &SHAPE, report)?;
        let connection = fields.text("connection", report).map(str::to_owned);
        let method = fields.word("method", report).unwrap_or("POST");
        let url = fields.required("url", report).and_then(|node| url(node, report));
        let query = slots(&mut fields, "query", report);
        let headers = slots(&mut fields, "headers", report);
        if let Some(node) = fields.get("headers") {
            check_headers(node, &headers, report);
        }
        let (json, form, text) = (fields.get("json"), fields.get("form"), fields.get("text"));
        let body = match (json, form, text) {
            (None, None, None) => Body::None,
            (Some(node), None, None) => Body::Json(Tree::compile(node, Format::Text, report)?),
            (None, Some(_), None) => Body::Form(slots(&mut fields, "form", report)),
            (None, None, Some(node)) => Body::Text(Slot::compile(node, "text", Format::Text, report)?),
            _ => {
                let title = "a request has one body: `json`, `form` or `text`";
                report.mistake("one-body", fields.place(), title);
                Body::None
            }
        };
        let content_type = fields.get("content_type").and_then(|node| {
            if text.is_none() {
                report.mistake("content-type", &node.place, "`content_type` goes with `text`");
            }
            let found = fields::text(node, "content_type", report)?;
            if let Err(why) = header::value("content-type", found) {
                report.mistake("content-type", &node.place, why);
            }
            Some(found.to_owned())
        });
        let mut own = headers.iter();
        let given = own.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let kind = content_type.as_deref().or(given.map(|(_, slot)| slot.source()));
        if let (Body::Text(slot), Some(node)) = (&body, text)
            && slot.prints_plain()
            && kind.map_or_else(|| looks_like_json(slot.source()), is_json)
        {
            report
                .warning(
                    "json-text",
                    &node.place,
                    "a quote or line break in a value makes this no JSON any more",
                )
                .help("write the body under `json:` instead of `text:`, or each value as `{{ … | json }}`");
        }
        let answer = Judge::compile(&mut fields, report);
        fields.finish(report);
        let url = url.filter(|_| report.mistakes() == before)?;
        Some(Arc::new(HttpEffect {
            connection,
            method,
            url,
            query,
            headers,
            body,
            content_type,
            answer,
        }))
    }
}

impl Kind for Http {
    fn over(&self) -> &'static str {
        "http"
    }

    fn perform<'a>(
        &'a self,
        prepared: &'a Prepared,
        key: &'a str,
        connection: &'a Connection,
        io: &'a Io,
    ) -> BoxFuture<'a, Answer> {
        Box::pin(send::perform(prepared, key, connection, io))
    }
}

fn url(node: &Node, report: &mut Report) -> Option<Slot> {
    // Judged as a URL only when it is filled in: compiled as text, so that mistakes of the template are found here.
    let slot = Slot::compile(node, "url", Format::Text, report)?;
    if let Some(why) = path::written_refusal(slot.source()) {
        report
            .mistake("url", &node.place, why)
            .help("write a path such as `/tasks/{{ reservation.key }}`; the host stands in the connection");
    }
    Some(slot)
}

/// A map of templates whose keys are the user's own.
fn slots(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Vec<(String, Slot)> {
    let entries = fields.own(key, report).into_iter();
    let slot = |(name, node): &(Key, Node)| {
        let full = format!("{key}.{}", name.text);
        let slot = match key {
            "headers" => Slot::compile_line(node, &full, report),
            _ => Slot::compile(node, &full, Format::Text, report),
        };
        slot.map(|slot| (name.text.clone(), slot))
    };
    entries.filter_map(slot).collect()
}

/// Whether a text was meant as JSON, though nobody says so: `{"name": …}`, and not `{{ name }}`.
fn looks_like_json(text: &str) -> bool {
    let text = text.trim();
    let object = text.starts_with('{') && !text.starts_with("{{") && !text.starts_with("{%") && text.ends_with('}');
    (object || text.starts_with('[') && text.ends_with(']')) && text.contains('"')
}

/// Whether a content type is one of JSON.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind.ends_with("/json") || kind.ends_with("+json")
}

fn check_headers(node: &Node, slots: &[(String, Slot)], report: &mut Report) {
    for (name, key, _) in header::read(node.entries(), report) {
        let written = slots.iter().any(|(name, slot)| *name == key.text && slot.is_constant());
        // What a recipe renders is kept with its run; a credential must not be.
        if written && matches!(name, http::header::AUTHORIZATION | http::header::COOKIE) {
            report
                .mistake("header", &key.place, "a recipe holds no credentials")
                .help("write it under `headers` of the connection, in the configuration");
        }
    }
}

impl Effect for HttpEffect {
    fn says(&self) -> String {
        format!("send {} `{}`", self.method, self.url.source().trim())
    }

    fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    fn names(&self) -> Vec<(Name, Place)> {
        let own = self.query.iter().chain(&self.headers).map(|(_, slot)| slot);
        let mut names: Vec<_> = std::iter::once(&self.url).chain(own).flat_map(Slot::names).collect();
        match &self.body {
            Body::None => {}
            Body::Json(tree) => names.extend(tree.names()),
            Body::Form(entries) => names.extend(entries.iter().flat_map(|(_, slot)| slot.names())),
            Body::Text(slot) => names.extend(slot.names()),
        }
        names
    }

    fn render(&self, connection: &str, values: &Context) -> Result<Rendering, TemplateError> {
        let mut missing = Vec::new();
        let mut url = self.url.url(values, &mut missing)?.trim().to_owned();
        if let Some(why) = path::refusal(&url) {
            return Err(refused(why));
        }
        let query = texts(&self.query, values, Slot::text, &mut missing)?;
        if !query.is_empty() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&encoded(&query));
        }
        let headers = texts(&self.headers, values, Slot::line, &mut missing)?;
        for (name, value) in &headers {
            header::value(name, value.as_str().unwrap_or_default()).map_err(refused)?;
        }
        let mut request = HttpRequest {
            method: self.method.to_owned(),
            url,
            headers,
            json: None,
            form: None,
            text: None,
            content_type: self.content_type.clone(),
            answer: self.answer.clone(),
        };
        match &self.body {
            Body::None => {}
            Body::Json(tree) => request.json = Some(note(tree.value(values)?, &mut missing)),
            Body::Form(entries) => request.form = Some(texts(entries, values, Slot::text, &mut missing)?),
            Body::Text(slot) => request.text = Some(slot.text(values, &mut missing)?),
        }
        ready("http", connection, &request, missing)
    }
}

/// Filled-in texts; an entry whose whole value is not known is left out rather than sent empty.
fn texts(
    entries: &[(String, Slot)],
    values: &Context,
    fill: fn(&Slot, &Context, &mut Vec<String>) -> Result<String, TemplateError>,
    missing: &mut Vec<String>,
) -> Result<Map<String, Value>, TemplateError> {
    let mut map = Map::new();
    for (key, slot) in entries {
        if !slot.value(values, missing)?.is_null() {
            map.insert(key.clone(), fill(slot, values, missing)?.into());
        }
    }
    Ok(map)
}

/// `a=b&c=d` with both sides encoded, in the order of the map.
fn encoded(entries: &Map<String, Value>) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let pair =
        |(key, value): (&String, &Value)| format!("{}={}", encoded(key), encoded(value.as_str().unwrap_or_default()));
    entries.iter().map(pair).collect::<Vec<_>>().join("&")
}
