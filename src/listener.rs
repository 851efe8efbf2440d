//! Serving a router over HTTP/1.1 with bounds: how many connections, how long for the headers, how long at all. Both
//! listeners, the one for webhooks and the one for the dashboard, are served this way.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use futures::FutureExt as _;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long to wait after a connection could not be accepted; being out of file descriptors does not end at once.
const PAUSE: Duration = Duration::from_millis(200);
/// The largest head of a request in bytes: request line and headers together.
const HEAD_MAX: usize = 64 << 10;
/// The most headers of a request.
const HEADERS_MAX: usize = 100;

/// What a listener puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at a time. Further ones wait in the operating system's queue, and cost nothing here.
    pub connections: usize,
    /// How long a sender may take for the head of a request; also how long a connection may idle between two.
    pub header_read: Duration,
    /// After this a connection answers the request it is at and closes, so that nobody holds a place for ever.
    pub age: Duration,
    /// How long a request may still take after the connection has been told to close.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 512,
            header_read: Duration::from_secs(10),
            age: Duration::from_secs(300),
            drain: Duration::from_secs(15),
        }
    }
}

/// Serves until `stop` is cancelled; then takes no more connections, lets what is under way finish within
/// [`Limits::drain`], and returns. Handlers find the peer as `ConnectInfo<SocketAddr>` in the extensions. A handler that
/// panics answers 500 and ends its connection only.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let room = connections.len() < limits.connections;
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next() => report(ended),
            accepted = listener.accept(), if room => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, router.clone(), limits, stop.clone()));
                }
                Err(error) if is_the_peers(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // Not a wait for something to happen: time for others to give descriptors back.
                    let _ = timeout(PAUSE, stop.cancelled()).await;
                }
            }
        }
    }
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

/// Whether accepting failed because of the one connection that was to be accepted.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a fault of Stayhook ended a connection");
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, limits: Limits, stop: CancellationToken) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| answer(router.clone(), peer, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = timeout(limits.age, connection.as_mut()) => match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                // Its words speak of HTTP only, never of what was sent.
                tracing::debug!(%error, "a connection ended early");
                return;
            }
            Err(_) => {}
        },
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    if timeout(limits.drain, connection).await.is_err() {
        tracing::debug!("a connection was cut off");
    }
}

async fn answer(router: Router, peer: SocketAddr, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let answered = AssertUnwindSafe(router.oneshot(request)).catch_unwind().await;
    Ok(answered.map_or_else(|_| broken(), |Ok(response)| response))
}

fn broken() -> Response<Body> {
    // What the panic said may quote the request; the log has where it was.
    tracing::error!("a fault of Stayhook while answering a request");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
        .headers_mut()
        .insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests;
