#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use super::*;
use crate::lang::yaml;

fn read(text: &str) -> (Option<Connection>, String) {
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", text, &mut report).unwrap();
    let files = |path: &str| match path {
        "ca.pem" => Ok("nonsense".to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let found = compile_connection("c", &node, &files, &mut report);
    let said: Vec<_> = report.items.iter().map(|item| item.title.clone()).collect();
    (found, said.join("; "))
}

#[test]
fn settings_and_their_defaults() {
    let (found, said) = read(
        "http: {base_url: https://api.example.com/v1, headers: {Authorization: Bearer s3cr3t-token}, timeout: 5s, concurrency: 2, rate: 100/m}",
    );
    assert_eq!(said, "");
    let found = found.unwrap();
    assert_eq!((found.timeout, found.concurrency), (Duration::from_secs(5), 2));
    let minute = Duration::from_secs(60);
    assert_eq!(
        found.rate,
        Some(Rate {
            count: 100,
            per: minute
        })
    );
    assert!(!format!("{found:?}").contains("s3cr3t"), "{found:?}");
    assert_eq!(found.hide("you sent s3cr3t-token."), "you sent ***.");

    let (found, _) = read("http: {base_url: http://192.168.1.5:8123, basic: {username: pms, password: geheim1}}");
    let found = found.unwrap();
    assert_eq!(
        (found.timeout, found.concurrency, found.rate),
        (Duration::from_secs(10), 4, None)
    );
    let ConnectionKind::Http(http) = &found.kind else {
        panic!()
    };
    assert_eq!(http.headers[0].1.reveal(), "Basic cG1zOmdlaGVpbTE=");

    assert_eq!(
        found.hide("`pms:geheim1` (cG1zOmdlaGVpbTE=, Z2VoZWltMQ==) is not welcome"),
        "`pms:***` (***, ***==) is not welcome"
    );
    let (found, _) =
        read("http: {base_url: 'https://chat.example/services/T012/b3f9c2d4e5f6a7b8', headers: {X-Key: 'a\"b c/d'}}");
    let found = found.unwrap();
    assert_eq!(
        found.hide("no /services/T012/b3f9c2d4e5f6a7b8"),
        "no /services/T012/***"
    );
    let repeated =
        serde_json::json!({"id": 7, "got": ["a\"b c/d", "k=a%22b%20c%2Fd"], "a\"b c/d": "{\"k\":\"a\\\"b c/d\"}"});
    assert_eq!(
        found.hide_within(repeated),
        serde_json::json!({"id": 7, "got": ["***", "k=***"], "***": "{\"k\":\"***\"}"})
    );
    let (found, _) = read("smtp: {host: mail.example, username: stays, password: geheim1, from: a@b.example}");
    assert_eq!(
        found
            .unwrap()
            .hide("AUTH PLAIN AHN0YXlzAGdlaGVpbTE= is refused, geheim1 too"),
        "AUTH PLAIN *** is refused, *** too"
    );

    for (written, port, tls) in [
        ("", 465, Tls::Implicit),
        ("port: 465, tls: required,", 465, Tls::Implicit),
        ("port: 587, tls: required,", 587, Tls::Starttls),
        ("port: 587,", 587, Tls::Starttls),
        ("tls: starttls,", 587, Tls::Starttls),
        ("port: 2465, tls: implicit,", 2465, Tls::Implicit),
        ("tls: none,", 25, Tls::None),
    ] {
        let (found, said) = read(&format!(
            "smtp: {{host: localhost, {written} username: u, password: geheim1, from: 'Stays <stays@example.com>'}}"
        ));
        let Some(ConnectionKind::Smtp(smtp)) = found.map(|found| found.kind) else {
            panic!("{written}: {said}")
        };
        assert_eq!((smtp.port, smtp.tls), (port, tls), "{written}");
        assert!(!format!("{smtp:?}").contains("geheim"), "{smtp:?}");
    }
}

#[test]
fn mistakes() {
    for (text, said) in [
        ("{}", "the connection `c` says nothing"),
        ("seam: {api_key: x}", "`seam` has no effect in this version yet"),
        ("journal: {file: x}", "`journal` has no effect in this version yet"),
        ("htp: {}", "a connection has no setting called `htp`"),
        (
            "{http: {base_url: https://a.example}, smtp: {host: a, from: a@b}}",
            "a connection is either `http` or `smtp`, not both",
        ),
        ("http: {}", "an `http` connection needs `base_url`"),
        (
            "http: {base_url: api.example.com}",
            "`base_url` is not a complete address",
        ),
        (
            "http: {base_url: ftp://a.example}",
            "`base_url` begins with `https://` or `http://`",
        ),
        (
            "http: {base_url: https://u:p@a.example}",
            "`base_url` holds a user name or password",
        ),
        (
            "http: {base_url: https://a.example?k=1}",
            "`base_url` ends before `?` and `#`",
        ),
        (
            "http: {base_url: http://169.254.169.254}",
            "`base_url` is an address that nothing is sent to",
        ),
        (
            "http: {base_url: http://0x0}",
            "`base_url` is an address that nothing is sent to",
        ),
        (
            "http: {base_url: 'http://[::ffff:a9fe:a9fe]/'}",
            "`base_url` is an address that nothing is sent to",
        ),
        (
            "http: {base_url: http://a.example, timeout: 26s}",
            "`timeout` is from 1s to 25s; whatever takes longer should be asked for later",
        ),
        (
            "http: {base_url: http://a.example, concurrency: 0}",
            "`concurrency` is a whole number from 1 to 64",
        ),
        (
            "http: {base_url: http://a.example, rate: fast}",
            "`rate` is so many a second or a minute: `5/s`, `100/m`",
        ),
        (
            "http: {base_url: http://a.example, rate: 0/s}",
            "`rate` is so many a second or a minute: `5/s`, `100/m`",
        ),
        (
            "http: {base_url: http://a.example, headers: {Host: x}}",
            "the header `Host` is set by Stayhook itself",
        ),
        (
            "http: {base_url: http://a.example, headers: {X-A: \"s\\r\\nX-B: 1\"}}",
            "the value of the header `X-A` holds characters that no header may have",
        ),
        (
            "http: {base_url: http://a.example, headers: {Authorization: x}, basic: {username: a, password: b}}",
            "`basic` and a header `Authorization` exclude each other",
        ),
        ("smtp: {host: a.example}", "an `smtp` connection needs `from`"),
        (
            "smtp: {host: a.example, from: 'a@b, c@d'}",
            "`from` is more than one address, or none",
        ),
        (
            "smtp: {host: 'a b', from: a@b}",
            "`host` is the name or address of a mail server",
        ),
        (
            "smtp: {host: a.example, from: a@b, tls: none, username: u, password: p}",
            "with `tls: none` the password would cross the network readable",
        ),
        (
            "smtp: {host: a.example, from: a@b, username: u}",
            "`username` and `password` stand together or not at all",
        ),
        (
            "smtp: {host: a.example, from: a@b, username: u, password: ''}",
            "`password` is empty",
        ),
        (
            "smtp: {host: a.example, from: a@b, username: '', password: p}",
            "`username` is empty",
        ),
        (
            "smtp: {host: a.example, from: a@b, username: u, password: \"p\\nq\"}",
            "`password` holds a line break or another control character",
        ),
        (
            "http: {base_url: http://a.example, basic: {username: u, password: ''}}",
            "`password` is empty",
        ),
        (
            "smtp: {host: a.example, from: a@b, ca_file: no.pem}",
            "`ca_file` has to be a certificate in PEM form: there is no such file",
        ),
        (
            "smtp: {host: a.example, from: a@b, tls: off}",
            "`tls` is one of `required`, `starttls`, `implicit` or `none`",
        ),
    ] {
        let (found, told) = read(text);
        assert!(found.is_none() && told == said, "{text}: {told}");
    }
    let (found, said) = read("smtp: {host: mail.example, from: a@b, tls: none}");
    assert!(found.is_some() && said == "with `tls: none` mail crosses the network readable");
}
