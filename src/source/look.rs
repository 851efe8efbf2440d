//! Looking at how a source reads a body: for people who write mappings. Nothing here decides anything.

use serde_json::Value;

use super::Source;
use super::mapping::{Mapping, Partial};
use super::path::{Input, Lookup, Path};
use crate::model::body::{self, FORM};

/// How a body was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The entry of `receipt_key` that counts, in words.
    pub receipt_key: String,
    /// The rule of `ignore` that holds: its position from 1, and why.
    pub ignored: Option<(usize, String)>,
    /// The mappings that apply to the body or to any of its items, by position from 1.
    pub mappings: Vec<usize>,
    /// How many mappings there are.
    pub of: usize,
    /// Whether what is absent keeps its value.
    pub partial: bool,
}

/// A place in a body that a source reads: our name, and what stands there. What only decides how a body is read is called
/// `condition`.
pub type Read<'v> = (String, &'v Value);

impl Source {
    /// Whether everything it says of a stay has the sender's own order.
    pub fn says_order(&self) -> bool {
        let mut of_stays = self.mappings.iter().filter(|mapping| !mapping.fields.is_empty());
        of_stays.all(|mapping| mapping.version.is_there())
    }

    /// The sender's words for a status with ours, in the order of the words.
    pub fn status_meanings(&self) -> Vec<(String, String)> {
        let statuses = self.mappings.iter().flat_map(|mapping| &mapping.fields);
        let statuses = statuses.filter(|(field, _)| field.name == "status");
        let meanings: std::collections::BTreeSet<(String, String)> =
            statuses.flat_map(|(_, expr)| expr.meanings()).collect();
        meanings.into_iter().collect()
    }

    /// The paths of own names of stays, and of names that several stays may share, in the mapping's order: in bodies about
    /// stays, or in those about payments and messages alone.
    pub fn name_paths(&self, of_stays: bool) -> (Vec<String>, Vec<String>) {
        let (mut own, mut shared) = (Vec::new(), Vec::new());
        for mapping in self
            .mappings
            .iter()
            .filter(|mapping| mapping.fields.is_empty() != of_stays)
        {
            for (name, expr) in mapping.names() {
                let is_own = name == "ids" || (name == "code" && mapping.code_is_own);
                let list = if is_own { &mut own } else { &mut shared };
                let new: Vec<String> = expr.paths().into_iter().filter(|path| !list.contains(path)).collect();
                list.extend(new);
            }
        }
        shared.retain(|path| !own.contains(path));
        (own, shared)
    }

    /// Whether the code is no own name of a stay: another stay may have it too.
    pub fn code_is_shared(&self) -> bool {
        let code = self.mappings.iter().find(|mapping| mapping.code.is_some());
        code.is_some_and(|mapping| !mapping.code_is_own)
    }

    /// By what of a stored delivery it would be recognised if it came again, in words; `headers` as they were kept, `text`
    /// the body as it is shown.
    pub fn recognised_by(&self, headers: &Value, text: &str) -> Option<String> {
        let form = headers["content-type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with(FORM));
        let body = body::decode(form.then_some(FORM), text.as_bytes()).ok()?;
        let kept = |name: &str| headers[name].as_str().map(str::to_owned);
        Some(self.reading(&body, &kept).receipt_key)
    }

    /// How it reads a body.
    pub fn reading(&self, body: &Value, headers: &dyn Fn(&str) -> Option<String>) -> Reading {
        let input = Input {
            body,
            item: body,
            headers,
        };
        let mut reading = Reading {
            receipt_key: self.keys.told(&input),
            of: self.mappings.len(),
            ..Reading::default()
        };
        let ignored = self.ignore.iter().position(|(predicate, _)| predicate.holds(&input));
        if let Some(at) = ignored {
            reading.ignored = Some((at + 1, self.ignore[at].1.clone()));
            return reading;
        }
        for (at, mapping) in self.mappings.iter().enumerate() {
            let applies = items(mapping, body).into_iter().any(|item| {
                let input = Input { item, ..input };
                let holds = mapping
                    .applies_to
                    .as_ref()
                    .is_none_or(|predicate| predicate.holds(&input));
                reading.partial |= holds && mapping.partial.holds(&input);
                holds
            });
            if applies {
                reading.mappings.push(at + 1);
                if mapping.items.is_empty() {
                    break;
                }
            }
        }
        reading
    }

    /// Every place of a body that it reads.
    pub fn places<'v>(&self, body: &'v Value) -> Vec<Read<'v>> {
        let mut found = Vec::new();
        let mut add = |name: &str, paths: &[String], item: &'v Value| {
            let input = Input {
                body,
                item,
                headers: &|_| None,
            };
            for path in paths.iter().filter_map(|path| Path::parse(path).ok()) {
                found.extend(path.all(&input).into_iter().map(|value| (name.to_owned(), value)));
            }
        };
        for (predicate, _) in &self.ignore {
            add(
                "condition",
                &predicate.named().map(|(at, _)| at.text()).collect::<Vec<_>>(),
                body,
            );
        }
        for mapping in &self.mappings {
            for item in items(mapping, body) {
                if let Some(predicate) = &mapping.applies_to {
                    add(
                        "condition",
                        &predicate.named().map(|(at, _)| at.text()).collect::<Vec<_>>(),
                        item,
                    );
                }
                if let Partial::Where(any) = &mapping.partial {
                    any.iter().for_each(|predicate| {
                        add(
                            "condition",
                            &predicate.named().map(|(at, _)| at.text()).collect::<Vec<_>>(),
                            item,
                        )
                    });
                }
                mapping
                    .version
                    .exprs()
                    .for_each(|expr| add("version", &expr.paths(), item));
                for (name, expr) in mapping.names().chain(mapping.hint.iter().map(|expr| ("event", expr))) {
                    add(name, &expr.paths(), item);
                }
                for (field, expr) in &mapping.fields {
                    add(field.name, &expr.paths(), item);
                }
                for (group, section) in [("payment", &mapping.payment), ("message", &mapping.message)] {
                    for (name, _, expr) in section {
                        add(&format!("{group}.{name}"), &expr.paths(), item);
                    }
                }
            }
        }
        found
    }

    /// The headers that its mapping reads, in lower case.
    pub fn read_headers(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(String::as_str)
    }
}

/// The items of a mapping, else the body.
pub(super) fn items<'v>(mapping: &Mapping, body: &'v Value) -> Vec<&'v Value> {
    if mapping.items.is_empty() {
        return vec![body];
    }
    let input = Input {
        body,
        item: body,
        headers: &|_| None,
    };
    let all = mapping.items.iter().filter_map(|lookup| match lookup {
        Lookup::Path(path) => Some(path.all(&input)),
        Lookup::Header(_) => None,
    });
    let listed = all.flatten().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    });
    listed.collect()
}
