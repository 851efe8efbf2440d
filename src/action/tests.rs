#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::lang::diag::Report;
use crate::lang::yaml;

#[test]
fn every_kind_has_a_name_of_its_own() {
    let names: Vec<_> = KINDS.iter().map(|kind| kind.name()).collect();
    assert_eq!(names, ["http", "email"]);
    assert_eq!(effect_kinds().len(), KINDS.len());
}

#[tokio::test]
async fn leftovers_of_another_time_are_refused_in_words() {
    let node = yaml::parse("c.yaml", "http: {base_url: http://127.0.0.1:9}", &mut Report::new()).unwrap();
    let connection = compile_connection("old", &node, &|_| Err(String::new()), &mut Report::new()).unwrap();
    assert_eq!(connection.timeout, Duration::from_secs(10));
    assert!(fits("http", &connection) && !fits("email", &connection) && !fits("fax", &connection));
    let io = Io {
        outbound: Outbound::new().unwrap(),
        redirect_email: None,
        clock: Clock::manual(crate::model::clock::from_ms(0)),
    };
    for (kind, request, said) in [
        ("fax", json!({}), "this version has no action called `fax`"),
        (
            "email",
            json!({}),
            "the connection `old` is now of another kind; `email` cannot go over it",
        ),
        ("http", json!({"method": 3}), "the recorded request cannot be read"),
        (
            "http",
            json!({"method": "GET", "url": "//evil.example"}),
            "never a complete address",
        ),
        (
            "http",
            json!({"method": "GET", "url": "/", "headers": {"X": "a\r\nY: b"}}),
            "holds a line break",
        ),
    ] {
        let prepared = Prepared {
            kind: kind.to_owned(),
            connection: "old".to_owned(),
            request,
            missing: Vec::new(),
        };
        let answer = perform(&prepared, "k", &connection, &io).await;
        assert_eq!(answer.outcome, AttemptOutcome::Reject);
        assert!(answer.summary.contains(said), "{}", answer.summary);
    }
}
