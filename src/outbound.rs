//! The one HTTP client: address rules, no redirects, no proxies, time-outs, bounded answers. It knows whether a request
//! that failed may have reached its target, because that decides whether it is sent again.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

mod address;

pub use address::{Names, refusal};
pub use reqwest::Url;

/// Of an answer's body this many bytes are read, the rest is dropped.
pub const BODY_MAX: usize = 64 * 1024;

/// How long reaching the target may take; the request as a whole has its own time-out.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How long a connection is kept for the next request: shorter than the 5 s after which common servers close it. A
/// request that meets such a closing cannot be told from one that arrived.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// How many connections to a host are kept for the next request: as many as a lane has places at the most.
const IDLE_PER_HOST: usize = 64;

/// What goes out.
#[derive(Clone, Debug)]
pub struct OutRequest {
    /// The method.
    pub method: Method,
    /// Where to, with path and query.
    pub url: Url,
    /// All headers but `Host` and `Content-Length`. Values with credentials are marked sensitive.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// For everything together, until the answer's body is read.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct OutResponse {
    /// The status, 100 to 999.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// At most [`BODY_MAX`] bytes.
    pub body: Bytes,
    /// Whether `body` is all of it.
    pub end: End,
}

/// How the reading of an answer's body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All of it was read.
    Whole,
    /// It is longer than [`BODY_MAX`].
    Cut,
    /// The connection broke, or time ran out, within the body.
    Broken,
}

/// Why there is no answer. The texts name hosts, never paths, queries or credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutError {
    /// Certainly nothing of the request reached the target.
    #[error("{0}")]
    NotSent(String),
    /// The request may have reached the target.
    #[error("{0}")]
    NoAnswer(String),
}

/// The client. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    names: Names,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// Makes `ring` the process's cryptography, for HTTPS and for mail alike. Calling it again changes nothing.
pub fn install_crypto() {
    // An error only says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Outbound {
    /// A client that asks the machine for addresses.
    ///
    /// # Errors
    ///
    /// Where the machine's trusted certificates cannot be read.
    pub fn new() -> Result<Outbound, String> {
        Outbound::with_names(Names::System)
    }

    /// A client that takes its addresses from `names`.
    ///
    /// # Errors
    ///
    /// As for [`Outbound::new`].
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes a client")]
    pub fn with_names(names: Names) -> Result<Outbound, String> {
        install_crypto();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT_MAX)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_idle_timeout(IDLE_MAX)
            .tcp_nodelay(true)
            .dns_resolver(Arc::new(names.clone()))
            .build()
            .map_err(|error| format!("the HTTP client could not be made: {}", root(&error)))?;
        Ok(Outbound { client, names })
    }

    /// Where this client looks names up; other protocols follow the same rules through it.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Sends once. Never follows a redirect, never tries again.
    ///
    /// # Errors
    ///
    /// [`OutError::NotSent`] only where nothing can have reached the target, else [`OutError::NoAnswer`].
    pub async fn send(&self, request: OutRequest) -> Result<OutResponse, OutError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        // Literal addresses never come to the resolver.
        if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>()
            && let Some(why) = refusal(ip)
        {
            return Err(OutError::NotSent(format!("{host} is {why}; nothing is sent there")));
        }
        let mut built = self
            .client
            .request(request.method, request.url)
            .headers(request.headers)
            .timeout(request.timeout);
        if !request.body.is_empty() {
            built = built.body(request.body);
        }
        let mut answer = built.send().await.map_err(|error| explain(&host, &error))?;
        let status = answer.status().as_u16();
        let headers = std::mem::take(answer.headers_mut());
        let mut body = Vec::new();
        let end = loop {
            match answer.chunk().await {
                Ok(None) => break End::Whole,
                Ok(Some(chunk)) => {
                    let room = BODY_MAX - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        break End::Cut;
                    }
                }
                Err(_) => break End::Broken,
            }
        };
        Ok(OutResponse {
            status,
            headers,
            body: Bytes::from(body),
            end,
        })
    }
}

/// `is_connect` holds for looking up, connecting and TLS: all before the first byte of the request. Everything else,
/// a time-out that may have struck while connecting included, counts as perhaps sent.
fn explain(host: &str, error: &reqwest::Error) -> OutError {
    if error.is_builder() {
        OutError::NotSent(format!("the request to {host} could not be made"))
    } else if error.is_connect() {
        OutError::NotSent(match own(error) {
            Some(OutError::NotSent(why) | OutError::NoAnswer(why)) => why.clone(),
            None if error.is_timeout() => format!("{host} could not be reached in time"),
            None => format!("could not connect to {host}: {}", root(error)),
        })
    } else if error.is_timeout() {
        OutError::NoAnswer(format!("{host} did not answer in time"))
    } else {
        OutError::NoAnswer(format!("{host} broke off without an answer: {}", root(error)))
    }
}

/// Our own refusal, where that is what the client met while looking up.
fn own(error: &reqwest::Error) -> Option<&OutError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The innermost reason of an error of a client library, which names neither URL nor header.
pub fn root(error: &dyn Error) -> String {
    causes(error)
        .last()
        .map_or_else(|| "unknown reason".to_owned(), ToString::to_string)
}

/// What is behind an error, from the outside in.
fn causes<'e>(error: &'e dyn Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let found = next?;
        next = found.source();
        Some(found)
    })
}
