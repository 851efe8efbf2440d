#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::lang::yaml;
use crate::model::clock::from_ms;

fn judge(settings: &str) -> (Judge, String) {
    let mut report = Report::new();
    let node = yaml::parse("r.yaml", settings, &mut report).unwrap();
    let mut fields = Fields::of(&node, &SHAPE, &mut report).unwrap();
    let judge = Judge::compile(&mut fields, &mut report);
    fields.finish(&mut report);
    let said: Vec<_> = report.items.iter().map(|item| item.title.clone()).collect();
    (judge, said.join("; "))
}

fn good(settings: &str) -> Judge {
    let (judge, said) = judge(settings);
    assert_eq!(said, "", "{settings}");
    judge
}

#[test]
fn every_status_has_one_outcome() {
    use AttemptOutcome::*;
    let plain = Judge::default();
    let lenient = good("succeeds_if: {else: retry}");
    for status in 100..=599 {
        let expected = match status {
            200..=299 => (Done, false),
            401 => (Retry, true),
            403 => (Reject, true),
            408 | 425 | 429 | 500..=599 => (Retry, false),
            _ => (Reject, false),
        };
        for body in [None, Some(json!({"ok": false}))] {
            let verdict = plain.verdict(status, body.as_ref());
            assert_eq!((verdict.outcome, verdict.denied), expected, "{status}");
            let verdict = lenient.verdict(status, body.as_ref());
            let outcome = if expected.0 == Done { Done } else { Retry };
            assert_eq!(
                (verdict.outcome, verdict.denied),
                (outcome, expected.1),
                "{status}, else: retry"
            );
        }
    }
}

#[test]
fn succeeds_if_decides_on_status_and_body() {
    use AttemptOutcome::*;
    for (settings, status, body, expected) in [
        ("succeeds_if: {status: 2xx}", 204, "", Done),
        ("succeeds_if: {status: 200}", 201, "", Reject),
        ("succeeds_if: {status: [200, 404]}", 404, "", Done),
        ("succeeds_if: {status: [200, 404]}", 410, "", Reject),
        ("succeeds_if: {status: 201}", 503, "", Retry),
        ("succeeds_if: {status: [2xx, 302]}", 302, "", Done),
        ("succeeds_if: {status: [2xx, 401]}", 401, "", Done),
        (
            "succeeds_if: {status: 500, body: {$.ok: true}}",
            500,
            r#"{"ok":false}"#,
            Reject,
        ),
        ("succeeds_if: {body: {$.ok: true}}", 200, r#"{"ok":true}"#, Done),
        ("succeeds_if: {body: {$.ok: true}}", 200, r#"{"ok":"TRUE"}"#, Done),
        ("succeeds_if: {body: {$.ok: true}}", 200, r#"{"ok":false}"#, Reject),
        ("succeeds_if: {body: {$.ok: true}}", 200, "<html>", Reject),
        ("succeeds_if: {body: {$.ok: true}, else: retry}", 200, "", Retry),
        ("succeeds_if: {body: {$.ok: true}, else: reject}", 200, "{}", Reject),
        (
            "succeeds_if: {body: {$.state: [set, setting]}}",
            200,
            r#"{"state":"Setting"}"#,
            Done,
        ),
        ("succeeds_if: {body: {$.state: 's*t'}}", 200, r#"{"state":"set"}"#, Done),
        (
            "succeeds_if: {body: {$.state: 's*x'}}",
            200,
            r#"{"state":"set"}"#,
            Reject,
        ),
        ("succeeds_if: {body: {$.errcode: 0}}", 200, r#"{"errcode":0.0}"#, Done),
        (
            "succeeds_if: {body: {$.errcode: 0}}",
            200,
            r#"{"errcode":-3003}"#,
            Reject,
        ),
        ("succeeds_if: {body: {$.error: null}}", 200, r#"{}"#, Done),
        (
            "succeeds_if: {body: {$.error: null}}",
            200,
            r#"{"error":{"type":"x"}}"#,
            Reject,
        ),
        (
            "succeeds_if: {body: {'$.codes[*].state': set}}",
            200,
            r#"{"codes":[{"state":"x"},{"state":"set"}]}"#,
            Done,
        ),
    ] {
        let json = serde_json::from_str(body).ok();
        let verdict = good(settings).verdict(status, json.as_ref());
        assert_eq!(verdict.outcome, expected, "{settings} with {status} {body}");
    }
}

#[test]
fn mistakes_are_told_in_the_words_of_the_recipe() {
    for (settings, said) in [
        ("succeeds_if: {status: ok}", "`status` is a status or a class of them"),
        (
            "succeeds_if: {status: [200, 999]}",
            "`status` is a status or a class of them",
        ),
        ("succeeds_if: {status: 9xx}", "`status` is a status or a class of them"),
        (
            "succeeds_if: {statuss: 200}",
            "`succeeds_if` has no setting called `statuss`",
        ),
        ("succeeds_if: {body: {ok: true}}", "`ok` is not a path into the answer"),
        (
            "succeeds_if: {body: {'$.[': true}}",
            "`$.[` is not a path into the answer",
        ),
        ("succeeds_if: {else: again}", "`else` is one of `retry` or `reject`"),
        ("output: {id: task.id}", "`task.id` is not a path into the answer"),
        ("output: {my-id: $.id}", "`my-id` cannot be the name of an output"),
        ("output: {id: 'header.a b'}", "`header.a b` names no header"),
    ] {
        assert_eq!(judge(settings).1, said, "{settings}");
    }
}

#[test]
fn output_is_taken_from_body_and_headers() {
    let judge = good("output: {id: $.task.id, all: '$.tags[*]', none: $.x, where: header.Location, no: header.X-No}");
    let mut headers = HeaderMap::new();
    headers.insert("location", "/tasks/7".parse().unwrap());
    let json = json!({"task": {"id": 12345678901234567890_u64}, "tags": ["a", "b"]});
    assert_eq!(
        judge.output(&headers, Some(&json)),
        json!({"id": 12345678901234567890_u64, "all": ["a", "b"], "none": null, "where": "/tasks/7", "no": null})
    );
    assert_eq!(judge.output(&HeaderMap::new(), None)["id"], json!(null));
    assert_eq!(Judge::default().output(&headers, Some(&json)), json!(null));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    // Sun, 06 Nov 1994 08:49:37 GMT.
    let now = from_ms(784_111_777_000);
    for (text, expected) in [
        ("120", Some(120)),
        ("0", Some(0)),
        ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("-5", Some(0)),
        ("-99999999999999999999", Some(0)),
        ("+7", Some(7)),
        ("2.5", Some(2)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", Some(i64::MAX)),
        ("99999999999999999999", Some(i64::MAX)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(252_618_189_022)),
        ("-", None),
        (".5", None),
        ("1 2", None),
        ("soon", None),
        ("", None),
    ] {
        let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, text.parse().unwrap())]);
        assert_eq!(retry_after_s(&headers, now), expected, "{text}");
    }
    assert_eq!(retry_after_s(&HeaderMap::new(), now), None);
}

#[test]
fn globs() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("*", "", true),
        ("a*", "abc", true),
        ("*c", "abc", true),
        ("a*c", "abc", true),
        ("a*b*c", "aXbYc", true),
        ("a*a", "a", false),
        ("ab*bc", "abc", false),
        ("abc", "abcd", false),
    ] {
        assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
    }
}

proptest! {
    #[test]
    fn any_answer_is_judged(status in 100_u16..1000, body in ".{0,200}", text in "[a-z*]{0,8}") {
        let judge = Judge {
            body: Map::from_iter([("$..ok".to_owned(), Value::from(text))]),
            ..Judge::default()
        };
        let json = serde_json::from_str(&body).ok();
        let verdict = judge.verdict(status, json.as_ref());
        prop_assert!(verdict.outcome != AttemptOutcome::Uncertain);
        prop_assert!(crate::action::excerpt::of(body.as_bytes()).is_none_or(|text| text.chars().count() <= 2000));
    }
}
