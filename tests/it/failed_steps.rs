//! `on_error: continue`: a step ends badly in any way, and its run goes on and says so.

use crate::standin::{HttpStandin, Reply};
use serde_json::{Value, json};
use stayhook::store::Filter;

use crate::cli::{all, serve};
use crate::daemon::Site;
use crate::sender::{asked, plan, stay, with};
use crate::support::House;

const NEXT: &str = "  - id: note\n    http: {connection: books, url: '/note/{{ reservation.code }}'}\n";

/// A recipe of one action and perhaps a second.
fn recipe(action: &str, more: &str) -> String {
    format!(
        "name: Tell\non: {{event: reservation.confirmed}}\nactions:\n  - id: first\n    on_error: continue\n{action}\n{more}"
    )
}

const HTTP: &str = "    http: {connection: cleaning, url: /first}";

/// The only run, once it has ended.
async fn ended(house: &House, reason: &str, failed_steps: i64) {
    let runs = house.come_to(&["Tell: succeeded"]).await;
    assert_eq!(runs[0].reason, reason);
    assert_eq!(runs[0].failed_steps, failed_steps);
    house
        .counted(&format!("stayhook_failed_steps_total {failed_steps}"))
        .await;
}

#[tokio::test]
async fn however_a_step_ends_badly_the_next_one_is_done_and_the_run_says_so() {
    let required = "    http: {connection: cleaning, url: '/first/{{ reservation.guest.email | required }}'}";
    for (action, replies, reason) in [
        (HTTP.to_owned(), vec![404], "404 Not Found"),
        (
            format!("    retry: never\n{HTTP}"),
            vec![503],
            "given up after one attempt: 503 Service Unavailable",
        ),
        (required.to_owned(), vec![], "step `first`: "),
        (
            "    email: {to: '{{ reservation.guest.name }}', subject: A, text: B}".to_owned(),
            vec![],
            "step `first`: ",
        ),
    ] {
        for more in [NEXT, ""] {
            let house = plan().recipe(&recipe(&action, more)).build().await;
            house.cleaning.then(replies.iter().map(|status| Reply::status(*status)));
            house
                .decide(&with("A", "confirmed", 1, &json!({"guest": {"name": "Ana Berg"}})))
                .await;
            let runs = house.come_to(&["Tell: succeeded"]).await;
            let said = &runs[0].reason;
            assert!(
                said.starts_with(&format!("done, 1 step failed: {reason}")),
                "{action}: {said}"
            );
            assert_eq!(runs[0].failed_steps, 1, "{action}");
            house.counted("stayhook_failed_steps_total 1").await;
            assert_eq!(house.books.requests().len(), usize::from(!more.is_empty()), "{action}");
            let run = house.nth(0).await;
            assert_eq!(run.steps[0].state, "failed", "{action}");
            assert!(run.steps[0].output["failed"].as_str().unwrap().starts_with(reason));
        }
    }
}

#[tokio::test]
async fn several_failed_steps_are_counted_wherever_they_stand() {
    let bad = "  - id: ID\n    on_error: continue\n    http: {connection: cleaning, url: '/{{ reservation.guest.email | required }}'}\n";
    let more = format!("{}{NEXT}{}", bad.replace("ID", "second"), bad.replace("ID", "last"));
    let house = plan().recipe(&recipe(HTTP, &more)).build().await;
    house.cleaning.then([Reply::status(404)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    let runs = house.come_to(&["Tell: succeeded"]).await;
    assert!(
        runs[0]
            .reason
            .starts_with("done, 3 steps failed: 404 Not Found; step `second`: "),
        "{}",
        runs[0].reason
    );
    assert_eq!(runs[0].failed_steps, 3);
    assert_eq!(asked(&house.books.requests()), ["POST /note/A"]);
    house.counted("stayhook_failed_steps_total 3").await;
    // One that ends well is not among them.
    let guest = json!({"guest": {"email": "b@example.com"}});
    house.decide(&with("B", "confirmed", 1, &guest)).await;
    for (failed_steps, codes) in [
        (Some(true), vec!["A"]),
        (Some(false), vec!["B"]),
        (None, vec!["B", "A"]),
    ] {
        let filter = Filter {
            failed_steps,
            ..Filter::default()
        };
        house.idle().await;
        let runs = house.engine.store.runs(&filter).await.unwrap().items;
        assert_eq!(
            runs.iter().filter_map(|run| run.code.as_deref()).collect::<Vec<_>>(),
            codes
        );
    }
}

#[tokio::test]
async fn a_connection_that_is_gone_is_a_step_that_failed() {
    let action = "    http: {connection: spare, url: /first}";
    let spare = "spare: {http: {base_url: \"http://127.0.0.1:1\"}}\n";
    let house = plan().connections(spare).recipe(&recipe(action, NEXT)).build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: retrying"]).await;
    let house = house.crash(|plan| plan.without_connections()).await;
    house.advance(chrono::TimeDelta::minutes(1));
    let reason = "done, 1 step failed: there is no connection `spare` in the configuration any more";
    ended(&house, reason, 1).await;
    assert_eq!(asked(&house.books.requests()), ["POST /note/A"]);
}

#[tokio::test]
async fn without_it_a_failed_step_still_ends_the_run() {
    let more = format!("  - http: {{connection: books, url: '/{{{{ reservation.guest.email | required }}}}'}}\n{NEXT}");
    let house = plan().recipe(&recipe(HTTP, &more)).build().await;
    house.cleaning.then([Reply::status(404)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    let runs = house.come_to(&["Tell: dead"]).await;
    assert!(runs[0].reason.starts_with("step `2`: "), "{}", runs[0].reason);
    assert_eq!(runs[0].failed_steps, 1);
    assert!(house.books.requests().is_empty());
    house.counted("stayhook_failed_steps_total 0").await;
}

#[tokio::test]
async fn lists_of_the_program_show_it() {
    let target = HttpStandin::start().await.unwrap();
    target.decide(|_, _| Reply::status(404));
    let config = format!(
        "sources:\n  pms: {{preset: generic, live_from: 2020-01-01T00:00:00Z, auth: none}}\n\
         connections:\n  cleaning: {{http: {{base_url: \"{}\"}}}}\n",
        target.base_url()
    );
    let site = Site::new(&config, &[&recipe(HTTP, "")]);
    let daemon = serve(&site).await;
    assert_eq!(daemon.post("pms", &stay("A", "confirmed", 1)).await.unwrap().0, 200);
    let listed = async {
        loop {
            let text = daemon.get("/api/v1/runs?failed_steps=true").await.unwrap().1;
            let list: Value = serde_json::from_str(&text).unwrap();
            if list["items"][0]["state"] == "succeeded" {
                return list["items"][0].clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let run = tokio::time::timeout(std::time::Duration::from_secs(30), listed)
        .await
        .unwrap();
    assert_eq!(run["failed_steps"], 1);
    assert_eq!(run["reason"], "done, 1 step failed: 404 Not Found");
    let shown = format!("runs show {}", run["id"].as_str().unwrap());
    all(
        &site,
        &[
            ("runs list --failed-steps", 0, "done, 1 step failed: 404 Not Found"),
            (&shown, 0, "succeeded: done, 1 step failed: 404 Not Found"),
            (&shown, 0, "step 1 `first`: failed"),
            ("runs list --failed-steps --state dead", 0, "nothing"),
        ],
    )
    .await;
}
