//! `connections`: where actions go.

use std::path::Path;
use std::sync::Arc;

use crate::action::{CONNECTION, Connection, compile_connection};
use crate::lang::diag::Report;
use crate::lang::fields::Fields;
use crate::lang::shape::{EMPTY, Form, More, Own, Shape};
use crate::lang::yaml::Node;

use super::below::below;
use super::{recipes, sources};

/// The largest file that a connection names (a certificate), in bytes.
const FILE_MAX: u64 = 256 << 10;

/// `connections`.
pub(super) static CONNECTIONS: Shape = Shape {
    what: "`connections`",
    about: "Where actions go. A recipe names a connection and never sees its credentials.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: sources::NAME,
        form: Form::Settings(&CONNECTION),
        about: "What recipes call it: 1 to 64 letters, digits, `-` and `_`.",
        example: "cleaning: {http: {base_url: https://api.cleaning.example}}",
    })],
    ..EMPTY
};

pub(super) fn read(node: Option<&Node>, base: &Path, report: &mut Report) -> Vec<Arc<Connection>> {
    let Some(mut fields) = node.and_then(|node| Fields::of(node, &CONNECTIONS, report)) else {
        return Vec::new();
    };
    let entries = below(fields.rest(), &CONNECTION, report);
    fields.close();
    let read_file = |path: &str| recipes::read_text(&base.join(path), FILE_MAX).map_err(|why| why.to_string());
    let mut all = Vec::new();
    for (key, node) in entries {
        let named = sources::name("connection", key, report);
        let later = match node.entries() {
            [(kind, _)] => {
                let declared = CONNECTION.entry(&kind.text);
                declared.filter(|entry| !entry.is_read()).map(|_| kind)
            }
            _ => None,
        };
        if let Some(kind) = later {
            let title = format!(
                "the connection `{}` has no effect: `{}` is not in this version yet",
                key.text, kind.text
            );
            report.warning("not-yet", &kind.place, title);
            continue;
        }
        let compiled = compile_connection(&key.text, node, &read_file, report);
        all.extend(compiled.filter(|_| named).map(Arc::new));
    }
    all
}
