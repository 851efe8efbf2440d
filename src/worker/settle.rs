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
    /// On to the next step.
    GoOn,
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
        AttemptOutcome::Done => return Next::GoOn,
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
    if policy.go_on { Next::GoOn } else { Next::Dead(given_up) }
}

/// Whether, after this attempt, nobody can say if the step has had an effect.
pub fn uncertain(answer: &Answer, tried: Tried) -> bool {
    match answer.outcome {
        AttemptOutcome::Done | AttemptOutcome::Reject => false,
        AttemptOutcome::Retry => tried.uncertain,
        AttemptOutcome::Uncertain => true,
    }
}
