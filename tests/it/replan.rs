//! Plans follow the recipe: what is ahead is planned anew when recipes change, each stay whole, and nothing of the past.

use std::sync::Arc;

use stayhook::engine::Setup;
use stayhook::model::id::RunId;

use crate::clock::{booked, go_to, house, planned, recipe};
use crate::sender::asked;
use crate::support::{House, at};

const SOON: &str = "{stay: check_in, before: 2d, at: '10:00'}";

#[tokio::test]
async fn recipes_that_are_new_changed_renamed_and_removed() {
    let mut house = house(&recipe("Door", SOON, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    house
        .tell("pms", &booked("B", "alfama", "2027-04-19", "2027-04-22", 1))
        .await;
    // New: what lies ahead is planned.
    house
        .reload(|plan| plan.recipe(&recipe("Clean", "{stay: check_out}", "")))
        .await;
    let both = [
        "Door scheduled 04-07T17:00",
        "Door scheduled 04-17T09:00",
        "Clean scheduled 04-12T18:00",
        "Clean scheduled 04-22T10:00",
    ];
    assert_eq!(planned(&house).await, both);
    // Changed: another time.
    let three = "{stay: check_in, before: 3d, at: '10:00'}";
    house.reload(|plan| plan.instead(&recipe("Door", three, ""))).await;
    let changed = [
        "Door cancelled 04-07T17:00 the recipe `Door` no longer waits for this time",
        "Door cancelled 04-17T09:00 the recipe `Door` no longer waits for this time",
        "Clean cancelled 04-12T18:00 there is no recipe `Clean` any more",
        "Clean cancelled 04-22T10:00 there is no recipe `Clean` any more",
        "Door scheduled 04-06T17:00",
        "Door scheduled 04-16T09:00",
    ];
    assert_eq!(planned(&house).await, changed);
    // And back: the very runs there were before.
    house.reload(|plan| plan.instead(&recipe("Door", SOON, ""))).await;
    let back = planned(&house).await;
    assert_eq!(back[..2], both[..2]);
    assert_eq!(
        back[4],
        "Door cancelled 04-06T17:00 the recipe `Door` no longer waits for this time"
    );
    // Renamed: another recipe.
    house.reload(|plan| plan.instead(&recipe("Lock", SOON, ""))).await;
    let renamed = planned(&house).await;
    assert_eq!(
        renamed[0],
        "Door cancelled 04-07T17:00 there is no recipe `Door` any more"
    );
    assert_eq!(
        renamed[6..],
        ["Lock scheduled 04-07T17:00", "Lock scheduled 04-17T09:00"]
    );
    // Switched off, and on.
    house
        .reload(|plan| plan.instead(&recipe("Lock", SOON, "enabled: false")))
        .await;
    assert_eq!(
        planned(&house).await[6],
        "Lock cancelled 04-07T17:00 the recipe is switched off"
    );
    house.reload(|plan| plan.instead(&recipe("Lock", SOON, ""))).await;
    go_to(&house, "2027-04-30T00:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 0, "days later than anybody wants it");
    let skipped = "came due while down: ";
    assert!(planned(&house).await[6].contains(skipped));
}

#[tokio::test]
async fn saving_a_recipe_never_fires_the_past_and_a_backfill_does() {
    let mut house = house(&recipe("Door", SOON, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    go_to(&house, "2027-04-08T00:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 1);
    house
        .reload(|plan| plan.recipe(&recipe("Hello", "{stay: check_in, before: 7d}", "")))
        .await;
    house.idle().await;
    assert_eq!(
        planned(&house).await,
        [
            "Door succeeded 04-07T17:00",
            "Hello skipped 04-02T23:00 planned after its time"
        ]
    );
    // What fired for one offset has fired for the one it is edited to.
    house
        .reload(|plan| plan.instead(&recipe("Door", "{stay: check_in, before: 1d, at: '10:00'}", "")))
        .await;
    house.idle().await;
    assert_eq!(
        planned(&house).await[2],
        "Door skipped 04-08T17:00 what the recipe said before (`check_in-2d@10:00`) has fired for this stay"
    );
    house
        .reload(|plan| plan.recipe(&recipe("Hello", "{stay: check_in, before: 7d}", "")))
        .await;
    go_to(&house, "2027-04-08T12:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 1);
    let run = house
        .engine
        .store
        .backfill(Some("Hello".to_owned()), house.clock.now())
        .await
        .unwrap();
    assert_eq!(run.len(), 1);
    house.engine.clockwork.wake.notify_one();
    house.idle().await;
    assert_eq!(
        asked(&house.cleaning.requests()),
        ["POST /Door/A/2027-04-12", "POST /Hello/A/2027-04-12"]
    );
}

#[tokio::test]
async fn recipes_that_changed_while_nobody_was_there() {
    let house = house(&recipe("Door", SOON, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    let house = house
        .restart_with(|plan| plan.instead(&recipe("Clean", "{stay: check_out}", "")))
        .await;
    go_to(&house, "2027-04-12T18:00:00Z").await;
    assert_eq!(
        planned(&house).await,
        [
            "Door cancelled 04-07T17:00 there is no recipe `Door` any more",
            "Clean succeeded 04-12T18:00"
        ]
    );
}

#[tokio::test]
async fn a_property_that_is_configured_later_has_its_clock_and_its_neighbours() {
    let turn = "
name: Turn
on: {stay: check_out}
when: stay.same_day_turn
actions: [{http: {connection: cleaning, url: '/turn/{{ reservation.code }}/{{ stay.next.code }}'}}]
";
    let mut house = house(turn)
        .properties(stayhook::model::property::Properties::none())
        .build()
        .await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    assert_eq!(planned(&house).await, ["Turn scheduled 04-12T11:00"]);
    house.reload(|plan| plan.properties(crate::clock::brannan())).await;
    assert_eq!(planned(&house).await, ["Turn scheduled 04-12T18:00"]);
    house
        .tell("pms", &booked("B", "brannan", "2027-04-12", "2027-04-14", 1))
        .await;
    go_to(&house, "2027-04-12T18:00:00Z").await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /turn/A/B"]);
}

#[tokio::test]
async fn a_stay_that_cannot_be_read_any_more_holds_up_no_reload() {
    let mut house = house(&recipe("Door", SOON, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    house
        .tell("pms", &booked("B", "brannan", "2027-05-09", "2027-05-12", 1))
        .await;
    house
        .damage("UPDATE stays SET state = '{' WHERE id = (SELECT stay_id FROM identities WHERE value = 'A')")
        .await;
    house
        .reload(|plan| plan.instead(&recipe("Clean", "{stay: check_out}", "")))
        .await;
    assert_eq!(
        planned(&house).await,
        [
            "Door scheduled 04-07T17:00",
            "Door cancelled 05-07T17:00 there is no recipe `Door` any more",
            "Clean scheduled 05-12T18:00"
        ]
    );
    // Nor does it hold up the others when it is due.
    go_to(&house, "2027-04-07T17:00:00Z").await;
    go_to(&house, "2027-05-12T18:00:00Z").await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /Clean/B/2027-05-12"]);
}

#[tokio::test]
async fn a_stay_that_was_entered_after_it_ended_has_the_clock_of_its_booking() {
    let mut house = house(&recipe("Door", SOON, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2026-12-01", "2026-12-05", 1))
        .await;
    house
        .reload(|plan| plan.recipe(&recipe("Thanks", "{stay: created, after: 1d}", "")))
        .await;
    let runs = planned(&house).await;
    assert_eq!(
        runs.last().map(String::as_str),
        Some("Thanks scheduled 01-02T00:00"),
        "{runs:?}"
    );
}

#[tokio::test]
async fn an_offset_that_comes_back_inherits_what_another_one_has_fired() {
    let one = "{stay: check_in, before: 1d, at: '10:00'}";
    let mut house = house(&recipe("Door", one, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    house.reload(|plan| plan.instead(&recipe("Door", SOON, ""))).await;
    go_to(&house, "2027-04-07T17:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 1);
    house.reload(|plan| plan.instead(&recipe("Door", one, ""))).await;
    house.idle().await;
    let inherited =
        "Door skipped 04-08T17:00 what the recipe said before (`check_in-2d@10:00`) has fired for this stay";
    assert_eq!(planned(&house).await, [inherited, "Door succeeded 04-07T17:00"]);
    go_to(&house, "2027-04-09T00:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 1);
}

/// Puts these recipes in force, as a reload does, without the timers' hearing of it: no stay is planned under them yet.
async fn in_force(house: &House, recipes: &[&str]) {
    let (mut plan, clock) = (crate::clock::house(recipes[0]), house.clock.now());
    for more in &recipes[1..] {
        plan = plan.recipe(more);
    }
    let other = plan.build().await;
    let setup = (*other.engine.setup()).clone();
    let in_force = house.engine.store.put_in_force(setup.rules(), clock).await.unwrap();
    let connections = house.engine.setup().connections.clone();
    *house.engine.setup.write().unwrap() = Arc::new(Setup {
        in_force,
        connections,
        ..setup
    });
}

#[tokio::test]
async fn what_comes_due_before_its_stay_had_its_turn_is_asked_under_the_rules_of_now() {
    let house = house(&recipe("Door", SOON, ""))
        .recipe(&recipe("Gone", SOON, ""))
        .build()
        .await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    in_force(
        &house,
        &[&recipe("Door", "{stay: check_in, before: 1d, at: '10:00'}", "")],
    )
    .await;
    go_to(&house, "2027-04-07T17:00:00Z").await;
    assert_eq!(
        planned(&house).await,
        [
            "Door cancelled 04-07T17:00 the recipe `Door` no longer waits for this time",
            "Gone cancelled 04-07T17:00 there is no recipe `Gone` any more",
            "Door scheduled 04-08T17:00",
        ]
    );
    go_to(&house, "2027-04-08T17:00:00Z").await;
    assert_eq!(asked(&house.cleaning.requests()), ["POST /Door/A/2027-04-12"]);
}

#[tokio::test]
async fn what_passes_after_a_change_and_before_the_stay_had_its_turn_is_not_lost() {
    let before = "{stay: check_in, before: 9d, at: '10:00'}";
    let house = house(&recipe("Door", SOON, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    go_to(&house, "2027-04-01T00:00:00Z").await;
    let hello = recipe("Hello", "{stay: check_in, before: 8d, at: '10:00'}", "");
    in_force(
        &house,
        &[&recipe("Door", SOON, ""), &hello, &recipe("Early", before, "")],
    )
    .await;
    // An hour after one of them, and a day after the other, which had passed before.
    house.clock.set(at("2027-04-01T18:00:00Z"));
    let setup = (*house.engine.setup()).clone();
    house.engine.adopt(setup).await.unwrap();
    house.engine.clockwork.until_planned().await;
    house.idle().await;
    assert_eq!(
        planned(&house).await,
        [
            "Door scheduled 04-07T17:00",
            "Early skipped 03-31T17:00 planned after its time",
            "Hello succeeded 04-01T17:00",
        ]
    );
}

#[tokio::test]
async fn a_stay_that_is_told_of_under_new_rules_is_planned_under_them_whole() {
    let house = house(&recipe("Door", SOON, "")).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    in_force(&house, &[&recipe("Clean", "{stay: check_out}", "")]).await;
    // Nothing new is said of it.
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 2))
        .await;
    assert_eq!(house.outcomes().await, ["processed", "unchanged"]);
    assert_eq!(
        planned(&house).await,
        [
            "Door cancelled 04-07T17:00 there is no recipe `Door` any more",
            "Clean scheduled 04-12T18:00",
        ]
    );
}

#[tokio::test]
async fn a_neighbour_that_cannot_be_read_any_more_holds_up_nobody() {
    let turn = "
name: Turn
on: {stay: check_out}
actions: [{http: {connection: cleaning, url: '/turn/{{ reservation.code }}/{{ stay.same_day_turn }}'}}]
";
    let list = "
name: List
on: {schedule: {daily: true, at: '09:00', timezone: Europe/Lisbon}}
gather: {arrivals: {stay: check_in, within: 400d}}
actions: [{http: {connection: cleaning, url: '/list/{{ gathered.arrivals | length }}'}}]
";
    let house = house(turn).recipe(list).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    house
        .tell("pms", &booked("B", "brannan", "2027-04-14", "2027-04-19", 1))
        .await;
    house
        .damage("UPDATE stays SET state = '{' WHERE id = (SELECT stay_id FROM identities WHERE value = 'B')")
        .await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-13", 2))
        .await;
    assert_eq!(house.outcomes().await, ["processed", "processed", "processed"]);
    go_to(&house, "2027-01-01T09:00:00Z").await;
    go_to(&house, "2027-04-13T18:00:00Z").await;
    let asked = asked(&house.cleaning.requests());
    assert!(asked.contains(&"POST /list/1".to_owned()), "{asked:?}");
    assert!(asked.contains(&"POST /turn/A/false".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn a_schedule_goes_on_after_one_of_its_times_was_called_off() {
    let list = "
name: List
on: {schedule: {weekly: monday, at: '09:00', timezone: Europe/Lisbon}}
actions: [{http: {connection: cleaning, url: /list}}]
";
    let house = house(list).build().await;
    assert_eq!(planned(&house).await, ["List scheduled 01-04T09:00"]);
    let run = RunId(house.runs().await[0].id.clone());
    house.engine.store.cancel(run, house.clock.now()).await.unwrap();
    go_to(&house, "2027-01-04T08:00:00Z").await;
    house.engine.clockwork.wake.notify_one();
    house.when(|runs| runs.len() == 2).await;
    go_to(&house, "2027-01-11T09:00:00Z").await;
    house.when(|runs| runs[1].state == "succeeded").await;
    assert_eq!(
        planned(&house).await[0],
        "List cancelled 01-04T09:00 a person called it off"
    );
    assert_eq!(asked(&house.cleaning.requests()), ["POST /list"]);
}
