//! Requests that claim to come from a sender: whatever is believed proves it, by a little calculation of our own.
//!
//! An input is the name of a source in the first line, the query in the second, then headers up to an empty line, then the body.
mod proof;
mod senders;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use stayhook::model::clock::{Time, from_ms};
use stayhook::source::{Request, Source};

use crate::rounds::{Target, run};
use crate::seeds;
use proof::{mac, proves};
use senders::{ALL, Form, NOW_MS, Proof, SVIX, WEBHOOK, compiled};

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
