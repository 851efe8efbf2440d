//! What becomes of a time that is wanted: it lies ahead, it is late and still wanted, or it is past.

use crate::model::clock::Time;
use crate::model::plan::{EndedBy, Planned};

use super::{Bench, Cause};

/// What becomes of a time.
pub(super) enum Verdict {
    Scheduled,
    Skipped(EndedBy, String),
    /// Nothing is written down of it.
    Nothing,
}

impl Bench<'_> {
    /// What becomes of a time: ahead, late and still wanted, or past. `ended`: the run there is of it, which has ended.
    pub(super) fn verdict(&self, at: Time, last: Time, ended: Option<&Planned>) -> Verdict {
        if at > self.now {
            return Verdict::Scheduled;
        }
        let late = |by: EndedBy, because: &str| Verdict::Skipped(by, because.to_owned());
        let stay = self.subject.stay;
        match self.cause {
            // What was past when the stay was taken over is the old automation's, however the stay moves.
            _ if stay.adopted && at.timestamp_millis() <= stay.first_seen_ms => Verdict::Nothing,
            Cause::News if self.now <= last => Verdict::Scheduled,
            Cause::News => late(EndedBy::Past, "too late: its time had passed when it was planned"),
            Cause::Adopted => Verdict::Nothing,
            // What was looked at when it was due, and not wanted then; or too late by a clock that was ahead.
            Cause::Neighbour if self.now <= last && ended.is_some_and(Planned::may_be_asked_again) => {
                Verdict::Scheduled
            }
            Cause::Rules | Cause::Change | Cause::Neighbour => match self.subject.rules_since {
                // It passed after they came into force, before the stay was planned under them.
                Some(since)
                    if at > since
                        && self.now <= last
                        && ended.is_none_or(|run| run.ended_by != Some(EndedBy::Condition)) =>
                {
                    Verdict::Scheduled
                }
                Some(_) => late(EndedBy::Late, "planned after its time"),
                None => late(EndedBy::Past, "planned after its time"),
            },
        }
    }
}
