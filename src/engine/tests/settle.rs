//! What a run does after an attempt, by the policy of its step.

use chrono::TimeDelta;

use crate::engine::settle::settle;
use crate::engine::{Next, Tried, ended, uncertain, window_over};
use crate::model::clock::Time;
use crate::model::effect::{Answer, Policy};
use crate::model::retry::Retry;
use crate::model::run::AttemptOutcome;

fn now() -> Time {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

fn tried(attempts: i64, ago: TimeDelta, uncertain: bool) -> Tried {
    Tried {
        attempts,
        first: now() - ago,
        uncertain,
    }
}

fn after(outcome: AttemptOutcome, policy: &Policy, tried: Tried) -> Next {
    settle(&Answer::plain(outcome, "503"), policy, tried, now(), "seed")
}

fn an_hour() -> Policy {
    Policy {
        retry: Retry::For(3600),
        ..Policy::default()
    }
}

#[test]
fn what_is_done_goes_on() {
    let first = tried(1, TimeDelta::zero(), false);
    assert_eq!(after(AttemptOutcome::Done, &an_hour(), first), Next::GoOn(None));
}

#[test]
fn what_is_refused_is_dead_at_once_unless_the_recipe_goes_on() {
    let first = tried(1, TimeDelta::zero(), false);
    assert_eq!(
        after(AttemptOutcome::Reject, &an_hour(), first),
        Next::Dead("503".to_owned())
    );
    let goes_on = Policy {
        go_on: true,
        ..an_hour()
    };
    assert_eq!(
        after(AttemptOutcome::Reject, &goes_on, first),
        Next::GoOn(Some("503".to_owned()))
    );
}

#[test]
fn what_failed_for_now_is_tried_again_later_and_within_its_time() {
    for minutes in [0, 1, 30] {
        let next = after(
            AttemptOutcome::Retry,
            &an_hour(),
            tried(3, TimeDelta::minutes(minutes), false),
        );
        let Next::Again(at) = next else {
            panic!("{minutes}: {next:?}")
        };
        assert!(
            at > now() && at <= now() - TimeDelta::minutes(minutes) + TimeDelta::hours(1),
            "{minutes}"
        );
    }
}

#[test]
fn once_its_time_is_over_it_is_dead_and_in_doubt_it_waits_for_a_person() {
    let late = TimeDelta::minutes(61);
    let over = after(AttemptOutcome::Retry, &an_hour(), tried(4, late, false));
    assert_eq!(over, Next::Dead("given up after 4 attempts: 503".to_owned()));
    let in_doubt = after(AttemptOutcome::Retry, &an_hour(), tried(4, late, true));
    assert!(matches!(in_doubt, Next::Park(because) if because.contains("it may have arrived")));
    let unanswered = after(AttemptOutcome::Uncertain, &an_hour(), tried(1, late, false));
    assert!(matches!(unanswered, Next::Park(because) if because.starts_with("given up after one attempt")));
}

#[test]
fn what_may_arrive_once_at_the_most_is_never_sent_again_in_doubt() {
    let once = Policy {
        at_most_once: true,
        ..an_hour()
    };
    let first = tried(1, TimeDelta::zero(), false);
    assert!(matches!(after(AttemptOutcome::Uncertain, &once, first), Next::Park(_)));
    assert!(matches!(after(AttemptOutcome::Retry, &once, first), Next::Again(_)));
}

#[test]
fn doubt_stays_until_somebody_answers() {
    let answer = |outcome| Answer::plain(outcome, "");
    let (clear, doubtful) = (tried(2, TimeDelta::zero(), false), tried(2, TimeDelta::zero(), true));
    for (outcome, before, after) in [
        (AttemptOutcome::Done, doubtful, false),
        (AttemptOutcome::Reject, doubtful, false),
        (AttemptOutcome::Retry, doubtful, true),
        (AttemptOutcome::Retry, clear, false),
        (AttemptOutcome::Uncertain, clear, true),
    ] {
        assert_eq!(uncertain(&answer(outcome), before), after, "{outcome:?}");
    }
}

#[test]
fn a_step_that_failed_without_an_attempt_ends_by_the_same_policy() {
    let because = || "no address".to_owned();
    assert_eq!(ended(&an_hour(), because(), false), Next::Dead(because()));
    assert!(matches!(ended(&an_hour(), because(), true), Next::Park(_)));
    let goes_on = Policy {
        go_on: true,
        ..an_hour()
    };
    assert_eq!(ended(&goes_on, because(), true), Next::GoOn(Some(because())));
}

#[test]
fn a_window_is_told_in_the_words_of_its_author() {
    for (seconds, said) in [
        (20, "its 20 seconds were over"),
        (60, "its 60 seconds were over"),
        (3600, "its hour was over"),
        (86_400, "its 24 hours were over"),
        (172_800, "its 2 days were over"),
        (5_400, "its 90 minutes were over"),
    ] {
        assert_eq!(window_over(seconds), said);
    }
}
