//! `connections`: where actions go.

use std::path::Path;
use std::sync::Arc;

use crate::action::{Connection, compile_connection};
use crate::lang::diag::Report;
use crate::lang::fields::Fields;
use crate::lang::yaml::Node;

use super::{recipes, sources};

/// The largest file that a connection names (a certificate), in bytes.
const FILE_MAX: u64 = 256 << 10;

/// Kinds of connections that the contract knows and this version does not speak yet. Nothing can use one: a recipe that
/// tries is told so.
const LATER: &[&str] = &["journal", "seam"];

pub(super) fn read(node: Option<&Node>, base: &Path, report: &mut Report) -> Vec<Arc<Connection>> {
    let Some(mut fields) = node.and_then(|node| Fields::of(node, "`connections`", report)) else {
        return Vec::new();
    };
    let read_file = |path: &str| recipes::read_text(&base.join(path), FILE_MAX).map_err(|why| why.to_string());
    let mut all = Vec::new();
    for (key, node) in fields.rest() {
        let named = sources::name("connection", key, report);
        let later = match node.entries() {
            [(kind, _)] if LATER.contains(&kind.text.as_str()) => Some(kind),
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
