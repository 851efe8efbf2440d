//! From the end of an attempt to what the run does next.

use crate::model::clock::Time;
use crate::model::effect::{Answer, Policy};
use crate::model::run::AttemptOutcome;

/// How often and since when a step has been tried.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// Attempts of the step so far, this one included.
    pub attempts: i64,
    /// When the first of them began.
    pub first: Time,
    /// Whether an earlier one may have had an effect.
    pub uncertain: bool,
}

/// What a run does after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// On to the next step; why the step has failed, where it has and its recipe goes on all the same.
    GoOn(Option<String>),
    /// The same step again, then.
    Again(Time),
    /// It waits for a person.
    Park(String),
    /// It is dead.
    Dead(String),
}

/// Decides by the step's policy. `seed` makes the jitter.
pub fn settle(answer: &Answer, policy: &Policy, tried: Tried, now: Time, seed: &str) -> Next {
    let summary = &answer.summary;
    let given_up = match answer.outcome {
        AttemptOutcome::Done => return Next::GoOn(None),
        AttemptOutcome::Reject => summary.clone(),
        AttemptOutcome::Uncertain if policy.at_most_once => {
            return Next::Park(format!(
                "{summary}; it may have arrived and is to arrive at most once: a person has to look"
            ));
        }
        AttemptOutcome::Retry | AttemptOutcome::Uncertain => {
            match policy
                .retry
                .next(tried.attempts, tried.first, now, answer.retry_after_s, seed)
            {
                Some(at) => return Next::Again(at),
                None if tried.attempts == 1 => format!("given up after one attempt: {summary}"),
                None => format!("given up after {} attempts: {summary}", tried.attempts),
            }
        }
    };
    ended(policy, given_up, uncertain(answer, tried))
}

/// What becomes of a run one of whose steps has failed for good; `uncertain`: it may have had an effect.
pub fn ended(policy: &Policy, because: String, uncertain: bool) -> Next {
    match (policy.go_on, uncertain) {
        (true, _) => Next::GoOn(Some(because)),
        (false, true) => Next::Park(format!("{because}; it may have arrived: a person has to look")),
        (false, false) => Next::Dead(because),
    }
}

/// Why a step is given up whose time for retries has passed: "its 24 hours were over".
pub fn window_over(window_s: i64) -> String {
    let (count, unit) = match window_s {
        s if s % 86_400 == 0 && s > 86_400 => (s / 86_400, "day"),
        s if s % 3600 == 0 => (s / 3600, "hour"),
        s if s >= 120 => (s / 60, "minute"),
        s => (s, "second"),
    };
    match count {
        1 => format!("its {unit} was over"),
        _ => format!("its {count} {unit}s were over"),
    }
}

/// Whether, after this attempt, nobody can say if the step has had an effect.
pub fn uncertain(answer: &Answer, tried: Tried) -> bool {
    match answer.outcome {
        AttemptOutcome::Done | AttemptOutcome::Reject => false,
        AttemptOutcome::Retry => tried.uncertain,
        AttemptOutcome::Uncertain => true,
    }
}
