//! Whether a request comes from the sender it claims to come from.

mod key;
mod signature;
mod standard;
mod words;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use http::HeaderName;
use ipnet::IpNet;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Request;
use super::path::Path;
use crate::model::body;
use crate::model::clock::Time;
use crate::model::secret::Secret;
pub(super) use key::{Key, Written};
pub(super) use signature::{Algorithm, Part, Signature, Stamp, StampAt};
pub(super) use standard::Standard;
use words::basic;

/// Senders differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// So many bytes of a body are unpacked, or read for a token that stands in it, before the sender is known.
pub const UNPROVEN_MAX: usize = 1 << 20;

/// Why a request was not believed; for counting only, the answer never says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// A few fixed words.
    pub reason: &'static str,
}

/// How much of a request is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Its head.
    Head,
    /// Its body too, compressed as it came.
    Packed,
    /// All of it.
    Whole,
}

/// What a request shows, as far as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// All that is asked for.
    Shown,
    /// Nothing wrong, but what is asked for stands further behind.
    Pending,
}

/// What has to hold.
#[derive(Clone, Debug)]
pub(super) enum Scheme {
    /// Nothing; written out as `none`.
    Open,
    /// One of these tokens.
    Token(Place, Vec<Secret>),
    /// HTTP basic.
    Basic { username: String, password: Secret },
    /// A signature over the body.
    Hmac(Signature),
    /// A signature by Standard Webhooks.
    Webhooks(Standard),
    /// The address of the sender.
    AllowIps(Vec<IpNet>),
    /// All of these.
    All(Vec<Scheme>),
    /// One of these.
    Any(Vec<Scheme>),
}

/// Where a token stands.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In the path, in `?token=`, or behind `Bearer`.
    Address,
    /// In this header.
    Header(HeaderName),
    /// In this parameter of the query.
    Query(String),
    /// There in the body.
    Body(Path),
}

/// A request that is looked at, with its body once somebody has had to read it.
struct Look<'a> {
    request: &'a Request<'a>,
    seen: Seen,
    body: OnceCell<Option<Value>>,
}

impl Look<'_> {
    /// The body as it will be mapped; `None` where it cannot be read, or is too long to be read for somebody unknown.
    fn body(&self) -> Option<&Value> {
        let kind = self.request.headers.get(http::header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok());
        let short = Some(self.request.decoded).filter(|bytes| bytes.len() <= UNPROVEN_MAX);
        let read = || body::decode(kind, short?).ok();
        self.body.get_or_init(read).as_ref()
    }
}

impl Scheme {
    /// All of these; what has to read the body comes last, so that nothing is read of a body that is not believed yet.
    pub(super) fn all(schemes: Vec<Scheme>) -> Scheme {
        let flat = schemes.into_iter().flat_map(|scheme| match scheme {
            Scheme::All(all) => all,
            one => vec![one],
        });
        let mut all: Vec<Scheme> = flat.collect();
        all.sort_by_key(Scheme::reads_body);
        Scheme::All(all)
    }

    /// One of these; what has to read the body is tried last.
    pub(super) fn any(mut alternatives: Vec<Scheme>) -> Scheme {
        alternatives.sort_by_key(Scheme::reads_body);
        match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Scheme::Any(alternatives),
        }
    }

    /// Whether a token may stand in the body.
    pub(super) fn reads_body(&self) -> bool {
        !self.body_paths().is_empty()
    }

    /// Where in the body tokens stand: what is there must not be stored.
    pub(super) fn body_paths(&self) -> Vec<&Path> {
        match self {
            Scheme::Token(Place::Body(path), _) => vec![path],
            Scheme::All(all) | Scheme::Any(all) => all.iter().flat_map(Scheme::body_paths).collect(),
            _ => Vec::new(),
        }
    }

    /// Which parameters of the query are tokens: they must not be stored either.
    pub(super) fn parameters(&self) -> Vec<&str> {
        match self {
            Scheme::Token(Place::Query(name), _) => vec![name],
            Scheme::All(all) | Scheme::Any(all) => all.iter().flat_map(Scheme::parameters).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the request satisfies it, as far as it is there. Nothing is [`Proof::Pending`] once it is there as a whole.
    pub(super) fn proof(&self, request: &Request<'_>, seen: Seen) -> Result<Proof, Denied> {
        let body = OnceCell::new();
        self.proof_of(&Look { request, seen, body })
    }

    fn proof_of(&self, look: &Look<'_>) -> Result<Proof, Denied> {
        let request = look.request;
        match self {
            Scheme::Open => Ok(Proof::Shown),
            Scheme::Token(place, tokens) => words::token(place, tokens, look),
            Scheme::Basic { username, password } => basic(username, password, request.headers),
            Scheme::Hmac(signature) => signature.proof(request, look.seen),
            Scheme::Webhooks(standard) => standard.proof(request, look.seen),
            Scheme::AllowIps(nets) => {
                // `::ffff:192.0.2.1` is 192.0.2.1 on a socket that listens to both.
                let ip = request.client_ip.map(|ip| IpAddr::to_canonical(&ip));
                check(
                    ip.is_some_and(|ip| nets.iter().any(|net| net.contains(&ip))),
                    "address not allowed",
                )
            }
            Scheme::All(all) => all.iter().try_fold(Proof::Shown, |proof, scheme| {
                let more = scheme.proof_of(look)?;
                Ok(if more == Proof::Shown { proof } else { more })
            }),
            Scheme::Any(any) => {
                let mut pending = false;
                for scheme in any {
                    match scheme.proof_of(look) {
                        Ok(Proof::Shown) => return Ok(Proof::Shown),
                        Ok(Proof::Pending) => pending = true,
                        Err(_) => {}
                    }
                }
                check(pending, "none of the alternatives holds").map(|_| Proof::Pending)
            }
        }
    }

    /// What has to hold, in words, without any credential.
    pub(super) fn says(&self) -> String {
        let list = |all: &[Scheme], between: &str| {
            let all: Vec<String> = all.iter().map(Scheme::says).collect();
            all.join(between)
        };
        match self {
            Scheme::Open => "nothing (anybody may post)".to_owned(),
            Scheme::Token(place, _) => match place {
                Place::Address => "a token in the path, the query or as bearer".to_owned(),
                Place::Header(header) => format!("a token in the header {header}"),
                Place::Query(name) => format!("a token in the address as ?{name}="),
                Place::Body(path) => format!("a token in the body at {}", path.text()),
            },
            Scheme::Basic { username, .. } => format!("user {username} with a password"),
            Scheme::Hmac(signature) => {
                format!("a signature in the header {}{}", signature.header, signature.says_age())
            }
            Scheme::Webhooks(standard) => standard.says(),
            Scheme::AllowIps(nets) => {
                let nets: Vec<String> = nets.iter().map(ToString::to_string).collect();
                format!("an address in {}", nets.join(" or "))
            }
            Scheme::All(all) => list(all, " and "),
            Scheme::Any(any) => format!("either {}", list(any, " or ")),
        }
    }

    /// The headers, in lower case, that are signed wherever the body is; `None` where no body is signed.
    ///
    /// Whoever has seen a signed delivery can send it again with any other header, unless every way in which the signature
    /// gets it believed covers that header.
    pub(super) fn covered(&self) -> Option<BTreeSet<String>> {
        let signed = self.ways().into_iter().flatten();
        signed.reduce(|all, way| all.intersection(&way).cloned().collect())
    }

    /// What is signed in each of the ways to be believed.
    fn ways(&self) -> BTreeSet<Option<BTreeSet<String>>> {
        match self {
            Scheme::Hmac(signature) => BTreeSet::from([Some(signature.covered())]),
            Scheme::Webhooks(standard) => BTreeSet::from([Some(standard.covered())]),
            Scheme::All(all) => all.iter().fold(BTreeSet::from([None]), |ways, scheme| {
                let more = scheme.ways();
                let pairs = ways.iter().flat_map(|way| more.iter().map(move |other| (way, other)));
                let both = pairs.map(|pair| match pair {
                    (Some(one), Some(other)) => Some(one | other),
                    (one, other) => one.as_ref().or(other.as_ref()).cloned(),
                });
                both.collect()
            }),
            Scheme::Any(any) => any.iter().flat_map(Scheme::ways).collect(),
            _ => BTreeSet::from([None]),
        }
    }

    /// Whether HTTP basic is part of it.
    pub(super) fn takes_basic(&self) -> bool {
        match self {
            Scheme::Basic { .. } => true,
            Scheme::All(all) | Scheme::Any(all) => all.iter().any(Scheme::takes_basic),
            _ => false,
        }
    }

    /// Adds what the sender would add to a request with this body.
    pub(super) fn sign(&self, body: &[u8], now: Time, query: &mut Vec<String>, headers: &mut Vec<(String, String)>) {
        match self {
            Scheme::Open | Scheme::AllowIps(_) => {}
            Scheme::Token(place, tokens) => {
                let Some(token) = tokens.first() else { return };
                let quoted = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
                match place {
                    Place::Header(header) => headers.push((header.to_string(), token.reveal().to_owned())),
                    Place::Address => query.push(format!("token={}", quoted(token.reveal()))),
                    Place::Query(name) => query.push(format!("{}={}", quoted(name), quoted(token.reveal()))),
                    // The body goes out as it was given.
                    Place::Body(_) => {}
                }
            }
            Scheme::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.reveal()));
                headers.push(("authorization".to_owned(), format!("Basic {pair}")));
            }
            Scheme::Hmac(signature) => signature.sign(body, now, headers),
            Scheme::Webhooks(standard) => standard.sign(body, now, headers),
            Scheme::All(all) => all.iter().for_each(|scheme| scheme.sign(body, now, query, headers)),
            Scheme::Any(any) => {
                if let Some(first) = any.first() {
                    first.sign(body, now, query, headers);
                }
            }
        }
    }
}

fn check(holds: bool, reason: &'static str) -> Result<Proof, Denied> {
    if holds {
        Ok(Proof::Shown)
    } else {
        Err(Denied { reason })
    }
}
