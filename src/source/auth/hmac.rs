//! Reading what is signed, and how.

use chrono::TimeDelta;
use http::HeaderName;

use super::credentials::{Credentials, secrets};
use super::header;
use super::schemes::{HMAC, TIMESTAMP};
use crate::lang::diag::Report;
use crate::lang::fields::{Fields, text};
use crate::lang::yaml::Node;
use crate::source::authenticate::{Algorithm, Part, Signature};

/// How far a sender's clock may be off where the mapping does not say.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

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
    let signed_node = fields.get("signed");
    let timestamp_node = fields.get("timestamp");
    let own = secrets(fields.get("secret"), "secret", report);
    fields.finish(report);

    let signed = match signed_node {
        None => Some(vec![Part::Body]),
        Some(node) => parts(node, report),
    };
    let timestamp = timestamp_node.and_then(|node| timestamp(node, report));
    let signs_time = signed.iter().flatten().any(|part| matches!(part, Part::Timestamp));
    if signs_time && timestamp_node.is_none() {
        report
            .mistake(
                "missing-key",
                &node.place,
                "`signed` holds `{ts}`, but `timestamp` does not say where that is sent",
            )
            .help("add `timestamp: {header: X-Timestamp, tolerance: 5m}`");
    }
    if let (false, Some(node), Some(_)) = (signs_time, timestamp_node, &signed) {
        report
            .mistake(
                "unsigned-timestamp",
                &node.place,
                "this timestamp is not part of what is signed, so it proves nothing",
            )
            .help("write `signed: \"{ts}.{body}\"` if the sender signs it, else leave `timestamp` out");
    }
    let secrets = match own {
        Some(own) => own,
        None => {
            credentials.used.secret = true;
            match credentials.secret.clone() {
                Some(secrets) => secrets,
                None => {
                    credentials.lacks("secret");
                    return None;
                }
            }
        }
    };
    Some(Signature {
        header: header_name?,
        algorithm,
        base64,
        prefix,
        signed: signed?,
        timestamp,
        secrets: super::words(secrets),
    })
}

/// `{ts}.{body}`: texts, the body and the timestamp.
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
            "{ts}" => parts.push(Part::Timestamp),
            other => {
                let title = format!("`signed` knows `{{body}}` and `{{ts}}`, not `{other}`");
                report.mistake("unknown-part", &node.place, title);
                fine = false;
            }
        }
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    if fine && !parts.iter().any(|part| matches!(part, Part::Body)) {
        report.mistake("body-not-signed", &node.place, "`signed` has to hold `{body}`");
        fine = false;
    }
    fine.then_some(parts)
}

fn timestamp(node: &Node, report: &mut Report) -> Option<(HeaderName, TimeDelta)> {
    let mut fields = Fields::of(node, &TIMESTAMP, report)?;
    let header_name = fields.required("header", report).and_then(|node| header(node, report));
    let tolerance = fields.duration("tolerance", report).unwrap_or(TOLERANCE);
    fields.finish(report);
    Some((header_name?, tolerance))
}
