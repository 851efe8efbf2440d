//! The `url` of a step: always below the connection's `base_url`, whatever is put into it.

use crate::outbound::Url;

/// Why a rendered `url` cannot be used; `None` where it can. It may begin with or without `/`.
pub fn refusal(url: &str) -> Option<&'static str> {
    let path = url.split('?').next().unwrap_or_default();
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        Some("`url` holds a space or a control character")
    } else if url.contains('\\') {
        Some("`url` holds a backslash")
    } else if url.contains('#') {
        Some("`url` holds a `#`, which is never sent")
    } else if url.starts_with("//") || path.split('/').next().is_some_and(|first| first.contains(':')) {
        Some("`url` is a path below the connection's `base_url`, never a complete address")
    } else if path.split('/').any(is_dots) {
        Some("`url` holds `.` or `..` as a part of its path")
    } else {
        None
    }
}

/// The rule for a `url` as it is written: what templates fill in counts as a harmless word.
pub fn written_refusal(source: &str) -> Option<&'static str> {
    let mut literal = String::new();
    let mut rest = source;
    while let Some(start) = rest
        .find("{{")
        .into_iter()
        .chain(rest.find("{%"))
        .chain(rest.find("{#"))
        .min()
    {
        let close = match rest.as_bytes()[start + 1] {
            b'{' => "}}",
            b'%' => "%}",
            _ => "#}",
        };
        literal.push_str(&rest[..start]);
        if close == "}}" {
            literal.push('x');
        }
        rest = rest[start + 2..]
            .find(close)
            .map_or("", |end| &rest[start + 2 + end + 2..]);
    }
    literal.push_str(rest);
    refusal(literal.trim())
}

/// The address that a rendered `url` leads to: base path, then `url`. The host is always the base's.
///
/// # Errors
///
/// Where the result would lie anywhere else than below the base.
pub fn below(base: &Url, url: &str) -> Result<Url, &'static str> {
    if let Some(why) = refusal(url) {
        return Err(why);
    }
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (url, None),
    };
    let prefix = base.path().trim_end_matches('/');
    let joined = match path {
        "" if prefix.is_empty() => "/".to_owned(),
        "" => base.path().to_owned(),
        path => format!("{prefix}/{}", path.strip_prefix('/').unwrap_or(path)),
    };
    let mut target = base.clone();
    target.set_path(&joined);
    target.set_query(query);
    let inside = target.path() == joined || target.path().starts_with(&format!("{prefix}/")) || path.is_empty();
    let same = target.scheme() == base.scheme()
        && target.host_str() == base.host_str()
        && target.port_or_known_default() == base.port_or_known_default();
    if inside && same {
        Ok(target)
    } else {
        Err("`url` leads away from the connection's `base_url`")
    }
}

/// `.` and `..`, however their dots are written: URL parsers decode `%2e` before they resolve them.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

#[cfg(test)]
mod tests;
