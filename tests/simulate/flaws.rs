//! That the checks can fail: with a fault put in, one of a few seeds has to be reported, for the right reason.

use stayhook::model::fault;

use crate::driver::Flaw;
use crate::model::Order;
use crate::seeds::{Bent, alone, ground, play};

/// The first of a few seeds that fails.
fn reported(bent: Bent) -> String {
    let ground = ground();
    let found = (0..60).find_map(|seed| alone(play(&ground, seed, bent)).err());
    found.unwrap_or_else(|| panic!("nobody saw {bent:?}")).broken
}

#[test]
fn a_model_that_goes_by_arrival_is_contradicted() {
    let said = reported(Bent {
        order: Order::Arrival,
        ..Bent::default()
    });
    assert!(said.starts_with("pms ") && said.contains("has to be"), "{said}");
}

#[test]
fn a_bug_in_deciding_is_seen() {
    let _broken = fault::break_for("decide", "BUGGY");
    let said = reported(Bent {
        mark: "BUGGY",
        ..Bent::default()
    });
    assert!(said.contains("is failed: a fault of Stayhook"), "{said}");
}

#[test]
fn a_disk_that_forgets_is_seen() {
    let said = reported(Bent {
        flaw: Flaw::Forgets,
        ..Bent::default()
    });
    assert!(
        said.contains("is gone") || said.contains("acknowledged and not there"),
        "{said}"
    );
}

#[test]
fn another_key_for_each_attempt_is_seen() {
    let said = reported(Bent {
        flaw: Flaw::KeyPerAttempt,
        ..Bent::default()
    });
    assert!(said.contains("was sent under two keys"), "{said}");
}

#[test]
fn a_success_without_an_effect_is_seen() {
    let said = reported(Bent {
        flaw: Flaw::NothingSent,
        ..Bent::default()
    });
    assert!(said.contains("its target knows nothing of it"), "{said}");
}

/// What is said of a fault in what is planned.
fn said_of(flaw: Flaw, wanted: &[&str]) {
    let said = reported(Bent {
        flaw,
        ..Bent::default()
    });
    assert!(wanted.iter().any(|part| said.contains(part)), "{flaw:?}: {said}");
}

#[test]
fn what_a_cancelled_stay_had_planned_and_keeps_is_seen() {
    said_of(Flaw::NotCancelled, &["and its stay is gone"]);
}

#[test]
fn a_plan_that_does_not_follow_its_stay_is_seen() {
    said_of(Flaw::NotMoved, &["the calendar says", "planned after its time"]);
}

#[test]
fn what_has_fired_and_is_planned_again_is_seen() {
    said_of(Flaw::FiredTwice, &["began once more", "has fired before"]);
}

#[test]
fn a_planned_run_that_is_lost_is_seen() {
    said_of(Flaw::PlanLost, &["is gone", "nobody has planned"]);
}

#[test]
fn what_goes_later_than_it_may_is_seen() {
    said_of(
        Flaw::Late,
        &["should not have later than", "went by itself", "planned after its time"],
    );
}

#[test]
fn a_time_by_the_clock_of_another_place_is_seen() {
    said_of(Flaw::OneZone, &["the calendar says"]);
}

#[test]
fn a_clock_that_is_believed_at_once_is_seen() {
    said_of(Flaw::Believed, &["by a clock that nobody believes"]);
}

#[test]
fn what_a_clock_that_was_ahead_has_passed_over_is_seen() {
    said_of(Flaw::PassedOver, &["nobody has planned"]);
}

#[test]
fn a_retry_that_waits_for_a_clock_that_was_ahead_is_seen() {
    said_of(Flaw::WaitsLong, &["waits longer than its policy says"]);
}

#[test]
fn a_mixture_of_two_plans_is_seen() {
    said_of(
        Flaw::Mixed,
        &["the calendar says", "nobody has planned", "there is no such recipe"],
    );
}

#[test]
fn what_is_tried_for_longer_than_it_may_be_is_seen() {
    said_of(Flaw::NoEnd, &["after its time for retries"]);
}
