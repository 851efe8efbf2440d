//! Ends: of a life of a stay, after which what went in it counts no more; of the stay itself; of the time for retries.

use chrono::TimeDelta;
use stayhook::model::clock::Time;
use stayhook::worker::by_step::Flight;

use crate::checks::{Broken, hold};
use crate::rules::Rule;
use crate::table::Row;

use super::Timeline;

impl Row {
    /// Whether it was passed over as past, by whatever clock.
    pub(super) fn was_past(&self) -> bool {
        let past = self.reason.starts_with("too late: ") || self.reason == "the guest has left";
        self.is("skipped") && past
    }
}

impl Timeline {
    /// Whether the run is of the check-in clock, and the guest has left.
    pub fn has_left(&self, run: &str, now: Time) -> bool {
        let of_check_in = |row: &&Row| row.entries.iter().all(|entry| entry.starts_with("check_in"));
        let stay = self.rows.get(run).filter(of_check_in).and_then(|row| row.stay.as_ref());
        let stay = stay.and_then(|stay| self.stays.get(stay));
        stay.and_then(|(_, stay)| stay.leaves()).is_some_and(|left| now > left)
    }

    /// What went for these stays counts no more: for a new life nothing, after a move nothing that reads the property.
    pub(super) fn begin_anew(&mut self, rules: &[Rule]) {
        for (stay, moved) in std::mem::take(&mut self.anew) {
            let reads = |row: &&Row| rules.iter().any(|rule| rule.place && rule.name == row.recipe);
            let mine = self
                .rows
                .values()
                .filter(|row| row.stay.as_ref() == Some(&stay) && row.fired());
            self.past
                .extend(mine.filter(|row| !moved || reads(row)).map(|row| row.id.clone()));
        }
        for fired in self.fired.values_mut() {
            fired.retain(|(.., run)| !self.past.contains(run));
        }
    }
}

/// A step is not tried for longer than its recipe says, from its first attempt on; the last one may be a moment late.
pub fn in_time(flight: &Flight, now: Time) -> Result<(), Broken> {
    let window = match (flight.run.recipe.as_str(), flight.opening.position) {
        ("Count", 0) => TimeDelta::minutes(66),
        _ => TimeDelta::hours(24),
    };
    let late = flight
        .run
        .step_first_at
        .is_some_and(|first| now > first + window + TimeDelta::seconds(15));
    hold(!late, || {
        format!(
            "{} `{}` was tried after its time for retries",
            flight.run.id, flight.run.recipe
        )
    })
}
