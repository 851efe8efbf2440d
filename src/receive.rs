//! HTTP in: a request is authenticated over its raw bytes, recognised, stored, and only then answered with 200.
//!
//! What it costs in memory at the most, whatever comes: the listener's 512 connections with a head of 64 KiB each; bodies
//! that are held at a time, which share [`Limits::held_bytes`] over all connections; those that wait for the store's next
//! commit, which share the store's own bound; and one parsed body per thread, which lives only until its receipt key is
//! known and never while anything is waited for. What is turned away is dropped at once.

mod answer;
mod body;
mod proxy;
mod rejections;

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::routing::any;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, Response};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::model::body::{FORM, decode_with_text, without_charset};
use crate::model::clock::Clock;
use crate::model::delivery::{Arrival, Receipt};
use crate::model::id::Ids;
use crate::source::{self, Denied, Source};
use crate::store::{Store, StoreError};

use self::answer::Problem;

pub use self::rejections::{Rejection, Rejections, UNKNOWN};

/// Finds a source by the name in the path.
pub type Sources = Arc<dyn Fn(&str) -> Option<Arc<Source>> + Send + Sync>;

/// A header or parameter that a source which learns keeps is cut to this many characters.
const NOTICED_VALUE_MAX: usize = 200;

/// Everything that receiving needs.
#[derive(Clone)]
pub struct Receiver {
    /// Where deliveries are kept.
    pub store: Store,
    /// The time of receipt.
    pub clock: Clock,
    /// Names for new deliveries.
    pub ids: Arc<Ids>,
    /// The configured sources as they are now.
    pub sources: Sources,
    /// Whose word on the sender's address is taken (`X-Forwarded-For`).
    pub trusted_proxies: Vec<IpNet>,
    /// Called after a delivery that is no duplicate was stored; wakes the inbox. A delivery whose sender has hung up, or
    /// was told to come back, may be stored without it.
    pub on_stored: Arc<dyn Fn() + Send + Sync>,
    /// What was turned away.
    pub rejections: Arc<Rejections>,
    /// Counts and times.
    pub tally: Arc<dyn Tally>,
    /// How much and how long.
    pub limits: Limits,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What receiving puts up with. The largest body is the source's own setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a sender may take for the body, from its first byte to its last.
    pub body_read: Duration,
    /// How long the store may take before the sender is told to come back; the answer is out within 2 s.
    pub store: Duration,
    /// How many bytes of bodies are held in memory at a time, over all connections; beyond it the answer is 503.
    pub held_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_read: Duration::from_secs(10),
            store: Duration::from_millis(1800),
            held_bytes: 128 << 20,
        }
    }
}

/// Where receiving reports what it counts.
pub trait Tally: Send + Sync {
    /// A delivery was stored, or recognised as one that is; `took` is the time from the head of the request to the commit.
    fn stored(&self, source: &str, duplicate: bool, took: Duration);
    /// A request was answered and nothing stored: a try or a handshake.
    fn pinged(&self, source: &str);
    /// A request was turned away; `source` is [`UNKNOWN`] where no configured source was meant.
    fn rejected(&self, source: &str, reason: &'static str);
}

struct Shared {
    receiver: Receiver,
    held: Arc<Semaphore>,
}

/// `/hooks/{source}`, and two parts more at the most, of which any may be the token; whatever else is asked for is not found.
pub fn router(receiver: Receiver) -> Router {
    let held = Arc::new(Semaphore::new(receiver.limits.held_bytes.min(Semaphore::MAX_PERMITS)));
    Router::new()
        .route("/hooks/{source}", any(hook))
        // The same address with a slash at its end, as people paste it.
        .route("/hooks/{source}/", any(hook))
        .route("/hooks/{source}/{one}", any(hook))
        .route("/hooks/{source}/{one}/", any(hook))
        .route("/hooks/{source}/{one}/{two}", any(hook))
        .route("/hooks/{source}/{one}/{two}/", any(hook))
        .fallback(|| async { answer::NO_SUCH_PAGE.response() })
        .with_state(Arc::new(Shared { receiver, held }))
}

/// How a request ended.
enum Done {
    /// HEAD, a GET without a delivery: somebody tries whether anybody is there, and may be anybody.
    Ping,
    /// The same of the sender itself.
    Tried,
    /// The word of a handshake, which goes back.
    Challenge(String),
    Stored(Receipt),
}

async fn hook(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let began = Instant::now();
    let receiver = &shared.receiver;
    let (parts, body) = request.into_parts();
    let (name, segments) = named(parts.uri.path());
    let route = match segments.len() {
        0 => "/hooks/{source}",
        1 => "/hooks/{source}/{token}",
        _ => "/hooks/{source}/{path}/{token}",
    };
    let Some(source) = (receiver.sources)(&name) else {
        body::let_go(&parts.headers, body).await;
        receiver.turned_away(UNKNOWN, "unknown source");
        tracing::debug!(route, status = 404, "no such source");
        return answer::UNKNOWN_SOURCE.response();
    };
    if segments.len() > 1 && !source.reads_path() {
        body::let_go(&parts.headers, body).await;
        return answer::NO_SUCH_PAGE.response();
    }
    let name = source.name();
    match receive(&shared, &source, &segments, &parts, body).await {
        Ok(Done::Ping) => {
            receiver.tally.pinged(name);
            tracing::debug!(route, source = name, status = 200, "ping");
            answer::ping()
        }
        Ok(Done::Tried) => {
            receiver.tally.pinged(name);
            tracing::info!(route, source = name, status = 200, "ping");
            answer::ping()
        }
        Ok(Done::Challenge(word)) => {
            receiver.tally.pinged(name);
            tracing::info!(route, source = name, status = 200, "handshake");
            answer::challenge(word)
        }
        Ok(Done::Stored(receipt)) => {
            let duplicate = receipt.duplicate;
            receiver.tally.stored(name, duplicate, began.elapsed());
            if !duplicate {
                (receiver.on_stored)();
            }
            let response = answer::stored(source.respond(), &receipt);
            let status = response.status().as_u16();
            tracing::info!(route, source = name, status, delivery.id = %receipt.delivery, duplicate, "stored");
            response
        }
        Err(problem) => {
            let (status, reason) = (problem.status.as_u16(), problem.reason);
            receiver.turned_away(name, reason);
            if problem.status.is_server_error() {
                tracing::warn!(route, source = name, status, reason, "turned away");
            } else {
                tracing::info!(route, source = name, status, reason, "turned away");
            }
            problem.response()
        }
    }
}

impl Receiver {
    fn turned_away(&self, source: &str, reason: &'static str) {
        self.rejections.record(source, reason, self.clock.now());
        self.tally.rejected(source, reason);
    }
}

/// The source that a path names and what stands behind it, decoded. What is not UTF-8 gets replacement characters and
/// fits nothing.
fn named(path: &str) -> (Cow<'_, str>, Vec<Cow<'_, str>>) {
    let rest = path.strip_prefix("/hooks/").unwrap_or_default();
    let mut parts = rest.split('/');
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    let name = decoded(parts.next().unwrap_or_default());
    (name, parts.filter(|part| !part.is_empty()).map(decoded).collect())
}

/// Whether the sender is believed, with any of the segments for its token.
fn authenticate(source: &Source, request: source::Request<'_>, segments: &[Cow<'_, str>]) -> Result<(), Denied> {
    let with = |segment: Option<&Cow<'_, str>>| {
        source.authenticate(&source::Request {
            path_token: segment.map(AsRef::as_ref),
            ..request
        })
    };
    let first = with(segments.first());
    if first.is_err() && segments.iter().skip(1).any(|segment| with(Some(segment)).is_ok()) {
        return Ok(());
    }
    first
}

async fn receive(
    shared: &Shared,
    source: &Source,
    segments: &[Cow<'_, str>],
    parts: &Parts,
    body: Body,
) -> Result<Done, Problem> {
    let receiver = &shared.receiver;
    let query = parts.uri.query().unwrap_or_default();
    let said = match parts.method {
        Method::POST if source.by_post() => None,
        Method::GET if source.by_get() => Some(source.said_by(query)).filter(|said| !said.is_empty()),
        Method::GET | Method::HEAD => None,
        _ => return Err(answer::method(source)),
    };
    let handshake = parts.method == Method::GET && said.is_none() && source.may_be_challenge(query);
    if parts.method != Method::POST && said.is_none() && !handshake {
        return Ok(Done::Ping);
    }
    if said.as_ref().is_some_and(|said| said.len() > source.body_max()) {
        return Err(answer::TOO_LARGE);
    }
    let encoding = match body::encoding(&parts.headers) {
        Ok(encoding) => encoding,
        Err(problem) => {
            body::let_go(&parts.headers, body).await;
            return Err(problem);
        }
    };
    let mut held = body::Held::new(shared.held.clone());
    // Whatever body a GET has means nothing.
    let (raw, unpacked) = if parts.method == Method::GET {
        (Vec::new(), None)
    } else {
        let (max, time) = (source.body_max(), receiver.limits.body_read);
        body::read(parts, body, encoding, max, time, &mut held).await?
    };
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip());
    let now = receiver.clock.now();
    let request = source::Request {
        path_token: None,
        query,
        headers: &parts.headers,
        raw: &raw,
        decoded: unpacked.as_deref().unwrap_or(&raw),
        client_ip: peer.and_then(|peer| proxy::client(peer, &parts.headers, &receiver.trusted_proxies)),
        now,
    };
    let believed = authenticate(source, request, segments);
    believed.map_err(|denied| answer::unauthenticated(denied.reason, source))?;
    let by_get = said.is_some();
    let beside = |name: &str| match name.starts_with(['?', '/']) {
        true => source.in_address(name, query, segments.iter().map(AsRef::as_ref)),
        false if by_get && name == CONTENT_TYPE => Some(FORM.to_owned()),
        false => header(&parts.headers, name),
    };
    let body = said.map_or_else(|| unpacked.unwrap_or(raw), String::into_bytes);
    if body::is_blank(&body) {
        let word = source.challenge(&Value::Null, &beside);
        return Ok(word.map_or(Done::Tried, Done::Challenge));
    }
    let kind = if by_get {
        Some(FORM)
    } else {
        body::content_type(&parts.headers)?
    };
    let (receipt, headers, rewritten) = {
        let (mut parsed, text) = decode_with_text(kind, &body).map_err(body::unreadable)?;
        if let Some(word) = source.challenge(&parsed, &beside) {
            return Ok(Done::Challenge(word));
        }
        if source.is_ping(&parsed, &beside) {
            return Ok(Done::Tried);
        }
        let rewritten = body::without_secrets(source, &mut parsed, text.as_deref());
        let beside = |name: &str| match &rewritten {
            Some(_) if name == CONTENT_TYPE => kind.map(without_charset).map(str::to_owned),
            _ => beside(name),
        };
        let mut kept = source.kept_headers(&beside);
        for name in source.noticed(parts.headers.keys().map(HeaderName::as_str), query) {
            if let Some(value) = beside(&name) {
                kept.entry(name)
                    .or_insert_with(|| value.chars().take(NOTICED_VALUE_MAX).collect());
            }
        }
        let kept = Value::from_iter(kept);
        let receipt = source.receipt_key(&body, &parsed, &beside);
        (receipt, kept.to_string(), rewritten)
    };
    let arrival = Arrival {
        id: receiver.ids.delivery(now),
        source: source.name().to_owned(),
        receipt,
        received_at: now,
        headers,
        body: rewritten.unwrap_or(body),
    };
    match tokio::time::timeout(receiver.limits.store, receiver.store.receive(arrival)).await {
        Ok(Ok(receipt)) => Ok(Done::Stored(receipt)),
        Ok(Err(StoreError::Overloaded)) => Err(answer::OVERLOADED),
        Ok(Err(error)) => Err(answer::not_stored(&error)),
        Err(_) => Err(answer::TOO_SLOW),
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    String::from_utf8(headers.get(name)?.as_bytes().to_vec()).ok()
}

#[cfg(test)]
mod tests;
