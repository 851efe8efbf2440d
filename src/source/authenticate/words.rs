//! Secret words that a request shows as they are: tokens, a user with a password.

use base64::Engine as _;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{BASE64, Denied, Look, Place, Proof, Seen, check};
use crate::model::secret::Secret;
use crate::source::path::Input;

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

/// Of more places where a token could stand nobody looks at the rest.
const PLACES_MAX: usize = 64;

pub(super) fn token(place: &Place, tokens: &[Secret], look: &Look<'_>) -> Result<Proof, Denied> {
    let request = look.request;
    let mut offered: Vec<Vec<u8>> = Vec::new();
    match place {
        Place::Header(header) => {
            for value in request.headers.get_all(header) {
                let bytes = value.as_bytes();
                offered.push(bytes.to_vec());
                offered.extend(bearer(bytes).map(<[u8]>::to_vec));
            }
        }
        Place::Query(name) => in_query(name, request.query, &mut offered),
        Place::Body(_) if look.seen != Seen::Whole => return Ok(Proof::Pending),
        Place::Body(path) => {
            let body = look.body().ok_or(Denied {
                reason: "body not readable",
            })?;
            let input = Input {
                body,
                item: body,
                headers: &|_| None,
            };
            let found = path.all(&input).into_iter().take(PLACES_MAX);
            offered.extend(found.filter_map(|value| match value {
                Value::String(text) => Some(text.as_bytes().to_vec()),
                Value::Number(number) => Some(number.to_string().into_bytes()),
                _ => None,
            }));
        }
        Place::Address => {
            offered.extend(request.path_token.map(|token| token.as_bytes().to_vec()));
            in_query("token", request.query, &mut offered);
            for value in request.headers.get_all(http::header::AUTHORIZATION) {
                offered.extend(bearer(value.as_bytes()).map(<[u8]>::to_vec));
            }
        }
    }
    check(!offered.is_empty(), "no token")?;
    check(any_same(offered.iter().map(Vec::as_slice), tokens), "wrong token")
}

fn in_query(name: &str, query: &str, offered: &mut Vec<Vec<u8>>) {
    for pair in query.split('&').take(PLACES_MAX) {
        let Some((key, value)) = pair.split_once('=') else {
            continue;
        };
        if percent_decode_str(&key.replace('+', " ")).eq(name.bytes()) {
            offered.push(percent_decode_str(&value.replace('+', " ")).collect());
            // A token with a bare `+` in it, as people paste it.
            offered.push(percent_decode_str(value).collect());
        }
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}

pub(super) fn basic(username: &str, password: &Secret, headers: &HeaderMap) -> Result<Proof, Denied> {
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
            return Ok(Proof::Shown);
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
