//! The order in which runs of one stay go out.

use crate::standin::Reply;

use crate::sender::{asked, payment, plan, stay};

const TELL: &str = "
name: Tell
on: {event: [reservation.confirmed, reservation.guests_changed, reservation.cancelled]}
actions:
  - http: {connection: cleaning, url: '/{{ reservation.code }}/{{ reservation.guests }}'}
";

fn ok() -> Reply {
    Reply::status(200)
}

#[tokio::test]
async fn runs_of_one_stay_wait_for_each_other_and_hold_up_no_other_stay() {
    let house = plan().recipe(TELL).build().await;
    house.cleaning.then([ok().held()]);
    house.deliver("ours", &stay("A", "confirmed", 1)).await;
    house.cleaning.wait_for(1).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    house.decide(&stay("B", "confirmed", 3)).await;
    house
        .come_to(&["Tell: running", "Tell: ready", "Tell: succeeded"])
        .await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /A/1", "POST /B/3"]);
    house.cleaning.release();
    house.idle().await;
    assert_eq!(
        asked(&house.cleaning.requests()),
        ["POST /A/1", "POST /B/3", "POST /A/2"]
    );
}

#[tokio::test]
async fn a_queue_is_shared_by_name_and_only_by_name() {
    for (queue, second) in [("queue: shared\n", "Second: ready"), ("", "Second: succeeded")] {
        let first = format!(
            "name: First\non: {{event: reservation.confirmed}}\n{queue}actions: [{{http: {{connection: cleaning, url: '/1/{{{{ reservation.code }}}}'}}}}]"
        );
        let later = format!(
            "name: Second\non: {{event: reservation.confirmed}}\n{queue}actions: [{{http: {{connection: books, url: '/2/{{{{ reservation.code }}}}'}}}}]"
        );
        let house = plan().recipe(&first).recipe(&later).build().await;
        house.cleaning.then([ok().held()]);
        house.deliver("ours", &stay("A", "confirmed", 1)).await;
        house.cleaning.wait_for(1).await;
        house.decide(&stay("B", "confirmed", 1)).await;
        house
            .come_to(&["First: running", second, "First: succeeded", "Second: succeeded"])
            .await;
        house.cleaning.release();
        house.idle().await;
        assert_eq!(house.books.requests().len(), 2, "{queue}");
    }
}

#[tokio::test]
async fn parallel_runs_wait_for_nobody() {
    let house = plan().recipe(&format!("{TELL}mode: parallel\n")).build().await;
    house.cleaning.then([ok().held()]);
    house.deliver("ours", &stay("A", "confirmed", 1)).await;
    house.cleaning.wait_for(1).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    house.come_to(&["Tell: running", "Tell: succeeded"]).await;
    house.cleaning.release();
    house.idle().await;
}

#[tokio::test]
async fn the_newest_takes_the_place_of_what_waits() {
    let house = plan().recipe(&format!("{TELL}mode: newest\n")).build().await;
    house.cleaning.then([Reply::status(503)]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: retrying"]).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    let runs = house.come_to(&["Tell: cancelled", "Tell: succeeded"]).await;
    assert_eq!(runs[0].reason, "a newer run of the recipe takes its place");
    assert_eq!(asked(&house.cleaning.requests()), ["POST /A/1", "POST /A/2"]);
}

const TWO_STEPS: &str = "
name: Two
on: {event: [reservation.confirmed, reservation.guests_changed]}
mode: newest
actions:
  - http: {connection: cleaning, url: '/{{ reservation.code }}/{{ reservation.guests }}'}
  - http: {connection: books, url: '/{{ reservation.code }}/{{ reservation.guests }}'}
";

#[tokio::test]
async fn the_newest_waits_until_what_is_under_way_is_settled() {
    let house = plan().recipe(TWO_STEPS).build().await;
    house.cleaning.then([ok().held()]);
    house.deliver("ours", &stay("A", "confirmed", 1)).await;
    house.cleaning.wait_for(1).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    house.decide(&stay("A", "confirmed", 3)).await;
    let runs = house.come_to(&["Two: running", "Two: cancelled", "Two: ready"]).await;
    assert!(runs[0].cancel_requested);
    house.cleaning.release();
    let runs = house
        .come_to(&["Two: cancelled", "Two: cancelled", "Two: succeeded"])
        .await;
    assert_eq!(runs[0].reason, "a newer run of the recipe takes its place");
    assert_eq!(house.attempts(0).await, ["1 done"]);
    assert_eq!(asked(&house.books.requests()), ["POST /A/3"]);
}

#[tokio::test]
async fn the_newest_waits_until_what_is_uncertain_is_settled() {
    let house = plan().recipe(TWO_STEPS).build().await;
    house.cleaning.then([Reply::Close]);
    house.decide(&stay("A", "confirmed", 1)).await;
    house.come_to(&["Two: retrying"]).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    house.come_to(&["Two: retrying", "Two: ready"]).await;
    house.next_attempt(0).await;
    let runs = house.come_to(&["Two: cancelled", "Two: succeeded"]).await;
    assert_eq!(runs[0].reason, "a newer run of the recipe takes its place");
    assert_eq!(
        asked(&house.cleaning.requests()),
        ["POST /A/1", "POST /A/1", "POST /A/2"]
    );
    assert_eq!(house.cleaning.effects().len(), 2);
}

#[tokio::test]
async fn payments_never_give_way_to_newer_ones() {
    let recipe = "
name: Book
on: {event: payment.created}
mode: newest
actions: [{http: {connection: books, url: '/{{ payment.id }}'}}]
";
    let house = plan().recipe(recipe).build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    house.books.then([Reply::status(503)]);
    house.decide(&payment("A", "p1")).await;
    house.come_to(&["Book: retrying"]).await;
    house.decide(&payment("A", "p2")).await;
    house.next_attempt(0).await;
    house.come_to(&["Book: succeeded", "Book: succeeded"]).await;
    assert_eq!(asked(&house.books.effects()), ["POST /p1", "POST /p2"]);
}

#[tokio::test]
async fn a_replayed_event_takes_nobodys_place() {
    let house = plan().recipe(&format!("{TELL}mode: newest\n")).build().await;
    let first = house.tell("ours", &stay("A", "confirmed", 1)).await;
    house.cleaning.then([Reply::status(503)]);
    house.decide(&stay("A", "confirmed", 2)).await;
    house.come_to(&["Tell: succeeded", "Tell: retrying"]).await;
    let which = stayhook::store::ReplayWhich {
        ids: vec![first.delivery],
        ..Default::default()
    };
    house.engine.store.replay(which, false, None).await.unwrap();
    house.engine.inbox.notify_one();
    house.until(|counts| counts.undecided == 0).await;
    house.come_to(&["Tell: succeeded", "Tell: retrying"]).await;
}

#[tokio::test]
async fn what_has_ended_holds_nobody() {
    let at_most_once = TELL.replace(
        "/{{ reservation.guests }}'}",
        "/{{ reservation.guests }}'}\n    at_most_once: true",
    );
    for (recipe, reply, first) in [
        (TELL, Reply::status(400), "Tell: dead"),
        (&at_most_once, Reply::Close, "Tell: parked"),
    ] {
        let house = plan().recipe(recipe).build().await;
        house.cleaning.then([reply]);
        house.decide(&stay("A", "confirmed", 1)).await;
        house.come_to(&[first]).await;
        house.decide(&stay("A", "confirmed", 2)).await;
        house.come_to(&[first, "Tell: succeeded"]).await;
    }
    let skips = TELL.replace("'}", "'}\n    when: reservation.guests > 1");
    let house = plan().recipe(&skips).build().await;
    house.decide(&stay("A", "confirmed", 1)).await;
    house.decide(&stay("A", "confirmed", 2)).await;
    let runs = house.come_to(&["Tell: skipped", "Tell: succeeded"]).await;
    assert_eq!(
        runs[0].reason,
        "`when: reservation.guests > 1` is not so (reservation.guests: 1)"
    );
}
