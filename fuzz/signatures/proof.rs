//! A proof, calculated once more from the parts of a request and from nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::DateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use stayhook::source::Request;

use super::senders::{Form, Hash, NOW_MS, PASSWORD, Proof, SVIX, TOKEN, WEBHOOK};

pub(super) fn mac(form: Form, bytes: &[u8]) -> Vec<u8> {
    let key = (form.key)();
    match form.hash {
        Hash::Sha1 => Hmac::<sha1::Sha1>::new_from_slice(&key)
            .unwrap()
            .chain_update(bytes)
            .finalize()
            .into_bytes()
            .to_vec(),
        Hash::Sha256 => Hmac::<sha2::Sha256>::new_from_slice(&key)
            .unwrap()
            .chain_update(bytes)
            .finalize()
            .into_bytes()
            .to_vec(),
        Hash::Sha512 => Hmac::<sha2::Sha512>::new_from_slice(&key)
            .unwrap()
            .chain_update(bytes)
            .finalize()
            .into_bytes()
            .to_vec(),
    }
}

/// Whether anything in the request is what only the sender can have written.
pub(super) fn proves(proof: Proof, request: &Request<'_>) -> bool {
    match proof {
        Proof::Hmac(form) => signs(form, request),
        Proof::Standard => {
            // Whatever id is there has to be the one that is signed.
            let ids = ["webhook-id", "svix-id"]
                .iter()
                .flat_map(|name| request.headers.get_all(*name));
            let ids: std::collections::BTreeSet<&[u8]> = ids.map(HeaderValue::as_bytes).collect();
            ids.len() == 1 && (signs(WEBHOOK, request) || signs(SVIX, request))
        }
        Proof::Token => {
            let told = |text: &str| {
                let spaced = text.replace('+', " ");
                [text, &spaced]
                    .iter()
                    .any(|text| percent_decode_str(text).collect::<Vec<u8>>() == TOKEN.as_bytes())
            };
            request.path_token == Some(TOKEN)
                || request
                    .query
                    .split('&')
                    .filter_map(|pair| pair.split_once('='))
                    .any(|(_, value)| told(value))
                || request
                    .headers
                    .get_all("authorization")
                    .iter()
                    .any(|value| bears(value.as_bytes(), true))
        }
        Proof::TokenHeader(name) => request
            .headers
            .get_all(name)
            .iter()
            .any(|value| bears(value.as_bytes(), false)),
        Proof::TokenBody => {
            let body = serde_json::from_slice::<Value>(request.decoded);
            body.is_ok_and(|body| body["auth"]["key"] == TOKEN)
        }
        Proof::Basic => pair(request),
        Proof::Both(form) => signs(form, request) && pair(request),
    }
}

fn bears(value: &[u8], only: bool) -> bool {
    let text = String::from_utf8_lossy(value);
    let behind = text
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("bearer "))
        .map(|_| text[7..].trim());
    behind == Some(TOKEN) || (!only && text == TOKEN)
}

fn pair(request: &Request<'_>) -> bool {
    let expected = STANDARD_NO_PAD.encode(format!("pms:{PASSWORD}"));
    request.headers.get_all("authorization").iter().any(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let scheme = text
            .get(..6)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "));
        scheme && text[6..].trim().trim_end_matches('=') == expected
    })
}

/// Whether one of the signatures is over this body, and a time of now, and an id that is there.
fn signs(form: Form, request: &Request<'_>) -> bool {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let all = |name: &str| {
        request
            .headers
            .get_all(name)
            .iter()
            .filter_map(text)
            .collect::<Vec<String>>()
    };
    let entries: Vec<String> = match form.separator {
        None => all(form.header),
        Some(separator) => all(form.header)
            .iter()
            .flat_map(|value| value.split(separator))
            .map(|entry| entry.trim().to_owned())
            .collect(),
    };
    let times: Vec<String> = match (form.time, form.time_entry) {
        (Some(name), _) => all(name),
        (None, Some(prefix)) => entries
            .iter()
            .filter_map(|entry| entry.strip_prefix(prefix))
            .map(str::to_owned)
            .collect(),
        (None, None) => vec![NOW_MS.to_string()],
    };
    let ids = form.id.map_or_else(|| vec![String::new()], all);
    for ts in times.iter().filter(|ts| is_now(ts, form.tolerance_s)) {
        for id in &ids {
            let mac = mac(form, &(form.signed)(id.as_bytes(), ts.as_bytes(), request.decoded));
            let is_it = |text: &str| match form.base64 {
                true => text.trim_end_matches('=') == STANDARD_NO_PAD.encode(&mac),
                false => text.eq_ignore_ascii_case(&hex::encode(&mac)),
            };
            if entries
                .iter()
                .filter_map(|entry| entry.strip_prefix(form.prefix))
                .any(is_it)
            {
                return true;
            }
        }
    }
    false
}

/// Whether a time in seconds, in milliseconds or by the calendar is within the tolerance.
fn is_now(ts: &str, tolerance_s: i64) -> bool {
    let text = ts.trim();
    let number = text
        .parse::<f64>()
        .ok()
        .map(|number| if number.abs() < 1e11 { number * 1000.0 } else { number });
    let dated = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis());
    let dated = dated(text).or_else(|| dated(&format!("{}:00Z", text.replace(' ', "T"))));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century are exact in it")]
    let ms = number.or(dated.map(|ms| ms as f64));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century are exact in it")]
    let (now, most) = (NOW_MS as f64, (tolerance_s * 1000) as f64);
    ms.is_some_and(|ms| (ms - now).abs() <= most + 1.0)
}
