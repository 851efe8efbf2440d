//! What holds for every POST: JSON, of a bounded size, and done once for an `Idempotency-Key`. Answers are kept in memory:
//! after a restart the states of runs say what has been done.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::TimeDelta;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::model::clock::Time;
use crate::model::id::hash;

use super::problem::Problem;
use super::{BODY_MAX, Shared};

/// How many answers are kept.
const KEPT_MAX: usize = 1000;
/// For how long an answer is kept.
const KEPT_FOR: TimeDelta = TimeDelta::hours(1);
/// How long a body may take.
const BODY_READ: Duration = Duration::from_secs(10);
/// The longest key.
const KEY_MAX: usize = 255;
/// The longest answer; the lists that a POST gives back are shorter.
const ANSWER_MAX: usize = 256 * 1024;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before and nothing was done now.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Answers by what [`name`] makes of key and path.
#[derive(Debug, Default)]
pub struct Answers(Mutex<HashMap<Name, Kept>>);

/// A hash: keys and paths are of any length.
type Name = [u8; 32];

fn name(key: &str, uri: &str) -> Name {
    hash(&[key.as_bytes(), uri.as_bytes()])
}

#[derive(Clone, Debug)]
struct Kept {
    body: [u8; 32],
    at: Time,
    /// `None` while it is being worked on.
    answer: Option<(StatusCode, Option<HeaderValue>, Bytes)>,
}

/// A key that is being worked on; given up again unless an answer is kept under it.
struct Claim<'a> {
    answers: &'a Answers,
    name: Name,
    kept: bool,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.answers.lock().remove(&self.name);
        }
    }
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims a key, or gives the answer that there is.
    fn claim(&self, name: Name, body: [u8; 32], now: Time) -> Result<Claim<'_>, Box<Response>> {
        let mut kept = self.lock();
        kept.retain(|_, each| each.answer.is_none() || now - each.at < KEPT_FOR);
        if let Some(before) = kept.get(&name) {
            return Err(Box::new(before.answer(body)));
        }
        if kept.len() >= KEPT_MAX {
            let done = kept.iter().filter(|(_, each)| each.answer.is_some());
            let Some(oldest) = done.min_by_key(|(_, each)| each.at).map(|(name, _)| *name) else {
                let problem = Problem::unavailable("too many requests are being worked on");
                return Err(Box::new(problem.into_response()));
            };
            kept.remove(&oldest);
        }
        let open = Kept {
            body,
            at: now,
            answer: None,
        };
        kept.insert(name, open);
        Ok(Claim {
            answers: self,
            name,
            kept: false,
        })
    }
}

impl Kept {
    fn answer(&self, body: [u8; 32]) -> Response {
        if self.body != body {
            let why = "this Idempotency-Key came with another body before";
            return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).into_response();
        }
        let Some((status, kind, bytes)) = &self.answer else {
            return Problem::conflict("a request with this Idempotency-Key is being worked on")
                .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
                .into_response();
        };
        let mut response = answer(*status, kind.clone(), bytes.clone());
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

fn answer(status: StatusCode, kind: Option<HeaderValue>, bytes: Bytes) -> Response {
    let mut response = (status, bytes).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if let Some(kind) = kind {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// Reads the body of a POST and answers the same key once.
pub async fn posts(State(desk): State<Shared>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    post(&desk, request, next).await.unwrap_or_else(Problem::into_response)
}

async fn post(desk: &Shared, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "requests that change something carry Content-Type: application/json",
        ));
    }
    let key = key(&parts.headers)?;
    let whole = tokio::time::timeout(BODY_READ, Limited::new(body, BODY_MAX).collect());
    let Ok(whole) = whole.await else {
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time",
        ));
    };
    let body = match whole {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "a body has 64 KiB at the most",
            ));
        }
        Err(_) => return Err(Problem::bad("the body ended early")),
    };
    let Some(key) = key else {
        return Ok(next.run(Request::from_parts(parts, Body::from(body))).await);
    };
    let name = name(&key, &parts.uri.to_string());
    let mut claim = match desk.answers.claim(name, hash(&[&body]), desk.console.clock.steady()) {
        Ok(claim) => claim,
        Err(answered) => return Ok(*answered),
    };
    let given = next.run(Request::from_parts(parts, Body::from(body))).await;
    // What failed on our side may be asked again under its key.
    if given.status().is_server_error() {
        return Ok(given);
    }
    let (status, kind) = (given.status(), given.headers().get(header::CONTENT_TYPE).cloned());
    let Ok(bytes) = Limited::new(given.into_body(), ANSWER_MAX).collect().await else {
        return Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "a fault of Stayhook: the answer is too long",
        ));
    };
    let bytes = bytes.to_bytes();
    if let Some(kept) = desk.answers.lock().get_mut(&claim.name) {
        kept.answer = Some((status, kind.clone(), bytes.clone()));
        claim.kept = true;
    }
    Ok(answer(status, kind, bytes))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get(KEY) else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=KEY_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::bad(format!(
            "Idempotency-Key takes 1 to {KEY_MAX} characters of ASCII"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::clock::from_ms;

    #[test]
    fn a_key_is_claimed_once_and_given_up_when_nothing_came_of_it() {
        let answers = Answers::default();
        let claim = |key: &str, body: u8| answers.claim(name(key, "/"), [body; 32], from_ms(0));
        let first = claim("k", 1).ok();
        assert!(first.is_some());
        let status = |claim: Result<Claim<'_>, Box<Response>>| claim.err().map(|response| response.status().as_u16());
        assert_eq!(status(claim("k", 1)), Some(409));
        assert_eq!(status(claim("k", 2)), Some(422));
        drop(first);
        assert_eq!(status(claim("k", 2)), None);
        let open: Vec<_> = (0..KEPT_MAX).map(|n| claim(&n.to_string(), 1)).collect();
        assert!(open.iter().all(Result::is_ok));
        assert_eq!(
            status(claim("one more", 1)),
            Some(503),
            "what is under way is never forgotten"
        );
    }
}
