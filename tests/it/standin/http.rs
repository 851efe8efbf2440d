//! A stand-in for an HTTP target.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Background;

/// A longer body is refused.
const BODY_MAX: usize = 4 * 1024 * 1024;
/// More requests are answered, but not kept.
const REQUESTS_MAX: usize = 1_000_000;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Path and query, as written on the wire.
    pub path_and_query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Request {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Its `Idempotency-Key`.
    pub fn key(&self) -> Option<&str> {
        self.header("idempotency-key")
    }

    /// Its body as text, what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Its body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What the stand-in does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers.
    Answer {
        /// The status, 200 to 599.
        status: u16,
        /// Headers beside `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Takes the request and closes the connection without a word.
    Close,
    /// Takes the request and does the other thing only once [`HttpStandin::release`] is called.
    Hold(Box<Reply>),
}

impl Reply {
    /// An answer of JSON.
    pub fn json(status: u16, body: &Value) -> Reply {
        Reply::Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    /// An answer that is only a status.
    pub fn status(status: u16) -> Reply {
        Reply::Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header to an answer; what does not answer stays as it is.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        if let Reply::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Takes the request and answers only after [`HttpStandin::release`].
    #[must_use]
    pub fn held(self) -> Reply {
        Reply::Hold(Box::new(self))
    }

    /// Whether a real target would have done what was asked: it said so, or it never said otherwise.
    fn has_effect(&self) -> bool {
        match self {
            Reply::Answer { status, .. } => (200..300).contains(status),
            Reply::Close => true,
            Reply::Hold(then) => then.has_effect(),
        }
    }
}

type Decide = dyn Fn(&Request, usize) -> Reply + Send + Sync;

/// An HTTP server on this machine. It ends when it is dropped.
pub struct HttpStandin {
    base_url: String,
    shared: Arc<Shared>,
    serving: Background,
}

struct Shared {
    state: Mutex<State>,
    /// How many requests have arrived.
    arrived: watch::Sender<usize>,
    /// Counts the releases.
    released: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    effects: Vec<Request>,
    /// Keys that had an effect, each with the number that it got.
    keys: HashMap<String, usize>,
    queue: VecDeque<Reply>,
    decide: Option<Arc<Decide>>,
}

impl std::fmt::Debug for HttpStandin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpStandin")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl HttpStandin {
    /// Starts one on a free port. Without further words it answers `200 {"ok": true, "task": {"id": N}}`, where N counts
    /// the effects from 1 and a key that is sent again gets its number again.
    ///
    /// # Errors
    ///
    /// Where no port of the loopback address can be taken.
    pub async fn start() -> io::Result<HttpStandin> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            arrived: watch::Sender::new(0),
            released: watch::Sender::new(0),
        });
        let serving = Background::spawn(serve(listener, shared.clone()));
        Ok(HttpStandin {
            base_url,
            shared,
            serving,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The next requests are answered with these, one each; then it goes on as before.
    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.state().queue.extend(replies);
    }

    /// From now on this decides, where nothing is queued; it sees the request and the number of its effect, from 1.
    pub fn decide(&self, decide: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) {
        self.shared.state().decide = Some(Arc::new(decide));
    }

    /// Lets everything go on that is held at this moment.
    pub fn release(&self) {
        self.shared.released.send_modify(|count| *count += 1);
    }

    /// Every request, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// The requests that had an effect: each `Idempotency-Key` once, with what was sent first under it.
    pub fn effects(&self) -> Vec<Request> {
        self.shared.state().effects.clone()
    }

    /// Ends it; afterwards its port refuses connections.
    pub async fn stop(self) {
        self.serving.stop().await;
    }

    /// Returns once `count` requests have arrived in all, also those that are held.
    pub async fn wait_for(&self, count: usize) -> Vec<Request> {
        // The sender lives in `self`, so the only error (sender gone) cannot happen.
        let _ = self
            .shared
            .arrived
            .subscribe()
            .wait_for(|arrived| *arrived >= count)
            .await;
        self.requests()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and says what is to be done with it.
    fn take(&self, request: Request) -> Reply {
        let mut state = self.state();
        let known = request.key().and_then(|key| state.keys.get(key).copied());
        let number = known.unwrap_or(state.effects.len() + 1);
        let decide = state.decide.clone();
        let reply = match (state.queue.pop_front(), decide) {
            (Some(reply), _) => reply,
            (None, Some(decide)) => decide(&request, number),
            (None, None) => Reply::json(200, &json!({"ok": true, "task": {"id": number}})),
        };
        if known.is_none() && reply.has_effect() {
            if let Some(key) = request.key() {
                let key = key.to_owned();
                state.keys.insert(key, number);
            }
            state.effects.push(request.clone());
        }
        if state.requests.len() < REQUESTS_MAX {
            state.requests.push(request);
        }
        reply
    }

    async fn answer(&self, request: http::Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_MAX)
            .collect()
            .await
            .map_err(io::Error::other)?
            .to_bytes();
        // Subscribed before anybody can know of the request: a release that follows it is never missed.
        let mut released = self.released.subscribe();
        let mut reply = self.take(Request {
            method: parts.method,
            path_and_query: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            headers: parts.headers,
            body,
        });
        self.arrived.send_modify(|count| *count += 1);
        loop {
            match reply {
                Reply::Hold(then) => {
                    let _ = released.changed().await;
                    reply = *then;
                }
                // An error makes the server close the connection without an answer.
                Reply::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
                Reply::Answer { status, headers, body } => {
                    let mut answer = Response::builder().status(status);
                    for (name, value) in headers {
                        answer = answer.header(name, value);
                    }
                    return answer.body(Full::from(body)).map_err(io::Error::other);
                }
            }
        }
    }
}

/// Takes connections and serves them all within one task, so that they end with it.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut open = FuturesUnordered::new();
    loop {
        tokio::select! {
            taken = listener.accept() => {
                if let Ok((stream, _)) = taken {
                    open.push(connection(stream, shared.clone()));
                }
            }
            Some(()) = open.next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { shared.answer(request).await }
    });
    // A client that goes away is not this side's concern.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
