//! Where tokens stand, and which of several schemes a source asks for.

use super::*;

/// A request with this body.
fn posted(source: &Source, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(), &'static str> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    let request = Request {
        path_token: None,
        query,
        headers: &headers,
        raw: body,
        decoded: body,
        client_ip: None,
        now: now(),
    };
    source.authenticate(&request).map_err(|denied| denied.reason)
}

#[test]
fn a_token_stands_where_it_is_said_to_and_nowhere_else() {
    let long = "0123456789abcdef";
    let bearer = format!("Bearer {long}");
    let in_body = format!("{{\"auth\": {{\"token\": \"{long}\"}}}}");
    let (query, other) = (format!("a=1&my+key={long}"), format!("token={long}"));
    let places = ["{query: my key}", "{body: $.auth.token}", "{header: X-Token}", "{}"];
    // What each of them takes of: the parameter, the body, the header, `?token=`, a bearer token.
    let taken = [
        [true, false, false, false, false],
        [false, true, false, false, false],
        [false, false, true, false, false],
        [false, false, false, true, true],
    ];
    for (place, taken) in places.iter().zip(taken) {
        let source = generic(&format!("auth: {{token: {place}}}\ntoken: {long}"));
        let requests = [
            posted(&source, &query, &[], b"{}"),
            posted(&source, "", &[], in_body.as_bytes()),
            posted(&source, "", &[("x-token", long)], b"{}"),
            posted(&source, &other, &[], b"{}"),
            posted(&source, "", &[("authorization", &bearer)], b"{}"),
        ];
        assert_eq!(requests.map(|one| one.is_ok()), taken, "{place}");
    }
}

#[test]
fn a_token_in_the_body_is_a_text_or_a_number_in_a_body_that_can_be_read() {
    let source = generic("auth: {token: {body: '$..Key'}}\ntoken: [\"7\", long]");
    for (body, expected) in [
        ("{\"Key\": \"long\"}", Ok(())),
        ("{\"Key\": 7}", Ok(())),
        ("[{\"Key\": null}, {\"Key\": \"long\"}]", Ok(())),
        ("{\"Key\": \"longer\"}", Err("wrong token")),
        ("{\"Key\": \"\"}", Err("wrong token")),
        ("{\"Key\": [\"long\"]}", Err("no token")),
        ("{\"Key\": null}", Err("no token")),
        ("{\"key\": \"long\"}", Err("no token")),
        ("{\"Key\": \"long\"", Err("body not readable")),
        ("", Err("body not readable")),
    ] {
        assert_eq!(posted(&source, "", &[], body.as_bytes()), expected, "{body}");
    }
    let many = format!("[{}]", "{\"Key\": \"guess\"},".repeat(200).trim_end_matches(','));
    assert_eq!(posted(&source, "", &[], many.as_bytes()), Err("wrong token"));
    let hidden = many.replacen("]", ",{\"Key\": \"long\"}]", 1);
    assert_eq!(
        posted(&source, "", &[], hidden.as_bytes()),
        Err("wrong token"),
        "guesses are bounded"
    );
    // What is sent by `send` keeps its body.
    assert_eq!(source.sign(b"{}", now()).path_and_query, "/hooks/lab");
    assert_eq!(source.asks_for(), "a token in the body at $..Key");
}

#[test]
fn nothing_is_read_of_a_body_before_all_else_holds() {
    let all = "[{token: {body: $.key}}, {all: [{token: {body: $.key}}, {basic: {}}]}, {hmac: {header: X-Sig}}]";
    let source = generic(&format!(
        "auth: {all}\ntoken: long\nsecret: one\nbasic: {{username: a, password: b}}"
    ));
    // The body cannot be read, which nobody gets to see as long as the signature and the password are wrong.
    assert_eq!(posted(&source, "", &[], b"{"), Err("no user and password"));
    let basic = ("authorization", "Basic YTpi");
    assert_eq!(posted(&source, "", &[basic], b"{"), Err("no signature"));
    assert_eq!(
        posted(&source, "", &[basic, ("x-sig", "00")], b"{"),
        Err("wrong signature")
    );
    let signed = source.sign(b"{", now());
    let headers: Vec<(&str, &str)> = signed.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(posted(&source, "", &headers, b"{"), Err("body not readable"));
    assert_eq!(
        source.asks_for(),
        "user a with a password and a signature in the header x-sig and a token in the body at $.key and a token in the \
         body at $.key"
    );
}

#[test]
fn a_sent_request_takes_the_place_that_can_be_signed_for() {
    let either = generic("auth: {any: [{token: {body: $.key}}, {token: {query: k y}}]}\ntoken: \"a b\"");
    assert_eq!(either.sign(b"{}", now()).path_and_query, "/hooks/lab?k%20y=a%20b");
    assert_eq!(posted(&either, "k%20y=a%20b", &[], b"{}"), Ok(()));
    assert_eq!(posted(&either, "", &[], b"{\"key\": \"a b\"}"), Ok(()));
    assert!(posted(&either, "k%20y=a", &[], b"{\"key\": \"a\"}").is_err());
}

#[test]
fn alternatives_without_a_credential_are_left_out() {
    let any = "auth: {any: [{basic: {}}, {token: {}}, [{token: {header: X-Key}}, {hmac: {header: X-Sig}}]]}";
    let basic = "basic: {username: a, password: b}";
    for (credentials, asked) in [
        ("token: t", "a token in the path, the query or as bearer"),
        (basic, "user a with a password"),
        (
            "token: t\nsecret: s",
            "either a token in the path, the query or as bearer or a token in the header x-key and a signature in the \
             header x-sig",
        ),
        (
            "token: t\nbasic: {username: a, password: b}",
            "either user a with a password or a token in the path, the query or as bearer",
        ),
    ] {
        assert_eq!(
            generic(&format!("{any}\n{credentials}")).asks_for(),
            asked,
            "{credentials}"
        );
    }
    let both = generic("auth: {any: [{token: {}}, {token: {header: X-Hook}}]}\ntoken: t");
    assert_eq!(posted(&both, "token=t", &[], b"{}"), Ok(()));
    assert_eq!(posted(&both, "", &[("x-hook", "t")], b"{}"), Ok(()));
    assert!(posted(&both, "token=x", &[("x-hook", "x")], b"{}").is_err());
}

#[test]
fn what_only_an_alternative_asks_for_that_is_left_out_holds_by_itself() {
    // Without a user the first alternative goes; the token, which nobody else asks for, has to be shown all the same.
    let source =
        generic("auth: {any: [[{token: {header: X-Key}}, {basic: {}}], {hmac: {header: X-Sig}}]}\ntoken: t\nsecret: s");
    assert_eq!(
        source.asks_for(),
        "a signature in the header x-sig and a token in the path, the query or as bearer"
    );
    let (none, report) = tried(
        "preset: generic\nauth: {any: [[{hmac: {header: X-Sig}}, {basic: {}}], {token: {}}]}\ntoken: t\nsecret: s",
    );
    assert!(none.is_none());
    assert_eq!(
        report
            .items
            .iter()
            .filter(|item| item.code == "unused-credential")
            .count(),
        1
    );
}

#[test]
fn where_no_alternative_remains_each_is_named() {
    for (auth, title, help) in [
        (
            "{any: [{basic: {}}, {token: {}}]}",
            "the source `lab` has neither `basic` nor `token`, one of which its `auth` asks for",
            "add `basic: {username: …, password: \"${LAB_PASSWORD}\"}`, or `token: \"${LAB_TOKEN}\"` to the source",
        ),
        (
            "{any: [{token: {}}, {token: {header: X}}]}",
            "the source `lab` has no `token`, which its `auth` asks for",
            "add `token: \"${LAB_TOKEN}\"` to the source",
        ),
        (
            "{any: [[{token: {}}, {hmac: {header: X}}], {any: [{basic: {}}]}]}",
            "the source `lab` has neither `basic` nor `secret` and `token`, one of which its `auth` asks for",
            "add `basic: {username: …, password: \"${LAB_PASSWORD}\"}`, or `secret: \"${LAB_SECRET}\"` and `token: \
             \"${LAB_TOKEN}\"` to the source",
        ),
    ] {
        let (source, report) = tried(&format!("preset: generic\nauth: {auth}"));
        assert!(source.is_none());
        let found: Vec<_> = report
            .items
            .iter()
            .map(|item| (item.code, item.title.as_str()))
            .collect();
        assert_eq!(found, [("missing-credential", title)], "{auth}");
        assert_eq!(report.items[0].help.as_deref(), Some(help), "{auth}");
    }
}

#[test]
fn schemes_with_nothing_in_them_leave_nobody_in() {
    for auth in [
        "{}",
        "{all: {}}",
        "[{}, {all: [{}]}]",
        "{any: [{}]}",
        "{any: []}",
        "{any: {all: {}}}",
    ] {
        let (source, report) = tried(&format!("preset: generic\nauth: {auth}"));
        assert!(source.is_none(), "{auth}");
        assert!(report.items.iter().any(|item| item.code == "no-auth"), "{auth}");
    }
}

#[test]
fn auth_in_the_source_replaces_that_of_the_preset() {
    let own = source("preset: hostelmate\nauth: {token: {header: X-Own}}\ntoken: t");
    assert_eq!(own.asks_for(), "a token in the header x-own");
    let open = source("preset: hospitable-v1\nauth: none");
    assert_eq!(open.asks_for(), "nothing (anybody may post)");
}
