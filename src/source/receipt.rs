//! What recognises the same delivery again.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::mapping::Mapping;
use super::path::{Compiling, Input, Lookup, Path};
use super::secrets::REPLACED;
use super::value::scalar_text;
use crate::lang::fields::Fields;
use crate::lang::shape::{EMPTY, Entry, Form, PATH, Shape, key};
use crate::lang::yaml::{Kind, Node};
use crate::model::id::hash;

/// `receipt_key`.
pub(super) const RECEIPT_KEY: Entry = key(
    "receipt_key",
    Form::Several(&Form::Either(&[PART, Form::List(&PART)])),
    "What recognises a delivery that comes again: the first entry that is there. A list in the list combines. Never only \
     what names the stay: then one change of every stay would count.",
    "receipt_key: [$.event_id, [$.code, $.updated_at], {hash: body, without: [$.sent_at]}]",
);

const PART: Form = Form::Either(&[Form::Like(&PATH), Form::Settings(&HASH)]);

static HASH: Shape = Shape {
    what: "a part of `receipt_key`",
    about: "The body itself.",
    keys: &[
        key("hash", Form::Word(&["body"]), "What is compared: `body`.", "hash: body").needed(),
        key(
            "without",
            Form::Several(&Form::Like(&PATH)),
            "Parts of the body that differ when it is sent again.",
            "without: [$.sent_at]",
        ),
    ],
    ..EMPTY
};

/// The entries of `receipt_key`; the first that is there counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<Vec<Part>>);

#[derive(Clone, Debug)]
enum Part {
    At(Lookup),
    Body { without: Vec<Path> },
}

/// A key, and whether it is a bare hash of the body.
pub(super) struct Found {
    pub(super) key: [u8; 16],
    pub(super) bare: bool,
}

impl Keys {
    /// Reads the list; `signed` are the headers that are signed where the body is, `mappings` to know what names a stay.
    pub(super) fn compile(
        node: &Node,
        signed: Option<&BTreeSet<String>>,
        mappings: &[Mapping],
        cx: &mut Compiling<'_>,
    ) -> Keys {
        let names: BTreeSet<String> = mappings
            .iter()
            .flat_map(|mapping| mapping.names().flat_map(|(_, expr)| expr.paths()))
            .filter_map(|path| Some(Path::parse(&path).ok()?.normal()))
            .collect();
        let mut keys = Vec::new();
        for entry in node.items() {
            let parts: Vec<Part> = match &entry.kind {
                Kind::List(items) => items.iter().filter_map(|item| part(item, signed, cx)).collect(),
                _ => part(entry, signed, cx).into_iter().collect(),
            };
            if matches!(&entry.kind, Kind::List(items) if items.is_empty()) {
                let title = "an empty list in `receipt_key` recognises nothing";
                cx.report.mistake("empty-list", &entry.place, title);
            }
            let only_names = parts
                .iter()
                .all(|part| matches!(part, Part::At(Lookup::Path(path)) if names.contains(&path.normal())));
            if !parts.is_empty() && only_names {
                cx.report
                    .mistake(
                        "names-only",
                        &entry.place,
                        "this is what names the stay: only the first change of every stay would ever count",
                    )
                    .help("add what changes with every delivery: an event id, an updated-at, or `{hash: body}`");
            }
            keys.push(parts);
        }
        Keys(keys)
    }

    /// Whether nothing but a hash of the body ever recognises a delivery.
    pub(super) fn are_bare(&self) -> bool {
        self.0
            .iter()
            .all(|parts| matches!(parts.as_slice(), [] | [Part::Body { .. }]))
    }

    /// The entry that counts for a body, in words.
    pub(super) fn told(&self, input: &Input<'_>) -> String {
        let counts = |parts: &Vec<Part>| !parts.is_empty() && parts.iter().all(|part| part.bytes(input).is_some());
        let Some(at) = self.0.iter().position(counts) else {
            return "the whole body, because no entry of `receipt_key` is there".to_owned();
        };
        let part = |part: &Part| match part {
            Part::At(lookup) => lookup.text(),
            Part::Body { without } if without.is_empty() => "the whole body".to_owned(),
            Part::Body { without } => {
                let without: Vec<&str> = without.iter().map(Path::text).collect();
                format!("the body without {}", without.join(", "))
            }
        };
        let parts: Vec<String> = self.0[at].iter().map(part).collect();
        format!("entry {} of {}: {}", at + 1, self.0.len(), parts.join(" and "))
    }

    /// The key of a body; where no entry is there, a bare hash of it.
    pub(super) fn of(&self, input: &Input<'_>) -> Found {
        let first = self.0.iter().find_map(|parts| {
            let values: Option<Vec<Vec<u8>>> = parts.iter().map(|part| part.bytes(input)).collect();
            values.filter(|values| !values.is_empty()).map(|values| (parts, values))
        });
        let (bare, values) = match first {
            Some((parts, values)) => (matches!(parts.as_slice(), [Part::Body { .. }]), values),
            None => (true, vec![body_bytes(input, &[])]),
        };
        let mut all: Vec<&[u8]> = vec![b"receipt key", if bare { b"weak" } else { b"strong" }];
        all.extend(values.iter().map(Vec::as_slice));
        Found { key: short(&all), bare }
    }
}

/// The name of a stay as a weak key's scope.
pub(super) fn scope(name: &str) -> [u8; 16] {
    short(&[b"receipt scope", name.as_bytes()])
}

fn short(parts: &[&[u8]]) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&hash(parts)[..16]);
    key
}

fn part(node: &Node, signed: Option<&BTreeSet<String>>, cx: &mut Compiling<'_>) -> Option<Part> {
    if !matches!(node.kind, Kind::Map(_)) {
        let lookup = Lookup::compile(node, cx)?;
        if let (Some(signed), Lookup::Header(name)) = (signed, &lookup)
            && !signed.contains(name)
        {
            cx.report
                .mistake("unsigned-header", &node.place, format!("`{}` is not covered by the signature", lookup.text()))
                .help("anybody who has seen one delivery could send it again with something else there: use what the body says, or a header that is signed");
        }
        return Some(Part::At(lookup));
    }
    let mut fields = Fields::of(node, &HASH, cx.report)?;
    let what = fields.required("hash", cx.report).map(|node| (node, node.scalar()));
    let without = fields.get("without").map(Node::items).unwrap_or_default();
    fields.finish(cx.report);
    if let Some((node, word)) = what
        && word != Some("body")
    {
        cx.report.mistake("expected-word", &node.place, "`hash` is `body`");
    }
    // A secret may be left out.
    let read = cx.paths.clone();
    let without = without
        .iter()
        .filter_map(|item| match Lookup::compile(item, cx)? {
            Lookup::Path(path) => Some(path),
            Lookup::Header(_) => {
                cx.report
                    .mistake("bad-path", &item.place, "`without` names parts of the body");
                None
            }
        })
        .collect();
    cx.paths = read;
    Some(Part::Body { without })
}

impl Part {
    /// Its bytes with what they are; `None` where it is absent, null or empty.
    fn bytes(&self, input: &Input<'_>) -> Option<Vec<u8>> {
        let (at, text) = match self {
            Part::Body { without } => return Some(body_bytes(input, without)),
            Part::At(Lookup::Header(name)) => {
                let (name, text) = header(name, input)?;
                (format!("header.{name}"), text)
            }
            Part::At(Lookup::Path(path)) => {
                // What stands in the place of a secret is the same in every delivery.
                let says = |value: &&Value| !value.is_null() && value.as_str() != Some(REPLACED);
                let found = path.all(input).into_iter().find(says)?;
                let whole = || String::from_utf8_lossy(&canonical(found, &HashSet::new())).into_owned();
                let text = scalar_text(found).unwrap_or_else(whole);
                (path.text().to_owned(), text)
            }
        };
        // The path is part of the key: an id and an event id of the same number are two things.
        (!text.trim().is_empty()).then(|| short(&[at.as_bytes(), text.as_bytes()]).to_vec())
    }
}

/// The id of a delivery by Standard Webhooks goes by two names. It is the same id under either, else what has come under
/// both could be sent again under one of them and look new.
const ONE_ID: [&str; 2] = ["webhook-id", "svix-id"];

/// A header with the name it counts under.
fn header<'n>(name: &'n str, input: &Input<'_>) -> Option<(&'n str, String)> {
    if !ONE_ID.contains(&name) {
        return Some((name, (input.headers)(name)?));
    }
    // The name that was asked for first: it may be the only one that is signed.
    let names = [name].into_iter().chain(ONE_ID);
    let mut texts = names.filter_map(|name| (input.headers)(name));
    let text = texts.find(|text| !text.trim().is_empty())?;
    Some((ONE_ID[0], text))
}

fn body_bytes(input: &Input<'_>, without: &[Path]) -> Vec<u8> {
    let left_out: HashSet<*const Value> = without
        .iter()
        .flat_map(|path| path.all(input))
        .map(std::ptr::from_ref)
        .collect();
    short(&[b"body", &canonical(input.body, &left_out)]).to_vec()
}

/// JSON with sorted keys and no spaces, so that a sender that builds its body anew for a retry sends the same.
fn canonical(value: &Value, left_out: &HashSet<*const Value>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write(value, left_out, &mut out);
    out
}

/// A text, a number, `true`, `false` or `null` as JSON.
fn plain(scalar: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Writing one of these into memory cannot fail.
    let _ = serde_json::to_writer(out, scalar);
}

fn write(value: &Value, left_out: &HashSet<*const Value>, out: &mut Vec<u8>) {
    let stays = |value: &&Value| !left_out.contains(&std::ptr::from_ref(*value));
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for item in items.iter().filter(stays) {
                write(item, left_out, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Value::Object(entries) => {
            let mut entries: Vec<(&String, &Value)> = entries.iter().filter(|(_, value)| stays(value)).collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push(b'{');
            for (key, value) in entries {
                plain(key, out);
                out.push(b':');
                write(value, left_out, out);
                out.push(b',');
            }
            out.push(b'}');
        }
        scalar => plain(scalar, out),
    }
}
