//! Workers that go away in the middle of an attempt.

use crate::standin::{HttpStandin, Reply};
use chrono::TimeDelta;
use stayhook::store::Lease;

use crate::sender::{plan, stay};
use crate::support::House;

const TELL: &str = "
name: Tell
on: {event: reservation.confirmed}
actions:
  - http: {connection: cleaning, url: '/{{ reservation.code }}', json: {at: '{{ now }}'}}
";

async fn hanging(recipe: &str) -> House {
    let house = plan().recipe(recipe).build().await;
    house.cleaning.then([Reply::status(200).held()]);
    house.deliver("ours", &stay("A", "confirmed", 1)).await;
    house.cleaning.wait_for(1).await;
    house
}

#[tokio::test]
async fn an_attempt_that_a_crash_cut_off_is_made_again_under_its_key() {
    let house = hanging(TELL).await;
    house.advance(TimeDelta::seconds(3));
    let house = house.crash(|plan| plan).await;
    house.come_to(&["Tell: succeeded"]).await;
    let run = house.nth(0).await;
    assert_eq!(house.attempts(0).await, ["1 uncertain", "2 done"]);
    assert_eq!(
        run.attempts[0].summary.as_deref(),
        Some("the worker that held it is gone; nobody knows whether the attempt arrived")
    );
    let requests = house.cleaning.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        (requests[1].key(), &requests[1].body),
        (requests[0].key(), &requests[0].body)
    );
    assert_eq!(house.cleaning.effects().len(), 1);
}

#[tokio::test]
async fn what_may_arrive_once_at_most_waits_for_a_person_after_a_crash() {
    let recipe = TELL.replace("now }}'}}", "now }}'}}\n    at_most_once: true");
    let house = hanging(&recipe).await.crash(|plan| plan).await;
    let runs = house.come_to(&["Tell: parked"]).await;
    assert!(
        runs[0].reason.contains("nobody knows whether the attempt arrived"),
        "{}",
        runs[0].reason
    );
    assert_eq!(house.cleaning.requests().len(), 1);
    house.counted("stayhook_runs_ended_total{state=\"parked\"} 1").await;
}

/// Somebody takes the run away, as a process whose clock is half a minute further would.
async fn take_away(house: &House) {
    let now = house.clock.now() + TimeDelta::seconds(31);
    let lease = Lease {
        owner: "another".to_owned(),
        now,
        steady: now,
        until: now + TimeDelta::seconds(30),
        neighbours: false,
    };
    assert_eq!(house.engine.store.rescue(lease, false).await.unwrap().runs, 1);
}

#[tokio::test]
async fn who_has_lost_the_lease_records_nothing() {
    let house = hanging(TELL).await;
    take_away(&house).await;
    house.cleaning.release();
    house.decide(&stay("B", "confirmed", 1)).await;
    house.come_to(&["Tell: retrying", "Tell: succeeded"]).await;
    assert_eq!(house.attempts(0).await, ["1 uncertain"]);
    house.advance(TimeDelta::seconds(31));
    house.engine.wake_outbox();
    house.come_to(&["Tell: succeeded", "Tell: succeeded"]).await;
    assert_eq!(house.attempts(0).await, ["1 uncertain", "2 done"]);
    assert_eq!(house.cleaning.effects().len(), 2);
}

#[tokio::test]
async fn who_has_lost_the_lease_breaks_off() {
    let house = hanging(TELL).await;
    take_away(&house).await;
    let busy = || house.engine.lanes.states().iter().map(|lane| lane.busy).sum::<usize>();
    assert_eq!(busy(), 1);
    house.advance(TimeDelta::seconds(10));
    let gone = async {
        while busy() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone)
        .await
        .unwrap();
    assert_eq!(house.states().await, ["Tell: retrying"]);
}

#[tokio::test]
async fn what_was_taken_up_so_long_ago_that_its_lease_runs_out_is_not_sent() {
    use sqlx::{ConnectOptions, Connection};
    let recipe = TELL.replace("now }}'}}", "now }}'}}\n    retry: {schedule: [1s]}");
    let target = HttpStandin::start().await.unwrap();
    // With one place the outbox looks for nothing more once it is taken.
    let one = format!("one: {{http: {{base_url: {}, concurrency: 1}}}}\n", target.base_url());
    let house = plan()
        .connections(&one)
        .recipe(&recipe.replace("cleaning", "one"))
        .build()
        .await;
    target.then([Reply::status(503)]);
    house.deliver("ours", &stay("A", "confirmed", 1)).await;
    house.come_to(&["Tell: retrying"]).await;
    // Somebody holds the store up between the look at what waits and the commit of the attempt.
    let options: sqlx::sqlite::SqliteConnectOptions = house.database().parse().unwrap();
    let mut other = options.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    house.advance(TimeDelta::seconds(2));
    let taken = async {
        while house.engine.lanes.states().iter().all(|lane| lane.busy == 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), taken)
        .await
        .unwrap();
    house.advance(TimeDelta::seconds(25));
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    house.come_to(&["Tell: succeeded"]).await;
    assert_eq!(house.attempts(0).await, ["1 retry", "2 retry", "3 done"]);
    assert_eq!(target.requests().len(), 2);
}

#[tokio::test]
async fn an_attempt_may_take_longer_than_its_first_lease() {
    let other =
        "name: Other\non: {event: reservation.guests_changed}\nactions: [{http: {connection: books, url: /other}}]";
    let house = plan().recipe(TELL).recipe(other).build().await;
    house.cleaning.then([Reply::status(200).held()]);
    house.deliver("ours", &stay("A", "confirmed", 1)).await;
    house.cleaning.wait_for(1).await;
    house.decide(&stay("B", "inquiry", 1)).await;
    let mut n = 1;
    for _ in 0..6 {
        house.advance(TimeDelta::seconds(10));
        // The worker goes round several times.
        for _ in 0..4 {
            n += 1;
            house.decide(&stay("B", "inquiry", n)).await;
            house.books.wait_for(n as usize - 1).await;
        }
    }
    assert_eq!(house.attempts(0).await, ["1 open"]);
    house.cleaning.release();
    house.idle().await;
    assert_eq!(house.attempts(0).await, ["1 done"]);
}

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way_and_begins_nothing() {
    let second = format!("{TELL}  - http: {{connection: books, url: /second}}\n");
    let house = hanging(&second).await;
    let cleaning = house.cleaning.clone();
    let (house, ()) = tokio::join!(house.restart(), async { cleaning.release() });
    house.come_to(&["Tell: succeeded"]).await;
    assert_eq!(house.attempts(0).await, ["1 done", "2 done"]);
    assert_eq!((house.cleaning.requests().len(), house.books.requests().len()), (1, 1));
}
