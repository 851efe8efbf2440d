//! Requests of the action `http`, as their target receives them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::standin::{HttpStandin, Reply};
use stayhook::action::{Connection, Io, compile_connection, perform};
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::clock::{Clock, from_ms};
use stayhook::model::effect::{Answer, Prepared};
use stayhook::model::run::AttemptOutcome::{self, Done, Reject, Retry, Uncertain};
use stayhook::outbound::Outbound;

fn connection(standin: &HttpStandin, more: &str) -> Connection {
    let text = format!("http: {{base_url: '{}/v1/', {more}}}", standin.base_url());
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", &text, &mut report).unwrap();
    let found = compile_connection("cleaning", &node, &|_| Err(String::new()), &mut report);
    found.unwrap_or_else(|| panic!("{}", report.render(|_| None)))
}

fn io() -> Io {
    Io {
        outbound: Outbound::new().unwrap(),
        redirect_email: None,
        // Sun, 06 Nov 1994 08:49:37 GMT.
        clock: Clock::manual(from_ms(784_111_777_000)),
    }
}

fn prepared(request: Value) -> Prepared {
    Prepared {
        kind: "http".to_owned(),
        connection: "cleaning".to_owned(),
        request,
        missing: Vec::new(),
    }
}

fn task() -> Prepared {
    prepared(json!({
        "method": "PUT",
        "url": "/tasks/HM%2F1?at=15%3A00",
        "headers": {"X-Guest": "Zoë"},
        "json": {"guests": 4, "id": 12345678901234567890_u64, "name": "\"><script>"},
        "answer": {"body": {"$.ok": true}, "output": {"id": "$.task.id"}},
    }))
}

#[tokio::test]
async fn a_request_goes_out_the_same_every_time() {
    let standin = HttpStandin::start().await.unwrap();
    let connection = connection(&standin, "headers: {Authorization: Bearer s3cr3t-token}");
    let io = io();
    let stored: Prepared = serde_json::from_str(&serde_json::to_string(&task()).unwrap()).unwrap();
    for prepared in [&task(), &stored] {
        let answer = perform(prepared, "sh_1", &connection, &io).await;
        assert_eq!((answer.outcome, answer.output), (Done, json!({"id": 1})));
        assert_eq!(answer.summary, "200 OK");
    }
    let [first, second] = &standin.requests()[..] else {
        panic!()
    };
    assert_eq!(
        (first.method.as_str(), first.path_and_query.as_str()),
        ("PUT", "/v1/tasks/HM%2F1?at=15%3A00")
    );
    assert_eq!(
        (first.key(), first.header("authorization")),
        (Some("sh_1"), Some("Bearer s3cr3t-token"))
    );
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.headers["x-guest"].as_bytes(), "Zoë".as_bytes());
    assert!(
        first
            .header("user-agent")
            .is_some_and(|agent| agent.starts_with("stayhook/"))
    );
    assert_eq!(
        first.text(),
        r#"{"guests":4,"id":12345678901234567890,"name":"\"><script>"}"#
    );
    assert_eq!((&first.body, &first.headers), (&second.body, &second.headers));
    assert_eq!(standin.effects().len(), 1);
}

#[tokio::test]
async fn bodies_of_every_sort() {
    let standin = HttpStandin::start().await.unwrap();
    let connection = connection(&standin, "");
    let io = io();
    for (request, kind, body) in [
        (json!({"method": "DELETE", "url": "t"}), None, ""),
        (
            json!({"method": "POST", "url": "t", "form": {"a[b]": "x&y=ü", "c": "\r\n"}}),
            Some("application/x-www-form-urlencoded"),
            "a%5Bb%5D=x%26y%3D%C3%BC&c=%0D%0A",
        ),
        (
            json!({"method": "POST", "url": "t", "text": "a,b"}),
            Some("text/plain; charset=utf-8"),
            "a,b",
        ),
        (
            json!({"method": "POST", "url": "t", "text": "a,b", "content_type": "text/csv"}),
            Some("text/csv"),
            "a,b",
        ),
        (
            json!({"method": "POST", "url": "t", "json": null, "headers": {"Idempotency-Key": "own"}}),
            None,
            "",
        ),
    ] {
        let own = request["headers"]["Idempotency-Key"].as_str().map(str::to_owned);
        assert_eq!(perform(&prepared(request), "k", &connection, &io).await.outcome, Done);
        let seen = standin.requests().pop().unwrap();
        assert_eq!((seen.header("content-type"), seen.text().as_str()), (kind, body));
        assert_eq!(seen.key(), Some(own.as_deref().unwrap_or("k")));
    }
}

#[tokio::test]
async fn every_answer_has_one_outcome() {
    let standin = HttpStandin::start().await.unwrap();
    let mut connection = connection(&standin, "headers: {X-Api-Key: s3cr3t-token}, timeout: 20s");
    let io = io();
    let check = |answer: Answer, expected: AttemptOutcome, denied: bool, said: &str| {
        assert_eq!((answer.outcome, answer.denied), (expected, denied), "{answer:?}");
        assert!(answer.summary.contains(said), "{answer:?}");
        assert!(!format!("{answer:?}").contains("s3cr3t"), "{answer:?}");
        assert!(answer.excerpt.as_ref().is_none_or(|text| text.chars().count() <= 2000));
        assert_eq!(answer.output.is_null(), expected != Done);
        answer
    };
    let echo = json!({"you": "sent s3cr3t-token", "ok": "no"});
    for (reply, expected, denied, said) in [
        (Reply::json(200, &json!({"ok": true})), Done, false, "200 OK"),
        (
            Reply::json(200, &echo),
            Reject,
            false,
            "200 OK: $.ok in the answer is not true",
        ),
        (Reply::status(204), Reject, false, "the answer is not JSON"),
        (
            Reply::status(302).header("location", "/"),
            Reject,
            false,
            "302 Found: redirects are not followed",
        ),
        (Reply::json(400, &echo), Reject, false, "400 Bad Request"),
        (Reply::status(401), Retry, true, "401 Unauthorized"),
        (Reply::status(403), Reject, true, "403 Forbidden"),
        (Reply::status(404), Reject, false, "404 Not Found"),
        (Reply::status(408), Retry, false, "408"),
        (Reply::status(425), Retry, false, "425"),
        (Reply::status(429), Retry, false, "429"),
        (Reply::json(503, &echo), Retry, false, "503 Service Unavailable"),
        (Reply::Close, Uncertain, false, "broke off without an answer"),
    ] {
        standin.then([reply]);
        check(perform(&task(), "k", &connection, &io).await, expected, denied, said);
    }
    for (wait, expected) in [("120", 120), ("Sun, 06 Nov 1994 08:51:37 GMT", 120)] {
        standin.then([Reply::status(429).header("retry-after", wait)]);
        assert_eq!(
            perform(&task(), "k", &connection, &io).await.retry_after_s,
            Some(expected)
        );
    }
    let long = Reply::Answer {
        status: 500,
        headers: Vec::new(),
        body: "s3cr3t-token\0ü".repeat(10_000).into_bytes(),
    };
    standin.then([long]);
    let answer = check(perform(&task(), "k", &connection, &io).await, Retry, false, "500");
    assert_eq!(answer.excerpt.map(|text| text.chars().count()), Some(2000));

    standin.then([Reply::status(200).held()]);
    connection.timeout = Duration::from_millis(700);
    let answer = perform(&task(), "k", &connection, &io).await;
    check(answer, Uncertain, false, "did not answer in time");

    standin.stop().await;
    // A client of its own: none of its connections is left from before.
    let fresh = self::io();
    let answer = perform(&task(), "k", &connection, &fresh).await;
    check(answer, Retry, false, "could not connect to 127.0.0.1");
}

#[tokio::test]
async fn a_recipe_cannot_replace_what_the_connection_sets() {
    let standin = HttpStandin::start().await.unwrap();
    let connection = connection(&standin, "basic: {username: a, password: geheim1}");
    let request = json!({"method": "POST", "url": "/t", "headers": {"authorization": "Bearer x"}});
    let answer = perform(&prepared(request), "k", &connection, &io()).await;
    assert_eq!((answer.outcome, standin.requests().len()), (Reject, 0));
    assert!(
        answer.summary.contains("sets the header `authorization` itself"),
        "{}",
        answer.summary
    );
}
