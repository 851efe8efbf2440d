//! Who may ask. A page somewhere on the web can make a browser send requests here: the name that was asked for and the
//! origin of the page have to be ours, whatever the token.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use subtle::ConstantTimeEq;

use crate::model::id::hash;
use crate::model::secret::Secret;

use super::problem::Problem;
use super::{Console, Shared};

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Lets a request through, or says why not; adds what every answer carries.
pub async fn guard(State(desk): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = match admit(&desk.console, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}

fn admit(console: &Console, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let host = asked_host(headers, request.uri()).filter(|host| known(host, &console.hosts));
    let Some(host) = host else {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this name is not one of this daemon's: `admin.hosts` lists those beside localhost",
        ));
    };
    for origin in headers.get_all(header::ORIGIN) {
        if !origin.to_str().is_ok_and(|origin| same_host(origin, &host)) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "requests from pages of other origins are refused",
            ));
        }
    }
    if let Some(token) = &console.token
        && !open(console, request.uri().path())
        && !carries(headers, token)
    {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "this takes the header Authorization: Bearer with the admin token",
        )
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    }
    Ok(())
}

fn open(console: &Console, path: &str) -> bool {
    match path {
        "/healthz" | "/readyz" => true,
        "/metrics" => console.metrics_open,
        _ => false,
    }
}

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

/// Compares hashes, so that neither the time nor the length of the comparison tells anything.
fn carries(headers: &HeaderMap, token: &Secret) -> bool {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else {
        return false;
    };
    let Some((scheme, given)) = only.as_bytes().split_at_checked(7) else {
        return false;
    };
    let given = hash(&[given.trim_ascii()]);
    scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(given.ct_eq(&hash(&[token.reveal().as_bytes()])))
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
