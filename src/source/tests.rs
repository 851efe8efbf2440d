//! Sources as a whole: real bodies, the mapping language, credentials, mistakes, and whatever else may be posted.

mod anything;
mod credentials;
mod keys;
mod mistakes;
mod refined;
mod senders;
mod values;

use std::path::PathBuf;

use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::*;
use crate::lang::diag::Report;
use crate::lang::yaml;
use crate::model::fact::Says;

#[test]
fn sources_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Source>();
}

/// Compiles a source and expects no mistake.
fn source(settings: &str) -> Source {
    let (source, report) = tried(settings);
    source.unwrap_or_else(|| panic!("{}", report.render(|_| None)))
}

/// Compiles a source; what is wrong with it is in the report.
fn tried(settings: &str) -> (Option<Source>, Report) {
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", settings, &mut report).unwrap();
    let source = compile("lab", &node, &mut report);
    (source, report)
}

/// A source that reads bodies by this mapping and asks for nothing.
fn mapping(map: &str) -> Source {
    source(&format!("auth: none\n{map}"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn no_headers(_: &str) -> Option<String> {
    None
}

fn now() -> Time {
    DateTime::from_timestamp(1_801_126_803, 0).unwrap()
}

fn facts(source: &Source, body: &str) -> Vec<Fact> {
    match source.map(&json(body), &no_headers) {
        Mapped::Facts { facts, .. } => facts,
        other => panic!("{other:?}"),
    }
}

/// The one reservation in a body, as JSON.
fn fields(source: &Source, body: &str) -> Value {
    let facts = facts(source, body);
    assert_eq!(facts.len(), 1);
    match &facts[0].says {
        Says::Reservation { fields } => serde_json::to_value(fields).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// A recorded request.
struct Case {
    body: Vec<u8>,
    query: String,
    headers: HeaderMap,
    secret: String,
}

impl Case {
    fn read(sender: &str, case: &str) -> Case {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/sources")
            .join(sender);
        let request = std::fs::read_to_string(dir.join(format!("{case}.headers.json"))).unwrap();
        let request = json(&request);
        let body = std::fs::read(dir.join(request["body_file"].as_str().unwrap())).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in request["headers"].as_object().unwrap() {
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
        }
        let path = request["path"].as_str().unwrap();
        Case {
            body,
            query: path.split_once('?').map_or("", |(_, query)| query).to_owned(),
            headers,
            secret: request["secret"].as_str().unwrap_or("open-7f2c9d1e").to_owned(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn request(&self) -> Request<'_> {
        Request {
            path_token: None,
            query: &self.query,
            headers: &self.headers,
            raw: &self.body,
            decoded: &self.body,
            client_ip: None,
            now: now(),
        }
    }

    fn header(&self) -> impl Fn(&str) -> Option<String> + '_ {
        |name| Some(self.headers.get(name)?.to_str().ok()?.to_owned())
    }
}
