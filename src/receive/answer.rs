//! What a sender is told. Problems are `application/problem+json` (RFC 9457), in fixed words: nothing of the request,
//! not even its address, comes back in them, but for a content type that is not taken.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::model::delivery::Receipt;
use crate::source::{Respond, Source};
use crate::store::StoreError;

/// A request that was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// For counting and for the dashboard; the sender sees it only where it is also the title.
    pub(super) reason: &'static str,
    /// The last part of the problem's type.
    slug: &'static str,
    title: &'static str,
    detail: &'static str,
    /// One more header, its name in lower case.
    header: Option<(&'static str, &'static str)>,
    /// What came, as a log may show it.
    pub(super) came: Option<Box<str>>,
}

/// So many characters of what came are shown.
const CAME_MAX: usize = 80;

/// What came with a request, without what could harm a terminal or a log, and not longer than a line.
pub(super) fn harmless(text: &str) -> String {
    let clean = |c: char| {
        if c.is_alphanumeric() || " -_.,:;=+*/()'\"".contains(c) {
            c
        } else {
            '?'
        }
    };
    let mut shown: String = text.chars().take(CAME_MAX).map(clean).collect();
    if text.chars().nth(CAME_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// A name that no source has, of which nobody knows whether it is one: what looks like a token that was put in the wrong
/// place, long or full of digits, is cut to its beginning.
pub(super) fn name_asked_for(name: &str) -> String {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let words = name.split(|c: char| !c.is_alphanumeric());
    let longest = words.map(|word| word.chars().count()).max().unwrap_or_default();
    if digits > 6 || longest > 20 {
        let begin: String = name.chars().take(4).collect();
        return format!("{}… ({} characters)", harmless(&begin), name.chars().count());
    }
    harmless(name)
}

impl Problem {
    const fn new(status: StatusCode, slug: &'static str, reason: &'static str, detail: &'static str) -> Problem {
        Problem {
            status,
            reason,
            slug,
            title: reason,
            detail,
            header: None,
            came: None,
        }
    }

    const fn with(mut self, name: &'static str, value: &'static str) -> Problem {
        self.header = Some((name, value));
        self
    }

    pub(super) fn response(&self) -> Response<Body> {
        let came = self.came.as_ref().map(|came| format!("It came as `{came}`. "));
        let body = json!({
            "type": format!("urn:stayhook:problem:{}", self.slug),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": format!("{}{}", came.unwrap_or_default(), self.detail),
        });
        let mut response = with_body(self.status, "application/problem+json", body.to_string());
        if let Some((name, value)) = self.header {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        response
    }
}

/// Somewhere else than `/hooks/…`.
pub(super) const NO_SUCH_PAGE: Problem = Problem::new(
    StatusCode::NOT_FOUND,
    "not-found",
    "nothing here",
    "Webhooks are posted to /hooks/ and the name of a source in the configuration.",
);

pub(super) const UNKNOWN_SOURCE: Problem = Problem::new(
    StatusCode::NOT_FOUND,
    "unknown-source",
    "unknown source",
    "No source of this name is configured. The last part of the address, after /hooks/, is the name of a source as it stands \
     under `sources` in the configuration.",
);

const METHOD: Problem = Problem::new(
    StatusCode::METHOD_NOT_ALLOWED,
    "method",
    "wrong method",
    "Deliveries are sent with POST; GET and HEAD only tell that this address is there.",
)
.with("allow", "GET, HEAD, POST");

/// What is told to a method that the source does not take.
pub(super) fn method(source: &Source) -> Problem {
    let mut problem = METHOD;
    if source.by_get() {
        problem.detail = "Deliveries are sent with GET, what they say in the query, or with POST where the source takes it; HEAD \
                          only tells that this address is there.";
    }
    if !source.by_post() {
        problem = problem.with("allow", "GET, HEAD");
    }
    problem
}

pub(super) const TOO_LARGE: Problem = Problem::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too-large",
    "body too large",
    "The body is larger than this source takes, counted after decompression. The limit is `body_max` of the source, 1 MiB \
     unless configured.",
)
.with("connection", "close");

pub(super) const SLOW: Problem = Problem::new(
    StatusCode::REQUEST_TIMEOUT,
    "slow",
    "body too slow",
    "The body did not arrive in time. Send the delivery again.",
)
.with("connection", "close");

pub(super) const CUT_OFF: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "cut-off",
    "body cut off",
    "The body ended early or was not framed as HTTP asks. Send the delivery again.",
)
.with("connection", "close");

pub(super) const ENCODING: Problem = Problem::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "content-encoding",
    "unknown content encoding",
    "The body may be sent as it is or with `Content-Encoding: gzip`, once.",
)
.with("accept-encoding", "gzip, identity");

pub(super) const BROKEN_GZIP: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "broken-gzip",
    "broken gzip",
    "The header says that the body is gzip, but it cannot be decompressed.",
);

pub(super) const PACKED: Problem = Problem::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "packed",
    "gzip out of bounds",
    "The gzip has more than 64 members, or unpacks to more than 1 MiB and 128 times its size. Send the body in one piece, or \
     uncompressed.",
)
.with("connection", "close");

pub(super) const WRONG_TYPE: Problem = Problem::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "content-type",
    "wrong content type",
    "Deliveries are JSON, with `Content-Type: application/json` or without a content type, or forms, with \
     `Content-Type: application/x-www-form-urlencoded`. If the sender lets you choose a format, choose JSON rather than XML. \
     Where it calls JSON something else, write `content_type: any` for this source.",
);

/// The content type is not one that is read.
pub(super) fn wrong_type(headers: &HeaderMap) -> Problem {
    let came = headers
        .get(CONTENT_TYPE)
        .map(|kind| String::from_utf8_lossy(kind.as_bytes()));
    Problem {
        came: came.map(|kind| harmless(&kind).into()),
        ..WRONG_TYPE
    }
}

pub(super) const CHARSET: Problem = Problem::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "charset",
    "unknown charset",
    "The content type names a `charset` that is not known. Send the body in UTF-8.",
);

pub(super) const NOT_IN_CHARSET: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "not-in-charset",
    "not in its charset",
    "The body is not text in the charset that its content type or its byte order mark names.",
);

pub(super) const TOO_MANY_FIELDS: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "too-many-fields",
    "too many form fields",
    "The body is a form of more than 5,000 fields.",
);

pub(super) const NOT_UTF8: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "not-utf-8",
    "not UTF-8",
    "The body is not UTF-8. Where it is in another charset, its content type has to say so, for example \
     `application/json; charset=iso-8859-1`.",
);

pub(super) const TOO_DEEP: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "too-deep",
    "nested too deeply",
    "The body is JSON nested deeper than 128 levels.",
);

pub(super) const NOT_JSON: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "not-json",
    "not JSON",
    "The body is not one whole JSON value. What cannot be read is not stored.",
);

/// Too much waits already: for the store, or in memory.
pub(super) const OVERLOADED: Problem = Problem::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "overloaded",
    "too many deliveries at once",
    "More deliveries wait to be stored than are taken at a time. Nothing was stored; send this one again in a moment.",
)
.with("retry-after", "1");

/// Whether the store will still do it is not known; sending again is right either way.
pub(super) const TOO_SLOW: Problem = not_now("store too slow");

const fn not_now(reason: &'static str) -> Problem {
    let mut problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not-stored",
        reason,
        "The delivery could not be stored just now. Send it again; nothing happens twice.",
    )
    .with("retry-after", "5");
    problem.title = "not stored";
    problem
}

/// What the store's failure is to a sender: come back. What it is to us stands in the reason.
pub(super) fn not_stored(error: &StoreError) -> Problem {
    not_now(match error {
        StoreError::Busy | StoreError::Locked => "store locked",
        StoreError::Full => "disk full",
        StoreError::Gone(_) => "database gone",
        StoreError::Unavailable(_) | StoreError::Newer { .. } | StoreError::Unusable(_) => "store unreachable",
        StoreError::Overloaded | StoreError::Conflict(_) | StoreError::Broken(_) => "store failed",
    })
}

/// The same words whatever was wrong; what it was is in `reason`, for us.
pub(super) fn unauthenticated(reason: &'static str, source: &Source) -> Problem {
    let mut problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        reason,
        "This request does not show what the source asks for: a token, a signature, a user and password or an address, \
         whatever is configured. `/api/v1/sources` of the admin API lists what was turned away.",
    );
    problem.title = "not authenticated";
    if source.takes_basic() {
        problem = problem.with("www-authenticate", "Basic realm=\"stayhook\", charset=\"UTF-8\"");
    }
    problem
}

/// The answer to a try.
pub(super) fn ping() -> Response<Body> {
    with_body(StatusCode::OK, "application/json", r#"{"ping": true}"#.to_owned())
}

/// The answer to a handshake. The word is the sender's own, and a browser must not take it for anything but text.
pub(super) fn challenge(word: String) -> Response<Body> {
    let mut response = with_body(StatusCode::OK, "text/plain; charset=utf-8", word);
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// The answer to a delivery that is on the disk.
pub(super) fn stored(respond: Option<&Respond>, receipt: &Receipt) -> Response<Body> {
    let status = respond.and_then(|respond| StatusCode::from_u16(respond.status).ok());
    let status = status.unwrap_or(StatusCode::OK);
    match respond.and_then(|respond| respond.body.as_deref()) {
        // These two have no body.
        _ if status == StatusCode::NO_CONTENT || status == StatusCode::RESET_CONTENT => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        }
        Some(body) => {
            let kind = if body.starts_with(['{', '[']) {
                "application/json"
            } else {
                "text/plain; charset=utf-8"
            };
            with_body(status, kind, body.to_owned())
        }
        None => {
            let body = json!({"delivery": receipt.delivery, "duplicate": receipt.duplicate});
            with_body(status, "application/json", body.to_string())
        }
    }
}

fn with_body(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
