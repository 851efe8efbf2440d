//! Who may ask. A page somewhere on the web can make a browser send requests here: the name that was asked for and the
//! origin of the page have to be ours, whatever the token.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use subtle::ConstantTimeEq;
use tokio::time::{Instant, sleep_until};

use crate::listener::Caller;
use crate::model::id::hash;
use crate::model::secret::Secret;

use super::problem::Problem;
use super::{Console, Desk, Shared};

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Lets a request through, or says why not; adds what every answer carries.
pub async fn guard(State(desk): State<Shared>, request: Request, next: Next) -> Response {
    let admitted = match admit(&desk.console, &request) {
        Ok(Some(given)) => believe(&desk, given).await,
        Ok(None) => Ok(()),
        Err(refused) => Err(refused),
    };
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err((reason, problem)) => {
            desk.console.meter.turned_away(reason);
            problem.into_response()
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Why a request is turned away, for counting and for whoever asks.
type Refused = (&'static str, Problem);

/// A token, and the address it came from.
struct Given {
    token: Vec<u8>,
    from: Option<IpAddr>,
}

/// Looks at everything but the token; gives that back where it has to be the right one.
fn admit(console: &Console, request: &Request) -> Result<Option<Given>, Refused> {
    let (headers, path) = (request.headers(), request.uri().path());
    // Without a token it is open for this machine only, and a proxy asks from this machine for anybody.
    let hosts = console.token.as_ref().map_or(&[][..], |_| &console.hosts);
    let host = asked_host(headers, request.uri()).filter(|host| known(host, hosts));
    let Some(host) = host else {
        let detail = match console.token {
            Some(_) => "this name is not one of this daemon's: `admin.hosts` lists those beside localhost",
            None => "this name is not one of this daemon's: without `admin.token` it answers to localhost only",
        };
        return Err(("other host", Problem::new(StatusCode::MISDIRECTED_REQUEST, detail)));
    };
    for origin in headers.get_all(header::ORIGIN) {
        if !origin.to_str().is_ok_and(|origin| same_host(origin, &host)) {
            let detail = "requests from pages of other origins are refused";
            return Err(("other origin", Problem::new(StatusCode::FORBIDDEN, detail)));
        }
    }
    if matches!(path, "/healthz" | "/readyz") {
        return Ok(None);
    }
    if console.token.is_none() {
        if FORWARDED.iter().any(|name| headers.contains_key(*name)) {
            let detail = "without `admin.token` nobody is let in through a proxy";
            return Err(("through a proxy", Problem::new(StatusCode::FORBIDDEN, detail)));
        }
        return Ok(None);
    }
    if path == "/metrics" && console.metrics_open {
        return Ok(None);
    }
    let token = bearer(headers).ok_or_else(|| ("no token", unauthorized()))?.to_vec();
    let from = request.extensions().get::<Caller>().and_then(|caller| caller.address);
    Ok(Some(Given { token, from }))
}

fn unauthorized() -> Problem {
    let detail = "this takes the header Authorization: Bearer with the admin token";
    Problem::new(StatusCode::UNAUTHORIZED, detail).header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// Whether it is the right token; who has shown wrong ones waits for a turn first.
async fn believe(desk: &Desk, Given { token: given, from }: Given) -> Result<(), Refused> {
    match desk.attempts.turn(from, Instant::now()) {
        Ok(wait) if wait.is_zero() => {}
        Ok(wait) => sleep_until(Instant::now() + wait).await,
        Err(wait) => {
            let detail = "too many wrong tokens came from this address; the one of this request was not looked at";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            return Err(("too many wrong tokens", problem.header(header::RETRY_AFTER, seconds)));
        }
    }
    // Hashes are compared, so that neither the time nor the length of the comparison tells anything.
    let token = desk.console.token.as_ref().map(Secret::reveal).unwrap_or_default();
    if bool::from(hash(&[&given]).ct_eq(&hash(&[token.as_bytes()]))) {
        desk.attempts.right(from);
        return Ok(());
    }
    if let Some(more) = desk.attempts.wrong(from, Instant::now()) {
        let address = from.map(tracing::field::display);
        tracing::warn!(address, more, "a wrong token for the admin API");
    }
    Err(("wrong token", unauthorized()))
}

/// What proxies add; a program on this machine has no reason to.
const FORWARDED: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// The one name that was asked for, in lower case, with its port. Two names that differ are none.
fn asked_host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let mut names = Vec::new();
    for host in headers.get_all(header::HOST) {
        names.push(host.to_str().ok()?.to_ascii_lowercase());
    }
    names.extend(uri.authority().map(|authority| authority.as_str().to_ascii_lowercase()));
    let first = names.first()?.clone();
    names.iter().all(|name| *name == first).then_some(first)
}

/// The name without its port: `localhost:8081`, `127.0.0.1`, `[::1]:8081`.
fn name_of(host: &str) -> Option<&str> {
    let (name, rest) = match host.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => match host.find(':') {
            Some(colon) => host.split_at(colon),
            None => (host, ""),
        },
    };
    let port = rest.strip_prefix(':');
    let fine = rest.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_ok());
    (fine && !name.is_empty()).then_some(name)
}

fn known(host: &str, configured: &[String]) -> bool {
    let Some(name) = name_of(host) else { return false };
    if name == "localhost" {
        return true;
    }
    if let Ok(address) = name.parse::<IpAddr>()
        && address.to_canonical().is_loopback()
    {
        return true;
    }
    configured.iter().any(|each| {
        let each = each.to_ascii_lowercase();
        each == name || name_of(&each) == Some(name)
    })
}

/// Whether a page's origin is on the host that was asked; the usual ports may be written or left out.
fn same_host(origin: &str, host: &str) -> bool {
    let origin = origin.to_ascii_lowercase();
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |text: &str| text.strip_suffix(port).unwrap_or(text).to_owned();
    bare(authority) == bare(host)
}

/// The one token that was shown.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else {
        return None;
    };
    let (scheme, given) = only.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| given.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_ours() {
        let configured = ["stays.example.com".to_owned(), "nas:8081".to_owned()];
        for (host, ours) in [
            ("localhost", true),
            ("localhost:8081", true),
            ("127.0.0.1:8081", true),
            ("127.8.9.1", true),
            ("[::1]:8081", true),
            ("[::ffff:127.0.0.1]", true),
            ("stays.example.com", true),
            ("stays.example.com:443", true),
            ("nas", true),
            ("nas:9000", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("10.0.0.1", false),
            ("localhost:8081:1", false),
            ("localhost:x", false),
            ("user@localhost", false),
            ("[::1", false),
            (":80", false),
            ("", false),
        ] {
            assert_eq!(known(host, &configured), ours, "{host}");
        }
    }

    #[test]
    fn origins_that_are_ours() {
        for (origin, host, same) in [
            ("http://localhost:8081", "localhost:8081", true),
            ("http://LOCALHOST", "localhost:80", true),
            ("https://stays.example.com", "stays.example.com", true),
            ("https://stays.example.com", "stays.example.com:443", true),
            ("http://localhost:3000", "localhost:8081", false),
            ("https://evil.example", "localhost:8081", false),
            ("null", "localhost:8081", false),
            ("file://localhost:8081", "localhost:8081", false),
            ("", "localhost", false),
        ] {
            assert_eq!(same_host(origin, host), same, "{origin} at {host}");
        }
    }
}
