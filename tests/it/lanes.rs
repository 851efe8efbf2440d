//! A broken target blocks its own lane only.

use std::sync::Arc;

use crate::standin::{HttpStandin, Reply};
use chrono::TimeDelta;

use crate::sender::{asked, plan, stay};
use crate::support::Plan;

fn tell(name: &str, connection: &str, types: &str) -> String {
    format!(
        "name: {name}\non: {{event: {types}}}\nactions: [{{http: {{connection: {connection}, url: '/{name}/{{{{ reservation.code }}}}'}}}}]"
    )
}

async fn slow(settings: &str) -> (Arc<HttpStandin>, String) {
    let target = Arc::new(HttpStandin::start().await.unwrap());
    let connection = format!(
        "slow: {{http: {{base_url: {}, timeout: 5s{settings}}}}}\n",
        target.base_url()
    );
    (target, connection)
}

#[tokio::test]
async fn a_target_that_hangs_delays_nobody_else() {
    let (target, connection) = slow(", concurrency: 2").await;
    let house = plan()
        .connections(&connection)
        .recipe(&tell("Slow", "slow", "reservation.confirmed"))
        .recipe(&tell("Quick", "books", "reservation.confirmed"))
        .build()
        .await;
    target.decide(|_, _| Reply::status(200).held());
    for n in 0..20 {
        house.decide(&stay(&format!("S{n}"), "confirmed", 1)).await;
    }
    house.books.wait_for(20).await;
    house
        .when(|runs| runs.iter().filter(|run| run.state == "succeeded").count() == 20)
        .await;
    assert_eq!(target.requests().len(), 2);
    target.decide(|_, _| Reply::status(200));
    target.release();
    house.idle().await;
    assert_eq!(target.effects().len(), 20);
}

#[tokio::test]
async fn hundreds_of_runs_that_wait_for_a_dead_target_stop_nobody() {
    let (target, connection) = slow(", concurrency: 2").await;
    let house = plan()
        .connections(&connection)
        .recipe(&tell("Slow", "slow", "reservation.created"))
        .recipe(&tell("Quick", "books", "reservation.guests_changed"))
        .build()
        .await;
    target.decide(|_, _| Reply::status(503));
    for n in 0..500 {
        house.deliver("ours", &stay(&format!("S{n}"), "inquiry", 1)).await;
    }
    house
        .until(|counts| counts.runs.iter().any(|(state, n)| state == "retrying" && *n == 500))
        .await;
    house.tell("ours", &stay("S7", "inquiry", 2)).await;
    assert_eq!(asked(&house.books.requests()), ["POST /Quick/S7"]);
    // An hour later the target is back: everybody is served.
    house.advance(TimeDelta::hours(1));
    target.decide(|_, _| Reply::status(200));
    house.until(|counts| counts.runs.iter().all(|(_, n)| *n == 0)).await;
    assert_eq!(target.effects().len(), 500);
}

#[tokio::test]
async fn a_rate_holds() {
    let (target, connection) = slow(", concurrency: 8, rate: 2/s").await;
    let house = plan()
        .connections(&connection)
        .recipe(&tell("Slow", "slow", "reservation.confirmed"))
        .recipe(&tell("Quick", "books", "reservation.confirmed"))
        .build()
        .await;
    house.advance(TimeDelta::seconds(60));
    for n in 0..5 {
        house.decide(&stay(&format!("S{n}"), "confirmed", 1)).await;
    }
    house.books.wait_for(5).await;
    for n in 1..5 {
        target.wait_for(n).await;
        house
            .when(|runs| runs.iter().filter(|run| run.state == "succeeded").count() == 5 + n)
            .await;
        house.advance(TimeDelta::milliseconds(499));
        assert_eq!(target.requests().len(), n);
        house.advance(TimeDelta::milliseconds(1));
    }
    house.idle().await;
    assert_eq!(target.requests().len(), 5);
}

#[tokio::test]
async fn runs_whose_connection_is_gone_end_with_a_reason() {
    let (target, connection) = slow(", concurrency: 1").await;
    let recipe = tell("Slow", "slow", "[reservation.confirmed, reservation.guests_changed]");
    let house = plan()
        .connections(&connection)
        .recipe(&recipe)
        .recipe(&tell("Quick", "books", "reservation.confirmed"))
        .build()
        .await;
    target.decide(|_, _| Reply::status(503));
    house.decide(&stay("A", "confirmed", 1)).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    house
        .come_to(&["Quick: succeeded", "Slow: retrying", "Slow: ready"])
        .await;
    let house = house.crash(Plan::without_connections).await;
    house.advance(TimeDelta::seconds(30));
    let runs = house.come_to(&["Quick: succeeded", "Slow: dead", "Slow: dead"]).await;
    assert_eq!(
        runs[1].reason,
        "there is no connection `slow` in the configuration any more"
    );
    assert!(
        runs[2]
            .reason
            .contains("there is no connection `slow` in the configuration"),
        "{}",
        runs[2].reason
    );
    assert!(house.engine.lanes.states().iter().all(|lane| lane.connection != "slow"));
}

#[tokio::test]
async fn steps_over_several_connections_keep_their_order() {
    let (target, connection) = slow(", concurrency: 1").await;
    let recipe = "
name: Both
on: {event: reservation.confirmed}
actions:
  - http: {connection: cleaning, url: '/1/{{ reservation.code }}'}
  - http: {connection: slow, url: '/2/{{ reservation.code }}'}
  - http: {connection: cleaning, url: '/3/{{ reservation.code }}'}
";
    let house = plan().connections(&connection).recipe(recipe).build().await;
    target.then([Reply::status(200).held()]);
    house.decide(&stay("A", "confirmed", 1)).await;
    target.wait_for(1).await;
    house.decide(&stay("B", "confirmed", 1)).await;
    house.come_to(&["Both: running", "Both: ready"]).await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /1/A", "POST /1/B"]);
    target.release();
    house.come_to(&["Both: succeeded", "Both: succeeded"]).await;
    assert_eq!(asked(&target.requests()), ["POST /2/A", "POST /2/B"]);
    assert_eq!(house.cleaning.requests().len(), 4);
}

const BOOK: &str = "
name: Book
on: {event: [reservation.confirmed, reservation.cancelled]}
actions:
  - http: {connection: slow, url: '/book/{{ reservation.code }}', json: {at: '{{ now }}'}}
    at_most_once: true
  - http: {connection: books, url: '/told/{{ reservation.code }}/{{ payload.guests }}'}
";

#[tokio::test]
async fn what_waited_for_a_place_over_a_crash_goes_out_once_as_it_was_rendered() {
    let (target, connection) = slow(", concurrency: 1").await;
    let house = plan().connections(&connection).recipe(BOOK).build().await;
    target.then([Reply::status(200).held()]);
    house.decide(&stay("A", "confirmed", 1)).await;
    target.wait_for(1).await;
    house.decide(&stay("B", "confirmed", 1)).await;
    house.decide(&stay("C", "confirmed", 1)).await;
    let waiting = house.nth(1).await;
    assert_eq!((waiting.run.state.as_str(), waiting.attempts.len()), ("ready", 0));
    let rendered = waiting.steps[0].request.clone();
    house.decide(&stay("C", "cancelled", 2)).await;
    house.advance(TimeDelta::hours(1));
    let house = house
        .crash(|plan| plan.instead(&BOOK.replace("/told/", "/else/")))
        .await;
    house
        .come_to(&["Book: parked", "Book: succeeded", "Book: cancelled", "Book: succeeded"])
        .await;
    let run = house.nth(1).await;
    assert_eq!(run.steps[0].request, rendered);
    assert_eq!(house.attempts(1).await, ["1 done", "2 done"]);
    assert!(house.attempts(2).await.is_empty());
    assert_eq!(
        asked(&target.requests()),
        ["POST /book/A", "POST /book/B", "POST /book/C"]
    );
    assert_eq!(asked(&house.books.requests()), ["POST /told/B/1", "POST /told/C/2"]);
}
