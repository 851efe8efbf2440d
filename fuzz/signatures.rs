//! Requests that claim to come from a sender: whatever is believed proves it, by a little calculation of our own.
//!
//! An input is the name of a source in the first line, the query in the second, then headers up to an empty line, then the body.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chrono::DateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::Value;
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::clock::{Time, from_ms};
use stayhook::source::{self, Request, Source};

use crate::rounds::{Target, run};
use crate::seeds;

const NOW_MS: i64 = 1_801_126_800_000;
const SECRET: &str = "whsec_bG9uZy1lbm91Z2gtZm9yLWEta2V5";
const TOKEN: &str = "open+7f2c 9d1e";
const PASSWORD: &str = "pa55:phrase";

/// A source, and what proves that a request comes from its sender.
struct Known {
    name: &'static str,
    settings: &'static str,
    proof: Proof,
}

#[derive(Clone, Copy, Debug)]
enum Proof {
    Hmac(Form),
    /// Standard Webhooks, whose headers have two names.
    Standard,
    /// In the address or as bearer.
    Token,
    TokenHeader(&'static str),
    TokenBody,
    Basic,
    /// Both of a signature and user with password.
    Both(Form),
}

/// A signature: where it stands, how it is written, what it covers.
#[derive(Clone, Copy, Debug)]
struct Form {
    header: &'static str,
    hash: Hash,
    base64: bool,
    prefix: &'static str,
    separator: Option<&'static str>,
    id: Option<&'static str>,
    time: Option<&'static str>,
    time_entry: Option<&'static str>,
    tolerance_s: i64,
    key: fn() -> Vec<u8>,
    signed: fn(&[u8], &[u8], &[u8]) -> Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

fn whole_secret() -> Vec<u8> {
    SECRET.as_bytes().to_vec()
}

fn decoded_secret() -> Vec<u8> {
    b"long-enough-for-a-key".to_vec()
}

const PLAIN: Form = Form {
    header: "x-signature",
    hash: Hash::Sha256,
    base64: false,
    prefix: "",
    separator: None,
    id: None,
    time: None,
    time_entry: None,
    tolerance_s: 300,
    key: whole_secret,
    signed: |_, _, body| body.to_vec(),
};
const GITHUB: Form = Form {
    hash: Hash::Sha1,
    prefix: "sha1=",
    ..PLAIN
};
const TIMED: Form = Form {
    hash: Hash::Sha512,
    base64: true,
    time: Some("x-timestamp"),
    tolerance_s: 60,
    signed: |_, ts, body| [ts, b".", body].concat(),
    ..PLAIN
};
const ENTRIES: Form = Form {
    prefix: "v1=",
    separator: Some(","),
    id: Some("x-id"),
    time_entry: Some("t="),
    signed: |id, ts, body| [id, b".", ts, b".", body].concat(),
    ..PLAIN
};
const STRIPE: Form = Form {
    header: "stripe-signature",
    prefix: "v1=",
    separator: Some(","),
    time_entry: Some("t="),
    signed: |_, ts, body| [ts, b".", body].concat(),
    ..PLAIN
};
const WEBHOOK: Form = Form {
    header: "webhook-signature",
    base64: true,
    prefix: "v1,",
    separator: Some(" "),
    id: Some("webhook-id"),
    time: Some("webhook-timestamp"),
    key: decoded_secret,
    signed: |id, ts, body| [id, b".", ts, b".", body].concat(),
    ..PLAIN
};
const SVIX: Form = Form {
    header: "svix-signature",
    id: Some("svix-id"),
    time: Some("svix-timestamp"),
    ..WEBHOOK
};

const ALL: &[Known] = &[
    Known {
        name: "plain",
        settings: "secret: S\nauth: {hmac: {header: X-Signature}}",
        proof: Proof::Hmac(PLAIN),
    },
    Known {
        name: "github",
        settings: "secret: S\nauth: {hmac: {header: X-Signature, algorithm: sha1, prefix: \"sha1=\"}}",
        proof: Proof::Hmac(GITHUB),
    },
    Known {
        name: "timed",
        settings: "secret: S\nauth: {hmac: {header: X-Signature, algorithm: sha512, encoding: base64, signed: \"{ts}.{body}\", \
                   timestamp: {header: X-Timestamp, tolerance: 1m}}}",
        proof: Proof::Hmac(TIMED),
    },
    Known {
        name: "entries",
        settings: "secret: S\nauth: {hmac: {header: X-Signature, prefix: \"v1=\", separator: \",\", signed: \"{id}.{ts}.{body}\", \
                   id: {header: X-Id}, timestamp: {prefix: \"t=\"}}}",
        proof: Proof::Hmac(ENTRIES),
    },
    Known {
        name: "stripe",
        settings: "secret: S\nauth: {stripe: {}}",
        proof: Proof::Hmac(STRIPE),
    },
    Known {
        name: "standard",
        settings: "secret: S\nauth: {standard_webhooks: {}}",
        proof: Proof::Standard,
    },
    Known {
        name: "token",
        settings: "token: T",
        proof: Proof::Token,
    },
    Known {
        name: "token-header",
        settings: "token: T\nauth: {token: {header: X-Token}}",
        proof: Proof::TokenHeader("x-token"),
    },
    Known {
        name: "token-body",
        settings: "token: T\nauth: {token: {body: $.auth.key}}",
        proof: Proof::TokenBody,
    },
    Known {
        name: "basic",
        settings: "basic: {username: pms, password: P}",
        proof: Proof::Basic,
    },
    Known {
        name: "both",
        settings: "secret: S\nbasic: {username: pms, password: P}\nauth: [{hmac: {header: X-Signature}}, {basic: {}}]",
        proof: Proof::Both(PLAIN),
    },
];

fn compiled(known: &Known) -> Source {
    let quoted = |text: &str| serde_json::json!(text).to_string();
    let settings = known
        .settings
        .replace("secret: S", &format!("secret: {}", quoted(SECRET)));
    let settings = settings.replace("token: T", &format!("token: {}", quoted(TOKEN)));
    let settings = settings.replace("password: P", &format!("password: {}", quoted(PASSWORD)));
    let settings = format!("{settings}\nlearn: true");
    let mut report = Report::new();
    let node = yaml::parse("source.yaml", &settings, &mut report).unwrap();
    let source = source::compile(known.name, &node, &mut report);
    source.unwrap_or_else(|| panic!("{}: {}", known.name, report.render(|_| None)))
}

fn now() -> Time {
    from_ms(NOW_MS)
}

fn input(name: &str, query: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    [format!("{name}\n{query}\n{headers}\n").as_bytes(), body].concat()
}

/// As the source itself would send it.
fn signed(source: &Source, body: &[u8]) -> Vec<u8> {
    let signed = source.sign(body, now());
    let query = signed.path_and_query.split_once('?').map_or("", |(_, query)| query);
    input(source.name(), query, &signed.headers, body)
}

/// Signed by somebody who has the key, but with any time, any id and anything beside it.
fn made() -> BoxedStrategy<Vec<u8>> {
    let forms: Vec<(&'static str, Form)> = ALL
        .iter()
        .filter_map(|known| match known.proof {
            Proof::Hmac(form) => Some((known.name, form)),
            _ => None,
        })
        .chain([("standard", WEBHOOK), ("standard", SVIX)])
        .collect();
    let ts = prop_oneof![
        4 => prop::sample::select(vec![0_i64, 59, 60, 61, 299, 300, 301, -60, -61, -300, -301, 86_400, -1_801_126_800])
            .prop_map(|off| (NOW_MS / 1000 + off).to_string()),
        1 => prop::sample::select(vec![0_i64, 300_000, 300_001, -300_001, 60_001]).prop_map(|off| (NOW_MS + off).to_string()),
        1 => prop::sample::select(vec!["2027-01-28T09:00:00Z", "2027-01-28 09:00", "2027-01-28T10:00:00+01:00", "1801126800.9", " 1801126800",
            "1.8011268e9", "+1801126800", "01801126800", "", "now", "18011268001801126800"]).prop_map(str::to_owned),
    ];
    let id = prop::sample::select(vec!["msg_1", "", "a.b", "1801126800", "x\ty"]);
    let body = prop::sample::select(vec![
        &b"{}"[..],
        b"",
        b"1.{\"a\":1}",
        b"{\"auth\":{\"key\":\"open+7f2c 9d1e\"}}",
    ]);
    let beside = prop::collection::vec((0_usize..4, any::<bool>()), 0..3);
    (prop::sample::select(forms), ts, id, body, beside, any::<bool>())
        .prop_map(|((name, form), ts, id, body, beside, upper)| {
            let mac = mac(form, &(form.signed)(id.as_bytes(), ts.as_bytes(), body));
            let mut text = if form.base64 {
                STANDARD.encode(&mac)
            } else {
                hex::encode(&mac)
            };
            if upper && !form.base64 {
                text = text.to_uppercase();
            }
            let mut entry = format!("{}{text}", form.prefix);
            if let Some(time) = form.time_entry {
                entry = format!("{time}{ts},{entry}");
            }
            let mut headers = vec![(form.header.to_owned(), entry.clone())];
            headers.extend(form.id.map(|name| (name.to_owned(), id.to_owned())));
            headers.extend(form.time.map(|name| (name.to_owned(), ts.clone())));
            for (what, front) in beside {
                let more = match what {
                    0 => (form.header.to_owned(), format!("{}{}", form.prefix, "0".repeat(64))),
                    1 => (form.id.unwrap_or("x-id").to_owned(), "other".to_owned()),
                    2 => (
                        form.time.unwrap_or(form.header).to_owned(),
                        format!("{}1801126800", form.time_entry.unwrap_or("")),
                    ),
                    _ => ("webhook-id".to_owned(), "msg_1".to_owned()),
                };
                headers.insert(if front { 0 } else { headers.len() }, more);
            }
            input(name, "", &headers, body)
        })
        .boxed()
}

#[test]
fn signatures() {
    let sources: Vec<(Source, Proof)> = ALL.iter().map(|known| (compiled(known), known.proof)).collect();
    let bodies = [
        &b"{}"[..],
        b"1801126800.{}",
        b"{\"auth\": {\"key\": \"open+7f2c 9d1e\"}}",
    ];
    let mut all = Vec::new();
    for (source, _) in &sources {
        let each: Vec<Vec<u8>> = bodies.iter().map(|body| signed(source, body)).collect();
        // Else nothing would be shown by what is refused.
        let believed = each
            .iter()
            .filter(|one| request_of(one, |name, request| believed(&sources, name, request)) == Some(true));
        assert!(believed.count() > 0, "nothing that {} signs is believed", source.name());
        all.extend(each);
    }
    all.extend(
        seeds::bodies()
            .iter()
            .take(3)
            .map(|(_, body)| signed(&sources[0].0, body)),
    );
    run(Target {
        name: "signatures",
        seeds: all,
        tokens: &[
            "t=",
            "v1=",
            "v1,",
            "v1a,",
            "sha1=",
            ",",
            " ",
            ", ",
            "t=1801126800,",
            "Bearer ",
            "Basic ",
            "bearer\t",
            "token=",
            "&token=",
            "%",
            "%2B",
            "+",
            "x-signature: ",
            "webhook-id: msg_1\n",
            "svix-signature: v1,\n",
            "x-timestamp: 1801126800\n",
            "authorization: Basic cG1zOnBhNTU6cGhyYXNl\n",
            "\n\n",
            "==",
            "=",
            "00",
            "1801126800",
            "1801126860",
            "msg_",
        ],
        made: made(),
        cases: 600,
        check: Box::new(move |input| {
            request_of(input, |name, request| {
                if believed(&sources, name, request) {
                    let (_, proof) = sources.iter().find(|(source, _)| source.name() == name).unwrap();
                    assert!(proves(*proof, request), "believed without a proof, by {name}");
                }
            });
        }),
    });
}

fn believed(sources: &[(Source, Proof)], name: &str, request: &Request<'_>) -> bool {
    let source = sources.iter().find(|(source, _)| source.name() == name);
    source.is_some_and(|(source, _)| source.authenticate(request).is_ok())
}

/// Calls with the request that an input stands for; nothing where it is none.
fn request_of<T>(input: &[u8], of: impl FnOnce(&str, &Request<'_>) -> T) -> Option<T> {
    let mut rest = input;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        Some(line)
    };
    let name = String::from_utf8_lossy(line()?).into_owned();
    let query = String::from_utf8_lossy(line()?).into_owned();
    let mut headers = HeaderMap::new();
    while let Some(header) = line().filter(|line| !line.is_empty()) {
        let at = header.iter().position(|byte| *byte == b':')?;
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(&header[..at]),
            HeaderValue::from_bytes(header[at + 1..].trim_ascii()),
        ) else {
            continue;
        };
        headers.append(name, value);
    }
    let path_token = query.rsplit_once('/').map(|(_, token)| token.to_owned());
    let request = Request {
        path_token: path_token.as_deref(),
        query: &query,
        headers: &headers,
        raw: rest,
        decoded: rest,
        client_ip: None,
        now: now(),
    };
    Some(of(&name, &request))
}

fn mac(form: Form, bytes: &[u8]) -> Vec<u8> {
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
fn proves(proof: Proof, request: &Request<'_>) -> bool {
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
