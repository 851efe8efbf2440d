//! A stay that was gone and takes place again, or that has moved to another property, begins a new life: what its clock did
//! in the one before is done again.

use crate::standin::Reply;
use chrono::TimeDelta;
use stayhook::store::RunRow;

use crate::clock::{SENDER, booked, brannan, go_to, house, planned, recipe, with};
use crate::sender::{asked, plan};
use crate::support::House;

const DOOR: &str = "{stay: check_in, before: 2d, at: '10:00'}";

async fn tell(house: &House, status: &str, seq: u32) {
    house
        .tell("pms", &with("A", "brannan", "2027-04-09", "2027-04-12", status, seq))
        .await;
}

#[tokio::test]
async fn a_stay_that_is_booked_again_gets_its_door_code_again() {
    for (more, effects) in [("", 2), ("again: true", 2), ("again: false", 1)] {
        let house = house(&recipe("Door", DOOR, more)).build().await;
        tell(&house, "confirmed", 1).await;
        go_to(&house, "2027-04-07T17:00:00Z").await;
        assert_eq!(house.cleaning.requests().len(), 1);
        tell(&house, "cancelled", 2).await;
        tell(&house, "confirmed", 3).await;
        let requests = house.cleaning.requests();
        assert_eq!(requests.len(), effects, "{more}");
        assert!(effects == 1 || requests[0].key() != requests[1].key());
        // Only once in each life, whatever else changes.
        tell(&house, "house", 4).await;
        go_to(&house, "2027-04-10T00:00:00Z").await;
        assert_eq!(house.cleaning.requests().len(), effects, "{more}");
        // After the arrival it is too late for another.
        tell(&house, "cancelled", 5).await;
        tell(&house, "confirmed", 6).await;
        go_to(&house, "2027-04-20T00:00:00Z").await;
        assert_eq!(
            house.cleaning.requests().len(),
            effects,
            "{more}: {:#?}",
            planned(&house).await
        );
    }
}

#[tokio::test]
async fn a_new_life_begins_also_by_way_of_a_request_and_survives_edits_and_restarts() {
    let house = house(&recipe("Door", DOOR, "")).build().await;
    tell(&house, "confirmed", 1).await;
    go_to(&house, "2027-04-07T17:00:00Z").await;
    tell(&house, "cancelled", 2).await;
    tell(&house, "pending", 3).await;
    assert_eq!(house.cleaning.requests().len(), 1);
    let mut house = house.restart_with(|plan| plan).await;
    house
        .reload(|plan| plan.instead(&recipe("Door", "{stay: check_in, before: 2d, at: '10:30'}", "")))
        .await;
    tell(&house, "confirmed", 4).await;
    go_to(&house, "2027-04-07T17:30:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 2, "{:#?}", planned(&house).await);
    // What the recipe said before has fired in this life.
    house
        .reload(|plan| plan.instead(&recipe("Door", "{stay: check_in, before: 1d}", "")))
        .await;
    go_to(&house, "2027-04-09T20:00:00Z").await;
    assert_eq!(house.cleaning.requests().len(), 2, "{:#?}", planned(&house).await);
}

#[tokio::test]
async fn an_old_state_sent_again_is_no_new_life() {
    let bare = SENDER.replace("receipt_key: [$.id]\nversion: {by: [$.seq]}\n", "");
    for (minutes, effects) in [(5, 1), (11, 2)] {
        let house = plan()
            .source("pms", &bare)
            .properties(brannan())
            .recipe(&recipe("Door", DOOR, ""))
            .build()
            .await;
        tell(&house, "confirmed", 1).await;
        go_to(&house, "2027-04-07T17:00:00Z").await;
        tell(&house, "cancelled", 2).await;
        house.advance(TimeDelta::minutes(minutes));
        tell(&house, "confirmed", 1).await;
        house.idle().await;
        assert_eq!(house.cleaning.requests().len(), effects, "{minutes} minutes");
    }
}

fn lock(more: &str) -> String {
    format!(
        "name: Lock\non: {DOOR}\n{more}\n\
         actions: [{{http: {{connection: cleaning, url: '/{{{{ property.key }}}}/{{{{ reservation.code }}}}'}}}}]\n"
    )
}

async fn moves(house: &House, property: &str, seq: u32) {
    house
        .tell("pms", &booked("A", property, "2027-04-09", "2027-04-12", seq))
        .await;
}

#[tokio::test]
async fn a_stay_that_moves_gets_again_what_reads_the_property() {
    let own = recipe("Door", DOOR, "match: {property: brannan}");
    for (text, effects) in [
        (lock(""), vec!["POST /brannan/A", "POST /alfama/A", "POST /brannan/A"]),
        (lock("again: false"), vec!["POST /brannan/A"]),
        (recipe("Door", DOOR, ""), vec!["POST /Door/A/2027-04-12"]),
        // It names its property: whoever comes back into it gets it again.
        (own, vec!["POST /Door/A/2027-04-12", "POST /Door/A/2027-04-12"]),
    ] {
        let house = house(&text).build().await;
        moves(&house, "brannan", 1).await;
        go_to(&house, "2027-04-07T17:00:00Z").await;
        moves(&house, "alfama", 2).await;
        moves(&house, "brannan", 3).await;
        house.idle().await;
        assert_eq!(asked(&house.cleaning.requests()), effects, "{text}");
    }
}

#[tokio::test]
async fn what_waits_for_its_turn_when_the_stay_moves_is_filled_in_anew() {
    let noise =
        "name: Noise\non: {event: reservation.created}\nactions: [{http: {connection: cleaning, url: /noise}}]\n";
    let house = house(&lock("")).recipe(noise).build().await;
    house.cleaning.decide(|_, _| Reply::status(401));
    moves(&house, "brannan", 1).await;
    for code in ["B", "C"] {
        house
            .tell("pms", &with(code, "brannan", "2027-08-09", "2027-08-12", "inquiry", 1))
            .await;
    }
    assert_eq!(house.engine.store.paused().await.unwrap().len(), 1);
    house.clock.set(crate::support::at("2027-04-07T17:00:00Z"));
    let own = |run: &&RunRow| run.recipe == "Lock" && run.code.as_deref() == Some("A");
    let state = |runs: &[RunRow], state: &str| runs.iter().filter(own).any(|run| run.state == state);
    house
        .when(|runs| state(runs, "ready") && runs.iter().all(|run| run.state != "running"))
        .await;
    house
        .deliver("pms", &booked("A", "alfama", "2027-04-09", "2027-04-12", 2))
        .await;
    house.until(|counts| counts.undecided == 0).await;
    house.cleaning.decide(|_, _| Reply::status(200));
    house.advance(TimeDelta::minutes(5));
    house.when(|runs| state(runs, "succeeded")).await;
    let asked = asked(&house.cleaning.requests());
    let locks: Vec<&String> = asked.iter().filter(|one| one.ends_with("/A")).collect();
    assert_eq!(locks, ["POST /alfama/A"]);
}
