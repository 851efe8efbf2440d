//! Which headers settings may name, and what their values may hold.

use http::{HeaderName, HeaderValue};

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
