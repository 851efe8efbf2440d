//! Several changes within a time make one run; a schedule; neighbours.

use serde_json::Value;
use stayhook::store::RunRow;

use crate::clock::{SENDER, booked, brannan, go_to, house, planned, recipe, with};
use crate::sender::{asked, plan};
use crate::support::at;

const TELL: &str = "
name: Tell
on: {event: [reservation.dates_changed, reservation.guests_changed, reservation.cancelled]}
match: {status: [booked, cancelled]}
settle: 60s
actions:
  - http:
      connection: cleaning
      url: /tell
      json: {from: '{{ previous.check_out_date }}', to: '{{ reservation.check_out_date }}', change: '{{ changes.check_out_date.to }}', types: '{{ event.types | join(\",\") }}'}
";

fn told(requests: &[crate::standin::Request]) -> Vec<Value> {
    requests
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect()
}

#[tokio::test]
async fn ten_updates_are_one_run_with_the_last_state_and_the_first_before() {
    let house = house(TELL).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    for n in 2..=11 {
        house
            .tell(
                "pms",
                &booked("A", "brannan", "2027-04-09", &format!("2027-04-{}", n + 11), n),
            )
            .await;
        house.advance(chrono::TimeDelta::seconds(5));
    }
    assert_eq!(planned(&house).await, ["Tell scheduled 01-01T00:01"]);
    assert_eq!(
        house.event_types().await.len(),
        11,
        "every one of them is in the history"
    );
    go_to(&house, "2027-01-01T00:01:00Z").await;
    let told = told(&house.cleaning.requests());
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["from"], "2027-04-12");
    assert_eq!(told[0]["to"], "2027-04-22");
    assert_eq!(told[0]["change"], "2027-04-22");
    // The next change begins anew.
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-29", 12))
        .await;
    assert_eq!(planned(&house).await[1], "Tell scheduled 01-01T00:02");
}

#[tokio::test]
async fn a_cancellation_does_not_wait_and_what_changes_back_is_no_change() {
    let house = house(TELL).build().await;
    for code in ["A", "B"] {
        house
            .tell("pms", &booked(code, "brannan", "2027-04-09", "2027-04-12", 1))
            .await;
        house
            .tell("pms", &booked(code, "brannan", "2027-04-09", "2027-04-14", 2))
            .await;
    }
    house
        .tell("pms", &with("A", "brannan", "2027-04-09", "2027-04-14", "cancelled", 3))
        .await;
    house
        .tell("pms", &booked("B", "brannan", "2027-04-09", "2027-04-12", 3))
        .await;
    assert_eq!(
        planned(&house).await,
        [
            "Tell cancelled 01-01T00:01 the stay was cancelled",
            "Tell scheduled 01-01T00:01",
            "Tell succeeded 01-01T00:00",
        ]
    );
    go_to(&house, "2027-01-01T00:02:00Z").await;
    let back = "Tell skipped 01-01T00:01 what had changed has changed back within the time it settles";
    assert_eq!(planned(&house).await[1], back);
    assert_eq!(house.cleaning.requests().len(), 1);
}

const LIST: &str = "
name: List
on: {schedule: {weekly: monday, at: '09:00', timezone: Europe/Lisbon}}
gather: {arrivals: {stay: check_in, within: 7d, match: {property: alfama}}}
actions:
  - http:
      connection: cleaning
      url: /list
      json: {codes: '{{ gathered.arrivals | map(attribute=\"code\") }}', now: '{{ now }}'}
";

#[tokio::test]
async fn every_monday_a_list() {
    let house = house(LIST).build().await;
    // The first of January 2027 is a Friday.
    assert_eq!(planned(&house).await, ["List scheduled 01-04T09:00"]);
    for (code, property, from) in [
        ("sunday", "alfama", "2027-01-03"),
        ("monday", "alfama", "2027-01-04"),
        ("last", "alfama", "2027-01-10"),
        ("next", "alfama", "2027-01-11"),
        ("elsewhere", "brannan", "2027-01-05"),
    ] {
        house.tell("pms", &booked(code, property, from, "2027-01-30", 1)).await;
    }
    house
        .tell(
            "pms",
            &with("off", "alfama", "2027-01-05", "2027-01-07", "cancelled", 1),
        )
        .await;
    go_to(&house, "2027-01-04T09:00:00Z").await;
    assert_eq!(
        told(&house.cleaning.requests()),
        [serde_json::json!({"codes": ["monday", "last"], "now": "2027-01-04T09:00:00+00:00"})]
    );
    assert_eq!(planned(&house).await[1], "List scheduled 01-11T09:00");
    // Three weeks off, and back on a Monday evening: only what is not too late.
    let clock = house.clock.clone();
    let house = house
        .restart_with(|plan| {
            clock.set(at("2027-02-01T18:00:00Z"));
            plan
        })
        .await;
    house.idle().await;
    assert_eq!(
        planned(&house).await[1..],
        [
            "List skipped 01-11T09:00 came due while down, as 3 later times of the schedule: only the latest runs",
            "List succeeded 02-01T09:00",
            "List scheduled 02-08T09:00",
        ]
    );
    assert_eq!(house.cleaning.requests().len(), 2);
}

#[tokio::test]
async fn a_clock_that_was_put_ahead_and_back_keeps_no_schedule_waiting_for_a_year() {
    let house = house(LIST).build().await;
    go_to(&house, "2028-01-03T09:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 1);
    house.clock.set(at("2027-01-05T00:00:00Z"));
    house.engine.clockwork.wake.notify_one();
    house
        .when(|runs| {
            runs.iter()
                .any(|run| run.state == "scheduled" && run.due_at_ms < at("2027-01-12T00:00:00Z").timestamp_millis())
        })
        .await;
    go_to(&house, "2027-01-11T09:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 2);
}

const TURN: &str = "
name: Turn
on: {stay: check_out}
when: stay.same_day_turn
actions: [{http: {connection: cleaning, url: '/turn/{{ reservation.code }}/{{ stay.next.code }}/{{ stay.gap_nights }}'}}]
";

#[tokio::test]
async fn a_same_day_arrival_does_not_make_the_cleaning_disappear() {
    let plain = recipe("Clean", "{stay: check_out}", "");
    let house = house(TURN).recipe(&plain).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    house
        .tell("pms", &booked("B", "brannan", "2027-04-12", "2027-04-14", 1))
        .await;
    house
        .tell("pms", &booked("C", "brannan", "2027-04-16", "2027-04-18", 1))
        .await;
    house
        .tell("pms", &booked("D", "alfama", "2027-04-14", "2027-04-18", 1))
        .await;
    go_to(&house, "2027-04-12T18:00:00Z").await;
    go_to(&house, "2027-04-14T18:00:00Z").await;
    let mut asked = asked(&house.cleaning.requests());
    asked.sort();
    assert_eq!(
        asked,
        [
            "POST /Clean/A/2027-04-12",
            "POST /Clean/B/2027-04-14",
            "POST /turn/A/B/0"
        ]
    );
}

#[tokio::test]
async fn a_guest_who_books_for_the_same_day_is_cleaned_for() {
    let house = house(TURN).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    go_to(&house, "2027-04-12T18:00:00Z").await;
    let skipped = "Turn skipped 04-12T18:00 when stay.same_day_turn is not so: stay.same_day_turn: false";
    assert_eq!(planned(&house).await[0], skipped);
    house
        .tell("pms", &booked("B", "brannan", "2027-04-12", "2027-04-14", 1))
        .await;
    house.cleaning.wait_for(1).await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /turn/A/B/0"]);
}

#[tokio::test]
async fn events_see_the_neighbours_of_the_stay_as_it_is_then() {
    let recipe = "
name: Gap
on: {event: reservation.dates_changed}
actions: [{http: {connection: cleaning, url: '/{{ stay.previous.code }}/{{ stay.next.code }}/{{ stay.gap_nights }}'}}]
";
    let house = plan()
        .source("pms", SENDER)
        .properties(brannan())
        .recipe(recipe)
        .build()
        .await;
    for (code, from, to) in [
        ("A", "2027-04-01", "2027-04-03"),
        ("B", "2027-04-05", "2027-04-07"),
        ("C", "2027-04-09", "2027-04-11"),
    ] {
        house.tell("pms", &booked(code, "brannan", from, to, 1)).await;
    }
    house
        .tell("pms", &booked("A", "brannan", "2027-04-07", "2027-04-08", 2))
        .await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /B/C/1"]);
}

#[tokio::test]
async fn neighbours_are_those_of_the_place_that_the_stay_has_whatever_the_clock_says() {
    let recipe = "
name: Gap
on: {event: [reservation.dates_changed, reservation.guests_changed]}
actions: [{http: {connection: cleaning, url: '/{{ stay.previous.key }}/{{ stay.next.key }}/{{ stay.gap_nights }}'}}]
";
    let desk = "{auth: none, items: \"$.all[*]\", partial: true, map: {reservation: {code: '@.code', status: '@.status', \
                check_in_date: '@.from', check_out_date: '@.to', guests: '@.guests', property: {ids: '@.property'}}}}";
    let house = plan()
        .source("desk", desk)
        .properties(brannan())
        .recipe(recipe)
        .build()
        .await;
    let stay = |code: &str, from: u32, to: u32| {
        format!(
            r#"{{"code": "{code}", "status": "confirmed", "from": "2027-04-{from:02}", "to": "2027-04-{to:02}", "guests": 1, "property": "brannan"}}"#
        )
    };
    for (code, from, to) in [("A", 1, 3), ("B", 5, 7), ("C", 9, 11)] {
        house
            .tell("desk", &format!(r#"{{"all": [{}]}}"#, stay(code, from, to)))
            .await;
    }
    // The sender says no order, and the machine's clock is put back: what comes now is the newest all the same.
    house.clock.set(house.clock.now() - chrono::TimeDelta::hours(1));
    let moved = format!(r#"{{"all": [{}, {{"code": "A", "guests": 2}}]}}"#, stay("A", 7, 8));
    house.tell("desk", &moved).await;
    // The second thing in the delivery finds the stay where the first has put it.
    assert_eq!(asked(&house.cleaning.requests()), ["POST /B/C/1", "POST /B/C/1"]);
}

const DAILY: &str = "
name: Daily
on: {schedule: {daily: true, at: '09:00', timezone: Europe/Lisbon}}
actions: [{http: {connection: cleaning, url: '/daily/{{ now }}'}}]
";

#[tokio::test]
async fn a_schedule_that_reaches_what_was_done_before_the_clock_was_put_back_goes_on() {
    let house = house(DAILY).build().await;
    go_to(&house, "2027-01-03T09:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 1);
    // Back by two days; from there on one day after the other.
    house.clock.set(at("2027-01-01T10:00:00Z"));
    house.engine.clockwork.wake.notify_one();
    house
        .when(|runs| {
            let is = |run: &RunRow, state: &str, due: &str| {
                run.state == state && run.due_at_ms == at(due).timestamp_millis()
            };
            // The first was passed over by the clock that was ahead, and is an hour late by this one.
            runs.iter().any(|run| is(run, "scheduled", "2027-01-02T09:00:00Z"))
                && runs.iter().any(|run| is(run, "succeeded", "2027-01-01T09:00:00Z"))
        })
        .await;
    for day in 2..=5 {
        go_to(&house, &format!("2027-01-0{day}T09:00:00Z")).await;
    }
    let mut days: Vec<String> = planned(&house).await.into_iter().collect();
    days.sort();
    assert_eq!(
        days.last().map(String::as_str),
        Some("Daily succeeded 01-05T09:00"),
        "{days:?}"
    );
    assert!(days.contains(&"Daily scheduled 01-06T09:00".to_owned()), "{days:?}");
    assert_eq!(house.cleaning.requests().len(), 5, "the third is done once");
}

/// Several facts in one delivery, in their order.
const MANY: &str = r#"
auth: none
receipt_key: [$.n]
version: {by: ["@.seq"]}
items: $.stays[*]
reservation:
  code: "@.code"
  status: "@.status"
  check_in_date: "@.from"
  check_out_date: "@.to"
"#;

fn many(n: u32, facts: &[(&str, &str)]) -> String {
    let facts = facts.iter().enumerate().map(|(nth, (status, to))| {
        serde_json::json!({"code": "A", "status": status, "from": "2027-04-09", "to": to, "seq": n * 10 + nth as u32})
    });
    serde_json::json!({"n": n, "stays": facts.collect::<Vec<_>>()}).to_string()
}

#[tokio::test]
async fn a_change_and_a_cancellation_in_one_delivery() {
    let house = plan().source("pms", MANY).recipe(TELL).build().await;
    house.tell("pms", &many(1, &[("confirmed", "2027-04-12")])).await;
    // Nothing waits yet.
    house
        .tell(
            "pms",
            &many(2, &[("confirmed", "2027-04-13"), ("cancelled", "2027-04-13")]),
        )
        .await;
    let first = [
        "Tell cancelled 01-01T00:01 the stay was cancelled",
        "Tell succeeded 01-01T00:00",
    ];
    assert_eq!(planned(&house).await, first);
    // Something waits that the change joins and the cancellation calls off.
    house
        .tell(
            "pms",
            &many(3, &[("confirmed", "2027-04-12"), ("confirmed", "2027-04-14")]),
        )
        .await;
    house
        .tell(
            "pms",
            &many(4, &[("confirmed", "2027-04-15"), ("cancelled", "2027-04-15")]),
        )
        .await;
    assert_eq!(planned(&house).await[2..], first);
}

#[tokio::test]
async fn a_cancellation_and_a_return_in_one_delivery() {
    let clean = recipe("Clean", "{stay: check_out}", "");
    let house = plan().source("pms", MANY).recipe(&clean).build().await;
    house.tell("pms", &many(1, &[("confirmed", "2027-04-12")])).await;
    assert_eq!(planned(&house).await, ["Clean scheduled 04-12T11:00"]);
    house
        .tell(
            "pms",
            &many(2, &[("cancelled", "2027-04-12"), ("confirmed", "2027-04-13")]),
        )
        .await;
    assert_eq!(planned(&house).await, ["Clean scheduled 04-13T11:00"]);
    house
        .tell(
            "pms",
            &many(
                3,
                &[
                    ("confirmed", "2027-04-14"),
                    ("cancelled", "2027-04-14"),
                    ("confirmed", "2027-04-15"),
                ],
            ),
        )
        .await;
    assert_eq!(planned(&house).await, ["Clean scheduled 04-15T11:00"]);
}
