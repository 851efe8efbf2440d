//! `sources`: who may send.

use std::sync::Arc;

use crate::lang::diag::{Place, Report, did_you_mean};
use crate::lang::fields::{Fields, quoted};
use crate::lang::shape::{EMPTY, Form, More, Own, Shape};
use crate::lang::yaml::{Key, Node};
use crate::source::{self, SOURCE, Source};

use super::below::below;

/// The longest name of a source or a connection, in characters.
const NAME_MAX: usize = 64;

/// What the name of a source or a connection may be.
pub(super) const NAME: &str = "^[A-Za-z0-9_-]{1,64}$";

/// `sources`.
pub(super) static SOURCES: Shape = Shape {
    what: "`sources`",
    about: "Who may send. The name is the address: what is called `hospitable` posts to `/hooks/hospitable`.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: NAME,
        form: Form::Settings(&SOURCE),
        about: "The source's name: 1 to 64 letters, digits, `-` and `_`.",
        example: "hospitable: {preset: hospitable-v1, token: \"${HOSPITABLE_TOKEN}\"}",
    })],
    ..EMPTY
};

/// The sources that could be read, and the names of all.
pub(super) struct Sources {
    pub(super) all: Vec<Arc<Source>>,
    pub(super) names: Vec<String>,
}

pub(super) fn read(node: Option<&Node>, report: &mut Report) -> Sources {
    let mut sources = Sources {
        all: Vec::new(),
        names: Vec::new(),
    };
    let Some(mut fields) = node.and_then(|node| Fields::of(node, &SOURCES, report)) else {
        return sources;
    };
    let entries = below(fields.rest(), &SOURCE, report);
    fields.close();
    sources.names = entries.iter().map(|(key, _)| key.text.clone()).collect();
    for (key, node) in entries {
        let named = name("source", key, report);
        let compiled = source::compile(&key.text, node, report);
        let referred = stays_of(&key.text, node, &sources.names, report);
        sources.all.extend(compiled.filter(|_| named && referred).map(Arc::new));
    }
    chains(node, &sources.all, report);
    sources
}

/// Whether a name can stand in a path and in recipes.
pub(super) fn name(what: &str, key: &Key, report: &mut Report) -> bool {
    let name = key.text.as_str();
    let fine = (1..=NAME_MAX).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !fine {
        let title = format!("the name of a {what} is 1 to {NAME_MAX} letters, digits, `-` and `_`, not `{name}`");
        report.mistake("bad-name", &key.place, title);
    }
    fine
}

/// Whether `stays_of` names a source that there is.
fn stays_of(name: &str, node: &Node, names: &[String], report: &mut Report) -> bool {
    let Some((of, written)) = node.at("stays_of").and_then(|of| Some((of, of.scalar()?))) else {
        return true;
    };
    if names.iter().any(|known| known == written) {
        return true;
    }
    let title = format!("`stays_of` of the source `{name}` names `{written}`, and there is no such source");
    let others = names.iter().map(String::as_str).filter(|known| *known != name);
    unknown(written, &others.collect::<Vec<_>>(), &of.place, title, report);
    false
}

/// Reports the name of a source that is not among these.
pub(super) fn unknown(written: &str, known: &[&str], place: &Place, title: String, report: &mut Report) {
    let otherwise = match known {
        [] => "there is no other source yet".to_owned(),
        known => format!("the sources are {}", quoted(known)),
    };
    let near = did_you_mean(written, known.iter().copied());
    report.mistake("unknown-source", place, title).meant(near, otherwise);
}

/// `stays_of` leads to a source that has stays of its own, not to one that refers on.
fn chains(node: Option<&Node>, all: &[Arc<Source>], report: &mut Report) {
    for source in all.iter().filter(|source| source.stays_of() != source.name()) {
        let target = all.iter().find(|other| other.name() == source.stays_of());
        let at = node.and_then(|node| node.at(source.name())?.at("stays_of"));
        if let (Some(target), Some(at)) = (target, at)
            && target.stays_of() != target.name()
        {
            let title = format!("the source `{}` has no stays of its own", target.name());
            report
                .mistake("unknown-source", &at.place, title)
                .help(format!("write `stays_of: {}`", target.stays_of()));
        }
    }
}
