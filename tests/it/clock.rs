//! The stay's own clock: what is planned, and how it follows the stay.

use stayhook::model::property::{Properties, Property};

use crate::sender::{asked, plan};
use crate::support::{House, Plan, at};

/// A booked stay of a property.
pub fn booked(code: &str, property: &str, from: &str, to: &str, seq: u32) -> String {
    with(code, property, from, to, "confirmed", seq)
}

pub fn with(code: &str, property: &str, from: &str, to: &str, status: &str, seq: u32) -> String {
    format!(
        r#"{{"code": "{code}", "status": "{status}", "check_in": "{from}", "check_out": "{to}", "property": "{property}",
            "seq": {seq}, "id": "{code}-{seq}"}}"#
    )
}

/// A sender that says an order, and names a property.
pub const SENDER: &str = "
auth: none
receipt_key: [$.id]
version: {by: [$.seq]}
reservation:
  code: $.code
  status: {from: $.status, map: {confirmed: confirmed, cancelled: cancelled, pending: pending, awaiting: awaiting_payment, inquiry: inquiry, house: in_house}, else: unknown}
  check_in_date: $.check_in
  check_out_date: $.check_out
  guests: $.guests
  created_at: $.booked
  property: {ids: [$.property]}
";

pub fn brannan() -> Properties {
    let mut properties = Properties::none();
    for (key, zone) in [("brannan", "America/Los_Angeles"), ("alfama", "Europe/Lisbon")] {
        properties.all.push(Property {
            key: key.to_owned(),
            name: key.to_owned(),
            matches: vec![(None, key.to_owned())],
            timezone: Some(zone.parse().unwrap()),
            check_in: "16:00:00".parse().unwrap(),
            check_out: "11:00:00".parse().unwrap(),
            tags: Vec::new(),
            vars: Default::default(),
        });
    }
    properties
}

pub fn house(recipe: &str) -> Plan {
    plan().source("pms", SENDER).properties(brannan()).recipe(recipe)
}

pub fn recipe(name: &str, on: &str, more: &str) -> String {
    format!(
        "name: {name}\non: {on}\n{more}\nactions:\n  - http: {{connection: cleaning, url: '/{name}/{{{{ reservation.code }}}}/{{{{ reservation.check_out_date }}}}'}}\n"
    )
}

/// `recipe state time reason` of every run, oldest first.
pub async fn planned(house: &House) -> Vec<String> {
    let runs = house.runs().await;
    runs.iter()
        .map(|run| {
            let due = stayhook::model::clock::from_ms(run.due_at_ms).format("%m-%dT%H:%M");
            let reason = if run.state == "succeeded" {
                ""
            } else {
                run.reason.as_str()
            };
            format!("{} {} {due} {reason}", run.recipe, run.state)
                .trim_end()
                .to_owned()
        })
        .collect()
}

pub async fn go_to(house: &House, time: &str) {
    house.clock.set(at(time));
    house.idle().await;
}

#[tokio::test]
async fn a_run_is_planned_when_the_stay_is_decided_and_goes_when_its_time_has_come() {
    let house = house(&recipe("Door", "{stay: check_in, before: 2d, at: '10:00'}", ""))
        .build()
        .await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    assert_eq!(planned(&house).await, ["Door scheduled 04-07T17:00"]);
    go_to(&house, "2027-04-07T16:59:59Z").await;
    assert_eq!(planned(&house).await, ["Door scheduled 04-07T17:00"]);
    go_to(&house, "2027-04-07T17:00:00Z").await;
    assert_eq!(planned(&house).await, ["Door succeeded 04-07T17:00"]);
    assert_eq!(asked(&house.cleaning.requests()), ["POST /Door/A/2027-04-12"]);
    go_to(&house, "2027-05-07T17:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 1);
}

#[tokio::test]
async fn plans_follow_the_stay() {
    let house = house(&recipe("Clean", "{stay: check_out}", "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    assert_eq!(planned(&house).await, ["Clean scheduled 04-12T18:00"]);
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-13", 2))
        .await;
    assert_eq!(planned(&house).await, ["Clean scheduled 04-13T18:00"]);
    // Another property, another zone.
    house
        .tell("pms", &booked("A", "alfama", "2027-04-09", "2027-04-13", 3))
        .await;
    assert_eq!(planned(&house).await, ["Clean scheduled 04-13T10:00"]);
    house
        .tell("pms", &with("A", "alfama", "2027-04-09", "2027-04-13", "cancelled", 4))
        .await;
    assert_eq!(
        planned(&house).await,
        ["Clean cancelled 04-13T10:00 the stay was cancelled"]
    );
    go_to(&house, "2027-04-13T12:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 0);
}

#[tokio::test]
async fn a_stay_that_is_on_again_is_planned_anew() {
    let house = house(&recipe("Clean", "{stay: check_out}", "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    house
        .tell("pms", &with("A", "brannan", "2027-04-09", "2027-04-12", "cancelled", 2))
        .await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-14", 3))
        .await;
    assert_eq!(planned(&house).await, ["Clean scheduled 04-14T18:00"]);
    go_to(&house, "2027-04-14T18:00:00Z").await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /Clean/A/2027-04-14"]);
}

#[tokio::test]
async fn conditions_are_asked_when_it_is_due() {
    let house = house(&recipe("Clean", "{stay: check_out}", "match: {guests: '>= 2'}"))
        .build()
        .await;
    let guests = |n: u32, seq: u32| {
        booked("A", "brannan", "2027-04-09", "2027-04-12", seq).replace("\"seq\"", &format!("\"guests\": {n}, \"seq\""))
    };
    house.tell("pms", &guests(4, 1)).await;
    house.tell("pms", &guests(1, 2)).await;
    go_to(&house, "2027-04-12T18:00:00Z").await;
    assert_eq!(
        planned(&house).await,
        ["Clean skipped 04-12T18:00 guests: >= 2 is not so: 1"]
    );
    // Moved, and there are more guests: it is wanted again.
    let moved = guests(3, 3).replace("04-12", "04-15");
    house.tell("pms", &moved).await;
    assert_eq!(planned(&house).await, ["Clean scheduled 04-15T18:00"]);
    go_to(&house, "2027-04-15T18:00:00Z").await;
    assert_eq!(planned(&house).await, ["Clean succeeded 04-15T18:00"]);
}

#[tokio::test]
async fn an_inquiry_gets_no_door_code_and_a_late_booking_does() {
    let house = house(&recipe("Door", "{stay: check_in, before: 2d, at: '10:00'}", ""))
        .build()
        .await;
    house
        .tell("pms", &with("A", "brannan", "2027-04-09", "2027-04-12", "inquiry", 1))
        .await;
    go_to(&house, "2027-04-08T12:00:00Z").await;
    assert_eq!(
        planned(&house).await,
        ["Door skipped 04-07T17:00 status: booked is not so: inquiry"]
    );
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 2))
        .await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /Door/A/2027-04-12"]);
    house
        .tell("pms", &booked("B", "brannan", "2027-04-08", "2027-04-12", 1))
        .await;
    assert_eq!(house.cleaning.requests().len(), 2);
    house
        .tell("pms", &booked("C", "brannan", "2027-04-07", "2027-04-12", 1))
        .await;
    assert_eq!(house.cleaning.requests().len(), 2);
}

#[tokio::test]
async fn days_off_are_made_good_once_in_order_and_by_the_rule_of_lateness() {
    let recipes = [
        recipe("Before", "{stay: check_in, before: 5d}", "queue: one"),
        recipe("Soon", "{stay: check_in, before: 1d}", ""),
        recipe("After", "{stay: created, after: 1d}", ""),
        recipe("Never", "{stay: check_in, before: 6d}", "late: skip"),
        recipe("Long", "{stay: created, after: 2d}", "late: run within 14d\nqueue: one"),
    ];
    let plan = recipes[1..]
        .iter()
        .fold(house(&recipes[0]), |plan, text| plan.recipe(text));
    let house = plan.build().await;
    let body = booked("A", "brannan", "2027-01-15", "2027-01-20", 1);
    house.tell("pms", &body).await;
    let clock = house.clock.clone();
    let house = {
        // Nobody is there from the second to the fourteenth.
        let stopped = house.restart_with(|plan| {
            clock.set(at("2027-01-14T23:30:00Z"));
            plan
        });
        stopped.await
    };
    house.idle().await;
    assert_eq!(
        asked(&house.cleaning.requests()),
        ["POST /Long/A/2027-01-20", "POST /Before/A/2027-01-20"]
    );
    let mut states = planned(&house).await;
    states.sort();
    assert_eq!(
        states,
        [
            "After skipped 01-02T00:00 came due while down: 12d 23h late when it could be looked at",
            "Before succeeded 01-11T00:00",
            "Long succeeded 01-03T00:00",
            "Never skipped 01-10T00:00 came due while down: 4d 23h late when it could be looked at",
            "Soon scheduled 01-15T00:00",
        ]
    );
}

/// A stay that was booked before the source was switched on.
#[tokio::test]
async fn of_a_stay_that_is_taken_over_only_what_lies_ahead_is_planned() {
    let source = format!("{SENDER}live_from: 2027-01-01T00:00:00Z\n");
    let house = plan()
        .source("pms", &source)
        .properties(brannan())
        .recipe(&recipe("Door", "{stay: check_in, before: 30d}", ""))
        .recipe(&recipe("Clean", "{stay: check_out}", ""))
        .build()
        .await;
    let mut house = house;
    let old =
        booked("A", "brannan", "2027-01-20", "2027-01-22", 1).replace("\"seq\"", "\"booked\": \"2026-12-01\", \"seq\"");
    house.tell("pms", &old).await;
    assert_eq!(planned(&house).await, ["Clean scheduled 01-22T19:00"]);
    // It moves: from here on it is a stay like any other.
    let moved = old
        .replace("01-22", "01-25")
        .replace("\"seq\": 1", "\"seq\": 2")
        .replace("A-1", "A-2");
    house.tell("pms", &moved).await;
    assert_eq!(planned(&house).await, ["Clean scheduled 01-25T19:00"]);
    // Nor does a recipe that is changed do what was past then.
    house
        .reload(|plan| plan.recipe(&recipe("Hello", "{stay: check_in, before: 25d}", "")))
        .await;
    assert_eq!(planned(&house).await, ["Clean scheduled 01-25T19:00"]);
}

#[tokio::test]
async fn a_date_that_moves_after_it_has_fired_fires_again_only_where_the_recipe_says_so() {
    for (more, effects) in [("", 1), ("again: true", 2)] {
        let house = house(&recipe("Door", "{stay: check_in, before: 2d}", more))
            .build()
            .await;
        house
            .tell("pms", &booked("A", "brannan", "2027-01-20", "2027-01-22", 1))
            .await;
        go_to(&house, "2027-01-19T00:00:00Z").await;
        assert_eq!(house.cleaning.requests().len(), 1);
        house
            .tell("pms", &booked("A", "brannan", "2027-02-20", "2027-02-22", 2))
            .await;
        go_to(&house, "2027-02-19T00:00:00Z").await;
        assert_eq!(house.cleaning.requests().len(), effects, "{more}");
        let requests = house.cleaning.requests();
        let keys: std::collections::BTreeSet<_> = requests
            .iter()
            .map(|request| request.header("idempotency-key"))
            .collect();
        assert_eq!(keys.len(), effects);
    }
}

#[tokio::test]
async fn every_week_until_two_days_before_departure() {
    let on = "{stay: check_in, every: 7d, at: '11:00', until: {stay: check_out, before: 2d}}";
    let house = house(&recipe("Mid", on, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-03-01", "2027-03-23", 1))
        .await;
    // Daylight saving begins on the 14th.
    let whole = ["Mid scheduled 03-08T19:00", "Mid scheduled 03-15T18:00"];
    assert_eq!(planned(&house).await, whole);
    house
        .tell("pms", &booked("A", "brannan", "2027-03-01", "2027-03-24", 2))
        .await;
    let longer = [
        "Mid scheduled 03-08T19:00",
        "Mid scheduled 03-15T18:00",
        "Mid scheduled 03-22T18:00",
    ];
    assert_eq!(planned(&house).await, longer);
    house
        .tell("pms", &booked("A", "brannan", "2027-03-01", "2027-03-12", 3))
        .await;
    let shorter = [
        "Mid scheduled 03-08T19:00",
        "Mid cancelled 03-15T18:00 the stay does not reach so far any more",
        "Mid cancelled 03-22T18:00 the stay does not reach so far any more",
    ];
    assert_eq!(planned(&house).await, shorter);
}

#[tokio::test]
async fn a_status_that_lasts() {
    let house = house(&recipe("Unpaid", "{status: awaiting_payment, for: 24h}", ""))
        .build()
        .await;
    house
        .tell("pms", &with("A", "brannan", "2027-03-01", "2027-03-10", "awaiting", 1))
        .await;
    house
        .tell("pms", &with("B", "brannan", "2027-04-01", "2027-04-10", "awaiting", 1))
        .await;
    assert_eq!(
        planned(&house).await,
        ["Unpaid scheduled 01-02T00:00", "Unpaid scheduled 01-02T00:00"]
    );
    go_to(&house, "2027-01-01T12:00:00Z").await;
    house
        .tell("pms", &with("A", "brannan", "2027-03-01", "2027-03-10", "confirmed", 2))
        .await;
    assert_eq!(
        planned(&house).await,
        [
            "Unpaid cancelled 01-02T00:00 the status is confirmed now",
            "Unpaid scheduled 01-02T00:00"
        ]
    );
    // And back: it counts anew.
    house
        .tell("pms", &with("A", "brannan", "2027-03-01", "2027-03-10", "awaiting", 3))
        .await;
    assert_eq!(
        planned(&house).await,
        ["Unpaid scheduled 01-02T12:00", "Unpaid scheduled 01-02T00:00"]
    );
    go_to(&house, "2027-01-02T00:00:00Z").await;
    go_to(&house, "2027-01-02T12:00:00Z").await;
    assert_eq!(
        asked(&house.cleaning.requests()),
        ["POST /Unpaid/B/2027-04-10", "POST /Unpaid/A/2027-03-10"]
    );
}

/// Two nights: the departure and the second day's 11:00 are one instant, until the stay is made longer.
#[tokio::test]
async fn entries_that_were_due_together_part_when_the_stay_is_made_longer() {
    let on = "[{stay: check_out}, {stay: check_in, after: 2d, at: '11:00'}]";
    let house = house(&recipe("Out", on, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-11", 1))
        .await;
    assert_eq!(planned(&house).await, ["Out scheduled 04-11T18:00"]);
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-13", 2))
        .await;
    let mut parted = planned(&house).await;
    parted.sort();
    assert_eq!(parted, ["Out scheduled 04-11T18:00", "Out scheduled 04-13T18:00"]);
    // Together again, and apart again.
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-11", 3))
        .await;
    let mut together = planned(&house).await;
    together.sort();
    assert_eq!(together.len(), 2);
    assert!(together[0].starts_with("Out cancelled"), "{together:?}");
    assert_eq!(together[1], "Out scheduled 04-11T18:00");
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 4))
        .await;
    let mut apart = planned(&house).await;
    apart.sort();
    assert_eq!(apart, ["Out scheduled 04-11T18:00", "Out scheduled 04-12T18:00"]);
    go_to(&house, "2027-04-11T18:00:00Z").await;
    go_to(&house, "2027-04-12T18:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 2);
}
