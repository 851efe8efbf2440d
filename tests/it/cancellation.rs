//! What a cancellation does to what is under way and what waits.

use crate::standin::Reply;
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use stayhook::model::clock::from_ms;

use crate::sender::{asked, payment, plan, stay};

const BOOK: &str = "
name: Book
on: {event: reservation.confirmed}
actions:
  - http: {connection: cleaning, method: PUT, url: '/tasks/{{ reservation.code }}', json: {guests: '{{ reservation.guests }}'}}
  - http: {connection: books, url: '/booked/{{ reservation.code }}'}
";
const UNBOOK: &str = "
name: Unbook
on: {event: reservation.cancelled}
actions:
  - http: {connection: cleaning, method: DELETE, url: '/tasks/{{ reservation.code }}'}
";

#[tokio::test]
async fn a_confirmation_that_failed_for_hours_never_books_after_the_cancellation() {
    let house = plan().recipe(BOOK).recipe(UNBOOK).build().await;
    house.cleaning.then(vec![Reply::status(503); 8]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Book: retrying"]).await;
    for _ in 0..7 {
        house.next_attempt(0).await;
    }
    house.decide(&stay("A", "cancelled", 2)).await;
    let runs = house.come_to(&["Book: cancelled", "Unbook: succeeded"]).await;
    assert_eq!(runs[0].reason, "the stay was cancelled");
    house.advance(TimeDelta::days(2));
    house.decide(&stay("B", "confirmed", 3)).await;
    house.idle().await;
    let asked = asked(&house.cleaning.requests());
    assert_eq!(asked[7..], ["PUT /tasks/A", "DELETE /tasks/A", "PUT /tasks/B"]);
    assert_eq!(house.attempts(0).await.len(), 8);
}

#[tokio::test]
async fn what_may_have_booked_is_settled_before_the_cancellation_goes_out() {
    let house = plan().recipe(BOOK).recipe(UNBOOK).build().await;
    house.cleaning.then([Reply::Close, Reply::status(503)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Book: retrying"]).await;
    house.decide(&stay("A", "cancelled", 2)).await;
    let runs = house.come_to(&["Book: retrying", "Unbook: ready"]).await;
    assert!(runs[0].cancel_requested && runs[0].uncertain);
    // An attempt that certainly did nothing does not settle what came before.
    let run = house.next_attempt(0).await.run;
    assert!(run.uncertain && run.state == "retrying", "{run:#?}");
    assert_eq!(run.reason, "the stay was cancelled");
    house.next_attempt(0).await;
    let runs = house.come_to(&["Book: cancelled", "Unbook: succeeded"]).await;
    assert_eq!(runs[0].reason, "the stay was cancelled");
    let requests = house.cleaning.requests();
    assert_eq!(
        asked(&requests),
        ["PUT /tasks/A", "PUT /tasks/A", "PUT /tasks/A", "DELETE /tasks/A"]
    );
    for again in &requests[1..3] {
        assert_eq!((again.key(), &again.body), (requests[0].key(), &requests[0].body));
    }
    assert_eq!(house.attempts(0).await, ["1 uncertain", "2 retry", "3 done"]);
    assert!(house.books.requests().is_empty(), "no further step");
}

#[tokio::test]
async fn what_may_have_booked_is_settled_across_a_crash() {
    let house = plan().recipe(BOOK).recipe(UNBOOK).build().await;
    house.cleaning.then([Reply::status(200).held()]);
    house.deliver("ours", &stay("A", "confirmed", 1)).await;
    house.cleaning.wait_for(1).await;
    house.decide(&stay("A", "cancelled", 2)).await;
    let house = house.crash(|plan| plan).await;
    let runs = house.come_to(&["Book: cancelled", "Unbook: succeeded"]).await;
    assert_eq!(runs[0].reason, "the stay was cancelled");
    assert_eq!(
        asked(&house.cleaning.requests()),
        ["PUT /tasks/A", "PUT /tasks/A", "DELETE /tasks/A"]
    );
    assert_eq!(house.cleaning.effects().len(), 2);
    assert!(house.books.requests().is_empty());
}

#[tokio::test]
async fn the_attempt_under_way_is_recorded_and_no_further_step_follows() {
    let house = plan().recipe(BOOK).recipe(UNBOOK).build().await;
    house.cleaning.then([Reply::status(200).held()]);
    house.deliver("ours", &stay("A", "confirmed", 1)).await;
    house.cleaning.wait_for(1).await;
    house.decide(&stay("A", "cancelled", 2)).await;
    house.come_to(&["Book: running", "Unbook: ready"]).await;
    house.cleaning.release();
    house.come_to(&["Book: cancelled", "Unbook: succeeded"]).await;
    assert_eq!(house.attempts(0).await, ["1 done"]);
    assert_eq!(asked(&house.cleaning.requests()), ["PUT /tasks/A", "DELETE /tasks/A"]);
    assert!(house.books.requests().is_empty());
}

#[tokio::test]
async fn a_recipe_that_names_the_new_status_goes_on() {
    let named = BOOK.replace("actions:", "match: {status: [booked, cancelled]}\nactions:");
    for (recipe, ends) in [(named.as_str(), "Book: succeeded"), (BOOK, "Book: cancelled")] {
        let house = plan().recipe(recipe).build().await;
        house.cleaning.then([Reply::status(503)]);
        house.decide(&stay("A", "confirmed", 1)).await;
        house.come_to(&["Book: retrying"]).await;
        house.decide(&stay("A", "cancelled", 2)).await;
        if ends == "Book: succeeded" {
            house.next_attempt(0).await;
        }
        house.come_to(&[ends]).await;
    }
}

#[tokio::test]
async fn money_is_booked_although_the_stay_is_cancelled() {
    let recipe = "
name: Ledger
on: {event: payment.created}
actions: [{http: {connection: books, url: '/entries/{{ payment.id }}'}}]
";
    let house = plan().recipe(recipe).recipe(UNBOOK).build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    house.books.then([Reply::status(503)]);
    house.decide(&payment("A", "p1")).await;
    house.come_to(&["Ledger: retrying"]).await;
    house.decide(&stay("A", "cancelled", 2)).await;
    house.come_to(&["Ledger: retrying", "Unbook: succeeded"]).await;
    house.next_attempt(0).await;
    house.come_to(&["Ledger: succeeded", "Unbook: succeeded"]).await;
    assert_eq!(asked(&house.books.effects()), ["POST /entries/p1"]);
}

#[tokio::test]
async fn what_was_held_back_by_a_cancelled_run_goes_at_once() {
    let book = format!("{BOOK}queue: shared\n");
    let recipe = "
name: Ledger
on: {event: payment.created}
queue: shared
actions: [{http: {connection: books, url: '/entries/{{ payment.id }}'}}]
";
    let house = plan().recipe(&book).recipe(recipe).build().await;
    house.cleaning.then([Reply::status(503)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Book: retrying"]).await;
    house.decide(&payment("A", "p1")).await;
    house.come_to(&["Book: retrying", "Ledger: ready"]).await;
    house.decide(&stay("A", "cancelled", 2)).await;
    house.come_to(&["Book: cancelled", "Ledger: succeeded"]).await;
}

#[tokio::test]
async fn what_was_true_when_it_was_decided_is_acted_on() {
    let recipe = BOOK.replace(
        "actions:",
        "when: reservation.guests < 2\nmatch: {status: confirmed}\nactions:",
    );
    let house = plan().recipe(&recipe).build().await;
    house.cleaning.then([Reply::status(503)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Book: retrying"]).await;
    house.decide(&stay("A", "in_house", 5)).await;
    house.next_attempt(0).await;
    house.come_to(&["Book: succeeded"]).await;
    assert_eq!(house.cleaning.requests()[1].json()["guests"], 1);
}

/// Something that happens around a cancellation.
#[derive(Clone, Debug)]
enum Happens {
    Wait(i64),
    Crash,
    Guests,
    Cancel,
}

#[test]
fn whatever_happens_nothing_is_booked_once_the_cancellation_went_out() {
    let reply = prop_oneof![
        3 => Just(Reply::status(503)),
        2 => Just(Reply::Close),
        2 => Just(Reply::status(200)),
        1 => Just(Reply::status(400)),
    ];
    let happens = prop_oneof![
        3 => (1i64..20_000).prop_map(Happens::Wait),
        1 => Just(Happens::Crash),
        2 => Just(Happens::Guests),
        2 => Just(Happens::Cancel),
    ];
    let replies = proptest::collection::vec(reply, 0..20);
    let story = proptest::collection::vec(happens, 1..8);
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
    let outcome = runner.run(&(replies, story), |(replies, story)| {
        runtime.block_on(cancels(replies, story));
        Ok(())
    });
    outcome.unwrap();
}

async fn cancels(replies: Vec<Reply>, story: Vec<Happens>) {
    let book = BOOK.replace(
        "reservation.confirmed",
        "[reservation.confirmed, reservation.guests_changed]",
    );
    let book = book.replace("actions:", "when: reservation.status != 'cancelled'\nactions:");
    let mut house = plan().recipe(&book).recipe(UNBOOK).build().await;
    house.cleaning.then(replies);
    house.decide(&stay("A", "confirmed", 1)).await;
    let (mut n, mut gone) = (1, false);
    for happens in story.into_iter().chain([Happens::Cancel]) {
        match happens {
            Happens::Wait(seconds) => house.advance(TimeDelta::seconds(seconds)),
            Happens::Crash => house = house.crash(|plan| plan).await,
            Happens::Guests if !gone => {
                n += 1;
                house.decide(&stay("A", "confirmed", n)).await;
            }
            Happens::Cancel if !gone => {
                n += 1;
                gone = true;
                house.decide(&stay("A", "cancelled", n)).await;
            }
            Happens::Guests | Happens::Cancel => {}
        }
        house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
    }
    for _ in 0..300 {
        let runs = house.when(|runs| runs.iter().all(|run| run.state != "running")).await;
        let open = runs
            .iter()
            .filter(|run| ["ready", "retrying"].contains(&run.state.as_str()));
        let Some(due) = open
            .map(|run| run.due_at_ms)
            .filter(|due| *due > house.clock.now().timestamp_millis())
            .min()
        else {
            if runs.iter().all(|run| run.state != "ready" && run.state != "retrying") {
                break;
            }
            // Something is due and on its way.
            house
                .when(|now| {
                    now.iter().zip(&runs).any(|(now, then)| {
                        now.updated_at_ms != then.updated_at_ms
                            || now.state != then.state
                            || now.attempts != then.attempts
                    })
                })
                .await;
            continue;
        };
        house.clock.set(from_ms(due));
    }
    let runs = house.runs().await;
    for run in &runs {
        assert!(
            ["succeeded", "dead", "cancelled"].contains(&run.state.as_str()),
            "{runs:#?}"
        );
        assert!(!run.reason.is_empty(), "{runs:#?}");
    }
    let asked = asked(&house.cleaning.requests());
    let last_put = asked.iter().rposition(|line| line.starts_with("PUT"));
    let first_delete = asked.iter().position(|line| line.starts_with("DELETE")).unwrap();
    assert!(last_put.is_none_or(|at| at < first_delete), "{asked:#?}");
}
