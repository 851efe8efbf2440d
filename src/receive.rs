//! HTTP in: a request is authenticated over its raw bytes, recognised, stored, and only then answered with 200.
//!
//! What needs no body is asked for before a byte of the body is kept: tokens in the address or a header, user and password,
//! addresses, the form and time of a signature. A signature is tried over the bytes as they came, before they are unpacked
//! or read; what is long or compressed is worked on beside the threads that answer, that of strangers one at a time.
//!
//! What it costs in memory at the most, whatever comes: the listener's 512 connections with a head and a begin of a body of
//! 64 KiB each; longer bodies that are held at a time, which share [`Limits::held_bytes`]; those that wait for the store's
//! next commit, which share the store's own bound; and one parsed body per thread, which lives only until its receipt key is
//! known and never while anything is waited for. What is turned away is dropped at once.

mod answer;
mod body;
mod incoming;
mod memory;
mod rejections;
mod slow_down;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::any;
use http::request::Parts;
use http::{Method, Request, Response};
use percent_encoding::percent_decode_str;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::listener::Caller;
use crate::listener::proxy::network;
use crate::model::clock::Clock;
use crate::model::delivery::{Arrival, Receipt};
use crate::model::id::Ids;
use crate::source::{Proof, Seen, Source};
use crate::store::{Store, StoreError};

use self::answer::Problem;
use self::body::Encoding;
use self::incoming::{Incoming, Read, Workers};
use self::memory::{Held, Memory, Payer};

pub use self::rejections::{Rejection, Rejections, UNKNOWN};
use self::slow_down::SlowDown;

/// Finds a source by the name in the path.
pub type Sources = Arc<dyn Fn(&str) -> Option<Arc<Source>> + Send + Sync>;

/// How many long or compressed bodies of known senders are read at a time.
const SENDERS_AT_ONCE: usize = 2;

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
    /// How many bytes of bodies are held in memory at a time, over all connections, beside the first 64 KiB of each. One
    /// source, and one address of which nothing is known yet, gets a part of it; beyond that the answer is 503.
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
    memory: Arc<Memory>,
    /// Work for those who have not shown yet who they are: one thing at a time.
    strangers: Workers,
    /// Work for those who have.
    senders: Workers,
    drained: Semaphore,
    slow_down: SlowDown,
}

/// `/hooks/{source}`, and two parts more at the most, of which any may be the token; whatever else is asked for is not found.
pub fn router(receiver: Receiver) -> Router {
    let shared = Arc::new(Shared {
        memory: Arc::new(Memory::new(receiver.limits.held_bytes)),
        strangers: Workers::new(1),
        senders: Workers::new(SENDERS_AT_ONCE),
        drained: Semaphore::new(body::DRAINED_MAX),
        slow_down: SlowDown::new(),
        receiver,
    });
    Router::new()
        .route("/hooks/{source}", any(hook))
        // The same address with a slash at its end, as people paste it.
        .route("/hooks/{source}/", any(hook))
        .route("/hooks/{source}/{one}", any(hook))
        .route("/hooks/{source}/{one}/", any(hook))
        .route("/hooks/{source}/{one}/{two}", any(hook))
        .route("/hooks/{source}/{one}/{two}/", any(hook))
        .fallback(|| async { answer::NO_SUCH_PAGE.response() })
        .with_state(shared)
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
        let asked_for = answer::name_asked_for(&name);
        body::let_go(&parts, body, &shared.drained).await;
        if let Some(more) = receiver.turned_away(UNKNOWN, "unknown source", Some(asked_for.clone())) {
            tracing::warn!(route, status = 404, name = asked_for, more, "no source has this name");
        }
        shared.slow_down.turn().await;
        return answer::UNKNOWN_SOURCE.response();
    };
    if segments.len() > 1 && !source.reads_path() {
        body::let_go(&parts, body, &shared.drained).await;
        shared.slow_down.turn().await;
        return answer::NO_SUCH_PAGE.response();
    }
    let name = source.name();
    match receive(&shared, &source, segments, parts, body).await {
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
            let (status, reason, came) = (problem.status.as_u16(), problem.reason, problem.came.as_deref());
            let more = receiver.turned_away(name, reason, came.map(str::to_owned));
            match more {
                None => {}
                Some(more) if problem.status.is_server_error() => {
                    tracing::warn!(route, source = name, status, reason, came, more, "turned away");
                }
                Some(more) => tracing::info!(route, source = name, status, reason, came, more, "turned away"),
            }
            if problem.status.is_client_error() {
                shared.slow_down.turn().await;
            }
            problem.response()
        }
    }
}

impl Receiver {
    /// Counts it; `None` where the log has enough of them.
    fn turned_away(&self, source: &str, reason: &'static str, came: Option<String>) -> Option<u64> {
        self.tally.rejected(source, reason);
        self.rejections.record(source, reason, came, self.clock.now())
    }
}

/// The source that a path names and what stands behind it, decoded. What is not UTF-8 gets replacement characters and
/// fits nothing.
fn named(path: &str) -> (Cow<'_, str>, Vec<String>) {
    let rest = path.strip_prefix("/hooks/").unwrap_or_default();
    let mut parts = rest.split('/');
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    let name = decoded(parts.next().unwrap_or_default());
    let rest = parts.filter(|part| !part.is_empty());
    (name, rest.map(|part| decoded(part).into_owned()).collect())
}

async fn receive(
    shared: &Shared,
    source: &Arc<Source>,
    segments: Vec<String>,
    parts: Parts,
    mut body: Body,
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
    let client = parts.extensions.get::<Caller>().and_then(|caller| caller.address);
    let name = source.name().to_owned();
    let mut request = Incoming {
        source: source.clone(),
        segments,
        client,
        now: receiver.clock.now(),
        shown: receiver.clock.shown(),
        said,
        gzip: false,
        raw: Vec::new(),
        unpacked: None,
        // Nothing is taken of it before the head was looked at.
        held: Held::new(
            shared.memory.clone(),
            Payer::Stranger(name.clone(), client.map(network)),
        ),
        parts,
    };
    // Whatever body a GET has means nothing.
    if request.parts.method == Method::GET {
        if request.proof(Seen::Whole)? == Proof::Pending {
            return Err(answer::unauthenticated("not shown", source));
        }
    } else {
        let head = request.proof(Seen::Head);
        let read = match head.and_then(|proof| Ok((proof, body::encoding(&request.parts.headers)?))) {
            Ok((proof, encoding)) => {
                request.gzip = encoding == Encoding::Gzip;
                if proof == Proof::Shown {
                    request.held = Held::new(shared.memory.clone(), Payer::Source(name));
                }
                let (max, time) = (source.body_max(), receiver.limits.body_read);
                let raw = body::read(&request.parts, &mut body, max, time, &mut request.held).await;
                raw.map(|raw| (proof, raw))
            }
            Err(problem) => Err(problem),
        };
        let (proof, raw) = match read {
            Ok(read) => read,
            Err(problem) => {
                if problem != answer::SLOW && problem != answer::CUT_OFF {
                    body::let_go(&request.parts, body, &shared.drained).await;
                }
                return Err(problem);
            }
        };
        request.raw = raw;
        if proof == Proof::Pending {
            request = shared.strangers.run(request, Incoming::prove).await?.0;
        }
    }
    let (_request, read) = shared.senders.run(request, Incoming::read).await?;
    let arrival = match read {
        Read::Tried => return Ok(Done::Tried),
        Read::Challenge(word) => return Ok(Done::Challenge(word)),
        Read::Delivery(kept) => Arrival {
            id: receiver.ids.delivery(kept.now),
            source: source.name().to_owned(),
            receipt: kept.receipt,
            received_at: kept.now,
            headers: kept.headers,
            body: kept.body,
        },
    };
    match tokio::time::timeout(receiver.limits.store, receiver.store.receive(arrival)).await {
        Ok(Ok(receipt)) => Ok(Done::Stored(receipt)),
        Ok(Err(StoreError::Overloaded)) => Err(answer::OVERLOADED),
        Ok(Err(error)) => Err(answer::not_stored(&error)),
        Err(_) => Err(answer::TOO_SLOW),
    }
}

#[cfg(test)]
mod tests;
