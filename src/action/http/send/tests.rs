//! What an answer that broke off means.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use serde_json::json;

use super::*;
use crate::action::compile_connection;
use crate::lang::diag::Report;
use crate::lang::yaml;
use crate::model::clock::{Clock, from_ms};
use crate::outbound::Outbound;

#[test]
fn an_answer_that_is_not_whole_is_uncertain_only_where_its_body_matters() {
    use AttemptOutcome::*;
    let node = yaml::parse("c.yaml", "http: {base_url: http://a.example}", &mut Report::new()).unwrap();
    let connection = compile_connection("c", &node, &|_| Err(String::new()), &mut Report::new()).unwrap();
    let io = Io {
        outbound: Outbound::new().unwrap(),
        redirect_email: None,
        clock: Clock::manual(from_ms(0)),
    };
    let rules = json!({"body": {"$.ok": true}});
    let output = json!({"output": {"id": "$.id"}});
    let header = json!({"output": {"at": "header.Location"}});
    for (answer, status, end, expected) in [
        (json!({}), 201, End::Broken, Done),
        (header, 201, End::Broken, Done),
        (rules.clone(), 201, End::Broken, Uncertain),
        (output.clone(), 201, End::Broken, Uncertain),
        (rules.clone(), 201, End::Cut, Reject),
        (output.clone(), 201, End::Cut, Done),
        (rules.clone(), 500, End::Broken, Retry),
        (rules, 404, End::Broken, Reject),
    ] {
        let request = serde_json::from_value(json!({"method": "GET", "url": "/", "answer": answer})).unwrap();
        let came = OutResponse {
            status,
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"{\"ok\": tr"),
            end,
        };
        let answer = judge(&request, &came, &connection, &io);
        assert_eq!(answer.outcome, expected, "{status} {end:?} {}", answer.summary);
    }
}
