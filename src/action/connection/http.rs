//! Settings of an `http` connection.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};

use crate::lang::diag::Report;
use crate::lang::fields::{Fields, text};
use crate::lang::shape::{EMPTY, Form, Like, More, Own, Shape, key};
use crate::lang::yaml::Node;
use crate::model::secret::Secret;
use crate::outbound::{Url, refusal};

use super::{ConnectionKind, Pace, ReadFile, Speaks, secret};
use crate::action::http::header;

/// Where an `http` step goes, and with which credentials.
#[derive(Clone, Debug)]
pub struct HttpConnection {
    /// Scheme, host, port and the beginning of every path. No user, no query, no fragment.
    pub base_url: Url,
    /// Sent with every request.
    pub headers: Vec<(HeaderName, Secret)>,
    /// The password of `basic`, which stands encoded in a header.
    pub password: Option<Secret>,
}

/// A part of a path from so many characters on may be what lets one in: chat and automation services give such addresses.
const SECRET_PART_MIN: usize = 16;

impl HttpConnection {
    /// The headers as they are sent, marked as not to be shown.
    pub fn header_values(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + '_ {
        self.headers.iter().filter_map(|(name, secret)| {
            let mut value = HeaderValue::from_str(secret.reveal()).ok()?;
            value.set_sensitive(true);
            Some((name.clone(), value))
        })
    }

    /// Header values as a whole, what stands behind a scheme such as `Bearer`, the password, and long parts of the path.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let parts = self.base_url.path_segments().into_iter().flatten();
        let parts = parts.filter(|part| part.len() >= SECRET_PART_MIN).map(Secret::new);
        let headers = self.headers.iter().flat_map(|(_, value)| {
            let tail = value.reveal().split_once(' ').map(|(_, tail)| Secret::new(tail));
            std::iter::once(value.clone()).chain(tail)
        });
        headers.chain(self.password.clone()).chain(parts).collect()
    }
}

/// `http`: HTTP or HTTPS.
pub(super) const KIND: Speaks = Speaks {
    key: key(
        "http",
        Form::Settings(&SHAPE),
        "Anything that has an API, for `http` steps.",
        "http: {base_url: https://api.cleaning.example, headers: {Authorization: \"Bearer ${CLEANING_TOKEN}\"}}",
    ),
    compile,
};

static SHAPE: Shape = Shape {
    what: "an `http` connection",
    about: "Where requests go, with which credentials and how fast.",
    keys: &[
        key(
            "base_url",
            Form::Like(&Like {
                what: "a complete address",
                pattern: "^[Hh][Tt][Tt][Pp][Ss]?://",
                numbers: false,
            }),
            "What every address begins with. Steps only add to it.",
            "base_url: https://api.cleaning.example/v1",
        )
        .needed(),
        key(
            "headers",
            Form::Settings(&HEADERS),
            "Headers that go with every request; this is the place for credentials.",
            "headers: {Authorization: \"Bearer ${CLEANING_TOKEN}\"}",
        ),
        key(
            "basic",
            Form::Settings(&BASIC),
            "A user name and a password, sent with every request.",
            "basic: {username: pms, password: \"${CLEANING_PASSWORD}\"}",
        ),
    ],
    also: &[&super::PACE],
    ..EMPTY
};

static HEADERS: Shape = Shape {
    what: "`headers`",
    about: "Headers that go with every request.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "",
        form: Form::Text,
        about: "The value of a header.",
        example: "Authorization: \"Bearer ${CLEANING_TOKEN}\"",
    })],
    ..EMPTY
};

static BASIC: Shape = Shape {
    what: "`basic`",
    about: "A user name and a password.",
    keys: &[
        key("username", Form::Text, "The user name.", "username: pms").needed(),
        key("password", Form::Text, "The password.", "password: \"${PASSWORD}\"").needed(),
    ],
    ..EMPTY
};

fn compile(node: &Node, _: ReadFile<'_>, report: &mut Report) -> Option<(ConnectionKind, Pace)> {
    let mut fields = Fields::of(node, &SHAPE, report)?;
    let base_url = fields
        .required("base_url", report)
        .and_then(|node| base_url(node, report));
    let mut headers = Vec::new();
    let mut hidden = None;
    let given = fields.get("headers");
    fields.own("headers", report);
    for (name, key, node) in header::read(given.map(Node::entries).unwrap_or_default(), report) {
        let Some(value) = text(node, &key.text, report) else {
            continue;
        };
        if HeaderValue::from_str(value).is_err() {
            // The value may be a secret: it is not repeated.
            let title = format!(
                "the value of the header `{}` holds characters that no header may have",
                key.text
            );
            report.mistake("header", &node.place, title);
            continue;
        }
        headers.push((name, Secret::new(value)));
    }
    if let Some(mut basic) = fields.settings("basic", report) {
        let place = basic.place().clone();
        basic.required("username", report);
        basic.required("password", report);
        let username = secret(&mut basic, "username", report);
        let password = secret(&mut basic, "password", report);
        basic.finish(report);
        if let (Some(username), Some(password)) = (username, password) {
            if username.reveal().contains(':') {
                report.mistake("basic", &place, "a user name with `:` cannot be sent as `basic`");
            }
            if headers.iter().any(|(name, _)| *name == http::header::AUTHORIZATION) {
                let title = "`basic` and a header `Authorization` exclude each other";
                report.mistake("basic", &place, title);
            }
            let pair = Secret::new(format!("{}:{}", username.reveal(), password.reveal()));
            let value = Secret::new(format!("Basic {}", STANDARD.encode(pair.reveal())));
            headers.push((http::header::AUTHORIZATION, value));
            hidden = Some(password);
        }
    }
    let pace = Pace::read(&mut fields, report);
    fields.finish(report);
    Some((
        ConnectionKind::Http(HttpConnection {
            base_url: base_url?,
            headers,
            password: hidden,
        }),
        pace,
    ))
}

fn base_url(node: &Node, report: &mut Report) -> Option<Url> {
    let written = text(node, "base_url", report)?;
    let (why, help) = match Url::parse(written) {
        Err(_) => (
            "`base_url` is not a complete address",
            "such as `https://api.example.com/v1`",
        ),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => (
            "`base_url` begins with `https://` or `http://`",
            "nothing else is spoken here",
        ),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => (
            "`base_url` holds a user name or password",
            "write them as `basic: {username: …, password: …}`",
        ),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => (
            "`base_url` ends before `?` and `#`",
            "a step adds its own `query`; a key belongs into `headers`",
        ),
        Ok(url) => {
            let literal = url
                .host_str()
                .and_then(|host| host.trim_start_matches('[').trim_end_matches(']').parse().ok());
            match literal.and_then(refusal) {
                None => return Some(url),
                Some(_) => (
                    "`base_url` is an address that nothing is sent to",
                    "link-local, metadata, multicast and unspecified addresses are refused",
                ),
            }
        }
    };
    report.mistake("base-url", &node.place, why).help(help);
    None
}
