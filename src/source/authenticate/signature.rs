//! A signature over the body (HMAC).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderName;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::{BASE64, Denied, check};
use crate::model::clock::Time;
use crate::model::secret::Secret;
use crate::source::{Request, moment};

/// A signature over the body.
#[derive(Clone, Debug)]
pub(in crate::source) struct Signature {
    pub(in crate::source) header: HeaderName,
    pub(in crate::source) algorithm: Algorithm,
    pub(in crate::source) base64: bool,
    pub(in crate::source) prefix: String,
    pub(in crate::source) signed: Vec<Part>,
    pub(in crate::source) timestamp: Option<(HeaderName, TimeDelta)>,
    pub(in crate::source) secrets: Vec<Secret>,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::source) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

/// A part of the bytes that are signed.
#[derive(Clone, Debug)]
pub(in crate::source) enum Part {
    Text(String),
    Body,
    Timestamp,
}

impl Signature {
    pub(super) fn holds(&self, request: &Request<'_>) -> Result<(), Denied> {
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

    pub(super) fn sign(&self, body: &[u8], now: Time, headers: &mut Vec<(String, String)>) {
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
