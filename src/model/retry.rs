//! When a failed step is tried again.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::clock::Time;
use super::id::hash;

/// The delays of the default policy in seconds; the last one repeats.
const DELAYS_S: &[i64] = &[5, 15, 60, 180, 600, 1800, 3600, 7200];

/// The longest pause a target can ask for with `Retry-After`, in seconds.
pub const RETRY_AFTER_MAX_S: i64 = 3600;

/// For how long an attempt is repeated, in seconds, where the recipe says nothing: a day.
pub const RETRY_FOR_S: i64 = 86_400;

/// How much longer than its delays a schedule of retries may take, in seconds.
const WINDOW_SLACK_S: i64 = 3600;

/// A step's `retry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// With growing, jittered delays until this many seconds after the first attempt.
    For(i64),
    /// After these many seconds each, then no more.
    Schedule(Vec<i64>),
    /// Not at all.
    Never,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry::For(RETRY_FOR_S)
    }
}

impl Retry {
    /// For how many seconds after its first attempt a step is tried at all, whatever held it up.
    pub fn window_s(&self) -> i64 {
        match self {
            Retry::For(limit_s) => *limit_s,
            Retry::Schedule(delays) => delays.iter().sum::<i64>() + WINDOW_SLACK_S,
            Retry::Never => WINDOW_SLACK_S,
        }
    }

    /// When attempt number `tried` (counted from 1 within the step) is to be followed by another; `None` for never.
    ///
    /// `seed` makes the jitter: the same run and attempt always wait equally long, two runs never in step. A target's
    /// `Retry-After` lengthens the delay up to [`RETRY_AFTER_MAX_S`], and never past the end of the policy.
    pub fn next(&self, tried: i64, first: Time, now: Time, retry_after_s: Option<i64>, seed: &str) -> Option<Time> {
        let tried = usize::try_from(tried.max(1)).unwrap_or(usize::MAX);
        let base_s = match self {
            Retry::Never => return None,
            Retry::Schedule(delays) => *delays.get(tried - 1)?,
            Retry::For(_) => DELAYS_S.get(tried - 1).or(DELAYS_S.last()).copied().unwrap_or(7200),
        };
        let digest = hash(&[b"jitter", seed.as_bytes(), &tried.to_be_bytes()]);
        let share = i64::from(u16::from_be_bytes([digest[0], digest[1]]));
        // Up to a fifth longer: never shorter, so that the delays of a policy always grow.
        let jitter_ms = base_s.saturating_mul(200).saturating_mul(share) / 65_536;
        let own_ms = base_s.saturating_mul(1000).saturating_add(jitter_ms).max(1000);
        let asked_ms = retry_after_s.unwrap_or(0).clamp(0, RETRY_AFTER_MAX_S) * 1000;
        let next = now.checked_add_signed(TimeDelta::milliseconds(own_ms.max(asked_ms)))?;
        match self {
            Retry::For(limit_s) if next > first + TimeDelta::seconds(*limit_s) => None,
            _ => Some(next),
        }
    }
}
