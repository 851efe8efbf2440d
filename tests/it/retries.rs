//! What becomes of attempts that fail: later ones, the end, a paused connection.

use crate::standin::Reply;
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use stayhook::store::RunRow;

use crate::sender::{plan, stay};

fn tell(more: &str) -> String {
    format!(
        "
name: Tell
on: {{event: reservation.confirmed}}
actions:
  - id: task
    http:
      connection: cleaning
      url: '/tasks/{{{{ reservation.code }}}}'
      json: {{at: '{{{{ now }}}}', guests: '{{{{ reservation.guests }}}}'}}
      output: {{id: $.task.id, none: $.nothing}}
{more}"
    )
}

#[tokio::test]
async fn attempts_are_spaced_ever_wider_for_a_day_and_then_given_up() {
    let house = plan().recipe(&tell("")).build().await;
    house.cleaning.decide(|_, _| Reply::status(503));
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: retrying"]).await;
    let began = house.clock.now();
    let (mut last, mut run) = (TimeDelta::zero(), house.nth(0).await);
    while run.run.state == "retrying" {
        let wait =
            TimeDelta::milliseconds(run.run.due_at_ms) - TimeDelta::milliseconds(house.clock.now().timestamp_millis());
        assert!(wait > last || wait >= TimeDelta::hours(2), "{wait} after {last}");
        assert!(wait <= TimeDelta::minutes(144), "{wait}");
        last = wait;
        run = house.next_attempt(0).await;
    }
    assert!(house.clock.now() - began <= TimeDelta::hours(24));
    assert!(house.clock.now() - began > TimeDelta::hours(21));
    let count = run.attempts.len();
    assert!((12..25).contains(&count), "{count}");
    assert_eq!(run.run.state, "dead");
    assert_eq!(
        run.run.reason,
        format!("given up after {count} attempts: 503 Service Unavailable")
    );
    let requests = house.cleaning.requests();
    assert!(
        requests
            .iter()
            .all(|again| again.key() == requests[0].key() && again.body == requests[0].body)
    );
}

#[tokio::test]
async fn two_runs_never_wait_in_step() {
    let house = plan().recipe(&tell("")).build().await;
    house.cleaning.decide(|_, _| Reply::status(503));
    for code in ["A", "B", "C"] {
        house.decide(&stay(code, "confirmed", 1)).await;
    }
    let runs = house.come_to(&["Tell: retrying"; 3]).await;
    let mut due: Vec<i64> = runs.iter().map(|run| run.due_at_ms).collect();
    due.dedup();
    assert_eq!(due.len(), 3);
}

#[tokio::test]
async fn a_target_may_ask_for_time_but_not_for_any_time() {
    for (asks, at_least, at_most) in [("120", 120, 150), ("999999", 3600, 3600), ("-5", 5, 6), ("soon", 5, 6)] {
        let house = plan().recipe(&tell("")).build().await;
        house.cleaning.then([Reply::status(429).header("retry-after", asks)]);
        house.decide(&stay("A", "confirmed", 1)).await;
        let runs = house.come_to(&["Tell: retrying"]).await;
        let wait = (runs[0].due_at_ms - house.clock.now().timestamp_millis()) / 1000;
        assert!((at_least..=at_most).contains(&wait), "{asks}: {wait}");
        house.next_attempt(0).await;
        house.come_to(&["Tell: succeeded"]).await;
    }
}

#[tokio::test]
async fn a_recipe_says_how_often_and_what_is_a_failure() {
    let excerpt = serde_json::json!({"error": "no such property"});
    let bad = |status| Reply::json(status, &excerpt);
    for (more, replies, attempts, state, reason) in [
        (
            "    retry: never",
            vec![bad(503)],
            1,
            "dead",
            "given up after one attempt: 503 Service Unavailable",
        ),
        (
            "    retry: {schedule: [10s, 1m]}",
            vec![bad(503), bad(502), bad(500)],
            3,
            "dead",
            "given up after 3 attempts: 500 Internal Server Error",
        ),
        (
            "    retry: {schedule: [10s, 1m]}",
            vec![bad(503), bad(408)],
            3,
            "succeeded",
            "200 OK",
        ),
        ("", vec![bad(422)], 1, "dead", "422 Unprocessable Entity"),
        (
            "",
            vec![bad(301)],
            1,
            "dead",
            "301 Moved Permanently: redirects are not followed",
        ),
        (
            "      succeeds_if: {body: {$.ok: true}}",
            vec![bad(200)],
            1,
            "dead",
            "200 OK: $.ok in the answer is not true",
        ),
        (
            "      succeeds_if: {body: {$.ok: true}, else: retry}",
            vec![bad(200)],
            2,
            "succeeded",
            "200 OK",
        ),
    ] {
        let house = plan().recipe(&tell(more)).build().await;
        house.cleaning.then(replies);
        house.decide(&stay("A", "confirmed", 1)).await;
        house.idle().await;
        while house.nth(0).await.run.state == "retrying" {
            house.next_attempt(0).await;
        }
        let run = house.nth(0).await;
        assert_eq!(
            (run.attempts.len(), run.run.state.as_str(), run.run.reason.as_str()),
            (attempts, state, reason),
            "{more}"
        );
        if state == "dead" {
            let said = run.attempts[attempts - 1].excerpt.clone().unwrap();
            assert!(said.contains("no such property"), "{said}");
        }
    }
}

#[tokio::test]
async fn later_steps_see_what_earlier_ones_gave() {
    let more = "    on_error: continue
  - id: note
    when: reservation.guests > 100
    http: {connection: books, url: /never}
  - http:
      connection: books
      url: /book
      json: {id: '{{ steps.task.output.id }}', none: '{{ steps.task.output.none }}', note: '{{ steps.note.output.x }}'}
";
    for (reply, id) in [
        (
            Reply::json(200, &serde_json::json!({"task": {"id": 7}})),
            serde_json::json!(7),
        ),
        (Reply::status(400), serde_json::Value::Null),
    ] {
        let house = plan().recipe(&tell(more)).build().await;
        house.cleaning.then([reply]);
        // The last step waits: what it sees must be the same whether or not it goes straight on.
        house.books.then([Reply::status(503)]);
        house.decide(&stay("A", "confirmed", 1)).await;
        house.come_to(&["Tell: retrying"]).await;
        house.next_attempt(0).await;
        house.come_to(&["Tell: succeeded"]).await;
        let requests = house.books.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1].body, requests[0].body);
        assert_eq!(
            requests[0].json(),
            serde_json::json!({"id": id, "none": null, "note": null})
        );
    }
}

#[tokio::test]
async fn what_is_rendered_stays_so_whatever_changes() {
    let house = plan().recipe(&tell("")).build().await;
    house.cleaning.then([Reply::status(503), Reply::status(503)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: retrying"]).await;
    house.next_attempt(0).await;
    let changed = tell("").replace("/tasks/", "/other/");
    let house = house.crash(|plan| plan.instead(&changed)).await;
    house.next_attempt(0).await;
    house.come_to(&["Tell: succeeded"]).await;
    let requests = house.cleaning.requests();
    for again in &requests {
        assert_eq!(again.path_and_query, "/tasks/A");
        assert_eq!((again.key(), &again.body), (requests[0].key(), &requests[0].body));
    }
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn three_refusals_in_a_row_pause_the_connection() {
    let house = plan().recipe(&tell("")).build().await;
    house.cleaning.decide(|_, _| Reply::status(401));
    for code in ["A", "B", "C"] {
        house.decide(&stay(code, "confirmed", 1)).await;
        house.idle().await;
    }
    for code in ["D", "E"] {
        house.decide(&stay(code, "confirmed", 1)).await;
    }
    assert_eq!(house.cleaning.requests().len(), 3);
    let lane = |house: &crate::support::House| {
        let states = house.engine.lanes.states();
        states.into_iter().find(|lane| lane.connection == "cleaning").unwrap()
    };
    assert_eq!(lane(&house).paused_because.as_deref(), Some("401 Unauthorized"));
    let paused = house.engine.store.paused().await.unwrap();
    assert_eq!(paused[0].name, "cleaning");
    assert_eq!(paused[0].probe_at, house.clock.now() + TimeDelta::minutes(5));
    // Nobody goes before the probe is due, then one.
    for n in 4..8 {
        house.advance(TimeDelta::seconds(299));
        house.advance(TimeDelta::seconds(1));
        house.cleaning.wait_for(n).await;
        house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
        assert_eq!(house.cleaning.requests().len(), n);
    }
    // The pause outlives a restart, which tries once.
    let house = house.crash(|plan| plan).await;
    house.cleaning.wait_for(8).await;
    house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
    assert_eq!(house.cleaning.requests().len(), 8);
    assert!(lane(&house).paused_because.is_some());
    // Days later somebody has put it right: everything goes out, and nothing has been given up meanwhile.
    house.advance(TimeDelta::days(3));
    house.cleaning.wait_for(9).await;
    house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
    house.cleaning.decide(|_, _| Reply::status(200));
    house.advance(TimeDelta::minutes(5));
    house.come_to(&["Tell: succeeded"; 5]).await;
    assert!(lane(&house).paused_because.is_none());
    assert!(house.engine.store.paused().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_probe_spends_no_attempt_of_any_policy() {
    let house = plan().recipe(&tell("    retry: {schedule: [1s]}")).build().await;
    house.cleaning.decide(|_, _| Reply::status(401));
    house.decide(&stay("A", "confirmed", 1)).await;
    house.idle().await;
    house.decide(&stay("B", "confirmed", 1)).await;
    house.idle().await;
    house.decide(&stay("C", "confirmed", 1)).await;
    house.idle().await;
    for n in 4..8 {
        house.advance(TimeDelta::minutes(5));
        house.cleaning.wait_for(n).await;
        house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
    }
    house.come_to(&["Tell: retrying"; 3]).await;
}

#[tokio::test]
async fn forbidden_ends_the_run_and_counts_for_the_pause() {
    let house = plan().recipe(&tell("")).build().await;
    house.cleaning.decide(|_, _| Reply::status(403));
    for code in ["A", "B", "C", "D"] {
        house.decide(&stay(code, "confirmed", 1)).await;
        house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
    }
    let runs = house
        .come_to(&["Tell: dead", "Tell: dead", "Tell: dead", "Tell: ready"])
        .await;
    assert_eq!(runs[0].reason, "403 Forbidden");
    assert_eq!(house.engine.store.paused().await.unwrap().len(), 1);
}

#[test]
fn whatever_a_target_answers_every_run_ends_and_keeps_its_key() {
    let reply = prop_oneof![
        3 => Just(Reply::status(200)),
        3 => Just(Reply::status(503)),
        2 => (0u32..5000).prop_map(|s| Reply::status(429).header("retry-after", &s.to_string())),
        1 => Just(Reply::status(400)),
        1 => Just(Reply::status(401)),
        2 => Just(Reply::Close),
    ];
    let replies = proptest::collection::vec(reply, 0..30);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&(replies, 0u64..1000), |(replies, nudge_s)| {
        runtime.block_on(ends(replies, nudge_s));
        Ok(())
    });
    outcome.unwrap();
}

async fn ends(replies: Vec<Reply>, nudge_s: u64) {
    let second = "
  - http: {connection: cleaning, url: /second, json: {id: '{{ steps.task.output.id }}', at: '{{ now }}'}}
";
    let house = plan().recipe(&tell(second)).build().await;
    house.cleaning.then(replies);
    for code in ["A", "B"] {
        house.deliver("ours", &stay(code, "confirmed", 1)).await;
    }
    let mut seen: Vec<Vec<String>> = vec![Vec::new(); 2];
    for _ in 0..200 {
        let runs = house
            .when(|runs| runs.len() == 2 && runs.iter().all(|run| run.state != "running"))
            .await;
        for (n, run) in runs.iter().enumerate() {
            let attempts: Vec<String> = house
                .run(&run.id)
                .await
                .attempts
                .iter()
                .map(|a| format!("{a:?}"))
                .collect();
            assert_eq!(attempts[..seen[n].len()], seen[n], "a finished attempt never changes");
            seen[n] = attempts;
        }
        let open: Vec<_> = runs
            .iter()
            .filter(|run| ["ready", "retrying"].contains(&run.state.as_str()))
            .collect();
        let Some(due) = open.iter().map(|run| run.due_at_ms).min() else {
            break;
        };
        let probe = house
            .engine
            .lanes
            .states()
            .iter()
            .filter_map(|lane| lane.probe_at_ms)
            .max()
            .unwrap_or(0);
        // Where the time for retries is over by then, a run ends without another attempt.
        let seen_of = |runs: &[RunRow]| {
            let attempts: i64 = runs.iter().map(|run| run.attempts).sum();
            let open = runs
                .iter()
                .filter(|run| ["ready", "running", "retrying"].contains(&run.state.as_str()));
            (attempts, open.count())
        };
        let (attempts, waiting) = seen_of(&runs);
        let next = due.max(probe).max(house.clock.now().timestamp_millis());
        house
            .clock
            .set(stayhook::model::clock::from_ms(next) + TimeDelta::seconds(nudge_s as i64));
        house
            .when(|runs| seen_of(runs).0 > attempts || seen_of(runs).1 < waiting)
            .await;
    }
    for n in 0..2 {
        let run = house.nth(n).await;
        assert!(
            ["succeeded", "dead", "parked"].contains(&run.run.state.as_str()),
            "{run:#?}"
        );
        assert!(!run.run.reason.is_empty());
        let numbers: Vec<i64> = run.attempts.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
        assert!(run.attempts.iter().all(|attempt| attempt.finished_at_ms.is_some()));
        for step in &run.steps {
            let of_step = || run.attempts.iter().filter(|attempt| attempt.position == step.position);
            assert!(of_step().all(|attempt| attempt.key == step.key), "{run:#?}");
        }
    }
    let requests = house.cleaning.requests();
    for request in &requests {
        let first = requests.iter().find(|first| first.key() == request.key()).unwrap();
        assert_eq!(first.body, request.body, "the same key, the same bytes");
    }
}

#[tokio::test]
async fn a_dry_run_does_everything_but_send() {
    let second = "  - http: {connection: books, url: '/second?id={{ steps.task.output.id }}'}\n";
    let house = plan().recipe(&tell(second)).dry_run().build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    let runs = house.come_to(&["Tell: succeeded"]).await;
    assert!(runs[0].dry_run);
    assert_eq!(runs[0].reason, "dry run: nothing was sent");
    let run = house.nth(0).await;
    assert_eq!(run.steps[0].request["request"]["url"], "/tasks/A");
    assert_eq!(run.steps.len(), 2);
    assert!(house.cleaning.requests().is_empty() && house.books.requests().is_empty());
}
