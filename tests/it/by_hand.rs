//! What people do to runs.

use crate::standin::Reply;
use stayhook::model::run::{ByHand, RunState};
use stayhook::store::{HandError, HandOutcome};

use crate::sender::{asked, payment, plan, stay, with};
use crate::support::House;

const TELL: &str = "
name: Tell
on: {event: [reservation.confirmed, reservation.guests_changed]}
actions:
  - id: first
    http: {connection: cleaning, url: '/first/{{ reservation.guests }}', output: {id: $.task.id}}
  - http: {connection: books, url: '/second/{{ reservation.guests }}', json: {at: '{{ now }}'}}
";

const PLAIN: ByHand = ByHand {
    again: false,
    same_revision: false,
};
const AGAIN: ByHand = ByHand {
    again: true,
    same_revision: false,
};
const SAME: ByHand = ByHand {
    again: false,
    same_revision: true,
};

impl House {
    async fn retry(&self, n: usize, how: ByHand) -> Result<HandOutcome, HandError> {
        let outcome = self.engine.store.retry(self.id(n).await, how, self.clock.now()).await;
        self.engine.wake_outbox();
        outcome
    }

    async fn cancel(&self, n: usize) -> Result<HandOutcome, HandError> {
        let outcome = self.engine.store.cancel(self.id(n).await, self.clock.now()).await;
        self.engine.wake_outbox();
        outcome
    }

    async fn done(&self, n: usize) -> Result<HandOutcome, HandError> {
        let outcome = self.engine.store.done(self.id(n).await, self.clock.now()).await;
        self.engine.wake_outbox();
        outcome
    }
}

#[tokio::test]
async fn a_retry_goes_on_at_the_step_that_failed() {
    let house = plan().recipe(TELL).build().await;
    house.books.then([Reply::status(400)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: dead"]).await;
    house.retry(0, SAME).await.unwrap();
    house.come_to(&["Tell: succeeded"]).await;
    assert_eq!(house.cleaning.requests().len(), 1);
    let requests = house.books.requests();
    assert_eq!(requests[0].key(), requests[1].key());
    let run = house.nth(0).await;
    let causes: Vec<&str> = run.attempts.iter().map(|attempt| attempt.cause.as_str()).collect();
    assert_eq!(causes, ["schedule", "schedule", "by hand"]);
}

#[tokio::test]
async fn a_step_that_is_tried_again_has_not_failed() {
    let house = plan().recipe(TELL).build().await;
    house.books.then([Reply::status(400), Reply::status(503)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: dead"]).await;
    assert_eq!(house.nth(0).await.steps[1].state, "failed");
    house.retry(0, SAME).await.unwrap();
    house.come_to(&["Tell: retrying"]).await;
    assert_eq!(house.nth(0).await.steps[1].state, "open");
}

#[tokio::test]
async fn a_step_that_cannot_be_rendered_is_where_a_retry_goes_on() {
    let wrong = TELL.replace("/second/{{ reservation.guests }}", "/second/{{ reservation.pets }}");
    let house = plan().recipe(&wrong).build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    let runs = house.come_to(&["Tell: dead"]).await;
    assert!(runs[0].reason.contains("step `"), "{}", runs[0].reason);
    house.retry(0, PLAIN).await.unwrap();
    house.when(|runs| runs[0].state == "dead").await;
    let house = house.crash(|plan| plan.instead(TELL)).await;
    house.retry(0, PLAIN).await.unwrap();
    house.come_to(&["Tell: succeeded"]).await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /first/1"]);
    assert_eq!(asked(&house.books.requests()), ["POST /second/1"]);
}

#[tokio::test]
async fn a_run_that_never_began_can_be_tried_once_its_recipe_is_right() {
    let wrong = TELL.replace("/first/{{ reservation.guests }}", "/first/{{ reservation.pets }}");
    let house = plan().recipe(&wrong).build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    let runs = house.come_to(&["Tell: dead"]).await;
    assert!(runs[0].reason.contains("step `first`"), "{}", runs[0].reason);
    let house = house.crash(|plan| plan.instead(TELL)).await;
    house.retry(0, PLAIN).await.unwrap();
    house.come_to(&["Tell: succeeded"]).await;
}

#[tokio::test]
async fn a_retry_is_refused_where_it_would_undo_something_newer() {
    let house = plan().recipe(TELL).build().await;
    house.cleaning.then([Reply::status(400)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: dead"]).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    house.come_to(&["Tell: dead", "Tell: succeeded"]).await;
    let refused = house.retry(0, PLAIN).await.unwrap_err().to_string();
    assert!(
        refused.contains("a later run of the same queue and stay is done; with --again"),
        "{refused}"
    );
    house
        .decide(&with("A", "cancelled", 3, &serde_json::json!({"guests": 2})))
        .await;
    let refused = house.retry(0, PLAIN).await.unwrap_err().to_string();
    assert!(
        refused.contains("the stay is cancelled, and `Tell` does not name that in `match.status`; with --again"),
        "{refused}"
    );
    house.retry(0, AGAIN).await.unwrap();
    house.come_to(&["Tell: succeeded", "Tell: succeeded"]).await;
    let refused = house.retry(0, AGAIN).await.unwrap_err().to_string();
    assert!(
        refused.contains("it is succeeded, there is nothing to try again"),
        "{refused}"
    );
}

#[tokio::test]
async fn money_may_always_be_tried_again() {
    let recipe = "
name: Ledger
on: {event: payment.created}
actions: [{http: {connection: books, url: '/{{ payment.id }}'}}]
";
    let house = plan().recipe(recipe).build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    house.books.then([Reply::status(400)]);
    house.decide(&payment("A", "p1")).await;
    house.come_to(&["Ledger: dead"]).await;
    house.decide(&payment("A", "p2")).await;
    house.decide(&stay("A", "cancelled", 2)).await;
    house.come_to(&["Ledger: dead", "Ledger: succeeded"]).await;
    house.retry(0, PLAIN).await.unwrap();
    house.come_to(&["Ledger: succeeded", "Ledger: succeeded"]).await;
}

#[tokio::test]
async fn another_recipe_renders_other_bytes_under_another_key() {
    let changed = TELL.replace("/first/", "/new/").replace("/second/", "/newer/");
    let house = plan().recipe(TELL).build().await;
    house.cleaning.then([Reply::status(400)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: dead"]).await;
    let house = house.crash(|plan| plan.instead(&changed)).await;
    // The second step waits in the store in between: it still is today's recipe that renders it.
    house.books.then([Reply::status(503)]);
    house.retry(0, PLAIN).await.unwrap();
    house.come_to(&["Tell: retrying"]).await;
    house.next_attempt(0).await;
    let requests = house.cleaning.requests();
    assert_eq!(asked(&requests), ["POST /first/1", "POST /new/1"]);
    assert_ne!(requests[0].key(), requests[1].key());
    assert_eq!(asked(&house.books.requests()), ["POST /newer/1", "POST /newer/1"]);
    let run = house.nth(0).await;
    let book = house.engine.setup();
    assert_eq!(run.run.revision, book.book.all()[0].revision);
}

#[tokio::test]
async fn other_bytes_are_refused_while_nobody_knows_of_the_first() {
    let once = TELL.replace("$.task.id}}", "$.task.id}}\n    at_most_once: true");
    let changed = once.replace("/first/", "/new/");
    for (how, state, paths) in [
        (PLAIN, "Tell: dead", vec!["POST /first/1"]),
        (SAME, "Tell: succeeded", vec!["POST /first/1", "POST /first/1"]),
        (AGAIN, "Tell: succeeded", vec!["POST /first/1", "POST /new/1"]),
    ] {
        let house = plan().recipe(&once).build().await;
        house.cleaning.then([Reply::Close]);
        house.decide(&stay("A", "confirmed", 1)).await;
        house.come_to(&["Tell: parked"]).await;
        let house = house.crash(|plan| plan.instead(&changed)).await;
        house.retry(0, how).await.unwrap();
        let runs = house.come_to(&[state]).await;
        let requests = house.cleaning.requests();
        assert_eq!(asked(&requests), paths, "{how:?}");
        match how {
            PLAIN => assert!(
                runs[0].reason.contains("with --again it is sent all the same"),
                "{}",
                runs[0].reason
            ),
            SAME => assert_eq!(requests[0].key(), requests[1].key()),
            _ => assert_ne!(requests[0].key(), requests[1].key()),
        }
    }
}

#[tokio::test]
async fn a_parked_run_is_declared_done_or_sent_again() {
    let once = TELL.replace("$.task.id}}", "$.task.id}}\n    at_most_once: true");
    let house = plan().recipe(&once).build().await;
    house.cleaning.then([Reply::Close, Reply::Close]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.decide(&stay("B", "confirmed", 1)).await;
    let runs = house.come_to(&["Tell: parked", "Tell: parked"]).await;
    assert!(
        runs[0]
            .reason
            .contains("it may have arrived and is to arrive at most once: a person has to look")
    );
    assert_eq!(house.done(0).await.unwrap().state, RunState::Succeeded);
    house.retry(1, PLAIN).await.unwrap();
    let runs = house.come_to(&["Tell: succeeded", "Tell: succeeded"]).await;
    assert_eq!(runs[0].reason, "a person says that it is done");
    let requests = house.cleaning.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[1].key(), requests[2].key());
    let refused = house.done(0).await.unwrap_err().to_string();
    assert!(
        refused.contains("it is succeeded; only a dead or parked run can be declared done"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_run_is_called_off_at_once_or_as_soon_as_it_is_settled() {
    let house = plan().recipe(TELL).build().await;
    house.cleaning.then([Reply::status(503), Reply::status(200).held()]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: retrying"]).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    house.come_to(&["Tell: retrying", "Tell: ready"]).await;
    assert_eq!(house.cancel(0).await.unwrap().state, RunState::Cancelled);
    // What it held back goes.
    house.cleaning.wait_for(2).await;
    let told = house.cancel(1).await.unwrap();
    assert_eq!(
        (told.state, told.message.as_str()),
        (RunState::Running, "ends as soon as its open attempt is settled")
    );
    house.cleaning.release();
    let runs = house.come_to(&["Tell: cancelled", "Tell: cancelled"]).await;
    assert_eq!(runs[1].reason, "a person called it off");
    assert_eq!(house.attempts(1).await, ["1 done"]);
    assert!(house.books.requests().is_empty());
    assert!(matches!(house.cancel(1).await, Err(HandError::Refused(_))));
    // Called off is not for ever.
    house.retry(1, PLAIN).await.unwrap();
    house.come_to(&["Tell: cancelled", "Tell: succeeded"]).await;
    assert_eq!(house.cleaning.requests().len(), 2);
    assert_eq!(asked(&house.books.requests()), ["POST /second/2"]);
}

#[tokio::test]
async fn an_older_run_never_goes_beside_a_newer_one_that_is_under_way() {
    let house = plan().recipe(TELL).build().await;
    house.cleaning.then([Reply::status(400), Reply::status(200).held()]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: dead"]).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    house.cleaning.wait_for(2).await;
    house.retry(0, PLAIN).await.unwrap();
    house.decide(&stay("B", "confirmed", 3)).await;
    house
        .come_to(&["Tell: ready", "Tell: running", "Tell: succeeded"])
        .await;
    house.cleaning.release();
    house.come_to(&["Tell: succeeded"; 3]).await;
}
