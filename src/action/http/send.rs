//! Sending a rendered request and reading its answer.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize as _;
use serde_json::Value;

use crate::model::effect::{Answer, Prepared};
use crate::model::json;
use crate::model::run::AttemptOutcome;
use crate::outbound::{BODY_MAX, End, OutError, OutRequest, OutResponse};

use super::super::{Connection, ConnectionKind, Io, excerpt, reject};
use super::{HttpRequest, encoded, header, path, retry_after_s};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const AGENT: &str = concat!("stayhook/", env!("CARGO_PKG_VERSION"));

pub(super) async fn perform(prepared: &Prepared, key: &str, connection: &Connection, io: &Io) -> Answer {
    let request = match HttpRequest::deserialize(&prepared.request) {
        Ok(request) => request,
        Err(error) => return reject(format!("the recorded request cannot be read: {error}")),
    };
    let out = match assemble(&request, key, connection) {
        Ok(out) => out,
        Err(why) => return reject(why),
    };
    match io.outbound.send(out).await {
        Ok(answer) => judge(&request, &answer, connection, io),
        Err(OutError::NotSent(why)) => Answer::plain(AttemptOutcome::Retry, why),
        Err(OutError::NoAnswer(why)) => Answer::plain(AttemptOutcome::Uncertain, why),
    }
}

/// The request as it goes out. Depends on nothing but its arguments: the same bytes on every attempt.
fn assemble(request: &HttpRequest, key: &str, connection: &Connection) -> Result<OutRequest, String> {
    let ConnectionKind::Http(target) = &connection.kind else {
        return Err(format!("the connection `{}` does not speak HTTP", connection.name));
    };
    let url = path::below(&target.base_url, &request.url)?;
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| "the method is no method".to_owned())?;
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(IDEMPOTENCY_KEY, header::value("idempotency-key", key)?);
    let body = if let Some(json) = &request.json {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        serde_json::to_vec(json).map_err(|error| format!("the body cannot be written: {error}"))?
    } else if let Some(form) = &request.form {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        encoded(form).into_bytes()
    } else if let Some(text) = &request.text {
        let kind = request.content_type.as_deref().unwrap_or("text/plain; charset=utf-8");
        headers.insert(CONTENT_TYPE, header::value("content-type", kind)?);
        text.clone().into_bytes()
    } else {
        Vec::new()
    };
    for (name, value) in &request.headers {
        let sent = header::name(name)?;
        if target.headers.iter().any(|(own, _)| *own == sent) {
            return Err(format!(
                "the connection `{}` sets the header `{name}` itself",
                connection.name
            ));
        }
        headers.insert(sent, header::value(name, value.as_str().unwrap_or_default())?);
    }
    for (name, value) in target.header_values() {
        headers.insert(name, value);
    }
    Ok(OutRequest {
        method,
        url,
        headers,
        body: Bytes::from(body),
        timeout: connection.timeout,
    })
}

/// The one way from an answer to what it means.
fn judge(request: &HttpRequest, answer: &OutResponse, connection: &Connection, io: &Io) -> Answer {
    let rules = &request.answer;
    let json: Option<Value> = json::read(&answer.body).ok();
    let mut verdict = rules.verdict(answer.status, json.as_ref());
    if answer.end == End::Broken && (200..300).contains(&answer.status) && rules.reads_body() {
        // It may have worked, but what it said about it is lost.
        verdict.outcome = AttemptOutcome::Uncertain;
        verdict.because = Some("the answer broke off within its body".to_owned());
    } else if answer.end == End::Cut && json.is_none() && rules.reads_body() {
        let max = BODY_MAX / 1024;
        verdict.because = Some(format!("the answer is longer than {max} KiB and was not read"));
    }
    let mut summary = answer.status.to_string();
    let status = StatusCode::from_u16(answer.status).ok();
    if let Some(phrase) = status.and_then(|status| status.canonical_reason()) {
        summary += &format!(" {phrase}");
    }
    if let Some(because) = &verdict.because {
        summary += &format!(": {because}");
    }
    let done = verdict.outcome == AttemptOutcome::Done;
    Answer {
        outcome: verdict.outcome,
        summary,
        excerpt: excerpt::of(connection.hide(&String::from_utf8_lossy(&answer.body)).as_bytes()),
        output: match done {
            true => connection.hide_within(rules.output(&answer.headers, json.as_ref())),
            false => Value::Null,
        },
        retry_after_s: match verdict.outcome {
            AttemptOutcome::Retry => retry_after_s(&answer.headers, io.clock.now()),
            _ => None,
        },
        denied: verdict.denied,
    }
}

#[cfg(test)]
mod tests;
