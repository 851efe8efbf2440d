//! Bodies that say they are compressed: unpacked up to the bound and no further, or refused.
//!
//! An input is a source (`small`, `large`) and a content encoding in the first line, then the body as it is sent.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use http::Request;
use proptest::prelude::*;
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::body;
use stayhook::model::clock::{Clock, from_ms};
use stayhook::model::id::Ids;
use stayhook::receive::{Limits, Receiver, Rejections, Tally, router};
use stayhook::source::{self, Source};
use stayhook::store::Store;
use tower::ServiceExt as _;

use crate::rounds::{Target, run};
use crate::{seeds, values};

const SMALL: usize = 2 << 10;
const LARGE: usize = 1 << 20;

/// Counts nothing.
struct Nobody;

impl Tally for Nobody {
    fn stored(&self, _source: &str, _duplicate: bool, _took: Duration) {}
    fn pinged(&self, _source: &str) {}
    fn rejected(&self, _source: &str, _reason: &'static str) {}
}

/// A source for which every body that can be read is a try, so that nothing is stored.
fn trying(name: &str, max: usize) -> Arc<Source> {
    let settings = format!(
        "auth: none\nlearn: true\nbody_max: {}KiB\nping: [{{$.nothing.of.it: ~}}]",
        max >> 10
    );
    let mut report = Report::new();
    let node = yaml::parse("source.yaml", &settings, &mut report).unwrap();
    let source = source::compile(name, &node, &mut report);
    Arc::new(source.unwrap_or_else(|| panic!("{}", report.render(|_| None))))
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn input(first: &str, body: &[u8]) -> Vec<u8> {
    [first.as_bytes(), b"\n", body].concat()
}

#[test]
fn gzip() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite://{}", folder.path().join("fuzz.db").display());
    let (store, _writer) = runtime.block_on(Store::open(&url)).unwrap();
    let all = [trying("small", SMALL), trying("large", LARGE)];
    let router = router(Receiver {
        store,
        clock: Clock::manual(from_ms(1_801_126_800_000)),
        ids: Arc::new(Ids::seeded(1)),
        sources: Arc::new(move |name| all.iter().find(|source| source.name() == name).cloned()),
        on_stored: Arc::new(|| ()),
        rejections: Arc::new(Rejections::new()),
        tally: Arc::new(Nobody),
        limits: Limits {
            // What is not given back is missed soon.
            held_bytes: 4 * LARGE,
            ..Limits::default()
        },
    });
    let answer = move |input: &[u8]| {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let first = String::from_utf8_lossy(&input[..end]).into_owned();
        let (name, encoding) = first.split_once(' ').unwrap_or(("large", &first));
        let (name, max) = if name == "small" {
            ("small", SMALL)
        } else {
            ("large", LARGE)
        };
        let body = input.get(end + 1..).unwrap_or_default();
        let mut request = Request::post(format!("/hooks/{name}"))
            .body(Body::from(body.to_vec()))
            .unwrap();
        let Ok(value) = http::HeaderValue::from_bytes(encoding.as_bytes()) else {
            return;
        };
        request.headers_mut().insert(http::header::CONTENT_ENCODING, value);
        let status = runtime.block_on(async { router.clone().oneshot(request).await.unwrap().status().as_u16() });
        let words: Vec<&str> = encoding
            .split(',')
            .map(|word| word.trim_matches(|c: char| c.is_ascii_whitespace()))
            .filter(|word| !word.is_empty())
            .collect();
        let zipped = words
            .iter()
            .filter(|word| word.eq_ignore_ascii_case("gzip") || word.eq_ignore_ascii_case("x-gzip"))
            .count();
        let plain = words
            .iter()
            .filter(|word| word.eq_ignore_ascii_case("identity"))
            .count();
        let expected = if zipped > 1 || zipped + plain < words.len() {
            415
        } else {
            expected(body, zipped == 1, max)
        };
        assert_eq!(
            status,
            expected,
            "the answer to {} bytes as `{encoding}` to {name}",
            body.len()
        );
    };
    let doubled = packed(br#"{"a":1,"#)
        .into_iter()
        .chain(packed(br#""b":2}"#))
        .collect::<Vec<u8>>();
    let mut all = vec![
        input("large gzip", &packed(&vec![b' '; 64 << 20])),
        input("large gzip", &packed(&vec![b'0'; LARGE])),
        input(
            "large gzip",
            &packed(&vec![b' '; LARGE - 2])
                .into_iter()
                .chain(packed(b"[]"))
                .collect::<Vec<u8>>(),
        ),
        input("small gzip", &packed(&vec![b' '; SMALL + 1])),
        input("small x-gzip", &doubled),
        input("small identity", br#"{"a":1}"#),
        input("large gzip", &packed(&packed(b"{}"))),
        input("large gzip", b"\x1f\x8b\x08\x1c\0\0\0\0\0\xff"),
    ];
    all.extend(
        seeds::bodies()
            .iter()
            .map(|(_, body)| input("large gzip", &packed(body))),
    );
    let first = prop::sample::select(vec![
        "small gzip",
        "large gzip",
        "large x-gzip",
        "small GZIP",
        "small identity, gzip",
        "large gzip, gzip",
        "large br",
    ]);
    let text = prop_oneof![
        3 => values::any_value().prop_map(|value| value.to_string().into_bytes()),
        1 => (1_usize..3_000_000, any::<u8>()).prop_map(|(size, byte)| vec![byte; size]),
        1 => (SMALL - 3..SMALL + 3).prop_map(|size| format!("[{}]", " ".repeat(size - 2)).into_bytes()),
    ];
    let body = prop::collection::vec(text.prop_map(|text| packed(&text)), 1..4).prop_map(|members| members.concat());
    let made = (first, body).prop_map(|(first, body)| input(first, &body));
    run(Target {
        name: "gzip",
        seeds: all,
        tokens: &[
            "\u{1f}",
            "\u{8}",
            "small gzip\n",
            "gzip,",
            "identity,",
            "br\n",
            "\0\0\0\0",
        ],
        made: made.boxed(),
        cases: 150,
        check: Box::new(answer),
    });
}

/// What the answer has to be, by unpacking it all over again.
fn expected(raw: &[u8], zipped: bool, max: usize) -> u16 {
    if raw.len() > max {
        return 413;
    }
    let mut bytes = raw.to_vec();
    if zipped && !raw.is_empty() {
        bytes.clear();
        let read = MultiGzDecoder::new(raw).take(max as u64 + 1).read_to_end(&mut bytes);
        if read.is_err() {
            return 400;
        }
        if bytes.len() > max {
            return 413;
        }
    }
    let blank = bytes
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(&bytes)
        .trim_ascii()
        .is_empty();
    if blank || body::decode(None, &bytes).is_ok() {
        200
    } else {
        400
    }
}
