//! Answers that say why not: `application/problem+json`, RFC 9457. They name what is allowed, never what was sent: a
//! parameter may hold a guest's name, and problems end up in other people's logs.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::store::{HandError, StoreError};

/// Why a request was not answered as asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    extra: Vec<(&'static str, Value)>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    /// A problem with a sentence for a person.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            detail: detail.into(),
            extra: Vec::new(),
            header: None,
        }
    }

    /// 400.
    pub fn bad(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404.
    pub fn missing(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, detail)
    }

    /// 503, worth another try in two seconds.
    pub fn unavailable(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(header::RETRY_AFTER, HeaderValue::from_static("2"))
    }

    /// With a further member.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Problem {
        self.extra.push((name, value.into()));
        self
    }

    /// With what would have been allowed.
    pub fn allowed(self, words: &[&str]) -> Problem {
        self.with("allowed", json!(words))
    }

    /// With a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.header = Some(Box::new((name, value)));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Problem");
        let mut body = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        for (name, value) in self.extra {
            body[name] = value;
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        if let Some((name, value)) = self.header.map(|header| *header) {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match &error {
            StoreError::Conflict(_) => Problem::conflict("somebody else changed it at the same time; ask again"),
            StoreError::Broken(text) => {
                // What follows a quotation mark is a value of the row, and may be a guest's.
                let kind = text.split('"').next().unwrap_or_default();
                tracing::error!(fault = kind, "a fault of Stayhook, or a damaged store");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "a fault of Stayhook, or a damaged store; the log says more",
                )
            }
            _ => {
                tracing::warn!(%error, "the store did not answer");
                Problem::unavailable("the store does not answer at the moment")
            }
        }
    }
}

impl From<HandError> for Problem {
    fn from(error: HandError) -> Problem {
        match error {
            HandError::Unknown(_) => Problem::missing("there is no run with this id"),
            HandError::Refused(because) => Problem::conflict(because),
            HandError::Store(error) => error.into(),
        }
    }
}
