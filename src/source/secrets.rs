//! What a sender writes into a delivery and nobody may find there afterwards.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::address;
use super::authenticate::Scheme;
use super::path::{Compiling, Lookup, Path};
use crate::lang::diag::Place;
use crate::lang::shape::{Entry, Form, Like, key};
use crate::lang::yaml::Node;

/// `secrets`.
pub(super) const SECRETS: Entry = key(
    "secrets",
    Form::Several(&Form::Like(&Like {
        what: "a path into the body (`$.token`) or a parameter of the address (`query.key`)",
        pattern: r"^(\$|query\.)",
        numbers: false,
    })),
    "What of a delivery is never kept: in the body it is replaced by `***` before the body is stored, so that nobody finds \
     it there later, and mappings and recipes cannot read it either.",
    "secrets: [$.data.access_token, query.key]",
);

/// What stands in the place of a secret.
pub(super) const REPLACED: &str = "***";

/// What is never kept of a delivery.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    paths: Vec<Path>,
    parameters: BTreeSet<String>,
}

impl Secrets {
    /// Reads the list; the tokens of `scheme` in the body and in the address are among them.
    pub(super) fn compile(
        node: Option<&Node>,
        scheme: Option<&Scheme>,
        source: &Place,
        cx: &mut Compiling<'_>,
    ) -> Secrets {
        let read = std::mem::take(&mut cx.paths);
        let paths = scheme.map(Scheme::body_paths).unwrap_or_default();
        for path in paths.iter().filter(|path| read.contains(&path.normal())) {
            is_read(path.text(), source, cx);
        }
        let parameters = scheme.map(Scheme::parameters).unwrap_or_default();
        let mut secrets = Secrets {
            paths: paths.into_iter().cloned().collect(),
            // However a source proves who it is: what is called so is a credential.
            parameters: parameters.into_iter().chain(["token"]).map(str::to_owned).collect(),
        };
        for item in node.map(Node::items).unwrap_or_default() {
            let parameter = item.scalar().and_then(|text| text.strip_prefix("query."));
            if let Some(name) = parameter.filter(|name| address::is_parameter(name)) {
                secrets.parameter(name, item, cx);
                continue;
            }
            match Lookup::compile(item, cx) {
                Some(Lookup::Path(path)) if !path.is_whole() => {
                    if read.contains(&path.normal()) {
                        is_read(path.text(), &item.place, cx);
                    }
                    secrets.paths.push(path);
                }
                Some(_) => {
                    cx.report
                        .mistake(
                            "bad-path",
                            &item.place,
                            "`secrets` names parts of the body and parameters of the address",
                        )
                        .help("for example `secrets: [$.data.access_token, query.key]`; headers with credentials are never kept");
                }
                None => {}
            }
        }
        secrets
    }

    fn parameter(&mut self, name: &str, item: &Node, cx: &mut Compiling<'_>) {
        if cx.headers.contains(&format!("{}{name}", address::PARAMETER)) {
            is_read(&format!("query.{name}"), &item.place, cx);
        }
        self.parameters.insert(name.to_owned());
    }

    /// Whether it may find something in a body.
    pub(super) fn in_bodies(&self) -> bool {
        !self.paths.is_empty()
    }

    /// Whether a parameter of the query is one.
    pub(super) fn hides(&self, parameter: &str) -> bool {
        self.parameters.contains(parameter)
    }

    /// Replaces what it finds in a body; whether there was anything.
    pub(super) fn redact(&self, body: &mut Value) -> bool {
        let input = super::Input {
            body,
            item: body,
            headers: &|_| None,
        };
        let found: HashSet<*const Value> = self
            .paths
            .iter()
            .flat_map(|path| path.all(&input))
            .filter(|value| !says_nothing(value))
            .map(std::ptr::from_ref)
            .collect();
        // Nothing moves while they are replaced, so each still stands where it was found.
        if !found.is_empty() {
            replace(body, &found);
        }
        !found.is_empty()
    }
}

fn is_read(what: &str, place: &Place, cx: &mut Compiling<'_>) {
    cx.report
        .mistake(
            "secret-is-read",
            place,
            format!("`{what}` is among the `secrets` and is read by the mapping or `receipt_key` too"),
        )
        .help("what is secret is not kept, so nothing can read it: take it out of `secrets`, or let nothing read it");
}

/// What is there and says nothing, or was replaced already.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == REPLACED,
        _ => false,
    }
}

fn replace(value: &mut Value, found: &HashSet<*const Value>) {
    if found.contains(&std::ptr::from_ref(&*value)) {
        *value = Value::String(REPLACED.to_owned());
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, found)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| replace(entry, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_there_is_replaced_and_nothing_else() {
        let paths = ["$.a", "$.list[*].key", "$..deep", "$.a.b"];
        let secrets = Secrets {
            paths: paths.iter().map(|path| Path::parse(path).unwrap()).collect(),
            parameters: BTreeSet::new(),
        };
        for (body, replaced) in [
            (json!({"a": "x", "b": "x"}), Some(json!({"a": "***", "b": "x"}))),
            (json!({"a": {"b": 1, "c": 2}}), Some(json!({"a": "***"}))),
            (
                json!({"list": [{"key": "1", "n": 1}, {"key": ""}, {"key": null}, {"key": false}]}),
                Some(json!({"list": [{"key": "***", "n": 1}, {"key": ""}, {"key": null}, {"key": "***"}]})),
            ),
            (json!([{"deep": [{"deep": 1}]}]), Some(json!([{"deep": "***"}]))),
            (json!({"a": null, "list": {}}), None),
            (json!({"a": "***"}), None),
            (json!("x"), None),
        ] {
            let mut now = body.clone();
            assert_eq!(secrets.redact(&mut now), replaced.is_some(), "{body}");
            assert_eq!(now, replaced.unwrap_or(body));
        }
    }
}
