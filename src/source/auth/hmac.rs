//! Reading what is signed, and how.

use chrono::TimeDelta;
use http::HeaderName;

use super::credentials::{Credentials, Given, secrets};
use super::header;
use super::schemes::{HMAC, ID, TIMESTAMP};
use crate::lang::diag::{Place, Report};
use crate::lang::fields::{Fields, text};
use crate::lang::yaml::Node;
use crate::source::authenticate::{Algorithm, Key, Part, Signature, Stamp, StampAt, Written};

/// How far a sender's clock may be off where the mapping does not say.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// A longer tolerance is warned of.
const LONG: TimeDelta = TimeDelta::hours(1);

pub(super) fn hmac(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Signature> {
    let mut fields = Fields::of(node, &HMAC, report)?;
    let header_name = fields.required("header", report).and_then(|node| header(node, report));
    let algorithm = match fields.word("algorithm", report) {
        Some("sha1") => Algorithm::Sha1,
        Some("sha512") => Algorithm::Sha512,
        _ => Algorithm::Sha256,
    };
    let base64 = fields.word("encoding", report) == Some("base64");
    let prefix = fields.text("prefix", report).unwrap_or_default().to_owned();
    let separator_node = fields.get("separator");
    let separator = separator_node.and_then(|node| filled(node, "separator", report));
    let written = match fields.word("key", report) {
        Some("base64") => Written::Base64,
        Some("hex") => Written::Hex,
        _ => Written::Text,
    };
    let key_after = fields.text("key_after", report).unwrap_or_default();
    let signed_node = fields.get("signed");
    let id_node = fields.get("id");
    let timestamp_node = fields.get("timestamp");
    let own = secrets(fields.get("secret"), "secret", report);
    fields.finish(report);

    let signed = match signed_node {
        None => Some(vec![Part::Body]),
        Some(node) => parts(node, report),
    };
    let id = id_node.and_then(|node| id(node, report));
    let timestamp = timestamp_node.and_then(|node| timestamp(node, report));
    if let Some(signed) = &signed {
        both_or_none(&node.place, signed, id_node, timestamp_node, report);
    }
    if let (
        Some(node),
        Some(Stamp {
            at: StampAt::Entry(entry),
            ..
        }),
    ) = (timestamp_node, &timestamp)
    {
        if separator_node.is_none() {
            report
                .mistake("no-separator", &node.place, NO_SEPARATOR)
                .help("add `separator: \",\"` (or what stands between them) to `hmac`");
        }
        if prefix.starts_with(entry.as_str()) {
            report
                .mistake(
                    "same-prefix",
                    &node.place,
                    format!("signatures begin with `{entry}` too, so they cannot be told from the time"),
                )
                .help("write all that stands before each, such as `prefix: \"v1=\"` and `timestamp: {prefix: \"t=\"}`");
        }
    }
    let keys = keys(own, credentials, key_after, written, report)?;
    Some(Signature {
        header: header_name?,
        algorithm,
        base64,
        prefix,
        separator,
        signed: signed?,
        id,
        timestamp,
        keys,
    })
}

const NO_SEPARATOR: &str =
    "this time is an entry of the signature's header, but nothing says what stands between the entries";

/// What is signed and where it is sent belong together.
fn both_or_none(place: &Place, signed: &[Part], id: Option<&Node>, timestamp: Option<&Node>, report: &mut Report) {
    let signs_time = signed.iter().any(|part| matches!(part, Part::Timestamp));
    let signs_id = signed.iter().any(|part| matches!(part, Part::Id));
    match timestamp {
        None if signs_time => {
            let title = "`signed` holds `{ts}`, but `timestamp` does not say where that is sent";
            report
                .mistake("place-not-said", place, title)
                .help("add `timestamp: {header: X-Timestamp, tolerance: 5m}`");
        }
        Some(node) if !signs_time => {
            let title = "this timestamp is not part of what is signed, so it proves nothing";
            report
                .mistake("unsigned-timestamp", &node.place, title)
                .help("write `signed: \"{ts}.{body}\"` if the sender signs it, else leave `timestamp` out");
        }
        _ => {}
    }
    match id {
        None if signs_id => {
            let title = "`signed` holds `{id}`, but `id` does not say where that is sent";
            report
                .mistake("place-not-said", place, title)
                .help("add `id: {header: X-Id}`");
        }
        Some(node) if !signs_id => {
            let title = "this id is not part of what is signed, so anybody could change it";
            report
                .mistake("unsigned-id", &node.place, title)
                .help("write `signed: \"{id}.{ts}.{body}\"` if the sender signs it, else leave `id` out");
        }
        _ => {}
    }
    let touches = |two: &[Part]| {
        let value = |part: &Part| !matches!(part, Part::Text(_));
        two.iter().all(value) && two.iter().any(|part| matches!(part, Part::Id))
    };
    if signed.windows(2).any(touches) {
        let title = "nothing stands between `{id}` and what is beside it, so nobody can tell where the id ends";
        report
            .mistake("open-ended-id", place, title)
            .help("the same signature would hold for another id: write what stands between them, such as `signed: \"{id}.{ts}.{body}\"`; if the sender really puts nothing there, leave the source to a token");
    }
}

/// The keys in the secrets, of which every one has to be written as it should.
pub(super) fn keys(
    own: Option<Vec<Given>>,
    credentials: &mut Credentials,
    after: &str,
    written: Written,
    report: &mut Report,
) -> Option<Vec<Key>> {
    let given = match own {
        Some(own) => own,
        None => {
            credentials.used.secret = true;
            let Some(secrets) = credentials.secret.clone() else {
                credentials.lacks("secret");
                return None;
            };
            secrets
        }
    };
    let mut keys = Vec::new();
    for one in &given {
        let key = Key::of(&one.secret, after, written);
        if key.is_none() {
            let title = match written {
                Written::Text => format!("nothing stands behind `{after}` in this secret"),
                Written::Base64 => "this secret holds no key in base64, which the signature asks for".to_owned(),
                Written::Hex => "this secret holds no key in hex, which the signature asks for".to_owned(),
            };
            report
                .mistake("bad-key", &one.place, title)
                .help("copy it from the sender whole, from its first to its last character");
        }
        keys.extend(key);
    }
    Some(keys)
}

/// `{id}.{ts}.{body}`: texts, the body, the timestamp and the id.
fn parts(node: &Node, report: &mut Report) -> Option<Vec<Part>> {
    let mut rest = text(node, "signed", report)?;
    let mut parts = Vec::new();
    let mut fine = true;
    while let Some(at) = rest.find('{') {
        if at > 0 {
            parts.push(Part::Text(rest[..at].to_owned()));
        }
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        match &rest[at..end] {
            "{body}" => parts.push(Part::Body),
            encoded if is_encoded_body(encoded) => parts.push(Part::EncodedBody),
            "{ts}" => parts.push(Part::Timestamp),
            "{id}" => parts.push(Part::Id),
            other => {
                let title =
                    format!("`signed` knows `{{body}}`, `{{body | base64}}`, `{{ts}}` and `{{id}}`, not `{other}`");
                report
                    .mistake("unknown-part", &node.place, title)
                    .help("`{ts}` is the time that `timestamp` names, `{id}` the header that `id` names");
                fine = false;
            }
        }
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    if fine && !parts.iter().any(|part| matches!(part, Part::Body | Part::EncodedBody)) {
        report.mistake("body-not-signed", &node.place, "`signed` has to hold `{body}`");
        fine = false;
    }
    fine.then_some(parts)
}

/// `{body | base64}`, with or without the spaces.
fn is_encoded_body(part: &str) -> bool {
    let inside = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
    let pair = inside.and_then(|inside| inside.split_once('|'));
    pair.is_some_and(|(body, form)| body.trim() == "body" && form.trim() == "base64")
}

fn timestamp(node: &Node, report: &mut Report) -> Option<Stamp> {
    let mut fields = Fields::of(node, &TIMESTAMP, report)?;
    let (in_header, in_entry) = (fields.get("header"), fields.get("prefix"));
    let tolerance = tolerance(&mut fields, report);
    fields.finish(report);
    let at = match (in_header, in_entry) {
        (Some(node), None) => header(node, report).map(StampAt::Header),
        (None, Some(node)) => filled(node, "prefix", report).map(StampAt::Entry),
        (None, None) => {
            report
                .mistake("missing-key", &node.place, "`timestamp` needs `header` or `prefix`")
                .help("add `header: …`, or `prefix: \"t=\"` where it stands in the signature's own header");
            None
        }
        (Some(_), Some(_)) => {
            report
                .mistake(
                    "one-place",
                    &node.place,
                    "the time stands in one place: `header` or `prefix`",
                )
                .help("leave out `prefix` if the time has a header of its own, else `header`");
            None
        }
    };
    Some(Stamp { at: at?, tolerance })
}

/// How far a time may be off; a long one is warned of.
pub(super) fn tolerance(fields: &mut Fields<'_>, report: &mut Report) -> TimeDelta {
    let tolerance = fields.duration("tolerance", report).unwrap_or(TOLERANCE);
    if let Some(node) = fields.get("tolerance")
        && tolerance > LONG
    {
        report
            .warning(
                "long-tolerance",
                &node.place,
                "for this long anybody who has seen a delivery could send it again",
            )
            .help("`5m` is usual; if clocks are further apart than that, set them right");
    }
    tolerance
}

fn id(node: &Node, report: &mut Report) -> Option<HeaderName> {
    let mut fields = Fields::of(node, &ID, report)?;
    let name = fields.required("header", report);
    fields.finish(report);
    name.and_then(|node| header(node, report))
}

/// A text with something in it.
fn filled(node: &Node, key: &str, report: &mut Report) -> Option<String> {
    let written = text(node, key, report)?;
    if written.is_empty() {
        let title = format!("`{key}` is an empty text");
        report
            .mistake("empty-text", &node.place, title)
            .help(format!("write what stands there, or leave `{key}` out"));
        return None;
    }
    Some(written.to_owned())
}
