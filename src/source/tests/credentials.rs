//! Who is believed.

mod places;
mod signatures;

use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};

use super::*;

struct Try<'a> {
    path: Option<&'a str>,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    ip: Option<&'a str>,
}

const NOTHING: Try<'static> = Try {
    path: None,
    query: "",
    headers: &[],
    ip: None,
};

fn believed(source: &Source, request: &Try<'_>) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers {
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    let request = Request {
        path_token: request.path,
        query: request.query,
        headers: &headers,
        raw: b"{}",
        decoded: b"{}",
        client_ip: request.ip.map(|ip| ip.parse::<IpAddr>().unwrap()),
        now: now(),
    };
    source.authenticate(&request).is_ok()
}

fn generic(settings: &str) -> Source {
    source(&format!("preset: generic\n{settings}"))
}

#[test]
fn tokens_stand_in_the_path_the_query_or_a_header() {
    let source = generic("token: [\"a+b c\", old]");
    for (request, expected) in [
        (NOTHING, false),
        (
            Try {
                path: Some("a+b c"),
                ..NOTHING
            },
            true,
        ),
        (
            Try {
                path: Some("old"),
                ..NOTHING
            },
            true,
        ),
        (
            Try {
                path: Some("a+b"),
                ..NOTHING
            },
            false,
        ),
        (
            Try {
                query: "x=1&token=a%2Bb+c",
                ..NOTHING
            },
            true,
        ),
        (
            Try {
                query: "token=a+b%20c",
                ..NOTHING
            },
            true,
        ),
        (
            Try {
                query: "token=",
                ..NOTHING
            },
            false,
        ),
        (
            Try {
                query: "nottoken=old",
                ..NOTHING
            },
            false,
        ),
        (
            Try {
                headers: &[("authorization", "bearer old")],
                ..NOTHING
            },
            true,
        ),
        (
            Try {
                headers: &[("authorization", "Basic old")],
                ..NOTHING
            },
            false,
        ),
        (
            Try {
                headers: &[("x-token", "old")],
                ..NOTHING
            },
            false,
        ),
    ] {
        assert_eq!(
            believed(&source, &request),
            expected,
            "{:?} {} {:?}",
            request.path,
            request.query,
            request.headers
        );
    }
    let header = generic("auth: {token: {header: X-Token}}\ntoken: old");
    assert!(believed(
        &header,
        &Try {
            headers: &[("x-token", "no"), ("x-token", "old")],
            ..NOTHING
        }
    ));
    assert!(!believed(
        &header,
        &Try {
            path: Some("old"),
            query: "token=old",
            ..NOTHING
        }
    ));
}

#[test]
fn what_the_source_adds_has_to_hold_too() {
    let source =
        generic("token: t\nbasic: {username: pms, password: \"p:w\"}\nallow_ips: [203.0.113.0/24, \"2001:db8::1\"]");
    let good = [("authorization", "Basic cG1zOnA6dw==")];
    for (query, headers, ip, expected) in [
        ("token=t", good.as_slice(), Some("203.0.113.9"), true),
        ("token=t", good.as_slice(), Some("::ffff:203.0.113.9"), true),
        (
            "token=t",
            &[("authorization", "basic cG1zOnA6dw")],
            Some("2001:db8::1"),
            true,
        ),
        ("token=t", good.as_slice(), Some("203.0.114.9"), false),
        ("token=t", good.as_slice(), None, false),
        ("token=x", good.as_slice(), Some("203.0.113.9"), false),
        (
            "token=t",
            &[("authorization", "Basic cG1zOng=")],
            Some("203.0.113.9"),
            false,
        ),
        ("token=t", &[], Some("203.0.113.9"), false),
    ] {
        let request = Try {
            query,
            headers,
            ip,
            ..NOTHING
        };
        assert_eq!(believed(&source, &request), expected, "{query} {headers:?} {ip:?}");
    }
    assert_eq!(
        source.asks_for(),
        "a token in the path, the query or as bearer and user pms with a password and an address in 203.0.113.0/24 or \
         2001:db8::1/128"
    );
    let open = generic("auth: none");
    assert!(believed(&open, &NOTHING));
    let either =
        generic("auth: {any: [{basic: {username: a, password: b}}, [{token: {}}, {allow_ips: 10.0.0.0/8}]]}\ntoken: t");
    assert!(believed(
        &either,
        &Try {
            headers: &[("authorization", "Basic YTpi")],
            ..NOTHING
        }
    ));
    assert!(believed(
        &either,
        &Try {
            path: Some("t"),
            ip: Some("10.1.2.3"),
            ..NOTHING
        }
    ));
    assert!(!believed(
        &either,
        &Try {
            path: Some("t"),
            ip: Some("11.1.2.3"),
            ..NOTHING
        }
    ));
}

#[test]
fn signatures_in_every_form_are_checked_and_made() {
    for (hmac, secrets) in [
        ("{header: X-Sig}", "one"),
        ("{header: X-Sig, algorithm: sha1, prefix: \"sha1=\"}", "one"),
        ("{header: X-Sig, algorithm: sha512, encoding: base64}", "[one, two]"),
        (
            "{header: X-Sig, signed: \"v0:{ts}.{body}\", timestamp: {header: X-Time, tolerance: 90s}, prefix: \"v1=\"}",
            "one",
        ),
    ] {
        let source = generic(&format!("auth: {{hmac: {hmac}}}\nsecret: {secrets}"));
        let signed = source.sign(b"{\"a\":1}", now());
        assert_eq!(signed.path_and_query, "/hooks/lab");
        let headers: HeaderMap = signed
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().unwrap(),
                    value.parse::<HeaderValue>().unwrap(),
                )
            })
            .collect();
        let request = |raw, decoded, headers, seconds| Request {
            path_token: None,
            query: "",
            headers,
            raw,
            decoded,
            client_ip: None,
            now: now() + TimeDelta::seconds(seconds),
        };
        let (body, other) = (b"{\"a\":1}".as_slice(), b"{\"a\":2}".as_slice());
        assert_eq!(source.authenticate(&request(body, body, &headers, 0)), Ok(()), "{hmac}");
        // Over the bytes on the wire or over what they unpack to.
        assert_eq!(
            source.authenticate(&request(other, body, &headers, 0)),
            Ok(()),
            "{hmac}"
        );
        assert_eq!(
            source.authenticate(&request(body, other, &headers, 0)),
            Ok(()),
            "{hmac}"
        );
        assert!(
            source.authenticate(&request(other, other, &headers, 0)).is_err(),
            "{hmac}"
        );
        let in_time = !hmac.contains("timestamp");
        for seconds in [-91, 91] {
            assert_eq!(
                source.authenticate(&request(body, body, &headers, seconds)).is_ok(),
                in_time,
                "{hmac}"
            );
        }
        let mut bare = headers.clone();
        let value = headers["x-sig"].to_str().unwrap();
        bare.insert(
            "x-sig",
            value.rsplit_once("1=").map_or("00", |(_, rest)| rest).parse().unwrap(),
        );
        assert!(source.authenticate(&request(body, body, &bare, 0)).is_err(), "{hmac}");
    }
}

#[test]
fn an_old_secret_holds_while_it_is_listed() {
    let source = source("preset: hostelmate\nsecret: [new, old]");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"old").unwrap();
    mac.update(b"{}");
    let value = format!("sha256={}", hex::encode_upper(mac.finalize().into_bytes()));
    let headers = [("x-hm-signature", value.as_str())];
    assert!(believed(
        &source,
        &Try {
            headers: &headers,
            ..NOTHING
        }
    ));
    let none = super::source("preset: hostelmate\nsecret: [new]");
    assert!(!believed(
        &none,
        &Try {
            headers: &headers,
            ..NOTHING
        }
    ));
}

#[test]
fn a_sent_request_is_believed() {
    for settings in [
        "preset: hospitable-v1\ntoken: \"a b/c&d\"",
        "preset: hostelmate\nsecret: s\nbasic: {username: a, password: b}",
        "preset: generic\nauth: {any: [{token: {header: X-Key}}, {basic: {username: a, password: b}}]}\ntoken: t",
    ] {
        let source = source(settings);
        let signed = source.sign(b"{}", now());
        assert!(!format!("{signed:?}").contains("token"));
        let query = signed.path_and_query.split_once('?').map_or("", |(_, query)| query);
        let headers: Vec<(&str, &str)> = signed.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert!(
            believed(
                &source,
                &Try {
                    query,
                    headers: &headers,
                    ..NOTHING
                }
            ),
            "{settings}"
        );
    }
}
