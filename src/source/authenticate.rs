//! Whether a request comes from the sender it claims to come from.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::Request;
use super::moment;
use crate::model::clock::Time;
use crate::model::secret::Secret;

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

/// A signature over the body.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) header: HeaderName,
    pub(super) algorithm: Algorithm,
    pub(super) base64: bool,
    pub(super) prefix: String,
    pub(super) signed: Vec<Part>,
    pub(super) timestamp: Option<(HeaderName, TimeDelta)>,
    pub(super) secrets: Vec<Secret>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

/// A part of the bytes that are signed.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Body,
    Timestamp,
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

/// Compares texts of any length without showing by the time it takes where they differ: both are hashed first.
fn same(a: &[u8], b: &[u8]) -> bool {
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

/// Whether any of the offered texts is any of the known ones; looks at all pairs, whatever it finds.
fn any_same<'a>(offered: impl IntoIterator<Item = &'a [u8]>, known: &[Secret]) -> bool {
    let mut found = subtle::Choice::from(0);
    for text in offered {
        for secret in known {
            found |= Sha256::digest(text).ct_eq(&Sha256::digest(secret.reveal().as_bytes()));
        }
    }
    found.into()
}

fn token(header: Option<&HeaderName>, tokens: &[Secret], request: &Request<'_>) -> Result<(), Denied> {
    let mut offered: Vec<Vec<u8>> = Vec::new();
    match header {
        Some(header) => {
            for value in request.headers.get_all(header) {
                let bytes = value.as_bytes();
                offered.push(bytes.to_vec());
                offered.extend(bearer(bytes).map(<[u8]>::to_vec));
            }
        }
        None => {
            offered.extend(request.path_token.map(|token| token.as_bytes().to_vec()));
            for pair in request.query.split('&').take(64) {
                if let Some(value) = pair.strip_prefix("token=") {
                    offered.push(percent_decode_str(&value.replace('+', " ")).collect());
                    // A token with a bare `+` in it, as people paste it.
                    offered.push(percent_decode_str(value).collect());
                }
            }
            for value in request.headers.get_all(http::header::AUTHORIZATION) {
                offered.extend(bearer(value.as_bytes()).map(<[u8]>::to_vec));
            }
        }
    }
    check(!offered.is_empty(), "no token")?;
    check(any_same(offered.iter().map(Vec::as_slice), tokens), "wrong token")
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}

fn basic(username: &str, password: &Secret, headers: &HeaderMap) -> Result<(), Denied> {
    let expected = Secret::new(format!("{username}:{}", password.reveal()));
    let mut seen = false;
    for value in headers.get_all(http::header::AUTHORIZATION) {
        let Some((scheme, pair)) = value.as_bytes().split_at_checked(6) else {
            continue;
        };
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            continue;
        }
        seen = true;
        if let Ok(pair) = BASE64.decode(pair.trim_ascii())
            && same(&pair, expected.reveal().as_bytes())
        {
            return Ok(());
        }
    }
    check(
        false,
        if seen {
            "wrong user or password"
        } else {
            "no user and password"
        },
    )
}

impl Signature {
    fn holds(&self, request: &Request<'_>) -> Result<(), Denied> {
        let mut ts = "";
        if let Some((header, tolerance)) = &self.timestamp {
            let sent = request.headers.get(header).and_then(|value| value.to_str().ok());
            let Some(sent) = sent else {
                return check(false, "no timestamp");
            };
            let Some(ms) = moment::order_ms(&sent.into()) else {
                return check(false, "timestamp not readable");
            };
            let apart = request.now.timestamp_millis().abs_diff(ms);
            check(
                apart <= tolerance.num_milliseconds().unsigned_abs(),
                "timestamp outside of the tolerance",
            )?;
            ts = sent;
        }
        let offered: Vec<Vec<u8>> = request
            .headers
            .get_all(&self.header)
            .iter()
            .filter_map(|value| self.decode(value.as_bytes()))
            .take(16)
            .collect();
        check(request.headers.contains_key(&self.header), "no signature")?;
        check(!offered.is_empty(), "signature not readable")?;
        let mut bodies = vec![request.raw];
        if request.decoded != request.raw {
            bodies.push(request.decoded);
        }
        let mut found = subtle::Choice::from(0);
        for body in bodies {
            for secret in &self.secrets {
                let expected = self.mac(secret, body, ts);
                for signature in &offered {
                    // Lengths are public; slices of different length are simply not equal.
                    found |= expected.as_slice().ct_eq(signature.as_slice());
                }
            }
        }
        check(found.into(), "wrong signature")
    }

    fn sign(&self, body: &[u8], now: Time, headers: &mut Vec<(String, String)>) {
        let ts = now.timestamp().to_string();
        let Some(secret) = self.secrets.first() else { return };
        let mac = self.mac(secret, body, &ts);
        let text = if self.base64 {
            STANDARD.encode(mac)
        } else {
            hex::encode(mac)
        };
        if let Some((header, _)) = &self.timestamp {
            headers.push((header.to_string(), ts));
        }
        headers.push((self.header.to_string(), format!("{}{text}", self.prefix)));
    }

    fn decode(&self, value: &[u8]) -> Option<Vec<u8>> {
        let text = value.trim_ascii().strip_prefix(self.prefix.as_bytes())?;
        if self.base64 {
            BASE64.decode(text).ok()
        } else {
            hex::decode(text).ok()
        }
    }

    fn mac(&self, secret: &Secret, body: &[u8], ts: &str) -> Vec<u8> {
        match self.algorithm {
            Algorithm::Sha1 => self.mac_with::<Hmac<sha1::Sha1>>(secret, body, ts),
            Algorithm::Sha256 => self.mac_with::<Hmac<Sha256>>(secret, body, ts),
            Algorithm::Sha512 => self.mac_with::<Hmac<Sha512>>(secret, body, ts),
        }
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn mac_with<M: Mac + KeyInit>(&self, secret: &Secret, body: &[u8], ts: &str) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(secret.reveal().as_bytes()).expect("any key length");
        for part in &self.signed {
            match part {
                Part::Text(text) => mac.update(text.as_bytes()),
                Part::Body => mac.update(body),
                Part::Timestamp => mac.update(ts.as_bytes()),
            }
        }
        mac.finalize().into_bytes().to_vec()
    }
}
