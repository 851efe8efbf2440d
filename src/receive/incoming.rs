//! A request on its way: whether its sender is believed, and what is kept of it.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::model::body::{FORM, decode_with_text, without_charset};
use crate::model::clock::Time;
use crate::model::delivery::ReceiptKey;
use crate::source::{self, Proof, Seen, Source, UNPROVEN_MAX};

use super::answer::{self, Problem};
use super::body;
use super::memory::Held;

/// A header or parameter that a source which learns keeps is cut to this many characters.
const NOTICED_VALUE_MAX: usize = 200;
/// Bodies up to so many bytes that are not compressed are worked on where they came in.
const SHORT: usize = 64 << 10;

/// A request, with its body once that was read.
pub(super) struct Incoming {
    pub(super) source: Arc<Source>,
    pub(super) parts: Parts,
    /// What stands behind the name of the source in the path.
    pub(super) segments: Vec<String>,
    pub(super) client: Option<IpAddr>,
    pub(super) now: Time,
    /// The same as it is shown: a sender whose clock is right is believed at once where ours has just been set.
    pub(super) shown: Time,
    /// What a GET says in its query.
    pub(super) said: Option<String>,
    pub(super) gzip: bool,
    pub(super) raw: Vec<u8>,
    pub(super) unpacked: Option<Vec<u8>>,
    pub(super) held: Held,
}

/// What was found in a request.
pub(super) enum Read {
    Tried,
    Challenge(String),
    Delivery(Kept),
}

/// What is kept of a delivery.
pub(super) struct Kept {
    pub(super) now: Time,
    pub(super) receipt: ReceiptKey,
    pub(super) headers: String,
    pub(super) body: Vec<u8>,
}

/// Where long work is done, a few things at a time, so that the threads that answer go on.
pub(super) struct Workers(Arc<Semaphore>);

impl Workers {
    pub(super) fn new(places: usize) -> Workers {
        Workers(Arc::new(Semaphore::new(places)))
    }

    /// Does it, and gives the request back. How long the queue gets is bounded by the memory for bodies.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        mut request: Incoming,
        work: fn(&mut Incoming) -> Result<T, Problem>,
    ) -> Result<(Incoming, T), Problem> {
        if request.raw.len() <= SHORT && !request.gzip {
            let done = work(&mut request)?;
            return Ok((request, done));
        }
        // It is never closed.
        let place = self.0.clone().acquire_owned().await.map_err(|_| answer::OVERLOADED)?;
        let done = spawn_blocking(move || {
            // Held until it is done, also where nobody waits for it any more.
            let _place = place;
            work(&mut request).map(|done| (request, done))
        });
        match done.await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The process ends.
                Err(_) => Err(answer::OVERLOADED),
            },
        }
    }
}

impl Incoming {
    /// What it shows of who sends it, as far as it is there; any segment of the path may be the token.
    pub(super) fn proof(&self, seen: Seen) -> Result<Proof, Problem> {
        let with = |segment: Option<&String>| {
            self.source.proof(
                &source::Request {
                    path_token: segment.map(String::as_str),
                    query: self.parts.uri.query().unwrap_or_default(),
                    headers: &self.parts.headers,
                    raw: &self.raw,
                    decoded: self.unpacked.as_deref().unwrap_or(&self.raw),
                    client_ip: self.client,
                    now: self.shown,
                },
                seen,
            )
        };
        let mut proof = with(self.segments.first());
        for segment in self.segments.iter().skip(1) {
            match (proof, with(Some(segment))) {
                (Ok(Proof::Shown), _) => break,
                (_, Ok(Proof::Shown)) | (Err(_), Ok(Proof::Pending)) => proof = with(Some(segment)),
                _ => {}
            }
        }
        proof.map_err(|denied| answer::unauthenticated(denied.reason, &self.source))
    }

    /// Asks the body for what the head has not shown. Only where the bytes as they came are not what is signed they are
    /// unpacked, and then within narrower bounds than for a sender who is known.
    pub(super) fn prove(&mut self) -> Result<(), Problem> {
        let mut proof = self.proof(if self.is_packed() { Seen::Packed } else { Seen::Whole })?;
        if proof == Proof::Pending {
            self.unpack(UNPROVEN_MAX)?;
            proof = self.proof(Seen::Whole)?;
        }
        match proof {
            Proof::Shown => Ok(()),
            Proof::Pending => Err(answer::unauthenticated("not shown", &self.source)),
        }
    }

    fn is_packed(&self) -> bool {
        self.gzip && !self.raw.is_empty() && self.unpacked.is_none()
    }

    fn unpack(&mut self, most: usize) -> Result<(), Problem> {
        if self.is_packed() {
            let max = self.source.body_max().min(most);
            self.unpacked = Some(body::unpack(&self.raw, max, &mut self.held)?);
        }
        Ok(())
    }

    /// Reads it, now that the sender is believed.
    pub(super) fn read(&mut self) -> Result<Read, Problem> {
        self.unpack(usize::MAX)?;
        let by_get = self.said.is_some();
        let bytes = self.said.take().map(String::into_bytes);
        let bytes = bytes
            .or_else(|| self.unpacked.take())
            .unwrap_or_else(|| std::mem::take(&mut self.raw));
        let (source, headers) = (&*self.source, &self.parts.headers);
        let query = self.parts.uri.query().unwrap_or_default();
        let beside = |name: &str| match name.starts_with(['?', '/']) {
            true => source.in_address(name, query, self.segments.iter().map(String::as_str)),
            false => header(headers, name),
        };
        if body::is_blank(&bytes) {
            let word = source.challenge(&Value::Null, &beside);
            return Ok(word.map_or(Read::Tried, Read::Challenge));
        }
        let kind = match by_get {
            true => Some(FORM.into()),
            false => body::content_type(source, headers, &bytes)?,
        };
        let kind = kind.as_deref();
        // What is kept says how the body was read.
        let beside = |name: &str| match name == CONTENT_TYPE {
            true => kind.map(str::to_owned),
            false => beside(name),
        };
        let decoded = decode_with_text(kind, &bytes);
        let (mut parsed, text) = decoded.map_err(|why| body::unreadable(why, headers))?;
        if let Some(word) = source.challenge(&parsed, &beside) {
            return Ok(Read::Challenge(word));
        }
        if source.is_ping(&parsed, &beside) {
            return Ok(Read::Tried);
        }
        let rewritten = body::without_secrets(source, &mut parsed, text.as_deref());
        let beside = |name: &str| match &rewritten {
            Some(_) if name == CONTENT_TYPE => kind.map(without_charset).map(str::to_owned),
            _ => beside(name),
        };
        let mut kept = source.kept_headers(&beside);
        for name in source.noticed(headers.keys().map(HeaderName::as_str), query) {
            if let Some(value) = beside(&name) {
                kept.entry(name)
                    .or_insert_with(|| value.chars().take(NOTICED_VALUE_MAX).collect());
            }
        }
        let receipt = source.receipt_key(&bytes, &parsed, &beside);
        drop(text);
        Ok(Read::Delivery(Kept {
            now: self.now,
            receipt,
            headers: Value::from_iter(kept).to_string(),
            body: rewritten.unwrap_or(bytes),
        }))
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    String::from_utf8(headers.get(name)?.as_bytes().to_vec()).ok()
}
