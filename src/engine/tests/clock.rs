//! What a world plans, and what comes due in it as time goes on.

use serde_json::json;

use super::Lab;
use crate::store::{Becomes, CameDue};

const OPEN: &str = "{preset: generic, auth: none}";

fn recipe(name: &str, on: &str, more: &str) -> String {
    format!(
        "name: {name}\non: {on}\n{more}\nactions: [{{http: {{connection: cleaning, url: '/{name}/{{{{ reservation.code }}}}'}}}}]\n"
    )
}

fn lab(recipes: &[&str]) -> Lab {
    Lab::new(&[("pms", OPEN)], recipes)
}

fn tell(lab: &mut Lab, code: &str, status: &str, from: &str, to: &str, version: i64) {
    let body = json!({
        "code": code, "status": status, "check_in_date": from, "check_out_date": to, "updated_at": 1_800_000_000 + version,
    });
    lab.tell("pms", &body.to_string());
}

/// `/Door/A`, or how it ended.
fn told(came: &[CameDue]) -> Vec<String> {
    let one = |came: &CameDue| match &came.becomes {
        Becomes::Ready(ready) => ready.opening.prepared.request["url"].as_str().unwrap().to_owned(),
        Becomes::Ended { state, reason, .. } => format!("{} {reason}", state.word()),
    };
    came.iter().map(one).collect()
}

fn waits(lab: &Lab) -> Vec<String> {
    let at = |at: &crate::model::clock::Time| at.format("%m-%dT%H:%M").to_string();
    let mut times: Vec<String> = lab.world.scheduled().values().map(at).collect();
    times.sort();
    times
}

#[test]
fn what_is_planned_comes_due_once() {
    let mut lab = lab(&[&recipe("Door", "{stay: check_in, before: 2d, at: '10:00'}", "")]);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-12", 1);
    assert_eq!(waits(&lab), ["01-07T10:00"]);
    assert!(lab.go_to("2027-01-07T09:59:59Z").is_empty());
    assert_eq!(told(&lab.go_to("2027-01-07T10:00:00Z")), ["/Door/A"]);
    assert!(lab.go_to("2027-02-01T00:00:00Z").is_empty() && waits(&lab).is_empty());
}

#[test]
fn what_is_planned_follows_the_dates_and_ends_with_the_stay() {
    let mut lab = lab(&[&recipe("Clean", "{stay: check_out}", "")]);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-12", 1);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-14", 2);
    assert_eq!(waits(&lab), ["01-14T11:00"]);
    tell(&mut lab, "A", "cancelled", "2027-01-09", "2027-01-14", 3);
    assert!(waits(&lab).is_empty());
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-15", 4);
    assert_eq!(waits(&lab), ["01-15T11:00"]);
}

#[test]
fn a_condition_is_asked_when_it_is_due() {
    let mut lab = lab(&[&recipe("Big", "{stay: check_in}", "when: reservation.guests > 2")]);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-12", 1);
    let came = lab.go_to("2027-01-10T00:00:00Z");
    assert!(told(&came)[0].starts_with("skipped when "), "{:?}", told(&came));
}

#[test]
fn a_status_that_lasts_is_waited_for_and_one_that_ends_is_not() {
    let mut lab = lab(&[&recipe("Unpaid", "{status: pending, for: 24h}", "")]);
    tell(&mut lab, "A", "pending", "2027-01-09", "2027-01-12", 1);
    tell(&mut lab, "B", "pending", "2027-01-19", "2027-01-22", 1);
    tell(&mut lab, "B", "confirmed", "2027-01-19", "2027-01-22", 2);
    assert_eq!(told(&lab.go_to("2027-01-05T00:00:00Z")), ["/Unpaid/A"]);
}

#[test]
fn changes_that_settle_are_one_run_and_none_where_they_are_taken_back() {
    let moved = recipe("Moved", "{event: reservation.dates_changed}", "settle: 30m");
    let mut lab = lab(&[&moved]);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-12", 1);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-13", 2);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-14", 3);
    assert_eq!(told(&lab.go_to("2027-01-01T00:30:00Z")), ["/Moved/A"]);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-20", 4);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-14", 5);
    let came = lab.go_to("2027-01-01T02:00:00Z");
    assert!(told(&came)[0].contains("changed back"), "{:?}", told(&came));
}

#[test]
fn a_schedule_plans_its_next_time_and_counts_its_list() {
    let list = "
name: List
on: {schedule: {daily: true, at: '07:00', timezone: UTC}}
gather: {arrivals: {stay: check_in, within: 3d}}
actions: [{http: {connection: books, url: '/list/{{ gathered.arrivals | length }}'}}]
";
    let mut lab = lab(&[list]);
    lab.world.plan_schedules(&lab.setup, lab.now);
    tell(&mut lab, "A", "confirmed", "2027-01-02", "2027-01-05", 1);
    tell(&mut lab, "B", "confirmed", "2027-01-09", "2027-01-12", 1);
    assert_eq!(told(&lab.go_to("2027-01-01T07:00:00Z")), ["/list/1"]);
    assert_eq!(waits(&lab), ["01-02T07:00"]);
    // Every day of a week, one after the other.
    assert_eq!(lab.go_to("2027-01-08T07:00:00Z").len(), 7);
}

#[test]
fn an_entry_that_repeats_comes_due_at_each_of_its_times() {
    let mut lab = lab(&[&recipe(
        "Water",
        "{stay: check_in, every: 1d, until: {stay: check_out}}",
        "",
    )]);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-12", 1);
    let came = lab.go_to("2027-02-01T00:00:00Z");
    // The first time a day after the arrival, the last before the departure.
    assert_eq!(told(&came), ["/Water/A"; 2]);
}

#[test]
fn what_went_in_a_life_that_is_over_goes_again_in_the_next() {
    let mut lab = lab(&[&recipe("Door", "{stay: check_in, before: 2d, at: '10:00'}", "")]);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-12", 1);
    assert_eq!(told(&lab.go_to("2027-01-07T10:00:00Z")), ["/Door/A"]);
    tell(&mut lab, "A", "cancelled", "2027-01-09", "2027-01-12", 2);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-12", 3);
    assert_eq!(told(&lab.go_to("2027-01-07T12:00:00Z")), ["/Door/A"]);
}

#[test]
fn what_a_decision_makes_has_its_first_step_rendered() {
    let mut lab = lab(&[&recipe("Book", "{event: reservation.created}", "")]);
    tell(&mut lab, "A", "confirmed", "2027-01-09", "2027-01-12", 1);
    let world = lab.world.clone();
    let body = r#"{"code": "B", "status": "confirmed", "check_in_date": "2027-01-09", "check_out_date": "2027-01-12"}"#;
    let decision = lab.tell("pms", body).clone();
    let run = &decision.facts[0].runs[0];
    assert_eq!((run.recipe.as_str(), run.lane.as_str()), ("Book", "cleaning"));
    // The same delivery in the same world makes the same, to the last byte.
    lab.world = world;
    lab.forget_last();
    assert_eq!(format!("{:?}", lab.tell("pms", body)), format!("{decision:?}"));
}
