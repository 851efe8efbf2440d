//! Whether a request comes from the sender it claims to come from.

mod signature;
mod words;

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use http::HeaderName;
use ipnet::IpNet;

use super::Request;
use crate::model::clock::Time;
use crate::model::secret::Secret;
pub(super) use signature::{Algorithm, Part, Signature};
use words::{basic, token};

/// Senders differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a request was not believed; for counting only, the answer never says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// A few fixed words.
    pub reason: &'static str,
}

/// What has to hold.
#[derive(Clone, Debug)]
pub(super) enum Scheme {
    /// Nothing; written out as `none`.
    Open,
    /// One of these tokens, in this header or else in the path, the query or as a bearer token.
    Token {
        header: Option<HeaderName>,
        tokens: Vec<Secret>,
    },
    /// HTTP basic.
    Basic { username: String, password: Secret },
    /// A signature over the body.
    Hmac(Signature),
    /// The address of the sender.
    AllowIps(Vec<IpNet>),
    /// All of these.
    All(Vec<Scheme>),
    /// One of these.
    Any(Vec<Scheme>),
}

impl Scheme {
    /// Whether the request satisfies it.
    pub(super) fn holds(&self, request: &Request<'_>) -> Result<(), Denied> {
        match self {
            Scheme::Open => Ok(()),
            Scheme::Token { header, tokens } => token(header.as_ref(), tokens, request),
            Scheme::Basic { username, password } => basic(username, password, request.headers),
            Scheme::Hmac(signature) => signature.holds(request),
            Scheme::AllowIps(nets) => {
                // `::ffff:192.0.2.1` is 192.0.2.1 on a socket that listens to both.
                let ip = request.client_ip.map(|ip| IpAddr::to_canonical(&ip));
                check(
                    ip.is_some_and(|ip| nets.iter().any(|net| net.contains(&ip))),
                    "address not allowed",
                )
            }
            Scheme::All(all) => all.iter().try_for_each(|scheme| scheme.holds(request)),
            Scheme::Any(any) => {
                let fits = any.iter().any(|scheme| scheme.holds(request).is_ok());
                check(fits, "none of the alternatives holds")
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
            Scheme::Token {
                header: Some(header), ..
            } => format!("a token in the header {header}"),
            Scheme::Token { header: None, .. } => "a token in the path, the query or as bearer".to_owned(),
            Scheme::Basic { username, .. } => format!("user {username} with a password"),
            Scheme::Hmac(signature) => format!("a signature in the header {}", signature.header),
            Scheme::AllowIps(nets) => {
                let nets: Vec<String> = nets.iter().map(ToString::to_string).collect();
                format!("an address in {}", nets.join(" or "))
            }
            Scheme::All(all) => list(all, " and "),
            Scheme::Any(any) => format!("either {}", list(any, " or ")),
        }
    }

    /// Whether a signature over the body is part of it.
    pub(super) fn signs_body(&self) -> bool {
        match self {
            Scheme::Hmac(_) => true,
            Scheme::All(all) | Scheme::Any(all) => all.iter().any(Scheme::signs_body),
            _ => false,
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
            Scheme::Token { header, tokens } => {
                let Some(token) = tokens.first() else { return };
                match header {
                    Some(header) => headers.push((header.to_string(), token.reveal().to_owned())),
                    None => {
                        let quoted =
                            percent_encoding::utf8_percent_encode(token.reveal(), percent_encoding::NON_ALPHANUMERIC);
                        query.push(format!("token={quoted}"));
                    }
                }
            }
            Scheme::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.reveal()));
                headers.push(("authorization".to_owned(), format!("Basic {pair}")));
            }
            Scheme::Hmac(signature) => signature.sign(body, now, headers),
            Scheme::All(all) => all.iter().for_each(|scheme| scheme.sign(body, now, query, headers)),
            Scheme::Any(any) => {
                if let Some(first) = any.first() {
                    first.sign(body, now, query, headers);
                }
            }
        }
    }
}

fn check(holds: bool, reason: &'static str) -> Result<(), Denied> {
    if holds { Ok(()) } else { Err(Denied { reason }) }
}
