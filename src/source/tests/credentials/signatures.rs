//! Signatures in every form: right, wrong, forged, stale, doubled, oversized.

use proptest::prelude::*;

use super::*;

/// The body of all requests here that do not say another.
const BODY: &str = "{\"id\":\"evt_1\",\"n\":2}";

/// Three seconds before the time of receipt.
const SENT: &str = "1801126800";

type Headers = Vec<(String, String)>;

fn of(pairs: &[(&str, &str)]) -> Headers {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn posted_at(source: &Source, headers: &Headers, body: &str, late: TimeDelta) -> Result<(), &'static str> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        map.append(name.parse::<HeaderName>().unwrap(), value);
    }
    let request = Request {
        path_token: None,
        query: "",
        headers: &map,
        raw: body.as_bytes(),
        decoded: body.as_bytes(),
        client_ip: None,
        now: now() + late,
    };
    source.authenticate(&request).map_err(|denied| denied.reason)
}

fn posted(source: &Source, headers: &Headers) -> Result<(), &'static str> {
    posted_at(source, headers, BODY, TimeDelta::zero())
}

const STRIPE: &str = "auth: {stripe: {}}\nsecret: whsec_invented_9Q2v4k";
const STANDARD: &str = "auth: {standard_webhooks: {}}\nsecret: whsec_aW52ZW50ZWQta2V5LW9mLTMyLWJ5dGVzLWhlcmUhIQ==";
const LODGIX: &str = "auth: {hmac: {header: X-Lodgix-Signature, prefix: \"sha256=\", signed: \"{ts}.{body}\", \
                      timestamp: {header: X-Lodgix-Timestamp}}}\nsecret: lodgix-invented";
const ISO: &str = "auth: {hmac: {header: X-Sig, prefix: \"v1=\", signed: \"{ts}.{body}\", timestamp: {header: \
                   X-Time}}}\nsecret: iso-invented-secret";

/// What other programs have calculated.
fn recorded() -> Vec<(&'static str, Headers)> {
    let iso = |time, mac| (ISO, of(&[("x-time", time), ("x-sig", mac)]));
    vec![
        (
            "auth: {hmac: {header: Signature}}\nsecret: whs_invented_0a1b2c3d",
            of(&[(
                "signature",
                "5b832560eea1a915dfd7ac3d746033382908b97b6c26cc1f19fe23fdbe1e88c3",
            )]),
        ),
        (
            "auth: {hmac: {header: ms-signature, prefix: \"sha256=\"}}\nsecret: lodgify-invented-1",
            of(&[(
                "ms-signature",
                "sha256=bae83faa10e6d463b751bba83e4a71b44255530463fd917bc671e325ca91dbb3",
            )]),
        ),
        (
            LODGIX,
            of(&[
                ("x-lodgix-timestamp", SENT),
                (
                    "x-lodgix-signature",
                    "sha256=95b7f82948df4dcc2ec9dd655692b646d1238a6e72d197535389adb86e471eaa",
                ),
            ]),
        ),
        iso(
            "2027-01-28T09:00:00.250Z",
            "v1=9f5462f6ed49b46430c4e569a0620961a2ed46aa2114675080d6accb5d38b2ff",
        ),
        iso(
            "2027-01-28T10:00:00+01:00",
            "v1=fe177f1b799bc37ff94250088426cd0d4e6c12638744b84df73bbb1b21638bbb",
        ),
        iso(
            "1801126800123",
            "v1=3fa6596f10a1486db21174000c69e867e4fa2ffc052e17b07ac5df695d04ef57",
        ),
        (
            "auth: {hmac: {header: Signature, signed: \"{body | base64}\"}}\nsecret: base-invented-secret",
            of(&[(
                "signature",
                "2dbce10c3c548f0ba5e04a048014822d9bf0c20471511f0d116ff00fc7f221e2",
            )]),
        ),
        (
            "auth: {hmac: {header: Signature, signed: \"{ts}.{body|base64}\", timestamp: {header: X-Time}}}\nsecret: \
             base-invented-secret",
            of(&[
                ("x-time", SENT),
                (
                    "signature",
                    "1b277130b5c83c4edd3c49a11f438a180e28da177857bd3089e87c70c8525d87",
                ),
            ]),
        ),
        (
            STRIPE,
            of(&[(
                "stripe-signature",
                "t=1801126800,v1=dd358e856cfa819fb1e9f8d9841eca607d53576ba38bdb47a553bb7c09419595",
            )]),
        ),
        (
            STANDARD,
            of(&[
                ("webhook-id", "msg_1"),
                ("webhook-timestamp", SENT),
                ("webhook-signature", "v1,kvK9z7H3uELsYvkj9vGzTAJOD4nmUKiu8uhFJmTI9Vk="),
            ]),
        ),
        (
            STANDARD,
            of(&[
                ("svix-id", "msg_1"),
                ("svix-timestamp", SENT),
                ("svix-signature", "v1,kvK9z7H3uELsYvkj9vGzTAJOD4nmUKiu8uhFJmTI9Vk="),
            ]),
        ),
        (
            "auth: {hmac: {header: X-Sig, algorithm: sha512, encoding: base64, key: hex, key_after: \"k_\", signed: \
             \"{id}/{body}\", id: {header: X-Id}, separator: \";\", prefix: \"mac:\"}}\nsecret: k_00ff10a500ff10a500ff10a500ff10a5",
            of(&[
                ("x-id", "7"),
                (
                    "x-sig",
                    "mac:nAwqNPfri5mJrSH9gER+DVkvUlKzrXrQToFt5lkI1WslNfDmoAod/AeavsTI0R5PgNcgsqteV7lDWd8vjlfOkQ==",
                ),
            ]),
        ),
    ]
}

#[test]
fn signatures_that_others_have_made_are_believed_and_changed_ones_are_not() {
    for (settings, headers) in recorded() {
        let source = generic(settings);
        assert_eq!(posted(&source, &headers), Ok(()), "{settings}");
        let other_body = BODY.replace('2', "3");
        assert_eq!(
            posted_at(&source, &headers, &other_body, TimeDelta::zero()),
            Err("wrong signature"),
            "{settings}"
        );
        assert!(
            posted_at(&source, &headers, "", TimeDelta::zero()).is_err(),
            "{settings}"
        );
        // Another secret; one that is an old one beside the new.
        let (rest, secret) = settings.split_once("\nsecret: ").unwrap();
        let other = match secret.strip_suffix("==") {
            Some(_) => secret.replace("aW52", "aW53"),
            None => format!("{}0a0b0", &secret[..secret.len() - 5]),
        };
        assert_eq!(
            posted(&generic(&format!("{rest}\nsecret: {other}")), &headers),
            Err("wrong signature"),
            "{settings}"
        );
        let both = generic(&format!("{rest}\nsecret: [\"{other}\", \"{secret}\"]"));
        assert_eq!(posted(&both, &headers), Ok(()), "{settings}");
        for at in 0..headers.len() {
            let with = |value: &str| {
                let mut headers = headers.clone();
                headers[at].1 = value.to_owned();
                posted(&source, &headers)
            };
            let sent = headers[at].1.clone();
            for wrong in [
                "",
                " ",
                "v1,",
                "t=",
                "1",
                &"9".repeat(20_000),
                &"v1,AA== ".repeat(2_000),
                "né",
                "é",
                "\u{feff}",
            ] {
                assert!(with(wrong).is_err(), "{settings} {wrong:.20}");
            }
            assert!(with(&format!("{sent}é")).is_err(), "{settings}");
            // Bare hex is the same in either case.
            if sent.to_uppercase() != sent && headers[at].0 != "signature" {
                assert!(with(&sent.to_uppercase()).is_err(), "{settings}");
            }
            let mut less = headers.clone();
            less.remove(at);
            assert!(posted(&source, &less).is_err(), "{settings}");
            // Twice the same says the same; twice something else does not, unless it is a second signature.
            let mut twice = headers.clone();
            twice.push(headers[at].clone());
            assert_eq!(posted(&source, &twice), Ok(()), "{settings}");
            let signature = headers[at].0.contains("sig");
            for (first, wrong) in [(false, "1801126801"), (true, "1801126801"), (false, "é"), (true, "é")] {
                let mut twice = headers.clone();
                let pair = (headers[at].0.clone(), wrong.to_owned());
                twice.insert(if first { 0 } else { headers.len() }, pair);
                assert_eq!(posted(&source, &twice).is_ok(), signature, "{settings} {wrong}");
            }
        }
    }
}

#[test]
fn what_is_older_or_newer_than_the_tolerance_is_refused_whatever_else_is_right() {
    let with_time: Vec<_> = recorded()
        .into_iter()
        .filter(|(settings, _)| settings.contains("{ts}") || !settings.contains("hmac"))
        .collect();
    assert_eq!(with_time.len(), 8);
    for (settings, headers) in with_time {
        let source = generic(settings);
        for (late, expected) in [
            (296, Ok(())),
            (299, Err("timestamp outside of the tolerance")),
            (86_400, Err("timestamp outside of the tolerance")),
            (-302, Ok(())),
            (-305, Err("timestamp outside of the tolerance")),
        ] {
            let found = posted_at(&source, &headers, BODY, TimeDelta::seconds(late));
            assert_eq!(found, expected, "{settings} {late}");
        }
        let wider = match settings.replace("timestamp: {", "timestamp: {tolerance: 10m, ") {
            same if same == settings => settings.replace(": {}}", ": {tolerance: 10m}}"),
            wider => wider,
        };
        let found = posted_at(&generic(&wider), &headers, BODY, TimeDelta::seconds(590));
        assert_eq!(found, Ok(()), "{wider}");
    }
}

/// The example of the Standard Webhooks specification, which is years old.
#[test]
fn the_published_example_is_right() {
    let source = generic("auth: {standard_webhooks: {}}\nsecret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let headers = of(&[
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]);
    let body = "{\"test\": 2432232314}";
    let then = DateTime::from_timestamp(1_614_265_330, 0).unwrap() - now();
    assert_eq!(posted_at(&source, &headers, body, then), Ok(()));
    assert!(posted_at(&source, &headers, "{\"test\": 2432232315}", then).is_err());
    assert_eq!(
        posted_at(&source, &headers, body, TimeDelta::zero()),
        Err("timestamp outside of the tolerance")
    );
    let bare = generic("auth: {standard_webhooks: {}}\nsecret: MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert_eq!(posted_at(&bare, &headers, body, then), Ok(()));
}

#[test]
fn one_of_several_entries_is_enough_and_other_versions_do_not_count() {
    let right = "kvK9z7H3uELsYvkj9vGzTAJOD4nmUKiu8uhFJmTI9Vk=";
    let standard = generic(STANDARD);
    for (value, expected) in [
        (format!("v1,AAAA v1,{right}"), true),
        (format!("v1a,AAAA v2,BBBB  v1,{right} v1,"), true),
        (format!("v1a,{right}"), false),
        (format!("v2,{right}"), false),
        (format!("V1,{right}"), false),
        (right.to_owned(), false),
        (format!("v1, {right}"), false),
        (format!("v1,{right},v1,{right}"), false),
        (format!("{}v1,{right}", "v1,AAAA ".repeat(7)), true),
        (format!("{}v1,{right}", "v1,AAAA ".repeat(8)), false),
        // What is no signature is not counted as one.
        (format!("{}v1,{right}", "v1a,AAAA ".repeat(500)), true),
    ] {
        let headers = of(&[
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", SENT),
            ("webhook-signature", &value),
        ]);
        assert_eq!(posted(&standard, &headers).is_ok(), expected, "{value:.60}");
    }

    let right = "dd358e856cfa819fb1e9f8d9841eca607d53576ba38bdb47a553bb7c09419595";
    let stripe = generic(STRIPE);
    for (value, expected) in [
        (format!("t={SENT},v1=00,v1={right},v0=00"), true),
        (format!("v1={right}, t={SENT}"), true),
        (format!("t={SENT},t={SENT},v1={right}"), true),
        (format!("t={SENT},v0={right}"), false),
        (format!("t={SENT},{right}"), false),
        (format!("t={SENT},t=1801126801,v1={right}"), false),
        (format!("t=1801126801,t={SENT},v1={right}"), false),
        (format!("t=1801126801,v1={right}"), false),
        (format!("t={SENT}.0,v1={right}"), false),
        (format!("t=,v1={right}"), false),
        (format!("v1={right}"), false),
        (format!("t={SENT} v1={right}"), false),
        (format!("t={SENT}{},v1={right}", ",v1=00".repeat(15)), true),
        (format!("t={SENT}{},v1={right}", ",v1=00".repeat(16)), false),
    ] {
        let headers = of(&[("stripe-signature", &value)]);
        assert_eq!(posted(&stripe, &headers).is_ok(), expected, "{value:.60}");
    }
    // The time in one header, the signature in another of the same name; and two times.
    let apart = of(&[
        ("stripe-signature", &format!("t={SENT}")),
        ("stripe-signature", &format!("v1={right}")),
    ]);
    assert_eq!(posted(&stripe, &apart), Ok(()));
    let two = of(&[
        ("stripe-signature", &format!("t={SENT},v1={right}")),
        ("stripe-signature", &format!("t=1801126801,v1={right}")),
    ]);
    assert_eq!(posted(&stripe, &two), Err("several timestamps"));
}

#[test]
fn sixteen_signatures_are_looked_at_and_no_more() {
    let source = generic("auth: {hmac: {header: Signature}}\nsecret: whs_invented_0a1b2c3d");
    let right = "5b832560eea1a915dfd7ac3d746033382908b97b6c26cc1f19fe23fdbe1e88c3";
    for (before, expected) in [(15, true), (16, false)] {
        let mut headers: Headers = (0..before).map(|_| ("signature".to_owned(), "00".to_owned())).collect();
        headers.push(("signature".to_owned(), right.to_owned()));
        assert_eq!(posted(&source, &headers).is_ok(), expected);
    }
}

#[test]
fn headers_under_both_names_have_to_agree() {
    let source = generic(&format!("{STANDARD}\nreceipt_key: [header.svix-id, header.webhook-id]"));
    let signature = "v1,kvK9z7H3uELsYvkj9vGzTAJOD4nmUKiu8uhFJmTI9Vk=";
    let one = |name: &str| {
        let headers = [("id", "msg_1"), ("timestamp", SENT), ("signature", signature)];
        headers
            .map(|(end, value)| (format!("{name}-{end}"), value.to_owned()))
            .to_vec()
    };
    let both = [one("webhook"), one("svix")].concat();
    assert_eq!(posted(&source, &both), Ok(()));
    // An id that nobody signed beside one that is signed: a replay that would look new.
    for (name, value) in [
        ("svix-id", "msg_2"),
        ("svix-id", "msg_1"),
        ("svix-id", ""),
        ("svix-timestamp", SENT),
        ("svix-signature", signature),
    ] {
        let mut headers = one("webhook");
        headers.push((name.to_owned(), value.to_owned()));
        assert!(posted(&source, &headers).is_err(), "{name} {value}");
    }
    for (at, value) in [(3, "msg_2"), (4, "1801126801"), (5, "v1,AAAA"), (0, "msg_2")] {
        let mut headers = both.clone();
        headers[at].1 = value.to_owned();
        assert!(posted(&source, &headers).is_err(), "{at} {value}");
    }
    // Half of one and half of the other.
    for mixed in [[0, 1, 5], [0, 4, 2], [3, 1, 2], [3, 4, 2]] {
        let headers = mixed.map(|at| both[at].clone()).to_vec();
        assert!(posted(&source, &headers).is_err(), "{mixed:?}");
    }
    // Two deliveries, both signed, in one.
    let mut other = generic(STANDARD).sign(BODY.as_bytes(), now()).headers;
    other.extend(one("svix"));
    assert_eq!(posted(&source, &other), Err("several ids"));
}

#[test]
fn a_signed_id_recognises_what_comes_again_under_either_name() {
    let key = |source: &Source, headers: &Headers| {
        let header = |name: &str| {
            headers
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        };
        source.receipt_key(BODY.as_bytes(), &json(BODY), &header)
    };
    let webhook = of(&[("webhook-id", "msg_1"), ("webhook-timestamp", SENT)]);
    let svix = of(&[("svix-id", "msg_1"), ("svix-timestamp", SENT)]);
    let both = [webhook.clone(), svix.clone()].concat();
    for keys in [
        "[header.svix-id, header.webhook-id]",
        "[header.webhook-id]",
        "[header.svix-id]",
    ] {
        let source = generic(&format!("{STANDARD}\nreceipt_key: {keys}"));
        let found = key(&source, &webhook);
        assert!(found.weak.is_none());
        for again in [&svix, &both] {
            assert_eq!(key(&source, again).key, found.key, "{keys}");
        }
        assert_ne!(key(&source, &of(&[("svix-id", "msg_2")])).key, found.key);
    }
    // Where one name alone is signed, what stands under the other changes nothing.
    let svix_only = generic(
        "auth: {hmac: {header: X-Sig, signed: \"{id}.{body}\", id: {header: svix-id}}}\nsecret: s\nreceipt_key: header.svix-id",
    );
    let signed = svix_only.sign(BODY.as_bytes(), now()).headers;
    let mut again = signed.clone();
    again.insert(0, ("webhook-id".to_owned(), "new".to_owned()));
    assert_eq!(posted(&svix_only, &again), Ok(()));
    assert_eq!(key(&svix_only, &again).key, key(&svix_only, &signed).key);
}

#[test]
fn an_id_cannot_be_told_from_what_comes_before_it_in_two_ways() {
    let source = generic("auth: {hmac: {header: X-Sig, signed: \"{body}:{id}\", id: {header: X-Id}}}\nsecret: s");
    let mut headers = source.sign(b"a=1:b", now()).headers;
    assert_eq!(posted_at(&source, &headers, "a=1:b", TimeDelta::zero()), Ok(()));
    let id = headers.iter_mut().find(|(name, _)| name == "x-id").unwrap();
    id.1.insert_str(0, "b:");
    assert_eq!(
        posted_at(&source, &headers, "a=1", TimeDelta::zero()),
        Err("id not readable")
    );
}

#[test]
fn an_id_cannot_be_told_from_what_follows_it_in_two_ways() {
    let source = generic(
        "auth: {hmac: {header: X-Sig, signed: \"{id}.{body}\", id: {header: X-Id}}}\nsecret: s\nreceipt_key: header.X-Id",
    );
    let mut headers = source.sign(b"a.b=1", now()).headers;
    assert_eq!(posted_at(&source, &headers, "a.b=1", TimeDelta::zero()), Ok(()));
    // The same bytes are signed, cut at another place.
    let id = headers.iter_mut().find(|(name, _)| name == "x-id").unwrap();
    id.1.push_str(".a");
    assert_eq!(
        posted_at(&source, &headers, "b=1", TimeDelta::zero()),
        Err("id not readable")
    );
    let long = headers.iter_mut().find(|(name, _)| name == "x-id").unwrap();
    long.1 = "x".repeat(257);
    assert_eq!(
        posted_at(&source, &headers, "b=1", TimeDelta::zero()),
        Err("id not readable")
    );
}

#[test]
fn what_is_sent_from_here_is_believed_within_the_tolerance_and_known_when_it_comes_again() {
    for (settings, _) in recorded() {
        let source = generic(&format!("{settings}\nreceipt_key: [{{hash: body}}]"));
        let headers = source.sign(BODY.as_bytes(), now()).headers;
        for late in [0, 200] {
            let found = posted_at(&source, &headers, BODY, TimeDelta::seconds(late));
            assert_eq!(found, Ok(()), "{settings}");
        }
        let shown = format!("{source:?}");
        let secret = settings.split_once("\nsecret: ").unwrap().1;
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn check_says_what_is_asked_for() {
    for (settings, said) in [
        (
            STRIPE,
            "a signature in the header stripe-signature that is not older than 5m",
        ),
        (
            STANDARD,
            "a signature by Standard Webhooks in the header webhook-signature or svix-signature that is not older than 5m",
        ),
        (
            LODGIX,
            "a signature in the header x-lodgix-signature that is not older than 5m",
        ),
        (
            "auth: {hmac: {header: X-Sig}}\nsecret: s",
            "a signature in the header x-sig",
        ),
    ] {
        assert_eq!(generic(settings).asks_for(), said);
    }
}

#[test]
fn a_receipt_key_names_no_header_that_can_be_changed() {
    let id = "hmac: {header: X-A, signed: \"{id}:{body}\", id: {header: X-Id}}";
    let time = "hmac: {header: X-B, signed: \"{ts}:{body}\", timestamp: {header: X-Time}}";
    for (auth, header, fine) in [
        ("{stripe: {}}".to_owned(), "svix-id", false),
        ("{standard_webhooks: {}}".to_owned(), "svix-id", true),
        ("{standard_webhooks: {}}".to_owned(), "svix-timestamp", false),
        (format!("{{{id}}}"), "X-Id", true),
        (format!("{{{time}}}"), "X-Id", false),
        (format!("{{{time}}}"), "X-Time", true),
        (format!("[{{{id}}}, {{{time}}}]"), "X-Id", true),
        (format!("{{any: [{{{id}}}, {{{time}}}]}}"), "X-Id", false),
        // Who has the token can send anything anyway; who has only seen a signature cannot use that way.
        (format!("{{any: [{{token: {{}}}}, {{{id}}}]}}"), "X-Id", true),
        // But here a signed delivery gets in whose id is not signed.
        (
            format!("[{{any: [{{token: {{}}}}, {{{id}}}]}}, {{hmac: {{header: X-C}}}}]"),
            "X-Id",
            false,
        ),
        ("{token: {}}".to_owned(), "X-Id", true),
    ] {
        let secret = if auth == "{token: {}}" {
            ""
        } else {
            "secret: MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
        };
        let token = if auth.contains("token") { "token: t\n" } else { "" };
        let (source, report) = tried(&format!(
            "preset: generic\nauth: {auth}\n{secret}{token}receipt_key: header.{header}"
        ));
        let codes: Vec<_> = report
            .items
            .iter()
            .map(|item| item.code)
            .filter(|code| *code != "weak-credential")
            .collect();
        assert_eq!(source.is_some(), fine, "{auth} {header} {codes:?}");
        assert_eq!(codes.contains(&"unsigned-header"), !fine, "{auth} {header} {codes:?}");
    }
}

#[test]
fn secrets_that_hold_no_key_are_told_by_their_place() {
    for settings in [
        "auth: {standard_webhooks: {}}\nsecret: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, \"whsec_not*base64*at*all\"]",
        "auth: {standard_webhooks: {}}\nsecret: whsec_",
        "auth: {hmac: {header: X, key: hex}}\nsecret: not-in-hex-0123456789",
        "auth: {hmac: {header: X, key_after: whsec_}}\nsecret: whsec_",
        "auth: {hmac: {header: X, key: base64}}\nsecret: \"***not-base64***\"",
    ] {
        let (source, report) = tried(&format!("preset: generic\n{settings}"));
        assert!(source.is_none());
        let found: Vec<_> = report.items.iter().filter(|item| item.code == "bad-key").collect();
        let [only] = found.as_slice() else {
            panic!("{settings}: {}", report.render(|_| None));
        };
        assert_eq!(only.place.as_ref().unwrap().line, 3, "{settings}");
        let text = format!("{} {:?}", only.title, only.help);
        for part in ["not*", "not-", "***", "at*all"] {
            assert!(!text.contains(part), "{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn one_byte_changed_in_anything_that_is_signed_is_seen(pick in any::<prop::sample::Index>(), to in 0x21_u8..0x7f) {
        for (settings, headers) in recorded() {
            let source = generic(settings);
            let change = |text: &str| {
                let mut bytes = text.as_bytes().to_vec();
                let at = pick.index(bytes.len());
                bytes[at] = to;
                String::from_utf8(bytes).unwrap()
            };
            let body = change(BODY);
            if body != BODY {
                let found = posted_at(&source, &headers, &body, TimeDelta::zero());
                prop_assert_eq!(found, Err("wrong signature"), "{} {}", settings, body);
            }
            for at in 0..headers.len() {
                let (name, value) = &headers[at];
                let mut headers = headers.clone();
                headers[at].1 = change(value);
                // Digits of a signature in hex are the same in either case.
                let same = name.contains("sig") && headers[at].1.eq_ignore_ascii_case(value) && !value.contains('/');
                if !same && headers[at].1 != *value {
                    prop_assert!(posted(&source, &headers).is_err(), "{} {:?}", settings, headers[at]);
                }
            }
        }
    }
}
