//! What is said about sources that cannot be used.

use super::*;

#[test]
fn a_long_tolerance_is_warned_of() {
    for auth in [
        "{stripe: {tolerance: 2h}}",
        "{standard_webhooks: {tolerance: 61m}}",
        "{hmac: {header: X, signed: \"{ts}{body}\", timestamp: {header: Y, tolerance: 1d}}}",
    ] {
        let secret = "secret: MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let (source, report) = tried(&format!("preset: generic\nauth: {auth}\n{secret}"));
        assert!(source.is_some(), "{auth}");
        assert_eq!(
            report.items.iter().map(|item| item.code).collect::<Vec<_>>(),
            ["long-tolerance"],
            "{auth}"
        );
    }
    let (_, report) =
        tried("preset: generic\nauth: {stripe: {tolerance: 1h}}\nsecret: MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert!(report.items.is_empty());
}

#[test]
fn mistakes_have_a_place_and_a_correction() {
    let map = "reservation: {code: $.code}";
    for (settings, code, line, said) in [
        ("preset: hospitable-v1", "missing-credential", 1, "has no `token`"),
        ("preset: hostelmate", "missing-credential", 1, "has no `secret`"),
        ("preset: generic", "no-auth", 1, "anybody could post"),
        (
            "preset: hospitable\ntoken: t",
            "unknown-preset",
            1,
            "no preset called `hospitable`",
        ),
        (
            "preset: rentalsunited\nsecret: t",
            "not-yet",
            1,
            "not in this version yet",
        ),
        (
            "preset: generic\nauth: stripe\nsecret: s",
            "expected-settings",
            2,
            "`stripe` is written as settings",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, signed: \"{time}.{body}\"}}\nsecret: s",
            "unknown-part",
            2,
            "not `{time}`",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, signed: \"{id}.{body}\"}}\nsecret: s",
            "place-not-said",
            2,
            "`id` does not say where",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, id: {header: Y}}}\nsecret: s",
            "unsigned-id",
            2,
            "anybody could change it",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, signed: \"{ts}.{body}\", timestamp: {prefix: \"t=\"}}}\nsecret: s",
            "no-separator",
            2,
            "between the entries",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, signed: \"{ts}.{body}\", timestamp: {header: T, prefix: \"t=\"}}}\nsecret: s",
            "one-place",
            2,
            "`header` or `prefix`",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, signed: \"{ts}.{body}\", timestamp: {tolerance: 5m}}}\nsecret: s",
            "missing-key",
            2,
            "needs `header` or `prefix`",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, prefix: t=1, separator: \",\", signed: \"{ts}.{body}\", timestamp: {prefix: \"t=\"}}}\nsecret: s",
            "same-prefix",
            2,
            "begin with `t=` too",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, separator: \"\"}}\nsecret: s",
            "empty-text",
            2,
            "`separator` is an empty text",
        ),
        ("preset: generic\nsecret: s", "unused-credential", 2, "`secret`"),
        (
            "preset: generic\nauth: {token: {header: X, query: y}}\ntoken: t",
            "one-place",
            2,
            "a token stands in one place",
        ),
        (
            "preset: generic\nauth: {token: {query: \" \"}}\ntoken: t",
            "bad-parameter",
            2,
            "name of a parameter",
        ),
        (
            "preset: generic\nauth: {token: {body: key}}\ntoken: t",
            "bad-path",
            2,
            "not a path into the body",
        ),
        (
            "preset: generic\nauth: {token: {body: \"$.a-b\"}}\ntoken: t",
            "bad-path",
            2,
            "not readable as a JSONPath",
        ),
        (
            "preset: generic\ntoken: \"\"",
            "empty-credential",
            2,
            "`token` is empty",
        ),
        (
            "preset: generic\nauth: {hmac: {}}\nsecret: s",
            "missing-key",
            2,
            "`hmac` needs `header`",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, signed: \"{ts}.{body}\"}}\nsecret: s",
            "place-not-said",
            2,
            "`timestamp`",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, signed: \"{ts}\"}}\nsecret: s",
            "body-not-signed",
            2,
            "{body}",
        ),
        (
            "preset: generic\nauth: {hmac: {header: X, timestamp: {header: Y}}}\nsecret: s",
            "unsigned-timestamp",
            2,
            "proves nothing",
        ),
        ("preset: generic\nallow_ips: [nowhere]", "bad-address", 2, "`nowhere`"),
        (
            "preset: generic\ntoken: t\nlive_from: yesterday",
            "expected-time",
            3,
            "`live_from`",
        ),
        (
            "preset: generic\ntoken: t\nbody_max: 1GB",
            "expected-size",
            3,
            "`body_max`",
        ),
        (
            "preset: generic\ntoken: t\nemits: [reservation.create]",
            "unknown-event",
            3,
            "no event type",
        ),
        (
            "preset: generic\ntokn: t\nauth: none",
            "unknown-key",
            2,
            "no setting called `tokn`",
        ),
        ("auth: none", "no-mapping", 1, "nothing says how"),
        ("auth: none\nreservation: {code: code}", "bad-path", 2, "not a path"),
        (
            "auth: none\nreservation: {code: $.a-b}",
            "bad-path",
            2,
            "not readable as a JSONPath",
        ),
        (
            "auth: none\nreservation: {code: '@.x'}",
            "bad-path",
            2,
            "no `items` here",
        ),
        (
            "auth: none\nmethods: [POST, get]\nMAP",
            "expected-word",
            2,
            "`POST` and `GET`",
        ),
        (
            "auth: {hmac: {header: X-S}}\nmethods: GET\nsecret: s\nMAP",
            "get-not-signed",
            2,
            "says nothing of a GET",
        ),
        (
            "auth: none\nsecrets: [$]\nMAP",
            "bad-path",
            2,
            "names parts of the body",
        ),
        (
            "auth: none\nsecrets: [header.X-Id]\nMAP",
            "bad-path",
            2,
            "names parts of the body",
        ),
        ("auth: none\nsecrets: ['@.a']\nMAP", "bad-path", 2, "no `items` here"),
        ("auth: none\nsecrets: [query.a&b]\nMAP", "bad-parameter", 2, "`a&b`"),
        (
            "auth: none\nsecrets: [query.id]\nreceipt_key: [query.id]\nMAP",
            "secret-is-read",
            2,
            "`query.id` is among the `secrets`",
        ),
        (
            "auth: none\nping: [{}]\nMAP",
            "empty-condition",
            2,
            "a rule of `ping` needs",
        ),
        (
            "auth: none\nrespond: {challenge: challenge}\nMAP",
            "bad-path",
            2,
            "`challenge` is not a path",
        ),
        (
            "auth: none\nreservation: {code: query.api-key}",
            "credential-header",
            2,
            "the parameter `api-key`",
        ),
        (
            "auth: none\nreservation: {code: 'query.a=b'}",
            "bad-parameter",
            2,
            "`a=b`",
        ),
        (
            "auth: {hmac: {header: X-S}}\nreceipt_key: [query.id]\nsecret: s\nMAP",
            "unsigned-header",
            2,
            "`query.id` is not covered",
        ),
        (
            "auth: {hmac: {header: X-S}}\nreceipt_key: [[$.id, path]]\nsecret: s\nMAP",
            "unsigned-header",
            2,
            "`path` is not covered",
        ),
        (
            "auth: none\nreservation: {code: header.X-Api-Key}",
            "credential-header",
            2,
            "never kept",
        ),
        (
            "auth: none\nreservation: {status: $.s}",
            "nameless",
            2,
            "`ids` or `code`",
        ),
        (
            "auth: none\nreservation: {code: $.c, guest: {mail: $.m}}",
            "unknown-key",
            2,
            "`guest` has no setting",
        ),
        (
            "auth: none\nreservation: {code: $.c, nights: $.n}",
            "not-mapped",
            2,
            "counted from the dates",
        ),
        (
            "auth: none\nreservation: {code: $.c, property: {key: $.n}}",
            "not-mapped",
            2,
            "configuration",
        ),
        (
            "auth: none\nreservation:\n  code: $.c\n  status:\n    from: $.s\n    map:\n      ok: confimed",
            "unknown-word",
            7,
            "`confimed` is no `status`",
        ),
        (
            "auth: none\nreservation: {code: $.c, guests: {from: $.g, minor: true}}",
            "odd-setting",
            2,
            "`minor`",
        ),
        (
            "auth: none\nreservation: {code: $.c, guests: {from: $.g, plus_days: 1}}",
            "odd-setting",
            2,
            "`plus_days`",
        ),
        (
            "auth: none\nreservation: {code: $.c, guests: {from: $.g, value: 1}}",
            "two-values",
            2,
            "both",
        ),
        (
            "auth: none\nevent: $.type\nreservation: {code: $.c}",
            "missing-key",
            2,
            "`event` needs `map`",
        ),
        (
            "auth: none\nevent: {from: $.t, map: {a: booking.new}}\nreservation: {code: $.c}",
            "unknown-event",
            2,
            "booking.new",
        ),
        (
            "auth: none\nversion: {by: $.p}",
            "missing-key",
            1,
            "needs `reservation`",
        ),
        (
            "auth: none\nitems: $.all\nreservation: {code: $.c}",
            "same-for-all",
            3,
            "same stay",
        ),
        (
            "auth: none\nreservation: {code: $.c}\nmap: {reservation: {code: $.d}}",
            "duplicate-key",
            3,
            "twice",
        ),
        (
            "auth: none\nignore: [{because: x}]\nreservation: {code: $.c}",
            "empty-condition",
            2,
            "at least one path",
        ),
        (
            "auth: none\npartial: maybe\nreservation: {code: $.c}",
            "expected-condition",
            2,
            "`partial`",
        ),
        (
            "auth: none\nreceipt_key: [$.code]\nMAP",
            "names-only",
            2,
            "only the first change",
        ),
        (
            "auth: none\nreceipt_key: [[$.id, $.group]]\nreservation: {ids: $.id, references: $.group, status: $.s}",
            "names-only",
            2,
            "only the first change",
        ),
        (
            "auth: none\nreceipt_key: [[$.code, \"$['code']\"]]\nMAP",
            "names-only",
            2,
            "only the first change",
        ),
        (
            "auth: none\nreceipt_key: [{hash: id}]\nMAP",
            "expected-word",
            2,
            "`hash` is `body`",
        ),
        (
            "auth: {hmac: {header: X-S}}\nreceipt_key: [header.X-Id]\nsecret: s\nMAP",
            "unsigned-header",
            2,
            "not covered by the signature",
        ),
        ("auth: []\ntoken: t\nMAP", "empty-list", 1, "asks for nothing"),
        (
            "auth: {basic: yes}\nbasic: {username: u, password: p}\nMAP",
            "expected-settings",
            1,
            "`basic`",
        ),
        (
            "auth: none\nreceipt_key: [$.id, []]\nMAP",
            "empty-list",
            2,
            "recognises nothing",
        ),
        ("auth: none\nmap: []", "empty-list", 2, "at least one mapping"),
        (
            "auth: none\nmap: {reservation: {code: $.c}, token: t}",
            "unknown-key",
            2,
            "`token` stands beside `map`",
        ),
        ("token: [t, ~]\nMAP", "expected-text", 1, "this is nothing"),
        ("plain", "expected-settings", 1, "settings"),
    ] {
        let settings = settings.replace("MAP", map);
        let (source, report) = tried(&settings);
        let found = report
            .items
            .iter()
            .find(|item| item.code == code && item.title.contains(said));
        let Some(found) = found else {
            panic!("{settings}\n{}", report.render(|_| None));
        };
        let place = found.place.as_ref().unwrap();
        assert!(source.is_none(), "{settings}");
        if &*place.file == "config.yaml" {
            assert_eq!(place.line, line, "{settings}");
        }
    }
}

#[test]
fn what_a_source_as_a_whole_cannot_do_is_warned_of() {
    for (settings, warned) in [
        (
            "auth: none\nreservation: {code: $.c}",
            Some("reads no status, no arrival, no departure"),
        ),
        (
            "auth: none\nreservation: {code: $.c, status: $.s, check_in: $.a}",
            Some("reads no departure"),
        ),
        (
            "auth: none\nreservation: {code: $.c, status: $.s, check_in: $.a, check_out_date: $.b}",
            None,
        ),
        ("auth: none\nlearn: true\nreservation: {code: $.c}", None),
        ("auth: none\npayment: {id: $.p}", None),
        (
            "auth: none\nstays_of: pms\nreservation: {code: $.c}\npayment: {id: $.p}",
            None,
        ),
        (
            "auth: none\nreservation: {code: $.c}\npayment: {id: $.p}",
            Some("has no stays of its own"),
        ),
        (
            "preset: stripe\nsecret: abcdefghijklmnop",
            Some("has no stays of its own"),
        ),
        ("preset: stripe\nsecret: abcdefghijklmnop\nstays_of: pms", None),
        ("preset: mews\ntoken: abcdefghijklmnop", None),
    ] {
        let (source, report) = tried(settings);
        assert!(source.is_some(), "{settings}");
        let titles: Vec<&str> = report.items.iter().map(|item| item.title.as_str()).collect();
        match warned {
            None => assert!(titles.is_empty(), "{settings}: {titles:?}"),
            Some(part) => assert!(titles.len() == 1 && titles[0].contains(part), "{settings}: {titles:?}"),
        }
    }
}

#[test]
fn shared_settings_are_complained_about_once() {
    let (_, report) =
        tried("auth: none\nversion: {by: x}\nmap:\n  - reservation: {code: $.c}\n  - reservation: {code: $.d}");
    assert_eq!(report.items.len(), 1, "{}", report.render(|_| None));
}

#[test]
fn a_learning_source_needs_no_mapping() {
    let source = source("auth: none\nlearn: true\nrespond: {status: 202, body: OK}\nbody_max: 2 MiB");
    assert!(source.learn() && source.live_from().is_none() && !source.by_get());
    assert_eq!(source.body_max(), 2 << 20);
    assert_eq!(
        source.respond(),
        Some(&Respond {
            status: 202,
            body: Some("OK".into())
        })
    );
    assert!(matches!(
        source.map(&json(r#"{"a": 1}"#), &no_headers),
        Mapped::Unmapped(_)
    ));
    let live = super::source("preset: generic\nauth: none\nlive_from: 2026-11-22T12:00:00+02:00");
    assert_eq!(live.live_from().unwrap().to_rfc3339(), "2026-11-22T10:00:00+00:00");
}
