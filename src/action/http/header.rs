//! Which headers settings may name, and what their values may hold.

use http::{HeaderName, HeaderValue};

use crate::lang::diag::Report;
use crate::lang::yaml::{Key, Node};

/// Headers that belong to the transport: whoever sets them changes where a request goes or where it ends.
const TRANSPORT: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

/// The name as it is sent, or why it cannot be.
pub fn name(written: &str) -> Result<HeaderName, String> {
    let name = HeaderName::from_bytes(written.as_bytes()).map_err(|_| format!("`{written}` is no name of a header"))?;
    if TRANSPORT.contains(&name.as_str()) {
        return Err(format!("the header `{written}` is set by Stayhook itself"));
    }
    Ok(name)
}

/// The names of these headers as they are sent; one that cannot be sent, or is there twice, goes to the report.
pub fn read<'n>(entries: &'n [(Key, Node)], report: &mut Report) -> Vec<(HeaderName, &'n Key, &'n Node)> {
    let mut found: Vec<(HeaderName, &Key, &Node)> = Vec::new();
    for (key, node) in entries {
        match name(&key.text) {
            Ok(name) if found.iter().all(|(known, ..)| *known != name) => found.push((name, key, node)),
            Ok(_) => {
                let title = format!("the header `{}` is there twice", key.text);
                report.mistake("header", &key.place, title);
            }
            Err(why) => {
                report.mistake("header", &key.place, why);
            }
        }
    }
    found
}

/// The value as it is sent. Line breaks and other control characters are refused, never removed: a value that holds one
/// is not what its author meant.
pub fn value(name: &str, text: &str) -> Result<HeaderValue, String> {
    if text.chars().any(crate::lang::line::is_control) {
        return Err(format!(
            "the header `{name}` holds a line break or another control character"
        ));
    }
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| format!("the header `{name}` cannot hold this value"))
}
