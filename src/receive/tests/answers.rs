//! What each kind of request is told.

use std::io::Write as _;

use super::*;

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// 200 MiB of zeros as gzip, made without ever holding them.
fn bomb() -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..200 {
        writer.write_all(&vec![0; 1 << 20]).unwrap();
    }
    writer.finish().unwrap()
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let lab = Lab::start().await;
    let post = |body: &str| Sent::post("/hooks/lab", body);
    let bytes = |body: &[u8]| Sent::post("/hooks/lab", body);
    let json = |kind: &str| post(r#"{"a": 1}"#).header("Content-Type", kind);
    let packed = |body: &[u8]| bytes(body).header("Content-Encoding", "gzip");
    let chunked = |path: &str, body: &str| Sent::post(path, body).header("Transfer-Encoding", "chunked");
    let half_gzip = gzip(br#"{"a": 1}"#)[..12].to_vec();
    let cases = [
        // Where it goes.
        (
            "no such source",
            Sent::post("/hooks/nobody", "{}"),
            404,
            "unknown-source",
        ),
        (
            "no such source, token",
            Sent::post("/hooks/nobody/t", "{}"),
            404,
            "unknown-source",
        ),
        (
            "no such source, GET",
            Sent::post("/hooks/nobody", "").method("GET"),
            404,
            "unknown-source",
        ),
        (
            "no such source, PUT",
            Sent::post("/hooks/nobody", "").method("PUT"),
            404,
            "unknown-source",
        ),
        (
            "a name that is not UTF-8",
            Sent::post("/hooks/%ff%fe", "{}"),
            404,
            "unknown-source",
        ),
        (
            "a name with a slash in it",
            Sent::post("/hooks/a%2flab", "{}"),
            404,
            "unknown-source",
        ),
        ("another page", Sent::post("/", "{}"), 404, "not-found"),
        ("hooks alone", Sent::post("/hooks/", "{}"), 404, "not-found"),
        ("too many parts", Sent::post("/hooks/lab/a/b", "{}"), 404, "not-found"),
        (
            "too many parts for any",
            Sent::post("/hooks/by-path/a/b/c", "{}"),
            404,
            "not-found",
        ),
        (
            "no token among the parts",
            Sent::post("/hooks/by-path/a/b", "{}"),
            401,
            "unauthenticated",
        ),
        ("PUT", post("").method("PUT"), 405, "method"),
        ("DELETE", post("").method("DELETE"), 405, "method"),
        ("OPTIONS", post("").method("OPTIONS"), 405, "method"),
        (
            "much to nobody",
            Sent::post("/hooks/nobody", vec![b' '; 3 << 20]),
            404,
            "unknown-source",
        ),
        // How it is wrapped.
        (
            "brotli",
            post("{}").header("Content-Encoding", "br"),
            415,
            "content-encoding",
        ),
        (
            "gzip twice",
            post("{}").header("Content-Encoding", "gzip, gzip"),
            415,
            "content-encoding",
        ),
        ("not gzip at all", packed(b"{}"), 400, "broken-gzip"),
        ("half a gzip", packed(&half_gzip), 400, "broken-gzip"),
        ("a bomb", packed(&bomb()), 413, "too-large"),
        ("a file", json("multipart/form-data; boundary=b"), 415, "content-type"),
        (
            "no such charset",
            json("application/json; charset=klingon"),
            415,
            "charset",
        ),
        ("cut UTF-16", bytes(b"\xff\xfe{"), 400, "not-in-charset"),
        (
            "a form that is not UTF-8",
            post("a=%ff").header("Content-Type", FORM),
            400,
            "not-utf-8",
        ),
        (
            "a form of 5,001 fields",
            post(&"a=1&".repeat(5001)).header("Content-Type", FORM),
            400,
            "too-many-fields",
        ),
        ("XML", json("application/xml"), 415, "content-type"),
        ("text", json("text/plain; charset=utf-8"), 415, "content-type"),
        ("a type that is none", json("json"), 415, "content-type"),
        // How large it is.
        ("1 byte too much", bytes(&vec![b' '; (1 << 20) + 1]), 413, "too-large"),
        ("3 MiB", bytes(&vec![b'x'; 3 << 20]), 413, "too-large"),
        (
            "a lie of 1 TiB",
            post("{}").header("Content-Length", "1099511627776"),
            413,
            "too-large",
        ),
        (
            "4 KiB where 2 are taken",
            Sent::post("/hooks/small", vec![b'1'; 4096]),
            413,
            "too-large",
        ),
        (
            "3 MB announced, not sent before it is asked for",
            post("")
                .header("Content-Length", "3000000")
                .header("Expect", "100-continue"),
            413,
            "too-large",
        ),
        (
            "4 KiB in chunks",
            chunked("/hooks/small", &format!("1000\r\n{}\r\n0\r\n\r\n", "1".repeat(4096))),
            413,
            "too-large",
        ),
        (
            "chunks that are none",
            chunked("/hooks/lab", "zz\r\n{}\r\n0\r\n\r\n"),
            400,
            "cut-off",
        ),
        // What it says.
        ("no JSON", post("hello"), 400, "not-json"),
        ("half a JSON", post(r#"{"a": "#), 400, "not-json"),
        ("two JSONs", post("{} {}"), 400, "not-json"),
        ("a form without a type", post("a=1&b=2"), 400, "not-json"),
        ("NUL bytes", bytes(b"\0\0\0\0"), 400, "not-json"),
        ("a NUL byte in a text", bytes(b"{\"a\": \"\0\"}"), 400, "not-json"),
        ("half a surrogate", post(r#"{"a": "\ud800"}"#), 400, "not-json"),
        ("not UTF-8", bytes(b"{\"a\": \"\xff\xfe\"}"), 400, "not-utf-8"),
        ("129 levels", post(&nested(129)), 400, "too-deep"),
        ("10,000 levels", post(&nested(10_000)), 400, "too-deep"),
        (
            "10,000 levels, never closed",
            post(&r#"{"a":["#.repeat(10_000)),
            400,
            "too-deep",
        ),
        ("NaN", post("NaN"), 400, "not-json"),
    ];
    for (what, sent, status, problem) in &cases {
        let answer = lab.send(sent).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (*status, *problem),
            "{what}"
        );
        assert_eq!(
            answer.header("allow"),
            if *status == 405 { "GET, HEAD, POST" } else { "" },
            "{what}"
        );
    }
    assert_eq!(lab.deliveries().await, 0);
    assert_eq!(lab.woken.load(Ordering::SeqCst), 0);
    // After all that it is as good as new.
    assert!(!lab.post("/hooks/lab", "{}").await.stored().1);
}

#[tokio::test]
async fn what_is_well_formed_is_stored() {
    let lab = Lab::start().await;
    let post = |body: &str| Sent::post("/hooks/lab", body);
    let bytes = |body: &[u8]| Sent::post("/hooks/lab", body);
    let kind = |n: u8, kind: &str| post(&format!(r#"{{"kind": {n}}}"#)).header("Content-Type", kind);
    let encoding = |n: u8, word: &str| post(&format!(r#"{{"encoding": {n}}}"#)).header("Content-Encoding", word);
    let packed = Sent::post("/hooks/lab", gzip(br#"{"packed": 1}"#));
    let cases = [
        ("an object", post(r#"{"a": 1}"#)),
        ("a number alone", post("7")),
        ("a text alone", post(r#""seven""#)),
        ("null", post("null")),
        ("an empty object", post("{}")),
        ("a key that is there twice", post(r#"{"a": 1, "a": 2}"#)),
        ("NUL as it is written in JSON", post(r#"{"a": "\u0000"}"#)),
        ("127 levels", post(&nested(127))),
        ("128 levels", post(&nested(128))),
        ("a number of a hundred digits", post(&"7".repeat(100))),
        ("a byte order mark", post("\u{feff}{\"mark\": 1}")),
        ("JSON", kind(1, "application/json")),
        (
            "JSON in capitals, with a character set",
            kind(2, "Application/JSON; charset=UTF-8"),
        ),
        ("JSON by another name", kind(3, "application/vnd.api+json")),
        ("JSON as text", kind(4, "text/json")),
        ("an empty type", kind(5, "")),
        ("gzip", packed.clone().header("Content-Encoding", "gzip")),
        ("as it is", encoding(1, "identity")),
        (
            "in chunks",
            post("3\r\n{\"c\r\n7\r\n\": \"1\"}\r\n0\r\n\r\n").header("Transfer-Encoding", "chunked"),
        ),
        (
            "1 MiB",
            Sent::post("/hooks/lab", [vec![b' '; (1 << 20) - 2], b"11".to_vec()].concat()),
        ),
        ("a slash at the end", Sent::post("/hooks/lab/", r#"{"slash": 1}"#)),
        ("a form", post("a=1&b=Zo%C3%AB").header("Content-Type", FORM)),
        (
            "JSON said to be a form",
            post(r#"{"curl": 1}"#).header("Content-Type", FORM),
        ),
        (
            "UTF-16",
            bytes(b"\xff\xfe\"\0\xeb\0\"\0").header("Content-Type", "application/json; charset=utf-16"),
        ),
        (
            "a token nobody asked for",
            Sent::post("/hooks/lab/%ff", r#"{"token": 1}"#),
        ),
    ];
    for (what, sent) in &cases {
        let answer = lab.send(sent).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        assert!(!answer.stored().1, "{what}");
    }
    // Packed another way it is the same delivery.
    let twice = lab.send(&packed.header("Content-Encoding", "identity, x-gzip")).await;
    assert!(twice.stored().1);
    // In another charset it is the same delivery too.
    let utf_8 = lab.post("/hooks/lab", "\"ë\"").await;
    assert!(utf_8.stored().1);
    assert_eq!(lab.deliveries().await, cases.len() as u64);
    assert_eq!(lab.woken.load(Ordering::SeqCst), cases.len());
    assert_eq!(lab.counted.stored.load(Ordering::SeqCst), cases.len());
    assert_eq!(lab.counted.duplicates.load(Ordering::SeqCst), 2);
    assert!(lab.counted.rejected.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_only_asks_whether_anybody_is_there_is_told() {
    let lab = Lab::start().await;
    for case in ["01-head", "02-get", "03-empty-post"] {
        let answer = lab.send(&Sent::recorded("_transport", case)).await;
        assert_eq!(answer.status, 200, "{case}");
        assert_eq!(answer.body.is_empty(), case == "01-head");
    }
    let empty = lab.post("/hooks/lab", " \r\n").await;
    assert_eq!((empty.status, empty.body.as_str()), (200, r#"{"ping": true}"#));
    let packed = Sent::post("/hooks/lab", gzip(b"")).header("Content-Encoding", "gzip");
    assert_eq!(lab.send(&packed).await.body, r#"{"ping": true}"#);
    assert_eq!(lab.deliveries().await, 0);
}

#[tokio::test]
async fn what_a_get_says_is_a_delivery_where_the_source_says_so() {
    let lab = Lab::start().await;
    let get = |path: &str| Sent::post(path, "").method("GET");
    // Nothing said: a try, of anybody.
    for path in [
        "/hooks/get",
        "/hooks/get?token=wrong",
        "/hooks/get/?&token=open-7f2c9d1e&",
        "/hooks/lab?a=1",
    ] {
        let answer = lab.send(&get(path)).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"ping": true}"#),
            "{path}"
        );
    }
    let head = lab
        .send(&get("/hooks/get?a=1&token=open-7f2c9d1e").method("HEAD"))
        .await;
    assert_eq!((head.status, lab.deliveries().await), (200, 0));
    for (path, status, problem) in [
        ("/hooks/get?a=1", 401, "unauthenticated"),
        ("/hooks/get?a=1&token=wrong", 401, "unauthenticated"),
        ("/hooks/get/open-7f2c9d1e?a=%ff", 400, "not-utf-8"),
        (
            &format!("/hooks/only-get/open-7f2c9d1e?a={}", "x".repeat(2048)),
            413,
            "too-large",
        ),
        (
            &format!("/hooks/get/open-7f2c9d1e?{}", "a&".repeat(5001)),
            400,
            "too-many-fields",
        ),
    ] {
        let answer = lab.send(&get(path)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{path}");
    }
    for (method, allow) in [("POST", "GET, HEAD"), ("PUT", "GET, HEAD")] {
        let answer = lab.send(&Sent::post("/hooks/only-get", "{}").method(method)).await;
        assert_eq!((answer.problem().as_str(), answer.header("allow")), ("method", allow));
    }
    let json = get("/hooks/get?token=open-7f2c9d1e&code=A+1&x=%7B").header("Content-Type", "application/json");
    assert!(!lab.send(&json).await.stored().1);
    assert!(
        lab.send(&get("/hooks/get/open-7f2c9d1e?x=%7b&code=A%201"))
            .await
            .stored()
            .1
    );
    assert!(!lab.post("/hooks/get/open-7f2c9d1e", r#"{"code": 1}"#).await.stored().1);
    let mut conn = lab.second_connection().await;
    let sql = "SELECT body, headers FROM deliveries ORDER BY seq";
    let rows: Vec<(Vec<u8>, String)> = sqlx::query_as(sql).fetch_all(&mut conn).await.unwrap();
    assert_eq!(rows[0].0, b"code=A+1&x=%7B");
    assert_eq!(rows[0].1, format!(r#"{{"content-type":"{FORM}"}}"#));
    assert_eq!((rows.len(), rows[1].0.as_slice()), (2, &br#"{"code": 1}"#[..]));
}

#[tokio::test]
async fn tries_and_handshakes_are_answered_and_not_stored() {
    let lab = Lab::start().await;
    let post = |body: &str| Sent::post("/hooks/greeting/open-7f2c9d1e", body);
    let ping = r#"{"ping": true}"#;
    let (most, more) = ("x".repeat(1000), "x".repeat(1001));
    let word = |word: &str| format!(r#"{{"challenge": "{word}"}}"#);
    for (sent, status, body) in [
        (post(r#"{"topic": "System"}"#), 200, ping),
        (post(r#"{"topic": "system", "type": "healthcheck"}"#), 200, ping),
        (post(r#"{"a": 1}"#).header("X-Try", "yes"), 200, ping),
        (
            post(r#"{"challenge": "<b>Zoë</b>", "topic": "system"}"#),
            200,
            "<b>Zoë</b>",
        ),
        (
            post(r#"{"challenge": 12345678901234567890.10}"#),
            200,
            "12345678901234567890.10",
        ),
        (post(&word(&most)), 200, &most),
        (
            Sent::post("/hooks/shaking?validationToken=a%20b&token=open-7f2c9d1e", ""),
            200,
            "a b",
        ),
        (
            Sent::post("/hooks/shaking?validationToken=a&token=open-7f2c9d1e", "").method("GET"),
            200,
            "a",
        ),
        (
            Sent::post("/hooks/shaking?validationToken=&token=open-7f2c9d1e", "").method("GET"),
            200,
            ping,
        ),
        (
            Sent::post("/hooks/shaking?validationToken=a", "").method("HEAD"),
            200,
            "",
        ),
        (Sent::post("/hooks/shaking?other=a", "").method("GET"), 200, ping),
    ] {
        let answer = lab.send(&sent).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{sent:?}");
        if body != ping && !body.is_empty() {
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
    }
    assert_eq!(
        (lab.deliveries().await, lab.counted.pings.load(Ordering::SeqCst)),
        (0, 11)
    );
    // Only the sender gets its word back.
    for sent in [
        Sent::post("/hooks/greeting", word("x")),
        Sent::post("/hooks/greeting", r#"{"topic": "system"}"#),
        Sent::post("/hooks/shaking?validationToken=a", "").method("GET"),
        Sent::post("/hooks/shaking?validationToken=a", ""),
    ] {
        assert_eq!(lab.send(&sent).await.status, 401, "{sent:?}");
    }
    // What is neither is a delivery.
    for body in [
        &word(&more),
        &word(""),
        r#"{"challenge": ["x"]}"#,
        r#"{"topic": "system", "type": "stay"}"#,
    ] {
        assert_eq!(lab.send(&post(body)).await.status, 202, "{body}");
    }
    assert_eq!(lab.deliveries().await, 4);
}

#[tokio::test]
async fn any_part_of_the_path_may_be_the_token() {
    let lab = Lab::start().await;
    let paths = [
        ("/hooks/by-path/open-7f2c9d1e/created?n=1", false),
        ("/hooks/by-path/created/open-7f2c9d1e/?n=1", true),
        ("/hooks/by-path/created?token=open-7f2c9d1e&n=1", true),
        ("/hooks/by-path/created/?n=%31&token=open-7f2c9d1e", true),
        ("/hooks/by-path/created/open-7f2c9d1e?n=2", false),
        ("/hooks/by-path/altered/open-7f2c9d1e?n=2", false),
        ("/hooks/by-path/v2/altered?token=open-7f2c9d1e&n=2", false),
        ("/hooks/by-path/open-7f2c9d1e?n=2", false),
    ];
    for (path, duplicate) in paths {
        assert_eq!(lab.post(path, r#"{"code": 1}"#).await.stored().1, duplicate, "{path}");
    }
    let mut conn = lab.second_connection().await;
    let sql = "SELECT headers FROM deliveries ORDER BY seq";
    let headers: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap();
    let paths = headers
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap()["/"].clone());
    let expected = ["created", "created", "altered", "v2/altered"].map(Value::from);
    assert_eq!(paths.collect::<Vec<_>>(), [&expected[..], &[Value::Null]].concat());
    assert!(!headers.concat().contains(TOKEN));
}

#[tokio::test]
async fn a_sender_that_insists_gets_its_own_answer() {
    let lab = Lab::start().await;
    for _ in 0..2 {
        let answer = lab.post("/hooks/polite", r#"{"a": 1}"#).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, "OK"));
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
    assert_eq!(lab.deliveries().await, 1);
}

#[tokio::test]
async fn what_was_turned_away_is_kept_by_reason() {
    let lab = Lab::start().await;
    for _ in 0..3 {
        lab.post("/hooks/lab", "{").await;
        lab.post("/hooks/nobody-1", "{}").await;
        lab.post("/hooks/nobody-2", "{}").await;
    }
    lab.send(&Sent::post("/hooks/lab", "").method("PUT")).await;
    let counts: Vec<_> = lab.rejections.counts().into_iter().collect();
    let expected = [
        ((UNKNOWN.to_owned(), "unknown source"), 6),
        (("lab".to_owned(), "not JSON"), 3),
        (("lab".to_owned(), "wrong method"), 1),
    ];
    assert_eq!(counts, expected);
    let reasons: Vec<_> = lab.rejections.last("lab").iter().map(|one| one.reason).collect();
    assert_eq!(reasons, ["wrong method", "not JSON", "not JSON", "not JSON"]);
    let shown = |source| lab.rejections.last(source).into_iter().map(|one| one.came);
    let asked_for: Vec<_> = shown(UNKNOWN).flatten().collect();
    assert_eq!(asked_for[..2], ["nobody-2", "nobody-1"]);
    for _ in 0..200 {
        lab.rejections.record("lab", "not JSON", None, Clock::System.now());
    }
    assert_eq!(lab.rejections.last("lab").len(), 100);
}

#[tokio::test]
async fn a_name_that_no_source_has_is_shown_without_harm() {
    for (path, shown) in [
        ("/hooks/hospitable", "hospitable"),
        ("/hooks/old%20pms_2.b", "old pms_2.b"),
        ("/hooks/a%0d%0aINFO%1b%5b31m%e2%80%ae", "a??INFO??31m?"),
        ("/hooks/%ff", "?"),
        // What looks like a token that was put in its place.
        ("/hooks/0f9c2b7d41a2c3", "0f9c… (14 characters)"),
        ("/hooks/kJhGfDsAqWeRtZuIoPlMn", "kJhG… (21 characters)"),
        (
            &format!("/hooks/{}", "a-".repeat(200)),
            &format!("{}…", "a-".repeat(40)),
        ),
    ] {
        let lab = Lab::start().await;
        assert_eq!(lab.post(path, "{}").await.status, 404);
        assert_eq!(lab.rejections.last(UNKNOWN)[0].came.as_deref(), Some(shown));
    }
}

#[tokio::test]
async fn a_content_type_that_is_not_taken_is_named_and_can_be_let_in() {
    let lab = Lab::start().await;
    let of = |path: &str, kind: &str, body: &str| Sent::post(path, body).header("Content-Type", kind);
    for (kind, shown) in [
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("*/*", "*/*"),
        ("application/octet-stream", "application/octet-stream"),
        ("a<script>\u{e9}", "a?script?é"),
    ] {
        let answer = lab.send(&of("/hooks/lab", kind, r#"{"a": 1}"#)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "content-type"));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(&format!("It came as `{shown}`.")), "{detail}");
        assert!(
            detail.contains("application/json") && detail.contains("content_type: any"),
            "{detail}"
        );
        assert_eq!(lab.rejections.last("lab")[0].came.as_deref(), Some(shown));
    }
    let latin = Sent::post("/hooks/any", b"{\"n\": \"Zo\xeb\"}".as_slice())
        .header("Content-Type", "text/plain; charset=iso-8859-1");
    for (n, sent) in [
        of("/hooks/any", "text/plain", r#"{"a": 1}"#),
        of("/hooks/any", "*/*", r#"{"a": 2}"#),
        of("/hooks/any", "application/octet-stream", r#"{"a": 3}"#),
        of("/hooks/any", "application/json", r#"{"a": 4}"#),
        of("/hooks/any", "text/plain", "a=5&b=6"),
        latin,
    ]
    .iter()
    .enumerate()
    {
        assert!(!lab.send(sent).await.stored().1, "{n}");
    }
    let not_json = lab.send(&of("/hooks/any", "text/plain", "hello")).await;
    assert_eq!((not_json.status, not_json.problem().as_str()), (400, "not-json"));
    // What is stored can be read again.
    let mut conn = lab.second_connection().await;
    let sql = "SELECT headers, body FROM deliveries ORDER BY seq";
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(sql).fetch_all(&mut conn).await.unwrap();
    let read: Vec<_> = rows
        .iter()
        .map(|(headers, body)| crate::model::body::decode_stored(headers, body).unwrap().to_string())
        .collect();
    assert_eq!(
        read,
        [
            r#"{"a":1}"#,
            r#"{"a":2}"#,
            r#"{"a":3}"#,
            r#"{"a":4}"#,
            r#"{"a":"5","b":"6"}"#,
            r#"{"n":"Zoë"}"#
        ]
    );
}
