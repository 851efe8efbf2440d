//! Serving a router over HTTP/1.1 with bounds: how many connections and whose, how long for the headers, how long at all.
//! Both listeners, the one for webhooks and the one for the dashboard, are served this way.

pub mod proxy;
mod seats;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use futures::FutureExt as _;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::model::throttle::Throttle;

use self::seats::{Seat, Seats};

/// How long to wait after a connection could not be accepted; being out of file descriptors does not end at once.
const PAUSE: Duration = Duration::from_millis(200);
/// The largest head of a request in bytes: request line and headers together.
const HEAD_MAX: usize = 64 << 10;
/// The most headers of a request.
const HEADERS_MAX: usize = 100;
/// How many connections the operating system keeps that are not accepted yet, where it allows so many.
const BACKLOG: u32 = 4096;

/// What a listener puts up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at a time. For a further one the address that holds most gives up the one that has said
    /// nothing for longest.
    pub connections: usize,
    /// How long a sender may take for the head of a request; also how long a connection may idle between two.
    pub header_read: Duration,
    /// After this a connection answers the request it is at and closes, so that nobody holds a place for ever.
    pub age: Duration,
    /// How long a request may still take after the connection has been told to close.
    pub drain: Duration,
    /// Whose word on the sender's address is taken (`X-Forwarded-For`).
    pub trusted_proxies: Vec<IpNet>,
}

/// Whom a request comes from: in the extensions of every request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The sender's address as the trusted proxies say; `None` where what they say is not readable.
    pub address: Option<IpAddr>,
    /// The connection.
    pub seat: Arc<Seat>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 512,
            header_read: Duration::from_secs(10),
            age: Duration::from_secs(300),
            drain: Duration::from_secs(15),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Limits {
    /// The usual ones behind these proxies.
    pub fn behind(proxies: &[IpNet]) -> Limits {
        Limits {
            trusted_proxies: proxies.to_vec(),
            ..Limits::default()
        }
    }
}

/// Begins to listen.
///
/// # Errors
///
/// Where the address cannot be had.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // As every listener does: else a restart would wait for the connections of the life before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` is cancelled; then takes no more connections, lets what is under way finish within
/// [`Limits::drain`], and returns. Handlers find the peer as `ConnectInfo<SocketAddr>` and the [`Caller`] in the extensions.
/// A handler that panics answers 500 and ends its connection only.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let limits = Arc::new(limits);
    let (mut connections, mut seats) = (JoinSet::new(), Seats::default());
    let crowded = Throttle::new(1, Duration::from_secs(60));
    let mut waiting: Option<(TcpStream, SocketAddr)> = None;
    loop {
        let mut again = Instant::now();
        if waiting.is_some() && seats.len() >= limits.connections {
            match seats.free_one(again) {
                Ok(()) => {
                    if let Some(more) = crowded.pass(again) {
                        let most = limits.connections;
                        tracing::warn!(
                            most,
                            more,
                            "all connections are taken; the quietest are closed for new ones"
                        );
                    }
                }
                Err(grace) => again += grace,
            }
        }
        if seats.len() < limits.connections
            && let Some((stream, peer)) = waiting.take()
        {
            let seat = Arc::new(Seat::new(peer.ip()));
            let serving = connection(stream, peer, seat.clone(), router.clone(), limits.clone(), stop.clone());
            seats.take(seat, connections.spawn(serving));
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next_with_id() => {
                seats.ended(ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id));
                report(&ended);
            }
            () = sleep_until(again), if waiting.is_some() => {}
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok(accepted) => waiting = Some(accepted),
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
    while let Some(ended) = connections.join_next_with_id().await {
        report(&ended);
    }
}

/// Whether accepting failed because of the one connection that was to be accepted.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

fn report<T>(ended: &Result<T, JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a fault of Stayhook ended a connection");
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    seat: Arc<Seat>,
    router: Router,
    limits: Arc<Limits>,
    stop: CancellationToken,
) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let (router, of_peer) = (&router, &limits);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let address = proxy::client(peer.ip(), request.headers(), &of_peer.trusted_proxies);
        let caller = Caller {
            address,
            seat: seat.clone(),
        };
        answer(router.clone(), peer, caller, request)
    });
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

async fn answer(
    router: Router,
    peer: SocketAddr,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let seat = caller.seat.clone();
    seat.asked(caller.address.unwrap_or(peer.ip()));
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(caller);
    let answered = AssertUnwindSafe(router.oneshot(request)).catch_unwind().await;
    seat.answered();
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
