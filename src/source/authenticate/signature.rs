//! A signature over the body (HMAC).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::key::Key;
use super::{BASE64, Denied, Proof, Seen, check};
use crate::lang::duration;
use crate::model::clock::Time;
use crate::model::id::hash;
use crate::source::{Request, moment};

/// Of more signatures in a request nobody looks at the rest.
const SIGNATURES_MAX: usize = 16;
/// No signature is written with more characters: SHA-512 takes 128 in hex.
const SIGNATURE_MAX: usize = 256;
/// No time is written with more characters.
const TIMESTAMP_MAX: usize = 64;
/// So many bytes of a body are encoded at a time; a multiple of three, so that only the end is padded.
const ENCODED: usize = 3 << 10;
/// No sender's id is longer.
const ID_MAX: usize = 256;

/// A signature over the body, and over what else it covers.
#[derive(Clone, Debug)]
pub(in crate::source) struct Signature {
    pub(in crate::source) header: HeaderName,
    pub(in crate::source) algorithm: Algorithm,
    pub(in crate::source) base64: bool,
    pub(in crate::source) prefix: String,
    /// What stands between the entries of the header; `None` where it holds one signature and nothing else.
    pub(in crate::source) separator: Option<String>,
    pub(in crate::source) signed: Vec<Part>,
    pub(in crate::source) id: Option<HeaderName>,
    pub(in crate::source) timestamp: Option<Stamp>,
    pub(in crate::source) keys: Vec<Key>,
}

/// The time that is signed.
#[derive(Clone, Debug)]
pub(in crate::source) struct Stamp {
    pub(in crate::source) at: StampAt,
    /// How far it may be off, to either side.
    pub(in crate::source) tolerance: TimeDelta,
}

/// Where the time stands.
#[derive(Clone, Debug)]
pub(in crate::source) enum StampAt {
    /// In this header.
    Header(HeaderName),
    /// In the signature's own header, in the entry that begins so.
    Entry(String),
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
    /// The body in base64 (the standard alphabet, padded).
    EncodedBody,
    Timestamp,
    Id,
}

impl Signature {
    pub(super) fn proof(&self, request: &Request<'_>, seen: Seen) -> Result<Proof, Denied> {
        self.proof_among(request, seen, SIGNATURES_MAX)
    }

    /// The same, with a bound on the signatures that are looked at. What stands in the head has to be right before anything
    /// is computed over a body, and the bytes as they came are tried before they are unpacked.
    pub(super) fn proof_among(&self, request: &Request<'_>, seen: Seen, most: usize) -> Result<Proof, Denied> {
        let entries = self.entries(request.headers);
        let ts = match &self.timestamp {
            Some(stamp) => stamp.sent(request, &entries)?,
            None => "",
        };
        let id = self.id(request.headers)?;
        check(request.headers.contains_key(&self.header), "no signature")?;
        let signatures = entries.iter().filter(|entry| !self.is_timestamp(entry));
        let texts = signatures.filter_map(|entry| entry.strip_prefix(self.prefix.as_str()));
        let offered: Vec<Vec<u8>> = texts.take(most).filter_map(|text| self.decode(text)).collect();
        check(!offered.is_empty(), "signature not readable")?;
        let bodies: &[&[u8]] = match seen {
            Seen::Head => return Ok(Proof::Pending),
            Seen::Whole if request.decoded != request.raw => &[request.raw, request.decoded],
            Seen::Packed | Seen::Whole => &[request.raw],
        };
        let mut found = subtle::Choice::from(0);
        for body in bodies {
            for key in &self.keys {
                let expected = self.mac(key, body, id, ts);
                for signature in &offered {
                    // Lengths are public; slices of different length are simply not equal.
                    found |= expected.as_slice().ct_eq(signature.as_slice());
                }
            }
        }
        match seen {
            Seen::Packed if !bool::from(found) => Ok(Proof::Pending),
            _ => check(found.into(), "wrong signature"),
        }
    }

    /// What stands in the signature's header, be it there once or several times.
    fn entries<'r>(&self, headers: &'r HeaderMap) -> Vec<&'r str> {
        let values = headers.get_all(&self.header).iter();
        let values = values.filter_map(|value| value.to_str().ok());
        let entries: Vec<&str> = match &self.separator {
            Some(separator) => values.flat_map(|value| value.split(separator.as_str())).collect(),
            None => values.collect(),
        };
        entries
            .into_iter()
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .collect()
    }

    fn is_timestamp(&self, entry: &str) -> bool {
        matches!(&self.timestamp, Some(Stamp { at: StampAt::Entry(prefix), .. }) if entry.starts_with(prefix.as_str()))
    }

    /// The id as it was sent; nothing where none is signed.
    pub(super) fn id<'r>(&self, headers: &'r HeaderMap) -> Result<&'r str, Denied> {
        let Some(name) = &self.id else { return Ok("") };
        let id = single(headers, name, "no id", "several ids")?;
        check(!id.is_empty() && id.len() <= ID_MAX, "id not readable")?;
        // With what stands beside the id in it, an id and its neighbour could be told apart in two ways, and both are signed.
        let mut beside = self.signed.windows(2).filter_map(|two| match two {
            [Part::Id, Part::Text(text)] | [Part::Text(text), Part::Id] => Some(text.as_str()),
            _ => None,
        });
        check(!beside.any(|text| id.contains(text)), "id not readable")?;
        Ok(id)
    }

    /// Whether any of its headers is there.
    pub(super) fn is_there(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(&self.header) || self.covered().iter().any(|name| headers.contains_key(name.as_str()))
    }

    /// The headers that are signed with the body, in lower case.
    pub(super) fn covered(&self) -> BTreeSet<String> {
        let stamp = self.timestamp.as_ref().and_then(|stamp| match &stamp.at {
            StampAt::Header(name) => Some(name),
            StampAt::Entry(_) => None,
        });
        [self.id.as_ref(), stamp]
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect()
    }

    /// ` that is not older than 5m`, where it has a time.
    pub(super) fn says_age(&self) -> String {
        let stamp = self.timestamp.as_ref();
        stamp.map_or_else(String::new, |stamp| {
            format!(" that is not older than {}", duration::text(stamp.tolerance))
        })
    }

    pub(super) fn sign(&self, body: &[u8], now: Time, headers: &mut Vec<(String, String)>) {
        let Some(key) = self.keys.first() else { return };
        let ts = now.timestamp().to_string();
        let id = match &self.id {
            Some(_) => format!("msg_{}", &hex::encode(hash(&[b"sent", ts.as_bytes(), body]))[..24]),
            None => String::new(),
        };
        let mac = self.mac(key, body, &id, &ts);
        let text = if self.base64 {
            STANDARD.encode(mac)
        } else {
            hex::encode(mac)
        };
        if let Some(name) = &self.id {
            headers.push((name.to_string(), id));
        }
        let mut value = format!("{}{text}", self.prefix);
        match self.timestamp.as_ref().map(|stamp| &stamp.at) {
            Some(StampAt::Header(name)) => headers.push((name.to_string(), ts)),
            Some(StampAt::Entry(prefix)) => {
                value = format!("{prefix}{ts}{}{value}", self.separator.as_deref().unwrap_or_default());
            }
            None => {}
        }
        headers.push((self.header.to_string(), value));
    }

    fn decode(&self, text: &str) -> Option<Vec<u8>> {
        if text.len() > SIGNATURE_MAX {
            None
        } else if self.base64 {
            BASE64.decode(text).ok()
        } else {
            hex::decode(text).ok()
        }
    }

    fn mac(&self, key: &Key, body: &[u8], id: &str, ts: &str) -> Vec<u8> {
        match self.algorithm {
            Algorithm::Sha1 => self.mac_with::<Hmac<sha1::Sha1>>(key, body, id, ts),
            Algorithm::Sha256 => self.mac_with::<Hmac<Sha256>>(key, body, id, ts),
            Algorithm::Sha512 => self.mac_with::<Hmac<Sha512>>(key, body, id, ts),
        }
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn mac_with<M: Mac + KeyInit>(&self, key: &Key, body: &[u8], id: &str, ts: &str) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key.bytes()).expect("any key length");
        for part in &self.signed {
            match part {
                Part::Text(text) => mac.update(text.as_bytes()),
                Part::Body => mac.update(body),
                Part::EncodedBody => body
                    .chunks(ENCODED)
                    .for_each(|part| mac.update(STANDARD.encode(part).as_bytes())),
                Part::Timestamp => mac.update(ts.as_bytes()),
                Part::Id => mac.update(id.as_bytes()),
            }
        }
        mac.finalize().into_bytes().to_vec()
    }
}

impl Stamp {
    /// The time as the text that was sent, which is what is signed; only one that is within the tolerance.
    fn sent<'r>(&self, request: &Request<'r>, entries: &[&'r str]) -> Result<&'r str, Denied> {
        const SEVERAL: &str = "several timestamps";
        let sent = match &self.at {
            StampAt::Header(name) => single(request.headers, name, "no timestamp", SEVERAL)?,
            StampAt::Entry(prefix) => {
                let mut found = entries.iter().filter_map(|entry| entry.strip_prefix(prefix.as_str()));
                let first = found.next().ok_or(Denied { reason: "no timestamp" })?;
                check(found.all(|other| other == first), SEVERAL)?;
                first
            }
        };
        let ms = Some(sent).filter(|sent| sent.len() <= TIMESTAMP_MAX);
        let ms = ms.and_then(|sent| moment::order_ms(&sent.into()));
        let ms = ms.ok_or(Denied {
            reason: "timestamp not readable",
        })?;
        let apart = request.now.timestamp_millis().abs_diff(ms);
        check(
            apart <= self.tolerance.num_milliseconds().unsigned_abs(),
            "timestamp outside of the tolerance",
        )?;
        Ok(sent)
    }
}

/// The value of a header that may say one thing only, however often it is there.
fn single<'r>(
    headers: &'r HeaderMap,
    name: &HeaderName,
    none: &'static str,
    several: &'static str,
) -> Result<&'r str, Denied> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().ok_or(Denied { reason: none })?;
    check(values.all(|other| other == first), several)?;
    first.to_str().map_err(|_| Denied { reason: none })
}
